/*
 * fetch: one question over HTTP, and its answer, by libcurl.
 */
#include "alert/fetch.h"

#include <curl/curl.h>
#include <stdio.h>

#include "base/arena.h"

#define CONNECT_SECONDS 10L

struct taker {
	struct buf *answer;
	size_t room;
};

static size_t
take(char *from, size_t size, size_t n, void *arg)
{
	struct taker *t = arg;

	if (size * n > t->room)
		return 0; /* an error to libcurl */
	t->room -= size * n;
	buf_put(t->answer, from, size * n);
	return size * n;
}

static void
set_options(CURL *c, const struct fetch *f, struct curl_slist *headers, struct taker *t)
{
	curl_easy_setopt(c, CURLOPT_URL, f->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(
	    c, CURLOPT_CONNECTTIMEOUT, f->seconds < CONNECT_SECONDS ? f->seconds : CONNECT_SECONDS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, f->seconds);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "meridian-ingest");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	if (f->user != NULL) {
		curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(c, CURLOPT_USERNAME, f->user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, f->password);
	}
	if (f->form != NULL)
		curl_easy_setopt(c, CURLOPT_COPYPOSTFIELDS, f->form);
}

bool
fetch(const struct fetch *f, struct buf *answer, long *status, char *why, size_t size)
{
	CURL *c = curl_easy_init();
	struct taker t = { answer, f->most };
	struct curl_slist *headers;
	char accept[200];
	CURLcode code;

	snprintf(accept, sizeof(accept), "Accept: %s", f->accept);
	headers = curl_slist_append(NULL, accept);
	if (c == NULL || headers == NULL)
		arena_exhausted();
	*status = 0;
	set_options(c, f, headers, &t);
	code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
	snprintf(why, size, "%s",
	    code == CURLE_OK                ? ""
	        : code == CURLE_WRITE_ERROR ? "its answer is longer than it may be"
	                                    : curl_easy_strerror(code));
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	return code == CURLE_OK;
}
