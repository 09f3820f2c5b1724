/*
 * base.h: what every file may use: sizes, attributes, and the length-carrying string.
 */
#ifndef MERIDIAN_BASE_H
#define MERIDIAN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))

/* Sizes in bytes, as a route's body limit wants them. */
#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NORETURN __attribute__((noreturn))
#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * A string with its length. p[n] is always a NUL, so p serves C functions where the text holds no
 * NUL of its own; n is the truth. The bytes belong to whoever made them (mostly an arena).
 * An absent string has p == NULL; an empty one has p != NULL and n == 0.
 */
struct str {
	const char *p;
	size_t n;
};

/* A str of a literal, and the pieces of a str for "%.*s". */
#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
#define STR_ARG(s) (int)(s).n, str_bytes(s)

/* Never NULL. */
static inline const char *
str_bytes(struct str s)
{
	return s.p == NULL ? "" : s.p;
}

/* The str of a C string, which is borrowed; STR_NONE of NULL. */
struct str str_of(const char *);

/* Equality of bytes. An absent string equals only another absent one. */
bool str_eq(struct str, struct str);
bool str_is(struct str, const char *);

/* Equality without regard to ASCII case. */
bool str_is_nocase(struct str, const char *);

bool str_starts(struct str, const char *prefix);
bool str_ends(struct str, const char *suffix);

/* Has the string no bytes (absent ones too)? */
bool str_empty(struct str);

/* The string without ASCII white space at its ends. Not NUL-terminated when shortened at the end. */
struct str str_trim(struct str);

/* The index of the first such byte, or n. */
size_t str_find(struct str, char);

/* Takes what stands before the first such byte off the front, and the byte; all where there is none. */
struct str str_cut(struct str *rest, char);

/*
 * Whole-string conversions: the complete text must be the number (leading '+', blanks and trailing
 * text are refused; so are "nan", "inf" and hexadecimal). True and *out set, or false.
 */
bool str_to_int64(struct str, int64_t *out);
bool str_to_double(struct str, double *out);

/* The code points of a text that is UTF-8. */
size_t str_code_points(struct str);

/* Is it well-formed UTF-8 (no surrogates, no overlong forms, up to U+10FFFF)? */
bool str_is_utf8(struct str);

/* Puts '?' in the place of each byte that is no part of such. */
void str_make_utf8(char *p, size_t n);

#endif
