// SPDX-License-Identifier: GPL-2.0
/* What an emulator counted: instructions by kind and by symbol, and how near uml's are to x86_64's. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "number.h"
#include "sections.h"

/* The columns, each the sum of its classes, and whether a mail has room for it. */
static const struct {
	const char *head, *classes[4];
	bool mail;
} kinds[] = {
	{ ">insns", { "instructions" }, true },
	{ ">LOCK", { "lock" }, true },
	{ ">xchg", { "xchg" }, false },
	{ ">loads", { "loads" }, true },
	{ ">stores", { "stores" }, true },
	{ ">calls", { "call" }, true },
	{ ">taken", { "taken" }, true },
	{ ">cli/sti", { "cli", "sti" }, false },
	{ ">pushf/popf", { "pushf", "popf" }, false },
	{ ">fences", { "lfence", "fence", "serialise" }, false },
};

/* What was counted in an emulator, each with sections of its own; what uml executes is told beside X86. */
enum { X86, X86_RT };
static const struct {
	const char *name, *title; /* after a heading */
	const char *about;	  /* in addition */
} targets[] = {
	[X86] = { "tcg", "", NULL },
	[X86_RT] = { "tcg-rt", ": PREEMPT_RT",
		     "With PREEMPT_RT a local_trylock_t is a per-CPU spinlock in any case, taken "
		     "by trylock under migrate_disable(). Differences are from the unpatched "
		     "kernel with PREEMPT_RT." },
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
static struct number count(double n, bool sign)
{
	return number(n, fabs(n - round(n)) < 0.005 ? 0 : 2, sign);
}

static void counts_row(struct table *t, const struct doc *d, const char *name, const json_t *one,
		       const json_t *base)
{
	const json_t *classes = json_object_get(one, "classes"),
		     *from = json_object_get(base, "classes");
	struct number n[DOC_COLS];
	const char *cell[DOC_COLS] = { NULL };
	int used = 0;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		if (d->style == DOC_MAIL && !kinds[k].mail)
			continue;
		n[used] = count(of_kind(classes, k) - (base ? of_kind(from, k) : 0), base);
		cell[used] = n[used].s;
		used++;
	}
	table_row(t, name, cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], cell[6], cell[7],
		  cell[8], cell[9], cell[10]);
}

