// SPDX-License-Identifier: GPL-2.0
/* What an emulator counted: instructions by kind and by symbol, and how near uml's are to x86_64's. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "number.h"
#include "sections.h"

/* The columns, each the sum of its classes. */
static const struct {
	const char *head, *classes[4];
} kinds[] = {
	{ ">insns", { "instructions" } },
	{ ">LOCK", { "lock" } },
	{ ">xchg", { "xchg" } },
	{ ">loads", { "loads" } },
	{ ">stores", { "stores" } },
	{ ">calls", { "call" } },
	{ ">taken", { "taken" } },
	{ ">cli/sti", { "cli", "sti" } },
	{ ">pushf/popf", { "pushf", "popf" } },
	{ ">fences", { "lfence", "fence", "serialise" } },
};

/* What was counted in an emulator, each apart; what uml executes is told beside X86. */
enum { X86, X86_RT };
static const struct {
	const char *name, *title, *about;
} targets[] = {
	[X86] = { "tcg", "x86_64", NULL },
	[X86_RT] = { "tcg-rt", "x86_64 with PREEMPT_RT",
		     "With PREEMPT_RT a local_trylock_t is a per-CPU spinlock in any case, taken "
		     "by trylock under migrate_disable(). Differences are from the unpatched "
		     "kernel with PREEMPT_RT. That the qpw variants add nothing is so by the "
		     "construction of our port, which leaves that lock in place; the posted v4 "
		     "has its static branch there as well, which is not counted." },
};

/* What is no answer: the same kernel again, and what the instrument proves itself with. */
static bool counted(const struct vinfo *v)
{
	return is_role(v, "change");
}

/* A count that is missing where others of its record are there is a count of none. */
static double of_class(const json_t *classes, const char *class)
{
	double n = json_num(classes, class);

	return classes && isnan(n) ? 0 : n;
}

static double of_kind(const json_t *classes, size_t k)
{
	double n = 0;

	for (int i = 0; kinds[k].classes[i]; i++)
		n += of_class(classes, kinds[k].classes[i]);
	return n;
}

static double insns(const json_t *one)
{
	return of_class(json_object_get(one, "classes"), "instructions");
}

/* Whole where it is whole: counts per operation are, but for what comes once in a sheaf. */
static void grid_count(struct grid *g, double n, bool sign)
{
	grid_number(g, n, fabs(n - round(n)) < 0.005 ? 0 : 2, sign);
}

/* The baseline's record that stands for a target where there is room for one only. */
static const json_t *headline(const struct view *r, const char *target, const char *variant)
{
	const json_t *one = view_count(r, target, WORKLOAD_FIRST, variant);

	return one ? one
		   : json_find(json_object_get(r->root, "counts"), "target", target, "variant",
			       variant, NULL);
}

/* Whether two records of a variant have the same symbols with the same counts, and the same estimates. */
static bool same_counts(const json_t *a, const json_t *b)
{
	const json_t *of = json_object_get(a, "symbols"), *others = json_object_get(b, "symbols"),
		     *classes;
	const char *symbol;

	if (json_object_size(of) != json_object_size(others) ||
	    !json_equal(json_object_get(a, "estimates"), json_object_get(b, "estimates")) ||
	    !json_equal(json_object_get(a, "parts"), json_object_get(b, "parts")))
		return a == b;
	json_object_foreach((json_t *)of, symbol, classes)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			if (!json_object_get(others, symbol) ||
			    of_kind(classes, k) != of_kind(json_object_get(others, symbol), k))
				return false;
	return true;
}

static bool same_op(const char *a, const char *b)
{
	size_t length = strcspn(a, "/");

	return length == strcspn(b, "/") && !strncmp(a, b, length);
}

/*
 * The workload that has this one's counts in all variants, and its operation: the first in the result,
 * which stands for the others.
 */
static const char *stands_for(const struct view *r, const char *target, const char *workload)
{
	const struct vinfo *base = view_baseline(r);
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(r->root, "counts"), i, one) {
		const char *other = json_text(one, "workload");
		bool alike = same_op(workload, other) &&
			     !strcmp(json_text(one, "target"), target) &&
			     !strcmp(json_text(one, "variant"), base->name);

		for (size_t v = 0; alike && v < r->nvariants; v++)
			alike = same_counts(view_count(r, target, workload, r->variants[v].name),
					    view_count(r, target, other, r->variants[v].name));
		if (alike)
			return other;
	}
	return workload;
}

