// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

/* The dose is part of allocating, so a loop that only frees says nothing of it. */
static bool allocates(const char *workload)
{
	return strncmp(workload, "free/", 5) != 0 && strncmp(workload, "batch-free/", 11) != 0;
}

/* Means over boots, and the spreads of the dose variants together: their true ones are alike. */
static void spreads(const struct result *r, int w, struct peer *p)
{
	double boot = 0.0, layout = 0.0;
	int boots = 0, layouts = 0;

	for (int v = 0; v < r->variants.n; v++) {
		struct nested x = result_side(r, w, v);
		struct components c;

		if (r->variants.v[v].role != ROLE_DOSE)
			continue;
		c = stat_components(x.value, x.layouts, x.boots, 1, 0.0);
		if (!isnan(c.boot)) {
			boot += c.boot;
			boots++;
		}
		if (!isnan(c.layout)) {
			layout += fmax(c.layout, 0.0);
			layouts++;
		}
	}
	p->sd_boot = boots ? sqrt(boot / boots) : NAN;
	p->sd_layout = layouts ? sqrt(layout / layouts) : NAN;
}

static int values_of(const struct nested *x, double *out)
{
	int n = 0;

	for (int i = 0; i < x->layouts * x->boots; i++)
		if (!isnan(x->value[i]))
			out[n++] = x->value[i];
	return n;
}

static void dose_of(const struct result *r, int w, int v, int reference, struct peer *p)
{
	struct nested x = result_side(r, w, v), y = result_side(r, w, reference);
	double *a = xcalloc(x.layouts * x.boots, sizeof(*a));
	double *b = xcalloc(y.layouts * y.boots, sizeof(*b));
	int na = values_of(&x, a), nb = values_of(&y, b), k = p->doses;
	double pairs = (double)na * nb, wrong = 0.0, none = 0.0;

	if (pairs > 0.0 && k < PEERS_DOSES) {
		for (int i = 0; i < na; i++) {
			for (int j = 0; j < nb; j++) {
				wrong += a[i] < b[j];
				none += a[i] == b[j];
			}
		}
		p->dose[k] = r->variants.v[v].dose;
		p->effect[k] = stat_mean(a, na) - stat_mean(b, nb);
		p->wrong[k] = wrong / pairs;
		p->none[k] = none / pairs;
		p->mean = stat_mean(b, nb);
		p->doses++;
	}
	free(b);
	free(a);
}

struct peer *peers_make(const struct result *r, int *n, struct fault *f)
{
	struct peer *peers = xcalloc(r->workloads + 1, sizeof(*peers));
	int reference = variants_reference(&r->variants);

	*n = 0;
	for (int w = 0; w < r->workloads && reference >= 0; w++) {
		struct peer *p = &peers[*n];

		*p = (struct peer){ .workload = r->workload[w] };
		if (!allocates(p->workload))
			continue;
		for (int v = 0; v < r->variants.n; v++)
			if (r->variants.v[v].role == ROLE_DOSE && v != reference)
				dose_of(r, w, v, reference, p);
		spreads(r, w, p);
		*n += p->doses > 0;
	}
	if (*n)
		return peers;
	free(peers);
	fault_set(f, "%s: no workload that its dose variants have; `make peers` measures them",
		  r->id);
	return NULL;
}

/* A tab and a spread; one boot or one layout has none. */
static void spread_write(FILE *out, double sd)
{
	if (isnan(sd))
		fputs("\tn/a", out);
	else
		fprintf(out, "\t%.6g", sd);
}

int peers_write(const struct peer *p, int n, const char *dir, struct fault *f)
{
	char *path = xasprintf("%s/peers.tsv", dir);
	struct writer w;
	int status = writer_open(&w, path, f);

	free(path);
	if (status)
		return status;
	fputs("# workload\tmean\tsd_boot\tsd_layout\tdose\teffect\twrong\tnone\n", w.file);
	for (int i = 0; i < n; i++) {
		for (int k = 0; k < p[i].doses; k++) {
			fprintf(w.file, "%s\t%.6g", p[i].workload, p[i].mean);
			spread_write(w.file, p[i].sd_boot);
			spread_write(w.file, p[i].sd_layout);
			fprintf(w.file, "\t%g\t%.6g\t%.6g\t%.6g\n", p[i].dose[k], p[i].effect[k],
				p[i].wrong[k], p[i].none[k]);
		}
	}
	return writer_close(&w, true, f);
}

void peers_print(FILE *out, const struct peer *p, int n)
{
	fprintf(out,
		"one boot against one boot, any layouts: wrong sign (no difference), %% of "
		"pairs\n\n"
		"%-20s %6s %5s %6s",
		"loop", "ticks", "boot", "layout");
	for (int k = 0; k < p[0].doses; k++)
		fprintf(out, "  %4s+%-2g", "", p[0].dose[k]);
	fputc('\n', out);
	for (int i = 0; i < n; i++) {
		fprintf(out, "%-20.20s %6.2f %5.2f %6.2f", p[i].workload, p[i].mean, p[i].sd_boot,
			p[i].sd_layout);
		for (int k = 0; k < p[i].doses; k++)
			fprintf(out, " %3.0f(%3.0f)", 100.0 * p[i].wrong[k], 100.0 * p[i].none[k]);
		fputc('\n', out);
	}
	fputs("\nboot, layout: SD in ticks between boots of a layout, between layouts; +K: core "
	      "cycles\n"
	      "added to each allocation. A row without peer- is this module's own.\n",
	      out);
}
