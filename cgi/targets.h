/*
 * targets.h: what the files of the targets executable share.
 */
#ifndef MERIDIAN_CGI_TARGETS_H
#define MERIDIAN_CGI_TARGETS_H

#include "auth/auth.h"
#include "tom/rights.h"
#include "tom/target_list.h"

/* Handlers, by file. */
handler_fn list_targets, find_by_name, seed, seed_form; /* targets_list.c */
handler_fn show_target; /* targets_show.c */
handler_fn create_form, create, update_form, update; /* targets_form.c */
handler_fn delete_form, delete; /* targets_delete.c */
handler_fn show_rights, change_rights; /* targets_rights.c */
handler_fn show_access; /* targets_access.c */
handler_fn show_alerts; /* targets_alerts.c */
handler_fn import_form, import, export, export_photometry; /* targets_csv.c */

/* The longest CSV file that is read. */
#define IMPORT_MAX MIB(64)
#define IMPORT_MAX_TEXT "64 MiB"

/* 302 to the sign-in page, which leads back here. */
int ask_to_sign_in(struct request *, struct response *);

/* May who asks use what OPEN_SEARCH opens: exports and searches no index bounds? */
bool may_search_all(const struct request *);

/*
 * May who asks see that list? What is cheap is everybody's, but what stands in target lists is for
 * people who signed in.
 */
bool may_ask(const struct request *, const struct target_query *);

/*
 * The target of the first <id> with the verbs asked for. 0; else the response is filled: 404 where
 * they may not see it (as where it is not there), 403 where they may see it and no more.
 */
int get_target(struct request *, struct response *, int verbs, struct target *);

/* What "vis" classes are called: "open", "public", "private". */
struct str sight_class(int permissions);

/* "OPEN" and the like, as the column holds it. */
struct str permission_code(int permissions);

/* "see, change and delete": a sum of verbs in words. Static. */
struct str verbs_text(int verbs);

/* Whose a row of rights is: a name, or "Everyone". Borrowed from it. */
struct str right_who(const struct right *);

/* Have measurements rights of their own on this site (TARGET_PERMISSIONS_ONLY = no)? */
bool data_have_rights(const struct request *);

/*
 * page.scout: what Scout says of the target, where it is one of its objects. One statement, and none for a
 * sidereal target, which is none. DB_END, or what the database answered.
 */
enum db_result add_scout(struct request *, struct value *page, const struct target *) MUST_CHECK;

/* page.sights: the three choices of visibility with what they mean. */
void add_sights(struct value *page, int chosen);

/*
 * page.groups [{ id, name, selected }] and has_groups: the user groups that who asks may give
 * rights to: their own; all for superusers. `chosen` are ids. 0; -1 with the response filled.
 */
int add_groups(
    struct request *, struct response *, struct value *page, const int64_t *chosen, size_t nchosen);

/* The ids that the fields "groups" of a form hold; what is no number is a problem. */
size_t read_groups(struct request *, int64_t **ids, struct problems *);

/* All that was found about a field, in one text; absent where that is nothing. */
struct str problem_text(struct arena *, const struct problems *, const char *field);

/* Shortest text that reads back as the same number: what an input shows. */
struct str real_text(struct arena *, double);

#endif
