// SPDX-License-Identifier: GPL-2.0
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "certify.h"
#include "number.h"
#include "summary.h"
#include "sums.h"
#include "verdict.h"
#include "workload.h"

#define FEWEST_LAYOUTS 8   /* below which a width says too little */
#define WANTED	       100 /* comparisons, for a share of 5 % */
#define RESAMPLES      100 /* bootstrap intervals are no part of certify.json */
#define DRAWS	       50  /* of groups */
#define POWER	       0.8
#define SHARE_GOAL_LO  0.03
#define SHARE_GOAL_HI  0.07

static const int minutes[] = { 1, 10, 60 };

static int workload_pick(const struct result *r, const char *name, struct fault *f)
{
	for (int w = 0; w < r->workloads; w++)
		if (streq(r->workload[w], name ? name : WORKLOAD_FIRST))
			return w;
	if (!r->workloads)
		return fault_set(f, "%s: no boot is there yet that was ok", r->id);
	return name ? fault_set(f, "%s: %s was not measured; %s was", r->id, name, r->workload[0])
		    : 0;
}

/*
 * The effect of @a against @b in the @n layouts of @at, rows of result_side(), or the first @n:
 * differences in pairs by layout, as in the effects of a summary.
 */
static struct estimate compare(const struct result *r, int w, int a, int b, const int *at, int n)
{
	struct nested x = result_side(r, w, a), y = result_side(r, w, b);
	int *row = xcalloc(2 * (size_t)n, sizeof(*row)), *phase = row + n, pairs = 0, phases;
	double *d = xcalloc(n, sizeof(*d));
	struct estimate e;

	for (int i = 0; i < n; i++) {
		int l = at ? at[i] : i;

		d[pairs] = stat_layout_value(&x, l) - stat_layout_value(&y, l);
		row[pairs] = l;
		pairs += !isnan(d[pairs]);
	}
	phases = result_phases(r, a, b, row, pairs, phase);
	e = stat_effect(d, phase, pairs, phases, STAT_LEVEL);
	free(row);
	free(d);
	return e;
}

static int layouts_of(const struct result *r)
{
	return r->plan.layouts - 1;
}

static int round_up(int n)
{
	return (n + PHASES - 1) / PHASES * PHASES;
}

int precision_next(int layouts, const struct estimate *e, double width, int most)
{
	int n = stat_t_count(e->sd, e->n, width, e->n + most), next;

	next = round_up(layouts + n - e->n);
	if (next > 2 * layouts)
		next = 2 * layouts / PHASES * PHASES;
	if (next < layouts + PHASES)
		next = round_up(layouts + PHASES);
	return next < most ? next : most;
}

int precision_of(const struct result *r, const char *workload, double width, int most,
		 struct precision *p, struct fault *f)
{
	int layouts = layouts_of(r), base = variants_baseline(&r->variants), missing = 0;
	int w = workload_pick(r, workload, f);
	enum role role = ROLE_CHANGE;
	struct estimate widest = { 0 };

	*p = (struct precision){ .layouts = layouts, .half = NAN, .variant = "-" };
	if (w < 0)
		return -1;
	for (int i = 0; i < r->plan.n; i++)
		missing += r->boot[i].state == BOOT_MISSING;
	if (missing)
		return fault_set(f,
				 "%s: %d boots of plan.tsv are still to be done; finish it first",
				 r->id, missing);
	if (variants_role(&r->variants, role) < 0)
		role = ROLE_NULL;
	if (base < 0 || variants_role(&r->variants, role) < 0)
		return fault_set(f,
				 "%s: no width without a baseline and a change, or the null; add "
				 "them to the variants",
				 r->id);
	for (int v = 0; v < r->variants.n; v++) {
		struct estimate e;
		double half;

		if (r->variants.v[v].role != role)
			continue;
		e = compare(r, w, v, base, NULL, layouts);
		half = (e.ci.hi - e.ci.lo) / 2.0;
		if (isnan(half) || half <= p->half)
			continue;
		widest = e;
		p->half = half;
		p->variant = r->variants.v[v].name;
	}
	p->reached = p->half <= width;
	if (layouts >= most)
		return 0;
	if (layouts < FEWEST_LAYOUTS)
		p->layouts = FEWEST_LAYOUTS < most ? FEWEST_LAYOUTS : most;
	else if (!isnan(p->half) && !p->reached)
		p->layouts = precision_next(layouts, &widest, width, most);
	return 0;
}

