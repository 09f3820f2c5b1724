/*
 * meridian mail send, list, retry, drop: the queue of mail, and the one who sends it.
 *
 * send makes one pass; with --watch it stays and looks every few seconds, as a service. Several of them
 * may run: each mail is somebody's for a while (lib/tom/mail.h).
 */
#include "meridian.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "mail.h"
#include "tom/mail.h"
#include "tom/site.h"

#define WATCH_SECONDS 5

/* What ends --watch; blocked otherwise, so that no mail is left half handed on. */
static sigset_t endings;
static bool told_to_end;

/* Waits so long for being told to end. */
static bool
ends_within(time_t seconds)
{
	if (!told_to_end)
		told_to_end = sigtimedwait(&endings, NULL, &(struct timespec){ seconds, 0 }) > 0;
	return told_to_end;
}

/* The host of the site, as it calls itself to others. */
static enum db_result
site_host(struct run *run, struct arena *a, struct str *domain)
{
	struct site site;
	enum db_result r = site_get(run->db, a, config_int(run->config, "SITE_ID"), &site);

	*domain = r == DB_ROW ? site.domain : STR("localhost");
	return r == DB_ROW ? DB_END : r;
}

/* Hands one mail on and says what became of it. */
static enum db_result
send_one(struct run *run, struct arena *a, const struct mail *m, struct str domain, bool *sent)
{
	bool smtp = strcmp(config_text(run->config, "MAIL_TRANSPORT"), "smtp") == 0;
	struct str why = STR("the address is none that mail can be sent to"),
	           host = { domain.p, str_find(domain, ':') };
	struct delivery d = { .arena = a,
		.config = run->config,
		.from = str_of(config_text(run->config, "MAIL_FROM")),
		.to = m->to,
		.message = mail_message(a, run->config, m, domain, clock_now()),
		.host = arena_str(a, host.n > 0 && host.p[0] != '[' ? host : STR("localhost")) };
	enum delivered done = DELIVERY_REFUSED;

	if (d.message.p != NULL)
		done = smtp ? smtp_deliver(&d, &why) : sendmail_deliver(&d, &why);
	*sent = done == DELIVERED;
	if (done == DELIVERED) {
		log_info("mail sent", LOG_INT("mail", m->id), LOG_INT("attempt", m->attempts));
		return mail_done(run->db, m, clock_now());
	}
	log_warn("mail not sent", LOG_INT("mail", m->id), LOG_INT("attempt", m->attempts),
	    LOG_STR("why", why));
	return mail_failed(run->db, m, clock_now(), why, done == DELIVERY_REFUSED);
}

struct pass {
	int64_t sent, failed;
};

/* All that is due. What it needs goes with each mail. */
static enum db_result
send_due(struct run *run, struct pass *pass)
{
	struct arena *all = arena_new(), *a = arena_new();
	struct str domain;
	struct mail m;
	enum db_result r = site_host(run, all, &domain);

	while (r == DB_END && !(run_has(run, "watch") && ends_within(0))) {
		bool sent = false;

		arena_reset(a);
		r = mail_claim(run->db, a, clock_now(), &m);
		if (r != DB_ROW)
			break;
		r = send_one(run, a, &m, domain, &sent);
		*(sent ? &pass->sent : &pass->failed) += 1;
	}
	arena_free(a);
	arena_free(all);
	return r;
}

/* Sends until it is told to end. A database that is away comes back. */
static int
watch(struct run *run)
{
	sigemptyset(&endings);
	sigaddset(&endings, SIGTERM);
	sigaddset(&endings, SIGINT);
	sigprocmask(SIG_BLOCK, &endings, NULL);
	log_set_level(LOG_LEVEL_INFO);
	log_info("mail is sent from here");
	do {
		struct pass pass = { 0 };

		if (send_due(run, &pass) != DB_END)
			log_error("the queue of mail cannot be read",
			    LOG_TEXT("error", db_error(run->db)));
	} while (!ends_within(WATCH_SECONDS));
	return EXIT_DONE;
}

