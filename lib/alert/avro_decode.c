/*
 * avro_decode: the binary form, walked by the program of its schema. What is wished is stored,
 * the rest stepped over; strings are never copied.
 */
#include "alert/avro_program.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct input {
	const uint8_t *p, *end, *start;
	struct arena *arena;
	size_t items; /* of lists so far */
	unsigned depth;
	const char *what; /* is wrong, where something is */
	uint64_t number; /* that belongs to it, where `what` has a place for it */
	size_t left; /* bytes that were left there */
	const char *path[AVRO_MAX_DEPTH]; /* fields we were in, the innermost first */
	unsigned npath;
};

static bool skip(struct input *, const struct node *);
static bool read_record(struct input *, const struct node *, char *);

static bool __attribute__((cold)) fail(struct input *in, const char *what, uint64_t number)
{
	in->what = what;
	in->number = number;
	in->left = (size_t)(in->end - in->p);
	return false;
}

static bool __attribute__((cold)) fail_in(struct input *in, const char *name)
{
	if (in->npath < AVRO_MAX_DEPTH)
		in->path[in->npath++] = name;
	return false;
}

/* The long form of a variable-length number: up to ten bytes, seven bits each, zig-zag. */
static bool
read_long_slowly(struct input *in, int64_t *out)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 10; i++) {
		uint8_t byte;

		if (in->p + i >= in->end)
			return fail(in, "the data end within a number", 0);
		byte = in->p[i];
		if (i == 9 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			in->p += i + 1;
			*out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
			return true;
		}
	}
	return fail(in, "a number of more than 64 bits", 0);
}

static inline bool
read_long(struct input *in, int64_t *out)
{
	if (in->p < in->end && *in->p < 0x80) {
		uint8_t byte = *in->p++;

		*out = (int64_t)(byte >> 1) ^ -(int64_t)(byte & 1);
		return true;
	}
	return read_long_slowly(in, out);
}

static inline bool
skip_bytes(struct input *in, size_t n)
{
	if (n > (size_t)(in->end - in->p))
		return fail(in, "it takes %" PRIu64 " bytes, and %zu are left", n);
	in->p += n;
	return true;
}

static inline bool
read_length(struct input *in, size_t *n)
{
	int64_t v;

	if (!read_long(in, &v))
		return false;
	if (v < 0)
		return fail(in, "a negative length", 0);
	if ((uint64_t)v > (uint64_t)(in->end - in->p))
		return fail(in, "a length of %" PRIu64 " bytes, and %zu are left", (uint64_t)v);
	*n = (size_t)v;
	return true;
}

/*
 * The head of a block of a list or map: how many items, and its bytes where they are said (else
 * SIZE_MAX). No items end the list.
 */
static bool
read_block(struct input *in, size_t *count, size_t *bytes)
{
	int64_t n;

	*bytes = SIZE_MAX;
	if (!read_long(in, &n))
		return false;
	if (n < 0) {
		if (n == INT64_MIN)
			return fail(in, "a list longer than any", 0);
		n = -n;
		if (!read_length(in, bytes))
			return false;
	}
	if ((uint64_t)n > AVRO_MAX_ITEMS - in->items)
		return fail(in, "a list of %" PRIu64 " items, more than any alert's", (uint64_t)n);
	in->items += (size_t)n;
	*count = (size_t)n;
	return true;
}

static bool
read_branch(struct input *in, const struct node *n, const struct node **branch)
{
	int64_t i;

	if (!read_long(in, &i))
		return false;
	if (i < 0 || (uint64_t)i >= n->n)
		return fail(in, "a union without the branch %" PRIu64, (uint64_t)i);
	*branch = n->branches[i];
	return true;
}

/* The same of a field, in its shortest form where it is a union of null and one other type. */
static inline bool
read_field_branch(struct input *in, const struct step *s, const struct node **branch)
{
	if (s->nullable && in->p < in->end && (*in->p | 2) == 2) {
		*branch = s->type->branches[*in->p++ >> 1];
		return true;
	}
	return read_branch(in, s->type, branch);
}

/* Steps over a list or map: at once where its blocks say their size. */
static bool
skip_items(struct input *in, const struct node *n)
{
	size_t count, bytes, length;

	for (;;) {
		if (!read_block(in, &count, &bytes))
			return false;
		if (count == 0)
			return true;
		if (bytes != SIZE_MAX) {
			in->p += bytes;
			continue;
		}
		for (; count > 0; count--) {
			if (n->type == TYPE_MAP) {
				if (!read_length(in, &length))
					return false;
				in->p += length;
			}
			if (!skip(in, n->branches[0]))
				return false;
		}
	}
}

/*
 * Steps over a field the quick way where it has one; whatever is odd is left to skip(), from the
 * start of the field, and told there.
 */
