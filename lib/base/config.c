/*
 * config: the table of keys, the file, the environment over it.
 *
 * inih reads the file. Debian's has three traps, all met in next_line(): it cuts lines at 200 bytes,
 * takes an indented line for more of the value above it, and tells no line numbers.
 */
#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/config_stream.h"
#include "base/log.h"

#define DEFAULT_PATH "/etc/meridian/meridian.conf"
#define LENGTH_ALONE \
	15 /* least characters of a password that is the only factor (NIST SP 800-63B-4) */
#define PREFIX "MERIDIAN_" /* of variables of the environment */

/* Sorted as the man page is: the site, the web, accounts, targets, the database, the machine. */
static const struct config_key keys[] = {
	{ "TOM_NAME", CONFIG_TEXT, "Meridian", "", "the name at the top of pages" },
	{ "CONTACT", CONFIG_TEXT, "", "",
	    "the e-mail address that pages name where help is offered" },
	{ "SITE_ID", CONFIG_INT, "1", "1..9007199254740991",
	    "the row of the Sites table that is this site" },
	{ "ALLOWED_HOSTS", CONFIG_LIST, "", "",
	    "hosts answered besides those of the Sites table; without a port any port" },
	{ "URL_PREFIX", CONFIG_TEXT, "", "", "the path the TOM lies under, such as /tom" },
	{ "TRUSTED_PROXIES", CONFIG_LIST, "", "",
	    "addresses and networks whose X-Forwarded-For is believed; unix: for a local socket" },
	{ "METRICS_FROM", CONFIG_LIST, "127.0.0.0/8 ::1", "",
	    "addresses and networks that /metrics answers" },
	{ "METRICS_TOKEN_FILE", CONFIG_TEXT, "", "",
	    "a file with what may be sent to /metrics instead: Authorization: Bearer" },
	{ "INSECURE_HTTP", CONFIG_BOOL, "no", "",
	    "cookies without Secure, for http on a loopback address only" },
	{ "TEMPLATES", CONFIG_TEXT, "", "", "a directory whose templates replace ours" },
	{ "SHARE_DIR", CONFIG_TEXT, MERIDIAN_DATADIR, "",
	    "where templates/, static/ and sql/ are" },
	{ "ROBOTS_TXT_PATH", CONFIG_TEXT, "", "", "a file to answer /robots.txt with" },
	{ "ROBOTS_TXT_DIR", CONFIG_TEXT, "", "", "a directory with a file HOST.txt for each host" },
	{ "ROBOTS_SITEMAP", CONFIG_LIST, "", "", "URLs of Sitemap: lines after the default rules" },
	{ "AUTH_STRATEGY", CONFIG_CHOICE, "READ_ONLY", "READ_ONLY|LOCKED",
	    "what visitors who are not signed in may read" },
	{ "OPEN_URLS", CONFIG_LIST, "", "", "patterns of paths open to all when LOCKED" },
	{ "SESSION_IDLE_HOURS", CONFIG_INT, "12", "1..8760",
	    "a session ends after so long without use" },
	{ "SESSION_DAYS", CONFIG_INT, "14", "1..365", "a session ends after so long in any case" },
	{ "STAFF_SESSION_IDLE_HOURS", CONFIG_INT, "2", "1..8760", "the same for staff" },
	{ "STAFF_SESSION_HOURS", CONFIG_INT, "24", "1..8760", "the same for staff" },
	{ "TOM_API_TOKEN_EXPIRY_DAYS", CONFIG_INT, "365", "0..3650",
	    "an API token ends after so many days at the latest; 0: when its owner says" },
	{ "TOM_API_TOKEN_REQUIRES_MFA", CONFIG_BOOL, "no", "",
	    "no password alone gets a token: /api/token-auth/ is closed to all" },
	{ "PASSWORD_MIN_LENGTH", CONFIG_INT, "15", "8..128", "the least characters of a password" },
	{ "PASSWORD_POLICY", CONFIG_CHOICE, "meridian", "meridian|django-compatible",
	    "whether fewer than 15 characters may do without a second factor" },
	{ "PASSWORD_BREACH_FILE", CONFIG_TEXT, "", "",
	    "a sorted file of SHA-1 of passwords that are known from breaches" },
	{ "TOM_PASSWORD_EXPIRY_DAYS", CONFIG_INT, "0", "0..3650",
	    "a password older than that is changed before anything else; 0: never" },
	{ "PASSWORD_FLOOR_MS", CONFIG_INT, "600", "0..10000",
	    "a wrong password is answered no earlier than so long after its turn" },
	{ "PASSWORD_IMPORT_MD5", CONFIG_BOOL, "no", "",
	    "lets users of an imported site in once whose hash is md5" },
	{ "PASSWORD_HASHES", CONFIG_INT, "0", "0..1024",
	    "hashes computed at once on this machine; 0: its cores but one" },
	{ "PASSWORD_HASH_WAIT_MS", CONFIG_INT, "3000", "0..60000",
	    "how long a sign-in waits for its turn to be hashed before 503" },
	{ "TOM_PASSWORD_RESET_ENABLED", CONFIG_BOOL, "no", "",
	    "a link by mail for those who lost their password" },
	{ "TOM_REGISTRATION_STRATEGY", CONFIG_CHOICE, "none", "none|open|approval_required",
	    "who may make an account for themselves" },
	{ "TOM_REQUIRED_USER_FIELDS", CONFIG_LIST, "", "",
	    "first_name, last_name, affiliation: what who registers must give" },
	{ "REGISTRATION_DAYS", CONFIG_INT, "3", "1..30",
	    "a registration whose address is not confirmed is forgotten after so long" },
	{ "TOM_TERMS_OF_SERVICE_VERSION", CONFIG_TEXT, "", "",
	    "the version of the terms of service that people accept" },
	{ "TERMS_FILE", CONFIG_TEXT, "", "", "the file with the text of the terms of service" },
	{ "MAIL_TRANSPORT", CONFIG_CHOICE, "none", "none|sendmail|smtp",
	    "how `meridian mail send` sends mail" },
	{ "MAIL_FROM", CONFIG_TEXT, "", "", "the address that mail comes from" },
	{ "SENDMAIL_PATH", CONFIG_TEXT, "/usr/sbin/sendmail", "", "the program of sendmail" },
	{ "MAIL_SMTP_URL", CONFIG_TEXT, "", "", "smtp://host:587 or smtps://host" },
	{ "MAIL_SMTP_STARTTLS", CONFIG_BOOL, "yes", "",
	    "no mail over smtp:// without TLS; no: for a server on this machine" },
	{ "MAIL_SMTP_CA_FILE", CONFIG_TEXT, "", "",
	    "certificates that the mail server's is checked with; else those of the system" },
	{ "MAIL_USER", CONFIG_TEXT, "", "", "the user name at the mail server" },
	{ "MAIL_PASSWORD_FILE", CONFIG_TEXT, "", "", "the file with the password there" },
	{ "TOM_MFA_REQUIRED", CONFIG_CHOICE, "none", "none|superusers|all",
	    "who must sign in with a second factor; everybody may" },
	{ "SECURITY_LOG_DAYS", CONFIG_INT, "365", "1..36500",
	    "how long events of the security log are kept" },
	{ "THROTTLE_FREE_FAILURES", CONFIG_INT, "5", "1..1000",
	    "wrong passwords of an account from an address before it has to wait" },
	{ "RUN_DIR", CONFIG_TEXT, "/run/meridian", "", "sockets and locks of this machine" },
	{ "TARGET_DEFAULT_PERMISSION", CONFIG_CHOICE, "PRIVATE", "OPEN|PUBLIC|PRIVATE",
	    "who sees a new target where nothing else is said" },
	{ "TARGET_PERMISSIONS_ONLY", CONFIG_BOOL, "yes", "",
	    "who sees a target sees its measurements; no: they have rights of their own" },
	{ "TARGET_OPEN_CHANGE", CONFIG_BOOL, "no", "",
	    "whoever signs in changes and deletes OPEN and PUBLIC targets" },
	{ "TARGET_TYPE", CONFIG_CHOICE, "SIDEREAL", "SIDEREAL|NON_SIDEREAL",
	    "the form that /targets/create/ opens with" },
	{ "EXTRA_FIELDS", CONFIG_LIST, "", "",
	    "extra fields of targets as name:type, type number, string, boolean or datetime" },
	{ "OPEN_SEARCH", CONFIG_BOOL, "no", "",
	    "exports and unbounded searches without signing in; who imports signs in" },
	{ "DATABASE_URL", CONFIG_TEXT, "sqlite:/var/lib/meridian/meridian.sqlite3", "",
	    "sqlite:/path, postgresql://user@host/name or mariadb://user@host/name" },
	{ "DATABASE_PASSWORD_FILE", CONFIG_TEXT, "", "", "the file with the database's password" },
	{ "DATABASE_ROLES_DIR", CONFIG_TEXT, "", "",
	    "passwords of the executables' own accounts in the server; `meridian roles` makes "
	    "them" },
	{ "DATABASE_TIMEOUT_MS", CONFIG_INT, "10000", "100..600000",
	    "the longest a statement may take" },
	{ "DATABASE_IDLE_SECONDS", CONFIG_INT, "300", "1..86400",
	    "a connection unused for so long closes" },
	{ "SECRET_KEY_FILE", CONFIG_TEXT, "", "",
	    "the file with the secret that form tokens are made with; `meridian init` makes one" },
	{ "VAULT_KEY_FILE", CONFIG_TEXT, "", "",
	    "the file with the key that stored credentials are sealed with; `meridian init` makes "
	    "one" },
	{ "LOG_LEVEL", CONFIG_CHOICE, "info", "debug|info|warn|error",
	    "the least level that is logged" },
	{ "LOG_REQUESTS", CONFIG_BOOL, "yes", "", "a line for each request" },
	{ "REQUEST_TIMEOUT_MS", CONFIG_INT, "10000", "100..600000",
	    "a peer that stalls in mid-request is dropped after so long" },
	{ "CONNECTION_IDLE_SECONDS", CONFIG_INT, "75", "1..86400",
	    "a kept connection unused for so long closes" },
	{ "FASTCGI_LOOP", CONFIG_CHOICE, "epoll", "epoll|plain", "the loop that accepts requests" },
	{ "SANDBOX", CONFIG_BOOL, "yes", "", "give up what a worker does not need" },
	{ "DATA_DIR", CONFIG_TEXT, "/var/lib/meridian", "", "where files of the site are kept" },
};

