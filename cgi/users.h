/*
 * users.h: what the files of the executable users share.
 */
#ifndef MERIDIAN_USERS_H
#define MERIDIAN_USERS_H

#include "auth/auth.h"
#include "tom/group.h"
#include "tom/user.h"

handler_fn list_users, list_groups, show_profile; /* users_list.c */
handler_fn show_new_user, add_user, show_user, change_user; /* users_form.c */
handler_fn show_delete_user, remove_user; /* users_delete.c */
handler_fn show_set_password, set_password, regenerate_token; /* users_password.c */
handler_fn show_new_group, add_group, show_group, change_group; /* users_groups.c */
handler_fn show_delete_group, remove_group; /* users_groups.c */

/* Is it a page of /admin/auth/? Those link to each other. */
bool users_in_admin(const struct request *);

/* Adds where the lists and forms are that this page links to. */
void users_add_base(struct request *, struct value *page);

/* The error page for what is no answer to a form. Returns 0. */
int users_failed(struct request *, struct response *, enum user_result);
int groups_failed(struct request *, struct response *, enum group_result);

/* The user that the path names, who is not the former user; false with the response filled. */
bool users_find(struct request *, struct response *, struct account *);

/* Adds names, and what the asker may see of the rest, to an object of the page. */
void users_show(struct request *, struct value *, const struct account *);

/*
 * Did they sign in a short while ago? What a session that was left open, or stolen, must not do (take
 * the account away) asks for that. Where to go to sign in anew and come back here.
 */
bool users_is_recent(const struct request *);
struct str users_sign_in_again(struct request *);

/* Are they staff or superuser? */
bool users_is_staff(const struct request *);

#endif
