/*
 * alerts_lsst: the tables of fields of Rubin's schema 9.0 (github.com/lsst/alert_packet), and packets
 * of objects that are seen every 4.5 days or so, which is 80 times a year.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/tools/alerts_made.h"
#include "tests/tools/avro_write.h"

#define SPACE "lsst.v9_0"
#define FIRST_EPOCH 60900 /* MJD, TAI */

static const struct column source_columns[] = { { "diaSourceId", 'l' }, { "visit", 'l' },
	{ "detector", 'i' }, { "diaObjectId", 'L' }, { "ssObjectId", 'L' },
	{ "parentDiaSourceId", 'L' }, { "midpointMjdTai", 'd' }, { "ra", 'd' }, { "raErr", 'F' },
	{ "dec", 'd' }, { "decErr", 'F' }, { "ra_dec_Cov", 'F' }, { "x", 'f' }, { "xErr", 'F' },
	{ "y", 'f' }, { "yErr", 'F' }, { "centroid_flag", 'B' }, { "apFlux", 'F' },
	{ "apFluxErr", 'F' }, { "apFlux_flag", 'B' }, { "apFlux_flag_apertureTruncated", 'B' },
	{ "isNegative", 'B' }, { "snr", 'F' }, { "psfFlux", 'F' }, { "psfFluxErr", 'F' },
	{ "psfLnL", 'F' }, { "psfChi2", 'F' }, { "psfNdata", 'I' }, { "psfFlux_flag", 'B' },
	{ "psfFlux_flag_edge", 'B' }, { "psfFlux_flag_noGoodPixels", 'B' }, { "trailFlux", 'F' },
	{ "trailFluxErr", 'F' }, { "trailRa", 'D' }, { "trailRaErr", 'F' }, { "trailDec", 'D' },
	{ "trailDecErr", 'F' }, { "trailLength", 'F' }, { "trailLengthErr", 'F' },
	{ "trailAngle", 'F' }, { "trailAngleErr", 'F' }, { "trailChi2", 'F' },
	{ "trailNdata", 'I' }, { "trail_flag_edge", 'B' }, { "dipoleMeanFlux", 'F' },
	{ "dipoleMeanFluxErr", 'F' }, { "dipoleFluxDiff", 'F' }, { "dipoleFluxDiffErr", 'F' },
	{ "dipoleLength", 'F' }, { "dipoleAngle", 'F' }, { "dipoleChi2", 'F' },
	{ "dipoleNdata", 'I' }, { "scienceFlux", 'F' }, { "scienceFluxErr", 'F' },
	{ "forced_PsfFlux_flag", 'B' }, { "forced_PsfFlux_flag_edge", 'B' },
	{ "forced_PsfFlux_flag_noGoodPixels", 'B' }, { "templateFlux", 'F' },
	{ "templateFluxErr", 'F' }, { "ixx", 'F' }, { "iyy", 'F' }, { "ixy", 'F' },
	{ "ixxPSF", 'F' }, { "iyyPSF", 'F' }, { "ixyPSF", 'F' }, { "shape_flag", 'B' },
	{ "shape_flag_no_pixels", 'B' }, { "shape_flag_not_contained", 'B' },
	{ "shape_flag_parent_source", 'B' }, { "extendedness", 'F' }, { "reliability", 'F' },
	{ "band", 'S' }, { "isDipole", 'B' }, { "dipoleFitAttempted", 'B' },
	{ "timeProcessedMjdTai", 'd' }, { "timeWithdrawnMjdTai", 'D' }, { "bboxSize", 'I' },
	{ "pixelFlags", 'B' }, { "pixelFlags_bad", 'B' }, { "pixelFlags_cr", 'B' },
	{ "pixelFlags_crCenter", 'B' }, { "pixelFlags_edge", 'B' }, { "pixelFlags_nodata", 'B' },
	{ "pixelFlags_nodataCenter", 'B' }, { "pixelFlags_interpolated", 'B' },
	{ "pixelFlags_interpolatedCenter", 'B' }, { "pixelFlags_offimage", 'B' },
	{ "pixelFlags_saturated", 'B' }, { "pixelFlags_saturatedCenter", 'B' },
	{ "pixelFlags_suspect", 'B' }, { "pixelFlags_suspectCenter", 'B' },
	{ "pixelFlags_streak", 'B' }, { "pixelFlags_streakCenter", 'B' },
	{ "pixelFlags_injected", 'B' }, { "pixelFlags_injectedCenter", 'B' },
	{ "pixelFlags_injected_template", 'B' }, { "pixelFlags_injected_templateCenter", 'B' },
	{ "glint_trail", 'B' } };

