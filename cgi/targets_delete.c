/*
 * targets_delete: the page that asks, and the deed.
 */
#include "targets.h"

int
delete_form(struct request *req, struct response *res)
{
	struct value *page = value_object(req->arena);
	struct target t;

	if (get_target(req, res, VIEW | REMOVE, &t) != 0)
		return 0;
	value_set_text(page, "title", arena_printf(req->arena, "Delete %.*s", STR_ARG(t.name)));
	value_set_int(page, "id", t.id);
	value_set_text(page, "name", t.name);
	return respond_page(req, res, 200, "target-delete", page);
}

int delete (struct request *req, struct response *res)
{
	struct target t;
	enum db_result r;

	if (get_target(req, res, VIEW | REMOVE, &t) != 0)
		return 0;
	r = target_delete(req->app->db, auth_user(req), t.id,
	    !config_bool(req->app->config, "TARGET_PERMISSIONS_ONLY"));
	/* Gone in between, by someone else: what was wanted has come about. */
	if (r != DB_END && r != DB_REFUSED)
		return auth_db_failed(req, res, r);
	respond_message(req, res, "ok", arena_printf(req->arena, "Deleted %.*s.", STR_ARG(t.name)));
	return respond_redirect(req, res, STR("/targets/"));
}
