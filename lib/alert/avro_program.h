/*
 * avro_program.h: what a schema is compiled to: nodes, one a type, which the decoder walks.
 * Shared by avro_schema.c (makes them) and avro_decode.c (runs them) only.
 */
#ifndef MERIDIAN_AVRO_PROGRAM_H
#define MERIDIAN_AVRO_PROGRAM_H

#include "alert/avro.h"

/* The types of the format, in the order of type_names[] in avro_schema.c. */
enum avro_type {
	TYPE_NULL,
	TYPE_BOOLEAN,
	TYPE_INT,
	TYPE_LONG,
	TYPE_FLOAT,
	TYPE_DOUBLE,
	TYPE_BYTES,
	TYPE_STRING,
	TYPE_FIXED,
	TYPE_ENUM,
	TYPE_RECORD,
	TYPE_ARRAY,
	TYPE_MAP,
	TYPE_UNION
};

struct node;

/*
 * How a field that nobody wishes is stepped over: nearly all fields of alerts are one of these, by
 * themselves or in a union with null, and what they need stands in the step itself.
 */
enum quick {
	QUICK_NOT, /* anything else: by its type */
	QUICK_FIXED, /* `size` bytes */
	QUICK_NUMBER, /* an int, long or enum */
	QUICK_BYTES /* a string or bytes */
};

/* A field of a record. */
struct step {
	const struct node *type;
	const struct avro_wish *wish; /* NULL: step over it */
	const char *name;
	enum quick quick;
	bool nullable; /* a union of null and that */
	uint8_t null_byte; /* its branch of null as it is written: 0 or 2 */
	uint32_t size;
	/* So many fields from this one on are stepped over, nullable, of fixed size, with that null_byte. */
	uint32_t run;
	uint64_t run_most; /* bytes that they take, at most */
};

struct node {
	enum avro_type type;
	bool wanted; /* something in it is stored */
	int8_t null_branch; /* a union's index of null, or -1 */
	size_t size; /* TYPE_FIXED: bytes */
	size_t least; /* bytes that one takes at least */
	size_t n; /* steps, branches or symbols */
	struct step *steps; /* TYPE_RECORD */
	const struct node **branches; /* TYPE_UNION; TYPE_ARRAY, TYPE_MAP: the one of items */
	struct str *symbols; /* TYPE_ENUM */
	const struct avro_shape *shape; /* of a wanted record */
	void *blank; /* a structure of the shape with everything null */
};

struct avro_schema {
	struct arena *arena; /* everything of the schema, itself too */
	const struct node *root;
};

#endif
