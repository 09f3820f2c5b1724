/*
 * place: coordinates in several systems, as text.
 */
#include "tom/place.h"

#include <math.h>
#include <string.h>

#include "base/number.h"
#include "sky/angle.h"
#include "sky/coordinates.h"

static void
add_pair(struct value *list, const char *label, struct str text)
{
	struct value *v = value_add_object(list);

	value_set_cstr(v, "label", label);
	value_set_text(v, "text", text);
}

/* A longitude and a latitude; what rounds to 360 is 0. */
static struct str
both(struct arena *a, double x, double y, unsigned decimals)
{
	char text[2 * NUMBER_MAX + 2];
	size_t n = number_fixed(text, x, decimals);

	if (strncmp(text, "360.", 4) == 0)
		n = number_fixed(text, 0, decimals);

	text[n++] = ' ';
	if (y >= 0)
		text[n++] = '+';
	n += number_fixed(text + n, y, decimals);
	return arena_copy(a, text, n);
}

struct str
place_text(struct arena *a, double ra, double dec)
{
	struct str x = angle_ra_text(a, ra), y = angle_dec_text(a, dec);
	char *text;

	if (!x.p || !y.p)
		return STR_NONE;
	text = arena_alloc(a, x.n + y.n + 2);
	memcpy(text, x.p, x.n);
	text[x.n] = ' ';
	memcpy(text + x.n + 1, y.p, y.n);
	return (struct str){ text, x.n + 1 + y.n };
}

void
place_show(struct value *page, struct arena *a, double ra, double dec)
{
	struct value *list;
	double lon, lat;

	if (!isfinite(ra) || !isfinite(dec))
		return;
	list = value_set_list(page, "coords");
	value_set_bool(page, "has_coords", true);
	add_pair(list, "RA, Dec (ICRS)", place_text(a, ra, dec));
	add_pair(list, "Degrees", both(a, ra, dec, 6));
	sky_galactic(ra, dec, &lon, &lat);
	add_pair(list, "Galactic l, b", both(a, lon, lat, 4));
	sky_ecliptic(ra, dec, &lon, &lat);
	add_pair(list, "Ecliptic \xce\xbb, \xce\xb2", both(a, lon, lat, 4));
}
