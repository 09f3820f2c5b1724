/*
 * targets_list: the list of targets, the way from a name to its target, and the catalogue to start
 * with.
 */

#include "base/clock.h"
#include "base/number.h"
#include "targets_list.h"
#include "tom/place.h"
#include "tom/skymap.h"

#define LISTS_OFFERED 200 /* target lists that the filter bar names */

/* What links to another order leave behind, and what an export does. */
static const char *const paging[] = { "after", "page", NULL };
static const char *const no_order[] = { "after", "page", "sort", NULL };

static const struct column {
	const char *label, *sort;
	enum target_sort by;
	bool newest; /* sorts downwards at first */
	const char *up, *down; /* the order in words */
} columns[] = {
	{ "Name", "name", SORT_NAME, false, "by name", "by name, backwards" },
	{ "Type", "type", SORT_TYPE, false, "by type", "by type, backwards" },
	{ "RA, Dec (ICRS)", "ra", SORT_RA, false, "by right ascension",
	    "by right ascension, backwards" },
	{ "Visible", NULL, SORT_CREATED, false, "", "" },
	{ "Created", "created", SORT_CREATED, true, "oldest first", "newest first" },
	{ "Changed", "modified", SORT_MODIFIED, true, "changed longest ago first",
	    "last changed first" },
};

static const char *
order_text(const struct target_query *q)
{
	for (size_t i = 0; i < NELEM(columns); i++)
		if (columns[i].sort && columns[i].by == q->sort)
			return q->descending ? columns[i].down : columns[i].up;
	return q->descending ? "by declination, backwards" : "by declination";
}

/* The heads of the columns: links that sort, and say how it is sorted now. */
static void
add_columns(struct targets_list *l, struct value *page)
{
	struct value *list = value_set_list(page, "columns");

	for (size_t i = 0; i < NELEM(columns); i++) {
		const struct column *c = &columns[i];
		struct value *v = value_add_object(list);
		bool sorted = c->sort && l->query.sort == c->by;
		bool down = sorted ? !l->query.descending : c->newest;

		value_set_cstr(v, "label", c->label);
		value_set_text(v, "link",
		    c->sort ? targets_link(l->req, paging, "sort",
		                  arena_printf(l->arena, "%s%s", down ? "-" : "", c->sort))
		            : STR_NONE);
		value_set_cstr(v, "sorted",
		    !sorted                   ? NULL
		        : l->query.descending ? "descending"
		                              : "ascending");
	}
}

static void
add_rows(struct targets_list *l, struct value *page, const struct target_page *found)
{
	struct value *list = value_set_list(page, "targets");
	struct skymap_point *points = arena_array(l->arena, found->n + 1, sizeof(*points));

	for (size_t i = 0; i < found->n; i++) {
		const struct target_row *row = &found->rows[i];
		const struct target *t = &row->target;
		struct value *v = value_add_object(list);

		points[i] = (struct skymap_point){ t->id, t->name, t->ra, t->dec };
		value_set_int(v, "id", t->id);
		value_set_text(v, "name", t->name);
		value_set_text(v, "aliases", row->aliases);
		value_set_cstr(v, "type", t->type == TARGET_SIDEREAL ? "Sidereal" : "Non-sidereal");
		value_set_text(v, "position", place_text(l->arena, t->ra, t->dec));
		value_set_text(v, "sight", sight_class(t->permissions));
		value_set_text(v, "permissions", permission_code(t->permissions));
		value_set_text(v, "created", clock_minute(l->arena, t->created));
		value_set_text(v, "modified", clock_minute(l->arena, t->modified));
		value_set_bool(v, "unchanged", t->modified - t->created < MINUTE);
	}
	value_set_bool(page, "has_targets", found->n > 0);
	if (found->n > 0)
		skymap_show(page, points, found->n, l->req->now, l->arena);
}

/* "more than 1,000", "at least 26", "26". */
static struct str
number_found(struct targets_list *l, const struct target_page *found)
{
	if (found->count > TARGET_COUNT_MAX)
		return STR("more than 1,000");
	return arena_printf(l->arena, "%s%s", found->at_least ? "at least " : "",
	    number_count(l->arena, found->count).p);
}

/* Is this not the first page? */
static bool
is_later(const struct targets_list *l)
{
	return !str_empty(l->query.after) || l->query.page > 1;
}

static struct str
count_text(struct targets_list *l, const struct target_page *found)
{
	bool asked = target_query_filters(&l->query), one = found->count == 1;
	struct str n = number_found(l, found);
	char *text;

	if (found->n == 0 && is_later(l))
		return STR("No more");
	if (found->count == 0 && found->at_least)
		return STR("No match so far");
	if (found->count == 0 && asked)
		return STR("No match");
	n = asked ? arena_printf(l->arena, "%s match%s", n.p, one ? "es" : "")
	          : arena_printf(l->arena, "%s target%s", n.p, one ? "" : "s");
	text = arena_strdup(l->arena, n.p);
	if (text[0] >= 'a' && text[0] <= 'z')
		text[0] = (char)(text[0] - 'a' + 'A');
	return (struct str){ text, n.n };
}

