/*
 * mapping_parts.h: what a mapping is made of, for mapping.c and mapping_record.c alone.
 */
#ifndef MERIDIAN_MAPPING_PARTS_H
#define MERIDIAN_MAPPING_PARTS_H

#include "alert/mapping.h"

#define SLOT 32 /* bytes: the largest of what a wish wants */
#define MOST_SLOTS 40 /* of a level */
#define MOST_LEVELS 24
#define MOST_POINTS 8 /* sections of points */
#define MOST_BANDS 64
#define NAME_BYTES 20 /* of a survey, and of a band */

struct level {
	struct level *parent; /* NULL: a record, or the items of a list */
	const char *name; /* of the field that it is */
	bool is_list;
	struct avro_wish wishes[MOST_SLOTS];
	size_t n;
	struct avro_shape shape;
};

/* A field that is wanted: absent where level is NULL. */
struct field {
	struct level *level;
	size_t slot;
	size_t at; /* in the structure of the record or item */
	const char *path; /* as it was given */
};

enum unit { UNIT_NONE, UNIT_NJY, UNIT_UJY, UNIT_MJY, UNIT_JY, UNIT_ADU };

/* A section [detection] or [history LIST]. */
struct points {
	int line;
	const char *part; /* the list's name; "" */
	struct level *level; /* that its fields stand in */
	struct field list; /* where its items are; absent: the record itself */
	int kind; /* enum datum_kind */
	bool is_mjd, is_tai;
	enum unit unit;
	struct field time, band, id, flux, flux_error, zero_point, magnitude, magnitude_error,
	    limit, sign, positive;
	double zero_point_is; /* the number; NAN: the field has it */
	double none; /* what stands for no value; NAN: nothing does */
};

struct band {
	struct str from;
	int64_t number;
	struct str to;
};

struct mapping {
	struct packet_described described; /* first: a survey is found by its shape */
	const struct avro_shape *shapes[2];
	struct arena *arena;
	struct level levels[MOST_LEVELS];
	size_t nlevels;
	struct field object, alert, ra, dec, reliability;
	const char *prefix; /* of an object that is a number; NULL: it is a text */
	struct points points[MOST_POINTS]; /* the detection first */
	size_t npoints;
	struct band bands[MOST_BANDS];
	size_t nbands;
	bool bands_are_numbers;
};

/* Is this a survey's or a band's name: 1 to NAME_BYTES bytes of UTF-8? */
bool mapping_is_name(struct str);

/* As struct survey's `read`, for a record of a mapping's shape. */
bool mapping_read_record(
    const void *record, struct arena *, struct alert_packet *, char *err, size_t errsize);

#endif
