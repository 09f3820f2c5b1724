/*
 * target_fields: the one table of a target's fields, what may stand in them, and what each type
 * and scheme requires (spec/tom-interfaces.md 2.1; a given 0 is a value like any other).
 */
#include "tom/target.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "sky/angle.h"

#define BOTH (FOR_SIDEREAL | FOR_NON_SIDEREAL)
#define PLANETS (FOR_MINOR_PLANET | FOR_MAJOR_PLANET)

static const char *const type_codes[] = { "SIDEREAL", "NON_SIDEREAL", NULL };
static const char *const type_labels[] = { "Sidereal", "Non-sidereal", NULL };
static const char *const permission_codes[] = { "OPEN", "PUBLIC", "PRIVATE", NULL };
static const char *const permission_labels[] = { "Anyone (OPEN)",
	"Everyone who is signed in (PUBLIC)", "You and chosen groups (PRIVATE)", NULL };
static const char *const scheme_codes[] = { "", "MPC_MINOR_PLANET", "MPC_COMET", "JPL_MAJOR_PLANET",
	NULL };
static const char *const scheme_labels[] = { "", "MPC minor planet", "MPC comet",
	"JPL major planet", NULL };

/* A row: the member of struct target bears the column's name; then bounds or codes. */
#define ROW(member, kind_, label_, unit_, needed_, used_, help_, ...) \
	{ \
		.name = #member, .kind = kind_, .offset = offsetof(struct target, member), \
		.label = label_, .unit = unit_, .needed = needed_, .used = used_, .help = help_, \
		##__VA_ARGS__ \
	}
#define BETWEEN(low, high) .min = low, .max = high
#define FROM_ZERO .min = 0, .max = DBL_MAX
#define MJD_RANGE .min = 0, .max = 100000

