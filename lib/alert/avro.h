/*
 * avro.h: reading Apache Avro: object container files, and bare records of a known schema.
 *
 * The reader says once what it wants, as a shape: a table of fields by name, each with its place in
 * a C structure. The writer's schema is compiled against the shape into a program that stores those
 * fields and steps over everything else without copying it, so a schema version with fields added,
 * moved or dropped still reads.
 *
 *	struct alert { struct str id; double jd; struct avro_list points; };
 *	static const struct avro_wish wishes[] = {
 *		{ "objectId", AVRO_TEXT, AVRO_NEEDED, offsetof(struct alert, id) },
 *		{ "history", AVRO_LIST, AVRO_OPTIONAL, offsetof(struct alert, points), &point },
 *	};
 *	static const struct avro_shape alert = { sizeof(struct alert), NELEM(wishes), wishes };
 *
 *	const struct avro_shape *shapes[] = { &alert, NULL };
 *
 *	struct avro_file *f = avro_file_new(shapes);	keeps schemas and buffers for many files
 *	if (avro_file_open(f, fd, err, sizeof(err)) == 0)
 *		while ((r = avro_file_next(f, arena, &a, err, sizeof(err))) == AVRO_RECORD) ...
 *
 * Format: the Avro 1.11 specification. Codecs null, deflate and snappy. A file may also be one bare
 * record in Confluent framing: a byte 0, its schema's number (four bytes, big-endian), the record.
 * Errors are sentences that name the offset and the field. Nothing here trusts a length: it is
 * compared with what is left first, and the number of items of a list with what they take at least, so
 * that the memory of a record is a multiple of its bytes.
 */
#ifndef MERIDIAN_AVRO_H
#define MERIDIAN_AVRO_H

#include "base/arena.h"
#include "base/buf.h"

#define AVRO_MAX_SCHEMA MIB(1) /* bytes of schema text */
#define AVRO_MAX_BLOCK MIB(64) /* bytes of a block, as stored and inflated */
#define AVRO_MAX_ITEMS 100000 /* items of lists in one record */
#define AVRO_MAX_DEPTH 64 /* types within types */

/* What a wish wants; writer's types in parentheses are taken too. */
enum avro_as {
	AVRO_LONG, /* int64_t (int, long; boolean: 0, 1); AVRO_NO_LONG where null */
	AVRO_REAL, /* double (int, long, float, double); NAN where null */
	AVRO_STRING, /* struct str (string, bytes, enum); absent where null */
	AVRO_STRUCT, /* a record, its wishes placed relative to this one's offset */
	AVRO_LIST /* struct avro_list of a record (array); empty where null */
};

#define AVRO_NO_LONG INT64_MIN

enum avro_need {
	AVRO_OPTIONAL, /* may be missing from the schema */
	AVRO_NULLABLE, /* must be in the schema, its value may be null */
	AVRO_NEEDED /* must be there, never null */
};

struct avro_shape;
struct avro_wish {
	const char *name;
	enum avro_as as;
	enum avro_need need;
	size_t offset; /* in the structure of the shape it stands in */
	const struct avro_shape *shape; /* of AVRO_STRUCT and AVRO_LIST */
};
struct avro_shape {
	size_t size; /* of the structure */
	size_t nwishes;
	const struct avro_wish *wishes;
	const char *sign; /* of a record's: the field that its schemas are told by; NULL: all are */
};

struct avro_list {
	void *items; /* n structures of the list's shape, one after the other, in the arena */
	size_t n, room;
};

/*
 * A writer's schema compiled against the first of the shapes whose sign it bears (NULL ends them;
 * they must outlive it). NULL with a sentence in err where the text is no schema or bears no sign, a
 * needed field is missing or a field cannot become what is wished. The caller frees it with
 * avro_schema_free().
 */
struct avro_schema;
struct avro_schema *
avro_schema_new(const struct avro_shape *const *shapes, struct str text, char *err, size_t errsize);
const struct avro_shape *avro_schema_shape(const struct avro_schema *);
void avro_schema_free(struct avro_schema *);

/*
 * Decodes one record from the bytes into the structure. Strings are borrowed from the bytes (they
 * carry no NUL); lists live in the arena. Returns how many bytes the record took, or -1 with a
 * sentence in err; `base` is added to the offsets it names.
 */
int64_t avro_decode(const struct avro_schema *, const void *bytes, size_t n, uint64_t base,
    struct arena *, void *structure, char *err, size_t errsize);

/*
 * A reader of files, one after the other, of schemas for any of these shapes (as avro_schema_new has
 * them; there are at most AVRO_MAX_SHAPES). The caller frees it with avro_file_free().
 */
struct avro_file;
#define AVRO_MAX_SHAPES 8
struct avro_file *avro_file_new(const struct avro_shape *const *shapes);
void avro_file_free(struct avro_file *);

/*
 * Bare records may come, too: find() gives the schema of a number, for the same shapes, borrowed
 * until it is called again; NULL with a sentence in err where there is none.
 */
typedef const struct avro_schema *avro_find(void *arg, uint32_t id, char *err, size_t errsize);
void avro_file_numbered(struct avro_file *, avro_find *find, void *arg);

/*
 * Begins a file: from a descriptor (borrowed until the end of the file, read from where it stands,
 * a pipe will do) or from memory (borrowed). Reads the header. 0, or -1 with a sentence in err.
 */
int avro_file_open(struct avro_file *, int fd, char *err, size_t errsize);
int avro_file_open_memory(struct avro_file *, struct str bytes, char *err, size_t errsize);

/* The shape that the open file's schema bears the sign of; NULL where none is open. */
const struct avro_shape *avro_file_shape(const struct avro_file *);

/* Reading that a signal interrupts while *flag is set gives up. NULL: it goes on. */
void avro_file_interrupt(struct avro_file *, const volatile int *flag);

enum avro_result {
	AVRO_END, /* no more records */
	AVRO_RECORD, /* the structure is filled; its strings are borrowed until the next call */
	AVRO_BAD, /* a record cannot be read (err); the next call goes on with the next block */
	AVRO_BROKEN /* the file cannot be read further (err) */
};
enum avro_result
avro_file_next(struct avro_file *, struct arena *, void *structure, char *err, size_t errsize);

/* Records passed over with the last AVRO_BAD: it and what followed it in its block. */
uint64_t avro_file_lost(const struct avro_file *);

/* Did the last failure come from reading, whatever stands there? Another try may read it. */
bool avro_file_unreadable(const struct avro_file *);

/*
 * What the last AVRO_RECORD was read from, or the last AVRO_BAD and the records passed over with it:
 * unpacked, with the writer's schema; count 0 where that is not known (a bare record) or nothing was read.
 * Borrowed until the next call.
 */
struct avro_piece {
	struct str schema, records;
	uint64_t count;
};
struct avro_piece avro_file_piece(const struct avro_file *);

/* Appends a container file of it alone. */
void avro_piece_write(const struct avro_piece *, struct buf *);

/* Where the last record began: its offset in the file (packed: its block's). */
uint64_t avro_file_offset(const struct avro_file *);

#endif
