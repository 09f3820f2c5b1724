/*
 * users_groups: groups of users, for superusers, since rights on targets are given to them.
 *
 *	name
 *	users		ids of all members; where users_shown came too, none means none
 *	add		user names of further ones, divided by blanks or commas
 */
#include "auth/event.h"
#include "http/form.h"
#include "users.h"

#define ALL_SHOWN 200 /* a site of so few people shows them all to choose from */
#define MEMBERS_SHOWN 1000

enum { NAME, ADD, NFIELDS };

static const struct field fields[NFIELDS] = {
	[NAME] = { "name", FIELD_TEXT, .required = true, .max = GROUP_NAME_MAX, .label = "Name",
	    .autocomplete = "off" },
	[ADD] = { "add", FIELD_TEXT, .max = 4000, .label = "Further members", .autocomplete = "off",
	    .help = "User names, with blanks or commas between them." },
};

struct form {
	struct request *req;
	struct response *res;
	struct group before; /* id 0: a new one */
	struct input in[NFIELDS];
	struct account *members; /* as they are: see read_members */
	size_t nmembers;
	bool members_sent;
	int64_t *users;
	size_t nusers, room;
	struct str problem;
};

static void
add_member(struct form *f, int64_t id)
{
	f->users = arena_more(f->req->arena, f->users, f->nusers, &f->room, sizeof(*f->users));
	f->users[f->nusers++] = id;
}

static bool
is_member(const struct form *f, int64_t id)
{
	for (size_t i = 0; i < f->nusers; i++)
		if (f->users[i] == id)
			return true;
	return false;
}

/* One more of them than is shown, read once. */
static enum user_result
read_members(struct form *f)
{
	if (f->members != NULL)
		return USER_DONE;
	return user_list(f->req->app->db, f->req->arena, f->before.id, STR(""), MEMBERS_SHOWN + 1,
	    &f->members, &f->nmembers);
}

/*
 * The people to choose from: everybody where they are few, else the members. Too many members are
 * not shown at all: who is added by name joins them. 0, or -1 with the response filled.
 */
static int
add_people(struct form *f, struct value *page)
{
	struct value *list = value_set_list(page, "people");
	struct account *users;
	enum user_result result;
	size_t n, most = ALL_SHOWN;

	result = user_list(f->req->app->db, f->req->arena, 0, STR(""), ALL_SHOWN + 1, &users, &n);
	if (result == USER_DONE && n > ALL_SHOWN) {
		most = MEMBERS_SHOWN;
		n = 0;
		if (f->before.id != 0 && (result = read_members(f)) == USER_DONE) {
			users = f->members;
			n = f->nmembers;
		}
		value_set_bool(page, "by_name", true);
	}
	if (result != USER_DONE) {
		users_failed(f->req, f->res, result);
		return -1;
	}
	value_set_bool(page, "too_many", n > most);
	for (size_t i = 0; n <= most && i < n; i++) {
		struct value *v;

		if (user_is_former(users[i].username))
			continue;
		v = value_add_object(list);
		users_show(f->req, v, &users[i]);
		value_set_bool(v, "selected", is_member(f, users[i].id));
	}
	value_set_bool(page, "has_people", n > 0 && n <= most);
	return 0;
}

static int
show(struct form *f, int status)
{
	struct request *r = f->req;
	struct value *page = value_object(r->arena);

	users_add_base(r, page);
	if (add_people(f, page) != 0)
		return 0;
	form_show(page, fields, f->in, NFIELDS, r->arena);
	value_set_int(page, "id", f->before.id);
	value_set_bool(page, "is_new", f->before.id == 0);
	value_set_text(page, "problem", f->problem);
	value_set_text(page, "title",
	    f->before.id == 0 ? STR("New group")
	                      : arena_printf(r->arena, "Change %.*s", STR_ARG(f->before.name)));
	return respond_page(r, f->res, status, "group-form", page);
}

/* The next user name of a list; false at its end. */
static bool
next_name(struct str *rest, struct str *name)
{
	size_t n = 0;

	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == ',')) {
		rest->p++;
		rest->n--;
	}
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != ',')
		n++;
	*name = (struct str){ rest->p, n };
	rest->p += n;
	rest->n -= n;
	return n > 0;
}

/* 0, or -1 with the response filled. */
static int
read_added(struct form *f)
{
	struct str rest = f->in[ADD].text, name;

	while (f->in[ADD].state == VALID && next_name(&rest, &name)) {
		struct account u;
		enum user_result found = user_find(
		    f->req->app->db, f->req->arena, arena_str(f->req->arena, name), &u);

		if (found == USER_DONE)
			add_member(f, u.id);
		else if (found == USER_UNKNOWN)
			form_wrong(&f->in[ADD],
			    arena_printf(f->req->arena, "There is no user %.*s.", STR_ARG(name)));
		else {
			users_failed(f->req, f->res, found);
			return -1;
		}
	}
	return 0;
}

/* 0; else -1 with the response filled. */
static int
read_form(struct form *f)
{
	const struct pairs *post = &f->req->post;
	size_t n = pairs_count(post, "users");

	form_read(post, fields, NFIELDS, f->in, f->req->arena);
	f->members_sent = n > 0 || pairs_count(post, "users_shown") > 0;
	if (f->members_sent)
		f->nusers = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t id;

		if (str_to_int64(pairs_nth(post, "users", i), &id))
			add_member(f, id);
		else
			f->problem = STR("One of the members is none: choose from the list.");
	}
	if (read_added(f) != 0)
		return -1;
	if (form_count_wrong(f->in, NFIELDS) == 0 && f->problem.p == NULL)
		return 0;
	show(f, 400);
	return -1;
}

