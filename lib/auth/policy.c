/*
 * policy: which passwords are refused, and in which words.
 *
 * Django's four rules are here as Django has them (spec/security.md C.1): similarity to the user's
 * data, least length, the common list, not all digits. Ours goes further where Django's list ends:
 * of its 20,000 words 42 have the 15 characters we ask for. A long password that is nothing but
 * well-known words, runs, repeats and years is found by covering it with such pieces: what three
 * of them cover is guessed early, whatever its length. A word of the long list (policy_list.h, more
 * than 100,000 passwords, words and names) counts as two: by itself, again and again, or with one
 * more piece it is guessed early, too; two such words are not.
 *
 * All comparing is done on the NFKC form in lower case, as code points; the similarity is that of
 * what was typed, as Django's.
 */
#include "auth/password.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "auth/policy_list.h"
#include "auth/unicode.h"

#define FLOOR 8 /* Django's least length */
#define SIMILAR 0.7
#define PIECES_MAX 3 /* what so few pieces cover is common */
#define COVER_MAX 256 /* code points looked at for it; the rest of a longer one is its own */
#define LISTED 2 /* pieces that a word of the long list counts as */
#define WORD_MIN 3
#define WORD_MAX 24
#define OWN_WORDS 32

struct text {
	int32_t *c;
	size_t n;
};

/* Sorted by the build from common.txt. */
static const char words[][WORD_MAX + 1] = {
#include "auth/common_words.h"
};

/* Characters with a digit's value beside the decimal digits (Nd): Unicode's Numeric_Type=Digit. */
static const struct {
	int32_t first, last;
} other_digits[] = { { 0xb2, 0xb3 }, { 0xb9, 0xb9 }, { 0x1369, 0x1371 }, { 0x19da, 0x19da },
	{ 0x2070, 0x2070 }, { 0x2074, 0x2079 }, { 0x2080, 0x2089 }, { 0x2460, 0x2468 },
	{ 0x2474, 0x247c }, { 0x2488, 0x2490 }, { 0x24ea, 0x24ea }, { 0x24f5, 0x24fd },
	{ 0x24ff, 0x24ff }, { 0x2776, 0x277e }, { 0x2780, 0x2788 }, { 0x278a, 0x2792 },
	{ 0x10a40, 0x10a43 }, { 0x10e60, 0x10e68 }, { 0x11052, 0x1105a }, { 0x1f100, 0x1f10a } };

static bool
is_digit(int32_t c)
{
	if (utf8proc_category(c) == UTF8PROC_CATEGORY_ND)
		return true;
	for (size_t i = 0; i < NELEM(other_digits); i++)
		if (c >= other_digits[i].first && c <= other_digits[i].last)
			return true;
	return false;
}

/* The code points of valid UTF-8, in lower case. */
static struct text
lower(struct arena *a, struct str s)
{
	struct text t;

	t.n = unicode_points(a, s, &t.c);
	for (size_t i = 0; i < t.n; i++)
		t.c[i] = utf8proc_tolower(t.c[i]);
	return t;
}

