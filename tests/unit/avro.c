/*
 * avro: container files and schemas. What is read was written by tests/tools/avro_write.c.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alert/avro.h"
#include "tests/tools/avro_write.h"

struct point {
	double t, v;
	int64_t id;
};
struct inner {
	int64_t n;
};
struct thing {
	struct str name;
	int64_t id;
	double x;
	struct inner inner;
	struct avro_list points;
};

static const struct avro_wish point_wishes[] = {
	{ "t", AVRO_REAL, AVRO_NEEDED, offsetof(struct point, t), NULL },
	{ "v", AVRO_REAL, AVRO_NULLABLE, offsetof(struct point, v), NULL },
	{ "id", AVRO_LONG, AVRO_OPTIONAL, offsetof(struct point, id), NULL },
};
static const struct avro_shape point_shape = { sizeof(struct point), NELEM(point_wishes),
	point_wishes, NULL };
static const struct avro_wish inner_wishes[] = {
	{ "n", AVRO_LONG, AVRO_OPTIONAL, offsetof(struct inner, n), NULL },
};
static const struct avro_shape inner_shape = { sizeof(struct inner), 1, inner_wishes, NULL };
static const struct avro_wish wishes[] = {
	{ "name", AVRO_STRING, AVRO_NEEDED, offsetof(struct thing, name), NULL },
	{ "id", AVRO_LONG, AVRO_OPTIONAL, offsetof(struct thing, id), NULL },
	{ "x", AVRO_REAL, AVRO_OPTIONAL, offsetof(struct thing, x), NULL },
	{ "inner", AVRO_STRUCT, AVRO_OPTIONAL, offsetof(struct thing, inner), &inner_shape },
	{ "points", AVRO_LIST, AVRO_OPTIONAL, offsetof(struct thing, points), &point_shape },
};
static const struct avro_shape shape = { sizeof(struct thing), NELEM(wishes), wishes, NULL };
static const struct avro_shape *const shapes[] = { &shape, NULL };

static const uint8_t sync_marker[16] = "fifteen letters";
static char err[512];

#define FIELDS(f) "{\"type\":\"record\",\"name\":\"a.b\",\"fields\":[" f "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define NAME FIELD("name", "\"string\"")

/* Compiles and decodes; the record's length or -1, err filled also where the schema is wrong. */
static int64_t
decode(const char *schema, const struct buf *b, struct arena *a, struct thing *t)
{
	struct avro_schema *s = avro_schema_new(shapes, str_of(schema), err, sizeof(err));
	int64_t n;

	if (s == NULL)
		return -2;
	n = avro_decode(s, b->p, b->n, 100, a, t, err, sizeof(err));
	if (n > 0 && t->name.p != NULL)
		t->name = arena_str(a, t->name); /* an enum's symbols go with the schema */
	avro_schema_free(s);
	return n;
}

#define assert_says(text) \
	do { \
		if (strstr(err, (text)) == NULL) \
			fail_msg("\"%s\" does not say \"%s\"", err, (text)); \
	} while (0)

#define MIXED \
	FIELDS(FIELD("skip1", "[\"null\",\"double\"]") "," FIELD( \
	    "x", "[\"float\",\"null\"]") "," FIELD("map", \
	    "{\"type\":\"map\",\"values\":\"long\"}") "," FIELD("name", \
	    "{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\",\"BC\"]}") "," FIELD("fix", \
	    "{\"type\":\"fixed\",\"name\":\"f\",\"size\":3}") "," FIELD("again", \
	    "\"a.f\"") "," FIELD("flag", "\"boolean\"") "," FIELD("inner", \
	    "[\"null\",{\"type\":\"record\",\"name\":\"i\",\"fields\":[" FIELD( \
	        "other", "\"bytes\"") "," FIELD("n", "\"int\"") "]}]") "," FIELD("unwished", \
	    "{\"type\":\"array\",\"items\":\"i\"}") "," FIELD("points", \
	    "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"p\"," \
	    "\"fields\":[" FIELD("v", "[\"null\",\"long\",\"float\"]") "," FIELD( \
	        "t", "\"double\"") "]}}") "," FIELD("id", "\"long\""))

