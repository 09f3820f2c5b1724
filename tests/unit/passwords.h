/*
 * passwords.h: what tests of passwords share: the configuration, with a folder of their own for the
 * turns of the machine and a file of breaches.
 */
#ifndef MERIDIAN_PASSWORDS_H
#define MERIDIAN_PASSWORDS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/password.h"

static char dir[] = "/tmp/meridian-unit-XXXXXX";

/* What the environment says counts from now on. */
static inline int
configure(void)
{
	char err[200];
	struct config *c = config_load(err, sizeof(err));

	if (c == NULL)
		return -1;
	password_configure(c);
	config_free(c);
	return 0;
}

static inline int
set_up(void **state)
{
	const char *srcdir = getenv("srcdir");
	char share[300];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(share, sizeof(share), "%s/share", srcdir != NULL ? srcdir : "..");
	setenv("MERIDIAN_SHARE_DIR", share, 1);
	setenv("MERIDIAN_RUN_DIR", dir, 1);
	setenv("MERIDIAN_PASSWORD_FLOOR_MS", "0", 1);
	setenv("MERIDIAN_PASSWORD_IMPORT_MD5", "yes", 1);
	unsetenv("MERIDIAN_CONFIG");
	return configure();
}

static inline int
tear_down(void **state)
{
	static const char *const files[] = { "passwords.lock", "breaches" };
	char path[100];

	(void)state;
	for (size_t i = 0; i < NELEM(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);
}

/* An empty arena, until the next call. */
static inline struct arena *
fresh(void)
{
	static struct arena *a;

	if (a == NULL)
		a = arena_new();
	arena_reset(a);
	return a;
}

#endif
