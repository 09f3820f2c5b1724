/*
 * markup: where in a page a tag of a template stands, byte by byte. In the texts below '@' is the place of
 * a value, '%' that of a partial, and '{' and '}' are where a section begins and ends.
 */
#include "unit.h"

#include <stdio.h>

#include "http/markup.h"

static struct markup m;
static bool value_is_url;

/* Reads the text; what is wrong with it, or NULL. */
static const char *
read_it(const char *text)
{
	struct markup open;
	size_t at;

	markup_init(&m);
	open = m;
	for (const char *p = text; *p != '\0'; p++) {
		const char *wrong = *p == '@' ? markup_value(&m, &value_is_url)
		    : *p == '%'               ? markup_partial(&m)
		    : *p == '{' || *p == '}'  ? markup_section(&m)
		                              : markup_text(&m, (struct str){ p, 1 }, &at);

		if (wrong == NULL && *p == '}')
			wrong = markup_join(&m, &open);
		if (wrong != NULL)
			return wrong;
		if (*p == '{')
			open = m;
	}
	return NULL;
}

static void
each_byte_leads_to_a_state(void **state)
{
	static const struct {
		const char *text;
		enum markup_state state;
	} all[] = { { "a>b", IN_TEXT }, { "<", TAG_OPEN }, { "<<", TAG_OPEN }, { "< ", IN_TEXT },
		{ "<1", IN_TEXT }, { "<a", TAG_NAME }, { "<z", TAG_NAME }, { "<A", TAG_NAME },
		{ "<Z", TAG_NAME }, { "<[", IN_TEXT }, { "<`", IN_TEXT }, { "<:", IN_TEXT },
		{ "</", END_TAG }, { "</p", END_TAG }, { "</p>", IN_TEXT }, { "<!", DECLARATION },
		{ "<!-", DECLARATION }, { "<!--", COMMENT_START }, { "<!---", COMMENT_START },
		{ "<!-->", IN_TEXT }, { "<!--->", IN_TEXT }, { "<!--a", COMMENT },
		{ "<!--a>", COMMENT }, { "<!--a->", COMMENT }, { "<!--a-->", IN_TEXT },
		{ "<!--a--->", IN_TEXT }, { "<!--a--b>", COMMENT }, { "<!--!", COMMENT },
		{ "<!--a-!", COMMENT }, { "<!-a>", IN_TEXT }, { "<!x->", IN_TEXT },
		{ "<!x--", DECLARATION }, { "<!x[", DECLARATION }, { "<!>", IN_TEXT },
		{ "<p ", IN_TAG }, { "<p\t", IN_TAG }, { "<p\n", IN_TAG }, { "<p\r", IN_TAG },
		{ "<p\f", IN_TAG }, { "<p\v", TAG_NAME }, { "<p>", IN_TEXT }, { "<p/", IN_TAG },
		{ "<p a", ATTRIBUTE_NAME }, { "<p a ", AFTER_NAME }, { "<p a  ", AFTER_NAME },
		{ "<p a b", ATTRIBUTE_NAME }, { "<p a/", IN_TAG }, { "<p a/b", ATTRIBUTE_NAME },
		{ "<p a=", BEFORE_VALUE }, { "<p a =", BEFORE_VALUE }, { "<p a= ", BEFORE_VALUE },
		{ "<p a=\"", QUOTED }, { "<p a=\"b", QUOTED }, { "<p a=\"b>'", QUOTED },
		{ "<p a=\"\"", NEED_SPACE }, { "<p a=\"\" ", IN_TAG }, { "<p a=\"\">", IN_TEXT },
		{ "<p a=\"\"/", IN_TAG }, { "<p a='", SINGLE_QUOTED },
		{ "<p a='>\"", SINGLE_QUOTED }, { "<p a=''", NEED_SPACE }, { "<p a=b", UNQUOTED },
		{ "<p a=b\"", UNQUOTED }, { "<p a=b ", IN_TAG }, { "<p a=b\f", IN_TAG },
		{ "<p a=b>", IN_TEXT }, { "<p a=b/", UNQUOTED }, { "<p a=/", UNQUOTED },
		{ "<p a=>", IN_TEXT }, { "<p a =\n\"", QUOTED }, { "<title>", IN_RCDATA },
		{ "<TextArea x>", IN_RCDATA }, { "<title a=b>", IN_RCDATA },
		{ "<titles>", IN_TEXT }, { "<titl>", IN_TEXT }, { "<script>", IN_RAW },
		{ "<p><script>", IN_RAW }, { "<STYLE>", IN_RAW }, { "<xmp>", IN_RAW },
		{ "<iframe>", IN_RAW }, { "<noembed>", IN_RAW }, { "<noframes>", IN_RAW },
		{ "<noscript>", IN_RAW }, { "<plaintext>", IN_RAW },
		{ "<scriptscriptscriptscript>", IN_TEXT }, { "<script></script", IN_RAW },
		{ "<script></script>", IN_TEXT }, { "<script></SCRIPT>", IN_TEXT },
		{ "<script></script ", END_TAG }, { "<script></script\t", END_TAG },
		{ "<script></script/", END_TAG }, { "<script></script/>", IN_TEXT },
		{ "<script></scriptx>", IN_RAW }, { "<script></scrip>", IN_RAW },
		{ "<script>< /script>", IN_RAW }, { "<script><</script>", IN_TEXT },
		{ "<script></scr</script>", IN_TEXT }, { "<script>//script>", IN_RAW },
		{ "<script><1", IN_RAW }, { "<script>a=b", IN_RAW },
		{ "<noscript><p>a</p></noscript>", IN_TEXT }, { "<noscript><!", IN_RAW },
		{ "<title></title>", IN_TEXT }, { "<title></TITLE\n>", IN_TEXT },
		{ "<script></scriptX", IN_RAW }, { "<title>@</title>", IN_TEXT } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		const char *wrong = read_it(all[i].text);

		if (wrong != NULL || m.state != all[i].state)
			fail_msg("%s: state %d, %s", all[i].text, (int)m.state, wrong);
		assert_int_equal(markup_end(&m) == NULL, m.state == IN_TEXT);
	}
}

