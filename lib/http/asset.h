/*
 * asset.h: the addresses of static files, which carry a hash of their content.
 *
 * SHARE_DIR/static/manifest has a line "NAME.EXT NAME.HASH.EXT" for each. The web server serves
 * PREFIX/static/ from that directory and may let browsers keep a file for ever.
 */
#ifndef MERIDIAN_ASSET_H
#define MERIDIAN_ASSET_H

#include "http/request.h"

struct assets;

/* Reads the manifest. Never NULL: without a manifest there are none. The caller frees it. */
struct assets *assets_load(const char *share_dir);
void assets_free(struct assets *);

/* Sets page.asset.NAME_EXT (dots and dashes made '_') to the address of each file. */
void assets_show(struct value *page, const struct request *);

#endif
