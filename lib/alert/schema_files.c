/*
 * schema_files: a schema that is spread over files, a named type each, made one. Only what a name may
 * hold (Avro 1.11, "Names") gets into a path.
 */
#include "alert/schema_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILES 64 /* of one schema */
#define NAME 200 /* bytes of a full name, at most */

struct assembly {
	const char *directory;
	struct arena *arena;
	const char *seen[1024]; /* full names of what was defined so far */
	size_t nseen, nfiles;
	unsigned depth;
	char *err;
	size_t errsize;
};

static json_t *resolved(struct assembly *, json_t *type, const char *space);

static json_t *
wrong(struct assembly *a, const char *what, const char *which)
{
	snprintf(a->err, a->errsize, "%.200s: %.100s: %s", a->directory, which, what);
	return NULL;
}

/* The file's bytes, up to AVRO_MAX_SCHEMA and one; ENOENT where it is not there. */
static bool
read_file(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = 1;

	if (fd < 0)
		return false;
	while (n > 0 && b->n <= AVRO_MAX_SCHEMA) {
		n = read(fd, buf_room(b, KIB(16)), KIB(16));
		b->n += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return false;
	}
	close(fd);
	return true;
}

/* The type of DIRECTORY/NAME.avsc. NULL: told, or (*absent) there is no such file. */
static json_t *
load(struct assembly *a, const char *name, bool *absent)
{
	struct buf b = { 0 };
	json_error_t bad;
	json_t *json;
	char path[4400];

	*absent = false;
	if (++a->nfiles > MAX_FILES)
		return wrong(a, "more files than any schema has", name);
	snprintf(path, sizeof(path), "%.4000s/%.*s.avsc", a->directory, NAME, name);
	if (!read_file(path, &b)) {
		*absent = errno == ENOENT;
		buf_free(&b);
		return *absent ? NULL : wrong(a, strerror(errno), name);
	}
	json = b.n > AVRO_MAX_SCHEMA
	    ? wrong(a, "it is longer than any schema", name)
	    : json_loadb(buf_text(&b).p, b.n, JSON_REJECT_DUPLICATES, &bad);
	if (json == NULL && b.n <= AVRO_MAX_SCHEMA)
		wrong(a, bad.text, name);
	buf_free(&b);
	return json;
}

static bool
is_seen(const struct assembly *a, const char *full)
{
	for (size_t i = 0; i < a->nseen; i++)
		if (strcmp(a->seen[i], full) == 0)
			return true;
	return false;
}

