/*
 * mail: what an address may be, what a message is made of, and the queue: nobody sends a mail twice,
 * what failed comes again later, and no body stays.
 */
#include "unit.h"

#include "base/buf.h"
#include "engines.h"
#include "race.h"
#include "scratch.h"
#include "tom/mail.h"
#include "tom/site.h"

static struct arena *a;
static struct config *config;
static struct db *db;

static int
set_up(void **state)
{
	int64_t id;

	(void)state;
	a = arena_new();
	setenv("MERIDIAN_MAIL_TRANSPORT", "sendmail", 1);
	setenv("MERIDIAN_MAIL_FROM", "tom@example.org", 1);
	setenv("MERIDIAN_TOM_NAME",
	    "Observatoire de Nan\xc3\xa7"
	    "ay",
	    1);
	setenv("MERIDIAN_URL_PREFIX", "/tom/", 1);
	db = scratch_open();
	config = scratch_config;
	return site_add(db, STR("tom.example.org:8443"), STR("Tom"), &id) == DB_END ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	scratch_close();
	arena_free(a);
	unsetenv("MERIDIAN_URL_PREFIX");
	return 0;
}

static int
empty_queue(void **state)
{
	struct mail *list;
	size_t n;

	(void)state;
	clock_freeze(0);
	assert_int_equal(mail_list(db, a, 0, 100, &list, &n), DB_END);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(mail_drop(db, list[i].id), DB_ROW);
	return 0;
}

/* -- messages -- */

static void
addresses_that_need_no_quotes_are_taken_and_no_others(void **state)
{
	static const char *const good[] = { "ada@example.org", "a@b", "a.b+c_d-e@x-1.example",
		"o'neill@example.org", "root@localhost", "x@xn--bcher-kva.example" };
	static const char *const bad[] = { "", "ada", "@example.org", "ada@", "ada@@example.org",
		"ada@b@c", "-f@example.org", "ada@-x.org", "ada@x-.org", "ada@.org", "ada@x..org",
		"a..b@x.org", ".a@x.org", "a.@x.org", "a b@x.org", "\"a b\"@x.org", "a@x.org ",
		"a@x.org\n", "a@x.org\nBcc: b@x.org", "a\r@x.org", "a@[192.0.2.1]", "<a@x.org>",
		"a,b@x.org", "a;b@x.org", "a@x.org,b@x.org", "a(b)@x.org", "a\\@x.org",
		"\xc3\xa9@x.org",
		("a@b\xc3\xbc"
		 "cher.example"),
		"a@x_y.org", "a@x.org?subject=x", "a:b@x.org" };
	struct buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++)
		if (!mail_address_is_good(str_of(good[i])))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < NELEM(bad); i++)
		if (mail_address_is_good(str_of(bad[i])))
			fail_msg("%s is taken", bad[i]);
	assert_false(mail_address_is_good((struct str){ "a@x.org\0b", 9 }));
	assert_false(mail_address_is_good(STR_NONE));
	buf_puts(&text, "x@");
	for (size_t i = 0; i < 90; i++)
		buf_puts(&text, "a.b");
	assert_false(mail_address_is_good(buf_text(&text)));
	buf_free(&text);
}

/* The message of a mail; a line of it that begins with those words, without them. */
static struct str
message(const char *to, const char *subject, const char *body)
{
	struct mail m = { .id = 7,
		.created = 1790000000 * SECOND,
		.to = str_of(to),
		.subject = str_of(subject),
		.body = str_of(body) };

	return mail_message(a, config, &m, STR("tom.example.org:8443"), 1790000000 * SECOND);
}

