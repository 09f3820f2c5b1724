/*
 * target_rules: what may stand in a target's fields, what each type and scheme requires, and when
 * two names are the same. No database.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>

#include "tom/target.h"

static struct arena *a;

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
	arena_free(a);
	return 0;
}

/* Sets a field from text; the reason where it is refused. */
static const char *
set(struct target *t, const char *field, const char *text)
{
	const struct target_field *f = target_field_find(str_of(field));

	assert_non_null(f);
	return target_set(t, f, str_of(text), a);
}

static struct target
star(void)
{
	struct target t = target_none();

	t.name = STR("T CrB");
	t.ra = 239.8757;
	t.dec = 25.9202;
	return t;
}

static struct target
asteroid(void)
{
	struct target t = target_none();

	t.name = STR("99942 Apophis");
	t.type = TARGET_NON_SIDEREAL;
	t.scheme = SCHEME_MINOR_PLANET;
	t.epoch_of_elements = 60000;
	t.inclination = 3.3;
	t.lng_asc_node = 204;
	t.arg_of_perihelion = 126;
	t.eccentricity = 0.19;
	t.mean_anomaly = 0;
	t.semimajor_axis = 0.92;
	return t;
}

static const char *
first_problem(const struct target *t, const char *field)
{
	struct problems ps = { 0 };
	const struct problem *p;

	target_check(t, &ps, a);
	p = problem_about(&ps, field);
	return p == NULL ? NULL : p->why.p;
}

static size_t
problems_of(const struct target *t)
{
	struct problems ps = { 0 };

	return target_check(t, &ps, a);
}

static void
a_new_target_has_nothing_given(void **state)
{
	struct target t = target_none();

	(void)state;
	assert_true(isnan(t.ra) && isnan(t.slope) && isnan(t.epoch));
	assert_int_equal(t.permissions, TARGET_PRIVATE);
	assert_int_equal(target_nfields, 32);
	assert_str(target_choice(&t, target_field_find(STR("type"))), "SIDEREAL");
	assert_str(target_choice(&t, target_field_find(STR("permissions"))), "PRIVATE");
	assert_null(target_field_find(STR("RA")));
	assert_null(target_field_find(STR_NONE));
}

static void
every_choice_has_its_label(void **state)
{
	(void)state;
	for (size_t i = 0; i < target_nfields; i++) {
		const struct target_field *f = &target_fields[i];
		size_t n = 0;

		assert_int_equal(f->kind == TARGET_CHOICE, f->codes != NULL);
		for (; f->codes != NULL && f->codes[n] != NULL; n++)
			assert_non_null(f->labels[n]);
		assert_true(f->codes == NULL || f->labels[n] == NULL);
	}
}

static void
fields_are_set_from_text(void **state)
{
	struct target t = target_none();

	(void)state;
	assert_null(set(&t, "name", "  NGC 1 \t"));
	assert_str(t.name, "NGC 1");
	assert_null(set(&t, "ra", "12:00:00"));
	assert_true(t.ra == 180);
	assert_null(set(&t, "dec",
	    "\xe2\x88\x92"
	    "5 30"));
	assert_true(t.dec == -5.5);
	assert_null(set(&t, "pm_ra",
	    "\xe2\x88\x92"
	    "1.5"));
	assert_true(t.pm_ra == -1.5);
	assert_null(set(&t, "pm_dec", "+2"));
	assert_true(t.pm_dec == 2);
	assert_null(set(&t, "pm_dec", ""));
	assert_true(isnan(t.pm_dec));
	assert_null(set(&t, "type", "non_sidereal"));
	assert_int_equal(t.type, TARGET_NON_SIDEREAL);
	assert_null(set(&t, "scheme", "MPC_COMET"));
	assert_int_equal(t.scheme, SCHEME_COMET);
	assert_null(set(&t, "created", "2026-11-24T03:13:29Z"));
	assert_true(t.created == INT64_C(1795490009000000));
	assert_str(str_of(set(&t, "scheme", "COMET")),
	    "Scheme of elements must be one of MPC_MINOR_PLANET, MPC_COMET, JPL_MAJOR_PLANET.");
	assert_str(str_of(set(&t, "parallax", "big")), "Parallax must be a number, such as 12.5.");
	assert_non_null(set(&t, "parallax", "nan"));
	assert_non_null(set(&t, "parallax", "+-1"));
	assert_non_null(set(&t, "parallax", "\xe2\x88\x92"));
	assert_non_null(set(&t, "parallax", "\xe2\x88\x92-1"));
	assert_non_null(set(&t, "ra", "25h"));
	assert_non_null(set(&t, "created", "yesterday"));
}

