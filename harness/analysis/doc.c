// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "escape.h"

#define MARKDOWN_COLUMNS 100

static char *vformat(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0) {
		fprintf(stderr, "%s: out of memory\n", program_invocation_short_name);
		exit(1);
	}
	return s;
}

static char *dress(const struct doc *d, const char *text)
{
	return d->style == DOC_MAIL ? escape_mail(text) : escape_markdown(text);
}

/* Columns that a string takes: UTF-8 continuation bytes take none. */
static int columns(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/*
 * Fills words into lines. Every line but the first starts with 'indent', every line but the last
 * ends with 'more'. A word that is longer than a line is cut: nothing may leave a mail's margin.
 */
static void fill(struct doc *d, const char *first, const char *indent, const char *more,
		 const char *text)
{
	int width = (d->style == DOC_MAIL ? MAIL_COLUMNS : MARKDOWN_COLUMNS) - (int)strlen(more);
	int col = fprintf(d->f, "%s", first);
	bool start = true;

	while (*(text += strspn(text, " "))) {
		int len = (int)strcspn(text, " ");
		char *word = xasprintf("%.*s", len, text);
		char *rest = word;

		text += len;
		if (!start && col + 1 + columns(word) > width) {
			col = fprintf(d->f, "%s\n%s", more, indent) - (int)strlen(more) - 1;
			start = true;
		}
		if (!start)
			col += fprintf(d->f, " ");
		while (d->style == DOC_MAIL && col + (int)strlen(rest) > width) {
			fprintf(d->f, "%.*s\n%s", width - col, rest, indent);
			rest += width - col;
			col = (int)strlen(indent);
		}
		fputs(rest, d->f);
		col += columns(rest);
		start = false;
		free(word);
	}
	fputc('\n', d->f);
}

void doc_heading(struct doc *d, int level, const char *text)
{
	char *s = dress(d, text);

	if (d->style == DOC_MARKDOWN) {
		fprintf(d->f, "%.*s %s\n\n", level, "######", s);
	} else {
		fprintf(d->f, "%s\n", s);
		for (int i = columns(s); i > 0; i--)
			fputc('-', d->f);
		fputs("\n\n", d->f);
	}
	free(s);
}

static void fill_formatted(struct doc *d, const char *first, const char *indent, const char *fmt,
			   va_list ap)
{
	char *text = vformat(fmt, ap), *s = dress(d, text);

	fill(d, first, indent, "", s);
	free(s);
	free(text);
}

void doc_para(struct doc *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill_formatted(d, "", "", fmt, ap);
	va_end(ap);
	fputc('\n', d->f);
}

void doc_item(struct doc *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill_formatted(d, "- ", "  ", fmt, ap);
	va_end(ap);
}

void doc_gap(struct doc *d)
{
	fputc('\n', d->f);
}

void doc_command(struct doc *d, const char *text)
{
	char *s = escape_mail(text);

	fill(d, "    ", "        ", " \\", s);
	fputc('\n', d->f);
	free(s);
}

void doc_verbatim(struct doc *d, const char *text)
{
	if (d->style == DOC_MARKDOWN)
		fprintf(d->f, "```\n%s```\n\n", text);
	else
		fprintf(d->f, "%s\n", text);
}

void table_start(struct table *t, const char *const *heads)
{
	*t = (struct table){ .heads = heads };
	while (heads[t->cols])
		t->cols++;
}

static void add_cell(struct table *t, int row, int col, const char *text)
{
	if (row >= t->room) {
		t->room = t->room ? 2 * t->room : 16;
		t->cells = xrealloc(t->cells, (size_t)t->room * t->cols, sizeof(*t->cells));
	}
	t->cells[row * t->cols + col] = text ? xasprintf("%s", text) : NULL;
}

void table_row(struct table *t, ...)
{
	va_list ap;

	va_start(ap, t);
	for (int c = 0; c < t->cols; c++) {
		const char *s = va_arg(ap, const char *);

		add_cell(t, t->rows, c, s ? s : "n/a");
	}
	va_end(ap);
	t->rows++;
}

void table_break(struct table *t)
{
	for (int c = 0; c < t->cols; c++)
		add_cell(t, t->rows, c, NULL);
	t->rows++;
}

static const char *head_text(const struct table *t, int c)
{
	return t->heads[c] + (t->heads[c][0] == '>');
}

static void markdown_table(struct doc *d, struct table *t, char *const *cells)
{
	for (int c = 0; c < t->cols; c++)
		fprintf(d->f, "| %s ", head_text(t, c));
	fputs("|\n", d->f);
	for (int c = 0; c < t->cols; c++)
		fputs(t->heads[c][0] == '>' ? "|---:" : "|---", d->f);
	fputs("|\n", d->f);
	for (int r = 0; r < t->rows; r++) {
		if (!cells[r * t->cols])
			continue;
		for (int c = 0; c < t->cols; c++)
			fprintf(d->f, "| %s ", cells[r * t->cols + c]);
		fputs("|\n", d->f);
	}
}

static void mail_row(struct doc *d, const struct table *t, char *const *row, const int *width,
		     int gap)
{
	int blanks = 0;
	bool any = false;

	if (!row[0]) {
		fputc('\n', d->f);
		return;
	}
	for (int c = 0; c < t->cols; c++) {
		const char *text = row[c];
		bool right = t->heads[c][0] == '>';
		int pad;

		if (c == 0 && columns(text) > width[0]) {
			fill(d, "", "  ", "", text);
			text = "";
		}
		pad = width[c] - columns(text);
		blanks += (c ? gap : 0) + (right ? pad : 0);
		/* blanks at the end of a line are never written */
		if (*text) {
			fprintf(d->f, "%*s%s", blanks, "", text);
			blanks = 0;
			any = true;
		}
		blanks += right ? 0 : pad;
	}
	if (any)
		fputc('\n', d->f);
}

static void mail_table(struct doc *d, struct table *t, char *const *cells)
{
	char *heads[DOC_COLS] = { NULL };
	int width[DOC_COLS], room = MAIL_COLUMNS, gap = 2;

	/* the columns from the right, so that the first one has what they leave */
	for (int c = t->cols - 1; c >= 0; c--) {
		heads[c] = (char *)head_text(t, c);
		width[c] = columns(heads[c]);
		for (int r = 0; r < t->rows; r++) {
			int wide = cells[r * t->cols] ? columns(cells[r * t->cols + c]) : 0;

			if (wide > width[c] && (c || wide <= room))
				width[c] = wide;
		}
		room -= width[c] + gap;
	}
	if (room + gap < 0)
		gap = 1;
	mail_row(d, t, heads, width, gap);
	for (int r = 0; r < t->rows; r++)
		mail_row(d, t, cells + r * t->cols, width, gap);
}

void doc_table_end(struct doc *d, struct table *t)
{
	int n = t->rows * t->cols;
	char **cells = xrealloc(NULL, n + 1, sizeof(*cells));

	for (int i = 0; i < n; i++)
		cells[i] = t->cells[i] ? dress(d, t->cells[i]) : NULL;
	if (n && d->style == DOC_MARKDOWN)
		markdown_table(d, t, cells);
	else if (n)
		mail_table(d, t, cells);
	if (n)
		fputc('\n', d->f);
	for (int i = 0; i < n; i++) {
		free(cells[i]);
		free(t->cells[i]);
	}
	free(cells);
	free(t->cells);
	*t = (struct table){ 0 };
}