static void
each_mistake_has_its_words(void **state)
{
	static const struct {
		const char *text, *words;
	} all[] = { { "<?", "processing instruction" }, { "</p\"", "quote in an end tag" },
		{ "</p'", "quote in an end tag" }, { "<![", "CDATA" }, { "<!--a--!", "--!" },
		{ "<!----!", "--!" }, { "<script><a", "'<' before a letter" },
		{ "<script><Z", "'<' before a letter" }, { "<script><!", "'<' before a letter" },
		{ "<title><b", "'<' before a letter" }, { "<p \"", "middle of a tag" },
		{ "<p '", "middle of a tag" }, { "<p <", "middle of a tag" },
		{ "<p<", "middle of a tag" }, { "<p a\"", "middle of a tag" },
		{ "<p a=\"\"<", "middle of a tag" }, { "<p a=\"\"b", "blank is missing" },
		{ "<p a=\"\"=", "blank is missing" }, { "<p a=''b", "blank is missing" },
		{ "<p =", "without an attribute" }, { "<p=", "without an attribute" },
		{ "<p a=\"\" =", "without an attribute" },
		/* places of values */
		{ "<@", "name of an element" }, { "</@", "name of an element" },
		{ "</p @", "name of an element" }, { "<p@", "name of an element" },
		{ "<p @", "name of an attribute" }, { "<p a@", "name of an attribute" },
		{ "<p a @", "name of an attribute" }, { "<p a=\"\"@", "name of an attribute" },
		{ "<p a=@", "without quotes" }, { "<p a= @", "without quotes" },
		{ "<p a=b@", "without quotes" }, { "<p a='@", "single-quoted" },
		{ "<!@", "declaration" }, { "<!--@", "comment" }, { "<!--a@", "comment" },
		{ "<script>@", "script or style" }, { "<title><@", "behind '<'" },
		{ "<title></@", "behind '<'" }, { "<title></titl@", "behind '<'" },
		{ "<p onclick=\"@", "event-handler" }, { "<p ON=\"@", "event-handler" },
		{ "<p style=\"@", "code" }, { "<p srcdoc=\"@", "code" },
		{ "<p srcset=\"@", "code" }, { "<p imagesrcset=\"@", "code" },
		{ "<meta http-equiv=\"a\" content=\"@", "http-equiv" },
		{ "<meta content=\"@\" http-equiv=", "http-equiv" },
		/* schemes */
		{ "<a href=\"javascript:", "another scheme" },
		{ "<a href=\"HTTPX:", "another scheme" }, { "<a href=\":", "another scheme" },
		{ "<a href=\"@:", "scheme of a URL" }, { "<a href=\"a@:", "scheme of a URL" },
		{ "<a href=\"&", "character reference" }, { "<a href=\"a&", "character reference" },
		{ "<img src=\"x:", "another scheme" }, { "<form action=\"x:", "another scheme" },
		{ "<button formaction=\"x:", "another scheme" },
		{ "<video poster=\"x:", "another scheme" }, { "<q cite=\"x:", "another scheme" },
		{ "<object data=\"x:", "another scheme" },
		{ "<body background=\"x:", "another scheme" }, { "<a ping=\"x:", "another scheme" },
		{ "<html manifest=\"x:", "another scheme" },
		{ "<a xlink:href=\"x:", "another scheme" },
		{ "<a href=\"httphttphttphttphttp:", "another" },
		/* sections and partials */
		{ "{<p>}<p ", NULL }, { "<p a{ b}=", "blank is missing" },
		{ "<p {\"", "middle of a tag" }, { "<p a=\"\"{b", "blank is missing" },
		{ "<p{b", "blank is missing" }, { "<p a{b", "blank is missing" },
		{ "<p a {b}", NULL }, { "<p {a=\"}\"", "another place" },
		{ "<p {a=\"b\" }c", NULL }, { "<p {a=\"b\"}c", "blank is missing" },
		{ "<p a=\"b\"{ }c", "blank is missing" },
		{ "<p a=\"b\"{ c=\"d\" }e", "blank is missing" }, { "<p {> <p }", "another place" },
		{ "<p a=\"{\" b=\"}", "another place" }, { "<p a=\"{b}\">", NULL },
		{ "{<p }", "another place" }, { "<p {>}", "another place" },
		{ "<title>{</title><title>}", "another place" }, { "<title>{a}", NULL },
		{ "<p a={", "without quotes" }, { "<{", "name of an element" },
		{ "<script>{", "script or style" }, { "<!--{", "comment" },
		{ "<title><{", "behind '<'" }, { "%", NULL }, { "<p %", "name of an attribute" },
		{ "<p a=\"%", "inside of an attribute" }, { "<title>%", "inside of an attribute" },
		{ "<script>%", "script or style" }, { "<a href=\"{/}:", "scheme of a URL" },
		{ "<a href=\"a{b}:", "scheme of a URL" }, { "<a href=\"/{b}:", NULL },
		{ "<a href=\"{b", NULL }, { "<p a=\"{b}:", NULL } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		const char *wrong = read_it(all[i].text);

		if (all[i].words == NULL ? wrong != NULL
		                         : wrong == NULL || strstr(wrong, all[i].words) == NULL)
			fail_msg("%s: %s", all[i].text, wrong == NULL ? "taken" : wrong);
	}
}