static void
a_message_is_ascii_and_says_where_it_comes_from(void **state)
{
	struct str text = message("ada@example.org", "Reset your password",
	    "Hello,\r\nhere it is:\n\nhttps://tom.example.org/x/\n");

	(void)state;
	assert_str(text,
	    "Date: Mon, 21 Sep 2026 14:13:20 +0000\n"
	    "From: =?utf-8?B?T2JzZXJ2YXRvaXJlIGRlIE5hbsOnYXk=?= <tom@example.org>\n"
	    "To: <ada@example.org>\n"
	    "Subject: Reset your password\n"
	    "Message-ID: <meridian.7.1790000000000000@tom.example.org>\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: 7bit\n"
	    "Auto-Submitted: auto-generated\n"
	    "\n"
	    "Hello,\nhere it is:\n\nhttps://tom.example.org/x/\n");
}

/* Headers up to the blank line: how many lines there are that do not go on with the one before. */
static size_t
count_headers(struct str text)
{
	size_t n = 0;

	for (const char *p = text.p; *p != '\n'; p += strcspn(p, "\n") + 1)
		n += *p != ' ';
	return n;
}

static void
no_text_begins_a_header(void **state)
{
	static const char *const subjects[] = { "x\nBcc: evil@example.com",
		"x\r\nBcc: evil@example.com", "x\r\n\r\nbody",
		"=?utf-8?B?DQpCY2M6IGV2aWxAZXhhbXBsZS5jb20=?=", "a\tb", "\n", "",
		"\xe2\x80\xa8line", "x: y, <z@w>" };

	(void)state;
	for (size_t i = 0; i < NELEM(subjects); i++) {
		struct str text = message("ada@example.org", subjects[i], "Subject: b\n\nText");

		assert_non_null(text.p);
		assert_null(strstr(text.p, "\nBcc"));
		assert_null(strchr(text.p, '\r'));
		assert_int_equal(count_headers(text), 9);
	}
	assert_null(message("ada@example.org\nBcc: evil@example.com", "x", "y").p);
	assert_null(message("ada", "x", "y").p);
}

static void
long_subjects_are_cut_between_characters(void **state)
{
	struct str text = message("ada@example.org",
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9x"
	    "\xc3\xa9\xc3\xa9",
	    "y");

	(void)state;
	/* 41 bytes and then the half of a letter would make 42: the word ends before it */
	assert_non_null(strstr(text.p,
	    "Subject: =?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqXg=?=\n"
	    " =?utf-8?B?w6nDqQ==?=\n"));
}

static void
what_is_not_ascii_is_quoted(void **state)
{
	struct str text = message("ada@example.org", "x",
	    "Gr\xc3\xbc\xc3\x9f"
	    "e = 1 \n.\nend");

	(void)state;
	assert_non_null(strstr(text.p, "Content-Transfer-Encoding: quoted-printable\n"));
	assert_non_null(strstr(text.p, "\n\nGr=C3=BC=C3=9Fe =3D 1=20\n.\nend\n"));
	for (const char *p = text.p; *p != '\0'; p++)
		assert_true((unsigned char)*p < 0x7f);
}

static void
a_link_is_of_the_sites_table_and_has_the_prefix(void **state)
{
	struct str link = STR_NONE;

	(void)state;
	assert_int_equal(mail_link(db, a, config, "/accounts/x/", &link), DB_ROW);
	assert_str(link, "https://tom.example.org:8443/tom/accounts/x/");
}

/* -- the queue -- */

static enum db_result
put(const char *to)
{
	return mail_add(db, config, str_of(to), STR("Hello"), STR("The secret link"));
}

static struct mail
only(void)
{
	struct mail *list;
	size_t n;

	assert_int_equal(mail_list(db, a, 0, 10, &list, &n), DB_END);
	assert_int_equal(n, 1);
	return list[0];
}

/* The body as it stands in the table, whether it is due or not. */
static struct str
body_of(int64_t id)
{
	struct mail m = { .id = id };
	struct str body = STR("");
	struct query *q = db_query(db, QUERY_MAIL_DUE);

	db_int(q, "now", INT64_C(1) << 60);
	while (db_step(q) == DB_ROW)
		if (db_col_int(q, "id") == m.id)
			body = db_col_copy(q, "body", a);
	assert_int_equal(db_done(q), DB_END);
	return body;
}

