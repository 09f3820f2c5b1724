/*
 * targets_photometry: a target's measurements read for its page, and the light curve with the links
 * that look at it otherwise.
 */
#include "targets_photometry.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "targets_list.h"

#define AB_ZERO 31.4 /* the magnitude of 1 nJy */
#define MAG_OF_LN 1.0857362 /* 2.5 / ln 10: a part of a flux in magnitudes */
#define RANGE_DECIMALS 4
#define RANGE_STEP 1e-4 /* days */

/* What a link to another range leaves behind. */
static const char *const no_range[] = { "from", "to", "after", NULL };

/* MJD of a field; NAN where it is empty. 0; -1: it is none. */
static int
read_mjd(const struct request *req, const char *name, double *mjd)
{
	struct str s = str_trim(pairs_get(&req->get, name));

	*mjd = NAN;
	if (str_empty(s))
		return 0;
	return str_to_double(s, mjd) && fabs(*mjd) < 1e7 ? 0 : -1;
}

int
photometry_span(const struct request *req, struct datum_span *span, const char **why)
{
	double from, to;

	*span = DATUM_ALL_TIME;
	*why = NULL;
	if (read_mjd(req, "from", &from) < 0 || read_mjd(req, "to", &to) < 0)
		*why = "A range is given in MJD, such as 60310.5.";
	else if (from >= to)
		*why = "A range begins before it ends.";
	if (*why != NULL)
		return -1;
	if (isfinite(from))
		span->first = from;
	if (isfinite(to))
		span->last = to;
	return 0;
}

/* Texts that repeat from row to row, once each. */
struct names {
	struct str list[32];
	size_t n;
};

/* Most are a letter. */
static bool
is_same(struct str a, struct str b)
{
	return a.n == b.n &&
	    (a.n == 0 || (a.p[0] == b.p[0] && (a.n == 1 || memcmp(a.p, b.p, a.n) == 0)));
}

static struct str
known(struct names *names, struct str s, struct arena *a)
{
	for (size_t i = 0; i < names->n; i++)
		if (is_same(names->list[i], s))
			return names->list[i];
	s = arena_str(a, s);
	if (names->n < NELEM(names->list))
		names->list[names->n++] = s;
	return s;
}

/*
 * In magnitudes a forced measurement that has a limit, or is below 3 sigma, is a limit at 5 sigma, as
 * surveys have it.
 */
static void
set_magnitude(struct lightcurve_point *p, const struct datum *d)
{
	double flux = fabs(d->flux);

	p->value = d->magnitude;
	p->error = d->magnitude_error;
	if (isfinite(d->magnitude))
		return;
	if (d->kind == DATUM_LIMIT || !isfinite(d->flux)) {
		p->limit = true;
		p->value = d->limit_mag;
	} else if (d->kind == DATUM_DETECTION ||
	    (flux >= 3 * d->flux_error && !isfinite(d->limit_mag))) {
		p->value = AB_ZERO - 2.5 * log10(flux);
		p->error = MAG_OF_LN * d->flux_error / flux;
	} else {
		p->limit = true;
		p->value = AB_ZERO - 2.5 * log10(5 * d->flux_error);
	}
}

/* Fluxes are what they are, be they below their error; a magnitude becomes one. */
static void
set_flux(struct lightcurve_point *p, const struct datum *d)
{
	p->value = d->flux;
	p->error = d->flux_error;
	if (d->kind != DATUM_LIMIT && isfinite(d->flux))
		return;
	p->limit = d->kind == DATUM_LIMIT || !isfinite(d->magnitude);
	p->value = pow(10, (AB_ZERO - (p->limit ? d->limit_mag : d->magnitude)) / 2.5);
	p->error = p->value * d->magnitude_error / MAG_OF_LN;
	if (!p->limit && d->sign < 0)
		p->value = -p->value;
}

static void
set_point(struct lightcurve_point *p, const struct datum *d, bool flux)
{
	p->mjd = d->mjd;
	p->forced = d->kind == DATUM_FORCED;
	p->difference = d->sign != 0 || isfinite(d->flux);
	if (flux)
		set_flux(p, d);
	else
		set_magnitude(p, d);
	p->negative = !p->limit && (d->sign < 0 || d->flux < 0);
}

/* The points while they are read, from the newest on: filled from the end. */
struct points {
	struct arena *arena;
	struct lightcurve_point *list;
	size_t n, room;
	bool flux;
	double first;
	struct names bands, sources;
};

