/*
 * target_seal.h: keys of a page that tell nothing of the row that they begin behind. Not for pages.
 *
 * Sealed as the vault does it (auth/vault.h), under a key made of the site's secret, who asks and the
 * filters: elsewhere it opens nothing, nor does it once the site's key is another.
 */
#ifndef MERIDIAN_TARGET_SEAL_H
#define MERIDIAN_TARGET_SEAL_H

#include "tom/target_list.h"

/* In base64url. Absent where the query brings no secret. */
struct str
target_seal(const struct target_query *, const struct user *, struct str key, struct arena *);

/* The key; absent where the text is none that target_seal() made for this query and user. */
struct str
target_unseal(const struct target_query *, const struct user *, struct str text, struct arena *);

#endif
