/*
 * targets: how long the statements of the list take, by person and kind of list, on the configured
 * database, filled by fill-targets. Prints microseconds a page, the library's work included: the
 * fastest of the runs, so that other programs count little; of processor time on SQLite, of the clock
 * elsewhere.
 *
 *	MERIDIAN_DATABASE_URL=sqlite:/tmp/x.db tests/bench/targets [SECONDS [ROW]]
 *
 * Of a million targets a visitor sees some 100,000, a member 650,000, the others as many as their
 * names say, spread over all; those of "far" lie at the end of the right ascensions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "tom/group.h"
#include "tom/target_list.h"

static const struct person {
	const char *name;
	const char *group; /* NULL: none */
	bool alone; /* sees what the group sees and nothing else */
	bool is_superuser;
} people[] = {
	{ .name = "super", .is_superuser = true },
	{ .name = "visitor" },
	{ .name = "member", .group = "bench" },
	{ .name = "old20", .group = "bench-old", .alone = true },
	{ .name = "20", .group = "bench-20", .alone = true },
	{ .name = "2000", .group = "bench-2000", .alone = true },
	{ .name = "2500", .group = "bench-2500", .alone = true },
	{ .name = "6250", .group = "bench-6250", .alone = true },
	{ .name = "300000", .group = "bench", .alone = true },
	{ .name = "far", .group = "bench-far", .alone = true },
};
static struct user users[NELEM(people)];
static int64_t principals[NELEM(people)][4];

static void
set_people(struct db *db, struct arena *a)
{
	for (size_t i = 0; i < NELEM(people); i++) {
		const struct person *p = &people[i];
		struct group g = { 0 };
		int64_t id = 900000 + (int64_t)i, *list = principals[i];
		size_t n = 0;

		if (!p->alone)
			list[n++] = PRINCIPAL_ANYONE;
		if (!p->alone && (p->group != NULL || p->is_superuser))
			list[n++] = PRINCIPAL_SIGNED_IN;
		if (p->group != NULL || p->is_superuser)
			list[n++] = PRINCIPAL_USER(id);
		if (p->group != NULL) {
			group_find(db, a, str_of(p->group), &g);
			list[n++] = PRINCIPAL_GROUP(g.id);
		}
		users[i] = (struct user){ .id = id,
			.is_superuser = p->is_superuser,
			.nprincipals = n,
			.principals = list };
	}
}

static int64_t
now(const struct db *db)
{
	struct timespec t;

	if (db_engine(db) != DB_SQLITE)
		return clock_monotonic();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * SECOND + t.tv_nsec / 1000;
}

struct row {
	const char *what;
	struct target_query q;
};

static void
time_row(struct db *db, struct arena *a, const struct row *row, double seconds)
{
	static struct secret *secret;
	struct target_query query = row->q;

	if (secret == NULL)
		secret = secret_new("a", 1);
	query.secret = secret;
	printf("%-28s", row->what);
	for (size_t i = 0; i < NELEM(people); i++) {
		struct target_page page = { 0 };
		int64_t start = now(db), best = INT64_MAX, last = start, t;
		enum db_result r;

		do {
			r = target_find(db, a, &users[i], &query, &page);
			t = now(db);
			best = t - last < best ? t - last : best;
			t -= start;
			if (r != DB_END)
				break;
			if ((double)t < seconds * 1e6)
				arena_reset(a);
			last = now(db);
		} while ((double)t < seconds * 1e6);
		if (r != DB_END)
			printf(" %s: failed (%d)", people[i].name, r);
		else
			printf(" %8lld us %2zu/%4lld%c", (long long)best, page.n,
			    (long long)page.count, page.partial ? '+' : ' ');
		fflush(stdout);
		arena_reset(a);
	}
	printf("\n");
}

int
main(int argc, char **argv)
{
	static const struct row rows[] = {
		{ "newest", { .descending = true } },
		{ "oldest", { .descending = false } },
		{ "page 50", { .descending = true, .page = 50 } },
		{ "by name", { .sort = SORT_NAME } },
		{ "by ra", { .sort = SORT_RA } },
		{ "by ra down", { .sort = SORT_RA, .descending = true } },
		{ "by modified", { .sort = SORT_MODIFIED, .descending = true } },
		{ "by type", { .sort = SORT_TYPE } },
		{ "type non-sidereal",
		    { .by_type = true, .type = TARGET_NON_SIDEREAL, .descending = true } },
		{ "name, rare part", { .name = STR("abcd"), .descending = true } },
		{ "name, common part", { .name = STR("ZTF"), .descending = true } },
		{ "name, 3 letters", { .name = STR("abc"), .descending = true } },
		{ "name, 2 letters", { .name = STR("qz"), .descending = true } },
		{ "name, 1 letter", { .name = STR("q"), .descending = true } },
		{ "name, nothing like it", { .name = STR("xyzzyx"), .descending = true } },
		{ "name, 2 no such letters", { .name = STR("!!"), .descending = true } },
		{ "fuzzy",
		    { .name_fuzzy = STR("ztf-18aaaaaaa,ztf18 abcdefg"), .descending = true } },
		{ "cone 10 arcsec",
		    { .by_cone = true,
		        .cone = { 137.5, 10, 10 / 3600., 399, 400 },
		        .descending = true } },
		{ "cone 1 deg",
		    { .by_cone = true, .cone = { 0, 10, 1, 395, 404 }, .descending = true } },
		{ "cone 30 deg",
		    { .by_cone = true, .cone = { 0, 80, 30, 559, 719 }, .descending = true } },
		{ "extra", { .key = STR("redshift"), .value = STR("0.500"), .descending = true } },
		{ "extra key, by name", { .key = STR("redshift"), .sort = SORT_NAME } },
	};
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.3;
	struct arena *a = arena_new();
	char err[500];
	struct config *config = config_load(err, sizeof(err));
	struct db *db = config == NULL ? NULL : db_new(config, err, sizeof(err));

	if (db == NULL || db_schema_check(db, err, sizeof(err)) != 0) {
		fprintf(stderr, "targets: %s\n", err);
		return 78;
	}
	set_people(db, a);
	printf("%-28s", "");
	for (size_t i = 0; i < NELEM(people); i++)
		printf(" %18s ", people[i].name);
	printf("\n");
	for (size_t i = 0; i < NELEM(rows); i++)
		if (argc < 3 || str_starts(str_of(rows[i].what), argv[2]))
			time_row(db, a, &rows[i], seconds);
	arena_free(a);
	db_free(db);
	config_free(config);
	return 0;
}
