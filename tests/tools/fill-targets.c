/*
 * fill-targets: fills a database with targets all over the sky, for benches.
 *
 * The database is the configured one (MERIDIAN_DATABASE_URL), with its schema. The same seed and
 * count make the same targets: 10 % OPEN, 40 % PUBLIC, 50 % PRIVATE, one in 50 non-sidereal, an
 * alias for every third, an extra for every tenth. The group "bench" has rights on 30 %, the group
 * "bench-old" on the 20 oldest, which are PRIVATE; "bench-20", "bench-2000", "bench-2500" and
 * "bench-6250" on as many of a million, spread over all; "bench-far" on those at the end of the right
 * ascensions, some 30,000 of a million.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tom/group.h"
#include "tom/target_bulk.h"

#define BATCH 5000
#define OLD 20

static const char usage[] =
    "usage: fill-targets [-c COUNT] [-s SEED] [-l LIST]\n"
    "  -c, --count COUNT   how many targets (60000)\n"
    "  -s, --seed SEED     another seed makes other targets, with other names (1)\n"
    "  -l, --list NAME     put every 20th into this target list\n"
    "  -h, --help          this\n"
    "The database is DATABASE_URL of meridian.conf or MERIDIAN_DATABASE_URL; groups \"bench\" "
    "(sees\n"
    "30 %), \"bench-old\" (sees the 20 oldest) and some more are made if need be.\n";

struct filling {
	struct arena *arena;
	uint64_t random;
	unsigned seed;
	int64_t first, count; /* of this batch */
	int64_t start; /* when the first one was created */
	int64_t group, old_group, list;
	int64_t spread[4], far; /* groups */
};

/* One in so many targets, at random, is seen by a group: 20, 2,000, 2,500 and 6,250 of a million. */
static const struct {
	const char *name;
	int64_t every;
} spreads[] = { { "bench-20", 50000 }, { "bench-2000", 500 }, { "bench-2500", 400 },
	{ "bench-6250", 160 } };

static double
chance(struct filling *f)
{
	f->random = f->random * 6364136223846793005u + 1442695040888963407u;
	return (double)(f->random >> 11) / 9007199254740992.0;
}

/* "ZTF26aabcdef": a name like a survey's, from a number that is spread about. */
static struct str
survey_name(struct filling *f, const char *survey, int64_t i)
{
	uint64_t n = ((uint64_t)i * 2654435761u + f->seed * 40503u) % 8031810176u; /* 26^7 */
	char letters[8];

	for (int k = 6; k >= 0; k--) {
		letters[k] = (char)('a' + n % 26);
		n /= 26;
	}
	letters[7] = '\0';
	return arena_printf(f->arena, "%s%02d%s", survey, 18 + (int)(i % 9), letters);
}

static void
move(struct filling *f, struct target *t)
{
	t->type = TARGET_NON_SIDEREAL;
	t->scheme = SCHEME_MINOR_PLANET;
	t->epoch_of_elements = 60000;
	t->mean_anomaly = chance(f) * 360;
	t->arg_of_perihelion = chance(f) * 360;
	t->lng_asc_node = chance(f) * 360;
	t->inclination = chance(f) * 30;
	t->eccentricity = chance(f) * 0.3;
	t->semimajor_axis = 1 + chance(f) * 3;
}

static void
share(struct filling *f, int64_t i, struct target_new *n)
{
	int64_t *groups = arena_array(f->arena, NELEM(spreads) + 2, sizeof(*groups));

	if (i < OLD)
		groups[n->ngroups++] = f->old_group;
	else if (chance(f) < 0.3)
		groups[n->ngroups++] = f->group;
	for (size_t k = 0; k < NELEM(spreads); k++)
		if (i * 2654435761 % 1000003 % spreads[k].every == 0)
			groups[n->ngroups++] = f->spread[k];
	if (n->target.ra > 349)
		groups[n->ngroups++] = f->far;
	n->groups = groups;
}