struct config {
	struct arena *arena;
	const char *path;
	const char *values[NELEM(keys)]; /* NULL: not given */
	struct str *items[NELEM(keys)]; /* of lists, ended by an absent one */
	struct config_streams *streams;
	char *err;
	size_t errsize;
	/* while the file is read */
	FILE *file;
	int line;
	struct config_stream *stream; /* whose section we are in; NULL: none's */
	char *text; /* the line, as getline keeps it */
	size_t room;
	struct str whole; /* the line, trimmed */
	bool is_long; /* inih has only its name */
};

const struct config_key *
config_key(size_t index)
{
	return index < NELEM(keys) ? &keys[index] : NULL;
}

static int
key_index(const char *name)
{
	for (size_t i = 0; i < NELEM(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return (int)i;
	return -1;
}

static size_t
known(const char *name)
{
	int i = key_index(name);

	if (i < 0) {
		log_error("configuration key is not in the table", LOG_TEXT("key", name));
		abort();
	}
	return (size_t)i;
}

static bool
to_bool(const char *s, bool *out)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < NELEM(words); i++)
		if (str_is_nocase(str_of(s), words[i])) {
			*out = i % 2 == 1;
			return true;
		}
	return false;
}

static bool
is_choice(const char *choices, const char *value)
{
	size_t n = strlen(value);

	for (const char *p = choices; *p != '\0';) {
		size_t len = strcspn(p, "|");

		if (len == n && memcmp(p, value, n) == 0)
			return true;
		p += len + (p[len] == '|');
	}
	return false;
}