static void
what_is_sent_leaves_no_body(void **state)
{
	int64_t now = clock_now() + SECOND;
	struct mail m, again;

	(void)state;
	assert_int_equal(put("ada@example.org"), DB_END);
	assert_int_equal(mail_state(&(struct mail){ .next_try = 1 }), MAIL_WAITING);
	assert_int_equal(mail_claim(db, a, now, &m), DB_ROW);
	assert_str(m.to, "ada@example.org");
	assert_str(m.subject, "Hello");
	assert_str(m.body, "The secret link");
	assert_int_equal(mail_claim(db, a, now, &again), DB_END);
	assert_int_equal(mail_done(db, &m, now), DB_END);
	m = only();
	assert_int_equal(mail_state(&m), MAIL_SENT);
	assert_int_equal(m.attempts, 1);
	assert_int_equal(mail_retry(db, m.id, now), DB_END);
	assert_int_equal(mail_claim(db, a, now + 40 * DAY, &again), DB_END);
	assert_str(body_of(m.id), "");
	assert_int_equal(mail_purge(db, now + 31 * DAY), DB_END);
	assert_int_equal(mail_drop(db, m.id), DB_END);
}

static void
a_sender_that_died_leaves_the_mail_to_the_next(void **state)
{
	int64_t now = clock_now() + SECOND;
	struct mail first, second;

	(void)state;
	assert_int_equal(put("ada@example.org"), DB_END);
	assert_int_equal(mail_claim(db, a, now, &first), DB_ROW);
	assert_int_equal(mail_claim(db, a, now + MAIL_LEASE - 1, &second), DB_END);
	assert_int_equal(mail_claim(db, a, now + MAIL_LEASE, &second), DB_ROW);
	/* and the first, which was only slow, says nothing about it any more */
	assert_int_equal(mail_failed(db, &first, now + MAIL_LEASE, STR("late"), true), DB_END);
	assert_int_equal(mail_done(db, &second, now + MAIL_LEASE), DB_END);
	first = only();
	assert_int_equal(mail_state(&first), MAIL_SENT);
	assert_str(first.error, "");
}

static void
what_failed_comes_again_ever_later_and_is_given_up(void **state)
{
	int64_t start = clock_now() + SECOND, now = start, last = 0;
	struct mail m;
	size_t attempts = 0;

	(void)state;
	assert_int_equal(put("ada@example.org"), DB_END);
	while (mail_claim(db, a, now, &m) == DB_ROW) {
		struct mail seen;

		attempts++;
		assert_int_equal(mail_failed(db, &m, now, STR("no answer"), false), DB_END);
		seen = only();
		assert_str(seen.error, "no answer");
		if (mail_state(&seen) == MAIL_GIVEN_UP)
			break;
		assert_true(seen.next_try - now >= last);
		last = seen.next_try - now;
		assert_true(last >= MINUTE && last <= 6 * HOUR);
		assert_int_equal(mail_claim(db, a, seen.next_try - 1, &m), DB_END);
		now = seen.next_try;
	}
	m = only();
	assert_int_equal(mail_state(&m), MAIL_GIVEN_UP);
	assert_true(now - start > 2 * DAY && now - start <= MAIL_GIVE_UP);
	assert_in_range(attempts, 10, 20);
	assert_str(body_of(m.id), "");
	assert_int_equal(mail_retry(db, m.id, now), DB_END);
}

static void
what_is_refused_for_good_is_not_tried_again(void **state)
{
	int64_t now = clock_now() + SECOND;
	struct mail m;

	(void)state;
	assert_int_equal(put("ada@example.org"), DB_END);
	assert_int_equal(mail_claim(db, a, now, &m), DB_ROW);
	assert_int_equal(mail_failed(db, &m, now, STR("550 no such user\xc3"), true), DB_END);
	m = only();
	assert_int_equal(mail_state(&m), MAIL_GIVEN_UP);
	assert_str(m.error, "550 no such user");
}

