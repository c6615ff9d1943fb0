// SPDX-License-Identifier: GPL-2.0
/* What a flush of other CPUs' sheaves costs, whom, and from how many operations on it pays. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "sections.h"

/* The columns of a table; stolen time is told in us. */
static const struct {
	const char *metric, *head;
	double scale;
} columns[] = {
	{ "kworker_runs", ">kworkers", 1 },
	{ "switches", ">switches", 1 },
	{ "ipis", ">IPIs", 1 },
	{ "timers", ">timers", 1 },
	{ "stolen_ns", ">stolen us", 1e-3 },
};

static const json_t *counter(const struct view *r, const char *workload, const char *metric,
			     const char *variant)
{
	return json_find(json_object_get(r->root, "counters"), "workload", workload, "metric",
			 metric, "variant", variant, NULL);
}

/* Of one of the other lists of a summary. */
static const json_t *record(const struct view *r, const char *list, const char *workload,
			    const char *variant)
{
	return json_find(json_object_get(r->root, list), "workload", workload, "variant", variant,
			 NULL);
}

/* A value of the summary with its interval, in a unit of scale. */
static struct estimate scaled(const json_t *one, const char *value, const char *ci, double scale)
{
	struct estimate e = { .mean = NAN, .ci = { NAN, NAN } };

	if (!one)
		return e;
	e.mean = json_num(one, value) * scale;
	e.ci = json_interval(one, ci);
	e.ci.lo *= scale;
	e.ci.hi *= scale;
	return e;
}

static void cell(char *out, size_t size, const struct doc *d, struct estimate e)
{
	const bool wide = d->style == DOC_MARKDOWN && !isnan(e.ci.lo) && e.ci.lo < e.ci.hi;

	snprintf(out, size, "%s%s%s", number(e.mean, 2, false).s, wide ? " " : "",
		 wide ? interval(e.ci, 2, false).s : "");
}

static bool is_shown(const struct vinfo *v)
{
	return is_role(v, "baseline") || is_role(v, "change") || is_role(v, "null");
}

static void flush_table(struct doc *d, const struct view *r, const char *workload)
{
	const char *heads[ARRAY_SIZE(columns) + 3] = { "variant", ">waits us" };
	char text[ARRAY_SIZE(columns) + 1][96];
	struct table t;

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		heads[i + 2] = columns[i].head;
	table_start(&t, heads);
	for (size_t v = 0; v < r->nvariants; v++) {
		const char *name = r->variants[v].name;
		const json_t *value = record(r, "values", workload, name);

		if (!is_shown(&r->variants[v]) || !value)
			continue;
		cell(text[0], sizeof(*text), d,
		     scaled(value, "mean", "ci95", summary_ns_per_tick(r->env) / 1e3));
		for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
			cell(text[i + 1], sizeof(*text), d,
			     scaled(counter(r, workload, columns[i].metric, name), "value", "ci95",
				    columns[i].scale));
		table_row(&t, name, text[0], text[1], text[2], text[3], text[4], text[5]);
	}
	doc_para(d, "%s:", workload);
	doc_table_end(d, &t);
}

static void break_even(char *out, size_t size, struct estimate cost, struct estimate saved)
{
	if (isnan(cost.ci.lo) || isnan(saved.ci.lo))
		snprintf(out, size, "n/a");
	else if (saved.ci.lo <= 0)
		snprintf(out, size, "no saving seen");
	else if (cost.ci.lo <= 0)
		snprintf(out, size, "no cost seen");
	else
		snprintf(out, size, "%.0f [%.0f, %.0f]", saved.mean / cost.mean,
			 saved.ci.lo / cost.ci.hi, saved.ci.hi / cost.ci.lo);
}

/* What a program loses with a scheme though nothing is flushed, which should be nothing; NULL where it was not measured. */
static const json_t *control_of(const struct view *r, const char *flush, const char *variant)
{
	char *nothing = xasprintf("flush-none%s", strchr(flush, '/'));
	const json_t *one = counter(r, nothing, "stolen_ns", variant);

	free(nothing);
	return one;
}

/* Without a control that holds 0, on both sides, what is saved may be anything. */
static const char *out_of_control(const struct view *r, const char *flush, const char *variant,
				  const char *baseline)
{
	const char *const sides[] = { variant, baseline };

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		const json_t *control = control_of(r, flush, sides[i]);
		struct interval ci = json_interval(control, "ci95");

		if (!control)
			return "n/a: no control";
		if (!(ci.lo <= 0 && ci.hi >= 0))
			return "n/a: control";
	}
	return NULL;
}