/* clang-format off */
const struct target_field target_fields[] = {
	ROW(name, TARGET_TEXT, "Name", "", BOTH, BOTH,
	    "The name people know it by; other names are aliases."),
	ROW(type, TARGET_CHOICE, "Type", "", 0, BOTH, "",
	    .codes = type_codes, .labels = type_labels),
	ROW(created, TARGET_TIME, "Created", "", 0, 0, ""),
	ROW(modified, TARGET_TIME, "Modified", "", 0, 0, ""),
	ROW(permissions, TARGET_CHOICE, "Visible to", "", 0, BOTH,
	    "Who may see it. Changing and deleting need rights of their own.",
	    .codes = permission_codes, .labels = permission_labels),
	ROW(ra, TARGET_RA, "Right ascension", "degrees or hours", FOR_SIDEREAL, FOR_SIDEREAL,
	    "ICRS: 265.345 (degrees) or 17 41 22.8 (hours).", BETWEEN(0, 360)),
	ROW(dec, TARGET_DEC, "Declination", "degrees", FOR_SIDEREAL, FOR_SIDEREAL,
	    "ICRS: -38.235 or -38 14 07.3.", BETWEEN(-90, 90)),
	ROW(epoch, TARGET_REAL, "Epoch", "Julian years", 0, FOR_SIDEREAL,
	    "Of the position, where it moves: 2000.0.", BETWEEN(0, 2100)),
	ROW(parallax, TARGET_REAL, "Parallax", "mas", 0, FOR_SIDEREAL, ""),
	ROW(pm_ra, TARGET_REAL, "Proper motion in RA", "mas/yr", 0, FOR_SIDEREAL, ""),
	ROW(pm_dec, TARGET_REAL, "Proper motion in Dec", "mas/yr", 0, FOR_SIDEREAL, ""),
	ROW(galactic_lng, TARGET_REAL, "Galactic longitude", "degrees", 0, FOR_SIDEREAL,
	    "Pages compute it from RA and Dec; a value is kept.", BETWEEN(0, 360)),
	ROW(galactic_lat, TARGET_REAL, "Galactic latitude", "degrees", 0, FOR_SIDEREAL, "",
	    BETWEEN(-90, 90)),
	ROW(distance, TARGET_REAL, "Distance", "pc", 0, FOR_SIDEREAL, "", FROM_ZERO),
	ROW(distance_err, TARGET_REAL, "Distance error", "pc", 0, FOR_SIDEREAL, "", FROM_ZERO),
	ROW(scheme, TARGET_CHOICE, "Scheme of elements", "", FOR_NON_SIDEREAL, FOR_NON_SIDEREAL,
	    "Says which of the elements are required.",
	    .codes = scheme_codes, .labels = scheme_labels),
	ROW(epoch_of_elements, TARGET_REAL, "Epoch of elements", "MJD", FOR_NON_SIDEREAL,
	    FOR_NON_SIDEREAL, "", MJD_RANGE),
	ROW(mean_anomaly, TARGET_REAL, "Mean anomaly", "degrees", PLANETS, FOR_NON_SIDEREAL, "",
	    BETWEEN(-360, 360)),
	ROW(arg_of_perihelion, TARGET_REAL, "Argument of perihelion", "degrees, J2000",
	    FOR_NON_SIDEREAL, FOR_NON_SIDEREAL, "", BETWEEN(-360, 360)),
	ROW(eccentricity, TARGET_REAL, "Eccentricity", "", FOR_NON_SIDEREAL, FOR_NON_SIDEREAL, "",
	    FROM_ZERO),
	ROW(lng_asc_node, TARGET_REAL, "Longitude of ascending node", "degrees, J2000",
	    FOR_NON_SIDEREAL, FOR_NON_SIDEREAL, "", BETWEEN(-360, 360)),
	ROW(inclination, TARGET_REAL, "Inclination", "degrees, J2000", FOR_NON_SIDEREAL,
	    FOR_NON_SIDEREAL, "", BETWEEN(0, 180)),
	ROW(mean_daily_motion, TARGET_REAL, "Mean daily motion", "degrees/day", FOR_MAJOR_PLANET,
	    FOR_NON_SIDEREAL, ""),
	ROW(semimajor_axis, TARGET_REAL, "Semimajor axis", "AU", PLANETS, FOR_NON_SIDEREAL,
	    "Negative for a hyperbola."),
	ROW(epoch_of_perihelion, TARGET_REAL, "Epoch of perihelion", "MJD", FOR_COMET,
	    FOR_NON_SIDEREAL, "", MJD_RANGE),
	ROW(ephemeris_period, TARGET_REAL, "Ephemeris period", "days", 0, FOR_NON_SIDEREAL, ""),
	ROW(ephemeris_period_err, TARGET_REAL, "Ephemeris period error", "days", 0,
	    FOR_NON_SIDEREAL, "", FROM_ZERO),
	ROW(ephemeris_epoch, TARGET_REAL, "Ephemeris epoch", "days", 0, FOR_NON_SIDEREAL, ""),
	ROW(ephemeris_epoch_err, TARGET_REAL, "Ephemeris epoch error", "days", 0,
	    FOR_NON_SIDEREAL, "", FROM_ZERO),
	ROW(perihdist, TARGET_REAL, "Perihelion distance", "AU", FOR_COMET, FOR_NON_SIDEREAL, "",
	    FROM_ZERO),
	ROW(abs_mag, TARGET_REAL, "Absolute magnitude", "mag", 0, FOR_NON_SIDEREAL,
	    "H of an asteroid, M1 of a comet."),
	ROW(slope, TARGET_REAL, "Slope", "", 0, FOR_NON_SIDEREAL,
	    "G of an asteroid, k1 of a comet."),
};
/* clang-format on */
const size_t target_nfields = NELEM(target_fields);
_Static_assert(NELEM(target_fields) <= TARGET_NFIELDS_MAX, "TARGET_NFIELDS_MAX is too small");

struct target
target_none(void)
{
	struct target t = { .type = TARGET_SIDEREAL, .permissions = TARGET_PRIVATE };

	for (size_t i = 0; i < target_nfields; i++)
		if (target_is_number(&target_fields[i]))
			*target_real_at(&t, &target_fields[i]) = NAN;
	t.name = STR("");
	return t;
}

const struct target_field *
target_field_find(struct str name)
{
	for (size_t i = 0; i < target_nfields; i++)
		if (str_is(name, target_fields[i].name))
			return &target_fields[i];
	return NULL;
}

