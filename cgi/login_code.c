/*
 * login_code: between the password and the session: the code of the second factor; and the setting up
 * of one, where the site asks for it (TOM_MFA_REQUIRED) and the account has none.
 *
 * Who is on these pages has given the password and nothing else: a cookie says so (auth_half), which
 * opens no other page.
 */
#include <string.h>

#include "auth/event.h"
#include "base/log.h"
#include "login.h"

static const struct field recovery_field = { "code", FIELD_TEXT, .required = true,
	.max = FACTOR_CODE_MAX, .label = "Recovery code", .autocomplete = "off" };

struct str
login_with_next(struct request *r, const char *path)
{
	struct str next = login_next(r);

	if (str_is(next, "/"))
		return str_of(path);
	return arena_printf(r->arena, "%s%cnext=%s", path, strchr(path, '?') != NULL ? '&' : '?',
	    url_encode(r->arena, request_url(r, next.p)).p);
}

/* Somebody who has given their password. */
struct half {
	struct proof proof;
	struct user user; /* username, email, is_superuser; no groups */
	struct factor factor;
	bool found; /* still active, with that password */
};

static enum db_result
find_user(struct request *r, struct half *h)
{
	struct query *q = db_query(r->app->db, QUERY_FACTOR_OWNER);

	db_int(q, "id", h->proof.user);
	db_int(q, "password_changed", h->proof.password_changed);
	if (db_step(q) == DB_ROW) {
		h->found = true;
		h->user.id = h->proof.user;
		h->user.username = db_col_copy(q, "username", r->arena);
		h->user.email = db_col_copy(q, "email", r->arena);
		h->user.is_staff = db_col_bool(q, "is_staff");
		h->user.is_superuser = db_col_bool(q, "is_superuser");
	}
	return db_done(q);
}

/* Looks the account up. False with the response filled where the database does not answer. */
static bool
look_up(struct request *r, struct response *res, struct half *h)
{
	enum db_result result = find_user(r, h);

	if (result == DB_END && h->found)
		result = factor_get(r->app->db, h->user.id, &h->factor);
	if (result != DB_END)
		auth_db_failed(r, res, result);
	return result == DB_END;
}

/*
 * Whose turn it is on a page of these; false with the response filled: nobody's (to the first page),
 * or the other page's.
 */
static bool
is_their_turn(struct request *r, struct response *res, struct half *h, bool has_factor)
{
	*h = (struct half){ .found = false };
	if (auth_half(r, login_vault(r), &h->proof) && !look_up(r, res, h))
		return false;
	if (!h->found || (!h->factor.there && !factor_required(r->app->config, &h->user))) {
		respond_redirect(r, res, login_with_next(r, "/accounts/login/"));
		return false;
	}
	if (h->factor.there != has_factor) {
		respond_redirect(r, res,
		    login_with_next(
		        r, has_factor ? "/accounts/login/factor/" : "/accounts/login/code/"));
		return false;
	}
	return true;
}

int
login_enter(struct request *r, struct response *res, const struct proof *proof, struct str username)
{
	struct half h = { .proof = *proof };

	if (!look_up(r, res, &h))
		return 0;
	if (!h.found || (!h.factor.there && !factor_required(r->app->config, &h.user))) {
		return login_begin(r, res, proof, username) == 0
		    ? respond_redirect(r, res, login_next(r))
		    : 0;
	}
	auth_half_begin(r, res, login_vault(r), proof);
	return respond_redirect(r, res,
	    login_with_next(
	        r, h.factor.there ? "/accounts/login/code/" : "/accounts/login/factor/"));
}

/* --- the second page --- */

static bool
wants_recovery(struct request *r)
{
	struct str how = pairs_get(&r->post, "how");

	return str_is(how.p != NULL ? how : pairs_get(&r->get, "how"), "recovery");
}

static int
show_code_form(struct request *r, struct response *res, int status, struct input *in)
{
	bool recovery = wants_recovery(r);
	struct value *page = value_object(r->arena);

	if (in != NULL)
		in->text = STR(""); /* it is of no use again */
	value_set_cstr(page, "title", "Second factor");
	value_set_text(page, "next", request_url(r, login_next(r).p));
	value_set_bool(page, "recovery", recovery);
	value_set_text(page, "other",
	    login_with_next(
	        r, recovery ? "/accounts/login/code/" : "/accounts/login/code/?how=recovery"));
	value_set_cstr(page, "contact", config_text(r->app->config, "CONTACT"));
	form_show(page, recovery ? &recovery_field : &login_code_field, in, 1, r->arena);
	return respond_page(r, res, status, "code", page);
}

