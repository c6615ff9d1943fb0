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

#include "mime.h"
#include "number.h"
#include "sections.h"

#define SUBJECT "Re: [PATCH v4 0/4] Introduce Per-CPU Work helpers (was QPW)"
/* Above this, the kernel's submitting-patches asks for a link instead; in bytes. */
#define MAIL_LIMIT 300000

/*
 * What is measured, in words, by the first part of a workload's name, or by what it begins with; some end in "timed"
 * or "counted".
 */
static const struct {
	const char *op, *what;
	bool ends;
} ops[] = {
	{ "pair", "kmalloc and then kfree of one object, both", true },
	{ "alloc", "kmalloc alone; the frees are not", true },
	{ "free", "kfree alone; the allocations are not", true },
	{ "batch-alloc", "the kmalloc half of N allocations followed by N frees", false },
	{ "batch-free", "the kfree half of N allocations followed by N frees", false },
	{ "cache-", "objects of a kmem_cache that nothing else uses", false },
	{ "ctor-", "of a kmem_cache with a constructor", false },
	{ "account-", "of a kmem_cache whose objects are charged to a cgroup", false },
	{ "bulk-", "N objects in one call", false },
	{ "prefill-", "N objects from a sheaf that was prefilled for them", false },
	{ "rcu-free", "kfree_rcu of objects that go into a sheaf", false },
	{ "rcu-fallback", "kfree_rcu of a kmem_cache without sheaves", false },
	{ "page-", "pages of order 0, whose per-CPU lists have a spinlock already", false },
	{ "bh-", "kmalloc and kfree with bottom halves off", false },
	{ "softirq-", "kmalloc and kfree in a softirq", false },
	{ "hardirq-", "kmalloc and kfree in a hardirq", false },
	{ "crowd-", "kmalloc and kfree while all other CPUs do the same", false },
	{ "remote-alloc", "kmalloc of objects that another CPU frees", false },
	{ "remote-free", "kfree of objects that another CPU has allocated", false },
	{ "spread-alloc", "kmalloc of objects that all other CPUs free", false },
	{ "gather-free", "kfree of objects that all other CPUs have allocated", false },
};

/* In the order in which a mail has room for them. */
static const struct {
	const char *file, *caption;
} plots[] = {
	{ "effects.png", "Differences from the baseline with 95 % intervals; the band is the null "
			 "comparison" },
	{ "dose.png", "Core cycles found against core cycles added" },
	{ "samples.png", "Distribution of the samples, quiet and next to a busy sibling" },
	{ "layouts.png", "By the place of the code: each layout's value" },
	{ "counts.png", "Instructions per operation on x86_64, counted, by symbol" },
	{ "trade.png", "What a scheme costs per operation against what a flush takes from a CPU" },
	{ "by-n.png", "By the number of objects held at once" },
	{ "by-size.png", "By the size of the object" },
	{ "effects-all.png", "Differences for every workload" },
};

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

/* ---- the rest of the text ---- */

static void write_opening(struct doc *d, const struct view *r)
{
	if (d->style == DOC_MARKDOWN) {
		doc_heading(d, 1, d->title);
		doc_para(d, "Result %s.", r->id ? r->id : "n/a (summary.json does not name it)");
		return;
	}
	doc_para(d, "Hello,");
	if (!r->timed) {
		doc_para(d, "The cost of the per-CPU spinlock in the sheaf fast path was given in "
			    "this thread as single values, while repeated runs of one kernel "
			    "differed by more than most of the deltas. Here is what can be told "
			    "exactly: the instructions that kmalloc and kfree execute with and "
			    "without it.");
		return;
	}
	doc_para(
		d,
		"The cost of the per-CPU spinlock in the sheaf fast path was given in this thread "
		"as single values, while repeated runs of one kernel differed by more than most of "
		"the deltas. So here are differences%s, for kfree as well as kmalloc, and before "
		"them what an unchanged kernel shows against itself, and how much is found of a "
		"known amount.",
		any_interval(r) ? " with 95 % confidence intervals over several layouts of the "
				  "kernel"
				: "");
}

