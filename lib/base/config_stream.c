/*
 * config_stream: the sections [stream NAME] of meridian.conf, their table of keys, and which source
 * wants which.
 */
#include "base/config_stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define NAME_MAX_BYTES 64

/* ALL of packets; EVERY one */
enum { KAFKA = 1, FILES = 2, ALL = KAFKA | FILES, SCOUT = 4, EVERY = ALL | SCOUT };
static const char *const sources[] = { "kafka", "files", "scout" }; /* bit k is sources[k] */

/* Sorted as the man page is: whence, what is read how, what becomes of it. */
static const struct stream_key {
	struct config_key key;
	int of; /* the sources that know it */
	int need; /* those that must be given it */
} keys[] = {
	{ { "source", CONFIG_CHOICE, "", "kafka|files|scout", "where the packets come from" },
	    EVERY, EVERY },
	{ { "brokers", CONFIG_LIST, "", "", "host:port of some of the brokers" }, KAFKA, KAFKA },
	{ { "topics", CONFIG_LIST, "", "", "names of topics; *, ? and [] match any" }, KAFKA,
	    KAFKA },
	{ { "consumer_group", CONFIG_TEXT, "", "", "shared by the daemons that share the stream" },
	    KAFKA, KAFKA },
	{ { "start", CONFIG_CHOICE, "earliest", "earliest|latest",
	      "where a partition begins that was never read" },
	    KAFKA, 0 },
	{ { "security", CONFIG_CHOICE, "plaintext", "plaintext|ssl|sasl_plaintext|sasl_ssl",
	      "how the brokers are spoken to" },
	    KAFKA, 0 },
	{ { "sasl_mechanism", CONFIG_CHOICE, "SCRAM-SHA-512",
	      "SCRAM-SHA-256|SCRAM-SHA-512|PLAIN|OAUTHBEARER", "how we say who we are" },
	    KAFKA, 0 },
	{ { "user", CONFIG_TEXT, "", "", "the user name, or the client id of OAUTHBEARER" }, KAFKA,
	    0 },
	{ { "password_file", CONFIG_TEXT, "", "", "the file with the password or client secret" },
	    KAFKA, 0 },
	{ { "token_url", CONFIG_TEXT, "", "", "where OAUTHBEARER gets its tokens (OIDC)" }, KAFKA,
	    0 },
	{ { "ca", CONFIG_TEXT, "", "",
	      "certificates that the brokers' are checked with; else those of the system" },
	    KAFKA, 0 },
	{ { "path", CONFIG_TEXT, "", "", "a file of packets, a .tar.gz of them, or a directory" },
	    FILES, FILES },
	{ { "watch", CONFIG_BOOL, "yes", "", "waits for files that come into the directory" },
	    FILES, 0 },
	{ { "map", CONFIG_TEXT, "", "",
	      "the file that says what the fields of another survey are" },
	    ALL, 0 },
	{ { "url", CONFIG_TEXT, "https://ssd-api.jpl.nasa.gov/scout.api", "", "Scout's API" },
	    SCOUT, 0 },
	{ { "contact", CONFIG_TEXT, "", "", "an address that JPL and the MPC may write to" }, SCOUT,
	    SCOUT },
	{ { "interval", CONFIG_REAL, "900", "0..86400", "seconds from one list to the next" },
	    SCOUT, 0 },
	{ { "pause_ms", CONFIG_INT, "1000", "0..60000", "... between questions about objects" },
	    SCOUT, 0 },
	{ { "orbits", CONFIG_INT, "1000", "1..1000", "sampled orbits of an object" }, SCOUT, 0 },
	{ { "mpc", CONFIG_BOOL, "yes", "", "asks the MPC what became of those that left" }, SCOUT,
	    0 },
	{ { "mpc_url", CONFIG_TEXT,
	      "https://www.minorplanetcenter.net/iau/NEO/ToConfirm_PrevDes.html", "",
	      "where it tells" },
	    SCOUT, 0 },
	{ { "schemas", CONFIG_TEXT, "", "", "a directory with schemas by their numbers" }, ALL, 0 },
	{ { "registry", CONFIG_TEXT, "", "", "URL of the registry of schemas" }, ALL, 0 },
	{ { "create", CONFIG_CHOICE, "match", "all|match|never",
	      "objects become targets; join those there are; or neither" },
	    EVERY, 0 },
	{ { "match_radius", CONFIG_REAL, "1.5", "0..60",
	      "arcseconds within which an object joins a target; 0: by name only" },
	    ALL, 0 },
	{ { "max_magnitude", CONFIG_REAL, "", "-30..50", "no target is made of what is fainter" },
	    EVERY, 0 },
	{ { "min_reliability", CONFIG_REAL, "", "0..1", "... of what the survey trusts less" }, ALL,
	    0 },
	{ { "min_declination", CONFIG_REAL, "", "-90..90", "... of what is further south" }, EVERY,
	    0 },
	{ { "max_declination", CONFIG_REAL, "", "-90..90", "... of what is further north" }, EVERY,
	    0 },
	{ { "min_galactic_latitude", CONFIG_REAL, "", "0..90",
	      "... of what is nearer to the galactic plane, either side" },
	    ALL, 0 },
	{ { "min_rating", CONFIG_INT, "", "0..4", "... of what Scout gives a lower impact rating" },
	    SCOUT, 0 },
	{ { "min_neo_score", CONFIG_REAL, "", "0..100",
	      "... a lower score as a near-Earth object" },
	    SCOUT, 0 },
	{ { "min_pha_score", CONFIG_REAL, "", "0..100", "... or a potentially hazardous one" },
	    SCOUT, 0 },
	{ { "max_geocentric_score", CONFIG_REAL, "", "0..100", "... a higher one as a satellite" },
	    SCOUT, 0 },
	{ { "max_uncertainty", CONFIG_REAL, "", "0..1000000",
	      "... of what may be further off, arcminutes" },
	    SCOUT, 0 },
	{ { "max_close_approach", CONFIG_REAL, "", "0..1000000",
	      "... of what comes no nearer, lunar distances" },
	    SCOUT, 0 },
	{ { "group", CONFIG_LIST, "", "", "groups that get all rights on new targets" }, EVERY, 0 },
	{ { "permissions", CONFIG_CHOICE, "", "OPEN|PUBLIC|PRIVATE",
	      "who sees new targets; else as TARGET_DEFAULT_PERMISSION" },
	    EVERY, 0 },
	{ { "keep_letters", CONFIG_INT, "365", "0..36500",
	      "days that dead letters are kept; 0: for ever" },
	    EVERY, 0 },
	{ { "batch_packets", CONFIG_INT, "1000", "1..10000", "packets of a transaction" }, ALL, 0 },
	{ { "batch_ms", CONFIG_INT, "200", "1..60000", "a packet waits so long for more" }, ALL,
	    0 },
};

