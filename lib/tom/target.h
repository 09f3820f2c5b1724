/*
 * target.h: a target, its fields, its rules, and how it is added, changed, found and deleted.
 *
 * Who may what: a superuser everything; else what rights has for one of the user's principals
 * (auth/access.h). Every row of rights holds VIEW. OPEN gives a row for "anyone", PUBLIC one for
 * "signed in", both of sight only, unless TARGET_OPEN_CHANGE makes them more (struct user). A target that someone may not see is "not there" for them.
 *
 * Functions that read answer DB_ROW (found), DB_END (not there) or a failure of the database.
 */
#ifndef MERIDIAN_TARGET_H
#define MERIDIAN_TARGET_H

#include "auth/access.h"
#include "db/db.h"

#define TARGET_NAME_MAX 100 /* code points, names and aliases */
#define TARGET_KEY_MAX 200 /* code points, keys of extras */
#define TARGET_VALUE_MAX 10000 /* code points, values of extras */
#define TARGET_ALIASES_MAX 200 /* of one target */
#define TARGET_EXTRAS_MAX 500

enum target_type { TARGET_SIDEREAL, TARGET_NON_SIDEREAL };
enum target_permissions { TARGET_OPEN, TARGET_PUBLIC, TARGET_PRIVATE };
enum target_scheme { SCHEME_NONE, SCHEME_MINOR_PLANET, SCHEME_COMET, SCHEME_MAJOR_PLANET };

/* A double that is NAN was not given. Names are those of the columns, forms, CSV and JSON. */
struct target {
	int64_t id;
	struct str name;
	int type; /* enum target_type */
	int permissions; /* enum target_permissions */
	int scheme; /* enum target_scheme */
	int64_t created, modified; /* microseconds, UTC */
	int64_t creator; /* user id; 0: none */
	double ra, dec; /* degrees, ICRS */
	double epoch; /* Julian years */
	double parallax; /* mas */
	double pm_ra, pm_dec; /* mas/yr */
	double galactic_lng, galactic_lat; /* degrees, as given; pages compute their own */
	double distance, distance_err; /* parsec */
	double epoch_of_elements; /* MJD */
	double mean_anomaly, arg_of_perihelion, lng_asc_node, inclination; /* degrees, J2000 */
	double eccentricity;
	double mean_daily_motion; /* degrees/day */
	double semimajor_axis, perihdist; /* AU */
	double epoch_of_perihelion; /* MJD */
	double ephemeris_period, ephemeris_period_err; /* days */
	double ephemeris_epoch, ephemeris_epoch_err; /* days */
	double abs_mag; /* H of an asteroid, M1 of a comet */
	double slope; /* G or k1 */
};

/* An empty target: all doubles NAN, sidereal, private, no name. */
struct target target_none(void);

/*
 * The one table of fields, in the order of the API (spec 3.3), for forms, CSV, pages and JSON.
 */
enum target_kind { TARGET_TEXT, TARGET_REAL, TARGET_RA, TARGET_DEC, TARGET_CHOICE, TARGET_TIME };

/* struct target_field.needed and .used: for whom. */
#define FOR_SIDEREAL 1u
#define FOR_NON_SIDEREAL 2u
#define FOR_MINOR_PLANET 4u
#define FOR_COMET 8u
#define FOR_MAJOR_PLANET 16u

struct target_field {
	const char *name; /* "pm_ra" */
	enum target_kind kind;
	size_t offset; /* into struct target */
	const char *label; /* "Proper motion in RA" */
	const char *unit; /* "mas/yr"; "" for none */
	unsigned needed; /* required by these types and schemes */
	unsigned used; /* on the form of these types */
	double min, max; /* inclusive where min < max */
	const char *const *codes; /* TARGET_CHOICE: in the order of the enum, NULL-terminated */
	const char *const *labels; /* for people */
	const char *help; /* a sentence, or "" */
};
extern const struct target_field target_fields[];
extern const size_t target_nfields;
#define TARGET_NFIELDS_MAX 40

const struct target_field *target_field_find(struct str name);

/* Is the field a double? Where its value is, by kind: REAL, RA and DEC; CHOICE; TIME. */
bool target_is_number(const struct target_field *);
double *target_real_at(struct target *, const struct target_field *);
int *target_choice_at(struct target *, const struct target_field *);
int64_t *target_time_at(struct target *, const struct target_field *);