/* Why effects are not to be called real: an unproven instrument, no intervals, no comparison. */
static void write_unproven(struct doc *d, const struct view *r)
{
	const json_t *why = json_object_get(r->certificate, "why_not"), *sentence;
	size_t k;

	if (!r->proven) {
		doc_para(d, "CAUTION: the instrument is not proven in this result, so no effect in "
			    "it is called real, and each verdict reads \"unproven\":");
		json_array_foreach(why, k, sentence)
			if (json_is_string(sentence))
				doc_item(d, "%s", json_string_value(sentence));
		if (!r->judged)
			doc_item(d, "summary.json is of before there were the rules that verdicts "
				    "follow; make it anew with sheafstat summarize");
		else if (!json_array_size(why))
			doc_item(d, "n/a: summary.json does not say why; make it anew with "
				    "sheafstat summarize");
		doc_gap(d);
	}
	if (r->neffects && !any_interval(r))
		doc_para(d,
			 "CAUTION: no intervals are given, because no variant has two layouts or "
			 "more in common with the baseline (layouts: %.0f). With one layout an "
			 "effect cannot be told from the luck of where the linker put the code. "
			 "Repeat with LAYOUTS=8 or more.",
			 most_layouts(r));
	if (!r->neffects)
		doc_para(d, "CAUTION: this result holds no comparison at all: no layout is common "
			    "to the baseline and another variant. The failed variants below say "
			    "why.");
}

/* What must be read before any number. */
static void write_cautions(struct doc *d, const struct view *r)
{
	size_t uncounted = json_array_size(json_object_get(r->root, "counts_failed")), k;
	const json_t *changed = json_object_get(r->root, "changed"), *one;
	double failed = 0;

	if (json_array_size(changed))
		doc_para(d, "CAUTION: this result was changed after it was measured:");
	json_array_foreach(changed, k, one)
		doc_item(d, "%s", json_item(one));
	if (json_array_size(changed))
		doc_gap(d);
	if (r->timed)
		write_unproven(d, r);
	for (size_t i = 0; i < r->nvariants; i++)
		failed += r->variants[i].failed > 0 || r->variants[i].reason;
	if (failed)
		doc_para(d,
			 "%.0f of %zu variants failed in part or in whole; see \"What failed\" "
			 "below.",
			 failed, r->nvariants);
	if (uncounted)
		doc_para(d,
			 "What %zu boot%s executed could not be counted; see \"What failed\" "
			 "below.",
			 uncounted, plural(uncounted));
}

/* The operations that there are numbers of. */
static void write_ops(struct doc *d, const struct view *r)
{
	const json_t *counts = json_object_get(r->root, "counts"), *one;
	bool any = false;

	for (size_t k = 0; k < ARRAY_SIZE(ops); k++) {
		/* One that ends in '-' stands for all that begin so. */
		const size_t length = strlen(ops[k].op);
		const bool begins = ops[k].op[length - 1] == '-';
		size_t i;
		bool there = false;

		for (i = 0; i < r->neffects; i++)
			there |= !strncmp(r->effects[i].of.op, ops[k].op, length) &&
				 (begins || !r->effects[i].of.op[length]);
		json_array_foreach(counts, i, one)
			there |= !strncmp(json_text(one, "workload"), ops[k].op, length) &&
				 (begins || json_text(one, "workload")[length] == '/');
		if (there)
			doc_item(d, "%s%s: %s%s", ops[k].op, begins ? "..." : "", ops[k].what,
				 !ops[k].ends ? ""
				 : r->timed   ? " timed"
					      : " counted");
		any |= there;
	}
	if (any)
		doc_gap(d);
}

static void write_variants(struct doc *d, const struct view *r)
{
	for (size_t i = 0; i < r->nvariants; i++)
		doc_item(d, "%s: %s", r->variants[i].name, r->variants[i].title);
	doc_gap(d);
}

static void write_counting(struct doc *d, const struct view *r)
{
	doc_heading(d, 2, "What was counted, and how");
	if (!strcmp(json_text(r->env, "tells"), "events"))
		doc_para(
			d,
			"QEMU emulates one CPU, which executes an instruction in each nanosecond "
			"of its own: no time of any real one. Its PMU is driven by the kernel's "
			"driver and perf_event_open(2), as a real one is. A kernel module runs "
			"kmalloc() and kfree() in loops and has the counters on while a loop runs, "
			"over some operations and over more, and with empty loops; what that costs "
			"and the loop itself are left out so. A workload is named "
			"OPERATION/SIZE/N/ORDER: objects of SIZE bytes, N of them held at once, "
			"freed in ORDER.");
	else
		doc_para(
			d,
			"QEMU emulates one CPU, whose clock advances by one with each instruction. "
			"A "
			"kernel module runs kmalloc() and kfree() between markers, and a plugin of "
			"QEMU's counts what is executed between them. After a warm-up, five such "
			"windows are taken of each workload; those into which an interrupt or "
			"another "
			"task broke are "
			"left out, and of the others each has to have as many instructions as the "
			"guest's clock advanced by. A workload is named OPERATION/SIZE/N/ORDER: "
			"objects of SIZE bytes, N of them held at once, freed in ORDER.");
	write_ops(d, r);
	write_variants(d, r);
}

