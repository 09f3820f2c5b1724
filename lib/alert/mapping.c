/*
 * mapping: a file of keys becomes a shape of wishes (avro.h); mapping_record.c makes a packet of a record
 * of that shape.
 *
 * Each field that is named stands in a level: the record, a record within it, or the items of a list; a
 * level is a structure of slots of one size. A value's place is known once all fields are.
 */
#include "alert/mapping_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The reader of the file. */
struct reader {
	struct mapping *m;
	const char *path;
	int line;
	enum { NOWHERE, IN_SURVEY, IN_POINTS, IN_BANDS } where;
	struct points *points;
	struct str keys[40]; /* of the section, so far */
	size_t nkeys;
	char *err;
	size_t errsize;
};

static bool PRINTF_LIKE(2, 3) wrong(struct reader *r, const char *fmt, ...)
{
	va_list ap;
	int n = r->line > 0 ? snprintf(r->err, r->errsize, "%.300s:%d: ", r->path, r->line)
	                    : snprintf(r->err, r->errsize, "%.300s: ", r->path);

	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < r->errsize)
		vsnprintf(r->err + n, r->errsize - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static struct level *
new_level(struct reader *r, struct level *parent, const char *name, bool is_list)
{
	struct level *l;

	if (r->m->nlevels == MOST_LEVELS) {
		wrong(r, "more than %d records in records", MOST_LEVELS);
		return NULL;
	}
	l = &r->m->levels[r->m->nlevels++];
	*l = (struct level){ .parent = parent, .name = name, .is_list = is_list };
	return l;
}

/* The slot of a field in a level, once each; MOST_SLOTS, told, where there are too many. */
static size_t
slot_of(struct reader *r, struct level *l, const char *name, enum avro_as as, enum avro_need need)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->wishes[i].name, name) == 0) {
			if (l->wishes[i].as != as) {
				wrong(r, "the field %s is wanted as two things", name);
				return MOST_SLOTS;
			}
			if (need > l->wishes[i].need)
				l->wishes[i].need = need;
			return i;
		}
	if (l->n == MOST_SLOTS) {
		wrong(r, "more than %d fields of one record", MOST_SLOTS);
		return MOST_SLOTS;
	}
	l->wishes[l->n] =
	    (struct avro_wish){ .name = name, .as = as, .need = need, .offset = l->n * SLOT };
	return l->n++;
}

/* The level of a record within another. */
static struct level *
level_within(struct reader *r, struct level *l, const char *name, enum avro_need need)
{
	for (size_t i = 0; i < r->m->nlevels; i++)
		if (r->m->levels[i].parent == l && strcmp(r->m->levels[i].name, name) == 0)
			return slot_of(r, l, name, AVRO_STRUCT, need) < MOST_SLOTS
			    ? &r->m->levels[i]
			    : NULL;
	if (slot_of(r, l, name, AVRO_STRUCT, need) == MOST_SLOTS)
		return NULL;
	return new_level(r, l, name, false);
}

static bool
is_field_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
		        s.p[i]) == NULL ||
		    s.p[i] == '\0')
			return false;
	return s.n > 0;
}

/* Names a field of a level by its path, "candidate.ra". */
static bool
want(struct reader *r, struct level *l, struct str path, enum avro_as as, enum avro_need need,
    struct field *f)
{
	struct str rest = path, one;
	bool last;

	f->path = arena_str(r->m->arena, path).p;
	do {
		last = str_find(rest, '.') == rest.n;
		one = str_cut(&rest, '.');
		if (!is_field_name(one))
			return wrong(r, "\"%.*s\" names no field",
			    (int)(path.n < 100 ? path.n : 100), path.p);
		one = arena_str(r->m->arena, one);
		if (!last && (l = level_within(r, l, one.p, need)) == NULL)
			return false;
	} while (!last);
	f->level = l;
	f->slot = slot_of(r, l, one.p, as, need);
	return f->slot < MOST_SLOTS;
}

/* One of these words, or -1, told. */
static int
word(struct reader *r, struct str key, struct str value, const char *const words[], size_t n)
{
	char all[200] = "";
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		int w;

		if (str_is(value, words[i]))
			return (int)i;
		w = snprintf(all + at, sizeof(all) - at, "%s%s", i > 0 ? ", " : "", words[i]);
		at += w > 0 && (size_t)w < sizeof(all) - at ? (size_t)w : 0;
	}
	wrong(r, "%.*s is one of %s", (int)(key.n < 100 ? key.n : 100), key.p, all);
	return -1;
}

bool
mapping_is_name(struct str s)
{
	return s.n > 0 && s.n <= NAME_BYTES && str_is_utf8(s) && memchr(s.p, '\0', s.n) == NULL;
}

