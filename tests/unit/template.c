/*
 * template: passes the Mustache specification (the cases without unescaped output), and refuses
 * what would let a value out of its place in the markup.
 *
 * The specification lies in ../shared/data/mustache-spec beside the checkout, or where
 * MUSTACHE_SPEC says; without it those tests are skipped with a notice.
 */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/mustache.h"
#include "http/template.h"

static struct value *from_json(struct arena *, json_t *);

static void
member_from_json(struct arena *a, struct value *object, const char *key, json_t *j)
{
	key = arena_strdup(a, key);
	switch (json_typeof(j)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		value_set(object, key, from_json(a, j));
		break;
	case JSON_STRING:
		value_set_cstr(object, key, arena_strdup(a, json_string_value(j)));
		break;
	case JSON_INTEGER:
		value_set_int(object, key, json_integer_value(j));
		break;
	case JSON_REAL:
		value_set_real(object, key, json_real_value(j));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		value_set_bool(object, key, json_is_true(j));
		break;
	case JSON_NULL:
		value_set_null(object, key);
		break;
	}
}

/* The value of any JSON: what is no object or list is made as a member and taken out. */
static struct value *
from_json(struct arena *a, json_t *j)
{
	struct value *v;
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_object(j)) {
		v = value_object(a);
		json_object_foreach(j, key, item) member_from_json(a, v, key, item);
		return v;
	}
	if (json_is_array(j)) {
		v = value_list(a);
		json_array_foreach(j, i, item) value_add(v, from_json(a, item));
		return v;
	}
	v = value_object(a);
	member_from_json(a, v, "it", j);
	return value_child(v, "it");
}

static void
run_case(const char *file, json_t *test)
{
	const char *name = json_string_value(json_object_get(test, "name"));
	const char *template = json_string_value(json_object_get(test, "template"));
	const char *expected = json_string_value(json_object_get(test, "expected"));
	json_t *partials = json_object_get(test, "partials");
	struct arena *a = arena_new();
	struct buf out = { NULL, 0, 0 };
	char err[256] = "";
	int r;

	r = template_render_text(str_of(template), false,
	    from_json(a, json_object_get(test, "data")),
	    partials == NULL ? NULL : from_json(a, partials), &out, err, sizeof(err));
	if (r != 0 || strcmp(buf_text(&out).p, expected) != 0)
		fail_msg("%s: %s: %s\ntemplate <%s>\nwanted   <%s>\ngot      <%s>", file, name, err,
		    template, expected, buf_text(&out).p);
	buf_free(&out);
	arena_free(a);
}

static bool
wants_unescaped_output(json_t *test)
{
	const char *text = json_string_value(json_object_get(test, "template"));
	char *partials = json_dumps(json_object_get(test, "partials"), 0);
	bool yes = strstr(text, "{{{") != NULL || strstr(text, "{{&") != NULL ||
	    (partials != NULL && strstr(partials, "{{{") != NULL);

	free(partials);
	return yes;
}

static void
the_specification_is_passed(void **state)
{
	static const char *const files[] = { "comments", "delimiters", "interpolation", "inverted",
		"partials", "sections" };
	const char *dir = getenv("MUSTACHE_SPEC"), *srcdir = getenv("srcdir");
	char path[4096];
	size_t passed = 0;

	(void)state;
	for (size_t i = 0; i < NELEM(files); i++) {
		json_t *spec, *tests, *test;
		size_t n;

		if (dir != NULL)
			snprintf(path, sizeof(path), "%s/%s.json", dir, files[i]);
		else
			snprintf(path, sizeof(path), "%s/../shared/data/mustache-spec/%s.json",
			    srcdir != NULL ? srcdir : ".", files[i]);
		spec = json_load_file(path, 0, NULL);
		if (spec == NULL) {
			print_message("skipped: %s cannot be read\n", path);
			skip();
		}
		tests = json_object_get(spec, "tests");
		json_array_foreach(tests, n, test)
		{
			if (wants_unescaped_output(test))
				continue;
			run_case(files[i], test);
			passed++;
		}
		json_decref(spec);
	}
	print_message("%zu cases of the Mustache specification\n", passed);
	assert_true(passed > 100);
}

