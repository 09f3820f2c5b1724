/*
 * validators: Host headers, paths to go to, and dates, each with an oracle of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_host(struct arena *a, struct str text)
{
	struct str host = host_parse(a, text), name;

	if (host.p == NULL)
		return;
	name = host_name(host);
	if (host.n > text.n || name.n == 0 || strlen(host.p) != host.n)
		abort();
	for (size_t i = 0; i < host.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.:[]", host.p[i]) == NULL)
			abort();
	if (strstr(host.p, "..") != NULL || host.p[0] == '.' || name.p[name.n - 1] == '.')
		abort();
	/* once more changes nothing */
	if (!str_eq(host_parse(a, host), host))
		abort();
}

/* A browser would stay: no authority, no scheme, nothing that it strips or turns round. */
static void
check_local(struct arena *a, struct str text)
{
	struct str once;

	if (!url_is_local(text))
		return;
	once = url_decode(a, text, false);
	if (once.p == NULL)
		abort();
	for (int i = 0; i < 2; i++, text = once) {
		if (text.n == 0 || text.p[0] != '/' ||
		    (text.n > 1 && strchr("/\\", text.p[1]) != NULL && text.p[1] != '\0'))
			abort();
		for (size_t k = 0; k < text.n; k++)
			if ((unsigned char)text.p[k] < 0x20 || text.p[k] == '\\')
				abort();
	}
}

static void
check_date(struct arena *a, struct str text)
{
	int64_t at, again;

	if (clock_from_http(text, &at) &&
	    (!clock_from_http(clock_http(a, at), &again) || again != at))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = arena_copy(a, (const char *)data, size);

	check_host(a, text);
	check_local(a, text);
	check_date(a, text);
	arena_free(a);
	return 0;
}
