/*
 * angle: angles as people write them, and as pages show them.
 *
 * Reading: the text is cut into numbers, each with the mark behind it (a unit, a colon, a blank).
 * The marks say whether the first number is hours or degrees; then each number is checked and
 * added.
 */
#include "sky/angle.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

#define PARTS 3
#define TEXT_MAX 80 /* bytes of an angle */

/* What stands behind a number. */
enum mark { NO_MARK, COLON, BLANK, HOUR_MARK, DEGREE_MARK, MINUTE_MARK, SECOND_MARK };

struct part {
	double value;
	bool whole; /* without a decimal point */
	enum mark mark;
};

static const struct {
	const char *text;
	enum mark mark;
} marks[] = {
	/* a longer one before one that it begins with */
	{ "deg", DEGREE_MARK },
	{ "d", DEGREE_MARK },
	{ "D", DEGREE_MARK },
	{ "\xc2\xb0", DEGREE_MARK }, /* U+00B0 degree sign */
	{ "\xc2\xba", DEGREE_MARK }, /* U+00BA, often typed for it */
	{ "h", HOUR_MARK },
	{ "H", HOUR_MARK },
	{ "\xca\xb0", HOUR_MARK }, /* U+02B0 superscript h */
	{ "m", MINUTE_MARK },
	{ "M", MINUTE_MARK },
	{ "\xe1\xb5\x90", MINUTE_MARK }, /* U+1D50 superscript m */
	{ "s", SECOND_MARK },
	{ "S", SECOND_MARK },
	{ "\xcb\xa2", SECOND_MARK }, /* U+02E2 superscript s */
	{ "''", SECOND_MARK },
	{ "'", MINUTE_MARK },
	{ "\xe2\x80\xb2", MINUTE_MARK }, /* U+2032 prime */
	{ "\xe2\x80\x99", MINUTE_MARK }, /* U+2019 right quote */
	{ "\"", SECOND_MARK },
	{ "\xe2\x80\xb3", SECOND_MARK }, /* U+2033 double prime */
	{ "\xe2\x80\x9d", SECOND_MARK }, /* U+201D right double quote */
	{ ":", COLON },
};

