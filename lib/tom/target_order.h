/*
 * target_order.h: the sort orders of the list, and places in them. Not for pages.
 *
 * A sort order is one or two segments, each a run of an index: targets without a position come
 * after those with one, and sorting by type is one type after the other, each newest first. A place
 * is a segment and a row's values in it; a key is a place as text, for links.
 */
#ifndef MERIDIAN_TARGET_ORDER_H
#define MERIDIAN_TARGET_ORDER_H

#include "db/sql.h"
#include "tom/target_list.h"

/* An order that an index has. */
enum order { BY_CREATED, BY_MODIFIED, BY_NAME, BY_RA, BY_DEC, BY_ID };

struct segment {
	enum order order;
	bool down;
	bool has_where;
	enum query_name where;
	int type; /* of QUERY_TARGETS_OF_TYPE */
};

struct ordering {
	enum target_sort sort;
	bool down;
	struct segment segments[2];
	size_t n;
	bool has_type; /* the query's type is the segment's */
};

/* Where a page begins, behind a row. */
struct place {
	bool set;
	bool back; /* the page before that row */
	size_t segment;
	int64_t id, whole;
	double real;
	struct str text;
};

/* The order that a query asks for. */
struct ordering target_ordering(const struct target_query *);

/* The place of a target in a segment; its texts are borrowed. */
struct place target_place(const struct ordering *, const struct target *, size_t segment);

/* The place as text ("n0d0.17.1795490009123456"), and back: not set where it is none of this order. */
struct str target_key_text(const struct ordering *, const struct place *, struct arena *);
struct place target_key_read(const struct ordering *, struct str key);

/* Adds the run of a segment behind a place (not set: all of it): conditions, each an AND. */
void target_run(struct sql *, const struct segment *, const struct place *after, bool back);

/* Adds its ORDER BY. */
void target_run_order(struct sql *, const struct segment *, bool back);

#endif
