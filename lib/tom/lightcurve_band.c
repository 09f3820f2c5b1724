/*
 * lightcurve_band: which mark and colour a bandpass has.
 */
#include "tom/lightcurve_curve.h"

char
lightcurve_band(struct str band)
{
	static const struct {
		const char *name;
		char style;
	} table[] = {
		{ "zg", 'g' },
		{ "zr", 'r' },
		{ "zi", 'i' },
		{ "orange", 'o' },
		{ "cyan", 'c' },
		{ "zs", 'z' },
		{ "gaia", 'w' },
		{ "clear", 'w' },
		{ "white", 'w' },
		{ "unfiltered", 'w' },
		{ "bessell-b", 'g' },
		{ "bessell-v", 'r' },
		{ "bessell-r", 'r' },
		{ "bessell-i", 'i' },
	};
	struct str s = str_trim(band);

	for (size_t i = 0; i < NELEM(table); i++)
		if (str_is_nocase(s, table[i].name))
			return table[i].style;
	/* "g", "g'", "gp", "g_ps1", "sdss g" are letters with an ornament; "J" or "H" have no mark. */
	if (s.n > 5 && str_is_nocase((struct str){ s.p, 4 }, "sdss"))
		s = (struct str){ s.p + 5, s.n - 5 };
	if (s.n == 0 || (s.n > 2 && s.p[1] != '_' && s.p[1] != '-' && s.p[1] != ' '))
		return 'w';
	if (s.n == 2 && s.p[1] != '\'' && s.p[1] != 'p' && s.p[1] != 's' && s.p[1] != '*')
		return 'w';
	switch (s.p[0]) {
	case 'B':
		return 'g';
	case 'V':
	case 'R':
		return 'r';
	case 'I':
		return 'i';
	case 'U':
		return 'u';
	case 'Y':
		return 'y';
	case 'Z':
		return 'z';
	}
	/* The letter must not be the NUL that ends the list. */
	return s.p[0] != '\0' && strchr(STYLES, s.p[0]) ? s.p[0] : 'w';
}
