/*
 * unicode.h: what names and passwords need of Unicode (utf8proc).
 */
#ifndef MERIDIAN_UNICODE_H
#define MERIDIAN_UNICODE_H

#include "base/arena.h"

/* The NFKC form; the text itself where it is absent or no UTF-8. */
struct str unicode_nfkc(struct arena *, struct str);

/*
 * The same without case and invisible characters (NFKC_Casefold): texts that look alike but for
 * those are equal in it.
 */
struct str unicode_fold(struct arena *, struct str);

/* The code points of valid UTF-8: returns how many; *points, in the arena, has room for a NUL. */
size_t unicode_points(struct arena *, struct str, int32_t **points);

/* Python's \w: a letter, a number of any kind, or '_'. */
bool unicode_is_word(int32_t point);

#endif
