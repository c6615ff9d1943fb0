/* SPDX-License-Identifier: GPL-2.0 */
/* What a result says of its instrument: "certificate" of summary.json. */
#ifndef SHEAFBENCH_ANALYSIS_CERTIFICATE_H
#define SHEAFBENCH_ANALYSIS_CERTIFICATE_H

#include "json.h"

struct result;

#define CERTIFICATE_LAYOUTS 8	 /* fewest for a word on anything */
#define CERTIFICATE_KEPT    0.8	 /* least share of the layouts that must have a value */
#define NULL_DRAWS	    4999 /* of signs */
#define NULL_TAIL	    0.01 /* a smaller chance is a fault */
#define NULL_WORKLOAD	    0.01 /* the same of one workload, after Holm's correction */
#define DOSE_LEAST	    0.90 /* of the slope */
#define DOSE_MOST	    1.10
#define NOISE_MOST	    100000 /* ppm of the time */

/* The same in words. */
#define WORDS_OF(x) #x
#define WORDS(x)    WORDS_OF(x)
#define NULL_RULE                                                                            \
	"none below " WORDS(NULL_TAIL) ", by drawing the signs of whole layouts; in " WORDS( \
		CERTIFICATE_LAYOUTS) " layouts or more"
#define DOSE_RULE "the interval inside " WORDS(DOSE_LEAST) " to " WORDS(DOSE_MOST)
#define LOSSES_RULE                                                                               \
	"a value for " WORDS(CERTIFICATE_KEPT) " of the layouts of each variant, and gaps of at " \
					       "most " WORDS(NOISE_MOST) " ppm"

/* Of @r; @same_code is that of the summary. Adds warnings. */
json_t *certificate_make(const struct result *r, const json_t *same_code, json_t *warnings);
/* Its part on the doses; JSON null when there is nothing to compare. */
json_t *certificate_dose(const struct result *r);

/* Whether a variant runs the baseline's code on a workload, so that it has to find nothing. */
bool certificate_placebo(const struct result *r, const json_t *same_code, int variant,
			 int workload);
/* "pass", "fail" or "too imprecise"; "proven", "refuted" or "too imprecise". */
const char *null_word(const struct flips *f, int layouts);
const char *dose_word(struct interval ci);

/* Adds @text to a list, and frees it. */
void certificate_warn(json_t *warnings, char *text);

/* Its lines for people, a call for each; and what one of them says of the doses, which the caller frees. */
void certificate_say(const json_t *certificate, void (*say)(void *arg, const char *line),
		     void *arg);
char *certificate_dose_text(const json_t *dose);

#endif
