/*
 * avro_schema: the writer's schema, JSON, compiled against the reader's shape.
 *
 * A named type that is only stepped over is compiled once and shared (it may contain itself); one
 * with wishes in it is compiled anew where it is used, as deep as the shape goes.
 */
#include "alert/avro_program.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NODES 65536
#define MAX_FIELDS 4096 /* of a record */
#define MAX_NAMED 1024
#define MAX_FIXED MIB(64)

static const char *const type_names[] = { "null", "boolean", "int", "long", "float", "double",
	"bytes", "string", "fixed", "enum", "record", "array", "map", "union" };

/* A named type: its definition, and its node for stepping over once that was made. */
struct named {
	struct named *next;
	const char *name; /* full name */
	json_t *json; /* borrowed from the schema's tree */
	const char *space; /* the namespace its own fields are in */
	struct node *skip;
};

struct compiler {
	struct arena *arena;
	struct named *named;
	size_t nnodes, nnamed;
	unsigned depth;
	const char *path[AVRO_MAX_DEPTH]; /* names of the fields we are in */
	unsigned npath;
	char *err;
	size_t errsize;
};

static struct node *
compile(struct compiler *, json_t *, const char *space, const struct avro_wish *);

/* Says what is wrong and where; returns NULL for the caller to return. */
static void *
wrong(struct compiler *c, const char *what, const char *detail)
{
	char path[256] = "";
	size_t n = 0;

	for (unsigned i = 0; i < c->npath && n < sizeof(path) - 1; i++) {
		int w = snprintf(path + n, sizeof(path) - n, "%s%s", n > 0 ? "." : "", c->path[i]);

		n += w > 0 ? (size_t)w : 0;
	}
	snprintf(c->err, c->errsize, "schema: %s%s%s%s%.100s%s", path, n > 0 ? ": " : "", what,
	    detail != NULL ? " \"" : "", detail != NULL ? detail : "", detail != NULL ? "\"" : "");
	return NULL;
}

static struct node *
node_new(struct compiler *c, enum avro_type type)
{
	struct node *n;

	if (++c->nnodes > MAX_NODES)
		return wrong(c, "more types than any alert has", NULL);
	n = arena_alloc(c->arena, sizeof(*n));
	n->type = type;
	n->null_branch = -1;
	return n;
}

static bool
primitive(const char *name, enum avro_type *type)
{
	for (size_t i = 0; i <= TYPE_STRING; i++)
		if (strcmp(type_names[i], name) == 0) {
			*type = (enum avro_type)i;
			return true;
		}
	return false;
}

/* "name" in its namespace, as Avro 1.11 "Names" has it. */
static const char *
full_name(struct compiler *c, const char *name, const char *space)
{
	if (strchr(name, '.') != NULL || space == NULL || space[0] == '\0')
		return arena_strdup(c->arena, name);
	return arena_printf(c->arena, "%s.%s", space, name).p;
}

static const char *
space_of(struct compiler *c, const char *full)
{
	const char *dot = strrchr(full, '.');

	return dot == NULL ? "" : arena_copy(c->arena, full, (size_t)(dot - full)).p;
}

static struct named *
find_named(struct compiler *c, const char *name, const char *space)
{
	const char *full = full_name(c, name, space);

	for (struct named *d = c->named; d != NULL; d = d->next)
		if (strcmp(d->name, full) == 0)
			return d;
	return NULL;
}

/* The definition's entry among the named types: made when it is met first. */
static struct named *
define(struct compiler *c, json_t *json, const char *space)
{
	const char *name = json_string_value(json_object_get(json, "name"));
	const char *own = json_string_value(json_object_get(json, "namespace"));
	struct named *d;

	if (name == NULL || name[0] == '\0')
		return wrong(c, "a record, enum or fixed without a name", NULL);
	name = full_name(c, name, own != NULL ? own : space);
	for (d = c->named; d != NULL; d = d->next) {
		if (strcmp(d->name, name) != 0)
			continue;
		return d->json == json ? d : wrong(c, "two types are both named", name);
	}
	if (++c->nnamed > MAX_NAMED)
		return wrong(c, "more named types than any alert has", NULL);
	d = arena_alloc(c->arena, sizeof(*d));
	d->name = name;
	d->json = json;
	d->space = space_of(c, name);
	d->next = c->named;
	c->named = d;
	return d;
}

