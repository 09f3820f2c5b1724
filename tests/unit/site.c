/*
 * site: what may stand in the Sites table as a host name, and that the last row and the one in use
 * stay.
 */
#include "unit.h"

#include "base/buf.h"
#include "engines.h"
#include "race.h"
#include "scratch.h"
#include "tom/site.h"

static void
host_names_are_stored_as_hosts_are_sent(void **state)
{
	static const struct {
		const char *typed, *stored;
	} cases[] = {
		{ "tom.example.org", "tom.example.org" },
		{ "  TOM.Example.ORG  ", "tom.example.org" },
		{ "tom.example.org.", "tom.example.org" },
		{ "tom.example.org:8443", "tom.example.org:8443" },
		{ "localhost", "localhost" },
		{ "localhost:8080", "localhost:8080" },
		{ "b\xc3\xbc"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "B\xc3\x9c"
		  "CHER.example:8443",
		    "xn--bcher-kva.example:8443" },
		{ "stra\xc3\x9f"
		  "e.example",
		    "xn--strae-oqa.example" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "\xe8\xa7\x82\xe6\xb5\x8b.example", "xn--0zw302d.example" },
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1:8080", "192.0.2.1:8080" },
		{ "[2001:DB8:0:0::1]", "[2001:db8::1]" },
		{ "[::1]:8080", "[::1]:8080" },
		{ "3com.example", "3com.example" },
		{ "a-b.c", "a-b.c" },
		{ "a.", "a" },
		{ "a", "a" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct str domain = STR_NONE;
		const char *wrong = site_domain_wrong(a, str_of(cases[i].typed), &domain);

		if (wrong != NULL)
			fail_msg("%s: %s", cases[i].typed, wrong);
		assert_str(domain, cases[i].stored);
	}
	arena_free(a);
}

static void
international_names_are_shown_as_people_read_them(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	/* as long in letters as in its code */
	assert_str(site_domain_shown(a, STR("xn--e1afmkfd")),
	    "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80");
	assert_str(site_domain_shown(a, STR("xn--bcher-kva.example:8443")),
	    "b\xc3\xbc"
	    "cher.example:8443");
	assert_null(site_domain_shown(a, STR("tom.example.org")).p);
	assert_null(site_domain_shown(a, STR("[::1]:8080")).p);
	arena_free(a);
}

static void
what_is_no_host_name_is_refused_with_what_would_be_right(void **state)
{
	static const struct {
		const char *typed, *word;
	} cases[] = {
		{ "", "is needed" },
		{ "   ", "is needed" },
		{ "https://tom.example.org", "http://" },
		{ "//tom.example.org", "http://" },
		{ "tom.example.org/", "path" },
		{ "tom.example.org/targets/", "path" },
		{ "tom.example.org?x", "path" },
		{ "tom.example.org\\x", "path" },
		{ "user@evil.example", "user name" },
		{ "tom.example.org:80@evil.example", "user name" },
		{ "tom example.org", "blanks" },
		{ "tom.example.org\x01", "blanks" },
		{ "*.example.org", "*" },
		{ "tom.example.org:", "port" },
		{ "tom.example.org:0", "port" },
		{ "tom.example.org:65536", "port" },
		{ "tom.example.org:99999999999999999999", "port" },
		{ "tom.example.org:+80", "port" },
		{ "tom.example.org:http", "port" },
		{ "tom.example.org:443", "port" },
		{ "tom.example.org:80", "port" },
		{ "tom.example.org:123456", "port" },
		{ "tom.example.org#x", "path" },
		{ "tom.example.org\x7f", "blanks" },
		{ "[::1]x", "" },
		{ "x]:8080", "letters, digits" },
		{ "[::1]:", "port" },
		{ "tom.example.1", "IPv4" },
		{ ":8080", "missing" },
		{ "tom..example.org", "between" },
		{ ".example.org", "between" },
		{ ".", "between" },
		{ "-tom.example.org", "hyphen" },
		{ "tom-.example.org", "hyphen" },
		{ "tom.example-", "hyphen" },
		{ "tom.example.org..", "between" },
		{ "org.a234567890123456789012345678901234567890123456789012345678901234", "63" },
		{ "tom_1.example.org", "letters, digits" },
		{ "tom,example,org", "letters, digits" },
		{ "tom{1.example", "letters, digits" },
		{ "tom`1.example", "letters, digits" },
		{ "2001:db8::1", "brackets" },
		{ "::1", "brackets" },
		{ "[2001:db8::g]", "IPv6" },
		{ "[::1", "" },
		{ "[]", "IPv6" },
		{ "[", "letters, digits" },
		{ "]", "letters, digits" },
		{ "[::1%eth0]", "IPv6" },
		{ "[::1]x", "" },
		{ "192.0.2.256", "IPv4" },
		{ "192.0.2", "IPv4" },
		{ "1", "IPv4" },
		{ "tom.example.123", "IPv4" },
		{ "a234567890123456789012345678901234567890123456789012345678901234.org", "63" },
		{ "xn--0.example", "" },
		{ "tom.ex\xe2\x80\xae"
		  "ample.org",
		    "" },
		{ "a\xff.example", "" },
	};
	struct arena *a = arena_new();
	struct buf b = { NULL, 0, 0 };
	struct str domain;

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		const char *wrong = site_domain_wrong(a, str_of(cases[i].typed), &domain);

		if (wrong == NULL || strcasestr(wrong, cases[i].word) == NULL)
			fail_msg("<%s>: %s", cases[i].typed, wrong);
	}
	for (int i = 0; i < 130; i++)
		buf_puts(&b, "a.");
	buf_puts(&b, "org");
	assert_non_null(strstr(site_domain_wrong(a, buf_text(&b), &domain), "253"));
	for (int i = 0; i < 100000; i++)
		buf_puts(&b, "\xc3\xbc.");
	assert_non_null(strstr(site_domain_wrong(a, buf_text(&b), &domain), "253"));
	buf_free(&b);
	arena_free(a);
}

