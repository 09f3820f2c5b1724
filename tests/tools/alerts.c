/*
 * alerts: the tables of fields of ZTF's two schemas, and the sky they are filled from.
 *
 * Numbers come from a hash of seed, object, epoch and purpose, and from + - * / alone: no library
 * function that may differ in its last bit.
 */
#include "tests/tools/alerts_made.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/tools/avro_write.h"

const uint8_t alerts_sync[16] = "Meridian alerts";

#define EXPOSURE \
	{ "jd", 'd' }, { "fid", 'i' }, { "pid", 'l' }, { "diffmaglim", 'F' }, \
	    { "pdiffimfilename", 'S' }, { "programpi", 'S' }, \
	{ \
		"programid", 'i' \
	}

/* What the fit and the pixels say, of a candidate and of a row of its history. */
#define DETAILS \
	{ "chipsf", 'F' }, { "magap", 'F' }, { "sigmagap", 'F' }, { "distnr", 'F' }, \
	    { "magnr", 'F' }, { "sigmagnr", 'F' }, { "chinr", 'F' }, { "sharpnr", 'F' }, \
	    { "sky", 'F' }, { "magdiff", 'F' }, { "fwhm", 'F' }, { "classtar", 'F' }, \
	    { "mindtoedge", 'F' }, { "magfromlim", 'F' }, { "seeratio", 'F' }, { "aimage", 'F' }, \
	    { "bimage", 'F' }, { "aimagerat", 'F' }, { "bimagerat", 'F' }, { "elong", 'F' }, \
	    { "nneg", 'I' }, { "nbad", 'I' }, { "rb", 'F' }, { "ssdistnr", 'F' }, \
	    { "ssmagnr", 'F' }, { "ssnamenr", 'S' }, { "sumrat", 'F' }, { "magapbig", 'F' }, \
	{ \
		"sigmagapbig", 'F' \
	}

static const struct column candidate_columns[] = { EXPOSURE, { "candid", 'l' },
	{ "isdiffpos", 's' }, { "tblid", 'L' }, { "nid", 'I' }, { "rcid", 'I' }, { "field", 'I' },
	{ "xpos", 'F' }, { "ypos", 'F' }, { "ra", 'd' }, { "dec", 'd' }, { "magpsf", 'f' },
	{ "sigmapsf", 'f' }, DETAILS, { "ranr", 'd' }, { "decnr", 'd' }, { "sgmag1", 'F' },
	{ "srmag1", 'F' }, { "simag1", 'F' }, { "szmag1", 'F' }, { "sgscore1", 'F' },
	{ "distpsnr1", 'F' }, { "ndethist", 'i' }, { "ncovhist", 'i' }, { "jdstarthist", 'D' },
	{ "jdendhist", 'D' }, { "scorr", 'D' }, { "tooflag", 'I' }, { "objectidps1", 'L' },
	{ "rfid", 'l' }, { "jdstartref", 'd' }, { "jdendref", 'd' }, { "nframesref", 'i' },
	{ "rbversion", 's' }, { "dsnrms", 'F' }, { "ssnrms", 'F' }, { "dsdiff", 'F' },
	{ "magzpsci", 'F' }, { "magzpsciunc", 'F' }, { "magzpscirms", 'F' }, { "nmatches", 'i' },
	{ "clrcoeff", 'F' }, { "clrcounc", 'F' }, { "zpclrcov", 'F' }, { "zpmed", 'F' },
	{ "clrmed", 'F' }, { "clrrms", 'F' }, { "neargaia", 'F' }, { "exptime", 'F' },
	{ "drb", 'F' }, { "drbversion", 's' } };

