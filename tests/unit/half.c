/*
 * half: what a browser keeps between the password and the second factor is good for that browser, ten
 * minutes and the pages that ask for it; nobody can make or change it, nor an executable without the vault.
 */
#include "web.h"

#include <stdio.h>

#include "account.h"
#include "auth/auth.h"
#include "auth/vault.h"
#include "base/clock.h"
#include "scratch.h"
#include "visited.h"

#define HTTPS "HTTPS=on"
#define ADDED INT64_C(1700000000000000) /* when the user was */

static struct arena *a;
static struct web w;
static int64_t ada;
static struct vault *vault; /* of who answers now; NULL: none */

static int
begin(struct request *r, struct response *res)
{
	auth_half_begin(
	    r, res, vault, &(struct proof){ .user = ada, .password_changed = ADDED, .factor = 7 });
	return respond_text(r, res, 200, "text/plain", STR("begun"));
}

static int
show_half(struct request *r, struct response *res)
{
	struct proof proof = { .user = 77, .factor = 77 };
	bool is = auth_half(r, vault, &proof);

	return respond_text(r, res, 200, "text/plain",
	    arena_printf(r->arena, "%d %lld %lld %lld", is, (long long)proof.user,
	        (long long)proof.password_changed, (long long)proof.factor));
}

static int
enter(struct request *r, struct response *res)
{
	if (auth_sign_in(r, res, &(struct proof){ .user = ada, .password_changed = ADDED }) != 0)
		return 0;
	return respond_text(r, res, 200, "text/plain", STR("in"));
}

static const struct route routes[] = {
	ROUTE(GET, "/begin/", ANYONE, NO_BODY, begin),
	ROUTE(GET, "/half/", ANYONE, NO_BODY, show_half),
	ROUTE(GET, "/enter/", ANYONE, NO_BODY, enter),
	ROUTE(GET, "/mine/", LOGIN, NO_BODY, show_half),
};
static const struct app app = { .name = "login",
	.what = "test",
	.routes = routes,
	.nroutes = NELEM(routes),
	.no_pages = true,
	.hooks = &auth_hooks };

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	ada = visited_open(&w, &app, ADDED);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	visited_close(&w);
	arena_free(a);
	return 0;
}

/* "NAME=value" of the cookie that the answer sets; "" where it sets none. */
static const char *
cookie(const char *name)
{
	const char *p = w.head.p;

	for (; (p = strstr(p, "Set-Cookie: ")) != NULL; p++)
		if (strncmp(p + 12, name, strlen(name)) == 0)
			return arena_copy(a, p + 12, strcspn(p + 12, ";\r")).p;
	return "";
}

/* What a page says with these cookies. */
static const char *
get(const char *path, const char *one, const char *other)
{
	const char *what = arena_printf(a, "GET %s", path).p,
	           *cookies = arena_printf(a, "HTTP_COOKIE=%s; %s", one, other).p;

	assert_int_equal(web_ask(&w, what, STR_NONE, HTTPS, cookies, NULL), 200);
	return web_text(&w);
}

#define NONE "0 0 0 0"

static struct vault *
vault_of(const char *key)
{
	struct keyring ring = { .n = 1, .keys = { { .text = str_of(key) } } };

	return vault_new(&ring);
}

static const char *
good(void)
{
	return arena_printf(a, "1 %lld %lld 0", (long long)ada, (long long)ADDED).p;
}

static void
it_is_this_browsers_for_ten_minutes(void **state)
{
	int64_t now = clock_now();
	const char *visitor, *half, *other;

	(void)state;
	clock_freeze(now);
	(void)get("/begin/", "", "");
	visitor = cookie("__Host-visitor=");
	half = cookie("__Host-half=");
	assert_non_null(strstr(w.head.p, "; Max-Age=600\r\n"));
	assert_string_equal(get("/half/", visitor, half), good());
	assert_string_equal(get("/half/", half, ""), NONE);
	assert_string_equal(get("/half/", visitor, ""), NONE);
	assert_string_equal(get("/half/", "", ""), NONE);
	(void)get("/begin/", "", "");
	other = cookie("__Host-visitor=");
	assert_string_equal(get("/half/", other, half), NONE);
	/* a second beginning of the same browser takes the cookie that it has */
	(void)get("/begin/", visitor, "");
	assert_string_equal(cookie("__Host-visitor="), "");
	assert_string_equal(get("/half/", visitor, cookie("__Host-half=")), good());
	clock_freeze(now + 10 * MINUTE - 1);
	assert_string_equal(get("/half/", visitor, half), good());
	clock_freeze(now + 10 * MINUTE);
	assert_string_equal(get("/half/", visitor, half), NONE);
	clock_freeze(0);
}

