/*
 * targets: the list of targets, one target's page, and all that adds, changes and takes away.
 *
 *	GET  /targets/				the list, filtered by the query string
 *	GET  /targets/<id>/			one target: position, light curve, facts
 *	GET  /targets/<id>/photometry.csv	its measurements
 *	GET  /targets/create/			the form of a new one, POST adds it
 *	GET  /targets/<id>/update/		the form to change one, POST changes it
 *	GET  /targets/<id>/delete/		the page that asks, POST deletes
 *	GET  /targets/<id>/permissions/		the rights on it, POST changes those of one user or group
 *	GET  /targets/<id>/access/		who can see it, and why
 *	GET  /targets/<id>/alerts/		the objects of surveys behind it, and their alerts
 *	GET  /targets/name/<rest>		to the one with that name, or the list of those like it
 *	GET  /targets/import/			the form for a CSV file, POST reads it
 *	GET  /targets/export/			the list as CSV, filtered in the same way
 *	POST /targets/seed/			the Messier catalogue
 *
 * Who may see, change or delete a target is asked in the statement that reads it (tom/target.h).
 * The files: targets_list.c, targets_filter.c, targets_show.c, targets_form*.c, targets_delete.c,
 * targets_rights.c, targets_access.c, targets_alerts.c, targets_csv.c.
 */
#include "targets.h"

#include <string.h>

#include "base/buf.h"
#include "targets_photometry.h"
#include "tom/csv.h"

#define GROUPS_MAX 500 /* that a form offers */
#define GROUP_ID_MAX ((INT64_MAX - 1) / 16) /* whose principal is a number (auth/access.h) */

int
ask_to_sign_in(struct request *req, struct response *res)
{
	struct str here = req->query.n > 0
	    ? arena_printf(
	          req->arena, "%s?%.*s", request_url(req, req->path.p).p, STR_ARG(req->query))
	    : request_url(req, req->path.p);
	struct str next = url_encode(req->arena, here);

	return respond_redirect(
	    req, res, arena_printf(req->arena, "/accounts/login/?next=%.*s", STR_ARG(next)));
}

bool
may_search_all(const struct request *req)
{
	return req->user != NULL || config_bool(req->app->config, "OPEN_SEARCH");
}

bool
may_ask(const struct request *req, const struct target_query *q)
{
	return req->user != NULL ||
	    (q->list == 0 && (target_query_is_cheap(q) || may_search_all(req)));
}

int
get_target(struct request *req, struct response *res, int verbs, struct target *t)
{
	const struct user *user = auth_user(req);
	enum db_result r = target_get(req->app->db, req->arena, user, req->id[0], verbs, t);

	if (r == DB_ROW)
		return 0;
	if (r == DB_END && verbs != VIEW)
		r = target_get(req->app->db, req->arena, user, req->id[0], VIEW, t);
	if (r == DB_ROW)
		respond_error(req, res, 403,
		    "You may see this target, but not change it. Its creator, or the groups it was "
		    "shared with, can.");
	else if (r == DB_END)
		respond_error(req, res, 404, NULL);
	else
		auth_db_failed(req, res, r);
	return -1;
}

static const struct {
	const char *code, *class, *what;
} sights[] = {
	[TARGET_OPEN] = { "OPEN", "open", "Everyone, without signing in" },
	[TARGET_PUBLIC] = { "PUBLIC", "public", "Everyone who is signed in" },
	[TARGET_PRIVATE] = { "PRIVATE", "private", "You, and groups with rights to it" },
};

struct str
sight_class(int permissions)
{
	return str_of(sights[permissions].class);
}

struct str
permission_code(int permissions)
{
	return str_of(sights[permissions].code);
}

void
add_sights(struct value *page, int chosen)
{
	struct value *list = value_set_list(page, "sights");

	for (int i = 0; i < (int)NELEM(sights); i++) {
		struct value *v = value_add_object(list);

		value_set_cstr(v, "value", sights[i].code);
		value_set_cstr(v, "what", sights[i].what);
		value_set_bool(v, "selected", i == chosen);
	}
}

