/*
 * mariadb_url: DATABASE_URL for MariaDB and MySQL, whose client library knows no URLs.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "db/mariadb.h"

#define SOCKET "/run/mysqld/mysqld.sock" /* Debian's */
#define AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
	    : c >= 'a' && c <= 'f'  ? c - 'a' + 10
	    : c >= 'A' && c <= 'F'  ? c - 'A' + 10
	                            : -1;
}

/* Decodes %XX; NULL where that is wrong, or where a NUL would end the text early. */
static char *
decode(struct arena *a, struct str s)
{
	char *text = arena_alloc(a, s.n + 1), *w = text;

	for (size_t i = 0; i < s.n; i++) {
		int high, low;

		if (s.p[i] != '%') {
			*w++ = s.p[i];
			continue;
		}
		high = s.n - i > 2 ? hex(s.p[i + 1]) : -1;
		low = s.n - i > 2 ? hex(s.p[i + 2]) : -1;
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return NULL;
		*w++ = (char)(high * 16 + low);
		i += 2;
	}
	*w = '\0';
	return text;
}

/* The part before the first `c`, which goes too; *rest is what follows, absent where there is none. */
static struct str
cut(struct str s, char c, struct str *rest)
{
	const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	*rest = STR_NONE;
	if (at == NULL)
		return s;
	*rest = (struct str){ at + 1, s.n - (size_t)(at - s.p) - 1 };
	return (struct str){ s.p, (size_t)(at - s.p) };
}

static const char *
read_user(struct arena *a, struct str s, struct mariadb_url *u)
{
	struct str password, user = cut(s, ':', &password);

	if (user.n == 0)
		return "DATABASE_URL names no user, as in mariadb://user@host/name";
	u->user = decode(a, user);
	u->password = password.p != NULL ? decode(a, password) : NULL;
	return u->user == NULL || (password.p != NULL && u->password == NULL)
	    ? "the user or password in DATABASE_URL has a wrong %"
	    : NULL;
}

static const char *
read_host(struct arena *a, struct str s, struct mariadb_url *u)
{
	struct str port, host;
	int64_t n = 0;

	if (s.n > 0 && s.p[0] == '[') {
		host = cut((struct str){ s.p + 1, s.n - 1 }, ']', &port);
		if (port.p == NULL || (port.n > 0 && port.p[0] != ':'))
			return "the host in DATABASE_URL has no ]";
		port = port.n > 0 ? (struct str){ port.p + 1, port.n - 1 } : STR_NONE;
	} else
		host = cut(s, ':', &port);
	if (port.p != NULL && (!str_to_int64(port, &n) || n < 1 || n > 65535))
		return "the port in DATABASE_URL is no number from 1 to 65535";
	u->port = (unsigned)n;
	u->host = host.n > 0 ? decode(a, host) : NULL;
	return host.n > 0 && u->host == NULL ? "the host in DATABASE_URL has a wrong %" : NULL;
}

static const char *
read_settings(struct arena *a, struct str s, struct mariadb_url *u, bool *plain)
{
	while (s.n > 0) {
		struct str rest, value, name = cut(cut(s, '&', &rest), '=', &value);
		char *text = value.p != NULL ? decode(a, value) : NULL;

		if (text == NULL)
			return "a setting behind the ? of DATABASE_URL is not name=value";
		if (str_is(name, "socket") && text[0] == '/')
			u->socket = text;
		else if (str_is(name, "ssl-ca") && text[0] == '/')
			u->ssl_ca = text;
		else if (str_is(name, "ssl-mode") && strcasecmp(text, "disabled") == 0)
			*plain = true;
		else
			return "behind the ? of DATABASE_URL stand socket=/path, ssl-ca=/path and "
			       "ssl-mode=disabled";
		s = rest;
	}
	return NULL;
}

static bool
is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	return strcasecmp(host, "localhost") == 0 ||
	    (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127) ||
	    (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

const char *
mariadb_url_read(struct arena *a, const char *url, struct mariadb_url *u)
{
	const char *slashes = strstr(url, "://"), *wrong, *at;
	struct str rest, path, settings, user = STR_NONE;
	bool plain = false;

	*u = (struct mariadb_url){ .ssl_ca = AUTHORITIES };
	if (slashes == NULL)
		return "DATABASE_URL begins with mariadb:// or mysql://";
	rest = cut(str_of(slashes + 3), '?', &settings);
	rest = cut(rest, '/', &path);
	/* a password may have an @ that somebody forgot to write as %40: the last one counts */
	if (rest.n > 0 && (at = memrchr(rest.p, '@', rest.n)) != NULL) {
		user = (struct str){ rest.p, (size_t)(at - rest.p) };
		rest = (struct str){ at + 1, rest.n - user.n - 1 };
	}
	if (path.n == 0 || memchr(path.p, '/', path.n) != NULL)
		return "DATABASE_URL names no database, as in mariadb://user@host/name";
	u->database = decode(a, path);
	if (u->database == NULL)
		return "the database's name in DATABASE_URL has a wrong %";
	if ((wrong = read_user(a, user, u)) != NULL || (wrong = read_host(a, rest, u)) != NULL ||
	    (wrong = read_settings(a, settings, u, &plain)) != NULL)
		return wrong;
	/* as the client programs have it, "localhost" means the socket, unless a port is named */
	if (u->host != NULL && strcasecmp(u->host, "localhost") == 0 && u->port == 0)
		u->host = NULL;
	if (u->host != NULL && u->socket != NULL)
		return "DATABASE_URL names a host and a socket: one of them is enough";
	if (u->host == NULL && u->socket == NULL)
		u->socket = SOCKET;
	u->verify_tls = u->host != NULL && !is_loopback(u->host) && !plain;
	return NULL;
}