/* Walks the baseline's records of a target; NULL at the end. @i starts at 0. */
static const json_t *next_of(const struct view *r, const char *target, size_t *i)
{
	const json_t *counts = json_object_get(r->root, "counts"), *one;
	const struct vinfo *base = view_baseline(r);

	while (base && (one = json_array_get(counts, (*i)++)))
		if (!strcmp(json_text(one, "variant"), base->name) &&
		    !strcmp(json_text(one, "target"), target))
			return one;
	return NULL;
}

/* The record of a change on the workload and target of the baseline's, NULL where there is none. */
static const json_t *change_of(const struct view *r, const json_t *base, size_t variant)
{
	return counted(&r->variants[variant])
		       ? view_count(r, json_text(base, "target"), json_text(base, "workload"),
				    r->variants[variant].name)
		       : NULL;
}

/* Which workloads the tables leave out; those for programs have them. */
static void write_alike(struct page *p, const struct view *r, const char *target)
{
	const json_t *one;
	char *list = NULL;
	size_t i = 0;

	while ((one = next_of(r, target, &i))) {
		const char *workload = json_text(one, "workload"),
			   *other = stands_for(r, target, workload);
		char *more;

		if (!strcmp(workload, other))
			continue;
		more = xasprintf("%s%s%s as %s", list ? list : "", list ? "; " : "", workload,
				 other);
		free(list);
		list = more;
	}
	if (list)
		page_text(p,
			  "Not shown again, because each symbol of each variant executes the "
			  "same: %s.",
			  list);
	free(list);
}

static void counts_row(struct grid *g, const char *name, const json_t *one, const json_t *base,
		       bool hidden)
{
	const json_t *classes = json_object_get(one, "classes"),
		     *from = json_object_get(base, "classes");

	grid_row(g);
	g->row[g->rows - 1].hidden = hidden;
	grid_text(g, name);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		grid_count(g, of_kind(classes, k) - (base ? of_kind(from, k) : 0), base);
}

void write_counts(struct page *p, const struct view *r)
{
	const char *heads[ARRAY_SIZE(kinds) + 2] = { "variant" };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		heads[k + 1] = kinds[k].head;
	for (size_t t = 0; t < ARRAY_SIZE(targets); t++) {
		const json_t *base, *one;
		size_t i = 0;
		bool any = false;

		while ((base = next_of(r, targets[t].name, &i))) {
			const char *workload = json_text(base, "workload");
			bool alike = strcmp(workload, stands_for(r, targets[t].name, workload)) !=
				     0;
			struct grid *g;

			if (!any) {
				page_heading(p, "%s", targets[t].title);
				page_text(p,
					  "What one operation executes, counted instruction by "
					  "instruction in an emulator, the benchmark's own loop "
					  "left out. The first line is the whole, the others "
					  "are differences from it. These are exact, and no "
					  "times: a LOCKed instruction counts as one like any "
					  "other.%s%s",
					  targets[t].about ? " " : "",
					  targets[t].about ? targets[t].about : "");
			}
			any = true;
			if (!alike)
				page_text(p, "%s (target %s):", workload, targets[t].name);
			g = page_table(p, "counts", heads);
			g->counted = true;
			grid_key(g, "target", targets[t].name);
			grid_key(g, "workload", workload);
			counts_row(g, json_text(base, "variant"), base, NULL, alike);
			for (size_t v = 0; v < r->nvariants; v++)
				if ((one = change_of(r, base, v)))
					counts_row(g, r->variants[v].name, one, base, alike);
		}
		if (any)
			write_alike(p, r, targets[t].name);
	}
}

/*
 * What each call takes as a rule, within a sheaf or a slab, and the others, at its end: the mean of the two
 * depends on how full it was. A function whose calls are all alike is told by the counts.
 */