/* The number of a choice by its text, without regard to case; false where there is none such. */
bool target_choice_read(const struct target_field *, struct str text, int *out);

/* The value of a REAL, RA or DEC field; what a CHOICE holds ("SIDEREAL"), and its label. */
double target_real(const struct target *, const struct target_field *);
struct str target_choice(const struct target *, const struct target_field *);
struct str target_choice_label(const struct target *, const struct target_field *);

/*
 * Sets a field from text as people type it: trimmed; empty means "not given"; RA and Dec may be
 * sexagesimal. NULL; else what is wrong, a sentence (in the arena or static). Names are copied.
 */
const char *
target_set(struct target *, const struct target_field *, struct str text, struct arena *);

/* A finding about one field. */
struct problem {
	const char
	    *field; /* a name of the table, "aliases", "extras", "groups", or "" for the whole */
	struct str why; /* a sentence */
	size_t item; /* of "aliases" and "extras": which of the draft's, from 1; 0: all */
	int64_t other; /* the target that has that name, where the asker may see it; else 0 */
	struct str other_name;
};
struct problems {
	size_t n;
	struct problem *list; /* in the arena */
	size_t room;
};
void problem_add(struct problems *, struct arena *, const char *field, struct str why);
/* The first finding about that field, or NULL. */
const struct problem *problem_about(const struct problems *, const char *field);

/*
 * The rules that need no database (spec 2.1, with 0 a value): name, what type and scheme require,
 * ranges, epochs, eccentricity. Adds its findings, none about a field that has one already; returns
 * how many.
 */
size_t target_check(const struct target *, struct problems *, struct arena *);

/*
 * Is it fit to be a name or an alias: a line of UTF-8 with something to be seen in it and nothing
 * that is not? NULL, or the reason: a sentence (in the arena or static).
 */
const char *target_name_wrong(struct str trimmed, struct arena *);

/*
 * Names that count as the same: NFC, lower case, without blanks and dashes of any kind, '_', '(' and
 * ')'. A name made of those alone is its own key.
 */
struct str target_match_key(struct arena *, struct str name);

/*
 * Is it a key that no extra may have? Those that a column of CSV is not read as an extra by: fields
 * of the table, "groups", "id", what begins with "name"; in capitals or not.
 */
bool target_key_is_own(struct str key);

struct target_extra {
	int64_t id;
	struct str key, value;
};

/* A target to be written, with all that belongs to it. */
struct target_draft {
	struct target target;
	struct str *aliases; /* trimmed by target_add and target_change; empty ones passed over */
	size_t naliases;
	struct target_extra *extras; /* a pair without key and value is passed over */
	size_t nextras;
	int64_t *groups; /* user groups that get rights: all three verbs on a new target */
	size_t ngroups;
	int64_t *lists; /* target lists to be a member of; target_add only */
	size_t nlists;
};

/* What target_change replaces beside the target itself: parts left out stay as they are. */
enum { KEEP_PARTS = 0, SET_ALIASES = 1, SET_EXTRAS = 2, SET_GROUPS = 4 };

/*
 * Adds the target in one transaction: record, names, extras, rights (the creator and the groups all
 * three verbs; OPEN and PUBLIC sight), zone. `creator` may be NULL (commands): then nobody but the
 * groups and superusers may change it. A user who is no superuser may give only their own groups.
 *
 * DB_END: done, and draft->target has its id, created, modified. DB_TAKEN: a name is in use;
 * DB_REFUSED: it breaks a rule; both with `problems` filled. Else the database failed.
 */
enum db_result target_add(struct db *, struct arena *, const struct user *creator,
    struct target_draft *, struct problems *);

/*
 * Changes target draft->target.id, whose created and creator stay. As target_add; DB_ROW is never
 * returned; a target that is not there or that the user may not change is DB_REFUSED with no
 * problem in the list. The rights of OPEN and PUBLIC follow `permissions`. Groups that come get
 * the verbs that the user has.
 */
enum db_result target_change(struct db *, struct arena *, const struct user *,
    struct target_draft *, unsigned parts, struct problems *);

