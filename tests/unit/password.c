/*
 * password: every form of Django and its vectors, the decoder's bounds, what a check costs, and what it
 * waits for.
 */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auth/slot.h"
#include "base/clock.h"
#include "config.h"
#include "passwords.h"

#define KEY_OF_LETMEIN \
	"Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw=="

#define KEY_OF_32 "JJtIAJC9KWvQ9WDM4y9WhU2C66Nvmo3lk51VIde/Fkg="
#define ARGON2_SALT_AND_KEY \
	"QWJjZGVmZ2hpajAxMjM0NTY3ODl4eQ$MgbVCdcxZb6NYu1PDvusCiEOpupJVFjClrwnRgfuPg8"
#define ARGON2(costs) "argon2$argon2id$v=19$" costs "$" ARGON2_SALT_AND_KEY
#define BCRYPT(begin) "bcrypt$" begin "qBrOm.NNr4sP2FETwuWr4OzRmHfRBL7mQ9ylOUfTPksyFsjhHXLfO"

static void
our_hash_is_djangos_form_and_checks(void **state)
{
	struct arena *a = fresh();
	struct str e, other;
	bool weak = true;

	(void)state;
	assert_int_equal(password_hash(a, STR("caf\xc3\xa9 noir"), &e), PASSWORD_RIGHT);
	assert_memory_equal(e.p, "scrypt$131072$", 14);
	assert_memory_equal(e.p + 14 + 22, "$8$1$", 5);
	assert_int_equal(e.n, 14 + 22 + 5 + 88);
	/* the decomposed twin of the same word */
	assert_int_equal(password_check(e, STR("cafe\xcc\x81 noir"), &weak), PASSWORD_RIGHT);
	assert_false(weak);
	assert_int_equal(password_check(e, STR("cafe noir"), &weak), PASSWORD_WRONG);
	assert_int_equal(password_hash(a, STR("caf\xc3\xa9 noir"), &other), PASSWORD_RIGHT);
	assert_false(str_eq(e, other));
}

static void
hash_of_python_is_right(void **state)
{
	struct str e = STR(
	    "scrypt$131072$Abcdefghij0123456789xy$8$1$kYr9Mv/uy3egHO8hKDY4oc78yFQ5LErejugdzg"
	    "xNYcJKIhMHNFMd2NaunLQVc3LO1TvHqZWPlSrgumW6vOUm+w==");
	bool weak = true;

	(void)state;
	assert_int_equal(
	    password_check(e, STR("correct horse battery staple"), &weak), PASSWORD_RIGHT);
	assert_false(weak);
}

static void
weaker_hash_of_django_is_right_and_weak(void **state)
{
	struct str p1 = STR("scrypt$16384$seasalt$8$1$" KEY_OF_LETMEIN);
	struct str p5 = STR("scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/"
	                    "vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==");
	struct str salt = STR(
	    "scrypt$131072$seasalt$8$1$"
	    "S5snkUiOHShj1W/Fp4bG+QK22wzt8KjB9SF+p8+1EvQc8hshO8Egcw9UCdtiv5Th5REB25U/"
	    "AQEagWack4Mbwg==");
	bool weak = false;

	(void)state;
	assert_int_equal(password_check(salt, STR("l\xc3\xa8tmein"), &weak), PASSWORD_RIGHT);
	assert_true(weak); /* by its salt alone */
	assert_int_equal(password_check(p1, STR("l\xc3\xa8tmein"), &weak), PASSWORD_RIGHT);
	assert_true(weak);
	assert_int_equal(password_check(p5, STR("l\xc3\xa8tmein"), &weak), PASSWORD_RIGHT);
	assert_true(weak);
	assert_int_equal(password_check(p5, STR("l\xc3\xa8tmeiN"), &weak), PASSWORD_WRONG);
	assert_false(weak);
}

static const struct {
	const char *name, *password, *encoded;
} django[] = {
#include "django_hashes.inc"
};

static void
every_hash_of_django_is_right_and_weak(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(django); i++) {
		struct str e = str_of(django[i].encoded), p = str_of(django[i].password);
		bool weak = false;

		print_message("%s\n", django[i].name);
		assert_true(password_readable(e));
		assert_int_equal(password_check(e, p, &weak), PASSWORD_RIGHT);
		assert_true(weak);
	}
}

