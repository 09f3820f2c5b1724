/*
 * mpc: the lines of "Previous NEO Confirmation Page Objects".
 */
#include "alert/mpc.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tom/target.h"

#define HEADING "Previous NEO Confirmation Page Objects"
#define LINE_MAX_BYTES 400 /* of what stands in a line, without tags */

static const struct {
	enum mpc_end end;
	const char *phrase; /* of the page, behind the name */
	const char *word;
} ends[] = {
	{ MPC_CONFIRMED, NULL, "confirmed" },
	{ MPC_UNCONFIRMED, "was not confirmed", "unconfirmed" },
	{ MPC_NONEXISTENT, "does not exist", "nonexistent" },
	{ MPC_ARTIFICIAL, "was suspected artificial", "artificial" },
	{ MPC_NO_MINOR_PLANET, "was not a minor planet", "no-minor-planet" },
};

const char *
mpc_end_word(enum mpc_end end)
{
	return ends[end].word;
}

/* Where `what` begins in s, without regard to ASCII case; s.n where it does not. */
static size_t
find(struct str s, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = 0; i + n <= s.n; i++)
		if (str_is_nocase((struct str){ s.p + i, n }, what))
			return i;
	return s.n;
}

static struct str
from(struct str s, size_t i)
{
	return (struct str){ s.p + i, s.n - i };
}

/* Takes an entity at the front, such as "&nbsp;", which is a blank here; 0: there is none. */
static size_t
entity(struct str s)
{
	size_t end = str_find(s, ';');

	return s.n > 0 && s.p[0] == '&' && end < s.n && end < 10 ? end + 1 : 0;
}

/* The text of a line: tags are nothing, entities and all white space one blank; trimmed. */
static struct str
text_of(struct arena *a, struct str html)
{
	char text[LINE_MAX_BYTES];
	size_t n = 0;

	while (html.n > 0 && n < sizeof(text)) {
		size_t skip = entity(html);
		char c = html.p[0];

		if (c == '<') {
			size_t end = str_find(html, '>');

			html = from(html, end < html.n ? end + 1 : html.n);
			continue;
		}
		if (skip > 0 || c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			if (n > 0 && text[n - 1] != ' ')
				text[n++] = ' ';
		} else
			text[n++] = c;
		html = from(html, skip > 0 ? skip : 1);
	}
	return str_trim(arena_copy(a, text, n));
}

/* Fit to be a name of ours? */
static bool
is_name(struct arena *a, struct str s, size_t most)
{
	return s.n > 0 && s.n <= most && str_is_utf8(s) && target_name_wrong(s, a) == NULL;
}

/* "Comet C/2026 A1" is C/2026 A1; of "Comet 2026 A1" the letter was forgotten. */
static struct str
designation_of(struct arena *a, struct str s)
{
	if (!str_starts(s, "Comet "))
		return arena_str(a, s);
	s = str_trim(from(s, strlen("Comet ")));
	return s.n > 4 && s.p[0] >= '0' && s.p[0] <= '9' && s.p[4] == ' '
	    ? arena_printf(a, "C/%.*s", STR_ARG(s))
	    : arena_str(a, s);
}

static bool
read_line(struct arena *a, struct str html, struct mpc_fate *f)
{
	struct str text = text_of(a, html), body = { text.p, str_find(text, '(') };
	size_t equals;

	if (body.n == text.n)
		return false;
	body = str_trim(body);
	equals = find(body, " = ");
	if (equals < body.n) {
		*f = (struct mpc_fate){ .end = MPC_CONFIRMED,
			.name = arena_str(a, str_trim(from(body, equals + 3))),
			.designation = designation_of(
			    a, str_trim((struct str){ body.p, equals })) };
		return is_name(a, f->name, MPC_DESIGNATION_MAX) &&
		    is_name(a, f->designation, MPC_DESIGNATION_MAX);
	}
	f->name = arena_str(a, (struct str){ body.p, str_find(body, ' ') });
	f->designation = STR_NONE;
	body = str_trim(from(body, f->name.n));
	for (size_t i = 0; i < NELEM(ends); i++)
		if (ends[i].phrase != NULL && str_is(body, ends[i].phrase)) {
			f->end = ends[i].end;
			return is_name(a, f->name, MPC_DESIGNATION_MAX);
		}
	return false;
}

bool
mpc_read(
    struct arena *a, struct str page, struct mpc_fate **list, size_t *n, char *err, size_t errsize)
{
	struct str rest = from(page, find(page, HEADING));
	size_t room = 0, end;

	*list = NULL;
	*n = 0;
	if (rest.n == 0) {
		snprintf(err, errsize, "it is not the page \"" HEADING "\"");
		return false;
	}
	end = find(rest, "</ul>");
	if (end == rest.n) {
		snprintf(err, errsize, "its list has no end: it was cut off");
		return false;
	}
	rest.n = end;
	for (rest = from(rest, find(rest, "<li>")); rest.n > 0 && *n < MPC_FATES_MAX;) {
		struct mpc_fate f;
		size_t next;

		rest = from(rest, strlen("<li>"));
		next = find(rest, "<li>");
		if (read_line(a, (struct str){ rest.p, next }, &f)) {
			*list = arena_more(a, *list, *n, &room, sizeof(f));
			(*list)[(*n)++] = f;
		}
		rest = from(rest, next);
	}
	return true;
}