/* Can a value of this type become what the wish wants? */
static bool
suits(enum avro_type type, enum avro_as as)
{
	switch (as) {
	case AVRO_LONG:
		return type == TYPE_INT || type == TYPE_LONG || type == TYPE_BOOLEAN;
	case AVRO_REAL:
		return type >= TYPE_INT && type <= TYPE_DOUBLE;
	case AVRO_STRING:
		return type == TYPE_STRING || type == TYPE_BYTES || type == TYPE_ENUM;
	case AVRO_STRUCT:
		return type == TYPE_RECORD;
	case AVRO_LIST:
		return type == TYPE_ARRAY;
	}
	return false;
}

static const char *const wanted_names[] = { "a whole number", "a number", "a string", "a record",
	"an array of records" };

/* Everything of the shape is null in `to`. */
static void
blank(const struct avro_shape *shape, char *to)
{
	for (size_t i = 0; i < shape->nwishes; i++) {
		const struct avro_wish *w = &shape->wishes[i];

		switch (w->as) {
		case AVRO_LONG:
			memcpy(to + w->offset, &(int64_t){ AVRO_NO_LONG }, sizeof(int64_t));
			break;
		case AVRO_REAL:
			memcpy(to + w->offset, &(double){ NAN }, sizeof(double));
			break;
		case AVRO_STRUCT:
			blank(w->shape, to + w->offset);
			break;
		case AVRO_STRING:
		case AVRO_LIST:
			break; /* zero bytes are an absent string and an empty list */
		}
	}
}

static const struct avro_wish *
find_wish(const struct avro_shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->nwishes; i++)
		if (strcmp(shape->wishes[i].name, name) == 0)
			return &shape->wishes[i];
	return NULL;
}

static bool
has_field(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->steps[i].name, name) == 0)
			return true;
	return false;
}

/* The bytes that every value of the type takes, or -1. */
static int64_t
fixed_size(const struct node *n)
{
	switch (n->type) {
	case TYPE_NULL:
		return 0;
	case TYPE_BOOLEAN:
		return 1;
	case TYPE_FLOAT:
		return 4;
	case TYPE_DOUBLE:
		return 8;
	case TYPE_FIXED:
		return (int64_t)n->size;
	default:
		return -1;
	}
}

static void
choose_quick_way(struct step *s)
{
	const struct node *n = s->type;

	if (n->type == TYPE_UNION && n->n == 2 && n->null_branch >= 0) {
		s->nullable = true;
		s->null_byte = n->null_branch == 0 ? 0 : 2;
		n = n->branches[n->null_branch == 0];
	}
	if (fixed_size(n) >= 0) {
		s->quick = QUICK_FIXED;
		s->size = (uint32_t)fixed_size(n);
	} else if (n->type == TYPE_INT || n->type == TYPE_LONG || n->type == TYPE_ENUM)
		s->quick = QUICK_NUMBER;
	else if (n->type == TYPE_STRING || n->type == TYPE_BYTES)
		s->quick = QUICK_BYTES;
}

static bool
runs(const struct step *s)
{
	return s->wish == NULL && s->nullable && s->quick == QUICK_FIXED;
}

/* Alerts are mostly floats or null, dozens in a row. */
static void
find_runs(struct node *n)
{
	for (size_t i = n->n; i-- > 0;) {
		struct step *s = &n->steps[i];
		bool goes_on = i + 1 < n->n && s[1].run > 0 && s[1].null_byte == s->null_byte;

		if (!runs(s))
			continue;
		s->run = 1 + (goes_on ? s[1].run : 0);
		s->run_most = 1 + s->size + (goes_on ? s[1].run_most : 0);
	}
}

