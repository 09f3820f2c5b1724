/*
 * config_stream.h: the sections [stream NAME] of meridian.conf. For config.c; others include config.h.
 */
#ifndef MERIDIAN_CONFIG_STREAM_H
#define MERIDIAN_CONFIG_STREAM_H

#include "base/config.h"

/* What is wrong with the value of a key, or an empty string. In config.c. */
struct str config_wrong(struct arena *, const struct config_key *, const char *value);
/* The items of a list, ended by an absent one. In config.c. */
struct str *config_split(struct arena *, const char *list);

struct config_streams; /* all of a file; NULL: none yet */

/*
 * A line "[stream NAME]" begins: the section, or NULL with what is wrong in *wrong (in the arena);
 * both empty where the line names no stream.
 */
struct config_stream *stream_section(
    struct config_streams **, struct arena *, struct str line, int number, struct str *wrong);
/* A key of that section. What is wrong with it, or an empty string. */
struct str stream_take(struct config_stream *, struct arena *, const char *key, const char *value);
/* After the last line: what is wrong with one, with its line, or an empty string. */
struct str stream_agree(struct config_streams *, struct arena *, int *line);
const struct config_stream *stream_at(const struct config_streams *, size_t index);

#endif