/*
 * What a scheme saves is told in interruptions, since what one of them costs is another machine's and
 * another kernel's: a line over it, to be read where the reader is. Then as uml's own time.
 */
static void trade_table(struct doc *d, const struct view *r, const char *workload,
			const char *baseline)
{
	const bool mail = d->style == DOC_MAIL; /* which has room for the first four */
	const char *const heads[] = { "variant",
				      ">ns per op",
				      ">kworkers less",
				      ">pairs per us",
				      mail ? NULL : ">us saved",
				      ">break-even ops",
				      NULL };
	const double today = json_num(counter(r, workload, "kworker_runs", baseline), "value");
	struct estimate cost, saved;
	double less;
	char text[5][96];
	struct table t;
	bool any = false;

	table_start(&t, heads);
	for (size_t v = 0; v < r->nvariants; v++) {
		const char *name = r->variants[v].name;
		const json_t *pair = record(r, "effects", WORKLOAD_FIRST, name);
		const json_t *lost = counter(r, workload, "stolen_ns", name);
		const char *off = out_of_control(r, workload, name, baseline);

		if (!is_role(&r->variants[v], "change") || !pair || !lost)
			continue;
		cost = scaled(pair, "effect", "ci95", summary_ns_per_tick(r->env));
		less = today - json_num(counter(r, workload, "kworker_runs", name), "value");
		/* Of 1 us each; they are counted, so that the interval is the cost's. */
		saved = (struct estimate){ .mean = 1e3 * less, .ci = { 1e3 * less, 1e3 * less } };
		cell(text[0], sizeof(*text), d, cost);
		snprintf(text[1], sizeof(*text), "%s", number(less, 2, false).s);
		break_even(text[2], sizeof(*text), cost, saved);
		saved = scaled(lost, "effect", "effect_ci95", -1);
		saved.ci = (struct interval){ saved.ci.hi, saved.ci.lo };
		break_even(text[4], sizeof(*text), cost, saved);
		saved.mean /= 1e3;
		saved.ci.lo /= 1e3;
		saved.ci.hi /= 1e3;
		cell(text[3], sizeof(*text), d, saved);
		table_row(&t, name, text[0], text[1], text[2], text[3], off ? off : text[4]);
		any = true;
	}
	if (any)
		doc_para(
			d,
			"The trade: what a pair/64/1 costs more than with %s, by how many runs of "
			"a kworker each %s interrupts the program on the flushed CPU less, and how "
			"many pairs on that CPU between two flushes cost as much as the flush "
			"saves, for each microsecond that one such interruption costs: with fewer "
			"of them the scheme pays. What it costs is a figure of the reader's "
			"machine.%s",
			baseline, workload,
			mail ? ""
			     : " The last two columns take uml's, which is far from a native one: "
			       "what the program lost less, and the pairs that cost as much; not "
			       "where it loses something though nothing is flushed, or nobody "
			       "looked. The interval takes the worse end of both others.");
	doc_table_end(d, &t);
}

/* Whether the flushed CPUs never get round to anything else. */
static bool is_starved(const char *workload)
{
	struct workload w;

	return workload_is_flush(workload) && workload_parse(workload, &w) &&
	       !strcmp(w.order, "fifo");
}

/* What a flush costs who uses the sheaves that are flushed. */
static void slow_table(struct doc *d, const struct view *r)
{
	static const char *const heads[] = { "variant", "workload", ">slow paths", NULL };
	const json_t *one;
	struct table t;
	size_t i;

	table_start(&t, heads);
	json_array_foreach(json_object_get(r->root, "flushes"), i, one) {
		if (!strcmp(json_text(one, "metric"), "slow_paths"))
			table_row(&t, json_text(one, "variant"), json_text(one, "workload"),
				  number(json_num(one, "value"), 1, false).s);
	}
	if (t.rows)
		doc_para(d, "While a thread of the kernel allocates and frees on the flushed CPU "
			    "all the time, so many of its operations go to a slab for each flush, "
			    "more than in the same time without one, since it found the lock of "
			    "its sheaves taken, or the sheaves gone: uml, two CPUs, medians over "
			    "the flushes of one boot, with CONFIG_SLUB_STATS.");
	doc_table_end(d, &t);
}

