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

/* The longest there is: a sign, 15 digits, a point and a NUL; zeros before 9 decimals are fewer. */
#define DIGITS_MAX 24
_Static_assert(DIGITS_MAX <= NUMBER_MAX, "number_fixed copies DIGITS_MAX bytes");

/* "00", "01" ... "99": a division gives two digits at once. */
static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

static inline char *
two_digits(char *p, uint32_t below_100)
{
	*--p = pairs[2 * below_100 + 1];
	*--p = pairs[2 * below_100];
	return p;
}

/* Puts `count` digits of *n before p, its last ones, and takes them off. */
static inline char *
some_digits(char *p, uint64_t *n, unsigned count)
{
	uint32_t m;

	for (; count > 0 && *n > UINT32_MAX; count--, *n /= 10)
		*--p = (char)('0' + *n % 10);
	if (count == 0)
		return p;
	m = (uint32_t)*n; /* divided by multiplying: several times as fast */
	for (; count > 1; count -= 2, m /= 100)
		p = two_digits(p, m % 100);
	if (count > 0) {
		*--p = (char)('0' + m % 10);
		m /= 10;
	}
	*n = m;
	return p;
}

/* Puts the digits of n before p, one at least. */
static inline char *
all_digits(char *p, uint64_t n)
{
	uint32_t m;

	for (; n > UINT32_MAX; n /= 10)
		*--p = (char)('0' + n % 10);
	for (m = (uint32_t)n; m > 99; m /= 100)
		p = two_digits(p, m % 100);
	if (m > 9)
		return two_digits(p, m);
	*--p = (char)('0' + m);
	return p;
}

char *
number_digits(char *at, uint64_t n, unsigned width)
{
	some_digits(at + width, &n, width);
	return at + width;
}

size_t
number_fixed(char at[NUMBER_MAX], double value, unsigned decimals)
{
	/* The digits end in the middle, so that a copy of fixed length, which is fast, stays inside. */
	char text[2 * DIGITS_MAX], *end = text + DIGITS_MAX, *p = end;
	double scaled;
	uint64_t n;
	bool minus;

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
	*end = '\0';
	minus = value < 0 && n > 0;
	if (decimals > 0) {
		p = some_digits(p, &n, decimals);
		*--p = '.';
	}
	p = all_digits(p, n);
	if (minus)
		*--p = '-';
	memcpy(at, p, DIGITS_MAX);
	at[end - p] = '\0';
	return (size_t)(end - p);
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

	while (n >= 1000) {
		p = some_digits(p, &n, 3);
		*--p = ',';
	}
	p = all_digits(p, n);
	if (count < 0)
		*--p = '-';
	return arena_copy(a, p, (size_t)(end - p));
}

int
number_compare(const void *x, const void *y)
{
	int64_t l = *(const int64_t *)x, r = *(const int64_t *)y;

	return (l > r) - (l < r);
}
