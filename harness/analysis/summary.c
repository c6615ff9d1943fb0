// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "result.h"

/* Fifteen digits give back every number of environment.json as it was written. */
#define JSON_FLAGS (JSON_INDENT(1) | JSON_REAL_PRECISION(15))

static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *pair(struct interval i)
{
	return isfinite(i.lo) && isfinite(i.hi) ? json_pack("[f,f]", i.lo, i.hi) : json_null();
}

static json_t *variants_json(const struct result *r)
{
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
				boots[b->state]++;
				good |= b->state == BOOT_OK;
				if (b->state != BOOT_FAILED)
					continue;
				reason = b->reason;
				json_array_append_new(failures,
						      json_pack("{s:i, s:i, s:i, s:s}", "index", i,
								"layout", l, "boot", row->boot,
								"reason", b->reason));
			}
			layouts += good;
		}
		if (!reason && !boots[BOOT_OK])
			reason = "not booted yet";
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s, s:f, s:i, s:i, s:i, s:i, s:s?, s:o}",
				       "name", variant->name, "title", variant->title, "role",
				       role_name[variant->role], "order", variant->order, "layouts",
				       layouts, "boots", boots[BOOT_OK], "failed",
				       boots[BOOT_FAILED], "missing", boots[BOOT_MISSING], "reason",
				       reason, "failures", failures));
	}
	return all;
}

static unsigned int pad_of(const struct result *r, int variant, int layout)
{
	for (int i = 0; i < r->plan.n; i++)
		if (r->plan.row[i].variant == variant && r->plan.row[i].layout == layout)
			return r->plan.row[i].pad;
	return 0;
}

static int boots_of(const struct nested *x, int layout)
{
	int n = 0;

	for (int i = 0; i < x->boots; i++)
		n += !isnan(x->value[layout * x->boots + i]);
	return n;
}

/* NULL when the variant has no good boot of this workload. */
static json_t *value_json(const struct result *r, int w, int v)
{
	struct nested side = result_side(r, w, v);
	struct components c = stat_components(&side);
	double *x = xcalloc(side.layouts, sizeof(*x));
	json_t *layouts = json_array(), *out = NULL;
	struct estimate e;
	int n = 0, boots = 0;

	for (int l = 0; l < side.layouts; l++) {
		x[n] = stat_layout_mean(&side, l);
		if (isnan(x[n]))
			continue;
		boots += boots_of(&side, l);
		json_array_append_new(layouts, json_pack("{s:i, s:i, s:f}", "layout", l, "pad",
							 (int)pad_of(r, v, l), "value", x[n]));
		n++;
	}
	e = stat_t(x, n, STAT_LEVEL);
	if (n)
		out = json_pack("{s:s, s:s, s:s, s:s, s:f, s:o, s:o, s:o, s:i, s:i, s:O}", "target",
				r->target, "workload", r->workload[w], "variant",
				r->variants.v[v].name, "metric", r->metric, "mean", e.mean, "ci95",
				pair(e.ci), "sd_layout", number(e.sd), "sd_boot",
				number(sqrt(c.boot)), "layouts", n, "boots", boots, "per_layout",
				layouts);
	json_decref(layouts);
	free(x);
	return out;
}

static void warn(json_t *warnings, char *text)
{
	json_array_append_new(warnings, json_string(text));
	free(text);
}

