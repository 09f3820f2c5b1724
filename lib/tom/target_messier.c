/*
 * target_messier: Messier's catalogue, for a first look at a new site.
 *
 * Positions are ICRS (J2000): of compact objects the published centres, of large clusters and
 * nebulae the middle, good to about an arc minute. M102 is taken to be NGC 5866.
 */
#include "tom/target_bulk.h"

#include "base/clock.h"
#include "sky/angle.h"

#define NAMES 3 /* besides the M number */

static const struct messier {
	const char *ra, *dec;
	const char *names[NAMES];
} messier[] = {
	{ "05 34 31.9", "+22 00 52", { "NGC 1952", "Crab Nebula" } },
	{ "21 33 27.0", "-00 49 24", { "NGC 7089" } },
	{ "13 42 11.6", "+28 22 38", { "NGC 5272" } },
	{ "16 23 35.2", "-26 31 33", { "NGC 6121" } },
	{ "15 18 33.2", "+02 04 52", { "NGC 5904" } },
	{ "17 40 20.0", "-32 15 12", { "NGC 6405", "Butterfly Cluster" } },
	{ "17 53 51.0", "-34 47 36", { "NGC 6475", "Ptolemy Cluster" } },
	{ "18 03 37.0", "-24 23 12", { "NGC 6523", "Lagoon Nebula" } },
	{ "17 19 11.8", "-18 30 59", { "NGC 6333" } },
	{ "16 57 08.9", "-04 05 58", { "NGC 6254" } },
	{ "18 51 05.0", "-06 16 12", { "NGC 6705", "Wild Duck Cluster" } },
	{ "16 47 14.2", "-01 56 55", { "NGC 6218" } },
	{ "16 41 41.2", "+36 27 36", { "NGC 6205", "Hercules Globular Cluster" } },
	{ "17 37 36.2", "-03 14 45", { "NGC 6402" } },
	{ "21 29 58.3", "+12 10 01", { "NGC 7078" } },
	{ "18 18 48.0", "-13 48 24", { "NGC 6611", "Eagle Nebula" } },
	{ "18 20 47.0", "-16 10 18", { "NGC 6618", "Omega Nebula" } },
	{ "18 19 58.0", "-17 06 06", { "NGC 6613" } },
	{ "17 02 37.7", "-26 16 05", { "NGC 6273" } },
	{ "18 02 23.0", "-23 01 48", { "NGC 6514", "Trifid Nebula" } },
	{ "18 04 13.0", "-22 29 24", { "NGC 6531" } },
	{ "18 36 23.9", "-23 54 17", { "NGC 6656" } },
	{ "17 57 04.0", "-18 59 06", { "NGC 6494" } },
	{ "18 16 54.0", "-18 29 00", { "Sagittarius Star Cloud" } },
	{ "18 31 47.0", "-19 07 00", { "IC 4725" } },
	{ "18 45 18.0", "-09 23 00", { "NGC 6694" } },
	{ "19 59 36.3", "+22 43 16", { "NGC 6853", "Dumbbell Nebula" } },
	{ "18 24 32.9", "-24 52 11", { "NGC 6626" } },
	{ "20 23 57.0", "+38 30 30", { "NGC 6913" } },
	{ "21 40 22.1", "-23 10 48", { "NGC 7099" } },
	{ "00 42 44.3", "+41 16 08", { "NGC 224", "Andromeda Galaxy" } },
	{ "00 42 41.8", "+40 51 55", { "NGC 221" } },
	{ "01 33 50.9", "+30 39 37", { "NGC 598", "Triangulum Galaxy" } },
	{ "02 42 05.0", "+42 45 42", { "NGC 1039" } },
	{ "06 08 54.0", "+24 20 00", { "NGC 2168" } },
	{ "05 36 12.0", "+34 08 24", { "NGC 1960" } },
	{ "05 52 18.0", "+32 33 12", { "NGC 2099" } },
	{ "05 28 42.0", "+35 51 18", { "NGC 1912" } },
	{ "21 31 48.0", "+48 26 00", { "NGC 7092" } },
	{ "12 22 12.5", "+58 04 59", { "Winnecke 4" } },
	{ "06 46 00.0", "-20 45 24", { "NGC 2287" } },
	{ "05 35 17.3", "-05 23 28", { "NGC 1976", "Orion Nebula" } },
	{ "05 35 31.0", "-05 16 03", { "NGC 1982" } },
	{ "08 40 24.0", "+19 40 00", { "NGC 2632", "Praesepe", "Beehive Cluster" } },
	{ "03 47 00.0", "+24 07 00", { "Pleiades" } },
	{ "07 41 46.0", "-14 48 36", { "NGC 2437" } },
	{ "07 36 35.0", "-14 29 00", { "NGC 2422" } },
	{ "08 13 43.0", "-05 45 00", { "NGC 2548" } },
	{ "12 29 46.7", "+08 00 02", { "NGC 4472" } },
	{ "07 02 44.0", "-08 21 54", { "NGC 2323" } },
	{ "13 29 52.7", "+47 11 43", { "NGC 5194", "Whirlpool Galaxy" } },
	{ "23 24 48.0", "+61 35 36", { "NGC 7654" } },
	{ "13 12 55.3", "+18 10 05", { "NGC 5024" } },
	{ "18 55 03.3", "-30 28 48", { "NGC 6715" } },
	{ "19 39 59.7", "-30 57 53", { "NGC 6809" } },
	{ "19 16 35.6", "+30 11 01", { "NGC 6779" } },
	{ "18 53 35.1", "+33 01 45", { "NGC 6720", "Ring Nebula" } },
	{ "12 37 43.5", "+11 49 05", { "NGC 4579" } },
	{ "12 42 02.3", "+11 38 49", { "NGC 4621" } },
	{ "12 43 39.6", "+11 33 09", { "NGC 4649" } },
	{ "12 21 54.9", "+04 28 25", { "NGC 4303" } },
	{ "17 01 12.8", "-30 06 49", { "NGC 6266" } },
	{ "13 15 49.3", "+42 01 45", { "NGC 5055", "Sunflower Galaxy" } },
	{ "12 56 43.7", "+21 40 58", { "NGC 4826", "Black Eye Galaxy" } },
	{ "11 18 55.9", "+13 05 32", { "NGC 3623" } },
	{ "11 20 15.0", "+12 59 30", { "NGC 3627" } },
	{ "08 51 18.0", "+11 48 00", { "NGC 2682" } },
	{ "12 39 28.0", "-26 44 39", { "NGC 4590" } },
	{ "18 31 23.1", "-32 20 53", { "NGC 6637" } },
	{ "18 43 12.8", "-32 17 32", { "NGC 6681" } },
	{ "19 53 46.5", "+18 46 45", { "NGC 6838" } },
	{ "20 53 27.7", "-12 32 14", { "NGC 6981" } },
	{ "20 58 54.0", "-12 38 00", { "NGC 6994" } },
	{ "01 36 41.8", "+15 47 01", { "NGC 628" } },
	{ "20 06 04.7", "-21 55 16", { "NGC 6864" } },
	{ "01 42 19.7", "+51 34 32", { "NGC 650", "Little Dumbbell Nebula" } },
	{ "02 42 40.7", "-00 00 48", { "NGC 1068", "Cetus A" } },
	{ "05 46 46.7", "+00 03 00", { "NGC 2068" } },
	{ "05 24 10.6", "-24 31 27", { "NGC 1904" } },
	{ "16 17 02.4", "-22 58 34", { "NGC 6093" } },
	{ "09 55 33.2", "+69 03 55", { "NGC 3031", "Bode's Galaxy" } },
	{ "09 55 52.2", "+69 40 47", { "NGC 3034", "Cigar Galaxy" } },
	{ "13 37 00.9", "-29 51 57", { "NGC 5236", "Southern Pinwheel Galaxy" } },
	{ "12 25 03.7", "+12 53 13", { "NGC 4374" } },
	{ "12 25 24.0", "+18 11 28", { "NGC 4382" } },
	{ "12 26 11.7", "+12 56 46", { "NGC 4406" } },
	{ "12 30 49.4", "+12 23 28", { "NGC 4486", "Virgo A" } },
	{ "12 31 59.2", "+14 25 14", { "NGC 4501" } },
	{ "12 35 39.8", "+12 33 23", { "NGC 4552" } },
	{ "12 36 49.8", "+13 09 46", { "NGC 4569" } },
	{ "12 35 26.4", "+14 29 47", { "NGC 4548" } },
	{ "17 17 07.4", "+43 08 09", { "NGC 6341" } },
	{ "07 44 30.0", "-23 51 24", { "NGC 2447" } },
	{ "12 50 53.1", "+41 07 14", { "NGC 4736" } },
	{ "10 43 57.7", "+11 42 14", { "NGC 3351" } },
	{ "10 46 45.7", "+11 49 12", { "NGC 3368" } },
	{ "11 14 47.7", "+55 01 09", { "NGC 3587", "Owl Nebula" } },
	{ "12 13 48.3", "+14 54 01", { "NGC 4192" } },
	{ "12 18 49.6", "+14 24 59", { "NGC 4254" } },
	{ "12 22 54.9", "+15 49 21", { "NGC 4321" } },
	{ "14 03 12.6", "+54 20 57", { "NGC 5457", "Pinwheel Galaxy" } },
	{ "15 06 29.5", "+55 45 48", { "NGC 5866" } },
	{ "01 33 23.0", "+60 39 00", { "NGC 581" } },
	{ "12 39 59.4", "-11 37 23", { "NGC 4594", "Sombrero Galaxy" } },
	{ "10 47 49.6", "+12 34 54", { "NGC 3379" } },
	{ "12 18 57.5", "+47 18 14", { "NGC 4258" } },
	{ "16 32 31.9", "-13 03 14", { "NGC 6171" } },
	{ "11 11 31.0", "+55 40 27", { "NGC 3556" } },
	{ "11 57 36.0", "+53 22 28", { "NGC 3992" } },
	{ "00 40 22.1", "+41 41 07", { "NGC 205" } },
};
_Static_assert(NELEM(messier) == 110, "Messier's catalogue has 110 objects");

