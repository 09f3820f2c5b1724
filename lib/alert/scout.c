/*
 * scout: the replies of JPL's Scout, field by field.
 */
#include "alert/scout.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/json_read.h"
#include "tom/target.h"

#define QUOTED ((size_t)60) /* bytes of what cannot be read */
#define SCORE .min = 0, .max = 100
#define ANY_REAL .min = -DBL_MAX, .max = DBL_MAX
#define FROM_ZERO .min = 0, .max = DBL_MAX
#define ROW(json_, member, kind_, label_, unit_, decimals_, ...) \
	{ \
		.json = json_, .column = #member, .kind = kind_, \
		.offset = offsetof(struct scout_object, member), .label = label_, .unit = unit_, \
		.decimals = decimals_, ##__VA_ARGS__ \
	}

/* clang-format off */
const struct scout_field scout_fields[] = {
	ROW("objectName", name, SCOUT_NAME, "Name", "", 0),
	ROW("lastRun", last_run, SCOUT_TIME, "Last run", "UTC", 0),
	ROW("tEphem", ephemeris, SCOUT_TIME, "Ephemeris of", "UTC", 0),
	ROW("ra", ra, SCOUT_RA, "RA", "degrees", 2, .min = 0, .max = 360),
	ROW("dec", dec, SCOUT_DEC, "Dec", "degrees", 0, .min = -90, .max = 90),
	ROW("elong", elongation, SCOUT_REAL, "Elongation", "degrees", 0, .min = 0, .max = 180),
	ROW("Vmag", v_mag, SCOUT_REAL, "V", "mag", 1, ANY_REAL),
	ROW("rate", rate, SCOUT_REAL, "Rate", "arcsec/min", 1, FROM_ZERO),
	ROW("unc", uncertainty, SCOUT_REAL, "Uncertainty", "arcmin", 1, FROM_ZERO),
	ROW("uncP1", uncertainty_later, SCOUT_REAL, "Uncertainty a day later", "arcmin", 1, FROM_ZERO),
	ROW("H", abs_mag, SCOUT_REAL, "H", "mag", 1, ANY_REAL),
	ROW("nObs", observations, SCOUT_WHOLE, "Observations", "", 0, .min = 0, .max = 1e9),
	ROW("arc", arc, SCOUT_REAL, "Arc", "h", 2, FROM_ZERO),
	ROW("rmsN", rms, SCOUT_REAL, "RMS of residuals", "", 2, FROM_ZERO),
	ROW("moid", moid, SCOUT_REAL, "MOID of the Earth", "au", 4, FROM_ZERO),
	ROW("caDist", close_approach, SCOUT_REAL, "Close approach", "LD", 1, FROM_ZERO),
	ROW("vInf", v_inf, SCOUT_REAL, "V infinity", "km/s", 1, FROM_ZERO),
	ROW("rating", rating, SCOUT_WHOLE, "Impact rating", "", 0, .min = 0, .max = 4),
	ROW("neoScore", neo_score, SCOUT_WHOLE, "NEO", "%", 0, SCORE),
	ROW("neo1kmScore", neo_1km_score, SCOUT_WHOLE, "NEO > 1 km", "%", 0, SCORE),
	ROW("phaScore", pha_score, SCOUT_WHOLE, "PHA", "%", 0, SCORE),
	ROW("ieoScore", ieo_score, SCOUT_WHOLE, "Interior to the Earth's orbit", "%", 0, SCORE),
	ROW("geocentricScore", geocentric_score, SCOUT_WHOLE, "Geocentric", "%", 0, SCORE),
	ROW("tisserandScore", tisserand_score, SCOUT_WHOLE, "Comet-like", "%", 0, SCORE),
};
/* clang-format on */
const size_t scout_nfields = NELEM(scout_fields);

double *
scout_real_at(struct scout_object *o, const struct scout_field *f)
{
	return (double *)(void *)((char *)o + f->offset);
}

int64_t *
scout_time_at(struct scout_object *o, const struct scout_field *f)
{
	return (int64_t *)(void *)((char *)o + f->offset);
}

double
scout_real(const struct scout_object *o, const struct scout_field *f)
{
	return *(const double *)(const void *)((const char *)o + f->offset);
}

int64_t
scout_time(const struct scout_object *o, const struct scout_field *f)
{
	return *(const int64_t *)(const void *)((const char *)o + f->offset);
}

struct scout_object
scout_none(void)
{
	struct scout_object o = { .name = STR("") };

	for (size_t i = 0; i < scout_nfields; i++)
		if (scout_fields[i].kind >= SCOUT_RA)
			*scout_real_at(&o, &scout_fields[i]) = NAN;
	return o;
}

