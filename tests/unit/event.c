/*
 * event: the security log: what a row says, what a flood becomes, what is looked for and removed, on
 * every engine.
 */
#include "unit.h"

#include "auth/event_list.h"
#include "auth/visit.h"
#include "base/clock.h"
#include "engines.h"
#include "scratch.h"

static struct arena *a;
static struct db *db;
static struct auth auth;
static struct app_state state_of;
static struct request request;
static const int64_t start = INT64_C(1790000000) * SECOND / MINUTE * MINUTE;

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	db = scratch_open();
	auth.flood = event_flood_new();
	state_of = (struct app_state){ .db = db, .auth = &auth };
	request = (struct request){
		.app = &state_of, .arena = a, .remote_addr = STR("192.0.2.1"), .now = start
	};
	snprintf(request.request_id, sizeof(request.request_id), "request-id");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	event_flood_free(auth.flood);
	scratch_close();
	arena_free(a);
	return 0;
}

static struct event_row *
list(struct event_filter f, size_t most, size_t *n, bool *more)
{
	struct event_row *rows;

	assert_int_equal(event_list(db, a, &f, most, &rows, n, more), DB_END);
	return rows;
}

static void
row_says_who_what_and_where(void **state)
{
	struct event_row *rows;
	size_t n;
	bool more;

	(void)state;
	event_note(&request,
	    (struct event){ .kind = EVENT_SIGNED_IN,
	        .user = 7,
	        .username = STR("ada"),
	        .actor = 7,
	        .detail = STR("bad \xff and \xe2\x80\xae") });
	rows = list((struct event_filter){ .username = STR("ada") }, 10, &n, &more);
	assert_true(n == 1 && !more);
	assert_true(rows[0].at == start && rows[0].user == 7 && rows[0].actor == 7);
	assert_str(rows[0].kind, "signed_in");
	assert_str(rows[0].address, "192.0.2.1");
	assert_str(rows[0].request_id, "request-id");
	assert_str(rows[0].detail, "bad ? and ???");
	assert_int_equal(rows[0].times, 1);
	assert_null(rows[0].actor_name.p);
}

static void
flood_becomes_few_rows_that_say_how_many(void **state)
{
	struct event_filter f = { .kind = STR("csrf_refused") };
	struct event_row *rows;
	int64_t times = 0;
	size_t n;
	bool more;

	(void)state;
	request.now = start + HOUR;
	for (int i = 0; i < 500; i++)
		event_note(&request, (struct event){ .kind = EVENT_CSRF_REFUSED });
	list(f, 100, &n, &more);
	assert_int_equal(n, EVENT_ROWS);
	/* nothing is lost: a minute later, or at the end, the rest is a row */
	event_flood_flush(auth.flood, db, request.now, false);
	list(f, 100, &n, &more);
	assert_int_equal(n, EVENT_ROWS);
	event_flood_flush(auth.flood, db, request.now + MINUTE, false);
	rows = list(f, 100, &n, &more);
	assert_int_equal(n, EVENT_ROWS + 1);
	for (size_t i = 0; i < n; i++)
		times += rows[i].times;
	assert_int_equal(times, 500);
	/* what people do themselves is kept each time */
	for (int i = 0; i < 20; i++)
		event_note(&request, (struct event){ .kind = EVENT_SIGNED_OUT });
	list((struct event_filter){ .kind = STR("signed_out") }, 100, &n, &more);
	assert_int_equal(n, 20);
}

static void
flood_from_many_addresses_is_bounded_too(void **state)
{
	struct event_filter f = { .kind = STR("host_refused") };
	struct event_row *rows;
	int64_t times = 0;
	size_t n;
	bool more;

	(void)state;
	request.now = start + 2 * HOUR;
	for (int i = 0; i < 2000; i++) {
		request.remote_addr = arena_printf(a, "10.0.%d.%d", i / 250, i % 250);
		event_note(&request, (struct event){ .kind = EVENT_HOST_REFUSED });
	}
	request.remote_addr = STR("192.0.2.1");
	event_flood_flush(auth.flood, db, request.now, true);
	rows = list(f, 1000, &n, &more);
	assert_in_range(n, 50, EVENT_ROWS_ALL + 70);
	for (size_t i = 0; i < n; i++)
		times += rows[i].times;
	assert_int_equal(times, 2000);
}

