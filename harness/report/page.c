// SPDX-License-Identifier: GPL-2.0
/* The answer on one page, for who has two minutes. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "sections.h"

/* A row of the answer: a variant, and the one that is the same scheme seen from an isolated CPU. */
struct scheme {
	const struct vinfo *v, *cpu; /* cpu: NULL where all CPUs pay the same */
	const struct effect *e, *spaced, *isolated;
	double events;
	struct estimate wait;
	bool late;
};

struct answer {
	const struct view *r;
	const char *workload, *target;	   /* of what is timed, or counted */
	const struct effect *first, *work; /* of the workload, and of one with work in between */
	int decimals;
	struct scheme *scheme;
	size_t schemes;
	const char *events_are;
	bool cpus; /* a scheme tells isolated CPUs apart */
};

/* The variant that shows what a scheme costs on an isolated CPU: NAME-cpu. */
static const struct vinfo *isolated_of(const struct view *r, const struct vinfo *v)
{
	char *name = xasprintf("%s-cpu", v->name);
	const struct vinfo *cpu = view_variant(r, name);

	free(name);
	return cpu;
}

static bool is_isolated_view(const struct view *r, const struct vinfo *v)
{
	const size_t length = strlen(v->name);
	char *name;
	bool is;

	if (length < 5 || strcmp(v->name + length - 4, "-cpu") != 0)
		return false;
	name = xasprintf("%.*s", (int)length - 4, v->name);
	is = view_variant(r, name);
	free(name);
	return is;
}

static const struct effect *effect_of(const struct view *r, const struct effect *like,
				      const struct vinfo *v)
{
	return like && v ? view_effect(r, like, v->name) : NULL;
}

/* The effects of pairs with work in between that stand for the others, NULL without any. */
static const struct effect *spaced_first(const struct view *r)
{
	for (size_t at = 0; at < r->neffects;) {
		struct group all = view_group(r, at);

		if (!strcmp(all.first->of.op, "pair-spaced"))
			return group_headline(&all).first;
		at += all.count;
	}
	return NULL;
}

static void answer_read(struct answer *a, const struct view *r)
{
	*a = (struct answer){ .r = r, .workload = WORKLOAD_FIRST, .events_are = "" };
	if (r->neffects) {
		struct group all = view_group(r, 0), g = group_headline(&all);

		a->first = g.first;
		a->workload = a->first->workload;
		a->decimals = group_decimals(&g);
		a->work = spaced_first(r);
	}
	a->target = a->first ? a->first->target : json_text(r->env, "target");
	a->scheme = xcalloc(r->nvariants + 1, sizeof(*a->scheme));
	for (size_t i = 0; i < r->nvariants; i++) {
		const struct vinfo *v = &r->variants[i];
		struct scheme *s = &a->scheme[a->schemes];

		if ((!is_role(v, "baseline") && !is_role(v, "change")) || is_isolated_view(r, v))
			continue;
		s->v = v;
		s->cpu = isolated_of(r, v);
		a->cpus |= !!s->cpu;
		s->e = effect_of(r, a->first, v);
		s->spaced = effect_of(r, a->work, v);
		s->isolated = effect_of(r, a->first, s->cpu);
		s->events = flush_events(r, v->name, &a->events_are);
		if (isnan(s->events) && s->cpu)
			s->events = flush_events(r, s->cpu->name, &a->events_are);
		s->wait = flush_wait(r, s->cpu ? s->cpu->name : v->name, &s->late);
		a->schemes++;
	}
}

static const char *short_verdict(const struct effect *e)
{
	return e && e->verdict ? e->verdict : "";
}

/* ---- the sentences ---- */

/* "; " between clauses. */
static void clause(FILE *f, bool *any)
{
	fputs(*any ? ";" : "", f);
	*any = true;
}

/* The schemes with one verdict; the table has their intervals. */
static void say_verdict(FILE *f, const struct answer *a, const char *verdict, const char *words,
			bool *any)
{
	bool one = false;

	for (size_t i = 0; i < a->schemes; i++) {
		const struct scheme *s = &a->scheme[i];

		for (int side = 0; side < 2; side++) {
			const struct effect *e = side ? s->isolated : s->e;

			if (!e || strcmp(short_verdict(e), verdict) != 0)
				continue;
			if (!one)
				clause(f, any);
			fprintf(f, "%s%s%s", one ? ", " : words, s->v->name,
				side	 ? " on an isolated CPU"
				: s->cpu ? " on the other CPUs"
					 : "");
			if (strcmp(verdict, "same code") != 0)
				fprintf(f, " by %s", number(e->effect, a->decimals, true).s);
			one = true;
		}
	}
}