/* The same but for the last byte, which bcrypt alone would not see; and what comes after a NUL. */
static void
every_hash_of_django_knows_wrong_from_right(void **state)
{
	char p[200];
	bool weak = true;

	(void)state;
	for (size_t i = 0; i < NELEM(django); i++) {
		size_t n = strlen(django[i].password);

		if (strcmp(django[i].name, "pbkdf2_sha256") != 0 &&
		    strcmp(django[i].name, "argon2id") != 0 &&
		    strcmp(django[i].name, "bcrypt_sha256") != 0)
			continue;
		memcpy(p, django[i].password, n + 1);
		p[n - 1] ^= 1;
		assert_int_equal(
		    password_check(str_of(django[i].encoded), str_of(p), &weak), PASSWORD_WRONG);
		assert_false(weak);
	}
	for (size_t i = 0; i < NELEM(django); i++)
		if (strcmp(django[i].name, "bcrypt") == 0) {
			struct str nul = { p, strlen(django[i].password) + 2 };

			memcpy(p, django[i].password, nul.n - 1);
			p[nul.n - 1] = 'x'; /* after the NUL */
			assert_int_equal(
			    password_check(str_of(django[i].encoded), nul, &weak), PASSWORD_WRONG);
		}
}

/* Django hashed what was typed: one keyboard sends a letter whole, another in parts. */
static void
spellings_of_one_password_sign_in_alike(void **state)
{
	static const char
	    whole[] = "\xc3\x85ngstr\xc3\xb6m \xe2\x80\x93 caf\xc3\xa9",
	    parts[] = "A\xcc\x8angstro\xcc\x88m \xe2\x80\x93 cafe\xcc\x81",
	    /* the sign of the unit for its letter, which only NFC and NFKC make one */
	    sign[] = "\xe2\x84\xabngstr\xc3\xb6m \xe2\x80\x93 caf\xc3\xa9";

	(void)state;
	for (size_t i = 0; i < NELEM(django); i++) {
		struct str e = str_of(django[i].encoded);
		bool is_whole = strcmp(django[i].password, whole) == 0, weak = false;

		if (!is_whole && strcmp(django[i].password, parts) != 0)
			continue;
		assert_int_equal(
		    password_check(e, str_of(is_whole ? parts : whole), &weak), PASSWORD_RIGHT);
		assert_true(weak);
		if (strcmp(django[i].name, "scrypt, NFD") == 0)
			assert_int_equal(password_check(e, str_of(sign), &weak), PASSWORD_RIGHT);
	}
}

static void
md5_is_read_where_the_configuration_says_so(void **state)
{
	size_t n = 0;

	(void)state;
	setenv("MERIDIAN_PASSWORD_IMPORT_MD5", "no", 1);
	assert_int_equal(configure(), 0);
	for (size_t i = 0; i < NELEM(django); i++)
		if (strncmp(django[i].name, "md5", 3) == 0) {
			assert_false(password_readable(str_of(django[i].encoded)));
			n++;
		}
	assert_int_equal(n, 3);
	setenv("MERIDIAN_PASSWORD_IMPORT_MD5", "yes", 1);
	assert_int_equal(configure(), 0);
}

static void
every_byte_counts(void **state)
{
	struct arena *a = fresh();
	char p[PASSWORD_MAX + 1];
	struct str e, nul = { "a\0b", 3 };
	bool weak;

	(void)state;
	memset(p, 'x', sizeof(p));
	assert_int_equal(password_hash(a, (struct str){ p, sizeof(p) }, &e), PASSWORD_WRONG);
	assert_int_equal(password_hash(a, (struct str){ p, PASSWORD_MAX }, &e), PASSWORD_RIGHT);
	p[PASSWORD_MAX - 1] = 'y';
	assert_int_equal(password_check(e, (struct str){ p, PASSWORD_MAX }, &weak), PASSWORD_WRONG);
	assert_int_equal(password_hash(a, nul, &e), PASSWORD_RIGHT);
	assert_int_equal(password_check(e, nul, &weak), PASSWORD_RIGHT);
	assert_int_equal(password_check(e, STR("a"), &weak), PASSWORD_WRONG);
}

static int64_t
cpu(struct str encoded, struct str password, enum password_verdict *verdict)
{
	struct timespec t;
	int64_t before;
	bool weak;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	before = t.tv_sec * SECOND + t.tv_nsec / 1000;
	*verdict = password_check(encoded, password, &weak);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * SECOND + t.tv_nsec / 1000 - before;
}

/*
 * Another who works on this machine makes one of these measures wrong, hardly the same claim five times
 * over; what really costs more or less does so each time.
 */
static bool
holds(bool (*claim)(void))
{
	for (int i = 0; i < 5; i++)
		if (claim())
			return true;
	return false;
}

