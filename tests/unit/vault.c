/*
 * vault: sealed values and the files of keys.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/csrf.h"
#include "auth/vault.h"
#include "base/clock.h"

#define ONE "one-key-of-the-vault-0123456789-abcdef"
#define TWO "two-key-of-the-vault-0123456789-abcdef"
#define THREE "three-key-of-the-vault-0123456789-abc"

static struct arena *a;
static const struct vault_place place = { "factor", "secret", 7 };

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	clock_freeze(0);
	arena_free(a);
	return 0;
}

static struct vault *
vault_of(const char *text)
{
	struct keyring ring;
	char err[200];

	assert_int_equal(keyring_parse(a, str_of(text), &ring, err, sizeof(err)), 0);
	return vault_new(&ring);
}

static enum vault_answer
open_at(struct vault *v, const struct vault_place *where, struct str sealed)
{
	struct str text;
	enum vault_answer answer = vault_open(v, a, where, sealed, &text);

	assert_true((answer == VAULT_OPEN) == (text.p != NULL));
	return answer;
}

static void
what_was_sealed_opens_again(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 20, 1000, VAULT_MAX };
	struct vault *v = vault_of(ONE);
	char *text = arena_alloc(a, VAULT_MAX + 1);

	(void)state;
	memset(text, 'x', VAULT_MAX + 1);
	for (size_t i = 0; i < NELEM(sizes); i++) {
		struct str sealed = vault_seal(v, a, &place, (struct str){ text, sizes[i] }), back;

		assert_int_equal(sealed.n, sizes[i] + VAULT_EXTRA);
		assert_int_equal(vault_open(v, a, &place, sealed, &back), VAULT_OPEN);
		assert_int_equal(back.n, sizes[i]);
		assert_memory_equal(back.p, text, sizes[i]);
		assert_true(vault_is_newest(v, sealed));
	}
	assert_null(vault_seal(v, a, &place, (struct str){ text, VAULT_MAX + 1 }).p);
	vault_free(v);
}

static void
the_same_text_is_sealed_differently_each_time(void **state)
{
	struct vault *v = vault_of(ONE);
	struct str text = STR("a credential"), s1 = vault_seal(v, a, &place, text),
	           s2 = vault_seal(v, a, &place, text);

	(void)state;
	assert_false(str_eq(s1, s2));
	assert_null(memmem(s1.p, s1.n, "credential", 10));
	vault_free(v);
}

static void
sealed_value_opens_at_its_place_only(void **state)
{
	static const struct vault_place others[] = { { "factor", "secret", 8 },
		{ "factor", "offer", 7 }, { "facto", "rsecret", 7 }, { "factors", "ecret", 7 },
		{ "factor", "secret", 77 }, { "observatory", "secret", 7 } };
	struct vault *v = vault_of(ONE);
	struct str sealed = vault_seal(v, a, &place, STR("a credential"));

	(void)state;
	for (size_t i = 0; i < NELEM(others); i++)
		assert_int_equal(open_at(v, &others[i], sealed), VAULT_WRONG);
	assert_int_equal(open_at(v, &place, sealed), VAULT_OPEN);
	vault_free(v);
}

static void
changed_byte_anywhere_opens_nothing(void **state)
{
	struct vault *v = vault_of(ONE);
	struct str sealed = vault_seal(v, a, &place, STR("a credential"));

	(void)state;
	for (size_t i = 0; i < sealed.n; i++)
		for (int bit = 0; bit < 8; bit++) {
			char *copy = arena_alloc(a, sealed.n + 1);

			memcpy(copy, sealed.p, sealed.n);
			copy[i] = (char)(copy[i] ^ 1 << bit);
			assert_int_not_equal(
			    open_at(v, &place, (struct str){ copy, sealed.n }), VAULT_OPEN);
		}
	for (size_t n = 0; n < sealed.n; n++)
		assert_int_not_equal(open_at(v, &place, (struct str){ sealed.p, n }), VAULT_OPEN);
	assert_int_equal(open_at(v, &place, STR_NONE), VAULT_WRONG);
	vault_free(v);
}

static void
another_key_opens_nothing(void **state)
{
	struct vault *one = vault_of(ONE), *two = vault_of(TWO);
	struct str sealed = vault_seal(one, a, &place, STR("a credential"));

	(void)state;
	assert_int_equal(open_at(two, &place, sealed), VAULT_NO_KEY);
	assert_false(vault_is_newest(two, sealed));
	vault_free(one);
	vault_free(two);
}

/* The two files of a rotation: an hour before the new key is in use, and after. */
static void
old_and_new_key_open_during_a_rotation(void **state)
{
	static const char file[] = ONE "\n" TWO " from 2026-11-27T12:00:00Z\n";
	struct vault *before = vault_of(ONE), *during, *after = vault_of(TWO);
	struct str s1, s2;
	int64_t noon;

	(void)state;
	assert_true(clock_from_iso(STR("2026-11-27T12:00:00Z"), &noon));
	clock_freeze(noon - 1);
	during = vault_of(file);
	s1 = vault_seal(during, a, &place, STR("a credential"));
	assert_int_equal(open_at(before, &place, s1), VAULT_OPEN);
	assert_false(vault_is_newest(during, s1));
	/* what is sealed anew already opens, too, before the hour */
	s2 = vault_seal_newest(during, a, &place, STR("a credential"));
	assert_int_equal(open_at(during, &place, s2), VAULT_OPEN);
	assert_int_equal(open_at(after, &place, s2), VAULT_OPEN);
	assert_true(vault_is_newest(during, s2));
	clock_freeze(noon);
	s2 = vault_seal(during, a, &place, STR("a credential"));
	assert_int_equal(open_at(after, &place, s2), VAULT_OPEN);
	assert_int_equal(open_at(during, &place, s1), VAULT_OPEN);
	clock_freeze(0);
	vault_free(before);
	vault_free(during);
	vault_free(after);
}