static bool
take_survey(struct reader *r, struct str key, struct str value)
{
	struct mapping *m = r->m;
	struct level *top = &m->levels[0];
	const struct {
		const char *key;
		struct field *field;
		enum avro_as as;
		enum avro_need need;
	} fields[] = {
		{ "object", &m->object, AVRO_STRING, AVRO_NEEDED },
		{ "object_number", &m->object, AVRO_LONG, AVRO_NEEDED },
		{ "alert", &m->alert, AVRO_LONG, AVRO_NEEDED },
		{ "ra", &m->ra, AVRO_REAL, AVRO_NEEDED },
		{ "dec", &m->dec, AVRO_REAL, AVRO_NEEDED },
		{ "reliability", &m->reliability, AVRO_REAL, AVRO_OPTIONAL },
	};

	if (str_is(key, "name")) {
		if (!mapping_is_name(value))
			return wrong(r, "name is 1 to %d bytes", NAME_BYTES);
		m->described.survey.name = arena_str(m->arena, value);
		return true;
	}
	if (str_is(key, "prefix")) {
		m->prefix = arena_str(m->arena, value).p;
		return true;
	}
	for (size_t i = 0; i < NELEM(fields); i++)
		if (str_is(key, fields[i].key)) {
			if (fields[i].field->level != NULL)
				return wrong(r, "object and object_number exclude each other");
			return want(r, top, value, fields[i].as, fields[i].need, fields[i].field);
		}
	return wrong(r, "[survey] has no key %.*s", (int)(key.n < 100 ? key.n : 100), key.p);
}

static bool
take_time(struct reader *r, struct str value)
{
	static const char *const words[] = { "jd utc", "mjd utc", "jd tai", "mjd tai" };
	int i = word(r, STR("time_is"), value, words, NELEM(words));

	r->points->is_mjd = i == 1 || i == 3;
	r->points->is_tai = i >= 2;
	return i >= 0;
}

static bool
take_points(struct reader *r, struct str key, struct str value)
{
	static const char *const units[] = { "", "nJy", "uJy", "mJy", "Jy", "ADU" };
	static const char *const kinds[] = { "detection", "forced" };
	struct points *p = r->points;
	const struct {
		const char *key;
		struct field *field;
		enum avro_as as;
		enum avro_need need;
	} fields[] = {
		{ "time", &p->time, AVRO_REAL, AVRO_NEEDED },
		{ "id", &p->id, AVRO_LONG, AVRO_OPTIONAL },
		{ "flux", &p->flux, AVRO_REAL, AVRO_OPTIONAL },
		{ "flux_error", &p->flux_error, AVRO_REAL, AVRO_OPTIONAL },
		{ "magnitude", &p->magnitude, AVRO_REAL, AVRO_OPTIONAL },
		{ "magnitude_error", &p->magnitude_error, AVRO_REAL, AVRO_OPTIONAL },
		{ "limit", &p->limit, AVRO_REAL, AVRO_OPTIONAL },
		{ "sign", &p->sign, AVRO_STRING, AVRO_OPTIONAL },
		{ "positive", &p->positive, AVRO_LONG, AVRO_OPTIONAL },
	};
	int i;

	for (size_t k = 0; k < NELEM(fields); k++)
		if (str_is(key, fields[k].key))
			return want(
			    r, p->level, value, fields[k].as, fields[k].need, fields[k].field);
	if (str_is(key, "band")) {
		/* as what it is read is known once [bands] was */
		p->band.path = arena_str(r->m->arena, value).p;
		return true;
	}
	if (str_is(key, "time_is"))
		return take_time(r, value);
	if (str_is(key, "unit")) {
		i = word(r, key, value, units + 1, NELEM(units) - 1);
		p->unit = (enum unit)(i + 1);
		return i >= 0;
	}
	if (str_is(key, "kind") && p->list.level != NULL) {
		i = word(r, key, value, kinds, NELEM(kinds));
		p->kind = i == 1 ? DATUM_FORCED : DATUM_DETECTION;
		return i >= 0;
	}
	if (str_is(key, "zero_point"))
		return str_to_double(value, &p->zero_point_is)
		    ? true
		    : want(r, p->level, value, AVRO_REAL, AVRO_OPTIONAL, &p->zero_point);
	if (str_is(key, "none"))
		return str_to_double(value, &p->none) ? true : wrong(r, "none is a number");
	return wrong(r, "[%s] has no key %.*s", p->list.level != NULL ? "history" : "detection",
	    (int)(key.n < 100 ? key.n : 100), key.p);
}

