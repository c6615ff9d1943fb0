// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certificate.h"
#include "counts.h"
#include "events.h"
#include "result.h"
#include "summary.h"
#include "sums.h"
#include "verdict.h"
#include "workload.h"

static json_t *variants_json(const struct result *r)
{
	const bool booted = !streq(json_text(r->environment, "tells"), "counts");
	json_t *all = json_array();

	for (int v = 0; v < r->variants.n; v++) {
		const struct variant *variant = &r->variants.v[v];
		int boots[BOOT_FAILED + 1] = { 0 }, layouts = 0;
		const char *reason = NULL;
		json_t *failures = json_array();

		for (int l = 0; l < r->plan.layouts; l++) {
			bool good = false;

			for (int i = 0; i < r->plan.n; i++) {
				const struct plan_row *row = &r->plan.row[i];
				const struct boot *b = &r->boot[i];

				if (row->variant != v || row->layout != l)
					continue;
				/* The stock layout has no part in averages. */
				boots[b->state] += l > 0 || b->state != BOOT_OK;
				good |= l > 0 && b->state == BOOT_OK;
				if (b->state != BOOT_FAILED)
					continue;
				reason = b->reason;
				json_array_append_new(failures,
						      json_record("failure", variant->name,
								  b->reason, "{s:i, s:i, s:i, s:s}",
								  "index", i, "layout", l, "boot",
								  row->boot, "reason", b->reason));
			}
			layouts += good;
		}
		if (!booted)
			boots[BOOT_MISSING] = 0;
		else if (!reason && !boots[BOOT_OK])
			reason = "not booted yet";
		json_array_append_new(
			all, json_record("list", variant->name, "variants",
					 "{s:s, s:s, s:s, s:f, s:i, s:i, s:i, s:i, s:s?, s:o}",
					 "name", variant->name, "title", variant->title, "role",
					 role_name[variant->role], "order", variant->order,
					 "layouts", layouts, "boots", boots[BOOT_OK], "failed",
					 boots[BOOT_FAILED], "missing", boots[BOOT_MISSING],
					 "reason", reason, "failures", failures));
	}
	return all;
}

static int boots_of(const struct nested *x, int layout)
{
	int n = 0;

	for (int i = 0; i < x->boots; i++)
		n += !isnan(x->value[layout * x->boots + i]);
	return n;
}

static json_t *contended_json(const struct result *r, int w, int v)
{
	struct nested side = result_contended(r, w, v);
	double *x = xcalloc(side.layouts + 1, sizeof(*x));
	int *layout = xcalloc(side.layouts + 1, sizeof(*layout)), n;
	struct estimate e;

	n = stat_layout_values(&side, x, layout);
	e = stat_t(x, n, STAT_LEVEL);
	free(layout);
	free(x);
	if (n < 2)
		return json_null();
	return json_record("contended value", r->workload[w], r->variants.v[v].name,
			   "{s:f, s:o, s:i}", "mean", e.mean, "ci95", json_from_interval(e.ci),
			   "layouts", n);
}

/* NULL when the variant has no good boot of this workload. */
static json_t *value_json(const struct result *r, int w, int v)
{
	struct nested side = result_side(r, w, v);
	struct components c = stat_components(side.value, side.layouts, side.boots, 1, 0.0);
	double *x = xcalloc(side.layouts + 1, sizeof(*x)), stock = result_stock(r, w, v);
	int *layout = xcalloc(side.layouts + 1, sizeof(*layout)), boots = 0;
	int n = stat_layout_values(&side, x, layout);
	struct estimate e = stat_t(x, n, STAT_LEVEL);
	struct spread s = result_spread(r, w, v);
	json_t *layouts = json_array(), *out = NULL;

	for (int i = 0; i < n; i++) {
		boots += boots_of(&side, layout[i]);
		json_array_append_new(
			layouts, json_record("layout", r->workload[w], r->variants.v[v].name,
					     "{s:i, s:i, s:f}", "layout", layout[i] + 1, "pad",
					     (int)result_pad(r, v, layout[i] + 1), "value", x[i]));
	}
	if (n)
		out = json_record(
			"value", r->workload[w], r->variants.v[v].name,
			"{s:s, s:s, s:s, s:s, s:f, s:o, s:o, s:o, s:i, s:i, s:o, s:o, s:o, "
			"s:{s:o, s:o, s:o, s:o}, s:O}",
			"target", r->target, "workload", r->workload[w], "variant",
			r->variants.v[v].name, "metric", r->metric, "mean", e.mean, "ci95",
			json_from_interval(e.ci), "sd_layout", json_from_number(e.sd), "sd_boot",
			json_from_number(sqrt(c.boot)), "layouts", n, "boots", boots, "stock",
			json_from_number(stock), "quiet_share", json_from_number(s.quiet_share),
			"contended", contended_json(r, w, v), "components", "layout",
			json_from_number(s.c.layout), "boot", json_from_number(s.c.boot), "run",
			json_from_number(s.c.run), "sample", json_from_number(s.sample),
			"per_layout", layouts);
	json_decref(layouts);
	free(layout);
	free(x);
	return out;
}