int
show_code(struct request *r, struct response *res)
{
	struct half h;

	if (!is_their_turn(r, res, &h, true))
		return 0;
	return show_code_form(r, res, 200, NULL);
}

static void
note_code(struct request *r, const struct half *h, enum factor_result result)
{
	static const char *const why[] = { [FACTOR_WRONG] = "the code was wrong",
		[FACTOR_USED] = "the code was used before",
		[FACTOR_WAIT] = "too many wrong codes",
		[FACTOR_LOCKED] = "the key does not open",
		[FACTOR_FAILED] = "" };

	if (result == FACTOR_RIGHT || result == FACTOR_FAILED)
		return;
	event_note(r,
	    (struct event){
	        .kind = result == FACTOR_RECOVERY ? EVENT_RECOVERY_CODE_USED : EVENT_FACTOR_REFUSED,
	        .user = h->user.id,
	        .username = h->user.username,
	        .detail = str_of(result == FACTOR_RECOVERY ? "to sign in" : why[result]) });
}

int
give_code(struct request *r, struct response *res)
{
	enum factor_result result;
	struct input in;
	struct half h;

	if (!is_their_turn(r, res, &h, true))
		return 0;
	if (form_read(&r->post, wants_recovery(r) ? &recovery_field : &login_code_field, 1, &in,
	        r->arena) > 0)
		return show_code_form(r, res, 400, &in);
	result = factor_check(
	    r->app->db, r->arena, auth_secret(r), login_vault(r), h.user.id, in.text, r->now);
	note_code(r, &h, result);
	switch (result) {
	case FACTOR_RIGHT:
	case FACTOR_RECOVERY:
		break;
	case FACTOR_FAILED:
		return respond_error(r, res, 503, NULL);
	default:
		form_wrong(&in, login_code_wrong(r, res, result, h.user.id));
		return show_code_form(r, res, result == FACTOR_WAIT ? 429 : 400, &in);
	}
	h.proof.factor = r->now;
	if (login_begin(r, res, &h.proof, h.user.username) != 0)
		return 0;
	if (result == FACTOR_RECOVERY) {
		login_tell_owner(r, h.user.username, h.user.email,
		    "Somebody signed in to your account with a recovery code.");
		respond_message(r, res, "warn",
		    arena_printf(r->arena,
		        "This recovery code is used up; you have %lld more. Make new ones under "
		        "\"Second factor\" before the last is gone.",
		        (long long)h.factor.codes_left - 1));
	}
	return respond_redirect(r, res, login_next(r));
}

/* --- who must have one, and has none --- */

static int
show_first_form(
    struct request *r, struct response *res, int status, struct input *in, const struct half *h)
{
	struct value *page = value_object(r->arena);

	if (login_vault(r) == NULL) /* the check before start lets no such configuration through */
		return respond_error(r, res, 500, NULL);
	if (in != NULL)
		in->text = STR("");
	value_set_cstr(page, "title", "Set up a second factor");
	value_set_text(page, "next", request_url(r, login_next(r).p));
	login_show_offer(r, res, page, h->user.id, h->user.username);
	form_show(page, &login_code_field, in, 1, r->arena);
	return respond_page(r, res, status, "factor-first", page);
}

int
show_first_factor(struct request *r, struct response *res)
{
	struct half h;

	if (!is_their_turn(r, res, &h, false))
		return 0;
	return show_first_form(r, res, 200, NULL, &h);
}

int
add_first_factor(struct request *r, struct response *res)
{
	struct value *page;
	struct input in;
	struct half h;

	if (!is_their_turn(r, res, &h, false))
		return 0;
	if (login_vault(r) == NULL || form_read(&r->post, &login_code_field, 1, &in, r->arena) > 0)
		return show_first_form(r, res, 400, &in, &h);
	switch (login_take_offer(r, res, &in, h.user.id, h.user.username, &page)) {
	case FACTOR_RIGHT:
		break;
	case FACTOR_WRONG:
		return show_first_form(r, res, 400, &in, &h);
	case FACTOR_TAKEN:
		return respond_redirect(r, res, login_with_next(r, "/accounts/login/code/"));
	default:
		return respond_error(r, res, 503, NULL);
	}
	event_note(r,
	    (struct event){ .kind = EVENT_FACTOR_ADDED,
	        .user = h.user.id,
	        .username = h.user.username,
	        .actor = h.user.id });
	login_tell_owner(
	    r, h.user.username, h.user.email, "A second factor was set up for your account.");
	h.proof.factor = r->now;
	if (login_begin(r, res, &h.proof, h.user.username) != 0)
		return 0;
	return respond_page(r, res, 200, "recovery", page);
}
