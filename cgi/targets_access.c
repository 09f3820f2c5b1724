/*
 * targets_access: who can see a target, and why. Who may change it sees every reason, and may ask
 * about any user; others see their own.
 */
#include "targets.h"
#include "tom/group.h"
#include "tom/rights.h"
#include "tom/user.h"

#define ROWS 100 /* rows of rights on a page */
#define MEMBERS 50 /* of a group on a page */

struct access_page {
	struct request *req;
	struct response *res;
	struct target target;
	struct right *own; /* by which who asks sees it */
	size_t nown;
	bool manages; /* sees all reasons */
	bool locked;
	struct str *sources; /* whose measurements have rights of their own */
	size_t nsources;
	struct value *page;
};

/* Is a visitor nobody here, whatever is OPEN? Not where OPEN_URLS lets them to the target. */
static bool
is_locked(struct request *req, int64_t id)
{
	static const char *const pages[] = { "", "photometry.csv", "access/" };
	const struct config *c = req->app->config;
	bool open = access_is_open(c, "/targets/") || access_is_open(c, "/targets/export/");

	for (size_t i = 0; i < NELEM(pages); i++)
		open = open ||
		    access_is_open(
		        c, arena_printf(req->arena, "/targets/%lld/%s", (long long)id, pages[i]).p);
	return str_is(str_of(config_text(c, "AUTH_STRATEGY")), "LOCKED") && !open;
}

static int
load(struct access_page *p)
{
	struct request *req = p->req;
	const struct user *u = auth_user(req);
	enum db_result r;

	if (get_target(req, p->res, VIEW, &p->target) != 0)
		return -1;
	r = rights_of_user(
	    req->app->db, req->arena, p->target.id, STR(""), u->id, &p->own, &p->nown);
	p->locked = is_locked(req, p->target.id);
	p->manages = u->is_superuser || (rights_held(p->own, p->nown) & CHANGE) != 0;
	if (r == DB_END && data_have_rights(req))
		r = rights_sources(
		    req->app->db, req->arena, p->target.id, &p->sources, &p->nsources);
	return r == DB_END ? 0 : (auth_db_failed(req, p->res, r), -1);
}

/* Why a row lets somebody in, as a sentence about `who`. */
static struct str
reason(const struct access_page *p, const struct right *r)
{
	struct arena *a = p->req->arena;
	int verbs = r->verbs;

	switch (r->of) {
	case RIGHT_ANYONE:
		return p->locked
		    ? STR("It is open to everyone, and this site lets in who is signed in.")
		    : STR("It is open to everyone, without signing in.");
	case RIGHT_SIGNED_IN:
		return STR("It is open to everyone who is signed in.");
	case RIGHT_GROUP:
		return arena_printf(a, "A member of %.*s, which may %.*s it.", STR_ARG(r->name),
		    STR_ARG(verbs_text(verbs)));
	case RIGHT_USER:
		break;
	}
	return arena_printf(a, "%s may %.*s it.",
	    p->target.creator != 0 && r->id == p->target.creator ? "Who made it" : "By name:",
	    STR_ARG(verbs_text(verbs)));
}

static void
add_reasons(struct access_page *p, struct value *list, const struct right *rows, size_t n,
    bool is_superuser)
{
	if (is_superuser)
		value_add_text(list, STR("A superuser, who may do everything."));
	for (size_t i = 0; i < n; i++)
		value_add_text(list, reason(p, &rows[i]));
}

/* page.KEY: { sees, reasons, data [{ source, sees, reasons }] } of a user (0: a visitor) with the rows. */
static enum db_result
add_answer(struct access_page *p, const char *key, int64_t user, bool is_superuser,
    struct right *rows, size_t n)
{
	struct value *v = value_set_object(p->page, key), *data;
	struct value *reasons = value_set_list(v, "reasons");
	enum db_result r = DB_END;
	bool sees;

	add_reasons(p, reasons, rows, n, is_superuser);
	sees = value_count(reasons) > 0;
	value_set_bool(v, "sees", sees);
	data = value_set_list(v, "data");
	for (size_t i = 0; i < p->nsources && r == DB_END && sees; i++) {
		struct value *one;

		reasons = value_list(p->req->arena);
		r = rights_of_user(
		    p->req->app->db, p->req->arena, p->target.id, p->sources[i], user, &rows, &n);
		add_reasons(p, reasons, rows, n, is_superuser);
		/* others are not told that there are measurements which they may not see */
		if (!p->manages && value_count(reasons) == 0)
			continue;
		one = value_add_object(data);
		value_set_text(one, "source", p->sources[i]);
		value_set(one, "reasons", reasons);
		value_set_bool(one, "sees", value_count(reasons) > 0);
	}
	return r;
}

/* "May ben see it?" */
static int
answer_about(struct access_page *p, struct str name)
{
	struct account account;
	struct right *rows;
	size_t n;
	enum db_result r;

	value_set_text(p->page, "asked", name);
	switch (user_find(p->req->app->db, p->req->arena, name, &account)) {
	case USER_DONE:
		break;
	case USER_FAILED:
		return auth_db_failed(p->req, p->res, DB_FAILED), -1;
	default:
		value_set_bool(p->page, "unknown", true);
		return 0;
	}
	value_set_text(p->page, "asked", account.username);
	value_set_bool(p->page, "inactive", !account.is_active);
	r = rights_of_user(
	    p->req->app->db, p->req->arena, p->target.id, STR(""), account.id, &rows, &n);
	if (r == DB_END)
		r = add_answer(p, "answer", account.id, account.is_superuser, rows, n);
	return r == DB_END ? 0 : (auth_db_failed(p->req, p->res, r), -1);
}

