/*
 * factor: rows of factor and recovery_code.
 */
#include "auth/factor.h"

#include <string.h>

#include "auth/token.h"
#include "base/clock.h"
#include "base/log.h"

#define OFFER_LIFE HOUR
#define RESEAL_STEP 200
#define CHARGES 20 /* how often others may come between before this one is told to wait */

static struct vault_place
place_of(int64_t user)
{
	return (struct vault_place){ "factor", "secret", user };
}

/* A row of factor, with what only this file asks. */
struct row {
	struct factor shown;
	struct str sealed;
	int64_t failures;
};

static enum db_result
find(struct db *db, struct arena *a, int64_t user, struct row *row)
{
	struct query *q = db_query(db, QUERY_FACTOR_FIND);

	*row = (struct row){ .failures = 0 };
	db_int(q, "user", user);
	if (db_step(q) == DB_ROW) {
		row->shown.there = true;
		row->shown.created = db_col_int(q, "created");
		row->shown.codes_left = db_col_int(q, "codes_left");
		row->shown.retry_at = db_col_int(q, "retry_at");
		row->failures = db_col_int(q, "failures");
		if (a != NULL)
			row->sealed = db_col_copy(q, "secret", a);
	}
	return db_done(q);
}

enum db_result
factor_get(struct db *db, int64_t user, struct factor *f)
{
	struct row row;
	enum db_result r = find(db, NULL, user, &row);

	*f = row.shown;
	return r;
}

/* --- recovery codes --- */

static const char code_letters[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's: no i l o u */

static struct str
make_code(struct arena *a)
{
	char *text = arena_alloc(a, FACTOR_CODE_TEXT + 1);
	uint8_t bytes[16];
	size_t n = 0;

	secret_random(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i > 0 && i % 4 == 0)
			text[n++] = '-';
		text[n++] = code_letters[bytes[i] & 31];
	}
	return (struct str){ text, n };
}

/* Without what people put between, and letters that look alike as one; false where it is no such code. */
static bool
normal_code(struct str typed, char text[17])
{
	size_t n = 0;

	for (size_t i = 0; i < typed.n; i++) {
		char c = typed.p[i];

		if (c == ' ' || c == '-')
			continue;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		c = c == 'o' ? '0' : c == 'i' || c == 'l' ? '1' : c;
		if (n == 16 || c == '\0' || strchr(code_letters, c) == NULL)
			return false;
		text[n++] = c;
	}
	text[n] = '\0';
	return n == 16;
}

static void
hash_code(
    struct secret *s, struct arena *a, int64_t user, const char text[17], uint8_t hash[SECRET_SIZE])
{
	struct str both = arena_printf(a, "recovery code %lld %s", (long long)user, text);

	secret_hash(s, both, hash);
	explicit_bzero((void *)(uintptr_t)both.p, both.n);
}

static enum db_result
remove_codes(struct db *db, int64_t user)
{
	struct query *q = db_query(db, QUERY_RECOVERY_REMOVE);

	db_int(q, "user", user);
	return db_run(q);
}

static enum db_result
write_codes(
    struct db *db, struct arena *a, struct secret *s, int64_t user, struct str codes[FACTOR_CODES])
{
	enum db_result r = remove_codes(db, user);

	for (size_t i = 0; i < FACTOR_CODES && r == DB_END; i++) {
		struct query *q = db_query(db, QUERY_RECOVERY_ADD);
		uint8_t hash[SECRET_SIZE];
		char text[17];

		codes[i] = make_code(a);
		(void)normal_code(codes[i], text);
		hash_code(s, a, user, text, hash);
		db_int(q, "user", user);
		db_bytes(q, "hash", hash, SECRET_SIZE);
		r = db_run(q);
	}
	return r;
}

/* --- a code that was typed --- */

static enum factor_result
use_recovery(struct db *db, struct arena *a, struct secret *s, int64_t user, const char text[17],
    int64_t now)
{
	uint8_t hash[SECRET_SIZE];
	struct query *q;

	hash_code(s, a, user, text, hash);
	q = db_query(db, QUERY_RECOVERY_USE);
	db_int(q, "user", user);
	db_bytes(q, "hash", hash, SECRET_SIZE);
	db_int(q, "now", now);
	if (db_run(q) != DB_END)
		return FACTOR_FAILED;
	if (db_changes(db) != 1)
		return FACTOR_WRONG;
	q = db_query(db, QUERY_FACTOR_FORGIVE);
	db_int(q, "user", user);
	return db_run(q) == DB_END ? FACTOR_RECOVERY : FACTOR_FAILED;
}

static int64_t
wait_after(int64_t failures)
{
	int64_t wait = MINUTE;

	if (failures < FACTOR_FREE)
		return 0;
	for (int64_t i = FACTOR_FREE; i < failures && wait < FACTOR_WAIT_MAX; i++)
		wait *= 2;
	return wait < FACTOR_WAIT_MAX ? wait : FACTOR_WAIT_MAX;
}

/*
 * Counts the code that is looked at next as a failure, in a write that only one of several at once
 * can do. FACTOR_RIGHT: go on, with the row as it was.
 */
