/*
 * policy_list.h: the lists of passwords that the policy asks: the common ones that Meridian brings, and
 * those known from breaches, where the operator has such a file. Only the policy and password.c include
 * it.
 */
#ifndef MERIDIAN_POLICY_LIST_H
#define MERIDIAN_POLICY_LIST_H

#include "base/config.h"

/*
 * Opens SHARE_DIR/passwords.txt and PASSWORD_BREACH_FILE for this process; again where they were open.
 * A list that cannot be read is logged.
 */
void policy_list_configure(const struct config *);

/* Lower case, NFKC, UTF-8. False where the list is not to be had: stems are known all the same. */
bool policy_list_is_common(struct str);
#define POLICY_LIST_SHORTEST 4 /* code points of its entries */
#define POLICY_LIST_LONGEST 24

/*
 * Is it in the file of breached passwords? BREACH_UNKNOWN: there should be such a file, but it cannot be
 * read. BREACH_NO where none is configured.
 */
enum breach { BREACH_NO, BREACH_YES, BREACH_UNKNOWN };
enum breach policy_list_breach(struct str password);
bool policy_list_has_breaches(void); /* is one configured? */

#endif
