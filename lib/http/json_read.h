/*
 * json_read.h: JSON that came from outside, as a tree of values.
 */
#ifndef MERIDIAN_JSON_READ_H
#define MERIDIAN_JSON_READ_H

#include "http/value.h"

#define JSON_DEPTH 32 /* lists and objects inside each other */
#define JSON_MEMBERS 1000 /* of one object */

/*
 * Reads a text that is one JSON value (RFC 8259), in UTF-8; its size is the caller's to limit. A key
 * that stands twice in an object, a NUL character, more depth or members than above and whole numbers
 * beyond 64 bits are refused. The tree lives in the arena. NULL with a sentence in *why.
 */
struct value *json_read(struct arena *, struct str, const char **why);

#endif