static void counts_table(struct doc *d, const struct view *r, const json_t *base)
{
	const char *heads[DOC_COLS + 1] = { "variant" };
	const char *target = json_text(base, "target"), *workload = json_text(base, "workload");
	struct table t;
	int used = 1;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		if (d->style == DOC_MARKDOWN || kinds[k].mail)
			heads[used++] = kinds[k].head;
	doc_para(d, "%s (target %s), counts per operation:", workload, target);
	table_start(&t, heads);
	counts_row(&t, d, json_text(base, "variant"), base, NULL);
	for (size_t i = 0; i < r->nvariants; i++) {
		const json_t *one = view_count(r, target, workload, r->variants[i].name);

		if (one && counted(&r->variants[i]))
			counts_row(&t, d, r->variants[i].name, one, base);
	}
	doc_table_end(d, &t);
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
 * which stands for the others. A mail has the headline only.
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

/* Whether a table tells of this record: in a mail of the headline, else of those that stand for the others. */
static bool told(const struct doc *d, const struct view *r, const json_t *one)
{
	const char *target = json_text(one, "target"), *workload = json_text(one, "workload");
	const struct vinfo *base = view_baseline(r);

	if (!base)
		return false;
	if (d->style == DOC_MAIL)
		return !strcmp(workload, json_text(headline(r, target, base->name), "workload"));
	return !strcmp(workload, stands_for(r, target, workload));
}

/* Which workloads the tables leave out. */
static void write_alike(struct doc *d, const struct view *r, const char *target)
{
	const struct vinfo *base = view_baseline(r);
	bool any = false;
	const json_t *one;
	size_t i;

	if (!base || d->style == DOC_MAIL)
		return;
	json_array_foreach(json_object_get(r->root, "counts"), i, one) {
		if (strcmp(json_text(one, "variant"), base->name) != 0 ||
		    strcmp(json_text(one, "target"), target) != 0 || told(d, r, one))
			continue;
		if (!any)
			doc_para(d, "Not shown again, because each symbol of each variant executes "
				    "the same:");
		any = true;
		doc_item(d, "%s: as %s", json_text(one, "workload"),
			 stands_for(r, target, json_text(one, "workload")));
	}
	if (any)
		doc_gap(d);
}

static void heading(struct doc *d, const char *text, const char *title)
{
	char *both = xasprintf("%s%s", text, title);

	doc_heading(d, 2, both);
	free(both);
}

void write_counts(struct doc *d, const struct view *r)
{
	const struct vinfo *base = view_baseline(r);
	bool any, before = false;
	const json_t *one;
	size_t i;

	for (size_t t = 0; base && t < ARRAY_SIZE(targets); t++) {
		any = false;
		json_array_foreach(json_object_get(r->root, "counts"), i, one) {
			if (strcmp(json_text(one, "variant"), base->name) != 0 ||
			    strcmp(json_text(one, "target"), targets[t].name) != 0 ||
			    !told(d, r, one))
				continue;
			if (!any)
				heading(d, "Counted, not timed", targets[t].title);
			if (!before)
				doc_para(d, "What one operation executes, counted instruction by "
					    "instruction in an emulator, the benchmark's own loop "
					    "left out. The first line is the whole, the others are "
					    "differences from it. These are exact, and no times: a "
					    "LOCKed instruction counts as one like any other.");
			if (!any && targets[t].about)
				doc_para(d, "%s", targets[t].about);
			any = before = true;
			counts_table(d, r, one);
		}
		if (any)
			write_alike(d, r, targets[t].name);
	}
}

/* The symbols in which a variant executes more or less than the baseline. */
static int symbol_rows(struct table *t, const struct doc *d, const json_t *one, const json_t *base)
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
		if (d->style == DOC_MAIL)
			table_row(t, json_text(one, "variant"), symbol, count(before, false).s,
				  count(after, false).s, count(after - before, true).s);
		else
			table_row(t, json_text(one, "workload"), json_text(one, "variant"), symbol,
				  count(before, false).s, count(after, false).s,
				  count(after - before, true).s);
		rows++;
	}
	json_decref(names);
	return rows;
}

static void count_symbols(struct doc *d, const struct view *r, const struct vinfo *base,
			  size_t target)
{
	static const char *const heads[] = { "workload", "variant", "symbol", ">baseline",
					     ">variant", ">change", NULL };
	json_t *same = json_object(), *none;
	const char *name;
	const json_t *one;
	struct table t;
	bool any = false;
	size_t i;

	table_start(&t, heads + (d->style == DOC_MAIL));
	for (size_t v = 0; v < r->nvariants; v++) {
		json_array_foreach(json_object_get(r->root, "counts"), i, one) {
			const json_t *from = view_count(r, targets[target].name,
							json_text(one, "workload"), base->name);
			int differ;

			if (strcmp(json_text(one, "variant"), r->variants[v].name) != 0 || !from ||
			    !counted(&r->variants[v]) ||
			    strcmp(json_text(one, "target"), targets[target].name) != 0 ||
			    !told(d, r, one))
				continue;
			differ = symbol_rows(&t, d, one, from);
			none = json_object_get(same, r->variants[v].name);
			json_object_set_new(same, r->variants[v].name,
					    json_boolean(!differ && !json_is_false(none)));
		}
	}
	if (json_object_size(same)) {
		heading(d, "Where the instructions come from", targets[target].title);
		doc_para(d,
			 "Instructions per operation%s%s, by the symbol that executes them, "
			 "where a variant differs from the baseline.",
			 d->style == DOC_MAIL ? " of " : "",
			 d->style == DOC_MAIL
				 ? json_text(headline(r, targets[target].name, base->name),
					     "workload")
				 : "");
		json_object_foreach(same, name, none) {
			if (!json_is_true(none))
				continue;
			any = true;
			doc_item(d, "%s: the same in every symbol%s.", name,
				 d->style == DOC_MAIL ? "" : " of every workload");
		}
		if (any)
			doc_gap(d);
	}
	doc_table_end(d, &t);
	json_decref(same);
}

