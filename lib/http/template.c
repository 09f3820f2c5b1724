/*
 * template: where templates come from: files NAME.html in the operator's directory of overrides
 * and then in ours, each read and compiled once, when it is first named.
 */
#include "http/template.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/mustache.h"

#define SUFFIX ".html"
#define FILE_MAX MIB(1)

struct template
{
	struct program program;
	uint32_t hash; /* of the name */
	size_t namelen;
	bool failed;
	struct str why; /* where it failed */
	struct template *next;
};

struct templates {
	struct arena *arena;
	const char *dir, *overrides; /* NULL: no files at all */
	const struct value *partials; /* of template_render_text */
	bool html;
	struct template *list;
};

static bool
is_name(struct str s)
{
	if (s.n == 0 || s.n > 64)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		        s.p[i] == '-' || s.p[i] == '_'))
			return false;
	return true;
}

static struct templates *
templates_make(void)
{
	struct templates *ts = calloc(1, sizeof(*ts));

	if (ts == NULL)
		arena_exhausted();
	ts->arena = arena_new();
	ts->html = true;
	return ts;
}

struct templates *
templates_new(const char *dir, const char *overrides)
{
	struct templates *ts = templates_make();

	ts->dir = arena_strdup(ts->arena, dir);
	if (overrides != NULL && overrides[0] != '\0')
		ts->overrides = arena_strdup(ts->arena, overrides);
	return ts;
}

void
templates_free(struct templates *ts)
{
	if (ts == NULL)
		return;
	arena_free(ts->arena);
	free(ts);
}

/* The whole file. 0; -1 with why, and errno ENOENT where there is none. */
static int
read_file(const char *path, struct buf *out, char *err, size_t errsize)
{
	FILE *f = fopen(path, "re");
	size_t n;
	int error;

	if (f == NULL) {
		error = errno;
		snprintf(err, errsize, "%s: %s", path, strerror(error));
		errno = error;
		return -1;
	}
	do {
		char *at = buf_room(out, KIB(16));

		n = fread(at, 1, KIB(16), f);
		out->n += n;
	} while (n > 0 && out->n <= FILE_MAX);
	error = ferror(f) ? errno : 0;
	fclose(f);
	if (error == 0 && out->n <= FILE_MAX && str_is_utf8(buf_text(out)))
		return 0;
	snprintf(err, errsize, "%s: %s", path,
	    error != 0              ? strerror(error)
	        : out->n > FILE_MAX ? "a template is at most 1 MiB long"
	                            : "the file is not UTF-8 text");
	errno = EIO;
	return -1;
}

/* Finds the text of a template. 0 with it and its path; 1 where there is none; -1 with why. */
static int
find_source(struct templates *ts, struct str name, struct buf *source, const char **path, char *err,
    size_t errsize)
{
	const char *const dirs[] = { ts->overrides, ts->dir };
	const struct value *v;

	if (ts->dir == NULL) {
		v = value_get(ts->partials, name.p, name.n);
		*path = arena_copy(ts->arena, name.p, name.n).p;
		buf_str(source, value_kind(v) == VALUE_TEXT ? value_text(v) : STR(""));
		return value_kind(v) == VALUE_TEXT ? 0 : 1;
	}
	if (!is_name(name))
		return 1;
	for (size_t i = 0; i < NELEM(dirs); i++) {
		if (dirs[i] == NULL)
			continue;
		*path = arena_printf(ts->arena, "%s/%.*s" SUFFIX, dirs[i], STR_ARG(name)).p;
		if (read_file(*path, source, err, errsize) == 0)
			return 0;
		if (errno != ENOENT)
			return -1;
	}
	return 1;
}

static struct template *
template_get(struct templates *, struct str name, bool *none, char *err, size_t errsize);

static struct program *
find_partial(void *arg, struct str name, bool *none, char *err, size_t errsize)
{
	struct templates *ts = arg;
	bool missing = false;
	struct template *t = template_get(ts, name, &missing, err, errsize);

	*none = missing && ts->dir == NULL;
	return t == NULL ? NULL : &t->program;
}