static void write_method(struct doc *d, const struct view *r)
{
	double layouts = json_num(r->env, "layouts"), boots = json_num(r->env, "boots");
	char *samples = view_env_text(r, "samples");

	if (!r->timed) {
		free(samples);
		write_counting(d, r);
		return;
	}
	if (isnan(layouts))
		layouts = most_layouts(r);
	if (isnan(boots) && r->neffects)
		boots = r->effects[0].boots / r->effects[0].layouts / 2;
	doc_heading(d, 2, "What was measured, and how");
	doc_para(d, "A kernel module times batches of kmalloc() and kfree() between fenced reads "
		    "of the time stamp counter, on one CPU, without an outer preempt_disable(); "
		    "the cost of the loop and of the reads is measured and subtracted. A workload "
		    "is named OPERATION/SIZE/N/ORDER: objects of SIZE bytes, N of them held at "
		    "once, freed in ORDER.");
	write_ops(d, r);
	write_variants(d, r);
	doc_para(d,
		 "Each variant is linked in %s layout%s: pads before mm/slub.o move the code, by "
		 "the same amounts in all variants but null, and dummy allocations at boot move "
		 "the data. The stock layout, without either, is no part of the averages. "
		 "Boots per layout: %s%s%s. The boots are in random order with "
		 "the variants interleaved. An effect is the difference from the baseline, paired "
		 "by layout; its interval is Student's t over the layouts.",
		 number(layouts, 0, false).s, plural(layouts),
		 number(boots, boots == floor(boots) ? 0 : 1, false).s,
		 samples ? "; samples per workload and boot: " : "", samples ? samples : "");
	if (json_object_size(json_object_get(r->certificate, "gate")))
		doc_para(d, "Another tenant on the sibling hardware thread makes everything "
			    "dearer, and comes "
			    "and goes within a boot. A short run of independent additions beside "
			    "each sample "
			    "tells "
			    "whether it is there, without looking at the sample itself. A sample "
			    "is called "
			    "quiet when that probe is quick, contended when it is not; those taken "
			    "before the "
			    "run had warmed up, as a changepoint test finds, are left out.");
	doc_para(d, "Estimator: %s%s%s%s.",
		 r->location ? r->location : "n/a (the result does not name it)",
		 r->about ? ", the " : "", r->about ? r->about : "",
		 r->location ? ", chosen beforehand and the same for all variants" : "");
	free(samples);
}

static void write_failures(struct doc *d, const struct view *r)
{
	const json_t *uncounted = json_object_get(r->root, "counts_failed"), *one;
	bool any = false;
	size_t k;

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
	json_array_foreach(uncounted, k, one) {
		if (!any)
			doc_heading(d, 2, "What failed");
		any = true;
		doc_item(d, "counts of %s (target %s): %s", json_text(one, "variant"),
			 json_text(one, "target"), json_text(one, "reason"));
	}
	if (any)
		doc_gap(d);
}

/* Each distinct warning once, with the number of comparisons that carry it. */
static void write_warnings(struct doc *d, const struct view *r)
{
	const json_t *all = json_object_get(r->root, "warnings"), *warning;
	json_t *counts = json_object(), *count;
	const char *text;
	size_t i;

	for (size_t i = 0; i < r->neffects; i++) {
		const json_t *w;
		size_t k;

		json_array_foreach(r->effects[i].warnings, k, w)
			if (json_is_string(w))
				json_object_set_new(
					counts, json_string_value(w),
					json_integer(1 + json_integer_value(json_object_get(
								 counts, json_string_value(w)))));
	}
	json_array_foreach(all, i, warning) {
		if (json_is_string(warning))
			json_object_set_new(counts, json_string_value(warning), json_null());
	}
	if (json_object_size(counts)) {
		doc_heading(d, 2, "Warnings of the analysis");
		json_object_foreach(counts, text, count) {
			if (json_is_null(count))
				doc_item(d, "%s", text);
			else
				doc_item(d, "%s (%lld of %zu comparisons)", text,
					 (long long)json_integer_value(count), r->neffects);
		}
		doc_gap(d);
	}
	json_decref(counts);
}

