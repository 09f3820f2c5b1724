/*
 * records: bytes as they may lie in a socket, judged before libfcgi reads them. What is said to be
 * whole must parse into pairs that stay within what is there.
 */
#include <stdlib.h>
#include <string.h>

#include "http/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The content of all PARAMS records put together, as libfcgi will read it. */
static size_t
gather(const uint8_t *p, size_t n, uint8_t *out)
{
	size_t total = 0;

	while (n >= 8) {
		size_t content = (size_t)p[4] << 8 | p[5], size = 8 + content + p[6];

		if (size > n)
			break;
		if (p[1] == 4 && content == 0)
			break;
		if (p[1] == 4) {
			memcpy(out + total, p + 8, content);
			total += content;
		}
		p += size;
		n -= size;
	}
	return total;
}

static size_t
take_length(const uint8_t **p, const uint8_t *end)
{
	size_t n;

	if (*p >= end)
		abort();
	n = *(*p)++;
	if (n < 0x80)
		return n;
	if (end - *p < 3)
		abort();
	n = (n & 0x7f) << 24 | (size_t)(*p)[0] << 16 | (size_t)(*p)[1] << 8 | (*p)[2];
	*p += 3;
	return n;
}

static void
check_pairs(const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	while (p < end) {
		size_t name = take_length(&p, end), value = take_length(&p, end);

		if (name == 0 || name + value > (size_t)(end - p) ||
		    memchr(p, '\0', name + value) != NULL)
			abort();
		p += name + value;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum records_state state = records_look(data, size);

	if (state == RECORDS_WHOLE || state == RECORDS_PARAMS) {
		uint8_t *all = malloc(size + 1);

		if (all == NULL)
			return 0;
		check_pairs(all, gather(data, size, all));
		free(all);
	}
	/* more bytes never make good what was bad, nor unsay what was whole */
	for (size_t n = 0; n < size && size < 512; n++) {
		enum records_state earlier = records_look(data, n);

		if ((earlier == RECORDS_BAD && state != RECORDS_BAD) ||
		    (earlier == RECORDS_WHOLE && state != RECORDS_WHOLE))
			abort();
	}
	return 0;
}