/* What variant @v is compared with: the baseline, or of a dose that without any; or -1. */
static int reference_of(const struct result *r, int v)
{
	const struct variants *vs = &r->variants;

	if (vs->v[v].role == ROLE_DOSE && vs->v[v].dose != 0.0)
		return variants_reference(vs);
	return vs->v[v].role == ROLE_BASELINE ? -1 : variants_baseline(vs);
}

/* Adds what an effect is in the stock layout, and in the contended state. */
static void states_add(json_t *effect, const struct result *r, int w, int v, int base)
{
	struct nested a = result_contended(r, w, v), b = result_contended(r, w, base);
	struct estimate e;
	struct pairs p;

	pairs_make(&p, &a, &b);
	e = stat_t(p.d, p.n, STAT_LEVEL);
	json_object_set_new(effect, "stock_effect",
			    json_from_number(result_stock(r, w, v) - result_stock(r, w, base)));
	json_object_set_new(effect, "contended_effect", json_from_number(p.n < 2 ? NAN : e.mean));
	json_object_set_new(effect, "contended_ci95", json_from_interval(e.ci));
	json_object_set_new(effect, "contended_layouts", json_integer(p.n));
	pairs_free(&p);
}

/* NULL when there is not one layout that both sides have. */
static json_t *effect_json(const struct result *r, int w, int v, int base, int resamples)
{
	struct nested a = result_side(r, w, v), b = result_side(r, w, base);
	const char *name = r->variants.v[v].name, *baseline = r->variants.v[base].name;
	int boots = 0, logs = 0, phases, *phase = xcalloc(a.layouts, sizeof(*phase));
	double *ratio = xcalloc(a.layouts, sizeof(*ratio));
	struct estimate e, narrow, log_ratio, even;
	struct interval boot;
	bool hidden;
	json_t *out = NULL, *warnings;
	struct pairs p;
	char *stream;
	gsl_rng *rng;

	pairs_make(&p, &a, &b);
	for (int i = 0; i < p.n; i++) {
		int l = p.layout[i];

		if (p.x[i] > 0.0 && p.y[i] > 0.0)
			ratio[logs++] = log(p.x[i] / p.y[i]);
		boots += boots_of(&a, l) + boots_of(&b, l);
	}
	if (!p.n)
		goto free;
	warnings = json_array();
	phases = result_phases(r, v, base, p.layout, p.n, phase);
	e = stat_effect(p.d, phase, p.n, phases, STAT_LEVEL);
	narrow = stat_effect(p.d, phase, p.n, phases, 1.0 - 2.0 * VERDICT_ERROR);
	even = stat_t_strata(p.d, phase, p.n, PHASES, STAT_LEVEL);
	/*
	 * A ratio of what is not above 0 means nothing, and leaving single layouts out would bias
	 * it. Nor is there one to what other work hides.
	 */
	hidden = workload_is_spaced(r->workload[w]);
	log_ratio = stat_t(ratio, logs == p.n && !hidden ? p.n : 0, STAT_LEVEL);
	stream = xasprintf("bootstrap %s %s", r->workload[w], name);
	rng = stat_rng(0, stream);
	boot = stat_bootstrap(&a, &b, resamples, rng, STAT_LEVEL);
	gsl_rng_free(rng);
	free(stream);
	if (p.n < 2)
		certificate_warn(
			warnings,
			xasprintf("one layout only: an interval needs at least two that %s "
				  "and %s both have",
				  name, baseline));
	else if (p.n < STAT_BOOT_LAYOUTS)
		certificate_warn(
			warnings,
			xasprintf("%d layouts: too few for a bootstrap interval, which needs %d",
				  p.n, STAT_BOOT_LAYOUTS));
	if (p.alone)
		certificate_warn(warnings,
				 xasprintf("%d layout%s left out, measured on one side only",
					   p.alone, p.alone > 1 ? "s" : ""));
	if (logs < p.n && !hidden)
		certificate_warn(warnings, xasprintf("no ratio: a value is not above 0"));
	out = json_record(
		"effect", r->workload[w], name,
		"{s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:f, s:i, s:i, s:o, s:o, s:o, s:o}",
		"target", r->target, "workload", r->workload[w], "variant", name, "baseline",
		baseline, "metric", r->metric, "baseline_value", stat_mean(p.y, p.n), "effect",
		e.mean, "ci95", json_from_interval(e.ci), "ratio",
		json_from_number(exp(log_ratio.mean)), "ratio_ci95",
		json_from_interval((struct interval){ exp(log_ratio.ci.lo), exp(log_ratio.ci.hi) }),
		"fieller_ci95",
		json_from_interval(stat_fieller(p.x, p.y, hidden ? 0 : p.n, STAT_LEVEL)),
		"bootstrap_ci95", json_from_interval(boot), "stratified_ci95",
		phases ? json_from_interval(even.ci) : json_null(), "p_value",
		json_from_number(e.p_value), "p_faster", stat_p_below(p.x, p.y, p.n), "layouts",
		p.n, "boots", boots, "warnings", warnings, "ci90", json_from_interval(narrow.ci),
		"paired_ci95", json_from_interval(stat_t(p.d, p.n, STAT_LEVEL).ci), "kept",
		json_from_number(result_kept(r, w, v, base)));
	states_add(out, r, w, v, base);
free:
	pairs_free(&p);
	free(ratio);
	free(phase);
	return out;
}