/* Share of the workloads of variant @v in @layout, a row of result_side(), that have a value; NaN where none ran. */
static double cell_kept(const struct result *r, int v, int layout)
{
	bool *ran = xcalloc(r->workloads + 1, sizeof(*ran));
	double kept = 0.0, all = 0.0;

	for (int i = 0; i < r->runs; i++)
		if (r->run[i].variant == v && r->run[i].layout == layout + 1)
			ran[r->run[i].workload] = true;
	for (int w = 0; w < r->workloads; w++) {
		struct nested side = result_side(r, w, v);

		if (!ran[w] || workload_is_aside(r->workload[w]))
			continue;
		all++;
		kept += !isnan(stat_layout_value(&side, layout));
	}
	free(ran);
	return all > 0.0 ? kept / all : NAN;
}

int plan_again(struct result *r, int boots, uint64_t seed)
{
	const int old = r->plan.n;
	char *stream = xasprintf("again %d", old);
	gsl_rng *rng = stat_rng(seed, stream);
	struct plan *p = &r->plan;
	int planned = 0, n;

	for (int i = 0; i < old; i++) {
		struct plan_row more = p->row[i], *last;
		bool missing = false;
		int booted = 0;

		planned += more.boot < boots;
		for (int k = 0; k < old; k++) {
			if (p->row[k].variant != more.variant || p->row[k].layout != more.layout)
				continue;
			booted++;
			missing |= r->boot[k].state == BOOT_MISSING;
		}
		if (more.boot || !more.layout || missing || booted >= boots + AGAIN_BOOTS ||
		    !(cell_kept(r, more.variant, more.layout - 1) < CERTIFICATE_KEPT))
			continue;
		p->row = xrealloc(p->row, p->n + 1, sizeof(*p->row));
		last = &p->row[p->n++];
		*last = more;
		last->boot = booted;
		last->build = xstrdup(more.build);
	}
	if (p->n > old)
		gsl_ran_shuffle(rng, p->row + old, p->n - old, sizeof(*p->row));
	for (n = old; n < p->n && n < planned + planned / 2; n++)
		p->boots = p->row[n].boot >= p->boots ? p->row[n].boot + 1 : p->boots;
	while (p->n > n)
		free(p->row[--p->n].build);
	r->boot = xrealloc(r->boot, n, sizeof(*r->boot));
	for (int i = old; i < n; i++)
		r->boot[i] = (struct boot){ .state = BOOT_MISSING };
	gsl_rng_free(rng);
	free(stream);
	return n - old;
}

int *certify_groups(const struct result *r, int a, int b, int size, int draw, int *groups)
{
	int layouts = layouts_of(r), each = size / PHASES, n[PHASES] = { 0 };
	int *row = xcalloc((size_t)PHASES * layouts, sizeof(*row)), *at;
	double seed = json_num(r->environment, "seed");
	char *stream = xasprintf("groups %d", draw);
	gsl_rng *rng = stat_rng(seed > 0.0 ? (uint64_t)seed : 0, stream);

	for (int l = 0; l < layouts; l++) {
		bool has_a = false, has_b = false;
		int phase = 0;

		for (int i = 0; i < r->plan.n; i++) {
			const struct plan_row *p = &r->plan.row[i];

			if (p->layout != l + 1 || r->boot[i].state != BOOT_OK)
				continue;
			has_a |= p->variant == a;
			has_b |= p->variant == b;
			if (p->variant == a)
				phase = pad_phase(p->pad);
		}
		if (has_a && has_b)
			row[phase * layouts + n[phase]++] = l;
	}
	*groups = n[0] / each;
	for (int p = 0; p < PHASES; p++) {
		if (n[p] > 1) /* GSL cannot shuffle none */
			gsl_ran_shuffle(rng, row + p * layouts, n[p], sizeof(*row));
		if (n[p] / each < *groups)
			*groups = n[p] / each;
	}
	at = xcalloc((size_t)*groups * size, sizeof(*at));
	for (int i = 0; i < *groups * size; i++)
		at[i] = row[i % PHASES * layouts + i / PHASES];
	gsl_rng_free(rng);
	free(stream);
	free(row);
	return at;
}

