/*
 * login_setup: a new second factor: its key, which the browser keeps sealed in a cookie until a code
 * of it proves that a phone has it, and the recovery codes.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/qr.h"
#include "login.h"
#include "tom/mail.h"

#define OFFER_COOKIE "offer"
#define OFFER_SECONDS 3600

const struct field login_code_field = { "code", FIELD_TEXT, .required = true,
	.max = FACTOR_CODE_MAX, .label = "Code of your phone", .autocomplete = "one-time-code",
	.inputmode = "numeric" };

void
login_show_offer(
    struct request *r, struct response *res, struct value *page, int64_t user, struct str username)
{
	struct vault *vault = login_vault(r);
	struct str kept = request_cookie(r, OFFER_COOKIE);
	uint8_t key[TOTP_KEY];
	struct value *v;
	struct qr qr;

	if (kept.p == NULL || !factor_offer_read(vault, r->arena, user, kept, r->now, key))
		response_cookie(r, res, OFFER_COOKIE,
		    factor_offer(vault, r->arena, user, r->now, key), OFFER_SECONDS);
	if (qr_draw(r->arena,
	        totp_uri(r->arena, key, str_of(config_text(r->app->config, "TOM_NAME")), username),
	        &qr)) {
		v = value_set_object(page, "qr");
		value_set_int(v, "side", (int64_t)qr.side);
		value_set_text(v, "path", qr.path);
	}
	value_set_text(page, "key", totp_key_text(r->arena, key));
	value_set_text(page, "account", username);
	explicit_bzero(key, sizeof(key));
}

struct value *
login_recovery_page(
    struct request *r, const struct str codes[FACTOR_CODES], struct str username, struct str next)
{
	struct value *page = value_object(r->arena), *list;

	value_set_cstr(page, "title", "Recovery codes");
	list = value_set_list(page, "codes");
	for (size_t i = 0; i < FACTOR_CODES; i++)
		value_add_text(list, codes[i]);
	value_set_text(page, "account", username);
	value_set_text(page, "made", clock_minute(r->arena, r->now));
	value_set_text(page, "next", request_url(r, next.p));
	return page;
}

enum factor_result
login_take_offer(struct request *r, struct response *res, struct input *in, int64_t user,
    struct str username, struct value **page)
{
	struct vault *vault = login_vault(r);
	struct str kept = request_cookie(r, OFFER_COOKIE), codes[FACTOR_CODES];
	enum factor_result result;
	uint8_t key[TOTP_KEY];

	if (kept.p == NULL || !factor_offer_read(vault, r->arena, user, kept, r->now, key)) {
		form_wrong(in,
		    STR("The code before was too old. Scan the new one, then type what your phone "
		        "shows."));
		return FACTOR_WRONG;
	}
	result = factor_add(
	    r->app->db, r->arena, auth_secret(r), vault, user, key, in->text, r->now, codes);
	explicit_bzero(key, sizeof(key));
	if (result == FACTOR_WRONG)
		form_wrong(in,
		    STR("This is not the code of that key at this time. Type the six digits that "
		        "your phone shows now; if they never fit, its clock is off."));
	if (result == FACTOR_RIGHT) {
		response_cookie(r, res, OFFER_COOKIE, STR(""), 0);
		*page = login_recovery_page(r, codes, username, login_next(r));
	}
	return result;
}

struct str
login_code_wrong(struct request *r, struct response *res, enum factor_result result, int64_t user)
{
	struct factor f = { .there = false };
	int64_t seconds;

	switch (result) {
	case FACTOR_RIGHT:
	case FACTOR_RECOVERY:
		return STR_NONE;
	case FACTOR_USED:
		return STR("This code was used already. Wait until your phone shows the next one.");
	case FACTOR_WAIT:
		(void)!factor_get(r->app->db, user, &f);
		seconds = f.retry_at > r->now ? (f.retry_at - r->now + SECOND - 1) / SECOND : 1;
		response_set(
		    res, "Retry-After", arena_printf(r->arena, "%lld", (long long)seconds));
		return arena_printf(r->arena,
		    "Too many wrong codes. Codes of a phone are looked at again in %lld "
		    "minute%s; a recovery code is taken at any time.",
		    (long long)((seconds + 59) / 60), seconds > 60 ? "s" : "");
	case FACTOR_LOCKED:
		return STR(
		    "Codes of phones cannot be checked on this site now. Use a recovery code, "
		    "or ask those who run the site.");
	default:
		return STR("The code is wrong.");
	}
}

void
login_tell_owner(struct request *r, struct str username, struct str email, const char *what)
{
	struct str
	    subject = arena_printf(
	        r->arena, "%s: your second factor", config_text(r->app->config, "TOM_NAME")),
	    body = arena_printf(r->arena,
	        "%s\n\nAccount: %.*s\nTime: %s UTC\nAddress: %.*s\n\nIf that was not you, change "
	        "your password at once and tell those who run the site%s%s.\n",
	        what, STR_ARG(username), clock_minute(r->arena, r->now).p, STR_ARG(r->remote_addr),
	        config_text(r->app->config, "CONTACT")[0] != '\0' ? ": " : "",
	        config_text(r->app->config, "CONTACT"));

	if (mail_add(r->app->db, r->app->config, email, subject, body) != DB_END)
		log_warn("a mail could not be put into the queue",
		    LOG_TEXT("error", db_error(r->app->db)));
}
