/*
 * schema_files.h: schemas by number in a directory.
 */
#ifndef MERIDIAN_SCHEMA_FILES_H
#define MERIDIAN_SCHEMA_FILES_H

#include "alert/avro.h"
#include "base/buf.h"

enum schema_file {
	SCHEMA_READ, /* appended to the buffer: one text, whole */
	SCHEMA_ABSENT, /* there is none of that number */
	SCHEMA_WRONG /* it cannot be read; a sentence in err */
};

/*
 * DIRECTORY/ID.avsc; else the number is one of Rubin's, 100 times the major version and the minor
 * one, and the schema DIRECTORY/lsst.vMAJOR_MINOR.alert.avsc. Types that it names and does not define
 * come from DIRECTORY/NAME.avsc, NAME with its namespace, as in schema-v9.0: they are put where they are
 * named first.
 */
enum schema_file
schema_files_read(const char *directory, uint32_t id, struct buf *, char *err, size_t errsize);

#endif