/* Those that cost something, or spare it, a program that does other work in between. */
static void say_spaced(FILE *f, const struct answer *a, bool *any)
{
	bool one = false;

	for (size_t i = 0; i < a->schemes; i++) {
		const struct effect *e = a->scheme[i].spaced;

		if (!e || !e->verdict ||
		    (!streq(e->verdict, "slower") && !streq(e->verdict, "faster")))
			continue;
		if (!one) {
			clause(f, any);
			fprintf(f, " with other work in between (%s), slower or faster:",
				a->work->workload);
		}
		fprintf(f, "%s %s by %s", one ? "," : "", e->variant,
			number(e->effect, a->decimals, true).s);
		one = true;
	}
}

static void say_cost(FILE *f, const struct answer *a, bool *any)
{
	const struct view *r = a->r;
	const json_t *why = json_object_get(r->certificate, "why_not");
	bool judged = false;
	char *within = xasprintf(" within +-%g: ", r->equal);

	if (!r->timed) {
		free(within);
		return;
	}
	clause(f, any);
	if (!a->first)
		fputs(" nothing can be said of times, for no layout is common to the baseline and "
		      "another variant (warnings.md says why)",
		      f);
	else if (!r->proven)
		fprintf(f,
			" CAUTION: the instrument is not proven in this result, so no effect in it "
			"is called real (%s), and the intervals below are what was seen",
			!r->judged ? "summary.json is of before there were the rules that verdicts "
				     "follow; make it anew with sheafstat summarize"
			: json_array_size(why) ? json_string_value(json_array_get(why, 0))
					       : "n/a: summary.json does not say why");
	if (!a->first || !r->proven) {
		free(within);
		return;
	}
	fprintf(f, " a kmalloc and a kfree take %s TSC ticks (%s ns) with %s",
		number(a->first->base, a->decimals, false).s,
		number(a->first->base * summary_ns_per_tick(r->env), 1, false).s,
		a->first->baseline);
	*any = true;
	say_verdict(f, a, "same code", " the same code: ", any);
	say_verdict(f, a, "slower", " slower: ", any);
	say_verdict(f, a, "faster", " faster: ", any);
	say_verdict(f, a, "within", within, any);
	say_verdict(f, a, "cannot tell", " cannot tell: ", any);
	say_spaced(f, a, any);
	for (size_t i = 0; i < a->schemes; i++)
		judged |= a->scheme[i].e && a->scheme[i].e->verdict;
	if (!judged)
		fputs("; nothing has a verdict, for the reasons in the table", f);
	free(within);
}

/* What a number of a scheme is, NAN where it has none. */
typedef double number_of_fn(const struct answer *a, const struct scheme *s);

static double events_of(const struct answer *a, const struct scheme *s)
{
	(void)a;
	return s->events;
}

/* Instructions on PREEMPT_RT, more than the baseline has. */
static double rt_of(const struct answer *a, const struct scheme *s)
{
	const struct vinfo *base = view_baseline(a->r);
	const json_t *from = view_count(a->r, "tcg-rt", a->workload, base->name),
		     *of = view_count(a->r, "tcg-rt", a->workload, s->v->name);

	if (s->v == base)
		return NAN;
	return json_num(json_object_get(of, "classes"), "instructions") -
	       json_num(json_object_get(from, "classes"), "instructions");
}

/* The names of the schemes by what they have, the largest group of equals first in the order of the table. */
static void say_equals(FILE *f, const struct answer *a, number_of_fn *of, const char *unit,
		       bool sign)
{
	bool any = false;

	for (size_t i = 0; i < a->schemes; i++) {
		const double n = of(a, &a->scheme[i]);
		bool told = isnan(n), one = false;

		for (size_t k = 0; k < i; k++)
			told |= of(a, &a->scheme[k]) == n;
		if (told)
			continue;
		fprintf(f, "%s%s%s%s with ", any ? " and " : " ",
			n == 0 ? "none" : number(n, n == round(n) ? 0 : 2, sign).s,
			any || n == 0 ? "" : unit, any || n == 0 || !*unit || n == 1 ? "" : "s");
		for (size_t k = i; k < a->schemes; k++)
			if (of(a, &a->scheme[k]) == n) {
				fprintf(f, "%s%s", one ? ", " : "", a->scheme[k].v->name);
				one = true;
			}
		any = true;
	}
}

