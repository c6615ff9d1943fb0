// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doc.h"
#include "number.h"
#include "sums.h"
#include "view.h"

/* NULL when missing, empty or no string. */
static const char *text_of(const json_t *obj, const char *key)
{
	const char *s = json_text(obj, key);

	return *s ? s : NULL;
}

const struct vinfo *view_variant(const struct view *r, const char *name)
{
	for (size_t i = 0; i < r->nvariants; i++)
		if (!strcmp(r->variants[i].name, name))
			return &r->variants[i];
	return NULL;
}

const struct vinfo *view_baseline(const struct view *r)
{
	for (size_t i = 0; i < r->nvariants; i++)
		if (is_role(&r->variants[i], "baseline"))
			return &r->variants[i];
	return NULL;
}

bool is_role(const struct vinfo *v, const char *role)
{
	return v && v->role && !strcmp(v->role, role);
}

bool is_null_variant(const struct effect *e)
{
	return is_role(e->info, "null");
}

/* Answers come first, then what proves the instrument: doses and checks; then flushes. */
enum rank { ANSWER, PROOF, FLUSH };

static enum rank rank_of(const struct effect *e)
{
	if (workload_is_flush(e->workload))
		return FLUSH;
	return is_role(e->info, "dose") || is_role(e->info, "check") ? PROOF : ANSWER;
}

static int op_rank(const char *op)
{
	static const char *const order[] = { "pair", "pair-spaced", "alloc",
					     "free", "batch-alloc", "batch-free" };
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(order); i++)
		if (!strcmp(op, order[i]))
			break;
	return i;
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int same_group(const struct effect *a, const struct effect *b)
{
	int c = strcmp(a->target, b->target);

	if (!c)
		c = strcmp(a->metric, b->metric);
	if (!c)
		c = COMPARE(op_rank(a->of.op), op_rank(b->of.op));
	return c ? c : strcmp(a->of.op, b->of.op);
}

static int by_table(const void *pa, const void *pb)
{
	const struct effect *a = pa, *b = pb;
	int c = COMPARE(rank_of(a), rank_of(b));

	if (!c)
		c = same_group(a, b);
	if (!c)
		c = COMPARE(a->of.size, b->of.size);
	if (!c)
		c = COMPARE(a->of.n, b->of.n);
	if (!c)
		c = COMPARE(workload_order_rank(a->of.order), workload_order_rank(b->of.order));
	if (!c)
		c = strcmp(a->workload, b->workload);
	if (!c && a->info && b->info)
		c = COMPARE(a->info->order, b->info->order);
	return c ? c : strcmp(a->variant, b->variant);
}

static int by_order(const void *pa, const void *pb)
{
	const struct vinfo *a = pa, *b = pb;
	int c = COMPARE(a->order, b->order);

	return c ? c : strcmp(a->name, b->name);
}

static int broken(const struct view *r, const char *what)
{
	fprintf(stderr, "sheafreport: %s/summary.json: %s; make it anew from the samples\n", r->dir,
		what);
	return 1;
}

static void read_variants(struct view *r)
{
	const json_t *list = json_object_get(r->root, "variants");
	const json_t *v;
	size_t i;

	r->variants = xrealloc(NULL, json_array_size(list) + 1, sizeof(*r->variants));
	json_array_foreach(list, i, v) {
		struct vinfo *to = &r->variants[r->nvariants++];

		*to = (struct vinfo){
			.name = text_of(v, "name"),
			.title = text_of(v, "title"),
			.role = text_of(v, "role"),
			.reason = text_of(v, "reason"),
			.order = json_num(v, "order"),
			.layouts = json_num(v, "layouts"),
			.boots = json_num(v, "boots"),
			.failed = json_num(v, "failed"),
		};
		if (!to->title)
			to->title = to->name;
	}
	qsort(r->variants, r->nvariants, sizeof(*r->variants), by_order);
}

static int read_effects(struct view *r)
{
	const json_t *list = json_object_get(r->root, "effects");
	const json_t *v;
	size_t i;

	r->effects = xrealloc(NULL, json_array_size(list) + 1, sizeof(*r->effects));
	json_array_foreach(list, i, v) {
		struct effect *e = &r->effects[r->neffects++];

		*e = (struct effect){
			.target = text_of(v, "target"),
			.workload = text_of(v, "workload"),
			.variant = text_of(v, "variant"),
			.baseline = text_of(v, "baseline"),
			.metric = text_of(v, "metric"),
			.base = json_num(v, "baseline_value"),
			.effect = json_num(v, "effect"),
			.ratio = json_num(v, "ratio"),
			.p_holm = json_num(v, "p_holm"),
			.p_faster = json_num(v, "p_faster"),
			.layouts = json_num(v, "layouts"),
			.boots = json_num(v, "boots"),
			.ci = json_interval(v, "ci95"),
			.stock = json_num(v, "stock_effect"),
			.contended = json_num(v, "contended_effect"),
			.contended_ci = json_interval(v, "contended_ci95"),
			.contended_layouts = json_num(v, "contended_layouts"),
			.warnings = json_object_get(v, "warnings"),
			.primary = json_is_true(json_object_get(v, "primary")),
			.verdict = text_of(v, "verdict"),
			.no_verdict = text_of(v, "no_verdict"),
		};
		if (!e->baseline)
			return broken(r, "an effect has no baseline");
		e->info = view_variant(r, e->variant);
		workload_parse(e->workload, &e->of);
	}
	qsort(r->effects, r->neffects, sizeof(*r->effects), by_table);
	while (r->neffects && rank_of(&r->effects[r->neffects - 1]) == FLUSH)
		r->neffects--;
	for (; r->neffects && rank_of(&r->effects[r->neffects - 1]) == PROOF; r->nproofs++)
		r->neffects--;
	return 0;
}