static const struct column previous_columns[] = { EXPOSURE, { "candid", 'L' }, { "isdiffpos", 'S' },
	{ "tblid", 'L' }, { "nid", 'I' }, { "rcid", 'I' }, { "field", 'I' }, { "xpos", 'F' },
	{ "ypos", 'F' }, { "ra", 'D' }, { "dec", 'D' }, { "magpsf", 'F' }, { "sigmapsf", 'F' },
	DETAILS, { "ranr", 'D' }, { "decnr", 'D' }, { "scorr", 'D' }, { "magzpsci", 'F' },
	{ "magzpsciunc", 'F' }, { "magzpscirms", 'F' }, { "clrcoeff", 'F' }, { "clrcounc", 'F' },
	{ "rbversion", 's' } };

static const struct column forced_columns[] = { { "field", 'I' }, { "rcid", 'I' }, { "fid", 'i' },
	{ "pid", 'l' }, { "rfid", 'l' }, { "sciinpseeing", 'F' }, { "scibckgnd", 'F' },
	{ "scisigpix", 'F' }, { "magzpsci", 'F' }, { "magzpsciunc", 'F' }, { "magzpscirms", 'F' },
	{ "clrcoeff", 'F' }, { "clrcounc", 'F' }, { "exptime", 'F' }, { "adpctdif1", 'F' },
	{ "adpctdif2", 'F' }, { "diffmaglim", 'F' }, { "programid", 'i' }, { "jd", 'd' },
	{ "forcediffimflux", 'F' }, { "forcediffimfluxunc", 'F' }, { "procstatus", 'S' },
	{ "distnr", 'F' }, { "ranr", 'd' }, { "decnr", 'd' }, { "magnr", 'F' }, { "sigmagnr", 'F' },
	{ "chinr", 'F' }, { "sharpnr", 'F' } };

/* What is the same for all rows of a packet, and the row that is being written. */
struct row {
	const struct alerts *a;
	uint64_t object;
	unsigned epoch;
	double ra, dec;
	double jd;
	int fid;
	int64_t candid;
	bool seen, negative, measured;
	float magnitude, error, limit;
	double flux; /* counts of the forced point */
};

