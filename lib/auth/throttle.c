/*
 * throttle: buckets of failures, and the time they are told by.
 *
 * A bucket is one of two kinds. One counts failures and is closed `until` an instant that is further
 * off after each. The other is a rate (GCRA): `until` is when it will be empty again, each attempt
 * puts it one interval further off, and it is full when it is more than `burst` intervals ahead.
 */
#include "auth/throttle.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "auth/device.h"
#include "auth/event.h"
#include "auth/unicode.h"
#include "auth/visit.h"
#include "base/clock.h"
#include "base/log.h"

#define DELAY_FIRST (5 * SECOND)
#define DELAY_LONGEST (15 * MINUTE)
#define FORGET (6 * HOUR) /* after so long without one, failures count no more */
#define KEEP (2 * DAY) /* rows this old are removed */
#define SLEW 10 /* the clock is drawn to the wall's by one part of so many */

/* A rate: so many times THROTTLE_FREE_FAILURES at once, then one an interval. times 0: none. */
struct rate {
	int64_t times, interval;
};
static const struct rule {
	bool by_pair; /* account and address: failures and a delay that grows */
	bool any_address; /* that one by the account alone */
	bool known_devices; /* have an allowance of their own */
	struct rate account, address, all;
	struct rate turns; /* of an account, right or wrong: a hash is dear */
	const char *word; /* for the log */
} rules[THROTTLE_KINDS] = {
	[THROTTLE_SIGN_IN] = { .by_pair = true,
	    .known_devices = true,
	    .account = { 4, MINUTE },
	    .address = { 12, 15 * SECOND },
	    .all = { 40, SECOND },
	    .turns = { 6, 10 * SECOND },
	    .word = "sign-in" },
	[THROTTLE_PRESENT] = { .by_pair = true,
	    .any_address = true,
	    .turns = { 6, 10 * SECOND },
	    .word = "present password" },
	[THROTTLE_RESET] = { .account = { 1, 20 * MINUTE },
	    .address = { 2, 5 * MINUTE },
	    .all = { 40, SECOND },
	    .word = "reset" },
	[THROTTLE_REGISTER] = { .address = { 2, 10 * MINUTE },
	    .all = { 40, 10 * SECOND },
	    .word = "registration" },
};

struct str
throttle_network(struct arena *a, struct str address)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	if (address.n >= sizeof(text))
		return address;
	memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	if (inet_pton(AF_INET, text, &four) == 1)
		return arena_str(a, address);
	if (inet_pton(AF_INET6, text, &six) != 1)
		return address;
	if (IN6_IS_ADDR_V4MAPPED(&six)) {
		memcpy(&four, six.s6_addr + 12, sizeof(four));
		inet_ntop(AF_INET, &four, text, sizeof(text));
		return arena_str(a, str_of(text));
	}
	memset(six.s6_addr + 8, 0, 8);
	inet_ntop(AF_INET6, &six, text, sizeof(text));
	return arena_printf(a, "%s/64", text);
}

/* How long it is closed after so many failures. */
static int64_t
delay_after(int64_t failures, int64_t free)
{
	int64_t delay = DELAY_FIRST;

	if (failures < free)
		return 0;
	for (int64_t i = free; i < failures && delay < DELAY_LONGEST; i++)
		delay *= 2;
	return delay < DELAY_LONGEST ? delay : DELAY_LONGEST;
}

/* --- the buckets of an attempt --- */

static void
key_of(struct secret *secret, const char *kind, enum throttle_what what, struct str one,
    struct str other, uint8_t key[THROTTLE_KEY])
{
	struct str parts[] = { STR("throttle"), str_of(kind), str_of(rules[what].word), one,
		other };

	secret_sign(secret, parts, NELEM(parts), key);
}

static struct throttle_bucket *
add_bucket(struct throttle *t)
{
	struct throttle_bucket *b = &t->bucket[t->n++];

	*b = (struct throttle_bucket){ .burst = 0 };
	return b;
}

static void
add_rate(struct throttle *t, struct secret *secret, const char *kind, struct str of,
    struct rate rate, int64_t free, bool reserve)
{
	struct throttle_bucket *b;

	if (rate.times == 0)
		return;
	b = add_bucket(t);
	b->burst = rate.times * free;
	b->interval = rate.interval;
	b->reserve = reserve;
	key_of(secret, kind, t->what, of, STR(""), b->key);
}

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct throttle_bucket *)a)->key,
	    ((const struct throttle_bucket *)b)->key, THROTTLE_KEY);
}