/* Of a record of "counts": there are thousands of them, and each is looked up often. */
static char *count_key(const char *target, const char *workload, const char *variant)
{
	return xasprintf("%s\t%s\t%s", target, workload, variant);
}

static void index_counts(struct view *r)
{
	json_t *one;
	size_t i;

	r->counts = json_object();
	json_array_foreach(json_object_get(r->root, "counts"), i, one) {
		char *key = count_key(json_text(one, "target"), json_text(one, "workload"),
				      json_text(one, "variant"));

		json_object_set(r->counts, key, one);
		free(key);
	}
}

const json_t *view_count(const struct view *r, const char *target, const char *workload,
			 const char *variant)
{
	char *key = count_key(target, workload, variant);
	const json_t *one = json_object_get(r->counts, key);

	free(key);
	return one;
}

static bool holds(const json_t *part)
{
	return json_is_true(json_object_get(part, "holds"));
}

int view_open(struct view *r, const char *dir)
{
	char *path = xasprintf("%s/summary.json", dir);
	struct fault f = { 0 };
	int ret;

	*r = (struct view){ .dir = dir };
	ret = access(path, R_OK);
	if (ret)
		fprintf(stderr, "sheafreport: %s: %s; give a complete result folder\n", path,
			strerror(errno));
	free(path);
	if (ret)
		return 2;
	r->root = summary_read(dir, &f);
	if (!r->root) {
		fprintf(stderr, "sheafreport: %s\n", f.text);
		return 1;
	}
	r->id = text_of(r->root, "result");
	r->env = json_incref(json_object_get(r->root, "environment"));
	if (!json_object_size(r->env)) {
		json_decref(r->env);
		r->env = NULL;
		path = xasprintf("%s/environment.json", dir);
		if (!access(path, F_OK))
			r->env = json_read(path, &f);
		ret = !r->env && *f.text;
		free(path);
		if (ret) {
			fprintf(stderr, "sheafreport: %s\n", f.text);
			return 1;
		}
	}
	if (!json_is_object(r->env)) {
		json_decref(r->env);
		r->env = json_object();
	}
	r->timed = summary_timed(r->env);
	r->location = text_of(json_object_get(r->root, "estimator"), "location");
	r->about = text_of(json_object_get(r->root, "estimator"), "about");
	if (!r->location)
		r->location = text_of(r->env, "location");

	r->judged = json_is_object(json_object_get(r->root, "rules"));
	r->equal = json_num(json_object_get(r->root, "rules"), "equal");
	index_counts(r);
	read_variants(r);
	ret = read_effects(r);
	r->certificate = json_object_get(r->root, "certificate");
	if (!json_is_object(r->certificate))
		r->certificate = NULL;
	r->proven = r->judged && holds(r->certificate) &&
		    holds(json_object_get(r->certificate, "null")) &&
		    holds(json_object_get(r->certificate, "dose"));
	return ret;
}

/* Whether @name is one of the words of @list. */
static bool listed(const char *list, const char *name)
{
	const size_t length = strlen(name);

	for (const char *s = list + strspn(list, " "); *s; s += strspn(s, " ")) {
		if (strcspn(s, " ") == length && !strncmp(s, name, length))
			return true;
		s += strcspn(s, " ");
	}
	return false;
}

int view_only(struct view *r, const char *names)
{
	size_t changes = 0, all = r->neffects + r->nproofs, kept = 0, answers = 0, n = 0;

	for (size_t i = 0; i < r->nvariants; i++)
		changes += is_role(&r->variants[i], "change") && listed(names, r->variants[i].name);
	if (!changes) {
		fprintf(stderr, "sheafreport: %s: no change named '%s' in it; it has:", r->dir,
			names);
		for (size_t i = 0; i < r->nvariants; i++)
			if (is_role(&r->variants[i], "change"))
				fprintf(stderr, " %s", r->variants[i].name);
		putc('\n', stderr);
		return 2;
	}
	for (size_t i = 0; i < all; i++) {
		if (is_role(r->effects[i].info, "change") && !listed(names, r->effects[i].variant))
			continue;
		answers += i < r->neffects;
		r->effects[kept++] = r->effects[i];
	}
	r->neffects = answers;
	r->nproofs = kept - answers;
	for (size_t i = 0; i < r->nvariants; i++)
		if (!is_role(&r->variants[i], "change") || listed(names, r->variants[i].name))
			r->variants[n++] = r->variants[i];
	r->nvariants = n;
	for (size_t i = 0; i < kept; i++)
		r->effects[i].info = view_variant(r, r->effects[i].variant);
	return 0;
}

