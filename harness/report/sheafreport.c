// SPDX-License-Identifier: GPL-2.0
/*
 * sheafreport: a result's summary.json as text for people: report.md, reply.txt, reply.eml and
 * Results.md. Every number comes from the result; what it does not hold is left out or named `n/a`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doc.h"
#include "mime.h"
#include "view.h"
#include "util.h"

#define PATCHES_MSGID "20260519012754.240804-1-leobras.c@gmail.com"
#define SUBJECT	      "Re: [PATCH v4 0/4] Introduce Per-CPU Work helpers (was QPW)"
#define NUMBER_MAX    32
/* Above this, the kernel's submitting-patches asks for a link instead; in bytes. */
#define MAIL_LIMIT 300000

/* What is measured, in words, by the first part of a workload's name. */
static const struct {
	const char *op, *what;
} ops[] = {
	{ "pair", "kmalloc and then kfree of one object, both timed" },
	{ "alloc", "kmalloc alone; the frees are not timed" },
	{ "free", "kfree alone; the allocations are not timed" },
	{ "batch-alloc", "the kmalloc half of N allocations followed by N frees" },
	{ "batch-free", "the kfree half of N allocations followed by N frees" },
};

static const struct {
	const char *metric, *unit, *shorter;
} units[] = {
	{ "tsc_ticks_per_op", "TSC ticks per operation", "ticks/op" },
	{ "core_cycles_per_op", "core cycles per operation", "cycles/op" },
	{ "ns_per_op", "ns per operation", "ns/op" },
	{ "instructions_per_op", "instructions per operation", "instr/op" },
};

static const struct {
	const char *file, *caption;
} plots[] = {
	{ "effects.png",
	  "Differences from the baseline with 95 % intervals; the band is the null comparison" },
	{ "effects-all.png", "The same for every workload" },
	{ "by-n.png", "By the number of objects held at once" },
	{ "by-size.png", "By the size of the object" },
	{ "samples.png", "Distribution of the samples" },
};

/*
 * kmalloc of 64 bytes as posted in the thread without PREEMPT_RT, in cycles: one value each, the
 * baseline in full and the others as differences from it.
 */
static const struct {
	const char *what, *variant;
	double v1, v4;
} posted[] = {
	{ "unpatched", NULL, 159, 60 },
	{ "compiled out (=n)", "qpw-n", 4, 2 },
	{ "compiled in, off (=0)", "qpw-off", 11, 2 },
	{ "switched on (=1)", "qpw-on", 31, 15 },
};

/* ---- numbers ---- */

struct number {
	char s[NUMBER_MAX];
};

/* "n/a" for what is missing; "0.00", never "-0.00". */
static struct number number(double v, int decimals, bool sign)
{
	struct number n;

	if (isnan(v)) {
		snprintf(n.s, sizeof(n.s), "n/a");
		return n;
	}
	if (fabs(v) < 0.5 * pow(10, -decimals)) {
		v = 0;
		sign = false;
	}
	snprintf(n.s, sizeof(n.s), sign ? "%+.*f" : "%.*f", decimals, v);
	return n;
}

static struct number interval(struct interval ci, int decimals)
{
	struct number n = number(NAN, 0, false), lo = number(ci.lo, decimals, true),
		      hi = number(ci.hi, decimals, true);

	if (!isnan(ci.lo))
		snprintf(n.s, sizeof(n.s), "[%.*s, %.*s]", NUMBER_MAX / 2 - 3, lo.s,
			 NUMBER_MAX / 2 - 3, hi.s);
	return n;
}

/* Two significant digits are enough to judge by. */
static struct number probability(double p)
{
	struct number n = number(NAN, 0, false);

	if (!isnan(p))
		snprintf(n.s, sizeof(n.s), p > 0 && p < 1e-4 ? "<0.0001" : "%.2g", p);
	return n;
}

static double percent(const struct effect *e)
{
	return isnan(e->ratio) ? NAN : 100 * (e->ratio - 1);
}

/*
 * Decimals that the narrowest interval of a group justifies: two significant digits of its
 * half-width, and no more than 2.
 */
static int group_decimals(const struct group *g)
{
	double least = NAN;

	for (size_t i = 0; i < g->count; i++)
		least = fmin(least, (g->first[i].ci.hi - g->first[i].ci.lo) / 2);
	if (isnan(least))
		return 1;
	return least >= 9.5 ? 0 : least >= 0.95 ? 1 : 2;
}

static const char *unit_of(const struct effect *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].metric, e->metric))
			return units[i].unit;
	return e->metric;
}

static const char *short_unit_of(const struct effect *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].metric, e->metric))
			return units[i].shorter;
	return "per op";
}

static const char *title_of(const struct view *r, const char *name)
{
	const struct vinfo *v = view_variant(r, name);

	return v ? v->title : name;
}

static const char *plural(double n)
{
	return n == 1 ? "" : "s";
}

static bool any_interval(const struct view *r)
{
	for (size_t i = 0; i < r->neffects; i++)
		if (!isnan(r->effects[i].ci.lo))
			return true;
	return false;
}

static double most_layouts(const struct view *r)
{
	double most = json_num(r->env, "layouts");

	for (size_t i = 0; i < r->neffects; i++)
		most = fmax(isnan(most) ? 0 : most,
			    isnan(r->effects[i].layouts) ? 0 : r->effects[i].layouts);
	return most;
}

static bool on_target(const struct view *r, const char *target)
{
	const char *t = json_text(r->env, "target");

	if (!strcmp(t, target))
		return true;
	for (size_t i = 0; i < r->neffects; i++)
		if (!strcmp(r->effects[i].target, target))
			return true;
	return false;
}

