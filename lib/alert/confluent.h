/*
 * confluent.h: schemas by their number, for bare records in Confluent framing (avro.h): from a
 * directory, or from a schema registry, whose answers are kept in the directory.
 */
#ifndef MERIDIAN_CONFLUENT_H
#define MERIDIAN_CONFLUENT_H

#include "alert/avro.h"

struct confluent_options {
	/*
	 * Files ID.avsc; or the survey's own, a type each, as github.com/lsst/alert_packet has them
	 * (alert/schema_files.h). NULL: none.
	 */
	const char *directory;
	/*
	 * GET URL/schemas/ids/ID; https, or http to this machine. NULL: none. What it answers is
	 * written to the directory as ID.avsc, whole or not at all: one directory a registry.
	 */
	const char *registry;
	long seconds; /* a registry may take; 0: REGISTRY_SECONDS */
	int64_t patience; /* microseconds; 0: CONFLUENT_PATIENCE */
};
#define REGISTRY_SECONDS 20
#define CONFLUENT_PATIENCE (30 * SECOND)

/*
 * The schemas for these shapes (as avro_schema_new has them), none read yet. NULL with a sentence in
 * err where a directory is not there (or cannot be written to, with a registry) or the URL cannot
 * be. The caller frees it with confluent_free(), after the files that read with it.
 */
struct confluent;
struct confluent *confluent_new(const struct avro_shape *const *shapes,
    const struct confluent_options *, char *err, size_t errsize);
void confluent_free(struct confluent *);

/*
 * For avro_file_numbered(): the schema of that number, looked for in memory, directory and
 * registry; it stays till the end. What was not found is not looked for again within CONFLUENT_PATIENCE,
 * nor within `patience` where the registry gave no answer, so that one that is away does not hold up each
 * record.
 */
avro_find confluent_find;
/* Did the last look-up fail because the registry could not be asked? Then it may succeed later. */
bool confluent_is_away(const struct confluent *);

#endif
