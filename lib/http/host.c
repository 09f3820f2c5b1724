/*
 * host: the Host header. Whatever is not plainly a host is refused before anything looks at it.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "http/serve.h"

/* The longest name DNS knows, and a port. */
#define HOST_MAX (253 + 6)

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* "a.b.c": labels of 1 to 63 characters. */
static bool
is_name(struct str s)
{
	size_t label = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!is_name_char(s.p[i]) || ++label > 63) {
			return false;
		}
	}
	return label > 0 && s.n <= 253;
}

/* "[::1]": an IPv6 address without a zone, which means nothing beyond its own machine. */
static bool
is_bracketed(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (s.n < 4 || s.n - 2 >= sizeof(text) || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	memcpy(text, s.p + 1, s.n - 2);
	text[s.n - 2] = '\0';
	return strlen(text) == s.n - 2 && inet_pton(AF_INET6, text, &address) == 1;
}

static bool
is_port(struct str s)
{
	int64_t port;

	return s.n > 0 && s.n <= 5 && s.p[0] != '-' && str_to_int64(s, &port) && port > 0 &&
	    port <= 65535;
}

struct str
host_name(struct str host)
{
	size_t end = host.n;

	while (end > 0 && host.p[end - 1] >= '0' && host.p[end - 1] <= '9')
		end--;
	if (end > 0 && host.p[end - 1] == ':')
		return (struct str){ host.p, end - 1 };
	return host;
}

struct str
host_parse(struct arena *a, struct str header)
{
	char text[HOST_MAX + 1];
	struct str host, name;

	if (header.p == NULL || header.n == 0 || header.n > HOST_MAX)
		return STR_NONE;
	for (size_t i = 0; i < header.n; i++) {
		char c = header.p[i];

		text[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	text[header.n] = '\0';
	host = (struct str){ text, header.n };
	name = host_name(host);
	if (name.n < host.n && !is_port((struct str){ host.p + name.n + 1, host.n - name.n - 1 }))
		return STR_NONE;
	if (is_bracketed(name))
		return arena_str(a, host);
	/* "example.org." is "example.org" */
	if (name.n > 1 && name.p[name.n - 1] == '.') {
		memmove(text + name.n - 1, text + name.n, host.n - name.n + 1);
		name.n--;
		host.n--;
	}
	return is_name(name) ? arena_str(a, host) : STR_NONE;
}

static bool
item_matches(struct str item, struct str host)
{
	struct str name = host_name(host);

	/* an item with a port is for that port alone */
	if (host_name(item).n < item.n)
		name = host;
	if (item.n > 1 && item.p[0] == '.')
		return (name.n >= item.n &&
		           strncasecmp(name.p + name.n - item.n, item.p, item.n) == 0) ||
		    (name.n == item.n - 1 && strncasecmp(name.p, item.p + 1, name.n) == 0);
	return name.n == item.n && strncasecmp(name.p, item.p, item.n) == 0;
}

bool
host_allowed(const struct config *c, struct str host)
{
	struct str item;

	for (size_t i = 0; (item = config_item(c, "ALLOWED_HOSTS", i)).p != NULL; i++)
		if (item_matches(item, host))
			return true;
	return false;
}
