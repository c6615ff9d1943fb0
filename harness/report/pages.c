// SPDX-License-Identifier: GPL-2.0
/* The pages beside the first one, and what stands on each. */
#include "sections.h"

const struct sheet sheets[SHEETS] = {
	{ "effects", "What does each variant cost, workload by workload?", { write_effects } },
	{ "busy", "What does it cost next to a busy sibling thread?", { write_contended } },
	{ "flushes",
	  "What does a flush take from the CPUs that are flushed, and how long does its caller "
	  "wait?",
	  { write_flushes, write_waits, write_growth } },
	{ "counts",
	  "How many instructions of which kind does an operation execute?",
	  { write_counts, write_calls } },
	{ "symbols", "Which functions execute the instructions, on x86_64?", { write_symbols } },
	{ "symbols-rt",
	  "Which functions execute the instructions, with PREEMPT_RT?",
	  { write_symbols_rt } },
	{ "lines", "Which source lines execute the instructions?", { write_lines } },
	{ "fidelity", "How near is what uml executes to x86_64?", { write_fidelity } },
	{ "mca",
	  "What do llvm-mca's models of other CPUs make of the instructions?",
	  { write_estimates } },
	{ "counters", "What did performance counters count?", { write_counters } },
	{ "certificate", "What is this instrument worth, line by line?", { write_certificate } },
	{ "variance", "Where does the variance come from?", { write_components } },
	{ "method", "What was measured, and how?", { write_method } },
	{ "machine",
	  "On what was it measured, and in which state was the machine?",
	  { write_environment } },
	{ "warnings", "What failed, and what does the analysis warn of?", { write_warnings } },
};

bool sheet_make(const struct sheet *sheet, struct page *p, const struct view *r)
{
	if (!sheet->name)
		return false;
	page_start(p, sheet->name, sheet->question);
	for (int i = 0; i < 3 && sheet->write[i]; i++)
		sheet->write[i](p, r);
	if (p->blocks)
		return true;
	page_free(p);
	return false;
}
