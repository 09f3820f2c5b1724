/*
 * targets_rights: the rights on a target, row by row, for those who may give some; where
 * TARGET_PERMISSIONS_ONLY is no, also those on its measurements, by ?source=.
 *
 * Each row is a form of its own, which says what was seen: two people who change rights at a time
 * do not undo each other's work unseen.
 */
#include "auth/event.h"
#include "http/form.h"
#include "targets.h"
#include "tom/rights.h"
#include "tom/user.h"

#define ROWS 100 /* of a page */

struct rights_page {
	struct request *req;
	struct response *res;
	struct target target;
	struct str source; /* "": the target's own */
	struct str *sources;
	size_t nsources;
	int held; /* what who asks may give */
	struct str wrong; /* a sentence about the form that came; absent: none */
};

struct str
verbs_text(int verbs)
{
	static const char *const words[] = { "nothing", "see", "change", "see and change", "delete",
		"see and delete", "change and delete", "see, change and delete" };

	return str_of(words[verbs & ALL_VERBS]);
}

struct str
right_who(const struct right *r)
{
	switch (r->of) {
	case RIGHT_ANYONE:
		return STR("Everyone");
	case RIGHT_SIGNED_IN:
		return STR("Everyone who is signed in");
	default:
		return r->name;
	}
}

bool
data_have_rights(const struct request *req)
{
	return !config_bool(req->app->config, "TARGET_PERMISSIONS_ONLY");
}

/* Is it one of the target's sources? */
static bool
is_source(const struct rights_page *p, struct str source)
{
	for (size_t i = 0; i < p->nsources; i++)
		if (str_eq(p->sources[i], source))
			return true;
	return false;
}

/* What they may give: of the target first, for who has nothing to give there does not come in. */
static enum db_result
find_held(struct rights_page *p, struct str source, int *held)
{
	const struct user *u = auth_user(p->req);
	struct right *own;
	size_t n;
	enum db_result r;

	*held = ALL_VERBS;
	if (u->is_superuser)
		return DB_END;
	r = rights_of_user(p->req->app->db, p->req->arena, p->target.id, source, u->id, &own, &n);
	*held = r == DB_END ? rights_held(own, n) : 0;
	return r;
}

/* 0; else the response is filled. */
static int
load(struct rights_page *p, struct str source)
{
	struct request *req = p->req;
	enum db_result r;

	if (get_target(req, p->res, VIEW, &p->target) != 0)
		return -1;
	if ((r = find_held(p, STR(""), &p->held)) != DB_END)
		return auth_db_failed(req, p->res, r), -1;
	if ((p->held & CHANGE) == 0)
		return respond_error(req, p->res, 403,
		           "You may see this target, but not give rights on it. Its creator, or "
		           "the groups it was shared with, can."),
		       -1;
	p->source = str_empty(source) ? STR("") : source;
	if (data_have_rights(req)) {
		r = rights_sources(
		    req->app->db, req->arena, p->target.id, &p->sources, &p->nsources);
		if (r == DB_END && p->source.n > 0)
			r = find_held(p, p->source, &p->held);
		if (r != DB_END)
			return auth_db_failed(req, p->res, r), -1;
	}
	if (p->source.n > 0 && !is_source(p, p->source))
		return respond_error(req, p->res, 404, NULL), -1;
	return 0;
}

static void
add_head(const struct rights_page *p, struct value *page)
{
	struct arena *a = p->req->arena;
	struct value *list;

	value_set_text(page, "title", arena_printf(a, "Rights on %.*s", STR_ARG(p->target.name)));
	value_set_int(page, "id", p->target.id);
	value_set_text(page, "name", p->target.name);
	value_set_text(page, "permissions", permission_code(p->target.permissions));
	value_set_text(page, "sight", sight_class(p->target.permissions));
	value_set_text(page, "source", p->source);
	value_set_bool(page, "of_data", p->source.n > 0);
	list = value_set_list(page, "sources");
	for (size_t i = 0; i < p->nsources; i++) {
		struct value *v = value_add_object(list);

		value_set_text(v, "source", p->sources[i]);
		value_set_text(v, "query", url_encode(a, p->sources[i]));
		value_set_bool(v, "selected", str_eq(p->sources[i], p->source));
	}
	value_set_bool(page, "has_sources", p->nsources > 0);
}

static void
add_row(const struct rights_page *p, struct value *list, const struct right *r)
{
	bool everybody = r->of == RIGHT_ANYONE || r->of == RIGHT_SIGNED_IN;
	struct value *v = value_add_object(list);

	value_set_int(v, "principal", r->principal);
	value_set_text(v, "who", right_who(r));
	value_set_cstr(v, "kind",
	    everybody                  ? ""
	        : r->of == RIGHT_GROUP ? "group"
	        : r->is_active         ? "user"
	                               : "user, not active");
	value_set_int(v, "was", r->verbs);
	value_set_text(v, "verbs", verbs_text(r->verbs));
	value_set_bool(v, "change", (r->verbs & CHANGE) != 0);
	value_set_bool(v, "delete", (r->verbs & REMOVE) != 0);
	/* a row that holds more than they have is not theirs to touch */
	value_set_bool(v, "mine_to_give",
	    (p->held & CHANGE) != 0 && (r->verbs & ~p->held) == 0 &&
	        (!everybody || p->source.n > 0));
	value_set_bool(v, "has_boxes", !everybody);
	value_set_bool(v, "may_delete", (p->held & REMOVE) != 0);
}