void write_count_symbols(struct doc *d, const struct view *r)
{
	const struct vinfo *base = view_baseline(r);

	for (size_t t = 0; base && t < ARRAY_SIZE(targets); t++)
		count_symbols(d, r, base, t);
}

static void count_lines(struct doc *d, const struct view *r, const json_t *head, size_t target)
{
	static const char *const heads[] = { "variant",	 "symbol",  "line",
					     "source",	 "inlined", ">baseline",
					     ">variant", ">change", NULL };
	const json_t *line;
	struct table t;
	size_t i;

	table_start(&t, heads);
	for (size_t v = 0; head && v < r->nvariants; v++) {
		const json_t *one = view_count(r, targets[target].name, json_text(head, "workload"),
					       r->variants[v].name);

		if (!counted(&r->variants[v]))
			continue;
		json_array_foreach(json_object_get(one, "lines"), i, line) {
			double before = json_num(line, "baseline"),
			       after = json_num(line, "variant");
			char *place = *json_text(line, "file")
					      ? xasprintf("%s %s:%.0f", json_text(line, "function"),
							  json_text(line, "file"),
							  json_num(line, "line"))
					      : xasprintf("n/a");

			table_row(&t, r->variants[v].name, json_text(line, "symbol"), place,
				  json_text(line, "text"), json_text(line, "inlined"),
				  count(before, false).s, count(after, false).s,
				  count(after - before, true).s);
			free(place);
		}
	}
	if (t.rows) {
		heading(d, "By source line", targets[target].title);
		doc_para(d,
			 "The lines of which a variant executes more or fewer instructions than "
			 "the baseline, per operation of %s, and the function that was inlined "
			 "there. A line that only moved is the same line. summary.json has the "
			 "other workloads.",
			 json_text(head, "workload"));
	}
	doc_table_end(d, &t);
}

void write_count_lines(struct doc *d, const struct view *r)
{
	const struct vinfo *base = view_baseline(r);

	for (size_t t = 0; base && t < ARRAY_SIZE(targets); t++)
		count_lines(d, r, headline(r, targets[t].name, base->name), t);
}

/* What a variant has more of a part than @less has, of both NULL's being nothing. */
static double of_part(const json_t *one, const json_t *less, const char *part)
{
	const json_t *mine = json_object_get(one, "parts"),
		     *theirs = json_object_get(less, "parts");

	return of_class(mine, part) - (less ? of_class(theirs, part) : 0);
}

/*
 * By part: what uml executes more than x86_64, of the baseline; then of each variant what uml's
 * difference from its baseline has more than x86_64's. A row adds up to its last column.
 */