/* ---- the environment ---- */

/* A member as text, numbers in full, lists joined by blanks; NULL when it is missing. */
static char *env_text(const struct view *r, const char *key)
{
	const json_t *v = json_object_get(r->env, key);
	const json_t *item;
	char *all = NULL;
	size_t i;

	if (json_is_string(v))
		return json_string_length(v) ? xstrdup(json_string_value(v)) : NULL;
	if (json_is_number(v))
		return xasprintf("%.10g", json_number_value(v));
	if (json_is_boolean(v))
		return xstrdup(json_is_true(v) ? "yes" : "no");
	json_array_foreach(v, i, item)
	{
		char *longer;

		if (!json_is_string(item))
			continue;
		longer = xasprintf("%s%s%s", all ? all : "", all ? " " : "",
				   json_string_value(item));
		free(all);
		all = longer;
	}
	return all;
}

static const struct {
	const char *key, *label, *unit;
	bool mail; /* also worth a line in a mail */
} facts[] = {
	{ "date", "date", "", true },
	{ "target", "target", "", true },
	{ "kernel_version", "kernel", "", true },
	{ "kernel_config_hash", "kernel configuration, hash", "", false },
	{ "compiler", "compiler", "", true },
	{ "cpu_model", "CPU", "", true },
	{ "cpus", "CPUs", "", true },
	{ "virtualization", "virtualization", "", true },
	{ "host_kernel", "host kernel", "", true },
	{ "governor", "frequency governor", "", true },
	{ "smt", "SMT", "", true },
	{ "clock_khz", "clock", " kHz", true },
	{ "timer_step", "smallest step of the clock", " ticks", true },
	{ "layouts", "layouts per variant", "", true },
	{ "boots", "boots per layout", "", true },
	{ "samples", "samples per workload and boot", "", true },
	{ "seed", "seed", "", true },
	{ "variants", "variants asked for", "", false },
	{ "workloads", "workloads asked for", "", false },
	{ "duration_s", "took", " s", true },
	{ "commit", "sheafbench commit", "", true },
};

static void write_environment(struct doc *d, const struct view *r)
{
	static const char *const heads[] = { "what", "value", NULL };
	struct table t;

	if (d->style == DOC_MARKDOWN)
		table_start(&t, heads);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		char *text = env_text(r, facts[i].key);
		char *value = text ? xasprintf("%s%s", text, facts[i].unit)
				   : xasprintf("n/a (environment.json has no %s)", facts[i].key);

		if (d->style == DOC_MARKDOWN)
			table_row(&t, facts[i].label, value);
		else if (text && facts[i].mail)
			doc_item(d, "%s: %s", facts[i].label, value);
		free(value);
		free(text);
	}
	if (d->style == DOC_MARKDOWN)
		doc_table_end(d, &t);
	else
		doc_gap(d);
}

/* ---- sections ---- */

/* What must be read before any number: a broken certificate, no intervals, failed variants. */
static void write_cautions(struct doc *d, const struct view *r)
{
	double failed = 0;

	if (null_alarms(r)) {
		char *where = r->largest_workload ? xasprintf(" (%s)", r->largest_workload)
						  : xstrdup("");
		char *size = isnan(r->largest) ? xstrdup("the size that the null comparison shows")
					       : xasprintf("up to %.2f ticks per operation%s",
							   fabs(r->largest), where);

		doc_para(d,
			 "CAUTION: the null comparison, the baseline against itself, should "
			 "exclude zero in 5 %% of "
			 "its comparisons and does so in %.0f of %.0f (%.0f %%; chance alone would "
			 "do that with "
			 "probability %.2g). Effects of %s cannot be told from noise in this "
			 "result.",
			 r->excluding, r->comparisons, 100 * r->excluding / r->comparisons,
			 binomial_tail(r->comparisons, r->excluding, 0.05), size);
		free(where);
		free(size);
	}
	if (r->neffects && !any_interval(r))
		doc_para(d,
			 "CAUTION: no intervals are given, because no variant has two layouts or "
			 "more in common with "
			 "the baseline (layouts: %.0f). With one layout an effect cannot be told "
			 "from the luck of where "
			 "the linker put the code. Repeat with LAYOUTS=8 or more.",
			 most_layouts(r));
	if (!r->neffects)
		doc_para(d, "CAUTION: this result holds no comparison at all: no layout is common "
			    "to the baseline and "
			    "another variant. The failed variants below say why.");
	for (size_t i = 0; i < r->nvariants; i++)
		failed += r->variants[i].failed > 0 || r->variants[i].reason;
	if (failed)
		doc_para(d,
			 "%.0f of %zu variants failed in part or in whole; see \"What failed\" "
			 "below.",
			 failed, r->nvariants);
}

/* One sentence per change on the headline workload of the first group. */
static void write_answer(struct doc *d, const struct view *r)
{
	struct group all, g;
	int decimals;

	if (!r->neffects)
		return;
	all = view_group(r, 0);
	g = group_headline(&all);
	decimals = group_decimals(&g);
	doc_para(d, "In short, for %s: %s (%s) takes %s %s, and against it", g.first->workload,
		 g.first->baseline, title_of(r, g.first->baseline),
		 number(g.first->base, decimals, false).s, unit_of(g.first));
	for (size_t i = 0; i < g.count; i++) {
		static const char *const says[] = {
			[VERDICT_NONE] = "no interval, so nothing can be said",
			[VERDICT_ZERO] = "no difference seen",
			[VERDICT_NOISE] = "within the reach of the null comparison",
			[VERDICT_SLOWER] = "slower",
			[VERDICT_FASTER] = "faster",
			[VERDICT_FALSE_ALARM] = "a false alarm",
		};
		const struct effect *e = &g.first[i];
		char *pct = isnan(e->ratio) ? xstrdup("")
					    : xasprintf(" (%s %%)", number(percent(e), 1, true).s);

		if (!is_null_variant(e))
			doc_item(d, "%s (%s): %s%s%s%s: %s", e->variant, title_of(r, e->variant),
				 number(e->effect, decimals, true).s, isnan(e->ci.lo) ? "" : " ",
				 isnan(e->ci.lo) ? "" : interval(e->ci, decimals).s, pct,
				 says[effect_verdict(r, e)]);
		free(pct);
	}
	doc_gap(d);
}