static bool
is_primitive(const char *name)
{
	static const char *const names[] = { "null", "boolean", "int", "long", "float", "double",
		"bytes", "string" };

	for (size_t i = 0; i < NELEM(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* The name in its namespace; NULL where it is no name. */
static const char *
full_name(struct assembly *a, const char *name, const char *space)
{
	const char *full = strchr(name, '.') != NULL || space[0] == '\0'
	    ? name
	    : arena_printf(a->arena, "%s.%s", space, name).p;

	if (strlen(full) > NAME || full[0] == '.' ||
	    full[strspn(
	        full, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")] != '\0')
		return NULL;
	return arena_strdup(a->arena, full);
}

static json_t *
resolved_name(struct assembly *a, json_t *type, const char *space)
{
	const char *name = json_string_value(type), *full;
	json_t *json, *whole;
	bool absent;

	if (is_primitive(name))
		return json_incref(type);
	full = full_name(a, name, space);
	if (full == NULL)
		return wrong(a, "it is no name of a type", name);
	if (is_seen(a, full))
		return json_incref(type);
	json = load(a, full, &absent);
	if (json == NULL)
		return absent ? wrong(a, "there is no file of that type", full) : NULL;
	whole = resolved(a, json, "");
	json_decref(json);
	return whole;
}

static bool
resolve_member(struct assembly *a, json_t *object, const char *key, const char *space)
{
	json_t *member = json_object_get(object, key), *whole;

	if (member == NULL)
		return true;
	whole = resolved(a, member, space);
	return whole != NULL && json_object_set_new(object, key, whole) == 0;
}

/* A record, enum or fixed: from now on its name stands for it. */
static bool
resolve_named(struct assembly *a, json_t *type, const char *space)
{
	const char *name = json_string_value(json_object_get(type, "name"));
	const char *own = json_string_value(json_object_get(type, "namespace")), *full, *dot;
	json_t *field;
	size_t i;

	full = name == NULL ? NULL : full_name(a, name, own != NULL ? own : space);
	if (full == NULL)
		return wrong(a, "a type without a name", name != NULL ? name : "") != NULL;
	if (a->nseen == NELEM(a->seen))
		return wrong(a, "more types than any schema has", full) != NULL;
	a->seen[a->nseen++] = full;
	dot = strrchr(full, '.');
	space = dot == NULL ? "" : arena_copy(a->arena, full, (size_t)(dot - full)).p;
	json_array_foreach(json_object_get(type, "fields"), i, field)
	{
		if (json_is_object(field) && !resolve_member(a, field, "type", space))
			return false;
	}
	return true;
}

static bool
resolve_inside(struct assembly *a, json_t *type, const char *space)
{
	const char *kind = json_string_value(json_object_get(type, "type"));
	json_t *branch;
	size_t i;

	if (json_is_array(type)) {
		json_array_foreach(type, i, branch)
		{
			json_t *whole = resolved(a, branch, space);

			if (whole == NULL || json_array_set_new(type, i, whole) != 0)
				return false;
		}
		return true;
	}
	if (kind == NULL)
		return resolve_member(a, type, "type", space);
	if (strcmp(kind, "array") == 0)
		return resolve_member(a, type, "items", space);
	if (strcmp(kind, "map") == 0)
		return resolve_member(a, type, "values", space);
	if (strcmp(kind, "record") == 0 || strcmp(kind, "error") == 0 ||
	    strcmp(kind, "enum") == 0 || strcmp(kind, "fixed") == 0)
		return resolve_named(a, type, space);
	return resolve_member(a, type, "type", space);
}

/* The type with every type in it defined; a reference of the caller's own. NULL: told. */
static json_t *
resolved(struct assembly *a, json_t *type, const char *space)
{
	bool ok;

	if (a->depth >= AVRO_MAX_DEPTH)
		return wrong(a, "types nested too deep", "schema");
	a->depth++;
	if (json_is_string(type)) {
		json_t *whole = resolved_name(a, type, space);

		a->depth--;
		return whole;
	}
	ok = resolve_inside(a, type, space);
	a->depth--;
	return ok ? json_incref(type) : NULL;
}

static enum schema_file
assemble(struct assembly *a, const char *root, struct buf *b)
{
	json_t *json, *whole = NULL;
	char *text = NULL;
	bool absent;

	json = load(a, root, &absent);
	if (json == NULL)
		return absent ? SCHEMA_ABSENT : SCHEMA_WRONG;
	whole = resolved(a, json, "");
	if (whole != NULL && (text = json_dumps(whole, JSON_COMPACT | JSON_ENCODE_ANY)) == NULL)
		arena_exhausted();
	json_decref(json);
	json_decref(whole);
	if (text == NULL)
		return SCHEMA_WRONG;
	buf_puts(b, text);
	free(text);
	return SCHEMA_READ;
}

enum schema_file
schema_files_read(const char *directory, uint32_t id, struct buf *b, char *err, size_t errsize)
{
	struct assembly a = { .directory = directory, .err = err, .errsize = errsize };
	enum schema_file found;
	char name[80];

	a.arena = arena_new();
	snprintf(name, sizeof(name), "%" PRIu32, id);
	found = assemble(&a, name, b);
	if (found == SCHEMA_ABSENT) {
		snprintf(
		    name, sizeof(name), "lsst.v%" PRIu32 "_%" PRIu32 ".alert", id / 100, id % 100);
		found = assemble(&a, name, b);
	}
	arena_free(a.arena);
	return found;
}
