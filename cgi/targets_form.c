/*
 * targets_form: adding a target of either type and changing one, by the same form. What is wrong
 * comes back as it was typed, with status 400.
 */
#include "targets_form.h"

#include "auth/event.h"

#include "base/buf.h"

/* A new target as the site's settings want it. */
static struct target_form
new_form(struct request *req, struct response *res)
{
	struct target_form f = { .req = req, .res = res, .arena = req->arena };
	struct target *t = &f.draft.target;

	*t = target_none();
	target_choice_read(target_field_find(STR("type")),
	    str_of(config_text(req->app->config, "TARGET_TYPE")), &t->type);
	target_choice_read(target_field_find(STR("permissions")),
	    str_of(config_text(req->app->config, "TARGET_DEFAULT_PERMISSION")), &t->permissions);
	return f;
}

int
create_form(struct request *req, struct response *res)
{
	struct target_form f = new_form(req, res);

	target_form_prefill(&f);
	return target_form_show(&f, 200);
}

/* The record, or what is wrong with it: the end of POST. */
static int
conclude(struct target_form *f, enum db_result r, const char *done)
{
	const struct target *t = &f->draft.target;

	if (r == DB_TAKEN || r == DB_REFUSED)
		return target_form_show(f, 400);
	if (r != DB_END)
		return auth_db_failed(f->req, f->res, r);
	respond_message(
	    f->req, f->res, "ok", arena_printf(f->arena, "%s %.*s.", done, STR_ARG(t->name)));
	return respond_redirect(
	    f->req, f->res, arena_printf(f->arena, "/targets/%lld/", (long long)t->id));
}

int
create(struct request *req, struct response *res)
{
	struct target_form f = new_form(req, res);

	target_form_read(&f);
	target_form_hand_over(&f);
	return conclude(
	    &f, target_add(req->app->db, f.arena, auth_user(req), &f.draft, &f.problems), "Added");
}

/* Names of groups as a list; "no groups" where there is none. */
static struct str
group_names(struct arena *a, const struct target_whole *w)
{
	struct str all = STR_NONE;

	for (size_t i = 0; i < w->ngroups; i++)
		all = arena_printf(a, "%.*s%s%.*s", STR_ARG(all.p == NULL ? STR("") : all),
		    i == 0 ? "" : ", ", STR_ARG(w->groups[i].name));
	return all.p == NULL ? STR("no groups") : all;
}

/* Tells the security log what a form has made of OPEN, PUBLIC, PRIVATE and the groups. */
static void
note_rights(struct target_form *f, const struct target_whole *before)
{
	struct request *req = f->req;
	struct target_whole w;
	struct str was = group_names(f->arena, before), is;

	if (target_load(req->app->db, f->arena, auth_user(req), before->target.id, WITH_GROUPS,
	        &w) != DB_ROW)
		w = (struct target_whole){ .target = f->draft.target };
	is = group_names(f->arena, &w);
	if (w.target.permissions == before->target.permissions && str_eq(was, is))
		return;
	event_note(req,
	    (struct event){ .kind = EVENT_RIGHTS_CHANGED,
	        .detail = arena_printf(f->arena,
	            "target %lld %.*s is %.*s, shared with %.*s (before: %.*s, %.*s)",
	            (long long)w.target.id, STR_ARG(w.target.name),
	            STR_ARG(permission_code(w.target.permissions)), STR_ARG(is),
	            STR_ARG(permission_code(before->target.permissions)), STR_ARG(was)) });
}

/* The target as it is: what the form shows, and what a form that leaves fields out keeps. */
static int
load(struct target_form *f, struct target_whole *before)
{
	struct request *req = f->req;
	struct target_whole w;
	struct buf b = { 0 };
	enum db_result r = target_load(
	    req->app->db, f->arena, auth_user(req), req->id[0], WITH_ALL & ~WITH_LISTS, &w);

	*before = w;

	if (r == DB_END)
		return respond_error(req, f->res, 404, NULL), -1;
	if (r != DB_ROW)
		return auth_db_failed(req, f->res, r), -1;
	if (!w.may_change)
		return respond_error(req, f->res, 403,
		           "You may see this target, but not change it. Its creator, or the groups "
		           "it was shared with, can."),
		       -1;
	f->draft.target = w.target;
	f->name = w.target.name;
	for (size_t i = 0; i < w.naliases; i++) {
		buf_str(&b, w.aliases[i].name);
		buf_putc(&b, '\n');
	}
	f->aliases = arena_str(f->arena, buf_text(&b));
	buf_free(&b);
	for (size_t i = 0; i < w.nextras; i++)
		target_form_add_extra(f, w.extras[i].key, w.extras[i].value);
	f->draft.groups = arena_array(f->arena, w.ngroups + 1, sizeof(int64_t));
	for (size_t i = 0; i < w.ngroups; i++)
		f->draft.groups[f->draft.ngroups++] = w.groups[i].id;
	return 0;
}

int
update_form(struct request *req, struct response *res)
{
	struct target_form f = { .req = req, .res = res, .arena = req->arena };
	struct target_whole before;

	if (load(&f, &before) != 0)
		return 0;
	/* The link "Make it non-sidereal" shows the other fields. */
	target_choice_read(
	    target_field_find(STR("type")), pairs_get(&req->get, "type"), &f.draft.target.type);
	return target_form_show(&f, 200);
}

int
update(struct request *req, struct response *res)
{
	struct target_form f = { .req = req, .res = res, .arena = req->arena };
	struct target_whole before;
	enum db_result r;

	if (load(&f, &before) != 0)
		return 0;
	target_form_read(&f);
	target_form_hand_over(&f);
	r = target_change(req->app->db, f.arena, auth_user(req), &f.draft, f.parts, &f.problems);
	/* Gone, or no longer theirs, since it was read. */
	if (r == DB_REFUSED && f.problems.n == 0)
		return respond_error(req, res, 404, NULL);
	if (r == DB_END &&
	    ((f.parts & SET_GROUPS) || f.draft.target.permissions != before.target.permissions))
		note_rights(&f, &before);
	return conclude(&f, r, "Saved");
}
