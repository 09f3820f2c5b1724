/*
 * login_password: one's own password.
 */
#include "auth/event.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "login.h"

enum { OLD, NEW, AGAIN, PASSWORD_FIELDS };
static const struct field password_fields[] = {
	[OLD] = { "old_password", FIELD_SECRET, .required = true, .max = PASSWORD_MAX,
	    .label = "Present password", .autocomplete = "current-password" },
	[NEW] = { "new_password1", FIELD_SECRET, .required = true, .label = "New password",
	    .autocomplete = "new-password" },
	[AGAIN] = { "new_password2", FIELD_SECRET, .required = true, .label = "New password again",
	    .autocomplete = "new-password" },
};

static int
show_password_form(struct request *r, struct response *res, int status, const struct input *in)
{
	struct value *page = value_object(r->arena);

	value_set_cstr(page, "title", "Change password");
	value_set_text(page, "username", r->user->username);
	value_set_text(page, "next", request_url(r, login_next(r).p));
	if (auth_password_is_old(r))
		value_set_int(
		    page, "expired", config_int(r->app->config, "TOM_PASSWORD_EXPIRY_DAYS"));
	user_show_password_rules(r->app->config, r->arena, page);
	form_show(page, password_fields, in, PASSWORD_FIELDS, r->arena);
	return respond_page(r, res, status, "password", page);
}

int
show_password(struct request *r, struct response *res)
{
	return show_password_form(r, res, 200, NULL);
}

/* What the form beside the password says of its owner, else what is known of who is signed in. */
static struct str
known(struct request *r, const char *field, struct str own)
{
	struct str given = pairs_get(&r->post, field);

	return given.p != NULL ? given : own;
}

/*
 * What the policy says to a password while it is typed, for password.js: on forms of people signed in
 * and of visitors who register or reset theirs. No hash is computed and no other account is read; the
 * form that sets the password asks again.
 */
int
check_password(struct request *r, struct response *res)
{
	static const struct user nobody;
	const struct user *me = r->user != NULL ? r->user : &nobody;
	struct str username = pairs_get(&r->post, "username"),
	           password = pairs_get(&r->post, "password"), rule[PASSWORD_RULES];
	struct value *answer = value_object(r->arena), *problems;
	struct user_problems why = { .n = 0 };
	struct account owner;
	size_t n;

	if (password.p == NULL)
		return respond_error(r, res, 400, "The form came without a password.");
	if (username.p != NULL && !str_eq(username, me->username))
		me = &nobody; /* somebody makes an account for another */
	owner = (struct account){ .username = known(r, "username", me->username),
		.first_name = known(r, "first_name", me->first_name),
		.last_name = known(r, "last_name", me->last_name),
		.email = known(r, "email", me->email) };
	if (user_check_password(r->app->db, r->arena, r->app->config, &owner, password, &why) ==
	    USER_FAILED)
		return respond_error(r, res, 503, NULL);
	n = password_rules(
	    r->arena, (size_t)config_int(r->app->config, "PASSWORD_MIN_LENGTH"), rule);
	problems = value_set_list(answer, "problems");
	for (size_t i = 0; i < why.n; i++)
		value_add_text(problems, why.why[i]);
	value_set_int(answer, "rules", (int64_t)n);
	value_set_int(answer, "kept", (int64_t)(why.n < n ? n - why.n : 0));
	return respond_json(r, res, 200, answer);
}

/* What the fields say of each other; the policy has its say when the present password is known. */
static void
compare_fields(struct input *in)
{
	if (in[NEW].state == VALID && in[OLD].state == VALID && str_eq(in[OLD].text, in[NEW].text))
		form_wrong(&in[NEW], STR("This is your present password. Choose another."));
	if (in[AGAIN].state == VALID && !str_eq(in[NEW].text, in[AGAIN].text))
		form_wrong(&in[AGAIN],
		    STR("The two new passwords are not the same. Type the new one again."));
}

bool
login_knows_present(struct request *r, struct response *res, struct input *in, struct proof *proof)
{
	struct throttle attempt;
	int64_t wait;

	if (in->state != VALID)
		return true;
	wait = throttle_ask(r, THROTTLE_PRESENT, r->user->username, &attempt);
	if (wait != 0) {
		throttle_refuse(r, res, wait);
		return false;
	}
	switch (auth_check_password(r->app->db, r->arena, r->user->username, in->text, proof)) {
	case AUTH_YES:
		throttle_passed(r, &attempt);
		return true;
	case AUTH_NO:
		event_note(r,
		    (struct event){ .kind = EVENT_PASSWORD_REFUSED,
		        .user = r->user->id,
		        .username = r->user->username,
		        .detail = STR("the present password was wrong") });
		form_wrong(
		    in, STR("Your present password was entered incorrectly. Enter it again."));
		return true;
	case AUTH_BUSY:
		throttle_undo(r, &attempt);
		respond_error(r, res, 503, LOGIN_BUSY);
		return false;
	case AUTH_AWAY:
		throttle_undo(r, &attempt);
		break;
	}
	respond_error(r, res, 503, NULL);
	return false;
}

enum user_result
login_set_password(struct request *r, struct account *u, struct input *in, bool rest_is_right)
{
	struct user_problems why = { .n = 0 };
	enum user_result result;

	if (in->state != VALID)
		return USER_WRONG;
	if (rest_is_right)
		result = user_set_password(r->app->db, r->arena, r->app->config, u, in->text, &why);
	else {
		result = user_check_password(
		    r->app->db, r->arena, r->app->config, u, in->text, &why);
		result = result == USER_DONE ? USER_WRONG : result;
	}
	if (why.n > 0)
		form_wrong(in, user_problems_text(r->arena, &why));
	return result;
}

static enum user_result
set_password(struct request *r, struct input *in, struct proof *proof)
{
	struct account me = { .id = r->user->id,
		.username = r->user->username,
		.first_name = r->user->first_name,
		.last_name = r->user->last_name,
		.email = r->user->email,
		.password_changed = proof->password_changed };
	enum user_result result = login_set_password(
	    r, &me, &in[NEW], form_count_wrong(in, PASSWORD_FIELDS) == 0);

	proof->password_changed = me.password_changed;
	return result;
}

int
change_password(struct request *r, struct response *res)
{
	struct proof proof = { .user = 0 };
	struct input in[PASSWORD_FIELDS];

	form_read(&r->post, password_fields, PASSWORD_FIELDS, in, r->arena);
	compare_fields(in);
	if (!login_knows_present(r, res, &in[OLD], &proof))
		return 0;
	switch (set_password(r, in, &proof)) {
	case USER_DONE:
		break;
	case USER_WRONG:
		return show_password_form(r, res, 400, in);
	case USER_CHANGED:
		return respond_error(r, res, 403,
		    "Your password was changed elsewhere at this moment; this form changed "
		    "nothing. "
		    "Sign in with the new password.");
	case USER_BUSY:
		return respond_error(r, res, 503, LOGIN_BUSY);
	default:
		return respond_error(r, res, 503, NULL);
	}
	proof.factor = auth_factor(r);
	if (auth_sign_in(r, res, &proof) != 0)
		return 0;
	event_note(r,
	    (struct event){ .kind = EVENT_PASSWORD_CHANGED,
	        .user = r->user->id,
	        .username = r->user->username });
	respond_message(r, res, "ok",
	    STR("Password changed. Wherever else you were signed in, you are signed out now."));
	return respond_redirect(r, res, login_next(r));
}
