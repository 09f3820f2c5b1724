/*
 * meridian session, meridian purge: signing people out, and an end for what is kept no longer.
 */
#include "meridian.h"

#include "auth/event.h"
#include "auth/one_time.h"
#include "auth/session_list.h"
#include "base/clock.h"
#include "tom/mail.h"
#include "tom/registration.h"
#include "tom/user.h"

#define STEP 1000 /* rows removed in one transaction: pages wait for it no longer than that takes */

static int
say_number(struct run *run, const char *what, int64_t n)
{
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_int(v, what, n);
		run_json(v);
		return EXIT_DONE;
	}
	run_say(run, "%s: %lld", what, (long long)n);
	return EXIT_DONE;
}

static int
end_of_user(struct run *run, const char *name, int64_t *ended)
{
	struct account account;
	enum db_result r;

	switch (user_find(run->db, run->arena, str_of(name), &account)) {
	case USER_DONE:
		break;
	case USER_UNKNOWN:
		return run_fail(EXIT_FAILED, "there is no user \"%s\"", name);
	default:
		return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
	}
	r = session_end_others(run->db, account.id, NULL, ended);
	if (r != DB_END)
		return run_db_failed(run, r);
	event_note_command(run->db, clock_now(),
	    (struct event){ .kind = EVENT_SESSION_ENDED,
	        .user = account.id,
	        .username = account.username,
	        .detail = STR("by meridian session end") });
	return EXIT_DONE;
}

static int
end_of_all(struct run *run, int64_t *ended)
{
	enum db_result r = session_end_all(run->db, ended);

	if (r != DB_END)
		return run_db_failed(run, r);
	event_note_command(run->db, clock_now(),
	    (struct event){ .kind = EVENT_SESSION_ENDED,
	        .detail = STR("all of everybody, by meridian session end") });
	return EXIT_DONE;
}

int
command_session_end(struct run *run)
{
	const char *name = run_option(run, "user");
	int64_t ended = 0;
	int code;

	if ((name != NULL) == run_has(run, "all"))
		return run_fail(
		    EXIT_USAGE, "session end wants --user NAME, or --all for everybody");
	code = name != NULL ? end_of_user(run, name, &ended) : end_of_all(run, &ended);
	return code != EXIT_DONE ? code : say_number(run, "ended", ended);
}

static enum db_result
purge_events(struct run *run, int64_t now, int64_t *all)
{
	int64_t old = now - config_int(run->config, "SECURITY_LOG_DAYS") * DAY, removed;
	enum db_result r;

	do {
		r = event_purge(run->db, old, STEP, &removed);
		*all += removed;
	} while (r == DB_END && removed == STEP);
	return r;
}

int
command_purge(struct run *run)
{
	int64_t now = clock_now(), removed = 0;
	enum db_result r = purge_events(run, now, &removed);

	if (r == DB_END && (r = registration_purge(run->db, run->config, now)) == DB_END)
		removed += db_changes(run->db);
	if (r == DB_END && (r = mail_purge(run->db, now)) == DB_END)
		removed += db_changes(run->db);
	/* links of nobody: those that expired */
	if (r == DB_END && (r = one_time_end(run->db, ONE_TIME_RESET, 0, now)) == DB_END)
		removed += db_changes(run->db);
	return r == DB_END ? say_number(run, "removed", removed) : run_db_failed(run, r);
}
