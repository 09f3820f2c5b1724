/*
 * multipart: a parser of multipart/form-data (RFC 7578) that is fed piece by piece and holds no
 * more than one part's header, one field, or one piece of a file. Fields go to request->post,
 * files to unlinked temporary files in request->uploads.
 *
 * The body is CRLF "--boundary" CRLF header CRLF CRLF content, again and again, then
 * CRLF "--boundary--". The first delimiter may stand without its CRLF, so we begin as if one had
 * been seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "http/serve.h"

#define PARTS_MAX 100
#define HEADER_MAX KIB(8)
#define FIELDS_MAX ((size_t)2621440) /* bytes of all fields that are no files */
#define FILENAME_MAX_BYTES 255
#define PARAMETERS_MAX 16 /* of one line of a header */

#define FINE ((struct refusal){ 0, NULL })

struct multipart {
	struct request *request;
	struct str delimiter; /* "\r\n--boundary" */
	enum { CONTENT, AFTER_DELIMITER, HEADER, EPILOGUE } state;
	bool preamble; /* CONTENT before the first delimiter: must be empty */
	struct buf held; /* bytes that are not decided yet */
	struct buf field; /* the field under way */
	struct str name;
	struct upload *upload; /* the file under way, or NULL */
	size_t parts, field_bytes, room;
};

static struct refusal
refuse(int status, const char *why)
{
	return (struct refusal){ status, why };
}

static struct refusal
malformed(void)
{
	return refuse(400, "The multipart body is not well-formed.");
}

static void
release(void *arg)
{
	struct multipart *m = arg;

	buf_free(&m->held);
	buf_free(&m->field);
}

struct multipart *
multipart_new(struct request *r, struct str boundary)
{
	struct multipart *m = arena_alloc(r->arena, sizeof(*m));

	m->request = r;
	m->delimiter = arena_printf(r->arena, "\r\n--%.*s", STR_ARG(boundary));
	m->preamble = true;
	arena_defer(r->arena, release, m);
	buf_puts(&m->held, "\r\n");
	return m;
}

static bool
is_boundary_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Reads a value, in quotes or not, from *i on, and leaves *i behind it. Its bytes go to `to`, which
 * has room for all of the header, or with NULL nowhere. Their number; -1 where it is not well-formed.
 */
static ssize_t
take_value(struct str header, size_t *i, char *to)
{
	size_t n = 0, at = *i;
	bool quoted = at < header.n && header.p[at] == '"';

	for (at += quoted; at < header.n && header.p[at] != (quoted ? '"' : ';'); at++, n++) {
		/* browsers write %22 for a quote; only a backslash before a quote or another
		 * backslash is an escape: IE sent paths */
		if (quoted && header.p[at] == '\\' && at + 1 < header.n &&
		    (header.p[at + 1] == '"' || header.p[at + 1] == '\\'))
			at++;
		if (to != NULL)
			to[n] = header.p[at];
	}
	if (quoted && at++ == header.n)
		return -1;
	while (quoted && at < header.n && header.p[at] != ';')
		if (!is_blank(header.p[at++]))
			return -1;
	while (!quoted && to != NULL && n > 0 && is_blank(to[n - 1]))
		to[--n] = '\0';
	*i = at;
	return (ssize_t)n;
}

/*
 * The parameter of "a; b=c; d=\"e\"", in the arena; absent where it is not there, not well-formed,
 * there twice, or among too many. Only what is asked for takes memory: others may be thousands.
 */
static struct str
parameter(struct arena *a, struct str header, const char *name)
{
	struct str found = STR_NONE;
	size_t i = str_find(header, ';');

	for (int count = 0; i < header.n; count++) {
		size_t start = ++i;
		char *value = NULL;
		struct str key;
		ssize_t n;

		while (i < header.n && header.p[i] != '=' && header.p[i] != ';')
			i++;
		key = str_trim((struct str){ header.p + start, i - start });
		if (count == PARAMETERS_MAX)
			return STR_NONE;
		if (i == header.n || header.p[i] == ';') {
			if (key.n > 0)
				return STR_NONE;
			continue;
		}
		for (i++; i < header.n && is_blank(header.p[i]);)
			i++;
		if (str_is_nocase(key, name)) {
			if (found.p != NULL)
				return STR_NONE;
			value = arena_alloc(a, header.n + 1);
		}
		n = take_value(header, &i, value);
		if (n < 0)
			return STR_NONE;
		if (value != NULL)
			found = (struct str){ value, (size_t)n };
	}
	return found;
}