static const struct column forced_columns[] = { { "diaForcedSourceId", 'l' },
	{ "diaObjectId", 'l' }, { "ra", 'd' }, { "dec", 'd' }, { "visit", 'l' },
	{ "detector", 'i' }, { "psfFlux", 'F' }, { "psfFluxErr", 'F' }, { "midpointMjdTai", 'd' },
	{ "scienceFlux", 'F' }, { "scienceFluxErr", 'F' }, { "band", 'S' },
	{ "timeProcessedMjdTai", 'd' }, { "timeWithdrawnMjdTai", 'D' } };

static const struct column object_columns[] = { { "diaObjectId", 'l' },
	{ "validityStartMjdTai", 'd' }, { "ra", 'd' }, { "raErr", 'F' }, { "dec", 'd' },
	{ "decErr", 'F' }, { "ra_dec_Cov", 'F' }, { "u_psfFluxMean", 'F' },
	{ "u_psfFluxMeanErr", 'F' }, { "u_psfFluxSigma", 'F' }, { "u_psfFluxNdata", 'I' },
	{ "u_fpFluxMean", 'F' }, { "u_fpFluxMeanErr", 'F' }, { "g_psfFluxMean", 'F' },
	{ "g_psfFluxMeanErr", 'F' }, { "g_psfFluxSigma", 'F' }, { "g_psfFluxNdata", 'I' },
	{ "g_fpFluxMean", 'F' }, { "g_fpFluxMeanErr", 'F' }, { "r_psfFluxMean", 'F' },
	{ "r_psfFluxMeanErr", 'F' }, { "r_psfFluxSigma", 'F' }, { "r_psfFluxNdata", 'I' },
	{ "r_fpFluxMean", 'F' }, { "r_fpFluxMeanErr", 'F' }, { "i_psfFluxMean", 'F' },
	{ "i_psfFluxMeanErr", 'F' }, { "i_psfFluxSigma", 'F' }, { "i_psfFluxNdata", 'I' },
	{ "i_fpFluxMean", 'F' }, { "i_fpFluxMeanErr", 'F' }, { "z_psfFluxMean", 'F' },
	{ "z_psfFluxMeanErr", 'F' }, { "z_psfFluxSigma", 'F' }, { "z_psfFluxNdata", 'I' },
	{ "z_fpFluxMean", 'F' }, { "z_fpFluxMeanErr", 'F' }, { "y_psfFluxMean", 'F' },
	{ "y_psfFluxMeanErr", 'F' }, { "y_psfFluxSigma", 'F' }, { "y_psfFluxNdata", 'I' },
	{ "y_fpFluxMean", 'F' }, { "y_fpFluxMeanErr", 'F' }, { "u_scienceFluxMean", 'F' },
	{ "u_scienceFluxMeanErr", 'F' }, { "g_scienceFluxMean", 'F' },
	{ "g_scienceFluxMeanErr", 'F' }, { "r_scienceFluxMean", 'F' },
	{ "r_scienceFluxMeanErr", 'F' }, { "i_scienceFluxMean", 'F' },
	{ "i_scienceFluxMeanErr", 'F' }, { "z_scienceFluxMean", 'F' },
	{ "z_scienceFluxMeanErr", 'F' }, { "y_scienceFluxMean", 'F' },
	{ "y_scienceFluxMeanErr", 'F' }, { "u_psfFluxMin", 'F' }, { "u_psfFluxMax", 'F' },
	{ "u_psfFluxMaxSlope", 'F' }, { "u_psfFluxErrMean", 'F' }, { "g_psfFluxMin", 'F' },
	{ "g_psfFluxMax", 'F' }, { "g_psfFluxMaxSlope", 'F' }, { "g_psfFluxErrMean", 'F' },
	{ "r_psfFluxMin", 'F' }, { "r_psfFluxMax", 'F' }, { "r_psfFluxMaxSlope", 'F' },
	{ "r_psfFluxErrMean", 'F' }, { "i_psfFluxMin", 'F' }, { "i_psfFluxMax", 'F' },
	{ "i_psfFluxMaxSlope", 'F' }, { "i_psfFluxErrMean", 'F' }, { "z_psfFluxMin", 'F' },
	{ "z_psfFluxMax", 'F' }, { "z_psfFluxMaxSlope", 'F' }, { "z_psfFluxErrMean", 'F' },
	{ "y_psfFluxMin", 'F' }, { "y_psfFluxMax", 'F' }, { "y_psfFluxMaxSlope", 'F' },
	{ "y_psfFluxErrMean", 'F' }, { "firstDiaSourceMjdTai", 'D' },
	{ "lastDiaSourceMjdTai", 'D' }, { "nDiaSources", 'i' } };

