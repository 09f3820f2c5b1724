/*
 * target_write: targets are added, changed and deleted, each in one transaction with its names,
 * extras and rights.
 */
#include "tom/target_store.h"

#include <math.h>

#include "base/clock.h"
#include "tom/audience.h"
#include "tom/datum.h"

void
target_bind(struct query *q, const struct target *t, bool added)
{
	int zone = target_zone(t);

	for (size_t i = 0; i < target_nfields; i++) {
		const struct target_field *f = &target_fields[i];

		switch (f->kind) {
		case TARGET_TEXT:
			db_text(q, f->name, t->name);
			break;
		case TARGET_CHOICE:
			db_text(q, f->name, target_choice(t, f));
			break;
		case TARGET_TIME:
			if (added || f->offset == offsetof(struct target, modified))
				db_int(q, f->name,
				    f->offset == offsetof(struct target, created) ? t->created
				                                                  : t->modified);
			break;
		case TARGET_REAL:
		case TARGET_RA:
		case TARGET_DEC:
			db_real(q, f->name, target_real(t, f));
			break;
		}
	}
	if (zone < 0)
		db_null(q, "zone");
	else
		db_int(q, "zone", zone);
	if (added && t->creator == 0)
		db_null(q, "creator_id");
	else if (added)
		db_int(q, "creator_id", t->creator);
	else
		db_int(q, "id", t->id);
}

static enum db_result
add_name(struct db *db, const struct target *t, const struct target_key *name, bool primary)
{
	struct query *q = db_query(db, QUERY_TARGET_NAME_ADD);

	db_int(q, "target", t->id);
	db_text(q, "name", name->name);
	db_text(q, "match_key", name->key);
	db_bool(q, "is_primary", primary);
	db_int(q, "now", t->modified);
	return db_run(q);
}

/* The index of parts of names, which SQLite wants to be told of changes. */
static enum db_result
index_names(struct db *db, enum query_name name, int64_t target)
{
	struct query *q = db_query(db, name);

	db_int(q, "target_id", target);
	return db_run(q);
}

static enum db_result
add_extra(struct db *db, int64_t target, const struct target_extra *e)
{
	struct extra_forms forms = target_extra_forms(e->value);
	struct query *q = db_query(db, QUERY_TARGET_EXTRA_ADD);

	db_int(q, "target", target);
	db_text(q, "key", e->key);
	db_text(q, "value", e->value);
	db_real(q, "float_value", forms.number);
	db_bool(q, "bool_value", forms.truth);
	if (forms.is_time)
		db_int(q, "time_value", forms.time);
	else
		db_null(q, "time_value");
	return db_run(q);
}

static enum db_result
give(struct db *db, const struct target *t, int64_t principal, int verbs)
{
	struct query *q = db_query(db, QUERY_RIGHTS_GIVE);

	db_int(q, "principal", principal);
	db_int(q, "target", t->id);
	db_int(q, "verbs", verbs);
	db_int(q, "created", t->created);
	return db_run(q);
}

static enum db_result
take(struct db *db, int64_t target, int64_t principal)
{
	struct query *q = db_query(db, QUERY_RIGHTS_TAKE);

	db_int(q, "target", target);
	db_int(q, "principal", principal);
	return db_run(q);
}