static int
by_value(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

static struct text
sorted(struct arena *a, struct text t)
{
	struct text s = { arena_array(a, t.n + 1, sizeof(int32_t)), t.n };

	if (t.n > 0)
		memcpy(s.c, t.c, t.n * sizeof(int32_t));
	qsort(s.c, s.n, sizeof(int32_t), by_value);
	return s;
}

/*
 * Is quick_ratio() of Python's difflib at least SIMILAR? Twice the characters they share, whatever
 * their order, over all of them; both sorted. A part that is short beside the password is passed
 * over, as Django does.
 */
static bool
is_similar(struct text password, struct text part)
{
	size_t i = 0, j = 0, common = 0, total = password.n + part.n;

	if (password.n >= 10 * part.n && (double)part.n < SIMILAR / 2 * (double)password.n)
		return false;
	while (i < password.n && j < part.n) {
		if (password.c[i] < part.c[j]) {
			i++;
		} else if (password.c[i] > part.c[j]) {
			j++;
		} else {
			common++;
			i++;
			j++;
		}
	}
	return total == 0 || 2.0 * (double)common / (double)total >= SIMILAR;
}

/* Calls fn with each run of word characters of t, and with the whole of it; true stops. */
static bool
each_part(struct text t, bool (*fn)(void *, struct text), void *arg)
{
	for (size_t i = 0, start = 0; i <= t.n; i++)
		if (i == t.n || !unicode_is_word(t.c[i])) {
			if (i > start && fn(arg, (struct text){ t.c + start, i - start }))
				return true;
			start = i + 1;
		}
	return fn(arg, t);
}

struct similar {
	struct arena *arena;
	struct text password; /* sorted */
};

static bool
part_is_similar(void *arg, struct text part)
{
	struct similar *s = arg;

	return is_similar(s->password, sorted(s->arena, part));
}

/* The name of the first of the user's data the password is too similar to, or NULL. */
static const char *
similar_to(struct arena *a, struct text password, const struct password_owner *who)
{
	struct similar s = { a, sorted(a, password) };
	const struct {
		struct str value;
		const char *name;
	} data[] = { { who->username, "username" }, { who->first_name, "first name" },
		{ who->last_name, "last name" }, { who->email, "email address" } };

	for (size_t i = 0; i < NELEM(data); i++)
		if (data[i].value.n > 0 && each_part(lower(a, data[i].value), part_is_similar, &s))
			return data[i].name;
	return NULL;
}

/* What a character of leet stands for; `one` is what '1' and '!' are read as. */
static int32_t
unleet(int32_t c, int32_t one)
{
	switch (c) {
	case '@':
	case '4':
		return 'a';
	case '8':
		return 'b';
	case '3':
		return 'e';
	case '0':
		return 'o';
	case '5':
	case '$':
		return 's';
	case '7':
	case '+':
		return 't';
	case '1':
	case '!':
	case '|':
		return one;
	default:
		return c;
	}
}

struct cover {
	struct text t; /* as typed */
	struct text read[3]; /* as typed, and with leet undone in two ways */
	struct text own[OWN_WORDS]; /* words of the user and the site */
	size_t nown;
	unsigned *cost; /* least pieces that cover the first i characters */
};

static bool
add_own(void *arg, struct text word)
{
	struct cover *c = arg;

	if (word.n >= WORD_MIN && c->nown < OWN_WORDS)
		c->own[c->nown++] = word;
	return false;
}

static bool
same(struct text t, size_t at, const int32_t *word, size_t n)
{
	return at + n <= t.n && memcmp(t.c + at, word, n * sizeof(*word)) == 0;
}

/* Some more pieces end at `end`. */
static void
reach(struct cover *c, size_t from, size_t end, unsigned pieces)
{
	if (c->cost[from] + pieces < c->cost[end])
		c->cost[end] = c->cost[from] + pieces;
}

/* A piece of n characters, and the same again as often as it follows: all that is one piece. */
static void
repeat(struct cover *c, struct text t, size_t at, size_t n, unsigned pieces)
{
	size_t end = at + n;

	reach(c, at, end, pieces);
	for (; same(t, end, t.c + at, n); end += n)
		reach(c, at, end + n, pieces);
}

static bool
is_common_word(const int32_t *c, size_t n)
{
	char key[WORD_MAX + 1] = "";

	if (n < WORD_MIN || n > WORD_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (c[i] <= 0 || c[i] > 0x7f)
			return false;
		key[i] = (char)c[i];
	}
	return bsearch(key, words, NELEM(words), sizeof(words[0]),
	           (int (*)(const void *, const void *))strcmp) != NULL;
}

static void
words_at(struct cover *c, size_t at)
{
	for (size_t k = 0; k < NELEM(c->read); k++) {
		struct text t = c->read[k];

		for (size_t n = WORD_MIN; n <= WORD_MAX && at + n <= t.n; n++)
			if (is_common_word(t.c + at, n))
				repeat(c, t, at, n, 1);
		for (size_t i = 0; i < c->nown; i++)
			if (same(t, at, c->own[i].c, c->own[i].n))
				repeat(c, t, at, c->own[i].n, 1);
	}
}

/* Words of the long list; where a short way leads to this place, or none of them is of use. */
static void
listed_at(struct cover *c, size_t at)
{
	if (c->cost[at] + LISTED > PIECES_MAX)
		return;
	for (size_t k = 0; k < NELEM(c->read); k++) {
		struct text t = c->read[k];
		utf8proc_uint8_t word[4 * POLICY_LIST_LONGEST];
		size_t bytes = 0;

		for (size_t n = 1; n <= POLICY_LIST_LONGEST && at + n <= t.n; n++) {
			bytes += (size_t)utf8proc_encode_char(t.c[at + n - 1], word + bytes);
			if (n >= POLICY_LIST_SHORTEST &&
			    policy_list_is_common((struct str){ (const char *)word, bytes }))
				repeat(c, t, at, n, LISTED);
		}
	}
}

/* Is b the key beside a, or the letter or digit beside it, in direction d? */
static bool
is_beside(int32_t a, int32_t b, int d)
{
	static const char rows[] = "1234567890 qwertyuiop asdfghjkl zxcvbnm";
	const char *p;

	if (a + d == b && unicode_is_word(a) && unicode_is_word(b))
		return true;
	if (a <= ' ' || a > 0x7f || b <= ' ' || b > 0x7f || (p = strchr(rows, (char)a)) == NULL)
		return false;
	return (d > 0 || p > rows) && p[d] == (char)b;
}

/* Runs, one character again and again, up to four digits, and anything by itself. */
static void
runs_at(struct cover *c, size_t at)
{
	struct text t = c->t;
	size_t end;

	reach(c, at, at + 1, 1);
	if (strchr(" -_.", (char)(t.c[at] & 0x7f)) != NULL && t.c[at] > 0 && t.c[at] < 0x7f &&
	    c->cost[at] < c->cost[at + 1])
		c->cost[at + 1] = c->cost[at]; /* what joins pieces is none */
	for (int d = -1; d <= 1; d++) {
		for (end = at + 1; end < t.n; end++)
			if (d == 0 ? t.c[end] != t.c[at] : !is_beside(t.c[end - 1], t.c[end], d))
				break;
		for (; end >= at + 3; end--)
			repeat(c, t, at, end - at, 1);
	}
	for (end = at + 2; end < t.n; end++) /* two runs that alternate: "1q2w3e4r" */
		if (!is_beside(t.c[end - 2], t.c[end], 1) && !is_beside(t.c[end - 2], t.c[end], -1))
			break;
	if (end >= at + 6)
		reach(c, at, end, 1);
	for (end = at + 1; end < t.n && end < at + 4 && is_digit(t.c[end - 1]); end++)
		if (is_digit(t.c[end]))
			reach(c, at, end + 1, 1);
}

/* Is it the whole list's word, or covered by PIECES_MAX words, runs, repeats, years? */
static bool
is_common(struct arena *a, struct text t, const struct password_owner *who)
{
	const struct str data[] = { who->username, who->first_name, who->last_name, who->email,
		who->site_name, who->host };
	static const char ones[] = "1il";
	struct cover *c = arena_alloc(a, sizeof(*c));

	while (t.n > 0 && t.c[t.n - 1] == ' ')
		t.n--;
	for (; t.n > 0 && t.c[0] == ' '; t.n--)
		t.c++;
	if (t.n == 0 || t.n > COVER_MAX)
		return false;
	c->t = t;
	for (size_t k = 0; k < NELEM(c->read); k++) {
		c->read[k] = (struct text){ arena_array(a, t.n, sizeof(int32_t)), t.n };
		for (size_t i = 0; i < t.n; i++)
			c->read[k].c[i] = k == 0 ? t.c[i] : unleet(t.c[i], ones[k]);
	}
	for (size_t i = 0; i < NELEM(data); i++)
		if (data[i].n > 0)
			each_part(lower(a, data[i]), add_own, c);
	c->cost = arena_array(a, t.n + 1, sizeof(*c->cost));
	for (size_t i = 1; i <= t.n; i++)
		c->cost[i] = (unsigned)t.n + 1;
	for (size_t i = 0; i < t.n; i++) {
		words_at(c, i);
		runs_at(c, i);
		listed_at(c, i);
	}
	return c->cost[t.n] <= PIECES_MAX;
}

static bool
is_all_digits(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!is_digit(t.c[i]))
			return false;
	return t.n > 0;
}