/*
 * The mean over DRAWS groupings: in one of them, all workloads of a group are off together. The
 * interval is that of a single one, for they share their data.
 */
static json_t *null_json(const struct result *r, int base, int null, int size)
{
	double off = 0.0, share;
	int n = 0, groups;

	for (int draw = 0; draw < DRAWS; draw++) {
		int *at = certify_groups(r, base, null, size, draw, &groups);

		for (int i = 0; i < r->workloads * groups; i++) {
			struct estimate e =
				compare(r, i / groups, base, null, at + i % groups * size, size);

			if (e.n < 2)
				continue;
			n++;
			off += e.ci.lo > 0.0 || e.ci.hi < 0.0;
		}
		free(at);
	}
	share = off / n;
	n /= DRAWS;
	return json_record(
		"certify.json", r->id, "null", "{s:i, s:i, s:o, s:o, s:o}", "comparisons", n,
		"groupings", DRAWS, "excluding_zero", json_from_number(share * n), "share",
		json_from_number(share), "ci95",
		json_from_interval(stat_share(n ? lround(share * n) : 0, n, STAT_LEVEL)));
}

/* Samples without probes beside them against those with, in the same runs. */
static json_t *bare_json(const struct result *r, int w)
{
	char *name = xasprintf("bare-%s", r->workload[w]);
	int check = variants_role(&r->variants, ROLE_CHECK), bare = r->workloads;
	json_t *out = json_null();
	struct nested x, y;
	struct estimate e;
	double *d;
	int n = 0;

	while (bare-- > 0 && !streq(r->workload[bare], name))
		;
	free(name);
	if (check < 0 || bare < 0)
		return out;
	x = result_side(r, bare, check);
	y = result_side(r, w, check);
	d = xcalloc(layouts_of(r) + 1, sizeof(*d));
	for (int l = 0; l < layouts_of(r); l++) {
		d[n] = stat_layout_value(&x, l) - stat_layout_value(&y, l);
		n += !isnan(d[n]);
	}
	e = stat_t(d, n, STAT_LEVEL);
	free(d);
	if (n)
		out = json_record("certify.json", r->id, "bare", "{s:s, s:f, s:o}", "workload",
				  r->workload[w], "effect", e.mean, "ci95",
				  json_from_interval(e.ci));
	return out;
}