/*
 * In the time that a turn is held, too: who waits for it must not learn what is stored. The full one is
 * measured once more before: what a form leaves over is spent by the measure of the last full ones.
 */
static bool
all_wrong_ones_cost_the_same(void)
{
	static const char ours[] = "scrypt$131072$Abcdefghij0123456789xy$8$1$" KEY_OF_LETMEIN;
	static const char *const encoded[] = { NULL, "", "!unusable",
		"pbkdf2_sha256$600000$salt$AAAA", "scrypt$16384$seasalt$8$5$" KEY_OF_LETMEIN,
		"pbkdf2_sha256$600000$seasalt$JJtIAJC9KWvQ9WDM4y9WhU2C66Nvmo3lk51VIde/Fkg=",
		"argon2$argon2id$v=19$m=102400,t=2,p=8$QWJjZGVmZ2hpajAxMjM0NTY3ODl4eQ$"
		"DoRQULYVXqg4vjkljWrWATiGyFYTx8Nj+X2E6vioEhQ",
		"bcrypt$$2b$10$qBrOm.NNr4sP2FETwuWr4OzRmHfRBL7mQ9ylOUfTPksyFsjhHXLfO",
		"md5$$37c6038bbbf0570ecfad3c54d70181da" };
	struct str wrong = STR("wrong password of all");
	enum password_verdict v;
	int64_t full, t;

	full = cpu(str_of(ours), wrong, &v);
	assert_int_equal(v, PASSWORD_WRONG);
	for (size_t i = 0; i < NELEM(encoded); i++) {
		t = cpu(str_of(encoded[i]), wrong, &v);
		assert_int_equal(v, PASSWORD_WRONG);
		print_message("%-40.40s %.2f of a full check\n",
		    encoded[i] ? encoded[i] : "(nobody)", (double)t / (double)full);
		if (t <= full * 7 / 10 || t >= full * 2)
			return false;
	}
	return true;
}

static void
wrong_costs_the_same_whatever_is_stored(void **state)
{
	(void)state;
	assert_true(holds(all_wrong_ones_cost_the_same));
}

/* Typed in parts, both spellings are tried: of us, of an imported hash and of nobody. */
static bool
all_spellings_cost_the_same(void)
{
	static const char *const encoded[] = {
		"scrypt$131072$Abcdefghij0123456789xy$8$1$" KEY_OF_LETMEIN,
		"md5$$37c6038bbbf0570ecfad3c54d70181da", NULL
	};
	struct str parts = STR("cafe\xcc\x81 noir"),
	           four = STR("cafe\xcc\x81 \xef\xac\x81x \xc3\xa9");
	enum password_verdict v;
	int64_t two[NELEM(encoded)];

	for (size_t i = 0; i < NELEM(encoded); i++) {
		two[i] = cpu(str_of(encoded[i]), parts, &v);
		assert_int_equal(v, PASSWORD_WRONG);
		if (two[i] <= two[0] * 7 / 10 || two[i] >= two[0] * 2)
			return false;
	}
	/* four spellings cost three */
	return cpu(STR_NONE, four, &v) < two[2] * 19 / 10;
}

static void
spellings_cost_the_same_whatever_is_stored(void **state)
{
	(void)state;
	assert_true(holds(all_spellings_cost_the_same));
}

static void
wrong_is_answered_no_earlier_than_the_floor(void **state)
{
	int64_t began;
	bool weak;

	(void)state;
	setenv("MERIDIAN_PASSWORD_FLOOR_MS", "900", 1);
	assert_int_equal(configure(), 0);
	began = clock_monotonic();
	assert_int_equal(password_check(STR_NONE, STR("x"), &weak), PASSWORD_WRONG);
	assert_true(clock_monotonic() - began >= 900000);
	setenv("MERIDIAN_PASSWORD_FLOOR_MS", "0", 1);
	assert_int_equal(configure(), 0);
}

static void
turn_is_free_while_the_floor_is_waited_for(void **state)
{
	int64_t began = clock_monotonic();
	int status, fd;
	bool weak;
	pid_t pid;

	(void)state;
	setenv("MERIDIAN_PASSWORD_HASHES", "1", 1);
	setenv("MERIDIAN_PASSWORD_FLOOR_MS", "10000", 1);
	assert_int_equal(configure(), 0);
	pid = fork();
	if (pid == 0)
		_exit(password_check(STR_NONE, STR("x"), &weak) == PASSWORD_WRONG ? 0 : 1);
	while (slot_take(dir, "passwords.lock", 1, 0, &fd) == SLOT_MINE) {
		slot_release(fd);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		assert_true(clock_monotonic() - began < 20 * SECOND);
	}
	assert_int_equal(slot_take(dir, "passwords.lock", 1, 20000, &fd), SLOT_MINE);
	slot_release(fd);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	setenv("MERIDIAN_PASSWORD_FLOOR_MS", "0", 1);
	unsetenv("MERIDIAN_PASSWORD_HASHES");
	assert_int_equal(configure(), 0);
}