void write_calls(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "variant",	 "function", ">usual",
					     ">share %", ">others",  NULL };
	const json_t *base, *one, *each;
	struct grid *g = NULL;

	for (size_t t = 0; t < ARRAY_SIZE(targets); t++) {
		for (size_t i = 0; (base = next_of(r, targets[t].name, &i));) {
			const char *workload = json_text(base, "workload"), *function;
			bool begun = false;

			for (size_t v = 0; v < r->nvariants; v++) {
				one = is_role(&r->variants[v], "baseline") ? base
									   : change_of(r, base, v);
				json_object_foreach(json_object_get((json_t *)one, "each"),
						    function, each) {
					if (isnan(json_num(each, "others")))
						continue;
					if (!g) {
						page_heading(p, "What single calls execute");
						page_text(
							p,
							"Instructions of the calls that are alike "
							"most often, their share, and the mean of "
							"the others, which go to another sheaf or "
							"slab.");
					}
					if (!begun) {
						page_text(p, "%s (target %s):", workload,
							  targets[t].name);
						g = page_table(p, "calls", heads);
						grid_key(g, "target", targets[t].name);
						grid_key(g, "workload", workload);
					}
					begun = true;
					grid_row(g);
					grid_text(g, r->variants[v].name);
					grid_text(g, function);
					grid_count(g, json_num(each, "usual"), false);
					grid_number(g, 100 * json_num(each, "share"), 1, false);
					grid_count(g, json_num(each, "others"), false);
				}
			}
		}
	}
}

/* The symbols in which a variant executes more or less than the baseline; how many. */
static int symbol_rows(struct grid *g, const json_t *one, const json_t *base, bool hidden)
{
	const json_t *mine = json_object_get(one, "symbols"),
		     *theirs = json_object_get(base, "symbols"), *classes;
	json_t *names = json_object();
	const char *symbol;
	int rows = 0;

	json_object_update(names, (json_t *)theirs);
	json_object_update(names, (json_t *)mine);
	json_object_foreach(names, symbol, classes) {
		const json_t *a = json_object_get(theirs, symbol),
			     *b = json_object_get(mine, symbol);
		double before = a ? of_class(a, "instructions") : 0,
		       after = b ? of_class(b, "instructions") : 0;

		if (before == after || !strcmp(symbol, COUNTS_LOOP))
			continue;
		grid_row(g);
		g->row[g->rows - 1].hidden = hidden;
		grid_text(g, json_text(one, "workload"));
		grid_text(g, json_text(one, "variant"));
		grid_text(g, symbol);
		grid_count(g, before, false);
		grid_count(g, after, false);
		grid_count(g, after - before, true);
		rows++;
	}
	json_decref(names);
	return rows;
}

static void symbols(struct page *p, const struct view *r, size_t target)
{
	static const char *const heads[] = { "workload", "variant", "symbol", ">baseline",
					     ">variant", ">change", NULL };
	const char *name = targets[target].name;
	struct grid *g = NULL;
	char *same = NULL;

	for (size_t v = 0; v < r->nvariants; v++) {
		const json_t *base, *one;
		bool any = false;
		int differ = 0;
		size_t i = 0;

		while ((base = next_of(r, name, &i))) {
			const char *workload = json_text(base, "workload");

			one = change_of(r, base, v);
			if (!one)
				continue;
			if (!g) {
				page_text(p,
					  "Instructions per operation on %s, by the symbol that "
					  "executes them, where a variant differs from %s.",
					  targets[target].title, json_text(base, "variant"));
				g = page_table(p, target == X86 ? "symbols" : "symbols-rt", heads);
			}
			any = true;
			differ += symbol_rows(g, one, base,
					      strcmp(workload, stands_for(r, name, workload)) != 0);
		}
		if (any && !differ) {
			char *more = xasprintf("%s%s%s", same ? same : "", same ? ", " : "",
					       r->variants[v].name);

			free(same);
			same = more;
		}
	}
	if (same)
		page_text(p, "The same in every symbol of every workload: %s.", same);
	free(same);
	if (g)
		write_alike(p, r, name);
}

void write_symbols(struct page *p, const struct view *r)
{
	symbols(p, r, X86);
}

void write_symbols_rt(struct page *p, const struct view *r)
{
	symbols(p, r, X86_RT);
}

