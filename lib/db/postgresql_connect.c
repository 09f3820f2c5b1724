/*
 * postgresql_connect: from the URL to a connection: the settings of a session, and what the URL says
 * to those who do not connect.
 */
#include <stdlib.h>
#include <string.h>

#include "base/sandbox.h"
#include "db/postgresql.h"

#define SETTINGS_MAX 24

/* Keywords for PQconnectdbParams; what the URL says itself is left as it is. */
struct settings {
	const char *keys[SETTINGS_MAX], *values[SETTINGS_MAX];
	size_t n;
	PQconninfoOption *url;
};

static const char *
url_value(const struct settings *s, const char *key)
{
	for (const PQconninfoOption *o = s->url; o != NULL && o->keyword != NULL; o++)
		if (strcmp(o->keyword, key) == 0)
			return o->val;
	return NULL;
}

static void
set(struct settings *s, const char *key, const char *value)
{
	if (url_value(s, key) != NULL)
		return;
	s->keys[s->n] = key;
	s->values[s->n++] = value;
}

/* `options` is our session settings, with room for the URL's own. */
static void
fill(struct settings *s, struct db *db, struct buf *options, char timeout[24])
{
	const char *own = url_value(s, "options"), *host = url_value(s, "host");

	snprintf(timeout, 24, "%lld", (long long)(db->timeout / 1000));
	buf_printf(options,
	    "-c jit=off -c statement_timeout=%s -c idle_in_transaction_session_timeout=60s"
	    " -c TimeZone=UTC -c standard_conforming_strings=on",
	    timeout);
	if (own != NULL)
		buf_printf(options, " %s", own);
	s->keys[s->n] = "dbname";
	s->values[s->n++] = db->url;
	if (db->user != NULL) {
		s->keys[s->n] = "user";
		s->values[s->n++] = db->user;
	}
	if (db->password[0] != '\0') {
		s->keys[s->n] = "password";
		s->values[s->n++] = db->password;
	}
	s->keys[s->n] = "options";
	s->values[s->n++] = options->p;
	s->keys[s->n] = "client_encoding";
	s->values[s->n++] = "UTF8";
	set(s, "fallback_application_name", "meridian");
	set(s, "connect_timeout", "2");
	set(s, "tcp_user_timeout", timeout);
	set(s, "keepalives_idle", "30");
	set(s, "keepalives_interval", "10");
	set(s, "keepalives_count", "3");
	if (host != NULL && strchr(host, ',') != NULL)
		set(s, "target_session_attrs", "read-write");
	s->keys[s->n] = NULL;
}

PGconn *
pg_connect(struct db *db)
{
	struct settings s = { .n = 0 };
	struct buf options = { 0 };
	char timeout[24], *why = NULL;
	PGconn *pg = NULL;

	s.url = PQconninfoParse(db->url, &why);
	if (s.url == NULL)
		db_fail(db, DB_AWAY, "connect", "DATABASE_URL is no URL that libpq understands");
	else {
		fill(&s, db, &options, timeout);
		pg = PQconnectdbParams(s.keys, s.values, 1);
		if (pg == NULL)
			arena_exhausted();
	}
	PQfreemem(why);
	PQconninfoFree(s.url);
	buf_free(&options);
	if (pg != NULL && PQstatus(pg) != CONNECTION_OK) {
		db_fail(db, DB_AWAY, "connect", PQerrorMessage(pg));
		PQfinish(pg);
		return NULL;
	}
	return pg;
}

const char *
pg_wrong_url(struct arena *a, const char *url)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(url, &why);
	bool good = options != NULL;

	(void)a;
	PQconninfoFree(options);
	PQfreemem(why); /* it repeats the URL */
	return good ? NULL : "DATABASE_URL is no URL that PostgreSQL's library understands";
}

const char *
pg_name(struct arena *a, const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	const char *name = NULL;

	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		if (strcmp(o->keyword, "dbname") == 0 && o->val != NULL)
			name = arena_strdup(a, o->val);
	PQconninfoFree(options);
	return name;
}

/* The nth of a list with commas, or its only one, as a number. */
static int
nth_port(const char *list, unsigned n)
{
	const char *p = list, *next;

	while (n-- > 0 && (next = strchr(p, ',')) != NULL)
		p = next + 1;
	return (int)strtol(p, NULL, 10);
}

/* The sockets or ports of the hosts in the URL, and the files of TLS that it names. */
void
pg_needs(const struct db *db, struct sandbox *box)
{
	static const char *const files[] = { "sslcert", "sslkey", "sslrootcert", "sslcrl",
		"sslcrldir" };
	PQconninfoOption *options = PQconninfoParse(db->url, NULL);
	const char *hosts = "", *ports = "5432", *home = getenv("HOME");
	char path[4096];
	unsigned n = 0;

	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
		if (o->val == NULL || o->val[0] == '\0')
			continue;
		if (strcmp(o->keyword, "host") == 0 || strcmp(o->keyword, "hostaddr") == 0)
			hosts = o->val;
		else if (strcmp(o->keyword, "port") == 0)
			ports = o->val;
		for (size_t i = 0; i < NELEM(files); i++)
			if (strcmp(o->keyword, files[i]) == 0)
				sandbox_read(box, o->val);
	}
	for (const char *p = hosts;; p++, n++) {
		size_t length = strcspn(p, ",");

		if (length == 0 || p[0] == '/' || p[0] == '@')
			sandbox_local(box);
		else
			sandbox_tcp(box, nth_port(ports, n));
		p += length;
		if (*p == '\0')
			break;
	}
	PQconninfoFree(options);
	/* where libpq looks for certificates */
	if (home != NULL &&
	    snprintf(path, sizeof(path), "%s/.postgresql", home) < (int)sizeof(path))
		sandbox_read(box, path);
}