void write_flushes(struct doc *d, const struct view *r)
{
	const char *last = "",
		   *stands = workload_flush_headline(json_object_get(r->root, "counters"));
	const struct vinfo *base = view_baseline(r);
	const json_t *one;
	bool any = false;
	size_t i;

	json_array_foreach(json_object_get(r->root, "values"), i, one) {
		const char *workload = json_text(one, "workload");

		if (!workload_is_flush(workload) || is_starved(workload) || !strcmp(workload, last))
			continue;
		if (!any) {
			doc_heading(d, 2, "Flushes");
			doc_para(d,
				 "How long the caller waits for a flush, and what each CPU "
				 "whose sheaves are flushed notices more than in the same time "
				 "without one: runs of its kworkers, context switches, IPIs, "
				 "timer interrupts, and what a program that never enters the "
				 "kernel loses. Medians over flushes, means over layouts%s. Of "
				 "a name the last two parts are the CPUs with full sheaves, the "
				 "caller's among them, and what the others do.",
				 d->style == DOC_MARKDOWN ? " with 95 % intervals" : "");
		}
		any = true;
		last = workload;
		if (d->style == DOC_MARKDOWN || !stands || !strcmp(workload, stands))
			flush_table(d, r, workload);
		if (d->style == DOC_MAIL && !stands)
			break;
	}
	if (any)
		slow_table(d, r);
	if (any && stands && base)
		trade_table(d, r, stands, base->name);
}

static void waits_table(struct doc *d, const struct view *r, const char *workload)
{
	static const char *const heads[] = { "variant", ">waits ms", ">deadline passed", NULL };
	char text[2][96];
	struct table t;

	table_start(&t, heads);
	for (size_t v = 0; v < r->nvariants; v++) {
		const char *name = r->variants[v].name;
		const json_t *value = record(r, "values", workload, name);
		const json_t *late = counter(r, workload, "deadline_passed", name);

		if (!is_shown(&r->variants[v]) || !value)
			continue;
		cell(text[0], sizeof(*text), d,
		     scaled(value, "mean", "ci95", summary_ns_per_tick(r->env) / 1e6));
		snprintf(text[1], sizeof(*text), "%s %%",
			 number(late ? 100 * json_num(late, "value") : NAN, 0, false).s);
		table_row(&t, name, text[0], late ? text[1] : NULL);
	}
	doc_para(d, "%s:", workload);
	doc_table_end(d, &t);
}

void write_waits(struct doc *d, const struct view *r)
{
	const char *last = "";
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(r->root, "values"), i, one) {
		const char *workload = json_text(one, "workload");

		if (!is_starved(workload) || !strcmp(workload, last))
			continue;
		if (!*last) {
			doc_heading(d, 2, "Who waits");
			doc_para(
				d,
				"How long the caller waits for a flush while a SCHED_FIFO program "
				"that never enters the kernel runs on each CPU whose sheaves are "
				"flushed: one flush per boot, means over layouts%s. Where the "
				"driver's deadline passed, the share of boots is told; the program "
				"was ended then, and the wait is the deadline.",
				d->style == DOC_MARKDOWN ? " with 95 % intervals" : "");
		}
		last = workload;
		waits_table(d, r, workload);
	}
}

/* The name of a workload for any number of CPUs. */
struct family {
	char name[128];
};

static struct family family_of(const json_t *one)
{
	struct family family;
	struct workload w;

	if (workload_parse(json_text(one, "workload"), &w) && *w.order)
		snprintf(family.name, sizeof(family.name), "%.40s/%u/N/%.40s", w.op, w.size,
			 w.order);
	else
		snprintf(family.name, sizeof(family.name), "%s", json_text(one, "workload"));
	return family;
}

static bool is_of(const json_t *one, const char *family)
{
	return !strcmp(json_text(one, "target"), "tcg") && !strcmp(family_of(one).name, family);
}

#define MOST_NUMBERS 6

/* The numbers of CPUs that were flushed in a family; how many of them there are. */
static size_t numbers_of(const json_t *flushes, const char *family, double cpus[MOST_NUMBERS])
{
	const json_t *one;
	size_t i, n = 0;

	json_array_foreach(flushes, i, one) {
		size_t k = 0;

		while (k < n && cpus[k] != json_num(one, "cpus"))
			k++;
		if (k == n && n < MOST_NUMBERS && is_of(one, family))
			cpus[n++] = json_num(one, "cpus");
	}
	return n;
}

