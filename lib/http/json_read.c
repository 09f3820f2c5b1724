/*
 * json_read: what jansson parsed, copied into the arena. Depth is looked at first, since a parser
 * that calls itself uses the stack for it.
 */
#include "http/json_read.h"

#include <jansson.h>
#include <stdlib.h>

static bool
is_too_deep(struct str s)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if ((s.p[i] == '[' || s.p[i] == '{') && ++depth > JSON_DEPTH)
			return true;
		else if ((s.p[i] == ']' || s.p[i] == '}') && depth > 0)
			depth--;
	}
	return false;
}

static struct value *copy(struct arena *, const json_t *, const char **why);

static struct value *
copy_object(struct arena *a, const json_t *from, const char **why)
{
	struct value *to = value_object(a);
	json_t *unlocked = (json_t *)(uintptr_t)from; /* jansson's iterators want it so */

	if (json_object_size(from) > JSON_MEMBERS) {
		*why = "An object of the JSON has too many members.";
		return to;
	}
	for (void *i = json_object_iter(unlocked); i != NULL;
	     i = json_object_iter_next(unlocked, i))
		value_set(to, arena_strdup(a, json_object_iter_key(i)),
		    copy(a, json_object_iter_value(i), why));
	return to;
}

/* As deep as JSON_DEPTH; *why stays as it is where all is well. */
static struct value *
copy(struct arena *a, const json_t *from, const char **why)
{
	struct value *list;

	switch (json_typeof(from)) {
	case JSON_OBJECT:
		return copy_object(a, from, why);
	case JSON_ARRAY:
		list = value_list(a);
		for (size_t i = 0; i < json_array_size(from); i++)
			value_add(list, copy(a, json_array_get(from, i), why));
		return list;
	case JSON_STRING:
		return value_of_text(
		    a, arena_copy(a, json_string_value(from), json_string_length(from)));
	case JSON_INTEGER:
		return value_of_int(a, json_integer_value(from));
	case JSON_REAL:
		return value_of_real(a, json_real_value(from));
	case JSON_TRUE:
	case JSON_FALSE:
		return value_of_bool(a, json_is_true(from));
	case JSON_NULL:
		break;
	}
	return value_of_null(a);
}

/* jansson takes some failures of memory for mistakes in the text, so it never sees one. */
static void *
take(size_t n)
{
	void *p = malloc(n);

	if (p == NULL)
		arena_exhausted();
	return p;
}

struct value *
json_read(struct arena *a, struct str text, const char **why)
{
	json_error_t error;
	struct value *v;
	json_t *root;

	*why = NULL;
	if (is_too_deep(text)) {
		*why = "The JSON has lists and objects too deep inside each other.";
		return NULL;
	}
	json_set_alloc_funcs(take, free);
	root = json_loadb(
	    text.p == NULL ? "" : text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (root == NULL) {
		*why = json_error_code(&error) == json_error_duplicate_key
		    ? "A key stands twice in an object of the JSON."
		    : "The body is no JSON.";
		return NULL;
	}
	v = copy(a, root, why);
	json_decref(root);
	return *why == NULL ? v : NULL;
}
