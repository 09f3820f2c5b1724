/*
 * packet: the surveys, and what the packets of all of them have in common.
 */
#include "alert/packet.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "tom/target.h"

#define MAGNITUDES 1.0857362047581296 /* 2.5 / ln 10: of a relative error */
#define SIGMAS 5 /* of a limit, and of what is seen */

const struct survey *const packet_surveys[] = { &survey_ztf, &survey_lsst, NULL };

const struct avro_shape *const *
packet_shapes(void)
{
	static const struct avro_shape *shapes[NELEM(packet_surveys)];

	for (size_t i = 0; packet_surveys[i] != NULL; i++)
		shapes[i] = packet_surveys[i]->shape;
	return shapes;
}

struct avro_file *
packet_file_new(void)
{
	return avro_file_new(packet_shapes());
}

static const struct survey *
survey_of(const struct avro_shape *shape)
{
	for (size_t i = 0; packet_surveys[i] != NULL; i++)
		if (packet_surveys[i]->shape == shape)
			return packet_surveys[i];
	return &((const struct packet_described *)shape)->survey;
}

enum avro_result
packet_next(
    struct avro_file *f, struct arena *arena, struct alert_packet *p, char *err, size_t errsize)
{
	const struct avro_shape *shape = avro_file_shape(f);
	enum avro_result r;
	void *record;
	int n;

	*p = (struct alert_packet){ .lost = 0 };
	if (shape == NULL)
		return AVRO_END; /* nothing is open */
	record = arena_alloc(arena, shape->size);
	r = avro_file_next(f, arena, record, err, errsize);
	if (r == AVRO_BAD)
		p->lost = (size_t)avro_file_lost(f);
	if (r != AVRO_RECORD)
		return r;
	p->survey = survey_of(shape);
	n = snprintf(err, errsize, "offset %" PRIu64 ": ", avro_file_offset(f));
	if (n < 0 || (size_t)n >= errsize)
		n = 0;
	if (p->survey->read(record, arena, p, err + n, errsize - (size_t)n))
		return AVRO_RECORD;
	p->lost = 1;
	return AVRO_BAD;
}

bool
packet_wrong(const struct complaint *c, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = c->index == SIZE_MAX ? snprintf(c->err, c->size, "%s", c->part)
	                         : snprintf(c->err, c->size, "%s[%zu].", c->part, c->index);
	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < c->size)
		vsnprintf(c->err + n, c->size - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

void
packet_magnitude(struct datum *d)
{
	if (!(d->flux > 0))
		return;
	d->magnitude = PACKET_ZERO_POINT - 2.5 * log10(d->flux);
	d->magnitude_error = MAGNITUDES * d->flux_error / d->flux;
}

bool
packet_is_seen(const struct datum *d)
{
	return fabs(d->flux) >= SIGMAS * d->flux_error;
}

double
packet_limit(double flux_error)
{
	return PACKET_ZERO_POINT - 2.5 * log10(SIGMAS * flux_error);
}

bool
packet_position(struct alert_packet *p, double ra, double dec, const struct complaint *c)
{
	if (!(ra >= 0 && ra <= 360))
		return packet_wrong(c, "ra is %g: degrees from 0 to 360 would be right", ra);
	if (!(dec >= -90 && dec <= 90))
		return packet_wrong(c, "dec is %g: degrees from -90 to 90 would be right", dec);
	p->ra = ra == 360 ? 0 : ra;
	p->dec = dec;
	return true;
}

bool
packet_name(struct alert_packet *p, struct arena *arena, struct str name, const char *field,
    const struct complaint *c)
{
	const char *why = target_name_wrong(name = str_trim(name), arena);

	if (why != NULL)
		return packet_wrong(c, "%s \"%.*s\": %s", field, (int)(name.n < 100 ? name.n : 100),
		    name.p != NULL ? name.p : "", why);
	p->object = arena_str(arena, name);
	return true;
}