/* Kworker runs, IPIs and switches of all flushed CPUs; false without any. */
static bool growth_cell(char *out, size_t size, const json_t *flushes, const char *family,
			const char *variant, bool isolated, double cpus)
{
	static const char *const metrics[] = { "kworker_runs", "ipis", "switches" };
	double sum[ARRAY_SIZE(metrics)] = { NAN, NAN, NAN };
	const json_t *one;
	bool any = false;
	size_t i;

	json_array_foreach(flushes, i, one) {
		if (strcmp(json_text(one, "variant"), variant) != 0 ||
		    json_is_true(json_object_get(one, "isolated")) != isolated ||
		    json_num(one, "cpus") != cpus || !is_of(one, family))
			continue;
		for (size_t m = 0; m < ARRAY_SIZE(metrics); m++)
			if (!strcmp(json_text(one, "metric"), metrics[m]))
				sum[m] = cpus * json_num(one, "value");
		any = true;
	}
	snprintf(out, size, "%s / %s / %s", number(sum[0], 0, false).s, number(sum[1], 0, false).s,
		 number(sum[2], 0, false).s);
	return any;
}

static void growth_table(struct doc *d, const struct view *r, const char *family)
{
	const json_t *flushes = json_object_get(r->root, "flushes");
	const char *heads[MOST_NUMBERS + 2] = { "variant" };
	char head[MOST_NUMBERS][24], text[MOST_NUMBERS][112], name[96];
	double cpus[MOST_NUMBERS];
	const size_t n = numbers_of(flushes, family, cpus);
	struct table t;

	for (size_t k = 0; k < n; k++) {
		snprintf(head[k], sizeof(head[k]), ">%.0f CPU%s", cpus[k], plural(cpus[k]));
		heads[k + 1] = head[k];
	}
	table_start(&t, heads);
	for (size_t v = 0; v < 2 * r->nvariants; v++) {
		const struct vinfo *variant = &r->variants[v / 2];
		const char *c[MOST_NUMBERS] = { NULL };
		bool any = false;

		if (!is_role(variant, "baseline") && !is_role(variant, "change"))
			continue;
		for (size_t k = 0; k < n; k++)
			if (growth_cell(text[k], sizeof(text[k]), flushes, family, variant->name,
					v % 2, cpus[k])) {
				c[k] = text[k];
				any = true;
			}
		snprintf(name, sizeof(name), "%s%s", variant->name, v % 2 ? ", isolated" : "");
		if (any)
			table_row(&t, name, c[0], c[1], c[2], c[3], c[4], c[5]);
	}
	doc_para(d, "%s:", family);
	doc_table_end(d, &t);
}

void write_growth(struct doc *d, const struct view *r)
{
	static const char stands[] = "flush-shrink/64/N/user";
	const json_t *flushes = json_object_get(r->root, "flushes"), *one;
	double unused[MOST_NUMBERS];
	const bool short_of_room = d->style == DOC_MAIL && numbers_of(flushes, stands, unused);
	bool any = false;
	size_t i, k;

	json_array_foreach(flushes, i, one) {
		const struct family family = family_of(one);

		if (!is_of(one, family.name))
			continue;
		for (k = 0; k < i && !is_of(json_array_get(flushes, k), family.name); k++)
			;
		if (!any) {
			doc_heading(d, 2, "Events of a flush, by the number of CPUs flushed");
			doc_para(d,
				 "What one flush by CPU 0 brings upon all other CPUs with full "
				 "sheaves together: runs of kworkers / IPIs / context switches, "
				 "more than in the same time without one, as the x86_64 kernel "
				 "itself counts them with 16 CPUs under QEMU's TCG. Medians over "
				 "flushes; isolated: by isolcpus= and nohz_full=, all but CPU 0.");
		}
		any = true;
		if (k == i && (!short_of_room || !strcmp(family.name, stands)))
			growth_table(d, r, family.name);
	}
}

/* What a program lost, with its interval. */
static const char *taken(char *out, size_t size, const json_t *ns)
{
	const struct estimate e = scaled(ns, "value", "ci95", 1);

	snprintf(out, size, "%s %s", number(e.mean, 0, false).s, interval(e.ci, 0, false).s);
	return out;
}

