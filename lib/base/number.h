/*
 * number.h: numbers in a fixed form, for what is written by the hundred: coordinates of a plot,
 * columns of a table. Several times as fast as snprintf. And the order of ids.
 */
#ifndef MERIDIAN_NUMBER_H
#define MERIDIAN_NUMBER_H

#include "base/arena.h"

#define NUMBER_MAX 40 /* bytes number_fixed writes at most, the NUL included */

/*
 * Writes the value with that many decimals (0 to 9), rounded half away from zero, and a NUL; never
 * "-0". What is not finite is "-"; from 1e15 on the form is "1.234e+20". Returns the length.
 */
size_t number_fixed(char at[NUMBER_MAX], double value, unsigned decimals);

/* Exactly `width` digits of n, zeros before them, no NUL; returns where the next byte goes. */
char *number_digits(char *at, uint64_t n, unsigned width);

/* The value with fixed decimals as text in the arena; with_sign puts '+' before what is not negative. */
struct str number_text(struct arena *, double value, unsigned decimals, bool with_sign);

/* The order of int64_t, or of structs that begin with one, for qsort() and bsearch(). */
int number_compare(const void *, const void *);

/* A whole number with ',' between thousands: "12,345". */
struct str number_count(struct arena *, int64_t);

#endif
