/*
 * target_store.h: what the files that read and write targets share. Not for pages.
 */
#ifndef MERIDIAN_TARGET_STORE_H
#define MERIDIAN_TARGET_STORE_H

#include "tom/target.h"

/* The target of a row that has all columns of the table; texts in the arena. */
struct target target_from_row(struct query *, struct arena *);

/* A name with the key that it is compared by. */
struct target_key {
	struct str name, key;
};

/*
 * The names of a draft, the primary one first, trimmed, empty ones and those that repeat passed
 * over; what is wrong with them is added to the problems. In the arena.
 */
struct target_key *target_keys(struct target_draft *, size_t *n, struct problems *, struct arena *);

/*
 * Trims the extras in place, makes line ends '\n', drops empty ones; adds problems (too long, a key
 * that came twice).
 */
void target_check_extras(struct target_draft *, struct problems *, struct arena *);

/*
 * What a column of CSV with that name holds, in capitals or not: the field of *field, another name,
 * names of groups, an extra; or it is passed over, or has no name.
 */
enum column_kind {
	COLUMN_FIELD,
	COLUMN_ALIAS,
	COLUMN_GROUPS,
	COLUMN_EXTRA,
	COLUMN_PASSED,
	COLUMN_NAMELESS
};
enum column_kind target_column_kind(struct str name, const struct target_field **field);

/* What is wrong with an extra: a sentence (static), or NULL. */
const char *target_extra_wrong(const struct target_extra *);

/* A JSON array of texts, as statements take lists of them. */
struct str target_json_texts(struct arena *, const struct str *, size_t n);
struct str target_json_keys(struct arena *, const struct target_key *, size_t n);

/*
 * Which of these keys (target_json_keys) are in use: rows of match_key, target_id, is_primary, name
 * and visible (to that user) to step through.
 */
struct query *target_names_taken(struct db *, const struct user *, struct str keys);

/*
 * Sees whether keys[] are in use by targets other than `self`, and says so as problems about "name"
 * (keys[0]) and "aliases".
 */
enum db_result target_find_taken(struct db *, struct arena *, const struct user *, int64_t self,
    bool keeps_aliases, const struct target_key *keys, size_t n, struct problems *);

/*
 * People give only the groups that they are members of; superusers and commands (NULL) any that
 * there is. Else a problem about "groups".
 */
enum db_result target_check_groups(struct db *, struct arena *, const struct user *,
    const int64_t *groups, size_t n, struct problems *);

/* Order by bytes, as the databases sort texts. */
int target_compare(struct str, struct str);

/* Binds fields of a target by their columns' names; `added`: created and creator_id, too. */
void target_bind(struct query *, const struct target *, bool added);

/* Typed forms of an extra's text: a number, a truth, a time; NAN and false where it is none. */
struct extra_forms {
	double number;
	bool truth, is_time;
	int64_t time;
};
struct extra_forms target_extra_forms(struct str value);

/* The zone of its position, or -1. What moves has none, whatever stands in its fields: no cone. */
int target_zone(const struct target *);

/* Do the principals of the user count? A superuser's (1) do not; for bind "everything". */
int64_t target_sees_all(const struct user *);

/* The principal that may see it because of its permissions; 0: none. */
int64_t target_public_principal(int permissions);

#endif
