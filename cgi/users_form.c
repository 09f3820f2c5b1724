/*
 * users_form: the form of an account, at /users/ and in /admin/auth/user/.
 *
 *	username, first_name, last_name, email, affiliation
 *	groups				ids; where groups_shown came too, none means none
 *	password1, password2		of a new account, or where a superuser sets another's
 *	is_active, is_staff, is_superuser	in /admin/ only
 *
 * Who may set what is a list of the fields they may set (`may`); the rest is not read, and who sends
 * it all the same is noted. Owners set their names, address and affiliation; another address waits
 * till the link that is sent there is opened. Staff set the names of ordinary users, and keep them out:
 * not their address, which a new password can be sent to. All else is for superusers: groups too, since
 * they give rights on targets.
 */
#include "auth/event.h"
#include "auth/one_time.h"
#include "auth/password.h"
#include "base/buf.h"
#include "http/form.h"
#include "users.h"

#define GROUPS_SHOWN 1000

enum {
	USERNAME,
	FIRST_NAME,
	LAST_NAME,
	EMAIL,
	AFFILIATION,
	PASSWORD1,
	PASSWORD2,
	IS_ACTIVE,
	IS_STAFF,
	IS_SUPERUSER,
	NFIELDS,
	GROUPS = NFIELDS /* no field of a table: see read_groups */
};
#define BIT(field) (1U << (field))
#define NAMES (BIT(FIRST_NAME) | BIT(LAST_NAME) | BIT(AFFILIATION))
#define OWN (BIT(USERNAME) | NAMES | BIT(EMAIL))
#define PASSWORDS (BIT(PASSWORD1) | BIT(PASSWORD2))
#define RIGHTS (BIT(IS_ACTIVE) | BIT(IS_STAFF) | BIT(IS_SUPERUSER))

static const struct field fields[NFIELDS] = {
	[USERNAME] = { "username", FIELD_TEXT, .required = true, .max = USERNAME_MAX,
	    .label = "User name", .autocomplete = "off",
	    .help = "Letters, digits and @ . + - _ only." },
	[FIRST_NAME] = { "first_name", FIELD_TEXT, .max = 150, .label = "First name" },
	[LAST_NAME] = { "last_name", FIELD_TEXT, .max = 150, .label = "Last name" },
	[EMAIL] = { "email", FIELD_TEXT, .required = true, .max = USER_TEXT_MAX, .label = "E-mail",
	    .autocomplete = "off", .help = "Seen by its owner and by staff." },
	[AFFILIATION] = { "affiliation", FIELD_TEXT, .max = 100, .label = "Affiliation" },
	[PASSWORD1] = { "password1", FIELD_SECRET, .max = PASSWORD_MAX, .label = "Password",
	    .autocomplete = "new-password" },
	[PASSWORD2] = { "password2", FIELD_SECRET, .max = PASSWORD_MAX, .label = "Password again",
	    .autocomplete = "new-password" },
	[IS_ACTIVE] = { "is_active", FIELD_BOOL, .label = "Active",
	    .help = "Who is not active cannot sign in." },
	[IS_STAFF] = { "is_staff", FIELD_BOOL, .label = "Staff",
	    .help = "May use the pages of Admin." },
	[IS_SUPERUSER] = { "is_superuser", FIELD_BOOL, .label = "Superuser",
	    .help = "May do everything, and sees all targets." },
};

struct form {
	struct request *req;
	struct response *res;
	struct account before; /* id 0: a new one */
	unsigned may; /* bits of what the asker may set */
	struct input in[NFIELDS]; /* of those that may be set */
	bool groups_sent;
	int64_t *groups; /* of the user as it is, or as it was sent */
	size_t ngroups;
	struct str problem; /* what is wrong with no field; absent: nothing */
};

static bool
is_own(const struct form *f)
{
	return f->before.id == f->req->user->id;
}

static unsigned
allowed(const struct form *f)
{
	bool super = f->req->user->is_superuser, admin = users_in_admin(f->req);

	if (super)
		return OWN | BIT(GROUPS) | (is_own(f) ? 0 : PASSWORDS) | (admin ? RIGHTS : 0);
	if (is_own(f))
		return OWN;
	return f->before.is_staff || f->before.is_superuser ? 0 : NAMES | BIT(IS_ACTIVE);
}

