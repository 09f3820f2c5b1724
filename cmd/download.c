/*
 * download: libcurl's multi interface on an epoll of its own, so that one descriptor stands for its
 * sockets and its clock.
 */
#include "cmd/download.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/arena.h"

#define CONNECT_SECONDS 10L
#define EVENTS 8

struct download {
	CURLM *multi;
	CURL *easy; /* NULL: nothing is under way */
	char *user_agent;
	int epoll, timer;
	struct buf body;
	size_t most;
	bool over, too_long;
	struct downloaded result;
	char why[CURL_ERROR_SIZE + 40];
};

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct download *f = arg;
	struct epoll_event e = { .data.fd = fd };

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(f->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	e.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
	    (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
	if (epoll_ctl(f->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e) != 0 &&
	    epoll_ctl(f->epoll, known == NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) != 0)
		return -1;
	curl_multi_assign(f->multi, fd, f);
	return 0;
}

static int
on_timer(CURLM *multi, long milliseconds, void *arg)
{
	const struct download *f = arg;
	struct itimerspec at = { 0 };

	(void)multi;
	if (milliseconds >= 0) {
		at.it_value.tv_sec = milliseconds / 1000;
		at.it_value.tv_nsec = milliseconds % 1000 * 1000000;
		if (milliseconds == 0)
			at.it_value.tv_nsec = 1; /* 0 would be never */
	}
	return timerfd_settime(f->timer, 0, &at, NULL);
}

static size_t
take(char *from, size_t size, size_t n, void *arg)
{
	struct download *f = arg;

	if (f->body.n + size * n > f->most) {
		f->too_long = true;
		return 0; /* an error to libcurl */
	}
	buf_put(&f->body, from, size * n);
	return size * n;
}

struct download *
download_new(const char *user_agent)
{
	struct download *f = calloc(1, sizeof(*f));
	struct epoll_event e = { .events = EPOLLIN };

	if (f == NULL || (f->multi = curl_multi_init()) == NULL ||
	    (f->user_agent = strdup(user_agent)) == NULL)
		arena_exhausted();
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	f->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	e.data.fd = f->timer;
	if (f->epoll < 0 || f->timer < 0 || epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->timer, &e) != 0)
		arena_exhausted();
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	return f;
}

static void
break_off(struct download *f)
{
	if (f->easy == NULL)
		return;
	curl_multi_remove_handle(f->multi, f->easy);
	curl_easy_cleanup(f->easy);
	f->easy = NULL;
}

void
download_free(struct download *f)
{
	if (f == NULL)
		return;
	break_off(f);
	curl_multi_cleanup(f->multi);
	close(f->epoll);
	close(f->timer);
	buf_free(&f->body);
	free(f->user_agent);
	free(f);
}

void
download_begin(struct download *f, const char *url, size_t most, long seconds)
{
	break_off(f);
	if ((f->easy = curl_easy_init()) == NULL)
		arena_exhausted();
	buf_clear(&f->body);
	f->most = most;
	f->over = f->too_long = false;
	f->why[0] = '\0';
	curl_easy_setopt(f->easy, CURLOPT_URL, url);
	curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(f->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(f->easy, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
	curl_easy_setopt(f->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(f->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(
	    f->easy, CURLOPT_CONNECTTIMEOUT, seconds < CONNECT_SECONDS ? seconds : CONNECT_SECONDS);
	curl_easy_setopt(f->easy, CURLOPT_TIMEOUT, seconds);
	curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(f->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(f->easy, CURLOPT_USERAGENT, f->user_agent);
	curl_easy_setopt(f->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->why);
	curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	curl_multi_add_handle(f->multi, f->easy);
}

static void
settle(struct download *f, CURLcode code)
{
	curl_off_t wait = 0;

	f->over = true;
	f->result = (struct downloaded){ .retry_after = -1, .why = f->why };
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &f->result.status);
	if (curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
		f->result.retry_after = (int64_t)wait;
	f->result.body = buf_text(&f->body);
	if (f->too_long)
		snprintf(f->why, sizeof(f->why), "the answer is longer than %zu bytes", f->most);
	else if (code == CURLE_OK)
		f->why[0] = '\0';
	else if (f->why[0] == '\0')
		snprintf(f->why, sizeof(f->why), "%s", curl_easy_strerror(code));
}

bool
download_drive(struct download *f)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(f->epoll, events, EVENTS, 0), running, left;
	const CURLMsg *m;

	for (int i = 0; i < n; i++) {
		int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		    (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		    (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
		uint64_t ticks;

		if (events[i].data.fd == f->timer) {
			(void)!read(f->timer, &ticks, sizeof(ticks));
			curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		} else
			curl_multi_socket_action(f->multi, events[i].data.fd, what, &running);
	}
	while ((m = curl_multi_info_read(f->multi, &left)) != NULL)
		if (m->msg == CURLMSG_DONE && m->easy_handle == f->easy) {
			settle(f, m->data.result);
			break_off(f);
			break;
		}
	return f->over;
}

int
download_descriptor(const struct download *f)
{
	return f->epoll;
}

struct downloaded
download_result(const struct download *f)
{
	return f->result;
}