static void
zero_is_a_value(void **state)
{
	struct target t = star();

	(void)state;
	t.ra = 0;
	t.dec = 0;
	assert_int_equal(problems_of(&t), 0);
	t = asteroid();
	t.epoch_of_elements = 0;
	t.inclination = 0;
	t.lng_asc_node = 0;
	t.arg_of_perihelion = 0;
	t.eccentricity = 0;
	assert_int_equal(problems_of(&t), 0);
}

static void
each_type_and_scheme_requires_its_own(void **state)
{
	struct target t = star();

	(void)state;
	assert_int_equal(problems_of(&t), 0);
	t.dec = NAN;
	assert_str(
	    str_of(first_problem(&t, "dec")), "Declination is required for sidereal targets.");
	assert_int_equal(problems_of(&t), 1);
	t = target_none();
	t.type = TARGET_NON_SIDEREAL;
	t.name = STR("x");
	assert_int_equal(problems_of(&t), 6);
	assert_non_null(first_problem(&t, "scheme"));
	assert_null(first_problem(&t, "mean_anomaly"));
	t.scheme = SCHEME_COMET;
	assert_int_equal(problems_of(&t), 7);
	assert_str(str_of(first_problem(&t, "perihdist")),
	    "Scheme 'MPC comet' requires the field 'Perihelion distance'.");
	t.scheme = SCHEME_MAJOR_PLANET;
	assert_int_equal(problems_of(&t), 8);
	assert_non_null(first_problem(&t, "mean_daily_motion"));
	t = asteroid();
	assert_int_equal(problems_of(&t), 0);
	t.semimajor_axis = NAN;
	assert_non_null(first_problem(&t, "semimajor_axis"));
}

static void
values_out_of_range_are_named(void **state)
{
	struct target t = asteroid();

	(void)state;
	t.epoch_of_elements = 2460000.5;
	assert_str(str_of(first_problem(&t, "epoch_of_elements")),
	    "Value must be in MJD between 0 and 100000.");
	t.epoch_of_elements = 100000;
	t.epoch_of_perihelion = -0.5;
	assert_non_null(first_problem(&t, "epoch_of_perihelion"));
	assert_null(first_problem(&t, "epoch_of_elements"));
	t = asteroid();
	t.eccentricity = 0.91;
	assert_true(strstr(first_problem(&t, "scheme"), "MPC_COMET") != NULL);
	t.eccentricity = 0.9;
	assert_int_equal(problems_of(&t), 0);
	t = star();
	t.ra = 360.5;
	t.dec = -90.5;
	t.distance = -1;
	t.epoch = 2101;
	assert_int_equal(problems_of(&t), 4);
	assert_str(str_of(first_problem(&t, "distance")), "Distance must be at least 0 pc.");
	assert_str(
	    str_of(first_problem(&t, "ra")), "Right ascension must be between 0 and 360 degrees.");
	t = star();
	t.pm_ra = INFINITY;
	assert_non_null(first_problem(&t, "pm_ra"));
}

static const char *
wrong(struct str name)
{
	return target_name_wrong(name, a);
}

static void
names_are_text_of_a_line(void **state)
{
	char long_name[400];

	(void)state;
	assert_null(wrong(STR("SN 1987A")));
	assert_null(wrong(STR("\xce\xb1 Centauri")));
	assert_non_null(wrong(STR("")));
	assert_non_null(wrong(STR("a\tb")));
	assert_non_null(wrong((struct str){ "a\0b", 3 }));
	assert_non_null(wrong(STR("a\xc2\x85")));
	assert_non_null(wrong(STR("a\xe2\x80\xae")));
	assert_non_null(wrong(STR("a\xff")));
	for (size_t i = 0; i < 200; i += 2) {
		long_name[i] = '\xce';
		long_name[i + 1] = '\xb1';
	}
	assert_null(wrong((struct str){ long_name, 200 }));
	long_name[200] = 'x';
	assert_non_null(wrong((struct str){ long_name, 201 }));
}