bool
target_is_number(const struct target_field *f)
{
	return f->kind == TARGET_REAL || f->kind == TARGET_RA || f->kind == TARGET_DEC;
}

double *
target_real_at(struct target *t, const struct target_field *f)
{
	return (double *)(void *)((char *)t + f->offset);
}

int64_t *
target_time_at(struct target *t, const struct target_field *f)
{
	return (int64_t *)(void *)((char *)t + f->offset);
}

int *
target_choice_at(struct target *t, const struct target_field *f)
{
	return (int *)(void *)((char *)t + f->offset);
}

double
target_real(const struct target *t, const struct target_field *f)
{
	double d;

	memcpy(&d, (const char *)t + f->offset, sizeof(d));
	return d;
}

static int
choice_value(const struct target *t, const struct target_field *f)
{
	int i;

	memcpy(&i, (const char *)t + f->offset, sizeof(i));
	return i;
}

struct str
target_choice(const struct target *t, const struct target_field *f)
{
	return str_of(f->codes[choice_value(t, f)]);
}

struct str
target_choice_label(const struct target *t, const struct target_field *f)
{
	return str_of(f->labels[choice_value(t, f)]);
}

bool
target_choice_read(const struct target_field *f, struct str text, int *out)
{
	for (int i = 0; f->codes[i] != NULL; i++)
		if (text.n > 0 && str_is_nocase(text, f->codes[i])) {
			*out = i;
			return true;
		}
	return false;
}

static const char *
set_choice(struct target *t, const struct target_field *f, struct str text, struct arena *a)
{
	struct buf known = { 0 };
	struct str why;
	int value;

	if (target_choice_read(f, text, &value)) {
		*target_choice_at(t, f) = value;
		return NULL;
	}
	for (int i = 0; f->codes[i] != NULL; i++)
		if (*f->codes[i] != '\0')
			buf_printf(&known, "%s%s", known.n == 0 ? "" : ", ", f->codes[i]);
	why = arena_printf(a, "%s must be one of %s.", f->label, known.p);
	buf_free(&known);
	return why.p;
}

/* "2.5", also with '+' or U+2212 in front, as tables copied from papers have them. */
static bool
read_real(struct str text, double *out)
{
	char copy[64];

	if (str_starts(text, "\xe2\x88\x92") && text.n - 2 < sizeof(copy)) {
		copy[0] = '-';
		memcpy(copy + 1, text.p + 3, text.n - 3);
		return text.n > 3 && text.p[3] != '-' &&
		    str_to_double((struct str){ copy, text.n - 2 }, out);
	}
	if (str_starts(text, "+") && text.n > 1 && text.p[1] != '-')
		text = (struct str){ text.p + 1, text.n - 1 };
	return str_to_double(text, out);
}

const char *
target_set(struct target *t, const struct target_field *f, struct str text, struct arena *a)
{
	struct str s = str_trim(text);
	const char *why;
	double value = NAN;
	int64_t time;

	switch (f->kind) {
	case TARGET_TEXT:
		*(struct str *)(void *)((char *)t + f->offset) = arena_copy(
		    a, s.p == NULL ? "" : s.p, s.n);
		return NULL;
	case TARGET_CHOICE:
		return s.n == 0 ? NULL : set_choice(t, f, s, a);
	case TARGET_TIME:
		if (s.n == 0)
			return NULL;
		if (!clock_from_iso(s, &time))
			return "Write a date and time (UTC) as 2026-11-24T03:13:29Z.";
		*target_time_at(t, f) = time;
		return NULL;
	case TARGET_RA:
	case TARGET_DEC:
		why = s.n == 0
		    ? NULL
		    : angle_parse(s, f->kind == TARGET_RA ? ANGLE_RA : ANGLE_DEC, &value);
		if (why != NULL)
			return why;
		break;
	case TARGET_REAL:
		if (s.n > 0 && !read_real(s, &value))
			return arena_printf(a, "%s must be a number, such as 12.5.", f->label).p;
		break;
	}
	*target_real_at(t, f) = value;
	return NULL;
}

