/*
 * alerts_streams: how the streams fare, as their daemons say it. A stream of the configuration that no
 * daemon spoke of is shown as well; so is one of the database that stands in no configuration here.
 */
#include <string.h>

#include "alert/stream_state.h"
#include "alerts.h"
#include "base/clock.h"
#include "base/number.h"

/* The state of a daemon in a word, and the colour that repeats it. */
static void
add_word(struct value *v, const struct stream_daemon *d, bool lives)
{
	value_set_cstr(v, "state", !lives ? "Not heard of" : d->error.n > 0 ? "Waits" : "Runs");
	value_set_cstr(v, "class", !lives ? "bad" : d->error.n > 0 ? "warn" : "ok");
	value_set_bool(v, "silent", !lives);
}

static void
add_time(struct request *r, struct value *v, const char *name, const char *iso, int64_t at)
{
	if (at == 0)
		return;
	value_set_text(v, name, alerts_age(r, at));
	value_set_text(v, iso, clock_iso(r->arena, at));
}

static void
add_daemon(struct request *r, struct value *v, const struct stream_daemon *d)
{
	const struct {
		const char *name;
		int64_t n;
	} counts[] = {
		{ "messages", d->messages },
		{ "alerts", d->alerts },
		{ "new_targets", d->new_targets },
		{ "new_points", d->new_points },
		{ "dead", d->dead },
	};
	bool lives = stream_daemon_lives(d, r->now);

	add_word(v, d, lives);
	for (size_t i = 0; i < NELEM(counts); i++)
		value_set_text(v, counts[i].name, number_count(r->arena, counts[i].n));
	if (lives)
		value_set_text(v, "rate", number_text(r->arena, d->rate, 1, false));
	if (lives && d->behind >= 0)
		value_set_text(v, "behind", number_count(r->arena, d->behind));
	add_time(r, v, "last_packet", "last_packet_iso", d->last_packet);
	add_time(r, v, "started", "started_iso", d->started);
	add_time(r, v, "heartbeat", "heartbeat_iso", d->heartbeat);
	add_time(r, v, "error_at", "error_at_iso", d->error_at);
	value_set_bool(v, "waits", d->error.n > 0);
	if (alerts_is_staff(r)) {
		value_set_text(v, "host", d->host);
		value_set_int(v, "pid", d->pid);
		value_set_text(v, "error", d->error);
	}
}

/* The stream's section of the configuration here, or NULL. */
static const struct config_stream *
section_of(const struct request *r, struct str name)
{
	const struct config_stream *c;

	for (size_t i = 0; (c = config_stream(r->app->config, i)) != NULL; i++)
		if (str_is(name, config_stream_name(c)))
			break;
	return c;
}

/* "1 dead letter", "more than 1,000 dead letters" */
static struct str
letters_text(struct arena *a, int64_t n)
{
	if (n > STREAM_LETTERS_MAX)
		return STR("More than 1,000 dead letters");
	return arena_printf(a, "%s dead %s", number_count(a, n).p, n == 1 ? "letter" : "letters");
}

static void
add_stream(struct request *r, struct value *list, const struct stream_state *s)
{
	const struct config_stream *c = section_of(r, s->name);
	struct value *v = value_add_object(list), *daemons = value_set_list(v, "daemons");

	value_set_text(v, "name", s->name);
	if (c != NULL)
		value_set_cstr(v, "source", config_stream_text(c, "source"));
	for (size_t i = 0; i < s->ndaemons; i++)
		add_daemon(r, value_add_object(daemons), &s->daemons[i]);
	value_set_bool(v, "has_daemons", s->ndaemons > 0);
	if (s->letters > 0)
		value_set_text(v, "letters", letters_text(r->arena, s->letters));
	value_set_text(v, "link", url_encode(r->arena, s->name));
	value_set_bool(v, "is_staff", alerts_is_staff(r));
}

/* Streams of the configuration that the database does not know. */
static void
add_unheard(struct request *r, struct value *list, const struct stream_state *known, size_t n)
{
	const struct config_stream *c;

	for (size_t i = 0; (c = config_stream(r->app->config, i)) != NULL; i++) {
		struct stream_state s = { .name = str_of(config_stream_name(c)) };
		size_t k = 0;

		while (k < n && !str_eq(known[k].name, s.name))
			k++;
		if (k == n)
			add_stream(r, list, &s);
	}
}

int
show_streams(struct request *r, struct response *res)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "streams");
	struct stream_state *states;
	enum db_result done;
	size_t n;

	done = stream_states(r->app->db, r->arena, &states, &n);
	if (done != DB_END)
		return auth_db_failed(r, res, done);
	for (size_t i = 0; i < n; i++)
		add_stream(r, list, &states[i]);
	add_unheard(r, list, states, n);
	value_set_bool(page, "has_streams", value_count(list) > 0);
	value_set_bool(page, "is_staff", alerts_is_staff(r));
	alerts_add_tab(page, "streams");
	value_set_cstr(page, "title", "Streams of alerts");
	return respond_page(r, res, 200, "streams", page);
}