static void
make(struct filling *f, int64_t i, struct target_new *n)
{
	struct target_key *keys = arena_array(f->arena, 2, sizeof(*keys));
	struct target t = target_none();
	double kind = chance(f);

	keys[0].name = t.name = survey_name(f, "ZTF", i);
	keys[1].name = survey_name(f, "AT 20", i);
	for (size_t k = 0; k < 2; k++)
		keys[k].key = target_match_key(f->arena, keys[k].name);
	t.permissions = i < OLD || kind < 0.5 ? TARGET_PRIVATE
	    : kind < 0.9                      ? TARGET_PUBLIC
	                                      : TARGET_OPEN;
	t.created = f->start + i * SECOND;
	t.modified = t.created + (int64_t)(chance(f) * 1e9);
	if (i % 50 == 49) {
		move(f, &t);
	} else {
		t.ra = chance(f) * 360;
		t.dec = asin(chance(f) * 2 - 1) * 180 / M_PI;
	}
	*n = (struct target_new){ .target = t, .keys = keys, .nkeys = i % 3 == 0 ? 2 : 1 };
	share(f, i, n);
	if (i % 20 == 0)
		n->list = f->list;
	if (i % 10 == 0) {
		struct target_extra *e = arena_alloc(f->arena, sizeof(*e));

		*e = (struct target_extra){ .key = STR("redshift"),
			.value = arena_printf(f->arena, "%.3f", chance(f)) };
		n->extras = e;
		n->nextras = 1;
	}
}

static enum db_result
fill(struct db *db, void *arg)
{
	struct filling *f = arg;
	struct target_new *list = arena_array(f->arena, (size_t)f->count, sizeof(*list));

	for (int64_t i = 0; i < f->count; i++)
		make(f, f->first + i, &list[i]);
	return target_bulk_add(db, f->arena, list, (size_t)f->count);
}

static int64_t
group_id(struct db *db, struct arena *a, const char *name)
{
	struct group g = { 0 };
	int64_t id = 0;

	if (group_find(db, a, str_of(name), &g) == GROUP_DONE)
		return g.id;
	return group_add(db, str_of(name), &id) == GROUP_DONE ? id : 0;
}

static int
run(struct filling *f, struct db *db, int64_t count, const char *list)
{
	enum db_result r = DB_END;

	f->group = group_id(db, f->arena, "bench");
	f->old_group = group_id(db, f->arena, "bench-old");
	f->far = group_id(db, f->arena, "bench-far");
	for (size_t k = 0; k < NELEM(spreads); k++)
		f->spread[k] = group_id(db, f->arena, spreads[k].name);
	f->random = f->seed;
	f->start = clock_now() - (count + 1) * SECOND;
	if (f->group == 0 || f->old_group == 0) {
		fprintf(stderr, "fill-targets: %s\n", db_error(db));
		return 1;
	}
	if (list != NULL)
		r = target_list_named(db, str_of(list), &f->list);
	for (f->first = 0; f->first < count && r == DB_END; f->first += BATCH) {
		f->count = count - f->first < BATCH ? count - f->first : BATCH;
		r = db_transaction(db, DB_WRITE, fill, f);
		arena_reset(f->arena);
	}
	if (r != DB_END)
		fprintf(stderr, "fill-targets: %s\n",
		    r == DB_SLOW ? "names are taken: use another --seed" : db_error(db));
	return r != DB_END;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ "list", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct filling f = { .seed = 1 };
	int64_t count = 60000, seed = 1;
	const char *list = NULL;
	char err[500];
	int c, status;

	while ((c = getopt_long(argc, argv, "c:s:l:h", options, NULL)) != -1)
		switch (c) {
		case 'c':
			if (!str_to_int64(str_of(optarg), &count) || count < 0)
				goto wrong;
			break;
		case 's':
			if (!str_to_int64(str_of(optarg), &seed) || seed < 0 || seed > 1000000)
				goto wrong;
			f.seed = (unsigned)seed;
			break;
		case 'l':
			list = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			goto wrong;
		}
	if (optind < argc)
		goto wrong;
	struct config *config = config_load(err, sizeof(err));
	struct db *db = config == NULL ? NULL : db_new(config, err, sizeof(err));
	if (db == NULL || db_schema_check(db, err, sizeof(err)) != 0) {
		fprintf(stderr, "fill-targets: %s\n", err);
		return 78;
	}
	f.arena = arena_new();
	status = run(&f, db, count, list);
	arena_free(f.arena);
	db_free(db);
	config_free(config);
	return status;
wrong:
	fputs(usage, stderr);
	return 2;
}