struct str
config_wrong(struct arena *a, const struct config_key *k, const char *value)
{
	int64_t n, min, max;
	double d;
	bool b;

	switch (k->kind) {
	case CONFIG_BOOL:
		if (!to_bool(value, &b))
			return arena_printf(a, "%s is yes or no, not \"%s\"", k->name, value);
		break;
	case CONFIG_INT:
		if (sscanf(k->choices, "%" SCNd64 "..%" SCNd64, &min, &max) != 2)
			abort();
		if (!str_to_int64(str_of(value), &n) || n < min || n > max)
			return arena_printf(
			    a, "%s is a number in %s, not \"%s\"", k->name, k->choices, value);
		break;
	case CONFIG_REAL:
		if (sscanf(k->choices, "%" SCNd64 "..%" SCNd64, &min, &max) != 2)
			abort();
		if (!str_to_double(str_of(value), &d) || d < (double)min || d > (double)max)
			return arena_printf(
			    a, "%s is a number in %s, not \"%s\"", k->name, k->choices, value);
		break;
	case CONFIG_CHOICE:
		if (!is_choice(k->choices, value))
			return arena_printf(
			    a, "%s is one of %s, not \"%s\"", k->name, k->choices, value);
		break;
	case CONFIG_TEXT:
	case CONFIG_LIST:
		break;
	}
	return STR("");
}