/* Renders a text as HTML; the result or the error, in the arena. */
static const char *
html(struct arena *a, const char *source, const struct value *v)
{
	struct buf out = { NULL, 0, 0 };
	char err[256] = "no error was given";
	const char *result;

	if (template_render_text(str_of(source), true, v, NULL, &out, err, sizeof(err)) < 0)
		result = arena_printf(a, "refused: %s", err).p;
	else
		result = arena_str(a, buf_text(&out)).p;
	buf_free(&out);
	return result;
}

static struct value *
evil(struct arena *a)
{
	struct value *v = value_object(a);

	value_set_cstr(v, "x", "<script>\"'&");
	value_set_text(v, "nul", (struct str){ "a\0b", 3 });
	value_set_bool(v, "yes", true);
	value_set_bool(v, "no", false);
	return v;
}

static void
values_are_escaped_in_text_and_attributes(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_string_equal(html(a, "<p title=\"{{x}}\">{{x}}</p>", evil(a)),
	    "<p title=\"&lt;script&gt;&quot;&#39;&amp;\">&lt;script&gt;&quot;&#39;&amp;</p>");
	assert_string_equal(html(a, "<title>{{x}}</title>", evil(a)),
	    "<title>&lt;script&gt;&quot;&#39;&amp;</title>");
	assert_string_equal(html(a, "{{nul}}", evil(a)),
	    "a\xef\xbf\xbd"
	    "b");
	arena_free(a);
}

static void
tags_out_of_place_are_refused(void **state)
{
	static const char *const refused[] = { "<p title={{x}}>", "<p title='{{x}}'>",
		"<p title={{x}} >", "<{{x}}>", "<p {{x}}>", "<p {{x}}=\"1\">",
		"<p data-{{x}}=\"1\">", "</{{x}}>", "<script>{{x}}</script>",
		"<SCRIPT>{{x}}</SCRIPT>", "<script>a</scrip{{x}}", "<style>{{x}}</style>",
		"<!-- {{x}} -->", "<!DOCTYPE {{x}}>", "<p onclick=\"{{x}}\">",
		"<p ONCLICK=\"{{x}}\">", "<p style=\"{{x}}\">", "<iframe srcdoc=\"{{x}}\">",
		"<img srcset=\"{{x}}\">", "<title><{{x}}</title>", "<p title=\"{{x}}\"{{x}}>",
		"<p a=\"b\"c=\"d\">", "<a href=\"javascript:{{x}}\">", "<a href=\"{{x}}:b\">",
		"<a href=\"data:text/html,x\">", "<p title=\"x", "<p ", "<textarea>", "<!--",
		"<p title=\"{{#yes}}\">{{/yes}}", "{{#yes}}<p {{/yes}}>",
		"<p a=\"{{#yes}}\" b=\"{{/yes}}\">", "<p{{#yes}}x{{/yes}} y{{#no}}=\"{{/no}}z\">",
		"<script>{{#yes}}a{{/yes}}</script>", "<?php {{x}} ?>", "<p {{> y}}>",
		"<p title=\"{{> y}}\">", "<title>{{> y}}</title>", "<noscript>{{x}}</noscript>",
		"<p a{{#yes}} b{{/yes}}=\"c\">", "<!--><script>-->{{x}}</script>",
		"<!---><script>-->{{x}}</script>", "<!-- a --!><script>-->{{x}}</script>",
		"<!----!><script>-->{{x}}</script>", "<!--!><script>{{x}}</script>-->",
		"<script><!--<script></script>{{x}}</script>",
		"<svg><title><script>{{x}}</script></title></svg>",
		"<svg><style><p title=</style>{{x}}></svg>", "<svg><![CDATA[>]]>{{x}}",
		"</p a='>{{x}}", "<a href=\"javascript&colon;{{x}}\">",
		"<a href=\"&#106;avascript:{{x}}\">", "<a href=\"{{x}}&colon;b\">",
		"<meta http-equiv=\"refresh\" content=\"0;url={{x}}\">",
		"<META HTTP-EQUIV=refresh CONTENT=\"{{x}}\">",
		"<meta content=\"0;url={{x}}\" http-equiv='refresh'>",
		"<script {{#no}}></script><p {{/no}}>{{x}}</p>",
		"<meta{{#yes}} http-equiv=\"refresh\"{{/yes}} content=\"{{x}}\">" };
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < NELEM(refused); i++) {
		const char *result = html(a, refused[i], evil(a));

		if (strncmp(result, "refused: template:1: ", 21) != 0)
			fail_msg("%s gave %s", refused[i], result);
	}
	arena_free(a);
}