static int
show(struct rights_page *p, int status)
{
	struct request *req = p->req;
	struct value *page = value_object(req->arena), *list;
	struct right *rows;
	int64_t after = 0;
	size_t n;
	enum db_result r;

	str_to_int64(pairs_get(&req->get, "after"), &after);
	r = rights_list(req->app->db, req->arena, p->target.id, p->source, after > 0 ? after : 0,
	    ROWS + 1, &rows, &n);
	if (r != DB_END)
		return auth_db_failed(req, p->res, r);
	add_head(p, page);
	list = value_set_list(page, "rows");
	for (size_t i = 0; i < n && i < ROWS; i++)
		add_row(p, list, &rows[i]);
	if (n > ROWS)
		value_set_int(page, "next", rows[ROWS - 1].principal);
	value_set_bool(page, "may_give", (p->held & CHANGE) != 0);
	value_set_bool(page, "may_delete", (p->held & REMOVE) != 0);
	value_set_text(page, "wrong", p->wrong);
	value_set_text(page, "user_typed", pairs_get(&req->post, "user"));
	if (add_groups(req, p->res, page, NULL, 0) != 0)
		return 0;
	return respond_page(req, p->res, status, "target-rights", page);
}

int
show_rights(struct request *req, struct response *res)
{
	struct rights_page p = { .req = req, .res = res };

	return load(&p, pairs_get(&req->get, "source")) != 0 ? 0 : show(&p, 200);
}

enum { PRINCIPAL, USER, GROUP, MAY_CHANGE, MAY_DELETE, TAKE, WAS, SURE, NFIELDS };
static const struct field fields[NFIELDS] = {
	[PRINCIPAL] = { "principal", FIELD_INT, .min = 1, .max = 9e15 },
	[USER] = { "user", FIELD_TEXT, .max = USERNAME_MAX, .label = "User" },
	[GROUP] = { "group", FIELD_INT, .min = 1, .max = 5e14, .label = "Group" },
	[MAY_CHANGE] = { .name = "change", .type = FIELD_BOOL },
	[MAY_DELETE] = { .name = "delete", .type = FIELD_BOOL },
	[TAKE] = { .name = "take", .type = FIELD_BOOL },
	[WAS] = { "was", FIELD_INT, .min = 0, .max = ALL_VERBS },
	[SURE] = { .name = "sure", .type = FIELD_BOOL },
};

/* Whom the form is about. false with p->wrong said, or (*failed) with the response filled. */
static bool
read_whom(struct rights_page *p, const struct input *in, int64_t *principal, bool *failed)
{
	struct account account;
	int whom = (in[PRINCIPAL].state == VALID) + (in[USER].state == VALID) +
	    (in[GROUP].state == VALID);

	*failed = false;
	if (whom != 1) {
		p->wrong = STR("Say whom the rights are for: one user, or one group.");
		return false;
	}
	if (in[PRINCIPAL].state == VALID) {
		*principal = in[PRINCIPAL].integer;
		if (*principal <= PRINCIPAL_SIGNED_IN || (*principal >= 16 && *principal % 16 <= 1))
			return true;
		p->wrong = STR("There is nobody of that number.");
		return false;
	}
	if (in[GROUP].state == VALID) {
		*principal = PRINCIPAL_GROUP(in[GROUP].integer);
		return true;
	}
	switch (user_find(p->req->app->db, p->req->arena, in[USER].text, &account)) {
	case USER_DONE:
		*principal = PRINCIPAL_USER(account.id);
		return true;
	case USER_FAILED:
		auth_db_failed(p->req, p->res, DB_FAILED);
		*failed = true;
		return false;
	default:
		p->wrong = arena_printf(p->req->arena,
		    "There is no user of the name %.*s. Give the name they sign in with.",
		    STR_ARG(in[USER].text));
		return false;
	}
}

/* Whose the principal is, as it stands now, for messages and the log. */
static struct right
holder(struct rights_page *p, int64_t principal)
{
	struct right *row, none = { .principal = principal, .name = STR("") };
	size_t n = 0;

	if (rights_list(p->req->app->db, p->req->arena, p->target.id, p->source, principal - 1, 1,
	        &row, &n) != DB_END ||
	    n == 0 || row->principal != principal)
		return none;
	return *row;
}

