/*
 * qr.h: QR codes (ISO/IEC 18004) as the path of an SVG, which a page may hold as it stands.
 */
#ifndef MERIDIAN_QR_H
#define MERIDIAN_QR_H

#include "base/arena.h"

struct qr {
	size_t
	    side; /* modules, the quiet zone of 4 on each side among them: viewBox="0 0 side side" */
	struct str path; /* the dark modules, for <path d="...">; in the arena */
};

/* False where the text is too long for one (some 2300 bytes) or empty. */
bool qr_draw(struct arena *, struct str text, struct qr *);

#endif
