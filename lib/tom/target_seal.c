/*
 * target_seal: what a key of the list of targets is about.
 */
#include "tom/target_seal.h"

#include <inttypes.h>

#include "auth/page_key.h"

enum { PARTS = 8 };

static void
about(const struct target_query *q, const struct user *u, struct arena *a, struct str parts[PARTS])
{
	parts[0] = STR("list of targets");
	parts[1] = arena_printf(a, "%" PRId64 " %d %d %" PRId64 " %d %a %a %a %a", u->id,
	    q->by_type, q->type, q->list, q->by_cone, q->cone.ra, q->cone.dec, q->cone.radius,
	    q->cone_radius);
	parts[2] = q->name;
	parts[3] = q->name_fuzzy;
	parts[4] = q->query;
	parts[5] = q->key;
	parts[6] = q->value;
	parts[7] = q->cone_target;
}

struct str
target_seal(const struct target_query *q, const struct user *u, struct str key, struct arena *a)
{
	struct str parts[PARTS];

	about(q, u, a, parts);
	return page_key_seal(q->secret, parts, PARTS, key, a);
}

struct str
target_unseal(const struct target_query *q, const struct user *u, struct str text, struct arena *a)
{
	struct str parts[PARTS];

	about(q, u, a, parts);
	return page_key_open(q->secret, parts, PARTS, text, a);
}