uint64_t
made_hash(const struct alerts *a, uint64_t object, uint64_t epoch, uint64_t purpose)
{
	uint64_t x = a->seed * UINT64_C(0x9e3779b97f4a7c15) +
	    object * UINT64_C(0xbf58476d1ce4e5b9) + epoch * UINT64_C(0x94d049bb133111eb) +
	    purpose * UINT64_C(0xd6e8feb86659fd93);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

enum { RA = 1, DEC, PEAK, NIGHT, SEEN, NEGATIVE, NOISE, LIMIT, MEASURED, OTHER, PICTURE };

double
made_uniform(uint64_t h)
{
	return (double)(h % 10000000) / 10000000;
}

double
made_rounded(double v)
{
	return (double)(int64_t)(v * 10000000 + (v < 0 ? -0.5 : 0.5)) / 10000000;
}

/* Brightens for 8 epochs by half a magnitude each, then fades slowly. */
static double
light_curve(const struct row *r)
{
	double peak = 17 + 2 * made_uniform(made_hash(r->a, r->object, 0, PEAK));
	unsigned epoch = r->epoch % 200;
	double since = epoch < 8 ? 0.3 * (8 - epoch) : 0.02 * (epoch - 8);

	return peak + since + (r->fid == 1 ? 0.3 : 0);
}

double
made_counts(double magnitude, double zero_point)
{
	double x = -0.4 * 2.302585092994046 * (magnitude - zero_point) / 256, e = 1;

	for (int i = 8; i > 0; i--)
		e = 1 + e * x / i;
	for (int i = 0; i < 8; i++)
		e *= e;
	return e;
}

static void
observe(struct row *r, unsigned epoch)
{
	uint64_t noise = made_hash(r->a, r->object, epoch, NOISE);

	r->epoch = epoch;
	/* every object at its own minute of the night: no two exposures of one object meet */
	r->jd = made_rounded(
	    2459000.6 + epoch + 0.35 * made_uniform(made_hash(r->a, r->object, epoch, NIGHT)));
	r->fid = epoch % 7 == 6 ? 3 : 1 + (int)(epoch % 2);
	r->candid = INT64_C(1000000000000000000) +
	    (int64_t)(r->object % INT64_C(1000000000000)) * 100000 + epoch;
	/* every fifth object is a variable star, half its epochs below the reference */
	r->negative = made_hash(r->a, r->object, 0, NEGATIVE) % 5 == 0 &&
	    made_hash(r->a, r->object, epoch, NEGATIVE) % 2 == 0;
	r->measured = made_hash(r->a, r->object, epoch, MEASURED) % 8 != 0;
	r->magnitude = (float)(light_curve(r) + 0.2 * (made_uniform(noise) - 0.5));
	r->error = (float)(0.02 + 0.1 * made_uniform(noise >> 20));
	r->flux = made_counts(light_curve(r) + 0.1 * (made_uniform(noise >> 40) - 0.5), 26.25);
	r->limit = (float)(20.5 + made_uniform(made_hash(r->a, r->object, epoch, LIMIT)));
	r->seen = r->magnitude < r->limit;
	if (epoch + 1 >= r->a->points)
		r->seen = true; /* some packet is about this epoch */
	else if (made_hash(r->a, r->object, epoch, SEEN) % 4 == 0) {
		r->limit -= 4; /* clouds */
		r->seen = r->magnitude < r->limit;
	}
}

void
made_number(struct buf *b, char type, double v)
{
	switch (type) {
	case 'd':
		put_double(b, v);
		break;
	case 'f':
		put_float(b, (float)v);
		break;
	case 'b':
		buf_putc(b, v != 0);
		break;
	default:
		put_long(b, (int64_t)v);
	}
}

/* Sets *v to the row's own value of a column; false: it is null. *known: the column is its own. */
static bool
own_value(const struct row *r, const char *name, double *v, bool *known)
{
	double flux = r->flux;
	const struct {
		const char *name;
		double v;
		bool has;
	} own[] = { { "jd", r->jd, true }, { "fid", r->fid, true }, { "ra", r->ra, r->seen },
		{ "dec", r->dec, r->seen }, { "ranr", r->ra, r->seen },
		{ "decnr", r->dec, r->seen }, { "diffmaglim", (double)r->limit, true },
		{ "magpsf", (double)r->magnitude, r->seen },
		{ "sigmapsf", (double)r->error, r->seen }, { "magzpsci", 26.25, true },
		{ "forcediffimflux", r->measured ? (r->negative ? -flux : flux) : -99999, true },
		{ "forcediffimfluxunc", r->measured ? 0.92 * flux * (double)r->error : -99999,
		    true } };

	for (size_t i = 0; i < NELEM(own); i++)
		if (strcmp(own[i].name, name) == 0) {
			*v = own[i].v;
			*known = true;
			return own[i].has;
		}
	*known = false;
	*v = 0;
	return true;
}

static void
put_text(struct buf *b, const struct row *r, const char *name)
{
	if (strcmp(name, "isdiffpos") == 0)
		put_string(b, r->negative ? STR("f") : STR("t"));
	else if (strcmp(name, "procstatus") == 0)
		put_string(b, r->measured ? STR("0") : STR("61"));
	else
		put_string(b, STR("made for tests"));
}

/* Is the value of this column null in a row that saw nothing? */
static bool
needs_sight(const char *name)
{
	static const char *const always[] = { "jd", "fid", "pid", "diffmaglim", "pdiffimfilename",
		"programpi", "programid", "nid", "rcid", "field", "magzpsci", "magzpsciunc",
		"magzpscirms", "clrcoeff", "clrcounc", "rbversion" };

	for (size_t i = 0; i < NELEM(always); i++)
		if (strcmp(always[i], name) == 0)
			return false;
	return true;
}

static void
put_columns(struct buf *b, const struct row *r, const struct column *columns, size_t n, bool forced)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = columns[i].name;
		char type = columns[i].type;
		bool nullable = type < 'a', known, has;
		double v;

		has = own_value(r, name, &v, &known);
		if (!forced && !r->seen && needs_sight(name))
			has = false;
		if (nullable) {
			/* 3.3 writes ["float", "null"], 4.x ["null", "float"] */
			put_long(b, r->a->v4 == has);
			type = (char)(type + ('a' - 'A'));
			if (!has)
				continue;
		}
		if (type == 's')
			put_text(b, r, name);
		else if (strcmp(name, "candid") == 0)
			put_long(b, r->candid);
		else
			made_number(b, type,
			    known ? v : (double)(made_hash(r->a, r->object, i, OTHER) % 1000) / 8);
	}
}

