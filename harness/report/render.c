// SPDX-License-Identifier: GPL-2.0
/* A page as Markdown, as text of 72 columns, as JSON, and its tables as CSV. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "model.h"

/* Footnotes of one table, each once. */
struct notes {
	const char *text[16];
	int n;
};

/* The number of a footnote, from 1. */
static int note_of(struct notes *notes, const char *text)
{
	int i = 0;

	while (i < notes->n && strcmp(notes->text[i], text) != 0)
		i++;
	if (i == notes->n && i < (int)(sizeof(notes->text) / sizeof(*notes->text)))
		notes->text[notes->n++] = text;
	return i + 1;
}

static char *noted(const struct cell *c, bool brief, struct notes *notes)
{
	char *text = cell_text(c, brief), *both;

	if (!c->note)
		return text;
	both = xasprintf("%s%s[%d]", text, *text ? " " : "", note_of(notes, c->note));
	free(text);
	return both;
}

/* Whether a row says nothing but that there is no difference. */
static bool is_nothing(const struct grid *g, const struct row *row)
{
	int numbers = 0;

	for (int c = 0; c < g->cols; c++) {
		if (row->cell[c].kind == CELL_NUMBER && row->cell[c].value == 0.0)
			numbers++;
		else if (row->cell[c].kind != CELL_TEXT || row->cell[c].note)
			return false;
	}
	return g->counted && numbers > 0;
}

static int columns(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Whether a mail has room for a column. */
static bool is_shown(const struct doc *d, const struct grid *g, int col)
{
	return d->style != DOC_MAIL || !(g->files >> col & 1);
}

static int again(const struct grid *g)
{
	return g->again ? g->again : 1;
}

/* One part of a table: its first columns, and those from @from up to @to. */
static void render_columns(struct doc *d, const struct grid *g, char *const *text, int from, int to)
{
	const char *heads[GRID_COLS + 1] = { NULL };
	struct table t;
	int cols = 0;

	for (int c = 0; c < to; c++)
		if ((c < again(g) || c >= from) && is_shown(d, g, c))
			heads[cols++] = g->head[c];
	table_start(&t, heads);
	for (int r = 0; r < g->rows; r++) {
		const char *cell[GRID_COLS] = { NULL };

		if (!text[r * g->cols])
			continue;
		cols = 0;
		for (int c = 0; c < to; c++)
			if ((c < again(g) || c >= from) && is_shown(d, g, c))
				cell[cols++] = text[r * g->cols + c];
		table_row(&t, cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], cell[6],
			  cell[7], cell[8], cell[9], cell[10], cell[11]);
	}
	doc_table_end(d, &t);
}

static int width_of(const struct grid *g, char *const *text, int c)
{
	int width = columns(g->head[c]) - (g->head[c][0] == '>');

	for (int r = 0; r < g->rows; r++)
		if (text[r * g->cols] && columns(text[r * g->cols + c]) > width)
			width = columns(text[r * g->cols + c]);
	return width;
}

/* A table that is too wide for a mail goes on below itself, with its first columns again. */
static void render_grid(struct doc *d, const struct grid *g)
{
	char **text = xcalloc(g->rows * g->cols + 1, sizeof(*text)), *nothing = NULL;
	struct notes notes = { 0 };
	int shown = 0, from = again(g);

	for (int r = 0; r < g->rows; r++) {
		if (g->row[r].hidden)
			continue;
		if (is_nothing(g, &g->row[r])) {
			char *name = cell_text(&g->row[r].cell[0], false);
			char *longer = xasprintf("%s%s%s", nothing ? nothing : "",
						 nothing ? ", " : "", name);

			free(name);
			free(nothing);
			nothing = longer;
			continue;
		}
		for (int c = 0; c < g->cols; c++)
			text[r * g->cols + c] = noted(&g->row[r].cell[c],
						      d->style == DOC_MAIL && g->brief >> c & 1,
						      &notes);
		shown++;
	}
	while (shown && from < g->cols) {
		int to = g->cols, room = MAIL_COLUMNS + 2;

		for (int c = 0; c < again(g); c++)
			room -= 2 + width_of(g, text, c);
		if (d->style == DOC_MAIL) {
			for (to = from; to < g->cols; to++) {
				room -= is_shown(d, g, to) ? 2 + width_of(g, text, to) : 0;
				if (room < 0 && to > from)
					break;
			}
		}
		render_columns(d, g, text, from, to);
		from = to;
	}
	if (nothing)
		doc_para(d, "No difference in any column: %s.", nothing);
	for (int i = 0; i < notes.n; i++)
		doc_item(d, "[%d] %s", i + 1, notes.text[i]);
	if (notes.n)
		doc_gap(d);
	for (int i = 0; i < g->rows * g->cols; i++)
		free(text[i]);
	free(text);
	free(nothing);
}

static void render_block(struct doc *d, const struct block *b, const struct places *at)
{
	switch (b->kind) {
	case BLOCK_HEADING:
		doc_heading(d, 2, b->text);
		break;
	case BLOCK_TEXT:
		doc_para(d, "%s", b->text);
		break;
	case BLOCK_ITEM:
		doc_item(d, "%s", b->text);
		break;
	case BLOCK_COMMAND:
		doc_command(d, b->text);
		break;
	case BLOCK_FIGURE:
		if (d->style == DOC_MARKDOWN)
			fprintf(d->f, "![%s](%s/%s)\n\n", b->text, at->plots, b->file);
		else if (b->drawn)
			doc_para(d, "%s:", b->text), doc_verbatim(d, b->drawn);
		break;
	case BLOCK_TABLE:
		render_grid(d, b->grid);
		break;
	case BLOCK_LINK:
		if (d->style == DOC_MARKDOWN)
			fprintf(d->f, "- [%s](%s/%s.md): %s\n", b->file, at->pages, b->file,
				b->text);
		else
			doc_item(d, "%s.md: %s", b->file, b->text);
		break;
	}
}