/* One answer: the effect on pair/64/1 and what is left of the interruption, as far as measured. */
static void answer(struct doc *d, const struct view *r, const char *question, const char *variant,
		   const char *flush)
{
	const struct effect *e = NULL;
	const json_t *runs = flush ? counter(r, flush, "kworker_runs", variant) : NULL;
	const json_t *control = flush ? control_of(r, flush, variant) : NULL;
	char said[256] = "n/a, not in this result", lost[96], idle[96];

	for (size_t i = 0; i < r->neffects; i++)
		if (!strcmp(r->effects[i].workload, WORKLOAD_FIRST) &&
		    !strcmp(r->effects[i].variant, variant))
			e = &r->effects[i];
	if (e && !flush)
		snprintf(said, sizeof(said), "%s %s %s, certificate: %s, verdict: %s",
			 number(e->effect, 2, true).s, interval(e->ci, 2, true).s,
			 unit_long(e->metric), r->proven ? "holds" : "does not hold",
			 *view_verdict(r, e).s ? view_verdict(r, e).s : "none");
	if (runs)
		snprintf(said, sizeof(said),
			 "%s %s runs of a kworker, %s ns per flush and CPU (%s)",
			 number(json_num(runs, "value"), 2, false).s,
			 interval(json_interval(runs, "ci95"), 2, false).s,
			 taken(lost, sizeof(lost), counter(r, flush, "stolen_ns", variant)), flush);
	doc_item(d, "%s (%s): %s%s%s%s.", question, variant, said,
		 control ? "; certificate: without a flush " : "",
		 control ? taken(idle, sizeof(idle), control) : "", control ? " ns" : "");
}

/* What is not among the counts was not executed. */
static struct number more(const json_t *classes, const json_t *than, const char *class, bool sign)
{
	const double n = json_num(classes, class), base = than ? json_num(than, class) : 0;

	return number((isnan(n) ? 0 : n) - (isnan(base) ? 0 : base), 0, sign);
}

/* What PREEMPT_RT executes, of which there are counts alone. */
static void answer_rt(struct doc *d, const struct view *r, const char *baseline)
{
	const json_t *base =
		json_object_get(view_count(r, "tcg-rt", WORKLOAD_FIRST, baseline), "classes");

	if (!base) {
		doc_item(d, "The same on PREEMPT_RT: n/a, not counted; "
			    "TARGETS=\"tcg tcg-rt\" counts pair/64/1 there.");
		return;
	}
	doc_item(d,
		 "The same on PREEMPT_RT, counted (%s): pair/64/1 executes %s instructions, %s of "
		 "them LOCKed.",
		 baseline, number(json_num(base, "instructions"), 0, false).s,
		 more(base, NULL, "lock", false).s);
	for (size_t v = 0; v < r->nvariants; v++) {
		const char *name = r->variants[v].name;
		const json_t *one =
			json_object_get(view_count(r, "tcg-rt", WORKLOAD_FIRST, name), "classes");

		if (one && is_role(&r->variants[v], "change"))
			doc_item(d, "On PREEMPT_RT (%s): %s instructions, %s LOCKed.", name,
				 more(one, base, "instructions", true).s,
				 more(one, base, "lock", true).s);
	}
}

void write_questions(struct doc *d, const struct view *r)
{
	static const struct {
		const char *question, *variant;
		bool flush;
	} questions[] = {
		{ "What does QPW cost compiled out?", "qpw-n", false },
		{ "Compiled in and off?", "qpw-off", false },
		{ "On?", "qpw-on", false },
		{ "What does it cost to have no sheaves at all?", "slowpath", false },
		{ "None on isolated CPUs: on a housekeeping CPU?", "slowpath-isolated", false },
		{ "And on an isolated one?", "slowpath-isolated-cpu", false },
		{ "What does a flush take from a CPU today?", "local-trylock", true },
		{ "With QPW on?", "qpw-on", true },
		{ "With no sheaves on isolated CPUs, from one of them?", "slowpath-isolated-cpu",
		  true },
	};
	const char *stands = workload_flush_headline(json_object_get(r->root, "counters"));
	const struct vinfo *base = view_baseline(r);

	/* Without either the brief tables have what there is to say. */
	if (!stands && !view_counted(r, "tcg-rt"))
		return;
	doc_heading(d, 2, "The questions");
	for (size_t i = 0; r->timed && i < ARRAY_SIZE(questions); i++)
		if (stands || !questions[i].flush)
			answer(d, r, questions[i].question, questions[i].variant,
			       questions[i].flush ? stands : NULL);
	answer_rt(d, r, base ? base->name : "");
	doc_gap(d);
}
