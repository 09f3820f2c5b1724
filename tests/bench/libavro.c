/*
 * libavro: its generic value, filled again and again.
 */
#include "tests/bench/libavro.h"

#include <avro.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MADE 4 /* of a list or map, and fewer */
#define TEXT_MADE 20

struct libavro {
	avro_schema_t schema;
	avro_value_t value;
	avro_reader_t reader;
};

struct libavro *
libavro_new(struct str schema)
{
	struct libavro *l = calloc(1, sizeof(*l));

	if (l == NULL || avro_schema_from_json_length(schema.p, schema.n, &l->schema) != 0) {
		free(l);
		return NULL;
	}
	avro_generic_value_new(avro_generic_class_from_schema(l->schema), &l->value);
	l->reader = avro_reader_memory("", 0);
	return l;
}

bool
libavro_read(struct libavro *l, struct str record)
{
	avro_reader_memory_set_source(l->reader, record.p, (int64_t)record.n);
	avro_value_reset(&l->value);
	return avro_value_read(l->reader, &l->value) == 0;
}

/* --- values of bytes --- */

struct seed {
	const uint8_t *p;
	size_t n;
};

static unsigned
one(struct seed *s)
{
	if (s->n == 0)
		return 0;
	s->n--;
	return *s->p++;
}

/* A number of as many bytes as the first one says. */
static uint64_t
number(struct seed *s)
{
	uint64_t v = 0;

	for (unsigned n = one(s) % 9; n > 0; n--)
		v = v << 8 | one(s);
	return v;
}

static void make(avro_value_t *, struct seed *);

static void
make_text(avro_value_t *v, struct seed *s, size_t n, bool printable)
{
	char text[TEXT_MADE + 1] = "";

	for (size_t i = 0; i < n; i++)
		text[i] = (char)(printable ? ' ' + one(s) % 95 : one(s));
	if (printable)
		avro_value_set_string_len(v, text, n + 1);
	else
		avro_value_set_bytes(v, text, n);
}

static void
make_fixed(avro_value_t *v, struct seed *s)
{
	size_t n = (size_t)avro_schema_fixed_size(avro_value_get_schema(v));
	char *bytes = calloc(1, n + 1);

	if (bytes == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)one(s);
	avro_value_set_fixed(v, bytes, n);
	free(bytes);
}

static void
make_items(avro_value_t *v, struct seed *s, bool named)
{
	unsigned n = one(s) % ITEMS_MADE;
	avro_value_t item;

	for (unsigned i = 0; i < n; i++) {
		char key[] = { (char)('a' + i), '\0' };

		if (named)
			avro_value_add(v, key, &item, NULL, NULL);
		else
			avro_value_append(v, &item, NULL);
		make(&item, s);
	}
}

static void
make_record(avro_value_t *v, struct seed *s)
{
	avro_value_t field;
	size_t n = 0;

	avro_value_get_size(v, &n);
	for (size_t i = 0; i < n; i++) {
		avro_value_get_by_index(v, i, &field, NULL);
		make(&field, s);
	}
}

static void
make_float(avro_value_t *v, struct seed *s)
{
	uint32_t bits = (uint32_t)number(s);
	float f;

	memcpy(&f, &bits, sizeof(f));
	avro_value_set_float(v, f);
}

static void
make_double(avro_value_t *v, struct seed *s)
{
	uint64_t bits = number(s);
	double d;

	memcpy(&d, &bits, sizeof(d));
	avro_value_set_double(v, d);
}

static void
make(avro_value_t *v, struct seed *s)
{
	avro_schema_t schema = avro_value_get_schema(v);
	avro_value_t branch;

	switch (avro_value_get_type(v)) {
	case AVRO_NULL:
		avro_value_set_null(v);
		break;
	case AVRO_BOOLEAN:
		avro_value_set_boolean(v, one(s) % 2 == 1);
		break;
	case AVRO_INT32:
		avro_value_set_int(v, (int32_t)(uint32_t)number(s));
		break;
	case AVRO_INT64:
		avro_value_set_long(v, (int64_t)number(s));
		break;
	case AVRO_FLOAT:
		make_float(v, s);
		break;
	case AVRO_DOUBLE:
		make_double(v, s);
		break;
	case AVRO_STRING:
		make_text(v, s, one(s) % TEXT_MADE, true);
		break;
	case AVRO_BYTES:
		make_text(v, s, one(s) % TEXT_MADE, false);
		break;
	case AVRO_ENUM:
		avro_value_set_enum(
		    v, (int)(one(s) % (unsigned)avro_schema_enum_number_of_symbols(schema)));
		break;
	case AVRO_FIXED:
		make_fixed(v, s);
		break;
	case AVRO_ARRAY:
	case AVRO_MAP:
		make_items(v, s, avro_value_get_type(v) == AVRO_MAP);
		break;
	case AVRO_RECORD:
		make_record(v, s);
		break;
	case AVRO_UNION:
		avro_value_set_branch(
		    v, (int)(one(s) % (unsigned)avro_schema_union_size(schema)), &branch);
		make(&branch, s);
		break;
	default:
		abort();
	}
}