/* What a success does not give back. */
static void
add_turns(struct throttle *t, struct secret *secret, struct str account, int64_t free)
{
	struct rate turns = rules[t->what].turns;

	if (account.n == 0 || turns.times == 0)
		return;
	add_rate(t, secret, "turns", account, turns, free, false);
	t->bucket[t->n - 1].stays = true;
}

static void
add_all(struct throttle *t, struct secret *secret, int64_t free, enum throttle_what what,
    const struct throttle_visitor *v, struct str account, struct str network)
{
	const struct rule *rule = &rules[what];

	add_turns(t, secret, account, free);
	if (v->device != NULL && rule->known_devices) {
		key_of(secret, "device", what, account,
		    (struct str){ (const char *)v->device, DEVICE_ID }, add_bucket(t)->key);
		return;
	}
	if (rule->by_pair)
		key_of(secret, "pair", what, account, rule->any_address ? STR("") : network,
		    add_bucket(t)->key);
	if (account.n > 0)
		add_rate(t, secret, "account", account, rule->account, free, rule->by_pair);
	add_rate(t, secret, "address", network, rule->address, free, false);
	add_rate(t, secret, "all", STR(""), rule->all, free, rule->by_pair);
}

/* In the order of their keys, so that two transactions never wait for each other. */
static void
choose(struct throttle *t, struct secret *secret, int64_t free, enum throttle_what what,
    const struct throttle_visitor *v, struct str account, struct str network)
{
	memset(t, 0, sizeof(*t));
	t->what = what;
	add_all(t, secret, free, what, v, account, network);
	qsort(t->bucket, t->n, sizeof(t->bucket[0]), compare);
}

/* --- time --- */

struct clock_row {
	bool known;
	int64_t at, boot;
};

/*
 * The instant that buckets are told by: what the row of this host said, and what has passed on the
 * clock that nobody sets, up to a tenth more or less of that where the wall clock is elsewhere. A
 * machine that started anew begins with its wall clock.
 */
static int64_t
steady(const struct clock_row *row, const struct throttle_now *now)
{
	int64_t passed = now->boot - row->boot, at, room;

	if (!row->known || passed < 0)
		return now->wall;
	at = row->at + passed;
	room = passed / SLEW;
	if (now->wall > at + room)
		return at + room;
	return now->wall < at - room ? at - room : now->wall;
}

/* --- asking --- */

struct charging {
	struct secret *secret;
	int64_t free;
	const struct throttle_now *now;
	struct throttle *throttle;
	struct clock_row row;
	int64_t at; /* the steady instant */
	int64_t wait;
};

/* What the table says of the buckets and of the clock. */
static enum db_result
read_buckets(struct db *db, struct charging *c)
{
	static const char *const names[] = { "b0", "b1", "b2", "b3", "b4", "b5" };
	struct throttle *t = c->throttle;
	struct query *q = db_query(db, QUERY_THROTTLE_READ);

	for (size_t i = 0; i < THROTTLE_BUCKETS; i++) {
		db_bytes(q, names[i], i < t->n ? t->bucket[i].key : t->clock, THROTTLE_KEY);
		t->bucket[i].failures = t->bucket[i].last = t->bucket[i].until = 0;
	}
	db_bytes(q, names[THROTTLE_BUCKETS], t->clock, THROTTLE_KEY);
	c->row.known = false;
	while (db_step(q) == DB_ROW) {
		struct str key = db_col_bytes(q, "bucket");

		if (key.n == THROTTLE_KEY && memcmp(key.p, t->clock, THROTTLE_KEY) == 0 &&
		    db_col_int(q, "until") != 0)
			c->row = (struct clock_row){ true, db_col_int(q, "last"),
				db_col_int(q, "until") };
		for (size_t i = 0; i < t->n; i++)
			if (key.n == THROTTLE_KEY &&
			    memcmp(key.p, t->bucket[i].key, THROTTLE_KEY) == 0) {
				t->bucket[i].failures = db_col_int(q, "failures");
				t->bucket[i].last = db_col_int(q, "last");
				t->bucket[i].until = db_col_int(q, "until");
			}
	}
	c->at = steady(&c->row, c->now);
	return db_done(q);
}

