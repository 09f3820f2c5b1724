/*
 * password: every form of Django and its vectors, the decoder's bounds, what a check costs, the turns
 * of the machine, and every rule of the policy.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auth/password.h"
#include "auth/slot.h"
#include "base/clock.h"
#include "config.h"

#define KEY_OF_LETMEIN \
	"Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw=="

#define KEY_OF_32 "JJtIAJC9KWvQ9WDM4y9WhU2C66Nvmo3lk51VIde/Fkg="
#define ARGON2_SALT_AND_KEY \
	"QWJjZGVmZ2hpajAxMjM0NTY3ODl4eQ$MgbVCdcxZb6NYu1PDvusCiEOpupJVFjClrwnRgfuPg8"
#define ARGON2(costs) "argon2$argon2id$v=19$" costs "$" ARGON2_SALT_AND_KEY
#define BCRYPT(begin) "bcrypt$" begin "qBrOm.NNr4sP2FETwuWr4OzRmHfRBL7mQ9ylOUfTPksyFsjhHXLfO"

static char dir[] = "/tmp/meridian-unit-XXXXXX";

/* What the environment says counts from now on. */
static int
configure(void)
{
	char err[200];
	struct config *c = config_load(err, sizeof(err));

	if (c == NULL)
		return -1;
	password_configure(c);
	config_free(c);
	return 0;
}

static int
set_up(void **state)
{
	const char *srcdir = getenv("srcdir");
	char share[300];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(share, sizeof(share), "%s/share", srcdir != NULL ? srcdir : "..");
	setenv("MERIDIAN_SHARE_DIR", share, 1);
	setenv("MERIDIAN_RUN_DIR", dir, 1);
	setenv("MERIDIAN_PASSWORD_FLOOR_MS", "0", 1);
	setenv("MERIDIAN_PASSWORD_IMPORT_MD5", "yes", 1);
	unsetenv("MERIDIAN_CONFIG");
	return configure();
}