static void
put_mixed(struct buf *b)
{
	put_long(b, 1), put_double(b, 7); /* skip1 */
	put_long(b, 0), put_float(b, 1.5f); /* x */
	put_long(b, 2); /* map: two pairs, then one in a block that says its size */
	put_string(b, STR("k")), put_long(b, 1), put_string(b, STR("kk")), put_long(b, 500);
	put_long(b, -1), put_long(b, 3), put_string(b, STR("l")), put_long(b, 1);
	put_long(b, 0);
	put_long(b, 1); /* name: the symbol BC */
	buf_puts(b, "xyzabc"); /* fix, again */
	buf_putc(b, 1);
	put_long(b, 1), put_string(b, STR("bytes")), put_long(b, -7); /* inner */
	put_long(b, 1), put_string(b, STR("")), put_long(b, 1), put_long(b, 0); /* unwished */
	put_long(b, 2); /* points: two, then one with its size */
	put_long(b, 0), put_double(b, 1);
	put_long(b, 1), put_long(b, 44), put_double(b, 2);
	put_long(b, -1), put_long(b, 13), put_long(b, 2), put_float(b, 0.25f), put_double(b, 3);
	put_long(b, 0);
	put_long(b, INT64_MAX); /* id */
}

static void
wished_fields_are_found_and_the_rest_stepped_over(void **state)
{
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct thing t;
	struct point *p;

	(void)state;
	put_mixed(&b);
	if (decode(MIXED, &b, a, &t) != (int64_t)b.n)
		fail_msg("%s", err);
	assert_str(t.name, "BC");
	assert_true(t.x == 1.5 && t.id == INT64_MAX && t.inner.n == -7);
	assert_int_equal(t.points.n, 3);
	p = t.points.items;
	assert_true(isnan(p[0].v) && p[0].t == 1 && p[0].id == AVRO_NO_LONG);
	assert_true(p[1].v == 44 && p[1].t == 2);
	assert_true(p[2].v == 0.25 && p[2].t == 3);
	buf_free(&b);
	arena_free(a);
}

static void
every_truncation_is_refused(void **state)
{
	struct arena *a = arena_new();
	struct avro_schema *s = avro_schema_new(shapes, str_of(MIXED), err, sizeof(err));
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	assert_non_null(s);
	put_mixed(&b);
	for (size_t n = 0; n < b.n; n++) {
		/* a copy of just those bytes, so that a reader too far is seen by a sanitizer */
		char *copy = test_malloc(n + 1);

		memcpy(copy, b.p, n);
		assert_int_equal(avro_decode(s, copy, n, 0, a, &t, err, sizeof(err)), -1);
		assert_true(strncmp(err, "offset ", 7) == 0);
		test_free(copy);
	}
	avro_schema_free(s);
	buf_free(&b);
	arena_free(a);
}

#define FLOAT "[\"null\",\"float\"]"
#define OTHER "[\"double\",\"null\"]"
#define RUN \
	FIELD("a", FLOAT) \
	"," FIELD("b", FLOAT) "," FIELD("c", FLOAT) "," FIELD("d", OTHER) "," FIELD( \
	    "e", OTHER) "," FIELD("f", "[\"null\",\"boolean\"]") "," FIELD("g", FLOAT)

/* The seven fields of RUN; bit k of `there`: field k is no null. Where each begins goes into at[]. */
static void
put_run(struct buf *b, unsigned there, size_t at[8])
{
	for (unsigned k = 0; k < 7; k++) {
		bool is = (there >> k & 1) != 0, other = k == 3 || k == 4;

		at[k] = b->n;
		put_long(b, is != other);
		if (is && k == 5)
			buf_putc(b, 1);
		else if (is && other)
			put_double(b, 1.5);
		else if (is)
			put_float(b, 2.5F);
	}
	at[7] = b->n;
}