static int
refuse(struct form *f, enum group_result result)
{
	switch (result) {
	case GROUP_WRONG:
		form_wrong(&f->in[NAME], STR("A name has no control characters."));
		return show(f, 400);
	case GROUP_TAKEN:
		form_wrong(&f->in[NAME], STR("Another group has this name. Choose another."));
		return show(f, 400);
	case GROUP_UNKNOWN:
		return respond_error(f->req, f->res, 409,
		    "The group, or one of the members, was deleted at this moment. Nothing was "
		    "changed.");
	default:
		return groups_failed(f->req, f->res, result);
	}
}

static int
back(struct request *r, struct response *res, struct str message)
{
	respond_message(r, res, "ok", message);
	return respond_redirect(
	    r, res, users_in_admin(r) ? STR("/admin/auth/group/") : STR("/users/"));
}

static void
note(struct request *r, struct str detail)
{
	event_note(r, (struct event){ .kind = EVENT_GROUP_CHANGED, .detail = detail });
}

/* An event for each user who came or went: rights on targets come and go with the membership. */
static void
note_members(struct request *r, const struct group_change *c)
{
	for (size_t i = 0; i < c->set.njoined + c->set.nleft; i++) {
		bool joined = i < c->set.njoined;

		event_note(r,
		    (struct event){ .kind = EVENT_GROUP_CHANGED,
		        .user = joined ? c->set.joined[i] : c->set.left[i - c->set.njoined],
		        .detail = arena_printf(r->arena, "%s group %.*s",
		            joined ? "put into" : "taken out of", STR_ARG(c->to.name)) });
	}
}

int
show_new_group(struct request *r, struct response *res)
{
	struct form f = { .req = r, .res = res };

	return show(&f, 200);
}

int
add_group(struct request *r, struct response *res)
{
	struct form f = { .req = r, .res = res };
	struct group_change c = { .members = true };
	enum group_result result;

	if (read_form(&f) != 0)
		return 0;
	c.to.name = f.in[NAME].text;
	c.users = f.users;
	c.nusers = f.nusers;
	result = group_make(r->app->db, r->arena, &c);
	if (result != GROUP_DONE)
		return refuse(&f, result);
	note(r, arena_printf(r->arena, "group %.*s added", STR_ARG(c.to.name)));
	note_members(r, &c);
	return back(r, res, arena_printf(r->arena, "Added %.*s.", STR_ARG(c.to.name)));
}

/* False with the response filled. */
static bool
find(struct request *r, struct response *res, struct group *g)
{
	enum group_result found = group_get(r->app->db, r->arena, r->id[0], g);

	if (found != GROUP_DONE)
		groups_failed(r, res, found);
	return found == GROUP_DONE;
}

/* The group with its members as they are. */
static bool
begin(struct form *f)
{
	if (!find(f->req, f->res, &f->before))
		return false;
	if (read_members(f) != USER_DONE) {
		auth_db_failed(f->req, f->res, DB_FAILED);
		return false;
	}
	for (size_t i = 0; i < f->nmembers; i++)
		add_member(f, f->members[i].id);
	return true;
}

int
show_group(struct request *r, struct response *res)
{
	struct form f = { .req = r, .res = res };

	if (!begin(&f))
		return 0;
	form_fill(&f.in[NAME], f.before.name);
	return show(&f, 200);
}

int
change_group(struct request *r, struct response *res)
{
	struct form f = { .req = r, .res = res };
	struct group_change c;
	enum group_result result;

	if (!find(r, res, &f.before) || read_form(&f) != 0)
		return 0;
	c = (struct group_change){ .to = { f.before.id, f.in[NAME].text },
		.members = f.members_sent,
		.users = f.users,
		.nusers = f.nusers };
	result = group_change(r->app->db, r->arena, &c);
	if (result != GROUP_DONE)
		return refuse(&f, result);
	if (!str_eq(c.was.name, c.to.name))
		note(r,
		    arena_printf(r->arena, "group %.*s is called %.*s now", STR_ARG(c.was.name),
		        STR_ARG(c.to.name)));
	note_members(r, &c);
	return back(r, res, arena_printf(r->arena, "Saved %.*s.", STR_ARG(c.to.name)));
}

int
show_delete_group(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena);
	struct group g;

	if (!find(r, res, &g))
		return 0;
	users_add_base(r, page);
	value_set_text(page, "title", arena_printf(r->arena, "Delete %.*s", STR_ARG(g.name)));
	value_set_text(page, "name", g.name);
	value_set_int(page, "id", g.id);
	return respond_page(r, res, 200, "group-delete", page);
}

int
remove_group(struct request *r, struct response *res)
{
	enum group_result result;
	struct group g;

	if (!find(r, res, &g))
		return 0;
	result = group_delete(r->app->db, g.id);
	if (result != GROUP_DONE && result != GROUP_UNKNOWN)
		return groups_failed(r, res, result);
	note(r, arena_printf(r->arena, "group %.*s deleted", STR_ARG(g.name)));
	return back(r, res, arena_printf(r->arena, "Deleted %.*s.", STR_ARG(g.name)));
}