/* NULL when there is not one layout that both sides have. */
static json_t *effect_json(const struct result *r, int w, int v, int base, int resamples)
{
	struct nested a = result_side(r, w, v), b = result_side(r, w, base);
	const char *name = r->variants.v[v].name, *baseline = r->variants.v[base].name;
	double *x = xcalloc(4 * a.layouts, sizeof(*x)), *y = x + a.layouts, *d = y + a.layouts,
	       *ratio = d + a.layouts;
	int n = 0, boots = 0, alone = 0, logs = 0;
	struct estimate e, log_ratio, even;
	struct interval boot;
	int *phase = xcalloc(a.layouts, sizeof(*phase));
	bool same_phase = true;
	json_t *out = NULL, *warnings;
	char *stream;
	gsl_rng *rng;

	for (int l = 0; l < a.layouts; l++) {
		x[n] = stat_layout_mean(&a, l);
		y[n] = stat_layout_mean(&b, l);
		if (isnan(x[n]) || isnan(y[n])) {
			alone += isnan(x[n]) != isnan(y[n]);
			continue;
		}
		d[n] = x[n] - y[n];
		phase[n] = pad_phase(pad_of(r, v, l));
		same_phase &= phase[n] == pad_phase(pad_of(r, base, l));
		if (x[n] > 0.0 && y[n] > 0.0)
			ratio[logs++] = log(x[n] / y[n]);
		boots += boots_of(&a, l) + boots_of(&b, l);
		n++;
	}
	if (!n)
		goto free;
	warnings = json_array();
	e = stat_t(d, n, STAT_LEVEL);
	even = stat_t_strata(d, phase, n, PHASES, STAT_LEVEL);
	/*
	 * A ratio of what is not above 0 means nothing, and leaving single layouts out would bias
	 * it.
	 */
	log_ratio = stat_t(ratio, logs == n ? n : 0, STAT_LEVEL);
	stream = xasprintf("bootstrap %s %s", r->workload[w], name);
	rng = stat_rng(0, stream);
	boot = stat_bootstrap(&a, &b, resamples, rng, STAT_LEVEL);
	gsl_rng_free(rng);
	free(stream);
	if (n < 2)
		warn(warnings, xasprintf("one layout only: an interval needs at least two that %s "
					 "and %s both have",
					 name, baseline));
	else if (n < STAT_BOOT_LAYOUTS)
		warn(warnings,
		     xasprintf("%d layouts: too few for a bootstrap interval, which needs %d", n,
			       STAT_BOOT_LAYOUTS));
	if (alone)
		warn(warnings, xasprintf("%d layout%s left out, measured on one side only", alone,
					 alone > 1 ? "s" : ""));
	if (logs < n)
		warn(warnings, xasprintf("no ratio: a value is not above 0"));
	out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			"s:f, s:i, s:i, s:o}",
			"target", r->target, "workload", r->workload[w], "variant", name,
			"baseline", baseline, "metric", r->metric, "baseline_value",
			stat_mean(y, n), "effect", e.mean, "ci95", pair(e.ci), "ratio",
			number(exp(log_ratio.mean)), "ratio_ci95",
			pair((struct interval){ exp(log_ratio.ci.lo), exp(log_ratio.ci.hi) }),
			"fieller_ci95", pair(stat_fieller(x, y, n, STAT_LEVEL)), "bootstrap_ci95",
			pair(boot), "stratified_ci95", same_phase ? pair(even.ci) : json_null(),
			"p_value", number(e.p_value), "p_faster", stat_p_below(x, y, n), "layouts",
			n, "boots", boots, "warnings", warnings);
free:
	free(phase);
	free(x);
	return out;
}

/* Adds p_holm; the null's comparisons are no claims, and a family of their own. */
static void holm_add(json_t *effects, const struct result *r, bool null)
{
	int n = json_array_size(effects);
	double *p = xcalloc(n, sizeof(*p)), *q = xcalloc(n, sizeof(*q));
	json_t *effect;
	size_t i;

	json_array_foreach(effects, i, effect)
	{
		int v = variants_find(&r->variants, json_text(effect, "variant"));

		p[i] = (r->variants.v[v].role == ROLE_NULL) == null ? json_num(effect, "p_value")
								    : NAN;
	}
	stat_holm(p, q, n);
	json_array_foreach(effects, i, effect)
	{
		if (!isnan(q[i]))
			json_object_set_new(effect, "p_holm", json_real(q[i]));
		else if (!json_object_get(effect, "p_holm"))
			json_object_set_new(effect, "p_holm", json_null());
	}
	free(q);
	free(p);
}

/* What the comparisons of the baseline with itself found: JSON null when there was none. */
static json_t *null_json(const json_t *effects, const struct result *r)
{
	double *half = xcalloc(json_array_size(effects), sizeof(*half)), largest = -1.0, median;
	const char *where = NULL;
	int n = 0, off = 0;
	json_t *effect;
	size_t i;

	json_array_foreach(effects, i, effect)
	{
		int v = variants_find(&r->variants, json_text(effect, "variant"));
		struct interval ci = json_interval(effect, "ci95");
		double size = fabs(json_num(effect, "effect"));

		if (r->variants.v[v].role != ROLE_NULL || isnan(ci.lo))
			continue;
		half[n++] = (ci.hi - ci.lo) / 2.0;
		off += ci.lo > 0.0 || ci.hi < 0.0;
		if (size > largest) {
			largest = size;
			where = json_text(effect, "workload");
		}
	}
	gsl_sort(half, 1, n);
	median = stat_quantile(half, n, 0.5);
	free(half);
	if (!n)
		return json_null();
	return json_pack("{s:i, s:i, s:f, s:f, s:s}", "comparisons", n, "excluding_zero", off,
			 "median_halfwidth", median, "largest", largest, "largest_workload", where);
}

