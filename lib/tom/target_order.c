/*
 * target_order: the sort orders of the list as runs of indexes, and keys that say where a page
 * begins.
 */
#include "tom/target_order.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The pieces of each order for both ways. */
static const struct {
	enum query_name order[2], after[2]; /* up, down */
	enum { WHOLE, REAL, TEXT, NOTHING } value; /* beside the id */
} orders[] = {
	[BY_CREATED] = { { QUERY_TARGETS_CREATED_UP, QUERY_TARGETS_CREATED_DOWN },
	    { QUERY_TARGETS_AFTER_CREATED_UP, QUERY_TARGETS_AFTER_CREATED_DOWN }, WHOLE },
	[BY_MODIFIED] = { { QUERY_TARGETS_MODIFIED_UP, QUERY_TARGETS_MODIFIED_DOWN },
	    { QUERY_TARGETS_AFTER_MODIFIED_UP, QUERY_TARGETS_AFTER_MODIFIED_DOWN }, WHOLE },
	[BY_NAME] = { { QUERY_TARGETS_NAME_UP, QUERY_TARGETS_NAME_DOWN },
	    { QUERY_TARGETS_AFTER_NAME_UP, QUERY_TARGETS_AFTER_NAME_DOWN }, TEXT },
	[BY_RA] = { { QUERY_TARGETS_RA_UP, QUERY_TARGETS_RA_DOWN },
	    { QUERY_TARGETS_AFTER_RA_UP, QUERY_TARGETS_AFTER_RA_DOWN }, REAL },
	[BY_DEC] = { { QUERY_TARGETS_DEC_UP, QUERY_TARGETS_DEC_DOWN },
	    { QUERY_TARGETS_AFTER_DEC_UP, QUERY_TARGETS_AFTER_DEC_DOWN }, REAL },
	[BY_ID] = { { QUERY_TARGETS_ID_UP, QUERY_TARGETS_ID_DOWN },
	    { QUERY_TARGETS_AFTER_ID_UP, QUERY_TARGETS_AFTER_ID_DOWN }, NOTHING },
};

struct ordering
target_ordering(const struct target_query *q)
{
	static const enum order order_of[] = { [SORT_CREATED] = BY_CREATED,
		[SORT_MODIFIED] = BY_MODIFIED,
		[SORT_NAME] = BY_NAME,
		[SORT_RA] = BY_RA,
		[SORT_DEC] = BY_DEC };
	bool down = q->descending;
	struct ordering o = { .sort = q->sort, .down = down, .n = 1 };
	struct segment *s = o.segments;

	switch (q->sort) {
	case SORT_TYPE:
		/* "NON_SIDEREAL" comes before "SIDEREAL" */
		s[0] = (struct segment){ BY_CREATED, true, true, QUERY_TARGETS_OF_TYPE,
			down ? TARGET_SIDEREAL : TARGET_NON_SIDEREAL };
		s[1] = s[0];
		s[1].type = down ? TARGET_NON_SIDEREAL : TARGET_SIDEREAL;
		o.n = 2;
		break;
	case SORT_RA:
	case SORT_DEC:
		s[0] = (struct segment){ order_of[q->sort], down, true,
			q->sort == SORT_RA ? QUERY_TARGETS_WITH_RA : QUERY_TARGETS_WITH_DEC, 0 };
		s[1] = (struct segment){ BY_ID, true, true,
			q->sort == SORT_RA ? QUERY_TARGETS_WITHOUT_RA : QUERY_TARGETS_WITHOUT_DEC,
			0 };
		o.n = 2;
		break;
	default:
		s[0] = (struct segment){ order_of[q->sort], down, false, 0, 0 };
		o.n = 1;
	}
	/* one type, newest first: that is a run of its own index */
	if (q->by_type && (q->sort == SORT_CREATED || q->sort == SORT_TYPE)) {
		s[0] = (struct segment){ BY_CREATED, q->sort == SORT_TYPE || down, true,
			QUERY_TARGETS_OF_TYPE, q->type };
		o.n = 1;
		o.has_type = true;
	}
	return o;
}

