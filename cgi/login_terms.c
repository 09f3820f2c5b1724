/*
 * login_terms: the terms of service, and that somebody accepts them. That they are accepted before
 * anything else is the hooks' to see to (lib/auth/hooks.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/event.h"
#include "base/log.h"
#include "login.h"

#define TERMS_MAX KIB(256)

struct str
login_terms_version(const struct request *r)
{
	return str_of(config_text(r->app->config, "TOM_TERMS_OF_SERVICE_VERSION"));
}

/* The whole of a text file, malloc'ed; NULL, or what is wrong. */
static const char *
read_text(const char *path, struct str *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *p = malloc(TERMS_MAX + 1);
	ssize_t got = -1;
	size_t n = 0;

	if (p == NULL)
		arena_exhausted();
	while (fd >= 0 && n <= TERMS_MAX && (got = read(fd, p + n, TERMS_MAX + 1 - n)) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	*text = (struct str){ p, n };
	if (fd >= 0)
		close(fd);
	if (fd < 0 || got < 0)
		return strerror(errno);
	if (n > TERMS_MAX)
		return "it is longer than 256 KiB";
	p[n] = '\0';
	return str_is_utf8(*text) ? NULL : "it is not text in UTF-8";
}

int
login_read_terms(const struct config *c, struct login_own *own)
{
	const char *path = config_text(c, "TERMS_FILE"), *wrong;

	if (path[0] == '\0' || (wrong = read_text(path, &own->terms)) == NULL)
		return 0;
	log_error("cannot start", LOG_TEXT("file", path), LOG_TEXT("why", wrong));
	return -1;
}

/* Adds the paragraphs of the text: what lies between empty lines. */
static void
add_paragraphs(struct arena *a, struct value *list, struct str text)
{
	size_t from = 0;

	for (size_t i = 0; i <= text.n; i++) {
		bool ends = i == text.n ||
		    (text.p[i] == '\n' && i + 1 < text.n &&
		        (text.p[i + 1] == '\n' || text.p[i + 1] == '\r'));
		struct str part = str_trim((struct str){ text.p + from, i - from });

		if (!ends)
			continue;
		if (part.n > 0)
			value_add_text(list, arena_str(a, part));
		from = i;
	}
}

int
show_terms(struct request *r, struct response *res)
{
	const struct login_own *own = r->app->own;
	struct str version = login_terms_version(r);
	struct value *page = value_object(r->arena), *list;

	if (version.n == 0)
		return respond_error(r, res, 404, NULL);
	value_set_cstr(page, "title", "Terms of service");
	value_set_text(page, "version", version);
	value_set_text(page, "next", request_url(r, login_next(r).p));
	value_set_bool(
	    page, "to_accept", r->user != NULL && !str_eq(r->user->terms_version, version));
	list = value_set_list(page, "paragraphs");
	if (own->terms.p != NULL)
		add_paragraphs(r->arena, list, own->terms);
	return respond_page(r, res, 200, "terms", page);
}

/* The version of the form: who read an older one has not accepted this one. */
int
accept_terms(struct request *r, struct response *res)
{
	struct str version = login_terms_version(r);
	enum db_result result;
	struct query *q;

	if (version.n == 0)
		return respond_error(r, res, 404, NULL);
	if (!str_eq(pairs_get(&r->post, "version"), version))
		return respond_error(r, res, 400,
		    "The terms of service have changed since you opened the page. Read them "
		    "again.");
	q = db_query(r->app->db, QUERY_USER_ACCEPT_TERMS);
	db_int(q, "id", r->user->id);
	db_text(q, "version", version);
	db_int(q, "now", r->now);
	if ((result = db_run(q)) != DB_END)
		return auth_db_failed(r, res, result);
	event_note(r,
	    (struct event){ .kind = EVENT_TERMS_ACCEPTED,
	        .user = r->user->id,
	        .username = r->user->username,
	        .detail = version });
	return respond_redirect(r, res, login_next(r));
}