static void
make_room(struct points *s)
{
	/* who has hundreds has thousands: copied less often */
	size_t wider = s->room == 0 ? 128 : 4 * s->room;
	struct lightcurve_point *list = arena_array(s->arena, wider, sizeof(*list));

	if (s->n > 0)
		memcpy(list + wider - s->n, s->list, s->n * sizeof(*list));
	s->list = list;
	s->room = wider;
}

static int
take(void *arg, const struct datum *d)
{
	struct points *s = arg;
	struct lightcurve_point *p;

	if (s->n == s->room)
		make_room(s);
	p = &s->list[s->room - ++s->n];
	set_point(p, d, s->flux);
	p->band = known(&s->bands, d->band, s->arena);
	p->source = known(&s->sources, d->source, s->arena);
	if (d->kind == DATUM_DETECTION)
		s->first = d->mjd;
	return 0;
}

/* Takes the points from what the worker kept. */
static bool
find_kept(struct request *req, struct photometry *p)
{
	struct curve_points kept;

	if (!curve_cache_find(req->app->own, &p->key, &kept))
		return false;
	p->points = kept.list;
	p->n = kept.n;
	p->first = kept.first;
	return true;
}

void
photometry_start(struct request *req, struct photometry *p, int64_t target, int64_t revision)
{
	struct db *db = req->app->db;
	const struct user *reader = datum_reader(req->app->config, auth_user(req));

	*p = (struct photometry){ .flux = str_is(pairs_get(&req->get, "y"), "flux"),
		.days = str_is(pairs_get(&req->get, "x"), "days"),
		.first = NAN };
	photometry_span(req, &p->span, &p->wrong);
	p->ranged = p->span.first > -DBL_MAX || p->span.last < DBL_MAX;
	if (!p->ranged && reader == NULL)
		p->key = (struct curve_key){ target, revision, p->flux };
	if (find_kept(req, p))
		return;
	p->reading = datum_read_start(db, reader, target, p->span, CURVE_MAX);
	if (p->days)
		p->asking = datum_first_start(db, reader, target);
}

enum db_result
photometry_end(struct request *req, struct photometry *p)
{
	struct points *s = arena_alloc(req->arena, sizeof(*s));
	struct datum_found found;
	enum db_result r, asked = DB_END;

	if (p->reading == NULL)
		return DB_END;
	s->arena = req->arena;
	s->flux = p->flux;
	s->first = NAN;
	r = datum_read_end(p->reading, CURVE_MAX, p->flux, take, s, &found);
	p->points = s->list == NULL ? NULL : s->list + s->room - s->n;
	p->n = s->n;
	p->first = s->first;
	p->more = found.more;
	/* the revision is that of what was read, be it newer than the one that was asked for */
	if (r == DB_END && p->key.target != 0 && !p->more) {
		p->key.revision = found.revision;
		curve_cache_keep(
		    req->app->own, &p->key, &(struct curve_points){ p->points, p->n, s->first });
	}
	if (p->asking != NULL)
		asked = datum_first_end(p->asking, &p->first);
	return r != DB_END ? r : asked;
}

/* A link to a look, NULL being the usual one; the one that is looked at says so. */
static void
add_mode(struct request *req, struct value *list, const char *label, bool here, const char *name,
    const char *value)
{
	const char *const without[] = { "after", name, NULL };
	struct value *v = value_add_object(list);

	value_set_cstr(v, "label", label);
	if (here)
		value_set_bool(v, "here", true);
	value_set_text(
	    v, "link", targets_link(req, without, value != NULL ? name : NULL, str_of(value)));
}

static void
add_modes(struct request *req, struct value *page, const struct photometry *p)
{
	struct value *list = value_set_list(page, "look_y");

	add_mode(req, list, "Magnitude", !p->flux, "y", NULL);
	add_mode(req, list, "Flux", p->flux, "y", "flux");
	if (!isfinite(p->first))
		return;
	list = value_set_list(page, "look_x");
	add_mode(req, list, "MJD", !p->days, "x", NULL);
	add_mode(req, list, "Days", p->days, "x", "days");
}

/*
 * The query string of a range; NAN: open there. One that is narrower than what is written of its ends is
 * as wide as that: none is empty.
 */
