/*
 * mail: the queue of mail, a table: what is added, who takes it to be sent, what became of it.
 */
#include "tom/mail.h"

#include <string.h>

#include "base/log.h"
#include "tom/site.h"

#define ERROR_BYTES 900 /* of what is kept of an error */

bool
mail_is_on(const struct config *c)
{
	return strcmp(config_text(c, "MAIL_TRANSPORT"), "none") != 0;
}

const char *
mail_settings_wrong(const struct config *c)
{
	const char *url = config_text(c, "MAIL_SMTP_URL");

	if (!mail_is_on(c))
		return NULL;
	if (!mail_address_is_good(str_of(config_text(c, "MAIL_FROM"))))
		return "MAIL_FROM is not an address such as tom@example.org, which mail is to "
		       "come from";
	if (strcmp(config_text(c, "MAIL_TRANSPORT"), "sendmail") == 0)
		return config_text(c, "SENDMAIL_PATH")[0] == '/'
		    ? NULL
		    : "SENDMAIL_PATH is not the whole path of a program";
	if (strncmp(url, "smtp://", 7) != 0 && strncmp(url, "smtps://", 8) != 0)
		return "MAIL_SMTP_URL is not of the form smtp://host:587 or smtps://host";
	if (strchr(url, '@') != NULL)
		return "MAIL_SMTP_URL holds a user: give MAIL_USER and MAIL_PASSWORD_FILE";
	if ((config_text(c, "MAIL_USER")[0] != '\0') !=
	    (config_text(c, "MAIL_PASSWORD_FILE")[0] != '\0'))
		return "MAIL_USER and MAIL_PASSWORD_FILE go together";
	return NULL;
}

/* -- adding -- */

/* A subject fit for a header: one line, not too long. Its text in the arena of the call. */
static struct str
one_line(struct arena *a, struct str s)
{
	struct str line = arena_str(a, s);
	char *p = (char *)line.p;
	size_t points = 0, n = 0;

	for (; n < line.n; n++) {
		if (((unsigned char)p[n] & 0xc0) != 0x80 && points++ == MAIL_SUBJECT_MAX)
			break;
		if ((unsigned char)p[n] < ' ' || p[n] == 0x7f)
			p[n] = ' ';
	}
	return (struct str){ p, n };
}

static enum db_result
add(struct db *db, struct str to, struct str key, struct str subject, struct str body)
{
	struct query *q = db_query(db, QUERY_MAIL_ADD);

	db_int(q, "now", clock_now());
	db_text(q, "to", to);
	db_text(q, "key", key);
	db_text(q, "subject", subject);
	db_text(q, "body", body);
	return db_run(q);
}

/* Did the address get as much as strangers may send it? */
static enum db_result
is_flooded(struct db *db, struct str key, bool *flooded)
{
	struct query *q = db_query(db, QUERY_MAIL_RECENT);
	int64_t now = clock_now();

	db_text(q, "key", key);
	db_int(q, "hour", now - HOUR);
	db_int(q, "day", now - DAY);
	while (db_step(q) == DB_ROW)
		*flooded = db_col_int(q, "hour") >= MAIL_FLOOD_HOUR ||
		    db_col_int(q, "day") >= MAIL_FLOOD_DAY;
	return db_done(q);
}

static enum db_result
add_checked(struct db *db, const struct config *c, struct str to, struct str subject,
    struct str body, bool asked)
{
	struct arena *a;
	bool flooded = false;
	enum db_result r = DB_END;
	struct str key;

	if (!mail_is_on(c))
		return DB_END;
	if (!mail_address_is_good(to) || !str_is_utf8(subject) || !str_is_utf8(body)) {
		if (!str_empty(to))
			log_warn("mail cannot be sent to this address", LOG_STR("address", to));
		return DB_END;
	}
	a = arena_new();
	key = mail_address_key(a, to);
	if (asked)
		r = is_flooded(db, key, &flooded);
	if (flooded)
		log_warn(
		    "mail was not sent: the address got too much lately", LOG_STR("address", to));
	else if (r == DB_END)
		r = add(db, to, key, one_line(a, subject), body);
	arena_free(a);
	return r;
}

enum db_result
mail_add(struct db *db, const struct config *c, struct str to, struct str subject, struct str body)
{
	return add_checked(db, c, to, subject, body, false);
}

enum db_result
mail_add_asked(
    struct db *db, const struct config *c, struct str to, struct str subject, struct str body)
{
	return add_checked(db, c, to, subject, body, true);
}

enum db_result
mail_link(
    struct db *db, struct arena *a, const struct config *c, const char *path, struct str *link)
{
	struct site site;
	enum db_result r = site_get(db, a, config_int(c, "SITE_ID"), &site);
	struct str prefix = str_of(config_text(c, "URL_PREFIX"));

	if (r != DB_ROW)
		return r;
	while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
		prefix.n--;
	*link = arena_printf(a, "%s://%.*s%.*s%s",
	    config_bool(c, "INSECURE_HTTP") ? "http" : "https", STR_ARG(site.domain),
	    STR_ARG(prefix), path);
	return DB_ROW;
}