static void
runs_of_numbers_or_null_are_stepped_over_whatever_is_null(void **state)
{
	struct arena *a = arena_new();
	struct buf b = { 0 };
	size_t at[8];
	struct thing t;

	(void)state;
	for (unsigned there = 0; there < 128; there++) {
		buf_clear(&b);
		put_run(&b, there, at);
		put_string(&b, STR("n"));
		assert_int_equal(decode(FIELDS(RUN "," NAME), &b, a, &t), b.n);
		assert_str(t.name, "n");
	}
	/* cut off anywhere, and a branch that there is not */
	put_string(&b, STR("n"));
	for (b.n = 0; b.n < at[7] + 2; b.n++)
		assert_int_equal(decode(FIELDS(RUN "," NAME), &b, a, &t), -1);
	for (unsigned k = 0; k < 7; k++) {
		char says[40];

		buf_clear(&b);
		put_run(&b, 0x55, at);
		put_string(&b, STR("n"));
		b.p[at[k]] = 4;
		assert_int_equal(decode(FIELDS(RUN "," NAME), &b, a, &t), -1);
		snprintf(says, sizeof(says), "%c: a union without the branch 2", "abcdefg"[k]);
		assert_says(says);
	}
	buf_free(&b);
	arena_free(a);
}

static void
missing_fields_stay_null(void **state)
{
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	put_string(&b, STR("M31"));
	assert_int_equal(decode(FIELDS(NAME), &b, a, &t), 4);
	assert_str(t.name, "M31");
	assert_true(t.id == AVRO_NO_LONG && isnan(t.x) && t.inner.n == AVRO_NO_LONG);
	assert_int_equal(t.points.n, 0);
	buf_free(&b);
	arena_free(a);
}

static void
schema_faults_are_named(void **state)
{
	static const struct {
		const char *schema, *says;
	} cases[] = {
		{ "", "no JSON" },
		{ "{", "no JSON" },
		{ "\"int\"", "a record is needed" },
		{ "17", "neither text, object nor array" },
		{ "[]", "a union of no types" },
		{ FIELDS(FIELD("id", "\"long\"")), "there is no field \"name\"" },
		{ FIELDS(FIELD("name", "\"long\"")), "name: it is of type long, and a string" },
		{ FIELDS(NAME "," FIELD("id", "\"double\"")), "id: it is of type double" },
		{ FIELDS(NAME "," FIELD("x", "[\"null\",\"string\"]")), "x: it is of type string" },
		{ FIELDS(NAME "," FIELD("inner", "\"int\"")), "inner: it is of type int" },
		{ FIELDS(NAME "," FIELD("points", "{\"type\":\"array\",\"items\":\"int\"}")),
		    "points: it is of type int" },
		{ FIELDS(NAME "," FIELD("points", "{\"type\":\"map\",\"values\":\"int\"}")),
		    "points: it is of type map" },
		{ FIELDS(NAME "," FIELD("points",
		      "{\"type\":\"array\",\"items\":{\"type\":"
		      "\"record\",\"name\":\"p\",\"fields\":["
		      "{\"name\":\"t\",\"type\":\"double\"}]}}")),
		    "there is no field \"v\"" },
		{ FIELDS(NAME "," NAME), "two fields of one record are named \"name\"" },
		{ FIELDS(NAME "," FIELD("q", "\"nosuch\"")), "q: there is no type \"nosuch\"" },
		{ FIELDS(NAME "," FIELD("q", "[\"null\",[\"null\"]]")), "a union within a union" },
		{ FIELDS(NAME "," FIELD("q", "{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}")),
		    "a fixed without a size" },
		{ FIELDS(NAME "," FIELD("q", "{\"type\":\"enum\",\"name\":\"f\"}")),
		    "an enum without symbols" },
		{ FIELDS(NAME "," FIELD("q", "{\"type\":\"record\",\"name\":\"f\"}")),
		    "a record without fields" },
		{ FIELDS(NAME "," FIELD("q", "{\"type\":\"record\",\"fields\":[]}")),
		    "without a name" },
		{ FIELDS(NAME ",{\"type\":\"int\"}"), "a field without a name" },
		{ FIELDS(NAME ",{\"name\":\"q\"}"), "q: a type that is neither" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct avro_schema *s = avro_schema_new(
		    shapes, str_of(cases[i].schema), err, sizeof(err));

		assert_null(s);
		assert_says(cases[i].says);
	}
}

static void
deep_and_recursive_schemas_are_bounded(void **state)
{
	struct arena *a = arena_new();
	struct buf b = { 0 }, data = { 0 };
	struct thing t;

	(void)state;
	/* a list in a list in a list ... in the schema */
	buf_puts(&b,
	    "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" NAME ",{\"name\":\"q\",\"type\":");
	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "{\"type\":\"array\",\"items\":");
	buf_puts(&b, "\"int\"");
	for (int i = 0; i < 1000; i++)
		buf_putc(&b, '}');
	buf_puts(&b, "}]}");
	assert_null(avro_schema_new(shapes, buf_text(&b), err, sizeof(err)));
	assert_says("nested too deep");
	/* a record that holds itself: in the data */
	put_string(&data, STR("n"));
	for (int i = 0; i < 100000; i++)
		put_long(&data, 1);
	put_long(&data, 0);
	assert_int_equal(
	    decode("{\"type\":\"record\",\"name\":\"r\",\"fields\":[" NAME ","
	           "{\"name\":\"q\",\"type\":[\"null\",{\"type\":\"record\",\"name\":"
	           "\"s\",\"fields\":[{\"name\":\"q\",\"type\":[\"null\",\"s\"]}]}]}]}",
	        &data, a, &t),
	    -1);
	assert_says("nested too deep");
	buf_free(&b);
	buf_free(&data);
	arena_free(a);
}

