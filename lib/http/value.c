/*
 * value: the tree of a page. An object keeps its members in the order they were set, and beside
 * them the hashes of their keys in one run: a search compares 32-bit numbers, and a key only where
 * one is equal. Above INDEX_FROM members a table by hash is kept as well, so that an object with
 * thousands of members (extras, options) is not searched from end to end.
 */
#include "http/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_FROM 24

struct member {
	const char *key;
	size_t len;
	struct value *value;
};

struct object {
	struct arena *arena;
	size_t n, room;
	uint32_t *hashes; /* n of them */
	struct member *members;
	uint32_t *index; /* member number + 1 at its hash's place; 0 empty; NULL while small */
	size_t mask; /* places - 1, a power of two less one */
};

struct list {
	struct arena *arena;
	size_t n, room;
	struct value **items;
};

struct value {
	enum value_kind kind;
	union {
		bool truth;
		int64_t integer;
		struct {
			double number;
			struct str shown; /* absent: the shortest text that reads back */
		} real;
		struct str text;
		struct object *object;
		struct list *list;
	};
};

static const struct value null_value = { .kind = VALUE_NULL };

uint32_t
value_hash(const char *key, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * 16777619u;
	return h;
}

/* An object with room for its first members: one piece of memory, as pages have them by the hundred. */
#define FIRST_MEMBERS 4
struct small_object {
	struct value value;
	struct object object;
	uint32_t hashes[FIRST_MEMBERS];
	struct member members[FIRST_MEMBERS];
};

struct value *
value_object(struct arena *a)
{
	struct small_object *s = arena_alloc(a, sizeof(*s));

	s->value.kind = VALUE_OBJECT;
	s->value.object = &s->object;
	s->object.arena = a;
	s->object.room = FIRST_MEMBERS;
	s->object.hashes = s->hashes;
	s->object.members = s->members;
	return &s->value;
}

struct value *
value_list(struct arena *a)
{
	struct value *v = arena_alloc(a, sizeof(*v));

	v->kind = VALUE_LIST;
	v->list = arena_alloc(a, sizeof(*v->list));
	v->list->arena = a;
	return v;
}

/* The object of a value; setting a member of anything else is a mistake of the program. */
static struct object *
object_of(struct value *v)
{
	if (v == NULL || v->kind != VALUE_OBJECT)
		abort();
	return v->object;
}

static struct list *
list_of(struct value *v)
{
	if (v == NULL || v->kind != VALUE_LIST)
		abort();
	return v->list;
}

static bool
member_is(const struct member *m, const char *key, size_t len)
{
	return m->len == len && memcmp(m->key, key, len) == 0;
}

static struct member *
member_find(const struct object *o, const char *key, size_t len, uint32_t hash)
{
	if (o->index == NULL) {
		for (size_t i = 0; i < o->n; i++)
			if (o->hashes[i] == hash && member_is(&o->members[i], key, len))
				return &o->members[i];
		return NULL;
	}
	for (size_t at = hash & o->mask; o->index[at] != 0; at = (at + 1) & o->mask) {
		uint32_t i = o->index[at] - 1;

		if (o->hashes[i] == hash && member_is(&o->members[i], key, len))
			return &o->members[i];
	}
	return NULL;
}

static void
index_put(struct object *o, size_t i)
{
	size_t at = o->hashes[i] & o->mask;

	while (o->index[at] != 0)
		at = (at + 1) & o->mask;
	o->index[at] = (uint32_t)i + 1;
}

/* Doubles the room, and the index with it (kept at most half full). */
static void
object_grow(struct object *o)
{
	size_t room = o->room * 2;
	uint32_t *hashes = arena_array(o->arena, room, sizeof(*hashes));
	struct member *members = arena_array(o->arena, room, sizeof(*members));

	if (o->n > 0) {
		memcpy(hashes, o->hashes, o->n * sizeof(*hashes));
		memcpy(members, o->members, o->n * sizeof(*members));
	}
	o->hashes = hashes;
	o->members = members;
	o->room = room;
	if (room <= INDEX_FROM)
		return;
	o->mask = room * 2 - 1;
	o->index = arena_array(o->arena, room * 2, sizeof(*o->index));
	for (size_t i = 0; i < o->n; i++)
		index_put(o, i);
}