void
made_schema(struct buf *b, const char *name, const char *space, const struct column *columns,
    size_t n, bool v4)
{
	static const char types[] = "dfilsb";
	static const char *const names[] = { "double", "float", "int", "long", "string",
		"boolean" };

	buf_printf(b, "{\"type\":\"record\",\"name\":\"%s\",\"namespace\":\"%s\",\"fields\":[",
	    name, space);
	for (size_t i = 0; i < n; i++) {
		bool nullable = columns[i].type < 'a';
		char type = (char)(nullable ? columns[i].type + ('a' - 'A') : columns[i].type);
		const char *word = names[strchr(types, type) - types];

		buf_printf(b, "%s{\"name\":\"%s\",\"type\":", i > 0 ? "," : "", columns[i].name);
		if (nullable && v4)
			buf_printf(b, "[\"null\",\"%s\"],\"default\":null}", word);
		else if (nullable)
			buf_printf(b, "[\"%s\",\"null\"],\"default\":null}", word);
		else
			buf_printf(b, "\"%s\"}", word);
	}
	buf_puts(b, "]}");
}

static void
make_schema(struct buf *b, bool v4)
{
	buf_puts(b,
	    "{\"type\":\"record\",\"name\":\"alert\",\"namespace\":\"ztf\",\"fields\":["
	    "{\"name\":\"schemavsn\",\"type\":\"string\"},"
	    "{\"name\":\"publisher\",\"type\":\"string\"},"
	    "{\"name\":\"objectId\",\"type\":\"string\"},"
	    "{\"name\":\"candid\",\"type\":\"long\"},{\"name\":\"candidate\",\"type\":");
	made_schema(b, "candidate", "ztf.alert", COLUMNS(candidate_columns), v4);
	buf_puts(b, "},{\"name\":\"prv_candidates\",\"type\":[");
	buf_puts(
	    b, v4 ? "\"null\",{\"type\":\"array\",\"items\":" : "{\"type\":\"array\",\"items\":");
	made_schema(b, "prv_candidate", "ztf.alert", COLUMNS(previous_columns), v4);
	buf_puts(b, v4 ? "}]}" : "},\"null\"]}");
	if (v4) {
		buf_puts(b,
		    ",{\"name\":\"fp_hists\",\"type\":[\"null\",{\"type\":\"array\","
		    "\"items\":");
		made_schema(b, "fp_hist", "ztf.alert", COLUMNS(forced_columns), v4);
		buf_puts(b, "}]}");
	}
	buf_puts(b,
	    ",{\"name\":\"cutoutScience\",\"type\":[\"null\",{\"type\":\"record\","
	    "\"name\":\"cutout\",\"namespace\":\"ztf.alert\",\"fields\":["
	    "{\"name\":\"fileName\",\"type\":\"string\"},"
	    "{\"name\":\"stampData\",\"type\":\"bytes\"}]}]}"
	    ",{\"name\":\"cutoutTemplate\",\"type\":[\"null\",\"ztf.alert.cutout\"]}"
	    ",{\"name\":\"cutoutDifference\",\"type\":[\"null\",\"ztf.alert.cutout\"]}]}");
}

