/*
 * value.h: the tree a handler builds and a template or the JSON writer reads.
 *
 * Everything lives in the arena it was made in. Setters return the new child where one can go on
 * with it. To set a member of what is no object, or add to what is no list, is a mistake of the
 * program and aborts. Keys are borrowed (write literals); texts are borrowed too: give arena or static text.
 */
#ifndef MERIDIAN_VALUE_H
#define MERIDIAN_VALUE_H

#include "base/arena.h"
#include "base/buf.h"

struct value;

enum value_kind {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_REAL,
	VALUE_TEXT,
	VALUE_LIST,
	VALUE_OBJECT
};

struct value *value_object(struct arena *);
struct value *value_list(struct arena *);
/* Scalars that stand alone; what is null (absent text, a number that is not finite) is VALUE_NULL. */
struct value *value_of_null(struct arena *);
struct value *value_of_bool(struct arena *, bool);
struct value *value_of_int(struct arena *, int64_t);
struct value *value_of_real(struct arena *, double);
struct value *value_of_text(struct arena *, struct str);

/* Set a member of an object; a second set of a key replaces the first. Order is kept. */
void value_set_text(struct value *, const char *key, struct str); /* absent text sets null */
void value_set_cstr(struct value *, const char *key, const char *); /* NULL sets null */
void value_set_int(struct value *, const char *key, int64_t);
void value_set_real(struct value *, const char *key, double); /* not finite sets null */
void value_set_bool(struct value *, const char *key, bool);
void value_set_null(struct value *, const char *key);
void value_set(struct value *, const char *key, struct value *child);
struct value *value_set_object(struct value *, const char *key);
struct value *value_set_list(struct value *, const char *key);

/* A number shown in a fixed form: the template prints the text, JSON writes the number. */
void value_set_number(struct value *, const char *key, double, struct str shown);

/* Append to a list. */
void value_add_text(struct value *, struct str);
void value_add_int(struct value *, int64_t);
void value_add_real(struct value *, double);
void value_add(struct value *, struct value *child);
struct value *value_add_object(struct value *);
struct value *value_add_list(struct value *);

/*
 * Objects that are made by the hundred with the same members (marks of a plot, rows of a table) have a
 * form, made once: its keys are literals, no two the same. value_add_formed appends an object of it,
 * each member a text, in the order of the keys; an absent text is null.
 */
struct value_form;
const struct value_form *value_form(struct arena *, size_t nkeys, const char *const keys[]);
struct value *value_add_formed(struct value *, const struct value_form *, const struct str texts[]);

/* Reading. A member that is not there, or of a NULL value, is NULL. */
enum value_kind value_kind(const struct value *);
const struct value *value_get(const struct value *, const char *key, size_t keylen);
/* A member, to be changed further. */
struct value *value_child(struct value *, const char *key);
/* As value_get, with the key's hash at hand, for readers that ask for one key often. */
const struct value *value_find(const struct value *, const char *key, size_t keylen, uint32_t hash);
uint32_t value_hash(const char *key, size_t keylen);
/* A text, or a number's shown form, borrowed; absent where there is none. */
struct str value_text(const struct value *);
const struct value *value_at(const struct value *, size_t index);
size_t value_count(const struct value *);
/* The index-th member of an object, in the order they were set, and its key; NULL past the end. */
const struct value *value_member(const struct value *, size_t index, struct str *key);
double value_real(const struct value *); /* NAN where it is no real */

/* Mustache's truth: false, null, absent, "" and the empty list are false; 0 is true. */
bool value_is_true(const struct value *);

/* The plain text of a scalar, as a template prints it before escaping; appends to the buffer. */
void value_print(const struct value *, struct buf *);

/* Writes strict JSON (UTF-8, "\u00XX" for controls, '<' '>' '&' and U+2028/9 escaped too). */
void value_json(const struct value *, struct buf *);

#endif
