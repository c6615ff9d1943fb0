/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A result folder's summary.json as sorted arrays (the format is in docs/formats.md). What the
 * file does not say stays marked as missing: a missing number is NAN, a missing text NULL, never 0.
 */
#ifndef SHEAFBENCH_REPORT_VIEW_H
#define SHEAFBENCH_REPORT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

#include "summary.h"
#include "workload.h"

struct vinfo {
	const char *name, *title, *role, *reason;
	double order, layouts, boots, failed;
};

struct effect {
	const char *target, *workload, *variant, *baseline, *metric;
	const struct vinfo *info; /* NULL when summary.json does not list the variant */
	struct workload of;	  /* the workload's name, taken apart */
	double base, effect, ratio, p_holm, p_faster, layouts, boots;
	struct interval ci;
	double stock;			     /* in the stock layout */
	double contended, contended_layouts; /* next to a busy sibling */
	struct interval contended_ci;
	json_t *warnings;
	bool primary;
	const char *verdict, *no_verdict; /* NULL without; no_verdict: why there is none */
};

/* One target, metric and operation: what stands in one table. */
struct group {
	const struct effect *first;
	size_t count;
};

struct view {
	const char *dir, *id;
	json_t *root;
	json_t *env;	/* an object, perhaps an empty one */
	json_t *counts; /* by target, workload and variant */
	const char *location, *about;
	struct vinfo *variants;
	size_t nvariants;
	/*
	 * By target, metric, operation, size, N, order, variant: those of the changes and the null,
	 * then those of the doses and checks, which are the instrument's and no answer.
	 * Flushes, which are no operations, come after both and are counted in neither.
	 */
	struct effect *effects;
	size_t neffects, nproofs;
	bool timed;		   /* else there are counts alone */
	const json_t *certificate; /* NULL without one */
	bool proven;		   /* the certificate holds, its null and its dose do */
	bool judged;		   /* it has verdicts; those of before there were rules have none */
	double equal;		   /* the bound of what is no difference */
	json_t *certify;	   /* certify.json; NULL without one */
};

/*
 * Reads DIR/summary.json. When it cannot, says why in one line on stderr and returns 2 (no result
 * folder) or 1 (there, but broken).
 */
int view_open(struct view *r, const char *dir);
/* Leaves out all changes but these; 2, with a line that names them, where none of them is there. */
int view_only(struct view *r, const char *names);
/* Layouts of a variant, of those that were asked for or that there are. */
double view_layouts(const struct view *r);
/* Reads the certify.json at PATH; returns as view_open() does. */
int view_certify(struct view *r, const char *path);
void view_close(struct view *r);

const struct vinfo *view_variant(const struct view *r, const char *name);
const struct vinfo *view_baseline(const struct view *r); /* NULL without one */
bool is_role(const struct vinfo *v, const char *role);
bool is_null_variant(const struct effect *e);
/* The group that starts at effect 'from'; count is 0 past the last one. */
struct group view_group(const struct view *r, size_t from);
/* The workload that stands for a group where there is room for one only. Its effects are adjacent. */
struct group group_headline(const struct group *g);
/* The effect of a variant on the workload of e, NULL when there is none. */
const struct effect *view_effect(const struct view *r, const struct effect *e, const char *variant);
/* What summary.json says of a variant's own value on the workload of e, NULL when there is none. */
const json_t *view_value(const struct view *r, const struct effect *e, const char *variant);

/* What a variant was counted to execute, NULL where it was not. */
const json_t *view_count(const struct view *r, const char *target, const char *workload,
			 const char *variant);

/* Whether anything was counted on a target. */
bool view_counted(const struct view *r, const char *target);

/*
 * A member of the environment as text, numbers in full, lists joined by blanks; NULL when it is
 * missing. The caller frees it.
 */
char *view_env_text(const struct view *r, const char *key);

/* The difference in % of the baseline. */
double percent(const struct effect *e);
/*
 * Decimals that the narrowest interval of a group justifies: two significant digits of its
 * half-width, and no more than 2.
 */
int group_decimals(const struct group *g);

/* A verdict as a table has it, to be used within the expression that makes it; "" where none is due. */
struct verdict_text {
	char s[48];
};

struct verdict_text view_verdict(const struct view *r, const struct effect *e);

#endif
