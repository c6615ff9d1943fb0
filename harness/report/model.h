/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A page is built once, of blocks, and rendered in several ways: Markdown, text of 72 columns for mails
 * and terminals, CSV and JSON for programs, HTML. Tables hold numbers, not text, so that all of these
 * tell the same number, each with the digits that its reader has use for.
 */
#ifndef SHEAFBENCH_REPORT_MODEL_H
#define SHEAFBENCH_REPORT_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "stats.h"

#define GRID_COLS 12

enum cell_kind {
	CELL_TEXT,
	CELL_NUMBER,
	CELL_ESTIMATE, /* a number with its interval */
	CELL_MISSING,  /* shown as text, with the reason as a footnote */
};

struct cell {
	enum cell_kind kind;
	double value;
	struct interval ci;
	int decimals; /* for people; programs get all digits. Below 0: a probability */
	bool sign;
	char *text; /* of CELL_TEXT and CELL_MISSING; "" is an empty cell */
	char *note; /* a footnote; NULL without */
};

struct row {
	struct cell cell[GRID_COLS];
	bool hidden; /* for programs only */
};

/* Tables of the same name are one file for programs; its first columns are the keys that tell them apart. */
struct grid {
	char *name;
	int cols, keys;
	char *head[GRID_COLS]; /* one that begins with '>' is of numbers, to the right */
	struct {
		char *name, *value;
	} key[3];
	struct row *row;
	int rows, next; /* next: the cell of the last row that comes next */
	/* Columns, by bit, whose intervals a mail has no room for, and those that it has none for at all. */
	unsigned int brief, files;
	int again; /* columns that a mail repeats where a table that is too wide goes on; 0 is 1 */
	bool counted; /* rows that are 0 throughout are told in a sentence */
};

enum block_kind {
	BLOCK_HEADING,
	BLOCK_TEXT,
	BLOCK_ITEM,
	BLOCK_COMMAND,
	BLOCK_FIGURE, /* text is the caption, file its name among the plots, drawn the same in letters */
	BLOCK_TABLE,
	BLOCK_LINK, /* text is what is there, file the name of a page */
};

struct block {
	enum block_kind kind;
	char *text, *file, *drawn;
	struct grid *grid;
};

struct page {
	char *name, *question; /* of a page beside others: its first line */
	struct block *block;
	int blocks;
};

void page_start(struct page *p, const char *name, const char *question);
void page_free(struct page *p);
void page_heading(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void page_text(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void page_item(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void page_command(struct page *p, const char *text);
void page_link(struct page *p, const char *file, const char *about);
/* @drawn may be NULL; it is freed with the page. */
void page_figure(struct page *p, const char *file, const char *caption, char *drawn);

/* A table to be filled; @heads end with NULL. It is there until the page is freed. */
struct grid *page_table(struct page *p, const char *name, const char *const *heads);
void grid_key(struct grid *g, const char *name, const char *value);
void grid_row(struct grid *g);
/* The next cell of the last row. */
void grid_text(struct grid *g, const char *text);
void grid_number(struct grid *g, double v, int decimals, bool sign); /* n/a where it is none */
void grid_estimate(struct grid *g, double v, struct interval ci, int decimals, bool sign);
void grid_missing(struct grid *g, const char *shown, const char *reason);
/* A footnote to the cell before. */
void grid_note(struct grid *g, const char *note);
/* Drops a column without a number in it, and tells whether it did. */
bool grid_drop_empty(struct grid *g, int col);

/* The cell as people read it, where brief without its interval; the caller frees it. */
char *cell_text(const struct cell *c, bool brief);
/* The name of a column for programs: lower case, with _ for what is no letter and no digit. */
char *column_name(const char *head);

enum render {
	RENDER_MARKDOWN,
	RENDER_MAIL,
};

/* Of links and figures: the folders in which they are, as the page's reader sees them. */
struct places {
	const char *pages, *plots;
};

void page_render(const struct page *p, FILE *f, enum render how, const struct places *at);
json_t *page_json(const struct page *p);
/* All tables of one name, as CSV. Nothing when there is none. */
void page_csv(const struct page *p, const char *name, FILE *f);

#endif