static const struct value *
member(const struct value *v, const char *key)
{
	return value_kind(v) == VALUE_OBJECT ? value_get(v, key, strlen(key)) : NULL;
}

/* The text of a scalar; absent: null, or there is none. What is no scalar is "?", which nothing reads. */
static struct str
text_of(struct arena *a, const struct value *v)
{
	struct buf b = { 0 };
	struct str s;

	if (v == NULL || value_kind(v) == VALUE_NULL)
		return STR_NONE;
	if (value_kind(v) == VALUE_LIST || value_kind(v) == VALUE_OBJECT ||
	    value_kind(v) == VALUE_BOOL)
		return STR("?");
	value_print(v, &b);
	s = str_trim(arena_str(a, buf_text(&b)));
	buf_free(&b);
	return s.n == 0 ? STR_NONE : s;
}

/* A number that is given as a number, as text or as null: NAN then. */
static bool
read_number(struct arena *a, const struct value *v, double *out)
{
	struct str s;

	*out = NAN;
	if (value_kind(v) == VALUE_REAL) {
		*out = value_real(v);
		return true;
	}
	s = text_of(a, v);
	if (s.p == NULL)
		return true;
	if (s.n > 1 && s.p[0] == '+' && s.p[1] != '-')
		s = (struct str){ s.p + 1, s.n - 1 };
	return str_to_double(arena_str(a, s), out);
}

/* "16:54" or "16:54:30" of RA in hours; degrees of Dec, "+28" or "-00:30". A part may be missing. */
static bool
read_angle(struct arena *a, const struct value *v, bool hours, double *degrees)
{
	struct str rest = text_of(a, v), part;
	bool negative;
	double sum = 0, number;
	int n = 0;

	*degrees = NAN;
	if (rest.p == NULL)
		return true;
	negative = rest.p[0] == '-';
	if (negative || rest.p[0] == '+')
		rest = (struct str){ rest.p + 1, rest.n - 1 };
	do {
		part = arena_str(a, str_trim(str_cut(&rest, ':')));
		if (n == 3 || !str_to_double(part, &number) || part.p[0] == '-' ||
		    (n > 0 && number >= 60))
			return false;
		sum += number * (n == 0 ? 3600 : n == 1 ? 60 : 1);
		n++;
	} while (rest.n > 0);
	/* 3600 seconds of an arc make a degree, 240 of time */
	*degrees = (negative ? -1 : 1) * sum / (hours ? 240 : 3600);
	return !(hours && negative);
}

static bool
read_time(struct arena *a, const struct value *v, int64_t *out)
{
	struct str s = text_of(a, v);

	*out = 0;
	return s.p == NULL || clock_from_iso(s, out);
}

static bool
read_name(struct arena *a, const struct value *v, struct str *out)
{
	struct str s = text_of(a, v);

	if (s.p == NULL || s.n > SCOUT_NAME_MAX || target_name_wrong(s, a) != NULL)
		return false;
	*out = arena_str(a, s);
	return true;
}

/* Reads one field. False: it is not what it should be. */
static bool
read_field(
    struct arena *a, const struct value *v, const struct scout_field *f, struct scout_object *o)
{
	double number;

	switch (f->kind) {
	case SCOUT_NAME:
		return read_name(a, v, &o->name);
	case SCOUT_TIME:
		return read_time(a, v, scout_time_at(o, f));
	case SCOUT_RA:
	case SCOUT_DEC:
		if (!read_angle(a, v, f->kind == SCOUT_RA, &number))
			return false;
		break;
	case SCOUT_REAL:
	case SCOUT_WHOLE:
	default:
		if (!read_number(a, v, &number) ||
		    (f->kind == SCOUT_WHOLE && number != floor(number) && !isnan(number)))
			return false;
		break;
	}
	if (!isnan(number) && !(number >= f->min && number <= f->max))
		return false;
	if (f->kind == SCOUT_RA && number == 360)
		number = 0;
	*scout_real_at(o, f) = number;
	return true;
}

