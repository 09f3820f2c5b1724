/*
 * libavro: its generic value, filled again and again.
 */
#include "tests/bench/libavro.h"

#include <avro.h>
#include <stdlib.h>

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