struct config_stream {
	const char *name;
	int line;
	const char *values[NELEM(keys)]; /* NULL: not given */
	struct str *items[NELEM(keys)];
	struct config_stream *next;
};

struct config_streams {
	struct config_stream *first, **end;
};

const struct config_key *
config_stream_key(size_t index)
{
	return index < NELEM(keys) ? &keys[index].key : NULL;
}

static int
key_index(const char *name)
{
	for (size_t i = 0; i < NELEM(keys); i++)
		if (strcmp(keys[i].key.name, name) == 0)
			return (int)i;
	return -1;
}

static size_t
known(const char *name)
{
	int i = key_index(name);

	if (i < 0) {
		log_error("key of a stream is not in the table", LOG_TEXT("key", name));
		abort();
	}
	return (size_t)i;
}

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
		        s.p[i]) == NULL ||
		    s.p[i] == '\0')
			return false;
	return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

struct config_stream *
stream_section(
    struct config_streams **all, struct arena *a, struct str line, int number, struct str *wrong)
{
	static const struct str begin = STR("[stream");
	struct config_stream *s;
	struct str name;

	*wrong = STR("");
	if (!str_starts(line, begin.p) || !str_ends(line, "]"))
		return NULL;
	name = (struct str){ line.p + begin.n, line.n - begin.n - 1 };
	if (name.n > 0 && name.p[0] != ' ' && name.p[0] != '\t')
		return NULL;
	name = str_trim(name);
	if (!is_name(name)) {
		*wrong = arena_printf(a,
		    "the name of a stream is 1 to %d of A-Z a-z 0-9 - _ . in %.*s", NAME_MAX_BYTES,
		    STR_ARG(line));
		return NULL;
	}
	if (*all == NULL) {
		*all = arena_alloc(a, sizeof(**all));
		(*all)->end = &(*all)->first;
	}
	for (s = (*all)->first; s != NULL; s = s->next)
		if (str_is(name, s->name)) {
			*wrong = arena_printf(a, "the stream %s stands a second time", s->name);
			return NULL;
		}
	s = arena_alloc(a, sizeof(*s));
	s->name = arena_str(a, name).p;
	s->line = number;
	*(*all)->end = s;
	(*all)->end = &s->next;
	return s;
}