static bool
take_band(struct reader *r, struct str key, struct str value)
{
	struct mapping *m = r->m;
	struct band *b = &m->bands[m->nbands];

	if (m->nbands == MOST_BANDS)
		return wrong(r, "more than %d bands", MOST_BANDS);
	if (!mapping_is_name(value))
		return wrong(r, "a band is 1 to %d bytes", NAME_BYTES);
	*b = (struct band){ .from = arena_str(m->arena, key), .to = arena_str(m->arena, value) };
	if (!str_to_int64(key, &b->number))
		m->bands_are_numbers = false;
	m->nbands++;
	return true;
}

static bool
take_key(struct reader *r, struct str line)
{
	struct str value = line, key = str_trim(str_cut(&value, '='));

	if (str_find(line, '=') == line.n)
		return wrong(r, "this line is no \"key = value\"");
	value = str_trim(value);
	if (key.n == 0 || value.n == 0)
		return wrong(r, "this line is no \"key = value\"");
	if (r->where == NOWHERE)
		return wrong(r, "a key before any section");
	for (size_t i = 0; i < r->nkeys && r->where != IN_BANDS; i++)
		if (str_eq(r->keys[i], key))
			return wrong(r, "%.*s is given a second time",
			    (int)(key.n < 100 ? key.n : 100), key.p);
	if (r->nkeys < NELEM(r->keys))
		r->keys[r->nkeys++] = key;
	if (r->where == IN_SURVEY)
		return take_survey(r, key, value);
	return r->where == IN_POINTS ? take_points(r, key, value) : take_band(r, key, value);
}

static bool
begin_points(struct reader *r, struct str list)
{
	struct mapping *m = r->m;
	struct points *p;

	if (list.p != NULL && m->npoints == MOST_POINTS)
		return wrong(r, "more than %d histories", MOST_POINTS - 1);
	if (list.p == NULL && m->points[0].line != 0)
		return wrong(r, "[detection] stands a second time");
	p = &m->points[list.p == NULL ? 0 : m->npoints];
	*p = (struct points){ .line = r->line,
		.part = "",
		.level = &m->levels[0],
		.kind = DATUM_DETECTION,
		.zero_point_is = NAN,
		.none = NAN };
	r->points = p;
	if (list.p == NULL)
		return true;
	m->npoints++;
	if (!want(r, &m->levels[0], list, AVRO_LIST, AVRO_OPTIONAL, &p->list))
		return false;
	p->part = p->list.path;
	for (size_t i = 0; i + 1 < m->npoints; i++)
		if (m->points[i].list.level == p->list.level && m->points[i].list.level != NULL &&
		    m->points[i].list.slot == p->list.slot)
			return wrong(r, "the list %s stands a second time", p->part);
	p->level = new_level(r, NULL, p->part, true);
	if (p->level == NULL)
		return false;
	p->list.level->wishes[p->list.slot].shape = &p->level->shape;
	return true;
}

static bool
begin_section(struct reader *r, struct str line)
{
	struct str name;

	if (!str_ends(line, "]"))
		return wrong(r, "this section has no end");
	name = str_trim((struct str){ line.p + 1, line.n - 2 });
	r->nkeys = 0;
	if (str_is(name, "survey"))
		r->where = IN_SURVEY;
	else if (str_is(name, "bands"))
		r->where = IN_BANDS;
	else if (str_is(name, "detection")) {
		r->where = IN_POINTS;
		return begin_points(r, STR_NONE);
	} else if (str_starts(name, "history ")) {
		r->where = IN_POINTS;
		return begin_points(r, str_trim((struct str){ name.p + 8, name.n - 8 }));
	} else
		return wrong(
		    r, "there is no section %.*s", (int)(name.n < 100 ? name.n : 100), name.p);
	return true;
}

static bool
take_line(struct reader *r, struct str line)
{
	line = str_trim(line);
	if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
		return true;
	return line.p[0] == '[' ? begin_section(r, line) : take_key(r, line);
}

/* Is what was given of these points enough, and does it agree? Then their band is a field, too. */
static bool
finish_points(struct reader *r, struct points *p)
{
	bool numbers = r->m->nbands > 0 && r->m->bands_are_numbers;

	r->line = p->line;
	if (p->time.level == NULL || p->band.path == NULL)
		return wrong(r, "[%s%s] needs time and band",
		    p->part[0] != '\0' ? "history " : "detection", p->part);
	if (p->flux.level == NULL && p->magnitude.level == NULL)
		return wrong(r, "there is neither flux nor magnitude");
	if ((p->flux.level != NULL) != (p->unit != UNIT_NONE))
		return wrong(r, "a flux has a unit: flux and unit come together");
	if ((p->unit == UNIT_ADU) != (p->zero_point.level != NULL || !isnan(p->zero_point_is)))
		return wrong(r, "ADU have a zero_point, and nothing else has");
	if (p->kind == DATUM_FORCED && p->flux.level != NULL && p->flux_error.level == NULL)
		return wrong(r, "the flux of forced points has a flux_error");
	return want(r, p->level, str_of(p->band.path), numbers ? AVRO_LONG : AVRO_STRING,
	    AVRO_NULLABLE, &p->band);
}

