/*
 * lightcurve_text: the words of a light curve: what each mark says, what there is to be seen, the
 * caption. Written into room on the stack that is known to do: pages have many of them.
 */
#include "tom/lightcurve_curve.h"

#include <math.h>

#define BAND_MAX 32 /* bytes of a name that is written */
#define SOURCE_MAX 60
#define SOURCES_MAX 4

/* Of a magnitude three decimals where the error is below 0.01; of a flux what its error allows. */
static unsigned
decimals_of(const struct lightcurve_point *p, bool flux)
{
	double size = p->error > 0 ? p->error : fabs(p->value) / 100;

	if (!flux)
		return !p->limit && p->error < 0.00995 ? 3 : 2;
	return size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2;
}

static bool
has_error(const struct lightcurve_point *p, bool flux)
{
	return !p->limit && p->error >= 0 && p->error < (flux ? 1e15 : 100);
}

/* "18.71", "> 20.50"; of a flux that is not measured "< 230". */
static char *
put_amount(char *w, const struct lightcurve_point *p, bool flux)
{
	if (p->limit)
		w = flux ? PUT(w, "< ") : PUT(w, "> ");
	return put_fixed(w, p->value, decimals_of(p, flux));
}

/* "18.71 ± 0.09", "1234 ± 56 nJy" */
static char *
put_value(char *w, const struct lightcurve_point *p, bool flux)
{
	w = put_amount(w, p, flux);
	if (has_error(p, flux)) {
		w = PUT(w, " \xc2\xb1 ");
		w = put_fixed(w, p->error, decimals_of(p, flux));
	}
	return flux ? PUT(w, " nJy") : w;
}

struct str
lightcurve_amount(struct arena *a, const struct lightcurve_point *p, bool flux)
{
	char text[SAY_MAX];

	if (!isfinite(p->value))
		return STR("");
	return arena_copy(a, text, (size_t)(put_amount(text, p, flux) - text));
}

struct str
lightcurve_error(struct arena *a, const struct lightcurve_point *p, bool flux)
{
	char text[NUMBER_MAX];

	if (!isfinite(p->value) || !has_error(p, flux))
		return STR("");
	return arena_copy(a, text, number_fixed(text, p->error, decimals_of(p, flux)));
}

/* A bandpass in a sentence; one that is too long to be a name is left out. */
static char *
put_band(char *w, struct str band)
{
	return put(w, band.p ? band.p : "", band.n < BAND_MAX ? band.n : 0);
}

static char *
put_source(char *w, struct str source)
{
	return put(w, source.p ? source.p : "", source.n <= SOURCE_MAX ? source.n : 0);
}

static char *
put_sign(char *w, const struct lightcurve_point *p)
{
	return p->negative ? PUT(w, ", fainter than the reference") : w;
}

char *
curve_put_say(const struct curve *c, char *w, const struct lightcurve_point *p)
{
	w = put_band(w, p->band);
	w = PUT(w, " ");
	w = put_value(w, p, c->view->flux);
	w = PUT(w, ", MJD ");
	w = put_fixed(w, p->mjd, 4);
	if (isfinite(c->view->zero)) {
		w = PUT(w, ", day ");
		w = put_fixed(w, p->mjd - c->view->zero, 3);
	}
	if (p->forced)
		w = PUT(w, ", forced");
	w = put_sign(w, p);
	if (c->nsurveys < 2)
		return w;
	w = PUT(w, ", ");
	return put_source(w, p->source);
}

static struct str
point_text(const struct curve *c, const struct lightcurve_point *p)
{
	char text[3 * NUMBER_MAX + SAY_MAX], *w;

	w = put_value(text, p, c->view->flux);
	w = PUT(w, " ");
	w = put_band(w, p->band);
	w = PUT(w, ", MJD ");
	w = put_fixed(w, p->mjd, 2);
	w = put_sign(w, p);
	return arena_copy(c->arena, text, (size_t)(w - text));
}

/* "3 upper limits": the noun takes an s unless there is one. */
static char *
put_count(char *w, size_t n, const char *noun)
{
	w = put_fixed(w, (double)n, 0);
	*w++ = ' ';
	w = put(w, noun, strlen(noun));
	if (n != 1)
		*w++ = 's';
	return w;
}

/* "Brightest 16.33 in r at MJD 61241.2. " */
static char *
put_point(const struct curve *c, char *w, const char *what, const struct lightcurve_point *p)
{
	if (!p)
		return w;
	w = put(w, what, strlen(what));
	w = put_fixed(w, p->value, c->view->flux ? decimals_of(p, true) : 2);
	if (c->view->flux)
		w = PUT(w, " nJy");
	w = PUT(w, " in ");
	w = put_band(w, p->band);
	if (!p->limit) {
		w = PUT(w, " at MJD ");
		w = put_fixed(w, p->mjd, 1);
	}
	w = put_sign(w, p);
	return PUT(w, ". ");
}

