/*
 * site.h: the Sites table: which hosts this TOM answers to and what it is called there. The host
 * hook of lib/auth/ asks the table at each request, so what is written here counts at once.
 */
#ifndef MERIDIAN_SITE_H
#define MERIDIAN_SITE_H

#include "db/db.h"

#define SITE_DOMAIN_MAX 253 /* bytes, without the port (RFC 1035) */
#define SITE_NAME_MAX 100 /* code points */

struct site {
	int64_t id;
	struct str domain; /* lower-case ASCII as Host has it: "tom.example.org", "[::1]:8080" */
	struct str name; /* what the site is called */
};

/*
 * Makes what people type a domain as it is stored: trimmed, lower case, an international name in
 * its ASCII form (IDNA 2008), an IPv6 address in its short form; a port is kept. NULL and *domain
 * (in the arena), or what is wrong: a sentence that says what would be right.
 */
const char *site_domain_wrong(struct arena *, struct str typed, struct str *domain);

/*
 * The rules of Admin, Sites for a site's name: NULL and *name trimmed, a part of what was typed; or
 * what is wrong.
 */
const char *site_name_wrong(struct str typed, struct str *name);

/* An international name as people read it; absent where the domain is none. */
struct str site_domain_shown(struct arena *, struct str domain);

/* Does the domain answer a Host, both as stored and sent: the same, or the same without its port? */
bool site_domain_answers(struct str domain, struct str host);

/* All of them by domain (1,000 at most), in the arena. DB_END or a failure. */
enum db_result site_list(struct db *, struct arena *, struct site **, size_t *n) MUST_CHECK;

/* DB_ROW and *site, in the arena; DB_END: there is none. */
enum db_result site_get(struct db *, struct arena *, int64_t id, struct site *) MUST_CHECK;

/* DB_END: done (*id is the new one's); DB_TAKEN: another site has that domain. */
enum db_result site_add(struct db *, struct str domain, struct str name, int64_t *id) MUST_CHECK;

/* DB_ROW: done; DB_END: there is none such; DB_TAKEN: another site has that domain. */
enum db_result site_change(struct db *, const struct site *) MUST_CHECK;

/*
 * Deletes one, but neither the last nor the one in use (SITE_ID), for then no request would be
 * answered any more, or SITE_ID would name nothing. DB_ROW: done; DB_END: there is none such;
 * DB_REFUSED: it is one of those two.
 */
enum db_result site_delete(struct db *, int64_t id, int64_t in_use) MUST_CHECK;

#endif
