/*
 * proxy: networks of trusted proxies, and the walk through X-Forwarded-For from the right.
 */
#include "http/proxy.h"

#include <arpa/inet.h>
#include <string.h>

#define HOPS 50 /* more than anybody has; a longer header is cut on the left */

/* IPv4 as the mapped IPv6 it is, so that one comparison serves both. */
static bool
read_address(struct str text, struct in6_addr *out, bool *four)
{
	char copy[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (strlen(copy) != text.n)
		return false;
	*four = inet_pton(AF_INET, copy, &v4) == 1;
	if (!*four) {
		if (inet_pton(AF_INET6, copy, out) != 1)
			return false;
		*four = IN6_IS_ADDR_V4MAPPED(out);
		return true;
	}
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(out->s6_addr + 12, &v4, sizeof(v4));
	return true;
}

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. */
static bool
read_network(struct str item, struct in6_addr *net, unsigned *bits)
{
	size_t slash = str_find(item, '/');
	int64_t n = -1;
	bool four;

	if (!read_address((struct str){ item.p, slash }, net, &four))
		return false;
	*bits = 128;
	if (slash == item.n)
		return true;
	if (!str_to_int64((struct str){ item.p + slash + 1, item.n - slash - 1 }, &n) || n < 0 ||
	    n > (four ? 32 : 128))
		return false;
	*bits = (unsigned)n + (four ? 96 : 0);
	return true;
}

static bool
is_in(const struct in6_addr *address, const struct in6_addr *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(address, net, whole) == 0 &&
	    (rest == 0 ||
	        ((address->s6_addr[whole] ^ net->s6_addr[whole]) >> (8 - rest) & 0xff) == 0);
}

struct str
proxy_config_wrong(struct arena *a, const struct config *c)
{
	static const char *const keys[] = { "TRUSTED_PROXIES", "METRICS_FROM" };
	struct in6_addr net;
	unsigned bits;
	struct str item;

	for (size_t k = 0; k < NELEM(keys); k++)
		for (size_t i = 0; (item = config_item(c, keys[k], i)).p != NULL; i++)
			if (!str_is(item, "unix:") && !read_network(item, &net, &bits))
				return arena_printf(a,
				    "%s: \"%.*s\" is no address and no network such as 10.0.0.0/8",
				    keys[k], STR_ARG(item));
	return STR_NONE;
}

bool
address_is_listed(const struct config *c, const char *key, struct str text)
{
	struct in6_addr address, net;
	bool four, known = read_address(text, &address, &four);
	unsigned bits;
	struct str item;

	for (size_t i = 0; (item = config_item(c, key, i)).p != NULL; i++)
		if (str_is(item, "unix:")
		        ? str_is(text, "unix:")
		        : known && read_network(item, &net, &bits) && is_in(&address, &net, bits))
			return true;
	return false;
}

static bool
is_trusted(const struct config *c, struct str text)
{
	return address_is_listed(c, "TRUSTED_PROXIES", text);
}

/* "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80" in one form; absent where it is no address. */
static struct str
hop_address(struct arena *a, struct str hop)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	bool four;

	hop = str_trim(hop);
	if (hop.n > 0 && hop.p[0] == '[') {
		hop = (struct str){ hop.p + 1, hop.n - 1 };
		hop.n = str_find(hop, ']');
	} else if (str_find(hop, '.') < str_find(hop, ':')) {
		hop.n = str_find(hop, ':');
	}
	if (!read_address(hop, &address, &four))
		return STR_NONE;
	if (four)
		inet_ntop(AF_INET, address.s6_addr + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &address, text, sizeof(text));
	return arena_str(a, str_of(text));
}

/* The last hop of the list, which is cut off. False where there is none. */
static bool
last_hop(struct str *list, struct str *hop)
{
	const char *comma;

	if (list->p == NULL)
		return false;
	comma = memrchr(list->p, ',', list->n);
	if (comma == NULL) {
		*hop = *list;
		*list = STR_NONE;
		return true;
	}
	*hop = (struct str){ comma + 1, list->n - (size_t)(comma - list->p) - 1 };
	list->n = (size_t)(comma - list->p);
	return true;
}

struct str
proxy_address(
    struct arena *a, const struct config *c, struct str peer, const struct str *forwarded, size_t n)
{
	struct str address = peer, list, hop;
	int hops = 0;

	while (n > 0) {
		list = forwarded[--n];
		while (last_hop(&list, &hop)) {
			struct str next;

			if (!is_trusted(c, address) || ++hops > HOPS)
				return address;
			next = hop_address(a, hop);
			if (next.p == NULL)
				return address;
			address = next;
		}
	}
	return address;
}
