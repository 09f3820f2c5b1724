/*
 * registry.h: asking a Confluent schema registry.
 */
#ifndef MERIDIAN_REGISTRY_H
#define MERIDIAN_REGISTRY_H

#include "base/buf.h"

/*
 * May this be asked? https, or http to this machine; no user, no password, no query. False with a
 * sentence in err.
 */
bool registry_url_will_do(const char *url, char *err, size_t errsize);

/*
 * GET URL/schemas/ids/ID: appends the schema's text. False with a sentence in err; so after that many
 * seconds. *away where what answered was no registry that knows the schema, or knows that it has none: no
 * answer, half of one, an error without a registry's own number (404xx, 422xx), the page of a proxy or of a
 * login, whatever its status; so that it may be asked again. No redirection is followed, and no more is
 * read than any schema could be.
 */
bool registry_fetch(const char *url, uint32_t id, long seconds, struct buf *schema, bool *away,
    char *err, size_t errsize);

/*
 * The text in a reply: {"schema": "..."}, its schemaType AVRO where it has one. What a registry says
 * of an error, {"message": "..."}, is told. False with a sentence in err.
 */
bool registry_read_reply(struct str reply, struct buf *schema, char *err, size_t errsize);

#endif