/* What is around mm/slub.c in a uml kernel with the series um of patches, and in one without. */
static const char *uml_differs(const struct view *r)
{
	if (!strcmp(json_text(r->env, "um_fidelity"), "yes"))
		return "arch/um is patched to run the fast path of x86_64: this_cpu operations, "
		       "current and the preemption count are single instructions, static keys are "
		       "nops, and the compiler's options are the same. Interrupts are disabled "
		       "and enabled in a variable, where x86 has cli and sti. What differs is "
		       "counted where uml is compared with x86_64";
	return "arch/um is as the kernel has it: this_cpu operations are the generic ones, a "
	       "static key is a load and a branch where x86 patches a nop, releasing a spinlock "
	       "executes an mfence, and a section with interrupts disabled makes two system calls "
	       "of the host. So what a key guards is overstated, and what takes a spinlock or "
	       "disables interrupts far more so";
}

static void write_caveats(struct doc *d, const struct view *r)
{
	doc_heading(d, 2, "What the numbers cannot say");
	if (on_target(r, "uml"))
		doc_item(d,
			 "The kernels ran as User Mode Linux. mm/slub.c is the real one at "
			 "native speed, but %s.",
			 uml_differs(r));
	if (r->timed) {
		doc_item(d, "The clock is the time stamp counter. Its ticks are of constant rate; "
			    "they are not core cycles, of which there are as many to a tick as the "
			    "clock line above says.");
		doc_item(d, "The probe sees a sibling that takes issue slots. It does not see one "
			    "that only takes cache or memory bandwidth.");
	} else {
		doc_item(d, "How long anything takes. One instruction may take a hundred times "
			    "what another does, and a LOCKed one waits for what is before it.");
		doc_item(d, "What another CPU executes: the kernel changes its own code at boot to "
			    "fit the CPU that it finds, and what it found is QEMU's.");
	}
	doc_item(d, "The QPW variants are a port of the idea to this kernel, written for this "
		    "comparison, and not the posted series: all sheaf paths take the lock, remote "
		    "flushes are done by the caller, and qpw= flips a static key. The lock is not "
		    "inlined beyond what the kernel's configuration does.");
	doc_item(d,
		 "Fast paths are those of hot loops without contention; %s PREEMPT_RT. Nothing is "
		 "said of what is no workload of this result; there are more of them: of "
		 "kfree_rcu(), objects charged to a cgroup, remote frees, other contexts and "
		 "flushes.",
		 view_counted(r, "tcg-rt") ? "only counts of" : "no");
	doc_gap(d);
}

static void write_repeat(struct doc *d, const struct view *r)
{
	char *command = view_env_text(r, "command"), *commit = view_env_text(r, "commit");

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
	if (r->timed)
		doc_para(d, "SEED sets the random order of the boots and the layouts, LAYOUTS and "
			    "BOOTS how many there are, VARIANTS and WORKLOADS (a regular "
			    "expression) what is compared. `make help` lists the rest.");
	else
		doc_para(d, "VARIANTS and WORKLOADS (a regular expression) set what is compared. "
			    "`make help` lists the rest.");
	free(command);
	free(commit);
}

static void write_plots(struct doc *d, const struct view *r)
{
	bool any = false;

	doc_heading(d, 2, "Plots");
	for (size_t i = 0; i < ARRAY_SIZE(plots); i++) {
		char *path = xasprintf("%s/plots/%s", r->dir, plots[i].file);

		if (!access(path, R_OK)) {
			fprintf(d->f, "![%s](%s/%s)\n\n", plots[i].caption, d->plots,
				plots[i].file);
			any = true;
		}
		free(path);
	}
	if (!any)
		doc_para(d, "n/a: the result has no plots yet; make plots draws them.");
}

/* ---- documents ---- */

enum document { REPORT = 1, RESULTS = 2, REPLY = 4, FILES_ONLY = REPORT | RESULTS, ALL = 7 };

