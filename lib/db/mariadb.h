/*
 * mariadb.h: what the files of MariaDB's driver share, and what its tests look at.
 */
#ifndef MERIDIAN_MARIADB_H
#define MERIDIAN_MARIADB_H

#include <mysql.h>

#include "db/db.h"

/* What DATABASE_URL says: "mariadb://user:password@host:port/name?socket=/path&ssl-mode=disabled". */
struct mariadb_url {
	const char *user, *password; /* the password NULL where there is none */
	const char *host; /* NULL: the socket */
	unsigned port;
	const char *socket;
	const char *database;
	bool
	    verify_tls; /* TCP to another machine: TLS, and the server shows a certificate for its name */
	const char *ssl_ca; /* the file of the authorities that are trusted */
};

/*
 * Reads it, in `a`. NULL, or what is wrong with it in words that do not repeat it (it may hold a
 * password).
 */
const char *mariadb_url_read(struct arena *a, const char *url, struct mariadb_url *);

/* What an error number of server or client means for who asked. */
enum db_result mariadb_result_of(unsigned error);

/* NULL, or why a server of that version cannot be used: too old. `version` as 101106 for 10.11.6. */
const char *mariadb_too_old(bool is_mysql, unsigned long version);

#endif
