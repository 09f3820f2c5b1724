/*
 * confluent: the schemas that were found, the numbers that were not, and where to look.
 */
#include "alert/confluent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/registry.h"
#include "alert/schema_files.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define MAX_SCHEMAS 256
#define MISSES 16 /* numbers remembered as not found */

struct confluent {
	const struct avro_shape *const *shapes;
	char *directory, *registry;
	bool away; /* the last look-up failed since the registry gave no answer */
	long seconds;
	int64_t patience;
	size_t n;
	struct {
		uint32_t id;
		struct avro_schema *schema;
	} known[MAX_SCHEMAS];
	size_t nmisses; /* ever */
	struct {
		uint32_t id;
		int64_t until; /* clock_monotonic */
		bool away;
		char why[300];
	} misses[MISSES];
};

static char *
copy_of(const char *s)
{
	char *copy = s == NULL ? NULL : strdup(s);

	if (s != NULL && copy == NULL)
		arena_exhausted();
	return copy;
}

static bool
directory_will_do(const char *path, bool written, char *err, size_t errsize)
{
	struct stat st;

	if (stat(path, &st) != 0)
		snprintf(err, errsize, "%.400s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		snprintf(err, errsize, "%.400s: it is no directory", path);
	else if (access(path, written ? R_OK | W_OK | X_OK : R_OK | X_OK) != 0)
		snprintf(err, errsize, "%.400s: %s", path, strerror(errno));
	else
		return true;
	return false;
}

struct confluent *
confluent_new(const struct avro_shape *const *shapes, const struct confluent_options *o, char *err,
    size_t errsize)
{
	struct confluent *c;

	if (o->registry != NULL && !registry_url_will_do(o->registry, err, errsize))
		return NULL;
	if (o->directory != NULL &&
	    !directory_will_do(o->directory, o->registry != NULL, err, errsize))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		arena_exhausted();
	c->shapes = shapes;
	c->directory = copy_of(o->directory);
	c->registry = copy_of(o->registry);
	c->seconds = o->seconds > 0 ? o->seconds : REGISTRY_SECONDS;
	c->patience = o->patience > 0 ? o->patience : CONFLUENT_PATIENCE;
	return c;
}

void
confluent_free(struct confluent *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		avro_schema_free(c->known[i].schema);
	free(c->directory);
	free(c->registry);
	free(c);
}

/* Writes DIRECTORY/ID.avsc, whole or not at all. Others may do so at the same time. */
static void
keep(const struct confluent *c, uint32_t id, struct str text)
{
	char path[4200], new[4200];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "%.4000s/%" PRIu32 ".avsc", c->directory, id);
	snprintf(new, sizeof(new), "%.4000s/.%" PRIu32 ".avsc.XXXXXX", c->directory, id);
	fd = mkstemp(new);
	done = fd >= 0 && fchmod(fd, 0644) == 0 && write(fd, text.p, text.n) == (ssize_t)text.n &&
	    fsync(fd) == 0;
	if (fd >= 0)
		done = close(fd) == 0 && done;
	if (done && rename(new, path) == 0)
		return;
	log_warn("schema not kept", LOG_STR("file", str_of(path)),
	    LOG_STR("error", str_of(strerror(errno))));
	if (fd >= 0)
		unlink(new);
}

/* Reads the schema's text; it came from the registry where *fetched. */
static bool
look_for(
    struct confluent *c, uint32_t id, struct buf *text, bool *fetched, char *err, size_t errsize)
{
	enum schema_file found = SCHEMA_ABSENT;

	*fetched = false;
	if (c->directory != NULL)
		found = schema_files_read(c->directory, id, text, err, errsize);
	if (found != SCHEMA_ABSENT)
		return found == SCHEMA_READ;
	if (c->registry != NULL) {
		*fetched = true;
		return registry_fetch(c->registry, id, c->seconds, text, &c->away, err, errsize);
	}
	snprintf(err, errsize, "there is no schema %" PRIu32 " in %.200s", id,
	    c->directory != NULL ? c->directory : "no directory");
	return false;
}

static struct avro_schema *
learn(struct confluent *c, uint32_t id, char *err, size_t errsize)
{
	struct avro_schema *schema = NULL;
	struct buf text = { 0 };
	char why[250] = "";
	bool fetched;

	if (c->n == MAX_SCHEMAS)
		snprintf(err, errsize, "schema %" PRIu32 ": more schemas than any stream has", id);
	else if (look_for(c, id, &text, &fetched, err, errsize)) {
		schema = avro_schema_new(c->shapes, buf_text(&text), why, sizeof(why));
		if (schema == NULL)
			snprintf(err, errsize, "schema %" PRIu32 ": %s", id, why);
		else if (fetched && c->directory != NULL)
			keep(c, id, buf_text(&text));
	}
	buf_free(&text);
	return schema;
}

const struct avro_schema *
confluent_find(void *arg, uint32_t id, char *err, size_t errsize)
{
	struct confluent *c = arg;
	struct avro_schema *schema;
	int64_t now = clock_monotonic();
	size_t at;

	for (size_t i = 0; i < c->n; i++)
		if (c->known[i].id == id)
			return c->known[i].schema;
	for (size_t i = 0; i < MISSES; i++)
		if (c->misses[i].until > now && c->misses[i].id == id) {
			c->away = c->misses[i].away;
			snprintf(err, errsize, "%s", c->misses[i].why);
			return NULL;
		}
	c->away = false;
	schema = learn(c, id, err, errsize);
	if (schema == NULL) {
		at = c->nmisses++ % MISSES;
		c->misses[at].id = id;
		c->misses[at].away = c->away;
		c->misses[at].until = clock_monotonic() +
		    (c->away ? c->patience : CONFLUENT_PATIENCE);
		snprintf(c->misses[at].why, sizeof(c->misses[at].why), "%s", err);
		return NULL;
	}
	c->known[c->n].id = id;
	c->known[c->n++].schema = schema;
	return schema;
}

bool
confluent_is_away(const struct confluent *c)
{
	return c->away;
}