/* What stands behind the '=', up to a blank and a ';': from there on it is a comment. */
static const char *
value_in(struct arena *a, struct str s)
{
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == ';' && (s.p[i - 1] == ' ' || s.p[i - 1] == '\t'))
			s.n = i;
	return arena_str(a, str_trim(s)).p;
}

/* The first mistake is kept, with the line that inih is at. */
static void
refuse(struct config *c, struct str wrong)
{
	if (c->err[0] == '\0')
		snprintf(c->err, c->errsize, "%s:%d: %s", c->path, c->line, wrong.p);
}

/* Where a line's name ends: at its first '=' or ':', whichever it is, as inih reads it. */
static size_t
sign_of(struct str line)
{
	size_t equals = str_find(line, '='), colon = str_find(line, ':');

	return equals < colon ? equals : colon;
}

/* A line that begins with '[', which inih does not see: it cuts long names. */
static void
begin_section(struct config *c)
{
	struct str wrong;

	c->stream = NULL;
	if (str_is(c->whole, "[meridian]"))
		return;
	c->stream = stream_section(&c->streams, c->arena, c->whole, c->line, &wrong);
	if (c->stream == NULL && wrong.n == 0)
		wrong = arena_printf(c->arena,
		    "there is no section %.*s: keys stand before any, in [meridian], or, of a "
		    "stream, in [stream NAME]",
		    STR_ARG(c->whole));
	if (wrong.n > 0)
		refuse(c, wrong);
}

/*
 * inih's reader. It gets lines without their indentation, and of one that is too long for it the name
 * alone: take() finds the value in c->whole.
 */
