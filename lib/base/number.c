/*
 * number: fixed decimals without snprintf: the value times a power of ten, as an integer, digits
 * from its end.
 */
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const uint32_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
	1000000000 };

/* Two digits at a time halve the divisions, which are what the work is. */
static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

/* Digits of n before `end`, at least `least` of them; returns where they begin. */
static char *
digits(char *end, uint64_t n, unsigned least)
{
	char *p = end;

	while (n > UINT32_MAX) {
		*--p = (char)('0' + n % 10);
		n /= 10;
	}
	for (uint32_t m = (uint32_t)n; m > 0;) {
		const char *two = pairs + 2 * (m % 100);

		*--p = two[1];
		if (m < 10)
			break;
		*--p = two[0];
		m /= 100;
	}
	while (end - p < (ptrdiff_t)least)
		*--p = '0';
	return p;
}

char *
number_digits(char *at, uint64_t n, unsigned width)
{
	for (char *p = at + width; p > at; n /= 10)
		*--p = (char)('0' + n % 10);
	return at + width;
}

size_t
number_fixed(char at[NUMBER_MAX], double value, unsigned decimals)
{
	char text[NUMBER_MAX], *end = text + sizeof(text), *p;
	double scaled;
	uint64_t n, whole;
	size_t length;

	if (decimals >= NELEM(powers))
		decimals = NELEM(powers) - 1;
	scaled = fabs(value) * (double)powers[decimals];
	if (!(scaled < 1e15)) {
		if (isfinite(value))
			return (size_t)snprintf(at, NUMBER_MAX, "%.*e", (int)decimals, value);
		at[0] = '-';
		at[1] = '\0';
		return 1;
	}
	n = (uint64_t)(scaled + 0.5);
	/* All digits at once, one before the point at least; then the point is put between them. */
	p = digits(end, n, decimals + 1);
	whole = (uint64_t)(end - p) - decimals;
	length = 0;
	if (value < 0 && n > 0)
		at[length++] = '-';
	memcpy(at + length, p, whole);
	length += whole;
	if (decimals > 0) {
		at[length++] = '.';
		memcpy(at + length, p + whole, decimals);
		length += decimals;
	}
	at[length] = '\0';
	return length;
}

struct str
number_text(struct arena *a, double value, unsigned decimals, bool with_sign)
{
	char text[NUMBER_MAX + 1];
	size_t n = number_fixed(text + 1, value, decimals);

	if (with_sign && text[1] != '-') {
		text[0] = '+';
		return arena_copy(a, text, n + 1);
	}
	return arena_copy(a, text + 1, n);
}

struct str
number_count(struct arena *a, int64_t count)
{
	char text[NUMBER_MAX], *end = text + sizeof(text), *p = end;
	uint64_t n = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;

	for (; n >= 1000; n /= 1000) {
		p = digits(p, n % 1000, 3);
		*--p = ',';
	}
	p = digits(p, n, 1);
	if (count < 0)
		*--p = '-';
	return arena_copy(a, p, (size_t)(end - p));
}
