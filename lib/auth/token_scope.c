/*
 * token_scope: the words that say what a token may do.
 */
#include <string.h>

#include "auth/token.h"

const struct token_area token_areas[] = {
	{ "targets", "Targets" },
};
const size_t token_nareas = NELEM(token_areas);

bool
token_is_area(const char *word)
{
	for (size_t i = 0; i < token_nareas; i++)
		if (strcmp(token_areas[i].word, word) == 0)
			return true;
	return false;
}

/* Takes the next word off the front; empty where there is none. */
static struct str
next_word(struct str *words)
{
	struct str word;

	do
		word = str_cut(words, ' ');
	while (word.n == 0 && words->n > 0);
	return word;
}

/* Is it "VERB", where area is NULL, or "AREA:VERB"? */
static bool
is_scope(struct str word, const char *area, const char *verb)
{
	size_t n = area == NULL ? 0 : strlen(area) + 1;

	if (word.n != n + strlen(verb) || memcmp(word.p + n, verb, word.n - n) != 0)
		return false;
	return n == 0 || (memcmp(word.p, area, n - 1) == 0 && word.p[n - 1] == ':');
}

static bool
has_scope(struct str words, const char *area, const char *verb)
{
	struct str word;

	while ((word = next_word(&words)).n > 0)
		if (is_scope(word, area, verb))
			return true;
	return false;
}

bool
token_allows(struct str scopes, const char *area, bool is_safe)
{
	const char *verb = is_safe ? "read" : "write";

	return area != NULL && (has_scope(scopes, NULL, verb) || has_scope(scopes, area, verb));
}

static bool
is_known(struct str word)
{
	if (is_scope(word, NULL, "read") || is_scope(word, NULL, "write"))
		return true;
	for (size_t i = 0; i < token_nareas; i++)
		if (is_scope(word, token_areas[i].word, "read") ||
		    is_scope(word, token_areas[i].word, "write"))
			return true;
	return false;
}

struct str
token_scopes(struct arena *a, struct str words)
{
	static const char *const verbs[] = { "read", "write" };
	struct str rest = words, word, all = STR("");

	while ((word = next_word(&rest)).n > 0)
		if (!is_known(word))
			return STR_NONE;
	for (size_t v = 0; v < NELEM(verbs); v++)
		if (has_scope(words, NULL, verbs[v]))
			all = arena_printf(a, "%s%s%s", all.p, all.n > 0 ? " " : "", verbs[v]);
	for (size_t i = 0; i < token_nareas; i++)
		for (size_t v = 0; v < NELEM(verbs); v++)
			if (has_scope(words, token_areas[i].word, verbs[v]) &&
			    !has_scope(words, NULL, verbs[v]))
				all = arena_printf(a, "%s%s%s:%s", all.p, all.n > 0 ? " " : "",
				    token_areas[i].word, verbs[v]);
	return all.n > 0 ? all : STR_NONE;
}
