/*
 * scout_text.h: Scout's values and states in words, as pages show them.
 */
#ifndef MERIDIAN_SCOUT_TEXT_H
#define MERIDIAN_SCOUT_TEXT_H

#include "alert/scout_list.h"

/* The state: "Active", "Left the page", "Confirmed as 2026 AB1". */
struct str scout_state_text(struct arena *, const struct scout_shown *);

/* A value, without its unit; absent: it was not told. */
struct str
scout_value_text(struct arena *, const struct scout_object *, const struct scout_field *);

/* The field of that column of the tables; NULL: there is none. */
const struct scout_field *scout_field_find(const char *column);

#endif