/* The members of a group that has rights, some at a time. */
static int
show_members(struct access_page *p, const struct right *group)
{
	struct account *list;
	size_t n;
	struct value *v, *names;

	if (user_list(p->req->app->db, p->req->arena, group->id,
	        pairs_get(&p->req->get, "after").p == NULL ? STR("")
	                                                   : pairs_get(&p->req->get, "after"),
	        MEMBERS + 1, &list, &n) != USER_DONE)
		return auth_db_failed(p->req, p->res, DB_FAILED), -1;
	v = value_set_object(p->page, "members");
	value_set_int(v, "group", group->id);
	value_set_text(v, "name", group->name);
	names = value_set_list(v, "names");
	for (size_t i = 0; i < n && i < MEMBERS; i++) {
		struct value *one = value_add_object(names);

		value_set_text(one, "name", list[i].username);
		value_set_bool(one, "inactive", !list[i].is_active);
	}
	if (n > MEMBERS)
		value_set_text(v, "next", url_encode(p->req->arena, list[MEMBERS - 1].username));
	return 0;
}

static void
add_row(const struct access_page *p, struct value *list, const struct right *r)
{
	struct value *v = value_add_object(list);
	bool made = r->of == RIGHT_USER && r->id == p->target.creator;
	int verbs = r->verbs;

	/* what TARGET_OPEN_CHANGE adds */
	if (r->of == RIGHT_ANYONE || r->of == RIGHT_SIGNED_IN)
		verbs |= auth_user(p->req)->open_verbs;
	value_set_text(v, "who",
	    r->of == RIGHT_ANYONE && p->locked ? STR("Everyone who is signed in") : right_who(r));
	value_set_text(v, "verbs", verbs_text(verbs));
	value_set_cstr(v, "why",
	    r->of == RIGHT_ANYONE          ? "It is OPEN"
	        : r->of == RIGHT_SIGNED_IN ? "It is PUBLIC"
	        : r->of == RIGHT_GROUP     ? "A group with rights"
	        : made                     ? "Made it"
	                                   : "A right of their own");
	value_set_bool(v, "inactive", !r->is_active);
	if (r->of == RIGHT_GROUP)
		value_set_int(v, "group", r->id);
}

/* Every reason there is, for who may change the target. */
static int
show_all(struct access_page *p)
{
	struct request *req = p->req;
	struct right *rows;
	int64_t from = 0, group = 0;
	struct value *list;
	size_t n;
	enum db_result r;

	str_to_int64(pairs_get(&req->get, "from"), &from);
	str_to_int64(pairs_get(&req->get, "group"), &group);
	r = rights_list(req->app->db, req->arena, p->target.id, STR(""), from > 0 ? from : 0,
	    ROWS + 1, &rows, &n);
	if (r != DB_END)
		return auth_db_failed(req, p->res, r), -1;
	list = value_set_list(p->page, "rows");
	for (size_t i = 0; i < n && i < ROWS; i++)
		add_row(p, list, &rows[i]);
	if (n > ROWS)
		value_set_int(p->page, "next", rows[ROWS - 1].principal);
	if (group <= 0 || group > INT64_MAX / 32)
		return 0;
	/* members are shown of groups that have rights here, and of no others */
	r = rights_list(req->app->db, req->arena, p->target.id, STR(""), PRINCIPAL_GROUP(group) - 1,
	    1, &rows, &n);
	if (r != DB_END)
		return auth_db_failed(req, p->res, r), -1;
	if (n == 1 && rows[0].principal == PRINCIPAL_GROUP(group))
		return show_members(p, &rows[0]);
	return 0;
}

int
show_access(struct request *req, struct response *res)
{
	struct access_page p = { .req = req, .res = res };
	const struct user *u = auth_user(req);
	struct str asked = str_trim(pairs_get(&req->get, "user"));
	enum db_result r;

	if (load(&p) != 0)
		return 0;
	p.page = value_object(req->arena);
	value_set_text(
	    p.page, "title", arena_printf(req->arena, "Who can see %.*s", STR_ARG(p.target.name)));
	value_set_int(p.page, "id", p.target.id);
	value_set_text(p.page, "name", p.target.name);
	value_set_text(p.page, "permissions", permission_code(p.target.permissions));
	value_set_text(p.page, "sight", sight_class(p.target.permissions));
	value_set_bool(p.page, "manages", p.manages);
	if ((r = add_answer(&p, "own", u->id, u->is_superuser, p.own, p.nown)) != DB_END)
		return auth_db_failed(req, res, r);
	if (p.manages && show_all(&p) != 0)
		return 0;
	if (p.manages && !str_empty(asked) && answer_about(&p, asked) != 0)
		return 0;
	return respond_page(req, res, 200, "target-access", p.page);
}