void
libavro_make(struct libavro *l, const uint8_t *bytes, size_t n)
{
	struct seed s = { bytes, n };

	avro_value_reset(&l->value);
	make(&l->value, &s);
}

void
libavro_write(struct libavro *l, struct buf *b)
{
	size_t n;
	avro_writer_t writer;

	if (avro_value_sizeof(&l->value, &n) != 0)
		abort();
	writer = avro_writer_memory(buf_room(b, n + 1), (int64_t)n + 1);
	if (writer == NULL || avro_value_write(writer, &l->value) != 0 ||
	    avro_writer_tell(writer) != (int64_t)n)
		abort();
	avro_writer_free(writer);
	b->n += n;
}

/* --- looking into it --- */

static avro_value_t
value_at(struct libavro_at at)
{
	return (avro_value_t){ at.iface, at.self };
}

static struct libavro_at
opened(avro_value_t v)
{
	while (avro_value_get_type(&v) == AVRO_UNION) {
		avro_value_t branch;

		if (avro_value_get_current_branch(&v, &branch) != 0)
			abort();
		v = branch;
	}
	return (struct libavro_at){ v.iface, v.self };
}

struct libavro_at
libavro_root(struct libavro *l)
{
	return opened(l->value);
}

bool
libavro_field(struct libavro_at at, const char *name, struct libavro_at *field)
{
	avro_value_t v = value_at(at), found;

	if (avro_value_get_type(&v) != AVRO_RECORD ||
	    avro_value_get_by_name(&v, name, &found, NULL) != 0)
		return false;
	*field = opened(found);
	return true;
}

enum libavro_kind
libavro_kind(struct libavro_at at)
{
	avro_value_t v = value_at(at);

	switch (avro_value_get_type(&v)) {
	case AVRO_NULL:
		return LIBAVRO_NULL;
	case AVRO_BOOLEAN:
	case AVRO_INT32:
	case AVRO_INT64:
		return LIBAVRO_LONG;
	case AVRO_FLOAT:
	case AVRO_DOUBLE:
		return LIBAVRO_REAL;
	case AVRO_STRING:
	case AVRO_BYTES:
	case AVRO_ENUM:
		return LIBAVRO_STRING;
	case AVRO_ARRAY:
		return LIBAVRO_LIST;
	default:
		return LIBAVRO_OTHER;
	}
}

int64_t
libavro_long(struct libavro_at at)
{
	avro_value_t v = value_at(at);
	int32_t narrow = 0;
	int64_t wide = 0;
	int yes = 0;

	switch (avro_value_get_type(&v)) {
	case AVRO_BOOLEAN:
		avro_value_get_boolean(&v, &yes);
		return yes != 0;
	case AVRO_INT32:
		avro_value_get_int(&v, &narrow);
		return narrow;
	default:
		avro_value_get_long(&v, &wide);
		return wide;
	}
}

double
libavro_real(struct libavro_at at)
{
	avro_value_t v = value_at(at);
	double d = 0;
	float f = 0;

	switch (avro_value_get_type(&v)) {
	case AVRO_FLOAT:
		avro_value_get_float(&v, &f);
		return (double)f;
	case AVRO_DOUBLE:
		avro_value_get_double(&v, &d);
		return d;
	default:
		return (double)libavro_long(at);
	}
}

struct str
libavro_string(struct libavro_at at)
{
	avro_value_t v = value_at(at);
	const char *text = "";
	const void *bytes = "";
	size_t n = 0;
	int symbol = 0;

	switch (avro_value_get_type(&v)) {
	case AVRO_STRING:
		avro_value_get_string(&v, &text, &n);
		return (struct str){ text, n - 1 }; /* it counts the NUL */
	case AVRO_BYTES:
		avro_value_get_bytes(&v, &bytes, &n);
		return (struct str){ bytes, n };
	default:
		avro_value_get_enum(&v, &symbol);
		return str_of(avro_schema_enum_get(avro_value_get_schema(&v), symbol));
	}
}

size_t
libavro_items(struct libavro_at at)
{
	avro_value_t v = value_at(at);
	size_t n = 0;

	avro_value_get_size(&v, &n);
	return n;
}

struct libavro_at
libavro_item(struct libavro_at at, size_t index)
{
	avro_value_t v = value_at(at), item;

	if (avro_value_get_by_index(&v, index, &item, NULL) != 0)
		abort();
	return opened(item);
}
