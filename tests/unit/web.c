/*
 * web: the transport that tests are.
 */
#include "web.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

static ssize_t
web_read(void *state, void *to, size_t n)
{
	struct web *w = state;
	size_t left = w->input.n - w->at;

	if (w->at >= w->breaks)
		return -1;
	if (n > left)
		n = left;
	if (n > 0)
		memcpy(to, w->input.p + w->at, n);
	w->at += n;
	return (ssize_t)n;
}

static int
web_send(void *state, struct str head, struct str body, bool last)
{
	struct web *w = state;

	buf_str(&w->head, head);
	buf_str(&w->body, body);
	w->sends++;
	w->ended = last;
	return w->deaf ? -1 : 0;
}

static const struct transport transport = { .read = web_read, .send = web_send };

void
web_open(struct web *w, const struct app *app)
{
	char err[256];

	memset(w, 0, sizeof(*w));
	setenv("MERIDIAN_CONFIG", "/dev/null", 1);
	setenv("MERIDIAN_LOG_REQUESTS", "no", 1);
	w->config = config_load(err, sizeof(err));
	assert_non_null(w->config);
	assert_int_equal(server_start(&w->server, app, w->config, NULL), 0);
	w->breaks = SIZE_MAX;
}

void
web_close(struct web *w)
{
	server_stop(&w->server);
	server_free(&w->server);
	config_free(w->config);
	buf_free(&w->head);
	buf_free(&w->body);
}

void
web_key(const char *dir)
{
	char path[150];
	int fd;

	snprintf(path, sizeof(path), "%s/key", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0123456789abcdef0123456789abcdef\n", 33), 33);
	close(fd);
	setenv("MERIDIAN_SECRET_KEY_FILE", path, 1);
}

#define PARAMS_MAX 64

struct list {
	char *p[PARAMS_MAX + 1];
	size_t n;
};

static void
put(struct list *l, const char *param)
{
	size_t name = strcspn(param, "=") + 1;
	size_t i = l->n;

	if (*param == '+')
		param++;
	else
		for (i = 0; i < l->n && strncmp(l->p[i], param, name) != 0;)
			i++;
	assert_true(i < PARAMS_MAX);
	if (i == l->n)
		l->n++;
	else
		free(l->p[i]);
	l->p[i] = strdup(param);
}

int
web_ask(struct web *w, const char *what, struct str body, ...)
{
	struct list l = { .n = 0 };
	const char *blank = strchr(what, ' '), *mark = strchr(what, '?');
	const char *param;
	char text[4096];
	va_list ap;
	int status = 0;

	assert_non_null(blank);
	snprintf(text, sizeof(text), "REQUEST_METHOD=%.*s", (int)(blank - what), what);
	put(&l, text);
	snprintf(text, sizeof(text), "SCRIPT_NAME=%.*s",
	    mark == NULL ? (int)strlen(blank + 1) : (int)(mark - blank - 1), blank + 1);
	put(&l, text);
	snprintf(text, sizeof(text), "QUERY_STRING=%s", mark == NULL ? "" : mark + 1);
	put(&l, text);
	put(&l, "HTTP_HOST=tom.example");
	put(&l, "SERVER_ADDR=127.0.0.1");
	put(&l, "REMOTE_ADDR=127.0.0.1");
	snprintf(text, sizeof(text), "CONTENT_LENGTH=%zu", body.n);
	put(&l, body.p == NULL ? "CONTENT_LENGTH=" : text);
	if (body.p != NULL)
		put(&l, "CONTENT_TYPE=application/x-www-form-urlencoded");
	va_start(ap, body);
	while ((param = va_arg(ap, const char *)) != NULL)
		put(&l, param);
	va_end(ap);
	w->input = body;
	w->at = 0;
	w->sends = 0;
	w->ended = false;
	buf_clear(&w->head);
	buf_clear(&w->body);
	serve(&w->server, &transport, w, l.p);
	for (size_t i = 0; i < l.n; i++)
		free(l.p[i]);
	if (w->head.n > 0)
		assert_int_equal(sscanf(w->head.p, "Status: %d ", &status), 1);
	return status;
}

const char *
web_header(struct web *w, const char *name)
{
	static char value[2048];
	size_t n = strlen(name);
	const char *p = w->head.p;

	for (; p != NULL && *p != '\0' && *p != '\r'; p = strstr(p, "\r\n") + 2)
		if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
			snprintf(
			    value, sizeof(value), "%.*s", (int)strcspn(p + n + 2, "\r"), p + n + 2);
			return value;
		}
	return "";
}

const char *
web_text(struct web *w)
{
	return w->body.p == NULL ? "" : w->body.p;
}