static void write_certificate(struct doc *d, const struct view *r)
{
	char *chance, *half;

	doc_heading(d, 2, "Can the numbers be trusted?");
	if (!r->has_null) {
		doc_para(d, "n/a: this result has no null comparison (the baseline against itself "
			    "under other layout "
			    "seeds), so nothing shows how large a difference noise alone makes. "
			    "Add the variant null, "
			    "and use at least two layouts.");
		return;
	}
	chance = r->excluding > 0.05 * r->comparisons
			 ? xasprintf("; chance gives so many or more with probability %.2g (a "
				     "guide only: the workloads share "
				     "layouts and boots)",
				     binomial_tail(r->comparisons, r->excluding, 0.05))
			 : xstrdup("");
	half = isnan(r->halfwidth) ? xstrdup("")
				   : xasprintf(" Half of its intervals are narrower than +-%.2f.",
					       r->halfwidth);
	doc_para(d,
		 "The null variant is the baseline again, linked with other layout seeds: whatever "
		 "differs there is "
		 "false. Of %.0f comparison%s, %.0f had a 95 %% interval that excludes zero, where "
		 "%.1f are expected%s.",
		 r->comparisons, plural(r->comparisons), r->excluding, 0.05 * r->comparisons,
		 chance);
	if (!isnan(r->largest))
		doc_para(d, "Its largest difference is %.2f ticks per operation%s%s.%s",
			 fabs(r->largest), r->largest_workload ? ", in " : "",
			 r->largest_workload ? r->largest_workload : "", half);
	free(chance);
	free(half);
}

static void write_method(struct doc *d, const struct view *r)
{
	double layouts = json_num(r->env, "layouts"), boots = json_num(r->env, "boots");
	char *samples = env_text(r, "samples");
	bool seen[ARRAY_SIZE(ops)] = { false };

	if (isnan(layouts))
		layouts = most_layouts(r);
	if (isnan(boots) && r->neffects)
		boots = r->effects[0].boots / r->effects[0].layouts / 2;
	doc_heading(d, 2, "What was measured, and how");
	doc_para(d, "A kernel module times batches of kmalloc() and kfree() between fenced reads "
		    "of the time stamp "
		    "counter, on one CPU, without an outer preempt_disable(); the cost of the loop "
		    "and of the reads is "
		    "measured and subtracted. A workload is named OPERATION/SIZE/N/ORDER: objects "
		    "of SIZE bytes, N of them "
		    "held at once, freed in ORDER.");
	for (size_t i = 0; i < r->neffects; i++)
		for (size_t k = 0; k < ARRAY_SIZE(ops); k++)
			if (!seen[k] && !strcmp(r->effects[i].op, ops[k].op)) {
				doc_item(d, "%s: %s", ops[k].op, ops[k].what);
				seen[k] = true;
			}
	doc_gap(d);
	for (size_t i = 0; i < r->nvariants; i++)
		doc_item(d, "%s: %s", r->variants[i].name, r->variants[i].title);
	doc_gap(d);
	doc_para(d,
		 "Each variant is linked in %s layout%s: pads before mm/slub.o move the code, by "
		 "the same "
		 "amounts in all variants but null. Boots per layout: %s%s%s. The boots are in "
		 "random "
		 "order with the variants interleaved. An effect is the difference from the "
		 "baseline, "
		 "paired by layout; its interval is Student's t over the layouts.",
		 number(layouts, 0, false).s, plural(layouts),
		 number(boots, boots == floor(boots) ? 0 : 1, false).s,
		 samples ? "; samples per workload and boot: " : "", samples ? samples : "");
	doc_para(d, "Estimator: %s%s%s%s.",
		 r->location ? r->location : "n/a (the result does not name it)",
		 r->about ? ", the " : "", r->about ? r->about : "",
		 r->location ? ", chosen beforehand and the same for all variants" : "");
	free(samples);
}

static const char *const brief_heads[] = { "variant", NULL,	 ">diff", ">95 % interval",
					   ">%",      "verdict", NULL };

/* One workload per operation: what fits into a mail. */
static void write_brief_tables(struct doc *d, const struct view *r)
{
	for (size_t at = 0; at < r->neffects;) {
		struct group all = view_group(r, at);
		struct group g = group_headline(&all);
		const char *heads[ARRAY_SIZE(brief_heads)];
		int decimals = group_decimals(&g);
		struct table t;
		char *head = xasprintf(">%s", short_unit_of(g.first));

		at += all.count;
		memcpy(heads, brief_heads, sizeof(heads));
		heads[1] = head;
		table_start(&t, heads);
		table_row(&t, g.first->baseline, number(g.first->base, decimals, false).s, "", "",
			  "", "baseline");
		for (size_t i = 0; i < g.count; i++) {
			const struct effect *e = &g.first[i];

			table_row(&t, e->variant, number(e->base + e->effect, decimals, false).s,
				  number(e->effect, decimals, true).s, interval(e->ci, decimals).s,
				  number(percent(e), 1, true).s,
				  verdict_word(effect_verdict(r, e)));
		}
		doc_para(d, "%s (target %s), %s:", g.first->workload, g.first->target,
			 unit_of(g.first));
		doc_table_end(d, &t);
		free(head);
	}
}

