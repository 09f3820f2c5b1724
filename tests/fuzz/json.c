/*
 * Fuzz target: JSON that a program sends. What was read must be written and read again as the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_limits(const struct value *v, size_t depth)
{
	struct str key;

	if (value_kind(v) == VALUE_LIST || value_kind(v) == VALUE_OBJECT)
		if (++depth > JSON_DEPTH)
			abort();
	if (value_kind(v) == VALUE_LIST)
		for (size_t i = 0; i < value_count(v); i++)
			check_limits(value_at(v, i), depth);
	if (value_kind(v) != VALUE_OBJECT)
		return;
	if (value_count(v) > JSON_MEMBERS)
		abort();
	for (size_t i = 0; i < value_count(v); i++)
		check_limits(value_member(v, i, &key), depth);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct buf once = { 0 }, twice = { 0 };
	const char *why;
	struct value *v = json_read(a, arena_copy(a, (const char *)data, size), &why);

	if ((v == NULL) != (why != NULL))
		abort();
	if (v != NULL) {
		check_limits(v, 0);
		value_json(v, &once);
		v = json_read(a, buf_text(&once), &why);
		if (v == NULL)
			abort();
		value_json(v, &twice);
		if (!str_eq(buf_text(&once), buf_text(&twice)))
			abort();
	}
	buf_free(&once);
	buf_free(&twice);
	arena_free(a);
	return 0;
}