/* The row of the table as this form has it. */
static struct field
field_of(const struct form *f, size_t i)
{
	struct field field = fields[i];

	if (i == PASSWORD1 || i == PASSWORD2)
		field.required = f->before.id == 0;
	if (i == EMAIL && users_in_admin(f->req))
		field.required = false;
	if (i == PASSWORD1 && f->before.id != 0)
		field.help = "Only where it shall be another one. Their sessions end then.";
	return field;
}

/* -- showing -- */

static void
fill(struct form *f)
{
	const struct account *u = &f->before;
	const struct str texts[] = { [USERNAME] = u->username,
		[FIRST_NAME] = u->first_name,
		[LAST_NAME] = u->last_name,
		[EMAIL] = u->email,
		[AFFILIATION] = u->affiliation };

	for (size_t i = 0; i < NELEM(texts); i++)
		form_fill(&f->in[i], texts[i].p != NULL ? texts[i] : STR(""));
	f->in[IS_ACTIVE].integer = u->is_active || u->id == 0;
	f->in[IS_STAFF].integer = u->is_staff;
	f->in[IS_SUPERUSER].integer = u->is_superuser;
}

static bool
is_member(const struct form *f, int64_t group)
{
	for (size_t i = 0; i < f->ngroups; i++)
		if (f->groups[i] == group)
			return true;
	return false;
}

/* All groups of the site, or where there are too many those of the user. 0, or -1. */
static int
add_groups(struct form *f, struct value *page)
{
	struct value *list = value_set_list(page, "groups");
	struct db *db = f->req->app->db;
	struct group *groups;
	enum group_result result;
	size_t n;

	result = group_list(db, f->req->arena, STR(""), GROUPS_SHOWN + 1, &groups, &n);
	if (result == GROUP_DONE && n > GROUPS_SHOWN)
		result = group_list_of(db, f->req->arena, f->before.id, GROUPS_SHOWN, &groups, &n);
	if (result != GROUP_DONE) {
		groups_failed(f->req, f->res, result);
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		struct value *v = value_add_object(list);

		value_set_int(v, "id", groups[i].id);
		value_set_text(v, "name", groups[i].name);
		value_set_bool(v, "selected", is_member(f, groups[i].id));
	}
	value_set_bool(page, "has_groups", n > 0);
	return 0;
}

static int
show(struct form *f, int status)
{
	struct request *r = f->req;
	struct value *page = value_object(r->arena);

	users_add_base(r, page);
	for (size_t i = 0; i < NFIELDS; i++)
		if (f->may & BIT(i)) {
			struct field field = field_of(f, i);

			form_show(page, &field, &f->in[i], 1, r->arena);
		}
	if ((f->may & BIT(GROUPS)) && add_groups(f, page) != 0)
		return 0;
	if (f->before.id != 0)
		users_show(r, value_set_object(page, "who"), &f->before);
	if (is_own(f)) {
		struct str waiting = STR_NONE;
		enum db_result found = one_time_address(
		    r->app->db, r->arena, r->user->id, r->now, &waiting);

		if (found != DB_ROW && found != DB_END)
			return auth_db_failed(r, f->res, found);
		value_set_text(page, "waiting", waiting);
	}
	if (f->may & BIT(PASSWORD1))
		user_show_password_rules(r->app->config, r->arena, page);
	value_set_text(page, "problem", f->problem);
	value_set_bool(page, "is_new", f->before.id == 0);
	value_set_bool(page, "may_save", f->may != 0);
	value_set_bool(page, "sets_rights", (f->may & RIGHTS) != 0);
	value_set_bool(page, "others", f->before.id != 0 && !is_own(f) && r->user->is_superuser);
	value_set_text(page, "again", users_sign_in_again(r));
	value_set_text(page, "title",
	    f->before.id == 0 ? STR("New user")
	                      : arena_printf(r->arena, "Change %.*s", STR_ARG(f->before.username)));
	return respond_page(r, f->res, status, "user-form", page);
}

/* -- reading -- */

