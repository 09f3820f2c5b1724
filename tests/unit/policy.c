/*
 * policy: every rule about new passwords, on its own and beside others, the lists and the file that
 * they ask, and what is made for somebody keeps them.
 */
#include "unit.h"

#include "passwords.h"

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

	return cmocka_run_group_tests_name("policy", tests, set_up, tear_down);
}
