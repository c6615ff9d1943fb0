// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "number.h"
#include "util.h"

void page_start(struct page *p, const char *name, const char *question)
{
	*p = (struct page){ .name = xstrdup(name), .question = xstrdup(question) };
}

static void grid_free(struct grid *g)
{
	if (!g)
		return;
	for (int r = 0; r < g->rows; r++)
		for (int c = 0; c < g->cols; c++) {
			free(g->row[r].cell[c].text);
			free(g->row[r].cell[c].note);
		}
	for (int c = 0; c < g->cols; c++)
		free(g->head[c]);
	for (int k = 0; k < g->keys; k++) {
		free(g->key[k].name);
		free(g->key[k].value);
	}
	free(g->row);
	free(g->name);
	free(g);
}

void page_free(struct page *p)
{
	for (int i = 0; i < p->blocks; i++) {
		free(p->block[i].text);
		free(p->block[i].file);
		free(p->block[i].drawn);
		grid_free(p->block[i].grid);
	}
	free(p->block);
	free(p->name);
	free(p->question);
	*p = (struct page){ 0 };
}

static struct block *add(struct page *p, enum block_kind kind, char *text)
{
	p->block = xrealloc(p->block, p->blocks + 1, sizeof(*p->block));
	p->block[p->blocks] = (struct block){ .kind = kind, .text = text };
	return &p->block[p->blocks++];
}

static char *formatted(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0) {
		fprintf(stderr, "sheafreport: out of memory\n");
		exit(1);
	}
	return text;
}

#define ADD(function, kind)                                 \
	void function(struct page *p, const char *fmt, ...) \
	{                                                   \
		va_list ap;                                 \
                                                            \
		va_start(ap, fmt);                          \
		add(p, kind, formatted(fmt, ap));           \
		va_end(ap);                                 \
	}

ADD(page_heading, BLOCK_HEADING)
ADD(page_text, BLOCK_TEXT)
ADD(page_item, BLOCK_ITEM)

void page_command(struct page *p, const char *text)
{
	add(p, BLOCK_COMMAND, xstrdup(text));
}

void page_link(struct page *p, const char *file, const char *about)
{
	add(p, BLOCK_LINK, xstrdup(about))->file = xstrdup(file);
}

void page_figure(struct page *p, const char *file, const char *caption, char *drawn)
{
	struct block *b = add(p, BLOCK_FIGURE, xstrdup(caption));

	b->file = xstrdup(file);
	b->drawn = drawn;
}

struct grid *page_table(struct page *p, const char *name, const char *const *heads)
{
	struct grid *g = xcalloc(1, sizeof(*g));

	g->name = xstrdup(name);
	for (; heads[g->cols] && g->cols < GRID_COLS; g->cols++)
		g->head[g->cols] = xstrdup(heads[g->cols]);
	add(p, BLOCK_TABLE, NULL)->grid = g;
	return g;
}

void grid_key(struct grid *g, const char *name, const char *value)
{
	g->key[g->keys].name = xstrdup(name);
	g->key[g->keys++].value = xstrdup(value);
}

void grid_row(struct grid *g)
{
	g->row = xrealloc(g->row, g->rows + 1, sizeof(*g->row));
	g->row[g->rows++] = (struct row){ 0 };
	g->next = 0;
}

static struct cell *next(struct grid *g, enum cell_kind kind)
{
	static struct cell lost; /* of a column that the table has not */
	struct cell *c = g->next < g->cols ? &g->row[g->rows - 1].cell[g->next++] : &lost;

	*c = (struct cell){ .kind = kind, .value = NAN, .ci = { NAN, NAN } };
	return c;
}

void grid_text(struct grid *g, const char *text)
{
	next(g, CELL_TEXT)->text = xstrdup(text);
}

void grid_estimate(struct grid *g, double v, struct interval ci, int decimals, bool sign)
{
	struct cell *c = next(g, isnan(v) ? CELL_MISSING : CELL_ESTIMATE);

	if (isnan(v)) {
		c->text = xstrdup("n/a");
		return;
	}
	c->value = v;
	c->ci = ci;
	c->decimals = decimals;
	c->sign = sign;
}

void grid_number(struct grid *g, double v, int decimals, bool sign)
{
	grid_estimate(g, v, (struct interval){ NAN, NAN }, decimals, sign);
	if (!isnan(v))
		g->row[g->rows - 1].cell[g->next - 1].kind = CELL_NUMBER;
}

void grid_missing(struct grid *g, const char *shown, const char *reason)
{
	struct cell *c = next(g, CELL_MISSING);

	c->text = xstrdup(shown);
	c->note = reason ? xstrdup(reason) : NULL;
}

void grid_note(struct grid *g, const char *note)
{
	struct cell *c = &g->row[g->rows - 1].cell[g->next - 1];

	free(c->note);
	c->note = xstrdup(note);
}

static unsigned int without_bit(unsigned int bits, int bit)
{
	const unsigned int below = (1U << bit) - 1;

	return (bits & below) | (bits >> 1 & ~below);
}

bool grid_drop_empty(struct grid *g, int col)
{
	for (int r = 0; r < g->rows; r++)
		if (g->row[r].cell[col].kind != CELL_MISSING)
			return false;
	free(g->head[col]);
	memmove(&g->head[col], &g->head[col + 1], (g->cols - col - 1) * sizeof(*g->head));
	for (int r = 0; r < g->rows; r++) {
		struct cell *c = g->row[r].cell;

		free(c[col].text);
		free(c[col].note);
		memmove(&c[col], &c[col + 1], (g->cols - col - 1) * sizeof(*c));
	}
	g->brief = without_bit(g->brief, col);
	g->files = without_bit(g->files, col);
	g->cols--;
	return true;
}

char *cell_text(const struct cell *c, bool brief)
{
	switch (c->kind) {
	case CELL_NUMBER:
		return xstrdup(c->decimals < 0 ? probability(c->value).s
					       : number(c->value, c->decimals, c->sign).s);
	case CELL_ESTIMATE:
		return xasprintf(
			"%s%s%s", number(c->value, c->decimals, c->sign).s,
			brief || isnan(c->ci.lo) ? "" : " ",
			brief || isnan(c->ci.lo) ? "" : interval(c->ci, c->decimals, c->sign).s);
	default:
		return xstrdup(c->text ? c->text : "");
	}
}

char *column_name(const char *head)
{
	char *name = xstrdup(head + (*head == '>')), *to = name;

	for (const char *s = name; *s; s++) {
		if (isalnum((unsigned char)*s))
			*to++ = (char)tolower((unsigned char)*s);
		else if (to > name && to[-1] != '_')
			*to++ = '_';
	}
	while (to > name && to[-1] == '_')
		to--;
	*to = '\0';
	return name;
}