static bool
compile_field(struct compiler *c, struct node *n, json_t *field, const char *space)
{
	const char *name = json_string_value(json_object_get(field, "name"));
	struct step *s = &n->steps[n->n];

	if (name == NULL || name[0] == '\0')
		return wrong(c, "a field without a name", NULL) != NULL;
	if (has_field(n, name))
		return wrong(c, "two fields of one record are named", name) != NULL;
	s->name = arena_strdup(c->arena, name);
	s->wish = n->shape == NULL ? NULL : find_wish(n->shape, name);
	c->path[c->npath++] = s->name;
	s->type = compile(c, json_object_get(field, "type"), space, s->wish);
	if (s->type == NULL)
		return false;
	choose_quick_way(s);
	c->npath--;
	n->n++;
	return true;
}

static struct node *
compile_record(struct compiler *c, struct named *d, const struct avro_shape *shape)
{
	json_t *fields = json_object_get(d->json, "fields"), *field;
	struct node *n = node_new(c, TYPE_RECORD);
	size_t i;

	if (n == NULL)
		return NULL;
	if (!json_is_array(fields))
		return wrong(c, "a record without fields:", d->name);
	if (json_array_size(fields) > MAX_FIELDS)
		return wrong(c, "more fields than any alert has in", d->name);
	if (shape == NULL)
		d->skip = n;
	n->shape = shape;
	n->wanted = shape != NULL;
	n->steps = arena_array(c->arena, json_array_size(fields) + 1, sizeof(*n->steps));
	json_array_foreach(fields, i, field) if (!compile_field(c, n, field, d->space)) return NULL;
	find_runs(n);
	if (shape == NULL)
		return n;
	for (i = 0; i < shape->nwishes; i++)
		if (shape->wishes[i].need != AVRO_OPTIONAL && !has_field(n, shape->wishes[i].name))
			return wrong(c, "there is no field", shape->wishes[i].name);
	n->blank = arena_alloc(c->arena, shape->size);
	blank(shape, n->blank);
	return n;
}

static struct node *
compile_enum(struct compiler *c, struct named *d)
{
	json_t *symbols = json_object_get(d->json, "symbols"), *symbol;
	struct node *n = node_new(c, TYPE_ENUM);
	size_t i;

	if (n == NULL)
		return NULL;
	if (!json_is_array(symbols) || json_array_size(symbols) == 0)
		return wrong(c, "an enum without symbols:", d->name);
	n->symbols = arena_array(c->arena, json_array_size(symbols), sizeof(*n->symbols));
	json_array_foreach(symbols, i, symbol)
	{
		if (!json_is_string(symbol))
			return wrong(c, "a symbol that is no text in the enum", d->name);
		n->symbols[n->n++] = arena_copy(
		    c->arena, json_string_value(symbol), json_string_length(symbol));
	}
	return n;
}

static struct node *
compile_fixed(struct compiler *c, struct named *d)
{
	json_t *size = json_object_get(d->json, "size");
	struct node *n = node_new(c, TYPE_FIXED);

	if (n == NULL)
		return NULL;
	if (!json_is_integer(size) || json_integer_value(size) < 0 ||
	    json_integer_value(size) > (json_int_t)MAX_FIXED)
		return wrong(c, "a fixed without a size that could be:", d->name);
	n->size = (size_t)json_integer_value(size);
	return n;
}

static struct node *
compile_named(struct compiler *c, struct named *d, const struct avro_wish *wish)
{
	const char *type = json_string_value(json_object_get(d->json, "type"));

	if (strcmp(type, "record") == 0 || strcmp(type, "error") == 0) {
		if (wish == NULL && d->skip != NULL)
			return d->skip;
		return compile_record(c, d, wish != NULL ? wish->shape : NULL);
	}
	if (d->skip == NULL)
		d->skip = strcmp(type, "enum") == 0 ? compile_enum(c, d) : compile_fixed(c, d);
	return d->skip;
}