/* A template by name, compiled when it is first asked for. NULL with why; *none: there is none. */
static struct template *
template_get(struct templates *ts, struct str name, bool *none, char *err, size_t errsize)
{
	uint32_t hash = value_hash(name.p, name.n);
	struct buf source = { NULL, 0, 0 };
	struct template *t;
	const char *path;
	int found;

	for (t = ts->list; t != NULL; t = t->next) {
		if (t->hash != hash || t->namelen != name.n ||
		    memcmp(t->program.name, name.p, name.n) != 0)
			continue;
		if (t->failed)
			snprintf(err, errsize, "%.*s", STR_ARG(t->why));
		return t->failed ? NULL : t;
	}
	found = find_source(ts, name, &source, &path, err, errsize);
	if (found != 0) {
		*none = found == 1;
		buf_free(&source);
		return NULL;
	}
	/* it stands in the list before it is compiled: it may name itself as a partial */
	t = arena_alloc(ts->arena, sizeof(*t));
	t->hash = hash;
	t->namelen = name.n;
	t->program.name = arena_copy(ts->arena, name.p, name.n).p;
	t->next = ts->list;
	ts->list = t;
	if (mustache_compile(&t->program, ts->arena, path, buf_text(&source), ts->html,
	        find_partial, ts, err, errsize) < 0) {
		t->failed = true;
		t->why = arena_str(ts->arena, str_of(err));
	}
	buf_free(&source);
	return t->failed ? NULL : t;
}

static struct template *
template_find(struct templates *ts, const char *name, char *err, size_t errsize)
{
	bool none = false;
	struct template *t = template_get(ts, str_of(name), &none, err, errsize);

	if (none)
		snprintf(err, errsize, "there is no template %s" SUFFIX " in %s%s%s", name,
		    ts->overrides != NULL ? ts->overrides : "", ts->overrides != NULL ? " or " : "",
		    ts->dir);
	return t;
}

int
templates_compile(struct templates *ts, const char *name, char *err, size_t errsize)
{
	return template_find(ts, name, err, errsize) == NULL ? -1 : 0;
}

static int
compile_dir(struct templates *ts, const char *dir, char *err, size_t errsize)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	if (d == NULL) {
		snprintf(err, errsize, "%s: %s", dir, strerror(errno));
		return -1;
	}
	while (r == 0 && (e = readdir(d)) != NULL) {
		struct str file = str_of(e->d_name);
		char name[80];

		if (!str_ends(file, SUFFIX) || file.p[0] == '.')
			continue;
		file.n -= sizeof(SUFFIX) - 1;
		if (!is_name(file)) {
			snprintf(err, errsize,
			    "%s/%s: a template's name is made of a-z, 0-9, '-' and '_'", dir,
			    e->d_name);
			r = -1;
			break;
		}
		snprintf(name, sizeof(name), "%.*s", STR_ARG(file));
		r = templates_compile(ts, name, err, errsize);
	}
	closedir(d);
	return r;
}

int
templates_compile_all(struct templates *ts, char *err, size_t errsize)
{
	if (ts->overrides != NULL && compile_dir(ts, ts->overrides, err, errsize) < 0)
		return -1;
	return compile_dir(ts, ts->dir, err, errsize);
}

int
templates_render(struct templates *ts, const char *name, const struct value *v, struct buf *out,
    char *err, size_t errsize)
{
	struct template *t = template_find(ts, name, err, errsize);

	return t == NULL ? -1 : mustache_render(&t->program, v, out, err, errsize);
}

int
template_render_text(struct str source, bool html, const struct value *v,
    const struct value *partials, struct buf *out, char *err, size_t errsize)
{
	struct templates *ts = templates_make();
	struct program p = { .name = "template" };
	int r;

	ts->html = html;
	ts->partials = partials;
	r = mustache_compile(
	    &p, ts->arena, "template", source, html, find_partial, ts, err, errsize);
	if (r == 0)
		r = mustache_render(&p, v, out, err, errsize);
	templates_free(ts);
	return r;
}
