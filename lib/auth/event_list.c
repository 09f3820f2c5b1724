/*
 * event_list: rows of the security log.
 */
#include "auth/event_list.h"

static enum query_name
statement(const struct event_filter *f)
{
	if (f->username.n > 0)
		return QUERY_EVENT_LIST_USERNAME;
	if (f->address.n > 0)
		return QUERY_EVENT_LIST_ADDRESS;
	return f->kind.n > 0 ? QUERY_EVENT_LIST_KIND : QUERY_EVENT_LIST;
}

static void
bind_text(struct query *q, const char *name, struct str text)
{
	db_text(q, name, text.p == NULL ? STR("") : text);
}

static void
read_row(struct query *q, struct arena *a, struct event_row *e)
{
	e->id = db_col_int(q, "id");
	e->at = db_col_int(q, "at");
	e->kind = db_col_copy(q, "kind", a);
	e->user = db_col_int(q, "user_id");
	e->username = db_col_copy(q, "username", a);
	e->actor = db_col_int(q, "actor_id");
	e->actor_name = db_col_null(q, "actor") ? STR_NONE : db_col_copy(q, "actor", a);
	e->address = db_col_copy(q, "address", a);
	e->detail = db_col_copy(q, "detail", a);
	e->request_id = db_col_copy(q, "request_id", a);
	e->times = db_col_int(q, "times");
}

enum db_result
event_list(struct db *db, struct arena *a, const struct event_filter *f, size_t most,
    struct event_row **list, size_t *n, bool *more)
{
	enum query_name name = statement(f);
	struct query *q = db_query(db, name);

	*list = arena_array(a, most + 1, sizeof(**list));
	*n = 0;
	*more = false;
	db_int(q, "from", f->from);
	db_int(q, "to", f->to == 0 ? INT64_MAX : f->to);
	db_int(q, "before", f->before == 0 ? INT64_MAX : f->before);
	db_int(q, "before_id", f->before_id);
	db_int(q, "limit", (int64_t)most + 1);
	if (name != QUERY_EVENT_LIST)
		bind_text(q, "kind", f->kind);
	if (name == QUERY_EVENT_LIST_USERNAME)
		bind_text(q, "username", f->username);
	if (name == QUERY_EVENT_LIST_USERNAME || name == QUERY_EVENT_LIST_ADDRESS)
		bind_text(q, "address", f->address);
	while (db_step(q) == DB_ROW) {
		if (*n < most)
			read_row(q, a, &(*list)[(*n)++]);
		else
			*more = true;
	}
	return db_done(q);
}
