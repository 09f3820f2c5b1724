/*
 * group.h: groups of users, which most rights are given to.
 */
#ifndef MERIDIAN_GROUP_H
#define MERIDIAN_GROUP_H

#include "base/arena.h"
#include "db/db.h"

#define GROUP_NAME_MAX 150 /* code points */

struct group {
	int64_t id;
	struct str name;
};

enum group_result {
	GROUP_DONE,
	GROUP_WRONG, /* the name is empty, too long, or holds a control character */
	GROUP_TAKEN, /* the name is in use */
	GROUP_UNKNOWN, /* there is no such group (group_join: or user) */
	GROUP_FAILED /* the database: db_error() says why */
};

/* Blanks at the ends of a name do not count. */
enum group_result group_add(struct db *, struct str name, int64_t *id);
enum group_result group_find(struct db *, struct arena *, struct str name, struct group *);

/* Up to `limit` groups in the order of their names, after the name `after` ("" from the first). */
enum group_result group_list(
    struct db *, struct arena *, struct str after, size_t limit, struct group **list, size_t *n);

/* All groups of a user, in the order of their names, up to `limit`. */
enum group_result group_list_of(
    struct db *, struct arena *, int64_t user, size_t limit, struct group **list, size_t *n);

enum group_result group_get(struct db *, struct arena *, int64_t id, struct group *);

/* Who came and who went, or for a user which groups: ids, in the arena. */
struct group_members {
	int64_t *joined, *left;
	size_t njoined, nleft;
};

struct group_change {
	struct group to;
	bool members; /* `users` is all that are in it from now on; else they join who is there */
	const int64_t *users;
	size_t nusers;
	/* what came about */
	struct group was;
	struct group_members set;
};

/* A new group with its members, in one transaction; its id goes to `to`. */
enum group_result group_make(struct db *, struct arena *, struct group_change *);

/* Renames a group and sets its members or adds some, in one transaction. */
enum group_result group_change(struct db *, struct arena *, struct group_change *);

/* Inside a transaction: these are all the groups of the user from now on. */
enum db_result group_set_of_user(struct db *, struct arena *, int64_t user, const int64_t *groups,
    size_t n, struct group_members *) MUST_CHECK;

/* Deletes a group with its memberships and rights. */
enum group_result group_delete(struct db *, int64_t id);

/* Both may be said twice. Members are read with user_list(). */
enum group_result group_join(struct db *, int64_t group, int64_t user);
enum group_result group_leave(struct db *, int64_t group, int64_t user);

#endif