static void
html_that_only_looks_odd_is_taken(void **state)
{
	static const char *const taken[] = { "<!-- a - b -- c -->", "<!---->", "<!-->", "<!--->",
		"<!--! a -->", "<!---! a -->", "<!--!><script>-->{{yes}}", "<!------>{{yes}}",
		"<!doctype html>", "<noscript><p>a</p></noscript>",
		"<script>if (a < b) c()</script>", "<style>a > b {}</style>",
		"<p title=\"&amp;{{yes}}\">", "<a href=\"/?a=1&amp;b={{yes}}\">",
		"<meta name=\"a\" content=\"{{yes}}\">",
		"<meta http-equiv=\"refresh\" content=\"60\">" };
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < NELEM(taken); i++) {
		const char *result = html(a, taken[i], evil(a));

		if (strncmp(result, "refused", 7) == 0)
			fail_msg("%s: %s", taken[i], result);
	}
	arena_free(a);
}

static void
sections_may_stand_around_attributes(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_string_equal(
	    html(a, "<input{{#yes}} checked{{/yes}}{{#no}} disabled{{/no}}>", evil(a)),
	    "<input checked>");
	assert_string_equal(html(a, "<input {{#yes}}checked {{/yes}}name=\"a\">", evil(a)),
	    "<input checked name=\"a\">");
	assert_string_equal(html(a, "<p class=\"a{{#yes}} b{{/yes}}{{^yes}} c{{/yes}}\">", evil(a)),
	    "<p class=\"a b\">");
	assert_string_equal(html(a, "<a{{#yes}} href=\"/{{x}}\"{{/yes}} id=\"b\">", evil(a)),
	    "<a href=\"/&lt;script&gt;&quot;&#39;&amp;\" id=\"b\">");
	assert_string_equal(
	    html(a, "{{#yes}}<b>{{/yes}}a < b{{#yes}}</b>{{/yes}}", evil(a)), "<b>a < b</b>");
	arena_free(a);
}

static void
a_url_keeps_to_good_schemes(void **state)
{
	static const struct {
		const char *url, *shown;
	} cases[] = {
		{ "https://example.org/", "https://example.org/" },
		{ "HTTP://example.org/", "HTTP://example.org/" },
		{ "mailto:a@example.org", "mailto:a@example.org" },
		{ "/targets/?a=b:c", "/targets/?a=b:c" },
		{ "a/b:c", "a/b:c" },
		{ "?name=T:CrB", "?name=T:CrB" },
		{ "javascript:alert(1)", "#" },
		{ "JavaScript:alert(1)", "#" },
		{ " \x01javascript:alert(1)", "#" },
		{ "java\tscript:alert(1)", "#" },
		{ "java\nscript:alert(1)", "#" },
		{ "data:text/html,x", "#" },
		{ "vbscript:x", "#" },
		{ "averyveryverylongschemename:x", "#" },
		{ ":x", "#" },
		{ "", "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct value *v = value_object(a);
		const char *want = arena_printf(a, "<a href=\"%s\">", cases[i].shown).p;

		value_set_cstr(v, "url", cases[i].url);
		value_set_cstr(v, "prefix", "");
		value_set_bool(v, "no", false);
		assert_string_equal(html(a, "<a href=\"{{url}}\">", v), want);
		assert_string_equal(
		    html(a, "<a href=\"{{prefix}}{{#no}}/{{/no}}{{url}}\">", v), want);
		assert_string_equal(html(a, "<a href=\"{{#url}}{{url}}{{/url}}\">", v), want);
	}
	arena_free(a);
}

static void
a_scheme_in_two_halves_is_found(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a);

	(void)state;
	value_set_cstr(v, "a", "java");
	value_set_cstr(v, "b", "script:alert(1)");
	assert_string_equal(html(a, "<a href=\"{{a}}{{b}}\">", v), "<a href=\"#\">");
	assert_string_equal(html(a, "<a href=\"java{{b}}\">", v), "<a href=\"#\">");
	assert_string_equal(
	    html(a, "<a href=\"/java{{b}}\">", v), "<a href=\"/javascript:alert(1)\">");
	arena_free(a);
}

