// SPDX-License-Identifier: GPL-2.0
/* What performance counters counted, or why they did not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "sections.h"

/* The columns in their order; a mail has room for the first ones. */
#define MAIL_METRICS 5

static const char *const metrics[] = {
	"instructions", "core_cycles",	 "instructions_per_cycle",
	"locked_ops",	"branch_misses", "branches",
	"l1d_misses",	"l2_misses",	 "dtlb_misses",
	"itlb_misses",	"stall_cycles",
};

static const json_t *record(const struct view *r, const char *workload, const char *metric,
			    const char *variant)
{
	return json_find(json_object_get(r->root, "counters"), "workload", workload, "metric",
			 metric, "variant", variant, NULL);
}

/* The value of the baseline, the difference of another, in files with its interval. */
static void cell(char *out, size_t size, const struct doc *d, const json_t *one)
{
	const double effect = one ? json_num(one, "effect") : NAN;
	const struct interval ci = json_interval(one, isnan(effect) ? "ci95" : "effect_ci95");

	if (!one)
		snprintf(out, size, "n/a");
	else
		snprintf(out, size, "%s%s%s",
			 number(isnan(effect) ? json_num(one, "value") : effect, 2, !isnan(effect))
				 .s,
			 d->style == DOC_MARKDOWN && !isnan(ci.lo) ? " " : "",
			 d->style == DOC_MARKDOWN && !isnan(ci.lo)
				 ? interval(ci, 2, !isnan(effect)).s
				 : "");
}

static void counters_table(struct doc *d, const struct view *r, const char *workload,
			   const char *baseline)
{
	const char *heads[DOC_COLS + 1] = { "variant" }, *used[ARRAY_SIZE(metrics)];
	char head[ARRAY_SIZE(metrics)][32], text[DOC_COLS][96] = { "" };
	const char *c[DOC_COLS] = { NULL };
	struct table t;
	size_t n = 0;

	for (size_t m = 0; m < ARRAY_SIZE(metrics); m++) {
		if (!record(r, workload, metrics[m], baseline) ||
		    (d->style == DOC_MAIL && n == MAIL_METRICS))
			continue;
		used[n] = metrics[m];
		/* The long one, so that a mail's columns hold. */
		snprintf(head[n], sizeof(head[n]), ">%s",
			 !strcmp(metrics[m], "instructions_per_cycle") ? "per cycle" : metrics[m]);
		heads[n + 1] = head[n];
		n++;
	}
	if (!n)
		return;
	doc_para(d,
		 "%s, events per operation, the baseline's and the differences from it:", workload);
	table_start(&t, heads);
	for (size_t v = 0; v < r->nvariants; v++) {
		const char *name = r->variants[v].name;

		if (!is_role(&r->variants[v], "baseline") && !is_role(&r->variants[v], "change"))
			continue;
		for (size_t m = 0; m < n; m++) {
			cell(text[m], sizeof(text[m]), d, record(r, workload, used[m], name));
			c[m] = text[m];
		}
		table_row(&t, name, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9],
			  c[10]);
	}
	doc_table_end(d, &t);
}

/* What perf stat counted beside what we did, of one workload: both values of each metric. */
static void check_table(struct doc *d, const struct view *r, const char *workload)
{
	const char *heads[DOC_COLS + 1] = { "variant" };
	char head[DOC_COLS][48], text[DOC_COLS][32], other[64];
	const json_t *ours, *theirs;
	struct table t;
	size_t n = 0;

	for (size_t m = 0; m < ARRAY_SIZE(metrics) && n + 2 <= DOC_COLS; m++) {
		snprintf(other, sizeof(other), "perf_%s", metrics[m]);
		for (size_t v = 0; v < r->nvariants; v++) {
			if (!record(r, workload, other, r->variants[v].name))
				continue;
			snprintf(head[n], sizeof(head[n]), ">%s", metrics[m]);
			snprintf(head[n + 1], sizeof(head[n + 1]), ">by perf stat");
			heads[n + 1] = head[n];
			heads[n + 2] = head[n + 1];
			n += 2;
			break;
		}
	}
	if (!n)
		return;
	doc_para(d,
		 "%s, the same events counted by perf stat around processes that do nothing but "
		 "the calls, the interrupts among them:",
		 workload);
	table_start(&t, heads);
	for (size_t v = 0; v < r->nvariants; v++) {
		const char *c[DOC_COLS] = { NULL };

		for (size_t k = 0; k < n; k += 2) {
			snprintf(other, sizeof(other), "perf_%s", head[k] + 1);
			ours = record(r, workload, other + strlen("perf_"), r->variants[v].name);
			theirs = record(r, workload, other, r->variants[v].name);
			snprintf(text[k], sizeof(text[k]), "%s",
				 ours ? number(json_num(ours, "value"), 2, false).s : "n/a");
			snprintf(text[k + 1], sizeof(text[k + 1]), "%s",
				 theirs ? number(json_num(theirs, "value"), 2, false).s : "n/a");
			c[k] = text[k];
			c[k + 1] = text[k + 1];
		}
		table_row(&t, r->variants[v].name, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7],
			  c[8], c[9], c[10]);
	}
	doc_table_end(d, &t);
}

/* The workload that a mail has room for: that of the answer, where it was counted. */
static const char *counted_first(const struct view *r)
{
	const char *first = "";
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(r->root, "counters"), i, one) {
		const char *workload = json_text(one, "workload");

		if (!strcmp(workload, "pair/64/1"))
			return workload;
		if (!*first && !workload_is_flush(workload))
			first = workload;
	}
	return first;
}

void write_counters(struct doc *d, const struct view *r)
{
	const char *told = json_text(r->env, "counters"), *last = "", *workload;
	const struct vinfo *base = view_baseline(r);
	const json_t *one;
	size_t i;

	/* Results of before there were counters say nothing. */
	if (!*told)
		return;
	doc_heading(d, 2, "Performance counters");
	doc_para(d, "%s%s.", strncmp(told, "counted", 7) ? "" : "In kernel mode, ", told);
	json_array_foreach(json_object_get(r->root, "counters"), i, one) {
		workload = json_text(one, "workload");
		if (!base || !strcmp(workload, last) || workload_is_flush(workload) ||
		    (d->style == DOC_MAIL && strcmp(workload, counted_first(r)) != 0))
			continue;
		counters_table(d, r, workload, base->name);
		if (d->style != DOC_MAIL)
			check_table(d, r, workload);
		last = workload;
	}
}
