/*
 * queries: every statement of sql/query/ is one that the engine itself takes.
 */
#include "unit.h"

#include "db/postgresql.h"
#include "sites.h"

/* Prepared by the engine itself, without our driver. */
static void
prepare_on_sqlite(const struct query_def *def, sqlite3 *handle)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(handle, def->sql[DB_SQLITE], -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s, %s: %s", def->where, def->name, sqlite3_errmsg(handle));
	if (!!(def->flags & QUERY_IS_READ) != !!sqlite3_stmt_readonly(stmt))
		fail_msg("%s, %s: does it read or write?", def->where, def->name);
	sqlite3_finalize(stmt);
}

/* The columns of its result must be of types that the driver reads. */
static void
prepare_on_postgresql(const struct query_def *def, PGconn *pg)
{
	PGresult *r = PQprepare(pg, def->name, def->sql[DB_POSTGRESQL], 0, NULL);

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s, %s: %s", def->where, def->name, PQerrorMessage(pg));
	PQclear(r);
	r = PQdescribePrepared(pg, def->name);
	assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
	for (int i = 0; i < PQnfields(r); i++)
		if (!pg_is_known(PQftype(r, i)))
			fail_msg("%s, %s: CAST the column %s (type %u) to one that is read",
			    def->where, def->name, PQfname(r, i), PQftype(r, i));
	PQclear(r);
}

/* "?1" is "?" there. */
static void
prepare_on_mariadb(const struct query_def *def, MYSQL *my)
{
	MYSQL_STMT *stmt = mysql_stmt_init(my);
	const char *from = def->sql[DB_MARIADB];
	char sql[8000], *w = sql;

	for (; *from != '\0' && w < sql + sizeof(sql) - 1; from++) {
		*w++ = *from;
		if (*from == '?')
			from += strspn(from + 1, "0123456789");
	}
	if (mysql_stmt_prepare(stmt, sql, (unsigned long)(w - sql)) != 0)
		fail_msg("%s, %s: %s", def->where, def->name, mysql_stmt_error(stmt));
	mysql_stmt_close(stmt);
}

static void
every_statement_is_prepared(void **state)
{
	const struct engine *e = *state;
	enum db_engine engine = db_engine(db);
	sqlite3 *handle = NULL;
	PGconn *pg = NULL;
	MYSQL *my = NULL;
	size_t n = 0;

	if (engine == DB_SQLITE) {
		assert_int_equal(sqlite3_open(e->url + 7, &handle), SQLITE_OK);
		sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
		sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	} else if (engine == DB_POSTGRESQL)
		pg = server_postgresql(e->url);
	else {
		my = server_mariadb(e->url);
		assert_int_equal(mysql_query(my, "SET SESSION sql_mode = 'ANSI_QUOTES'"), 0);
	}
	for (size_t i = 0; i < QUERY_NAMES; i++) {
		const struct query_def *def = &query_defs[i];

		if (def->flags & QUERY_IS_FRAGMENT || def->sql[engine] == NULL)
			continue;
		if (engine == DB_SQLITE)
			prepare_on_sqlite(def, handle);
		else if (engine == DB_POSTGRESQL)
			prepare_on_postgresql(def, pg);
		else
			prepare_on_mariadb(def, my);
		n++;
	}
	sqlite3_close(handle);
	PQfinish(pg);
	if (my != NULL)
		mysql_close(my);
	print_message("%zu statements were prepared on %s\n", n, e->name);
}

int
main(void)
{
	const struct CMUnitTest claims[] = {
		cmocka_unit_test(every_statement_is_prepared),
	};

	return run_claims("queries", claims, NELEM(claims));
}
