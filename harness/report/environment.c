// SPDX-License-Identifier: GPL-2.0
/* On what a result was measured, as far as its environment.json says it. */
#include <stdlib.h>

#include "sections.h"

enum fact_use {
	FILES, /* n/a where it is missing */
	MAIL,  /* the same, and a line in a mail */
	EXTRA, /* only where it is there */
};

static const struct {
	const char *key, *label, *unit;
	enum fact_use use;
	bool counts; /* says something of counts too */
} facts[] = {
	{ "date", "date", "", MAIL, true },
	{ "target", "target", "", MAIL, true },
	{ "kernel_version", "kernel", "", MAIL, true },
	{ "kernel_config_hash", "kernel configuration, hash", "", FILES, true },
	{ "mitigations", "mitigations of x86_64", "", EXTRA, true },
	{ "compiler", "compiler", "", MAIL, true },
	{ "cpu_model", "CPU", "", MAIL, true },
	{ "cpus", "CPUs", "", MAIL, true },
	{ "virtualization", "virtualization", "", MAIL, true },
	{ "host_kernel", "host kernel", "", MAIL, true },
	{ "governor", "frequency governor", "", MAIL, false },
	{ "smt", "SMT", "", MAIL, false },
	{ "steal_ppm", "time stolen by the host", " ppm", EXTRA, false },
	{ "clock_khz", "clock", " kHz", MAIL, false },
	{ "timer_step", "smallest step of the clock", " ticks", MAIL, false },
	{ "layouts", "layouts per variant", "", MAIL, false },
	{ "boots", "boots per layout", "", MAIL, false },
	{ "samples", "samples per workload and boot", "", MAIL, false },
	{ "seed", "seed", "", MAIL, false },
	{ "variants", "variants asked for", "", FILES, true },
	{ "workloads", "workloads asked for", "", FILES, true },
	{ "link_s", "time to link one layout", " s", EXTRA, false },
	{ "duration_s", "took", " s", MAIL, false },
	{ "commit", "sheafbench commit", "", MAIL, true },
};

void write_environment(struct doc *d, const struct view *r)
{
	static const char *const heads[] = { "what", "value", NULL };
	struct table t;

	doc_heading(d, 2, "On what");
	if (d->style == DOC_MARKDOWN)
		table_start(&t, heads);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		char *text, *value;

		if (!r->timed && !facts[i].counts)
			continue;
		text = view_env_text(r, facts[i].key);
		value = text ? xasprintf("%s%s", text, facts[i].unit)
			     : xasprintf("n/a (environment.json has no %s)", facts[i].key);
		if (d->style == DOC_MARKDOWN && (text || facts[i].use != EXTRA))
			table_row(&t, facts[i].label, value);
		else if (d->style == DOC_MAIL && text && facts[i].use != FILES)
			doc_item(d, "%s: %s", facts[i].label, value);
		free(value);
		free(text);
	}
	if (d->style == DOC_MARKDOWN)
		doc_table_end(d, &t);
	else
		doc_gap(d);
}

/* A list of texts in the environment; a mail has no room to say that there is none. */
static void write_list(struct doc *d, const struct view *r, const char *key, const char *heading)
{
	const json_t *list = json_object_get(r->env, key), *item;
	size_t i;

	if (!json_array_size(list) && d->style == DOC_MAIL)
		return;
	doc_heading(d, 2, heading);
	if (!json_is_array(list))
		doc_para(d, "n/a: environment.json has no %s.", key);
	else if (!json_array_size(list))
		doc_para(d, "Nothing.");
	json_array_foreach(list, i, item)
		if (json_is_string(item))
			doc_item(d, "%s", json_string_value(item));
	if (json_array_size(list))
		doc_gap(d);
}

void write_findings(struct doc *d, const struct view *r)
{
	write_list(d, r, "findings", "The state of the machine");
}

void write_left_out(struct doc *d, const struct view *r)
{
	write_list(d, r, "left_out", "What was left out");
}
