/*
 * forwarded: X-Forwarded-For and the device cookie, as a stranger may write them.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "auth/device.h"
#include "http/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Whatever it says, the answer is the peer or an address in its plain form. */
static void
check_forwarded(struct arena *a, const struct config *c, struct str text)
{
	struct str peer = STR("10.0.0.1"), got = proxy_address(a, c, peer, &text, 1);
	char out[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, got.p, &four) == 1)
		inet_ntop(AF_INET, &four, out, sizeof(out));
	else if (inet_pton(AF_INET6, got.p, &six) == 1)
		inet_ntop(AF_INET6, &six, out, sizeof(out));
	else
		abort();
	if (!str_is(got, out))
		abort();
	/* who is not trusted is taken for what they are */
	if (!str_is(proxy_address(a, c, STR("192.0.2.1"), &text, 1), "192.0.2.1"))
		abort();
}

/* Nobody else's text is an entry of an account, and what it becomes is short. */
static void
check_device(struct arena *a, struct secret *secret, struct str text)
{
	uint8_t id[DEVICE_ID];
	struct str made;

	if (device_find(secret, a, text, STR("ada"), id))
		abort();
	made = device_add(secret, a, text, STR("ada"));
	if (made.n > DEVICE_MOST * 65 || !device_find(secret, a, made, STR("ada"), id))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct config *config;
	static struct secret *secret;
	struct arena *a = arena_new();
	struct str text = arena_copy(a, (const char *)data, n);
	char err[200];

	if (config == NULL) {
		setenv("MERIDIAN_CONFIG", "/dev/null", 1);
		setenv("MERIDIAN_TRUSTED_PROXIES", "10.0.0.0/8 2001:db8::/33", 1);
		config = config_load(err, sizeof(err));
		secret = secret_new("0123456789abcdef0123456789abcdef", 32);
	}
	check_forwarded(a, config, text);
	check_device(a, secret, text);
	arena_free(a);
	return 0;
}