static void
lengths_are_not_believed(void **state)
{
	static const char schema[] = FIELDS(
	    NAME "," FIELD("list", "{\"type\":\"array\",\"items\":\"null\"}"));
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	put_long(&b, INT64_MAX);
	assert_int_equal(decode(schema, &b, a, &t), -1);
	assert_string_equal(
	    err, "offset 110: name: a length of 9223372036854775807 bytes, and 0 are left");
	buf_clear(&b);
	put_long(&b, -1);
	assert_int_equal(decode(schema, &b, a, &t), -1);
	assert_says("name: a negative length");
	buf_clear(&b);
	put_string(&b, STR("n")), put_long(&b, INT64_MAX);
	assert_int_equal(decode(schema, &b, a, &t), -1);
	assert_says("list: a list of 9223372036854775807 items");
	buf_clear(&b);
	put_string(&b, STR("n")), put_long(&b, INT64_MIN);
	assert_int_equal(decode(schema, &b, a, &t), -1);
	assert_says("list: a list longer than any");
	buf_clear(&b);
	put_string(&b, STR("n"));
	for (int i = 0; i < 11; i++)
		buf_putc(&b, (char)0xff);
	assert_int_equal(decode(schema, &b, a, &t), -1);
	assert_says("more than 64 bits");
	assert_true(arena_used(a) < 1000);
	buf_free(&b);
	arena_free(a);
}

/* A list says how many items it has before they come: no more than its bytes can hold are believed. */
static void
the_items_of_a_list_fit_its_bytes(void **state)
{
	static const char *const schemas[] = {
		/* nine bytes an item at least */
		FIELDS(NAME "," FIELD("points",
		    "{\"type\":\"array\",\"items\":{\"type\":\"record\","
		    "\"name\":\"p\",\"fields\":[" FIELD("v", "[\"null\",\"long\"]") "," FIELD(
		        "t", "\"double\"") "]}}")),
		/* six */
		FIELDS(NAME "," FIELD("points",
		    "{\"type\":\"array\",\"items\":{\"type\":\"record\","
		    "\"name\":\"p\",\"fields\":[" FIELD("v", "[\"null\",\"int\"]") "," FIELD(
		        "t", "\"float\"") "," FIELD("id", "\"long\"") "]}}")),
	};
	static const size_t least[] = { 9, 6 };
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	for (size_t i = 0; i < NELEM(schemas); i++) {
		buf_clear(&b);
		put_string(&b, STR("n")), put_long(&b, 1000);
		for (size_t k = 0; k < 1000 * least[i] - 1; k++)
			buf_putc(&b, 0);
		assert_int_equal(decode(schemas[i], &b, a, &t), -1);
		assert_says("points: a list of 1000 items, and ");
		assert_true(arena_used(a) < 1000);
		/* with all their bytes, and the end of the list */
		buf_putc(&b, 0), buf_putc(&b, 0);
		if (decode(schemas[i], &b, a, &t) != (int64_t)b.n)
			fail_msg("%s", err);
		assert_int_equal(t.points.n, 1000);
		/* room for them, and for no twice as many */
		assert_int_equal(t.points.room, 1000);
		arena_reset(a);
	}
	buf_free(&b);
	arena_free(a);
}