static enum factor_result
charge(struct db *db, struct arena *a, int64_t user, int64_t now, struct row *row)
{
	for (int i = 0; i < CHARGES; i++) {
		struct query *q;

		if (find(db, a, user, row) != DB_END)
			return FACTOR_FAILED;
		if (!row->shown.there)
			return FACTOR_NONE;
		if (row->shown.retry_at > now)
			return FACTOR_WAIT;
		q = db_query(db, QUERY_FACTOR_CHARGE);
		db_int(q, "user", user);
		db_int(q, "seen", row->failures);
		db_int(q, "now", now);
		db_int(q, "next", now + wait_after(row->failures + 1));
		if (db_run(q) != DB_END)
			return FACTOR_FAILED;
		if (db_changes(db) == 1)
			return FACTOR_RIGHT;
	}
	return FACTOR_WAIT;
}

static enum factor_result
use_step(struct db *db, int64_t user, int64_t step)
{
	struct query *q = db_query(db, QUERY_FACTOR_USE);

	db_int(q, "user", user);
	db_int(q, "step", step);
	if (db_run(q) != DB_END)
		return FACTOR_FAILED;
	return db_changes(db) == 1 ? FACTOR_RIGHT : FACTOR_USED;
}

/* Without the blank that some phones show in the middle. */
static struct str
digits_of(struct arena *a, struct str typed)
{
	char *text = arena_alloc(a, typed.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < typed.n; i++)
		if (typed.p[i] != ' ')
			text[n++] = typed.p[i];
	return (struct str){ text, n };
}

enum factor_result
factor_check(struct db *db, struct arena *a, struct secret *s, struct vault *v, int64_t user,
    struct str code, int64_t now)
{
	struct vault_place place = place_of(user);
	enum factor_result r;
	char recovery[17];
	struct str key;
	struct row row;
	int64_t step;

	if (normal_code(code, recovery)) {
		r = use_recovery(db, a, s, user, recovery, now);
		explicit_bzero(recovery, sizeof(recovery));
		return r;
	}
	if ((r = charge(db, a, user, now, &row)) != FACTOR_RIGHT)
		return r;
	if (v == NULL || vault_open(v, a, &place, row.sealed, &key) != VAULT_OPEN ||
	    key.n != TOTP_KEY) {
		log_error("the key of a second factor does not open", LOG_INT("user", user));
		return FACTOR_LOCKED;
	}
	step = totp_match((const uint8_t *)key.p, digits_of(a, code), now);
	explicit_bzero((void *)(uintptr_t)key.p, key.n);
	return step == 0 ? FACTOR_WRONG : use_step(db, user, step);
}

/* --- setting up and taking away --- */

struct offer {
	int64_t until;
	uint8_t key[TOTP_KEY];
	uint8_t pad[4];
};

static struct vault_place
offer_place(int64_t user)
{
	return (struct vault_place){ "factor", "offer", user };
}

struct str
factor_offer(struct vault *v, struct arena *a, int64_t user, int64_t now, uint8_t key[TOTP_KEY])
{
	struct vault_place place = offer_place(user);
	struct offer offer = { .until = now + OFFER_LIFE };
	struct str sealed;

	secret_random(key, TOTP_KEY);
	memcpy(offer.key, key, TOTP_KEY);
	sealed = vault_seal(v, a, &place, (struct str){ (const char *)&offer, sizeof(offer) });
	explicit_bzero(&offer, sizeof(offer));
	return secret_encode(a, sealed.p, sealed.n);
}

bool
factor_offer_read(struct vault *v, struct arena *a, int64_t user, struct str text, int64_t now,
    uint8_t key[TOTP_KEY])
{
	struct vault_place place = offer_place(user);
	uint8_t sealed[sizeof(struct offer) + VAULT_EXTRA];
	struct offer offer;
	struct str plain;

	if (!secret_decode(text, sealed, sizeof(sealed)) ||
	    vault_open(v, a, &place, (struct str){ (const char *)sealed, sizeof(sealed) },
	        &plain) != VAULT_OPEN)
		return false;
	memcpy(&offer, plain.p, sizeof(offer));
	memcpy(key, offer.key, TOTP_KEY);
	explicit_bzero((void *)(uintptr_t)plain.p, plain.n);
	explicit_bzero(offer.key, sizeof(offer.key));
	return now < offer.until;
}

static enum db_result
end_sessions(struct db *db, int64_t user)
{
	int64_t n;

	return session_end_others(db, user, NULL, &n);
}

struct adding {
	struct arena *arena;
	struct secret *secret;
	struct str sealed, *codes;
	int64_t user, step, now;
};

static enum db_result
add(struct db *db, void *arg)
{
	struct adding *w = arg;
	struct query *q = db_query(db, QUERY_FACTOR_ADD);
	enum db_result r;

	db_int(q, "user", w->user);
	db_bytes(q, "secret", w->sealed.p, w->sealed.n);
	db_int(q, "now", w->now);
	db_int(q, "step", w->step);
	if ((r = db_run(q)) != DB_END)
		return r;
	if (db_changes(db) != 1)
		return DB_TAKEN;
	r = write_codes(db, w->arena, w->secret, w->user, w->codes);
	if (r == DB_END)
		r = end_sessions(db, w->user);
	return r == DB_END ? token_end_automatic(db, w->user) : r;
}

