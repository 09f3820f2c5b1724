/*
 * targets_csv: targets from a file of the visitor's, and to one; the measurements of one to one.
 */
#include <math.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"
#include "targets_photometry.h"
#include "tom/target_csv.h"

/* What was sent besides the file, and what is wrong with it all. */
struct import_form {
	struct csv_options options;
	struct problems problems;
};

/* page.problems, each a link to its field, and NAME_error for each field. */
static void
add_problems(struct value *page, const struct problems *ps, struct arena *a)
{
	struct value *list = value_set_list(page, "problems");

	for (size_t i = 0; i < ps->n; i++) {
		struct value *v = value_add_object(list);

		value_set_cstr(v, "field", ps->list[i].field);
		value_set_text(v, "why", ps->list[i].why);
	}
	value_set_bool(page, "has_problems", ps->n > 0);
	value_set_text(page, "target_csv_error", problem_text(a, ps, "target_csv"));
	value_set_text(page, "mode_error", problem_text(a, ps, "mode"));
	value_set_text(page, "permissions_error", problem_text(a, ps, "permissions"));
	value_set_text(page, "groups_error", problem_text(a, ps, "groups"));
}

/* The page with the form: empty, with what is wrong, or with the report. */
static int
show_form(struct request *req, struct response *res, const struct import_form *f,
    struct value *report, int status)
{
	struct value *page = value_object(req->arena);

	value_set_cstr(page, "title", "Import targets");
	value_set_cstr(page, "limit", IMPORT_MAX_TEXT);
	value_set_bool(page, "all", f->options.all_or_nothing);
	add_problems(page, &f->problems, req->arena);
	if (report)
		value_set(page, "report", report);
	add_sights(page, f->options.permissions);
	if (add_groups(req, res, page, f->options.groups, f->options.ngroups) != 0)
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
	struct import_form f = { .options = default_options(req) };

	return show_form(req, res, &f, NULL, 200);
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
	const char *them = r->bad == 1 ? "it" : "them";
	const char *cut = r->cut ? "The file was not read to its end. " : "";

