/*
 * alerts_letters: the dead letters of a stream, for staff.
 *
 * A page decodes nothing: what an alert does to its decoder is kept out of what people sign in to. So a
 * letter is asked for here, and the daemon that serves the stream tries it at its next round
 * (cmd/letter.c), or `meridian-ingest replay` at a shell; what came of it is shown from then on.
 */
#include <inttypes.h>

#include "alert/letter_list.h"
#include "alerts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"

#define ROWS 50

static struct str
list_of(struct request *r, struct str stream)
{
	return arena_printf(
	    r->arena, "/alerts/streams/%s/letters/", url_encode(r->arena, stream).p);
}

static void
add_time(struct request *r, struct value *v, const char *name, int64_t at)
{
	struct value *t;

	if (at == 0)
		return;
	t = value_set_object(v, name);
	value_set_text(t, "minute", clock_minute(r->arena, at));
	value_set_text(t, "iso", clock_iso(r->arena, at));
}

static void
add_letter(struct request *r, struct value *v, const struct letter_row *l)
{
	value_set_int(v, "id", l->id);
	value_set_text(v, "topic", l->topic);
	value_set_int(v, "part", l->part);
	value_set_int(v, "place", l->place);
	value_set_text(v, "reason", l->reason);
	value_set_text(v, "size", number_count(r->arena, l->size));
	if (!l->kept)
		value_set_cstr(v, "lost",
		    l->size > 0 ? "too long to be kept" : "the rest of a file, not kept");
	add_time(r, v, "received", l->received);
	add_time(r, v, "asked", l->asked);
	add_time(r, v, "tried", l->tried);
	add_time(r, v, "replayed", l->replayed);
	add_time(r, v, "dismissed", l->dismissed);
	value_set_bool(v, "may_replay", l->kept && l->asked == 0);
}

int
list_letters(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "letters");
	struct str stream = r->capture[0];
	bool settled = str_is(pairs_get(&r->get, "settled"), "1"), more, later;
	int64_t before = INT64_MAX;
	struct letter_row *rows;
	enum db_result done;
	size_t n;

	later = str_to_int64(pairs_get(&r->get, "before"), &before);
	done = letter_list(r->app->db, r->arena, stream, !settled, before, ROWS, &rows, &n, &more);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	for (size_t i = 0; i < n; i++)
		add_letter(r, value_add_object(list), &rows[i]);
	value_set_bool(page, "has_letters", n > 0);
	value_set_bool(page, "settled", settled);
	value_set_text(page, "stream", stream);
	value_set_text(page, "base", list_of(r, stream));
	value_set_text(page, "stream_link", url_encode(r->arena, stream));
	if (later)
		value_set_cstr(page, "first", settled ? "?settled=1" : "?");
	if (more)
		value_set_text(page, "next",
		    arena_printf(r->arena, "?%sbefore=%" PRId64, settled ? "settled=1&" : "",
		        rows[n - 1].id));
	value_set_bool(page, "has_pages", later || more);
	value_set_text(
	    page, "title", arena_printf(r->arena, "Dead letters of %.*s", STR_ARG(stream)));
	return respond_page(r, res, 200, "letters", page);
}

/* The log says who asked for what: it changes what is stored. */
static void
tell(const struct request *r, const char *what, struct str stream, int64_t id)
{
	log_info(what, LOG_STR("stream", stream), LOG_INT("letter", id),
	    LOG_STR("user", r->user->username));
}

int
replay_letters(struct request *r, struct response *res)
{
	struct str stream = r->capture[0];
	int64_t n;
	enum db_result done = letters_ask(r->app->db, stream, r->now, &n);

	if (done != DB_END)
		return auth_db_failed(r, res, done);
	tell(r, "dead letters of a stream are to be tried again", stream, 0);
	if (n == 0)
		respond_message(r, res, "warn",
		    STR("There is none that could be tried again and is not asked for already."));
	else
		respond_message(r, res, "ok",
		    arena_printf(r->arena,
		        "Asked for %s. The daemon that serves the stream tries them at its next "
		        "round.%s",
		        number_count(r->arena, n).p,
		        n == LETTERS_AT_ONCE ? " These are the oldest: ask again for more." : ""));
	return respond_redirect(r, res, list_of(r, stream));
}

/* The letter of the path, which waits; false with the response filled. */
static bool
find(struct request *r, struct response *res, struct letter_place *l)
{
	enum db_result found = letter_find(r->app->db, r->arena, r->id[0], l);

	if (found == DB_ROW && l->waits)
		return true;
	if (found == DB_ROW) {
		respond_message(
		    r, res, "warn", STR("That letter was taken or dismissed meanwhile."));
		respond_redirect(r, res, list_of(r, l->stream));
	} else if (found == DB_END)
		respond_error(r, res, 404, "There is no such dead letter.");
	else
		auth_db_failed(r, res, found);
	return false;
}

int
replay_letter(struct request *r, struct response *res)
{
	struct letter_place l;
	enum db_result done;

	if (!find(r, res, &l))
		return 0;
	if (!l.kept)
		return respond_error(
		    r, res, 409, "That message was not kept, so that nobody can try it again.");
	done = letter_ask(r->app->db, r->id[0], r->now);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	tell(r, "a dead letter is to be tried again", l.stream, r->id[0]);
	respond_message(r, res, "ok",
	    STR("Asked for. The daemon that serves the stream tries it at its next round."));
	return respond_redirect(r, res, list_of(r, l.stream));
}

int
dismiss_letter(struct request *r, struct response *res)
{
	struct letter_place l;
	enum db_result done;

	if (!find(r, res, &l))
		return 0;
	done = letter_dismiss(r->app->db, r->id[0], r->now);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	tell(r, "a dead letter was dismissed", l.stream, r->id[0]);
	respond_message(r, res, "ok", STR("Dismissed. It stands among those that are settled."));
	return respond_redirect(r, res, list_of(r, l.stream));
}