double view_layouts(const struct view *r)
{
	double most = json_num(r->env, "layouts");

	for (size_t i = 0; i < r->neffects; i++)
		most = fmax(isnan(most) ? 0 : most,
			    isnan(r->effects[i].layouts) ? 0 : r->effects[i].layouts);
	return most;
}

int view_certify(struct view *r, const char *path)
{
	struct fault f;

	r->certify = json_read(path, &f);
	if (json_num(r->certify, "schema") == 1) {
		if (sums_sealed(r->certify) == SEAL_BROKEN)
			json_array_append_new(json_object_get(r->root, "changed"),
					      json_from_text("certify.json is not what sheafstat "
							     "certify made: its sum is another"));
		return 0;
	}
	if (r->certify)
		fault_set(&f, "%s: not a certify.json of schema 1", path);
	fprintf(stderr, "sheafreport: %s; make it with sheafstat certify\n", f.text);
	return access(path, R_OK) ? 2 : 1;
}

void view_close(struct view *r)
{
	json_decref(r->env);
	json_decref(r->counts);
	json_decref(r->root);
	json_decref(r->certify);
	free(r->variants);
	free(r->effects);
}

struct group view_group(const struct view *r, size_t from)
{
	struct group g = { .first = r->effects + from };

	while (from + g.count < r->neffects && !same_group(g.first, g.first + g.count))
		g.count++;
	return g;
}

static struct group same_workload(const struct effect *first, const struct effect *end)
{
	struct group g = { .first = first };

	while (first + g.count < end && !strcmp(first->workload, first[g.count].workload))
		g.count++;
	return g;
}

struct group group_headline(const struct group *g)
{
	const struct effect *end = g->first + g->count;
	struct group best = { 0 };

	for (const struct effect *e = g->first; e < end;) {
		struct group w = same_workload(e, end);

		if (!best.count || workload_nearer(&e->of, &best.first->of) < 0)
			best = w;
		e += w.count;
	}
	return best;
}

const struct effect *view_effect(const struct view *r, const struct effect *e, const char *variant)
{
	for (size_t i = 0; i < r->neffects; i++) {
		const struct effect *x = &r->effects[i];

		if (!same_group(x, e) && !strcmp(x->workload, e->workload) &&
		    !strcmp(x->variant, variant))
			return x;
	}
	return NULL;
}

const json_t *view_value(const struct view *r, const struct effect *e, const char *variant)
{
	return json_find(json_object_get(r->root, "values"), "variant", variant, "workload",
			 e->workload, "target", e->target, "metric", e->metric, NULL);
}

bool view_counted(const struct view *r, const char *target)
{
	return json_find(json_object_get(r->root, "counts"), "target", target, NULL);
}

char *view_env_text(const struct view *r, const char *key)
{
	const json_t *v = json_object_get(r->env, key);
	const json_t *item;
	char *all = NULL;
	size_t i;

	if (json_is_string(v))
		return json_string_length(v) ? xstrdup(json_string_value(v)) : NULL;
	if (json_is_number(v))
		return xasprintf("%.10g", json_number_value(v));
	if (json_is_boolean(v))
		return xstrdup(json_is_true(v) ? "yes" : "no");
	json_array_foreach(v, i, item) {
		char *longer;

		if (!json_is_string(item))
			continue;
		longer = xasprintf("%s%s%s", all ? all : "", all ? " " : "",
				   json_string_value(item));
		free(all);
		all = longer;
	}
	return all;
}

double percent(const struct effect *e)
{
	return 100 * (e->ratio - 1);
}

int group_decimals(const struct group *g)
{
	double least = NAN;

	for (size_t i = 0; i < g->count; i++)
		least = fmin(least, (g->first[i].ci.hi - g->first[i].ci.lo) / 2);
	if (isnan(least))
		return 1;
	return least >= 9.5 ? 0 : least >= 0.95 ? 1 : 2;
}

struct verdict_text view_verdict(const struct view *r, const struct effect *e)
{
	struct verdict_text t = { "" };

	if (!r->proven)
		snprintf(t.s, sizeof(t.s), "unproven");
	else if (e->verdict && streq(e->verdict, "within"))
		snprintf(t.s, sizeof(t.s), "within +-%g", r->equal);
	else if (e->verdict && streq(e->verdict, "cannot tell"))
		snprintf(t.s, sizeof(t.s), "cannot tell (+-%s)",
			 number((e->ci.hi - e->ci.lo) / 2, 2, false).s);
	else if (e->verdict)
		snprintf(t.s, sizeof(t.s), "%s", e->verdict);
	else if (e->primary)
		snprintf(t.s, sizeof(t.s), "no verdict");
	return t;
}
