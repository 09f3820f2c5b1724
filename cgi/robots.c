/*
 * robots: what crawlers may read.
 *
 *	GET /robots.txt		the rules for this host (RFC 9309)
 *
 * The text is that of ROBOTS_TXT_DIR/HOST.txt, else of ROBOTS_TXT_PATH, else "nobody, nothing" with
 * the Sitemap lines of ROBOTS_SITEMAP. A file that cannot be used is as good as none, and is named
 * once in the log: a crawler must never take a mistake of ours for "all is allowed". No database, no
 * session, no template; every host is answered and none is echoed. A worker can read the directories
 * of these files and nothing else (SANDBOX).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "http/response.h"
#include "http/robots.h"

#define CACHE "public, max-age=3600"
#define TYPE "text/plain; charset=utf-8"
#define DEFAULT_RULES "User-Agent: *\nDisallow: /\n"
/* Where a worker must leave in mid-request: a crawler takes an error for longer than we need. */
#define LAST_WORDS \
	"Status: 200 OK\r\nContent-Type: " TYPE "\r\nContent-Length: 26\r\n" \
	"Cache-Control: no-store\r\n\r\n" DEFAULT_RULES
/* Hosts with a file of their own that are remembered at once. */
#define HOSTS_KEPT 64

/* A text, where it came from, and what the file looked like then. */
struct source {
	char *path; /* NULL: a free place */
	struct robots_mark mark;
	bool usable;
	struct buf text;
	struct str etag;
	int64_t modified; /* microseconds UTC */
	struct arena *arena; /* of etag */
};

struct robots {
	struct source ours, file, hosts[HOSTS_KEPT];
	size_t next; /* the place that is given away next */
};

static void
set_etag(struct source *s)
{
	if (s->arena == NULL)
		s->arena = arena_new();
	arena_reset(s->arena);
	s->etag = robots_etag(s->arena, buf_text(&s->text));
}

static void
tell(void *arg, unsigned line, const char *what)
{
	const struct source *s = arg;

	log_warn("robots.txt is odd", LOG_TEXT("path", s->path), LOG_INT("line", line),
	    LOG_TEXT("what", what));
}

/* Is there a text, read again where the file has changed? `silent`: the file need not exist. */
static bool
refresh(struct source *s, bool silent)
{
	struct robots_mark mark;
	const char *wrong;

	robots_look(s->path, &mark);
	if (robots_same(&mark, &s->mark) && s->etag.p != NULL)
		return s->usable;
	s->mark = mark;
	wrong = robots_read(s->path, &s->text);
	s->usable = wrong == NULL;
	s->modified = (int64_t)mark.modified.tv_sec * SECOND;
	set_etag(s);
	if (s->usable)
		(void)robots_lint(buf_text(&s->text), tell, s);
	else if (!(silent && (mark.error == ENOENT || mark.error == ENOTDIR)))
		log_warn("default robots.txt served", LOG_TEXT("path", s->path),
		    LOG_TEXT("error", wrong));
	return s->usable;
}

/* Without the port; absent where it can be no file name: an address in brackets. */
static struct str
name_of(struct str host)
{
	size_t end = str_find(host, ':');

	return end == 0 || host.p[0] == '[' ? STR_NONE : (struct str){ host.p, end };
}

/* The source of a host's own file, NULL where there is none. The host was checked to be one. */
static struct source *
host_source(struct robots *b, struct request *r)
{
	const char *dir = config_text(r->app->config, "ROBOTS_TXT_DIR");
	struct str name = name_of(r->host);
	struct robots_mark mark;
	struct str path;
	struct source *s;

	if (dir[0] == '\0' || name.n == 0)
		return NULL;
	path = arena_printf(r->arena, "%s/%.*s.txt", dir, STR_ARG(name));
	for (size_t i = 0; i < HOSTS_KEPT; i++)
		if (b->hosts[i].path != NULL && strcmp(b->hosts[i].path, path.p) == 0)
			return &b->hosts[i];
	/* only hosts that have a file take a place: others could name hosts without end */
	robots_look(path.p, &mark);
	if (mark.error == ENOENT)
		return NULL;
	s = &b->hosts[b->next++ % HOSTS_KEPT];
	free(s->path);
	s->path = strdup(path.p);
	if (s->path == NULL)
		arena_exhausted();
	s->etag = STR_NONE;
	return s;
}

static const struct source *
choose(struct robots *b, struct request *r)
{
	struct source *own = host_source(b, r);

	if (own != NULL && refresh(own, true))
		return own;
	if (b->file.path != NULL && refresh(&b->file, false))
		return &b->file;
	return &b->ours;
}

static int
show(struct request *r, struct response *s)
{
	const struct source *from = choose(r->app->own, r);

	response_cache(s, CACHE);
	if (response_not_modified(r, s, from->etag, from->modified))
		return 0;
	return respond_text(r, s, 200, TYPE, buf_text(&from->text));
}

/* When our own text last changed: with the program or its configuration. */
static int64_t
built(const struct config *config)
{
	struct robots_mark program, file;

	robots_look("/proc/self/exe", &program);
	robots_look(config_path(config), &file);
	return (int64_t)(program.modified.tv_sec > file.modified.tv_sec ? program.modified.tv_sec
	                                                                : file.modified.tv_sec) *
	    SECOND;
}

/* Only what may be served can be read. */
static void
needs(const struct app_state *app, struct sandbox *box)
{
	const char *path = config_text(app->config, "ROBOTS_TXT_PATH");
	char dir[ROBOTS_PATH_LONGEST];

	if (path[0] != '\0' && robots_directory(path, dir) == 0)
		sandbox_read(box, dir);
	sandbox_read(box, config_text(app->config, "ROBOTS_TXT_DIR"));
}

static int
start(struct app_state *app)
{
	const char *path = config_text(app->config, "ROBOTS_TXT_PATH");
	struct robots *b = calloc(1, sizeof(*b));
	struct str url;
	size_t sitemaps = 0;

	if (b == NULL)
		arena_exhausted();
	app->own = b;
	if (path[0] != '\0')
		b->file.path = strdup(path);
	buf_puts(&b->ours.text, DEFAULT_RULES);
	for (; (url = config_item(app->config, "ROBOTS_SITEMAP", sitemaps)).p != NULL; sitemaps++)
		buf_printf(
		    &b->ours.text, "%sSitemap: %.*s\n", sitemaps == 0 ? "\n" : "", STR_ARG(url));
	if (sitemaps > 0 && path[0] != '\0')
		log_warn("ROBOTS_SITEMAP is not added to a file: write Sitemap lines there",
		    LOG_TEXT("path", path));
	b->ours.modified = built(app->config);
	set_etag(&b->ours);
	return 0;
}

static void
release(struct source *s)
{
	free(s->path);
	buf_free(&s->text);
	arena_free(s->arena);
}

static void
stop(struct app_state *app)
{
	struct robots *b = app->own;

	release(&b->ours);
	release(&b->file);
	for (size_t i = 0; i < HOSTS_KEPT; i++)
		release(&b->hosts[i]);
	free(b);
}

static const struct route routes[] = {
	ROUTE(GET, "/robots.txt", ANYONE, NO_BODY, show),
};

int
main(int argc, char **argv)
{
	return app_main(argc, argv,
	    &(struct app){ .name = "robots",
	        .what = "what crawlers may read: /robots.txt",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .any_host = true,
	        .bare = true,
	        .last_words = LAST_WORDS,
	        .no_pages = true,
	        .start = start,
	        .needs = needs,
	        .stop = stop });
}
