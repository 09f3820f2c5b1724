/*
 * batch: packets into objects, targets, alerts and measurements, survey by survey, in one transaction.
 */
#include "alert/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alert/match.h"
#include "alert/object.h"
#include "base/log.h"
#include "sky/coordinates.h"
#include "tom/rights.h"

/* The packets of one survey, and what becomes of them. */
struct part {
	struct batch *batch;
	struct db *db;
	const struct survey *survey;
	struct audience audience; /* of the stream */
	size_t npackets;
	const struct alert_packet **packets;
	struct alert *alerts; /* alerts[i] is that of packets[i] */
	size_t nobjects;
	struct object *objects;
	struct match_wish *wishes; /* wishes[i] is that of objects[i] */
};

static bool
in_range(double value, double least, double most)
{
	return (isnan(least) || value >= least) && (isnan(most) || value <= most);
}

/* May a target be made of what the packet tells? What a cut asks for and is not known fails it. */
static bool
passes(const struct ingest_cuts *cuts, const struct alert_packet *p)
{
	bool seen = p->npoints > 0 && p->points[0].kind == DATUM_DETECTION &&
	    p->points[0].mjd == p->mjd;
	double magnitude = seen ? p->points[0].magnitude : NAN, l, b;

	if (cuts == NULL)
		return true;
	if (!in_range(magnitude, NAN, cuts->max_magnitude) ||
	    !in_range(p->reliability, cuts->min_reliability, NAN) ||
	    !in_range(p->dec, cuts->min_declination, cuts->max_declination))
		return false;
	if (isnan(cuts->min_galactic_latitude))
		return true;
	sky_galactic(p->ra, p->dec, &l, &b);
	return fabs(b) >= cuts->min_galactic_latitude;
}

/* A packet among those sorted by the name of its object. */
struct by_name {
	struct str name;
	size_t packet;
};

/*
 * By name, so that two ingests take the same new names in the same order and do not wait for each
 * other in a circle; of one name the first that came comes first.
 */
static int
compare_names(const void *left, const void *right)
{
	const struct by_name *a = left, *b = right;
	int order = object_compare(a->name, b->name);

	return order != 0 ? order : (a->packet > b->packet) - (a->packet < b->packet);
}

/* What the packet tells of its object. */
static void
tell(struct object *o, const struct alert_packet *p)
{
	int64_t detections = 0;

	if (p->mjd >= o->last_mjd) {
		o->ra = p->ra;
		o->dec = p->dec;
	}
	o->first_mjd = fmin(o->first_mjd, p->mjd);
	o->last_mjd = fmax(o->last_mjd, p->mjd);
	for (size_t i = 0; i < p->npoints; i++) {
		const struct datum *d = &p->points[i];

		if (d->kind != DATUM_DETECTION)
			continue;
		detections++;
		o->first_mjd = fmin(o->first_mjd, d->mjd);
	}
	if (detections > o->detections)
		o->detections = detections;
}

/* The packets of the survey, and their objects, sorted. */
static void
gather(struct part *part)
{
	struct arena *a = part->batch->scratch;
	struct by_name *names = arena_array(a, part->batch->n, sizeof(*names));
	size_t n = 0;

	part->packets = arena_array(a, part->batch->n, sizeof(*part->packets));
	for (size_t i = 0; i < part->batch->n; i++)
		if (part->batch->packets[i].survey == part->survey) {
			part->packets[n] = &part->batch->packets[i];
			names[n] = (struct by_name){ part->packets[n]->object, n };
			n++;
		}
	part->npackets = n;
	part->alerts = arena_array(a, n, sizeof(*part->alerts));
	part->objects = arena_array(a, n, sizeof(*part->objects));
	part->wishes = arena_array(a, n, sizeof(*part->wishes));
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++) {
		const struct alert_packet *p = part->packets[names[i].packet];
		struct object *o;
		struct match_wish *w;

		if (i == 0 || !str_eq(names[i].name, names[i - 1].name))
			part->objects[part->nobjects++] = (struct object){
				.name = p->object, .first_mjd = INFINITY, .last_mjd = -INFINITY
			};
		o = &part->objects[part->nobjects - 1];
		w = &part->wishes[part->nobjects - 1];
		tell(o, p);
		w->makes = w->makes || passes(part->batch->options->cuts, p);
		w->moves = w->moves || p->moving;
		part->alerts[names[i].packet] = (struct alert){
			.object = part->nobjects - 1, .alert_id = p->alert_id, .mjd = p->mjd
		};
	}
}

