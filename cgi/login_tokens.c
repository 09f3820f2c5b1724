/*
 * login_tokens: one's own API tokens. The text of a new one is on the page that answers the form, once,
 * and nowhere else: a redirect would have to carry it. Sending that form again is refused by its name.
 * It asks for the password: a session that was left open or stolen makes no way in that outlives it.
 */
#include <string.h>

#include "auth/event.h"
#include "auth/password.h"
#include "auth/token.h"
#include "base/clock.h"
#include "http/form.h"
#include "login.h"

#define DAYS_MAX 3650

enum { NAME, END, PASSWORD, TOKEN_FIELDS };
static const struct field token_fields[] = {
	[NAME] = { "name", FIELD_TEXT, .required = true, .max = TOKEN_NAME_MAX, .label = "Name",
	    .placeholder = "Night log on telescope-pc",
	    .help = "What uses it and where, so that you know it when it must go." },
	[END] = { "days", FIELD_INT, .min = 1, .max = DAYS_MAX, .label = "Days it lasts" },
	[PASSWORD] = { "old_password", FIELD_SECRET, .required = true, .max = PASSWORD_MAX,
	    .label = "Your password", .autocomplete = "current-password",
	    .help = "A token outlives the session that makes it." },
};
static const struct field scope_field = { "scope", FIELD_TEXT, .label = "What it may do" };

/* Does this site give a token only to somebody who gave a second factor, and they did not? */
static bool
needs_factor(const struct request *r)
{
	return config_bool(r->app->config, "TOM_API_TOKEN_REQUIRES_MFA") &&
	    auth_session(r)->factor == 0;
}

static void
add_scope(
    struct value *list, struct arena *a, const char *area, const char *verb, struct str chosen)
{
	struct value *v = value_add_object(list);
	struct str word = area == NULL ? str_of(verb) : arena_printf(a, "%s:%s", area, verb);
	struct str spaced = arena_printf(a, " %s ", chosen.p == NULL ? "" : chosen.p);

	value_set_text(v, "word", word);
	value_set_bool(v, "checked", strstr(spaced.p, arena_printf(a, " %s ", word.p).p) != NULL);
}

/* A row for all areas, then one for each: its label, and the two boxes. */
static void
show_scopes(struct value *page, struct arena *a, struct str chosen)
{
	struct value *rows = value_set_list(page, "areas");

	for (size_t i = 0; i <= token_nareas; i++) {
		const char *area = i == 0 ? NULL : token_areas[i - 1].word;
		struct value *row = value_add_object(rows), *boxes;

		value_set_cstr(row, "area", i == 0 ? "Everything" : token_areas[i - 1].label);
		boxes = value_set_list(row, "boxes");
		add_scope(boxes, a, area, "read", chosen);
		add_scope(boxes, a, area, "write", chosen);
	}
}

static void
show_token(struct request *r, struct value *list, const struct token *t)
{
	struct value *v = value_add_object(list);
	int64_t days = config_int(r->app->config, "TOM_API_TOKEN_EXPIRY_DAYS");
	int64_t end = token_end(t, days * DAY);

	value_set_int(v, "id", t->id);
	value_set_text(v, "token_name", t->name);
	value_set_text(v, "scopes", t->scopes);
	value_set_text(v, "made", clock_minute(r->arena, t->created));
	value_set_text(v, "ends", end == 0 ? STR_NONE : clock_minute(r->arena, end));
	value_set_bool(v, "ended", end != 0 && end <= r->now);
	value_set_text(
	    v, "used", t->last_used == 0 ? STR_NONE : clock_minute(r->arena, t->last_used));
}

/*
 * The list and the form. `in` is what was typed (NULL: nothing yet), `scope` the words that were
 * chosen, `made` a new token with its text.
 */
static int
show_page(struct request *r, struct response *res, int status, const struct input *in,
    const struct input *scope, const struct token *made, struct str text)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "tokens"), *v;
	int64_t days = config_int(r->app->config, "TOM_API_TOKEN_EXPIRY_DAYS");
	struct input fresh[TOKEN_FIELDS] = { { .state = ABSENT } };
	struct token *tokens;
	size_t n;
	enum db_result done = token_list(r->app->db, r->arena, r->user->id, &tokens, &n);

	if (done != DB_END)
		return auth_db_failed(r, res, done);
	for (size_t i = 0; i < n; i++)
		show_token(r, list, &tokens[i]);
	if (in == NULL && days > 0)
		form_fill(&fresh[END], arena_printf(r->arena, "%d", (int)days));
	form_show(page, token_fields, in == NULL ? fresh : in, TOKEN_FIELDS, r->arena);
	form_show(page, &scope_field, scope, 1, r->arena);
	show_scopes(page, r->arena, scope == NULL ? STR("read") : scope->text);
	value_set_cstr(page, "title", "API tokens");
	if (days > 0)
		value_set_int(page, "most_days", days);
	value_set_bool(page, "needs_factor", needs_factor(r));
	value_set_text(page, "site",
	    arena_printf(r->arena, "%s://%s%s", r->scheme.p, r->host.p, r->app->prefix.p));
	if (made != NULL) {
		v = value_set_object(page, "made");
		value_set_text(v, "token_name", made->name);
		value_set_text(v, "text", text);
	}
	return respond_page(r, res, status, "tokens", page);
}