void
value_set(struct value *v, const char *key, struct value *child)
{
	struct object *o = object_of(v);
	size_t len = strlen(key);
	uint32_t hash = value_hash(key, len);
	struct member *m = member_find(o, key, len, hash);

	if (child == NULL) {
		child = arena_alloc(o->arena, sizeof(*child));
		*child = null_value;
	}
	if (m != NULL) {
		m->value = child;
		return;
	}
	if (o->n == o->room)
		object_grow(o);
	o->hashes[o->n] = hash;
	o->members[o->n] = (struct member){ key, len, child };
	o->n++;
	if (o->index != NULL)
		index_put(o, o->n - 1);
}

static struct value *
scalar(struct arena *a, struct value from)
{
	struct value *v = arena_alloc(a, sizeof(*v));

	*v = from;
	return v;
}

static struct value
of_text(struct str text)
{
	if (text.p == NULL)
		return null_value;
	return (struct value){ .kind = VALUE_TEXT, .text = text };
}

static struct value
of_real(double number, struct str shown)
{
	if (!isfinite(number))
		return null_value;
	return (struct value){ .kind = VALUE_REAL, .real = { number, shown } };
}

struct value *
value_of_null(struct arena *a)
{
	return scalar(a, null_value);
}

struct value *
value_of_bool(struct arena *a, bool b)
{
	return scalar(a, (struct value){ .kind = VALUE_BOOL, .truth = b });
}

struct value *
value_of_int(struct arena *a, int64_t i)
{
	return scalar(a, (struct value){ .kind = VALUE_INT, .integer = i });
}

struct value *
value_of_real(struct arena *a, double d)
{
	return scalar(a, of_real(d, STR_NONE));
}

struct value *
value_of_text(struct arena *a, struct str text)
{
	return scalar(a, of_text(text));
}

void
value_set_text(struct value *v, const char *key, struct str text)
{
	value_set(v, key, scalar(object_of(v)->arena, of_text(text)));
}

void
value_set_cstr(struct value *v, const char *key, const char *text)
{
	value_set_text(v, key, str_of(text));
}

void
value_set_int(struct value *v, const char *key, int64_t i)
{
	value_set(v, key, value_of_int(object_of(v)->arena, i));
}

void
value_set_real(struct value *v, const char *key, double d)
{
	value_set(v, key, scalar(object_of(v)->arena, of_real(d, STR_NONE)));
}

void
value_set_number(struct value *v, const char *key, double d, struct str shown)
{
	value_set(v, key, scalar(object_of(v)->arena, of_real(d, shown)));
}

void
value_set_bool(struct value *v, const char *key, bool b)
{
	value_set(v, key, value_of_bool(object_of(v)->arena, b));
}

void
value_set_null(struct value *v, const char *key)
{
	value_set(v, key, NULL);
}

struct value *
value_set_object(struct value *v, const char *key)
{
	struct value *child = value_object(object_of(v)->arena);

	value_set(v, key, child);
	return child;
}

struct value *
value_set_list(struct value *v, const char *key)
{
	struct value *child = value_list(object_of(v)->arena);

	value_set(v, key, child);
	return child;
}

void
value_add(struct value *v, struct value *child)
{
	struct list *l = list_of(v);

	if (l->n == l->room) {
		size_t room = l->room == 0 ? 8 : l->room * 2;
		struct value **items = arena_array(l->arena, room, sizeof(*items));

		if (l->n > 0)
			memcpy(items, l->items, l->n * sizeof(*items));
		l->items = items;
		l->room = room;
	}
	l->items[l->n++] = child != NULL ? child : scalar(l->arena, null_value);
}

void
value_add_text(struct value *v, struct str text)
{
	value_add(v, scalar(list_of(v)->arena, of_text(text)));
}

void
value_add_int(struct value *v, int64_t i)
{
	value_add(v, value_of_int(list_of(v)->arena, i));
}

void
value_add_real(struct value *v, double d)
{
	value_add(v, scalar(list_of(v)->arena, of_real(d, STR_NONE)));
}

struct value *
value_add_object(struct value *v)
{
	struct value *child = value_object(list_of(v)->arena);

	value_add(v, child);
	return child;
}

struct value *
value_add_list(struct value *v)
{
	struct value *child = value_list(list_of(v)->arena);

	value_add(v, child);
	return child;
}

struct value_form {
	size_t n;
	uint32_t *hashes; /* shared by all objects of the form, which copy them where they grow */
	struct member members[];
};