static bool
is_late(const struct form *f)
{
	return is_own(f) && !users_is_recent(f->req) && !str_eq(f->in[EMAIL].text, f->before.email);
}

static void
read_groups(struct form *f)
{
	const struct pairs *post = &f->req->post;
	size_t n = pairs_count(post, "groups");

	if (!(f->may & BIT(GROUPS)) || (n == 0 && pairs_count(post, "groups_shown") == 0))
		return;
	f->groups_sent = true;
	f->groups = arena_array(f->req->arena, n + 1, sizeof(*f->groups));
	f->ngroups = 0;
	for (size_t i = 0; i < n; i++) {
		struct str id = pairs_nth(post, "groups", i);

		if (str_to_int64(id, &f->groups[f->ngroups]))
			f->ngroups++;
		else
			f->problem = STR("One of the groups is none: choose from the list.");
	}
}

/* Fields that were sent by who may set them nowhere: a form of ours has none. */
static void
note_forbidden(struct form *f)
{
	struct buf names = { NULL, 0, 0 };

	if (f->req->user->is_superuser)
		return;
	for (size_t i = 0; i <= NFIELDS; i++) {
		const char *name = i == GROUPS ? "groups" : fields[i].name;

		if ((f->may & BIT(i)) || pairs_get(&f->req->post, name).p == NULL)
			continue;
		buf_puts(&names, names.n > 0 ? ", " : "");
		buf_puts(&names, name);
	}
	if (names.n > 0)
		event_note(f->req,
		    (struct event){ .kind = EVENT_CHANGE_REFUSED,
		        .user = f->before.id,
		        .username = f->before.username,
		        .detail = arena_printf(f->req->arena, "sent what they may not set: %.*s",
		            STR_ARG(buf_text(&names))) });
	buf_free(&names);
}

/* How much is wrong. */
static size_t
read_form(struct form *f)
{
	struct input *in = f->in;

	for (size_t i = 0; i < NFIELDS; i++)
		if (f->may & BIT(i)) {
			struct field field = field_of(f, i);

			form_read(&f->req->post, &field, 1, &in[i], f->req->arena);
		}
	read_groups(f);
	note_forbidden(f);
	if (in[PASSWORD1].state != WRONG && in[PASSWORD2].state != WRONG &&
	    !str_eq(in[PASSWORD1].text, in[PASSWORD2].text))
		form_wrong(&in[PASSWORD2],
		    STR("The two passwords are not the same. Type the new one again."));
	if ((f->may & BIT(EMAIL)) && in[EMAIL].state != WRONG && is_late(f))
		form_wrong(&in[EMAIL],
		    STR("For another e-mail address sign in again first: a new password can be "
		        "sent "
		        "there."));
	return form_count_wrong(in, NFIELDS) + (f->problem.p != NULL);
}

static struct str
text_of(const struct form *f, size_t i, struct str before)
{
	if (!(f->may & BIT(i)))
		return before.p != NULL ? before : STR("");
	return f->in[i].text.p != NULL ? f->in[i].text : STR("");
}

static bool
flag_of(const struct form *f, size_t i, bool before)
{
	return f->may & BIT(i) ? f->in[i].integer != 0 : before;
}

static struct account
wanted(const struct form *f)
{
	struct account u = f->before;

	u.username = text_of(f, USERNAME, u.username);
	u.first_name = text_of(f, FIRST_NAME, u.first_name);
	u.last_name = text_of(f, LAST_NAME, u.last_name);
	u.email = text_of(f, EMAIL, u.email);
	u.affiliation = text_of(f, AFFILIATION, u.affiliation);
	u.is_active = flag_of(f, IS_ACTIVE, u.is_active);
	u.is_staff = flag_of(f, IS_STAFF, u.is_staff);
	u.is_superuser = flag_of(f, IS_SUPERUSER, u.is_superuser);
	return u;
}

