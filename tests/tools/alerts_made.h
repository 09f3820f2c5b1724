/*
 * alerts_made.h: what the makers of both surveys' packets share. Included by alerts*.c only.
 */
#ifndef MERIDIAN_TEST_ALERTS_MADE_H
#define MERIDIAN_TEST_ALERTS_MADE_H

#include "tests/tools/alerts.h"

/* Types: d double, f float, i int, l long, s string, b boolean; capital: or null. */
struct column {
	const char *name;
	char type;
};
#define COLUMNS(c) (c), NELEM(c)

/* splitmix64 over what makes a number unlike others. */
uint64_t made_hash(const struct alerts *, uint64_t object, uint64_t epoch, uint64_t purpose);

/* From 0 to 1 in steps of 1e-7; and any number rounded to them. */
double made_uniform(uint64_t hash);
double made_rounded(double);

/* Counts of a magnitude: 10^(-0.4 (magnitude - zero_point)), by + - * / alone. */
double made_counts(double magnitude, double zero_point);

/* A number as that type (small letters). */
void made_number(struct buf *, char type, double);

/* The schema of a record of these columns; nullable ones as ["null", type], or v3 the other way. */
void made_schema(
    struct buf *, const char *name, const char *space, const struct column *, size_t n, bool v4);

/* The bytes of picture k of an alert, with their length before them. */
void made_picture(struct buf *, const struct alerts *, int64_t alert, unsigned k);

/* alerts_schema() and alerts_put() of LSST. */
struct str made_lsst_schema(void);
void made_lsst(
    const struct alerts *, uint64_t object, unsigned epoch, struct buf *, struct made_alert *);

#endif
