/*
 * scout_store: Scout's objects, their history and their targets, each call one transaction.
 */
#include "alert/scout_store.h"

#include <math.h>

#include "alert/scout_list.h"
#include "base/clock.h"
#include "base/log.h"
#include "sky/orbit.h"
#include "sky/timescale.h"
#include "tom/target.h"

#define SLOPE 0.15 /* G, of what nobody has measured */
#define MOST_ECCENTRIC 0.9 /* beyond it a target's elements are those of a comet */

static const struct user superuser = { .is_superuser = true };

/* What a call carries into its transaction. */
struct storing {
	struct arena *arena;
	const struct scout_rules *rules;
	struct position *position; /* NULL: none */
	int64_t sight; /* number of the stream's audience */
	struct scout_tally tally; /* of this run of it */
	const struct scout_list *list;
	const struct scout_object *object;
	const struct scout_known *known;
	const struct scout_single *single;
	const char *why;
	struct str bytes;
	const struct mpc_fate *fates;
	size_t nfates;
	int64_t since;
};

static enum db_result
take_place(struct db *db, struct storing *s)
{
	const struct audience u = audience_of(
	    s->arena, s->rules->permissions, s->rules->groups, s->rules->ngroups);
	enum db_result r = DB_END;

	s->tally = (struct scout_tally){ 0 };
	if (s->position != NULL)
		r = positions_store(db, s->rules->stream, &s->position, 1);
	return r == DB_END ? audience_find(db, &u, &s->sight) : r;
}

static enum db_result
run(struct db *db, struct storing *s, enum db_result (*work)(struct db *, void *),
    struct scout_tally *tally)
{
	enum db_result r = db_transaction(db, DB_WRITE, work, s);

	if (s->position != NULL)
		position_settle(s->position, r == DB_END);
	if (r != DB_END || tally == NULL)
		return r;
	tally->new_objects += s->tally.new_objects;
	tally->new_runs += s->tally.new_runs;
	tally->new_targets += s->tally.new_targets;
	tally->dead += s->tally.dead;
	return DB_END;
}

/* Binds the fields of an object but its name. */
static void
bind_values(struct query *q, const struct scout_object *o)
{
	for (size_t i = 0; i < scout_nfields; i++) {
		const struct scout_field *f = &scout_fields[i];
		double number;

		if (f->kind == SCOUT_NAME)
			continue;
		if (f->kind == SCOUT_TIME && scout_time(o, f) == 0)
			db_null(q, f->column);
		else if (f->kind == SCOUT_TIME)
			db_int(q, f->column, scout_time(o, f));
		else if (isnan(number = scout_real(o, f)))
			db_null(q, f->column);
		else if (f->kind == SCOUT_WHOLE)
			db_int(q, f->column, (int64_t)number);
		else
			db_real(q, f->column, number);
	}
}

/* The object of a row of scout_object. */
static struct scout_known
read_known(struct query *q, struct arena *a)
{
	struct scout_known k = { .id = db_col_int(q, "id"),
		.target_id = db_col_int(q, "target_id"),
		.asked_run = db_col_int(q, "asked_run") };

	scout_list_values(q, &k.object);
	k.object.name = db_col_copy(q, "name", a);
	return k;
}

/* What is stored under that name; id 0: nothing. */
static enum db_result
find(struct db *db, struct arena *a, struct str name, struct scout_known *out)
{
	struct query *q = db_query(db, QUERY_SCOUT_FIND);

	*out = (struct scout_known){ .object = scout_none() };
	db_text(q, "name", name);
	if (db_step(q) == DB_ROW)
		*out = read_known(q, a);
	return db_done(q);
}

/* It is in the list, for whom the stream lets see it. */
static void
bind_seen(struct query *q, const struct storing *s, struct str name, int64_t now)
{
	db_text(q, "name", name);
	db_int(q, "now", now);
	db_int(q, "sight", s->sight);
}

static enum db_result
add_run(struct db *db, struct storing *s, int64_t id, const struct scout_object *o)
{
	struct query *q = db_query(db, QUERY_SCOUT_RUN_ADD);
	enum db_result r;

	db_int(q, "object", id);
	db_int(q, "now", clock_now());
	bind_values(q, o);
	r = db_run(q);
	if (r == DB_END)
		s->tally.new_runs += db_changes(db) > 0;
	return r;
}

/* An object of the list is there: added, changed; its analysis is in the history. */
static enum db_result
put_object(struct db *db, struct storing *s, const struct scout_object *o, int64_t now,
    struct scout_known *known)
{
	enum db_result r = find(db, s->arena, o->name, known);
	struct query *q;

