/*
 * policy_list: two sorted files, searched by halves.
 *
 * passwords.txt comes with Meridian (share/make-passwords): a line a word, sorted by bytes, mapped into
 * memory. The file of breached passwords is the operator's, some 40 GB as it is distributed (Have I Been
 * Pwned: "SHA-1 in hexadecimal:count" lines, sorted); it is read, not mapped: a worker's address space
 * is limited, and a file that shrinks must not kill it. Nothing asks the internet.
 */
#include "auth/policy_list.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define SHA1 20
#define HEX (2 * SHA1)
#define PREFIX_MIN 10 /* hexadecimal digits of a line: fewer would refuse what nobody had */
#define LINE_MAX_BYTES 80 /* of the breach file */

static struct {
	const char *text; /* NULL: none */
	size_t n;
} common;

static struct {
	int fd; /* -1: none */
	bool wanted;
	off_t size;
} breaches = { .fd = -1 };

static void
map_common(const char *share)
{
	char path[4096];
	struct stat st;
	void *p = MAP_FAILED;
	int fd;

	if (common.text != NULL)
		munmap((void *)(uintptr_t)common.text, common.n);
	common.text = NULL;
	if ((size_t)snprintf(path, sizeof(path), "%s/passwords.txt", share) >= sizeof(path))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		log_warn("the list of common passwords cannot be read", LOG_TEXT("file", path),
		    LOG_TEXT("error", strerror(errno)));
	} else {
		common.text = p;
		common.n = (size_t)st.st_size;
	}
	if (fd >= 0)
		close(fd);
}

/* How many hexadecimal digits a line begins with. */
static size_t
digits(const char *line, size_t n)
{
	size_t i = 0;

	while (i < n && i < HEX && isxdigit((unsigned char)line[i]))
		i++;
	return i;
}

static void
open_breaches(const char *path)
{
	char line[LINE_MAX_BYTES];
	struct stat st;
	ssize_t n;

	if (breaches.fd >= 0)
		close(breaches.fd);
	breaches.fd = -1;
	breaches.wanted = path[0] != '\0';
	if (!breaches.wanted)
		return;
	breaches.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (breaches.fd >= 0 && fstat(breaches.fd, &st) == 0 && S_ISREG(st.st_mode)) {
		n = pread(breaches.fd, line, sizeof(line), 0);
		breaches.size = st.st_size;
		if (n > 0 && digits(line, (size_t)n) >= PREFIX_MIN)
			return;
		errno = EINVAL;
	}
	log_error("the file of breached passwords cannot be read: no password can be set",
	    LOG_TEXT("file", path), LOG_TEXT("error", strerror(errno)));
	if (breaches.fd >= 0)
		close(breaches.fd);
	breaches.fd = -1;
}

void
policy_list_configure(const struct config *c)
{
	map_common(config_text(c, "SHARE_DIR"));
	open_breaches(config_text(c, "PASSWORD_BREACH_FILE"));
}

/* Where the line begins that the byte at `at` belongs to. */
static size_t
line_start(size_t at)
{
	const char *end = at == 0 ? NULL : memrchr(common.text, '\n', at);

	return end == NULL ? 0 : (size_t)(end - common.text) + 1;
}

bool
policy_list_is_common(struct str word)
{
	size_t low = 0, high = common.n;

	if (common.text == NULL || word.n == 0)
		return false;
	while (low < high) {
		size_t start = line_start(low + (high - low) / 2);
		const char *line = common.text + start, *end = memchr(line, '\n', common.n - start);
		size_t n = end == NULL ? common.n - start : (size_t)(end - line);
		int order = memcmp(word.p, line, word.n < n ? word.n : n);

		if (order == 0)
			order = (word.n > n) - (word.n < n);
		if (order == 0)
			return true;
		if (order < 0)
			high = start;
		else
			low = start + n + 1;
	}
	return false;
}

/*
 * The line of the breach file that holds the byte at `at`: where it begins, and where the next one does.
 * How long its digits are, or -1 where it cannot be read or is no such line.
 */
static int
read_line(off_t at, char digit[HEX], off_t *start, off_t *next)
{
	char text[2 * LINE_MAX_BYTES];
	off_t from = at < LINE_MAX_BYTES ? 0 : at - LINE_MAX_BYTES;
	ssize_t got = pread(breaches.fd, text, sizeof(text), from);
	const char *begin, *end;
	size_t n;

	if (got <= at - from)
		return -1;
	begin = at == from ? NULL : memrchr(text, '\n', (size_t)(at - from));
	if (begin == NULL && from > 0)
		return -1;
	begin = begin == NULL ? text : begin + 1;
	end = memchr(text + (at - from), '\n', (size_t)(got - (at - from)));
	if (end == NULL && from + got < breaches.size)
		return -1;
	end = end == NULL ? text + got : end + 1;
	n = digits(begin, (size_t)(end - begin));
	*start = from + (begin - text);
	*next = from + (end - text);
	if (n < PREFIX_MIN)
		return -1;
	for (size_t i = 0; i < n; i++)
		digit[i] = (char)toupper((unsigned char)begin[i]);
	return (int)n;
}

static enum breach
search(const char hash[HEX])
{
	off_t low = 0, high = breaches.size, start, next;
	char digit[HEX];

	while (low < high) {
		int n = read_line(low + (high - low) / 2, digit, &start, &next), order;

		if (n < 0)
			return BREACH_UNKNOWN;
		order = memcmp(hash, digit, (size_t)n);
		if (order == 0)
			return BREACH_YES;
		if (order < 0)
			high = start;
		else
			low = next;
	}
	return BREACH_NO;
}

enum breach
policy_list_breach(struct str password)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char digest[SHA1];
	enum breach found = BREACH_UNKNOWN;
	char text[HEX];

	if (!breaches.wanted)
		return BREACH_NO;
	if (breaches.fd < 0 ||
	    EVP_Digest(password.p, password.n, digest, NULL, EVP_sha1(), NULL) != 1)
		return BREACH_UNKNOWN;
	for (size_t i = 0; i < HEX; i++)
		text[i] = hex[i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15];
	found = search(text);
	if (found == BREACH_UNKNOWN)
		log_error("the file of breached passwords is not as it should be",
		    LOG_TEXT("want", "sorted lines of SHA-1 in hexadecimal"));
	OPENSSL_cleanse(digest, sizeof(digest));
	OPENSSL_cleanse(text, sizeof(text));
	return found;
}

bool
policy_list_has_breaches(void)
{
	return breaches.wanted;
}