static void
values_in_urls_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		bool url;
	} all[] = { { "@", false }, { "<title>@", false }, { "<p title=\"@", false },
		{ "<a href=\"@", true }, { "<a HREF=\"a@", true }, { "<a href=\"/@", false },
		{ "<a href=\"?@", false }, { "<a href=\"#@", false }, { "<a href=\"http:@", false },
		{ "<a href=\"https:@", false }, { "<a href=\"MailTo:@", false },
		{ "<a href=\"@@", true }, { "<a hrefs=\"@", false }, { "<a href=\"/a:&b\"", false },
		{ "<p o=\"@", false }, { "<p n=\"@", false }, { "<p no=\"@", false },
		{ "<p ob=\"@", false }, { "<p content=\"@", false },
		{ "<meta http-equiv=\"a\" content=\"b\"><p content=\"@", false },
		{ "<meta http-equiv=\"a\"><meta content=\"@", false },
		{ "<meta content=\"@\"><meta http-equiv=\"a", false },
		{ "<meta content=\"b\" http-equiv=\"a", false }, { "<a href=\"/{@}@", false },
		{ "<a href=\"{/@}@", true } };

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		const char *wrong;

		value_is_url = false;
		wrong = read_it(all[i].text);
		if (wrong != NULL || value_is_url != all[i].url)
			fail_msg("%s: %s, %d", all[i].text, wrong, value_is_url);
	}
}