	if (r != DB_END)
		return r;
	if (known->id == 0) {
		q = db_query(db, QUERY_SCOUT_ADD);
		bind_seen(q, s, o->name, now);
		bind_values(q, o);
		r = db_insert(q, &known->id);
		s->tally.new_objects++;
	} else {
		q = db_query(db, QUERY_SCOUT_SEEN);
		bind_seen(q, s, o->name, now);
		r = db_run(q);
		if (r == DB_END) {
			q = db_query(db, QUERY_SCOUT_CHANGE);
			db_int(q, "id", known->id);
			bind_values(q, o);
			r = db_run(q);
		}
	}
	known->object = *o;
	return r == DB_END ? add_run(db, s, known->id, o) : r;
}

static bool
in_range(double value, double least, double most)
{
	return (isnan(least) || value >= least) && (isnan(most) || value <= most);
}

bool
scout_passes(const struct scout_cuts *c, const struct scout_object *o)
{
	return in_range(o->rating, c->min_rating, NAN) &&
	    in_range(o->neo_score, c->min_neo_score, NAN) &&
	    in_range(o->pha_score, c->min_pha_score, NAN) &&
	    in_range(o->geocentric_score, NAN, c->max_geocentric_score) &&
	    in_range(o->v_mag, NAN, c->max_magnitude) &&
	    in_range(o->uncertainty, NAN, c->max_uncertainty) &&
	    in_range(o->close_approach, NAN, c->max_close_approach) &&
	    in_range(o->dec, c->min_declination, c->max_declination);
}

static enum db_result
belongs(struct db *db, int64_t id, int64_t target, const char *note)
{
	struct query *q = db_query(db, QUERY_SCOUT_BELONGS);

	db_int(q, "id", id);
	if (target == 0)
		db_null(q, "target");
	else
		db_int(q, "target", target);
	db_text(q, "note", str_of(note));
	return db_run(q);
}

/* The stream's, of targets, which are seen whole by who sees them. */
static struct match_rules
match_rules_of(const struct storing *s)
{
	return (struct match_rules){ .create = s->rules->create,
		.permissions = s->rules->permissions,
		.groups = s->rules->groups,
		.ngroups = s->rules->ngroups,
		.source = STR(""),
		.label = s->rules->stream };
}

/* Those without a target join the ones of their name; it is noted who does not pass the cuts. */
static enum db_result
join(struct db *db, struct storing *s, struct scout_known *list, size_t n)
{
	struct target_wanted *wanted = arena_array(s->arena, n, sizeof(*wanted));
	size_t *of = arena_array(s->arena, n, sizeof(*of)), k = 0;
	const struct match_rules rules = match_rules_of(s);
	enum db_result r;

	for (size_t i = 0; i < n; i++)
		if (list[i].target_id == 0) {
			wanted[k] = (struct target_wanted){
				.name = list[i].object.name, .ra = NAN, .dec = NAN
			};
			of[k++] = i;
		}
	if (s->rules->create == CREATE_NEVER)
		return DB_END;
	r = match_named(db, s->arena, &rules, wanted, k);
	for (size_t i = 0; i < k && r == DB_END; i++) {
		struct scout_known *known = &list[of[i]];

		known->target_id = wanted[i].id;
		r = belongs(db, known->id, known->target_id,
		    known->target_id == 0 && s->rules->create == CREATE_ALL &&
		            !scout_passes(&s->rules->cuts, &known->object)
		        ? OBJECT_CUT
		        : "");
	}
	return r;
}

/* Tells one wrong row from another, so that it is put aside once however often it comes (FNV-1a). */
static int64_t
identity(struct str bytes)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < bytes.n; i++)
		h = (h ^ (unsigned char)bytes.p[i]) * UINT64_C(1099511628211);
	return (int64_t)(h >> 1);
}

static enum db_result
put_aside(struct db *db, struct storing *s, struct str topic, struct str bytes, struct str why)
{
	const struct position at = { .topic = topic, .part = identity(bytes) };
	const struct letter letter = { .position = &at,
		.bytes = bytes.n <= LETTER_MAX ? bytes : STR_NONE,
		.size = bytes.n,
		.reason = why };
	enum db_result r = letters_store(db, s->rules->stream, &letter, 1);

	if (r == DB_END)
		s->tally.dead += db_changes(db) > 0;
	return r;
}

