/*
 * curve_cache: kept points come back as they were, under their key and no other, and never more of them
 * than there is room for.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>

#include "tom/curve_cache.h"

#define ROOM KIB(16)
#define N 20

static struct lightcurve_point
point(double mjd, const char *band)
{
	return (struct lightcurve_point){
		.mjd = mjd, .value = 18.5, .error = 0.1, .band = str_of(band), .source = STR("ZTF")
	};
}

/* Keeps n points for a target. */
static void
keep(struct curve_cache *c, struct curve_key key, size_t n)
{
	struct lightcurve_point list[512];

	assert_true(n <= NELEM(list));
	for (size_t i = 0; i < n; i++)
		list[i] = point(60000 + (double)i, i % 2 ? "g" : "r");
	curve_cache_keep(c, &key, &(struct curve_points){ list, n, 60000 });
}

static bool
has(struct curve_cache *c, struct curve_key key, size_t n)
{
	struct curve_points p;

	return curve_cache_find(c, &key, &p) && p.n == n;
}

static void
points_come_back_as_they_were(void **state)
{
	struct curve_cache *c = curve_cache_new(ROOM);
	char band[] = "zg", source[] = "LSST";
	struct lightcurve_point in[3] = { point(60001.25, band), point(60002, ""),
		point(60003, "i") };
	const struct curve_key key = { 7, 100, false };
	struct curve_points out;

	(void)state;
	in[1].source = str_of(source);
	in[1].limit = in[1].negative = true;
	in[2].band = STR_NONE;
	curve_cache_keep(c, &key, &(struct curve_points){ in, NELEM(in), 60001.25 });
	/* nothing of the caller's is needed any more */
	band[0] = source[0] = '?';
	in[0].value = 0;
	assert_true(curve_cache_find(c, &key, &out));
	assert_int_equal(out.n, 3);
	assert_true(out.first == 60001.25);
	assert_true(out.list[0].mjd == 60001.25 && out.list[0].value == 18.5);
	assert_true(str_is(out.list[0].band, "zg") && str_is(out.list[0].source, "ZTF"));
	assert_true(str_is(out.list[1].band, "") && str_is(out.list[1].source, "LSST"));
	assert_true(out.list[1].limit && out.list[1].negative && !out.list[1].forced);
	assert_null(out.list[2].band.p);
	curve_cache_free(c);
}

static void
no_points_are_kept_too(void **state)
{
	struct curve_cache *c = curve_cache_new(ROOM);
	const struct curve_key key = { 7, 100, false };
	struct curve_points out;

	(void)state;
	curve_cache_keep(c, &key, &(struct curve_points){ NULL, 0, NAN });
	assert_true(curve_cache_find(c, &key, &out));
	assert_int_equal(out.n, 0);
	assert_true(isnan(out.first));
	curve_cache_free(c);
}

static void
another_target_revision_or_look_is_not_found(void **state)
{
	struct curve_cache *c = curve_cache_new(ROOM);

	(void)state;
	keep(c, (struct curve_key){ 7, 100, false }, N);
	assert_true(has(c, (struct curve_key){ 7, 100, false }, N));
	assert_false(has(c, (struct curve_key){ 8, 100, false }, N));
	assert_false(has(c, (struct curve_key){ 7, 101, false }, N));
	assert_false(has(c, (struct curve_key){ 7, 99, false }, N));
	assert_false(has(c, (struct curve_key){ 7, 100, true }, N));
	curve_cache_free(c);
}

static void
an_unknown_revision_is_not_kept(void **state)
{
	struct curve_cache *c = curve_cache_new(ROOM);

	(void)state;
	keep(c, (struct curve_key){ 7, 0, false }, N);
	assert_false(has(c, (struct curve_key){ 7, 0, false }, N));
	assert_int_equal(curve_cache_size(c), 0);
	curve_cache_free(c);
}