/* What stands where, from the top down; and what only has a meaning where there are times. */
static const struct {
	void (*write)(struct doc *d, const struct view *r);
	enum document in;
	bool timed;
} sections[] = {
	{ write_opening, ALL, false },
	{ write_cautions, ALL, false },
	{ write_certificate, ALL, true },
	{ write_answer, ALL, true },
	{ write_brief, ALL, true },
	{ write_contended, ALL, true },
	{ write_counts, ALL, false },
	{ write_count_symbols, REPLY, false },
	{ write_fidelity, ALL, false },
	{ write_counters, ALL, false },
	{ write_flushes, ALL, false },
	{ write_waits, ALL, true },
	{ write_growth, ALL, false },
	{ write_questions, FILES_ONLY, false },
	{ write_estimates, FILES_ONLY, false },
	{ write_components, FILES_ONLY, true },
	{ write_certify, RESULTS, true },
	{ write_plots, FILES_ONLY, false },
	{ write_thread, ALL, true },
	{ write_method, ALL, false },
	{ write_environment, ALL, false },
	{ write_findings, ALL, true },
	{ write_failures, ALL, false },
	{ write_left_out, ALL, false },
	{ write_warnings, FILES_ONLY, true },
	{ write_caveats, ALL, false },
	{ write_repeat, ALL, false },
	{ write_full, FILES_ONLY, true },
	{ write_count_symbols, FILES_ONLY, false },
	{ write_count_lines, FILES_ONLY, false },
};

static void write_document(struct doc *d, const struct view *r, enum document which)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (sections[i].in & which && (r->timed || !sections[i].timed))
			sections[i].write(d, r);
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
	struct doc d = {
		.f = text_open(&t),
		.style = DOC_MARKDOWN,
		.title = "sheafbench report",
		.plots = "plots",
	};
	int ret;

	write_document(&d, r, REPORT);
	fclose(d.f);
	ret = save(r, "report.md", &t);
	free(t.s);
	return ret;
}

static int do_results_md(const struct view *r)
{
	struct doc d = {
		.f = stdout,
		.style = DOC_MARKDOWN,
		.title = "Results",
		.plots = "plots/published",
	};

	write_document(&d, r, RESULTS);
	return 0;
}

/* "list item ", in place of list. */
char *longer(char *list, const char *item)
{
	char *all = xasprintf("%s%s ", list, item);

	free(list);
	return all;
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
		*left_out = longer(*left_out ? *left_out : xstrdup(" "), name);
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
	/* nine digits and indents are for programs and editors; a mail has room for less, and that has no sum */
	json_t *shorter = json_copy(r->root);
	struct text summary = { NULL };
	struct text report = load(r, "report.md"), mail;
	size_t room = MAIL_LIMIT - body->size - 1024;
	FILE *f = text_open(&mail);
	char *left_out = NULL;
	int ret, images = 0;

	json_object_del(shorter, "sha256");
	summary.s = json_dumps(shorter, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(shorter);
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
			"sheafreport: reply.eml is kept below %d kB; link to what is not "
			"attached:%.*s\n",
			MAIL_LIMIT / 1000, (int)strlen(left_out) - 1, left_out);
	ret = save(r, "reply.eml", &mail);
	free(left_out);
	free(summary.s);
	free(report.s);
	free(mail.s);
	return ret;
}

static int do_reply(const struct view *r)
{
	struct text t;
	struct doc d = { .f = text_open(&t), .style = DOC_MAIL };
	int ret;

	write_document(&d, r, REPLY);
	fclose(d.f);
	ret = save(r, "reply.txt", &t);
	if (!ret)
		ret = save_mail(r, &t);
	free(t.s);
	return ret;
}

static const struct {
	const char *name, *args, *help;
	int (*run)(const struct view *r);
} commands[] = {
	{ "report", "RESULTDIR", "writes RESULTDIR/report.md", do_report },
	{ "reply", "RESULTDIR", "writes RESULTDIR/reply.txt and RESULTDIR/reply.eml", do_reply },
	{ "results-md", "RESULTDIR [--certify FILE]", "prints the text of Results.md",
	  do_results_md },
	{ "plotvars", "RESULTDIR", "prints the variables of the gnuplot scripts", do_plotvars },
};

static int usage(FILE *f)
{
	fprintf(f, "usage: sheafreport COMMAND …\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-10s %-26s  %s\n", commands[i].name, commands[i].args,
			commands[i].help);
	return f == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	struct view r;
	int ret;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	for (size_t i = 0; argc > 2 && i < ARRAY_SIZE(commands); i++) {
		bool certify = commands[i].run == do_results_md && argc == 5 &&
			       !strcmp(argv[3], "--certify");

		if (strcmp(argv[1], commands[i].name) != 0 || (argc != 3 && !certify))
			continue;
		ret = view_open(&r, argv[2]);
		if (!ret && certify)
			ret = view_certify(&r, argv[4]);
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