static const char *const full_heads[] = { "workload",	    "variant", ">baseline",  ">difference",
					  ">95 % interval", ">%",      ">P(faster)", ">p (Holm)",
					  ">layouts",	    "verdict", NULL };

static void write_full_tables(struct doc *d, const struct view *r)
{
	for (size_t at = 0; at < r->neffects;) {
		struct group g = view_group(r, at);
		int decimals = group_decimals(&g);
		char *title = xasprintf("%s, target %s", g.first->op, g.first->target);
		struct table t;

		at += g.count;
		doc_heading(d, 3, title);
		free(title);
		doc_para(d, "Differences from %s in %s.", g.first->baseline, unit_of(g.first));
		table_start(&t, full_heads);
		for (size_t i = 0; i < g.count; i++) {
			const struct effect *e = &g.first[i];

			table_row(&t, e->workload, e->variant, number(e->base, decimals, false).s,
				  number(e->effect, decimals, true).s, interval(e->ci, decimals).s,
				  number(percent(e), 1, true).s, number(e->p_faster, 2, false).s,
				  probability(e->p_holm).s, number(e->layouts, 0, false).s,
				  verdict_word(effect_verdict(r, e)));
		}
		doc_table_end(d, &t);
	}
}

static void write_key(struct doc *d)
{
	doc_para(d, "The verdict says slower or faster when the interval excludes zero and the "
		    "difference is larger than "
		    "any that the null variant's interval on the same workload reaches; \"in "
		    "noise\" when only the first "
		    "holds; \"none seen\" when the interval contains zero, which bounds a "
		    "difference and does not prove "
		    "that there is none; \"false!\" marks a null comparison that excludes zero. "
		    "The intervals are 95 %% "
		    "each, not jointly: one in twenty may miss.");
}

/* ---- the ASCII plot ---- */

#define PLOT_LABEL 18
#define PLOT_ROOM  (MAIL_COLUMNS - PLOT_LABEL - 1)

struct axis {
	double lo, hi, step;
	int left;
};

static int axis_col(const struct axis *a, double v)
{
	return a->left + (int)lround((v - a->lo) / (a->hi - a->lo) * (PLOT_ROOM - 1));
}

static double reach(const struct effect *e)
{
	return isnan(e->ci.lo) ? fabs(e->effect) : fmax(fabs(e->ci.lo), fabs(e->ci.hi));
}

struct spread {
	double typical, most; /* median and largest distance from zero of one variant's effects */
};

static int by_value(const void *pa, const void *pb)
{
	const double a = *(const double *)pa, b = *(const double *)pb;

	return (a > b) - (a < b);
}

static int by_typical(const void *pa, const void *pb)
{
	return by_value(&((const struct spread *)pa)->typical,
			&((const struct spread *)pb)->typical);
}

/*
 * The largest distance from zero that an axis shall show. When few (at most a third) of the
 * variants lie more than four times as far out as the rest, they are drawn as arrows: the rest would
 * shrink to dots. Unless the rest is noise: then what lies far out is all that there is to see.
 */
static double plot_limit(const struct view *r, bool headlines)
{
	struct spread *s = xcalloc(r->nvariants + 1, sizeof(*s));
	double *x = xcalloc(r->neffects + 1, sizeof(*x)), limit = 0;
	size_t n = 0, kept;

	for (size_t v = 0; v < r->nvariants; v++) {
		size_t k = 0;

		for (size_t at = 0; at < r->neffects;) {
			struct group all = view_group(r, at),
				     g = headlines ? group_headline(&all) : all;

			at += all.count;
			for (size_t i = 0; i < g.count; i++)
				if (g.first[i].info == &r->variants[v])
					x[k++] = reach(&g.first[i]);
		}
		if (!k)
			continue;
		qsort(x, k, sizeof(*x), by_value);
		s[n++] = (struct spread){ x[k / 2], x[k - 1] };
	}
	qsort(s, n, sizeof(*s), by_typical);
	for (kept = n - n / 3; kept > 0 && kept < n; kept++)
		if (s[kept].typical > 4 * s[kept - 1].typical &&
		    s[kept - 1].typical > 5 * s[0].typical)
			break;
	for (size_t i = 0; i < kept; i++)
		limit = fmax(limit, s[i].most);
	free(x);
	free(s);
	return limit;
}

static struct axis make_axis(const struct view *r)
{
	struct axis a = { .left = PLOT_LABEL + 1 };
	double limit = plot_limit(r, true);

	for (size_t at = 0; at < r->neffects;) {
		struct group all = view_group(r, at), g = group_headline(&all);

		at += all.count;
		for (size_t i = 0; i < g.count; i++) {
			const struct effect *e = &g.first[i];

			a.lo = fmin(a.lo, fmax(-limit, isnan(e->ci.lo) ? e->effect : e->ci.lo));
			a.hi = fmax(a.hi, fmin(limit, isnan(e->ci.hi) ? e->effect : e->ci.hi));
		}
	}
	if (a.hi - a.lo < 1e-6)
		a.hi = a.lo + 1;
	a.step = pow(10, floor(log10(a.hi - a.lo)) - 1);
	for (int k = 0; (a.hi - a.lo) / a.step > 6; k++)
		a.step *= k % 3 == 1 ? 2.5 : 2;
	a.lo = floor(a.lo / a.step + 1e-9) * a.step;
	a.hi = ceil(a.hi / a.step - 1e-9) * a.step;
	return a;
}