static void
another_revision_takes_the_place_of_one_before(void **state)
{
	struct curve_cache *c = curve_cache_new(ROOM);
	size_t size;

	(void)state;
	keep(c, (struct curve_key){ 7, 100, false }, N);
	size = curve_cache_size(c);
	keep(c, (struct curve_key){ 7, 100, true }, N);
	assert_true(has(c, (struct curve_key){ 7, 100, false }, N));
	assert_true(has(c, (struct curve_key){ 7, 100, true }, N));
	keep(c, (struct curve_key){ 7, 101, false }, N);
	assert_false(has(c, (struct curve_key){ 7, 100, false }, N));
	assert_false(has(c, (struct curve_key){ 7, 100, true }, N));
	assert_int_equal(curve_cache_size(c), size);
	/* and the same once more */
	keep(c, (struct curve_key){ 7, 101, false }, N);
	assert_int_equal(curve_cache_size(c), size);
	curve_cache_free(c);
}

static void
what_was_looked_at_last_stays(void **state)
{
	struct curve_cache *c = curve_cache_new(ROOM);
	size_t most = 0;

	(void)state;
	keep(c, (struct curve_key){ 1, 100, false }, N);
	for (int64_t i = 2; i < 1000; i++) {
		keep(c, (struct curve_key){ i, 100, false }, N);
		assert_true(has(c, (struct curve_key){ i, 100, false }, N));
		assert_true(has(c, (struct curve_key){ 1, 100, false }, N));
		if (curve_cache_size(c) > most)
			most = curve_cache_size(c);
	}
	assert_true(most <= ROOM && most > ROOM / 2);
	assert_false(has(c, (struct curve_key){ 2, 100, false }, N));
	assert_true(has(c, (struct curve_key){ 998, 100, false }, N));
	curve_cache_free(c);
}

/* Places are few, whatever the bytes. */
static void
many_small_ones_are_kept_as_far_as_there_are_places(void **state)
{
	struct curve_cache *c = curve_cache_new(MIB(1));
	size_t n = 0;

	(void)state;
	for (int64_t i = 1; i <= 200; i++)
		keep(c, (struct curve_key){ i, 100, false }, 1);
	for (int64_t i = 1; i <= 200; i++)
		n += has(c, (struct curve_key){ i, 100, false }, 1);
	assert_true(n >= 32 && n < 200);
	assert_true(has(c, (struct curve_key){ 200, 100, false }, 1));
	curve_cache_free(c);
}

static void
more_than_half_is_not_kept(void **state)
{
	struct curve_cache *c = curve_cache_new(ROOM);

	(void)state;
	keep(c, (struct curve_key){ 1, 100, false }, N);
	keep(c, (struct curve_key){ 2, 100, false }, 200);
	keep(c, (struct curve_key){ 3, 100, false }, 512);
	assert_true(has(c, (struct curve_key){ 1, 100, false }, N));
	assert_false(has(c, (struct curve_key){ 2, 100, false }, 200));
	assert_false(has(c, (struct curve_key){ 3, 100, false }, 512));
	curve_cache_free(c);
}

static void
a_curve_of_very_many_names_is_not_kept(void **state)
{
	struct curve_cache *c = curve_cache_new(ROOM);
	struct lightcurve_point list[100];
	char names[100][8];
	const struct curve_key key = { 7, 100, false };

	(void)state;
	for (size_t i = 0; i < NELEM(list); i++) {
		snprintf(names[i], sizeof(names[i]), "b%zu", i);
		list[i] = point(60000, names[i]);
	}
	curve_cache_keep(c, &key, &(struct curve_points){ list, NELEM(list), NAN });
	assert_false(has(c, key, NELEM(list)));
	curve_cache_keep(c, &key, &(struct curve_points){ list, 50, NAN });
	assert_true(has(c, key, 50));
	curve_cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_come_back_as_they_were),
		cmocka_unit_test(no_points_are_kept_too),
		cmocka_unit_test(another_target_revision_or_look_is_not_found),
		cmocka_unit_test(an_unknown_revision_is_not_kept),
		cmocka_unit_test(another_revision_takes_the_place_of_one_before),
		cmocka_unit_test(what_was_looked_at_last_stays),
		cmocka_unit_test(many_small_ones_are_kept_as_far_as_there_are_places),
		cmocka_unit_test(more_than_half_is_not_kept),
		cmocka_unit_test(a_curve_of_very_many_names_is_not_kept),
	};

	return cmocka_run_group_tests_name("curve_cache", tests, NULL, NULL);
}