	if (r->bad == 0)
		return arena_printf(a, "%sMend the file and import it again.", cut);
	if (r->undone)
		return arena_printf(a,
		    "%s%s. Mend the file and import it again, or choose \"row by row\".", cut,
		    bad.p);
	return arena_printf(a,
	    "%s%s. Mend %s and import the file again: what is here already is refused, not "
	    "doubled.",
	    cut, bad.p, them);
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
answer(struct request *req, struct response *res, const struct import_form *f,
    const struct csv_report *r)
{
	if (r->bad == 0 && r->nproblems == 0) {
		respond_message(req, res, "ok",
		    arena_printf(req->arena, "%s.",
		        counted(req->arena, r->added, "target imported", "targets imported").p));
		return respond_redirect(req, res, STR("/targets/"));
	}
	return show_form(req, res, f, report_value(req->arena, r), r->added > 0 ? 200 : 400);
}

/* What was sent besides the file. */
static void
read_options(struct request *req, struct import_form *f)
{
	const struct target_field *permissions = target_field_find(STR("permissions"));
	struct str mode = pairs_get(&req->post, "mode"),
	           sight = pairs_get(&req->post, "permissions");
	struct target t = target_none();
	const char *why = NULL;
	int64_t *groups;

	/* A script that says nothing gets what TOM Toolkit does: row by row. */
	f->options.all_or_nothing = str_is(mode, "all");
	if (!str_empty(mode) && !str_is(mode, "all") && !str_is(mode, "rows"))
		problem_add(&f->problems, req->arena, "mode",
		    STR("Choose all or nothing (all), or row by row (rows)."));
	if (!str_empty(sight))
		why = target_set(&t, permissions, sight, req->arena);
	if (why)
		problem_add(&f->problems, req->arena, "permissions", str_of(why));
	else if (!str_empty(sight))
		f->options.permissions = t.permissions;
	f->options.ngroups = read_groups(req, &groups, &f->problems);
	f->options.groups = groups;
}

int
import(struct request *req, struct response *res)
{
	struct import_form f = { .options = default_options(req) };
	struct csv_report report = { 0 };
	struct upload *file = request_upload(req, "target_csv");
	enum db_result r;

	read_options(req, &f);
	if (!file || (file->size == 0 && str_empty(file->filename)))
		problem_add(&f.problems, req->arena, "target_csv", STR("Choose a file first."));
	else if (file->size == 0)
		problem_add(&f.problems, req->arena, "target_csv", STR("The file is empty."));
	if (f.problems.n > 0 || !file)
		return show_form(req, res, &f, NULL, 400);
	f.options.helper = &req->app->helper;
	r = target_import(req->app->db, req->arena, auth_user(req), file->fd, &f.options, &report);
	if (r == DB_REFUSED && report.groups_refused) {
		problem_add(&f.problems, req->arena, "groups", report.problems[0].why);
		return show_form(req, res, &f, NULL, 400);
	}
	if (r != DB_END)
		return auth_db_failed(req, res, r);
	return answer(req, res, &f, &report);
}

/* What is exported goes here: into the response, which begins with the first bytes. */
struct sink {
	struct request *req;
	struct response *res;
	struct str filename;
	struct buf held;
	struct arena *row; /* of what a row needs while it is written */
	bool begun;
};

static int
send_held(struct sink *s)
{
	int r = 0;

	if (!s->begun) {
		s->begun = true;
		r = response_stream(s->req, s->res, 200, "text/csv; charset=utf-8", s->filename);
	}
	if (r == 0)
		r = response_write(s->res, s->held.p, s->held.n);
	buf_clear(&s->held);
	return r;
}

/* The end of an export. Once bytes have left no error page can follow: the answer is cut short. */
static int
finish(struct sink *s, enum db_result r)
{
	if (r == DB_END)
		send_held(s);
	buf_free(&s->held);
	if (r == DB_END || r == DB_REFUSED)
		return 0;
	return s->begun ? -1 : auth_db_failed(s->req, s->res, r);
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
	struct str time;

	if (!may_search_all(req))
		return ask_to_sign_in(req, res);
	if (target_query_read(&q, &req->get, &problems, req->arena) > 0)
		return respond_error(req, res, 400, problems.list[0].why.p);
	if (!may_ask(req, &q))
		return ask_to_sign_in(req, res);
	/* "targets-2026-11-24T031329Z.csv": no colon, for the sake of file systems */
	time = clock_iso(req->arena, req->now / SECOND * SECOND);
	s.filename = arena_printf(
	    req->arena, "targets-%.13s%.2s%.2sZ.csv", time.p, time.p + 14, time.p + 17);
	return finish(&s, target_export(req->app->db, auth_user(req), &q, take, &s));
}

static void
put_real(struct buf *b, double x)
{
	buf_putc(b, ',');
	if (isfinite(x))
		buf_double(b, x);
}

static void
put_datum(struct buf *b, struct arena *a, const struct datum *d)
{
	static const char *const kinds[] = { "", "detection", "limit", "forced" };

	buf_double(b, d->mjd);
	buf_putc(b, ',');
	buf_str(b, clock_iso(a, clock_from_mjd(d->mjd)));
	buf_putc(b, ',');
	csv_put(b, d->band);
	put_real(b, d->magnitude);
	put_real(b, d->magnitude_error);
	put_real(b, d->limit_mag);
	put_real(b, d->flux);
	put_real(b, d->flux_error);
	buf_printf(b, ",%d,%s,", d->sign,
	    d->kind >= DATUM_DETECTION && d->kind <= DATUM_FORCED ? kinds[d->kind] : "");
	csv_put(b, d->source);
	buf_putc(b, ',');
	if (d->survey_id != 0)
		buf_int64(b, d->survey_id);
	buf_puts(b, "\r\n");
}

static int
take_datum(void *arg, const struct datum *d)
{
	struct sink *s = arg;

	put_datum(&s->held, s->row, d);
	arena_reset(s->row);
	return s->held.n >= KIB(64) ? send_held(s) : 0;
}

int
export_photometry(struct request *req, struct response *res)
{
	struct sink s = { .req = req, .res = res };
	struct datum_span span;
	struct target t;
	const char *why;
	enum db_result r;

	if (get_target(req, res, VIEW, &t) != 0)
		return 0;
	if (photometry_span(req, &span, &why) != 0)
		return respond_error(req, res, 400, why);
	s.filename = arena_printf(req->arena, "%.*s-photometry.csv", STR_ARG(t.name));
	s.row = arena_new();
	buf_puts(&s.held,
	    "mjd,time,filter,magnitude,error,limit,flux_njy,flux_error_njy,sign,kind,source,"
	    "survey_id\r\n");
	r = datum_each(req->app->db, datum_reader(req->app->config, auth_user(req)), t.id, span,
	    take_datum, &s);
	arena_free(s.row);
	return finish(&s, r);
}