static void
it_opens_no_other_page(void **state)
{
	const char *visitor, *half;

	(void)state;
	(void)get("/begin/", "", "");
	visitor = cookie("__Host-visitor=");
	half = cookie("__Host-half=");
	assert_int_equal(web_ask(&w, "GET /mine/", STR_NONE, HTTPS,
	                     arena_printf(a, "HTTP_COOKIE=%s; %s", visitor, half).p, NULL),
	    302);
}

static void
a_letter_that_is_another_makes_it_none(void **state)
{
	const char *visitor, *half;
	size_t name = strlen("__Host-half=");

	(void)state;
	(void)get("/begin/", "", "");
	visitor = cookie("__Host-visitor=");
	half = cookie("__Host-half=");
	assert_string_equal(get("/half/", visitor, half), good());
	for (size_t i = name; half[i] != '\0'; i++) {
		char *odd = arena_strdup(a, half);

		odd[i] = odd[i] == 'A' ? 'B' : 'A';
		assert_string_equal(get("/half/", visitor, odd), NONE);
	}
	assert_string_equal(get("/half/", visitor, arena_copy(a, half, strlen(half) - 1).p), NONE);
	assert_string_equal(get("/half/", visitor, arena_printf(a, "%sA", half).p), NONE);
}

/* Who is signed in and signs in once more: it is their session's, and ends with it. */
static void
it_is_a_sessions_where_there_is_one(void **state)
{
	const char *visitor, *session, *half, *next;

	(void)state;
	(void)get("/begin/", "", "");
	visitor = cookie("__Host-visitor=");
	(void)get("/enter/", visitor, "");
	session = cookie("__Host-sid=");
	(void)get("/begin/", session, visitor);
	half = cookie("__Host-half=");
	assert_string_equal(get("/half/", session, half), good());
	assert_string_equal(get("/half/", visitor, half), NONE);
	(void)get("/enter/", session, half);
	next = cookie("__Host-sid=");
	assert_string_equal(cookie("__Host-half="), "__Host-half=");
	assert_string_equal(get("/half/", next, half), NONE);
}

/* The key that signs is every executable's; the vault is that of one. */
static void
what_is_signed_and_not_sealed_is_none(void **state)
{
	struct vault *ours = vault_of("0123456789abcdefABCDEF0123456789"),
	             *other = vault_of("9876543210fedcbaFEDCBA9876543210");
	const char *visitor, *half;

	(void)state;
	(void)get("/begin/", "", "");
	visitor = cookie("__Host-visitor=");
	half = cookie("__Host-half=");
	assert_string_equal(get("/half/", visitor, half), good());
	vault = ours;
	assert_string_equal(get("/half/", visitor, half), NONE);
	(void)get("/begin/", visitor, "");
	half = cookie("__Host-half=");
	assert_string_equal(get("/half/", visitor, half), good());
	vault = other;
	assert_string_equal(get("/half/", visitor, half), NONE);
	vault = NULL;
	assert_string_equal(get("/half/", visitor, half), NONE);
	vault_free(ours);
	vault_free(other);
}

static void
sealed_it_is_as_good_and_as_short(void **state)
{
	vault = vault_of("0123456789abcdefABCDEF0123456789");
	it_is_this_browsers_for_ten_minutes(state);
	a_letter_that_is_another_makes_it_none(state);
	it_is_a_sessions_where_there_is_one(state);
	vault_free(vault);
	vault = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_this_browsers_for_ten_minutes),
		cmocka_unit_test(it_opens_no_other_page),
		cmocka_unit_test(a_letter_that_is_another_makes_it_none),
		cmocka_unit_test(it_is_a_sessions_where_there_is_one),
		cmocka_unit_test(what_is_signed_and_not_sealed_is_none),
		cmocka_unit_test(sealed_it_is_as_good_and_as_short),
	};

	return cmocka_run_group_tests_name("half", tests, set_up, tear_down);
}
