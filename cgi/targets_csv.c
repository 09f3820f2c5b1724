/*
 * targets_csv: targets from a file of the visitor's, and to one.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"
#include "targets.h"
#include "tom/target_csv.h"

/* The page with the form: empty, with what was wrong about the file, or with the report. */
static int
show_form(struct request *req, struct response *res, const char *why, struct csv_options *o,
    struct value *report, int status)
{
	struct value *page = value_object(req->arena);

	value_set_cstr(page, "title", "Import targets");
	value_set_cstr(page, "why", why);
	value_set_cstr(page, "limit", IMPORT_MAX_TEXT);
	value_set_bool(page, "all", o->all_or_nothing);
	if (report)
		value_set(page, "report", report);
	add_sights(page, o->permissions);
	if (add_groups(req, res, page, o->groups, o->ngroups) != 0)
		return 0;
	return respond_page(req, res, status, "target-import", page);
}

static int
default_choice(struct request *req, const char *field, const char *key)
{
	int choice = 0;

	target_choice_read(
	    target_field_find(str_of(field)), str_of(config_text(req->app->config, key)), &choice);
	return choice;
}

static struct csv_options
default_options(struct request *req)
{
	return (struct csv_options){
		.all_or_nothing = true,
		.permissions = default_choice(req, "permissions", "TARGET_DEFAULT_PERMISSION"),
		.type = default_choice(req, "type", "TARGET_TYPE"),
	};
}

int
import_form(struct request *req, struct response *res)
{
	struct csv_options o = default_options(req);

	return show_form(req, res, NULL, &o, NULL, 200);
}

static struct str
counted(struct arena *a, int64_t n, const char *one, const char *many)
{
	return arena_printf(a, "%s %s", number_count(a, n).p, n == 1 ? one : many);
}

/* What happened to the lines that are wrong, and what to do. */
static struct str
advice(struct arena *a, const struct csv_report *r)
{
	struct str bad = counted(a, r->bad, "line is wrong", "lines are wrong");
	const char *cut = r->cut ? "The file was not read to its end. " : "";

	if (r->bad == 0)
		return arena_printf(a, "%sMend the file and import it again.", cut);
	if (r->undone)
		return arena_printf(a,
		    "%s%s. Mend the file and import it again, or choose \"row by row\".", cut,
		    bad.p);
	return arena_printf(a,
	    "%s%s. Mend them and import the file again: what is here already is refused, not "
	    "doubled.",
	    cut, bad.p);
}

static struct value *
report_value(struct arena *a, const struct csv_report *r)
{
	struct value *v = value_object(a), *list = value_set_list(v, "problems");

	value_set_cstr(v, "tone", r->added > 0 ? "warn" : "bad");
	value_set_text(v, "heading",
	    r->added > 0 ? arena_printf(a, "%s",
	                       counted(a, r->added, "target imported", "targets imported").p)
	                 : STR("Nothing was imported"));
	value_set_text(v, "text", advice(a, r));
	for (size_t i = 0; i < r->nproblems; i++) {
		struct value *row = value_add_object(list);

		if (r->problems[i].line > 0)
			value_set_int(row, "line", r->problems[i].line);
		else
			value_set_null(row, "line");
		value_set_text(row, "column", r->problems[i].column);
		value_set_text(row, "why", r->problems[i].why);
	}
	value_set_bool(v, "has_problems", r->nproblems > 0);
	value_set_null(v, "more");
	if (r->untold > 0)
		value_set_text(v, "more",
		    counted(a, r->untold, "more mistake is not shown.",
		        "more mistakes are not shown."));
	return v;
}

static int
answer(struct request *req, struct response *res, struct csv_options *o, const struct csv_report *r)
{
	if (r->bad == 0 && r->nproblems == 0) {
		respond_message(req, res, "ok",
		    arena_printf(req->arena, "%s.",
		        counted(req->arena, r->added, "target imported", "targets imported").p));
		return respond_redirect(req, res, STR("/targets/"));
	}
	return show_form(req, res, NULL, o, report_value(req->arena, r), r->added > 0 ? 200 : 400);
}

int
import(struct request *req, struct response *res)
{
	struct csv_options o = default_options(req);
	struct csv_report report = { 0 };
	struct problems problems = { 0 };
	struct upload *file = request_upload(req, "target_csv");
	struct str mode = pairs_get(&req->post, "mode"),
	           sight = pairs_get(&req->post, "permissions");
	int64_t *groups;
	enum db_result r;

	/* A script that says nothing gets what TOM Toolkit does: row by row. */
	o.all_or_nothing = str_is(mode, "all");
	o.ngroups = read_groups(req, &groups, &problems);
	o.groups = groups;
	if (!str_empty(sight))
		target_choice_read(target_field_find(STR("permissions")), sight, &o.permissions);
	if (problems.n > 0)
		return show_form(req, res, problems.list[0].why.p, &o, NULL, 400);
	if (!file || (file->size == 0 && str_empty(file->filename)))
		return show_form(req, res, "Choose a file first.", &o, NULL, 400);
	if (file->size == 0)
		return show_form(req, res, "The file is empty.", &o, NULL, 400);
	r = target_import(req->app->db, req->arena, auth_user(req), file->fd, &o, &report);
	if (r == DB_REFUSED)
		return show_form(req, res, report.problems[0].why.p, &o, NULL, 400);
	if (r != DB_END)
		return auth_db_failed(req, res, r);
	return answer(req, res, &o, &report);
}

/* What target_export() writes to: the response, which begins with the first bytes. */
struct sink {
	struct request *req;
	struct response *res;
	struct buf held;
	bool begun;
};

static int
send_held(struct sink *s)
{
	int r = 0;

	if (!s->begun) {
		/* "targets-2026-11-24T031329Z.csv": no colon, for the sake of file systems */
		struct str time = clock_iso(s->req->arena, s->req->now / SECOND * SECOND);

		s->begun = true;
		r = response_stream(s->req, s->res, 200, "text/csv; charset=utf-8",
		    arena_printf(s->req->arena, "targets-%.13s%.2s%.2sZ.csv", time.p, time.p + 14,
		        time.p + 17));
	}
	if (r == 0)
		r = response_write(s->res, s->held.p, s->held.n);
	buf_clear(&s->held);
	return r;
}

static int
take(void *arg, const void *p, size_t n)
{
	struct sink *s = arg;

	buf_put(&s->held, p, n);
	return s->held.n >= KIB(64) ? send_held(s) : 0;
}

int export(struct request *req, struct response *res)
{
	struct sink s = { .req = req, .res = res };
	struct target_query q;
	struct problems problems = { 0 };
	enum db_result r;

	if (!may_search_all(req))
		return ask_to_sign_in(req, res);
	if (target_query_read(&q, &req->get, &problems, req->arena) > 0)
		return respond_error(req, res, 400, problems.list[0].why.p);
	r = target_export(req->app->db, auth_user(req), &q, take, &s);
	if (r == DB_END)
		send_held(&s);
	buf_free(&s.held);
	/* Once bytes have left no error page can follow: the reader sees an answer cut short. */
	if (r != DB_END && r != DB_REFUSED && !s.begun)
		return auth_db_failed(req, res, r);
	return r == DB_END || r == DB_REFUSED ? 0 : -1;
}