int
show_tokens(struct request *r, struct response *res)
{
	return show_page(r, res, 200, NULL, NULL, NULL, STR_NONE);
}

/* The boxes that were ticked, as the words of a token. */
static void
read_scopes(struct request *r, struct input *scope)
{
	struct str words = STR(""), word, scopes;

	for (size_t i = 0; (word = pairs_nth(&r->post, "scope", i)).p != NULL; i++)
		words = arena_printf(r->arena, "%s %s", words.p, word.p);
	scopes = token_scopes(r->arena, words);
	*scope = (struct input){ .state = VALID, .text = scopes };
	if (scopes.p == NULL) {
		scope->text = STR("");
		form_wrong(scope, STR("Choose what the token may do: reading, writing, or both."));
	}
}

/* When it ends: as typed, else as late as the site lets. */
static int64_t
end_of(struct request *r, struct input *in)
{
	int64_t days = config_int(r->app->config, "TOM_API_TOKEN_EXPIRY_DAYS");

	if (in[END].state == ABSENT)
		return token_latest_end(r->app->config, r->now);
	if (in[END].state == VALID && days > 0 && in[END].integer > days)
		form_wrong(&in[END],
		    arena_printf(
		        r->arena, "A token lasts %d days at most on this site.", (int)days));
	return r->now + in[END].integer * DAY;
}

int
make_token(struct request *r, struct response *res)
{
	struct token t = { .user_id = r->user->id, .created = r->now };
	struct proof proof = { .user = 0 };
	struct input in[TOKEN_FIELDS], scope;
	struct str text;
	enum db_result done;

	if (needs_factor(r))
		return respond_error(r, res, 403,
		    "This site gives tokens only to who signed in with a second factor.");
	form_read(&r->post, token_fields, TOKEN_FIELDS, in, r->arena);
	read_scopes(r, &scope);
	t.expires = end_of(r, in);
	if (form_count_wrong(in, TOKEN_FIELDS) == 0 && scope.state != WRONG &&
	    !login_knows_present(r, res, &in[PASSWORD], &proof))
		return 0;
	if (form_count_wrong(in, TOKEN_FIELDS) > 0 || scope.state == WRONG)
		return show_page(r, res, 400, in, &scope, NULL, STR_NONE);
	t.name = in[NAME].text;
	t.scopes = scope.text;
	done = token_add(r->app->db, r->arena, auth_secret(r), &t, &text);
	if (done == DB_TAKEN || done == DB_REFUSED) {
		form_wrong(&in[NAME],
		    done == DB_TAKEN
		        ? STR("You have a token of this name. Choose another name, or revoke that "
		              "one first.")
		        : STR("You have as many tokens as one may have. Revoke one first."));
		return show_page(r, res, 400, in, &scope, NULL, STR_NONE);
	}
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	event_note(r,
	    (struct event){ .kind = EVENT_TOKEN_MADE,
	        .user = r->user->id,
	        .username = r->user->username,
	        .detail = arena_printf(r->arena, "%s (%s)", t.name.p, t.scopes.p) });
	return show_page(r, res, 200, NULL, NULL, &t, text);
}

int
revoke_token(struct request *r, struct response *res)
{
	struct str name;
	enum db_result done = token_revoke(r->app->db, r->arena, r->user->id, r->id[0], &name);

	if (done == DB_REFUSED)
		return respond_error(
		    r, res, 404, "You have no such token; it may be revoked already.");
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	event_note(r,
	    (struct event){ .kind = EVENT_TOKEN_REVOKED,
	        .user = r->user->id,
	        .username = r->user->username,
	        .detail = name });
	respond_message(r, res, "ok",
	    arena_printf(r->arena, "Revoked \"%s\". What used it is refused from now on.", name.p));
	return respond_redirect(r, res, STR(TOKENS_PAGE));
}
