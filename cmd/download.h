/*
 * download.h: one GET at a time, which the caller does not wait for: a daemon serves other streams
 * meanwhile.
 */
#ifndef MERIDIAN_DOWNLOAD_H
#define MERIDIAN_DOWNLOAD_H

#include "base/buf.h"

struct download;

/* The user agent is copied. The caller frees it with download_free(), which breaks off what is under way. */
struct download *download_new(const char *user_agent);
void download_free(struct download *);

/*
 * Begins to ask for a URL (https; http for this machine is the caller's to allow): no redirection is
 * followed, no more than `most` bytes are taken, unpacked, and it takes no longer than that many
 * seconds. What was under way is broken off.
 */
void download_begin(struct download *, const char *url, size_t most, long seconds);

/* Does what can be done now. True: it is over. */
bool download_drive(struct download *);

/* Readable when download_drive() has something to do; also when nothing is under way. */
int download_descriptor(const struct download *);

/* What came of it; borrowed until the next download_begin(). */
struct downloaded {
	long status; /* of HTTP; 0: there was no answer */
	struct str body; /* whole, where `why` is empty */
	int64_t retry_after; /* seconds that the server asks us to wait; -1: it does not */
	const char *why; /* the answer did not come, or not whole; "" */
};
struct downloaded download_result(const struct download *);

#endif