int
add_groups(struct request *req, struct response *res, struct value *page, const int64_t *chosen,
    size_t nchosen)
{
	const struct user *user = auth_user(req);
	struct value *list = value_set_list(page, "groups");
	struct query *q;
	enum db_result r;

	q = db_query(req->app->db, user->is_superuser ? QUERY_GROUP_LIST : QUERY_GROUP_LIST_OF);
	if (user->is_superuser)
		db_text(q, "after", STR(""));
	else
		db_int(q, "user", user->id);
	db_int(q, "limit", GROUPS_MAX);
	while (db_step(q) == DB_ROW) {
		struct value *v = value_add_object(list);
		int64_t id = db_col_int(q, "id");
		bool selected = false;

		for (size_t i = 0; i < nchosen; i++)
			selected |= chosen[i] == id;
		value_set_int(v, "id", id);
		value_set_text(v, "name", db_col_copy(q, "name", req->arena));
		value_set_bool(v, "selected", selected);
	}
	value_set_bool(page, "has_groups", value_count(list) > 0);
	r = db_done(q);
	if (r == DB_END)
		return 0;
	auth_db_failed(req, res, r);
	return -1;
}

size_t
read_groups(struct request *req, int64_t **ids, struct problems *problems)
{
	size_t n = 0;
	bool wrong = false;

	*ids = arena_array(req->arena, GROUPS_MAX, sizeof(**ids));
	for (size_t i = 0; i < req->post.n && !wrong; i++) {
		const struct pair *p = &req->post.list[i];
		int64_t id;

		if (!str_is(p->name, "groups") || str_empty(p->value))
			continue;
		wrong = n == GROUPS_MAX || !str_to_int64(p->value, &id) || id <= 0 ||
		    id > GROUP_ID_MAX;
		if (!wrong)
			(*ids)[n++] = id;
	}
	if (wrong)
		problem_add(problems, req->arena, "groups",
		    STR("Choose among the groups that are listed."));
	return n;
}

struct str
problem_text(struct arena *a, const struct problems *ps, const char *field)
{
	struct str text = STR_NONE;

	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->list[i].field, field) == 0)
			text = text.p == NULL
			    ? ps->list[i].why
			    : arena_printf(a, "%.*s %.*s", STR_ARG(text), STR_ARG(ps->list[i].why));
	return text;
}

struct str
real_text(struct arena *a, double value)
{
	struct buf b = { 0 };
	struct str s;

	buf_double(&b, value);
	s = arena_str(a, buf_text(&b));
	buf_free(&b);
	return s;
}

static const struct route routes[] = {
	ROUTE(GET, "/targets/", READER, NO_BODY, list_targets),
	ROUTE(GET, "/targets/<id>/", READER, NO_BODY, show_target),
	ROUTE(GET, "/targets/<id>/photometry.csv", READER, NO_BODY, export_photometry),
	ROUTE(GET, "/targets/create/", LOGIN, NO_BODY, create_form),
	ROUTE(POST, "/targets/create/", LOGIN, KIB(512), create),
	ROUTE(GET, "/targets/<id>/update/", LOGIN, NO_BODY, update_form),
	ROUTE(POST, "/targets/<id>/update/", LOGIN, KIB(512), update),
	ROUTE(GET, "/targets/<id>/delete/", LOGIN, NO_BODY, delete_form),
	ROUTE(POST, "/targets/<id>/delete/", LOGIN, KIB(64), delete),
	ROUTE(GET, "/targets/<id>/permissions/", LOGIN, NO_BODY, show_rights),
	ROUTE(POST, "/targets/<id>/permissions/", LOGIN, KIB(64), change_rights),
	ROUTE(GET, "/targets/<id>/access/", READER, NO_BODY, show_access),
	ROUTE(GET, "/targets/<id>/alerts/", READER, NO_BODY, show_alerts),
	ROUTE(GET, "/targets/name/<rest>", READER, NO_BODY, find_by_name),
	ROUTE(GET, "/targets/import/", LOGIN, NO_BODY, import_form),
	ROUTE(POST, "/targets/import/", LOGIN, IMPORT_MAX, import),
	ROUTE(GET, "/targets/export/", READER, NO_BODY, export),
	ROUTE(GET, "/targets/seed/", READER, NO_BODY, seed_form),
	ROUTE(POST, "/targets/seed/", LOGIN, KIB(64), seed),
};

static int
start(struct app_state *app)
{
	app->own = curve_cache_new(CURVES_KEPT);
	return 0;
}

static void
stop(struct app_state *app)
{
	curve_cache_free(app->own);
	app->own = NULL;
}

int
main(int argc, char **argv)
{
	return app_main(argc, argv,
	    &(struct app){ .name = "targets",
	        .what = "the list of targets, their pages and forms: /targets/",
	        .area = "targets",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &auth_hooks,
	        .start = start,
	        .stop = stop,
	        .parse = csv_send_rows });
}