/* Keys: direction, sort, its direction, segment; id; value. "n0d0.17.1795490009123456" */
struct str
target_key_text(const struct ordering *o, const struct place *p, struct arena *a)
{
	struct str head = arena_printf(a, "%c%d%c%zu.%" PRId64 ".", p->back ? 'p' : 'n',
	    (int)o->sort, o->down ? 'd' : 'a', p->segment, p->id);
	uint64_t bits;

	switch (orders[o->segments[p->segment].order].value) {
	case WHOLE:
		return arena_printf(a, "%s%" PRId64, head.p, p->whole);
	case REAL:
		memcpy(&bits, &p->real, sizeof(bits));
		return arena_printf(a, "%s%016" PRIx64, head.p, bits);
	case TEXT:
		return arena_printf(a, "%s%.*s", head.p, STR_ARG(p->text));
	case NOTHING:
		break;
	}
	return head;
}

static bool
read_real_bits(struct str s, double *out)
{
	uint64_t bits = 0;

	if (s.n != 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		const char *digit = strchr("0123456789abcdef", s.p[i]);

		if (digit == NULL || *digit == '\0')
			return false;
		bits = bits << 4 | (uint64_t)(digit - "0123456789abcdef");
	}
	memcpy(out, &bits, sizeof(bits));
	return isfinite(*out);
}

struct place
target_key_read(const struct ordering *o, struct str key)
{
	struct str rest;
	struct place p = { .set = true }, none = { 0 };
	size_t dot;

	if (key.n < 6 || (key.p[0] != 'n' && key.p[0] != 'p') || key.p[1] != '0' + (int)o->sort ||
	    key.p[2] != (o->down ? 'd' : 'a') || key.p[3] < '0' || key.p[4] != '.')
		return none;
	p.back = key.p[0] == 'p';
	p.segment = (size_t)(key.p[3] - '0');
	rest = (struct str){ key.p + 5, key.n - 5 };
	dot = str_find(rest, '.');
	if (p.segment >= o->n || dot == rest.n || !str_to_int64((struct str){ rest.p, dot }, &p.id))
		return none;
	rest = (struct str){ rest.p + dot + 1, rest.n - dot - 1 };
	switch (orders[o->segments[p.segment].order].value) {
	case WHOLE:
		p.set = str_to_int64(rest, &p.whole);
		break;
	case REAL:
		p.set = read_real_bits(rest, &p.real);
		break;
	case TEXT:
		p.text = rest;
		p.set = rest.n > 0 && memchr(rest.p, '\0', rest.n) == NULL;
		break;
	case NOTHING:
		break;
	}
	return p.set ? p : none;
}

struct place
target_place(const struct ordering *o, const struct target *t, size_t segment)
{
	struct place p = { .set = true, .segment = segment, .id = t->id };

	switch (o->segments[segment].order) {
	case BY_CREATED:
		p.whole = t->created;
		break;
	case BY_MODIFIED:
		p.whole = t->modified;
		break;
	case BY_NAME:
		p.text = t->name;
		break;
	case BY_RA:
		p.real = t->ra;
		break;
	case BY_DEC:
		p.real = t->dec;
		break;
	case BY_ID:
		break;
	}
	return p;
}

static void
add_after(struct sql *s, enum order order, bool down, const struct place *p)
{
	sql_add(s, orders[order].after[down]);
	switch (orders[order].value) {
	case WHOLE:
		sql_int(s, "value", p->whole);
		break;
	case REAL:
		sql_real(s, "value", p->real);
		break;
	case TEXT:
		sql_text(s, "value", p->text);
		return;
	case NOTHING:
		break;
	}
	sql_int(s, "id", p->id);
}

void
target_run(struct sql *s, const struct segment *seg, const struct place *after, bool back)
{
	static const struct target_field *type;

	if (seg->has_where) {
		sql_add(s, seg->where);
		if (seg->where == QUERY_TARGETS_OF_TYPE) {
			if (type == NULL)
				type = target_field_find(STR("type"));
			sql_text(s, "type", str_of(type->codes[seg->type]));
		}
	}
	if (after->set)
		add_after(s, seg->order, seg->down != back, after);
}

void
target_run_order(struct sql *s, const struct segment *seg, bool back)
{
	sql_add(s, orders[seg->order].order[seg->down != back]);
}
