/*
 * targets_list.h: the page of the list between its two files: filters, and all else.
 */
#ifndef MERIDIAN_CGI_TARGETS_LIST_H
#define MERIDIAN_CGI_TARGETS_LIST_H

#include "targets.h"

struct cone_unit;

/* What a page is made of. */
struct targets_list {
	struct request *req;
	struct arena *arena;
	struct target_query query;
	struct problems problems;
	struct target_named *lists;
	size_t nlists;
	struct str cone, radius; /* as the form shows them */
	const struct cone_unit *unit; /* NULL: the first */
};

/*
 * The query string of this page without the pairs named (a list that ends in NULL) and empty ones,
 * and with one more where `name` is not NULL. "?" alone where nothing is left: never empty.
 */
struct str
targets_link(struct request *, const char *const without[], const char *name, struct str value);

/*
 * The friendly fields of a cone (cone, radius, unit). True: the response is a redirect to the list
 * with the cone as TOM Toolkit writes it. False: there is none, or it is wrong (a problem about
 * "cone").
 */
bool targets_filter_redirect(struct targets_list *, struct response *);

/* page.filter: the filter bar with what is applied; then page.chips, each a link that takes one off. */
void targets_filter_add(struct targets_list *, struct value *page);
void targets_filter_add_chips(struct targets_list *, struct value *page);

#endif
