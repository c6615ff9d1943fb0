// SPDX-License-Identifier: GPL-2.0
/* On what a result was measured and how, as far as its environment.json says it, and what went wrong. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "sections.h"

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

enum fact_use {
	ALWAYS, /* n/a where it is missing */
	EXTRA,	/* only where it is there */
};

static const struct {
	const char *key, *label, *unit;
	enum fact_use use;
	bool counts; /* says something of counts too */
} facts[] = {
	{ "date", "date", "", ALWAYS, true },
	{ "target", "target", "", ALWAYS, true },
	{ "kernel_version", "kernel", "", ALWAYS, true },
	{ "kernel_source", "kernel source", "", EXTRA, true },
	{ "kernel_tree", "tag and commit of the kernel's git tree", "", EXTRA, true },
	{ "kernel_config_hash", "kernel configuration, hash", "", ALWAYS, true },
	{ "mitigations", "mitigations of x86_64", "", EXTRA, true },
	{ "compiler", "compiler", "", ALWAYS, true },
	{ "cpu_model", "CPU", "", ALWAYS, true },
	{ "cpus", "CPUs", "", ALWAYS, true },
	{ "virtualization", "virtualization", "", ALWAYS, true },
	{ "host_kernel", "host kernel", "", ALWAYS, true },
	{ "governor", "frequency governor", "", ALWAYS, false },
	{ "smt", "SMT", "", ALWAYS, false },
	{ "steal_ppm", "time stolen by the host", " ppm", EXTRA, false },
	{ "waited_s", "time waited for a quiet sibling before boots", " s", EXTRA, false },
	{ "clock_khz", "clock", " kHz", ALWAYS, false },
	{ "timer_step", "smallest step of the clock", " ticks", ALWAYS, false },
	{ "layouts", "layouts per variant", "", ALWAYS, false },
	{ "boots", "boots per layout", "", ALWAYS, false },
	{ "samples", "samples per workload and boot", "", ALWAYS, false },
	{ "seed", "seed", "", ALWAYS, false },
	{ "variants", "variants asked for", "", ALWAYS, true },
	{ "workloads", "workloads asked for", "", ALWAYS, true },
	{ "link_s", "time to link one layout", " s", EXTRA, false },
	{ "duration_s", "took", " s", ALWAYS, false },
	{ "commit", "sheafbench commit", "", ALWAYS, true },
};

/* A list of texts in the environment. */
static void write_list(struct page *p, const struct view *r, const char *key, const char *heading)
{
	const json_t *list = json_object_get(r->env, key), *item;
	size_t i;

	page_heading(p, "%s", heading);
	if (!json_is_array(list))
		page_text(p, "n/a: environment.json has no %s.", key);
	else if (!json_array_size(list))
		page_text(p, "Nothing.");
	json_array_foreach(list, i, item)
		if (json_is_string(item))
			page_item(p, "%s", json_string_value(item));
}

void write_environment(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "what", "value", NULL };
	struct grid *g = page_table(p, "machine", heads);

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		char *text, *value;

		if (!r->timed && !facts[i].counts)
			continue;
		text = view_env_text(r, facts[i].key);
		value = text ? xasprintf("%s%s", text, facts[i].unit)
			     : xasprintf("n/a (environment.json has no %s)", facts[i].key);
		if (text || facts[i].use != EXTRA) {
			grid_row(g);
			grid_text(g, facts[i].label);
			grid_text(g, value);
		}
		free(value);
		free(text);
	}
	if (r->timed)
		write_list(p, r, "findings", "The state of the machine");
}

/* The operations that there are numbers of. */
static void write_ops(struct page *p, const struct view *r)
{
	const json_t *counts = json_object_get(r->root, "counts"), *one;

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
			page_item(p, "%s%s: %s%s", ops[k].op, begins ? "..." : "", ops[k].what,
				  !ops[k].ends ? ""
				  : r->timed   ? " timed"
					       : " counted");
	}
}

/* The version of a variant's kernel and what its source was made from, where the environment has it, else "". */
static const char *kernel_of(const struct view *r, const struct vinfo *v)
{
	return json_text(json_object_get(r->env, "kernels"), v->name);
}

bool has_kernels(const struct view *r)
{
	return json_object_size(json_object_get(r->env, "kernels"));
}

void write_kernels(struct page *p, const struct view *r)
{
	char *all = NULL;

	for (size_t i = 0; i < r->nvariants; i++) {
		const char *kernel = kernel_of(r, &r->variants[i]);
		char *longer;

		if (!*kernel)
			continue;
		longer = xasprintf("%s%s%s is Linux %s", all ? all : "", all ? "; " : "",
				   r->variants[i].name, kernel);
		free(all);
		all = longer;
	}
	if (all)
		page_text(p, "Kernels: %s.", all);
	free(all);
}

static void write_variants(struct page *p, const struct view *r)
{
	for (size_t i = 0; i < r->nvariants; i++) {
		const char *kernel = kernel_of(r, &r->variants[i]);

		page_item(p, "%s: %s%s%s", r->variants[i].name, r->variants[i].title,
			  *kernel ? "; this variant is Linux " : "", kernel);
	}
}

