/*
 * route: which row of a table a path finds, and what it captures.
 */
#include "web.h"

static struct arena *a;

static int
open_arena(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static int
nothing(struct request *r, struct response *s)
{
	(void)r;
	(void)s;
	return 0;
}

static const struct route routes[] = {
	ROUTE(GET, "/a/", READER, NO_BODY, nothing),
	ROUTE(POST, "/a/", LOGIN, NO_BODY, nothing),
	ROUTE(GET, "/a/<id>/", STAFF, NO_BODY, nothing),
	ROUTE(GET, "/a/<id>/<text>/<id>/", READER, NO_BODY, nothing),
	ROUTE(GET, "/t/<text>", READER, NO_BODY, nothing),
	ROUTE(GET, "/r/<rest>", ANYONE, NO_BODY, nothing),
	ROUTE(PATCH, "/p/", LOGIN, NO_BODY, nothing),
	ROUTE(GET, "/four/<id>/<id>/<id>/<id>", READER, NO_BODY, nothing),
	ROUTE(GET, "/five/<id>/<id>/<id>/<id>/<id>", READER, NO_BODY, nothing),
	ROUTE(GET, "/open/", ANYONE, NO_BODY, nothing),
	ROUTE(GET, "/broken/<id", READER, NO_BODY, nothing),
	ROUTE(DELETE, "/all/", SUPERUSER, NO_BODY, nothing),
};
static const struct app app = { .name = "test", .routes = routes, .nroutes = NELEM(routes) };
static struct request r;

static struct match
find(enum method method, struct str path)
{
	memset(&r, 0, sizeof(r));
	r.arena = a;
	r.method = method;
	r.path = path;
	return route_find(&app, &r);
}

/* The index of the row, -1 where none takes it. */
static int
row(enum method method, const char *path)
{
	const struct route *found = find(method, str_of(path)).route;

	return found == NULL ? -1 : (int)(found - routes);
}

static void
rows_are_found_by_path_and_method(void **state)
{
	(void)state;
	assert_int_equal(row(GET, "/a/"), 0);
	assert_int_equal(row(HEAD, "/a/"), 0);
	assert_int_equal(row(POST, "/a/"), 1);
	assert_int_equal(row(PUT, "/a/"), -1);
	assert_int_equal(row(PATCH, "/p/"), 6);
	assert_int_equal(row(HEAD, "/p/"), -1);
	assert_int_equal(row(GET, "/a"), -1);
	assert_int_equal(row(GET, "/a/b"), -1);
	assert_int_equal(row(GET, ""), -1);
	assert_int_equal(row((enum method)0, "/a/"), -1);
	/* the bytes of the path, no more */
	assert_null(find(GET, (struct str){ "/a/", 2 }).route);
	assert_ptr_equal(find(GET, (struct str){ "/a/7", 3 }).route, &routes[0]);
}

static void
methods_of_a_path_are_summed(void **state)
{
	(void)state;
	assert_int_equal(find(GET, STR("/a/")).methods, GET | HEAD | POST | OPTIONS);
	assert_int_equal(find(PUT, STR("/a/")).methods, GET | HEAD | POST | OPTIONS);
	assert_int_equal(find(GET, STR("/p/")).methods, PATCH | OPTIONS);
	assert_int_equal(find(GET, STR("/none/")).methods, 0);
	assert_str(route_allow(a, find(GET, STR("/a/")).methods), "GET, HEAD, POST, OPTIONS");
	assert_str(route_allow(a, PATCH), "PATCH");
	assert_str(route_allow(a, 0), "");
	assert_str(route_allow(a, GET | HEAD | POST | PUT | PATCH | DELETE | OPTIONS),
	    "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

static void
placeholders_capture_what_they_match(void **state)
{
	(void)state;
	assert_int_equal(row(GET, "/a/12/x y/34/"), 3);
	assert_int_equal(r.id[0], 12);
	assert_int_equal(r.id[1], 0);
	assert_int_equal(r.id[2], 34);
	assert_str(r.capture[0], "12");
	assert_str(r.capture[1], "x y");
	assert_str(r.capture[2], "34");
	assert_int_equal(row(GET, "/t/M 31"), 4);
	assert_str(r.capture[0], "M 31");
	assert_int_equal(row(GET, "/t/"), -1);
	assert_int_equal(row(GET, "/t/a/b"), -1);
	assert_int_equal(row(GET, "/r/"), 5);
	assert_str(r.capture[0], "");
	assert_int_equal(row(GET, "/r/a/b"), 5);
	assert_str(r.capture[0], "a/b");
	assert_int_equal(row(GET, "/four/1/2/3/4"), 7);
	assert_int_equal(r.id[3], 4);
	/* more than a request holds, and what is no placeholder */
	assert_int_equal(row(GET, "/five/1/2/3/4/5"), -1);
	assert_int_equal(row(GET, "/broken/7"), -1);
}

static void
ids_are_read_digit_by_digit(void **state)
{
	static const char *const bad[] = { "/a/01/", "/a/00/", "/a//", "/a/-1/", "/a/+1/", "/a/1x/",
		"/a/ 1/", "/a/:/", "/a///", "/a/1234567890123456789/", "/a/0123456789012345678/" };

	(void)state;
	assert_int_equal(row(GET, "/a/0/"), 2);
	assert_int_equal(r.id[0], 0);
	assert_int_equal(row(GET, "/a/9876543210/"), 2);
	assert_true(r.id[0] == INT64_C(9876543210));
	assert_int_equal(row(GET, "/a/999999999999999999/"), 2);
	assert_true(r.id[0] == INT64_C(999999999999999999));
	for (size_t i = 0; i < NELEM(bad); i++)
		if (row(GET, bad[i]) != -1)
			fail_msg("%s was taken", bad[i]);
}

/* Which rule a path that no row takes is judged by: that of readers, unless somebody may open it. */
static void
what_has_no_row_is_for_readers(void **state)
{
	(void)state;
	assert_int_equal(find(GET, STR("/none/")).access, READER);
	assert_int_equal(find(PUT, STR("/a/7/")).access, READER);
	assert_int_equal(find(PUT, STR("/open/")).access, ANYONE);
	assert_int_equal(find(GET, STR("/a")).access, READER);
	assert_int_equal(find(GET, STR("/open")).access, ANYONE);
}

static void
a_slash_is_missing_where_a_page_has_one(void **state)
{
	(void)state;
	assert_true(find(GET, STR("/a")).slash);
	assert_true(find(GET, STR("/a/7")).slash);
	assert_true(find(GET, STR("/open")).slash);
	assert_false(find(GET, STR("/a/")).slash);
	assert_false(find(GET, STR("/a/7/x")).slash);
	assert_false(find(GET, STR("/p")).slash); /* nobody reads it */
	assert_false(find(GET, STR("/none")).slash);
	assert_false(find(GET, STR("/none/")).slash);
	assert_false(find(GET, STR("")).slash);
	assert_false(find(GET, STR("/a/x/")).slash);
	assert_true(find(GET, (struct str){ "/a/", 2 }).slash);
}

static void
names_are_those_of_http(void **state)
{
	static const struct {
		enum method method;
		const char *name;
	} all[] = { { GET, "GET" }, { HEAD, "HEAD" }, { POST, "POST" }, { PUT, "PUT" },
		{ PATCH, "PATCH" }, { DELETE, "DELETE" }, { OPTIONS, "OPTIONS" },
		{ (enum method)0, "?" } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++)
		assert_string_equal(method_name(all[i].method), all[i].name);
	assert_string_equal(access_name(ANYONE), "ANYONE");
	assert_string_equal(access_name(SUPERUSER), "SUPERUSER");
	assert_string_equal(access_name((enum access)(SUPERUSER + 1)), "?");
	assert_string_equal(access_name((enum access) - 1), "?");
}

static void
tables_with_a_mistake_are_refused(void **state)
{
	static const struct route bad[] = {
		{ .method = GET, .path = "/", .handler = nothing, .name = "access" },
		{ .method = GET,
		    .path = "/",
		    .handler = nothing,
		    .access = (enum access)(SUPERUSER + 1) },
		{ .method = GET, .path = "/", .access = READER, .name = "handler" },
		{ .method = GET, .handler = nothing, .access = READER, .name = "path" },
		{ .method = GET, .path = "a/", .handler = nothing, .access = READER },
		{ .method = HEAD, .path = "/", .handler = nothing, .access = READER },
		{ .method = OPTIONS, .path = "/", .handler = nothing, .access = READER },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		const struct route two[] = { routes[0], bad[i] };
		const struct app lax = { .name = "lax", .routes = two, .nroutes = NELEM(two) };

		if (route_check(&lax) == NULL)
			fail_msg("row %zu was taken", i);
	}
	assert_null(route_check(&app));
	assert_null(route_check(&(struct app){ .name = "none", .routes = bad, .nroutes = 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_found_by_path_and_method),
		cmocka_unit_test(methods_of_a_path_are_summed),
		cmocka_unit_test(placeholders_capture_what_they_match),
		cmocka_unit_test(ids_are_read_digit_by_digit),
		cmocka_unit_test(what_has_no_row_is_for_readers),
		cmocka_unit_test(a_slash_is_missing_where_a_page_has_one),
		cmocka_unit_test(names_are_those_of_http),
		cmocka_unit_test(tables_with_a_mistake_are_refused),
	};

	return cmocka_run_group_tests_name("route", tests, open_arena, close_arena);
}