struct str
stream_take(struct config_stream *s, struct arena *a, const char *key, const char *value)
{
	int i = key_index(key);

	if (i < 0)
		return arena_printf(a, "a stream has no key %s", key);
	if (s->values[i] != NULL)
		return arena_printf(a, "%s is given a second time", key);
	s->values[i] = arena_strdup(a, value);
	if (keys[i].key.kind == CONFIG_LIST)
		s->items[i] = config_split(a, value);
	return value[0] != '\0' ? config_wrong(a, &keys[i].key, value) : STR("");
}

static bool
is_given(const struct config_stream *s, const char *key)
{
	return config_stream_text(s, key)[0] != '\0';
}

/* What is wrong with the section as a whole, or an empty string. */
static struct str
agree(const struct config_stream *s, struct arena *a)
{
	int source = 0;

	for (size_t i = 0; i < NELEM(sources); i++)
		if (strcmp(config_stream_text(s, "source"), sources[i]) == 0)
			source = 1 << i;
	if (source == 0)
		return arena_printf(a, "the stream %s needs source", s->name);
	for (size_t i = 0; i < NELEM(keys); i++) {
		if ((keys[i].need & source) != 0 && !is_given(s, keys[i].key.name))
			return arena_printf(a, "the stream %s needs %s: %s", s->name,
			    keys[i].key.name, keys[i].key.what);
		if ((keys[i].of & source) == 0 && s->values[i] != NULL)
			return arena_printf(a, "the stream %s: %s is no key of source = %s",
			    s->name, keys[i].key.name, config_stream_text(s, "source"));
	}
	if (source == KAFKA && str_starts(str_of(config_stream_text(s, "security")), "sasl")) {
		if (!is_given(s, "user") || !is_given(s, "password_file"))
			return arena_printf(
			    a, "the stream %s needs user and password_file for SASL", s->name);
		if (strcmp(config_stream_text(s, "sasl_mechanism"), "OAUTHBEARER") == 0 &&
		    !is_given(s, "token_url"))
			return arena_printf(
			    a, "the stream %s needs token_url for OAUTHBEARER", s->name);
	}
	return STR("");
}

struct str
stream_agree(struct config_streams *all, struct arena *a, int *line)
{
	struct str wrong = STR("");
	bool has_scout = false;

	for (struct config_stream *s = all != NULL ? all->first : NULL; s != NULL && wrong.n == 0;
	     s = s->next) {
		*line = s->line;
		wrong = agree(s, a);
		if (wrong.n == 0 && strcmp(config_stream_text(s, "source"), "scout") == 0) {
			if (has_scout)
				wrong = arena_printf(
				    a, "the stream %s is a second one of Scout", s->name);
			has_scout = true;
		}
	}
	return wrong;
}

const struct config_stream *
stream_at(const struct config_streams *all, size_t index)
{
	const struct config_stream *s = all != NULL ? all->first : NULL;

	while (s != NULL && index-- > 0)
		s = s->next;
	return s;
}

const char *
config_stream_name(const struct config_stream *s)
{
	return s->name;
}

const char *
config_stream_text(const struct config_stream *s, const char *key)
{
	size_t i = known(key);

	/* nothing behind the sign is as good as no line */
	return s->values[i] != NULL && s->values[i][0] != '\0' ? s->values[i]
	                                                       : keys[i].key.fallback;
}

double
config_stream_real(const struct config_stream *s, const char *key)
{
	double d;

	return str_to_double(str_of(config_stream_text(s, key)), &d) ? d : (double)NAN;
}

struct str
config_stream_item(const struct config_stream *s, const char *key, size_t index)
{
	const struct str *item = s->items[known(key)];

	if (item == NULL)
		return STR_NONE;
	for (; item->p != NULL && index > 0; index--)
		item++;
	return *item;
}
