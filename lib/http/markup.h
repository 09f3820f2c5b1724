/*
 * markup.h: where in an HTML page a template's tag stands. The compiler feeds it the text between
 * tags; it follows just as much of the HTML syntax as is needed to say whether a value may stand
 * at this place and how it is escaped there. Only http/mustache.c uses it.
 */
#ifndef MERIDIAN_MARKUP_H
#define MERIDIAN_MARKUP_H

#include "base/base.h"

enum markup_state {
	IN_TEXT,
	IN_RCDATA, /* title, textarea: text until the end tag */
	IN_RAW, /* script, style and the like: no tags here */
	TAG_OPEN, /* after '<' */
	END_TAG,
	DECLARATION, /* "<!" */
	COMMENT_START, /* "<!--" and dashes */
	COMMENT,
	TAG_NAME,
	IN_TAG, /* between attributes, after a blank */
	NEED_SPACE, /* between attributes, a blank must come first */
	ATTRIBUTE_NAME,
	AFTER_NAME,
	BEFORE_VALUE,
	QUOTED, /* in "..." */
	SINGLE_QUOTED,
	UNQUOTED
};

struct markup {
	enum markup_state state;
	char element[16], attribute[16]; /* lower case, cut off where longer */
	size_t element_n, attribute_n;
	size_t match; /* bytes of "</element" or "--" seen */
	unsigned tag, value; /* the how-manieth tag and quoted value this is */
	bool url; /* the attribute's value is a URL */
	bool scheme_open; /* and what was seen of it may still be (part of) a scheme */
	bool dynamic; /* a value or section stands in it */
	bool http_equiv; /* the tag has it */
	bool dynamic_content; /* a value stands in the tag's attribute of that name */
	char scheme[12];
	size_t scheme_n;
	size_t
	    opened_at; /* offset in the text fed last behind the '"' of a URL; SIZE_MAX: not there */
};

void markup_init(struct markup *);

/* Reads static text. NULL, or what is wrong with it; *at is then the offset of it. */
const char *markup_text(struct markup *, struct str, size_t *at);

/* May a value stand here? NULL, or why not. *url says that it must be checked for its scheme. */
const char *markup_value(struct markup *, bool *url);

/* May a section begin or end here? NULL or why not. */
const char *markup_section(struct markup *);

/* Does a section that began at `open` and ends here leave the page in one state? NULL or why not. */
const char *markup_join(struct markup *, const struct markup *open);

/* May a partial stand here, and may a template end here? Both: in text only. NULL or why not. */
const char *markup_partial(const struct markup *);
const char *markup_end(const struct markup *);

/* Has the URL a scheme other than http, https and mailto, as a browser reads it? */
bool markup_bad_scheme(struct str url);

#endif