static const struct column moving_columns[] = { { "ssObjectId", 'L' }, { "diaSourceId", 'L' },
	{ "eclipticLambda", 'D' }, { "eclipticBeta", 'D' }, { "galacticL", 'D' },
	{ "galacticB", 'D' }, { "phaseAngle", 'F' }, { "heliocentricDist", 'F' },
	{ "topocentricDist", 'F' }, { "predictedVMagnitude", 'F' }, { "residualRa", 'D' },
	{ "residualDec", 'D' }, { "heliocentricX", 'F' }, { "heliocentricY", 'F' },
	{ "heliocentricZ", 'F' }, { "heliocentricVX", 'F' }, { "heliocentricVY", 'F' },
	{ "heliocentricVZ", 'F' }, { "topocentricX", 'F' }, { "topocentricY", 'F' },
	{ "topocentricZ", 'F' }, { "topocentricVX", 'F' }, { "topocentricVY", 'F' },
	{ "topocentricVZ", 'F' } };

static const struct column orbit_columns[] = { { "mpcDesignation", 'S' }, { "ssObjectId", 'L' },
	{ "mpcH", 'F' }, { "epoch", 'D' }, { "M", 'D' }, { "peri", 'D' }, { "node", 'D' },
	{ "incl", 'D' }, { "e", 'D' }, { "a", 'D' }, { "q", 'D' }, { "t_p", 'D' } };

enum { RA = 101, DEC, PEAK, NIGHT, NEGATIVE, NOISE, MEASURED, OTHER };

/* One visit of an object. */
struct visit {
	const struct alerts *a;
	uint64_t object;
	double ra, dec;
	double mjd;
	char band;
	bool seen, measured;
	double flux, error; /* nJy */
	int64_t source_id, forced_id, object_id;
	char designation[24]; /* of what moves */
};

static struct visit
observe(const struct alerts *a, uint64_t object, unsigned epoch)
{
	uint64_t noise = made_hash(a, object, epoch, NOISE);
	double peak = 20 + 3 * made_uniform(made_hash(a, object, 0, PEAK));
	unsigned since = epoch % 100;
	int64_t n = (int64_t)(object % INT64_C(1000000000000)) * 100000 + epoch;
	struct visit v = {
		.a = a,
		.object = object,
		.ra = made_rounded(360 * made_uniform(made_hash(a, object, 0, RA))),
		.dec = made_rounded(-80 + 100 * made_uniform(made_hash(a, object, 0, DEC))),
		.mjd = made_rounded(FIRST_EPOCH + 4.5 * epoch +
		    2 * made_uniform(made_hash(a, object, epoch, NIGHT))),
		.band = "griz"[epoch % 4],
		.error = 60 + 80 * made_uniform(noise),
		.measured = made_hash(a, object, epoch, MEASURED) % 16 != 0,
		.source_id = INT64_C(100000000000000000) + n,
		.forced_id = INT64_C(300000000000000000) + n,
		.object_id = INT64_C(170000000000000000) +
		    (int64_t)(made_hash(a, 0, 0, 0) % 1000000) * 10000000000 + (int64_t)object,
	};

	/* brightens for 10 visits, then fades; every fifth object is below its reference at times */
	v.flux = made_counts(peak + (since < 10 ? 0.3 * (10 - since) : 0.05 * (since - 10)), 31.4) +
	    2 * v.error * (made_uniform(noise >> 20) - 0.5);
	if (made_hash(a, object, 0, NEGATIVE) % 5 == 0 && made_hash(a, object, epoch, NEGATIVE) % 2)
		v.flux = -v.flux;
	v.seen = v.measured && (v.flux < 0 ? -v.flux : v.flux) >= 5 * v.error;
	return v;
}

