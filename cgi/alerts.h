/*
 * alerts.h: what the files of the executable alerts share.
 */
#ifndef MERIDIAN_CGI_ALERTS_H
#define MERIDIAN_CGI_ALERTS_H

#include "auth/auth.h"

handler_fn show_scout, show_scout_object; /* alerts_scout.c */
handler_fn show_streams; /* alerts_streams.c */
handler_fn list_objects, show_object; /* alerts_objects.c */
handler_fn list_letters, replay_letters, replay_letter, dismiss_letter; /* alerts_letters.c */

/* page.tab: which of the pages below /alerts/ this is. */
void alerts_add_tab(struct value *page, const char *name);

/* Are they staff or superuser? */
bool alerts_is_staff(const struct request *);

/* "12 s ago", "3 h ago", "5 days ago" in the arena; absent where `at` is 0. */
struct str alerts_age(struct request *, int64_t at);

#endif