/* A row that cannot be read: its object is there all the same, where it tells its name. */
static enum db_result
put_wrong_row(struct db *db, struct storing *s, const struct scout_row *row, int64_t now)
{
	enum db_result r = put_aside(db, s, STR("list"), row->bytes, row->why);
	struct query *q;

	if (r != DB_END || row->object.name.n == 0)
		return r;
	q = db_query(db, QUERY_SCOUT_SEEN);
	bind_seen(q, s, row->object.name, now);
	return db_run(q);
}

static enum db_result
part_from_missing(struct db *db, int64_t now)
{
	struct query *q = db_query(db, QUERY_SCOUT_MISSED);
	enum db_result r;

	db_int(q, "now", now);
	if ((r = db_run(q)) != DB_END)
		return r;
	q = db_query(db, QUERY_SCOUT_LEFT);
	db_int(q, "lists", SCOUT_LISTS);
	return db_run(q);
}

static enum db_result
store_list(struct db *db, void *arg)
{
	struct storing *s = arg;
	struct scout_known *known = arena_array(s->arena, s->list->n, sizeof(*known));
	int64_t now = clock_now();
	size_t n = 0;
	enum db_result r = take_place(db, s);

	for (size_t i = 0; i < s->list->n && r == DB_END; i++) {
		const struct scout_row *row = &s->list->rows[i];

		r = row->why.p != NULL ? put_wrong_row(db, s, row, now)
		                       : put_object(db, s, &row->object, now, &known[n++]);
	}
	if (r == DB_END)
		r = join(db, s, known, n);
	return r == DB_END ? part_from_missing(db, now) : r;
}

enum db_result
scout_store_list(struct db *db, struct arena *a, const struct scout_rules *rules,
    struct position *position, const struct scout_list *list, struct scout_tally *tally)
{
	struct storing s = { .arena = a, .rules = rules, .position = position, .list = list };

	return run(db, &s, store_list, tally);
}

static enum db_result
store_row(struct db *db, void *arg)
{
	struct storing *s = arg;
	struct scout_known known;
	enum db_result r = take_place(db, s);

	if (r == DB_END)
		r = put_object(db, s, s->object, clock_now(), &known);
	return r == DB_END ? join(db, s, &known, 1) : r;
}

enum db_result
scout_store_row(struct db *db, struct arena *a, const struct scout_rules *rules,
    const struct scout_object *object, struct scout_tally *tally)
{
	struct storing s = { .arena = a, .rules = rules, .object = object };

	return run(db, &s, store_row, tally);
}

/* The samples as orbits, and the one that is nearest the median where the analysis was made. */
static const struct scout_orbit *
choose(struct arena *a, const struct scout_single *single)
{
	struct orbit *orbits = arena_array(a, single->n, sizeof(*orbits));
	size_t best;

	for (size_t i = 0; i < single->n; i++) {
		const struct scout_orbit *o = &single->orbits[i];

		orbits[i] = (struct orbit){ .eccentricity = o->eccentricity,
			.perihelion = o->perihelion,
			.perihelion_time = o->perihelion_time,
			.node = o->node,
			.peri = o->peri,
			.inclination = o->inclination };
	}
	best = orbit_central(
	    a, orbits, single->n, timescale_utc_to_tt(clock_to_mjd(single->object.last_run)), NULL);
	return best < single->n ? &single->orbits[best] : NULL;
}

static double
turns(double degrees)
{
	double d = fmod(degrees, 360);

	return d < 0 ? d + 360 : d;
}

/* The elements of a target, as its scheme wants them; the others of an ellipse, too. */
static void
set_elements(struct target *t, const struct scout_orbit *from)
{
	const struct orbit o = { .eccentricity = from->eccentricity,
		.perihelion = from->perihelion,
		.perihelion_time = from->perihelion_time };
	bool ellipse = from->eccentricity < 1;

	t->scheme = from->eccentricity > MOST_ECCENTRIC ? SCHEME_COMET : SCHEME_MINOR_PLANET;
	t->epoch_of_elements = from->epoch;
	t->eccentricity = from->eccentricity;
	t->perihdist = from->perihelion;
	t->epoch_of_perihelion = from->perihelion_time;
	t->lng_asc_node = turns(from->node);
	t->arg_of_perihelion = turns(from->peri);
	t->inclination = from->inclination;
	t->semimajor_axis = from->eccentricity == 1 ? (double)NAN
	                                            : from->perihelion / (1 - from->eccentricity);
	t->mean_daily_motion = orbit_daily_motion(&o);
	t->mean_anomaly = ellipse ? orbit_mean_anomaly(&o, from->epoch) : (double)NAN;
	/* a long ellipse's other perihelion may be out of what an MJD of a target may be */
	if (!(t->epoch_of_perihelion >= 0 && t->epoch_of_perihelion <= 100000) &&
	    t->scheme != SCHEME_COMET)
		t->epoch_of_perihelion = NAN;
	if (!isnan(from->abs_mag)) {
		t->abs_mag = from->abs_mag;
		t->slope = SLOPE;
	}
}

