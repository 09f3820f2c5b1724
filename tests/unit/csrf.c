/*
 * csrf: the secret key, form tokens, origins, and the access rule of a row.
 */
#include "unit.h"

#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/access.h"
#include "auth/csrf.h"
#include "heard.h"

static const char key[] = "0123456789abcdef0123456789abcdef";
static struct arena *a;
static struct secret *secret;

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	secret = secret_new(key, sizeof(key) - 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secret_free(secret);
	arena_free(a);
	return 0;
}

static void
hash_and_signature_are_the_standard_ones(void **state)
{
	/* hashlib.sha256(b'abc'); hmac over the length-prefixed parts, both from Python */
	static const char sha[] = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
	struct str parts[] = { STR("csrf"), STR("x") };
	uint8_t out[SECRET_SIZE], other[SECRET_SIZE];
	static char longer[70000];

	(void)state;
	secret_hash(secret, STR("abc"), out);
	assert_str(secret_encode(a, out, sizeof(out)), sha);
	secret_sign(secret, parts, 2, out);
	assert_str(
	    secret_encode(a, out, sizeof(out)), "Kb1zQH1Ao6YYU_XUI9GLjyZA5mzkbUcc-badA8OXAgQ");
	/* parts cannot shift into each other */
	parts[0] = STR("csr");
	parts[1] = STR("fx");
	secret_sign(secret, parts, 2, other);
	assert_memory_not_equal(out, other, sizeof(out));
	/* nor does a long one lose part of its length */
	memset(longer, 'y', sizeof(longer));
	parts[0] = (struct str){ longer, sizeof(longer) };
	parts[1] = STR("");
	secret_sign(secret, parts, 2, out);
	assert_str(
	    secret_encode(a, out, sizeof(out)), "aFALHQa6y0KlzjzOZumoYiiF0YJ_a66WPWM9B1WyJCw");
}

static void
base64url_is_strict(void **state)
{
	uint8_t bytes[32], back[32];

	(void)state;
	for (size_t n = 1; n <= sizeof(bytes); n++) {
		secret_random(bytes, n);
		assert_true(secret_decode(secret_encode(a, bytes, n), back, n));
		assert_memory_equal(bytes, back, n);
	}
	assert_true(secret_decode(STR("__8"), back, 2));
	assert_false(secret_decode(STR("__9"), back, 2)); /* a bit too many */
	assert_false(secret_decode(STR("__8="), back, 2));
	assert_false(secret_decode(STR("//8"), back, 2));
	assert_false(secret_decode(STR("__"), back, 2));
	assert_false(secret_decode((struct str){ "_\0_", 3 }, back, 2));
	assert_false(secret_decode(STR_NONE, back, 2));
}

/* A file with this text and mode, as SECRET_KEY_FILE; what secret_load says ("" where it is good). */
static const char *
load_from(const char *text, mode_t mode)
{
	static char err[300];
	char path[] = "/tmp/meridian-key-XXXXXX";
	int fd = mkstemp(path);
	struct config *c;
	struct secret *s;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	setenv("MERIDIAN_SECRET_KEY_FILE", path, 1);
	c = config_load(err, sizeof(err));
	assert_non_null(c);
	err[0] = '\0';
	s = secret_load(c, err, sizeof(err));
	assert_true((s == NULL) == (err[0] != '\0'));
	secret_free(s);
	config_free(c);
	unlink(path);
	return err;
}

static int random_calls =
    -1; /* of a kernel that gives little, and is interrupted; -1: the real one */
static bool no_random;

/* The n-th call is interrupted where n is even; else it gives three bytes, of which each is n. */
ssize_t __real_getrandom(void *, size_t, unsigned);
ssize_t __wrap_getrandom(void *, size_t, unsigned);
ssize_t
__wrap_getrandom(void *to, size_t n, unsigned flags)
{
	if (no_random) {
		errno = ENOSYS;
		return -1;
	}
	if (random_calls < 0)
		return __real_getrandom(to, n, flags);
	if (random_calls++ % 2 == 0) {
		errno = EINTR;
		return -1;
	}
	n = n < 3 ? n : 3;
	memset(to, random_calls, n);
	return (ssize_t)n;
}

static void
random_bytes_are_asked_for_until_all_are_there(void **state)
{
	static const uint8_t want[] = { 2, 2, 2, 4, 4, 4, 6, 6, 99 };
	uint8_t got[9] = { [8] = 99 };

	(void)state;
	random_calls = 0;
	secret_random(got, 8);
	assert_int_equal(random_calls, 6);
	random_calls = -1;
	assert_memory_equal(got, want, sizeof(want));
}

