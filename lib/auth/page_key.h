/*
 * page_key.h: keys of a page of a list that tell nothing of the row that it begins behind, who may not
 * be seen by who asks.
 *
 * Sealed as the vault does it (auth/vault.h), under a key made of the site's secret and what the list
 * is about (who asks, the filters): elsewhere it opens nothing, nor does it once the site's key is
 * another.
 */
#ifndef MERIDIAN_PAGE_KEY_H
#define MERIDIAN_PAGE_KEY_H

#include "auth/secret.h"

/* In base64url. Absent where there is no secret. A key holds no NUL. */
struct str page_key_seal(
    struct secret *, const struct str *about, size_t nabout, struct str key, struct arena *);

/* The key; absent where the text is none that page_key_seal() made of these. */
struct str page_key_open(
    struct secret *, const struct str *about, size_t nabout, struct str text, struct arena *);

#endif