static bool
is_among(int64_t id, const int64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

enum db_result
target_check_groups(struct db *db, struct arena *a, const struct user *u, const int64_t *groups,
    size_t n, struct problems *ps)
{
	int64_t there = 0;
	enum db_result r;

	if (n == 0)
		return DB_END;
	if (u != NULL && !u->is_superuser) {
		for (size_t i = 0; i < n; i++)
			if (!is_among(groups[i], u->groups, u->ngroups)) {
				problem_add(ps, a, "groups",
				    STR("Choose groups that you are a member of."));
				break;
			}
		return DB_END;
	}
	struct query *q = db_query(db, QUERY_USER_GROUPS_EXIST);
	db_ints(q, "ids", groups, n);
	if (db_step(q) == DB_ROW)
		there = db_col_int(q, "n");
	r = db_done(q);
	size_t distinct = 0;
	for (size_t i = 0; i < n; i++)
		distinct += !is_among(groups[i], groups, i);
	if (r == DB_END && (size_t)there != distinct)
		problem_add(ps, a, "groups", STR("One of the groups is no longer there."));
	return r;
}

/* What a call of target_add or target_change carries into its transaction. */
struct writing {
	struct arena *arena;
	const struct user *user;
	struct target_draft *draft;
	unsigned parts;
	struct problems *problems;
	size_t known; /* problems found before the transaction */
	struct target_key *keys;
	size_t nkeys;
	bool gone; /* no such target, or not theirs */
};

/* A run that was undone leaves no findings behind. */
static void
begin_run(struct writing *w)
{
	w->problems->n = w->known;
	w->gone = false;
}

/* A command acts for the operator, who may everything. */
static const struct user *
asker(const struct writing *w)
{
	static const struct user superuser = { .is_superuser = true };

	return w->user != NULL ? w->user : &superuser;
}

static enum db_result
write_new_rights(struct db *db, const struct target_draft *d)
{
	const struct target *t = &d->target;
	int64_t public = target_public_principal(t->permissions);
	enum db_result r = DB_END;

	if (t->creator != 0)
		r = give(db, t, PRINCIPAL_USER(t->creator), ALL_VERBS);
	for (size_t i = 0; i < d->ngroups && r == DB_END; i++)
		r = give(db, t, PRINCIPAL_GROUP(d->groups[i]), ALL_VERBS);
	if (r == DB_END && public != 0)
		r = give(db, t, public, VIEW);
	return r;
}

static enum db_result
write_new(struct db *db, void *arg)
{
	struct writing *w = arg;
	struct target_draft *d = w->draft;
	enum db_result r;

	begin_run(w);
	r = target_find_taken(db, w->arena, asker(w), 0, false, w->keys, w->nkeys, w->problems);
	if (r == DB_END)
		r = target_check_groups(db, w->arena, w->user, d->groups, d->ngroups, w->problems);
	if (r != DB_END)
		return r;
	if (w->problems->n > w->known)
		return DB_REFUSED;
	struct query *q = db_query(db, QUERY_TARGET_ADD);
	target_bind(q, &d->target, true);
	r = db_insert(q, &d->target.id);
	for (size_t i = 0; i < w->nkeys && r == DB_END; i++)
		r = add_name(db, &d->target, &w->keys[i], i == 0);
	if (r == DB_END)
		r = index_names(db, QUERY_NAME_PART_ADD, d->target.id);
	for (size_t i = 0; i < d->nextras && r == DB_END; i++)
		r = add_extra(db, d->target.id, &d->extras[i]);
	if (r == DB_END)
		r = write_new_rights(db, d);
	for (size_t i = 0; i < d->nlists && r == DB_END; i++)
		r = target_list_put(db, d->lists[i], d->target.id);
	return r;
}

/* The rules of the draft, the database apart. Fills w->keys. */
static void
check_draft(struct writing *w)
{
	struct target_draft *d = w->draft;

	if (d->target.ra == 360)
		d->target.ra = 0;
	target_check(&d->target, w->problems, w->arena);
	w->keys = target_keys(d, &w->nkeys, w->problems, w->arena);
	target_check_extras(d, w->problems, w->arena);
	w->known = w->problems->n;
}

/* What the caller is told: a name is in use, a rule is broken, or what the database said. */
static enum db_result
verdict(struct writing *w, enum db_result r)
{
	if (r == DB_TAKEN && w->problems->n == w->known)
		problem_add(w->problems, w->arena, "name",
		    arena_printf(w->arena, "The name %.*s, or an alias, has just been taken.",
		        STR_ARG(w->draft->target.name)));
	if (r == DB_REFUSED && w->problems->n == w->known && !w->gone)
		problem_add(w->problems, w->arena, "",
		    STR("A group, a list or your account is no longer there: look again."));
	if (r == DB_REFUSED)
		for (size_t i = w->known; i < w->problems->n; i++)
			if (w->problems->list[i].why.p != NULL &&
			    (str_is(str_of(w->problems->list[i].field), "name") ||
			        str_is(str_of(w->problems->list[i].field), "aliases")))
				return DB_TAKEN;
	return r;
}

enum db_result
target_add(struct db *db, struct arena *a, const struct user *creator, struct target_draft *d,
    struct problems *ps)
{
	struct writing w = {
		.arena = a,
		.user = creator,
		.draft = d,
		.problems = ps,
	};

	check_draft(&w);
	if (ps->n > 0)
		return DB_REFUSED;
	d->target.creator = creator == NULL ? 0 : creator->id;
	d->target.modified = clock_now();
	if (d->target.created == 0)
		d->target.created = d->target.modified;
	return verdict(&w, db_transaction(db, DB_WRITE, write_new, &w));
}

/* Is the alias among the new names, letter for letter? */
static bool
is_kept(const struct writing *w, struct str alias)
{
	for (size_t i = 1; i < w->nkeys; i++)
		if (str_eq(w->keys[i].name, alias))
			return true;
	return false;
}

/*
 * Names are taken away first, then the primary one changes, then new ones come: so names may
 * change places. Aliases that stay keep their rows.
 */
static enum db_result
rewrite_names(struct db *db, struct writing *w)
{
	const struct target *t = &w->draft->target;
	bool *has = arena_array(w->arena, w->nkeys, sizeof(*has));
	struct target_named *old;
	size_t nold;
	int64_t primary = 0;
	enum db_result r = index_names(db, QUERY_NAME_PART_REMOVE, t->id);

	struct query *q = db_query(db, QUERY_TARGET_ALIASES);
	db_int(q, "id", t->id);
	old = arena_array(w->arena, TARGET_ALIASES_MAX, sizeof(*old));
	for (nold = 0; r == DB_END && nold < TARGET_ALIASES_MAX && db_step(q) == DB_ROW; nold++)
		old[nold] = (struct target_named){ db_col_int(q, "id"),
			db_col_copy(q, "name", w->arena) };
	if (r == DB_END)
		r = db_done(q);
	else
		db_done(q);
	for (size_t i = 0; (w->parts & SET_ALIASES) && i < nold && r == DB_END; i++) {
		if (is_kept(w, old[i].name))
			continue;
		q = db_query(db, QUERY_TARGET_NAME_DELETE);
		db_int(q, "id", old[i].id);
		r = db_run(q);
	}
	q = db_query(db, QUERY_TARGET_NAME_PRIMARY);
	db_int(q, "target", t->id);
	if (r == DB_END && db_step(q) == DB_ROW)
		primary = db_col_int(q, "id");
	if (r == DB_END)
		r = db_done(q);
	else
		db_done(q);
	if (r == DB_END) {
		q = db_query(db, QUERY_TARGET_NAME_CHANGE);
		db_int(q, "id", primary);
		db_text(q, "name", w->keys[0].name);
		db_text(q, "match_key", w->keys[0].key);
		db_int(q, "now", t->modified);
		r = db_run(q);
	}
	for (size_t i = 1; (w->parts & SET_ALIASES) && i < w->nkeys && r == DB_END; i++) {
		for (size_t j = 0; j < nold; j++)
			has[i] = has[i] || str_eq(old[j].name, w->keys[i].name);
		if (!has[i])
			r = add_name(db, t, &w->keys[i], false);
	}
	return r == DB_END ? index_names(db, QUERY_NAME_PART_ADD, t->id) : r;
}

static enum db_result
rewrite_extras(struct db *db, const struct target_draft *d)
{
	struct query *q = db_query(db, QUERY_TARGET_EXTRAS_CLEAR);
	enum db_result r;

	db_int(q, "target", d->target.id);
	r = db_run(q);
	for (size_t i = 0; i < d->nextras && r == DB_END; i++)
		r = add_extra(db, d->target.id, &d->extras[i]);
	return r;
}

/* A group that has rights on a target. */
struct holder {
	int64_t group;
	int verbs;
};

static enum db_result
read_holders(struct db *db, int64_t target, struct holder *list, size_t room, size_t *n)
{
	struct query *q = db_query(db, QUERY_RIGHTS_GROUPS);

	db_int(q, "target", target);
	for (*n = 0; *n < room && db_step(q) == DB_ROW; ++*n)
		list[*n] = (struct holder){ .group = (db_col_int(q, "principal") - 1) / 16,
			.verbs = (int)db_col_int(q, "verbs") };
	return db_done(q);
}

/* What who asks may give and take: by rights of their own, and not by those of everybody. */
static enum db_result
read_held(struct db *db, const struct writing *w, int *held)
{
	struct user u = *asker(w);
	struct target_whole whole;
	enum db_result r;

	*held = ALL_VERBS;
	if (u.is_superuser)
		return DB_END;
	u.open_verbs = 0;
	r = target_load(db, w->arena, &u, w->draft->target.id, 0, &whole);
	*held = VIEW | (r == DB_ROW && whole.may_change ? CHANGE : 0) |
	    (r == DB_ROW && whole.may_delete ? REMOVE : 0);
	return r == DB_ROW ? DB_END : r;
}

/*
 * Groups of others stay as they are: people give and take only their own, and no more than they
 * have. What a group has already stays what it is.
 */
static enum db_result
rewrite_groups(struct db *db, const struct writing *w)
{
	const struct target_draft *d = w->draft;
	const struct user *u = asker(w);
	struct holder list[256];
	size_t n;
	int held;
	bool denied = false;
	enum db_result r = read_held(db, w, &held);

	if (r != DB_END || (r = read_holders(db, d->target.id, list, NELEM(list), &n)) != DB_END)
		return r;
	for (size_t i = 0; i < n && r == DB_END && !denied; i++) {
		if (is_among(list[i].group, d->groups, d->ngroups) ||
		    !(u->is_superuser || is_among(list[i].group, u->groups, u->ngroups)))
			continue;
		denied = (held & CHANGE) == 0 || (list[i].verbs & ~held) != 0;
		if (!denied)
			r = take(db, d->target.id, PRINCIPAL_GROUP(list[i].group));
	}
	for (size_t i = 0; i < d->ngroups && r == DB_END && !denied; i++) {
		bool has = false;

		for (size_t k = 0; k < n; k++)
			has = has || list[k].group == d->groups[i];
		denied = !has && (held & CHANGE) == 0;
		if (!has && !denied)
			r = give(db, &d->target, PRINCIPAL_GROUP(d->groups[i]), held);
	}
	if (denied)
		problem_add(w->problems, w->arena, "groups",
		    STR("You can give and take no more rights than you have yourself."));
	return denied ? DB_REFUSED : r;
}

/* OPEN and PUBLIC are rights, too: who may change the target by them alone leaves them as they are. */
static enum db_result
rewrite_sight(struct db *db, const struct writing *w)
{
	const struct target *t = &w->draft->target;
	int64_t public = target_public_principal(t->permissions);
	int held;
	enum db_result r = read_held(db, w, &held);

	if (r == DB_END && (held & CHANGE) == 0) {
		problem_add(w->problems, w->arena, "permissions",
		    STR("You can give and take no more rights than you have yourself."));
		return DB_REFUSED;
	}
	if (r == DB_END)
		r = take(db, t->id, PRINCIPAL_ANYONE);
	if (r == DB_END)
		r = take(db, t->id, PRINCIPAL_SIGNED_IN);
	return r == DB_END && public != 0 ? give(db, t, public, VIEW) : r;
}

/* Nobody else changes it until the transaction ends. That it is gone is for target_get to say. */
static enum db_result
lock_target(struct db *db, int64_t id)
{
	struct query *q = db_query(db, QUERY_TARGET_LOCK);

	db_int(q, "id", id);
	return db_run(q);
}

static enum db_result
write_changed(struct db *db, void *arg)
{
	struct writing *w = arg;
	struct target_draft *d = w->draft;
	struct target old;
	enum db_result r;

	begin_run(w);
	if ((r = lock_target(db, d->target.id)) != DB_END)
		return r;
	r = target_get(db, w->arena, asker(w), d->target.id, CHANGE, &old);
	w->gone = r == DB_END;
	if (r != DB_ROW)
		return w->gone ? DB_REFUSED : r;
	d->target.created = old.created;
	d->target.creator = old.creator;
	r = target_find_taken(db, w->arena, asker(w), d->target.id, !(w->parts & SET_ALIASES),
	    w->keys, w->nkeys, w->problems);
	if (r == DB_END && (w->parts & SET_GROUPS))
		r = target_check_groups(db, w->arena, w->user, d->groups, d->ngroups, w->problems);
	if (r != DB_END)
		return r;
	if (w->problems->n > w->known)
		return DB_REFUSED;
	struct query *q = db_query(db, QUERY_TARGET_CHANGE);
	target_bind(q, &d->target, false);
	r = db_run(q);
	if (r == DB_END && ((w->parts & SET_ALIASES) || !str_eq(old.name, d->target.name)))
		r = rewrite_names(db, w);
	if (r == DB_END && (w->parts & SET_EXTRAS))
		r = rewrite_extras(db, d);
	/* before the groups: what they have given up by the same form still counts for it */
	if (r == DB_END && old.permissions != d->target.permissions)
		r = rewrite_sight(db, w);
	if (r == DB_END && (w->parts & SET_GROUPS))
		r = rewrite_groups(db, w);
	return r;
}

enum db_result
target_change(struct db *db, struct arena *a, const struct user *u, struct target_draft *d,
    unsigned parts, struct problems *ps)
{
	struct writing w = {
		.arena = a,
		.user = u,
		.draft = d,
		.parts = parts,
		.problems = ps,
	};

	check_draft(&w);
	if (!(parts & SET_ALIASES) && w.nkeys > 1)
		w.nkeys = 1;
	if (ps->n > 0)
		return DB_REFUSED;
	d->target.modified = clock_now();
	return verdict(&w, db_transaction(db, DB_WRITE, write_changed, &w));
}

struct deletion {
	const struct user *user;
	int64_t id;
	bool measurements_have_rights;
};

static enum db_result
delete_one(struct db *db, void *arg)
{
	const struct deletion *d = arg;
	enum db_result r = lock_target(db, d->id);
	struct arena *a;
	struct target t;

	if (r != DB_END)
		return r;
	a = arena_new();
	r = target_get(db, a, d->user, d->id, REMOVE, &t);
	arena_free(a);
	if (r != DB_ROW)
		return r == DB_END ? DB_REFUSED : r;
	r = index_names(db, QUERY_NAME_PART_REMOVE, d->id);
	if (r == DB_END)
		r = datum_forget(db, d->id);
	if (r == DB_END)
		r = audience_keep(db, d->id, d->measurements_have_rights);
	if (r != DB_END)
		return r;
	struct query *q = db_query(db, QUERY_TARGET_DELETE);
	db_int(q, "id", d->id);
	return db_run(q);
}

enum db_result
target_delete(struct db *db, const struct user *u, int64_t id, bool measurements_have_rights)
{
	return db_transaction(
	    db, DB_WRITE, delete_one, &(struct deletion){ u, id, measurements_have_rights });
}

enum db_result
target_list_named(struct db *db, struct str name, int64_t *id)
{
	struct query *q = db_query(db, QUERY_TARGET_LIST_BY_NAME);
	enum db_result r;
	bool found = false;

	db_text(q, "name", name);
	if (db_step(q) == DB_ROW) {
		*id = db_col_int(q, "id");
		found = true;
	}
	r = db_done(q);
	if (r != DB_END || found)
		return r;
	q = db_query(db, QUERY_TARGET_LIST_ADD);
	db_text(q, "name", name);
	db_int(q, "now", clock_now());
	return db_insert(q, id);
}

enum db_result
target_list_put(struct db *db, int64_t list, int64_t target)
{
	struct query *q = db_query(db, QUERY_TARGET_LIST_PUT);

	db_int(q, "list", list);
	db_int(q, "target", target);
	return db_run(q);
}
