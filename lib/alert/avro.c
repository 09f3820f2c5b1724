/*
 * avro: object container files: a header with the writer's schema, then blocks of records, each
 * closed by the file's sync marker; and bare records that name their schema by its number. Schemas
 * and buffers are kept from file to file, because a night is hundreds of thousands of files with one
 * schema.
 */
#include "alert/avro.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/avro_codec.h"

#define CHUNK KIB(256) /* read at once */
#define SYNC 16 /* bytes of the marker */
#define CACHED 16 /* schemas kept */
#define MAX_PAIRS 1000 /* of the header's metadata */
#define FRAME 5 /* bytes before a bare record: 0 and the number of its schema */

struct cached {
	char *text;
	size_t n;
	struct avro_schema *schema;
	uint64_t used; /* the number of the open that used it last */
};

struct avro_file {
	const struct avro_shape *shapes[AVRO_MAX_SHAPES + 1];
	avro_find *find; /* schemas by number; NULL: none */
	void *find_arg;
	struct cached cache[CACHED];
	uint64_t opens;
	const struct avro_schema *schema; /* of the open file */
	struct str schema_text; /* of a container */

	const volatile int *interrupt;
	int fd; /* -1: the data are all in memory */
	char *own; /* the buffer of what comes from fd */
	size_t room;
	const char *data; /* own, or the caller's memory */
	size_t begin, end; /* of what was read and not yet taken */
	uint64_t base; /* the file's offset of data[0] */

	uint8_t sync[SYNC];
	enum codec codec;
	struct expander expander;

	const char *block; /* the open block's bytes, expanded where need be */
	size_t block_n, block_at; /* and how far we are in it */
	uint64_t block_base; /* the file's offset of the block's data */
	uint64_t left; /* records of the block to come */
	uint64_t lost, offset;
	struct str piece; /* the last record, and the records lost with it */
	uint64_t piece_count;
	bool broken;
	bool unreadable; /* since read() failed */
};

struct avro_file *
avro_file_new(const struct avro_shape *const *shapes)
{
	struct avro_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		arena_exhausted();
	for (size_t i = 0; i < AVRO_MAX_SHAPES && shapes[i] != NULL; i++)
		f->shapes[i] = shapes[i];
	f->fd = -1;
	f->broken = true; /* nothing is open */
	return f;
}

void
avro_file_free(struct avro_file *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < CACHED; i++) {
		free(f->cache[i].text);
		avro_schema_free(f->cache[i].schema);
	}
	codec_release(&f->expander);
	free(f->own);
	free(f);
}

void
avro_file_numbered(struct avro_file *f, avro_find *find, void *arg)
{
	f->find = find;
	f->find_arg = arg;
}

const struct avro_shape *
avro_file_shape(const struct avro_file *f)
{
	return f->schema != NULL ? avro_schema_shape(f->schema) : NULL;
}

void
avro_file_interrupt(struct avro_file *f, const volatile int *flag)
{
	f->interrupt = flag;
}

static char *
grow(char *p, size_t *room, size_t want)
{
	size_t size = *room == 0 ? CHUNK : *room;

	while (size < want)
		size *= 2;
	if (size == *room)
		return p;
	p = realloc(p, size);
	if (p == NULL)
		arena_exhausted();
	*room = size;
	return p;
}

/*
 * Reads until n bytes are there or the file ends; false where reading fails. Grows with what
 * arrives, never with what is claimed.
 */
static bool
fill(struct avro_file *f, size_t n, char *err, size_t errsize)
{
	while (f->end - f->begin < n && f->fd >= 0) {
		ssize_t got;

		if (f->begin > 0) {
			memmove(f->own, f->own + f->begin, f->end - f->begin);
			f->base += f->begin;
			f->end -= f->begin;
			f->begin = 0;
		}
		f->own = grow(f->own, &f->room, f->end + CHUNK);
		f->data = f->own;
		got = read(f->fd, f->own + f->end, f->room - f->end);
		if (got < 0 && errno == EINTR && (f->interrupt == NULL || *f->interrupt == 0))
			continue;
		if (got < 0) {
			f->unreadable = errno != EINTR;
			snprintf(err, errsize, "it cannot be read: %s", strerror(errno));
			return false;
		}
		if (got == 0)
			f->fd = -1;
		f->end += (size_t)got;
	}
	return true;
}