/* -- the queue -- */

enum mail_state
mail_state(const struct mail *m)
{
	return m->sent != 0 ? MAIL_SENT : m->next_try != 0 ? MAIL_WAITING : MAIL_GIVEN_UP;
}

enum db_result
mail_list(
    struct db *db, struct arena *a, int64_t after, size_t limit, struct mail **list, size_t *n)
{
	struct query *q = db_query(db, QUERY_MAIL_LIST);

	*list = arena_array(a, limit, sizeof(**list));
	*n = 0;
	db_int(q, "after", after);
	db_int(q, "limit", (int64_t)limit);
	while (db_step(q) == DB_ROW) {
		struct mail *m = &(*list)[*n];

		if (*n == limit)
			continue;
		m->id = db_col_int(q, "id");
		m->created = db_col_int(q, "created");
		m->to = db_col_copy(q, "recipient", a);
		m->subject = db_col_copy(q, "subject", a);
		m->attempts = db_col_int(q, "attempts");
		m->next_try = db_col_int(q, "next_try");
		m->sent = db_col_int(q, "sent");
		m->error = db_col_copy(q, "error", a);
		++*n;
	}
	return db_done(q);
}

#define DUE 8 /* as many as the statement gives */

static enum db_result
due(struct db *db, struct arena *a, int64_t now, struct mail list[DUE], size_t *n)
{
	struct query *q = db_query(db, QUERY_MAIL_DUE);

	*n = 0;
	db_int(q, "now", now);
	while (db_step(q) == DB_ROW) {
		struct mail *m = &list[*n];

		if (*n == DUE)
			continue;
		*m = (struct mail){ .id = db_col_int(q, "id"),
			.created = db_col_int(q, "created"),
			.attempts = db_col_int(q, "attempts"),
			.next_try = db_col_int(q, "next_try") };
		m->to = db_col_copy(q, "recipient", a);
		m->subject = db_col_copy(q, "subject", a);
		m->body = db_col_copy(q, "body", a);
		++*n;
	}
	return db_done(q);
}

enum db_result
mail_claim(struct db *db, struct arena *a, int64_t now, struct mail *m)
{
	struct mail list[DUE];
	size_t n;
	enum db_result r;

	do {
		if ((r = due(db, a, now, list, &n)) != DB_END)
			return r;
		for (size_t i = 0; i < n; i++) {
			struct query *q = db_query(db, QUERY_MAIL_CLAIM);

			db_int(q, "id", list[i].id);
			db_int(q, "seen", list[i].next_try);
			db_int(q, "attempts", list[i].attempts);
			db_int(q, "lease", now + MAIL_LEASE);
			if ((r = db_run(q)) != DB_END)
				return r;
			if (db_changes(db) == 0)
				continue; /* somebody else's */
			*m = list[i];
			m->attempts++;
			return DB_ROW;
		}
	} while (n > 0);
	return DB_END;
}

enum db_result
mail_done(struct db *db, const struct mail *m, int64_t now)
{
	struct query *q = db_query(db, QUERY_MAIL_DONE);

	db_int(q, "id", m->id);
	db_int(q, "attempts", m->attempts);
	db_int(q, "now", now);
	return db_run(q);
}

/* How long after the attempt of that number (1: the first) the next one comes. */
static int64_t
delay(int64_t attempts)
{
	static const int64_t delays[] = { MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR };

	return attempts > 0 && attempts <= (int64_t)NELEM(delays) ? delays[attempts - 1] : 6 * HOUR;
}

enum db_result
mail_failed(struct db *db, const struct mail *m, int64_t now, struct str error, bool for_good)
{
	int64_t next = now + delay(m->attempts);
	bool gives_up = for_good || next - m->created > MAIL_GIVE_UP;
	struct query *q = db_query(db, gives_up ? QUERY_MAIL_GIVE_UP : QUERY_MAIL_LATER);

	if (error.n > ERROR_BYTES)
		error.n = ERROR_BYTES;
	while (error.n > 0 && !str_is_utf8(error))
		error.n--;
	db_int(q, "id", m->id);
	db_int(q, "attempts", m->attempts);
	db_text(q, "error", error);
	if (!gives_up)
		db_int(q, "next", next);
	return db_run(q);
}

/* DB_ROW where a row was changed. */
static enum db_result
changed(struct db *db, struct query *q)
{
	enum db_result r = db_run(q);

	return r == DB_END && db_changes(db) > 0 ? DB_ROW : r;
}

enum db_result
mail_retry(struct db *db, int64_t id, int64_t now)
{
	struct query *q = db_query(db, QUERY_MAIL_RETRY);

	db_int(q, "id", id);
	db_int(q, "now", now);
	return changed(db, q);
}

enum db_result
mail_drop(struct db *db, int64_t id)
{
	struct query *q = db_query(db, QUERY_MAIL_DROP);

	db_int(q, "id", id);
	return changed(db, q);
}

enum db_result
mail_purge(struct db *db, int64_t now)
{
	struct query *q = db_query(db, QUERY_MAIL_PURGE);

	db_int(q, "before", now - MAIL_KEPT);
	return db_run(q);
}
