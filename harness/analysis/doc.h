/* SPDX-License-Identifier: GPL-2.0 */
/* One document, two dresses: Markdown for files, and plain ASCII of at most 72 columns for mail. */
#ifndef SHEAFBENCH_ANALYSIS_DOC_H
#define SHEAFBENCH_ANALYSIS_DOC_H

#include <stdio.h>

#include "util.h"

#define MAIL_COLUMNS 72
#define DOC_COLS     12

enum doc_style {
	DOC_MAIL,
	DOC_MARKDOWN,
};

struct doc {
	FILE *f;
	enum doc_style style;
	const char *title, *plots; /* of a file: its heading, where its plots are */
};

/* A table that is filled row by row and printed by doc_table_end(). Cells are copied. */
struct table {
	const char *const *
		heads; /* NULL-terminated, at most DOC_COLS; a head that starts with '>' is right-aligned */
	int cols;
	char **cells;
	int rows, room;
};

void doc_heading(struct doc *d, int level, const char *text);
/* A filled paragraph; newlines in the text are blanks. */
void doc_para(struct doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One item of a list. */
void doc_item(struct doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Ends a list, a plot or a command: a blank line. */
void doc_gap(struct doc *d);
/* A command to type: broken at blanks with a trailing backslash where it is too long. */
void doc_command(struct doc *d, const char *text);
/* Lines printed as they are: the caller keeps to the width. */
void doc_verbatim(struct doc *d, const char *text);

void table_start(struct table *t, const char *const *heads);
/* One row: as many strings as there are columns; NULL stands for `n/a`. */
void table_row(struct table *t, ...);
/* A blank row between groups; Markdown has none, so nothing happens there. */
void table_break(struct table *t);
/* Prints and frees the table, nothing when it has no row. In a mail, a first cell that is too long has a line of its own. */
void doc_table_end(struct doc *d, struct table *t);

#endif
