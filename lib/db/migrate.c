/*
 * migrate: the schema and its versions. Migrations go forward only, each in a transaction that also
 * notes its name and the SHA-256 of its text in schema_migration; programs refuse a database whose
 * list differs from theirs.
 */
#include <openssl/sha.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "db/driver.h"

#define CHECKSUM_SIZE (2 * SHA256_DIGEST_LENGTH + 1)

/* Of the statements as they stand in the file: comments between them may change. */
static void
checksum(const struct migration *m, char hex[CHECKSUM_SIZE])
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct buf text = { 0 };

	for (const struct migration_step *s = m->steps; s->sql != NULL; s++)
		buf_puts(&text, s->sql);
	SHA256((const unsigned char *)text.p, text.n, hash);
	buf_free(&text);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

/* Whose tables are there? Unknown: the database cannot be asked, *why says for what reason. */
enum owner { OWNER_UNKNOWN, OWNER_NOBODY, OWNER_OURS, OWNER_ANOTHER };

static enum owner
find_owner(struct db *db, enum db_result *why, char *err, size_t errsize)
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
	if ((*why = db_done(q)) != DB_END) {
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

/*
 * Compares what was applied with what we have: how many of ours are done; *begun says that the next
 * one was begun, which only an engine leaves behind that commits by itself. -1 with a sentence; *why is
 * DB_END where they differ, else why the database could not be asked.
 */
static int64_t
compare(struct db *db, bool *begun, enum db_result *why, char *err, size_t errsize)
{
	const struct migration *ours = migrations[db_engine(db)];
	struct query *q = db_query(db, QUERY_SCHEMA_VERSIONS);
	int64_t n = 0;
	bool good = true;

	*begun = false;
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
		checksum(&ours[n], mine);
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
			*begun = db_col_int(q, "applied") == 0;
			n += !*begun;
		}
	}
	if ((*why = db_done(q)) != DB_END) {
		snprintf(err, errsize, "the database cannot be used: %s", db_error(db));
		return -1;
	}
	return good ? n : -1;
}

/* Does a table lack what all rests on, transactions? */
static bool
is_unfit(struct db *db, char *err, size_t errsize)
{
	struct query *q = db_query(db, QUERY_SCHEMA_UNFIT);
	bool unfit = db_step(q) == DB_ROW;

	if (unfit) {
		struct str table = db_col_text(q, "name"), engine = db_col_text(q, "engine");

		snprintf(err, errsize,
		    "table %.*s is of the engine %.*s, which has no transactions: run ALTER TABLE "
		    "%.*s "
		    "ENGINE = InnoDB",
		    STR_ARG(table), STR_ARG(engine), STR_ARG(table));
	}
	(void)db_done(q);
	return unfit;
}

enum db_result
db_schema_check(struct db *db, char *err, size_t errsize)
{
	const struct migration *next;
	enum db_result why;
	bool begun = false;
	int64_t n = 0;

	switch (find_owner(db, &why, err, errsize)) {
	case OWNER_NOBODY:
		snprintf(err, errsize, "the database is empty: run meridian migrate");
		return DB_REFUSED;
	case OWNER_OURS:
		n = compare(db, &begun, &why, err, errsize);
		break;
	case OWNER_UNKNOWN:
	case OWNER_ANOTHER:
		n = -1;
		break;
	}
	/* what is away, busy, slow or full passes; the rest is for an operator */
	if (n < 0)
		return why == DB_END || why == DB_FAILED || why == DB_REFUSED ? DB_REFUSED
		                                                              : DB_AWAY;
	next = &migrations[db_engine(db)][n];
	if (next->name == NULL)
		return is_unfit(db, err, errsize) ? DB_REFUSED : DB_END;
	snprintf(err, errsize,
	    begun ? "migration %s was begun and not finished: run meridian migrate, which goes on "
	            "with it"
	          : "the database is older than this program (migration %s is missing): run "
	            "meridian migrate",
	    next->name);
	return DB_REFUSED;
}

struct run {
	bool done; /* there was nothing more to do */
	db_tell_fn *tell;
	void *arg;
	char *err;
	size_t errsize;
	bool explained;
};