static void
mistakes_name_the_line(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a);

	(void)state;
	assert_string_equal(html(a, "a\n{{#b}}\nc\n", v), "refused: template:2: {{#b}} has no end");
	assert_string_equal(html(a, "a\n\n{{/b}}", v),
	    "refused: template:3: {{/b}} ends a section that was not begun");
	assert_string_equal(html(a, "{{#a}}\n{{#b}}\n{{/a}}{{/b}}", v),
	    "refused: template:3: {{/a}} where {{/b}} (begun in line 2) should end");
	assert_string_equal(html(a, "\n\n{{a", v), "refused: template:3: this tag has no end");
	assert_string_equal(html(a, "{{! two\nlines }}\n{{{a}}}", v),
	    "refused: template:3: unescaped output is not supported: write {{name}}");
	assert_string_equal(html(a, "{{&a}}", v),
	    "refused: template:1: unescaped output is not supported: write {{name}}");
	assert_string_equal(
	    html(a, "{{<a}}", v), "refused: template:1: inheritance (\"<\") is not supported");
	assert_non_null(strstr(html(a, "\n{{a b}}", v), "template:2: \"a b\" is no name"));
	assert_non_null(
	    strstr(html(a, "{{a..b}}", v), "template:1: a name is missing in \"a..b\""));
	assert_non_null(strstr(html(a, "{{}}", v), "template:1: a name is missing"));
	assert_non_null(strstr(html(a, "{{=a}}", v), "template:1: "));
	arena_free(a);
}

/* Bytes that mean something in HTML, wherever they stand in a text that is long, and nothing else. */
static void
long_texts_are_escaped_as_short_ones_are(void **state)
{
	static const struct {
		char byte;
		const char *escaped;
	} marks[] = { { '<', "&lt;" }, { '>', "&gt;" }, { '&', "&amp;" }, { '"', "&quot;" },
		{ '\'', "&#39;" }, { '\0', "\xef\xbf\xbd" }, { 'x', "x" } };
	struct arena *a = arena_new();
	char text[200], want[400];

	(void)state;
	for (size_t n = 40; n <= 100; n += n == 45 ? 1 : n < 52 ? 1 : 48)
		for (size_t i = 0; i < NELEM(marks); i++) {
			struct value *v = value_object(a);

			memset(text, 'y', sizeof(text) - 1);
			text[sizeof(text) - 1] = '\0';
			text[0] = text[n / 2] = text[n / 2 + 1] = marks[i].byte;
			if (n % 2 == 0)
				text[n - 1] = marks[i].byte; /* else what is behind goes on */
			value_set_text(v, "t", (struct str){ text, n });
			snprintf(want, sizeof(want), "%s%.*s%s%s%.*s%s", marks[i].escaped,
			    (int)(n / 2 - 1), text + 1, marks[i].escaped, marks[i].escaped,
			    (int)(n - n / 2 - 3), text + n / 2 + 2,
			    n % 2 == 0 ? marks[i].escaped : "y");
			assert_string_equal(html(a, "{{t}}", v), want);
		}
	arena_free(a);
}

