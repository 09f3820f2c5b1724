/*
 * log.h: one line an event on stderr, each a JSON object: {"time":...,"level":...,"event":...,...}.
 *
 *	log_warn("host refused", LOG_STR("host", host), LOG_INT("count", n));
 *
 * Control bytes, invalid UTF-8 and bidirectional controls are written as \u escapes, so no input
 * can forge a line. Never pass a password, a token or a cookie.
 */
#ifndef MERIDIAN_LOG_H
#define MERIDIAN_LOG_H

#include "base/base.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_NONE /* of no line: for programs that tell people in words */
};

struct log_field {
	const char *key;
	enum { LOG_KIND_STR, LOG_KIND_INT, LOG_KIND_REAL, LOG_KIND_BOOL } kind;
	struct str text;
	int64_t integer;
	double real;
};

#define LOG_STR(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_STR, .text = (v) })
#define LOG_TEXT(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_STR, .text = str_of(v) })
#define LOG_INT(k, v) \
	((struct log_field){ .key = (k), .kind = LOG_KIND_INT, .integer = (int64_t)(v) })
#define LOG_REAL(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_REAL, .real = (v) })
#define LOG_BOOL(k, v) ((struct log_field){ .key = (k), .kind = LOG_KIND_BOOL, .integer = (v) })

void log_write(enum log_level, const char *event, size_t nfields, const struct log_field *);

#define LOG_FIELDS(...) \
	(sizeof((struct log_field[]){ { .key = NULL }, ##__VA_ARGS__ }) / \
	    sizeof(struct log_field)), \
	    (struct log_field[]) \
	{ \
		{ .key = NULL }, ##__VA_ARGS__ \
	}
/* A field without a key is passed over, so an event alone is a call too. */
#define log_debug(event, ...) log_write(LOG_LEVEL_DEBUG, event, LOG_FIELDS(__VA_ARGS__))
#define log_info(event, ...) log_write(LOG_LEVEL_INFO, event, LOG_FIELDS(__VA_ARGS__))
#define log_warn(event, ...) log_write(LOG_LEVEL_WARN, event, LOG_FIELDS(__VA_ARGS__))
#define log_error(event, ...) log_write(LOG_LEVEL_ERROR, event, LOG_FIELDS(__VA_ARGS__))

/* The program's name and, within a request, its id: added to every line. NULL takes it away. */
void log_set_program(const char *);
void log_set_request(const char *id);

/* Lines below this level are dropped; INFO at start. */
void log_set_level(enum log_level);

#endif
