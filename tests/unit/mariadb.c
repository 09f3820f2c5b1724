/*
 * mariadb: what is MariaDB's alone: its URLs, its error numbers, which servers are new enough. Pure.
 */
#include "unit.h"

#include <mysqld_error.h>
#include <errmsg.h>

#include "db/mariadb.h"

static void
urls_are_read(void **state)
{
	struct arena *a = arena_new();
	struct mariadb_url u;

	(void)state;
	assert_null(mariadb_url_read(a, "mariadb://tom@db.example/meridian", &u));
	assert_string_equal(u.user, "tom");
	assert_null(u.password);
	assert_string_equal(u.host, "db.example");
	assert_int_equal(u.port, 0);
	assert_null(u.socket);
	assert_string_equal(u.database, "meridian");
	assert_true(u.verify_tls);
	assert_null(mariadb_url_read(
	    a, "mysql://t%40m:a:b%2F@[2001:db8::1]:3307/n%20m?ssl-mode=disabled", &u));
	assert_string_equal(u.user, "t@m");
	assert_string_equal(u.password, "a:b/");
	assert_string_equal(u.host, "2001:db8::1");
	assert_int_equal(u.port, 3307);
	assert_string_equal(u.database, "n m");
	assert_false(u.verify_tls);
	assert_null(mariadb_url_read(a, "mariadb://tom:p@ss@db.example/m?ssl-ca=/etc/ca.pem", &u));
	assert_string_equal(u.password, "p@ss");
	assert_string_equal(u.ssl_ca, "/etc/ca.pem");
	arena_free(a);
}

static void
the_machine_itself_is_reached_by_its_socket(void **state)
{
	struct arena *a = arena_new();
	struct mariadb_url u;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_null(mariadb_url_read(
		    a, i == 0 ? "mariadb://tom@/m" : "mariadb://tom@localhost/m", &u));
		assert_null(u.host);
		assert_string_equal(u.socket, "/run/mysqld/mysqld.sock");
		assert_false(u.verify_tls);
	}
	assert_null(mariadb_url_read(a, "mariadb://tom@/m?socket=/tmp/s", &u));
	assert_string_equal(u.socket, "/tmp/s");
	/* with a port it is TCP, within the machine */
	assert_null(mariadb_url_read(a, "mariadb://tom@localhost:3306/m", &u));
	assert_string_equal(u.host, "localhost");
	assert_null(u.socket);
	assert_false(u.verify_tls);
	assert_null(mariadb_url_read(a, "mariadb://tom@127.0.0.1/m", &u));
	assert_false(u.verify_tls);
	assert_null(mariadb_url_read(a, "mariadb://tom@[::1]/m", &u));
	assert_false(u.verify_tls);
	assert_null(mariadb_url_read(a, "mariadb://tom@127.evil.example/m", &u));
	assert_true(u.verify_tls);
	arena_free(a);
}

static void
wrong_urls_say_what_is_wrong_and_not_the_password(void **state)
{
	static const struct {
		const char *url, *says;
	} bad[] = {
		{ "mariadb://db.example/m", "names no user" },
		{ "mariadb://:secret@db.example/m", "names no user" },
		{ "mariadb://secret@db.example", "names no database" },
		{ "mariadb://secret@db.example/", "names no database" },
		{ "mariadb://secret@db.example/a/b", "names no database" },
		{ "mariadb://a:secret%4@db.example/m", "wrong %" },
		{ "mariadb://a:secret%zz@db.example/m", "wrong %" },
		{ "mariadb://a:secret%00@db.example/m", "wrong %" },
		{ "mariadb://a:secret@db.example:0/m", "port" },
		{ "mariadb://a:secret@db.example:65536/m", "port" },
		{ "mariadb://a:secret@db.example:x/m", "port" },
		{ "mariadb://a:secret@[::1/m", "no ]" },
		{ "mariadb://a:secret@h/m?socket=/s", "a host and a socket" },
		{ "mariadb://a:secret@h/m?ssl-mode=none", "stand socket=/path" },
		{ "mariadb://a:secret@h/m?password=secret", "stand socket=/path" },
		{ "mariadb://a:secret@h/m?ssl-ca", "not name=value" },
	};
	struct arena *a = arena_new();
	struct mariadb_url u;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		const char *wrong = mariadb_url_read(a, bad[i].url, &u);

		if (wrong == NULL || strstr(wrong, bad[i].says) == NULL ||
		    strstr(wrong, "secret") != NULL)
			fail_msg("%s: \"%s\"", bad[i].url, wrong != NULL ? wrong : "taken");
	}
	arena_free(a);
}

static void
errors_mean_what_they_are(void **state)
{
	static const struct {
		unsigned error;
		enum db_result result;
	} known[] = {
		{ ER_DUP_ENTRY, DB_TAKEN },
		{ ER_NO_REFERENCED_ROW_2, DB_REFUSED },
		{ ER_DATA_TOO_LONG, DB_REFUSED },
		{ ER_LOCK_DEADLOCK, DB_RETRY },
		{ ER_LOCK_WAIT_TIMEOUT, DB_RETRY },
		{ 1969, DB_SLOW },
		{ 3024, DB_SLOW },
		{ ER_RECORD_FILE_FULL, DB_FULL },
		{ ER_ACCESS_DENIED_ERROR, DB_AWAY },
		{ CR_SERVER_LOST, DB_AWAY },
		{ CR_SSL_CONNECTION_ERROR, DB_AWAY },
		{ ER_PARSE_ERROR, DB_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(known); i++)
		assert_int_equal(mariadb_result_of(known[i].error), known[i].result);
}

static void
old_servers_are_refused(void **state)
{
	(void)state;
	assert_null(mariadb_too_old(false, 101119));
	assert_null(mariadb_too_old(false, 100600));
	assert_non_null(strstr(mariadb_too_old(false, 100599), "10.6 or newer"));
	assert_null(mariadb_too_old(true, 80022));
	assert_non_null(strstr(mariadb_too_old(true, 50744), "8.0.22 or newer"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_read),
		cmocka_unit_test(the_machine_itself_is_reached_by_its_socket),
		cmocka_unit_test(wrong_urls_say_what_is_wrong_and_not_the_password),
		cmocka_unit_test(errors_mean_what_they_are),
		cmocka_unit_test(old_servers_are_refused),
	};

	return cmocka_run_group_tests_name("mariadb", tests, NULL, NULL);
}
