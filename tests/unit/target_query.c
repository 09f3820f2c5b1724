/*
 * target_query: what the query string of the list asks for, and what it may cost. No database.
 */
#include "unit.h"

#include "tom/target_list.h"

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

/* The pairs of "a=b&c=d", without decoding. */
static struct pairs
pairs_of(const char *text)
{
	static struct pair list[20];
	struct pairs p = { list, 0 };

	while (*text != '\0') {
		size_t is = strcspn(text, "="), end = strcspn(text, "&");

		list[p.n++] = (struct pair){ { text, is },
			arena_copy(a, text + is + 1, end - is - 1) };
		text += end + (text[end] == '&');
	}
	return p;
}

static size_t
read_query(const char *text, struct target_query *q, struct problems *ps)
{
	struct pairs p = pairs_of(text);

	*ps = (struct problems){ 0 };
	return target_query_read(q, &p, ps, a);
}

static void
query_strings_are_read_or_refused(void **state)
{
	struct target_query q;
	struct problems ps;

	(void)state;
	assert_int_equal(read_query("", &q, &ps), 0);
	assert_true(q.sort == SORT_CREATED && q.descending && !target_query_filters(&q));
	assert_true(target_query_is_cheap(&q));
	assert_int_equal(read_query("name= a, b &type=SIDEREAL&sort=-name&page=2&targetlist__name=5"
	                            "&cone_search=1,2,3&key=k&value=v",
	                     &q, &ps),
	    0);
	assert_str(q.name, "a, b");
	assert_true(q.by_type && q.type == TARGET_SIDEREAL && q.list == 5 && q.page == 2);
	assert_true(q.sort == SORT_NAME && q.descending && q.by_cone && q.cone.radius == 3);
	assert_false(target_query_is_cheap(&q));
	assert_int_equal(read_query("sort=dec&name=abc&cone_search=", &q, &ps), 0);
	assert_true(q.sort == SORT_DEC && !q.descending && !q.by_cone && target_query_is_cheap(&q));
	assert_int_equal(read_query("target_cone_search=M 31 , 0.5", &q, &ps), 0);
	assert_str(q.cone_target, "M 31");
	assert_true(q.cone_radius == 0.5);
	assert_int_equal(read_query("cone_search=abc&type=x&targetlist__name=all&sort=color"
	                            "&target_cone_search=M31",
	                     &q, &ps),
	    5);
	assert_non_null(problem_about(&ps, "cone_search"));
	assert_false(q.by_cone || q.by_type || q.list != 0);
	assert_int_equal(read_query("cone_search=1,2,nan", &q, &ps), 1);
	assert_int_equal(read_query("cone_search=1,2,1&target_cone_search=M31,1", &q, &ps), 1);
	assert_int_equal(read_query("name=a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", &q, &ps), 1);
	assert_int_equal(read_query("page=x", &q, &ps), 0);
	assert_int_equal(q.page, 1);
	assert_int_equal(read_query("cone_search=1,2,30", &q, &ps), 0);
	assert_false(target_query_is_cheap(&q));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_strings_are_read_or_refused),
	};

	return cmocka_run_group_tests_name("target_query", tests, set_up, tear_down);
}