/* Short texts of nothing but marks, where the room that there is runs out at every place. */
static void
short_texts_have_room_for_their_escapes(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (size_t n = 1; n <= 48; n += 47)
		for (int rows = 1; rows <= 1000; rows += 37) {
			struct value *v = value_object(a), *list = value_set_list(v, "l");
			const char *shown;
			char text[49];

			memset(text, '"', n);
			text[n] = '\0';
			for (int i = 0; i < rows; i++)
				value_add_text(list, (struct str){ text, n });
			shown = html(a, "{{#l}}{{.}}{{/l}}", v);
			assert_int_equal(strlen(shown), (size_t)rows * n * 6);
			for (size_t i = 0; i < (size_t)rows * n; i++)
				if (memcmp(shown + 6 * i, "&quot;", 6) != 0)
					fail_msg("%zu of %d of %zu", i, rows, n);
			arena_reset(a);
		}
	arena_free(a);
}

static void
many_partials_one_after_the_other_are_not_deep(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a), *partials = value_object(a),
	             *list = value_set_list(v, "l");
	struct buf out = { NULL, 0, 0 };
	char err[256] = "";

	(void)state;
	for (int i = 0; i < MUSTACHE_NESTING + 2; i++)
		value_add_int(list, 7);
	value_set_cstr(partials, "one", "a");
	assert_int_equal(template_render_text(STR("{{#l}}{{> one}}{{/l}}"), true, v, partials, &out,
	                     err, sizeof(err)),
	    0);
	assert_int_equal(out.n, MUSTACHE_NESTING + 2);
	buf_free(&out);
	arena_free(a);
}

/* 64 MiB, of few steps. */
static void
page_that_grows_without_end_is_stopped(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a), *list = value_set_list(v, "l");
	struct buf out = { NULL, 0, 0 };
	char *text = arena_alloc(a, MIB(1) + 1);
	char err[256] = "";

	(void)state;
	memset(text, 'a', MIB(1));
	text[MIB(1)] = '\0';
	value_set_text(v, "t", (struct str){ text, MIB(1) });
	for (int i = 0; i < 70; i++)
		value_add_int(list, i);
	assert_int_equal(
	    template_render_text(STR("{{#l}}{{t}}{{/l}}"), true, v, NULL, &out, err, sizeof(err)),
	    -1);
	assert_non_null(strstr(err, "grows without end"));
	assert_in_range(out.n, MIB(64), MIB(66));
	buf_free(&out);
	arena_free(a);
}

static void
partials_that_never_end_are_stopped(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a), *partials = value_object(a);
	struct value *list = value_set_list(v, "l");
	struct buf out = { NULL, 0, 0 };
	char err[256] = "";

	(void)state;
	value_set_cstr(partials, "one", "a{{> one}}");
	value_set_cstr(partials, "two",
	    "{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}a"
	    "{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}");
	for (int i = 0; i < 10; i++)
		value_add_int(list, i);
	assert_int_equal(
	    template_render_text(STR("{{> one}}"), true, v, partials, &out, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "deeper than 64"));
	assert_int_equal(
	    template_render_text(STR("{{> two}}"), true, v, partials, &out, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "grows without end"));
	buf_free(&out);
	arena_free(a);
}

static void
a_null_member_hides_that_of_the_context_above(void **state)
{
	struct arena *a = arena_new();
	struct value *v = value_object(a);

	(void)state;
	value_set_cstr(v, "error", "above");
	value_set_null(value_set_object(v, "field"), "error");
	assert_string_equal(html(a, "[{{#field}}{{error}}{{/field}}]", v), "[]");
	arena_free(a);
}

/* -- files -- */

static char dir[] = "/tmp/meridian-template-XXXXXX";

static void
put_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
make_dir(void **state)
{
	char path[128];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/ours", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/theirs", dir);
	return mkdir(path, 0700);
}