void page_render(const struct page *p, FILE *f, enum render how, const struct places *at)
{
	struct doc d = { .f = f, .style = how == RENDER_MAIL ? DOC_MAIL : DOC_MARKDOWN };

	for (int i = 0; i < p->blocks; i++) {
		const enum block_kind kind = p->block[i].kind;

		render_block(&d, &p->block[i], at);
		if ((kind == BLOCK_ITEM || kind == BLOCK_LINK) &&
		    (i + 1 == p->blocks || p->block[i + 1].kind != kind))
			doc_gap(&d);
	}
}

static json_t *number_json(double v)
{
	return isnan(v) ? json_null() : json_real(v);
}

static void cell_json(json_t *to, const char *name, const struct cell *c)
{
	json_t *value;

	if (c->kind == CELL_TEXT)
		value = json_string(c->text ? c->text : "");
	else
		value = number_json(c->value);
	json_object_set_new(to, name, value);
	if (c->kind == CELL_ESTIMATE) {
		char *ci = xasprintf("%s_ci95", name);

		json_object_set_new(to, ci,
				    isnan(c->ci.lo) ? json_null()
						    : json_pack("[f, f]", c->ci.lo, c->ci.hi));
		free(ci);
	}
	if (c->note) {
		char *note = xasprintf("%s_note", name);

		json_object_set_new(to, note, json_string(c->note));
		free(note);
	}
}

static json_t *grid_json(const struct grid *g)
{
	json_t *rows = json_array();

	for (int r = 0; r < g->rows; r++) {
		json_t *row = json_object();

		for (int k = 0; k < g->keys; k++)
			json_object_set_new(row, g->key[k].name, json_string(g->key[k].value));
		for (int c = 0; c < g->cols; c++) {
			char *name = column_name(g->head[c]);

			cell_json(row, name, &g->row[r].cell[c]);
			free(name);
		}
		json_array_append_new(rows, row);
	}
	return rows;
}

json_t *page_json(const struct page *p)
{
	static const char *const kinds[] = { "heading", "text",	 "item", "command",
					     "figure",	"table", "link" };
	json_t *blocks = json_array();

	for (int i = 0; i < p->blocks; i++) {
		const struct block *b = &p->block[i];
		json_t *one = json_pack("{s:s}", "kind", kinds[b->kind]);

		if (b->text)
			json_object_set_new(one, "text", json_string(b->text));
		if (b->file)
			json_object_set_new(one, "file", json_string(b->file));
		if (b->grid) {
			json_object_set_new(one, "name", json_string(b->grid->name));
			json_object_set_new(one, "rows", grid_json(b->grid));
		}
		json_array_append_new(blocks, one);
	}
	return json_pack("{s:s, s:s, s:o}", "name", p->name, "question", p->question, "blocks",
			 blocks);
}

static void csv_text(FILE *f, const char *s)
{
	if (!strpbrk(s, ",\"\n\r")) {
		fputs(s, f);
		return;
	}
	putc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			putc('"', f);
		putc(*s, f);
	}
	putc('"', f);
}

static void csv_number(FILE *f, double v)
{
	if (!isnan(v))
		fprintf(f, "%.12g", v);
}

/* Columns that hold an interval in any table of that name have two more. */
static bool is_estimate(const struct page *p, const char *name, int col)
{
	for (int i = 0; i < p->blocks; i++) {
		const struct grid *g = p->block[i].grid;

		for (int r = 0; g && !strcmp(g->name, name) && r < g->rows; r++)
			if (col < g->cols && g->row[r].cell[col].kind == CELL_ESTIMATE)
				return true;
	}
	return false;
}

static void csv_head(const struct page *p, const struct grid *g, FILE *f)
{
	for (int k = 0; k < g->keys; k++)
		fprintf(f, "%s,", g->key[k].name);
	for (int c = 0; c < g->cols; c++) {
		char *name = column_name(g->head[c]);

		fprintf(f, "%s%s", c ? "," : "", name);
		if (is_estimate(p, g->name, c))
			fprintf(f, ",%s_lo,%s_hi", name, name);
		free(name);
	}
	putc('\n', f);
}

void page_csv(const struct page *p, const char *name, FILE *f)
{
	const struct grid *first = NULL;

	for (int i = 0; i < p->blocks; i++) {
		const struct grid *g = p->block[i].grid;

		if (!g || strcmp(g->name, name) != 0)
			continue;
		if (!first)
			csv_head(p, g, f);
		first = g;
		for (int r = 0; r < g->rows; r++) {
			for (int k = 0; k < g->keys; k++) {
				csv_text(f, g->key[k].value);
				putc(',', f);
			}
			for (int c = 0; c < g->cols; c++) {
				const struct cell *x = &g->row[r].cell[c];

				if (c)
					putc(',', f);
				if (x->kind == CELL_TEXT)
					csv_text(f, x->text);
				csv_number(f, x->value);
				if (!is_estimate(p, name, c))
					continue;
				putc(',', f);
				csv_number(f, x->ci.lo);
				putc(',', f);
				csv_number(f, x->ci.hi);
			}
			putc('\n', f);
		}
	}
}