/* What one location gives: spreads of the baseline and the null relative to their means. */
static json_t *estimator_json(const struct result *r, const struct location *l)
{
	int base = variants_baseline(&r->variants), boots = 0, layouts = 0, n = 0, off = 0;
	double boot = 0.0, layout = 0.0,
	       *half = xcalloc((size_t)r->workloads * r->variants.n + 1, sizeof(*half));
	json_t *dose = certificate_dose(r), *out;

	for (int w = 0; w < r->workloads; w++) {
		for (int v = 0; v < r->variants.n && !workload_is_aside(r->workload[w]); v++) {
			struct nested side = result_side(r, w, v), b = result_side(r, w, base);
			enum role role = r->variants.v[v].role;
			struct components c;
			struct estimate e;
			struct pairs p;

			if (role != ROLE_BASELINE && role != ROLE_NULL)
				continue;
			pairs_make(&p, &side, &b);
			c = result_spread(r, w, v).c;
			e = stat_t(p.x, p.n, STAT_LEVEL);
			if (!isnan(c.boot))
				boot += (c.boot / e.mean / e.mean - boot) / ++boots;
			if (!isnan(c.layout))
				layout += (c.layout / e.mean / e.mean - layout) / ++layouts;
			e = compare(r, w, v, base, NULL, layouts_of(r));
			if (role == ROLE_NULL && !isnan(e.ci.lo)) {
				half[n++] = (e.ci.hi - e.ci.lo) / 2.0;
				off += e.ci.lo > 0.0 || e.ci.hi < 0.0;
			}
			pairs_free(&p);
		}
	}
	gsl_sort(half, 1, n);
	out = json_record("estimator", l->name, r->id,
			  "{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "name", l->name,
			  "about", l->about, "chosen", l == &stat_locations[0], "sd_boot",
			  json_from_number(boots ? sqrt(fmax(boot, 0.0)) : NAN), "sd_layout",
			  json_from_number(layouts ? sqrt(fmax(layout, 0.0)) : NAN), "null_share",
			  json_from_number((double)off / n), "median_halfwidth",
			  json_from_number(stat_quantile(half, n, 0.5)), "comparisons", n,
			  "dose_slope", json_from_number(json_num(dose, "slope")), "dose_ci95",
			  json_from_interval(json_interval(dose, "ci95")));
	json_decref(dose);
	free(half);
	return out;
}

json_t *estimators_make(const char *dir, struct fault *f)
{
	json_t *all;
	struct result r;

	if (result_read(&r, dir, &stat_locations[0], f))
		return NULL;
	if (variants_baseline(&r.variants) < 0) {
		fault_set(f, "%s: no variant has the role baseline, so nothing can be compared",
			  dir);
		result_free(&r);
		return NULL;
	}
	all = json_array();
	for (int i = 0; i < STAT_LOCATIONS; i++) {
		result_locate(&r, &stat_locations[i]);
		json_array_append_new(all, estimator_json(&r, &stat_locations[i]));
	}
	result_free(&r);
	return all;
}

/* False alarms in the same groups, whatever stands for a run. */
static void null_shares(struct result *r, int base, int null, int size, json_t *estimators)
{
	json_t *one, *found;
	size_t i;

	json_array_foreach(estimators, i, one) {
		result_locate(r, stat_location_find(json_text(one, "name")));
		found = null_json(r, base, null, size);
		json_object_set(one, "null_share", json_object_get(found, "share"));
		json_decref(found);
	}
	result_locate(r, &stat_locations[0]);
}

/* Mean seconds of a boot with few workloads, as doses have, or of any where there is none. */
static double boot_seconds(const struct result *r)
{
	bool doses = false;
	double sum = 0.0;
	int n = 0;

	for (int i = 0; i < r->plan.n; i++)
		doses |= r->boot[i].state == BOOT_OK &&
			 r->variants.v[r->plan.row[i].variant].role == ROLE_DOSE;
	for (int i = 0; i < r->plan.n; i++) {
		if (r->boot[i].state != BOOT_OK ||
		    (doses && r->variants.v[r->plan.row[i].variant].role != ROLE_DOSE))
			continue;
		sum += r->boot[i].seconds;
		n++;
	}
	return sum / n;
}

/* What two variants show in some minutes, if their differences are spread as those of @e are. */
static json_t *resolution_json(const struct estimate *e, double seconds)
{
	json_t *all = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(minutes); i++) {
		double fit = floor(minutes[i] * 60.0 / seconds + 1e-6), t = NAN;
		int n = fit < PADS ? fit : PADS;

		if (n > 1)
			t = stat_t_quantile(0.5 + STAT_LEVEL / 2.0, n - 1) +
			    stat_t_quantile(POWER, n - 1);
		json_array_append_new(all, json_record("certify.json", "minutes", "resolution",
						       "{s:i, s:i, s:o}", "minutes", minutes[i],
						       "layouts", n, "ticks",
						       json_from_number(t * e->sd / sqrt(n))));
	}
	return all;
}

