/*
 * who: rows of a look-up to a user.
 */
#include "auth/who.h"

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
	w->groups = arena_more(a, w->groups, w->n, &w->room, sizeof(*w->groups));
	w->groups[w->n++] = db_col_int(q, "group_id");
}

const struct user *
who_user(struct arena *a, struct who *w)
{
	if (w->user != NULL)
		access_set_groups(a, w->user, w->groups, w->n);
	return w->user;
}
