/* SPDX-License-Identifier: GPL-2.0 */
/* Text of a result for where it goes: one function for each, which all that write there use. */
#ifndef SHEAFBENCH_ANALYSIS_ESCAPE_H
#define SHEAFBENCH_ANALYSIS_ESCAPE_H

#include <stdio.h>

/* Mail: a copy in printable ASCII, well-known signs spelled out, others '?'. The caller frees it. */
char *escape_mail(const char *utf8);
/* Markdown: a copy in which nothing is markup. The caller frees it. */
char *escape_markdown(const char *utf8);
/*
 * gnuplot: a string in these quotes, ' in a script or " in data. It has no line's end, and no quote that would
 * end it.
 */
void escape_gnuplot(FILE *out, const char *utf8, char quote);

/* A terminal: at most @columns characters (SHOWN_MOST at most), none of them one that controls it. */
#define SHOWN_MOST 160

struct shown {
	char s[4 * SHOWN_MOST + 1];
};

struct shown shown(const char *utf8, int columns);

#endif
