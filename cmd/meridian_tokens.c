/*
 * meridian token: API tokens of a user, for the operator: seeing them and taking them away. Making
 * one is its owner's, on the page /accounts/tokens/.
 */
#include "meridian.h"

#include <stdio.h>

#include "auth/event.h"
#include "auth/token.h"
#include "base/clock.h"
#include "tom/user.h"

/* 0, or the exit code having said why. */
static int
find_user(struct run *run, struct account *u)
{
	switch (user_find(run->db, run->arena, str_of(run->args[0]), u)) {
	case USER_DONE:
		return 0;
	case USER_UNKNOWN:
		return run_fail(EXIT_FAILED, "there is no user \"%s\"", run->args[0]);
	default:
		return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
	}
}

static const char *
minute_or(struct run *run, int64_t at, const char *otherwise)
{
	return at == 0 ? otherwise : clock_minute(run->arena, at).p;
}

static void
list_token(struct run *run, struct value *list, const struct token *t)
{
	int64_t days = config_int(run->config, "TOM_API_TOKEN_EXPIRY_DAYS");
	int64_t end = token_end(t, days * DAY);
	struct value *v = value_add_object(list);

	run_say(run, "%-30.*s %-20.*s ends: %s  last used: %s", STR_ARG(t->name),
	    STR_ARG(t->scopes), minute_or(run, end, "never"),
	    minute_or(run, t->last_used, "never"));
	value_set_int(v, "id", t->id);
	value_set_text(v, "name", t->name);
	value_set_text(v, "scopes", t->scopes);
	value_set_text(v, "created", clock_iso(run->arena, t->created));
	value_set_text(v, "expires", end == 0 ? STR_NONE : clock_iso(run->arena, end));
	value_set_text(
	    v, "last_used", t->last_used == 0 ? STR_NONE : clock_iso(run->arena, t->last_used));
}

int
command_token_list(struct run *run)
{
	struct value *list = value_list(run->arena);
	struct token *tokens;
	struct account u;
	enum db_result r;
	size_t n;
	int code = find_user(run, &u);

	if (code != 0)
		return code;
	if ((r = token_list(run->db, run->arena, u.id, &tokens, &n)) != DB_END)
		return run_db_failed(run, r);
	for (size_t i = 0; i < n; i++)
		list_token(run, list, &tokens[i]);
	if (run->json)
		run_json(list);
	else if (n == 0)
		run_say(run, "%s has no tokens.", run->args[0]);
	return EXIT_DONE;
}

/* The id of a user's token of that name; 0 where there is none. */
static enum db_result
find_token(struct run *run, int64_t user, const char *name, int64_t *id)
{
	struct token *tokens;
	size_t n;
	enum db_result r = token_list(run->db, run->arena, user, &tokens, &n);

	*id = 0;
	for (size_t i = 0; r == DB_END && i < n; i++)
		if (str_is(tokens[i].name, name))
			*id = tokens[i].id;
	return r;
}

int
command_token_revoke(struct run *run)
{
	const char *name = run_option(run, "name");
	struct account u;
	enum db_result r;
	struct str was;
	int64_t id, n = 1;
	int code = find_user(run, &u);

	if (code != 0)
		return code;
	if (name == NULL) {
		r = token_revoke_all(run->db, u.id, &n);
	} else {
		r = find_token(run, u.id, name, &id);
		if (r == DB_END)
			r = token_revoke(run->db, run->arena, u.id, id, &was);
		if (r == DB_REFUSED)
			return run_fail(EXIT_FAILED, "%s has no token \"%s\"", run->args[0], name);
	}
	if (r != DB_END)
		return run_db_failed(run, r);
	if (n > 0)
		event_note_command(run->db, clock_now(),
		    (struct event){ .kind = EVENT_TOKEN_REVOKED,
		        .user = u.id,
		        .username = u.username,
		        .detail = name != NULL ? str_of(name)
		                               : arena_printf(run->arena, "all: %d", (int)n) });
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_text(v, "username", u.username);
		value_set_int(v, "revoked", n);
		run_json(v);
	}
	run_say(run, "revoked %d token%s of %s", (int)n, n == 1 ? "" : "s", run->args[0]);
	return EXIT_DONE;
}
