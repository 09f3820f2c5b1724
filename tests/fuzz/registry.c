/*
 * registry: what a schema registry answers, and the schema in it against the shapes of all surveys.
 */
#include <stdlib.h>

#include "alert/packet.h"
#include "alert/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf text = { 0 };
	char err[200] = "";

	if (registry_read_reply((struct str){ (const char *)data, n }, &text, err, sizeof(err)))
		avro_schema_free(
		    avro_schema_new(packet_shapes(), buf_text(&text), err, sizeof(err)));
	else if (err[0] == '\0' || text.n != 0)
		abort();
	buf_free(&text);
	return 0;
}
