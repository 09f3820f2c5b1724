/*
 * log: one JSON object a line on stderr, each in one write.
 */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static const char *program;
static const char *request_id;
static enum log_level lowest = LOG_LEVEL_INFO;

void
log_set_program(const char *name)
{
	program = name;
}

void
log_set_request(const char *id)
{
	request_id = id;
}

void
log_set_level(enum log_level level)
{
	lowest = level;
}

/* The bytes of the UTF-8 character at p, or 0 where there is none; its code point in *point. */
static size_t
character(const unsigned char *p, size_t n, uint32_t *point)
{
	size_t len = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;

	if (len > n || !str_is_utf8((struct str){ (const char *)p, len }))
		return 0;
	*point = len == 1 ? *p : *p & (0x7fU >> len);
	for (size_t i = 1; i < len; i++)
		*point = *point << 6 | (p[i] & 0x3fU);
	return len;
}

/* Controls, and what changes the direction of text, must not reach a terminal. */
static bool
is_dangerous(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void
put_text(struct buf *b, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	buf_putc(b, '"');
	for (size_t i = 0, len; i < s.n; i += len) {
		uint32_t c = p[i];

		len = character(p + i, s.n - i, &c);
		if (len == 0) {
			buf_printf(b, "\\\\x%02X", p[i]);
			len = 1;
		} else if (c == '"' || c == '\\') {
			buf_putc(b, '\\');
			buf_putc(b, (char)c);
		} else if (is_dangerous(c)) {
			buf_printf(b, "\\u%04x", c);
		} else {
			buf_put(b, p + i, len);
		}
	}
	buf_putc(b, '"');
}

static void
put_field(struct buf *b, const struct log_field *f)
{
	buf_printf(b, ",\"%s\":", f->key);
	switch (f->kind) {
	case LOG_KIND_STR:
		if (f->text.p == NULL)
			buf_puts(b, "null");
		else
			put_text(b, f->text);
		break;
	case LOG_KIND_INT:
		buf_int64(b, f->integer);
		break;
	case LOG_KIND_REAL:
		buf_double(b, f->real);
		break;
	case LOG_KIND_BOOL:
		buf_puts(b, f->integer ? "true" : "false");
		break;
	}
}

void
log_write(enum log_level level, const char *event, size_t nfields, const struct log_field *fields)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	/* kept from line to line: a log line must not need memory when there is none */
	static struct buf line;
	char now[CLOCK_TEXT];
	ssize_t done;
	int saved = errno;

	if (level < lowest)
		return;
	buf_clear(&line);
	buf_puts(&line, "{\"time\":\"");
	buf_put(&line, now, clock_text(now, clock_now()));
	buf_printf(&line, "\",\"level\":\"%s\"", names[level]);
	if (program != NULL)
		put_field(&line, &LOG_TEXT("program", program));
	if (request_id != NULL)
		put_field(&line, &LOG_TEXT("request", request_id));
	buf_puts(&line, ",\"event\":");
	put_text(&line, str_of(event));
	for (size_t i = 0; i < nfields; i++)
		if (fields[i].key != NULL)
			put_field(&line, &fields[i]);
	buf_puts(&line, "}\n");
	for (size_t at = 0; at < line.n; at += (size_t)done) {
		done = write(STDERR_FILENO, line.p + at, line.n - at);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			break; /* a log that cannot be written must not stop the service */
	}
	errno = saved;
}