/* The names of object i: M number first. */
static size_t
names_of(size_t i, struct target_key keys[NAMES + 1], struct arena *a)
{
	size_t n = 1;

	keys[0].name = arena_printf(a, "M%zu", i + 1);
	while (n <= NAMES && messier[i].names[n - 1] != NULL) {
		keys[n].name = str_of(messier[i].names[n - 1]);
		n++;
	}
	for (size_t k = 0; k < n; k++)
		keys[k].key = target_match_key(a, keys[k].name);
	return n;
}

/* A name of the catalogue that is in use. */
struct taken {
	struct str key;
	int64_t target;
	bool visible;
};

static const struct taken *
find_taken(const struct taken *taken, size_t n, struct str key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(taken[i].key, key))
			return &taken[i];
	return NULL;
}

struct seeding {
	struct arena *arena;
	const struct user *user;
	struct target_seeded *out;
};

static enum db_result
read_taken(struct db *db, const struct seeding *s, struct taken *taken, size_t *n)
{
	struct target_key keys[NELEM(messier) * (NAMES + 1)];
	struct query *q;
	size_t nkeys = 0;

	for (size_t i = 0; i < NELEM(messier); i++)
		nkeys += names_of(i, keys + nkeys, s->arena);
	q = target_names_taken(db, s->user, target_json_keys(s->arena, keys, nkeys));
	*n = 0;
	while (*n < nkeys && db_step(q) == DB_ROW)
		taken[(*n)++] = (struct taken){
			.key = db_col_copy(q, "match_key", s->arena),
			.target = db_col_int(q, "target_id"),
			.visible = db_col_bool(q, "visible"),
		};
	return db_done(q);
}