static inline bool
skip_step(struct input *in, const struct step *s)
{
	const uint8_t *p = in->p, *end = in->end;

	if (s->quick == QUICK_NOT || end - p < 16)
		return skip(in, s->type);
	if (s->nullable) {
		uint8_t branch = *p++;

		if (branch == s->null_byte) {
			in->p = p;
			return true;
		}
		if ((branch | 2) != 2)
			return skip(in, s->type);
	}
	if (s->quick == QUICK_NUMBER) {
		const uint8_t *most = p + 9;

		while (*p >= 0x80 && p < most)
			p++;
		if (*p++ >= 0x80 || p > most)
			return skip(in, s->type);
	} else {
		size_t size = s->size;

		if (s->quick == QUICK_BYTES) {
			size = *p >> 1; /* of one byte, or it is odd: signed or long */
			if (*p++ & 0x81)
				return skip(in, s->type);
		}
		if (size > (size_t)(end - p))
			return skip(in, s->type);
		p += size;
	}
	in->p = p;
	return true;
}

/*
 * Steps over this field, or over the run of fields that begins with it; the last one of them. NULL where
 * it cannot.
 */
static inline const struct step *
skip_steps(struct input *in, const struct step *s)
{
	const struct step *next = s, *end = s + s->run;

	if (s->run > 1 && s->run_most <= (uint64_t)(in->end - in->p)) {
		const uint8_t *p = in->p;

		for (; next < end && (*p | 2) == 2; next++)
			p += *p == s->null_byte ? 1 : 1 + next->size;
		if (next == end) {
			in->p = p;
			return next - 1;
		}
	}
	return skip_step(in, s) ? s : NULL;
}

static bool
skip_record(struct input *in, const struct node *n)
{
	for (const struct step *s = n->steps, *end = s + n->n; s < end; s++) {
		const struct step *last = skip_steps(in, s);

		if (last == NULL)
			return fail_in(in, s->name);
		s = last;
	}
	return true;
}

static bool
skip_deep(struct input *in, const struct node *n)
{
	bool ok;

	if (in->depth >= AVRO_MAX_DEPTH)
		return fail(in, "records nested too deep", 0);
	in->depth++;
	ok = n->type == TYPE_RECORD ? skip_record(in, n) : skip_items(in, n);
	in->depth--;
	return ok;
}

static bool
skip(struct input *in, const struct node *n)
{
	size_t length;
	int64_t v;

	if (n->type == TYPE_UNION && !read_branch(in, n, &n))
		return false;
	switch (n->type) {
	case TYPE_NULL:
		return true;
	case TYPE_BOOLEAN:
		return skip_bytes(in, 1);
	case TYPE_INT:
	case TYPE_LONG:
	case TYPE_ENUM:
		return read_long(in, &v);
	case TYPE_FLOAT:
		return skip_bytes(in, 4);
	case TYPE_DOUBLE:
		return skip_bytes(in, 8);
	case TYPE_BYTES:
	case TYPE_STRING:
		if (!read_length(in, &length))
			return false;
		in->p += length;
		return true;
	case TYPE_FIXED:
		return skip_bytes(in, n->size);
	case TYPE_RECORD:
	case TYPE_ARRAY:
	case TYPE_MAP:
		return skip_deep(in, n);
	case TYPE_UNION:
		break;
	}
	return fail(in, "a union within a union", 0);
}

static bool
store_long(struct input *in, const struct node *n, char *to)
{
	int64_t v;

	if (n->type == TYPE_BOOLEAN) {
		v = in->p < in->end && *in->p != 0;
		if (!skip_bytes(in, 1))
			return false;
		memcpy(to, &v, sizeof(v));
		return true;
	}
	if (!read_long(in, &v))
		return false;
	if (n->type == TYPE_INT && (v < INT32_MIN || v > INT32_MAX))
		return fail(in, "an int of more than 32 bits", 0);
	memcpy(to, &v, sizeof(v));
	return true;
}

static bool
store_real(struct input *in, const struct node *n, char *to)
{
	uint32_t u32 = 0;
	uint64_t u64 = 0;
	int64_t integer;
	double v;
	float f;

	if (n->type == TYPE_FLOAT) {
		memcpy(&u32, in->p, 4 <= in->end - in->p ? 4 : 0);
		if (!skip_bytes(in, 4))
			return false;
		u32 = le32toh(u32);
		memcpy(&f, &u32, 4);
		v = (double)f;
	} else if (n->type == TYPE_DOUBLE) {
		memcpy(&u64, in->p, 8 <= in->end - in->p ? 8 : 0);
		if (!skip_bytes(in, 8))
			return false;
		u64 = le64toh(u64);
		memcpy(&v, &u64, 8);
	} else {
		if (!read_long(in, &integer))
			return false;
		v = (double)integer;
	}
	memcpy(to, &v, sizeof(v));
	return true;
}