int
command_mail_send(struct run *run)
{
	const char *wrong = mail_settings_wrong(run->config);
	struct pass pass = { 0 };
	enum db_result r;

	if (!mail_is_on(run->config))
		return run_fail(EXIT_CONFIG, "MAIL_TRANSPORT is none: this site sends no mail");
	if (wrong != NULL)
		return run_fail(EXIT_CONFIG, "%s", wrong);
	if (run_has(run, "watch"))
		return watch(run);
	if ((r = send_due(run, &pass)) != DB_END)
		return run_db_failed(run, r);
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_int(v, "sent", pass.sent);
		value_set_int(v, "failed", pass.failed);
		run_json(v);
	} else {
		run_say(
		    run, "%lld sent, %lld failed.", (long long)pass.sent, (long long)pass.failed);
	}
	return pass.failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

static void
show(struct run *run, struct value *list, const struct mail *m)
{
	static const char *const states[] = {
		[MAIL_WAITING] = "waiting", [MAIL_SENT] = "sent", [MAIL_GIVEN_UP] = "given up"
	};
	struct value *v = value_add_object(list);
	const char *state = states[mail_state(m)];

	value_set_int(v, "id", m->id);
	value_set_text(v, "created", clock_iso(run->arena, m->created));
	value_set_text(v, "to", m->to);
	value_set_text(v, "subject", m->subject);
	value_set_cstr(v, "state", state);
	value_set_int(v, "attempts", m->attempts);
	value_set_text(
	    v, "next_try", m->next_try != 0 ? clock_iso(run->arena, m->next_try) : STR_NONE);
	value_set_text(v, "sent", m->sent != 0 ? clock_iso(run->arena, m->sent) : STR_NONE);
	value_set_text(v, "error", m->error);
	run_say(run, "%4lld  %.*s  %-8s  %lld attempt%s  %.*s  %.*s", (long long)m->id,
	    STR_ARG(clock_minute(run->arena, m->created)), state, (long long)m->attempts,
	    m->attempts == 1 ? "" : "s", STR_ARG(m->to), STR_ARG(m->subject));
	if (m->error.n > 0)
		run_say(run, "      %.*s", STR_ARG(m->error));
}

int
command_mail_list(struct run *run)
{
	struct value *list = value_list(run->arena);
	struct mail *mails;
	int64_t after = 0;
	size_t n;

	do {
		enum db_result r = mail_list(run->db, run->arena, after, 500, &mails, &n);

		if (r != DB_END)
			return run_db_failed(run, r);
		for (size_t i = 0; i < n; i++)
			show(run, list, &mails[i]);
		if (n > 0)
			after = mails[n - 1].id;
	} while (n == 500);
	if (run->json)
		run_json(list);
	else if (after == 0)
		run_say(run, "There is no mail.");
	return EXIT_DONE;
}

/* Does it to the mail whose number is the argument. */
static int
do_to_one(struct run *run, bool drop)
{
	int64_t id;
	enum db_result r;

	if (!str_to_int64(str_of(run->args[0]), &id) || id < 1)
		return run_fail(EXIT_USAGE,
		    "\"%s\" is no number of a mail; `meridian mail list` shows them", run->args[0]);
	r = drop ? mail_drop(run->db, id) : mail_retry(run->db, id, clock_now());
	if (r == DB_END)
		return run_fail(EXIT_FAILED,
		    drop ? "there is no mail %s"
		         : "no mail %s waits: it was sent or given up, and its text is gone",
		    run->args[0]);
	if (r != DB_ROW)
		return run_db_failed(run, r);
	run_say(run, drop ? "Mail %s is dropped." : "Mail %s is due now.", run->args[0]);
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_int(v, "id", id);
		run_json(v);
	}
	return EXIT_DONE;
}

int
command_mail_retry(struct run *run)
{
	return do_to_one(run, false);
}

int
command_mail_drop(struct run *run)
{
	return do_to_one(run, true);
}