static void
make(struct target_new *t, size_t i, const struct seeding *s, struct target_key *keys, size_t nkeys)
{
	*t = (struct target_new){
		.target = target_none(), .keys = keys, .nkeys = nkeys, .list = s->out->list
	};
	t->target.name = keys[0].name;
	t->target.permissions = TARGET_PUBLIC;
	t->target.creator = s->user->id;
	t->target.created = t->target.modified = clock_now();
	angle_parse(str_of(messier[i].ra), ANGLE_RA, &t->target.ra);
	angle_parse(str_of(messier[i].dec), ANGLE_DEC, &t->target.dec);
}

static enum db_result
seed(struct db *db, void *arg)
{
	struct seeding *s = arg;
	struct arena *a = s->arena;
	struct taken *taken = arena_array(a, NELEM(messier) * (NAMES + 1), sizeof(*taken));
	struct target_new *list = arena_array(a, NELEM(messier), sizeof(*list));
	size_t ntaken, nnew = 0;
	enum db_result r;

	*s->out = (struct target_seeded){ 0 };
	if ((r = target_list_named(db, STR("Messier Catalog"), &s->out->list)) != DB_END ||
	    (r = read_taken(db, s, taken, &ntaken)) != DB_END)
		return r;
	/* the last is made first: so M1 is the newest and heads the list */
	for (size_t i = NELEM(messier); i-- > 0 && r == DB_END;) {
		struct target_key *keys = arena_array(a, NAMES + 1, sizeof(*keys));
		size_t nkeys = names_of(i, keys, a), free_keys = 1;
		const struct taken *is = find_taken(taken, ntaken, keys[0].key);

		if (is == NULL && nkeys > 1) /* its NGC number */
			is = find_taken(taken, ntaken, keys[1].key);
		if (is != NULL) {
			s->out->present += is->visible;
			s->out->unseen += !is->visible;
			if (is->visible)
				r = target_list_put(db, s->out->list, is->target);
			continue;
		}
		for (size_t k = 1; k < nkeys; k++)
			if (find_taken(taken, ntaken, keys[k].key) == NULL)
				keys[free_keys++] = keys[k];
		make(&list[nnew++], i, s, keys, free_keys);
	}
	if (r == DB_END)
		r = target_bulk_add(db, a, list, nnew);
	s->out->added = nnew;
	return r;
}

enum db_result
target_seed_messier(struct db *db, struct arena *a, const struct user *u, struct target_seeded *out)
{
	return db_transaction(db, DB_WRITE, seed, &(struct seeding){ a, u, out });
}