static void say_rt(FILE *f, const struct answer *a, bool *any)
{
	const struct vinfo *base = view_baseline(a->r);
	const json_t *from = base ? view_count(a->r, "tcg-rt", a->workload, base->name) : NULL;

	if (!from)
		return;
	clause(f, any);
	fprintf(f, " on PREEMPT_RT, where that is %s instructions, the difference is",
		number(json_num(json_object_get(from, "classes"), "instructions"), 0, false).s);
	say_equals(f, a, rt_of, "", true);
}

/* What a flush brings upon an isolated CPU, and what its caller waits. */
static void say_flush(FILE *f, const struct answer *a, bool *any)
{
	const struct scheme *least = NULL, *most = NULL;
	bool events = false;

	for (size_t i = 0; i < a->schemes; i++) {
		const struct scheme *s = &a->scheme[i];

		events |= !isnan(s->events);
		if (!isnan(s->wait.mean) && (!least || s->wait.mean < least->wait.mean))
			least = s;
		if (!isnan(s->wait.mean) && (!most || s->wait.mean > most->wait.mean))
			most = s;
	}
	if (events) {
		clause(f, any);
		fputs(" a flush brings upon an isolated CPU", f);
		say_equals(f, a, events_of, " event", false);
	}
	if (!least)
		return;
	clause(f, any);
	fputs(" the caller of a flush waits", f);
	if (least->wait.mean < most->wait.mean)
		fprintf(f, " %s ms (%s) to", number(least->wait.mean, 1, false).s, least->v->name);
	fprintf(f, "%s %s ms (%s) at worst", most->late ? " more than" : "",
		number(most->wait.mean, 1, false).s, most->v->name);
}

static void write_sentences(struct page *p, const struct answer *a, bool asked)
{
	char *text = NULL;
	size_t size = 0;
	bool any = false, flushes = false;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	for (size_t i = 0; i < a->schemes; i++)
		flushes |= !isnan(a->scheme[i].events);
	if (asked)
		page_text(p,
			  "Asked: what does each %sscheme for the per-CPU sheaves cost kmalloc and "
			  "kfree%s?",
			  has_kernels(a->r) ? "kernel and each " : "",
			  flushes ? ", and what does a flush then take from an isolated CPU" : "");
	say_cost(f, a, &any);
	say_rt(f, a, &any);
	say_flush(f, a, &any);
	fclose(f);
	page_text(p, "Answer:%s.", any ? text : " the instructions that are executed more, below");
	free(text);
}

/* ---- the table ---- */

enum column {
	SCHEME,
	TICKS,
	NS,
	WORK,
	ISOLATED,
	INSNS,
	LOCKS,
	INSNS_RT,
	LOCKS_RT,
	EVENTS,
	WAIT,
	VERDICT,
	COLUMNS,
};

static const char *const heads[COLUMNS + 1] = { "scheme",    ">ticks",	">ns",	    ">spaced",
						">isolated", ">insn",	">LOCK",    ">insn RT",
						">LOCK RT",  ">events", ">wait ms", "verdict",
						NULL };

/* Where a column is left out, how it is had. */
static const char *const absent[COLUMNS] = {
	[WORK] = "pairs with work in between (WORKLOADS with pair-spaced/64/24)",
	[INSNS] = "counts on x86_64 (TARGETS with tcg)",
	[INSNS_RT] = "counts on PREEMPT_RT (TARGETS with tcg-rt)",
	[EVENTS] = "flushes (WORKLOADS with flush-shrink)",
	[WAIT] = "how long a flush waits for a SCHED_FIFO program (flush-destroy/64/2/fifo)",
};

/* The whole of the baseline, of the others what they have more. */
static void count_cells(struct grid *g, const struct answer *a, const struct scheme *s,
			const char *target)
{
	/* xchg with memory is locked without a prefix. */
	static const char *const classes[][2] = { { "instructions" }, { "lock", "xchg" } };
	const struct vinfo *base = view_baseline(a->r);
	const json_t *of = json_object_get(view_count(a->r, target, a->workload, s->v->name),
					   "classes"),
		     *from = base && s->v != base
				     ? json_object_get(view_count(a->r, target, a->workload,
								  base->name),
						       "classes")
				     : NULL;

	for (size_t k = 0; k < ARRAY_SIZE(classes); k++) {
		double n = 0;

		if (!of || (s->v != base && !from)) {
			grid_missing(g, "n/a", NULL);
			continue;
		}
		/* What is not listed was not executed. */
		for (size_t c = 0; c < 2 && classes[k][c]; c++) {
			double here = json_num(of, classes[k][c]),
			       there = json_num(from, classes[k][c]);

			n += (isnan(here) ? 0 : here) - (isnan(there) ? 0 : there);
		}
		grid_number(g, n, fabs(n - round(n)) < 0.005 ? 0 : 2, from);
	}
}

