/*
 * unit.h: what every unit test includes: cmocka and the headers it wants before it.
 */
#ifndef MERIDIAN_UNIT_H
#define MERIDIAN_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

/* Compares a str with a C string, printing both where they differ. */
#define assert_str(s, want) \
	do { \
		struct str s_ = (s); \
		assert_non_null(s_.p); \
		assert_string_equal(s_.p, (want)); \
		assert_int_equal(s_.n, strlen(want)); \
	} while (0)

#endif