json_t *certify_make(struct result *r, const char *dir, int group, struct fault *f)
{
	int base = variants_baseline(&r->variants), null = variants_role(&r->variants, ROLE_NULL);
	int w = workload_pick(r, NULL, f), groups;
	double boot = boot_seconds(r), link = json_num(r->environment, "link_s"), each;
	json_t *summary, *estimators, *out;
	struct estimate e;

	if (w < 0)
		return NULL;
	if (base < 0 || null < 0) {
		fault_set(f, "%s: no variant with the role %s; make it with make certify", r->id,
			  role_name[base < 0 ? ROLE_BASELINE : ROLE_NULL]);
		return NULL;
	}
	free(certify_groups(r, base, null, group, 0, &groups));
	if (!groups) {
		fault_set(f,
			  "%s: fewer than %d layouts with all phases that %s and %s both have; "
			  "measure more or give --group a smaller number",
			  r->id, group, r->variants.v[base].name, r->variants.v[null].name);
		return NULL;
	}
	summary = summary_make(r, dir, RESAMPLES, VERDICT_EQUAL, f);
	estimators = summary ? estimators_make(dir, f) : NULL;
	if (!estimators) {
		json_decref(summary);
		return NULL;
	}
	if (!(link > 0.0))
		link = 0.0;
	each = 2.0 * (r->plan.boots * boot + link);
	null_shares(r, base, null, group, estimators);
	e = compare(r, w, base, null, NULL, layouts_of(r));
	out = json_record(
		"certify.json", r->id, "whole",
		"{s:i, s:s, s:s, s:s, s:i, s:i, s:i, s:o, s:O, s:o, s:o, s:s, s:f, s:f, s:o}",
		"schema", 1, "result", r->id, "target", r->target, "metric", r->metric, "workloads",
		r->workloads, "layouts_each", group, "groups", groups, "null",
		null_json(r, base, null, group), "dose",
		json_object_get(json_object_get(summary, "certificate"), "dose"), "bare",
		bare_json(r, w), "estimators", estimators, "workload", r->workload[w], "link_s",
		link, "boot_s", boot, "resolution", resolution_json(&e, each));
	json_object_set(out, "changed", json_object_get(summary, "changed"));
	sums_seal(out);
	json_decref(summary);
	return out;
}

/* ---- for people ---- */

static struct number of(const json_t *part, const char *key, int decimals)
{
	return number(json_num(part, key), decimals, false);
}

static struct number percents(const json_t *part, const char *key, int decimals)
{
	return number(100 * json_num(part, key), decimals, false);
}

static void resolution_write(struct doc *d, const json_t *c)
{
	const json_t *list = json_object_get(c, "resolution"), *one;
	static const char *const heads[] = { ">minutes", ">layouts", ">smallest effect, ticks/op",
					     NULL };
	struct table t;
	size_t i;

	if (!json_array_size(list)) {
		doc_para(d, "n/a: certify.json does not say how small an effect can be seen.");
		return;
	}
	doc_para(d,
		 "The smallest effect on %s that two variants show with a power of 80 %% at the 5 "
		 "%% level, by the time that linking (%s s each%s) and booting (%s s each) may "
		 "take:",
		 json_text(c, "workload"), of(c, "link_s", 1).s,
		 json_num(c, "link_s") > 0.0 ? "" : ", since all were in the cache",
		 of(c, "boot_s", 2).s);
	table_start(&t, heads);
	json_array_foreach(list, i, one)
		table_row(&t, of(one, "minutes", 0).s, of(one, "layouts", 0).s,
			  of(one, "ticks", 2).s);
	doc_table_end(d, &t);
}

