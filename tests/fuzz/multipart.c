/*
 * multipart: the first byte says in how large pieces the rest is fed. The result must not depend on
 * them.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "http/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct refusal
feed(struct request *r, const char *p, size_t n, size_t piece)
{
	struct multipart *m = multipart_new(r, STR("XX"));
	struct refusal no = { 0, NULL };

	while (n > 0 && no.status == 0) {
		size_t some = n < piece ? n : piece;

		no = multipart_feed(m, p, some);
		p += some;
		n -= some;
	}
	return no.status != 0 ? no : multipart_end(m);
}

static void
compare(const struct request *a, const struct request *b)
{
	if (a->post.n != b->post.n || a->nuploads != b->nuploads)
		abort();
	for (size_t i = 0; i < a->post.n; i++)
		if (!str_eq(a->post.list[i].name, b->post.list[i].name) ||
		    !str_eq(a->post.list[i].value, b->post.list[i].value))
			abort();
	for (size_t i = 0; i < a->nuploads; i++)
		if (a->uploads[i].size != b->uploads[i].size ||
		    !str_eq(a->uploads[i].filename, b->uploads[i].filename) ||
		    lseek(a->uploads[i].fd, 0, SEEK_END) != a->uploads[i].size)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request whole = { .arena = arena_new() }, cut = { .arena = arena_new() };

	log_set_level(LOG_LEVEL_ERROR + 1);
	if (size > 0) {
		const char *p = (const char *)data + 1;
		bool good = feed(&whole, p, size - 1, size).status == 0;

		if (good != (feed(&cut, p, size - 1, (size_t)data[0] + 1).status == 0))
			abort();
		if (good)
			compare(&whole, &cut);
		(void)multipart_boundary(whole.arena, arena_copy(whole.arena, p, size - 1));
	}
	arena_free(whole.arena);
	arena_free(cut.arena);
	return 0;
}