/* The wait status of a process that does this. */
static int
status_of(void (*act)(void), const char **said)
{
	int status;
	pid_t pid;

	hear();
	pid = fork();
	if (pid == 0) {
		act();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	*said = heard();
	return status;
}

static void
draw(void)
{
	uint8_t byte;

	no_random = true;
	secret_random(&byte, 1);
}

static bool no_hash;

int __real_EVP_DigestUpdate(EVP_MD_CTX *, const void *, size_t);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *, const void *, size_t);
int
__wrap_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *bytes, size_t n)
{
	return no_hash ? 0 : __real_EVP_DigestUpdate(ctx, bytes, n);
}

static void
hash(void)
{
	uint8_t out[SECRET_SIZE];

	no_hash = true;
	secret_hash(secret, STR("abc"), out);
}

/* Never with bytes that are none, and never with a hash that was not made. */
static void
process_without_chance_or_hash_ends(void **state)
{
	const char *said;
	int status = status_of(draw, &said);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(said, "getrandom failed"));
	status = status_of(hash, &said);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70); /* arena_exhausted */
	assert_non_null(strstr(said, "libcrypto failed"));
}

static void
an_origin_is_scheme_name_and_port(void **state)
{
	static const struct {
		const char *url, *scheme, *host;
		bool same;
	} all[] = { { "https://a.test", "https", "a.test", true },
		{ "https://a.test/x?y", "https", "a.test", true },
		{ "HTTPS://A.Test", "https", "a.test", true },
		{ "https://a.test:443", "https", "a.test", true },
		{ "https://a.test", "https", "a.test:443", true },
		{ "https://a.test:80", "https", "a.test", false },
		{ "http://a.test:80", "http", "a.test", true },
		{ "http://a.test:443", "http", "a.test", false },
		{ "https://a.test:8443", "https", "a.test:8443", true },
		{ "https://a.test:8443", "https", "a.test:8444", false },
		{ "https://a.test.", "https", "a.test", true },
		{ "https://a.test", "https", "a.test.", true },
		{ "https://a.test.:443", "https", "a.test", true },
		{ "https://.", "https", "", false }, { "https://.", "https", ".", true },
		{ "https://a.", "https", "a", true }, { "https://a.test", "http", "a.test", false },
		{ "http://a.test", "https", "a.test", false },
		{ "https:/a.test", "https", "a.test", false },
		{ "https//a.test", "https", "a.test", false },
		{ "https://", "https", "a.test", false }, { "https:", "https", "a.test", false },
		{ "://a.test", "", "a.test", false },
		{ "https://b.test", "https", "a.test", false },
		{ "https://a.tes", "https", "a.test", false },
		{ "https://a.testx", "https", "a.test", false },
		{ "https:// a.test", "https", "a.test", false },
		{ "null", "https", "a.test", false },
		{ "https://a.test@b.test", "https", "b.test", false },
		{ "https://a.test?b.test", "https", "b.test", false },
		{ "", "https", "a.test", false },
		{ "https://[::1]:8443", "https", "[::1]:8443", true },
		{ "https://", "https", "", false } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++)
		if (csrf_same_origin(str_of(all[i].url), str_of(all[i].scheme),
		        str_of(all[i].host)) != all[i].same)
			fail_msg("%s of %s://%s", all[i].url, all[i].scheme, all[i].host);
	/* its bytes and no more */
	assert_false(
	    csrf_same_origin((struct str){ "https://a.test", 7 }, STR("https"), STR("a.test")));
	assert_false(
	    csrf_same_origin((struct str){ "https://a.test", 13 }, STR("https"), STR("a.test")));
}

static void
key_that_others_may_read_is_refused(void **state)
{
	char err[300];
	struct config *c;

	(void)state;
	unsetenv("MERIDIAN_CONFIG");
	assert_string_equal(load_from(key, 0600), "");
	assert_string_equal(load_from(key, 0640), "");
	assert_non_null(strstr(load_from(key, 0644), "others may read it"));
	assert_non_null(strstr(load_from("short", 0600), "fewer than 32"));
	unsetenv("MERIDIAN_SECRET_KEY_FILE");
	c = config_load(err, sizeof(err));
	assert_non_null(c);
	assert_null(secret_load(c, err, sizeof(err)));
	assert_non_null(strstr(err, "`meridian init`"));
	config_free(c);
}

static void
new_keys_differ_and_are_long_enough(void **state)
{
	struct str one = secret_make_key(a), two = secret_make_key(a);
	uint8_t bytes[64];

	(void)state;
	assert_int_equal(one.n, 86);
	assert_int_equal(two.n, 86);
	assert_string_not_equal(one.p, two.p);
	assert_true(secret_decode(one, bytes, sizeof(bytes)));
	assert_string_equal(load_from(one.p, 0600), "");
}