/* The null's comparisons are no claims, and a family of their own; doses, checks, flushes and excursions have none. */
static const enum role families[] = { ROLE_CHANGE, ROLE_NULL };

/* Adds p_holm to the effects of the variants with @role; the others get null if they have none. */
static void holm_add(json_t *effects, const struct result *r, enum role role)
{
	int n = json_array_size(effects);
	double *p = xcalloc(n, sizeof(*p)), *q = xcalloc(n, sizeof(*q));
	json_t *effect;
	size_t i;

	json_array_foreach(effects, i, effect) {
		int v = variants_find(&r->variants, json_text(effect, "variant"));

		p[i] = r->variants.v[v].role == role &&
				       !workload_is_aside(json_text(effect, "workload"))
			       ? json_num(effect, "p_value")
			       : NAN;
	}
	stat_holm(p, q, n);
	json_array_foreach(effects, i, effect) {
		if (!isnan(q[i]))
			json_object_set_new(effect, "p_holm", json_real(q[i]));
		else if (!json_object_get(effect, "p_holm"))
			json_object_set_new(effect, "p_holm", json_null());
	}
	free(q);
	free(p);
}

static void starved_warn(json_t *warnings, const json_t *gate)
{
	if (json_num(gate, "runs_without_quiet") > 0.0)
		certificate_warn(
			warnings,
			xasprintf(
				"%.0f of %.0f runs have fewer than %d quiet samples, and no quiet "
				"value: repeat with more samples, or on a quieter machine",
				json_num(gate, "runs_without_quiet"), json_num(gate, "runs"),
				STAT_GATE_FEWEST));
}

/*
 * Whether what is told of a cache differs: BYTES=SHEAF/ORDER/OBJECTS. Without sheaves (0) is what some variants are about.
 */
