/*
 * mail_message: a mail as it is sent (RFC 5322, RFC 2045 to 2047), all of it ASCII. A header is made of
 * what was checked for it, or of encoded words, so no text can begin another one.
 */
#include <string.h>

#include "base/buf.h"
#include "tom/mail.h"

#define LINE_MAX_7BIT 900 /* bytes; RFC 5322 allows 998 */
#define LINE_MAX_QP 72 /* RFC 2045 allows 76 */
#define WORD_BYTES 42 /* of text in an encoded word: 75 characters of it (RFC 2047) */

/* -- addresses -- */

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits and those of `more`, in parts that are not empty, divided by dots. */
static bool
is_dotted(struct str s, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && (i == 0 || i + 1 == s.n || s.p[i - 1] == '.'))
			return false;
		if (!is_alnum(s.p[i]) && s.p[i] != '.' &&
		    (s.p[i] == '\0' || strchr(more, s.p[i]) == NULL))
			return false;
	}
	return s.n > 0;
}

/* No part of a host name begins or ends with a hyphen, or is longer than 63. */
static bool
has_good_labels(struct str host)
{
	size_t from = 0;

	for (size_t i = 0; i <= host.n; i++) {
		if (i < host.n && host.p[i] != '.')
			continue;
		if (i - from > 63 || host.p[from] == '-' || host.p[i - 1] == '-')
			return false;
		from = i + 1;
	}
	return true;
}

bool
mail_address_is_good(struct str s)
{
	size_t at = str_find(s, '@');
	struct str local = { s.p, at }, host;

	if (s.n > MAIL_ADDRESS_MAX || at == 0 || at > 64 || at + 1 >= s.n)
		return false;
	host = (struct str){ s.p + at + 1, s.n - at - 1 };
	/* a leading '-' would be an option of some program */
	return local.p[0] != '-' && is_dotted(local, "!#$%&'*+-/=?^_`{|}~") &&
	    is_dotted(host, "-") && has_good_labels(host);
}

struct str
mail_address_key(struct arena *a, struct str s)
{
	struct str key = arena_str(a, s);

	for (char *p = (char *)key.p; p < key.p + key.n; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return key;
}

/* -- headers -- */

static void
put_base64(struct buf *b, const char *p, size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)p[i] << 16;

		if (i + 1 < n)
			v |= (uint32_t)(unsigned char)p[i + 1] << 8;
		if (i + 2 < n)
			v |= (unsigned char)p[i + 2];
		buf_putc(b, digits[v >> 18]);
		buf_putc(b, digits[v >> 12 & 63]);
		buf_putc(b, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_putc(b, i + 2 < n ? digits[v & 63] : '=');
	}
}

/* May the text stand as it is: letters, digits, blanks and what means nothing in any header? */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && (s.p[i] == '\0' || strchr(" -_'/!", s.p[i]) == NULL))
			return false;
	return s.n > 0 && s.n <= 60 && s.p[0] != ' ' && s.p[s.n - 1] != ' ';
}

/* The text, or encoded words of it, each on a line of its own. */
static void
put_words(struct buf *b, struct str s)
{
	if (is_plain(s)) {
		buf_str(b, s);
		return;
	}
	for (size_t from = 0; from < s.n;) {
		size_t n = s.n - from < WORD_BYTES ? s.n - from : WORD_BYTES;

		while (from + n < s.n && n > 1 && ((unsigned char)s.p[from + n] & 0xc0) == 0x80)
			n--; /* no character is cut */
		buf_puts(b, from > 0 ? "\n =?utf-8?B?" : "=?utf-8?B?");
		put_base64(b, s.p + from, n);
		buf_puts(b, "?=");
		from += n;
	}
}

/* "Tue, 24 Nov 2026 03:13:29 +0000" */
static void
put_date(struct buf *b, struct arena *a, int64_t now)
{
	struct str date = clock_http(a, now);

	buf_put(b, date.p, date.n - strlen("GMT"));
	buf_puts(b, "+0000");
}

/* -- the body -- */

/* With LF at the end of each line, and at the end. */
static struct str
with_lines(struct arena *a, struct str s)
{
	char *to = arena_alloc(a, s.n + 2);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		to[n++] = s.p[i] == '\r' ? '\n' : s.p[i];
	}
	if (n == 0 || to[n - 1] != '\n')
		to[n++] = '\n';
	return (struct str){ to, n };
}

static bool
is_7bit(struct str s)
{
	size_t length = 0;

	for (size_t i = 0; i < s.n; i++) {
		length = s.p[i] == '\n' ? 0 : length + 1;
		if (length > LINE_MAX_7BIT ||
		    (((unsigned char)s.p[i] < ' ' || (unsigned char)s.p[i] > '~') &&
		        s.p[i] != '\n' && s.p[i] != '\t'))
			return false;
	}
	return true;
}

static void
put_quoted(struct buf *b, struct str s)
{
	size_t length = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool at_end = i + 1 == s.n || s.p[i + 1] == '\n';

		if (c == '\n') {
			buf_putc(b, '\n');
			length = 0;
			continue;
		}
		if (length >= LINE_MAX_QP) {
			buf_puts(b, "=\n");
			length = 0;
		}
		if (c > ' ' && c <= '~' && c != '=') {
			buf_putc(b, (char)c);
			length++;
		} else if (c == ' ' && !at_end) {
			buf_putc(b, ' ');
			length++;
		} else {
			buf_printf(b, "=%02X", c);
			length += 3;
		}
	}
}

struct str
mail_message(
    struct arena *a, const struct config *c, const struct mail *m, struct str domain, int64_t now)
{
	struct str from = str_of(config_text(c, "MAIL_FROM")), body = with_lines(a, m->body), done;
	struct str host = { domain.p, str_find(domain, ':') };
	struct buf b = { 0 };
	bool plain = is_7bit(body);

	if (!mail_address_is_good(from) || !mail_address_is_good(m->to))
		return STR_NONE;
	if (!is_dotted(host, "-")) /* an IPv6 address */
		host = STR("localhost");
	buf_puts(&b, "Date: ");
	put_date(&b, a, now);
	buf_puts(&b, "\nFrom: ");
	put_words(&b, str_of(config_text(c, "TOM_NAME")));
	buf_printf(&b, " <%.*s>\nTo: <%.*s>\nSubject: ", STR_ARG(from), STR_ARG(m->to));
	put_words(&b, m->subject);
	buf_printf(&b, "\nMessage-ID: <meridian.%lld.%lld@%.*s>\n", (long long)m->id,
	    (long long)m->created, STR_ARG(host));
	buf_printf(&b,
	    "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: %s\nAuto-Submitted: auto-generated\n\n",
	    plain ? "7bit" : "quoted-printable");
	if (plain)
		buf_str(&b, body);
	else
		put_quoted(&b, body);
	done = arena_copy(a, b.p, b.n);
	buf_free(&b);
	return done;
}