static void write_parts(struct doc *d, const struct view *r, const struct vinfo *base)
{
	const char *heads[DOC_COLS + 1] = { "variant", "workload" };
	const json_t *one, *first = headline(r, "uml", base->name), *n;
	const char *part;
	int cols = 2;
	struct table t;
	size_t i;

	json_object_foreach(json_object_get((json_t *)first, "parts"), part, n)
		if (cols < DOC_COLS - 1)
			heads[cols++] = xasprintf(">%s", part);
	if (cols == 2)
		return;
	heads[cols] = ">sum";
	doc_para(d,
		 "By what the instructions are for: of the baseline what uml executes more than "
		 "x86_64; of each variant what uml's difference from its baseline has more than "
		 "x86_64's.%s",
		 d->style == DOC_MAIL
			 ? ""
			 : " this_cpu: per-CPU data, the current task, the CPU's number; preempt: "
			   "the "
			   "preempt count and the look whether to reschedule; keys: static keys, "
			   "nops on x86_64; irq: interrupts off and on; lock: what else the "
			   "spinlock's functions do; canary: the stack protector's; addr64: "
			   "addresses of 64 bits, loaded by instructions of their own; rest: the "
			   "others, registers to and from the stack among them.");
	if (d->style == DOC_MAIL)
		heads[1] = "variant";
	table_start(&t, heads + (d->style == DOC_MAIL));
	for (size_t v = 0; v < r->nvariants; v++) {
		json_array_foreach(json_object_get(r->root, "counts"), i, one) {
			const char *workload = json_text(one, "workload"),
				   *name = r->variants[v].name;
			const json_t *x86 = view_count(r, targets[X86].name, workload, name),
				     *uml_base = NULL, *x86_base = NULL;
			struct number cell[DOC_COLS];
			double sum = 0;

			if (strcmp(json_text(one, "target"), "uml") != 0 ||
			    strcmp(json_text(one, "variant"), name) != 0 ||
			    (&r->variants[v] != base && !counted(&r->variants[v])) ||
			    !json_object_get(one, "parts") || !json_object_get(x86, "parts") ||
			    !told(d, r, one))
				continue;
			if (&r->variants[v] != base) {
				uml_base = view_count(r, "uml", workload, base->name);
				x86_base = view_count(r, targets[X86].name, workload, base->name);
			}
			for (int k = 2; k < DOC_COLS; k++) {
				double more = NAN;

				if (k < cols)
					more = of_part(one, uml_base, heads[k] + 1) -
					       of_part(x86, x86_base, heads[k] + 1);
				sum += k < cols ? more : 0;
				cell[k] = count(k == cols ? sum : more, true);
			}
			if (d->style == DOC_MAIL)
				table_row(&t, name, cell[2].s, cell[3].s, cell[4].s, cell[5].s,
					  cell[6].s, cell[7].s, cell[8].s, cell[9].s, cell[10].s,
					  cell[11].s);
			else
				table_row(&t, name, workload, cell[2].s, cell[3].s, cell[4].s,
					  cell[5].s, cell[6].s, cell[7].s, cell[8].s, cell[9].s,
					  cell[10].s, cell[11].s);
		}
	}
	doc_table_end(d, &t);
	for (int k = 2; k < cols; k++)
		free((char *)heads[k]);
}

void write_fidelity(struct doc *d, const struct view *r)
{
	static const char *const heads[] = { "variant", "workload",   ">uml",	       ">x86_64",
					     ">ratio",	">uml diff.", ">x86_64 diff.", NULL };
	const struct vinfo *base = view_baseline(r);
	const json_t *one;
	struct table t;
	bool any = false;
	size_t i;

	table_start(&t, heads);
	for (size_t v = 0; base && v < r->nvariants; v++) {
		json_array_foreach(json_object_get(r->root, "counts"), i, one) {
			const char *workload = json_text(one, "workload");
			const json_t *x86 =
				view_count(r, targets[X86].name, workload, r->variants[v].name);
			bool first = &r->variants[v] == base;

			if (strcmp(json_text(one, "target"), "uml") != 0 || !x86 ||
			    strcmp(json_text(one, "variant"), r->variants[v].name) != 0 ||
			    (!first && !counted(&r->variants[v])))
				continue;
			if (d->style == DOC_MAIL && strcmp(workload, WORKLOAD_FIRST) != 0)
				continue;
			table_row(
				&t, r->variants[v].name, workload, count(insns(one), false).s,
				count(insns(x86), false).s,
				number(insns(one) / insns(x86), 3, false).s,
				first ? ""
				      : count(insns(one) - insns(view_count(r, "uml", workload,
									    base->name)),
					      true)
						.s,
				first ? ""
				      : count(insns(x86) - insns(view_count(r, targets[X86].name,
									    workload, base->name)),
					      true)
						.s);
			any = true;
		}
	}
	if (any) {
		doc_heading(d, 2, "How near uml is to x86_64");
		doc_para(d,
			 "Instructions per operation of uml's build, whose times are above, and "
			 "of the x86_64 build, counted in the same emulator; then each one's "
			 "difference from its own baseline. Where the two differences disagree, "
			 "uml's time of that variant holds something that x86_64 does not have.");
		/* As gcc 12 compiles 7.2; no part of the comparison above. */
		if (!strcmp(json_text(r->env, "um_fidelity"), "yes"))
			doc_para(d,
				 "What is left of them in Linux 7.2: free executes one instruction "
				 "more to find an object's page. A section with interrupts "
				 "disabled, which variants that leave the sheaves have, executes "
				 "two less, in a word of per-CPU data where x86 has flags.");
	}
	doc_table_end(d, &t);
	if (any)
		write_parts(d, r, base);
}