static void
decoder_bounds_what_it_computes(void **state)
{
	static const char *const refused[] = { "scrypt$131072$salt$8$1$",
		"scrypt$131072$salt$8$1$" KEY_OF_LETMEIN "$", "scrypt$131072$$8$1$" KEY_OF_LETMEIN,
		"scrypt$131073$salt$8$1$" KEY_OF_LETMEIN, "scrypt$0$salt$8$1$" KEY_OF_LETMEIN,
		"scrypt$1$salt$8$1$" KEY_OF_LETMEIN, "scrypt$-2$salt$8$1$" KEY_OF_LETMEIN,
		"scrypt$+2$salt$8$1$" KEY_OF_LETMEIN, "scrypt$02$salt$8$1$" KEY_OF_LETMEIN,
		"scrypt$2097152$salt$1$1$" KEY_OF_LETMEIN,
		"scrypt$1048576$salt$8$1$" KEY_OF_LETMEIN,
		"scrypt$131072$salt$32$1$" KEY_OF_LETMEIN,
		"scrypt$131072$salt$8$17$" KEY_OF_LETMEIN,
		"scrypt$131072$salt$16$16$" KEY_OF_LETMEIN,
		"scrypt$131072$salt$8$0$" KEY_OF_LETMEIN,
		"scrypt$18446744073709551616$salt$8$1$" KEY_OF_LETMEIN,
		"scrypt$131072$sa lt$8$1$" KEY_OF_LETMEIN,
		"scrypt$131072$s\xc3\xa4lt$8$1$" KEY_OF_LETMEIN,
		"scrypt$131072$salt$8$1$ " KEY_OF_LETMEIN, "Scrypt$131072$salt$8$1$" KEY_OF_LETMEIN,
		/* not canonical: bits beyond the 64th byte */
		"scrypt$131072$salt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/"
		"NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8m"
		"x7rQwite/Px==",
		"pbkdf2_sha256$10000001$salt$" KEY_OF_32, "pbkdf2_sha256$0$salt$" KEY_OF_32,
		"pbkdf2_sha256$1000$$" KEY_OF_32, "pbkdf2_sha256$1000$salt$" KEY_OF_32 "$",
		"pbkdf2_sha1$1000$salt$" KEY_OF_32,
		"pbkdf2_sha256$1000$salt$3EiDDj/gnJCE6+wPibArerVhyDw=",
		"pbkdf2_sha512$1000$salt$" KEY_OF_32, ARGON2("m=262145,t=1,p=1"),
		ARGON2("m=262144,t=9,p=1"), ARGON2("m=1024,t=0,p=1"), ARGON2("m=1024,t=1,p=17"),
		ARGON2("m=8,t=1,p=2"), ARGON2("m=1024,t=1,p=1,"), ARGON2("m=1024,t=1,p=1,q=1"),
		ARGON2("t=1,m=1024,p=1"), ARGON2("m=1024,t=1"), ARGON2("m=1024,t=1,p=1$x"),
		"argon2$argon2d$v=19$m=1024,t=1,p=1$" ARGON2_SALT_AND_KEY,
		"argon2$argon2id$v=20$m=1024,t=1,p=1$" ARGON2_SALT_AND_KEY,
		"argon2$argon2id$v=19$m=1024,t=1,p=1$c2FsdA$"
		"MgbVCdcxZb6NYu1PDvusCiEOpupJVFjClrwnRgfuPg8",
		"argon2$argon2id$v=19$m=1024,t=1,p=1$QWJjZGVmZ2hpajAxMjM0NTY3ODl4eQ$MgbV",
		"argon2$argon2id$v=19$m=1024,t=1,p=1$QWJjZGVmZ2hpajAxMjM0NTY3ODl4eQ==$"
		"MgbVCdcxZb6NYu1PDvusCiEOpupJVFjClrwnRgfuPg8",
		BCRYPT("$2b$16$"), BCRYPT("$2b$03$"), BCRYPT("$2b$1x$"), BCRYPT("$2x$10$"),
		BCRYPT("$2b$10$") "x", "bcrypt$$2b$10$", "bcrypt$$6$salt$abc",
		"md5$salt$37C6038BBBF0570ECFAD3C54D70181DA", "md5$37c6038bbbf0570ecfad3c54d70181da",
		"md5$a$b$37c6038bbbf0570ecfad3c54d70181da", "37c6038bbbf0570ecfad3c54d70181d",
		"sha1$salt$37c6038bbbf0570ecfad3c54d70181da" };
	char longest[600];

	(void)state;
	assert_true(password_readable(STR("scrypt$131072$salt$8$1$" KEY_OF_LETMEIN)));
	assert_true(password_readable(STR("scrypt$262144$salt$8$4$" KEY_OF_LETMEIN)));
	assert_true(password_readable(STR("pbkdf2_sha256$10000000$salt$" KEY_OF_32)));
	assert_true(password_readable(STR(ARGON2("m=262144,t=8,p=16"))));
	assert_true(password_readable(
	    STR("argon2$argon2i$m=1024,t=1,p=1$" ARGON2_SALT_AND_KEY))); /* the first version */
	assert_true(password_readable(STR(BCRYPT("$2y$15$"))));
	for (size_t i = 0; i < NELEM(refused); i++) {
		if (password_readable(str_of(refused[i])))
			print_error("%s\n", refused[i]);
		assert_false(password_readable(str_of(refused[i])));
	}
	snprintf(longest, sizeof(longest), "scrypt$131072$%0129d$8$1$%s", 1, KEY_OF_LETMEIN);
	assert_false(password_readable(str_of(longest)));
}

