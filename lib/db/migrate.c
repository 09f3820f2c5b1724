/*
 * migrate: the schema and its versions. Migrations go forward only, each in a transaction that also
 * notes its name and the SHA-256 of its text in schema_migration; programs refuse a database whose
 * list differs from theirs.
 */
#include <openssl/sha.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/driver.h"

#define CHECKSUM_SIZE (2 * SHA256_DIGEST_LENGTH + 1)

static void
checksum(const char *text, char hex[CHECKSUM_SIZE])
{
	unsigned char hash[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)text, strlen(text), hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

/* Whose tables are there? */
enum owner { OWNER_UNKNOWN, OWNER_NOBODY, OWNER_OURS, OWNER_ANOTHER };

static enum owner
find_owner(struct db *db, char *err, size_t errsize)
{
	struct query *q = db_query(db, QUERY_SCHEMA_TABLES);
	enum owner owner = OWNER_NOBODY;
	char first[80] = "";

	while (db_step(q) == DB_ROW) {
		struct str name = db_col_text(q, "name");

		if (str_is(name, "schema_migration"))
			owner = OWNER_OURS;
		else if (first[0] == '\0')
			snprintf(first, sizeof(first), "%.*s", STR_ARG(name));
	}
	if (db_done(q) != DB_END) {
		snprintf(err, errsize, "the database cannot be used: %s", db_error(db));
		return OWNER_UNKNOWN;
	}
	if (owner == OWNER_NOBODY && first[0] != '\0') {
		snprintf(err, errsize,
		    "the database belongs to another program: it has a table %s and none called "
		    "schema_migration; name an empty one in DATABASE_URL",
		    first);
		return OWNER_ANOTHER;
	}
	return owner;
}

/* Compares what was applied with what we have: the number applied, or -1 with a sentence. */
static int64_t
compare(struct db *db, char *err, size_t errsize)
{
	const struct migration *ours = migrations[db_engine(db)];
	struct query *q = db_query(db, QUERY_SCHEMA_VERSIONS);
	int64_t n = 0;
	bool good = true;

	while (good && db_step(q) == DB_ROW) {
		struct str name = db_col_text(q, "name"), sum = db_col_text(q, "checksum");
		char mine[CHECKSUM_SIZE];

		good = false;
		if (ours[n].name == NULL) {
			snprintf(err, errsize,
			    "the database is newer than this program: it has migration %.*s; "
			    "install the program that made it",
			    STR_ARG(name));
			break;
		}
		checksum(ours[n].sql, mine);
		if (db_col_int(q, "version") != ours[n].version || !str_is(name, ours[n].name))
			snprintf(err, errsize,
			    "the database has migration %.*s where this program has %s: they do "
			    "not belong together",
			    STR_ARG(name), ours[n].name);
		else if (!str_is(sum, mine))
			snprintf(err, errsize,
			    "migration %s was changed after it was applied to this database",
			    ours[n].name);
		else {
			good = true;
			n++;
		}
	}
	if (db_done(q) != DB_END) {
		snprintf(err, errsize, "the database cannot be used: %s", db_error(db));
		return -1;
	}
	return good ? n : -1;
}

int
db_schema_check(struct db *db, char *err, size_t errsize)
{
	int64_t n = 0;

	switch (find_owner(db, err, errsize)) {
	case OWNER_NOBODY:
		snprintf(err, errsize, "the database is empty: run meridian migrate");
		return -1;
	case OWNER_OURS:
		n = compare(db, err, errsize);
		break;
	case OWNER_UNKNOWN:
	case OWNER_ANOTHER:
		return -1;
	}
	if (n < 0)
		return -1;
	if (migrations[db_engine(db)][n].name != NULL) {
		snprintf(err, errsize,
		    "the database is older than this program (migration %s is missing): run "
		    "meridian migrate",
		    migrations[db_engine(db)][n].name);
		return -1;
	}
	return 0;
}

struct step {
	const struct migration *migration; /* the one that was applied, or NULL: there is no more */
	void (*tell)(void *, const char *);
	void *arg;
	char *err;
	size_t errsize;
	bool explained;
};

/* Applies the next migration. Looks again inside the transaction: another may be at it, too. */
static enum db_result
apply_next(struct db *db, void *arg)
{
	struct step *s = arg;
	const struct migration *m;
	enum owner owner;
	int64_t n = 0;
	char sum[CHECKSUM_SIZE];
	enum db_result r;
	struct query *q;

	s->migration = NULL;
	if (db->driver->migration_lock != NULL &&
	    (r = db->driver->script(db, db->driver->migration_lock)) != DB_END)
		return r;
	owner = find_owner(db, s->err, s->errsize);
	if (owner == OWNER_OURS)
		n = compare(db, s->err, s->errsize);
	if (owner == OWNER_UNKNOWN || owner == OWNER_ANOTHER || n < 0) {
		s->explained = true;
		return DB_FAILED;
	}
	m = &migrations[db_engine(db)][n];
	if (m->name == NULL)
		return DB_END;
	if (s->tell != NULL)
		s->tell(s->arg, m->name);
	if ((r = db->driver->script(db, m->sql)) != DB_END)
		return r;
	s->migration = m;
	checksum(m->sql, sum);
	q = db_query(db, QUERY_SCHEMA_RECORD);
	db_int(q, "version", m->version);
	db_text(q, "name", str_of(m->name));
	db_text(q, "checksum", str_of(sum));
	db_int(q, "applied", clock_now());
	return db_run(q);
}

/* What the engine may lack, such as an extension. */
static enum db_result
apply_optional(struct db *db, void *arg)
{
	const char *sql = optional_sql[db_engine(db)];

	(void)arg;
	return sql == NULL ? DB_END : db->driver->script(db, sql);
}

int
db_migrate(
    struct db *db, void (*tell)(void *arg, const char *name), void *arg, char *err, size_t errsize)
{
	struct step step = { .tell = tell, .arg = arg, .err = err, .errsize = errsize };
	int64_t timeout = db->timeout;
	enum db_result r;

	db->create = true;
	db->timeout = 24 * HOUR; /* a migration of a large table may take long */
	do
		r = db_transaction(db, DB_WRITE, apply_next, &step);
	while (r == DB_END && step.migration != NULL);
	if (r == DB_END) {
		if (db_transaction(db, DB_WRITE, apply_optional, NULL) != DB_END)
			log_warn("an optional part of the schema was not made",
			    LOG_TEXT("error", db_error(db)));
	} else if (!step.explained)
		snprintf(err, errsize, "%s%s%s", step.migration != NULL ? step.migration->name : "",
		    step.migration != NULL ? ": " : "", db_error(db));
	db->create = false;
	db->timeout = timeout;
	return r == DB_END ? 0 : -1;
}