static void effect_cell(struct grid *g, const struct effect *e, int decimals)
{
	if (e)
		grid_estimate(g, e->effect, e->ci, decimals, true);
	else
		grid_missing(g, "n/a", NULL);
}

static void verdict_cell(struct grid *g, const struct answer *a, const struct scheme *s)
{
	const struct vinfo *base = view_baseline(a->r);

	if (s->v == base && a->r->timed) {
		grid_text(g, "baseline");
		return;
	}
	if (!a->r->timed) {
		grid_missing(g, "", NULL);
		return;
	}
	if (!s->e) {
		grid_missing(g, "n/a", s->v->reason ? s->v->reason : "not measured");
		return;
	}
	/* How far it may be off stands in the row's first interval, and a mail has no room for it twice. */
	grid_text(g, a->r->proven && streq(short_verdict(s->e), "cannot tell")
			     ? "cannot tell"
			     : view_verdict(a->r, s->e).s);
	if (s->e->no_verdict && a->r->proven)
		grid_note(g, s->e->no_verdict);
}

static void times_cells(struct grid *g, const struct answer *a, const struct scheme *s)
{
	const bool base = s->v == view_baseline(a->r);
	const double ns = summary_ns_per_tick(a->r->env);

	if (base && a->first) {
		grid_number(g, a->first->base, a->decimals, false);
		grid_number(g, a->first->base * ns, 1, false);
		grid_number(g, a->work ? a->work->base : NAN, a->decimals, false);
	} else {
		effect_cell(g, s->e, a->decimals);
		grid_number(g, s->e ? s->e->effect * ns : NAN, 1, true);
		effect_cell(g, s->spaced, a->decimals);
	}
	if (s->isolated)
		grid_estimate(g, s->isolated->effect, s->isolated->ci, a->decimals, true);
	else
		grid_missing(g, s->cpu ? "n/a" : "same", NULL);
}

static void scheme_row(struct grid *g, const struct answer *a, const struct scheme *s)
{
	grid_row(g);
	grid_text(g, s->v->name);
	times_cells(g, a, s);
	count_cells(g, a, s, "tcg");
	count_cells(g, a, s, "tcg-rt");
	grid_number(g, s->events, s->events == round(s->events) ? 0 : 2, false);
	if (s->late)
		grid_missing(g, "deadline passed", NULL);
	else
		grid_estimate(g, s->wait.mean, s->wait.ci, s->wait.mean < 10 ? 2 : 1, false);
	verdict_cell(g, a, s);
}

static void write_table(struct page *p, const struct answer *a)
{
	struct grid *g;
	bool events = false, waits = false;
	bool gone[COLUMNS] = { false };
	char *missing = NULL;

	for (size_t i = 0; i < a->schemes; i++) {
		events |= !isnan(a->scheme[i].events);
		waits |= !isnan(a->scheme[i].wait.mean);
	}
	page_text(
		p,
		"%s%s: %sthe baseline in full, the others more than that, on every CPU%s%s%s%s%s. "
		"Lower is better.",
		a->workload, a->r->timed ? " in TSC ticks" : "",
		a->r->timed ? "95 % intervals, " : "", a->cpus ? " and on an isolated one" : "",
		view_counted(a->r, "tcg") ? "; instructions and LOCKs on x86_64 and on PREEMPT_RT"
					  : "",
		events ? "; events: " : "", events ? a->events_are : "",
		waits ? "; wait: its caller's, for a SCHED_FIFO program there" : "");
	g = page_table(p, ANSWER_TABLE, heads);
	g->brief = 1 << WORK | 1 << ISOLATED | 1 << WAIT;
	g->files = 1 << NS;
	for (size_t i = 0; i < a->schemes; i++)
		scheme_row(g, a, &a->scheme[i]);
	for (int c = COLUMNS - 1; c > SCHEME; c--)
		gone[c] = grid_drop_empty(g, c);
	for (int c = 0; c < COLUMNS; c++) {
		char *more;

		if (!gone[c] || !absent[c] || (c == WORK && !a->r->timed))
			continue;
		more = xasprintf("%s%s%s", missing ? missing : "", missing ? "; " : "", absent[c]);
		free(missing);
		missing = more;
	}
	if (missing)
		page_text(p, "Not in this result: %s.", missing);
	free(missing);
}

