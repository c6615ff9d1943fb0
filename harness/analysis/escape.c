// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "util.h"

char *escape_mail(const char *utf8)
{
	static const struct {
		const char *sign, *spelled;
	} known[] = {
		{ "\u2010", "-" },   { "\u2011", "-" },	  { "\u2012", "-" },	{ "\u2013", "-" },
		{ "\u2014", "-" },   { "\u2212", "-" },	  { "\u00b1", "+-" },	{ "\u00d7", "x" },
		{ "\u00b5", "u" },   { "\u03bc", "u" },	  { "\u2018", "'" },	{ "\u2019", "'" },
		{ "\u201c", "\"" },  { "\u201d", "\"" },  { "\u2192", "->" },	{ "\u2264", "<=" },
		{ "\u2265", ">=" },  { "\u00ae", "(R)" }, { "\u2122", "(TM)" }, { "\u00a0", " " },
		{ "\u2026", "..." },
	};
	/* no spelling is longer than twice its UTF-8 form */
	char *out = xrealloc(NULL, 2 * strlen(utf8) + 1, 1), *o = out;

	while (*utf8) {
		unsigned char c = *utf8;
		size_t i;

		if (c < 0x80) {
			*o++ = c < ' ' || c == 0x7f ? ' ' : c;
			utf8++;
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(known); i++)
			if (!strncmp(utf8, known[i].sign, strlen(known[i].sign)))
				break;
		if (i < ARRAY_SIZE(known)) {
			o = stpcpy(o, known[i].spelled);
			utf8 += strlen(known[i].sign);
			continue;
		}
		*o++ = '?';
		do
			utf8++;
		while (((unsigned char)*utf8 & 0xc0) == 0x80);
	}
	*o = '\0';
	return out;
}

char *escape_markdown(const char *utf8)
{
	char *text = text_clean(xstrdup(utf8)), *out, *o, before = '\0';

	/* no character takes more than four in its place */
	out = o = xrealloc(NULL, 4 * strlen(text) + 1, 1);
	for (const char *s = text; *s; before = *s++) {
		if (*s == '<') {
			o = stpcpy(o, "&lt;");
			continue;
		}
		/* brackets alone are none: only what follows them makes a link or an image */
		if (strchr("*`|\\", *s) || (before == ']' && strchr("([:", *s)))
			*o++ = '\\';
		*o++ = *s;
	}
	*o = '\0';
	free(text);
	return out;
}

void escape_gnuplot(FILE *out, const char *utf8, char quote)
{
	char *text = text_clean(xstrdup(utf8));

	putc(quote, out);
	for (const char *s = text; *s; s++) {
		/* a quote is written twice in a script; data have no such way, and know backslashes */
		if (quote == '"' && (*s == '"' || *s == '\\')) {
			putc('\'', out);
			continue;
		}
		if (*s == quote)
			putc(quote, out);
		putc(*s, out);
	}
	putc(quote, out);
	free(text);
}

struct shown shown(const char *utf8, int columns)
{
	char *text = text_clean(xstrdup(utf8));
	struct shown out;

	text_cut(text, columns < SHOWN_MOST ? columns : SHOWN_MOST);
	snprintf(out.s, sizeof(out.s), "%s", text);
	free(text);
	return out;
}
