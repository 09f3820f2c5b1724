/*
 * sites.h: what tests of lib/db/ share: the connection, sites, which have the smallest table with a
 * unique key, and claims that are one test on each engine.
 */
#ifndef MERIDIAN_SITES_H
#define MERIDIAN_SITES_H

#include "engines.h"

static struct db *db; /* of the test that runs */

/* Adds a site, the smallest table with a unique key. */
static inline enum db_result
add_site(struct db *to, const char *domain, int64_t *id)
{
	struct query *q = db_query(to, QUERY_SITE_ADD);

	db_text(q, "domain", str_of(domain));
	db_text(q, "name", STR("A name"));
	return db_insert(q, id);
}

static inline int64_t
count_sites(struct db *from)
{
	struct query *q = db_query(from, QUERY_SITE_LIST);
	int64_t n = 0;

	while (db_step(q) == DB_ROW)
		n++;
	assert_int_equal(db_done(q), DB_END);
	return n;
}

static inline void
remove_sites(void)
{
	struct query *q;
	int64_t ids[100];
	size_t n = 0;

	q = db_query(db, QUERY_SITE_LIST);
	while (db_step(q) == DB_ROW)
		ids[n++] = db_col_int(q, "id");
	assert_int_equal(db_done(q), DB_END);
	for (size_t i = 0; i < n; i++) {
		q = db_query(db, QUERY_SITE_DELETE);
		db_int(q, "id", ids[i]);
		assert_int_equal(db_run(q), DB_END);
		assert_int_equal(db_changes(db), 1);
	}
}

static struct engine *claims_engine;

static inline int
claims_set_up(void **state)
{
	char err[300];

	*state = claims_engine;
	if (db_migrate(db, NULL, NULL, err, sizeof(err)) != 0)
		server_die("db_migrate", err);
	return 0;
}

/* The whole main of a test: its claims on each engine there is, which is their state. */
static inline int
run_claims(const char *what, const struct CMUnitTest *claims, size_t n)
{
	int failed = 0;

	engines_open();
	for (struct engine *e = engines; e < engines + NELEM(engines); e++) {
		char group[40];

		if ((db = engines_connect(e)) == NULL)
			continue;
		claims_engine = e;
		snprintf(group, sizeof(group), "%s, %s", what, e->name);
		failed += _cmocka_run_group_tests(group, claims, n, claims_set_up, NULL);
		db_free(db);
	}
	return engines_close(failed);
}

#endif
