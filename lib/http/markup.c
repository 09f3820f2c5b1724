/*
 * markup: a small automaton over HTML. It is stricter than a browser: what it cannot place for
 * certain (a value without quotes, an attribute that begins where another ends) it refuses, since
 * a template is written once and its mistakes are found when it is compiled.
 */
#include "http/markup.h"

#include <string.h>
#include <strings.h>

static const char *const raw_elements[] = { "script", "style", "xmp", "iframe", "noembed",
	"noframes", "noscript", "plaintext" };
static const char *const text_elements[] = { "title", "textarea" };
static const char *const url_attributes[] = { "href", "src", "action", "formaction", "poster",
	"cite", "data", "background", "ping", "manifest", "xlink:href" };
static const char *const code_attributes[] = { "style", "srcdoc", "srcset", "imagesrcset" };
static const char *const good_schemes[] = { "http", "https", "mailto" };
static const char sent_away[] = "a value in the content of a meta element with http-equiv";

static bool
is_among(const char *name, const char *const list[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_scheme_byte(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

/* Appends in lower case; a longer name than there is room for matches nothing we look for. */
static void
name_add(char *name, size_t room, size_t *n, char c)
{
	if (*n + 1 < room) {
		name[(*n)++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		name[*n] = '\0';
	}
}

void
markup_init(struct markup *m)
{
	*m = (struct markup){ .state = IN_TEXT, .opened_at = SIZE_MAX };
}

static void
begin_element(struct markup *m, char c)
{
	m->element_n = 0;
	name_add(m->element, sizeof(m->element), &m->element_n, c);
	m->tag++;
	m->http_equiv = m->dynamic_content = false;
	m->state = TAG_NAME;
}

static void
begin_attribute(struct markup *m, char c)
{
	m->attribute_n = 0;
	name_add(m->attribute, sizeof(m->attribute), &m->attribute_n, c);
	m->state = ATTRIBUTE_NAME;
}

static void
begin_value(struct markup *m)
{
	m->value++;
	m->url = is_among(m->attribute, url_attributes, NELEM(url_attributes));
	m->scheme_open = m->url;
	m->dynamic = false;
	m->scheme_n = 0;
	m->scheme[0] = '\0';
	m->state = QUOTED;
}

static void
end_start_tag(struct markup *m)
{
	m->match = 0;
	if (is_among(m->element, raw_elements, NELEM(raw_elements)))
		m->state = IN_RAW;
	else if (is_among(m->element, text_elements, NELEM(text_elements)))
		m->state = IN_RCDATA;
	else
		m->state = IN_TEXT;
}

/*
 * In script, style, title, textarea: looks for "</element". Inside of svg some of them hold elements,
 * and a script with "<!--<script" in it does not end where it seems to.
 */
static const char *
seek_end_tag(struct markup *m, char c)
{
	char lower = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;

	if (m->match == 1 && (is_letter(c) || c == '!') && strcmp(m->element, "noscript") != 0)
		return "'<' before a letter or '!' in an element that holds text only";
	if (m->match == m->element_n + 2) {
		if (c == '>')
			m->state = IN_TEXT;
		else if (is_space(c) || c == '/')
			m->state = END_TAG;
		m->match = 0;
	} else if (m->match >= 2 && lower == m->element[m->match - 2]) {
		m->match++;
	} else if (m->match == 1 && c == '/') {
		m->match = 2;
	} else {
		m->match = c == '<';
	}
	return NULL;
}

/* The static text of a URL, up to where no scheme can be any more. */
static const char *
url_byte(struct markup *m, char c)
{
	if (c == ':') {
		m->scheme_open = false;
		if (m->dynamic)
			return "a value must not be the scheme of a URL";
		if (!is_among(m->scheme, good_schemes, NELEM(good_schemes)))
			return "a URL of another scheme than http, https and mailto";
	} else if (c == '/' || c == '?' || c == '#') {
		m->scheme_open = false;
	} else if (c == '&') {
		return "a character reference where the scheme of a URL may stand";
	} else {
		name_add(m->scheme, sizeof(m->scheme), &m->scheme_n, c);
	}
	return NULL;
}

/* One byte inside a start tag but outside of values. */
static const char *
tag_byte(struct markup *m, char c)
{
	if (c == '>') {
		end_start_tag(m);
	} else if (is_space(c)) {
		if (m->state == ATTRIBUTE_NAME)
			m->state = AFTER_NAME;
		else if (m->state != AFTER_NAME && m->state != BEFORE_VALUE)
			m->state = IN_TAG;
	} else if (m->state == BEFORE_VALUE) {
		if (c == '"')
			begin_value(m);
		else
			m->state = c == '\'' ? SINGLE_QUOTED : UNQUOTED;
	} else if (c == '/') {
		m->state = IN_TAG;
	} else if (c == '"' || c == '\'' || c == '<') {
		return "a quote or '<' in the middle of a tag";
	} else if (m->state == NEED_SPACE) {
		return "a blank is missing between attributes";
	} else if (c == '=') {
		if (m->state != ATTRIBUTE_NAME && m->state != AFTER_NAME)
			return "'=' without an attribute's name before it";
		m->state = BEFORE_VALUE;
		m->http_equiv = m->http_equiv || strcmp(m->attribute, "http-equiv") == 0;
		return m->http_equiv && m->dynamic_content ? sent_away : NULL;
	} else if (m->state == TAG_NAME) {
		name_add(m->element, sizeof(m->element), &m->element_n, c);
	} else if (m->state == ATTRIBUTE_NAME) {
		name_add(m->attribute, sizeof(m->attribute), &m->attribute_n, c);
	} else {
		begin_attribute(m, c);
	}
	return NULL;
}

/* In a comment: "-->" ends it, and '>' alone where "<!--" or "<!---" is all that came of it. */
static const char *
comment_byte(struct markup *m, char c)
{
	if (c == '>' && (m->match >= 2 || m->state == COMMENT_START))
		m->state = IN_TEXT;
	else if (c == '!' && m->match >= 2)
		return "\"--!\" in a comment, which may end it";
	else if (c != '-')
		m->state = COMMENT;
	m->match = c == '-' ? m->match + 1 : 0;
	return NULL;
}

/* In "<!", which is a comment where "--" follows, else ends with '>'. */
static const char *
declaration_byte(struct markup *m, char c)
{
	if (c == '-' && m->match < 2) {
		if (++m->match == 2) {
			m->state = COMMENT_START;
			m->match = 0;
		}
	} else if (c == '[' && m->match == 0) {
		return "a CDATA section";
	} else {
		m->match = 2; /* no comment */
		if (c == '>')
			m->state = IN_TEXT;
	}
	return NULL;
}

static const char *
markup_byte(struct markup *m, char c)
{
	switch (m->state) {
	case IN_TEXT:
		if (c == '<')
			m->state = TAG_OPEN;
		break;
	case IN_RCDATA:
	case IN_RAW:
		return seek_end_tag(m, c);
	case TAG_OPEN:
		if (is_letter(c)) {
			begin_element(m, c);
		} else if (c == '!') {
			m->match = 0;
			m->state = DECLARATION;
		} else if (c == '/') {
			m->state = END_TAG;
		} else if (c == '?') {
			return "a processing instruction";
		} else if (c != '<') {
			m->state = IN_TEXT;
		}
		break;
	case END_TAG:
		if (c == '"' || c == '\'')
			return "a quote in an end tag";
		if (c == '>')
			m->state = IN_TEXT;
		break;
	case DECLARATION:
		return declaration_byte(m, c);
	case COMMENT_START:
	case COMMENT:
		return comment_byte(m, c);
	case TAG_NAME:
	case IN_TAG:
	case NEED_SPACE:
	case ATTRIBUTE_NAME:
	case AFTER_NAME:
	case BEFORE_VALUE:
		return tag_byte(m, c);
	case QUOTED:
		if (c == '"')
			m->state = NEED_SPACE;
		else if (m->scheme_open)
			return url_byte(m, c);
		break;
	case SINGLE_QUOTED:
		if (c == '\'')
			m->state = NEED_SPACE;
		break;
	case UNQUOTED:
		if (c == '>')
			end_start_tag(m);
		else if (is_space(c))
			m->state = IN_TAG;
		break;
	}
	return NULL;
}

const char *
markup_text(struct markup *m, struct str s, size_t *at)
{
	m->opened_at = SIZE_MAX;
	for (size_t i = 0; i < s.n; i++) {
		unsigned value = m->value;
		const char *wrong = markup_byte(m, s.p[i]);

		if (wrong != NULL) {
			*at = i;
			return wrong;
		}
		if (m->value != value)
			m->opened_at = m->url ? i + 1 : SIZE_MAX;
	}
	return NULL;
}

/* The states that values, sections and partials share a word for. */
static const char *
bad_place(const struct markup *m)
{
	switch (m->state) {
	case IN_RAW:
		return "a tag in a script or style element";
	case DECLARATION:
	case COMMENT_START:
	case COMMENT:
		return "a tag in an HTML comment or declaration";
	case TAG_OPEN:
	case END_TAG:
	case TAG_NAME:
		return "a tag in the name of an element";
	case IN_TAG:
	case NEED_SPACE:
	case ATTRIBUTE_NAME:
	case AFTER_NAME:
		return "a tag in or as the name of an attribute";
	case BEFORE_VALUE:
	case UNQUOTED:
		return "a tag in an attribute without quotes";
	case SINGLE_QUOTED:
		return "a tag in a single-quoted attribute; use double quotes";
	case IN_RCDATA:
		return m->match > 0 ? "a tag behind '<'" : NULL;
	case IN_TEXT:
	case QUOTED:
		break;
	}
	return NULL;
}

const char *
markup_value(struct markup *m, bool *url)
{
	const char *wrong = bad_place(m);

	*url = false;
	if (wrong != NULL || m->state != QUOTED)
		return wrong;
	if (m->attribute[0] == 'o' && m->attribute[1] == 'n')
		return "a tag in an event-handler attribute";
	if (is_among(m->attribute, code_attributes, NELEM(code_attributes)))
		return "a tag in an attribute that holds code or a list of URLs";
	if (strcmp(m->attribute, "content") == 0)
		m->dynamic_content = true;
	if (m->http_equiv && m->dynamic_content)
		return sent_away;
	*url = m->scheme_open;
	m->dynamic = true;
	return NULL;
}

const char *
markup_section(struct markup *m)
{
	switch (m->state) {
	case TAG_NAME:
	case ATTRIBUTE_NAME:
		m->state = NEED_SPACE;
		break;
	case AFTER_NAME:
		m->state = IN_TAG;
		break;
	case IN_TAG:
	case NEED_SPACE:
		break;
	case QUOTED:
		m->dynamic = true;
		break;
	default:
		return bad_place(m);
	}
	return NULL;
}

const char *
markup_join(struct markup *m, const struct markup *open)
{
	bool between = m->state == IN_TAG || m->state == NEED_SPACE;
	bool was_between = open->state == IN_TAG || open->state == NEED_SPACE;

	if (between && was_between && m->tag == open->tag) {
		if (open->state == NEED_SPACE)
			m->state = NEED_SPACE;
		return NULL;
	}
	/* in another tag it would depend on the section which element this is */
	if (m->state != open->state || (m->state == QUOTED && m->value != open->value) ||
	    ((m->state == IN_RCDATA || between) && m->tag != open->tag))
		return "the section ends in another place of the markup than it began "
		       "(text, tag or attribute)";
	if (m->state == QUOTED)
		m->scheme_open = m->scheme_open || open->scheme_open;
	return NULL;
}

const char *
markup_partial(const struct markup *m)
{
	const char *wrong = bad_place(m);

	if (wrong == NULL && m->state != IN_TEXT)
		wrong = "a partial inside of an attribute, title or textarea";
	return wrong;
}

const char *
markup_end(const struct markup *m)
{
	return m->state == IN_TEXT ? NULL
	                           : "the template ends inside of a tag, comment or element "
	                             "that holds text only";
}

bool
markup_bad_scheme(struct str url)
{
	char scheme[12] = "";
	size_t n = 0, i = 0;

	/* browsers pass over these in front, and tabs and line ends anywhere */
	while (i < url.n && (unsigned char)url.p[i] <= ' ')
		i++;
	for (; i < url.n; i++) {
		char c = url.p[i];

		if (c == ':')
			return !is_among(scheme, good_schemes, NELEM(good_schemes));
		if (c == '\t' || c == '\n' || c == '\r')
			continue;
		if (!is_scheme_byte(c))
			return false;
		name_add(scheme, sizeof(scheme), &n, c);
	}
	return false;
}