struct str
multipart_boundary(struct arena *a, struct str content_type)
{
	struct str s = parameter(a, content_type, "boundary");

	if (s.n == 0 || s.n > 70 || s.p[s.n - 1] == ' ')
		return STR_NONE;
	for (size_t i = 0; i < s.n; i++)
		if (!is_boundary_char(s.p[i]))
			return STR_NONE;
	return s;
}

static void
close_file(void *arg)
{
	struct upload *u = arg;

	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

const char *
multipart_directory(void)
{
	const char *dir = getenv("TMPDIR");

	return dir == NULL || dir[0] != '/' ? "/tmp" : dir;
}

/* A file without a name: nobody else opens it, and it is gone with the request. */
static int
temporary_file(void)
{
	const char *dir = multipart_directory();
	char path[4096];
	int fd, n;

	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	n = snprintf(path, sizeof(path), "%s/meridian-XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

static struct refusal
begin_file(struct multipart *m, struct str filename, struct str type)
{
	struct request *r = m->request;
	struct upload *u;

	if (filename.n > FILENAME_MAX_BYTES)
		return refuse(400, "The name of an uploaded file is too long.");
	if (r->nuploads == m->room) {
		/* other parts hold pointers to none of these: only the list itself moves */
		struct upload *list = arena_array(r->arena, PARTS_MAX, sizeof(*list));

		r->uploads = list;
		m->room = PARTS_MAX;
	}
	u = &r->uploads[r->nuploads];
	*u = (struct upload){ .name = m->name,
		.filename = filename,
		.type = type.p == NULL ? STR("application/octet-stream") : type,
		.fd = temporary_file() };
	/* an executable without a route for files has no place for them (server_confine) */
	if (u->fd < 0 && errno == EACCES) {
		log_warn("a file was sent to where none are taken",
		    LOG_TEXT("route", r->route == NULL ? "" : r->route->path));
		return refuse(415, "This page takes no files.");
	}
	if (u->fd < 0) {
		log_error("temporary file failed", LOG_TEXT("error", strerror(errno)));
		return refuse(errno == ENOSPC ? 507 : 500, NULL);
	}
	r->nuploads++;
	arena_defer(r->arena, close_file, u);
	m->upload = u;
	return FINE;
}

/* The part's header, complete: what is it, and under which name? */
static struct refusal
read_header(struct multipart *m, struct str header)
{
	struct arena *a = m->request->arena;
	struct str disposition = STR_NONE, type = STR_NONE, filename;

	if (++m->parts > PARTS_MAX)
		return refuse(400, "The form has more than 100 parts.");
	while (header.n > 0) {
		const char *crlf = memmem(header.p, header.n, "\r\n", 2);
		size_t n = crlf == NULL ? header.n : (size_t)(crlf - header.p);
		struct str line = { header.p, n }, key = { header.p, str_find(line, ':') };
		struct str value;

		header.p += n + (crlf == NULL ? 0 : 2);
		header.n -= n + (crlf == NULL ? 0 : 2);
		if (key.n == n)
			return malformed();
		value = str_trim((struct str){ line.p + key.n + 1, n - key.n - 1 });
		if (!str_is_utf8(value))
			return malformed();
		for (size_t i = 0; i < value.n; i++)
			if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
				return malformed();
		if (str_is_nocase(key, "Content-Disposition")) {
			if (disposition.p != NULL)
				return malformed();
			disposition = value;
		} else if (str_is_nocase(key, "Content-Type")) {
			type = arena_str(a, value);
		} else if (str_is_nocase(key, "Content-Transfer-Encoding") &&
		    !str_is_nocase(value, "binary") && !str_is_nocase(value, "8bit") &&
		    !str_is_nocase(value, "7bit")) {
			return refuse(400, "A part of the form has a transfer encoding.");
		}
	}
	if (disposition.n < 9 || strncasecmp(disposition.p, "form-data", 9) != 0)
		return malformed();
	m->name = parameter(a, disposition, "name");
	if (m->name.n == 0 || m->name.n > 255)
		return malformed();
	filename = parameter(a, disposition, "filename");
	m->upload = NULL;
	buf_clear(&m->field);
	return filename.p == NULL ? FINE : begin_file(m, filename, type);
}

static struct refusal
write_file(struct upload *u, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(u->fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			log_error("temporary file failed", LOG_TEXT("error", strerror(errno)));
			return refuse(errno == ENOSPC || errno == EDQUOT ? 507 : 500, NULL);
		}
		p += done;
		n -= (size_t)done;
		u->size += done;
	}
	return FINE;
}

static struct refusal
put_content(struct multipart *m, const char *p, size_t n)
{
	if (n == 0)
		return FINE;
	if (m->preamble)
		return malformed();
	if (m->upload != NULL)
		return write_file(m->upload, p, n);
	m->field_bytes += n;
	if (m->field_bytes > FIELDS_MAX)
		return refuse(413, NULL);
	buf_put(&m->field, p, n);
	return FINE;
}

static struct refusal
end_part(struct multipart *m)
{
	struct request *r = m->request;
	struct str text;

	if (m->preamble) {
		m->preamble = false;
		return FINE;
	}
	if (m->upload != NULL) {
		if (lseek(m->upload->fd, 0, SEEK_SET) != 0)
			return refuse(500, NULL);
		/* a file field left empty comes as an empty file without a name */
		if (m->upload->filename.n == 0 && m->upload->size == 0) {
			close_file(m->upload);
			r->nuploads--;
		}
		m->upload = NULL;
		return FINE;
	}
	text = arena_copy(r->arena, m->field.p == NULL ? "" : m->field.p, m->field.n);
	if (!str_is_utf8(text) || str_find(text, '\0') != text.n || !str_is_utf8(m->name))
		return refuse(400, "A field of the form is not UTF-8 text.");
	pairs_add(r->arena, &r->post, m->name, text);
	return FINE;
}

/* Decides as much of what is held as can be; *used says how much. */
static struct refusal
step(struct multipart *m, struct str held, size_t *used)
{
	struct refusal no;
	const char *at;

	*used = 0;
	switch (m->state) {
	case CONTENT:
		at = memmem(held.p, held.n, m->delimiter.p, m->delimiter.n);
		if (at != NULL) {
			*used = (size_t)(at - held.p) + m->delimiter.n;
			no = put_content(m, held.p, (size_t)(at - held.p));
			m->state = AFTER_DELIMITER;
			return no.status != 0 ? no : end_part(m);
		}
		/* all but what may be the beginning of a delimiter */
		if (held.n >= m->delimiter.n) {
			*used = held.n - m->delimiter.n + 1;
			return put_content(m, held.p, *used);
		}
		return FINE;
	case AFTER_DELIMITER:
		if (held.n < 2)
			return FINE;
		*used = 2;
		m->state = memcmp(held.p, "--", 2) == 0 ? EPILOGUE : HEADER;
		return m->state == HEADER && memcmp(held.p, "\r\n", 2) != 0 ? malformed() : FINE;
	case HEADER:
		at = memmem(held.p, held.n, "\r\n\r\n", 4);
		if (at == NULL)
			return held.n > HEADER_MAX ? malformed() : FINE;
		/* an empty part's delimiter stands after the blank line with a CRLF of its own */
		*used = (size_t)(at - held.p) + 4;
		if (*used > HEADER_MAX)
			return malformed();
		m->state = CONTENT;
		return read_header(m, (struct str){ held.p, (size_t)(at - held.p) });
	case EPILOGUE:
		*used = held.n;
		return FINE;
	}
	return malformed();
}

struct refusal
multipart_feed(struct multipart *m, const char *p, size_t n)
{
	struct refusal no;
	size_t at = 0, used;

	buf_put(&m->held, p, n);
	do {
		no = step(m, (struct str){ m->held.p + at, m->held.n - at }, &used);
		at += used;
	} while (no.status == 0 && used > 0 && at < m->held.n);
	memmove(m->held.p, m->held.p + at, m->held.n - at);
	m->held.n -= at;
	return no;
}

struct refusal
multipart_end(struct multipart *m)
{
	return m->state == EPILOGUE ? FINE : malformed();
}