static bool cache_differs(const char *a, const char *b)
{
	unsigned int x[4], y[4];

	if (sscanf(a, "%u=%u/%u/%u", &x[0], &x[1], &x[2], &x[3]) != 4 ||
	    sscanf(b, "%u=%u/%u/%u", &y[0], &y[1], &y[2], &y[3]) != 4)
		return !streq(a, b);
	return x[0] != y[0] || x[2] != y[2] || x[3] != y[3] || (x[1] && y[1] && x[1] != y[1]);
}

/* A variant whose caches are others than the baseline's does other work than what was changed says. */
static void caches_warn(json_t *warnings, const struct result *r)
{
	const json_t *caches = json_object_get(r->environment, "caches");
	const int base = variants_baseline(&r->variants);

	for (int v = 0; v < r->variants.n && base >= 0; v++) {
		char *mine = xstrdup(json_text(caches, r->variants.v[v].name)), *at_mine,
		     *theirs = xstrdup(json_text(caches, r->variants.v[base].name)), *at_theirs,
		     *a = strtok_r(mine, " ", &at_mine), *b = strtok_r(theirs, " ", &at_theirs);

		for (; a && b;
		     a = strtok_r(NULL, " ", &at_mine), b = strtok_r(NULL, " ", &at_theirs))
			if (cache_differs(a, b))
				certificate_warn(
					warnings,
					xasprintf("%s has another cache than the baseline: %s, not "
						  "%s (bytes of an object=objects of a sheaf/order "
						  "of a slab/objects of a slab)",
						  r->variants.v[v].name, a, b));
		free(theirs);
		free(mine);
	}
}