struct str
alerts_schema(const struct alerts *a)
{
	static struct buf text[2];

	if (a->lsst)
		return made_lsst_schema();
	if (text[a->v4].n == 0)
		make_schema(&text[a->v4], a->v4);
	return buf_text(&text[a->v4]);
}

static void
name_object(char *to, size_t size, const struct alerts *a, uint64_t object)
{
	uint64_t n = (object + made_hash(a, 0, 0, 0) % 1000000000) %
	    UINT64_C(8031810176); /* 26^7 */
	char letters[8] = "aaaaaaa";

	for (int i = 6; i >= 0; i--, n /= 26)
		letters[i] = (char)('a' + n % 26);
	snprintf(to, size, "ZTF%02u%s", 17 + (unsigned)(object % 9), letters);
}

void
made_picture(struct buf *b, const struct alerts *a, int64_t alert, unsigned k)
{
	put_long(b, (int64_t)a->cutout);
	for (size_t i = 0; i < a->cutout; i += 8) {
		uint64_t h = made_hash(a, (uint64_t)alert, i, PICTURE + k);
		size_t left = a->cutout - i;

		buf_put(b, &h, left < 8 ? left : 8);
	}
}

static void
put_cutouts(struct buf *b, const struct row *r)
{
	for (unsigned k = 0; k < 3; k++) {
		put_long(b, r->a->cutout > 0);
		if (r->a->cutout == 0)
			continue;
		put_string(b, STR("candid_science.fits.gz"));
		made_picture(b, r->a, r->candid, k);
	}
}

/* The rows of the n epochs before `end` as one array, and what they tell. */
static void
put_history(
    struct buf *b, struct row *r, unsigned end, unsigned n, bool forced, struct made_alert *made)
{
	unsigned begin = n < end ? end - n : 0;

	/* the branch that is no null: the second in 4.x, the first in 3.3 */
	put_long(b, r->a->v4);
	if (begin < end) {
		put_long(b, end - begin);
		for (unsigned epoch = begin; epoch < end; epoch++) {
			observe(r, epoch);
			if (forced)
				put_columns(b, r, COLUMNS(forced_columns), true);
			else
				put_columns(b, r, COLUMNS(previous_columns), false);
			if (forced)
				*(r->measured ? &made->forced : &made->empty) += 1;
			else
				*(r->seen ? &made->detections : &made->limits) += 1;
			made->negative += !forced && r->seen && r->negative;
		}
	}
	put_long(b, 0);
}

void
alerts_put(
    const struct alerts *a, uint64_t object, unsigned visit, struct buf *b, struct made_alert *made)
{
	struct row r = { .a = a, .object = object };
	struct made_alert unwanted;
	unsigned epoch = (a->points > 0 ? a->points - 1 : 0) + visit;
	unsigned nforced = a->v4 ? a->points / 3 : 0;
	unsigned nprevious = a->points > nforced ? a->points - 1 - nforced : 0;

	if (made == NULL)
		made = &unwanted;
	*made = (struct made_alert){ .detections = 1 };
	if (a->lsst) {
		made_lsst(a, object, epoch, b, made);
		return;
	}
	name_object(made->object_id, sizeof(made->object_id), a, object);
	made->ra = r.ra = made_rounded(360 * made_uniform(made_hash(a, object, 0, RA)));
	made->dec = r.dec = made_rounded(-30 + 115 * made_uniform(made_hash(a, object, 0, DEC)));
	observe(&r, epoch);
	made->candid = r.candid;
	made->negative = r.negative;
	put_string(b, a->v4 ? STR("4.02") : STR("3.3"));
	put_string(b, STR("Meridian, made for tests"));
	put_string(b, str_of(made->object_id));
	put_long(b, r.candid);
	put_columns(b, &r, COLUMNS(candidate_columns), false);
	put_history(b, &r, epoch, nprevious, false, made);
	if (a->v4)
		put_history(b, &r, epoch, nforced, true, made);
	observe(&r, epoch);
	put_cutouts(b, &r);
}
