// SPDX-License-Identifier: GPL-2.0
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "stats.h"

const char *const role_name[ROLES] = { "baseline", "change", "null" };

static int by_order(const void *a, const void *b)
{
	const struct variant *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool name_ok(const char *s)
{
	return *s && *s != '.' && *s != '-' &&
	       !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")];
}

static int variant_parse(struct variants *vs, char *line, const struct reader *r, struct fault *f)
{
	char *field[7], *end;
	int n = split_tabs(line, field, 7), role = 0;
	struct variant v = { 0 };

	if (n != 6 && n != 7)
		return fault_set(f,
				 "%s:%lu: %d columns, not 6 (variant role order layouts title "
				 "cmdline) or 7 (and build)",
				 r->path, r->number, n);
	if (!name_ok(field[0]))
		return fault_set(f, "%s:%lu: '%s' is no variant name (letters, digits, . _ -)",
				 r->path, r->number, field[0]);
	if (variants_find(vs, field[0]) >= 0)
		return fault_set(f, "%s:%lu: variant %s stands here twice", r->path, r->number,
				 field[0]);
	while (role < ROLES && !streq(field[1], role_name[role]))
		role++;
	if (role == ROLES)
		return fault_set(f, "%s:%lu: role '%s' is not baseline, change or null", r->path,
				 r->number, field[1]);
	if (role == ROLE_BASELINE && variants_baseline(vs) >= 0)
		return fault_set(
			f, "%s:%lu: a second baseline, %s; just one variant may have that role",
			r->path, r->number, field[0]);
	v.order = strtod(field[2], &end);
	if (end == field[2] || *end || !isfinite(v.order))
		return fault_set(f, "%s:%lu: order '%s' is not a number", r->path, r->number,
				 field[2]);
	v.other = streq(field[3], "other");
	if (!v.other && !streq(field[3], "same"))
		return fault_set(f, "%s:%lu: layouts '%s' is not same or other", r->path, r->number,
				 field[3]);
	v.role = role;
	v.name = xstrdup(field[0]);
	v.title = xstrdup(field[4]);
	v.cmdline = xstrdup(field[5]);
	v.build = xstrdup(n == 7 && *field[6] ? field[6] : field[0]);
	vs->v = xrealloc(vs->v, vs->n + 1, sizeof(*vs->v));
	vs->v[vs->n++] = v;
	return 0;
}

int variants_read(struct variants *vs, const char *path, struct fault *f)
{
	struct reader r;
	bool failed;
	char *line;

	*vs = (struct variants){ 0 };
	if (reader_open(&r, path, f))
		return -1;
	while ((line = reader_next(&r, false, &failed, f))) {
		failed = variant_parse(vs, line, &r, f);
		if (failed)
			break;
	}
	if (!failed && !vs->n)
		failed = fault_set(f, "%s: no variant in it", path);
	reader_close(&r);
	if (failed) {
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

int variants_baseline(const struct variants *vs)
{
	for (int i = 0; i < vs->n; i++)
		if (vs->v[i].role == ROLE_BASELINE)
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

void plan_make(struct plan *p, const struct variants *vs, uint64_t seed, int layouts, int boots)
{
	gsl_rng *rng = stat_rng(seed, "order");
	int *round = xcalloc((size_t)layouts * boots, sizeof(*round));
	int *order = xcalloc(vs->n, sizeof(*order));
	unsigned int pad[2][PADS];
	struct plan_row *row;

	*p = (struct plan){ .layouts = layouts, .boots = boots, .n = vs->n * layouts * boots };
	p->row = row = xcalloc(p->n, sizeof(*p->row));
	plan_pads(seed, false, pad[0]);
	plan_pads(seed, true, pad[1]);
	for (int i = 0; i < layouts * boots; i++)
		round[i] = i;
	for (int i = 0; i < vs->n; i++)
		order[i] = i;
	gsl_ran_shuffle(rng, round, layouts * boots, sizeof(*round));
	for (int i = 0; i < layouts * boots; i++) {
		gsl_ran_shuffle(rng, order, vs->n, sizeof(*order));
		for (int j = 0; j < vs->n; j++, row++) {
			const struct variant *v = &vs->v[order[j]];

			row->variant = order[j];
			row->layout = round[i] / boots;
			row->boot = round[i] % boots;
			row->pad = pad[v->other][row->layout];
			row->build = xstrdup(v->build);
		}
	}
	free(order);
	free(round);
	gsl_rng_free(rng);
}

int plan_write(const struct plan *p, const struct variants *vs, uint64_t seed, const char *path,
	       struct fault *f)
{
	struct writer w;

	if (writer_open(&w, path, f))
		return -1;
	fprintf(w.file, "# seed %ju rng mt19937 layouts %d boots %d\n", (uintmax_t)seed, p->layouts,
		p->boots);
	fputs("# index\tvariant\tlayout\tboot\tpad\tbuild\n", w.file);
	for (int i = 0; i < p->n; i++) {
		const struct plan_row *row = &p->row[i];

		fprintf(w.file, "%d\t%s\t%d\t%d\t%u\t%s\n", i, vs->v[row->variant].name,
			row->layout, row->boot, row->pad, row->build);
	}
	return writer_close(&w, true, f);
}

static int row_parse(struct plan *p, const struct variants *vs, char *line, const struct reader *r,
		     struct fault *f)
{
	uint64_t index, layout, boot, pad;
	struct plan_row row = { 0 };
	char *field[6];

	if (split_tabs(line, field, 6) != 6)
		return fault_set(f,
				 "%s:%lu: not the six columns index variant layout boot pad build",
				 r->path, r->number);
	if (!parse_number(field[0], p->n, p->n, &index))
		return fault_set(f, "%s:%lu: index '%s' where %d was due", r->path, r->number,
				 field[0], p->n);
	row.variant = variants_find(vs, field[1]);
	if (row.variant < 0)
		return fault_set(f, "%s:%lu: variant %s is not in variants.tsv", r->path, r->number,
				 field[1]);
	if (!parse_number(field[2], 0, 9999, &layout) || !parse_number(field[3], 0, 9999, &boot) ||
	    !parse_number(field[4], 0, UINT32_MAX, &pad))
		return fault_set(f, "%s:%lu: layout, boot or pad is not a number", r->path,
				 r->number);
	for (int i = 0; i < p->n; i++)
		if (p->row[i].variant == row.variant && p->row[i].layout == (int)layout &&
		    p->row[i].boot == (int)boot)
			return fault_set(f, "%s:%lu: the same boot as index %d", r->path, r->number,
					 i);
	row.layout = layout;
	row.boot = boot;
	row.pad = pad;
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
	struct reader r;
	bool failed;
	char *line;

	*p = (struct plan){ 0 };
	if (reader_open(&r, path, f))
		return -1;
	while ((line = reader_next(&r, false, &failed, f))) {
		failed = row_parse(p, vs, line, &r, f);
		if (failed)
			break;
	}
	if (!failed && !p->n)
		failed = fault_set(f, "%s: no boot in it", path);
	reader_close(&r);
	if (failed) {
		plan_free(p);
		return -1;
	}
	return 0;
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
