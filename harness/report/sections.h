/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts that the documents are put together from; sheafreport.c says which document has which,
 * and in what order. Each writes its own heading, or nothing where the result gives no cause.
 */
#ifndef SHEAFBENCH_REPORT_SECTIONS_H
#define SHEAFBENCH_REPORT_SECTIONS_H

#include "doc.h"
#include "view.h"

/* The series that the thread is about. */
#define PATCHES_MSGID "20260519012754.240804-1-leobras.c@gmail.com"

/* certificate.c: what the result says about its instrument. */
void write_certificate(struct doc *d, const struct view *r);
void write_certify(struct doc *d, const struct view *r);

/* environment.c: on what it was measured. */
void write_environment(struct doc *d, const struct view *r);
void write_findings(struct doc *d, const struct view *r);
void write_left_out(struct doc *d, const struct view *r);

/* effects.c: what the variants cost. */
void write_answer(struct doc *d, const struct view *r);
void write_brief(struct doc *d, const struct view *r);
void write_contended(struct doc *d, const struct view *r);
void write_components(struct doc *d, const struct view *r);
void write_thread(struct doc *d, const struct view *r);
void write_full(struct doc *d, const struct view *r);

/* counts.c: what was counted, and not timed. */
void write_counts(struct doc *d, const struct view *r);
void write_count_symbols(struct doc *d, const struct view *r);
void write_count_lines(struct doc *d, const struct view *r);
void write_fidelity(struct doc *d, const struct view *r);
void write_estimates(struct doc *d, const struct view *r);

/* events.c: what performance counters counted. */
void write_counters(struct doc *d, const struct view *r);

/* flush.c: what flushes cost, and what they take from other CPUs. */
void write_flushes(struct doc *d, const struct view *r);
void write_waits(struct doc *d, const struct view *r);
void write_growth(struct doc *d, const struct view *r);
void write_questions(struct doc *d, const struct view *r);

/* asciiplot.c */
void write_plot(struct doc *d, const struct view *r);
/*
 * The largest distance from zero that an axis shall show, of the headline workloads or of all. When
 * few (at most a third) of the variants lie more than four times as far out as the rest, they are
 * drawn as arrows: the rest would shrink to dots. Unless the rest is noise: then what lies far out
 * is all that there is to see.
 */
double plot_limit(const struct view *r, bool headlines);

/* plotvars.c: prints what the plots must agree on with the text. */
int do_plotvars(const struct view *r);
/* "list item ", in place of list. */
char *longer(char *list, const char *item);

#endif