/* What the curve shows, for who cannot see it. */
void
curve_add_finding(const struct curve *c, struct value *v)
{
	char text[12 * NUMBER_MAX + 4 * SAY_MAX], *w = text;
	size_t measured = c->seen - c->limits;

	if (measured > 0) {
		w = put_count(w, measured, "measurement");
		if (c->limits > 0)
			w = PUT(w, " and ");
	}
	if (c->limits > 0)
		w = put_count(w, c->limits, "upper limit");
	w = c->mjd[0] < c->mjd[1] ? PUT(w, " from MJD ") : PUT(w, " at MJD ");
	w = put_fixed(w, c->mjd[0], 1);
	if (c->mjd[0] < c->mjd[1]) {
		w = PUT(w, " to ");
		w = put_fixed(w, c->mjd[1], 1);
	}
	w = PUT(w, ". ");
	w = put_point(c, w, "Brightest ", c->peak);
	w = put_point(c, w, "Latest ", c->last);
	w = put_point(c, w, "Deepest limit ", c->deepest);
	w = PUT(w, "The table below holds the numbers.");
	value_set_text(v, "desc", arena_copy(c->arena, text, (size_t)(w - text)));
	if (c->last)
		value_set_text(value_set_object(v, "last"), "text", point_text(c, c->last));
	if (c->peak)
		value_set_text(value_set_object(v, "peak"), "text", point_text(c, c->peak));
}

/* Who measured, up to SOURCES_MAX of them. */
static char *
put_sources(const struct curve *c, char *w)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nsurveys && n < SOURCES_MAX; i++) {
		struct str source = c->surveys[i].name;

		if (str_empty(source) || source.n > SOURCE_MAX)
			continue;
		w = n++ == 0 ? PUT(w, " Measured by ") : PUT(w, ", ");
		w = put_source(w, source);
	}
	return n > 0 ? PUT(w, ".") : w;
}

/* "12,345" */
static char *
put_thousands(const struct curve *c, char *w, size_t n)
{
	struct str text = number_count(c->arena, (int64_t)n);

	return put(w, text.p, text.n);
}

/* Of what against what. */
static char *
put_axes(const struct curve *c, char *w)
{
	bool all = c->differences > 0 && c->differences == c->seen - c->limits;

	w = c->view->flux ? PUT(w, "Flux in nJy (AB: magnitude 31.4 is 1 nJy) ")
	                  : PUT(w, "AB magnitude ");
	if (all)
		w = PUT(w, "of the difference to the reference image ");
	if (isfinite(c->view->zero)) {
		w = PUT(w, "against days since the first detection, MJD ");
		w = put_fixed(w, c->view->zero, 4);
	} else {
		w = PUT(w, "against MJD");
	}
	w = PUT(w, "; dates above are UTC. Bars are 1\xcf\x83.");
	if (c->differences == 0 || all)
		return w;
	w = PUT(w, " Of the difference to a reference image: ");
	w = put_count(w, c->differences, c->view->flux ? "measurement" : "magnitude");
	return PUT(w, ".");
}

/* Which points stand for all. */
static char *
put_thinned(const struct curve *c, struct value *v, char *w)
{
	size_t drawn = c->seen - c->thinned;

	if (c->thinned == 0)
		return w;
	value_set_text(v, "count", number_count(c->arena, (int64_t)c->seen));
	value_set_text(v, "drawn", number_count(c->arena, (int64_t)drawn));
	w = PUT(w, " ");
	w = put_thousands(c, w, c->seen);
	w = PUT(w, " points drawn as ");
	w = put_thousands(c, w, drawn);
	return PUT(w,
	    " marks: of each band, survey and kind the first, the last, and the brightest "
	    "and the faintest of each interval. A shorter range shows all of its points.");
}

void
curve_add_caption(const struct curve *c, struct value *v)
{
	char text[8 * NUMBER_MAX + SOURCES_MAX * (SOURCE_MAX + 2) + 8 * SAY_MAX], *w = text;

	w = put_axes(c, w);
	w = put_sources(c, w);
	if (c->view->older) {
		w = PUT(w, " These are the newest ");
		w = put_thousands(c, w, c->n);
		w = PUT(
		    w, " rows; older ones are to be seen in a range before them, and in the CSV.");
	}
	w = put_thinned(c, v, w);
	if (c->n > c->seen) {
		w = PUT(w, " ");
		w = put_count(w, c->n - c->seen, "row");
		w = c->view->flux ? PUT(w, " without a flux only in the table.")
		                  : PUT(w, " without a magnitude only in the table.");
	}
	value_set_text(v, "caption", arena_copy(c->arena, text, (size_t)(w - text)));
}