static void write_counting(struct page *p, const struct view *r)
{
	if (!strcmp(json_text(r->env, "tells"), "events"))
		page_text(
			p,
			"QEMU emulates one CPU, which executes an instruction in each nanosecond "
			"of its own: no time of any real one. Its PMU is driven by the kernel's "
			"driver and perf_event_open(2), as a real one is. A kernel module runs "
			"kmalloc() and kfree() in loops and has the counters on while a loop runs, "
			"over some operations and over more, and with empty loops; what that costs "
			"and the loop itself are left out so. A workload is named "
			"OPERATION/SIZE/N/ORDER: objects of SIZE bytes, N of them held at once, "
			"freed in ORDER.");
	else
		page_text(
			p,
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
	write_ops(p, r);
	write_variants(p, r);
}

void write_method(struct page *p, const struct view *r)
{
	double layouts = json_num(r->env, "layouts"), boots = json_num(r->env, "boots");
	char *samples = view_env_text(r, "samples");

	if (!r->timed) {
		free(samples);
		write_counting(p, r);
		return;
	}
	if (isnan(layouts))
		layouts = view_layouts(r);
	if (isnan(boots) && r->neffects)
		boots = r->effects[0].boots / r->effects[0].layouts / 2;
	page_text(p, "A kernel module times batches of kmalloc() and kfree() between fenced reads "
		     "of the time stamp counter, on one CPU, without an outer preempt_disable(); "
		     "the cost of the loop and of the reads is measured and subtracted. A workload "
		     "is named OPERATION/SIZE/N/ORDER: objects of SIZE bytes, N of them held at "
		     "once, freed in ORDER.");
	write_ops(p, r);
	write_variants(p, r);
	page_text(p,
		  "Each variant is linked in %s layout%s: pads before mm/slub.o move the code, by "
		  "the same amounts in all variants but null, and dummy allocations at boot move "
		  "the data. The stock layout, without either, is no part of the averages. "
		  "Boots per layout: %s%s%s%s. The boots are in random order with "
		  "the variants interleaved. An effect is the difference from the baseline, paired "
		  "by layout; its interval is Student's t over the layouts, within the four places "
		  "of a pad in a cache line from 8 layouts on.",
		  number(layouts, 0, false).s, plural(layouts),
		  number(boots, boots == floor(boots) ? 0 : 1, false).s,
		  boots > 1 ? " (of make bench those after the first have the primary workloads "
			      "and the doses)"
			    : "",
		  samples ? "; samples per workload and boot: " : "", samples ? samples : "");
	if (json_object_size(json_object_get(r->certificate, "gate")))
		page_text(p,
			  "Another tenant on the sibling hardware thread makes everything "
			  "dearer, and comes "
			  "and goes within a boot. A short run of independent additions beside "
			  "each sample "
			  "tells "
			  "whether it is there, without looking at the sample itself. A sample "
			  "is called "
			  "quiet when that probe is quick, contended when it is not; those taken "
			  "before the "
			  "run had warmed up, as a changepoint test finds, are left out.");
	page_text(p,
		  "Estimator: %s%s%s%s. Where the core's clock moved, values are taken to "
		  "its median.",
		  r->location ? r->location : "n/a (the result does not name it)",
		  r->about ? ", the " : "", r->about ? r->about : "",
		  r->location ? ", chosen beforehand and the same for all variants" : "");
	free(samples);
}

static void write_failures(struct page *p, const struct view *r)
{
	const json_t *uncounted = json_object_get(r->root, "counts_failed"), *one;
	bool any = false;
	size_t k;

	for (size_t i = 0; i < r->nvariants; i++) {
		const struct vinfo *v = &r->variants[i];

		if (!(v->failed > 0) && !v->reason)
			continue;
		if (!any)
			page_heading(p, "What failed");
		any = true;
		if (v->failed > 0)
			page_item(p, "%s (%s): %.0f boot%s failed, %s good: %s", v->name, v->title,
				  v->failed, plural(v->failed), number(v->boots, 0, false).s,
				  v->reason ? v->reason : "no reason recorded");
		else
			page_item(p, "%s (%s): %s", v->name, v->title, v->reason);
	}
	json_array_foreach(uncounted, k, one) {
		if (!any)
			page_heading(p, "What failed");
		any = true;
		page_item(p, "counts of %s (target %s): %s", json_text(one, "variant"),
			  json_text(one, "target"), json_text(one, "reason"));
	}
}

/* Each distinct warning once, with the number of comparisons that carry it. */
static void write_analysis(struct page *p, const struct view *r)
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
		page_heading(p, "Warnings of the analysis");
		json_object_foreach(counts, text, count) {
			if (json_is_null(count))
				page_item(p, "%s", text);
			else
				page_item(p, "%s (%lld of %zu comparisons)", text,
					  (long long)json_integer_value(count), r->neffects);
		}
	}
	json_decref(counts);
}

void write_warnings(struct page *p, const struct view *r)
{
	write_failures(p, r);
	if (r->timed)
		write_analysis(p, r);
}
