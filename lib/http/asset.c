/*
 * asset: the manifest of static files.
 */
#include "http/asset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct asset {
	const char *key; /* "style_css" */
	const char *file; /* "style.0123456789ab.css" */
};

struct assets {
	struct arena *arena;
	struct asset *list;
	size_t n, room;
};

static void
add(struct assets *s, const char *name, const char *file)
{
	char *key = arena_strdup(s->arena, name);

	for (char *p = key; *p != '\0'; p++)
		if (*p == '.' || *p == '-')
			*p = '_';
	if (s->n == s->room) {
		struct asset *list = arena_array(s->arena, s->room + 64, sizeof(*list));

		if (s->n > 0)
			memcpy(list, s->list, s->n * sizeof(*list));
		s->list = list;
		s->room += 64;
	}
	s->list[s->n++] = (struct asset){ key, arena_strdup(s->arena, file) };
}

struct assets *
assets_load(const char *share_dir)
{
	struct arena *a = arena_new();
	struct assets *s = arena_alloc(a, sizeof(*s));
	struct str path = arena_printf(a, "%s/static/manifest", share_dir);
	char name[256], file[256];
	FILE *f = fopen(path.p, "re");

	s->arena = a;
	if (f == NULL) {
		log_warn("no manifest of static files: pages have no style", LOG_STR("path", path));
		return s;
	}
	while (fscanf(f, "%255s %255s", name, file) == 2)
		add(s, name, file);
	fclose(f);
	return s;
}

void
assets_free(struct assets *s)
{
	if (s != NULL)
		arena_free(s->arena);
}

void
assets_show(struct value *page, const struct request *r)
{
	const struct assets *s = r->app->assets;
	struct value *to = value_set_object(page, "asset");

	for (size_t i = 0; s != NULL && i < s->n; i++)
		value_set_text(to, s->list[i].key,
		    arena_printf(r->arena, "%s/static/%s", r->app->prefix.p, s->list[i].file));
}
