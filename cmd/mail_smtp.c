/*
 * mail_smtp: a message handed to a mail server by libcurl. No proxy, no other protocol, no mail without
 * TLS unless the configuration says so, and no password without TLS to another machine.
 */
#include <curl/curl.h>
#include <string.h>

#include "base/buf.h"
#include "mail.h"

#define CONNECT_SECONDS 20L

/* What libcurl reads: the message with CRLF. */
struct source {
	struct buf text;
	size_t at;
};

static size_t
give(char *to, size_t size, size_t n, void *arg)
{
	struct source *s = arg;
	size_t left = s->text.n - s->at, most = size * n < left ? size * n : left;

	memcpy(to, s->text.p + s->at, most);
	s->at += most;
	return most;
}

static void
with_crlf(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			buf_putc(b, '\r');
		buf_putc(b, s.p[i]);
	}
}

/* Is the server on this machine? */
static bool
is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
	    strcmp(host, "[::1]") == 0;
}

/* The URL as libcurl wants it, the name that we give ourselves as its path. NULL: it is none. */
static CURLU *
server_url(const struct delivery *d, bool *loopback)
{
	CURLU *url = curl_url();
	char *host = NULL;

	if (url == NULL)
		arena_exhausted();
	if (curl_url_set(url, CURLUPART_URL, config_text(d->config, "MAIL_SMTP_URL"), 0) !=
	        CURLUE_OK ||
	    curl_url_set(url, CURLUPART_PATH, arena_printf(d->arena, "/%s", d->host.p).p, 0) !=
	        CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
		curl_url_cleanup(url);
		return NULL;
	}
	*loopback = is_loopback(host);
	curl_free(host);
	return url;
}

/* User and password, where there are any. NULL, or what is wrong. */
static const char *
log_in(CURL *c, const struct delivery *d, bool may_be_seen)
{
	const char *user = config_text(d->config, "MAIL_USER");
	char err[512];
	struct str password;

	if (user[0] == '\0')
		return NULL;
	if (!may_be_seen)
		return "no password is sent to another machine without TLS: take out "
		       "MAIL_SMTP_STARTTLS";
	if (config_secret(d->config, d->arena, "MAIL_PASSWORD_FILE", &password, err, sizeof(err)) !=
	    0)
		return arena_strdup(d->arena, err);
	curl_easy_setopt(c, CURLOPT_USERNAME, user);
	curl_easy_setopt(c, CURLOPT_PASSWORD, password.p);
	return NULL;
}

static void
set_options(CURL *c, const struct delivery *d, CURLU *url, struct source *source)
{
	const char *ca = config_text(d->config, "MAIL_SMTP_CA_FILE");
	bool tls = config_bool(d->config, "MAIL_SMTP_STARTTLS");

	curl_easy_setopt(c, CURLOPT_CURLU, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)MAIL_TIME_LIMIT);
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (ca[0] != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, ca);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(c, CURLOPT_READDATA, source);
}

/* What the server's last word means for the message. */
static enum delivered
judge(CURL *c, CURLcode code, const struct delivery *d, const char *words, struct str *why)
{
	long answer = 0;

	if (code == CURLE_OK)
		return DELIVERED;
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &answer);
	*why = arena_printf(d->arena, "%s%s%s%s", curl_easy_strerror(code),
	    words[0] != '\0' ? ": " : "", words,
	    answer != 0 ? arena_printf(d->arena, " (the server said %ld)", answer).p : "");
	/* 53x is about us, not about the message */
	return answer >= 550 && answer <= 559 ? DELIVERY_REFUSED : DELIVERY_FAILED;
}

enum delivered
smtp_deliver(const struct delivery *d, struct str *why)
{
	char words[CURL_ERROR_SIZE] = "";
	struct source source = { .at = 0 };
	struct curl_slist *to = NULL;
	enum delivered done = DELIVERY_FAILED;
	const char *wrong;
	bool loopback, smtps = strncmp(config_text(d->config, "MAIL_SMTP_URL"), "smtps:", 6) == 0;
	CURL *c = curl_easy_init();
	CURLU *url;

	if (c == NULL)
		arena_exhausted();
	*why = STR("MAIL_SMTP_URL is no URL of a mail server");
	if ((url = server_url(d, &loopback)) == NULL)
		goto cleanup;
	set_options(c, d, url, &source);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, words);
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, arena_printf(d->arena, "<%s>", d->from.p).p);
	to = curl_slist_append(NULL, arena_printf(d->arena, "<%s>", d->to.p).p);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
	wrong = log_in(c, d, smtps || loopback || config_bool(d->config, "MAIL_SMTP_STARTTLS"));
	if (wrong != NULL) {
		*why = str_of(wrong);
		goto cleanup;
	}
	with_crlf(&source.text, d->message);
	done = judge(c, curl_easy_perform(c), d, words, why);
cleanup:
	curl_slist_free_all(to);
	curl_url_cleanup(url);
	curl_easy_cleanup(c);
	buf_free(&source.text);
	return done;
}