static bool
store_string(struct input *in, const struct node *n, char *to)
{
	struct str s;
	int64_t symbol;

	if (n->type == TYPE_ENUM) {
		if (!read_long(in, &symbol))
			return false;
		if (symbol < 0 || (uint64_t)symbol >= n->n)
			return fail(in, "an enum without the symbol %" PRIu64, (uint64_t)symbol);
		s = n->symbols[symbol];
	} else {
		if (!read_length(in, &s.n))
			return false;
		s.p = (const char *)in->p;
		in->p += s.n;
	}
	memcpy(to, &s, sizeof(s));
	return true;
}

/* Room for one more item of `size` bytes, of `count` that come; the list grows by doubling. */
static char *
list_room(struct input *in, struct avro_list *list, size_t size, size_t count)
{
	if (list->n == list->room) {
		size_t room = count > list->room ? list->n + count : 2 * list->room;
		void *items = arena_array(in->arena, room, size);

		if (list->n > 0)
			memcpy(items, list->items, list->n * size);
		list->items = items;
		list->room = room;
	}
	return (char *)list->items + list->n * size;
}

static bool
store_list(struct input *in, const struct node *n, char *to)
{
	const struct node *item = n->branches[0];
	size_t count, bytes, size = item->shape->size;
	struct avro_list list = { 0 };

	for (;;) {
		const uint8_t *begin;

		if (!read_block(in, &count, &bytes))
			return false;
		if (count == 0)
			break;
		/* what takes no bytes at all takes memory: as many as there are bytes will do */
		if (count > (size_t)(in->end - in->p) / (item->least > 0 ? item->least : 1))
			return fail(
			    in, "a list of %" PRIu64 " items, and %zu bytes are left", count);
		begin = in->p;
		for (; count > 0; count--) {
			char *place = list_room(in, &list, size, count);

			memcpy(place, item->blank, size);
			if (!read_record(in, item, place))
				return false;
			list.n++;
		}
		if (bytes != SIZE_MAX && bytes != (size_t)(in->p - begin))
			return fail(in, "a block of the list is not as long as it says", 0);
	}
	memcpy(to, &list, sizeof(list));
	return true;
}

static bool
store(struct input *in, const struct node *n, enum avro_as as, char *to)
{
	switch (as) {
	case AVRO_LONG:
		return store_long(in, n, to);
	case AVRO_REAL:
		return store_real(in, n, to);
	case AVRO_STRING:
		return store_string(in, n, to);
	case AVRO_STRUCT:
		return read_record(in, n, to);
	case AVRO_LIST:
		return store_list(in, n, to);
	}
	return false;
}

/* A record with wishes in it, its structure at `to` blank already. */
static bool
read_record(struct input *in, const struct node *n, char *to)
{
	for (const struct step *s = n->steps, *end = s + n->n; s < end; s++) {
		const struct node *type = s->type;

		if (s->wish == NULL) {
			const struct step *last = skip_steps(in, s);

			if (last == NULL)
				return fail_in(in, s->name);
			s = last;
			continue;
		}
		if (type->type == TYPE_UNION && !read_field_branch(in, s, &type))
			return fail_in(in, s->name);
		if (type->type == TYPE_NULL) {
			if (s->wish->need != AVRO_NEEDED)
				continue;
			fail(in, "it is null, and a value is needed", 0);
			return fail_in(in, s->name);
		}
		if (!store(in, type, s->wish->as, to + s->wish->offset))
			return fail_in(in, s->name);
	}
	return true;
}

/* "offset 12: candidate.jd: it takes 8 bytes, and 3 are left" */
static void
explain(const struct input *in, uint64_t base, char *err, size_t errsize)
{
	char path[256] = "";
	size_t n = 0;

	for (unsigned i = in->npath; i > 0 && n < sizeof(path) - 1; i--) {
		int w = snprintf(
		    path + n, sizeof(path) - n, "%s%s", in->path[i - 1], i > 1 ? "." : ": ");

		n += w > 0 ? (size_t)w : 0;
	}
	n = (size_t)snprintf(
	    err, errsize, "offset %" PRIu64 ": %s", base + (uint64_t)(in->p - in->start), path);
	if (n >= errsize)
		return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(err + n, errsize - n, in->what, in->number, in->left);
#pragma GCC diagnostic pop
}

int64_t
avro_decode(const struct avro_schema *schema, const void *bytes, size_t n, uint64_t base,
    struct arena *arena, void *structure, char *err, size_t errsize)
{
	struct input in;

	in.p = in.start = bytes;
	in.end = in.start + n;
	in.arena = arena;
	in.items = 0;
	in.depth = in.npath = 0;
	memcpy(structure, schema->root->blank, schema->root->shape->size);
	if (!read_record(&in, schema->root, structure)) {
		explain(&in, base, err, errsize);
		return -1;
	}
	return in.p - in.start;
}