/* Values, effects, certificate and warnings of what was timed. */
static json_t *times_make(const struct result *r, const json_t *same_code, int resamples)
{
	json_t *values = json_array(), *effects = json_array(), *warnings = json_array();
	int baseline = variants_baseline(&r->variants);
	bool timed = summary_timed(r->environment), compared = !timed;
	json_t *certificate = json_null();

	for (int w = 0; w < r->workloads; w++) {
		for (int v = 0; v < r->variants.n; v++) {
			json_t *value = value_json(r, w, v), *effect;
			int base = reference_of(r, v);

			effect = base < 0 ? NULL : effect_json(r, w, v, base, resamples);
			if (value)
				json_array_append_new(values, value);
			compared |= effect && base == baseline;
			if (effect)
				json_array_append_new(effects, effect);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		holm_add(effects, r, families[i]);
	if (baseline < 0)
		certificate_warn(warnings,
				 xasprintf("no effects: no variant has the role baseline"));
	else if (!compared)
		certificate_warn(warnings, xasprintf("no effects: no layout is there for both %s "
						     "and another variant",
						     r->variants.v[baseline].name));
	if (timed)
		certificate = certificate_make(r, same_code, warnings);
	starved_warn(warnings, json_object_get(certificate, "gate"));
	caches_warn(warnings, r);
	return json_record("summary", r->id, "times", "{s:o, s:o, s:o, s:o}", "values", values,
			   "effects", effects, "certificate", certificate, "warnings", warnings);
}

/* Adds "changed", what is not as it was measured. */
static void changed_add(json_t *summary, const char *dir)
{
	json_t *changed = json_array();

	if (!sums_check(dir, changed))
		certificate_warn(
			json_object_get(summary, "warnings"),
			xasprintf("the result has no SHA256SUMS, as those of before there were "
				  "any: nobody can tell whether it is what was measured"));
	json_object_set_new(summary, "changed", changed);
}

json_t *summary_make(const struct result *r, const char *dir, int resamples, double equal,
		     struct fault *f)
{
	json_t *counted[] = { counts_make(&r->variants, dir, f), NULL, NULL, NULL, NULL },
	       *out = NULL;

	if (counted[0] && (counted[1] = counts_failed_make(dir, f)) &&
	    (counted[2] = events_make(r, dir, f)) &&
	    (counted[3] = flushes_make(&r->variants, dir, f)) &&
	    (counted[4] = same_code_make(&r->variants, dir, f))) {
		const int base = variants_baseline(&r->variants);
		json_t *times;

		if (base >= 0)
			same_code_check(counted[4], counted[0], r->variants.v[base].name);
		times = times_make(r, counted[4], resamples);

		out = json_record(
			"summary", r->id, "result",
			"{s:i, s:s, s:O, s:{s:s, s:s}, s:{s:s, s:i}, s:o, s:O, s:O, s:O, s:O, s:O, "
			"s:O, s:O, s:O, s:O}",
			"schema", 1, "result", r->id, "environment", r->environment, "estimator",
			"location", r->location->name, "about", r->location->about, "bootstrap",
			"method", "nested, studentised", "resamples", resamples, "variants",
			variants_json(r), "values", json_object_get(times, "values"), "effects",
			json_object_get(times, "effects"), "counts", counted[0], "counts_failed",
			counted[1], "counters", counted[2], "flushes", counted[3], "certificate",
			json_object_get(times, "certificate"), "warnings",
			json_object_get(times, "warnings"), "same_code", counted[4]);
		json_decref(times);
		if (summary_timed(r->environment))
			verdicts_add(out, equal);
		changed_add(out, dir);
		sums_seal(out);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		json_decref(counted[i]);
	return out;
}

bool summary_timed(const json_t *environment)
{
	const char *tells = json_text(environment, "tells");

	return !*tells || streq(tells, "time");
}

double summary_ns_per_tick(const json_t *environment)
{
	return 1e6 / json_num(environment, "clock_khz");
}

const char *summary_role(const json_t *summary, const char *variant)
{
	return json_text(json_find(json_object_get(summary, "variants"), "name", variant, NULL),
			 "role");
}

/*
 * The first record of array @key of @j without one of the texts and numbers that all readers need.
 */
static int records_check(const json_t *j, const char *path, const char *key,
			 const char *const *texts, const char *numeric, struct fault *f)
{
	const json_t *all = json_object_get(j, key), *one;
	size_t i;

	if (!json_is_array(all))
		return fault_set(f, "%s: no list \"%s\" in it", path, key);
	json_array_foreach(all, i, one) {
		for (int k = 0; texts[k]; k++)
			if (!*json_text(one, texts[k]))
				return fault_set(f, "%s: \"%s\" is missing in %s[%zu]", path,
						 texts[k], key, i);
		if (isnan(json_num(one, numeric)))
			return fault_set(f, "%s: \"%s\" is missing in %s[%zu]", path, numeric, key,
					 i);
	}
	return 0;
}

/* Whether a summary is what was made of the result goes where it says the same of the result. */
static void seal_say(json_t *j)
{
	const enum seal seal = sums_sealed(j);
	json_t *changed = json_object_get(j, "changed"), *warnings = json_object_get(j, "warnings");

	if (!json_is_array(changed)) {
		changed = json_array();
		json_object_set_new(j, "changed", changed);
	}
	if (!json_is_array(warnings)) {
		warnings = json_array();
		json_object_set_new(j, "warnings", warnings);
	}
	if (seal == SEAL_BROKEN)
		json_array_append_new(changed,
				      json_from_text("summary.json is not what sheafstat summarize "
						     "made: its sum is another; make it anew"));
	else if (seal == SEAL_NONE)
		json_array_append_new(
			warnings, json_from_text("summary.json has no sum of its own, so nobody "
						 "can tell whether it was changed"));
}

json_t *summary_read(const char *path, struct fault *f)
{
	static const char *const record[] = { "target", "workload", "variant", "metric", NULL };
	static const char *const variant[] = { "name", "role", NULL };
	struct stat st;
	bool dir = !stat(path, &st) && S_ISDIR(st.st_mode);
	char *file = dir ? xasprintf("%s/summary.json", path) : xstrdup(path);
	json_t *j = NULL;

	if (dir && stat(file, &st))
		fault_set(f, "%s: %s; make it with `sheafstat summarize %s`", file, strerror(errno),
			  path);
	else if (!dir || !folder_check(path, f))
		j = json_read(file, f);
	if (j && json_num(j, "schema") != 1.0) {
		fault_set(f, "%s: not a summary of schema 1", file);
		json_decref(j);
		j = NULL;
	} else if (j && (records_check(j, file, "variants", variant, "order", f) ||
			 records_check(j, file, "values", record, "mean", f) ||
			 records_check(j, file, "effects", record, "effect", f))) {
		json_decref(j);
		j = NULL;
	}
	free(file);
	if (j)
		seal_say(j);
	return j;
}
