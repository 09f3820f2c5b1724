/*
 * qr: libqrencode finds the modules; a run of dark ones in a row becomes one rectangle.
 */
#include "http/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdio.h>

#include "base/buf.h"

#define QUIET 4 /* modules of white around, which readers need */

static void
draw_row(struct buf *b, const unsigned char *modules, size_t n, size_t row)
{
	size_t end;

	for (size_t i = 0; i < n; i = end) {
		end = i + 1;
		if ((modules[i] & 1) == 0)
			continue;
		while (end < n && (modules[end] & 1) != 0)
			end++;
		buf_printf(b, "M%zu %zuh%zuv1h-%zuz", i + QUIET, row + QUIET, end - i, end - i);
	}
}

bool
qr_draw(struct arena *a, struct str text, struct qr *qr)
{
	struct buf b = { 0 };
	QRcode *code;
	size_t n;

	if (text.n == 0 || text.n > 4000)
		return false;
	code = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
	if (code == NULL && errno == ENOMEM)
		arena_exhausted();
	if (code == NULL)
		return false;
	n = (size_t)code->width;
	for (size_t row = 0; row < n; row++)
		draw_row(&b, code->data + row * n, n, row);
	qr->side = n + 2 * QUIET;
	qr->path = arena_copy(a, b.p, b.n);
	buf_free(&b);
	QRcode_free(code);
	return true;
}