const struct value_form *
value_form(struct arena *a, size_t nkeys, const char *const keys[])
{
	struct value_form *f = arena_alloc(
	    a, sizeof(*f) + nkeys * (sizeof(f->members[0]) + sizeof(*f->hashes)));

	f->n = nkeys;
	f->hashes = (uint32_t *)&f->members[nkeys];
	for (size_t i = 0; i < nkeys; i++) {
		f->members[i].key = keys[i];
		f->members[i].len = strlen(keys[i]);
		f->hashes[i] = value_hash(keys[i], f->members[i].len);
	}
	return f;
}

struct value *
value_add_formed(struct value *v, const struct value_form *f, const struct str texts[])
{
	struct arena *a = list_of(v)->arena;
	/* the object, its members and its texts are one piece of memory */
	struct {
		struct value value;
		struct object object;
	} *s = arena_alloc(a, sizeof(*s) + f->n * (sizeof(struct member) + sizeof(struct value)));
	struct member *members = (struct member *)&s[1];
	struct value *values = (struct value *)&members[f->n];

	s->value.kind = VALUE_OBJECT;
	s->value.object = &s->object;
	s->object.arena = a;
	s->object.n = s->object.room = f->n;
	s->object.hashes = f->hashes;
	s->object.members = members;
	for (size_t i = 0; i < f->n; i++) {
		values[i] = of_text(texts[i]);
		members[i] = f->members[i];
		members[i].value = &values[i];
	}
	value_add(v, &s->value);
	return &s->value;
}

enum value_kind
value_kind(const struct value *v)
{
	return v == NULL ? VALUE_NULL : v->kind;
}

const struct value *
value_find(const struct value *v, const char *key, size_t len, uint32_t hash)
{
	const struct member *m;

	if (v == NULL || v->kind != VALUE_OBJECT)
		return NULL;
	m = member_find(v->object, key, len, hash);
	return m == NULL ? NULL : m->value;
}

const struct value *
value_get(const struct value *v, const char *key, size_t len)
{
	return value_find(v, key, len, value_hash(key, len));
}

const struct value *
value_member(const struct value *v, size_t index, struct str *key)
{
	const struct member *m;

	if (v == NULL || v->kind != VALUE_OBJECT || index >= v->object->n)
		return NULL;
	m = &v->object->members[index];
	*key = (struct str){ m->key, m->len };
	return m->value;
}

struct value *
value_child(struct value *v, const char *key)
{
	size_t len = strlen(key);
	struct member *m = member_find(object_of(v), key, len, value_hash(key, len));

	return m == NULL ? NULL : m->value;
}

const struct value *
value_at(const struct value *v, size_t index)
{
	if (v == NULL || v->kind != VALUE_LIST || index >= v->list->n)
		return NULL;
	return v->list->items[index];
}

size_t
value_count(const struct value *v)
{
	if (v == NULL)
		return 0;
	if (v->kind == VALUE_LIST)
		return v->list->n;
	return v->kind == VALUE_OBJECT ? v->object->n : 0;
}

bool
value_is_true(const struct value *v)
{
	switch (value_kind(v)) {
	case VALUE_NULL:
		return false;
	case VALUE_BOOL:
		return v->truth;
	case VALUE_TEXT:
		return v->text.n > 0;
	case VALUE_LIST:
		return v->list->n > 0;
	case VALUE_INT:
	case VALUE_REAL:
	case VALUE_OBJECT:
		break;
	}
	return true;
}

struct str
value_text(const struct value *v)
{
	if (v != NULL && v->kind == VALUE_TEXT)
		return v->text;
	if (v != NULL && v->kind == VALUE_REAL)
		return v->real.shown;
	return STR_NONE;
}

double
value_real(const struct value *v)
{
	return v != NULL && v->kind == VALUE_REAL ? v->real.number : NAN;
}

void
value_print(const struct value *v, struct buf *out)
{
	switch (value_kind(v)) {
	case VALUE_BOOL:
		buf_puts(out, v->truth ? "true" : "false");
		break;
	case VALUE_INT:
		buf_int64(out, v->integer);
		break;
	case VALUE_REAL:
		if (v->real.shown.p != NULL)
			buf_str(out, v->real.shown);
		else
			buf_double(out, v->real.number);
		break;
	case VALUE_TEXT:
		buf_str(out, v->text);
		break;
	case VALUE_NULL:
	case VALUE_LIST:
	case VALUE_OBJECT:
		break;
	}
}
