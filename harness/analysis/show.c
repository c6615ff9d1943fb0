// SPDX-License-Identifier: GPL-2.0
/* A summary for a terminal of 80 columns. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "counts.h"
#include "escape.h"
#include "show.h"
#include "summary.h"

static void effect_show(const json_t *e)
{
	struct interval ci = json_interval(e, "ci95");
	const char *verdict = json_text(e, "verdict");

	printf("  %-21s %+8.2f", shown(json_text(e, "variant"), 21).s, json_num(e, "effect"));
	if (isnan(ci.lo))
		printf(" %-19s", "(no interval)");
	else
		printf(" [%+8.2f,%+8.2f]", ci.lo, ci.hi);
	if (!isnan(json_num(e, "ratio")))
		printf(" x %.3f", json_num(e, "ratio"));
	if (*verdict)
		printf("  %s", verdict);
	else if (json_is_true(json_object_get(e, "primary")))
		printf("  no verdict");
	puts("");
}

/* A sentence on several lines of at most 80 columns. */
static void sentence_show(void *unused, const char *s)
{
	int column = 0;

	(void)unused;
	while (*s) {
		int word = strcspn(s, " ");

		if (column && column + word > 76) {
			puts("");
			column = 0;
		}
		column += printf("%s%.*s", column ? " " : "  ", word, s);
		s += word + (s[word] == ' ');
	}
	puts("");
}

static void caution_show(const char *s)
{
	char *text = xasprintf("CAUTION: %s", s);

	sentence_show(NULL, text);
	free(text);
}

/* What the instrument is worth comes before what it found. */
static void certificate_show(const json_t *j)
{
	const json_t *why;
	size_t i;

	certificate_say(j, sentence_show, NULL);
	if (!json_object_get(j, "lines"))
		puts("The certificate is of before there were fixed rules: sheafstat summarize "
		     "makes "
		     "it anew.");
	else if (json_is_true(json_object_get(j, "holds")))
		puts("The certificate holds.");
	else
		puts("The certificate does not hold, so no effect is proven:");
	json_array_foreach(json_object_get(j, "why_not"), i, why)
		sentence_show(NULL, json_item(why));
}

/* Where boots were counted and not timed: the instructions of each workload. */
static void counters_show(const json_t *j)
{
	const json_t *one;
	const char *last = "";
	size_t i;

	json_array_foreach(json_object_get(j, "counters"), i, one) {
		const char *role = summary_role(j, json_text(one, "variant"));

		if (!streq(json_text(one, "metric"), "instructions") ||
		    (!streq(role, "baseline") && !streq(role, "change")))
			continue;
		if (!streq(last, json_text(one, "workload")))
			printf("\n%s: instructions\n", shown(json_text(one, "workload"), 40).s);
		last = json_text(one, "workload");
		printf("  %-22s %8.6g %+6.6g\n", shown(json_text(one, "variant"), 22).s,
		       json_num(one, "value"),
		       streq(role, "baseline") ? 0 : json_num(one, "effect"));
	}
}

/* What a result holds that tells no time. */
static void counts_show(const json_t *j)
{
	const json_t *counts = json_object_get(j, "counts"), *one, *base, *classes;
	size_t i, k;

	puts("exact counts per operation, and the difference from the baseline; no times");
	counters_show(j);
	json_array_foreach(counts, i, base) {
		if (!streq(summary_role(j, json_text(base, "variant")), "baseline") ||
		    !counts_stand(counts, base))
			continue;
		printf("\n%s (target %s): instructions, LOCKed ones\n",
		       shown(json_text(base, "workload"), 40).s,
		       shown(json_text(base, "target"), 20).s);
		json_array_foreach(counts, k, one) {
			const char *role = summary_role(j, json_text(one, "variant"));

			if (!streq(role, "baseline") && !streq(role, "change"))
				continue;
			if (!streq(json_text(one, "workload"), json_text(base, "workload")) ||
			    !streq(json_text(one, "target"), json_text(base, "target")))
				continue;
			classes = json_object_get(one, "classes");
			printf("  %-22s %8.6g %+6.6g %4.6g\n",
			       shown(json_text(one, "variant"), 22).s,
			       json_num(classes, "instructions"),
			       json_num(classes, "instructions") -
				       json_num(json_object_get(base, "classes"), "instructions"),
			       json_object_get(classes, "lock") ? json_num(classes, "lock") : 0.0);
		}
	}
	json_array_foreach(json_object_get(j, "counts_failed"), i, one)
		printf("not counted: %s (target %s): %s\n", shown(json_text(one, "variant"), 22).s,
		       shown(json_text(one, "target"), 20).s,
		       shown(json_text(one, "reason"), 120).s);
}

void summary_show(const json_t *j)
{
	const json_t *one;
	const char *last = "";
	bool certified;
	size_t i;

	printf("%s  target %s\n", shown(json_text(j, "result"), 44).s,
	       shown(json_text(json_object_get(j, "environment"), "target"), 20).s);
	json_array_foreach(json_object_get(j, "changed"), i, one)
		caution_show(json_item(one));
	if (!summary_timed(json_object_get(j, "environment"))) {
		counts_show(j);
		return;
	}
	printf("value of a run: %s\n",
	       shown(json_text(json_object_get(j, "estimator"), "about"), 60).s);
	certified = json_is_true(json_object_get(json_object_get(j, "certificate"), "holds")) &&
		    json_is_object(json_object_get(j, "rules"));
	certificate_show(json_object_get(j, "certificate"));
	json_array_foreach(json_object_get(j, "variants"), i, one) {
		const char *reason = json_text(one, "reason");

		printf("  %-20s %3.0f layouts %3.0f boots", shown(json_text(one, "name"), 20).s,
		       json_num(one, "layouts"), json_num(one, "boots"));
		if (json_num(one, "failed") > 0.0)
			printf(", %.0f failed: ", json_num(one, "failed"));
		else if (*reason)
			printf(", ");
		printf("%s\n", shown(reason, 24).s);
	}
	json_array_foreach(json_object_get(j, "effects"), i, one) {
		const char *workload = json_text(one, "workload");

		if (!streq(last, workload))
			printf("\n%s: %s %.2f %s\n", shown(workload, 40).s,
			       shown(json_text(one, "baseline"), 20).s,
			       json_num(one, "baseline_value"),
			       streq(json_text(one, "metric"), "tsc_ticks_per_op")
				       ? "TSC ticks"
				       : json_text(one, "metric"));
		last = workload;
		effect_show(one);
	}
	if (json_array_size(json_object_get(j, "effects")))
		printf("\neffect with 95 %% interval, and ratio%s\n",
		       certified ? "; verdicts by Holm at 5 %" : "; none is proven, see above");
	json_array_foreach(json_object_get(j, "warnings"), i, one)
		sentence_show(NULL, json_item(one));
}
