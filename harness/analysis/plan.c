// SPDX-License-Identifier: GPL-2.0
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "plan.h"
#include "stats.h"

const char *const role_name[ROLES] = { "baseline", "change", "null", "dose", "check" };

static int by_order(const void *a, const void *b)
{
	const struct variant *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* A table that must have lines. */
static int rows_read(const char *path, const char *columns, const char *what,
		     int (*row)(void *arg, char **field, const struct reader *r, struct fault *f),
		     void *arg, struct fault *f)
{
	int rows = tsv_read(&(struct tsv){ .columns = columns }, path, row, arg, f);

	return rows ? rows : fault_set(f, "%s: no %s in it", path, what);
}

static int variant_parse(void *arg, char **field, const struct reader *r, struct fault *f)
{
	struct variants *vs = arg;
	struct variant v = { .dose = NAN };
	int role = 0;

	if (!name_ok(NAME_VARIANT, field[0]))
		return fault_set(f, "%s:%lu: '%s' is no variant name (%s)", r->path, r->number,
				 field[0], name_words(NAME_VARIANT));
	if (variants_find(vs, field[0]) >= 0)
		return fault_set(f, "%s:%lu: variant %s stands here twice", r->path, r->number,
				 field[0]);
	while (role < ROLES && !streq(field[1], role_name[role]))
		role++;
	if (role == ROLES)
		return fault_set(f,
				 "%s:%lu: role '%s' is not baseline, change, null, dose or check",
				 r->path, r->number, field[1]);
	if (role == ROLE_BASELINE && variants_baseline(vs) >= 0)
		return fault_set(
			f, "%s:%lu: a second baseline, %s; just one variant may have that role",
			r->path, r->number, field[0]);
	if (field_read(FIELD_ORDER, field[2], &v.order, r, f) ||
	    (*field[6] && name_read(NAME_VARIANT, field[6], r, f)))
		return -1;
	v.other = streq(field[3], "other");
	if (!v.other && !streq(field[3], "same"))
		return fault_set(f, "%s:%lu: layouts '%s' is not same or other", r->path, r->number,
				 field[3]);
	if (role != ROLE_DOSE && *field[7])
		return fault_set(f, "%s:%lu: %s has a dose, '%s', but not the role dose", r->path,
				 r->number, field[0], field[7]);
	if (role == ROLE_DOSE && field_read(FIELD_DOSE, field[7], &v.dose, r, f))
		return -1;
	for (int i = 0; i < vs->n; i++)
		if (vs->v[i].dose == v.dose)
			return fault_set(f, "%s:%lu: %s has the dose of %s again, %g", r->path,
					 r->number, field[0], vs->v[i].name, v.dose);
	v.role = role;
	v.name = xstrdup(field[0]);
	v.title = xstrdup(field[4]);
	v.cmdline = xstrdup(field[5]);
	v.build = xstrdup(*field[6] ? field[6] : field[0]);
	v.workloads = xstrdup(field[8]);
	v.args = xstrdup(field[9]);
	vs->v = xrealloc(vs->v, vs->n + 1, sizeof(*vs->v));
	vs->v[vs->n++] = v;
	return 0;
}

int variants_read(struct variants *vs, const char *path, struct fault *f)
{
	int dose, ret;

	*vs = (struct variants){ 0 };
	ret = rows_read(path, "variant role order layouts title cmdline build dose workloads args",
			"variant", variant_parse, vs, f) < 0;
	dose = variants_role(vs, ROLE_DOSE);
	if (!ret && dose >= 0 && variants_reference(vs) < 0)
		ret = fault_set(f,
				"%s: %s needs a variant with the role dose and a dose of 0 beside "
				"it, to be compared with",
				path, vs->v[dose].name);
	if (ret) {
		variants_free(vs);
		return -1;
	}
	qsort(vs->v, vs->n, sizeof(*vs->v), by_order);
	return 0;
}

void variants_free(struct variants *vs)
{
	for (int i = 0; i < vs->n; i++) {
		free(vs->v[i].name);
		free(vs->v[i].title);
		free(vs->v[i].cmdline);
		free(vs->v[i].build);
		free(vs->v[i].workloads);
		free(vs->v[i].args);
	}
	free(vs->v);
	*vs = (struct variants){ 0 };
}

int variants_find(const struct variants *vs, const char *name)
{
	for (int i = 0; i < vs->n; i++)
		if (streq(vs->v[i].name, name))
			return i;
	return -1;
}

int variants_role(const struct variants *vs, enum role role)
{
	for (int i = 0; i < vs->n; i++)
		if (vs->v[i].role == role)
			return i;
	return -1;
}

int variants_baseline(const struct variants *vs)
{
	return variants_role(vs, ROLE_BASELINE);
}

int variants_reference(const struct variants *vs)
{
	for (int i = 0; i < vs->n; i++)
		if (vs->v[i].dose == 0.0)
			return i;
	return -1;
}

/*
 * One sequence over the PADS cells, its lines from @stream of @seed; its first half takes
 * none of the cells in @avoid.
 */
static void pad_sequence(uint64_t seed, const char *stream, const bool avoid[PADS],
			 unsigned int cell[PADS])
{
	const int lines = PADS / PHASES;
	const double golden = (sqrt(5.0) - 1.0) / 2.0;
	gsl_rng *rng = stat_rng(seed, stream), *phases = stat_rng(seed, "phases");
	double start = gsl_rng_uniform(rng);
	int phase[PHASES] = { 0, 1, 2, 3 };
	bool used[PADS] = { false };

	for (int k = 0; k < PADS; k++) {
		double at = fmod(start + k * golden, 1.0) * lines;
		double best = lines;

		if (k % PHASES == 0)
			gsl_ran_shuffle(phases, phase, PHASES, sizeof(phase[0]));
		/* The free cell of this phase that is nearest to where the sequence points. */
		for (int line = 0; line < lines; line++) {
			int c = line * PHASES + phase[k % PHASES];
			double far = fabs(line + 0.5 - at);

			if (far > lines / 2.0)
				far = lines - far;
			if (used[c] || (avoid[c] && k < PADS / 2) || far >= best)
				continue;
			best = far;
			cell[k] = c;
		}
		used[cell[k]] = true;
	}
	gsl_rng_free(phases);
	gsl_rng_free(rng);
}

void plan_pads(uint64_t seed, bool other, unsigned int pad[PADS])
{
	bool avoid[PADS] = { false };
	unsigned int cell[PADS];

	pad_sequence(seed, "lines", avoid, cell);
	if (other) {
		for (int k = 0; k < PADS / 2; k++)
			avoid[cell[k]] = true;
		pad_sequence(seed, "other lines", avoid, cell);
	}
	for (int k = 0; k < PADS; k++)
		pad[k] = PAD_STEP * (cell[k] + 1);
}

static uint64_t data_seed(uint64_t seed, int layout, int boot)
{
	char *stream = xasprintf("data %d %d", layout, boot);
	gsl_rng *rng = stat_rng(seed, stream);
	uint64_t data = gsl_rng_uniform_int(rng, INT32_MAX) + 1;

	gsl_rng_free(rng);
	free(stream);
	return data;
}

/* What proves the instrument is known well enough after some layouts. */
static int layouts_of(const struct variant *v)
{
	return v->role == ROLE_DOSE || v->role == ROLE_CHECK ? PROOF_LAYOUTS : PADS;
}

static bool has_stock(const struct variant *v)
{
	return !v->other && (v->role == ROLE_BASELINE || v->role == ROLE_CHANGE);
}

void plan_make(struct plan *p, const struct variants *vs, uint64_t seed, int layouts, int boots)
{
	int rounds = (layouts + 1) * boots;
	gsl_rng *rng = stat_rng(seed, "order");
	int *round = xcalloc(rounds, sizeof(*round));
	int *order = xcalloc(vs->n, sizeof(*order));
	unsigned int pad[2][PADS];

	*p = (struct plan){ .layouts = layouts + 1, .boots = boots };
	p->row = xcalloc((size_t)vs->n * rounds, sizeof(*p->row));
	plan_pads(seed, false, pad[0]);
	plan_pads(seed, true, pad[1]);
	for (int i = 0; i < rounds; i++)
		round[i] = i;
	for (int i = 0; i < vs->n; i++)
		order[i] = i;
	gsl_ran_shuffle(rng, round, rounds, sizeof(*round));
	for (int i = 0; i < rounds; i++) {
		int layout = round[i] / boots, boot = round[i] % boots;
		uint64_t data = layout ? data_seed(seed, layout, boot) : 0;

		gsl_ran_shuffle(rng, order, vs->n, sizeof(*order));
		for (int j = 0; j < vs->n; j++) {
			const struct variant *v = &vs->v[order[j]];

			if (layout ? layout > layouts_of(v) : !has_stock(v))
				continue;
			p->row[p->n++] = (struct plan_row){
				.variant = order[j],
				.layout = layout,
				.boot = boot,
				.pad = layout ? pad[v->other][layout - 1] : 0,
				.data = data,
				.build = xstrdup(v->build),
			};
		}
	}
	free(order);
	free(round);
	gsl_rng_free(rng);
}

static int row_find(const struct plan *p, const struct plan_row *row)
{
	for (int i = 0; i < p->n; i++)
		if (p->row[i].variant == row->variant && p->row[i].layout == row->layout &&
		    p->row[i].boot == row->boot)
			return i;
	return -1;
}

int plan_extend(struct plan *p, const struct plan *old, const struct variants *vs, struct fault *f)
{
	struct plan_row *row = xcalloc(p->n, sizeof(*row));
	bool *taken = xcalloc(p->n, sizeof(*taken));
	int n = 0, ret = 0;

	for (; n < old->n && !ret; n++) {
		const struct plan_row *o = &old->row[n];
		int i = row_find(p, o);

		if (i < 0) {
			ret = fault_set(f,
					"boot %d of %s in layout %d is in the old plan and not in "
					"the longer one: ask for at least its layouts and boots",
					o->boot, vs->v[o->variant].name, o->layout);
			break;
		}
		if (p->row[i].pad != o->pad || p->row[i].data != o->data ||
		    !streq(p->row[i].build, o->build)) {
			ret = fault_set(f,
					"index %d of the old plan has another pad, data or build: "
					"extend it with its own seed and variants",
					n);
			break;
		}
		row[n] = p->row[i];
		taken[i] = true;
	}
	for (int i = 0; i < p->n && !ret; i++)
		if (!taken[i])
			row[n++] = p->row[i];
	free(taken);
	if (ret) {
		free(row);
		return ret;
	}
	free(p->row);
	p->row = row;
	return 0;
}

int plan_write(const struct plan *p, const struct variants *vs, uint64_t seed, const char *path,
	       struct fault *f)
{
	struct writer w;

	if (writer_open(&w, path, f))
		return -1;
	fprintf(w.file, "# seed %ju rng mt19937 layouts %d boots %d\n", (uintmax_t)seed,
		p->layouts - 1, p->boots);
	fputs("# index\tvariant\tlayout\tboot\tpad\tbuild\tdata\n", w.file);
	for (int i = 0; i < p->n; i++) {
		const struct plan_row *row = &p->row[i];

		fprintf(w.file, "%d\t%s\t%d\t%d\t%u\t%s\t%ju\n", i, vs->v[row->variant].name,
			row->layout, row->boot, row->pad, row->build, (uintmax_t)row->data);
	}
	return writer_close(&w, true, f);
}

struct plan_load {
	struct plan *plan;
	const struct variants *variants;
};

static int row_parse(void *arg, char **field, const struct reader *r, struct fault *f)
{
	struct plan *p = ((struct plan_load *)arg)->plan;
	const struct variants *vs = ((struct plan_load *)arg)->variants;
	double layout, boot, pad, data;
	struct plan_row row = { 0 };
	uint64_t index;
	int same;

	if (!parse_number(field[0], p->n, p->n, &index))
		return fault_set(f, "%s:%lu: index '%s' where %d was due", r->path, r->number,
				 field[0], p->n);
	row.variant = variants_find(vs, field[1]);
	if (row.variant < 0)
		return fault_set(f, "%s:%lu: variant %s is not in variants.tsv", r->path, r->number,
				 field[1]);
	if (field_read(FIELD_LAYOUT, field[2], &layout, r, f) ||
	    field_read(FIELD_BOOT, field[3], &boot, r, f) ||
	    field_read(FIELD_PAD, field[4], &pad, r, f) ||
	    name_read(NAME_VARIANT, field[5], r, f) ||
	    field_read(FIELD_DATA, field[6], &data, r, f))
		return -1;
	row.layout = (int)layout;
	row.boot = (int)boot;
	row.pad = (unsigned int)pad;
	row.data = (uint64_t)data;
	same = row_find(p, &row);
	if (same >= 0)
		return fault_set(f, "%s:%lu: the same boot as index %d", r->path, r->number, same);
	row.build = xstrdup(field[5]);
	p->row = xrealloc(p->row, p->n + 1, sizeof(*p->row));
	p->row[p->n++] = row;
	if (row.layout >= p->layouts)
		p->layouts = row.layout + 1;
	if (row.boot >= p->boots)
		p->boots = row.boot + 1;
	return 0;
}

int plan_read(struct plan *p, const struct variants *vs, const char *path, struct fault *f)
{
	struct plan_load load = { .variants = vs };

	*p = (struct plan){ 0 };
	load.plan = p;
	if (rows_read(path, "index variant layout boot pad build data", "boot", row_parse, &load,
		      f) > 0) {
		/* They are numbered without gaps; tables are as large as the largest number. */
		if (p->layouts <= p->n + 1 && p->boots <= p->n)
			return 0;
		fault_set(f, "%s: layout %d and boot %d, but %d lines: numbers are missing", path,
			  p->layouts - 1, p->boots - 1, p->n);
	}
	plan_free(p);
	return -1;
}

void plan_free(struct plan *p)
{
	for (int i = 0; i < p->n; i++)
		free(p->row[i].build);
	free(p->row);
	*p = (struct plan){ 0 };
}

int pad_phase(unsigned int pad)
{
	return pad / PAD_STEP % PHASES;
}

char *plan_stem(const struct variants *vs, const struct plan_row *row)
{
	return xasprintf("%s.l%02d.b%02d", vs->v[row->variant].name, row->layout, row->boot);
}