/* What the models make of a variant on the workload of the baseline's record @from. */
static void estimate_row(struct table *t, const char *const *heads, int cols, const struct view *r,
			 const json_t *from, const struct vinfo *variant)
{
	const char *workload = json_text(from, "workload");
	const json_t *of = json_object_get(
		view_count(r, json_text(from, "target"), workload, variant->name), "estimates");
	struct number n[DOC_COLS];

	if (!json_object_size(of) || (!counted(variant) && !is_role(variant, "baseline")))
		return;
	for (int k = 2; k < DOC_COLS; k++)
		n[k] = number(k < cols ? json_num(of, heads[k] + 1) : NAN, 1, false);
	table_row(t, workload, variant->name, n[2].s, n[3].s, n[4].s, n[5].s, n[6].s, n[7].s,
		  n[8].s, n[9].s, n[10].s, n[11].s);
}

static void estimates(struct doc *d, const struct view *r, const struct vinfo *base, size_t target)
{
	const char *heads[DOC_COLS + 1] = { "workload", "variant" };
	const json_t *counts = json_object_get(r->root, "counts"), *one, *v;
	const char *cpu;
	struct table t;
	int cols = 2;
	size_t i;

	json_array_foreach(counts, i, one)
		json_object_foreach(json_object_get(one, "estimates"), cpu, v) {
			bool known = strcmp(json_text(one, "target"), targets[target].name) != 0;

			for (int k = 2; k < cols; k++)
				known |= !strcmp(heads[k] + 1, cpu);
			if (!known && cols < DOC_COLS)
				heads[cols++] = xasprintf(">%s", cpu);
		}
	if (cols > 2) {
		heading(d, "Estimated, not measured", targets[target].title);
		doc_para(d,
			 "Core cycles per operation in llvm-mca's models of these CPUs, for the "
			 "instructions of one hot operation as they were executed, one operation "
			 "right after the other, on x86_64. The models know neither caches nor "
			 "branch "
			 "prediction, and nothing of what LOCK waits for: a LOCKed instruction "
			 "counts as one without.");
		table_start(&t, heads);
		json_array_foreach(counts, i, one) {
			if (strcmp(json_text(one, "variant"), base->name) != 0 ||
			    strcmp(json_text(one, "target"), targets[target].name) != 0 ||
			    !told(d, r, one))
				continue;
			for (size_t k = 0; k < r->nvariants; k++)
				estimate_row(&t, heads, cols, r, one, &r->variants[k]);
		}
		doc_table_end(d, &t);
	}
	for (int k = 2; k < cols; k++)
		free((char *)heads[k]);
}

void write_estimates(struct doc *d, const struct view *r)
{
	const struct vinfo *base = view_baseline(r);

	for (size_t t = 0; base && t < ARRAY_SIZE(targets); t++)
		estimates(d, r, base, t);
}
