/*
 * login_token_auth: a token for a user name and a password, as Django REST framework's
 * obtain_auth_token gives it: the same fields, statuses and sentences, so that its clients go on.
 */
#include <string.h>

#include "auth/event.h"
#include "auth/factor.h"
#include "auth/throttle.h"
#include "auth/token.h"
#include "base/clock.h"
#include "http/json_read.h"
#include "login.h"

#define NO_SUCH "Unable to log in with provided credentials."

/* What came as user name and password. */
struct credentials {
	struct str username, password;
	const char *username_why, *password_why; /* NULL: it is one */
};

/* A field of the form, or of the object that the JSON is (then `json`); absent with *why. */
static struct str
take(struct request *r, const struct value *json, const char *name, const char **why)
{
	const struct value *v = json == NULL ? NULL : value_get(json, name, strlen(name));
	struct str text = json == NULL ? pairs_get(&r->post, name) : value_text(v);
	struct buf b = { 0 };

	*why = NULL;
	if (value_kind(v) == VALUE_INT) {
		value_print(v, &b);
		text = arena_str(r->arena, buf_text(&b));
		buf_free(&b);
	}
	if (json == NULL ? text.p == NULL : v == NULL)
		*why = "This field is required.";
	else if (json != NULL && value_kind(v) == VALUE_NULL)
		*why = "This field may not be null.";
	else if (text.p == NULL)
		*why = "Not a valid string.";
	else if (str_trim(text).n == 0)
		*why = "This field may not be blank.";
	return *why == NULL ? text : STR_NONE;
}

static int
refuse(struct request *r, struct response *res, const char *sentence)
{
	struct value *v = value_object(r->arena);

	value_add_text(value_set_list(v, "non_field_errors"), str_of(sentence));
	return respond_json(r, res, 400, v);
}

/* Fills in the credentials, or answers that the request has none: false. */
static bool
read_credentials(struct request *r, struct response *res, struct credentials *c)
{
	const char *why;
	struct value *json = NULL, *wrong = value_object(r->arena);

	if (r->body.p != NULL) {
		json = json_read(r->arena, r->body, &why);
		if (json == NULL) {
			respond_error(r, res, 400, why);
			return false;
		}
		if (value_kind(json) != VALUE_OBJECT) {
			refuse(r, res, "Invalid data. Expected a dictionary.");
			return false;
		}
	}
	c->username = str_trim(take(r, json, "username", &c->username_why));
	c->password = take(r, json, "password", &c->password_why);
	/* what can be no name is nobody's, at the price of one that is */
	for (size_t i = 0; i < c->username.n; i++)
		if ((unsigned char)c->username.p[i] < ' ')
			c->username = STR("");
	if (c->username_why == NULL && c->password_why == NULL)
		return true;
	if (c->username_why != NULL)
		value_add_text(value_set_list(wrong, "username"), str_of(c->username_why));
	if (c->password_why != NULL)
		value_add_text(value_set_list(wrong, "password"), str_of(c->password_why));
	respond_json(r, res, 400, wrong);
	return false;
}

/*
 * Does a password alone do for this account? Not where a second factor is there, or must be. -1 where
 * the database cannot say.
 */
static int
password_does(struct request *r, struct str username, int64_t user)
{
	struct account account;
	struct factor factor;

	if (user_find(r->app->db, r->arena, username, &account) != USER_DONE ||
	    factor_get(r->app->db, user, &factor) != DB_END)
		return -1;
	return !factor.there &&
	    !factor_required(r->app->config,
	        &(struct user){ .id = account.id,
	            .is_staff = account.is_staff,
	            .is_superuser = account.is_superuser });
}

static int
give(
    struct request *r, struct response *res, const struct credentials *c, const struct proof *proof)
{
	int64_t age = config_int(r->app->config, "TOM_PASSWORD_EXPIRY_DAYS") * DAY;
	int64_t user = proof->user;
	struct value *v = value_object(r->arena);
	enum db_result done;
	struct str text;

	if (age > 0 && r->now - proof->password_changed >= age)
		return refuse(r, res,
		    "The password of this account has expired. Sign in and choose another first.");
	switch (password_does(r, c->username, user)) {
	case 1:
		break;
	case 0:
		return refuse(r, res,
		    "This account signs in with a second factor, and a password alone gets no "
		    "token. "
		    "Sign in and make one at " TOKENS_PAGE ".");
	default:
		return respond_error(r, res, 503, NULL);
	}
	done = token_add_automatic(r->app->db, r->arena, auth_secret(r), proof, r->now,
	    token_latest_end(r->app->config, r->now), &text);
	if (done == DB_TAKEN) /* the password is another one since, or no longer enough */
		return refuse(r, res, NO_SUCH);
	if (done == DB_REFUSED)
		return refuse(r, res, "You have as many tokens as one may have. Revoke one first.");
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	event_note(r,
	    (struct event){ .kind = EVENT_TOKEN_MADE,
	        .user = user,
	        .username = c->username,
	        .actor = user,
	        .detail = STR("token-auth (read write)") });
	value_set_text(v, "token", text);
	return respond_json(r, res, 200, v);
}

int
token_auth(struct request *r, struct response *res)
{
	struct credentials c;
	struct throttle attempt;
	struct proof proof;
	int64_t wait;

	if (config_bool(r->app->config, "TOM_API_TOKEN_REQUIRES_MFA"))
		return respond_error(r, res, 403,
		    "This site gives no token for a password alone. Sign in with a second factor "
		    "and "
		    "make one at " TOKENS_PAGE ".");
	if (!read_credentials(r, res, &c))
		return 0;
	wait = throttle_ask(r, THROTTLE_SIGN_IN, c.username, &attempt);
	if (wait != 0)
		return throttle_refuse(r, res, wait);
	switch (auth_check_password(r->app->db, r->arena, c.username, c.password, &proof)) {
	case AUTH_YES:
		throttle_passed(r, &attempt);
		return give(r, res, &c, &proof);
	case AUTH_NO:
		event_note(r,
		    (struct event){ .kind = EVENT_SIGN_IN_REFUSED,
		        .user = proof.user,
		        .username = proof.user == 0 ? STR("") : c.username,
		        .detail = arena_printf(r->arena, "token-auth: %s", proof.refused) });
		return refuse(r, res, NO_SUCH);
	case AUTH_BUSY:
		throttle_undo(r, &attempt);
		return respond_error(r, res, 503, LOGIN_BUSY);
	case AUTH_AWAY:
		throttle_undo(r, &attempt);
		break;
	}
	return respond_error(r, res, 503, NULL);
}
