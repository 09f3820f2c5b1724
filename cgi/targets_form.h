/*
 * targets_form.h: the form of a target between its three files: what was sent or is there, how it
 * is read, how it is shown.
 */
#ifndef MERIDIAN_CGI_TARGETS_FORM_H
#define MERIDIAN_CGI_TARGETS_FORM_H

#include "targets.h"

struct target_form {
	struct request *req;
	struct response *res;
	struct arena *arena;
	struct target_draft draft;
	struct str typed[TARGET_NFIELDS_MAX]; /* absent: not sent */
	struct str aliases; /* a line each */
	struct target_extra *extras;
	size_t nextras, room;
	size_t *extra_of; /* of each extra of the draft as handed over: which it is of these */
	struct str name; /* of the target as it is */
	unsigned parts; /* what the form sent, of target_change() */
	struct problems problems;
};

/* A field of EXTRA_FIELDS, "name:type". */
struct extra_field {
	struct str name, type;
};

/* The index-th (from 0) field of EXTRA_FIELDS; false past the end. Texts live in the arena. */
bool target_form_extra_at(const struct target_form *, size_t index, struct extra_field *);

/* Is it the name of one of them? */
bool target_form_is_configured(const struct target_form *, struct str key);

void target_form_add_extra(struct target_form *, struct str key, struct str value);

/* Reads what was sent, over what is there; what is wrong goes to ->problems. */
void target_form_read(struct target_form *);

/* Fills an empty form from the query string of a link. */
void target_form_prefill(struct target_form *);

/* Makes ->draft.extras of ->extras. A field of EXTRA_FIELDS that is empty is not stored. */
void target_form_hand_over(struct target_form *);

/* The page, with what is wrong. Fills the response; 0. */
int target_form_show(struct target_form *, int status);

#endif