static void plot_axis(FILE *f, const struct axis *a)
{
	char numbers[MAIL_COLUMNS + 1], line[MAIL_COLUMNS + 1];
	int decimals = a->step < 0.1 ? 2 : a->step < 1 ? 1 : 0;

	memset(numbers, ' ', MAIL_COLUMNS);
	memset(line, ' ', MAIL_COLUMNS);
	memset(line + a->left, '-', PLOT_ROOM);
	for (int i = 0; i <= lround((a->hi - a->lo) / a->step); i++) {
		double v = a->lo + i * a->step;
		struct number n = number(v, decimals, true);
		int col = axis_col(a, v), at = col - (int)strlen(n.s) / 2;

		if (at + (int)strlen(n.s) > MAIL_COLUMNS)
			at = MAIL_COLUMNS - (int)strlen(n.s);
		memcpy(numbers + at, n.s, strlen(n.s));
		line[col] = '+';
	}
	numbers[MAIL_COLUMNS] = line[MAIL_COLUMNS] = '\0';
	for (int i = MAIL_COLUMNS; i > 0 && numbers[i - 1] == ' '; i--)
		numbers[i - 1] = '\0';
	fprintf(f, "%s\n%s\n", numbers, line);
}

static void plot_row(FILE *f, const struct view *r, const struct axis *a, const struct effect *e,
		     int decimals)
{
	char row[MAIL_COLUMNS + 1];
	char *name = ascii_of(e->variant);
	struct number n = number(e->effect, decimals, true);
	int len;

	memset(row, ' ', MAIL_COLUMNS);
	len = (int)strlen(name) > PLOT_LABEL - 1 ? PLOT_LABEL - 1 : (int)strlen(name);
	memcpy(row + 1, name, len);
	free(name);
	for (size_t i = 0; i < r->nvariants; i++) {
		const struct effect *x = view_effect(r, e, r->variants[i].name);

		if (!x || !is_null_variant(x) || isnan(x->ci.lo))
			continue;
		for (int c = axis_col(a, fmax(a->lo, x->ci.lo));
		     c <= axis_col(a, fmin(a->hi, x->ci.hi)); c++)
			if (c < MAIL_COLUMNS)
				row[c] = '.';
	}
	row[axis_col(a, 0)] = ':';
	if (e->effect > a->hi) {
		len = (int)strlen(n.s);
		memcpy(row + MAIL_COLUMNS - len - 3, n.s, len);
		memcpy(row + MAIL_COLUMNS - 3, " ->", 3);
	} else if (e->effect < a->lo) {
		memcpy(row + a->left, "<- ", 3);
		memcpy(row + a->left + 3, n.s, strlen(n.s));
	} else {
		if (!isnan(e->ci.lo)) {
			int lo = axis_col(a, fmax(a->lo, e->ci.lo)),
			    hi = axis_col(a, fmin(a->hi, e->ci.hi));

			memset(row + lo, '-', hi - lo + 1);
			row[lo] = e->ci.lo < a->lo ? '<' : '|';
			row[hi] = e->ci.hi > a->hi ? '>' : '|';
		}
		row[axis_col(a, e->effect)] = 'o';
	}
	row[MAIL_COLUMNS] = '\0';
	for (int i = MAIL_COLUMNS; i > 0 && row[i - 1] == ' '; i--)
		row[i - 1] = '\0';
	fprintf(f, "%s\n", row);
}

static void write_plot(struct doc *d, const struct view *r)
{
	struct axis a;
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	if (!r->neffects)
		return;
	f = open_memstream(&text, &size);
	if (!f)
		return;
	a = make_axis(r);
	plot_axis(f, &a);
	for (size_t at = 0; at < r->neffects;) {
		struct group all = view_group(r, at), g = group_headline(&all);
		char *name = ascii_of(g.first->workload);

		at += all.count;
		fprintf(f, "%s%.*s\n", at > all.count ? "\n" : "", MAIL_COLUMNS, name);
		free(name);
		for (size_t i = 0; i < g.count; i++)
			plot_row(f, r, &a, &g.first[i], group_decimals(&g));
	}
	plot_axis(f, &a);
	fclose(f);
	doc_para(d,
		 "The same as a plot: difference from %s in %s, |--o--| is the effect with its 95 "
		 "%% interval "
		 "(o alone: narrower than the drawing, or no interval), dots are the reach of the "
		 "null variant's "
		 "interval, -> lies outside.",
		 r->effects[0].baseline, unit_of(&r->effects[0]));
	doc_verbatim(d, text);
	free(text);
}

/* ---- the rest of the text ---- */

static void write_thread(struct doc *d, const struct view *r)
{
	static const char *const heads[] = { "kmalloc, 64 bytes", ">v1 [1]", ">v4 [2]", ">here",
					     ">95 % interval",	  NULL };
	const struct effect *here = NULL;
	struct table t;
	int decimals = 2;

	/* they allocated without freeing: the largest N of alloc is nearest to that */
	for (size_t i = 0; i < r->neffects; i++) {
		const struct effect *e = &r->effects[i];

		if (!strcmp(e->op, "alloc") && e->size == 64 &&
		    (!*e->how || !strcmp(e->how, "lifo")) && (!here || e->n > here->n))
			here = e;
	}
	if (!here)
		return;
	doc_heading(d, 2, "Beside the numbers in the thread");
	table_start(&t, heads);
	for (size_t i = 0; i < ARRAY_SIZE(posted); i++) {
		const char *v = posted[i].variant;
		const struct effect *e = v ? view_effect(r, here, v) : here;
		struct number value = number(!e ? NAN : v ? e->effect : e->base, decimals, v);

		table_row(&t, posted[i].what, number(posted[i].v1, 0, v).s,
			  number(posted[i].v4, 0, v).s, value.s,
			  !v ? ""
			     : interval(e ? e->ci : (struct interval){ NAN, NAN }, decimals).s);
	}
	doc_table_end(d, &t);
	doc_para(d,
		 "The first line is the whole cost, the others are differences from it. The "
		 "thread's columns are cycles of "
		 "an unnamed machine, one value each, cut to whole cycles, for 1e6 (v1) and 9e6 "
		 "(v4) objects that are "
		 "allocated under preempt_disable() and freed afterwards; three runs of one kernel "
		 "lay 3 to 10 %% apart [3]. "
		 "The column 'here' is %s in %s. The machines and loops differ, so compare the "
		 "signs and sizes of the "
		 "differences, not the first line.",
		 here->workload, unit_of(here));
	doc_item(d, "[1] aZiRAa6uf4KhscJC@tpad");
	doc_item(d, "[2] " PATCHES_MSGID);
	doc_item(d, "[3] aaCP3V64INRZiZUH@tpad, spread computed from the runs posted there");
	doc_gap(d);
}