static void
names_of_sites_are_one_line_of_text(void **state)
{
	struct buf b = { 0 };
	struct str name;

	(void)state;
	assert_null(site_name_wrong(STR(" Our TOM \xc3\xa9 "), &name));
	assert_int_equal(name.n, 10);
	for (int i = 1; i < 0x80; i++) {
		char text[4] = { 'a', (char)i, 'b', '\0' };

		assert_int_equal(
		    site_name_wrong(str_of(text), &name) == NULL, i >= 0x20 && i != 0x7f);
	}
	assert_non_null(site_name_wrong(STR(" \t"), &name));
	assert_non_null(strstr(site_name_wrong(STR("a\xff"), &name), "UTF-8"));
	for (int i = 0; i < 100; i++)
		buf_puts(&b, "\xc3\xa9");
	assert_null(site_name_wrong(buf_text(&b), &name));
	buf_putc(&b, 'a');
	assert_non_null(strstr(site_name_wrong(buf_text(&b), &name), "100"));
	buf_free(&b);
}

static void
a_domain_that_reads_as_it_is_written_is_not_shown_twice(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_null(site_domain_shown(a, STR("xn--0.test")).p);
	assert_null(site_domain_shown(a, STR("axn--bcher-kva.test")).p);
	arena_free(a);
}

static void
a_domain_without_port_answers_any_port(void **state)
{
	(void)state;
	assert_true(site_domain_answers(STR("tom.example"), STR("tom.example")));
	assert_true(site_domain_answers(STR("tom.example"), STR("tom.example:8080")));
	assert_true(site_domain_answers(STR("[::1]"), STR("[::1]:8080")));
	assert_false(site_domain_answers(STR("tom.example:8080"), STR("tom.example")));
	assert_false(site_domain_answers(STR("tom.example:8080"), STR("tom.example:8081")));
	assert_false(site_domain_answers(STR("tom.example"), STR("tom.example.evil")));
	assert_false(site_domain_answers(STR("tom.example"), STR("tom.example:8080.evil")));
	assert_false(site_domain_answers(STR("tom.example"), STR("tom.example:")));
}

/* -- the table -- */

static struct arena *arena;
static struct db *db;

static int
open_database(void **state)
{
	(void)state;
	arena = arena_new();
	db = scratch_open();
	return 0;
}

static int
close_database(void **state)
{
	(void)state;
	scratch_close();
	arena_free(arena);
	return 0;
}

/* Makes the table hold one site and returns its id. */
static int64_t
only_site(void)
{
	struct site *sites;
	int64_t id;
	size_t n;

	assert_int_equal(site_add(db, STR("only.example"), STR("Only"), &id), DB_END);
	assert_int_equal(site_list(db, arena, &sites, &n), DB_END);
	for (size_t i = 0; i < n; i++)
		if (sites[i].id != id)
			assert_int_equal(site_delete(db, sites[i].id, id), DB_ROW);
	return id;
}

