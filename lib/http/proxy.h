/*
 * proxy.h: whose word is taken for where a request comes from. Addresses are what the web server
 * says (REMOTE_ADDR); only where that is one of TRUSTED_PROXIES is X-Forwarded-For looked at, and
 * then the right-most hop that is none of them counts: what stands left of it the client wrote.
 */
#ifndef MERIDIAN_PROXY_H
#define MERIDIAN_PROXY_H

#include "http/request.h"

/* What is wrong with a list of addresses and networks, a sentence in the arena; absent: nothing. */
struct str proxy_config_wrong(struct arena *, const struct config *);

/*
 * The address of who asks. peer is REMOTE_ADDR, forwarded the values of X-Forwarded-For in the order
 * they came. A hop that is no address ends the walk at the proxy that passed it on.
 */
struct str proxy_address(
    struct arena *, const struct config *, struct str peer, const struct str *forwarded, size_t n);

/* Is the address in a list of addresses and networks, the value of that key? */
bool address_is_listed(const struct config *, const char *key, struct str address);

#endif