/* Sets *value to the visit's own value of a column; false: it is null or somebody else's. */
static bool
own_value(const struct visit *v, const char *name, double *value)
{
	const struct {
		const char *name;
		double v;
	} own[] = { { "ra", v->ra }, { "dec", v->dec }, { "midpointMjdTai", v->mjd },
		{ "psfFlux", v->flux }, { "psfFluxErr", v->error }, { "isNegative", v->flux < 0 },
		{ "timeProcessedMjdTai", v->mjd + 0.001 },
		{ "validityStartMjdTai", v->mjd + 0.001 } };

	for (size_t i = 0; i < NELEM(own); i++)
		if (strcmp(own[i].name, name) == 0) {
			*value = own[i].v;
			return true;
		}
	return false;
}

/* The visit's own number of that name, or 0. */
static int64_t
own_id(const struct visit *v, const char *name)
{
	return strcmp(name, "diaSourceId") == 0      ? v->source_id
	    : strcmp(name, "diaForcedSourceId") == 0 ? v->forced_id
	    : strcmp(name, "diaObjectId") == 0       ? v->object_id
	                                             : 0;
}

/* Fields that stand for none in most packets. */
static bool
is_null(const struct visit *v, const char *name)
{
	return strcmp(name, "ssObjectId") == 0 || strcmp(name, "parentDiaSourceId") == 0 ||
	    strncmp(name, "trail", 5) == 0 || strcmp(name, "timeWithdrawnMjdTai") == 0 ||
	    (!v->measured && strncmp(name, "psfFlux", 7) == 0);
}

static void
put_columns(struct buf *b, const struct visit *v, const struct column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = columns[i].name;
		char type = columns[i].type;
		double value;

		if (type < 'a') {
			put_long(b, !is_null(v, name));
			if (is_null(v, name))
				continue;
			type = (char)(type + ('a' - 'A'));
		}
		if (strcmp(name, "mpcDesignation") == 0)
			put_string(b, str_of(v->designation));
		else if (type == 's')
			put_string(b, (struct str){ &v->band, 1 });
		else if (own_id(v, name) != 0)
			put_long(b, own_id(v, name));
		else if (own_value(v, name, &value))
			made_number(b, type, value);
		else
			made_number(b, type,
			    (double)(made_hash(v->a, v->object, i, OTHER) % 1000) / 8 *
			        (type != 'b'));
	}
}