/* Where the URL begins that a value may stand in. */
static void
the_place_of_a_url_is_told(void **state)
{
	size_t at = 77;

	(void)state;
	markup_init(&m);
	assert_null(markup_text(&m, STR("<a href=\"x"), &at));
	assert_int_equal(m.opened_at, 9);
	assert_null(markup_text(&m, STR("y"), &at));
	assert_true(m.opened_at == SIZE_MAX);
	assert_null(markup_text(&m, STR("\" title=\""), &at));
	assert_true(m.opened_at == SIZE_MAX);
	assert_null(markup_text(&m, STR("\" src=\"a\" title=\""), &at));
	assert_true(m.opened_at == SIZE_MAX);
	assert_int_equal(at, 77);
	assert_non_null(markup_text(&m, STR("a\"b"), &at));
	assert_int_equal(at, 2);
	assert_null(markup_text(&m, STR(""), &at));
}

/* Longer names than any that matters are cut, and match nothing. */
static void
long_names_are_cut(void **state)
{
	(void)state;
	assert_null(read_it("<abcdefghijklmnopqrst"));
	assert_string_equal(m.element, "abcdefghijklmno");
	assert_null(read_it("<p ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
	assert_string_equal(m.attribute, "abcdefghijklmno");
	markup_init(&m);
	assert_null(markup_text(&m, STR("<p @AZ[`az{"), &(size_t){ 0 }));
	assert_string_equal(m.attribute, "@az[`az{");
	assert_null(read_it("<p x=\"\" y"));
	assert_string_equal(m.attribute, "y");
	assert_null(read_it("<a href=\"abcdefghijklmnop"));
	assert_string_equal(m.scheme, "abcdefghijk");
	assert_null(read_it("<a href=\"x\" src=\""));
	assert_string_equal(m.scheme, "");
}

static void
bad_schemes_are_seen_as_browsers_do(void **state)
{
	static const char *const bad[] = { "javascript:", " javascript:", "\x01\x1f x:",
		"java\tscript:", "a\n\r\tb:", ":", "\t:", "x1+-.:", "1:", "httpx:", "htt:",
		"http\t2:", "ABCXYZ:", "httphttphttphttp:", "a:b", "-:" };
	static const char *const good[] = { "", "a", "/a:b", "?a:b", "#a:b",
		"http:", "https:", "mailto:", "HTTPS:", "hTtP:x", "ht\ttp:", " http:", "a/b:c",
		"a b:c", "a&b:", "\xc3\xa9:", "a_b:", "@:", "[:", "`:", "{:", "a,b:", "/", ";:" };

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		if (!markup_bad_scheme(str_of(bad[i])))
			fail_msg("\"%s\" is bad", bad[i]);
	for (size_t i = 0; i < NELEM(good); i++)
		if (markup_bad_scheme(str_of(good[i])))
			fail_msg("\"%s\" is good", good[i]);
	assert_false(markup_bad_scheme((struct str){ "x:", 1 }));
	assert_false(markup_bad_scheme((struct str){ "  :", 2 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_leads_to_a_state),
		cmocka_unit_test(each_mistake_has_its_words),
		cmocka_unit_test(values_in_urls_are_told_apart),
		cmocka_unit_test(the_place_of_a_url_is_told),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(bad_schemes_are_seen_as_browsers_do),
	};

	return cmocka_run_group_tests_name("markup", tests, NULL, NULL);
}