void write_lines(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "variant",	 "symbol",  "line",
					     "source",	 "inlined", ">baseline",
					     ">variant", ">change", NULL };
	const struct vinfo *base = view_baseline(r);

	for (size_t t = 0; base && t < ARRAY_SIZE(targets); t++) {
		const json_t *head = headline(r, targets[t].name, base->name), *line;
		struct grid *g = NULL;
		size_t i;

		for (size_t v = 0; head && v < r->nvariants; v++) {
			json_array_foreach(json_object_get(change_of(r, head, v), "lines"), i,
					   line) {
				double before = json_num(line, "baseline"),
				       after = json_num(line, "variant");
				char *place = *json_text(line, "file")
						      ? xasprintf("%s %s:%.0f",
								  json_text(line, "function"),
								  json_text(line, "file"),
								  json_num(line, "line"))
						      : xstrdup("n/a");

				if (!g) {
					page_text(p,
						  "The lines of which a variant executes more "
						  "or fewer instructions than %s, per operation "
						  "of %s on %s, and the function that was "
						  "inlined there. A line that only moved is the "
						  "same line. summary.json has the other "
						  "workloads.",
						  base->name, json_text(head, "workload"),
						  targets[t].title);
					g = page_table(p, "lines", heads);
					grid_key(g, "target", targets[t].name);
				}
				grid_row(g);
				grid_text(g, r->variants[v].name);
				grid_text(g, json_text(line, "symbol"));
				grid_text(g, place);
				grid_text(g, json_text(line, "text"));
				grid_text(g, json_text(line, "inlined"));
				grid_count(g, before, false);
				grid_count(g, after, false);
				grid_count(g, after - before, true);
				free(place);
			}
		}
	}
}

/* What a variant has more of a part than @less has, of both NULL's being nothing. */
static double of_part(const json_t *one, const json_t *less, const char *part)
{
	const json_t *mine = json_object_get(one, "parts"),
		     *theirs = json_object_get(less, "parts");

	return of_class(mine, part) - (less ? of_class(theirs, part) : 0);
}

/* The baseline and the changes, on what uml and x86_64 both have: calls @row for each. */
static void each_of_uml(const struct view *r,
			void (*row)(struct grid *g, const struct view *r, const json_t *uml,
				    const json_t *x86, const json_t *uml_base,
				    const json_t *x86_base),
			struct grid *g)
{
	const struct vinfo *base = view_baseline(r);

	for (size_t v = 0; base && v < r->nvariants; v++) {
		const char *name = r->variants[v].name;
		const json_t *from;
		size_t i = 0;

		if (&r->variants[v] != base && !counted(&r->variants[v]))
			continue;
		while ((from = next_of(r, "uml", &i))) {
			const char *workload = json_text(from, "workload");
			const json_t *uml = view_count(r, "uml", workload, name),
				     *x86 = view_count(r, "tcg", workload, name);
			bool first = &r->variants[v] == base;

			if (uml && x86)
				row(g, r, uml, x86, first ? NULL : from,
				    first ? NULL : view_count(r, "tcg", workload, base->name));
		}
	}
}

static void parts_row(struct grid *g, const struct view *r, const json_t *uml, const json_t *x86,
		      const json_t *uml_base, const json_t *x86_base)
{
	const char *workload = json_text(uml, "workload");
	double sum = 0;

	if (!json_object_get(uml, "parts") || !json_object_get(x86, "parts"))
		return;
	grid_row(g);
	g->row[g->rows - 1].hidden = strcmp(workload, stands_for(r, "uml", workload)) != 0;
	grid_text(g, json_text(uml, "variant"));
	grid_text(g, workload);
	for (int c = 2; c < g->cols - 1; c++) {
		double more = of_part(uml, uml_base, g->head[c] + 1) -
			      of_part(x86, x86_base, g->head[c] + 1);

		sum += more;
		grid_count(g, more, true);
	}
	grid_count(g, sum, true);
}

/*
 * By part: what uml executes more than x86_64, of the baseline; then of each variant what uml's
 * difference from its baseline has more than x86_64's. A row adds up to its last column.
 */
static void write_parts(struct page *p, const struct view *r, const struct vinfo *base)
{
	const char *heads[GRID_COLS + 1] = { "variant", "workload" }, *part;
	const json_t *first = headline(r, "uml", base->name), *n;
	int cols = 2;

	json_object_foreach(json_object_get((json_t *)first, "parts"), part, n)
		if (cols < GRID_COLS - 1)
			heads[cols++] = xasprintf(">%s", part);
	if (cols == 2)
		return;
	heads[cols] = ">sum";
	page_text(p,
		  "By what the instructions are for: of the baseline what uml executes more than "
		  "x86_64; of each variant what uml's difference from its baseline has more than "
		  "x86_64's. this_cpu: per-CPU data, the current task, the CPU's number; preempt: "
		  "the preempt count and the look whether to reschedule; keys: static keys, nops "
		  "on x86_64; irq: interrupts off and on; lock: what else the spinlock's functions "
		  "do; canary: the stack protector's; addr64: addresses of 64 bits, loaded by "
		  "instructions of their own; rest: the others, registers to and from the stack "
		  "among them.");
	each_of_uml(r, parts_row, page_table(p, "parts", heads));
	for (int k = 2; k < cols; k++)
		free((char *)heads[k]);
}

