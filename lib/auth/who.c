/*
 * who: rows of a look-up to a user.
 */
#include "auth/who.h"

#include <string.h>

static struct user *
read_user(struct query *q, struct arena *a)
{
	struct user *u = arena_alloc(a, sizeof(*u));

	u->id = db_col_int(q, "user_id");
	u->username = db_col_copy(q, "username", a);
	u->first_name = db_col_copy(q, "first_name", a);
	u->last_name = db_col_copy(q, "last_name", a);
	u->email = db_col_copy(q, "email", a);
	u->is_staff = db_col_bool(q, "is_staff");
	u->is_superuser = db_col_bool(q, "is_superuser");
	u->terms_version = db_col_copy(q, "terms_version", a);
	return u;
}

void
who_row(struct query *q, struct arena *a, struct who *w)
{
	if (w->user == NULL)
		w->user = read_user(q, a);
	if (db_col_null(q, "group_id"))
		return;
	if (w->n == w->room) {
		size_t room = w->room * 2 + 8;
		int64_t *more = arena_array(a, room, sizeof(*more));

		if (w->n > 0)
			memcpy(more, w->groups, w->n * sizeof(*more));
		w->groups = more;
		w->room = room;
	}
	w->groups[w->n++] = db_col_int(q, "group_id");
}

const struct user *
who_user(struct arena *a, struct who *w)
{
	if (w->user != NULL)
		access_set_groups(a, w->user, w->groups, w->n);
	return w->user;
}