static struct str
range_link(struct request *req, double from, double to)
{
	struct arena *a = req->arena;
	struct str rest = targets_link(req, no_range, NULL, STR_NONE);
	const char *and = rest.n > 1 ? "&" : "";
	struct str f = number_text(a, from, RANGE_DECIMALS, false);
	struct str t = number_text(a, to, RANGE_DECIMALS, false);

	if (isfinite(from) && isfinite(to) && str_eq(f, t))
		t = number_text(a, to + RANGE_STEP, RANGE_DECIMALS, false);
	if (!isfinite(from))
		return isfinite(to) ? arena_printf(a, "%.*s%sto=%s", STR_ARG(rest), and, t.p)
		                    : rest;
	if (!isfinite(to))
		return arena_printf(a, "%.*s%sfrom=%s", STR_ARG(rest), and, f.p);
	return arena_printf(a, "%.*s%sfrom=%s&to=%s", STR_ARG(rest), and, f.p, t.p);
}

static void
add_range_link(struct request *req, struct value *list, struct str label, double from, double to)
{
	struct value *v = value_add_object(list);

	value_set_text(v, "label", label);
	value_set_text(v, "link", range_link(req, from, to));
}

/* Of all: the last days. Of a range: those beside it, one twice as wide, and all. */
static void
add_range_links(
    struct request *req, struct value *list, const struct photometry *p, const struct value *curve)
{
	static const int days[] = { 10, 30, 100, 365 };
	double from, to, width;

	if (!p->ranged && p->n > 0) {
		double last = p->points[p->n - 1].mjd, span = last - p->points[0].mjd;

		for (size_t i = 0; i < NELEM(days); i++)
			if (span > 1.5 * days[i])
				add_range_link(req, list,
				    arena_printf(req->arena, "Last %d days", days[i]),
				    floor(last) - days[i], NAN);
	}
	if (!p->ranged)
		return;
	/* as it is drawn, where an end is open */
	from = p->span.first;
	to = p->span.last;
	if (from <= -DBL_MAX)
		str_to_double(value_text(value_get(curve, "from", 4)), &from);
	if (to >= DBL_MAX)
		str_to_double(value_text(value_get(curve, "to", 2)), &to);
	width = to - from;
	if (width < 1e6) {
		add_range_link(req, list, STR("Earlier"), from - width, from);
		add_range_link(req, list, STR("Later"), to, to + width);
		add_range_link(req, list, STR("Closer"), from + width / 4, to - width / 4);
		add_range_link(req, list, STR("Wider"), from - width / 2, to + width / 2);
	}
	add_range_link(req, list, STR("All"), NAN, NAN);
}

/* A form of two fields; what else is looked at goes with it. */
static void
add_range(
    struct request *req, struct value *page, const struct photometry *p, const struct value *curve)
{
	static const char *const kept[] = { "y", "x", "sort" };
	struct value *v = value_set_object(page, "range"), *list = value_set_list(v, "kept");

	for (size_t i = 0; i < NELEM(kept); i++) {
		struct str value = pairs_get(&req->get, kept[i]);
		struct value *field;

		if (str_empty(value))
			continue;
		field = value_add_object(list);
		value_set_cstr(field, "name", kept[i]);
		value_set_text(field, "value", value);
	}
	value_set_text(v, "from", pairs_get(&req->get, "from"));
	value_set_text(v, "to", pairs_get(&req->get, "to"));
	value_set_cstr(v, "why", p->wrong);
	if (p->ranged)
		value_set_text(page, "csv",
		    arena_printf(req->arena, "?from=%s&to=%s",
		        url_encode(req->arena, pairs_get(&req->get, "from")).p,
		        url_encode(req->arena, pairs_get(&req->get, "to")).p));
	add_range_links(req, value_set_list(v, "links"), p, curve);
}

void
photometry_add_curve(
    struct request *req, struct value *page, const struct photometry *p, struct str name)
{
	struct lightcurve_view view = { .name = name,
		.flux = p->flux,
		.zero = p->days ? p->first : NAN,
		.from = p->span.first > -DBL_MAX ? p->span.first : NAN,
		.to = p->span.last < DBL_MAX ? p->span.last : NAN,
		.older = p->more,
		.now = clock_to_mjd(req->now) };
	struct value *curve = lightcurve_value(req->arena, &view, p->points, p->n);

	value_set(page, "curve", curve);
	if (p->ranged)
		value_set_bool(curve, "ranged", true);
	if (p->n == 0 && !p->ranged && p->wrong == NULL)
		return;
	value_set_bool(page, "has_looks", true);
	add_modes(req, page, p);
	add_range(req, page, p, curve);
}