/* Is it one short unit again and again ("abcabcabc")? Its last time may be cut short. */
static bool
is_repetition(struct text t)
{
	for (size_t unit = 1; unit <= 4 && unit * 3 <= t.n; unit++) {
		size_t i = unit;

		while (i < t.n && t.c[i] == t.c[i - unit])
			i++;
		if (i == t.n)
			return true;
	}
	return false;
}

static bool
is_run(struct text t)
{
	for (int d = -1; d <= 1; d += 2) {
		size_t i = 1;

		while (i < t.n && is_beside(t.c[i - 1], t.c[i], d))
			i++;
		if (i == t.n && t.n > 2)
			return true;
	}
	return false;
}

static size_t
least(size_t min_length)
{
	return min_length < FLOOR ? FLOOR : min_length;
}

/* Typed or in the form that is hashed: who has the file of a breach tries both. */
static enum breach
breach_of(struct str typed, struct str normal)
{
	enum breach found = policy_list_breach(normal);

	return found != BREACH_NO || str_eq(typed, normal) ? found : policy_list_breach(typed);
}

size_t
password_problems(struct arena *a, struct str password, const struct password_owner *who,
    size_t min_length, struct str why[PASSWORD_RULES])
{
	struct str normal;
	const char *data;
	struct text t;
	size_t n = 0;

	if (password.n > PASSWORD_MAX) {
		why[0] = arena_printf(a,
		    "This password is too long. It may have at most %d bytes in UTF-8.",
		    PASSWORD_MAX);
		return 1;
	}
	if (password.n > 0 && !str_is_utf8(password)) {
		why[0] = STR("This password is not text in UTF-8. Type it again.");
		return 1;
	}
	if (password.p == NULL)
		password = STR("");
	normal = unicode_nfkc(a, password);
	t = lower(a, normal);
	if ((data = similar_to(a, lower(a, password), who)) != NULL)
		why[n++] = arena_printf(a,
		    "The password is too similar to the %s. Choose one that has nothing to do with "
		    "your account.",
		    data);
	if (t.n < least(min_length))
		why[n++] = arena_printf(a,
		    "This password is too short. It must contain at least %zu characters; some "
		    "words that do not belong together are easy to remember.",
		    least(min_length));
	if (is_common(a, t, who))
		why[n++] = STR("This password is too common. It is made of well-known words, runs, "
		               "years or names of this site; choose words nobody expects here.");
	if (is_all_digits(t) || is_all_digits(lower(a, password)))
		why[n++] = STR("This password is entirely numeric. Put words in it, too.");
	if (is_repetition(t) || is_run(t))
		why[n++] = STR("This password only repeats itself or follows the alphabet or the "
		               "keyboard. Choose one without such a pattern.");
	switch (breach_of(password, normal)) {
	case BREACH_YES:
		why[n++] = STR(
		    "This password is known from a breach of another site. Choose one that "
		    "was never used anywhere.");
		break;
	case BREACH_UNKNOWN:
		why[n++] = STR(
		    "Whether this password is known from a breach cannot be looked up now. "
		    "Tell those who run this site.");
		break;
	case BREACH_NO:
		break;
	}
	return n;
}

size_t
password_rules(struct arena *a, size_t min_length, struct str rule[PASSWORD_RULES])
{
	size_t n = 0;

	rule[n++] = arena_printf(a,
	    "At least %zu characters; blanks and any letters count, up to "
	    "%d bytes.",
	    least(min_length), PASSWORD_MAX);
	rule[n++] = STR("Nothing like your user name, your name or your email address.");
	rule[n++] = STR("Not a common password, and not a few well-known words, years or runs.");
	rule[n++] = STR("Not only digits.");
	rule[n++] = STR("No pattern that repeats, and no run of the alphabet or the keyboard.");
	if (policy_list_has_breaches())
		rule[n++] = STR("Not one that is known from a breach of another site.");
	return n;
}