/* Writes the elements into the target, which is there. *written: it has them now. */
static enum db_result
change_target(
    struct db *db, struct storing *s, int64_t id, const struct scout_orbit *orbit, bool *written)
{
	struct target_draft draft = { 0 };
	struct problems problems = { 0 };
	struct target_whole whole;
	enum db_result r = target_load(db, s->arena, &superuser, id, 0, &whole);

	*written = false;
	if (r == DB_END)
		return DB_RETRY; /* it was deleted under our hands */
	if (r != DB_ROW)
		return r;
	if (whole.target.type != TARGET_NON_SIDEREAL)
		return DB_END;
	draft.target = whole.target;
	set_elements(&draft.target, orbit);
	r = target_change(db, s->arena, NULL, &draft, KEEP_PARTS, &problems);
	if ((r == DB_REFUSED || r == DB_TAKEN) && problems.n > 0) {
		log_warn("a target does not take the elements of Scout", LOG_INT("target", id),
		    LOG_STR("why", problems.list[0].why));
		return DB_END;
	}
	*written = r == DB_END;
	/* to our callers DB_REFUSED says that the place is somebody else's */
	return r == DB_REFUSED || r == DB_TAKEN ? DB_RETRY : r;
}

/* The target of an object that has none yet: of its name, or made. 0: neither. */
static enum db_result
make_target(struct db *db, struct storing *s, const struct scout_object *o, int64_t *target)
{
	struct target_wanted wanted = { .name = o->name, .ra = NAN, .dec = NAN };
	const struct match_rules rules = match_rules_of(s);
	enum db_result r;

	if (s->rules->create == CREATE_NEVER)
		return DB_END;
	if (s->rules->create == CREATE_MATCH || !scout_passes(&s->rules->cuts, o))
		r = match_named(db, s->arena, &rules, &wanted, 1);
	else
		r = match_or_make(db, s->arena, &rules, &wanted, 1);
	*target = wanted.id;
	s->tally.new_targets += r == DB_END && wanted.is_new;
	return r;
}

/* The analysis was asked for. */
static enum db_result
set_asked(
    struct db *db, int64_t id, int64_t last_run, size_t orbits, const struct scout_orbit *orbit)
{
	static const enum query_name names[] = { QUERY_SCOUT_ASKED, QUERY_SCOUT_RUN_ASKED };
	enum db_result r = DB_END;

	for (size_t i = 0; i < NELEM(names) && r == DB_END; i++) {
		struct query *q = db_query(db, names[i]);

		db_int(q, "id", id);
		db_int(q, "last_run", last_run);
		db_int(q, "orbits", (int64_t)orbits);
		if (orbit == NULL)
			db_null(q, "orbit");
		else
			db_int(q, "orbit", orbit->number);
		r = db_run(q);
	}
	return r;
}

static enum db_result
store_single(struct db *db, void *arg)
{
	struct storing *s = arg;
	const struct scout_object *o = &s->single->object;
	const struct scout_orbit *orbit = choose(s->arena, s->single);
	struct scout_known known = { 0 };
	bool written = false;
	enum db_result r = take_place(db, s);

	if (r == DB_END)
		r = put_object(db, s, o, clock_now(), &known);
	if (r == DB_END && known.target_id == 0) {
		r = make_target(db, s, o, &known.target_id);
		if (r == DB_END)
			r = belongs(db, known.id, known.target_id,
			    known.target_id != 0 || s->rules->create != CREATE_ALL ? ""
			        : scout_passes(&s->rules->cuts, o)                 ? OBJECT_TAKEN
			                                                           : OBJECT_CUT);
	}
	if (r == DB_END && known.target_id != 0 && orbit != NULL)
		r = change_target(db, s, known.target_id, orbit, &written);
	return r == DB_END
	    ? set_asked(db, known.id, o->last_run, s->single->n, written ? orbit : NULL)
	    : r;
}

