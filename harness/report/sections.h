/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pages are put together from; pages.c says which page has what, and page.c is the first of them.
 * Each adds blocks to a page, or nothing where the result gives no cause.
 */
#ifndef SHEAFBENCH_REPORT_SECTIONS_H
#define SHEAFBENCH_REPORT_SECTIONS_H

#include "model.h"
#include "view.h"

/* The series that the thread is about. */
#define PATCHES_MSGID "20260519012754.240804-1-leobras.c@gmail.com"

/* page.c: the answer on one page. */
void page_answer(struct page *p, const struct view *r);
/* The same as far as a mail has room for it (without @room no figure and no question), and as a terminal has. */
void page_reply(struct page *p, const struct view *r, bool room);
void page_short(struct page *p, const struct view *r);
/* What stands in the answer's table, for plots and pages that show the same. */
#define ANSWER_TABLE "answer"

/* trust.c: what the result is worth, beside what the thread has, and what it cannot say. */
void write_trust(struct page *p, const struct view *r);
void write_trust_short(struct page *p, const struct view *r); /* in three lines */
/* The steps that failed or were interrupted. */
void write_failed(struct page *p, const struct view *r);
void write_thread(struct page *p, const struct view *r);
void write_limits(struct page *p, const struct view *r, bool brief);

/* pages.c: the pages with the rest, each a file of its own. */
struct sheet {
	const char *name, *question;
	void (*write[3])(struct page *p, const struct view *r);
};

#define SHEETS 16
extern const struct sheet sheets[SHEETS];
/* False where the result has nothing to say there, and no page was begun. */
bool sheet_make(const struct sheet *sheet, struct page *p, const struct view *r);

/* certificate.c: what the result says about its instrument. */
void write_certificate(struct page *p, const struct view *r);

/* environment.c: on what it was measured, how, and what went wrong. */
void write_environment(struct page *p, const struct view *r);
/* Which kernels the variants are, where they are not all of one. */
bool has_kernels(const struct view *r);
void write_kernels(struct page *p, const struct view *r);
void write_method(struct page *p, const struct view *r);
void write_warnings(struct page *p, const struct view *r);

/* effects.c: what the variants cost. */
void write_effects(struct page *p, const struct view *r);
void write_contended(struct page *p, const struct view *r);
void write_components(struct page *p, const struct view *r);

/* counts.c: what was counted, and not timed. */
void write_counts(struct page *p, const struct view *r);
void write_calls(struct page *p, const struct view *r);
void write_symbols(struct page *p, const struct view *r);
void write_symbols_rt(struct page *p, const struct view *r);
void write_lines(struct page *p, const struct view *r);
void write_fidelity(struct page *p, const struct view *r);
void write_estimates(struct page *p, const struct view *r);

/* events.c: what performance counters counted. */
void write_counters(struct page *p, const struct view *r);

/* flush.c: what flushes cost, and what they take from other CPUs. */
void write_flushes(struct page *p, const struct view *r);
void write_waits(struct page *p, const struct view *r);
void write_growth(struct page *p, const struct view *r);

/* Events that one flush brings upon an isolated CPU with a scheme; NAN where they are not known. */
double flush_events(const struct view *r, const char *variant, const char **which);
/* What the caller waits for at worst, in ms. */
struct estimate flush_wait(const struct view *r, const char *variant, bool *late);

/* asciiplot.c: the first workload's effects in letters; NULL without any. The caller frees it. */
char *plot_letters(const struct view *r);
/*
 * The largest distance from zero that an axis shall show, of the headline workloads or of all. When
 * few (at most a third) of the variants lie more than four times as far out as the rest, they are
 * drawn as arrows: the rest would shrink to dots. Unless the rest is noise: then what lies far out
 * is all that there is to see.
 */
double plot_limit(const struct view *r, bool headlines);

/* html.c: the first page and the others in one file. */
void html_write(FILE *f, const struct view *r, const struct page *page, int pages);

/* plotvars.c: prints what the plots must agree on with the text. */
int do_plotvars(const struct view *r);
/* "list item ", in place of list. */
char *longer(char *list, const char *item);

#endif