static void write_failures(struct doc *d, const struct view *r)
{
	bool any = false;

	for (size_t i = 0; i < r->nvariants; i++) {
		const struct vinfo *v = &r->variants[i];

		if (!(v->failed > 0) && !v->reason)
			continue;
		if (!any)
			doc_heading(d, 2, "What failed");
		any = true;
		if (v->failed > 0)
			doc_item(d, "%s (%s): %.0f boot%s failed, %s good: %s", v->name, v->title,
				 v->failed, plural(v->failed), number(v->boots, 0, false).s,
				 v->reason ? v->reason : "no reason recorded");
		else
			doc_item(d, "%s (%s): %s", v->name, v->title, v->reason);
	}
	if (any)
		doc_gap(d);
}

static void write_left_out(struct doc *d, const struct view *r)
{
	const json_t *list = json_object_get(r->env, "left_out");
	const json_t *item;
	size_t i;

	if (!json_is_array(list)) {
		if (d->style == DOC_MARKDOWN) {
			doc_heading(d, 2, "What was left out");
			doc_para(d, "n/a: environment.json has no left_out.");
		}
		return;
	}
	if (!json_array_size(list) && d->style == DOC_MAIL)
		return;
	doc_heading(d, 2, "What was left out");
	json_array_foreach(list, i, item) if (json_is_string(item))
		doc_item(d, "%s", json_string_value(item));
	if (!json_array_size(list))
		doc_para(d, "Nothing.");
	else
		doc_gap(d);
}

/* Each distinct warning once, with the number of comparisons that carry it. */
static void write_warnings(struct doc *d, const struct view *r)
{
	json_t *counts = json_object();
	const char *text;
	json_t *count;

	for (size_t i = 0; i < r->neffects; i++) {
		const json_t *w;
		size_t k;

		json_array_foreach(r->effects[i].warnings, k, w) if (json_is_string(w))
			json_object_set_new(
				counts, json_string_value(w),
				json_integer(1 + json_integer_value(json_object_get(
							 counts, json_string_value(w)))));
	}
	if (json_object_size(counts)) {
		doc_heading(d, 2, "Warnings of the analysis");
		json_object_foreach(counts, text, count)
			doc_item(d, "%s (%lld of %zu comparisons)", text,
				 (long long)json_integer_value(count), r->neffects);
		doc_gap(d);
	}
	json_decref(counts);
}

static void write_caveats(struct doc *d, const struct view *r)
{
	doc_heading(d, 2, "What the numbers cannot say");
	if (on_target(r, "uml")) {
		doc_item(d, "The kernels ran as User Mode Linux. mm/slub.c is the real one at "
			    "native speed, but this_cpu "
			    "operations are the generic ones, saving and disabling interrupts is "
			    "an access to a variable, and a "
			    "static key is a load and a branch where x86 patches a nop. So what a "
			    "key guards is overstated: "
			    "CONFIG_QPW=y with qpw=0 costs less on x86 than it does here. What a "
			    "slow path saves or costs by "
			    "disabling interrupts is understated.");
	}
	doc_item(d, "The clock is the time stamp counter. Its ticks are of constant rate; they are "
		    "not core cycles.");
	doc_item(d,
		 "A virtual machine or a machine shared with others has two states, with the "
		 "sibling hardware thread "
		 "idle or busy, and changes between them within a boot. The estimator%s%s takes a "
		 "low quantile so that "
		 "the quiet state is compared; what a variant costs next to a busy sibling is not "
		 "shown.",
		 r->location ? " " : "", r->location ? r->location : "");
	doc_item(d, "The QPW variants are a port of the idea to this kernel, written for this "
		    "comparison, and not the posted "
		    "series: all sheaf paths take the lock, remote flushes are done by the caller, "
		    "and qpw= flips a static "
		    "key. The lock is not inlined beyond what the kernel's configuration does.");
	doc_item(d, "One CPU, hot loops, no contention, no PREEMPT_RT. Remote flushes, their "
		    "latency on an isolated CPU, "
		    "kfree_rcu() and memcg charging are not measured.");
	doc_gap(d);
}

static void write_repeat(struct doc *d, const struct view *r)
{
	char *command = env_text(r, "command"), *commit = env_text(r, "commit");

	doc_heading(d, 2, "How to repeat it");
	doc_para(
		d,
		"With sheafbench%s%s on a Debian 12 machine; nothing needs KVM, a PMU or a reboot:",
		commit ? " at commit " : "", commit ? commit : "");
	if (command)
		doc_command(d, command);
	else
		doc_para(d, "n/a: environment.json has no command; make bench with the seed and "
			    "layouts above.");
	doc_para(d,
		 "SEED sets the random order of the boots and the layouts, LAYOUTS and BOOTS how "
		 "many there are, VARIANTS and "
		 "WORKLOADS (a regular expression) what is compared. `make help` lists the rest.");
	free(command);
	free(commit);
}