enum factor_result
factor_add(struct db *db, struct arena *a, struct secret *s, struct vault *v, int64_t user,
    const uint8_t key[TOTP_KEY], struct str code, int64_t now, struct str codes[FACTOR_CODES])
{
	struct vault_place place = place_of(user);
	struct adding w = { .arena = a,
		.secret = s,
		.codes = codes,
		.user = user,
		.step = totp_match(key, digits_of(a, code), now),
		.now = now };

	if (w.step == 0)
		return FACTOR_WRONG;
	w.sealed = vault_seal(v, a, &place, (struct str){ (const char *)key, TOTP_KEY });
	switch (db_transaction(db, DB_WRITE, add, &w)) {
	case DB_END:
		return FACTOR_RIGHT;
	case DB_TAKEN:
		return FACTOR_TAKEN;
	default:
		return FACTOR_FAILED;
	}
}

static enum db_result
renew(struct db *db, void *arg)
{
	struct adding *w = arg;

	return write_codes(db, w->arena, w->secret, w->user, w->codes);
}

enum db_result
factor_new_codes(
    struct db *db, struct arena *a, struct secret *s, int64_t user, struct str codes[FACTOR_CODES])
{
	struct adding w = { .arena = a, .secret = s, .codes = codes, .user = user };

	return db_transaction(db, DB_WRITE, renew, &w);
}

struct removing {
	int64_t user;
	bool was;
};

static enum db_result
take_away(struct db *db, void *arg)
{
	struct removing *w = arg;
	struct query *q = db_query(db, QUERY_FACTOR_REMOVE);
	enum db_result r;

	db_int(q, "user", w->user);
	if ((r = db_run(q)) != DB_END)
		return r;
	w->was = db_changes(db) == 1;
	r = remove_codes(db, w->user);
	return r == DB_END ? end_sessions(db, w->user) : r;
}

enum db_result
factor_remove(struct db *db, int64_t user, bool *was)
{
	struct removing w = { .user = user };
	enum db_result r = db_transaction(db, DB_WRITE, take_away, &w);

	*was = r == DB_END && w.was;
	return r;
}

/* --- for the operator --- */

enum db_result
factor_missing(struct db *db, struct arena *a, size_t limit, struct str *names, size_t *n)
{
	struct query *q = db_query(db, QUERY_FACTOR_MISSING);

	*n = 0;
	db_int(q, "limit", (int64_t)limit);
	while (db_step(q) == DB_ROW && *n < limit)
		names[(*n)++] = db_col_copy(q, "username", a);
	return db_done(q);
}

struct sealed {
	int64_t user;
	struct str secret;
};

static enum db_result
read_sealed(
    struct db *db, struct arena *a, int64_t after, struct sealed list[RESEAL_STEP], size_t *n)
{
	struct query *q = db_query(db, QUERY_FACTOR_SEALED);

	*n = 0;
	db_int(q, "after", after);
	db_int(q, "limit", RESEAL_STEP);
	while (db_step(q) == DB_ROW && *n < RESEAL_STEP) {
		list[*n].user = db_col_int(q, "user_id");
		list[(*n)++].secret = db_col_copy(q, "secret", a);
	}
	return db_done(q);
}

/* One row, in a write of its own: nothing is half done wherever it is broken off. */
static enum db_result
reseal(struct db *db, struct arena *a, struct vault *v, const struct sealed *row, int64_t *resealed,
    int64_t *locked)
{
	struct vault_place place = place_of(row->user);
	struct str key, anew;
	enum db_result r;
	struct query *q;

	if (vault_is_newest(v, row->secret))
		return DB_END;
	if (vault_open(v, a, &place, row->secret, &key) != VAULT_OPEN) {
		*locked += 1;
		return DB_END;
	}
	anew = vault_seal_newest(v, a, &place, key);
	explicit_bzero((void *)(uintptr_t)key.p, key.n);
	q = db_query(db, QUERY_FACTOR_RESEAL);
	db_int(q, "user", row->user);
	db_bytes(q, "old", row->secret.p, row->secret.n);
	db_bytes(q, "new", anew.p, anew.n);
	if ((r = db_run(q)) == DB_END)
		*resealed += db_changes(db);
	return r;
}

enum db_result
factor_reseal(struct db *db, struct vault *v, int64_t *resealed, int64_t *locked)
{
	struct sealed list[RESEAL_STEP];
	struct arena *a = arena_new();
	int64_t after = 0;
	enum db_result r;
	size_t n;

	*resealed = *locked = 0;
	do {
		arena_reset(a);
		r = read_sealed(db, a, after, list, &n);
		for (size_t i = 0; i < n && r == DB_END; i++) {
			r = reseal(db, a, v, &list[i], resealed, locked);
			after = list[i].user;
		}
	} while (r == DB_END && n == RESEAL_STEP);
	arena_free(a);
	return r;
}