/* Each sentence beside its field. */
static void
place_problems(struct form *f, const struct user_problems *why)
{
	static const struct {
		const char *words;
		size_t field;
	} places[] = { { "The user name", USERNAME }, { "The first name", FIRST_NAME },
		{ "The last name", LAST_NAME }, { "The email", EMAIL },
		{ "The affiliation", AFFILIATION } };

	for (size_t i = 0; i < why->n; i++) {
		bool groups = str_starts(why->why[i], "One of the groups");
		size_t at = f->may & BIT(PASSWORD1) ? PASSWORD1 : NFIELDS;

		for (size_t k = 0; k < NELEM(places); k++)
			if (str_starts(why->why[i], places[k].words))
				at = places[k].field;
		if (groups || at == NFIELDS || !(f->may & BIT(at)))
			f->problem = why->why[i];
		else if (f->in[at].state == WRONG)
			f->in[at].why = arena_printf(f->req->arena, "%.*s %.*s",
			    STR_ARG(f->in[at].why), STR_ARG(why->why[i]));
		else
			form_wrong(&f->in[at], why->why[i]);
	}
}

/* The page for what did not work. */
static int
refuse(struct form *f, enum user_result result, const struct user_problems *why)
{
	switch (result) {
	case USER_WRONG:
		place_problems(f, why);
		return show(f, 400);
	case USER_TAKEN:
		form_wrong(&f->in[USERNAME],
		    STR("Somebody else has this user name, or one that looks like it. Choose "
		        "another."));
		return show(f, 400);
	case USER_LAST:
		f->problem = STR("This is the last active superuser: without one nobody could "
		                 "administer the site. Make somebody else a superuser first.");
		return show(f, 409);
	default:
		return users_failed(f->req, f->res, result);
	}
}

/* -- a new one -- */

int
show_new_user(struct request *r, struct response *res)
{
	struct form f = { .req = r, .res = res };

	f.may = allowed(&f);
	fill(&f);
	return show(&f, 200);
}

int
add_user(struct request *r, struct response *res)
{
	struct form f = { .req = r, .res = res };
	struct user_problems why = { .n = 0 };
	enum user_result result;
	struct account u;
	int64_t id = 0;

	f.may = allowed(&f);
	if (read_form(&f) > 0)
		return show(&f, 400);
	u = wanted(&f);
	result = user_add_to_groups(r->app->db, r->arena, r->app->config, &u, f.in[PASSWORD1].text,
	    f.groups, f.ngroups, &id, &why);
	if (result != USER_DONE)
		return refuse(&f, result, &why);
	event_note(r,
	    (struct event){ .kind = EVENT_USER_ADDED,
	        .user = id,
	        .username = u.username,
	        .detail = u.is_superuser ? STR("a superuser")
	            : u.is_staff         ? STR("staff")
	                                 : STR("") });
	respond_message(r, res, "ok", arena_printf(r->arena, "Added %.*s.", STR_ARG(u.username)));
	return respond_redirect(
	    r, res, users_in_admin(r) ? STR("/admin/auth/user/") : STR("/users/"));
}

/* -- one that is there -- */

/* Finds the account and what may be changed of it; false with the response filled. */
static bool
begin(struct form *f)
{
	struct request *r = f->req;
	struct group *groups;
	size_t n;

	if (!r->user->is_superuser &&
	    (users_in_admin(r) ? r->id[0] == r->user->id : r->id[0] != r->user->id)) {
		respond_redirect(r, f->res,
		    arena_printf(r->arena, "/users/%lld/update/", (long long)r->user->id));
		return false;
	}
	if (!users_find(r, f->res, &f->before))
		return false;
	f->may = allowed(f);
	if (!(f->may & BIT(GROUPS)))
		return true;
	if (group_list_of(r->app->db, r->arena, f->before.id, GROUPS_SHOWN, &groups, &n) !=
	    GROUP_DONE) {
		auth_db_failed(r, f->res, DB_FAILED);
		return false;
	}
	f->groups = arena_array(r->arena, n + 1, sizeof(*f->groups));
	for (size_t i = 0; i < n; i++)
		f->groups[f->ngroups++] = groups[i].id;
	return true;
}

int
show_user(struct request *r, struct response *res)
{
	struct form f = { .req = r, .res = res };

	if (!begin(&f))
		return 0;
	fill(&f);
	return show(&f, 200);
}