static void
skip(struct str *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

static void
skip_blanks(struct str *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		skip(s, 1);
}

/* Takes a sign off: -1 or 1. */
static int
read_sign(struct str *s)
{
	int sign = 1;

	if (str_starts(*s, "-")) {
		sign = -1;
		skip(s, 1);
	} else if (str_starts(*s, "\xe2\x88\x92")) { /* U+2212 minus sign */
		sign = -1;
		skip(s, 3);
	} else if (str_starts(*s, "+")) {
		skip(s, 1);
	}
	return sign;
}

static bool
read_part(struct str *s, struct part *part)
{
	size_t n = 0, digits = 0;
	double value = 0, scale = 1;

	part->whole = true;
	for (; n < s->n; n++) {
		char c = s->p[n];

		if (c == '.' && part->whole) {
			part->whole = false;
		} else if (c >= '0' && c <= '9') {
			value = value * 10 + (c - '0');
			scale *= part->whole ? 1 : 10;
			digits++;
		} else {
			break;
		}
	}
	if (digits == 0)
		return false;
	part->value = value / scale;
	skip(s, n);

	bool blank = s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t');
	part->mark = blank ? BLANK : NO_MARK;
	skip_blanks(s);
	for (size_t i = 0; i < NELEM(marks); i++)
		if (str_starts(*s, marks[i].text)) {
			part->mark = marks[i].mark;
			skip(s, strlen(marks[i].text));
			skip_blanks(s);
			break;
		}
	return true;
}

/* Checks the marks of the parts; says what the first part is: HOUR_MARK or DEGREE_MARK. */
static const char *
judge_marks(const struct part *parts, size_t n, enum angle_kind kind, enum mark *first)
{
	static const char *const mixed =
	    "The parts must be hours or degrees, then minutes, then seconds.";
	enum mark unit = parts[0].mark;
	bool hours_by_habit = kind == ANGLE_RA && n > 1;

	if (unit == HOUR_MARK && kind == ANGLE_DEC)
		return "Declination is in degrees, not hours.";
	if (unit == MINUTE_MARK || unit == SECOND_MARK)
		return mixed;
	for (size_t i = 1; i < n; i++) {
		enum mark m = parts[i].mark;
		enum mark own = i == 1 ? MINUTE_MARK : SECOND_MARK;

		if (m == HOUR_MARK || m == DEGREE_MARK ||
		    ((m == MINUTE_MARK || m == SECOND_MARK) && m != own))
			return mixed;
		if (!parts[i - 1].whole)
			return "Only the last part may have decimals.";
	}
	if (parts[n - 1].mark == COLON)
		return "A number is missing after the last colon.";
	if (unit == HOUR_MARK || (unit != DEGREE_MARK && hours_by_habit))
		*first = HOUR_MARK;
	else
		*first = DEGREE_MARK;
	return NULL;
}

static const char *
within(double degrees, enum angle_kind kind, double *out)
{
	if (kind == ANGLE_RA) {
		if (degrees < 0 || degrees > 360)
			return "Right ascension must be 0 to 360 degrees, or 0 to 24 hours.";
		*out = degrees >= 360 ? 0 : degrees + 0.0;
	} else {
		if (degrees < -90 || degrees > 90)
			return "Declination must be -90 to 90 degrees.";
		*out = degrees + 0.0;
	}
	return NULL;
}

const char *
angle_parse(struct str text, enum angle_kind kind, double *degrees)
{
	static const char *const shape_ra =
	    "Write degrees (265.345) or hours, minutes, seconds (17 41 22.8).";
	static const char *const shape_dec =
	    "Write degrees (-38.235) or degrees, minutes, seconds (-38 14 07.3).";
	const char *shape = kind == ANGLE_RA ? shape_ra : shape_dec, *why;
	struct part parts[PARTS];
	struct str s = str_trim(text);
	enum mark first;
	size_t n = 0;
	double value;

	if (s.n == 0 || s.n > TEXT_MAX)
		return shape;
	if (str_to_double(s, &value))
		return within(value, kind, degrees);
	int sign = read_sign(&s);
	/* "+38.2", "−38.2", "−1e-5": a plain number behind another sign than '-' */
	if (s.n > 0 && s.p[0] != '-' && str_to_double(s, &value))
		return within(sign * value, kind, degrees);
	skip_blanks(&s);
	while (s.n > 0) {
		if (n == PARTS || !read_part(&s, &parts[n]))
			return shape;
		n++;
	}
	if (n == 0)
		return shape;
	why = judge_marks(parts, n, kind, &first);
	if (why != NULL)
		return why;
	if (n > 1 && parts[1].value >= 60)
		return "Minutes must be below 60.";
	if (n > 2 && parts[2].value >= 60)
		return "Seconds must be below 60.";
	value = parts[0].value + (n > 1 ? parts[1].value / 60 : 0) +
	    (n > 2 ? parts[2].value / 3600 : 0);
	return within(sign * value * (first == HOUR_MARK ? 15 : 1), kind, degrees);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The bytes of what stands in numbers at s.p[i]: digits, a point, "e-5" behind a digit. */
static size_t
number_at(struct str s, size_t i)
{
	size_t n = 0;

	while (i + n < s.n && (is_digit(s.p[i + n]) || s.p[i + n] == '.'))
		n++;
	if (n > 0 && i + n + 1 < s.n && (s.p[i + n] == 'e' || s.p[i + n] == 'E')) {
		size_t digit = i + n + 1 + (s.p[i + n + 1] == '-' || s.p[i + n + 1] == '+');

		if (digit < s.n && is_digit(s.p[digit]))
			return digit - i + number_at(s, digit);
	}
	return n;
}

/* The bytes of the mark or sign at s.p[i]; 0: there is none. */
static size_t
mark_at(struct str s, size_t i)
{
	for (size_t k = 0; k < NELEM(marks); k++)
		if (str_starts((struct str){ s.p + i, s.n - i }, marks[k].text))
			return strlen(marks[k].text);
	return 0;
}

static size_t
sign_at(struct str s, size_t i)
{
	if (s.p[i] == '+' || s.p[i] == '-')
		return 1;
	return str_starts((struct str){ s.p + i, s.n - i }, "\xe2\x88\x92") ? 3 : 0;
}

/* What a text is made of that may be a position. */
struct pieces {
	size_t divider; /* where the comma or semicolon is; the text's length: nowhere */
	size_t sign; /* where Dec begins by its sign; the same */
	size_t ndividers, nwords;
	size_t middle; /* where the second half of the words begins */
	bool has_colon;
};

/* False where the text is no position, but a name: a letter that is no unit, digits with hyphens. */
static bool
take_apart(struct str s, struct pieces *p)
{
	size_t starts[16], n;
	bool told =
	    false; /* the number before is one of an angle: a point, a unit, or it is not alone */

	*p = (struct pieces){ .divider = s.n, .sign = s.n, .middle = s.n };
	for (size_t i = 0; i < s.n; i += n) {
		bool begins = i == 0 || is_blank(s.p[i - 1]);

		n = 1;
		if (is_blank(s.p[i]))
			continue;
		if (begins && p->nwords < NELEM(starts))
			starts[p->nwords] = i;
		p->nwords += begins;
		if (s.p[i] == ',' || s.p[i] == ';') {
			p->divider = p->ndividers++ == 0 ? i : p->divider;
		} else if ((n = number_at(s, i)) > 0) {
			told = told || p->nwords > 1 || memchr(s.p + i, '.', n) != NULL;
		} else if ((n = sign_at(s, i)) > 0) {
			if (i > 0 && !begins && p->ndividers == 0 && !told)
				return false;
			if (i > 0 && p->sign == s.n)
				p->sign = i;
		} else if (!begins && (n = mark_at(s, i)) > 0) {
			p->has_colon = p->has_colon || s.p[i] == ':';
			told = true;
		} else {
			return false;
		}
	}
	if (p->nwords % 2 == 0 && p->nwords > 0 && p->nwords <= NELEM(starts))
		p->middle = starts[p->nwords / 2];
	return true;
}

enum position
position_parse(struct str text, double *ra, double *dec, const char **why)
{
	static const char *const shape = "Write right ascension and declination: 10.68 41.27, or "
	                                 "00 42 44.3 +41 16 09.";
	struct str s = str_trim(text);
	struct pieces p;
	size_t cut;

	*why = NULL;
	if (s.n == 0 || !take_apart(s, &p))
		return POSITION_NONE;
	cut = p.ndividers > 0 ? p.divider : p.sign < s.n ? p.sign : p.middle;
	if (cut == s.n && p.nwords == 1 && !p.has_colon)
		return POSITION_NONE; /* one number, or "2021S3" */
	if (cut == s.n || p.ndividers > 1)
		*why = shape;
	else
		*why = angle_parse((struct str){ s.p, cut }, ANGLE_RA, ra);
	if (*why == NULL) {
		cut += p.ndividers;
		*why = angle_parse((struct str){ s.p + cut, s.n - cut }, ANGLE_DEC, dec);
	}
	return *why == NULL ? POSITION : POSITION_WRONG;
}

/* `units` small units as "hh mm ss" and `digits` decimals of the second. */
static struct str
sexagesimal(struct arena *a, const char *sign, int64_t units, unsigned digits, int64_t per_second)
{
	int64_t seconds = units / per_second, part = units % per_second;

	char text[32], *w = text;

	if (sign[0] != '\0')
		*w++ = sign[0];
	/* more than two digits are no angle of the sky, and yet a number */
	w = number_digits(w, (uint64_t)seconds / 3600, seconds < 100 * 3600 ? 2 : 7);
	*w++ = ' ';
	w = number_digits(w, (uint64_t)seconds / 60 % 60, 2);
	*w++ = ' ';
	w = number_digits(w, (uint64_t)seconds % 60, 2);
	*w++ = '.';
	w = number_digits(w, (uint64_t)part, digits);
	return arena_copy(a, text, (size_t)(w - text));
}

struct str
angle_ra_text(struct arena *a, double degrees)
{
	if (!isfinite(degrees) || fabs(degrees) > 1e9)
		return STR_NONE;
	double turn = fmod(degrees, 360);
	if (turn < 0)
		turn += 360;
	int64_t units = (int64_t)llround(turn / 15 * 360000);
	return sexagesimal(a, "", units % (24 * 360000), 2, 100);
}

struct str
angle_dec_text(struct arena *a, double degrees)
{
	if (!isfinite(degrees) || fabs(degrees) > 1e6)
		return STR_NONE;
	int64_t units = (int64_t)llround(fabs(degrees) * 36000);
	return sexagesimal(a, degrees < 0 && units > 0 ? "-" : "+", units, 1, 10);
}
