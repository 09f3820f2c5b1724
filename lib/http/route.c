/*
 * route: from path and method to the row of the table.
 */
#include <string.h>

#include "http/serve.h"

static const struct {
	enum method method;
	const char *name;
} methods[] = {
	{ GET, "GET" },
	{ HEAD, "HEAD" },
	{ POST, "POST" },
	{ PUT, "PUT" },
	{ PATCH, "PATCH" },
	{ DELETE, "DELETE" },
	{ OPTIONS, "OPTIONS" },
};

const char *
method_name(enum method m)
{
	for (size_t i = 0; i < NELEM(methods); i++)
		if (methods[i].method == m)
			return methods[i].name;
	return "?";
}

const char *
access_name(enum access access)
{
	static const char *const names[] = { "MISSING", "ANYONE", "READER", "LOGIN", "STAFF",
		"SUPERUSER" };

	return (size_t)access < NELEM(names) ? names[access] : "?";
}

struct str
route_allow(struct arena *a, unsigned sum)
{
	char text[64] = "";
	size_t n = 0;

	for (size_t i = 0; i < NELEM(methods); i++) {
		size_t len = strlen(methods[i].name);

		if ((sum & methods[i].method) == 0)
			continue;
		if (n > 0) {
			memcpy(text + n, ", ", 2);
			n += 2;
		}
		memcpy(text + n, methods[i].name, len);
		n += len;
	}
	return arena_copy(a, text, n);
}

/* How many bytes at the front of the text the placeholder takes; 0 where it does not fit. */
static size_t
take_id(struct str s, int64_t *id)
{
	size_t n = 0;

	*id = 0;
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9') {
		if (n == 18)
			return 0;
		*id = *id * 10 + (s.p[n++] - '0');
	}
	return n > 1 && s.p[0] == '0' ? 0 : n;
}

struct captures {
	struct str text[REQUEST_CAPTURES];
	int64_t id[REQUEST_CAPTURES];
};

/* Does the path fit the pattern? Captures are written as they are met. */
static bool
fits(const char *p, struct str path, struct captures *c)
{
	size_t captures = 0;

	while (*p != '\0') {
		const char *end;
		size_t n;

		if (*p != '<') {
			if (path.n == 0 || *path.p != *p)
				return false;
			path.p++;
			path.n--;
			p++;
			continue;
		}
		end = strchr(p, '>');
		if (end == NULL || captures == REQUEST_CAPTURES)
			return false;
		if (strncmp(p, "<id>", 4) == 0)
			n = take_id(path, &c->id[captures]);
		else if (strncmp(p, "<text>", 6) == 0)
			n = str_find(path, '/');
		else
			n = path.n;
		if (n == 0 && strncmp(p, "<rest>", 6) != 0)
			return false;
		c->text[captures++] = (struct str){ path.p, n };
		path.p += n;
		path.n -= n;
		p = end + 1;
	}
	return path.n == 0;
}

static bool
takes(const struct route *row, enum method m)
{
	return row->method == m || (row->method == GET && m == HEAD);
}

static bool
fits_with_slash(const struct route *row, const struct request *r)
{
	struct captures unused;
	struct str longer;

	if (row->method != GET || (r->path.n > 0 && r->path.p[r->path.n - 1] == '/'))
		return false;
	longer = arena_printf(r->arena, "%.*s/", STR_ARG(r->path));
	return fits(row->path, longer, &unused);
}

struct match
route_find(const struct app *app, struct request *r)
{
	struct match m = { .access = READER };

	for (size_t i = 0; i < app->nroutes; i++) {
		const struct route *row = &app->routes[i];
		struct captures found = { .id = { 0 } };

		if (!fits(row->path, r->path, &found))
			continue;
		m.methods |= row->method | (row->method == GET ? HEAD : 0);
		if (row->access == ANYONE)
			m.access = ANYONE;
		if (m.route == NULL && takes(row, r->method)) {
			m.route = row;
			for (size_t c = 0; c < REQUEST_CAPTURES; c++)
				r->capture[c] = arena_str(r->arena, found.text[c]);
			memcpy(r->id, found.id, sizeof(r->id));
		}
	}
	if (m.methods != 0) {
		m.methods |= OPTIONS;
		return m;
	}
	for (size_t i = 0; i < app->nroutes && !m.slash; i++) {
		m.slash = fits_with_slash(&app->routes[i], r);
		if (m.slash && app->routes[i].access == ANYONE)
			m.access = ANYONE;
	}
	return m;
}

const char *
route_check(const struct app *app)
{
	for (size_t i = 0; i < app->nroutes; i++) {
		const struct route *row = &app->routes[i];

		if (row->access <= ACCESS_MISSING || row->access > SUPERUSER)
			return "a row of the table of routes names no access rule";
		if (row->handler == NULL || row->path == NULL || row->path[0] != '/')
			return "a row of the table of routes has no handler or no path";
		if (row->method == HEAD || row->method == OPTIONS)
			return "HEAD and OPTIONS are answered from the rows of other methods";
	}
	return NULL;
}