/* Microseconds that a rate is ahead, never more than it can be. */
static int64_t
level_of(const struct throttle_bucket *b, int64_t at)
{
	int64_t level = b->until > at ? b->until - at : 0;

	return level < b->burst * b->interval ? level : b->burst * b->interval;
}

static int64_t
failures_of(const struct throttle_bucket *b, int64_t at)
{
	return at - b->last >= FORGET ? 0 : b->failures;
}

static int64_t
wait_of(const struct charging *c, const struct throttle_bucket *b, bool fresh)
{
	int64_t wait, most;

	if (b->burst == 0) {
		wait = b->until - c->at;
		most = delay_after(failures_of(b, c->at), c->free);
	} else {
		most = b->burst * b->interval;
		wait = level_of(b, c->at) + b->interval -
		    (b->reserve && !fresh ? most - most / 4 : most);
	}
	wait = wait < most ? wait : most;
	return wait > 0 ? wait : 0;
}

/* Did nothing fail from there lately? */
static bool
is_fresh(const struct throttle *t, int64_t at)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct throttle_bucket *b = &t->bucket[i];

		if (b->burst == 0 ? failures_of(b, at) > 0
		                  : !b->reserve && !b->stays && level_of(b, at) > 2 * b->interval)
			return false;
	}
	return true;
}

static void
find_wait(struct charging *c)
{
	bool fresh = is_fresh(c->throttle, c->at);

	c->wait = 0;
	for (size_t i = 0; i < c->throttle->n; i++) {
		int64_t wait = wait_of(c, &c->throttle->bucket[i], fresh);

		c->wait = wait > c->wait ? wait : c->wait;
	}
}

static enum db_result
hold(struct db *db, const uint8_t key[THROTTLE_KEY], int64_t now)
{
	struct query *q = db_query(db, QUERY_THROTTLE_HOLD);

	db_bytes(q, "bucket", key, THROTTLE_KEY);
	db_int(q, "now", now);
	return db_run(q);
}

static enum db_result
put(struct db *db, const uint8_t key[THROTTLE_KEY], int64_t failures, int64_t last, int64_t until)
{
	struct query *q = db_query(db, QUERY_THROTTLE_PUT);

	db_bytes(q, "bucket", key, THROTTLE_KEY);
	db_int(q, "failures", failures);
	db_int(q, "last", last);
	db_int(q, "until", until);
	return db_run(q);
}

static enum db_result
put_charged(struct db *db, const struct charging *c, const struct throttle_bucket *b)
{
	int64_t failures = failures_of(b, c->at) + 1;

	if (b->burst > 0)
		return put(db, b->key, 0, c->at, c->at + level_of(b, c->at) + b->interval);
	return put(db, b->key, failures, c->at, c->at + delay_after(failures, c->free));
}

/* Looks again with the rows held, and counts the attempt where it still may be made. */
static enum db_result
charge(struct db *db, void *arg)
{
	struct charging *c = arg;
	struct throttle *t = c->throttle;
	enum db_result result = DB_END;

	for (size_t i = 0; i < t->n && result == DB_END; i++)
		result = hold(db, t->bucket[i].key, c->now->wall);
	/* last, in every transaction */
	if (result == DB_END)
		result = hold(db, t->clock, c->now->wall);
	if (result == DB_END)
		result = read_buckets(db, c);
	if (result != DB_END)
		return result;
	find_wait(c);
	if (c->wait > 0)
		return DB_TAKEN; /* somebody was faster: nothing is counted */
	for (size_t i = 0; i < t->n && result == DB_END; i++)
		result = put_charged(db, c, &t->bucket[i]);
	return result != DB_END ? result : put(db, t->clock, 0, c->at, c->now->boot);
}

static void
purge(struct db *db, int64_t at)
{
	struct query *q = db_query(db, QUERY_THROTTLE_PURGE);

	db_int(q, "old", at - KEEP);
	db_no_wait(q);
	if (db_run(q) != DB_END)
		log_debug("old failures could not be removed", LOG_TEXT("error", db_error(db)));
}