static void
key_file_is_one_key_or_lines(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *wrong;
	} files[] = {
		{ ONE, 1, "" },
		{ ONE "\n" TWO, 1, "" }, /* any text is one key */
		{ "a key with blanks, as people make them", 1, "" },
		{ ONE "\n" TWO " from 2026-11-27T12:00:00Z", 2, "" },
		{ ONE " until 2026-11-27T12:00:00Z\r\n\r\n" TWO " from 2026-11-26T12:00:00Z\r\n", 2,
		    "" },
		{ ONE " from 2026-11-26T12:00:00Z until 2027-11-26T12:00:00Z", 1, "" },
		{ "too short", 0, "fewer than 32" },
		{ ONE "\n" TWO " from noon", 0, "line 2" },
		{ ONE "\nshort from 2026-11-27T12:00:00Z", 0, "line 2" },
		{ ONE " from 2026-11-27T12:00:00Z from 2026-11-27T12:00:00Z", 0, "line 1" },
		{ ONE " from", 0, "line 1" },
		{ ONE " from 2999-11-27T12:00:00Z", 0, "in use yet" },
	};
	struct keyring ring;
	char err[200];

	(void)state;
	clock_freeze(INT64_C(1795780000) * SECOND); /* 2026-11-27 */
	for (size_t i = 0; i < NELEM(files); i++) {
		int result;

		err[0] = '\0';
		result = keyring_parse(a, str_of(files[i].text), &ring, err, sizeof(err));
		assert_int_equal(result == 0 ? ring.n : 0, files[i].n);
		assert_true(files[i].wrong[0] == '\0' ? err[0] == '\0'
		                                      : strstr(err, files[i].wrong) != NULL);
		assert_null(strstr(err, "vault"));
	}
	clock_freeze(0);
}

static void
keyring_is_written_as_it_was_read(void **state)
{
	static const char file[] = ONE " until 2026-11-28T12:00:00Z\n" TWO
	                               " from 2026-11-27T12:00:00Z\n" THREE
	                               " from 2026-11-26T12:00:00Z until 2026-12-28T12:00:00Z\n";
	struct keyring ring;
	char err[200];
	int64_t noon;

	(void)state;
	assert_true(clock_from_iso(STR("2026-11-27T12:00:00Z"), &noon));
	assert_int_equal(keyring_parse(a, str_of(file), &ring, err, sizeof(err)), 0);
	assert_str(keyring_text(&ring, a), file);
	assert_int_equal(keyring_current(&ring, noon - DAY - 1), 0);
	assert_int_equal(keyring_current(&ring, noon - 1), 2);
	assert_int_equal(keyring_current(&ring, noon), 1);
	assert_int_equal(keyring_current(&ring, INT64_MAX), 1);
}

/* A site whose secret changed: forms of before stay good for as long as the old key does. */
static void
signature_of_an_old_key_is_good_until_its_end(void **state)
{
	static const char file[] = ONE " until 2026-11-28T12:00:00Z\n" TWO
	                               " from 2026-11-27T12:00:00Z\n";
	char path[] = "/tmp/meridian-XXXXXX", err[300];
	struct secret *old = secret_new(ONE, strlen(ONE)), *fresh = secret_new(TWO, strlen(TWO)),
	              *both;
	int fd = mkstemp(path);
	struct config *c;
	struct str form;
	int64_t noon;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, strlen(file)), strlen(file));
	close(fd);
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	setenv("MERIDIAN_SECRET_KEY_FILE", path, 1);
	assert_non_null(c = config_load(err, sizeof(err)));
	assert_true(clock_from_iso(STR("2026-11-27T12:00:00Z"), &noon));
	clock_freeze(noon - 1);
	assert_non_null(both = secret_load(c, err, sizeof(err)));
	form = csrf_token(both, a, "session", STR("one"));
	assert_true(csrf_token_is(old, form, "session", STR("one")));
	/* a worker whose clock is early, or that was started late */
	assert_true(csrf_token_is(
	    both, csrf_token(fresh, a, "session", STR("one")), "session", STR("one")));
	clock_freeze(noon);
	assert_true(csrf_token_is(both, form, "session", STR("one")));
	assert_true(csrf_token_is(
	    fresh, csrf_token(both, a, "session", STR("one")), "session", STR("one")));
	clock_freeze(noon + DAY);
	assert_false(csrf_token_is(both, form, "session", STR("one")));
	clock_freeze(0);
	secret_free(old);
	secret_free(fresh);
	secret_free(both);
	config_free(c);
	unlink(path);
}