static struct node *
compile_items(struct compiler *c, enum avro_type type, json_t *items, const char *space,
    const struct avro_wish *wish)
{
	struct avro_wish item = { .name = "", .as = AVRO_STRUCT };
	struct node *n = node_new(c, type);

	if (n == NULL)
		return NULL;
	if (wish != NULL)
		item.shape = wish->shape;
	n->n = 1;
	n->branches = arena_alloc(c->arena, sizeof(*n->branches));
	n->branches[0] = compile(c, items, space, wish != NULL ? &item : NULL);
	if (n->branches[0] == NULL)
		return NULL;
	if (wish != NULL && n->branches[0]->type != TYPE_RECORD)
		return wrong(c, "the items of the array are no records", NULL);
	n->wanted = wish != NULL;
	return n;
}

static struct node *
compile_union(struct compiler *c, json_t *json, const char *space, const struct avro_wish *wish)
{
	struct node *n = node_new(c, TYPE_UNION);
	json_t *branch;
	size_t i;

	if (n == NULL)
		return NULL;
	if (json_array_size(json) == 0 || json_array_size(json) > 64)
		return wrong(c, "a union of no types, or of more than 64", NULL);
	n->branches = arena_array(c->arena, json_array_size(json), sizeof(*n->branches));
	json_array_foreach(json, i, branch)
	{
		struct node *b;

		if (json_is_array(branch))
			return wrong(c, "a union within a union", NULL);
		b = compile(c, branch, space, wish);
		if (b == NULL)
			return NULL;
		if (b->type == TYPE_NULL)
			n->null_branch = (int8_t)i;
		n->wanted |= b->wanted;
		n->branches[n->n++] = b;
	}
	return n;
}

static struct node *
compile_text(struct compiler *c, const char *name, const char *space, const struct avro_wish *wish)
{
	enum avro_type type;
	struct named *d;

	if (primitive(name, &type))
		return node_new(c, type);
	d = find_named(c, name, space);
	if (d == NULL && strchr(name, '.') == NULL)
		d = find_named(c, name, "");
	return d != NULL ? compile_named(c, d, wish) : wrong(c, "there is no type", name);
}

static struct node *
compile_object(struct compiler *c, json_t *json, const char *space, const struct avro_wish *wish)
{
	json_t *inner = json_object_get(json, "type");
	const char *type = json_string_value(inner);
	struct named *d;

	if (type == NULL)
		return inner != NULL ? compile(c, inner, space, wish)
		                     : wrong(c, "a type that is not said", NULL);
	if (strcmp(type, "array") == 0)
		return compile_items(c, TYPE_ARRAY, json_object_get(json, "items"), space, wish);
	if (strcmp(type, "map") == 0)
		return compile_items(c, TYPE_MAP, json_object_get(json, "values"), space, NULL);
	if (strcmp(type, "record") != 0 && strcmp(type, "error") != 0 &&
	    strcmp(type, "enum") != 0 && strcmp(type, "fixed") != 0)
		return compile_text(c, type, space, wish);
	d = define(c, json, space);
	return d != NULL ? compile_named(c, d, wish) : NULL;
}

/* The bytes that one of the type takes at least; of what is not compiled yet, which it is part of, none. */
static size_t
least_of(const struct node *n)
{
	size_t least = n->type == TYPE_UNION ? SIZE_MAX : 0;

	switch (n->type) {
	case TYPE_NULL:
		return 0;
	case TYPE_RECORD:
		for (size_t i = 0; i < n->n && least < AVRO_MAX_BLOCK; i++)
			least += n->steps[i].type->least;
		return least;
	case TYPE_UNION:
		for (size_t i = 0; i < n->n; i++)
			if (n->branches[i]->least < least)
				least = n->branches[i]->least;
		return 1 + least;
	default:
		return fixed_size(n) >= 0 ? (size_t)fixed_size(n) : 1;
	}
}