static void
busy_machine_answers_busy(void **state)
{
	struct arena *a = fresh();
	struct str e;
	bool weak;
	int fd;

	(void)state;
	setenv("MERIDIAN_PASSWORD_HASHES", "1", 1);
	setenv("MERIDIAN_PASSWORD_HASH_WAIT_MS", "20", 1);
	assert_int_equal(configure(), 0);
	assert_int_equal(slot_take(dir, "passwords.lock", 1, 0, &fd), SLOT_MINE);
	assert_int_equal(password_hash(a, STR("x"), &e), PASSWORD_BUSY);
	assert_int_equal(password_check(STR_NONE, STR("x"), &weak), PASSWORD_BUSY);
	slot_release(fd);
	unsetenv("MERIDIAN_PASSWORD_HASHES");
	unsetenv("MERIDIAN_PASSWORD_HASH_WAIT_MS");
	assert_int_equal(configure(), 0);
}

/* Without memory nothing is said about the password: neither right nor wrong. */
static void
hash_without_memory_is_busy(void **state)
{
	struct str e = STR("scrypt$16384$seasalt$8$1$" KEY_OF_LETMEIN), made;
	struct rlimit little = { MIB(100), MIB(100) };
	struct arena *a = fresh();
	int status;
	bool weak;
	pid_t pid;

	(void)state;
#ifdef SANITIZED
	skip(); /* its shadow alone is larger */
#endif
	pid = fork();
	if (pid == 0) {
		if (setrlimit(RLIMIT_AS, &little) != 0)
			_exit(9);
		_exit((password_hash(a, STR("x"), &made) == PASSWORD_BUSY ? 0 : 1) +
		    (password_check(STR_NONE, STR("x"), &weak) == PASSWORD_BUSY ? 0 : 2) +
		    (password_check(e, STR("l\xc3\xa8tmein"), &weak) == PASSWORD_RIGHT ? 0 : 4));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_hash_is_djangos_form_and_checks),
		cmocka_unit_test(hash_of_python_is_right),
		cmocka_unit_test(weaker_hash_of_django_is_right_and_weak),
		cmocka_unit_test(every_hash_of_django_is_right_and_weak),
		cmocka_unit_test(every_hash_of_django_knows_wrong_from_right),
		cmocka_unit_test(spellings_of_one_password_sign_in_alike),
		cmocka_unit_test(md5_is_read_where_the_configuration_says_so),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(wrong_costs_the_same_whatever_is_stored),
		cmocka_unit_test(spellings_cost_the_same_whatever_is_stored),
		cmocka_unit_test(wrong_is_answered_no_earlier_than_the_floor),
		cmocka_unit_test(turn_is_free_while_the_floor_is_waited_for),
		cmocka_unit_test(decoder_bounds_what_it_computes),
		cmocka_unit_test(busy_machine_answers_busy),
		cmocka_unit_test(hash_without_memory_is_busy),
	};

	return cmocka_run_group_tests_name("password", tests, set_up, tear_down);
}