static uint64_t
here(const struct avro_file *f)
{
	return f->base + f->begin;
}

static int __attribute__((format(printf, 4, 5)))
wrong(struct avro_file *f, char *err, size_t errsize, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(err, errsize, "offset %" PRIu64 ": ", here(f));

	va_start(ap, fmt);
	if (n > 0 && (size_t)n < errsize)
		vsnprintf(err + n, errsize - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

static int
take_long(struct avro_file *f, int64_t *out, char *err, size_t errsize)
{
	uint64_t v = 0;

	if (!fill(f, 10, err, errsize))
		return -1;
	for (unsigned i = 0; i < 10 && f->begin + i < f->end; i++) {
		uint8_t byte = (uint8_t)f->data[f->begin + i];

		if (i == 9 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			f->begin += i + 1;
			*out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
			return 0;
		}
	}
	return wrong(f, err, errsize, "the file ends within a number, or it is longer than any");
}

/* A length-prefixed text of the header; borrowed until the next fill. */
static int
take_text(struct avro_file *f, struct str *out, const char *what, char *err, size_t errsize)
{
	int64_t n;

	if (take_long(f, &n, err, errsize) != 0)
		return -1;
	if (n < 0 || n > (int64_t)AVRO_MAX_SCHEMA)
		return wrong(f, err, errsize, "a %s of %" PRId64 " bytes in the header", what, n);
	if (!fill(f, (size_t)n, err, errsize))
		return -1;
	if (f->end - f->begin < (size_t)n)
		return wrong(f, err, errsize,
		    "a %s of %" PRId64 " bytes in the header, and %zu are left", what, n,
		    f->end - f->begin);
	*out = (struct str){ f->data + f->begin, (size_t)n };
	f->begin += (size_t)n;
	return 0;
}

/* The schema of that text, compiled now or for an earlier file. */
static int
use_schema(struct avro_file *f, struct str text, char *err, size_t errsize)
{
	struct cached *c, *oldest = f->cache;

	for (c = f->cache; c < f->cache + CACHED; c++) {
		if (c->schema != NULL && str_eq((struct str){ c->text, c->n }, text)) {
			c->used = f->opens;
			f->schema = c->schema;
			f->schema_text = (struct str){ c->text, c->n };
			return 0;
		}
		if (c->used < oldest->used)
			oldest = c;
	}
	f->schema = avro_schema_new(f->shapes, text, err, errsize);
	if (f->schema == NULL)
		return -1;
	c = oldest;
	free(c->text);
	avro_schema_free(c->schema);
	c->schema = (struct avro_schema *)f->schema;
	c->text = malloc(text.n + 1);
	if (c->text == NULL)
		arena_exhausted();
	memcpy(c->text, text.p, text.n);
	c->n = text.n;
	f->schema_text = (struct str){ c->text, c->n };
	c->used = f->opens;
	return 0;
}

static int
use_codec(struct avro_file *f, struct str codec, char *err, size_t errsize)
{
	f->codec = codec_named(codec);
	if (f->codec == CODEC_UNKNOWN)
		return wrong(f, err, errsize,
		    "the codec is \"%.*s\"; null, deflate and snappy can be read",
		    (int)(codec.n < 40 ? codec.n : 40), codec.p);
	return 0;
}

static int
take_pair(struct avro_file *f, char *err, size_t errsize)
{
	enum { SCHEMA, CODEC, OTHER } which;
	struct str s = STR_NONE;

	if (take_text(f, &s, "key", err, errsize) != 0)
		return -1;
	which = str_is(s, "avro.schema") ? SCHEMA : str_is(s, "avro.codec") ? CODEC : OTHER;
	if (take_text(f, &s, "value", err, errsize) != 0)
		return -1;
	if (which == SCHEMA)
		return use_schema(f, s, err, errsize);
	if (which == CODEC)
		return use_codec(f, s, err, errsize);
	return 0;
}

static int
take_header(struct avro_file *f, char *err, size_t errsize)
{
	int64_t count, bytes, pairs = 0;

	if (!fill(f, 4, err, errsize))
		return -1;
	if (f->end - f->begin < 4 || memcmp(f->data + f->begin, "Obj\1", 4) != 0)
		return wrong(f, err, errsize,
		    f->end == f->begin ? "the file is empty"
		                       : "this is neither an Avro container file, which begins "
		                         "with \"Obj\" and 1, "
		                         "nor a Confluent message, which begins with 0");
	f->begin += 4;
	for (;;) {
		if (take_long(f, &count, err, errsize) != 0)
			return -1;
		if (count == 0)
			break;
		if (count < 0 && take_long(f, &bytes, err, errsize) != 0)
			return -1;
		if (count < -MAX_PAIRS || count > MAX_PAIRS ||
		    (pairs += count < 0 ? -count : count) > MAX_PAIRS)
			return wrong(f, err, errsize, "a header of more pairs than any");
		for (count = count < 0 ? -count : count; count > 0; count--)
			if (take_pair(f, err, errsize) != 0)
				return -1;
	}
	if (f->schema == NULL)
		return wrong(f, err, errsize, "the header holds no avro.schema");
	if (!fill(f, SYNC, err, errsize))
		return -1;
	if (f->end - f->begin < SYNC)
		return wrong(f, err, errsize, "the file ends within its header");
	memcpy(f->sync, f->data + f->begin, SYNC);
	f->begin += SYNC;
	return 0;
}

/* A bare record: all that follows its frame is a block of one. */
static int
take_message(struct avro_file *f, char *err, size_t errsize)
{
	const uint8_t *frame;
	uint32_t id;

	if (!fill(f, FRAME + AVRO_MAX_BLOCK + 1, err, errsize))
		return -1;
	if (f->end - f->begin < FRAME)
		return wrong(f, err, errsize, "the message ends within the number of its schema");
	if (f->end - f->begin > FRAME + AVRO_MAX_BLOCK)
		return wrong(f, err, errsize, "a message of more than %zu bytes", AVRO_MAX_BLOCK);
	frame = (const uint8_t *)f->data + f->begin;
	id = (uint32_t)frame[1] << 24 | (uint32_t)frame[2] << 16 | (uint32_t)frame[3] << 8 |
	    frame[4];
	if (f->find == NULL)
		return wrong(f, err, errsize,
		    "this is a Confluent message under the schema %" PRIu32
		    ": say where schemas are (--schemas, --registry)",
		    id);
	f->schema = f->find(f->find_arg, id, err, errsize);
	if (f->schema == NULL)
		return -1;
	f->begin += FRAME;
	f->block = f->data + f->begin;
	f->block_n = f->end - f->begin;
	f->block_base = here(f);
	f->begin = f->end;
	f->left = 1;
	return 0;
}

static int
take_beginning(struct avro_file *f, char *err, size_t errsize)
{
	if (!fill(f, 1, err, errsize))
		return -1;
	if (f->end > f->begin && f->data[f->begin] == 0)
		return take_message(f, err, errsize);
	return take_header(f, err, errsize);
}

static int
open_any(struct avro_file *f, int fd, struct str bytes, char *err, size_t errsize)
{
	f->opens++;
	f->fd = fd;
	f->data = fd >= 0 ? f->own : bytes.p;
	f->begin = f->base = 0;
	f->end = fd >= 0 ? 0 : bytes.n;
	f->schema = NULL;
	f->schema_text = STR_NONE;
	f->unreadable = false;
	f->piece_count = 0;
	f->codec = CODEC_NULL;
	f->left = f->lost = f->offset = 0;
	f->block_n = f->block_at = 0;
	f->broken = take_beginning(f, err, errsize) != 0;
	return f->broken ? -1 : 0;
}

int
avro_file_open(struct avro_file *f, int fd, char *err, size_t errsize)
{
	return open_any(f, fd, STR_NONE, err, errsize);
}

int
avro_file_open_memory(struct avro_file *f, struct str bytes, char *err, size_t errsize)
{
	return open_any(f, -1, bytes, err, errsize);
}

static int
expand_block(struct avro_file *f, char *err, size_t errsize)
{
	const char *what = codec_expand(&f->expander, f->codec, f->block, f->block_n);

	if (what != NULL)
		return wrong(f, err, errsize, "%s", what);
	f->block = f->expander.p;
	f->block_n = f->expander.n;
	return 0;
}

/* Opens the next block: 1, 0 at the end of the file, -1. */
static int
next_block(struct avro_file *f, char *err, size_t errsize)
{
	int64_t count = 0, bytes = 0;
	size_t n;

	if (!fill(f, 1, err, errsize))
		return -1;
	if (f->end == f->begin)
		return 0;
	if (take_long(f, &count, err, errsize) != 0 || take_long(f, &bytes, err, errsize) != 0)
		return -1;
	if (count < 0 || bytes < 0 || bytes > (int64_t)AVRO_MAX_BLOCK)
		return wrong(f, err, errsize, "a block of %" PRId64 " records in %" PRId64 " bytes",
		    count, bytes);
	n = (size_t)bytes;
	if (!fill(f, n + SYNC, err, errsize))
		return -1;
	if (f->end - f->begin < n + SYNC)
		return wrong(f, err, errsize,
		    "a block of %" PRId64 " bytes, and %zu are left: the file was cut off", bytes,
		    f->end - f->begin);
	if (memcmp(f->data + f->begin + n, f->sync, SYNC) != 0)
		return wrong(f, err, errsize, "the block does not end with the file's sync marker");
	f->block = f->data + f->begin;
	f->block_n = n;
	f->block_at = 0;
	f->block_base = here(f);
	f->left = 0;
	if (f->codec != CODEC_NULL && expand_block(f, err, errsize) != 0)
		return -1;
	if ((uint64_t)count > f->block_n)
		return wrong(f, err, errsize, "a block of %" PRId64 " records in %zu bytes", count,
		    f->block_n);
	f->left = (uint64_t)count;
	f->begin += n + SYNC;
	return 1;
}

static enum avro_result
bad_record(struct avro_file *f)
{
	f->lost = f->left;
	f->piece.n = f->block_n - (size_t)(f->piece.p - f->block);
	f->piece_count = f->lost;
	f->left = 0;
	return AVRO_BAD;
}

static enum avro_result
next_record(struct avro_file *f, struct arena *arena, void *structure, char *err, size_t errsize)
{
	size_t prefix = 0;
	int64_t n;

	if (f->codec != CODEC_NULL) {
		int w = snprintf(err, errsize, "in the %s block at %" PRIu64 ", ",
		    f->codec == CODEC_SNAPPY ? "snappy" : "deflated", f->block_base);

		prefix = w < 0 || (size_t)w >= errsize ? 0 : (size_t)w;
	}
	f->offset = f->block_base + (f->codec != CODEC_NULL ? 0 : f->block_at);
	f->piece.p = f->block + f->block_at;
	n = avro_decode(f->schema, f->block + f->block_at, f->block_n - f->block_at,
	    f->codec != CODEC_NULL ? f->block_at : f->offset, arena, structure, err + prefix,
	    errsize - prefix);
	if (n < 0)
		return bad_record(f);
	f->block_at += (size_t)n;
	if (f->left == 1 && f->block_at != f->block_n) {
		snprintf(err, errsize,
		    "offset %" PRIu64 ": the block goes on for %zu bytes after its last record",
		    f->offset, f->block_n - f->block_at);
		return bad_record(f);
	}
	f->piece.n = (size_t)n;
	f->piece_count = 1;
	f->left--;
	return AVRO_RECORD;
}

enum avro_result
avro_file_next(struct avro_file *f, struct arena *arena, void *structure, char *err, size_t errsize)
{
	f->lost = f->piece_count = 0;
	while (f->left == 0) {
		int r;

		if (f->broken)
			return AVRO_END;
		r = next_block(f, err, errsize);
		if (r == 0)
			return AVRO_END;
		if (r < 0) {
			f->broken = true;
			f->offset = here(f);
			return AVRO_BROKEN;
		}
	}
	return next_record(f, arena, structure, err, errsize);
}

uint64_t
avro_file_lost(const struct avro_file *f)
{
	return f->lost;
}

bool
avro_file_unreadable(const struct avro_file *f)
{
	return f->unreadable;
}

struct avro_piece
avro_file_piece(const struct avro_file *f)
{
	return (struct avro_piece){ .schema = f->schema_text,
		.records = f->piece,
		.count = f->schema_text.p != NULL ? f->piece_count : 0 };
}

uint64_t
avro_file_offset(const struct avro_file *f)
{
	return f->offset;
}