static void
what_cannot_be_seen_is_no_part_of_a_name(void **state)
{
	/* zero width space and joiner, direction marks, soft hyphen, fillers, a private one, one
	 * that is nothing, a selector of variants */
	static const char *const unseen[] = { "\xe2\x80\x8b", "\xe2\x80\x8d", "\xe2\x80\x8e",
		"\xe2\x80\xae", "\xc2\xad", "\xe3\x85\xa4", "\xcd\x8f", "\xee\x80\x80",
		"\xef\xbf\xbf", "\xef\xb8\x8f", "\xe2\x80\xa8", "\xef\xbb\xbf" };

	(void)state;
	for (size_t i = 0; i < NELEM(unseen); i++) {
		assert_non_null(wrong(str_of(unseen[i])));
		assert_non_null(
		    strstr(wrong(arena_printf(a, "Zw%s31", unseen[i])), "character 3 is U+"));
	}
	assert_str(str_of(wrong(STR("Zw\xe2\x80\x8b"
	                            "31"))),
	    "The name must not hold control or invisible characters: character 3 is U+200B.");
	assert_non_null(strstr(wrong(STR("a\n")), "character 2 is U+000A."));
	/* blanks alone, of whatever width, are no name */
	assert_str(str_of(wrong(STR("\xc2\xa0"))), "A name is required.");
	assert_str(str_of(wrong(STR("\xe3\x80\x80 \xe2\x80\x89"))), "A name is required.");
	assert_null(wrong(STR("Nb\xc2\xa0"
	                      "31")));
	assert_null(wrong(STR("e\xcc\x81"))); /* an accent of its own is seen */
}

static void
names_that_look_the_same_have_one_key(void **state)
{
	(void)state;
	assert_str(target_match_key(a, STR("SN 2026-kqz_(a)")), "sn2026kqza");
	assert_str(target_match_key(a, STR("  M 31 ")), "m31");
	/* A with ring: one code point, a letter and a mark, the Angstrom sign */
	assert_str(target_match_key(a, STR("\xc3\x85")), "\xc3\xa5");
	assert_str(target_match_key(a, STR("A\xcc\x8a")), "\xc3\xa5");
	assert_str(target_match_key(a, STR("\xe2\x84\xab")), "\xc3\xa5");
	assert_str(target_match_key(a, STR("\xce\xa9 Cen")),
	    "\xcf\x89"
	    "cen");
	/* blanks that do not break, thin and wide ones; hyphens, dashes and the minus */
	assert_str(target_match_key(a,
	               STR("M\xc2\xa0"
	                   "3\xe2\x80\x89"
	                   "1\xe3\x80\x80")),
	    "m31");
	assert_str(target_match_key(a,
	               STR("B1919\xe2\x88\x92"
	                   "2\xe2\x80\x90"
	                   "1\xe2\x80\x93")),
	    "b191921");
	/* what would vanish stands for itself, or all such names would be one */
	assert_str(target_match_key(a, STR("--")), "--");
	assert_str(target_match_key(a, STR("()")), "()");
	assert_str(target_match_key(a, STR("\xff-")), "\xff-");
	assert_str(target_match_key(a, STR("")), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_target_has_nothing_given),
		cmocka_unit_test(every_choice_has_its_label),
		cmocka_unit_test(fields_are_set_from_text),
		cmocka_unit_test(zero_is_a_value),
		cmocka_unit_test(each_type_and_scheme_requires_its_own),
		cmocka_unit_test(values_out_of_range_are_named),
		cmocka_unit_test(names_are_text_of_a_line),
		cmocka_unit_test(what_cannot_be_seen_is_no_part_of_a_name),
		cmocka_unit_test(names_that_look_the_same_have_one_key),
	};

	return cmocka_run_group_tests_name("target_rules", tests, set_up, tear_down);
}
