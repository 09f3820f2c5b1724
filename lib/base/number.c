/*
 * number: fixed decimals without snprintf: the value times a power of ten, as an integer, digit by
 * digit from its end.
 */
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };

/* Digits of n before `end`, at least `least` of them; returns where they begin. */
static char *
digits(char *end, uint64_t n, unsigned least)
{
	for (; n > 0 || least > 0; n /= 10) {
		*--end = (char)('0' + n % 10);
		if (least > 0)
			least--;
	}
	return end;
}

size_t
number_fixed(char at[NUMBER_MAX], double value, unsigned decimals)
{
	char text[NUMBER_MAX], *end = text + sizeof(text), *p = end;
	double scaled, power;
	uint64_t n;
	size_t length;

	if (decimals >= NELEM(powers))
		decimals = NELEM(powers) - 1;
	power = powers[decimals];
	if (!isfinite(value)) {
		at[0] = '-';
		at[1] = '\0';
		return 1;
	}
	scaled = fabs(value) * power;
	if (scaled >= 1e15)
		return (size_t)snprintf(at, NUMBER_MAX, "%.*e", (int)decimals, value);
	n = (uint64_t)(scaled + 0.5);
	if (decimals > 0) {
		p = digits(p, n % (uint64_t)power, decimals);
		*--p = '.';
	}
	p = digits(p, n / (uint64_t)power, 1);
	if (value < 0 && n > 0)
		*--p = '-';
	length = (size_t)(end - p);
	memcpy(at, p, length);
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
