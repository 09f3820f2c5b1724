/*
 * scout.h: what JPL's Scout says of the objects of the MPC's NEO Confirmation Page (NEOCP).
 *
 * The replies of its API, version 1.3 (https://ssd-api.jpl.nasa.gov/doc/scout.html): numbers stand in
 * them as numbers, as text or as null, whichever it pleases. Units are those of the table of fields.
 */
#ifndef MERIDIAN_SCOUT_H
#define MERIDIAN_SCOUT_H

#include "base/arena.h"

#define SCOUT_VERSION "1.3"
#define SCOUT_NAME_MAX 40 /* bytes; those of the MPC have eight at most */
#define SCOUT_OBJECTS_MAX 5000 /* of a list; there have been some hundred */
#define SCOUT_ORBITS_MAX 1000 /* samples of an object */

/* One object as of one analysis. A number that was not told is NAN, a time 0. */
struct scout_object {
	struct str name; /* the NEOCP's temporary designation */
	int64_t last_run; /* of the analysis; microseconds, UTC */
	int64_t ephemeris; /* when position, magnitude, rate and uncertainty hold */
	double ra, dec; /* degrees, J2000, to 0.25 and 1 degree */
	double elongation; /* of the Sun, degrees */
	double v_mag;
	double rate; /* arcseconds/minute */
	double uncertainty, uncertainty_later; /* arcminutes, 1 sigma: then, and a day later */
	double abs_mag; /* H */
	double observations;
	double arc; /* hours */
	double rms; /* of the weighted residuals of the best orbit */
	double moid; /* au, of the Earth's orbit */
	double close_approach; /* lunar distances */
	double v_inf; /* km/s; the unit is what clients say */
	double rating; /* of an impact: 0 negligible, 1 small, 2 modest, 3 moderate, 4 elevated */
	double neo_score, neo_1km_score, pha_score, ieo_score, geocentric_score,
	    tisserand_score; /* 0 to 100 */
};

/* The one table of fields: for the reader, the statements and the pages. */
enum scout_kind { SCOUT_NAME, SCOUT_TIME, SCOUT_RA, SCOUT_DEC, SCOUT_REAL, SCOUT_WHOLE };
struct scout_field {
	const char *json; /* "neoScore" */
	const char *column; /* "neo_score" */
	enum scout_kind kind;
	size_t offset; /* into struct scout_object */
	double min, max; /* inclusive */
	const char *label, *unit; /* for people; "" for none */
	unsigned decimals; /* as pages show it */
};
extern const struct scout_field scout_fields[];
extern const size_t scout_nfields;
/* The value of a number's field. */
double scout_real(const struct scout_object *, const struct scout_field *);
int64_t scout_time(const struct scout_object *, const struct scout_field *);
/* Where it is, to be filled in from the database. */
double *scout_real_at(struct scout_object *, const struct scout_field *);
int64_t *scout_time_at(struct scout_object *, const struct scout_field *);
/* Nothing told. */
struct scout_object scout_none(void);

enum scout_reply {
	SCOUT_READ,
	SCOUT_REFUSED, /* {"error": ...}: the API has no such object, or does not want to */
	SCOUT_FIELD, /* one field of the object, or its orbits, cannot be read: err names it */
	SCOUT_WRONG /* not what is documented, another version, cut off */
};

/* A row of the list. */
struct scout_row {
	struct scout_object object; /* its name is there (else empty) also where the rest is not */
	struct str why; /* it cannot be read, and which field it is; absent: it was read */
	struct str bytes; /* then: the row as JSON */
};
struct scout_list {
	struct scout_row *rows;
	size_t n;
};

/*
 * The reply without parameters: all objects. It is taken whole or not at all, but for rows that cannot
 * be read, which have their reason. Texts live in the arena. Else with a sentence in err.
 */
enum scout_reply
scout_read_list(struct arena *, struct str body, struct scout_list *, char *err, size_t errsize);

/* A row by itself, as struct scout_row.bytes has it. False with a sentence in err. */
bool
scout_read_row(struct arena *, struct str bytes, struct scout_object *, char *err, size_t errsize);

/* A sampled orbit: heliocentric, ecliptic and equinox of J2000. */
struct scout_orbit {
	int64_t number; /* Scout's own, `idx` */
	double epoch; /* MJD (TDB) */
	double eccentricity;
	double perihelion; /* au */
	double perihelion_time; /* MJD (TDB) */
	double node, peri, inclination; /* degrees */
	double abs_mag; /* H; NAN: not told */
};
struct scout_single {
	struct scout_object object;
	struct scout_orbit *orbits; /* those that can be read */
	size_t n;
	size_t passed_over; /* those that cannot */
};

/* The reply to ?tdes=NAME&orbits=1. As scout_read_list. */
enum scout_reply scout_read_single(struct arena *, struct str body, struct str name,
    struct scout_single *, char *err, size_t errsize);

/* What an answer with another status than 200 says of itself ("error" or "message"); else absent. */
struct str scout_message(struct arena *, struct str body);

#endif
