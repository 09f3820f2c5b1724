/*
 * site: the Sites table, and what a host name must look like to stand in it.
 */
#include "tom/site.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>

/* -- domains -- */

static bool
is_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static bool
has_any(struct str s, const char *bytes)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || strchr(bytes, s.p[i]) != NULL)
			return true;
	return false;
}

/* Parts of an address that do not belong to a host name. */
static const char *
foreign_parts(struct str s)
{
	if (s.n == 0)
		return "Host name is needed, such as tom.example.org.";
	if (memmem(s.p, s.n, "://", 3) != NULL || str_starts(s, "//"))
		return "Leave out http:// or https://: the host name alone, such as "
		       "tom.example.org.";
	if (has_any(s, "/\\?#"))
		return "Leave out the path: the host name alone, such as tom.example.org.";
	if (has_any(s, "@"))
		return "Leave out the user name and the @: the host name alone, such as "
		       "tom.example.org.";
	if (has_any(s, "*"))
		return "Give each host name as a site of its own; * does not stand for any.";
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return "A host name has no blanks or control characters in it.";
	return NULL;
}

/* "8080" of "host:8080" into *port (0: none), and what is before it into *host. */
static const char *
split_port(struct str s, struct str *host, int64_t *port)
{
	const char *colon = memrchr(s.p, ':', s.n);
	struct str digits;

	*port = 0;
	*host = s;
	if (colon == NULL || (s.p[0] == '[' && s.p[s.n - 1] == ']'))
		return NULL;
	host->n = (size_t)(colon - s.p);
	digits = (struct str){ colon + 1, s.n - host->n - 1 };
	if (!(s.p[0] == '[' && s.p[host->n - (host->n > 0)] == ']') && has_any(*host, ":"))
		return "Put an IPv6 address in brackets, such as [2001:db8::1].";
	if (!is_digits(digits) || digits.n > 5 || !str_to_int64(digits, port) || *port < 1 ||
	    *port > 65535)
		return "Behind the colon stands a port, a number from 1 to 65535; leave both out "
		       "for "
		       "any port.";
	if (*port == 443 || *port == 80)
		return "Leave out the port: browsers do not send 443 or 80, and without one any "
		       "port "
		       "is answered.";
	return NULL;
}

/* "[...]" */
static const char *
check_ipv6(struct arena *a, struct str host, struct str *ascii)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	struct str inner = arena_copy(a, host.p + 1, host.n - 2);

	if (strlen(inner.p) != inner.n || inet_pton(AF_INET6, inner.p, &address) != 1 ||
	    inet_ntop(AF_INET6, &address, text, sizeof(text)) == NULL)
		return "In the brackets an IPv6 address is wanted, such as [2001:db8::1].";
	*ascii = arena_printf(a, "[%s]", text);
	return NULL;
}

/* Labels of the ASCII form: letters, digits and inner hyphens, 1 to 63 of them. */
static const char *
check_labels(struct str s)
{
	size_t from = 0;

	if (s.n > SITE_DOMAIN_MAX)
		return "A host name has at most 253 characters.";
	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != '.')
			continue;
		if (i == from)
			return "Between two dots of a host name, and before the first, there must "
			       "be a "
			       "name.";
		if (i - from > 63)
			return "Between two dots of a host name there are at most 63 characters.";
		if (s.p[from] == '-' || s.p[i - 1] == '-')
			return "No part of a host name begins or ends with a hyphen.";
		from = i + 1;
	}
	return NULL;
}