static void
token_is_good_for_its_session_only(void **state)
{
	struct secret *theirs = secret_new("another key of thirty-two bytes!", 32);
	struct str t = csrf_token(secret, a, "session", STR("one"));
	char changed[CSRF_TEXT + 1];

	(void)state;
	assert_int_equal(t.n, CSRF_TEXT);
	assert_true(csrf_token_is(secret, t, "session", STR("one")));
	assert_false(str_eq(t, csrf_token(secret, a, "session", STR("one"))));
	assert_false(csrf_token_is(secret, t, "session", STR("two")));
	assert_false(csrf_token_is(secret, t, "visitor", STR("one")));
	assert_false(csrf_token_is(theirs, t, "session", STR("one")));
	secret_free(theirs);
	for (size_t i = 0; i < t.n; i++) {
		memcpy(changed, t.p, t.n + 1);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_false(csrf_token_is(secret, str_of(changed), "session", STR("one")));
		assert_false(csrf_token_is(secret, (struct str){ t.p, i }, "session", STR("one")));
	}
	assert_false(csrf_token_is(secret, STR_NONE, "session", STR("one")));
}

static void
origin_is_scheme_and_host(void **state)
{
	static const struct {
		const char *url, *scheme, *host;
		bool same;
	} v[] = {
		{ "https://tom.example", "https", "tom.example", true },
		{ "https://TOM.example", "https", "tom.example", true },
		{ "https://tom.example:443", "https", "tom.example", true },
		{ "https://tom.example", "https", "tom.example:443", true },
		{ "http://tom.example", "http", "tom.example:80", true },
		{ "https://tom.example/targets/?a=1", "https", "tom.example", true },
		{ "https://tom.example:8443", "https", "tom.example:8443", true },
		{ "http://[::1]:8080", "http", "[::1]:8080", true },
		{ "http://localhost.:8080", "http", "localhost:8080", true },
		{ "https://tom.example.", "https", "tom.example", true },
		{ "https://tom.example", "https", "tom.example.:443", true },
		{ "https://tom.example..", "https", "tom.example", false },
		{ "https://tom.example:", "https", "tom.example", false },
		{ "https://tom.example:84430", "https", "tom.example:8443", false },
		{ "http://tom.example", "https", "tom.example", false },
		{ "https://tom.example", "http", "tom.example", false },
		{ "https://tom.example:80", "https", "tom.example", false },
		{ "https://tom.example:8443", "https", "tom.example", false },
		{ "https://evil.example", "https", "tom.example", false },
		{ "https://tom.example.evil", "https", "tom.example", false },
		{ "https://sub.tom.example", "https", "tom.example", false },
		{ "https://tom.example@evil.example", "https", "tom.example", false },
		{ "https://evil.example/https://tom.example", "https", "tom.example", false },
		{ "https://tom.example?x", "https", "tom.example", false },
		{ "https://tom.example#x", "https", "tom.example", false },
		{ "https://tom.example\\x", "https", "tom.example", false },
		{ "https-//tom.example", "https", "tom.example", false },
		{ "https:tom.example", "https", "tom.example", false },
		{ "//tom.example", "https", "tom.example", false },
		{ "null", "https", "tom.example", false },
		{ "", "https", "tom.example", false },
		{ "https://", "https", "", false },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(v); i++) {
		bool same = csrf_same_origin(
		    str_of(v[i].url), str_of(v[i].scheme), str_of(v[i].host));

		if (same != v[i].same)
			print_error("%s\n", v[i].url);
		assert_true(same == v[i].same);
	}
}

static const char *
foreign(const char *site, const char *origin, const char *referer, const char *scheme)
{
	return csrf_foreign(
	    str_of(site), str_of(origin), str_of(referer), str_of(scheme), STR("tom.example"));
}

static void
request_of_another_site_is_refused(void **state)
{
	(void)state;
	assert_null(foreign("same-origin", "https://tom.example", NULL, "https"));
	assert_null(foreign(NULL, "https://tom.example", "https://evil.example/", "https"));
	assert_null(foreign("none", NULL, "https://tom.example/x", "https"));
	assert_null(foreign(NULL, NULL, NULL, "http"));
	assert_non_null(foreign("cross-site", "https://tom.example", NULL, "https"));
	assert_non_null(foreign("same-site", "https://tom.example", NULL, "https"));
	assert_non_null(foreign("", "https://tom.example", NULL, "https"));
	assert_non_null(foreign(NULL, "https://evil.example", NULL, "https"));
	assert_non_null(foreign(NULL, "https://sub.tom.example", NULL, "https"));
	assert_non_null(foreign(NULL, "null", "https://tom.example/", "https"));
	assert_non_null(foreign(NULL, "http://tom.example", NULL, "https"));
	assert_non_null(foreign(NULL, "null", NULL, "http"));
	assert_non_null(foreign(NULL, "https://tom.example/", NULL, "https"));
	assert_non_null(foreign(NULL, "https://tom.example/x", NULL, "https"));
	assert_non_null(strstr(foreign(NULL, NULL, NULL, "https"), "did not say"));
	assert_non_null(foreign(NULL, NULL, "http://tom.example/", "https"));
	assert_non_null(foreign(NULL, NULL, "https://evil.example/", "https"));
}

