/*
 * target_list.h: the list of targets: filters, sort orders, pages by key.
 *
 * Every statement here does bounded work for everybody (spec/scale.md): the newest page is a merge
 * of each principal's newest rows; filters that an index serves are asked first, up to
 * TARGET_MATCHES (what someone sees, up to TARGET_VISIBLE); what is more common than that is found by walking the order of the page, at most
 * TARGET_WALK rows at a time, and TARGET_WINDOWS times where nothing is found.
 */
#ifndef MERIDIAN_TARGET_LIST_H
#define MERIDIAN_TARGET_LIST_H

#include "auth/secret.h"
#include "http/request.h"
#include "sky/cone.h"
#include "tom/target.h"

#define TARGET_PAGE 20 /* rows of a page */
#define TARGET_NEWEST 10 /* rows of the site's first page */
#define TARGET_PAGE_MAX 200
#define TARGET_COUNT_MAX 1000 /* beyond it counts say "more than" */
#define TARGET_MATCHES 2000
#define TARGET_VISIBLE 5000 /* rights are fetched and sorted; more are met soon enough by walking */
#define TARGET_WALK 10000
#define TARGET_WINDOWS 8

enum target_sort { SORT_CREATED, SORT_MODIFIED, SORT_NAME, SORT_TYPE, SORT_RA, SORT_DEC };

/* What is asked for. Zeroed, it is everything, but sort needs .descending for newest first. */
struct target_query {
	struct str name; /* comma-separated: any of them part of a name or alias */
	struct str name_fuzzy; /* comma-separated: any of them the same name (match key) */
	struct str query; /* part of a name or alias, commas and all */
	struct str key, value; /* an extra with this key, this value, or both */
	bool by_type;
	int type; /* enum target_type */
	int64_t list; /* target list; 0: any */
	bool by_cone;
	struct cone cone;
	struct str cone_target; /* a cone about the target of that name; "": none */
	double cone_radius; /* degrees */
	bool nothing; /* a filter that can match no target (an unknown list, no such target) */

	enum target_sort sort;
	bool descending;
	size_t limit; /* rows of a page, 1 to TARGET_PAGE_MAX; 0: TARGET_PAGE */
	struct str after; /* the key of a page, as target_page.next or .previous gave it */
	int64_t page; /* an old link's page number, 1 for the first; 0: none */
	struct secret *secret; /* seals keys of what is walked; NULL: such a page has none */
};

/*
 * Reads the keys of spec 5.2 (name, name_fuzzy, query, type, targetlist__name, cone_search,
 * target_cone_search, key, value), sort ("-created", "name", ...), after, page. What is malformed
 * is a problem whose field is the key, and that filter is not applied. Returns how many problems.
 */
size_t
target_query_read(struct target_query *, const struct pairs *, struct problems *, struct arena *);

/* Does it filter at all (sort and paging are no filters)? */
bool target_query_filters(const struct target_query *);

/*
 * May a visitor ask this? Searches that no index bounds (parts of fewer than 3 letters, cones over
 * 10 degrees) are for people who signed in, unless OPEN_SEARCH says otherwise.
 */
bool target_query_is_cheap(const struct target_query *);

struct target_row {
	struct target
	    target; /* only id, name, type, permissions, created, modified, ra, dec, scheme */
	struct str aliases; /* up to 5, joined by ", "; "" for none */
};

struct target_page {
	struct target_row *rows;
	size_t n;
	struct str next, previous; /* keys for `after`; absent where there is no such page */
	int64_t count; /* matches, at most TARGET_COUNT_MAX + 1: then "more than 1,000" */
	bool at_least; /* there may be more than `count`: not all were looked at */
	bool partial; /* the walk stopped at so many rows: `next` goes on from there */
	struct str why; /* a sentence where a filter matched nothing for a reason worth saying */
};

/* Finds a page. DB_END, or a failure of the database. Rows live in the arena. */
enum db_result target_find(struct db *, struct arena *, const struct user *,
    const struct target_query *, struct target_page *);

/*
 * For name/<text>: the one visible target with that text as a name (match key), else the one with
 * it as part of a name or alias. DB_ROW and *id where exactly one is; DB_END else.
 */
enum db_result
target_find_named(struct db *, struct arena *, const struct user *, struct str text, int64_t *id);

/* The home page: the newest visible targets and their number, at most TARGET_COUNT_MAX + 1. */
enum db_result
target_newest(struct db *, struct arena *, const struct user *, struct target_page *);

/*
 * Calls each() for every target that matches, oldest first, no matter how many, with its aliases
 * and extras (borrowed until it returns), until it returns non-zero: DB_REFUSED. With `names_only`
 * the target has just what a row of the list has. Memory does not grow with the number.
 */
enum db_result target_each(struct db *, const struct user *, const struct target_query *,
    bool names_only, int (*each)(void *arg, const struct target_whole *), void *arg);

#endif