void
problem_add(struct problems *ps, struct arena *a, const char *field, struct str why)
{
	ps->list = arena_more(a, ps->list, ps->n, &ps->room, sizeof(*ps->list));
	ps->list[ps->n++] = (struct problem){ .field = field, .why = why };
}

const struct problem *
problem_about(const struct problems *ps, const char *field)
{
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->list[i].field, field) == 0)
			return &ps->list[i];
	return NULL;
}

/* For whom this target's fields are: the bits of its type and scheme. */
static unsigned
bits(const struct target *t)
{
	static const unsigned schemes[] = {
		[SCHEME_NONE] = 0,
		[SCHEME_MINOR_PLANET] = FOR_MINOR_PLANET,
		[SCHEME_COMET] = FOR_COMET,
		[SCHEME_MAJOR_PLANET] = FOR_MAJOR_PLANET,
	};

	if (t->type == TARGET_SIDEREAL)
		return FOR_SIDEREAL;
	return FOR_NON_SIDEREAL | schemes[t->scheme];
}

static bool
is_given(const struct target *t, const struct target_field *f)
{
	if (target_is_number(f))
		return !isnan(target_real(t, f));
	if (f->kind == TARGET_CHOICE)
		return target_choice(t, f).n > 0;
	return true;
}

static void
check_range(
    const struct target *t, const struct target_field *f, struct problems *ps, struct arena *a)
{
	double value = target_real(t, f);
	const char *space = *f->unit == '\0' ? "" : " ";

	if (isnan(value))
		return;
	if (!isfinite(value))
		problem_add(ps, a, f->name, arena_printf(a, "%s must be finite.", f->label));
	else if (!(f->min < f->max) || (value >= f->min && value <= f->max))
		return;
	else if (strcmp(f->unit, "MJD") == 0)
		problem_add(ps, a, f->name, STR("Value must be in MJD between 0 and 100000."));
	else if (f->max == DBL_MAX)
		problem_add(ps, a, f->name,
		    arena_printf(
		        a, "%s must be at least %g%s%s.", f->label, f->min, space, f->unit));
	else
		problem_add(ps, a, f->name,
		    arena_printf(a, "%s must be between %g and %g%s%s.", f->label, f->min, f->max,
		        space, f->kind == TARGET_RA ? "degrees" : f->unit));
}

static void
need(const struct target *t, const struct target_field *f, struct problems *ps, struct arena *a)
{
	static const struct target_field *scheme;
	unsigned all = f->needed & bits(t);
	struct str why;

	if (all == 0 || is_given(t, f))
		return;
	if (scheme == NULL)
		scheme = target_field_find(STR("scheme"));
	if (all & (FOR_SIDEREAL | FOR_NON_SIDEREAL))
		why = arena_printf(a, "%s is required for %s targets.", f->label,
		    t->type == TARGET_SIDEREAL ? "sidereal" : "non-sidereal");
	else
		why = arena_printf(a, "Scheme '%.*s' requires the field '%s'.",
		    STR_ARG(scheme != NULL ? target_choice_label(t, scheme) : STR("")), f->label);
	problem_add(ps, a, f->name, why);
}

size_t
target_check(const struct target *t, struct problems *ps, struct arena *a)
{
	size_t before = ps->n;
	const char *why = target_name_wrong(str_trim(t->name), a);

	if (why != NULL && problem_about(ps, "name") == NULL)
		problem_add(ps, a, "name", str_of(why));
	for (size_t i = 0; i < target_nfields; i++) {
		const struct target_field *f = &target_fields[i];

		if (problem_about(ps, f->name) != NULL)
			continue;
		need(t, f, ps, a);
		if (target_is_number(f))
			check_range(t, f, ps, a);
	}
	if (t->type == TARGET_NON_SIDEREAL && t->eccentricity > 0.9 && t->scheme != SCHEME_NONE &&
	    t->scheme != SCHEME_COMET && problem_about(ps, "scheme") == NULL)
		problem_add(ps, a, "scheme",
		    STR("High eccentricity objects should use the MPC_COMET scheme: "
		        "the eccentricity is above 0.9."));
	return ps->n - before;
}