/* One type of the schema; NULL with err filled. */
static struct node *
compile(struct compiler *c, json_t *json, const char *space, const struct avro_wish *wish)
{
	struct node *n;

	if (c->depth >= AVRO_MAX_DEPTH - 1)
		return wrong(c, "types nested too deep", NULL);
	c->depth++;
	if (json_is_string(json))
		n = compile_text(c, json_string_value(json), space, wish);
	else if (json_is_array(json))
		n = compile_union(c, json, space, wish);
	else if (json_is_object(json))
		n = compile_object(c, json, space, wish);
	else
		n = wrong(c, "a type that is neither text, object nor array", NULL);
	c->depth--;
	if (n != NULL)
		n->least = least_of(n);
	if (n == NULL || wish == NULL || n->type == TYPE_UNION || n->type == TYPE_NULL)
		return n;
	if (!suits(n->type, wish->as)) {
		char what[80];

		snprintf(what, sizeof(what), "it is of type %s, and %s is needed",
		    type_names[n->type], wanted_names[wish->as]);
		return wrong(c, what, NULL);
	}
	return n;
}

static bool
bears(json_t *json, const char *sign)
{
	json_t *fields = json_object_get(json, "fields"), *field;
	size_t i;

	json_array_foreach(fields, i, field)
	{
		const char *name = json_string_value(json_object_get(field, "name"));

		if (name != NULL && strcmp(name, sign) == 0)
			return true;
	}
	return false;
}

/* The first shape whose sign the schema bears; NULL, told with all the signs, where there is none. */
static const struct avro_shape *
choose_shape(struct compiler *c, json_t *json, const struct avro_shape *const *shapes)
{
	char signs[100] = "";
	size_t n = 0;

	for (; *shapes != NULL; shapes++) {
		int w;

		if ((*shapes)->sign == NULL || bears(json, (*shapes)->sign))
			return *shapes;
		w = snprintf(
		    signs + n, sizeof(signs) - n, "%s%s", n > 0 ? ", " : "", (*shapes)->sign);
		n += w > 0 && (size_t)w < sizeof(signs) - n ? (size_t)w : 0;
	}
	return wrong(c, "it is no alert's: of the surveys' fields it has none of", signs);
}

struct avro_schema *
avro_schema_new(const struct avro_shape *const *shapes, struct str text, char *err, size_t errsize)
{
	struct avro_wish all = { .name = "", .as = AVRO_STRUCT };
	struct compiler c = { .err = err, .errsize = errsize };
	struct avro_schema *schema;
	json_error_t bad;
	json_t *json;

	if (text.n > AVRO_MAX_SCHEMA) {
		snprintf(err, errsize, "schema: %zu bytes, more than any alert's", text.n);
		return NULL;
	}
	json = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &bad);
	if (json == NULL) {
		snprintf(err, errsize, "schema: line %d is no JSON: %s", bad.line, bad.text);
		return NULL;
	}
	c.arena = arena_new();
	schema = arena_alloc(c.arena, sizeof(*schema));
	schema->arena = c.arena;
	all.shape = choose_shape(&c, json, shapes);
	schema->root = all.shape != NULL ? compile(&c, json, "", &all) : NULL;
	json_decref(json);
	if (schema->root != NULL && schema->root->type != TYPE_RECORD)
		schema->root = wrong(&c, "it is no record", NULL);
	if (schema->root == NULL) {
		arena_free(c.arena);
		return NULL;
	}
	return schema;
}

const struct avro_shape *
avro_schema_shape(const struct avro_schema *schema)
{
	return schema->root->shape;
}

void
avro_schema_free(struct avro_schema *schema)
{
	if (schema != NULL)
		arena_free(schema->arena);
}