static void
a_piece_of_a_file_is_a_file(void **state)
{
	static const char schema[] = FIELDS(NAME);
	struct avro_file *f = avro_file_new(shapes), *again = avro_file_new(shapes);
	struct arena *a = arena_new();
	struct buf b = { 0 }, records = { 0 }, copy = { 0 };
	struct avro_piece piece;
	struct thing t;

	(void)state;
	put_string(&records, STR("one")), put_string(&records, STR("two"));
	put_long(&records, 1000), put_string(&records, STR("lost with it"));
	put_header(&b, str_of(schema), "deflate", sync_marker);
	put_block(&b, 4, buf_text(&records), DEFLATED, sync_marker);
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_int_equal(avro_file_piece(f).count, 0);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_RECORD);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_RECORD);
	piece = avro_file_piece(f);
	avro_piece_write(&piece, &copy);
	assert_int_equal(avro_file_open_memory(again, buf_text(&copy), err, sizeof(err)), 0);
	assert_int_equal(avro_file_next(again, a, &t, err, sizeof(err)), AVRO_RECORD);
	assert_true(str_is(t.name, "two"));
	assert_int_equal(avro_file_next(again, a, &t, err, sizeof(err)), AVRO_END);
	/* what cannot be read, and what is lost with it */
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_BAD);
	piece = avro_file_piece(f);
	assert_int_equal(piece.count, 2);
	buf_clear(&copy);
	avro_piece_write(&piece, &copy);
	assert_int_equal(avro_file_open_memory(again, buf_text(&copy), err, sizeof(err)), 0);
	assert_int_equal(avro_file_next(again, a, &t, err, sizeof(err)), AVRO_BAD);
	assert_int_equal(avro_file_lost(again), 2);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_END);
	assert_int_equal(avro_file_piece(f).count, 0);
	avro_file_free(f);
	avro_file_free(again);
	buf_free(&b);
	buf_free(&records);
	buf_free(&copy);
	arena_free(a);
}

static void
a_needed_value_that_is_null_is_refused_by_name(void **state)
{
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	put_long(&b, 0);
	assert_int_equal(decode(FIELDS(FIELD("name", "[\"null\",\"string\"]")), &b, a, &t), -1);
	assert_string_equal(err, "offset 101: name: it is null, and a value is needed");
	buf_clear(&b);
	put_long(&b, 2);
	assert_int_equal(decode(FIELDS(FIELD("name", "[\"null\",\"string\"]")), &b, a, &t), -1);
	assert_says("name: a union without the branch 2");
	buf_free(&b);
	arena_free(a);
}

static const char *const codec_names[] = { "null", "deflate", "snappy" };

/* A container of n records "r0", "r1" ... in blocks of `block`. */
static void
container(struct buf *b, unsigned n, unsigned block, enum packing packing)
{
	struct buf records = { 0 };
	char name[16];

	put_header(b, STR(FIELDS(NAME)), codec_names[packing], sync_marker);
	for (unsigned i = 0; i < n;) {
		unsigned count = 0;

		for (; count < block && i < n; count++, i++) {
			snprintf(name, sizeof(name), "r%u", i);
			put_string(&records, str_of(name));
		}
		put_block(b, count, buf_text(&records), packing, sync_marker);
		buf_clear(&records);
	}
	buf_free(&records);
}