static void fidelity_row(struct grid *g, const struct view *r, const json_t *uml, const json_t *x86,
			 const json_t *uml_base, const json_t *x86_base)
{
	const char *workload = json_text(uml, "workload");

	grid_row(g);
	g->row[g->rows - 1].hidden = strcmp(workload, stands_for(r, "uml", workload)) != 0;
	grid_text(g, json_text(uml, "variant"));
	grid_text(g, workload);
	grid_count(g, insns(uml), false);
	grid_count(g, insns(x86), false);
	grid_number(g, insns(uml) / insns(x86), 3, false);
	if (!uml_base || !x86_base) {
		grid_text(g, "");
		grid_text(g, "");
		return;
	}
	grid_count(g, insns(uml) - insns(uml_base), true);
	grid_count(g, insns(x86) - insns(x86_base), true);
}

void write_fidelity(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "variant", "workload",   ">uml",	       ">x86_64",
					     ">ratio",	">uml diff.", ">x86_64 diff.", NULL };
	const struct vinfo *base = view_baseline(r);

	if (!base || !view_counted(r, "uml") || !view_counted(r, "tcg"))
		return;
	page_text(p, "Instructions per operation of uml's build, which is timed, and of the x86_64 "
		     "build, counted in the same emulator; then each one's difference from its own "
		     "baseline. Where the two differences disagree, uml's time of that variant "
		     "holds something that x86_64 does not have.");
	/* As gcc 12 compiles 7.2; no part of the comparison above. */
	if (!strcmp(json_text(r->env, "um_fidelity"), "yes"))
		page_text(p, "What is left of them in Linux 7.2: free executes one instruction "
			     "more to find an object's page. A section with interrupts disabled, "
			     "which variants that leave the sheaves have, executes two less, in a "
			     "word of per-CPU data where x86 has flags.");
	each_of_uml(r, fidelity_row, page_table(p, "fidelity", heads));
	write_alike(p, r, "uml");
	write_parts(p, r, base);
}

static void estimates_row(struct grid *g, const json_t *one)
{
	const json_t *of = json_object_get(one, "estimates");

	if (!json_object_size(of))
		return;
	grid_row(g);
	grid_text(g, json_text(one, "workload"));
	grid_text(g, json_text(one, "variant"));
	for (int c = 2; c < g->cols; c++)
		grid_number(g, json_num(of, g->head[c] + 1), 1, false);
}

static void estimates(struct page *p, const struct view *r, size_t target)
{
	const char *heads[GRID_COLS + 1] = { "workload", "variant" }, *cpu;
	const json_t *base, *v;
	struct grid *g;
	int cols = 2;
	size_t i = 0;

	while ((base = next_of(r, targets[target].name, &i)))
		json_object_foreach(json_object_get((json_t *)base, "estimates"), cpu, v) {
			bool known = false;

			for (int k = 2; k < cols; k++)
				known |= !strcmp(heads[k] + 1, cpu);
			if (!known && cols < GRID_COLS)
				heads[cols++] = xasprintf(">%s", cpu);
		}
	if (cols == 2)
		return;
	page_text(p,
		  "Core cycles per operation on %s in llvm-mca's models of these CPUs, for the "
		  "instructions of one hot operation as they were executed, one operation right "
		  "after the other. The models know neither caches nor branch prediction, and "
		  "nothing of what LOCK waits for: a LOCKed instruction counts as one without.",
		  targets[target].title);
	g = page_table(p, "mca", heads);
	grid_key(g, "target", targets[target].name);
	for (i = 0; (base = next_of(r, targets[target].name, &i));) {
		const char *workload = json_text(base, "workload");
		int from = g->rows;

		estimates_row(g, base);
		for (size_t k = 0; k < r->nvariants; k++) {
			const json_t *one = change_of(r, base, k);

			if (one)
				estimates_row(g, one);
		}
		while (from < g->rows)
			g->row[from++].hidden = strcmp(workload, stands_for(r, targets[target].name,
									    workload)) != 0;
	}
	for (int k = 2; k < cols; k++)
		free((char *)heads[k]);
}

void write_estimates(struct page *p, const struct view *r)
{
	for (size_t t = 0; t < ARRAY_SIZE(targets); t++)
		estimates(p, r, t);
}