/*
 * Deletes it with all that is its own. DB_END; DB_REFUSED: not there, or not theirs to delete. Objects of
 * surveys stay, seen by no more than before (tom/audience.h): `measurements_have_rights` of their own.
 */
enum db_result
target_delete(struct db *, const struct user *, int64_t id, bool measurements_have_rights);

/*
 * One target, if the user has those verbs on it (a sum of VIEW, CHANGE, REMOVE), asked in the same
 * statement. Texts live in the arena.
 */
enum db_result target_get(
    struct db *, struct arena *, const struct user *, int64_t id, int verbs, struct target *);

/* The same with what belongs to it: for a target's page, its form and JSON. */
struct target_named {
	int64_t id;
	struct str name;
};
struct target_whole {
	struct target target;
	bool may_change, may_delete;
	struct str creator; /* their user name; absent: none */
	struct target_named *aliases; /* oldest first */
	size_t naliases;
	struct target_extra *extras; /* by key */
	size_t nextras;
	struct target_named *groups; /* user groups with rights, by name */
	size_t ngroups;
	struct target_named *lists; /* target lists it is a member of, by name */
	size_t nlists;
	int64_t revision; /* of its measurements (tom/datum.h) */
};
/*
 * All statements are started before the first is read: one round trip. Parts whose bit is not in
 * `parts` are not asked.
 */
enum { WITH_ALIASES = 1, WITH_EXTRAS = 2, WITH_GROUPS = 4, WITH_LISTS = 8, WITH_ALL = 15 };
enum db_result target_load(struct db *, struct arena *, const struct user *, int64_t id,
    unsigned parts, struct target_whole *);
/*
 * The two halves of target_load, so that a page's other statements travel with it: between them
 * the caller may db_query and db_start its own.
 */
struct target_loading;
struct target_loading *
target_load_start(struct db *, struct arena *, const struct user *, int64_t id, unsigned parts);
enum db_result target_load_end(struct target_loading *, struct target_whole *);

/*
 * Target lists (TOM's "target groups"): all of them, by name, at most `max`. In two halves, so that a
 * page's other statements travel with it; the second ends the query: DB_END or a failure.
 */
struct query *target_lists_start(struct db *, size_t max);
enum db_result
target_lists_end(struct query *, struct arena *, size_t max, struct target_named **, size_t *n);
/* The oldest list of that name, made if there is none. Inside a transaction of the caller or not. */
enum db_result target_list_named(struct db *, struct str name, int64_t *id);
enum db_result target_list_put(struct db *, int64_t list, int64_t target);

/*
 * For streams: targets by name or alias (match key), sidereal ones made for those that are not
 * there, in the caller's transaction. Repeated names give the same target. Rights of the
 * new: `groups` all three verbs, and sight by `permissions`.
 */
struct target_wanted {
	struct str name; /* in: as target_name_wrong allows */
	double ra, dec; /* in: degrees ICRS, for a new one; NAN: it moves, NON_SIDEREAL */
	int64_t id; /* out */
	bool is_new; /* out: this call made it (only the first of repeated names says so) */
};
enum db_result target_find_or_add_many(struct db *, struct arena *, struct target_wanted *,
    size_t n, int permissions, const int64_t *groups, size_t ngroups) MUST_CHECK;
/* The same without making any: id is 0 where there is none. */
enum db_result
target_find_many(struct db *, struct arena *, struct target_wanted *, size_t n) MUST_CHECK;

/*
 * Further names of targets, in the caller's transaction; a name that is in use is passed over,
 * whosever it is, and so is one beyond TARGET_ALIASES_MAX of its target.
 */
struct target_alias {
	int64_t target_id;
	struct str name; /* as target_name_wrong allows */
};
enum db_result
target_alias_many(struct db *, struct arena *, const struct target_alias *, size_t n) MUST_CHECK;

/*
 * The 110 Messier objects, PUBLIC, into the list "Messier Catalog" (made if absent). Names that
 * are there already (and visible to the user) are put into the list. Running it twice adds nothing.
 */
struct target_seeded {
	size_t added, present,
	    unseen; /* unseen: the name belongs to a target the user may not see */
	int64_t list;
};
enum db_result
target_seed_messier(struct db *, struct arena *, const struct user *, struct target_seeded *);

#endif