/* Places the levels: inner ones first, as they were made later. */
static void
place_levels(struct mapping *m)
{
	for (size_t i = m->nlevels; i-- > 0;) {
		struct level *l = &m->levels[i];

		/* what is within it lies behind its slots */
		l->shape.size = l->n * SLOT;
		for (size_t k = 0; k < m->nlevels; k++) {
			struct level *in = &m->levels[k];

			if (in->parent != l)
				continue;
			for (size_t w = 0; w < l->n; w++)
				if (l->wishes[w].as == AVRO_STRUCT &&
				    strcmp(l->wishes[w].name, in->name) == 0) {
					l->wishes[w].offset = l->shape.size;
					l->wishes[w].shape = &in->shape;
				}
			l->shape.size += in->shape.size;
		}
		l->shape.nwishes = l->n;
		l->shape.wishes = l->wishes;
	}
	m->described.shape = m->levels[0].shape;
}

static void
place(struct field *f)
{
	if (f->level == NULL)
		return;
	f->at = f->level->wishes[f->slot].offset;
	for (struct level *l = f->level; l->parent != NULL; l = l->parent)
		for (size_t w = 0; w < l->parent->n; w++)
			if (l->parent->wishes[w].shape == &l->shape)
				f->at += l->parent->wishes[w].offset;
}

static bool
finish(struct reader *r)
{
	struct mapping *m = r->m;

	r->line = 0;
	if (m->described.survey.name.p == NULL)
		return wrong(r, "[survey] needs name");
	if (m->object.level == NULL || m->alert.level == NULL || m->ra.level == NULL ||
	    m->dec.level == NULL)
		return wrong(r, "[survey] needs object (or object_number), alert, ra and dec");
	if ((m->object.level->wishes[m->object.slot].as == AVRO_LONG) != (m->prefix != NULL))
		return wrong(r, "object_number and prefix come together");
	if (m->points[0].line == 0)
		return wrong(r, "there is no section [detection]");
	for (size_t i = 0; i < m->npoints; i++)
		if (!finish_points(r, &m->points[i]))
			return false;
	place_levels(m);
	for (size_t i = 0; i < m->npoints; i++) {
		struct points *p = &m->points[i];
		struct field *all[] = { &p->list, &p->time, &p->band, &p->id, &p->flux,
			&p->flux_error, &p->zero_point, &p->magnitude, &p->magnitude_error,
			&p->limit, &p->sign, &p->positive };

		for (size_t k = 0; k < NELEM(all); k++)
			place(all[k]);
	}
	place(&m->object);
	place(&m->alert);
	place(&m->ra);
	place(&m->dec);
	place(&m->reliability);
	return true;
}

struct mapping *
mapping_new(struct str text, const char *path, char *err, size_t errsize)
{
	struct arena *a = arena_new();
	struct mapping *m = arena_alloc(a, sizeof(*m));
	struct reader r = { .m = m, .path = path, .err = err, .errsize = errsize };
	struct str rest = text;
	bool ok = true;

	m->arena = a;
	m->nlevels = 1; /* the record */
	m->npoints = 1; /* its detection */
	m->bands_are_numbers = true;
	m->described.survey = (struct survey){ STR_NONE, &m->described.shape, mapping_read_record };
	m->shapes[0] = &m->described.shape;
	if (text.n > MAPPING_MAX || memchr(text.p != NULL ? text.p : "", '\0', text.n) != NULL)
		ok = wrong(&r, "it is no such file");
	while (ok && rest.n > 0) {
		r.line++;
		ok = take_line(&r, str_cut(&rest, '\n'));
	}
	if (ok && finish(&r))
		return m;
	arena_free(a);
	return NULL;
}

struct mapping *
mapping_read(const char *path, char *err, size_t errsize)
{
	static char text[MAPPING_MAX + 1];
	FILE *f = fopen(path, "re");
	size_t n;
	bool failed;

	if (f == NULL) {
		snprintf(err, errsize, "%.300s: %s", path, strerror(errno));
		return NULL;
	}
	n = fread(text, 1, sizeof(text), f);
	failed = ferror(f) != 0;
	fclose(f);
	if (failed) {
		snprintf(err, errsize, "%.300s: it cannot be read", path);
		return NULL;
	}
	return mapping_new((struct str){ text, n }, path, err, errsize);
}

void
mapping_free(struct mapping *m)
{
	if (m != NULL)
		arena_free(m->arena);
}

const struct survey *
mapping_survey(const struct mapping *m)
{
	return &m->described.survey;
}

const struct avro_shape *const *
mapping_shapes(const struct mapping *m)
{
	return m == NULL ? packet_shapes() : m->shapes;
}
