/*
 * mariadb_url: DATABASE_URL of MariaDB. What is taken has its parts, and none of them ends early.
 */
#include <stdlib.h>
#include <string.h>

#include "db/mariadb.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	const char *url = arena_copy(a, (const char *)data, size).p;
	struct mariadb_url u;

	if (mariadb_url_read(a, url, &u) == NULL) {
		if (u.user == NULL || u.user[0] == '\0' || u.database == NULL ||
		    u.database[0] == '\0')
			abort();
		if ((u.host == NULL) == (u.socket == NULL) || u.port > 65535)
			abort();
		if (strlen(u.user) + strlen(u.database) > size)
			abort();
		/* to another machine never without TLS unless that was asked for */
		if (u.host != NULL && !u.verify_tls && strcasestr(url, "disabled") == NULL &&
		    strchr(url, '%') == NULL && strcasecmp(u.host, "localhost") != 0 &&
		    u.host[strspn(u.host, "0123456789abcdefABCDEF.:")] != '\0')
			abort();
	}
	arena_free(a);
	return 0;
}