enum db_result
scout_store_single(struct db *db, struct arena *a, const struct scout_rules *rules,
    struct position *position, const struct scout_single *single, struct scout_tally *tally)
{
	struct storing s = { .arena = a, .rules = rules, .position = position, .single = single };

	return run(db, &s, store_single, tally);
}

static enum db_result
store_unknown(struct db *db, void *arg)
{
	struct storing *s = arg;
	enum db_result r = take_place(db, s);

	if (r == DB_END && s->why != NULL)
		r = put_aside(db, s, s->known->object.name, s->bytes, str_of(s->why));
	return r == DB_END ? set_asked(db, s->known->id, s->known->object.last_run, 0, NULL) : r;
}

enum db_result
scout_store_unknown(struct db *db, struct arena *a, const struct scout_rules *rules,
    struct position *position, const struct scout_known *known, const char *why, struct str bytes,
    struct scout_tally *tally)
{
	struct storing s = { .arena = a,
		.rules = rules,
		.position = position,
		.known = known,
		.why = why,
		.bytes = bytes };

	return run(db, &s, store_unknown, tally);
}

static const struct mpc_fate *
fate_of(const struct storing *s, struct str name)
{
	for (size_t i = 0; i < s->nfates; i++)
		if (str_eq(s->fates[i].name, name))
			return &s->fates[i];
	return NULL;
}

/* An object that has left. */
struct gone {
	int64_t id, target_id;
	struct str name;
};

static enum db_result
read_gone(struct db *db, struct arena *a, int64_t since, struct gone **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_SCOUT_UNSETTLED);
	size_t room = 0;

	*list = NULL;
	*n = 0;
	db_int(q, "since", since);
	while (db_step(q) == DB_ROW) {
		*list = arena_more(a, *list, *n, &room, sizeof(**list));
		(*list)[(*n)++] = (struct gone){ db_col_int(q, "id"), db_col_int(q, "target_id"),
			db_col_copy(q, "name", a) };
	}
	return db_done(q);
}

static enum db_result
store_fates(struct db *db, void *arg)
{
	struct storing *s = arg;
	struct target_alias *aliases;
	struct gone *gone;
	size_t n, naliases = 0;
	enum db_result r = take_place(db, s);

	if (r == DB_END)
		r = read_gone(db, s->arena, s->since, &gone, &n);
	if (r != DB_END)
		return r;
	aliases = arena_array(s->arena, n, sizeof(*aliases));
	for (size_t i = 0; i < n && r == DB_END; i++) {
		const struct mpc_fate *f = fate_of(s, gone[i].name);
		struct query *q;

		if (f == NULL)
			continue;
		q = db_query(db, QUERY_SCOUT_SETTLE);
		db_int(q, "id", gone[i].id);
		db_text(q, "state", str_of(mpc_end_word(f->end)));
		db_text(q, "designation", f->designation.p != NULL ? f->designation : STR(""));
		db_int(q, "now", clock_now());
		r = db_run(q);
		if (f->designation.p != NULL && gone[i].target_id != 0)
			aliases[naliases++] = (struct target_alias){ gone[i].target_id,
				f->designation };
	}
	return r == DB_END ? target_alias_many(db, s->arena, aliases, naliases) : r;
}

enum db_result
scout_store_fates(struct db *db, struct arena *a, const struct scout_rules *rules,
    struct position *position, const struct mpc_fate *fates, size_t n, int64_t since)
{
	struct storing s = { .arena = a,
		.rules = rules,
		.position = position,
		.fates = fates,
		.nfates = n,
		.since = since };

	return run(db, &s, store_fates, NULL);
}

enum db_result
scout_unsettled(struct db *db, int64_t since, size_t *n)
{
	struct query *q = db_query(db, QUERY_SCOUT_UNSETTLED);

	*n = 0;
	db_int(q, "since", since);
	while (db_step(q) == DB_ROW)
		++*n;
	return db_done(q);
}

enum db_result
scout_due(struct db *db, struct arena *a, const struct scout_rules *rules,
    struct scout_known **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_SCOUT_ACTIVE);
	size_t room = 0;

	*list = NULL;
	*n = 0;
	while (db_step(q) == DB_ROW) {
		struct scout_known k = read_known(q, a);

		if (k.asked_run == k.object.last_run ||
		    !(k.target_id != 0 ||
		        (rules->create == CREATE_ALL && scout_passes(&rules->cuts, &k.object))))
			continue;
		*list = arena_more(a, *list, *n, &room, sizeof(**list));
		(*list)[(*n)++] = k;
	}
	return db_done(q);
}