static void
row_says_who_may_use_it(void **state)
{
	static const struct user plain = { .id = 1 }, staff = { .id = 2, .is_staff = true },
	                         super = { .id = 3, .is_superuser = true };
	static const struct {
		enum access row;
		enum access_answer visitor, locked_out, plain, staff, super;
	} v[] = {
		{ ANYONE, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED,
		    ACCESS_GRANTED },
		{ READER, ACCESS_GRANTED, ACCESS_SIGN_IN, ACCESS_GRANTED, ACCESS_GRANTED,
		    ACCESS_GRANTED },
		{ LOGIN, ACCESS_SIGN_IN, ACCESS_SIGN_IN, ACCESS_GRANTED, ACCESS_GRANTED,
		    ACCESS_GRANTED },
		{ STAFF, ACCESS_SIGN_IN, ACCESS_SIGN_IN, ACCESS_REFUSED, ACCESS_GRANTED,
		    ACCESS_GRANTED },
		{ SUPERUSER, ACCESS_SIGN_IN, ACCESS_SIGN_IN, ACCESS_REFUSED, ACCESS_REFUSED,
		    ACCESS_GRANTED },
		{ ACCESS_MISSING, ACCESS_SIGN_IN, ACCESS_SIGN_IN, ACCESS_REFUSED, ACCESS_REFUSED,
		    ACCESS_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(v); i++) {
		assert_int_equal(access_decide(v[i].row, NULL, false), v[i].visitor);
		assert_int_equal(access_decide(v[i].row, NULL, true), v[i].locked_out);
		for (int locked = 0; locked < 2; locked++) {
			assert_int_equal(access_decide(v[i].row, &plain, locked), v[i].plain);
			assert_int_equal(access_decide(v[i].row, &staff, locked), v[i].staff);
			assert_int_equal(access_decide(v[i].row, &super, locked), v[i].super);
		}
	}
}

static void
open_urls_are_shell_patterns_over_slashes(void **state)
{
	char err[300];
	struct config *c;

	(void)state;
	setenv("MERIDIAN_OPEN_URLS", "/about/, /targets/*/ [!a]x", 1);
	c = config_load(err, sizeof(err));
	assert_non_null(c);
	assert_true(access_is_open(c, "/about/"));
	assert_true(access_is_open(c, "/targets/12/update/"));
	assert_false(access_is_open(c, "/targets/"));
	assert_false(access_is_open(c, "/about/x"));
	assert_false(access_is_open(c, "/"));
	config_free(c);
	unsetenv("MERIDIAN_OPEN_URLS");
}

static void
principals_are_anyone_signed_in_user_groups(void **state)
{
	static const int64_t groups[] = { 7, 9 };
	struct user u = { .id = 5 };

	(void)state;
	access_set_groups(a, &u, groups, 2);
	assert_int_equal(u.nprincipals, 5);
	assert_int_equal(u.principals[0], PRINCIPAL_ANYONE);
	assert_int_equal(u.principals[1], PRINCIPAL_SIGNED_IN);
	assert_int_equal(u.principals[2], PRINCIPAL_USER(5));
	assert_int_equal(u.principals[4], PRINCIPAL_GROUP(9));
	assert_int_equal(access_visitor()->nprincipals, 1);
	assert_int_equal(access_visitor()->principals[0], PRINCIPAL_ANYONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_and_signature_are_the_standard_ones),
		cmocka_unit_test(base64url_is_strict),
		cmocka_unit_test(random_bytes_are_asked_for_until_all_are_there),
		cmocka_unit_test(process_without_chance_or_hash_ends),
		cmocka_unit_test(an_origin_is_scheme_name_and_port),
		cmocka_unit_test(key_that_others_may_read_is_refused),
		cmocka_unit_test(new_keys_differ_and_are_long_enough),
		cmocka_unit_test(token_is_good_for_its_session_only),
		cmocka_unit_test(origin_is_scheme_and_host),
		cmocka_unit_test(request_of_another_site_is_refused),
		cmocka_unit_test(row_says_who_may_use_it),
		cmocka_unit_test(open_urls_are_shell_patterns_over_slashes),
		cmocka_unit_test(principals_are_anyone_signed_in_user_groups),
	};

	return cmocka_run_group_tests_name("csrf", tests, set_up, tear_down);
}