static void
an_operator_may_have_it_tried_at_once(void **state)
{
	int64_t now = clock_now() + SECOND;
	struct mail m;

	(void)state;
	assert_int_equal(put("ada@example.org"), DB_END);
	assert_int_equal(mail_claim(db, a, now, &m), DB_ROW);
	assert_int_equal(mail_failed(db, &m, now, STR("no answer"), false), DB_END);
	assert_int_equal(mail_retry(db, m.id, now), DB_ROW);
	assert_int_equal(mail_claim(db, a, now, &m), DB_ROW);
	assert_int_equal(mail_retry(db, m.id + 1, now), DB_END);
}

static void
accounts_without_an_address_get_no_mail(void **state)
{
	struct mail *list;
	size_t n;

	(void)state;
	assert_int_equal(put(""), DB_END);
	assert_int_equal(mail_add(db, config, STR_NONE, STR("x"), STR("y")), DB_END);
	assert_int_equal(put("ada"), DB_END);
	assert_int_equal(put("ada@example.org\nBcc: evil@example.com"), DB_END);
	assert_int_equal(mail_list(db, a, 0, 10, &list, &n), DB_END);
	assert_int_equal(n, 0);
}

static void
a_subject_is_one_line_of_bounded_length(void **state)
{
	char subject[400];
	struct mail m;

	(void)state;
	memset(subject, 'x', sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	memcpy(subject, "a\nBcc: b\r", 9);
	assert_int_equal(
	    mail_add(db, config, STR("ada@example.org"), str_of(subject), STR("y")), DB_END);
	m = only();
	assert_int_equal(m.subject.n, MAIL_SUBJECT_MAX);
	assert_memory_equal(m.subject.p, "a Bcc: b x", 10);
}

/* Strangers can cause a few mails an hour and day to an address, however it is written. */
static void
an_address_is_not_flooded(void **state)
{
	static const char *const spellings[] = { "ada@example.org", "Ada@Example.ORG" };
	struct mail *list;
	size_t n = 0;
	int64_t start = clock_now();

	(void)state;
	for (int hour = 0; hour < 6; hour++) {
		clock_freeze(start + hour * HOUR + hour);
		for (size_t i = 0; i < 5; i++)
			assert_int_equal(mail_add_asked(db, config, str_of(spellings[i % 2]),
			                     STR("x"), STR("y")),
			    DB_END);
		assert_int_equal(mail_list(db, a, 0, 100, &list, &n), DB_END);
		assert_int_equal(n, hour < 3 ? 3 * (hour + 1) : MAIL_FLOOD_DAY);
	}
	/* what the site has to say itself is said */
	assert_int_equal(put("ada@example.org"), DB_END);
	/* and another one's is theirs */
	assert_int_equal(
	    mail_add_asked(db, config, STR("ben@example.org"), STR("x"), STR("y")), DB_END);
	assert_int_equal(mail_list(db, a, 0, 100, &list, &n), DB_END);
	assert_int_equal(n, MAIL_FLOOD_DAY + 2);
}

static int told[2];

static int
send_all(struct db *mine, int which)
{
	struct arena *own = arena_new();
	struct mail m;

	(void)which;
	while (mail_claim(mine, own, clock_now() + SECOND, &m) == DB_ROW) {
		if (write(told[1], &m.id, sizeof(m.id)) != sizeof(m.id) ||
		    mail_done(mine, &m, clock_now()) != DB_END)
			return 1;
	}
	arena_free(own);
	return 0;
}

static void
two_senders_send_each_mail_once(void **state)
{
	bool seen[200] = { false };
	struct mail *list;
	size_t n, sent = 0;
	int64_t id;

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(put("ada@example.org"), DB_END);
	assert_int_equal(mail_list(db, a, 0, 100, &list, &n), DB_END);
	assert_int_equal(pipe(told), 0);
	race_run(config, send_all);
	close(told[1]);
	while (read(told[0], &id, sizeof(id)) == sizeof(id)) {
		assert_in_range(id - list[0].id, 0, 199);
		assert_false(seen[id - list[0].id]);
		seen[id - list[0].id] = true;
		sent++;
	}
	close(told[0]);
	assert_int_equal(sent, 20);
}

static void
nothing_is_queued_where_mail_is_off(void **state)
{
	struct mail *list;
	struct config *off;
	char err[256];
	size_t n;

	(void)state;
	setenv("MERIDIAN_MAIL_TRANSPORT", "none", 1);
	off = config_load(err, sizeof(err));
	setenv("MERIDIAN_MAIL_TRANSPORT", "sendmail", 1);
	assert_non_null(off);
	assert_false(mail_is_on(off));
	assert_int_equal(mail_add(db, off, STR("ada@example.org"), STR("x"), STR("y")), DB_END);
	assert_int_equal(mail_list(db, a, 0, 10, &list, &n), DB_END);
	assert_int_equal(n, 0);
	config_free(off);
}

static void
settings_that_cannot_work_are_named(void **state)
{
	static const struct {
		const char *key, *value, *word;
	} cases[] = {
		{ "MAIL_FROM", "", "MAIL_FROM" },
		{ "MAIL_FROM", "Tom <tom@example.org>", "MAIL_FROM" },
		{ "SENDMAIL_PATH", "sendmail -t", "SENDMAIL_PATH" },
		{ "MAIL_TRANSPORT", "smtp", "MAIL_SMTP_URL" },
	};
	char err[256], name[60];

	(void)state;
	assert_null(mail_settings_wrong(config));
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct config *c;
		const char *before, *wrong;

		snprintf(name, sizeof(name), "MERIDIAN_%s", cases[i].key);
		before = getenv(name) != NULL ? arena_strdup(a, getenv(name)) : NULL;
		setenv(name, cases[i].value, 1);
		c = config_load(err, sizeof(err));
		assert_non_null(c);
		wrong = mail_settings_wrong(c);
		if (wrong == NULL || strstr(wrong, cases[i].word) == NULL)
			fail_msg("%s=%s: %s", name, cases[i].value, wrong);
		config_free(c);
		if (before != NULL)
			setenv(name, before, 1);
		else
			unsetenv(name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_that_need_no_quotes_are_taken_and_no_others),
		cmocka_unit_test(a_message_is_ascii_and_says_where_it_comes_from),
		cmocka_unit_test(no_text_begins_a_header),
		cmocka_unit_test(long_subjects_are_cut_between_characters),
		cmocka_unit_test(what_is_not_ascii_is_quoted),
		cmocka_unit_test(a_link_is_of_the_sites_table_and_has_the_prefix),
		cmocka_unit_test_setup(what_is_sent_leaves_no_body, empty_queue),
		cmocka_unit_test_setup(a_sender_that_died_leaves_the_mail_to_the_next, empty_queue),
		cmocka_unit_test_setup(
		    what_failed_comes_again_ever_later_and_is_given_up, empty_queue),
		cmocka_unit_test_setup(what_is_refused_for_good_is_not_tried_again, empty_queue),
		cmocka_unit_test_setup(an_operator_may_have_it_tried_at_once, empty_queue),
		cmocka_unit_test_setup(accounts_without_an_address_get_no_mail, empty_queue),
		cmocka_unit_test_setup(a_subject_is_one_line_of_bounded_length, empty_queue),
		cmocka_unit_test_setup(an_address_is_not_flooded, empty_queue),
		cmocka_unit_test_setup(two_senders_send_each_mail_once, empty_queue),
		cmocka_unit_test_setup(nothing_is_queued_where_mail_is_off, empty_queue),
		cmocka_unit_test(settings_that_cannot_work_are_named),
	};

	return engines_run("mail", tests, NELEM(tests), set_up, tear_down);
}