static void
add_pager(struct targets_list *l, struct value *page, const struct target_page *found)
{
	struct request *req = l->req;
	bool later = is_later(l);

	if (!later && !found->next.p && !found->previous.p)
		return;
	value_set_bool(page, "has_pages", true);
	value_set_text(page, "pager_text",
	    found->partial
	        ? arena_printf(l->arena, "%zu found so far, %s; \"Next\" searches further.",
	              found->n, order_text(&l->query))
	        : arena_printf(l->arena, "%zu of %s, %s", found->n, number_found(l, found).p,
	              order_text(&l->query)));
	if (later)
		value_set_text(page, "first", targets_link(req, paging, NULL, STR_NONE));
	if (found->previous.p)
		value_set_text(
		    page, "previous", targets_link(req, paging, "after", found->previous));
	if (found->next.p)
		value_set_text(page, "next_page", targets_link(req, paging, "after", found->next));
}

/* What a page without targets says. */
static void
add_nothing(struct targets_list *l, struct value *page, const struct target_page *found)
{
	struct value *v = value_set_object(page, "nothing");

	if (is_later(l)) {
		value_set_cstr(v, "heading", "No more targets");
		value_set_cstr(v, "why", "The list ends before this page.");
		value_set_text(v, "link", targets_link(l->req, paging, NULL, STR_NONE));
		value_set_cstr(v, "label", "First page");
		return;
	}
	value_set_cstr(v, "heading", "No target matches");
	value_set_text(v, "why",
	    !str_empty(found->why) ? found->why
	                           : STR("Try a shorter part of the name, or fewer filters."));
	value_set_cstr(v, "link", "?");
	value_set_cstr(v, "label", "Show all targets");
}

static int
show_list(struct targets_list *l, struct response *res, const struct target_page *found)
{
	struct request *req = l->req;
	struct value *page = value_object(l->arena);
	bool asked = target_query_filters(&l->query) || l->problems.n > 0 || is_later(l);
	bool none = found->n == 0 && !found->next.p && !found->previous.p;

	value_set_cstr(page, "title", "Targets");
	value_set_bool(page, "none_at_all", none && !asked);
	value_set_text(page, "count_text", count_text(l, found));
	targets_filter_add(l, page);
	targets_filter_add_chips(l, page);
	add_columns(l, page);
	add_rows(l, page, found);
	add_pager(l, page, found);
	value_set_cstr(page, "order", order_text(&l->query));
	if (none && asked)
		add_nothing(l, page, found);
	if (may_search_all(req) && found->n > 0) {
		value_set_bool(page, "may_export", true);
		value_set_text(page, "export_query", targets_link(req, no_order, NULL, STR_NONE));
	}
	return respond_page(req, res, l->problems.n > 0 ? 400 : 200, "targets", page);
}

int
list_targets(struct request *req, struct response *res)
{
	struct targets_list l = { .req = req, .arena = req->arena };
	struct target_page found;
	struct query *lists = NULL;
	enum db_result r, listed = DB_END;

	if (targets_filter_redirect(&l, res))
		return 0;
	target_query_read(&l.query, &req->get, &l.problems, req->arena);
	l.query.secret = auth_secret(req);
	if (!may_ask(req, &l.query))
		return ask_to_sign_in(req, res);
	/* with the first statement of the list, in one round trip */
	if (req->user)
		lists = target_lists_start(req->app->db, LISTS_OFFERED);
	r = target_find(req->app->db, req->arena, auth_user(req), &l.query, &found);
	if (lists)
		listed = target_lists_end(lists, req->arena, LISTS_OFFERED, &l.lists, &l.nlists);
	if (r != DB_END || listed != DB_END)
		return auth_db_failed(req, res, r != DB_END ? r : listed);
	return show_list(&l, res, &found);
}

int
find_by_name(struct request *req, struct response *res)
{
	struct str text = str_trim(req->capture[0]);
	struct target_query q = { .name = text };
	int64_t id;
	enum db_result r;

	if (str_empty(text))
		return respond_redirect(req, res, STR("/targets/"));
	if (!may_ask(req, &q))
		return ask_to_sign_in(req, res);
	r = target_find_named(req->app->db, req->arena, auth_user(req), text, &id);
	if (r == DB_ROW)
		return respond_redirect(
		    req, res, arena_printf(req->arena, "/targets/%lld/", (long long)id));
	if (r != DB_END)
		return auth_db_failed(req, res, r);
	text = url_encode(req->arena, text);
	return respond_redirect(
	    req, res, arena_printf(req->arena, "/targets/?name=%.*s", STR_ARG(text)));
}

int
seed_form(struct request *req, struct response *res)
{
	return respond_redirect(req, res, STR("/targets/"));
}

int
seed(struct request *req, struct response *res)
{
	struct target_seeded s = { 0 };
	struct str text;
	enum db_result r = target_seed_messier(req->app->db, req->arena, auth_user(req), &s);

	if (r != DB_END)
		return auth_db_failed(req, res, r);
	text = arena_printf(req->arena, "Messier catalogue: %zu added, %zu %s there already.",
	    s.added, s.present, s.present == 1 ? "was" : "were");
	if (s.unseen > 0)
		text = arena_printf(req->arena, "%s %zu %s to targets of others.", text.p, s.unseen,
		    s.unseen == 1 ? "name belongs" : "names belong");
	respond_message(req, res, "ok", text);
	return respond_redirect(req, res,
	    arena_printf(req->arena, "/targets/?targetlist__name=%lld", (long long)s.list));
}