struct str
made_lsst_schema(void)
{
	static struct buf b;

	if (b.n > 0)
		return buf_text(&b);
	buf_puts(&b,
	    "{\"type\":\"record\",\"name\":\"alert\",\"namespace\":\"" SPACE "\",\"fields\":["
	    "{\"name\":\"diaSourceId\",\"type\":\"long\"},"
	    "{\"name\":\"observation_reason\",\"type\":[\"null\",\"string\"],\"default\":null},"
	    "{\"name\":\"target_name\",\"type\":[\"null\",\"string\"],\"default\":null},"
	    "{\"name\":\"diaSource\",\"type\":");
	made_schema(&b, "diaSource", SPACE, COLUMNS(source_columns), true);
	buf_puts(&b,
	    "},{\"name\":\"prvDiaSources\",\"type\":[\"null\",{\"type\":\"array\",\"items\":"
	    "\"" SPACE
	    ".diaSource\"}],\"default\":null},{\"name\":\"prvDiaForcedSources\",\"type\":"
	    "[\"null\",{\"type\":\"array\",\"items\":");
	made_schema(&b, "diaForcedSource", SPACE, COLUMNS(forced_columns), true);
	buf_puts(&b, "}],\"default\":null},{\"name\":\"diaObject\",\"type\":[\"null\",");
	made_schema(&b, "diaObject", SPACE, COLUMNS(object_columns), true);
	buf_puts(&b, "],\"default\":null},{\"name\":\"ssSource\",\"type\":[\"null\",");
	made_schema(&b, "ssSource", SPACE, COLUMNS(moving_columns), true);
	buf_puts(&b, "],\"default\":null},{\"name\":\"MPCORB\",\"type\":[\"null\",");
	made_schema(&b, "MPCORB", SPACE, COLUMNS(orbit_columns), true);
	buf_puts(&b,
	    "],\"default\":null},"
	    "{\"name\":\"cutoutDifference\",\"type\":[\"null\",\"bytes\"],\"default\":null},"
	    "{\"name\":\"cutoutScience\",\"type\":[\"null\",\"bytes\"],\"default\":null},"
	    "{\"name\":\"cutoutTemplate\",\"type\":[\"null\",\"bytes\"],\"default\":null}]}");
	return buf_text(&b);
}

/* What was seen at the epochs from `begin` to before `end`, as an array. */
static void
put_detections(
    struct buf *b, const struct visit *now, unsigned begin, unsigned end, struct made_alert *made)
{
	unsigned n = 0;

	for (unsigned epoch = begin; epoch < end; epoch++)
		n += observe(now->a, now->object, epoch).seen;
	put_long(b, n > 0);
	if (n == 0)
		return;
	put_long(b, n);
	for (unsigned epoch = begin; epoch < end; epoch++) {
		struct visit v = observe(now->a, now->object, epoch);

		if (!v.seen)
			continue;
		put_columns(b, &v, COLUMNS(source_columns));
		made->detections++;
		made->negative += v.flux < 0;
	}
	put_long(b, 0);
}

static void
put_forced(
    struct buf *b, const struct visit *now, unsigned begin, unsigned end, struct made_alert *made)
{
	put_long(b, 1);
	if (begin < end)
		put_long(b, end - begin);
	for (unsigned epoch = begin; epoch < end; epoch++) {
		struct visit v = observe(now->a, now->object, epoch);

		put_columns(b, &v, COLUMNS(forced_columns));
		*(v.measured ? &made->forced : &made->empty) += 1;
	}
	put_long(b, 0);
}

void
made_lsst(
    const struct alerts *a, uint64_t object, unsigned epoch, struct buf *b, struct made_alert *made)
{
	struct visit now = observe(a, object, epoch);
	unsigned nepochs = a->points / 2, begin = nepochs < epoch ? epoch - nepochs : 0;

	now.measured = true; /* or there would be no alert */
	snprintf(now.designation, sizeof(now.designation), "K25A%" PRIu64 "X", object);
	if (a->moving)
		snprintf(made->object_id, sizeof(made->object_id), "%s", now.designation);
	else
		snprintf(
		    made->object_id, sizeof(made->object_id), "LSST-AP-DO-%" PRId64, now.object_id);
	made->candid = now.source_id;
	made->ra = now.ra;
	made->dec = now.dec;
	made->negative = now.flux < 0;
	put_long(b, now.source_id);
	put_long(b, 0), put_long(b, 0); /* observation_reason, target_name */
	put_columns(b, &now, COLUMNS(source_columns));
	put_detections(b, &now, begin, epoch, made);
	put_forced(b, &now, begin, epoch, made);
	put_long(b, !a->moving);
	if (!a->moving)
		put_columns(b, &now, COLUMNS(object_columns));
	put_long(b, a->moving);
	if (a->moving)
		put_columns(b, &now, COLUMNS(moving_columns));
	put_long(b, a->moving);
	if (a->moving)
		put_columns(b, &now, COLUMNS(orbit_columns));
	for (unsigned k = 0; k < 3; k++) {
		put_long(b, a->cutout > 0);
		if (a->cutout > 0)
			made_picture(b, a, now.source_id, k);
	}
}