static int
tear_down(void **state)
{
	char path[100];

	(void)state;
	static const char *const files[] = { "passwords.lock", "turns", "breaches" };

	for (size_t i = 0; i < NELEM(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static struct arena *
fresh(void)
{
	static struct arena *a;

	if (a == NULL)
		a = arena_new();
	arena_reset(a);
	return a;
}

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
turn_is_waited_for_and_refused_in_time(void **state)
{
	int one, two, three;
	int64_t start;

	(void)state;
	assert_int_equal(slot_take(dir, "turns", 2, 0, &one), SLOT_MINE);
	assert_int_equal(slot_take(dir, "turns", 2, 0, &two), SLOT_MINE);
	start = clock_monotonic();
	assert_int_equal(slot_take(dir, "turns", 2, 50, &three), SLOT_BUSY);
	assert_true(clock_monotonic() - start >= 50000);
	slot_release(one);
	assert_int_equal(slot_take(dir, "turns", 2, 0, &three), SLOT_MINE);
	slot_release(two);
	slot_release(three);
}

static void
turn_of_a_killed_process_is_free(void **state)
{
	int fd, ready[2], status;
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (slot_take(dir, "turns", 1, 0, &fd) != SLOT_MINE || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(slot_take(dir, "turns", 1, 0, &fd), SLOT_BUSY);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(slot_take(dir, "turns", 1, 0, &fd), SLOT_MINE);
	slot_release(fd);
	close(ready[0]);
	close(ready[1]);
}

static void
unusable_directory_still_gives_a_turn(void **state)
{
	int fd = 0;

	(void)state;
	assert_int_equal(slot_take("/nonexistent/run", "turns", 1, 0, &fd), SLOT_MINE);
	assert_int_equal(fd, -1);
	slot_release(fd);
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

/* What the policy says about a password, joined by '|'. */
static const char *
said(const char *password, size_t min, const struct password_owner *who)
{
	struct arena *a = fresh();
	struct str why[PASSWORD_RULES], all = STR("");
	size_t n = password_problems(a, str_of(password), who, min, why);

	for (size_t i = 0; i < n; i++)
		all = arena_printf(a, "%s%s|", all.p, why[i].p);
	return all.p;
}

static const struct password_owner nobody;
static const struct password_owner tokafor = { .username = { "tokafor", 7 },
	.first_name = { "Tobenna", 7 },
	.last_name = { "Okafor", 6 },
	.email = { "tobenna@palomar.example", 23 },
	.site_name = { "Zwicky Follow-up", 16 },
	.host = { "tom.caltech.example", 19 } };

#define HAS(text, part) assert_non_null(strstr((text), (part)))
#define HAS_NOT(text, part) assert_null(strstr((text), (part)))
#define GOOD(password, min, who) assert_string_equal(said(password, min, who), "")

static void
short_password_is_refused_by_code_points(void **state)
{
	(void)state;
	HAS(said("fourteen chars", 15, &nobody),
	    "too short. It must contain at least 15 characters");
	GOOD("fifteen chars, ", 15, &nobody);
	/* eight is the floor whatever is asked */
	HAS(said("vkqzphx", 1, &nobody), "at least 8 characters");
	GOOD("vkqzphxw", 1, &nobody);
	/* a code point is one character, and the form that is hashed is counted */
	GOOD("\xc3\xa9v\xc3\xa9q\xc3\xa9z\xc3\xa9p", 8, &nobody);
	HAS(said("ve\xcc\x81qe\xcc\x81ze", 8, &nobody), "too short");
}

static void
long_and_odd_passwords_are_accepted(void **state)
{
	char p[PASSWORD_MAX + 2] = "";
	struct arena *a = fresh();
	struct str why[PASSWORD_RULES];

	(void)state;
	for (size_t i = 0; i < 64; i++) /* 64 emoji, no two neighbours alike */
		snprintf(p + 4 * i, 5, "\xf0\x9f\x98%c", (char)(0x80 + i * 37 % 64));
	assert_int_equal(password_problems(a, str_of(p), &nobody, 15, why), 0);
	for (size_t i = 0; i < PASSWORD_MAX; i++)
		p[i] = (char)('!' + i * i % 89);
	assert_int_equal(
	    password_problems(a, (struct str){ p, PASSWORD_MAX }, &nobody, 15, why), 0);
	p[PASSWORD_MAX] = '!';
	assert_int_equal(
	    password_problems(a, (struct str){ p, PASSWORD_MAX + 1 }, &nobody, 15, why), 1);
	HAS(why[0].p, "too long");
	assert_int_equal(
	    password_problems(a, STR("\xff\xfe is not any text"), &nobody, 15, why), 1);
	HAS(why[0].p, "UTF-8");
	assert_int_equal(
	    password_problems(a, (struct str){ "nul\0 in the midst of it", 23 }, &nobody, 15, why),
	    0);
}

static void
similar_password_is_refused_as_django_does(void **state)
{
	static const struct {
		const char *password, *value;
		bool similar;
	} v[] = { { "testclient", "testclient", true },
		{ "example.com", "testclient@example.com", true },
		{ "abcdefghij", "fedcbazzzz", false }, { "xabcdefgyy", "abcdefgqqq", true },
		{ "aaaaaaaaab", "aaaaaaa", true }, { "wolframite-station", "wolf", false },
		{ "\xc3\x89toil\xc3\xa9-du-nord", "etoile du nord", true },
		{ "\xc3\xa9mile-zola", "\xc3\x89mile_Zola", true } };

	(void)state;
	for (size_t i = 0; i < NELEM(v); i++) {
		struct password_owner who = { .last_name = str_of(v[i].value) };
		bool found = strstr(said(v[i].password, 8, &who), "too similar to the last name") !=
		    NULL;

		if (found != v[i].similar)
			print_error("%s, %s\n", v[i].password, v[i].value);
		assert_true(found == v[i].similar);
	}
	HAS(said("Tokafor1", 8, &tokafor), "too similar to the username.");
	HAS(said("anneboT-", 8, &tokafor), "too similar to the first name.");
	HAS(said("palomar-exam", 8, &tokafor), "too similar to the email address.");
}

static void
common_password_is_refused(void **state)
{
	static const char *const common[] = { "godzilla", "password", "Password1", "  password ",
		"passwordpassword", "p@$$w0rd2024!", "qwertyuiop123456", "sunshine-dragon-2024",
		"1q2w3e4r5t6y7u8i", "iloveyouprincess", "letmeinletmein1", "hubble telescope",
		"observatory2026!", "PaSsWoRd12345678", "zwickyzwicky99", "caltech-tokafor-1",
		"abcdefghijklmnop", "aaaaaaaaaaaaaaaa", "\xef\xbd\x90\xef\xbd\x81ssword1" };
	static const char *const rare[] = { "correct horse battery staple",
		"Kettle-brine-ostrich-9", "vkqzphxw", "blue dragon eats monkey cake",
		"passwords are never enough here" };

	(void)state;
	for (size_t i = 0; i < NELEM(common); i++) {
		const char *all = said(common[i], 8, &tokafor);

		if (strstr(all, "too common") == NULL)
			print_error("%s: %s\n", common[i], all);
		HAS(all, "too common");
	}
	for (size_t i = 0; i < NELEM(rare); i++)
		HAS_NOT(said(rare[i], 8, &tokafor), "too common");
}

/* What spec/security.md C.3 names: Django's own vectors, and what NIST SP 800-63B-4 asks for. */
static void
vectors_of_django_and_nist_hold(void **state)
{
	static const char e15[] = "\xc3\xa9v\xc3\xa9q\xc3\xa9z\xc3\xa9p\xc3\xa9k\xc3\xa9w\xc3\xa9"
	                          "b\xc3\xa9";
	struct password_owner client = { .username = STR("testclient"),
		.email = STR("testclient@example.com") };
	char ascii[96];
	bool weak;
	struct str encoded;

	(void)state;
	HAS_NOT(said("12345678", 8, &nobody), "too short");
	HAS(said("1234567", 8, &nobody), "too short");
	HAS(said("testclient", 8, &client), "too similar to the username");
	HAS(said("example.com", 8, &client), "too similar to the email address");
	HAS(said("godzilla", 8, &nobody), "too common");
	HAS(said("123456789", 8, &nobody), "entirely numeric");
	/* a code point is one character, composed or in parts */
	GOOD(e15, 15, &nobody);
	HAS(said("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	         "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
	        15, &nobody),
	    "repeats itself");
	HAS_NOT(said("e\xcc\x81ve\xcc\x81qe\xcc\x81ze\xcc\x81pe\xcc\x81ke\xcc\x81we\xcc\x81"
	             "be\xcc\x81",
	            15, &nobody),
	    "too short");
	assert_int_equal(password_hash(fresh(), str_of(e15), &encoded), PASSWORD_RIGHT);
	assert_int_equal(password_check(encoded,
	                     STR("e\xcc\x81ve\xcc\x81qe\xcc\x81ze\xcc\x81pe\xcc\x81ke\xcc\x81w"
	                         "e\xcc\x81"
	                         "be\xcc\x81"),
	                     &weak),
	    PASSWORD_RIGHT);
	/* every printing character of ASCII and the blank, and no rule about which */
	for (size_t i = 0; i < 95; i++)
		ascii[i] = (char)(' ' + i * 37 % 95);
	ascii[95] = '\0';
	GOOD(ascii, 15, &nobody);
	GOOD("kettlebrineostrichmoth", 15, &nobody);
}

static void
long_list_is_what_it_should_be(void **state)
{
	char path[320], line[200], before[200] = "";
	size_t n = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/passwords.txt", getenv("MERIDIAN_SHARE_DIR"));
	f = fopen(path, "r");
	assert_non_null(f);
	for (; fgets(line, sizeof(line), f) != NULL; n++) {
		assert_true(strcmp(before, line) < 0);
		memcpy(before, line, sizeof(before));
	}
	fclose(f);
	assert_true(n >= 100000);
}

/* By itself, whatever its case and form, and with little about it; and none within a long password. */
static void
password_of_the_long_list_is_refused(void **state)
{
	static const char *const listed[] = { "!@#$%^", "polniypizdec0211", "friend of joan",
		"Kartoffelpuffer", "  kartoffelpuffer ", "kartoffelpuffer2024",
		"2024-kartoffelpuffer", "kartoffelpufferkartoffelpuffer", "k@rtoffelpuffer1",
		"zzzzzzzz", "zygmunt-1957",
		"\xd0\x9f\xd0\x90\xd0\xa0\xd0\x9e\xd0\x9b\xd0\xac" /* a password, in capitals */,
		("\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"
		 "2026") };
	static const char *const others[] = { "kartoffelpuffer-zygmunt", "a kartoffelpuffer Vk9q",
		"correct horse battery staple" };

	(void)state;
	for (size_t i = 0; i < NELEM(listed); i++) {
		if (strstr(said(listed[i], 8, &nobody), "too common") == NULL)
			print_error("%s\n", listed[i]);
		HAS(said(listed[i], 8, &nobody), "too common");
	}
	for (size_t i = 0; i < NELEM(others); i++)
		HAS_NOT(said(others[i], 8, &nobody), "too common");
}

static void
write_breaches(const char *text)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/breaches", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	setenv("MERIDIAN_PASSWORD_BREACH_FILE", path, 1);
	assert_int_equal(configure(), 0);
}

/* As it is distributed, with lines of prefixes, with other line ends; at its ends and in its midst. */
static void
password_known_from_a_breach_is_refused(void **state)
{
	/* SHA-1 of "kettle brine ostrich a" to "... d", found with sha1sum */
	static const char *const known[] = { "kettle brine ostrich a", "kettle brine ostrich b",
		"kettle brine ostrich c", "kettle brine ostrich d" };
	static const char *const files[] = {
		"088BC9B7635AE752D00F0D6EE005B1CE4195369E:17\r\n"
		"1C38E311343B43194196066C822DA1E7646C5665:18\r\n"
		"B5C0FBFF0D203D4AEFD9DF76022FFBFA9A930360:19\r\n"
		"F1C7D4534680952FBFFDD9E28A984DBADE90EF54:20\r\n",
		"088BC9B7635A\n"
		"1C38E311343B\n"
		"B5C0FBFF0D20\n"
		"F1C7D4534680\n",
		"0000000000000000000000000000000000000000:1\n"
		"088bc9b7635ae752d00f0d6ee005b1ce4195369e:1\n"
		"1c38e311343b43194196066c822da1e7646c5665:1\n"
		"b5c0fbff0d203d4aefd9df76022ffbfa9a930360:1\n"
		"f1c7d4534680952fbffdd9e28a984dbade90ef54:1\n"
		"ffffffffffffffffffffffffffffffffffffffff:1",
	};
	struct str rule[PASSWORD_RULES];

	(void)state;
	assert_int_equal(password_rules(fresh(), 15, rule), 5);
	for (size_t k = 0; k < NELEM(files); k++) {
		write_breaches(files[k]);
		for (size_t i = 0; i < NELEM(known); i++)
			HAS(said(known[i], 15, &nobody), "known from a breach");
		GOOD("kettle brine ostrich e", 15, &nobody);
	}
	assert_int_equal(password_rules(fresh(), 15, rule), 6);
}

/* Nothing is let through unseen because of a file that is not there or of another kind. */
static void
unreadable_breach_file_lets_no_password_through(void **state)
{
	(void)state;
	write_breaches("password\n123456\n");
	HAS(said("kettle brine ostrich e", 15, &nobody), "cannot be looked up");
	write_breaches("0000000000000000000000000000000000000000:1\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n");
	HAS(said("kettle brine ostrich e", 15, &nobody), "cannot be looked up");
	setenv("MERIDIAN_PASSWORD_BREACH_FILE", "/nonexistent/breaches", 1);
	assert_int_equal(configure(), 0);
	HAS(said("kettle brine ostrich e", 15, &nobody), "cannot be looked up");
	unsetenv("MERIDIAN_PASSWORD_BREACH_FILE");
	assert_int_equal(configure(), 0);
	GOOD("kettle brine ostrich e", 15, &nobody);
}

static void
digits_of_any_script_alone_are_refused(void **state)
{
	(void)state;
	HAS(said("90210736482915", 8, &nobody), "entirely numeric");
	HAS(said("\xd9\xa1\xd9\xa4\xd9\xa2\xd9\xa9\xd9\xa5\xd9\xa7\xd9\xa3\xd9\xa8", 8, &nobody),
	    "entirely numeric");
	HAS(said("\xc2\xb2\xc2\xb9\xc2\xb3\xc2\xb2\xc2\xb3\xc2\xb9\xc2\xb2\xc2\xb2\xc2\xb9", 8,
	        &nobody),
	    "entirely numeric");
	HAS_NOT(said("9021073648291x", 8, &nobody), "numeric");
	HAS_NOT(said("", 8, &nobody), "numeric");
}

static void
patterns_are_refused(void **state)
{
	(void)state;
	HAS(said("zqzqzqzqzqzqzqzq", 15, &nobody), "repeats itself");
	HAS(said("vk9vk9vk9vk9vk9vk", 15, &nobody), "repeats itself");
	HAS(said("zyxwvutsrqponmlk", 15, &nobody), "follows the alphabet");
	HAS(said("0987654321098765", 15, &nobody), "too common");
	HAS_NOT(said("vk9vk9vk9vk9vkX9k", 15, &nobody), "repeats itself");
}

static void
all_broken_rules_are_said_at_once(void **state)
{
	struct password_owner who = { .username = STR("123456") };
	const char *all = said("1234567", 15, &who);

	(void)state;
	HAS(all, "too similar to the username");
	HAS(all, "too short");
	HAS(all, "too common");
	HAS(all, "entirely numeric");
	HAS(all, "follows the alphabet");
}

static void
generated_password_keeps_the_policy(void **state)
{
	struct arena *a = fresh();
	struct str p = password_generate(a), q = password_generate(a), why[PASSWORD_RULES];

	(void)state;
	assert_int_equal(p.n, 23);
	assert_false(str_eq(p, q));
	assert_int_equal(strcspn(p.p, "lo01 ABCDEFGHIJKLMNOPQRSTUVWXYZ"), p.n);
	assert_int_equal(password_problems(a, p, &tokafor, 15, why), 0);
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
		cmocka_unit_test(turn_is_waited_for_and_refused_in_time),
		cmocka_unit_test(turn_of_a_killed_process_is_free),
		cmocka_unit_test(unusable_directory_still_gives_a_turn),
		cmocka_unit_test(busy_machine_answers_busy),
		cmocka_unit_test(hash_without_memory_is_busy),
		cmocka_unit_test(short_password_is_refused_by_code_points),
		cmocka_unit_test(long_and_odd_passwords_are_accepted),
		cmocka_unit_test(similar_password_is_refused_as_django_does),
		cmocka_unit_test(common_password_is_refused),
		cmocka_unit_test(vectors_of_django_and_nist_hold),
		cmocka_unit_test(long_list_is_what_it_should_be),
		cmocka_unit_test(password_of_the_long_list_is_refused),
		cmocka_unit_test(password_known_from_a_breach_is_refused),
		cmocka_unit_test(unreadable_breach_file_lets_no_password_through),
		cmocka_unit_test(digits_of_any_script_alone_are_refused),
		cmocka_unit_test(patterns_are_refused),
		cmocka_unit_test(all_broken_rules_are_said_at_once),
		cmocka_unit_test(generated_password_keeps_the_policy),
	};

	return cmocka_run_group_tests_name("password", tests, set_up, tear_down);
}