static unsigned
count_records(struct avro_file *f, struct arena *a)
{
	struct thing t;
	char name[16];
	unsigned n = 0;

	while (avro_file_next(f, a, &t, err, sizeof(err)) == AVRO_RECORD) {
		snprintf(name, sizeof(name), "r%u", n++);
		assert_int_equal(t.name.n, strlen(name));
		assert_memory_equal(t.name.p, name, t.name.n);
	}
	return n;
}

static void
containers_are_read_whole_from_memory_and_descriptors(void **state)
{
	struct avro_file *f = avro_file_new(shapes);
	struct arena *a = arena_new();

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct buf b = { 0 };
		FILE *file = tmpfile();

		container(&b, 50000, i < 3 ? 1 : 7000, (enum packing)(i % 3));
		assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
		assert_int_equal(count_records(f, a), 50000);
		assert_non_null(file);
		assert_int_equal(fwrite(b.p, 1, b.n, file), b.n);
		rewind(file);
		assert_int_equal(avro_file_open(f, fileno(file), err, sizeof(err)), 0);
		assert_int_equal(count_records(f, a), 50000);
		fclose(file);
		buf_free(&b);
	}
	arena_free(a);
	avro_file_free(f);
}

static void
an_empty_container_holds_nothing(void **state)
{
	struct avro_file *f = avro_file_new(shapes);
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	container(&b, 0, 1, false);
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_END);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_END);
	buf_free(&b);
	arena_free(a);
	avro_file_free(f);
}

static void
a_bad_record_costs_its_block_alone(void **state)
{
	struct avro_file *f = avro_file_new(shapes);
	struct arena *a = arena_new();
	struct buf b = { 0 }, records = { 0 };
	struct thing t;

	(void)state;
	put_header(&b, STR(FIELDS(NAME)), "null", sync_marker);
	put_string(&records, STR("one"));
	buf_puts(&records, "\x7foh"); /* claims -64 bytes */
	put_block(&b, 4, buf_text(&records), false, sync_marker);
	buf_clear(&records);
	put_string(&records, STR("two")), buf_puts(&records, "rest");
	put_block(&b, 1, buf_text(&records), false, sync_marker);
	buf_clear(&records);
	put_string(&records, STR("three"));
	put_block(&b, 1, buf_text(&records), false, sync_marker);
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_RECORD);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_BAD);
	assert_int_equal(avro_file_lost(f), 3);
	assert_says("name: a negative length");
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_BAD);
	assert_says("goes on for 4 bytes after its last record");
	assert_int_equal(avro_file_lost(f), 1);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_RECORD);
	assert_memory_equal(t.name.p, "three", 5);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_END);
	buf_free(&b);
	buf_free(&records);
	arena_free(a);
	avro_file_free(f);
}

/* Every cut of the file is told, or is a file with fewer records. */
static void
cut_everywhere(struct avro_file *f, struct arena *a, const struct buf *b)
{
	for (size_t n = 0; n < b->n; n++) {
		char *copy = test_malloc(n + 1);
		struct thing t;

		memcpy(copy, b->p, n);
		if (avro_file_open_memory(f, (struct str){ copy, n }, err, sizeof(err)) == 0) {
			enum avro_result got = avro_file_next(f, a, &t, err, sizeof(err));

			/* cut behind the header: an empty file, which is right */
			assert_true(got != AVRO_RECORD);
			assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_END);
		}
		test_free(copy);
	}
}

static void
every_cut_of_a_container_is_told(void **state)
{
	struct avro_file *f = avro_file_new(shapes);
	struct arena *a = arena_new();

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct buf b = { 0 };

		container(&b, 3, 3, (enum packing)i);
		cut_everywhere(f, a, &b);
		buf_free(&b);
	}
	assert_int_equal(avro_file_open_memory(f, STR(""), err, sizeof(err)), -1);
	assert_says("the file is empty");
	assert_int_equal(avro_file_open_memory(f, STR("SIMPLE  = T"), err, sizeof(err)), -1);
	assert_says("neither an Avro container file");
	arena_free(a);
	avro_file_free(f);
}

