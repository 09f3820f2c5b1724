/*
 * fuzz mail: an address, a subject and a body that strangers choose, divided by the first two NULs. What
 * is taken for an address is safe in a header and as an argument, and the message has the headers that
 * we gave it and no others.
 */
#include <stdlib.h>
#include <string.h>

#include "tom/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct config *
settings(void)
{
	static struct config *c;
	char err[256];

	if (c == NULL) {
		setenv("MERIDIAN_CONFIG", "/dev/null", 1);
		setenv("MERIDIAN_MAIL_FROM", "tom@example.org", 1);
		if ((c = config_load(err, sizeof(err))) == NULL)
			abort();
	}
	return c;
}

static struct str
next_part(struct str *rest)
{
	struct str part = { rest->p, str_find(*rest, '\0') };
	size_t used = part.n < rest->n ? part.n + 1 : part.n;

	*rest = (struct str){ rest->p + used, rest->n - used };
	return part;
}

static void
check_address(struct str s)
{
	if (s.n == 0 || s.n > MAIL_ADDRESS_MAX || s.p[0] == '-')
		abort();
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("<>()[]\\,;:\"", s.p[i]) != NULL)
			abort();
}

static void
check_message(struct str text)
{
	static const char *const names[] = { "Date: ", "From: ", "To: ", "Subject: ",
		"Message-ID: ", "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: ",
		"Auto-Submitted: " };
	const char *p = text.p;
	size_t n = 0;

	for (; *p != '\n'; p += strcspn(p, "\n") + 1) {
		if (*p == ' ')
			continue;
		if (n == NELEM(names) || strncmp(p, names[n], strlen(names[n])) != 0)
			abort();
		n++;
	}
	if (n != NELEM(names))
		abort();
	for (size_t i = 0, length = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		length = c == '\n' ? 0 : length + 1;
		if (length > 998 || c > '~' || (c < ' ' && c != '\n' && c != '\t'))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str whole = arena_copy(a, (const char *)data, size), rest = whole, text;
	struct mail m = { .id = 1, .created = 1 };

	m.to = arena_str(a, next_part(&rest));
	m.subject = arena_str(a, next_part(&rest));
	m.body = rest;
	if (mail_address_is_good(m.to))
		check_address(m.to);
	text = mail_message(a, settings(), &m, STR("tom.example.org:8443"), 0);
	if ((text.p != NULL) != mail_address_is_good(m.to))
		abort();
	if (text.p != NULL)
		check_message(text);
	m.to = STR("ada@example.org");
	check_message(mail_message(a, settings(), &m, STR("[::1]"), 0));
	arena_free(a);
	return 0;
}