/* Notes that the migration is begun (`applied` 0) or done. */
static enum db_result
record(struct db *db, const struct migration *m, int64_t applied)
{
	struct query *q = db_query(db, applied == 0 ? QUERY_SCHEMA_BEGIN : QUERY_SCHEMA_FINISH);
	char sum[CHECKSUM_SIZE];

	db_int(q, "version", m->version);
	if (applied == 0) {
		checksum(m, sum);
		db_text(q, "name", str_of(m->name));
		db_text(q, "checksum", str_of(sum));
	} else
		db_int(q, "applied", applied);
	return db_run(q);
}

/*
 * The steps of a migration, noted as begun before the first of them: where the engine commits each
 * by itself, one that is broken off is seen, and the steps are written to be run again. (The table
 * to note it in is the first step of the first migration.)
 */
static enum db_result
apply(struct db *db, const struct migration *m, struct run *run)
{
	size_t n = 0, first = m->version == 1;
	enum db_result r = DB_END;

	while (m->steps[n].sql != NULL)
		n++;
	for (size_t i = 0; i < n && r == DB_END; i++) {
		if (i == first)
			r = record(db, m, 0);
		if (run->tell != NULL)
			run->tell(run->arg, m->name, i, n);
		if (r == DB_END)
			r = db->driver->control(db, m->steps[i].sql, false);
		if (r != DB_END && r != DB_RETRY && r != DB_AWAY) {
			snprintf(run->err, run->errsize, "migration %s.sql, line %u: %s", m->name,
			    m->steps[i].line, db_error(db));
			run->explained = true;
		}
	}
	return r == DB_END ? record(db, m, clock_now()) : r;
}

/* Applies the next migration. Looks again inside the transaction: another may be at it, too. */
static enum db_result
apply_next(struct db *db, void *arg)
{
	struct run *run = arg;
	const char *const *begin = db->driver->migration_begin;
	const struct migration *m;
	enum db_result r = DB_END;
	enum owner owner;
	bool begun;
	int64_t n = 0;

	for (; r == DB_END && *begin != NULL; begin++)
		r = db->driver->control(db, *begin, false);
	if (r != DB_END)
		return r;
	owner = find_owner(db, &r, run->err, run->errsize);
	if (owner == OWNER_UNKNOWN && r == DB_RETRY)
		return r;
	if (owner == OWNER_OURS)
		n = compare(db, &begun, &r, run->err, run->errsize);
	if (owner == OWNER_UNKNOWN || owner == OWNER_ANOTHER || n < 0) {
		run->explained = true;
		return DB_FAILED;
	}
	m = &migrations[db_engine(db)][n];
	run->done = m->name == NULL;
	return run->done ? DB_END : apply(db, m, run);
}

/* What the engine may lack, such as an extension. */
static enum db_result
apply_optional(struct db *db, void *arg)
{
	const struct migration_step *s = optional_steps[db_engine(db)];
	enum db_result r = DB_END;

	(void)arg;
	for (; s != NULL && s->sql != NULL && r == DB_END; s++)
		r = db->driver->control(db, s->sql, false);
	return r;
}

int
db_migrate(struct db *db, db_tell_fn *tell, void *arg, char *err, size_t errsize)
{
	struct run run = { .tell = tell, .arg = arg, .err = err, .errsize = errsize };
	int64_t timeout = db->timeout;
	enum db_result r;

	db->create = true;
	/* a migration of a large table may take long: servers are told so when we connect */
	db_close_idle(db, 0);
	db->timeout = 24 * HOUR;
	do
		r = db_transaction(db, DB_WRITE, apply_next, &run);
	while (r == DB_END && !run.done);
	if (r == DB_END) {
		if (db_transaction(db, DB_WRITE, apply_optional, NULL) != DB_END)
			log_warn("an optional part of the schema was not made",
			    LOG_TEXT("error", db_error(db)));
	} else if (!run.explained)
		snprintf(err, errsize, "%s", db_error(db));
	db->create = false;
	db->timeout = timeout;
	db_close_idle(db, 0);
	return r == DB_END ? 0 : -1;
}