void estimators_write(struct doc *d, const json_t *list)
{
	static const char *const heads[2][9] = {
		[DOC_MAIL] = { "estimator", ">boots%", ">lay.%", ">null%", ">half-w.", ">slope",
			       ">95 % interval", "" },
		[DOC_MARKDOWN] = { "estimator", ">SD of boots, %", ">SD of layouts, %",
				   ">null differs, %", ">half-width", ">slope", ">95 % interval",
				   "" },
	};
	const json_t *one;
	struct table t;
	size_t i;

	if (!json_array_size(list)) {
		doc_para(d, "n/a: certify.json compares no estimators.");
		return;
	}
	doc_para(d, "What may stand for the samples of a run, all on the same samples: spread "
		    "between boots and between layouts in %% of the mean, how often the null "
		    "differs from itself, the median half-width of its intervals in TSC ticks per "
		    "operation, and the slope of the doses.");
	table_start(&t, heads[d->style]);
	json_array_foreach(list, i, one)
		table_row(&t, json_text(one, "name"), percents(one, "sd_boot", 2).s,
			  percents(one, "sd_layout", 2).s, percents(one, "null_share", 1).s,
			  of(one, "median_halfwidth", 2).s, of(one, "dose_slope", 3).s,
			  interval(json_interval(one, "dose_ci95"), 3, false).s,
			  !json_is_true(json_object_get(one, "chosen")) ? ""
			  : d->style == DOC_MAIL			? "*"
									: "chosen");
	doc_table_end(d, &t);
	json_array_foreach(list, i, one)
		doc_item(d, "%s: %s", json_text(one, "name"), json_text(one, "about"));
	doc_gap(d);
}

void certify_write(struct doc *d, const json_t *c)
{
	const json_t *null = json_object_get(c, "null"), *dose = json_object_get(c, "dose"),
		     *bare = json_object_get(c, "bare");
	const double share = json_num(null, "share");
	struct interval ci = json_interval(null, "ci95");

	doc_para(
		d,
		"From result %s, in which the baseline stands against itself in %s groups of %s "
		"layouts and %s workloads, and known amounts against the same kernel without them.",
		json_text(c, "result"), of(c, "groups", 0).s, of(c, "layouts_each", 0).s,
		of(c, "workloads", 0).s);
	doc_item(d,
		 "false alarms: %s of %s comparisons have a 95 %% interval that excludes zero, "
		 "%s %% with a 95 %% interval of %s %%, which takes those of a group for "
		 "independent (wanted: 5 +- 2 %%%s): %s",
		 of(null, "excluding_zero", 0).s, of(null, "comparisons", 0).s,
		 percents(null, "share", 1).s,
		 interval((struct interval){ 100 * ci.lo, 100 * ci.hi }, 1, false).s,
		 json_num(null, "comparisons") < WANTED ? ", in 100 or more" : "",
		 share >= SHARE_GOAL_LO && share <= SHARE_GOAL_HI ? "met" : "NOT MET");
	if (json_object_size(dose)) {
		char *text = certificate_dose_text(dose);

		doc_item(d, "slope: %s (wanted: %s): %s", text, DOSE_RULE,
			 *json_text(dose, "word") ? json_text(dose, "word") : "n/a");
		free(text);
	} else {
		doc_item(d, "slope: n/a: no doses were measured");
	}
	if (json_object_size(bare))
		doc_item(d,
			 "the probes beside the samples: where there are none, %s takes %s %s TSC "
			 "ticks per operation more, by every second sample of the same runs",
			 json_text(bare, "workload"), number(json_num(bare, "effect"), 2, true).s,
			 interval(json_interval(bare, "ci95"), 2, true).s);
	else
		doc_item(d, "the probes beside the samples: n/a: half-gate was not measured");
	doc_gap(d);
	resolution_write(d, c);
	estimators_write(d, json_object_get(c, "estimators"));
}