static enum db_result
match(struct part *part)
{
	const struct ingest_options *o = part->batch->options;
	struct match_rules rules = { .create = o->create,
		.radius = o->match_radius,
		.permissions = o->permissions,
		.groups = o->groups,
		.ngroups = o->ngroups,
		.source = part->survey->name,
		.label = str_empty(o->stream) ? part->survey->name : o->stream,
		.shares_data = o->shares_data };
	struct ingest_tally *t = &part->batch->tally;
	enum db_result r = match_targets(
	    part->db, part->batch->scratch, &rules, part->objects, part->wishes, part->nobjects);

	size_t taken = 0;

	for (size_t i = 0; i < part->nobjects; i++) {
		const struct object *one = &part->objects[i];

		taken += strcmp(one->note, OBJECT_TAKEN) == 0 &&
		    !str_is(one->known_note, OBJECT_TAKEN);
		t->new_objects += part->objects[i].id == 0;
		t->new_targets += part->wishes[i].made;
		t->joined += part->wishes[i].joined;
	}
	if (taken > 0)
		log_warn("names of objects are those of targets that their stream may not use",
		    LOG_STR("stream", rules.label), LOG_INT("objects", taken));
	return r;
}

/* The measurements of those that have a target, and rights on them. */
static enum db_result
store_points(struct part *part)
{
	struct batch *b = part->batch;
	struct datum *rows = arena_array(b->scratch, b->npoints, sizeof(*rows));
	int64_t *targets = arena_array(b->scratch, part->npackets, sizeof(*targets));
	size_t n = 0, ntargets = 0, added = 0, present = 0;
	enum db_result r = DB_END;

	for (size_t i = 0; i < part->npackets; i++) {
		const struct alert_packet *p = part->packets[i];
		const struct object *o = &part->objects[part->alerts[i].object];
		int64_t target = o->target_id;

		b->tally.empty += p->empty;
		if (target == 0)
			continue;
		targets[ntargets++] = target;
		memcpy(rows + n, p->points, p->npoints * sizeof(*rows));
		/* an alert that others came after may tell what they have corrected since */
		for (size_t k = 0; k < p->npoints; k++) {
			rows[n].target_id = target;
			rows[n].told = p->mjd >= o->known_last ? p->mjd : 0;
			rows[n++].alert_id = p->alert_id;
		}
	}
	if (b->options->shares_data && n > 0)
		r = rights_share_data(part->db, b->scratch, part->survey->name, targets, ntargets,
		    b->options->permissions, b->options->groups, b->options->ngroups);
	if (r == DB_END)
		r = datum_store_batch(part->db, b->scratch, rows, n, &added, &present);
	b->tally.new_points += added;
	b->tally.known_points += present;
	return r;
}

static enum db_result
write_part(struct db *db, struct batch *b, const struct survey *survey)
{
	struct part part = { .batch = b, .db = db, .survey = survey };
	struct str stream = b->options->stream.p == NULL ? STR("") : b->options->stream;
	enum db_result r;

	gather(&part);
	if (part.npackets == 0)
		return DB_END;
	part.audience = audience_of(
	    b->scratch, b->options->permissions, b->options->groups, b->options->ngroups);
	r = objects_find(db, b->scratch, survey->name, &part.audience, part.objects, part.nobjects);
	if (r == DB_END)
		r = match(&part);
	if (r == DB_END)
		r = alerts_find_new(
		    db, b->scratch, part.objects, part.alerts, part.npackets, b->tries > 1);
	if (r == DB_END)
		r = objects_store(
		    db, b->scratch, survey->name, &part.audience, part.objects, part.nobjects);
	if (r == DB_END)
		r = alerts_store(db, stream, part.objects, part.alerts, part.npackets);
	for (size_t i = 0; i < part.npackets; i++)
		b->tally.new_alerts += part.alerts[i].is_new;
	return r == DB_END ? store_points(&part) : r;
}

enum db_result
batch_write(struct db *db, struct batch *b, bool *fenced)
{
	struct str stream = b->options->stream;
	enum db_result r = DB_END;

	arena_reset(b->scratch);
	b->tries++;
	b->tally = (struct ingest_tally){ .stored = b->n, .dead = b->nletters };
	/* first, so that of two daemons the second waits here and is told before it works */
	if (b->npositions > 0)
		r = positions_store(db, stream, b->positions, b->npositions);
	*fenced = r == DB_REFUSED;
	if (r == DB_END)
		r = letters_store(db, stream, b->letters, b->nletters);
	if (r == DB_END && b->options->map != NULL)
		return write_part(db, b, mapping_survey(b->options->map));
	for (size_t i = 0; packet_surveys[i] != NULL && r == DB_END; i++)
		r = write_part(db, b, packet_surveys[i]);
	return r;
}