/* What was changed, in words for the security log. */
static struct str
changed_words(struct arena *a, const struct user_change *c)
{
	struct buf b = { NULL, 0, 0 };
	struct str words;

	if (c->changed & USER_NAME) {
		buf_puts(&b, "; user name was ");
		buf_str(&b, c->was.username);
	}
	buf_puts(&b, c->changed & USER_PROFILE ? "; profile" : "");
	buf_puts(&b, c->changed & USER_EMAIL ? "; e-mail address" : "");
	buf_puts(&b, c->changed & USER_GROUPS ? "; groups" : "");
	buf_puts(&b, c->changed & USER_PASSWORD ? "; password" : "");
	if (c->changed & USER_ACTIVE)
		buf_puts(&b, c->to.is_active ? "; enabled" : "; disabled");
	if (c->to.is_superuser != c->was.is_superuser && (c->changed & USER_RIGHTS))
		buf_puts(&b, c->to.is_superuser ? "; made a superuser" : "; no longer a superuser");
	if (c->to.is_staff != c->was.is_staff && (c->changed & USER_RIGHTS))
		buf_puts(&b, c->to.is_staff ? "; made staff" : "; no longer staff");
	words = b.n > 2 ? arena_copy(a, buf_text(&b).p + 2, b.n - 2) : STR("");
	buf_free(&b);
	return words;
}

static unsigned
parts_of(const struct form *f)
{
	return (f->may & BIT(USERNAME) ? USER_NAME : 0U) | (f->may & NAMES ? USER_PROFILE : 0U) |
	    (f->may & BIT(EMAIL) ? USER_EMAIL : 0U) | (f->may & BIT(IS_ACTIVE) ? USER_ACTIVE : 0U) |
	    (f->may & BIT(IS_STAFF) ? USER_RIGHTS : 0U) | (f->groups_sent ? USER_GROUPS : 0U) |
	    (f->in[PASSWORD1].state == VALID ? USER_PASSWORD : 0U);
}

int
change_user(struct request *r, struct response *res)
{
	struct form f = { .req = r, .res = res };
	struct user_problems why = { .n = 0 };
	struct user_change c;
	enum user_result result;

	if (!begin(&f))
		return 0;
	if (f.may == 0)
		return users_failed(r, res, USER_REFUSED);
	if (read_form(&f) > 0)
		return show(&f, 400);
	c = (struct user_change){ .parts = parts_of(&f),
		.to = wanted(&f),
		.password = f.in[PASSWORD1].text,
		.groups = f.groups,
		.ngroups = f.ngroups,
		.ordinary_only = !r->user->is_superuser && !is_own(&f),
		.confirm = is_own(&f) ? auth_secret(r) : NULL,
		.keep = is_own(&f) ? auth_session(r) : NULL };
	c.to.is_staff = c.to.is_staff || c.to.is_superuser;
	result = user_change(r->app->db, r->arena, r->app->config, &c, &why);
	if (result != USER_DONE)
		return refuse(&f, result, &why);
	if (c.changed != 0)
		event_note(r,
		    (struct event){ .kind = EVENT_USER_CHANGED,
		        .user = c.to.id,
		        .username = c.to.username,
		        .detail = changed_words(r->arena, &c) });
	if (c.held.p != NULL)
		event_note(r,
		    (struct event){ .kind = EVENT_USER_CHANGED,
		        .user = c.to.id,
		        .username = c.to.username,
		        .detail = STR("asked for another e-mail address") });
	if (c.changed & USER_PASSWORD)
		event_note(r,
		    (struct event){ .kind = EVENT_PASSWORD_CHANGED,
		        .user = c.to.id,
		        .username = c.to.username,
		        .detail = STR("by a superuser") });
	respond_message(r, res, "ok",
	    c.held.p == NULL
	        ? STR("Profile updated")
	        : arena_printf(r->arena,
	              "Profile updated. A link was sent to %.*s: the address is used once you open "
	              "it.",
	              STR_ARG(c.held)));
	if (is_own(&f))
		return respond_redirect(r, res, STR("/users/profile/"));
	return respond_redirect(
	    r, res, users_in_admin(r) ? STR("/admin/auth/user/") : STR("/users/"));
}