static void
a_wrong_marker_and_an_unknown_codec_are_told(void **state)
{
	struct avro_file *f = avro_file_new(shapes);
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	container(&b, 1, 1, false);
	b.p[b.n - 1] ^= 1;
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_BROKEN);
	assert_says("sync marker");
	buf_clear(&b);
	put_header(&b, STR(FIELDS(NAME)), "xz", sync_marker);
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), -1);
	assert_says("the codec is \"xz\"; null, deflate and snappy can be read");
	buf_clear(&b);
	put_header(&b, STR(FIELDS(NAME)), "deflate", sync_marker);
	put_block(&b, 1, STR("\xff no deflate"), false, sync_marker);
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_BROKEN);
	assert_says("the deflated block is damaged");
	buf_free(&b);
	arena_free(a);
	avro_file_free(f);
}

static void
a_snappy_block_is_checked_in_length_and_sum(void **state)
{
	static const struct {
		struct str block;
		const char *says;
	} cases[] = {
		{ STR("\0"), "the snappy block is damaged" },
		/* 2^26 + 1 bytes; 1,000 in five */
		{ STR("\x81\x80\x80\x20\0\0\0\0\0"), "longer than it can be" },
		{ STR("\xe8\x07\0\0\0\0\0"), "longer than it can be" },
		{ STR("\x02\xf0\0\0\0\0\0"), "the snappy block is damaged" },
	};
	struct avro_file *f = avro_file_new(shapes);
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		buf_clear(&b);
		put_header(&b, STR(FIELDS(NAME)), "snappy", sync_marker);
		put_block(&b, 1, cases[i].block, PLAIN, sync_marker);
		assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
		assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_BROKEN);
		assert_says(cases[i].says);
	}
	buf_clear(&b);
	container(&b, 3, 3, SNAPPED);
	b.p[b.n - 17] ^= 1; /* the last byte of its sum */
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_BROKEN);
	assert_says("does not have its checksum");
	buf_free(&b);
	arena_free(a);
	avro_file_free(f);
}

/* The one schema that is known has the number 0x01020304. */
static const struct avro_schema *
find_schema(void *arg, uint32_t id, char *to, size_t size)
{
	if (id == 0x01020304)
		return arg;
	snprintf(to, size, "there is no schema %u", id);
	return NULL;
}

static void
a_bare_record_is_read_under_the_schema_it_names(void **state)
{
	struct avro_schema *s = avro_schema_new(shapes, STR(FIELDS(NAME)), err, sizeof(err));
	struct avro_file *f = avro_file_new(shapes);
	struct arena *a = arena_new();
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	put_frame(&b, 0x01020304);
	put_string(&b, STR("r0"));
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), -1);
	assert_says("a Confluent message under the schema 16909060: say where schemas are");
	avro_file_numbered(f, find_schema, s);
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_ptr_equal(avro_file_shape(f), &shape);
	assert_int_equal(count_records(f, a), 1);
	assert_int_equal(avro_file_offset(f), 5);
	cut_everywhere(f, a, &b);
	/* a container in between, and a longer message */
	buf_clear(&b);
	container(&b, 2, 1, PLAIN);
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_int_equal(count_records(f, a), 2);
	buf_clear(&b);
	put_frame(&b, 0x01020304);
	put_string(&b, STR("r0")), buf_puts(&b, "more");
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_BAD);
	assert_says("offset 5: the block goes on for 4 bytes");
	assert_int_equal(avro_file_lost(f), 1);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_END);
	b.p[4] ^= 1;
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), -1);
	assert_says("there is no schema 16909061");
	buf_free(&b);
	arena_free(a);
	avro_file_free(f);
	avro_schema_free(s);
}