static int
remove_dir(void **state)
{
	static const char *const names[] = { "ours/a.html", "ours/b.html", "ours/c.html",
		"theirs/b.html", "theirs/c.html", "ours", "theirs", "." };
	char path[128];

	(void)state;
	for (size_t i = 0; i < NELEM(names) - 1; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	return rmdir(dir);
}

static void
an_override_stands_for_one_file(void **state)
{
	struct templates *ts;
	struct buf out = { NULL, 0, 0 };
	char err[256] = "", ours[64], theirs[64];

	(void)state;
	snprintf(ours, sizeof(ours), "%s/ours", dir);
	snprintf(theirs, sizeof(theirs), "%s/theirs", dir);
	put_file("ours/a.html", "<p>{{> b}}</p>");
	put_file("ours/b.html", "ours");
	put_file("theirs/b.html", "theirs");
	ts = templates_new(ours, theirs);
	assert_int_equal(templates_compile_all(ts, err, sizeof(err)), 0);
	assert_int_equal(templates_render(ts, "a", NULL, &out, err, sizeof(err)), 0);
	assert_string_equal(buf_text(&out).p, "<p>theirs</p>");
	assert_int_equal(templates_render(ts, "none", NULL, &out, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "there is no template none.html in "));
	assert_int_equal(templates_render(ts, "../a", NULL, &out, err, sizeof(err)), -1);
	templates_free(ts);
	buf_free(&out);
}

static void
a_broken_override_is_an_error_with_file_and_line(void **state)
{
	struct templates *ts;
	char err[256] = "", ours[64], theirs[64], want[256];

	(void)state;
	snprintf(ours, sizeof(ours), "%s/ours", dir);
	snprintf(theirs, sizeof(theirs), "%s/theirs", dir);
	put_file("ours/a.html", "{{> c}}");
	put_file("ours/c.html", "ok");
	put_file("theirs/c.html", "a\n<p title='{{x}}'>");
	ts = templates_new(ours, theirs);
	assert_int_equal(templates_compile(ts, "a", err, sizeof(err)), -1);
	snprintf(
	    want, sizeof(want), "%s/c.html:2: {{x}}: a tag in a single-quoted attribute", theirs);
	assert_memory_equal(err, want, strlen(want));
	err[0] = '\0'; /* and it stays one */
	assert_int_equal(templates_compile_all(ts, err, sizeof(err)), -1);
	assert_memory_equal(err, want, strlen(want));
	templates_free(ts);
}

static void
all_templates_of_the_product_compile(void **state)
{
	const char *srcdir = getenv("srcdir");
	char path[4096], err[512] = "";
	struct templates *ts;

	(void)state;
	snprintf(path, sizeof(path), "%s/share/templates", srcdir != NULL ? srcdir : ".");
	ts = templates_new(path, NULL);
	if (templates_compile_all(ts, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	templates_free(ts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_specification_is_passed),
		cmocka_unit_test(values_are_escaped_in_text_and_attributes),
		cmocka_unit_test(tags_out_of_place_are_refused),
		cmocka_unit_test(html_that_only_looks_odd_is_taken),
		cmocka_unit_test(sections_may_stand_around_attributes),
		cmocka_unit_test(a_url_keeps_to_good_schemes),
		cmocka_unit_test(a_scheme_in_two_halves_is_found),
		cmocka_unit_test(mistakes_name_the_line),
		cmocka_unit_test(long_texts_are_escaped_as_short_ones_are),
		cmocka_unit_test(short_texts_have_room_for_their_escapes),
		cmocka_unit_test(many_partials_one_after_the_other_are_not_deep),
		cmocka_unit_test(page_that_grows_without_end_is_stopped),
		cmocka_unit_test(partials_that_never_end_are_stopped),
		cmocka_unit_test(a_null_member_hides_that_of_the_context_above),
		cmocka_unit_test(an_override_stands_for_one_file),
		cmocka_unit_test(a_broken_override_is_an_error_with_file_and_line),
		cmocka_unit_test(all_templates_of_the_product_compile),
	};

	return cmocka_run_group_tests_name("template", tests, make_dir, remove_dir);
}