/* ---- the page ---- */

static void write_head(struct page *p, const struct view *r)
{
	double failed = 0, uncounted = json_array_size(json_object_get(r->root, "counts_failed"));

	const char *tree = json_text(r->env, "kernel_tree");

	page_text(p, "Result %s: Linux %s%s%s%s, target %s, on %s.",
		  r->id ? r->id : "n/a (summary.json does not name it)",
		  *json_text(r->env, "kernel_version") ? json_text(r->env, "kernel_version")
						       : "n/a",
		  *tree ? " (" : "", tree, *tree ? ")" : "",
		  *json_text(r->env, "target") ? json_text(r->env, "target") : "n/a",
		  *json_text(r->env, "cpu_model") ? json_text(r->env, "cpu_model") : "n/a");
	write_kernels(p, r);
	for (size_t i = 0; i < r->nvariants; i++)
		failed += r->variants[i].failed > 0 || r->variants[i].reason;
	if (failed > 0)
		page_text(p,
			  "%.0f of %zu variants failed in part or in whole: warnings.md says why.",
			  failed, r->nvariants);
	if (uncounted > 0)
		page_text(p,
			  "What %.0f boot%s executed could not be counted: warnings.md says why.",
			  uncounted, plural(uncounted));
	write_failed(p, r);
}

static void write_repeat(struct page *p, const struct view *r)
{
	char *command = view_env_text(r, "command"), *commit = view_env_text(r, "commit");
	double seconds = json_num(r->env, "duration_s");

	page_text(p, "sheafbench%s%s, Debian 12 or 13, %s minutes of boots; no KVM, PMU or reboot:",
		  commit ? " at commit " : "", commit ? commit : "",
		  number(ceil(seconds / 60), 0, false).s);
	page_command(p, command ? command : "n/a: environment.json has no command");
	free(command);
	free(commit);
}

static void answer_begin(struct answer *a, struct page *p, const char *name, const struct view *r)
{
	page_start(p, name, "What does each scheme cost, and what does it buy?");
	answer_read(a, r);
}

/* Whether there are excursions into the kernel, which have a figure of their own. */
static bool has_excursions(const struct view *r)
{
	const json_t *one;
	size_t i;

	for (i = 0; i < r->neffects && !isnan(summary_ns_per_tick(r->env)); i++)
		if (workload_is_excursion(r->effects[i].workload))
			return true;
	json_array_foreach(json_object_get(r->root, "counts"), i, one)
		if (workload_is_excursion(json_text(one, "workload")))
			return true;
	return false;
}

void page_answer(struct page *p, const struct view *r)
{
	struct answer a;

	answer_begin(&a, p, "report", r);
	write_head(p, r);
	write_sentences(p, &a, true);
	write_table(p, &a);
	if (a.first)
		page_figure(p, "effects.png",
			    "Differences from the baseline with 95 % intervals; lower is better",
			    plot_letters(r));
	if (has_excursions(r))
		page_figure(p, "decide.png",
			    "What a program pays that enters the kernel and does so many pairs "
			    "there; lower is better",
			    NULL);
	write_trust(p, r);
	write_thread(p, r);
	write_limits(p, r, false);
	page_heading(p, "How to repeat it");
	write_repeat(p, r);
	free(a.scheme);
}

void page_reply(struct page *p, const struct view *r, bool room)
{
	struct answer a;

	answer_begin(&a, p, "reply", r);
	write_failed(p, r);
	write_kernels(p, r);
	write_sentences(p, &a, room);
	write_table(p, &a);
	if (a.first && room)
		page_figure(p, "effects.png", "The costs as a plot", plot_letters(r));
	page_text(p, "Can it be trusted?");
	write_trust_short(p, r);
	page_text(p, "What it cannot say:");
	write_limits(p, r, true);
	page_text(p, "How to repeat it:");
	write_repeat(p, r);
	page_text(p,
		  "report.md has the thread's numbers beside these; tables/ in the result has all "
		  "tables, as Markdown and CSV.");
	free(a.scheme);
}

void page_short(struct page *p, const struct view *r)
{
	struct answer a;

	answer_begin(&a, p, "answer", r);
	write_head(p, r);
	write_sentences(p, &a, true);
	write_table(p, &a);
	free(a.scheme);
}