static void
note(struct rights_page *p, const struct rights_wish *w, const struct right *who)
{
	struct arena *a = p->req->arena;
	struct str of = w->source.n > 0
	    ? arena_printf(a, "the %.*s measurements of target %lld %.*s", STR_ARG(w->source),
	          (long long)w->target, STR_ARG(p->target.name))
	    : arena_printf(a, "target %lld %.*s", (long long)w->target, STR_ARG(p->target.name));
	struct str whose = right_who(who);

	event_note(p->req,
	    (struct event){ .kind = EVENT_RIGHTS_CHANGED,
	        .user = who->of == RIGHT_USER ? who->id : 0,
	        .username = who->of == RIGHT_USER ? who->name : STR(""),
	        .detail = arena_printf(a, "%s%.*s may %.*s %.*s (before: %.*s)",
	            who->of == RIGHT_GROUP ? "group " : "", STR_ARG(whose),
	            STR_ARG(verbs_text(w->verbs)), STR_ARG(of), STR_ARG(verbs_text(w->was))) });
}

/* The page that asks whether they mean to give up a right of their own. */
static int
ask_sure(struct rights_page *p, const struct rights_wish *w)
{
	struct value *page = value_object(p->req->arena);

	add_head(p, page);
	value_set_int(page, "principal", w->principal);
	value_set_int(page, "was", w->was);
	value_set_bool(page, "take", w->verbs == 0);
	value_set_bool(page, "change", (w->verbs & CHANGE) != 0);
	value_set_bool(page, "delete", (w->verbs & REMOVE) != 0);
	value_set_text(page, "verbs", verbs_text(w->verbs));
	return respond_page(p->req, p->res, 409, "target-rights-own", page);
}

/* Back to the list of rights, or to what is left of the target for them. */
static int
done(struct rights_page *p, const struct rights_wish *w, const struct right *before)
{
	struct request *req = p->req;
	struct right after = w->verbs == 0 ? *before : holder(p, w->principal);
	struct str who = right_who(&after);
	struct target t;
	int held = 0;

	note(p, w, &after);
	respond_message(req, p->res, "ok",
	    arena_printf(req->arena, "%.*s may %.*s %s%.*s now.", STR_ARG(who),
	        STR_ARG(verbs_text(w->verbs)), p->source.n > 0 ? "the measurements of " : "",
	        STR_ARG(p->target.name)));
	if (target_get(req->app->db, req->arena, auth_user(req), p->target.id, VIEW, &t) != DB_ROW)
		return respond_redirect(req, p->res, STR("/targets/"));
	if (find_held(p, STR(""), &held) != DB_END || (held & CHANGE) == 0)
		return respond_redirect(req, p->res,
		    arena_printf(req->arena, "/targets/%lld/", (long long)p->target.id));
	return respond_redirect(req, p->res,
	    arena_printf(req->arena, "/targets/%lld/permissions/%s%.*s", (long long)p->target.id,
	        p->source.n > 0 ? "?source=" : "", STR_ARG(url_encode(req->arena, p->source))));
}

static int
conclude(struct rights_page *p, const struct rights_wish *w, const struct right *before)
{
	enum db_result r;

	switch (rights_change(p->req->app->db, p->req->arena, auth_user(p->req), w, &r)) {
	case RIGHTS_DONE:
		return done(p, w, before);
	case RIGHTS_OWN:
		return ask_sure(p, w);
	case RIGHTS_FAILED:
		return auth_db_failed(p->req, p->res, r);
	case RIGHTS_SAME:
		p->wrong = STR("They have exactly these rights already.");
		break;
	case RIGHTS_DENIED:
		p->wrong = STR("You can give and take no more rights than you have yourself.");
		break;
	case RIGHTS_STRANGER:
		p->wrong = STR("Choose groups that you are a member of.");
		break;
	case RIGHTS_STALE:
		p->wrong = STR("Somebody has changed these rights meanwhile. This is how they are "
		               "now: look again.");
		break;
	case RIGHTS_GONE:
		p->wrong = STR("That user or group is no longer there.");
		break;
	}
	return show(p, 400);
}

int
change_rights(struct request *req, struct response *res)
{
	struct rights_page p = { .req = req, .res = res };
	struct rights_wish w = { .verbs = VIEW };
	struct input in[NFIELDS];
	struct right before;
	bool failed;

	if (load(&p, pairs_get(&req->post, "source")) != 0)
		return 0;
	if (form_read(&req->post, fields, NFIELDS, in, req->arena) > 0) {
		p.wrong = STR("The form came with something that is no choice of it.");
		return show(&p, 400);
	}
	if (!read_whom(&p, in, &w.principal, &failed))
		return failed ? 0 : show(&p, 400);
	w.target = p.target.id;
	w.source = p.source;
	w.sure = in[SURE].integer != 0;
	if (in[MAY_CHANGE].integer)
		w.verbs |= CHANGE;
	if (in[MAY_DELETE].integer)
		w.verbs |= REMOVE;
	if (in[TAKE].integer)
		w.verbs = 0;
	before = holder(&p, w.principal);
	/* a form for somebody new knows of no row; who has one is shown, and can be changed there */
	w.was = (int)in[WAS].integer;
	return conclude(&p, &w, &before);
}
