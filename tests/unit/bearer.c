/*
 * bearer: the answers of a provider of tokens.
 */
#include "unit.h"

#include "alert/bearer.h"

#define NOW INT64_C(1795000000000)
/* {"alg":"none"} . {"sub":"tom","exp":1795000600} . */
#define WEB_TOKEN "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0b20iLCJleHAiOjE3OTUwMDA2MDB9."

static void
a_token_says_when_it_expires_and_whom_it_is_about(void **state)
{
	struct arena *a = arena_new();
	struct bearer b;
	char err[200];

	(void)state;
	assert_true(bearer_read_reply(
	    STR("{\"access_token\":\"" WEB_TOKEN "\"}"), NOW, a, &b, err, sizeof(err)));
	assert_string_equal(b.token, WEB_TOKEN);
	assert_string_equal(b.subject, "tom");
	assert_int_equal(b.expires, INT64_C(1795000600000));
	/* what is said beside it counts more, and it need be no web token */
	assert_true(bearer_read_reply(STR("{\"access_token\":\"" WEB_TOKEN "\",\"expires_in\":60}"),
	    NOW, a, &b, err, sizeof(err)));
	assert_int_equal(b.expires, NOW + 60000);
	assert_true(bearer_read_reply(
	    STR("{\"access_token\":\"opaque\",\"expires_in\":0.5}"), NOW, a, &b, err, sizeof(err)));
	assert_string_equal(b.subject, "");
	assert_int_equal(b.expires, NOW + 500);
	arena_free(a);
}

static void
answers_without_a_token_that_lives_are_refused(void **state)
{
	static const struct {
		struct str reply;
		const char *why;
	} cases[] = {
		{ STR(""), "its answer is no JSON" },
		{ STR("[]"), "its answer holds no access_token" },
		{ STR("{\"error\":\"invalid_client\"}"), "invalid_client" },
		{ STR("{\"access_token\":7}"), "its answer holds no access_token" },
		{ STR("{\"access_token\":\"\",\"expires_in\":60}"), "cannot be sent" },
		{ STR("{\"access_token\":\"a\\nb\",\"expires_in\":60}"), "cannot be sent" },
		{ STR("{\"access_token\":\"opaque\"}"), "when the token expires" },
		{ STR("{\"access_token\":\"a.b.c\"}"), "when the token expires" },
		{ STR("{\"access_token\":\"opaque\",\"expires_in\":0}"), "or it has" },
		{ STR("{\"access_token\":\"opaque\",\"expires_in\":1e300}"), "or it has" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct bearer b;
		char err[200] = "";

		assert_false(bearer_read_reply(cases[i].reply, NOW, a, &b, err, sizeof(err)));
		assert_non_null(strstr(err, cases[i].why));
	}
	/* it is over */
	assert_false(bearer_read_reply(STR("{\"access_token\":\"" WEB_TOKEN "\"}"),
	    INT64_C(1795000600001), a, &(struct bearer){ 0 }, (char[200]){ 0 }, 200));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_says_when_it_expires_and_whom_it_is_about),
		cmocka_unit_test(answers_without_a_token_that_lives_are_refused),
	};

	return cmocka_run_group_tests_name("bearer", tests, NULL, NULL);
}
