/*
 * mapping: a file that describes a survey, then, where it does, what the mapping makes of records of zeros
 * and of ones; and of a ZTF-like schema.
 */
#include <stdlib.h>
#include <string.h>

#include "alert/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A record of nothing but null, zero or nonsense, no list in it longer than nothing. */
static void
read_one(const struct mapping *m)
{
	const struct survey *survey = mapping_survey(m);
	const struct avro_shape *shape = mapping_shapes(m)[0];
	struct arena *a = arena_new();
	void *record = arena_alloc(a, shape->size);
	struct alert_packet p = { .survey = survey };
	char err[300] = "";

	if (!survey->read(record, a, &p, err, sizeof(err)) && err[0] == '\0')
		abort();
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char schema[] =
	    "{\"type\":\"record\",\"name\":\"a\",\"fields\":[{\"name\":\"objectId\",\"type\":"
	    "\"string\"},"
	    "{\"name\":\"candid\",\"type\":\"long\"},{\"name\":\"candidate\",\"type\":{\"type\":"
	    "\"record\","
	    "\"name\":\"c\",\"fields\":[{\"name\":\"jd\",\"type\":\"double\"},{\"name\":\"fid\","
	    "\"type\":\"int\"},"
	    "{\"name\":\"ra\",\"type\":\"double\"},{\"name\":\"dec\",\"type\":\"double\"}]}}]}";
	char err[300] = "";
	struct mapping *m = mapping_new(
	    (struct str){ (const char *)data, n }, "map", err, sizeof(err));
	struct avro_schema *s;

	if (m == NULL) {
		if (err[0] == '\0')
			abort();
		return 0;
	}
	read_one(m);
	s = avro_schema_new(mapping_shapes(m), str_of(schema), err, sizeof(err));
	avro_schema_free(s);
	mapping_free(m);
	return 0;
}