/* ---- documents ---- */

static bool has_plot(const struct view *r, const char *file)
{
	char *path = xasprintf("%s/plots/%s", r->dir, file);
	bool there = !access(path, R_OK);

	free(path);
	return there;
}

static void write_plot_links(struct doc *d, const struct view *r, const char *folder)
{
	bool any = false;

	doc_heading(d, 2, "Plots");
	for (size_t i = 0; i < ARRAY_SIZE(plots); i++) {
		if (!has_plot(r, plots[i].file))
			continue;
		fprintf(d->f, "![%s](%s/%s)\n\n", plots[i].caption, folder, plots[i].file);
		any = true;
	}
	if (!any)
		doc_para(d, "n/a: the result has no plots yet; make plots draws them.");
}

static void write_report(struct doc *d, const struct view *r, const char *title,
			 const char *plot_folder)
{
	doc_heading(d, 1, title);
	doc_para(d, "Result %s.", r->id ? r->id : "n/a (summary.json does not name it)");
	write_cautions(d, r);
	write_answer(d, r);
	write_certificate(d, r);
	write_method(d, r);
	doc_heading(d, 2, "On what");
	write_environment(d, r);
	if (r->neffects) {
		doc_heading(d, 2, "Effects in brief");
		doc_para(d, "One workload per operation: of 64 bytes, with one object held for "
			    "pair and 32 for the others, or the "
			    "nearest to that.");
		write_brief_tables(d, r);
		write_plot(d, r);
	}
	write_plot_links(d, r, plot_folder);
	write_failures(d, r);
	write_left_out(d, r);
	write_warnings(d, r);
	write_thread(d, r);
	write_caveats(d, r);
	write_repeat(d, r);
	if (r->neffects) {
		doc_heading(d, 2, "All effects");
		write_key(d);
		write_full_tables(d, r);
	}
}

static void write_reply(struct doc *d, const struct view *r)
{
	doc_para(d, "Hello,");
	doc_para(d,
		 "The cost of the per-CPU spinlock in the sheaf fast path was given in this thread "
		 "as "
		 "single values, while repeated runs of one kernel differed by more than most of "
		 "the "
		 "deltas. So here are differences%s, for kfree as well as kmalloc, and next to "
		 "them what "
		 "an unchanged kernel shows against itself.",
		 any_interval(r)
			 ? " with 95 % confidence intervals over several layouts of the kernel"
			 : "");
	write_cautions(d, r);
	write_answer(d, r);
	if (r->neffects) {
		doc_heading(d, 2, "Results");
		doc_para(d, "One workload per operation: of 64 bytes, with one object held for "
			    "pair and 32 for the others, or the "
			    "nearest to that. The attached report.md has all workloads.");
		write_brief_tables(d, r);
		write_key(d);
		write_plot(d, r);
	}
	write_certificate(d, r);
	write_thread(d, r);
	write_method(d, r);
	doc_heading(d, 2, "On what");
	write_environment(d, r);
	write_failures(d, r);
	write_left_out(d, r);
	write_caveats(d, r);
	write_repeat(d, r);
}

/* ---- files ---- */

struct text {
	char *s;
	size_t size;
};

static FILE *text_open(struct text *t)
{
	FILE *f = open_memstream(&t->s, &t->size);

	if (!f) {
		fprintf(stderr, "sheafreport: out of memory\n");
		exit(1);
	}
	return f;
}

static int say_fault(const struct fault *f)
{
	fprintf(stderr, "sheafreport: %s\n", f->text);
	return 1;
}

/* Whole or not at all. */
static int save(const struct view *r, const char *name, const struct text *t)
{
	char *path = xasprintf("%s/%s", r->dir, name);
	struct writer w;
	struct fault f;
	int ret;

	ret = writer_open(&w, path, &f);
	if (!ret) {
		fwrite(t->s, 1, t->size, w.file);
		ret = writer_close(&w, true, &f);
	}
	if (ret)
		ret = say_fault(&f);
	else
		printf("%s\n", path);
	free(path);
	return ret;
}

/* A file of the result; s is NULL when it cannot be read. */
static struct text load(const struct view *r, const char *name)
{
	char *path = xasprintf("%s/%s", r->dir, name);
	struct text t = { 0 };
	FILE *in = fopen(path, "r");
	char buf[4096];
	size_t n;

	if (in) {
		FILE *out = text_open(&t);

		while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
			fwrite(buf, 1, n, out);
		if (ferror(in)) {
			fclose(out);
			free(t.s);
			t = (struct text){ 0 };
		} else {
			fclose(out);
		}
		fclose(in);
	}
	free(path);
	return t;
}

static int do_report(const struct view *r)
{
	struct text t;
	struct doc d = { .f = text_open(&t), .style = DOC_MARKDOWN };
	int ret;

	write_report(&d, r, "sheafbench report", "plots");
	fclose(d.f);
	ret = save(r, "report.md", &t);
	free(t.s);
	return ret;
}

static int do_results_md(const struct view *r)
{
	struct doc d = { .f = stdout, .style = DOC_MARKDOWN };

	write_report(&d, r, "Results", "plots/published");
	return 0;
}

