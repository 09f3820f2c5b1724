/*
 * transaction: work that is done whole or not at all, and again where the engine asks for it.
 */
#include <stdio.h>

#include "base/clock.h"
#include "db/driver.h"

/* A transaction within another: only its own work is undone. */
static enum db_result
nested(struct db *db, enum db_result (*work)(struct db *, void *), void *arg)
{
	char sql[48];
	enum db_result r;

	if (db->spoiled != DB_END)
		return db->spoiled;
	snprintf(sql, sizeof(sql), "SAVEPOINT s%u", db->depth);
	if ((r = db_control(db, sql, true)) != DB_END) {
		db->spoiled = r;
		return r;
	}
	db->depth++;
	r = work(db, arg);
	db->depth--;
	if (r == DB_END)
		r = db->spoiled;
	/* there is nothing left to go back to: SQLite may have undone all when it was full or slow */
	if (db->conn == NULL || db->spoiled == DB_AWAY || db->spoiled == DB_RETRY ||
	    db->spoiled == DB_FULL || db->spoiled == DB_SLOW)
		return r;
	if (r != DB_END) {
		snprintf(sql, sizeof(sql), "ROLLBACK TO SAVEPOINT s%u", db->depth);
		db->spoiled = db_control(db, sql, false);
	}
	snprintf(sql, sizeof(sql), "RELEASE SAVEPOINT s%u", db->depth);
	if (db->spoiled == DB_END)
		db->spoiled = db_control(db, sql, true);
	return r != DB_END ? r : db->spoiled;
}

/* One try. *sent says that COMMIT was sent: what became of it may be unknown. */
static enum db_result
try_transaction(struct db *db, enum db_mode mode, enum db_result (*work)(struct db *, void *),
    void *arg, bool *sent)
{
	enum db_result r;

	*sent = false;
	if ((r = db_enter(db)) == DB_END)
		r = db_control(db, db->driver->begin[mode], true);
	if (r != DB_END)
		return r;
	db->depth = 1;
	db->spoiled = DB_END;
	r = work(db, arg);
	if (r == DB_END)
		r = db->spoiled;
	if (db->conn == NULL || db->depth == 0) /* db_reset was called, or the process forked */
		return r == DB_END ? DB_FAILED : r;
	if (r == DB_END) {
		*sent = true;
		r = db_control(db, "COMMIT", false);
	}
	if (r != DB_END && db->conn != NULL)
		(void)db_control(db, "ROLLBACK", false);
	db->depth = 0;
	db->spoiled = DB_END;
	return r;
}

struct texts {
	const char *const *sql;
	size_t n;
};

static enum db_result
run_texts(struct db *db, void *arg)
{
	const struct texts *t = arg;
	enum db_result r = DB_END;

	for (size_t i = 0; r == DB_END && i < t->n; i++)
		r = db_control(db, t->sql[i], false);
	return r;
}

enum db_result
db_run_text(struct db *db, const char *const sql[], size_t n)
{
	struct texts t = { sql, n };

	return db_transaction(db, DB_WRITE, run_texts, &t);
}

enum db_result
db_transaction(
    struct db *db, enum db_mode mode, enum db_result (*work)(struct db *, void *arg), void *arg)
{
	int64_t deadline = clock_monotonic() + db->timeout;
	bool sent = false, lost = false;
	enum db_result r;

	if (db->depth > 0 && !db_is_parents(db))
		return nested(db, work, arg);
	for (unsigned attempt = 0;; attempt++) {
		bool was_open = db->conn != NULL;

		db->attempt = attempt;
		r = try_transaction(db, mode, work, arg, &sent);
		if (r == DB_AWAY && was_open && !sent && !lost)
			lost =
			    true; /* nothing can have been kept: once more, on a new connection */
		else if (r == DB_RETRY && !db_pause(db, attempt, deadline))
			return db_fail(db, DB_SLOW, "transaction", "the database stayed busy");
		else if (r != DB_RETRY)
			return r;
	}
}