static void
vault_file_that_others_may_read_is_refused(void **state)
{
	char path[] = "/tmp/meridian-XXXXXX", err[300];
	int fd = mkstemp(path);
	struct config *c;
	struct vault *v;

	(void)state;
	assert_int_equal(write(fd, ONE, strlen(ONE)), strlen(ONE));
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	setenv("MERIDIAN_VAULT_KEY_FILE", path, 1);
	assert_non_null(c = config_load(err, sizeof(err)));
	assert_non_null(v = vault_load(c, err, sizeof(err)));
	vault_free(v);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_null(vault_load(c, err, sizeof(err)));
	assert_non_null(strstr(err, "others may read it"));
	assert_null(strstr(err, ONE));
	config_free(c);
	unsetenv("MERIDIAN_VAULT_KEY_FILE");
	assert_non_null(c = config_load(err, sizeof(err)));
	assert_null(vault_load(c, err, sizeof(err)));
	assert_string_equal(err, ""); /* none is named: that is no mistake */
	config_free(c);
	close(fd);
	unlink(path);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A worker that meets a key it does not know reads the file again, whatever became of that. */
static void
file_that_cannot_be_read_again_takes_no_key_away(void **state)
{
	static const char *const wrong[] = { "short", ONE " until never\n",
		TWO "\n" ONE " from\n" };
	char path[] = "/tmp/meridian-XXXXXX", err[300];
	struct vault *other = vault_of(TWO), *v;
	struct str mine, foreign = vault_seal(other, a, &place, STR("text"));
	int fd = mkstemp(path);
	struct config *c;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_file(path, ONE, 0600);
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	setenv("MERIDIAN_VAULT_KEY_FILE", path, 1);
	assert_non_null(c = config_load(err, sizeof(err)));
	assert_non_null(v = vault_load(c, err, sizeof(err)));
	mine = vault_seal(v, a, &place, STR("text"));
	for (size_t i = 0; i < NELEM(wrong); i++) {
		write_file(path, wrong[i], 0600);
		assert_int_equal(open_at(v, &place, foreign), VAULT_NO_KEY);
		assert_int_equal(open_at(v, &place, mine), VAULT_OPEN);
	}
	write_file(path, TWO, 0644); /* others may read it */
	assert_int_equal(open_at(v, &place, foreign), VAULT_NO_KEY);
	unlink(path);
	assert_int_equal(open_at(v, &place, foreign), VAULT_NO_KEY);
	assert_int_equal(open_at(v, &place, mine), VAULT_OPEN);
	assert_int_equal(open_at(v, &place, vault_seal(v, a, &place, STR("more"))), VAULT_OPEN);
	write_file(path, ONE " until 2099-01-01T00:00:00Z\n" TWO "\n", 0600);
	assert_int_equal(open_at(v, &place, foreign), VAULT_OPEN);
	assert_int_equal(open_at(v, &place, mine), VAULT_OPEN);
	unsetenv("MERIDIAN_VAULT_KEY_FILE");
	vault_free(v);
	vault_free(other);
	config_free(c);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens_again),
		cmocka_unit_test(the_same_text_is_sealed_differently_each_time),
		cmocka_unit_test(sealed_value_opens_at_its_place_only),
		cmocka_unit_test(changed_byte_anywhere_opens_nothing),
		cmocka_unit_test(another_key_opens_nothing),
		cmocka_unit_test(old_and_new_key_open_during_a_rotation),
		cmocka_unit_test(key_file_is_one_key_or_lines),
		cmocka_unit_test(keyring_is_written_as_it_was_read),
		cmocka_unit_test(signature_of_an_old_key_is_good_until_its_end),
		cmocka_unit_test(vault_file_that_others_may_read_is_refused),
		cmocka_unit_test(file_that_cannot_be_read_again_takes_no_key_away),
	};

	return cmocka_run_group_tests_name("vault", tests, set_up, tear_down);
}