static char *
next_line(char *to, int size, void *arg)
{
	struct config *c = arg;
	ssize_t n = getline(&c->text, &c->room, c->file);
	size_t mark, length, most = (size_t)size - 2;

	if (n < 0)
		return NULL;
	c->line++;
	mark = c->line == 1 && n >= 3 && memcmp(c->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	c->whole = str_trim((struct str){ c->text + mark, (size_t)n - mark });
	length = c->whole.n;
	c->is_long = length > most;
	if (c->is_long)
		length = sign_of(c->whole) + 1;
	if (str_find(c->whole, '\0') < c->whole.n)
		refuse(c, STR("this line holds a NUL byte"));
	else if (c->whole.n > 0 && c->whole.p[0] == '[')
		begin_section(c);
	if (c->whole.n == 0 || strchr("#;[", c->whole.p[0]) != NULL || c->err[0] != '\0')
		length = 0;
	else if (length > most) {
		refuse(c, STR("this line is no \"KEY = value\"; a value ends with its line"));
		length = 0;
	}
	memcpy(to, c->whole.p, length);
	memcpy(to + length, "\n", 2);
	return to;
}

/* inih's callback: 1 goes on. */
static int
take(void *arg, const char *section, const char *name, const char *value)
{
	struct config *c = arg;
	struct str wrong;
	int i = key_index(name);
	size_t sign = sign_of(c->whole) + 1;

	(void)section;
	if (c->err[0] != '\0')
		return 1;
	if (c->is_long)
		value = value_in(c->arena, (struct str){ c->whole.p + sign, c->whole.n - sign });
	if (c->stream != NULL) {
		wrong = stream_take(c->stream, c->arena, name, value);
		if (wrong.n > 0)
			refuse(c, wrong);
		return 1;
	}
	if (i < 0) {
		refuse(c, arena_printf(c->arena, "there is no key %s", name));
		return 1;
	}
	if (c->values[i] != NULL) {
		refuse(c, arena_printf(c->arena, "%s is given a second time", name));
		return 1;
	}
	c->values[i] = arena_strdup(c->arena, value);
	wrong = config_wrong(c->arena, &keys[i], c->values[i]);
	if (wrong.n > 0)
		refuse(c, wrong);
	return 1;
}

static bool
read_file(struct config *c, bool wanted)
{
	int wrong;

	c->file = fopen(c->path, "re");
	if (c->file == NULL && !wanted && errno == ENOENT) {
		c->path = "";
		return true;
	}
	if (c->file == NULL) {
		snprintf(c->err, c->errsize, "%s: %s", c->path, strerror(errno));
		return false;
	}
	wrong = ini_parse_stream(next_line, c, take, c);
	if (ferror(c->file) && c->err[0] == '\0')
		snprintf(c->err, c->errsize, "%s: %s", c->path, strerror(errno));
	if (wrong > 0) {
		c->line = wrong;
		refuse(c, STR("this line is no \"KEY = value\"; a value ends with its line"));
	}
	if (c->err[0] == '\0') {
		struct str bad = stream_agree(c->streams, c->arena, &c->line);

		if (bad.n > 0)
			refuse(c, bad);
	}
	fclose(c->file);
	free(c->text);
	return c->err[0] == '\0';
}

static bool
read_environment(struct config *c)
{
	for (size_t i = 0; i < NELEM(keys); i++) {
		struct str name = arena_printf(c->arena, PREFIX "%s", keys[i].name);
		const char *value = getenv(name.p);
		struct str wrong;

		if (value == NULL)
			continue;
		wrong = config_wrong(c->arena, &keys[i], value);
		if (wrong.n > 0) {
			snprintf(c->err, c->errsize, "environment: " PREFIX "%s", wrong.p);
			return false;
		}
		c->values[i] = arena_strdup(c->arena, value);
	}
	return true;
}

struct str *
config_split(struct arena *a, const char *p)
{
	static const char between[] = ", \t\r\n";
	struct str *items = arena_array(a, strlen(p) / 2 + 2, sizeof(*items));
	size_t n = 0;

	for (p += strspn(p, between); *p != '\0'; p += strspn(p, between)) {
		size_t len = strcspn(p, between);

		items[n++] = arena_copy(a, p, len);
		p += len;
	}
	return items;
}

/* Divides the lists once: their items are asked for at every request. */
static void
split_lists(struct config *c)
{
	for (size_t i = 0; i < NELEM(keys); i++)
		if (keys[i].kind == CONFIG_LIST)
			c->items[i] = config_split(c->arena, config_text(c, keys[i].name));
}

/* What values say together; each alone is right. */
static bool
agree(struct config *c)
{
	if (config_int(c, "PASSWORD_MIN_LENGTH") >= LENGTH_ALONE ||
	    strcmp(config_text(c, "TOM_MFA_REQUIRED"), "all") == 0 ||
	    strcmp(config_text(c, "PASSWORD_POLICY"), "django-compatible") == 0)
		return true;
	snprintf(c->err, c->errsize,
	    "PASSWORD_MIN_LENGTH is %s: less than %d characters are enough only beside a second "
	    "factor (TOM_MFA_REQUIRED = all), or where PASSWORD_POLICY = django-compatible says so",
	    config_text(c, "PASSWORD_MIN_LENGTH"), LENGTH_ALONE);
	return false;
}

struct config *
config_load(char *err, size_t errsize)
{
	const char *path = getenv("MERIDIAN_CONFIG");
	struct arena *a = arena_new();
	struct config *c = arena_alloc(a, sizeof(*c));

	c->arena = a;
	c->err = err;
	c->errsize = errsize;
	err[0] = '\0';
	c->path = path != NULL && path[0] != '\0' ? arena_strdup(a, path) : DEFAULT_PATH;
	if (!read_file(c, path != NULL && path[0] != '\0') || !read_environment(c)) {
		arena_free(a);
		return NULL;
	}
	if (!agree(c)) {
		arena_free(a);
		return NULL;
	}
	split_lists(c);
	return c;
}

void
config_free(struct config *c)
{
	if (c != NULL)
		arena_free(c->arena);
}

const char *
config_text(const struct config *c, const char *key)
{
	size_t i = known(key);

	return c->values[i] != NULL ? c->values[i] : keys[i].fallback;
}

bool
config_bool(const struct config *c, const char *key)
{
	bool b = false;

	(void)to_bool(config_text(c, key), &b);
	return b;
}

int64_t
config_int(const struct config *c, const char *key)
{
	int64_t n = 0;

	(void)str_to_int64(str_of(config_text(c, key)), &n);
	return n;
}

/* Reads a whole small file that others may not read. NULL, or what is wrong with it. */
static const char *
read_secret(int fd, struct arena *a, struct str *secret)
{
	size_t size = KIB(64), n = 0;
	char *p = arena_alloc(a, size + 1);
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return "it is no regular file";
	if (st.st_mode & (S_IROTH | S_IWOTH))
		return "others may read it: chmod o= it";
	while (n < size + 1 && (got = read(fd, p + n, size + 1 - n)) != 0) {
		if (got < 0 && errno != EINTR)
			return strerror(errno);
		n += got > 0 ? (size_t)got : 0;
	}
	if (n > size)
		return "it is longer than 64 KiB";
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (n == 0)
		return "it is empty";
	*secret = arena_copy(a, p, n);
	explicit_bzero(p, size + 1);
	return NULL;
}

int
config_secret(const struct config *c, struct arena *a, const char *key, struct str *secret,
    char *err, size_t errsize)
{
	const char *path = config_text(c, key);

	*secret = STR_NONE;
	return path[0] == '\0' ? 0 : config_secret_at(a, path, key, secret, err, errsize);
}

int
config_secret_at(struct arena *a, const char *path, const char *key, struct str *secret, char *err,
    size_t errsize)
{
	const char *wrong;
	int fd;

	*secret = STR_NONE;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	wrong = fd < 0 ? strerror(errno) : read_secret(fd, a, secret);
	if (fd >= 0)
		close(fd);
	if (wrong == NULL)
		return 0;
	snprintf(err, errsize, "%s, the file of %s: %s", path, key, wrong);
	return -1;
}

struct str
config_item(const struct config *c, const char *key, size_t index)
{
	const struct str *item = c->items[known(key)];

	if (item == NULL)
		return STR_NONE;
	for (; item->p != NULL && index > 0; index--)
		item++;
	return *item;
}

struct str
config_stray(struct arena *a, size_t index)
{
	for (char **e = environ; *e != NULL; e++) {
		struct str name = arena_copy(a, *e, strcspn(*e, "="));

		if (str_starts(name, PREFIX) && !str_is(name, PREFIX "CONFIG") &&
		    key_index(name.p + strlen(PREFIX)) < 0 && index-- == 0)
			return name;
	}
	return STR_NONE;
}

const struct config_stream *
config_stream(const struct config *c, size_t index)
{
	return stream_at(c->streams, index);
}

bool
config_stream_bool(const struct config_stream *s, const char *key)
{
	bool b = false;

	(void)to_bool(config_stream_text(s, key), &b);
	return b;
}

const char *
config_path(const struct config *c)
{
	return c->path;
}