/* A name, or an IPv4 address. */
static const char *
check_name(struct arena *a, struct str host, struct str *ascii)
{
	static const char bad[] =
	    "A host name is made of letters, digits, hyphens and dots, such as "
	    "tom.example.org.";
	struct in_addr address;
	const char *wrong;
	uint8_t *made = NULL;
	struct str last;

	if (host.n > 1 && host.p[host.n - 1] == '.')
		host.n--; /* the root; browsers that send it are rare */
	if (host.n > SITE_DOMAIN_MAX * 4)
		return "A host name has at most 253 characters.";
	host = arena_copy(a, host.p, host.n);
	if (idn2_lookup_u8((const uint8_t *)host.p, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK) {
		wrong = check_labels(host);
		return wrong != NULL ? wrong : bad;
	}
	*ascii = arena_copy(a, (const char *)made, strlen((const char *)made));
	idn2_free(made);
	wrong = check_labels(*ascii);
	if (wrong != NULL)
		return wrong;
	for (size_t i = 0; i < ascii->n; i++)
		if (!((ascii->p[i] >= 'a' && ascii->p[i] <= 'z') || ascii->p[i] == '.' ||
		        (ascii->p[i] >= '0' && ascii->p[i] <= '9') || ascii->p[i] == '-'))
			return bad;
	last = *ascii;
	for (const char *dot; (dot = memchr(last.p, '.', last.n)) != NULL;)
		last = (struct str){ dot + 1, last.n - (size_t)(dot + 1 - last.p) };
	if (is_digits(last) && inet_pton(AF_INET, ascii->p, &address) != 1)
		return "This looks like an IPv4 address, but is none: four numbers from 0 to 255, "
		       "such as 192.0.2.1.";
	return NULL;
}

const char *
site_domain_wrong(struct arena *a, struct str typed, struct str *domain)
{
	struct str host, ascii, s = str_trim(typed);
	const char *wrong = foreign_parts(s);
	int64_t port = 0;

	if (wrong == NULL)
		wrong = split_port(s, &host, &port);
	if (wrong != NULL)
		return wrong;
	if (host.n == 0)
		wrong = "Before the colon the host name is missing.";
	else if (host.p[0] == '[' && host.p[host.n - 1] == ']')
		wrong = check_ipv6(a, host, &ascii);
	else
		wrong = check_name(a, host, &ascii);
	if (wrong != NULL)
		return wrong;
	*domain = port == 0 ? ascii : arena_printf(a, "%.*s:%d", STR_ARG(ascii), (int)port);
	return NULL;
}

const char *
site_name_wrong(struct str typed, struct str *name)
{
	*name = str_trim(typed);
	if (name->n == 0)
		return "A site needs a name: what people call it.";
	for (size_t i = 0; i < name->n; i++)
		if ((unsigned char)name->p[i] < ' ' || name->p[i] == 0x7f)
			return "A site's name has no control characters and no second line.";
	if (!str_is_utf8(*name))
		return "A site's name is text in UTF-8.";
	if (str_code_points(*name) > SITE_NAME_MAX)
		return "A site's name has at most 100 characters.";
	return NULL;
}

struct str
site_domain_shown(struct arena *a, struct str domain)
{
	struct str shown = STR_NONE;
	char *made = NULL;

	if (memmem(domain.p, domain.n, "xn--", 4) == NULL)
		return STR_NONE;
	if (idn2_to_unicode_8z8z(domain.p, &made, 0) != IDN2_OK)
		return STR_NONE;
	if (strlen(made) != domain.n || memcmp(made, domain.p, domain.n) != 0)
		shown = arena_copy(a, made, strlen(made));
	idn2_free(made);
	return shown;
}

bool
site_domain_answers(struct str domain, struct str host)
{
	if (str_eq(domain, host))
		return true;
	return host.n > domain.n && memcmp(host.p, domain.p, domain.n) == 0 &&
	    host.p[domain.n] == ':' &&
	    is_digits((struct str){ host.p + domain.n + 1, host.n - domain.n - 1 });
}

/* -- the table -- */

static void
read_site(struct query *q, struct arena *a, struct site *s)
{
	s->id = db_col_int(q, "id");
	s->domain = db_col_copy(q, "domain", a);
	s->name = db_col_copy(q, "name", a);
}

enum db_result
site_list(struct db *db, struct arena *a, struct site **sites, size_t *n)
{
	struct query *q = db_query(db, QUERY_SITE_LIST);
	size_t room = 0;

	*sites = NULL;
	*n = 0;
	while (db_step(q) == DB_ROW) {
		*sites = arena_more(a, *sites, *n, &room, sizeof(**sites));
		read_site(q, a, &(*sites)[(*n)++]);
	}
	return db_done(q);
}

enum db_result
site_get(struct db *db, struct arena *a, int64_t id, struct site *site)
{
	struct query *q = db_query(db, QUERY_SITE_GET);
	bool found = false;
	enum db_result r;

	db_int(q, "id", id);
	while (db_step(q) == DB_ROW) {
		read_site(q, a, site);
		found = true;
	}
	r = db_done(q);
	return r == DB_END && found ? DB_ROW : r;
}

enum db_result
site_add(struct db *db, struct str domain, struct str name, int64_t *id)
{
	struct query *q = db_query(db, QUERY_SITE_ADD);

	db_text(q, "domain", domain);
	db_text(q, "name", name);
	return db_insert(q, id);
}

enum db_result
site_change(struct db *db, const struct site *site)
{
	struct query *q = db_query(db, QUERY_SITE_CHANGE);
	enum db_result r;

	db_int(q, "id", site->id);
	db_text(q, "domain", site->domain);
	db_text(q, "name", site->name);
	r = db_run(q);
	return r == DB_END && db_changes(db) > 0 ? DB_ROW : r;
}

struct deletion {
	int64_t id, in_use;
	enum db_result answer; /* DB_ROW, DB_END, DB_REFUSED: as site_delete says */
};

static enum db_result
delete_unless_last(struct db *db, void *arg)
{
	struct deletion *d = arg;
	struct query *q = db_query(db, QUERY_SITE_LOCK);
	enum db_result r;
	size_t n = 0;
	bool found = false;

	while (db_step(q) == DB_ROW) {
		n++;
		found = found || db_col_int(q, "id") == d->id;
	}
	r = db_done(q);
	d->answer = !found ? DB_END : n < 2 || d->id == d->in_use ? DB_REFUSED : DB_ROW;
	if (r != DB_END || d->answer != DB_ROW)
		return r;
	q = db_query(db, QUERY_SITE_DELETE);
	db_int(q, "id", d->id);
	return db_run(q);
}

enum db_result
site_delete(struct db *db, int64_t id, int64_t in_use)
{
	struct deletion d = { .id = id, .in_use = in_use };
	enum db_result r = db_transaction(db, DB_WRITE, delete_unless_last, &d);

	return r == DB_END ? d.answer : r;
}