static void
sites_are_added_changed_and_listed(void **state)
{
	int64_t first = only_site(), second;
	struct site *sites, one;
	size_t n;

	(void)state;
	assert_int_equal(site_add(db, STR("a.example"), STR("A"), &second), DB_END);
	assert_int_equal(site_list(db, arena, &sites, &n), DB_END);
	assert_int_equal(n, 2);
	assert_str(sites[0].domain, "a.example");
	assert_str(sites[1].name, "Only");
	one = (struct site){ second, STR("b.example"), STR("B") };
	assert_int_equal(site_change(db, &one), DB_ROW);
	assert_int_equal(site_get(db, arena, second, &one), DB_ROW);
	assert_str(one.domain, "b.example");
	assert_str(one.name, "B");
	one.id = second + 1000;
	one.domain = STR("c.example");
	assert_int_equal(site_change(db, &one), DB_END);
	assert_int_equal(site_get(db, arena, second + 1000, &one), DB_END);
	assert_int_equal(site_delete(db, second, first), DB_ROW);
}

static void
a_taken_domain_is_an_answer(void **state)
{
	int64_t first = only_site(), second;
	struct site one;

	(void)state;
	assert_int_equal(site_add(db, STR("only.example"), STR("X"), &second), DB_TAKEN);
	assert_int_equal(site_add(db, STR("other.example"), STR("X"), &second), DB_END);
	one = (struct site){ second, STR("only.example"), STR("X") };
	assert_int_equal(site_change(db, &one), DB_TAKEN);
	assert_int_equal(site_delete(db, second, first), DB_ROW);
}

static void
the_last_site_and_the_one_in_use_stay(void **state)
{
	int64_t first = only_site(), second;
	struct site *sites;
	size_t n;

	(void)state;
	assert_int_equal(site_delete(db, first, 0), DB_REFUSED);
	assert_int_equal(site_add(db, STR("second.example"), STR("2"), &second), DB_END);
	assert_int_equal(site_delete(db, first, first), DB_REFUSED);
	assert_int_equal(site_delete(db, second + 1000, first), DB_END);
	assert_int_equal(site_delete(db, first, second), DB_ROW);
	assert_int_equal(site_delete(db, first, second), DB_END);
	assert_int_equal(site_list(db, arena, &sites, &n), DB_END);
	assert_int_equal(n, 1);
}

static void
a_table_that_is_away_changes_no_answer_into_none(void **state)
{
	int64_t first = only_site(), other;
	struct site *sites, one = { first, STR("x.example"), STR("X") };
	size_t n = 7;

	(void)state;
	scratch_hide(db, "site", true);
	assert_int_equal(site_list(db, arena, &sites, &n), DB_FAILED);
	assert_int_equal(n, 0);
	assert_int_equal(site_get(db, arena, first, &one), DB_FAILED);
	assert_int_equal(site_change(db, &one), DB_FAILED);
	assert_int_equal(site_add(db, STR("y.example"), STR("Y"), &other), DB_FAILED);
	assert_int_equal(site_delete(db, first, 0), DB_FAILED);
	scratch_hide(db, "site", false);
	assert_int_equal(site_get(db, arena, first, &one), DB_ROW);
	assert_str(one.domain, "only.example");
}

static int
delete_one_of_two(struct db *own, int which)
{
	return site_delete(own, which + 1, 0) < 0;
}

static void
two_at_once_leave_a_site(void **state)
{
	(void)state;
	for (int round = 0; round < 15; round++) {
		const char *url = getenv("MERIDIAN_DATABASE_URL");
		struct site *sites;
		size_t n;

		server_run(url, "DELETE FROM site");
		server_run(url,
		    "INSERT INTO site (id, domain, name) VALUES (1, 'a.example', 'a'), "
		    "(2, 'b.example', 'b')");
		db_close_idle(db, 0);
		race_run(scratch_config, delete_one_of_two);
		assert_int_equal(site_list(db, arena, &sites, &n), DB_END);
		assert_int_equal(n, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_names_are_stored_as_hosts_are_sent),
		cmocka_unit_test(international_names_are_shown_as_people_read_them),
		cmocka_unit_test(what_is_no_host_name_is_refused_with_what_would_be_right),
		cmocka_unit_test(names_of_sites_are_one_line_of_text),
		cmocka_unit_test(a_domain_that_reads_as_it_is_written_is_not_shown_twice),
		cmocka_unit_test(a_domain_without_port_answers_any_port),
		cmocka_unit_test_setup_teardown(
		    sites_are_added_changed_and_listed, open_database, close_database),
		cmocka_unit_test_setup_teardown(
		    a_taken_domain_is_an_answer, open_database, close_database),
		cmocka_unit_test_setup_teardown(
		    the_last_site_and_the_one_in_use_stay, open_database, close_database),
		cmocka_unit_test_setup_teardown(a_table_that_is_away_changes_no_answer_into_none,
		    open_database, close_database),
		cmocka_unit_test_setup_teardown(
		    two_at_once_leave_a_site, open_database, close_database),
	};

	return engines_run("site", tests, NELEM(tests), NULL, NULL);
}
