/*
 * engine: which driver a DATABASE_URL asks for.
 */
#include <stdio.h>
#include <string.h>

#include "db/driver.h"

static const struct engine {
	const char *begins;
	enum db_engine engine;
	const struct driver *driver;
} engines[] = {
	{ "sqlite:", DB_SQLITE, &sqlite_driver },
	{ "postgresql://", DB_POSTGRESQL, &postgresql_driver },
	{ "postgres://", DB_POSTGRESQL, &postgresql_driver },
	{ "mariadb://", DB_MARIADB, &mariadb_driver },
	{ "mysql://", DB_MARIADB, &mariadb_driver },
};

/* "sqlite:/path" and "sqlite:///path" */
static int
choose_file(struct db *db, const char *url, char *err, size_t errsize)
{
	const char *path = url + strlen("sqlite:");

	if (strncmp(path, "//", 2) == 0)
		path += 2;
	if (path[0] != '/') {
		snprintf(err, errsize,
		    "DATABASE_URL names a SQLite file by its whole path, sqlite:/path, not \"%s\"",
		    url);
		return -1;
	}
	db->path = arena_strdup(db->arena, path);
	return 0;
}

static int
choose_server(
    struct db *db, const struct config *config, const char *url, char *err, size_t errsize)
{
	const char *wrong = db->driver->wrong_url(db->arena, url);
	const char *roles = config_text(config, "DATABASE_ROLES_DIR");
	struct str password;

	if (wrong != NULL) {
		snprintf(err, errsize, "%s", wrong);
		return -1;
	}
	db->url = arena_strdup(db->arena, url);
	if (db->role != NULL && roles[0] != '\0') {
		struct str path = arena_printf(db->arena, "%s/%s", roles, db->role);

		if (config_secret_at(
		        db->arena, path.p, "DATABASE_ROLES_DIR", &password, err, errsize) != 0)
			return -1;
		db->user = db_role_account(db, db->arena, db->role);
	} else if (config_secret(
	               config, db->arena, "DATABASE_PASSWORD_FILE", &password, err, errsize) != 0)
		return -1;
	db->password = password.p != NULL ? password.p : "";
	return 0;
}

const char *
db_role_account(const struct db *db, struct arena *a, const char *executable)
{
	const char *database = db->driver->name(a, db->url);
	char *name = arena_strdup(
	    a, arena_printf(a, "%s_%s", database == NULL ? "meridian" : database, executable).p);

	for (char *p = name; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

const char *
db_engine_name(const struct db *db)
{
	static const char *const names[] = {
		[DB_SQLITE] = "SQLite", [DB_POSTGRESQL] = "PostgreSQL", [DB_MARIADB] = "MariaDB"
	};

	return names[db->engine];
}

int
db_engine_choose(struct db *db, const struct config *config, char *err, size_t errsize)
{
	const char *url = config_text(config, "DATABASE_URL");

	for (size_t i = 0; i < NELEM(engines); i++) {
		const struct engine *e = &engines[i];

		if (strncmp(url, e->begins, strlen(e->begins)) != 0)
			continue;
		db->engine = e->engine;
		db->driver = e->driver;
		return e->engine == DB_SQLITE ? choose_file(db, url, err, errsize)
		                              : choose_server(db, config, url, err, errsize);
	}
	/* the URL is not repeated: it may hold a password */
	snprintf(err, errsize,
	    "DATABASE_URL begins with sqlite:, postgresql:// or mariadb://, as in sqlite:/path or "
	    "postgresql://user@host/name");
	return -1;
}