json_t *summary_make(const struct result *r, int resamples)
{
	json_t *values = json_array(), *effects = json_array(), *warnings = json_array();
	int base = variants_baseline(&r->variants);

	for (int w = 0; w < r->workloads; w++) {
		for (int v = 0; v < r->variants.n; v++) {
			json_t *value = value_json(r, w, v);
			json_t *effect = base < 0 || v == base
						 ? NULL
						 : effect_json(r, w, v, base, resamples);

			if (value)
				json_array_append_new(values, value);
			if (effect)
				json_array_append_new(effects, effect);
		}
	}
	holm_add(effects, r, false);
	holm_add(effects, r, true);
	if (base < 0)
		warn(warnings, xasprintf("no effects: no variant has the role baseline"));
	else if (!json_array_size(effects))
		warn(warnings,
		     xasprintf("no effects: no layout is there for both %s and another variant",
			       r->variants.v[base].name));
	return json_pack("{s:i, s:s, s:O, s:{s:s, s:s}, s:{s:s, s:i}, s:o, s:o, s:o, s:{s:o}, s:o}",
			 "schema", 1, "result", r->id, "environment", r->environment, "estimator",
			 "location", r->location->name, "about", r->location->about, "bootstrap",
			 "method", "nested, studentised", "resamples", resamples, "variants",
			 variants_json(r), "values", values, "effects", effects, "certificate",
			 "null", null_json(effects, r), "warnings", warnings);
}

int json_write(const json_t *j, const char *path, struct fault *f)
{
	struct writer w;

	if (!j)
		return fault_set(f, "cannot write %s: a text in it is not UTF-8", path);
	if (writer_open(&w, path, f))
		return -1;
	if (json_dumpf(j, w.file, JSON_FLAGS)) {
		int error = errno;

		writer_close(&w, false, f);
		return fault_set(f, "cannot write %s: %s", path, strerror(error));
	}
	fputc('\n', w.file);
	return writer_close(&w, true, f);
}

double json_num(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

const char *json_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

struct interval json_interval(const json_t *object, const char *key)
{
	const json_t *a = json_object_get(object, key), *lo = json_array_get(a, 0),
		     *hi = json_array_get(a, 1);

	if (!json_is_number(lo) || !json_is_number(hi))
		return (struct interval){ NAN, NAN };
	return (struct interval){ json_number_value(lo), json_number_value(hi) };
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
	json_array_foreach(all, i, one)
	{
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

json_t *summary_read(const char *path, struct fault *f)
{
	static const char *const record[] = { "target", "workload", "variant", "metric", NULL };
	static const char *const variant[] = { "name", "role", NULL };
	struct stat st;
	bool dir = !stat(path, &st) && S_ISDIR(st.st_mode);
	char *file = dir ? xasprintf("%s/summary.json", path) : xstrdup(path);
	json_error_t error;
	json_t *j = NULL;

	if (dir && stat(file, &st))
		fault_set(f, "%s: %s; make it with `sheafstat summarize %s`", file, strerror(errno),
			  path);
	else if (!(j = json_load_file(file, JSON_REJECT_DUPLICATES, &error)) && error.line > 0)
		fault_set(f, "%s:%d: %s", file, error.line, error.text);
	else if (!j)
		fault_set(f, "%s", error.text);
	else if (json_num(j, "schema") != 1.0) {
		fault_set(f, "%s: not a summary of schema 1", file);
		json_decref(j);
		j = NULL;
	} else if (records_check(j, file, "variants", variant, "order", f) ||
		   records_check(j, file, "values", record, "mean", f) ||
		   records_check(j, file, "effects", record, "effect", f)) {
		json_decref(j);
		j = NULL;
	}
	free(file);
	return j;
}
