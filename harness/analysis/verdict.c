// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "summary.h"
#include "verdict.h"
#include "workload.h"

const char *const verdict_word[VERDICTS] = { "",       "same code", "slower",
					     "faster", "within",    "cannot tell" };

/* The operations whose headline workloads are the primary family. */
static const char *const primary_ops[] = { "pair", "pair-spaced", "alloc",
					   "free", "batch-alloc", "batch-free" };

const char *verdict_lacks(const struct finding *f)
{
	if (isnan(f->p) || isnan(f->ci90.lo) || f->layouts < CERTIFICATE_LAYOUTS)
		return "fewer than " WORDS(CERTIFICATE_LAYOUTS) " layouts";
	return f->kept < CERTIFICATE_KEPT
		       ? "fewer than " WORDS(CERTIFICATE_KEPT) " of the layouts have a value"
		       : NULL;
}

enum verdict verdict_of(const struct finding *f, double equal)
{
	if (f->same_code)
		return VERDICT_SAME_CODE;
	if (verdict_lacks(f))
		return VERDICT_NONE;
	if (f->p < VERDICT_ERROR)
		return f->effect > 0.0 ? VERDICT_SLOWER : VERDICT_FASTER;
	return f->ci90.lo > -equal && f->ci90.hi < equal ? VERDICT_WITHIN : VERDICT_CANNOT_TELL;
}

static bool is_change(const json_t *summary, const json_t *effect)
{
	return streq(summary_role(summary, json_text(effect, "variant")), "change");
}

json_t *verdict_primary(const json_t *names)
{
	json_t *list = json_array();

	for (size_t k = 0; k < ARRAY_SIZE(primary_ops); k++) {
		const json_t *name, *found = NULL;
		struct workload best = { 0 }, w;
		size_t i;

		json_array_foreach(names, i, name) {
			if (!workload_parse(json_string_value(name), &w) ||
			    !streq(w.op, primary_ops[k]) ||
			    (found && workload_nearer(&w, &best) >= 0))
				continue;
			found = name;
			best = w;
		}
		if (found)
			json_array_append_new(list, json_from_text(json_string_value(found)));
	}
	return list;
}

/* Of the workloads with an effect of a change. */
static json_t *primary_workloads(const json_t *summary)
{
	json_t *names = json_array(), *list;
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(summary, "effects"), i, e) {
		if (is_change(summary, e))
			json_array_append_new(names, json_from_text(json_text(e, "workload")));
	}
	list = verdict_primary(names);
	json_decref(names);
	return list;
}

/* Why there is no word; NULL where there is nothing in its way. */
static const char *obstacle(const json_t *summary, const json_t *e, const struct finding *f)
{
	const json_t *certificate = json_object_get(summary, "certificate"),
		     *losses = json_object_get(json_object_get(certificate, "losses"), "variants"),
		     *null = json_object_get(certificate, "null");
	const char *sides[] = { json_text(e, "variant"), json_text(e, "baseline") };

	if (!json_is_true(json_object_get(certificate, "holds")))
		return "the certificate does not hold";
	if (json_has_text(json_object_get(null, "failed"), json_text(e, "workload")))
		return "the baseline differs from itself there";
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++)
		if (json_is_false(
			    json_object_get(json_find(losses, "variant", sides[i], NULL), "holds")))
			return "too much was lost of a variant";
	return verdict_lacks(f);
}

static void verdict_add(const json_t *summary, json_t *e, double p, double equal)
{
	const json_t *same = json_object_get(summary, "same_code");
	const char *variant = json_text(e, "variant"), *why;
	const double kept = json_num(e, "kept");
	struct finding f = {
		.effect = json_num(e, "effect"),
		.p = p,
		.ci90 = json_interval(e, "ci90"),
		.layouts = (int)json_num(e, "layouts"),
		.kept = isnan(kept) ? 0.0 : kept,
		.same_code = json_find(same, "variant", variant, "workload",
				       json_text(e, "workload"), NULL) ||
			     json_find(same, "variant", variant, "workload", "*", NULL),
	};
	enum verdict v;

	why = f.same_code ? NULL : obstacle(summary, e, &f);
	v = why ? VERDICT_NONE : verdict_of(&f, equal);
	json_object_set_new(e, "p_primary", json_from_number(p));
	json_object_set_new(e, "verdict", v ? json_from_text(verdict_word[v]) : json_null());
	json_object_set_new(e, "no_verdict", why ? json_from_text(why) : json_null());
}

void verdicts_add(json_t *summary, double equal)
{
	json_t *effects = json_object_get(summary, "effects"),
	       *primary = primary_workloads(summary), *e;
	double *p = xcalloc(json_array_size(effects), sizeof(*p)),
	       *q = xcalloc(json_array_size(effects), sizeof(*q));
	size_t i;

	json_array_foreach(effects, i, e) {
		bool is = is_change(summary, e) && json_has_text(primary, json_text(e, "workload"));

		p[i] = is ? json_num(e, "p_value") : NAN;
		json_object_set_new(e, "primary", json_boolean(is));
	}
	stat_holm(p, q, (int)json_array_size(effects));
	json_array_foreach(effects, i, e) {
		if (json_is_true(json_object_get(e, "primary")))
			verdict_add(summary, e, q[i], equal);
	}
	free(q);
	free(p);
	json_object_set_new(summary, "rules",
			    json_record("summary", "rules", "verdicts", "{s:f, s:f, s:i, s:f, s:o}",
					"equal", equal, "error", VERDICT_ERROR, "fewest_layouts",
					CERTIFICATE_LAYOUTS, "least_kept", CERTIFICATE_KEPT,
					"primary", primary));
}