/* The beginning of a text. */
static const char *
quoted(struct arena *a, struct str text)
{
	size_t n = text.n < QUOTED ? text.n : QUOTED;
	char *copy;

	if (text.p == NULL)
		return "there is none";
	copy = arena_alloc(a, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = text.p[i];
	str_make_utf8(copy, n); /* it may end in the midst of a character */
	return copy;
}

/* Reads all fields of an object; the reason names the first that is wrong. Absent: none is. */
static struct str
read_object(struct arena *a, const struct value *v, struct scout_object *o)
{
	struct str why = STR_NONE;

	*o = scout_none();
	if (value_kind(v) != VALUE_OBJECT)
		return STR("the row is no object");
	for (size_t i = 0; i < scout_nfields; i++) {
		const struct scout_field *f = &scout_fields[i];
		const struct value *value = member(v, f->json);

		if (!read_field(a, value, f, o) && why.p == NULL) {
			why = arena_printf(a, "%s is not what it should be: %s", f->json,
			    quoted(a, text_of(a, value)));
		}
	}
	if (why.p == NULL && o->last_run == 0)
		why = STR("lastRun is missing");
	return why;
}

struct str
scout_message(struct arena *a, struct str body)
{
	static const char *const keys[] = { "error", "message", "moreInfo" };
	const char *why;
	const struct value *v = json_read(a, body, &why);

	for (size_t i = 0; v != NULL && i < NELEM(keys); i++) {
		const struct value *text = member(v, keys[i]);

		if (text != NULL && value_kind(text) == VALUE_TEXT)
			return value_text(text);
	}
	return STR_NONE;
}

/* What every reply has. The root, or NULL with a sentence in err. */
static const struct value *
open_reply(struct arena *a, struct str body, enum scout_reply *r, char *err, size_t errsize)
{
	const char *why;
	const struct value *v = json_read(a, body, &why), *error;
	struct str version;

	*r = SCOUT_WRONG;
	if (v == NULL) {
		snprintf(err, errsize, "the reply cannot be read: %s", why);
		return NULL;
	}
	if (value_kind(v) != VALUE_OBJECT) {
		snprintf(err, errsize, "the reply is no object of JSON");
		return NULL;
	}
	if (value_kind(error = member(v, "error")) != VALUE_NULL) {
		struct str text = text_of(a, error);

		snprintf(err, errsize, "the API says: %.*s", (int)(text.n < 200 ? text.n : 200),
		    str_bytes(text));
		*r = SCOUT_REFUSED;
		return NULL;
	}
	version = text_of(a, member(member(v, "signature"), "version"));
	if (version.p == NULL) {
		snprintf(err, errsize, "the reply does not say the API's version");
		return NULL;
	}
	if (!str_is(version, SCOUT_VERSION)) {
		snprintf(err, errsize,
		    "the API has version %.*s, and we know " SCOUT_VERSION ": nothing is stored",
		    (int)(version.n < 40 ? version.n : 40), version.p);
		return NULL;
	}
	*r = SCOUT_READ;
	return v;
}

enum scout_reply
scout_read_list(struct arena *a, struct str body, struct scout_list *out, char *err, size_t errsize)
{
	enum scout_reply r;
	const struct value *v = open_reply(a, body, &r, err, errsize), *data;
	double count;

	*out = (struct scout_list){ 0 };
	if (v == NULL)
		return r;
	data = member(v, "data");
	if (data == NULL || value_kind(data) != VALUE_LIST) {
		snprintf(err, errsize, "the reply has no list \"data\"");
		return SCOUT_WRONG;
	}
	if (!read_number(a, member(v, "count"), &count) || count != (double)value_count(data)) {
		snprintf(err, errsize, "the reply says that it has %g objects, and has %zu", count,
		    value_count(data));
		return SCOUT_WRONG;
	}
	if (value_count(data) > SCOUT_OBJECTS_MAX) {
		snprintf(err, errsize, "the reply has more than %d objects", SCOUT_OBJECTS_MAX);
		return SCOUT_WRONG;
	}
	out->n = value_count(data);
	out->rows = arena_array(a, out->n, sizeof(*out->rows));
	for (size_t i = 0; i < out->n; i++) {
		struct scout_row *row = &out->rows[i];
		struct buf text = { 0 };

		row->why = read_object(a, value_at(data, i), &row->object);
		if (row->why.p == NULL)
			continue;
		value_json(value_at(data, i), &text);
		row->bytes = arena_str(a, buf_text(&text));
		buf_free(&text);
	}
	return SCOUT_READ;
}

bool
scout_read_row(struct arena *a, struct str bytes, struct scout_object *o, char *err, size_t errsize)
{
	const char *why;
	const struct value *v = json_read(a, bytes, &why);
	struct str wrong = v != NULL ? read_object(a, v, o) : str_of(why);

	if (wrong.p == NULL)
		return true;
	snprintf(err, errsize, "%.*s", STR_ARG(wrong));
	return false;
}

/* The columns of the table of orbits that are read. */
static const struct orbit_field {
	const char *name;
	size_t offset; /* into struct scout_orbit */
	double min, max;
	bool is_jd, may_be_none;
} orbit_fields[] = {
	{ "epoch", offsetof(struct scout_orbit, epoch), 0, 100000, true, false },
	{ "ec", offsetof(struct scout_orbit, eccentricity), 0, 1000, false, false },
	{ "qr", offsetof(struct scout_orbit, perihelion), 1e-6, 1000, false, false },
	{ "tp", offsetof(struct scout_orbit, perihelion_time), -1e7, 1e7, true, false },
	{ "om", offsetof(struct scout_orbit, node), -360, 360, false, false },
	{ "w", offsetof(struct scout_orbit, peri), -360, 360, false, false },
	{ "inc", offsetof(struct scout_orbit, inclination), 0, 180, false, false },
	{ "H", offsetof(struct scout_orbit, abs_mag), -50, 50, false, true },
};

/* Where each column stands in a row of the reply, told by its "fields". False: one is not there. */
static bool
find_columns(struct arena *a, const struct value *fields, size_t at[NELEM(orbit_fields)],
    size_t *number, char *err, size_t errsize)
{
	size_t n = value_kind(fields) == VALUE_LIST ? value_count(fields) : 0;

	*number = n;
	for (size_t k = 0; k < n; k++)
		if (str_is(text_of(a, value_at(fields, k)), "idx"))
			*number = k;
	for (size_t i = 0; i < NELEM(orbit_fields); i++) {
		at[i] = n;
		for (size_t k = 0; k < n; k++)
			if (str_is(text_of(a, value_at(fields, k)), orbit_fields[i].name))
				at[i] = k;
		if (at[i] == n && !orbit_fields[i].may_be_none) {
			snprintf(err, errsize, "the orbits have no field %s", orbit_fields[i].name);
			return false;
		}
	}
	return true;
}

static bool
read_orbit(struct arena *a, const struct value *row, const size_t at[NELEM(orbit_fields)],
    size_t number, struct scout_orbit *o)
{
	double d;

	if (value_kind(row) != VALUE_LIST)
		return false;
	for (size_t i = 0; i < NELEM(orbit_fields); i++) {
		const struct orbit_field *f = &orbit_fields[i];
		const struct value *v = at[i] < value_count(row) ? value_at(row, at[i]) : NULL;
		double value = NAN;

		if (!read_number(a, v, &value) || (isnan(value) && !f->may_be_none))
			return false;
		if (f->is_jd)
			value = clock_jd_to_mjd(value);
		if (!isnan(value) && !(value >= f->min && value <= f->max))
			return false;
		*(double *)(void *)((char *)o + f->offset) = value;
	}
	o->number = number < value_count(row) && read_number(a, value_at(row, number), &d) &&
	        fabs(d) < 1e9
	    ? (int64_t)d
	    : 0;
	return true;
}

static bool
read_orbits(struct arena *a, const struct value *orbits, struct scout_single *out, char *err,
    size_t errsize)
{
	const struct value *data = member(orbits, "data");
	size_t at[NELEM(orbit_fields)], number, n;

	if (orbits == NULL || value_kind(orbits) == VALUE_NULL)
		return true;
	if (data == NULL || value_kind(data) != VALUE_LIST) {
		snprintf(err, errsize, "the orbits have no list \"data\"");
		return false;
	}
	if (!find_columns(a, member(orbits, "fields"), at, &number, err, errsize))
		return false;
	n = value_count(data);
	if (n > SCOUT_ORBITS_MAX)
		n = SCOUT_ORBITS_MAX;
	out->orbits = arena_array(a, n, sizeof(*out->orbits));
	for (size_t i = 0; i < n; i++)
		if (read_orbit(a, value_at(data, i), at, number, &out->orbits[out->n]))
			out->n++;
		else
			out->passed_over++;
	return true;
}

enum scout_reply
scout_read_single(struct arena *a, struct str body, struct str name, struct scout_single *out,
    char *err, size_t errsize)
{
	enum scout_reply r;
	const struct value *v = open_reply(a, body, &r, err, errsize);
	struct str why;

	*out = (struct scout_single){ .object = scout_none() };
	if (v == NULL)
		return r;
	why = read_object(a, v, &out->object);
	if (why.p != NULL) {
		snprintf(err, errsize, "%.*s", STR_ARG(why));
		return SCOUT_FIELD;
	}
	if (!str_eq(out->object.name, name)) {
		snprintf(err, errsize, "the reply is of another object, %.*s",
		    STR_ARG(out->object.name));
		return SCOUT_WRONG;
	}
	return read_orbits(a, member(v, "orbits"), out, err, errsize) ? SCOUT_READ : SCOUT_FIELD;
}