static void
a_schema_is_of_the_shape_whose_sign_it_bears(void **state)
{
	static const struct avro_shape ones = { sizeof(struct inner), 1, inner_wishes, "one" };
	static const struct avro_shape twos = { sizeof(struct inner), 1, inner_wishes, "two" };
	static const struct avro_shape *const both[] = { &ones, &twos, NULL };
	struct avro_schema *s;

	(void)state;
	s = avro_schema_new(both, STR(FIELDS(FIELD("two", "\"int\""))), err, sizeof(err));
	assert_non_null(s);
	assert_ptr_equal(avro_schema_shape(s), &twos);
	avro_schema_free(s);
	assert_null(avro_schema_new(both, STR(FIELDS(NAME)), err, sizeof(err)));
	assert_says("schema: it is no alert's: of the surveys' fields it has none of \"one, two\"");
	assert_null(avro_schema_new(both, STR("\"int\""), err, sizeof(err)));
}

static void
a_deflate_bomb_is_refused(void **state)
{
	struct avro_file *f = avro_file_new(shapes);
	struct arena *a = arena_new();
	size_t n = AVRO_MAX_BLOCK + 1;
	char *zeros = calloc(n, 1);
	struct buf b = { 0 };
	struct thing t;

	(void)state;
	assert_non_null(zeros);
	put_header(&b, STR(FIELDS(NAME)), "deflate", sync_marker);
	put_block(&b, 1, (struct str){ zeros, n }, true, sync_marker);
	free(zeros);
	assert_true(b.n < KIB(200));
	assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
	assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_BROKEN);
	assert_says("inflates to more than");
	buf_free(&b);
	arena_free(a);
	avro_file_free(f);
}

static void
schemas_by_turns_are_told_apart_and_forgotten(void **state)
{
	struct avro_file *f = avro_file_new(shapes);
	struct arena *a = arena_new();
	struct thing t;

	(void)state;
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 10; i++) {
			struct buf b = { 0 }, schema = { 0 };

			buf_printf(&schema,
			    "{\"type\":\"record\",\"name\":\"n%d\",\"fields\":[" NAME "]}", i);
			put_header(&b, buf_text(&schema), "null", sync_marker);
			put_block(&b, 1, STR("\2x"), false, sync_marker);
			assert_int_equal(
			    avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
			assert_int_equal(avro_file_next(f, a, &t, err, sizeof(err)), AVRO_RECORD);
			buf_free(&b);
			buf_free(&schema);
		}
	for (int i = 0; i < 100; i++) {
		struct buf b = { 0 }, schema = { 0 };

		buf_printf(
		    &schema, "{\"type\":\"record\",\"name\":\"m%d\",\"fields\":[" NAME "]}", i);
		put_header(&b, buf_text(&schema), "null", sync_marker);
		assert_int_equal(avro_file_open_memory(f, buf_text(&b), err, sizeof(err)), 0);
		buf_free(&b);
		buf_free(&schema);
	}
	arena_free(a);
	avro_file_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wished_fields_are_found_and_the_rest_stepped_over),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(runs_of_numbers_or_null_are_stepped_over_whatever_is_null),
		cmocka_unit_test(missing_fields_stay_null),
		cmocka_unit_test(schema_faults_are_named),
		cmocka_unit_test(deep_and_recursive_schemas_are_bounded),
		cmocka_unit_test(lengths_are_not_believed),
		cmocka_unit_test(a_needed_value_that_is_null_is_refused_by_name),
		cmocka_unit_test(containers_are_read_whole_from_memory_and_descriptors),
		cmocka_unit_test(an_empty_container_holds_nothing),
		cmocka_unit_test(a_bad_record_costs_its_block_alone),
		cmocka_unit_test(every_cut_of_a_container_is_told),
		cmocka_unit_test(a_wrong_marker_and_an_unknown_codec_are_told),
		cmocka_unit_test(a_snappy_block_is_checked_in_length_and_sum),
		cmocka_unit_test(a_bare_record_is_read_under_the_schema_it_names),
		cmocka_unit_test(a_schema_is_of_the_shape_whose_sign_it_bears),
		cmocka_unit_test(the_items_of_a_list_fit_its_bytes),
		cmocka_unit_test(a_piece_of_a_file_is_a_file),
		cmocka_unit_test(a_deflate_bomb_is_refused),
		cmocka_unit_test(schemas_by_turns_are_told_apart_and_forgotten),
	};

	return cmocka_run_group_tests_name("avro", tests, NULL, NULL);
}