enum db_result
throttle_charge(struct db *db, struct secret *secret, int64_t free, enum throttle_what what,
    const struct throttle_visitor *v, const struct throttle_now *now, struct throttle *t,
    int64_t *wait)
{
	struct charging c = { .secret = secret, .free = free, .now = now, .throttle = t };
	struct arena *a = arena_new();
	enum db_result result;

	choose(
	    t, secret, free, what, v, unicode_nfkc(a, v->account), throttle_network(a, v->address));
	arena_free(a);
	secret_sign(secret, (struct str[]){ STR("throttle"), STR("clock"), str_of(now->host) }, 3,
	    t->clock);
	if ((result = read_buckets(db, &c)) != DB_END)
		return result;
	find_wait(&c);
	if (c.wait == 0) {
		result = db_transaction(db, DB_WRITE, charge, &c);
		if (result == DB_END)
			purge(db, c.at);
		else if (result != DB_TAKEN)
			return result;
	}
	*wait = c.wait;
	return DB_END;
}

struct giving {
	const struct throttle *throttle;
	bool forget;
};

static enum db_result
give_back(struct db *db, void *arg)
{
	const struct giving *g = arg;
	enum db_result result = DB_END;

	for (size_t i = 0; i < g->throttle->n && result == DB_END; i++) {
		const struct throttle_bucket *b = &g->throttle->bucket[i];
		struct query *q;

		if (g->forget && b->stays)
			continue;
		q = db_query(db,
		    b->burst > 0    ? QUERY_THROTTLE_GIVE_BACK
		        : g->forget ? QUERY_THROTTLE_FORGET
		                    : QUERY_THROTTLE_GIVE_BACK_ONE);
		db_bytes(q, "bucket", b->key, THROTTLE_KEY);
		if (b->burst > 0)
			db_int(q, "interval", b->interval);
		else if (!g->forget)
			db_int(q, "until", b->until);
		result = db_run(q);
	}
	return result;
}

enum db_result
throttle_give_back(struct db *db, const struct throttle *t, bool forget)
{
	return db_transaction(
	    db, DB_WRITE, give_back, &(struct giving){ .throttle = t, .forget = forget });
}

/* --- the same for a request --- */

/* The machine's name, which stands for its clock. */
static const char *
machine(void)
{
	static struct utsname name;

	if (name.nodename[0] == '\0' && uname(&name) != 0)
		return "";
	return name.nodename;
}

int64_t
throttle_ask(struct request *r, enum throttle_what what, struct str account, struct throttle *t)
{
	struct secret *secret = auth_of(r)->secret;
	struct throttle_now now = { machine(), r->now, clock_boot() };
	struct throttle_visitor v = { .account = account, .address = r->remote_addr };
	uint8_t device[DEVICE_ID];
	enum db_result result;
	int64_t wait = 0;

	if (rules[what].known_devices &&
	    device_find(secret, r->arena, request_cookie(r, DEVICE_COOKIE), account, device))
		v.device = device;
	result = throttle_charge(r->app->db, secret,
	    config_int(r->app->config, "THROTTLE_FREE_FAILURES"), what, &v, &now, t, &wait);
	if (result != DB_END) {
		log_error("an attempt could not be counted, so it was refused",
		    LOG_INT("result", result), LOG_TEXT("error", db_error(r->app->db)));
		return -1;
	}
	if (wait == 0)
		return 0;
	wait = (wait + SECOND - 1) / SECOND;
	event_note(r,
	    (struct event){ .kind = EVENT_SIGN_IN_THROTTLED,
	        .detail = arena_printf(
	            r->arena, "%s: refused for %d s", rules[what].word, (int)wait) });
	return wait;
}

struct str
throttle_sentence(struct arena *a, int64_t wait)
{
	int n = (int)(wait < 60 ? wait : (wait + 59) / 60);

	return arena_printf(a, "There were too many attempts. Try again in %d %s%s.", n,
	    wait < 60 ? "second" : "minute", n == 1 ? "" : "s");
}

int
throttle_refuse(struct request *r, struct response *res, int64_t wait)
{
	if (wait < 0)
		return respond_error(r, res, 503, NULL);
	respond_error(r, res, 429, throttle_sentence(r->arena, wait).p);
	response_set(res, "Retry-After", arena_printf(r->arena, "%lld", (long long)wait));
	return 0;
}

/* What cannot be given back counts as one failure more: that harms nobody for long. */
static void
end(struct request *r, const struct throttle *t, bool forget)
{
	if (throttle_give_back(r->app->db, t, forget) != DB_END)
		log_warn(
		    "an attempt could not be given back", LOG_TEXT("error", db_error(r->app->db)));
}

void
throttle_passed(struct request *r, const struct throttle *t)
{
	end(r, t, true);
}

void
throttle_undo(struct request *r, const struct throttle *t)
{
	end(r, t, false);
}