/* Attaches a file unless the mail would grow too large; left_out gathers the names of those. */
static void attach(FILE *f, const struct mail *m, const char *name, const char *type,
		   const struct text *file, size_t *room, char **left_out)
{
	struct text part;
	FILE *to = text_open(&part);

	mail_attach(to, m, name, type, file->s, file->size);
	fclose(to);
	if (part.size <= *room) {
		fwrite(part.s, 1, part.size, f);
		*room -= part.size;
	} else {
		char *longer = xasprintf("%s %s", *left_out ? *left_out : "", name);

		free(*left_out);
		*left_out = longer;
	}
	free(part.s);
}

static int save_mail(const struct view *r, const struct text *body)
{
	struct mail m = {
		.subject = SUBJECT,
		.in_reply_to = "<" PATCHES_MSGID ">",
		.references = "<" PATCHES_MSGID ">",
		.boundary = "=_sheafbench_=_part",
	};
	/* nine digits and indents are for programs and editors; a mail has room for less */
	struct text summary = { .s = json_dumps(r->root, JSON_COMPACT | JSON_REAL_PRECISION(6)) };
	struct text report = load(r, "report.md"), mail;
	size_t room = MAIL_LIMIT - body->size - 1024;
	FILE *f = text_open(&mail);
	char *left_out = NULL;
	int ret, images = 0;

	mail_start(f, &m, body->s);
	if (report.s)
		attach(f, &m, "report.md", "text/markdown", &report, &room, &left_out);
	else
		fprintf(stderr,
			"sheafreport: %s/report.md is missing, so reply.eml does not attach it; "
			"run sheafreport report\n",
			r->dir);
	for (size_t i = 0; i < ARRAY_SIZE(plots); i++) {
		char *name = xasprintf("plots/%s", plots[i].file);
		struct text plot = load(r, name);

		if (plot.s)
			attach(f, &m, plots[i].file, "image/png", &plot, &room, &left_out);
		images += !!plot.s;
		free(plot.s);
		free(name);
	}
	if (summary.s) {
		summary.size = strlen(summary.s);
		attach(f, &m, "summary.json", "application/json", &summary, &room, &left_out);
	}
	mail_end(f, &m);
	fclose(f);
	if (!images)
		fprintf(stderr,
			"sheafreport: %s/plots has no PNG, so reply.eml attaches none; draw them "
			"first\n",
			r->dir);
	if (left_out)
		fprintf(stderr,
			"sheafreport: reply.eml is kept below %d kB, so not attached:%s; link to "
			"them\n",
			MAIL_LIMIT / 1000, left_out);
	ret = save(r, "reply.eml", &mail);
	free(left_out);
	free(summary.s);
	free(report.s);
	free(mail.s);
	return ret;
}

/* A gnuplot string: single quotes, doubled inside. */
static void gnuplot_string(const char *name, const char *s)
{
	printf("%s = '", name);
	for (; *s; s++)
		printf(*s == '\'' ? "''" : "%c", *s);
	printf("'\n");
}

/* What the plots must agree on with the text. */
static int do_plotvars(const struct view *r)
{
	const char *base = "";
	double sheaf = json_num(r->env, "sheaf_capacity"), barn = json_num(r->env, "barn_sheaves");
	char *headlines = xstrdup(" ");

	for (size_t i = 0; i < r->nvariants; i++)
		if (r->variants[i].role && !strcmp(r->variants[i].role, "baseline"))
			base = r->variants[i].name;
	for (size_t at = 0; at < r->neffects;) {
		struct group all = view_group(r, at), g = group_headline(&all);
		char *longer = xasprintf("%s%s ", headlines, g.first->workload);

		free(headlines);
		headlines = longer;
		at += all.count;
	}
	gnuplot_string("headlines", headlines);
	free(headlines);
	gnuplot_string("baseline", base);
	gnuplot_string("baseline_title", title_of(r, base));
	gnuplot_string("unit", r->neffects ? unit_of(&r->effects[0]) : units[0].unit);
	gnuplot_string("location", r->location ? r->location : "");
	gnuplot_string("result", r->id ? r->id : "");
	printf("limit = %.6g\nlimit_all = %.6g\n", plot_limit(r, true), plot_limit(r, false));
	/* objects in one sheaf and full sheaves in a barn, 0 where the result does not say */
	printf("sheaf = %.0f\nbarn = %.0f\n", isnan(sheaf) ? 0 : sheaf, isnan(barn) ? 0 : barn);
	return 0;
}

static int do_reply(const struct view *r)
{
	struct text t;
	struct doc d = { .f = text_open(&t), .style = DOC_MAIL };
	int ret;

	write_reply(&d, r);
	fclose(d.f);
	ret = save(r, "reply.txt", &t);
	if (!ret)
		ret = save_mail(r, &t);
	free(t.s);
	return ret;
}

static const struct {
	const char *name, *help;
	int (*run)(const struct view *r);
} commands[] = {
	{ "report", "writes RESULTDIR/report.md", do_report },
	{ "reply", "writes RESULTDIR/reply.txt and RESULTDIR/reply.eml", do_reply },
	{ "results-md", "prints the text of Results.md", do_results_md },
	{ "plotvars", "prints the variables of the gnuplot scripts", do_plotvars },
};

static int usage(FILE *f)
{
	fprintf(f, "usage: sheafreport COMMAND RESULTDIR\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-11s %s\n", commands[i].name, commands[i].help);
	return f == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	struct view r;
	int ret;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	if (argc != 3)
		return usage(stderr);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		ret = view_open(&r, argv[2]);
		if (!ret)
			ret = commands[i].run(&r);
		if (!ret && (fflush(stdout) || ferror(stdout))) {
			fprintf(stderr, "sheafreport: cannot write standard output: %s\n",
				strerror(errno));
			ret = 1;
		}
		view_close(&r);
		return ret;
	}
	return usage(stderr);
}
