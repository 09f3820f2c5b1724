/*
 * avro_judge: libavro reads what Meridian reads, and must find the same.
 *
 * The first byte says under which schema: 3, 4 (ZTF's of that version) or 9 (LSST's). Then come
 *
 *	3, 4, 9		a bare record, as it is. What we take, and libavro takes and would write in the
 *			same bytes, is compared. (We step over what nobody wished for, so we may take what
 *			it does not; and lists may be written in several ways.)
 *	'3', '4', '9'	bytes that libavro makes a value of: the record it writes of that we must take.
 *
 * Needs libavro-dev; without it configure leaves this target out.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/packet.h"
#include "base/buf.h"
#include "tests/bench/libavro.h"
#include "tests/tools/alerts.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What libavro forgets is none of ours. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libavro.so\n";
}

static void NORETURN
differs(const char *field, const char *what)
{
	fprintf(stderr, "avro_judge: %s: %s\n", field, what);
	abort();
}

static void compare_record(const struct avro_shape *, const char *, struct libavro_at);

static void
compare_long(const char *name, const char *ours, struct libavro_at at)
{
	int64_t n;

	memcpy(&n, ours, sizeof(n));
	if (n != (libavro_kind(at) == LIBAVRO_NULL ? AVRO_NO_LONG : libavro_long(at)))
		differs(name, "another number");
}

/* To the last bit, but for what a NaN carries. */
static void
compare_real(const char *name, const char *ours, struct libavro_at at)
{
	double x, y = libavro_kind(at) == LIBAVRO_NULL ? (double)NAN : libavro_real(at);

	memcpy(&x, ours, sizeof(x));
	if (isnan(x) != isnan(y) || (!isnan(x) && memcmp(&x, &y, sizeof(x)) != 0))
		differs(name, "another number");
}

static void
compare_string(const char *name, const char *ours, struct libavro_at at)
{
	struct str s, t;

	memcpy(&s, ours, sizeof(s));
	if (libavro_kind(at) == LIBAVRO_NULL) {
		if (s.p != NULL)
			differs(name, "a text, and none is there");
		return;
	}
	t = libavro_string(at);
	if (s.p == NULL || s.n != t.n || (s.n > 0 && memcmp(s.p, t.p, s.n) != 0))
		differs(name, "another text");
}

static void
compare_list(const struct avro_wish *w, const char *ours, struct libavro_at at)
{
	size_t n = libavro_kind(at) == LIBAVRO_NULL ? 0 : libavro_items(at);
	struct avro_list list;

	memcpy(&list, ours, sizeof(list));
	if (list.n != n)
		differs(w->name, "another number of items");
	for (size_t i = 0; i < n; i++)
		compare_record(
		    w->shape, (const char *)list.items + i * w->shape->size, libavro_item(at, i));
}

/* Fields of two versions of a schema may have one place, which has the last one's value. */
static bool
has_a_place_alone(const struct avro_shape *shape, const struct avro_wish *w)
{
	for (size_t i = 0; i < shape->nwishes; i++)
		if (&shape->wishes[i] != w && shape->wishes[i].offset == w->offset)
			return false;
	return true;
}

static void
compare_record(const struct avro_shape *shape, const char *ours, struct libavro_at at)
{
	for (size_t i = 0; i < shape->nwishes; i++) {
		const struct avro_wish *w = &shape->wishes[i];
		struct libavro_at field;

		if (!libavro_field(at, w->name, &field) || !has_a_place_alone(shape, w))
			continue;
		switch (w->as) {
		case AVRO_LONG:
			compare_long(w->name, ours + w->offset, field);
			break;
		case AVRO_REAL:
			compare_real(w->name, ours + w->offset, field);
			break;
		case AVRO_STRING:
			compare_string(w->name, ours + w->offset, field);
			break;
		case AVRO_STRUCT:
			if (libavro_kind(field) != LIBAVRO_NULL)
				compare_record(w->shape, ours + w->offset, field);
			break;
		case AVRO_LIST:
			compare_list(w, ours + w->offset, field);
			break;
		}
	}
}

/* Of one schema: its program and its generic value, kept. */
struct judged {
	struct avro_schema *schema;
	const struct avro_shape *shape;
	struct libavro *libavro;
};

static const struct judged *
judged_of(unsigned version)
{
	static struct judged all[10];
	struct judged *j = &all[version];
	struct alerts alerts = { .v4 = version == 4, .lsst = version == 9 };
	char err[200];

	if (j->schema != NULL)
		return j;
	j->schema = avro_schema_new(packet_shapes(), alerts_schema(&alerts), err, sizeof(err));
	j->libavro = libavro_new(alerts_schema(&alerts));
	if (j->schema == NULL || j->libavro == NULL)
		differs("schema", j->schema == NULL ? err : "libavro does not take it");
	j->shape = avro_schema_shape(j->schema);
	return j;
}

static int64_t
decode(const struct judged *j, struct str bytes, struct arena *a, char **structure, char *err,
    size_t errsize)
{
	*structure = arena_alloc(a, j->shape->size);
	return avro_decode(j->schema, bytes.p, bytes.n, 0, a, *structure, err, errsize);
}

static void
judge_record(const struct judged *j, struct str bytes, struct arena *a)
{
	struct buf again = { 0 };
	char *ours, err[300];
	int64_t used = decode(j, bytes, a, &ours, err, sizeof(err));

	if (used < 0 || !libavro_read(j->libavro, (struct str){ bytes.p, (size_t)used }))
		return;
	libavro_write(j->libavro, &again);
	if (again.n == (size_t)used && memcmp(again.p, bytes.p, again.n) == 0)
		compare_record(j->shape, ours, libavro_root(j->libavro));
	buf_free(&again);
}

static void
judge_made(const struct judged *j, struct str bytes, struct arena *a)
{
	struct buf made = { 0 };
	char *ours, err[300] = "";
	int64_t used;

	libavro_make(j->libavro, (const uint8_t *)bytes.p, bytes.n);
	libavro_write(j->libavro, &made);
	used = decode(j, buf_text(&made), a, &ours, err, sizeof(err));
	if (used == (int64_t)made.n)
		compare_record(j->shape, ours, libavro_root(j->libavro));
	else if (used >= 0)
		differs("record", "it ends elsewhere");
	else if (strstr(err, "it is null, and a value is needed") == NULL)
		differs("record", err);
	buf_free(&made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned version = n == 0 ? 0 : data[0] >= '0' ? data[0] - '0' : data[0];
	struct str bytes = { (const char *)data + 1, n == 0 ? 0 : n - 1 };
	struct arena *a;

	if (version != 3 && version != 4 && version != 9)
		return 0;
	a = arena_new();
	if (data[0] >= '0')
		judge_made(judged_of(version), bytes, a);
	else
		judge_record(judged_of(version), bytes, a);
	arena_free(a);
	return 0;
}