static void
list_goes_on_by_keys_and_looks_by_each_filter(void **state)
{
	struct event_filter f = { .from = start + 3 * HOUR, .to = start + 4 * HOUR };
	struct event_row *rows;
	size_t n, seen = 0;
	bool more = true;

	(void)state;
	for (int i = 0; i < 25; i++) {
		/* in pairs of one instant */
		request.now = start + 3 * HOUR + i / 2 * SECOND;
		event_note(&request,
		    (struct event){ .kind = i % 5 == 0 ? EVENT_USER_ADDED : EVENT_SIGNED_OUT,
		        .username = i % 2 == 0 ? STR("eve") : STR("odd") });
	}
	while (more) {
		rows = list(f, 10, &n, &more);
		seen += n;
		f.before = rows[n - 1].at;
		f.before_id = rows[n - 1].id;
	}
	assert_int_equal(seen, 25);
	list((struct event_filter){ .kind = STR("user_added") }, 50, &n, &more);
	assert_int_equal(n, 5);
	list((struct event_filter){ .kind = STR("user_added"), .username = STR("odd") }, 50, &n,
	    &more);
	assert_int_equal(n, 2);
	list((struct event_filter){ .address = STR("10.0.0.1") }, 50, &n, &more);
	assert_int_equal(n, 1);
	list((struct event_filter){ .address = STR("10.0.0.1"), .kind = STR("user_added") }, 50, &n,
	    &more);
	assert_int_equal(n, 0);
}

static void
old_rows_are_removed_some_at_a_time(void **state)
{
	struct event_filter all = { .from = 1 };
	size_t before, n;
	int64_t removed;
	bool more;

	(void)state;
	list(all, 5000, &before, &more);
	assert_int_equal(event_purge(db, start + HOUR + MINUTE, 3, &removed), DB_END);
	assert_int_equal(removed, 3);
	list(all, 5000, &n, &more);
	assert_int_equal(n, before - 3);
	assert_int_equal(event_purge(db, start + HOUR + MINUTE, 1000, &removed), DB_END);
	assert_in_range(removed, 1, 50);
	list((struct event_filter){ .to = start + HOUR + MINUTE }, 50, &n, &more);
	assert_int_equal(n, 0);
	list(all, 5000, &n, &more);
	assert_int_equal(n, before - 3 - (size_t)removed);
}

static void
command_is_of_nobody_and_from_nowhere(void **state)
{
	struct event_row *rows;
	size_t n;
	bool more;

	(void)state;
	event_note_command(db, start + 9 * HOUR,
	    (struct event){ .kind = EVENT_SECRET_ROTATED, .detail = STR("x") });
	rows = list((struct event_filter){ .kind = STR("secret_rotated") }, 5, &n, &more);
	assert_int_equal(n, 1);
	assert_true(rows[0].address.n == 0 && rows[0].actor == 0 && rows[0].request_id.n == 0);
}

/* Noting an event fails nothing; of what strangers cause, the number is kept till it can be written. */
static void
refused_rows_of_a_flood_are_told_later(void **state)
{
	struct event_filter flood = { .kind = STR("token_refused") };
	struct event_row *rows;
	size_t n;
	bool more;

	(void)state;
	request.now = start + 10 * HOUR;
	scratch_refuse(db, "security_event", true);
	for (int i = 0; i < 3; i++)
		event_note(&request, (struct event){ .kind = EVENT_TOKEN_REFUSED });
	event_note(&request, (struct event){ .kind = EVENT_TERMS_ACCEPTED });
	scratch_refuse(db, "security_event", false);
	list(flood, 10, &n, &more);
	assert_int_equal(n, 0);
	event_note(&request, (struct event){ .kind = EVENT_TOKEN_REFUSED });
	event_flood_flush(auth.flood, db, request.now, true);
	rows = list(flood, 10, &n, &more);
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].times + rows[1].times, 4);
	list((struct event_filter){ .kind = STR("terms_accepted") }, 10, &n, &more);
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_says_who_what_and_where),
		cmocka_unit_test(flood_becomes_few_rows_that_say_how_many),
		cmocka_unit_test(flood_from_many_addresses_is_bounded_too),
		cmocka_unit_test(list_goes_on_by_keys_and_looks_by_each_filter),
		cmocka_unit_test(old_rows_are_removed_some_at_a_time),
		cmocka_unit_test(command_is_of_nobody_and_from_nowhere),
		cmocka_unit_test(refused_rows_of_a_flood_are_told_later),
	};

	return engines_run("event", tests, NELEM(tests), set_up, tear_down);
}
