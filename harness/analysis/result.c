// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "field.h"
#include "result.h"
#include "workload.h"

static int environment_read(struct result *r, const char *dir, struct fault *f)
{
	char *path = xasprintf("%s/environment.json", dir);
	const char *target;
	int ret = -1;

	r->environment = json_read(path, f);
	target = json_text(r->environment, "target");
	if (r->environment && !*target)
		fault_set(f, "%s: \"target\" is missing; it says where the result was measured",
			  path);
	else if (r->environment)
		ret = 0;
	if (!ret)
		r->target = xstrdup(target);
	free(path);
	return ret;
}

static int boot_parse(void *arg, char **field, const struct reader *in, struct fault *f)
{
	struct result *r = arg;
	uint64_t index, layout, boot;
	const struct plan_row *row;
	struct boot *b;

	if (!parse_number(field[0], 0, r->plan.n - 1, &index))
		return fault_set(f, "%s:%lu: index '%s' is not in plan.tsv", in->path, in->number,
				 field[0]);
	row = &r->plan.row[index];
	b = &r->boot[index];
	if (!parse_number(field[2], row->layout, row->layout, &layout) ||
	    !parse_number(field[3], row->boot, row->boot, &boot) ||
	    !streq(field[1], r->variants.v[row->variant].name))
		return fault_set(f, "%s:%lu: index %s is another boot in plan.tsv", in->path,
				 in->number, field[0]);
	if (!streq(field[4], "ok") && !streq(field[4], "failed"))
		return fault_set(f, "%s:%lu: status '%s' is not ok or failed", in->path, in->number,
				 field[4]);
	if (field_read(FIELD_SECONDS, field[5], &b->seconds, in, f))
		return -1;
	b->state = *field[4] == 'o' ? BOOT_OK : BOOT_FAILED;
	free(b->reason);
	b->reason = b->state == BOOT_FAILED ? xstrdup(*field[7] ? field[7] : "no reason given")
					    : NULL;
	return 0;
}

static int boots_read(struct result *r, const char *dir, struct fault *f)
{
	/* A reason is what a console said. */
	static const struct tsv table = {
		.columns = "index variant layout boot status seconds start reason",
		.what = "not the eight columns index variant layout boot status seconds start "
			"reason",
		.foreign = true
	};
	char *path = xasprintf("%s/boots.tsv", dir);
	int ret;

	r->boot = xcalloc(r->plan.n, sizeof(*r->boot));
	ret = tsv_read(&table, path, boot_parse, r, f);
	free(path);
	return ret < 0 ? -1 : 0;
}

/*
 * Every file in samples/ must belong to a boot of the plan: what cannot be placed must not pass
 * unseen.
 */
static int samples_known(const struct result *r, const char *dir, struct fault *f)
{
	char *path = xasprintf("%s/samples", dir);
	DIR *d = opendir(path);
	struct dirent *e;
	int ret = 0;

	if (!d) {
		fault_set(f, "%s: %s", path, strerror(errno));
		free(path);
		return -1;
	}
	while (!ret && (e = readdir(d))) {
		size_t len = strlen(e->d_name);
		bool known = false;

		/* Hidden files and what a writer has not finished do not count. */
		if (e->d_name[0] == '.' || (len > 5 && streq(e->d_name + len - 5, ".part")))
			continue;
		for (int i = 0; i < r->plan.n && !known; i++) {
			char *stem = plan_stem(&r->variants, &r->plan.row[i]);
			size_t n = strlen(stem);

			known = !strncmp(e->d_name, stem, n) && streq(e->d_name + n, ".tsv");
			free(stem);
		}
		if (!known)
			ret = fault_set(f, "%s/%s: belongs to no boot of plan.tsv; move it away",
					path, e->d_name);
	}
	closedir(d);
	free(path);
	return ret;
}

/* Where a file's runs go. */
struct take {
	struct result *r;
	const struct plan_row *row;
	struct clock clock;
	double *gate; /* all values of the result, in the first pass */
	size_t gates, room;
};

static int workload_find(struct result *r, const char *name)
{
	for (int i = 0; i < r->workloads; i++)
		if (streq(r->workload[i], name))
			return i;
	r->workload = xrealloc(r->workload, r->workloads + 1, sizeof(*r->workload));
	r->workload[r->workloads] = xstrdup(name);
	return r->workloads++;
}

static int gather_gate(void *arg, struct samples *s, struct fault *f)
{
	struct take *t = arg;

	(void)f;
	workload_find(t->r, s->workload);
	if (!s->gate)
		return 0;
	while (t->gates + s->n > t->room) {
		t->room = t->room ? t->room * 2 : 4096;
		t->gate = xrealloc(t->gate, t->room, sizeof(*t->gate));
	}
	memcpy(t->gate + t->gates, s->gate, s->n * sizeof(*s->gate));
	t->gates += s->n;
	return 0;
}

bool sample_quiet(const struct result *r, const struct samples *s, int i)
{
	return !s->gate || s->gate[i] <= r->gate_limit;
}

/* Samples of a run before which the machine had not settled, judged by the quiet ones. */
static int warmup_find(const struct result *r, const struct samples *s)
{
	int *at = xcalloc(s->n, sizeof(*at)), n = 0, found;
	double *x = xcalloc(s->n, sizeof(*x));

	for (int i = 0; i < s->n / 2; i++) {
		if (!sample_quiet(r, s, i))
			continue;
		at[n] = i;
		x[n++] = s->x[i];
	}
	found = stat_warmup(x, n, STAT_WARMUP_ALPHA);
	if (found)
		found = at[found - 1] + 1;
	free(x);
	free(at);
	return found;
}

enum state { ALL, QUIET, CONTENDED, STATES };

/* Some of a run's samples, in ascending order, whole and in two halves. */
struct part {
	double *x[3];
	int n[3];
};

/*
 * The values of all locations. What the samples add to the variance of a value shows in the
 * difference between its two halves, which alternate in pairs, as the two lengths of the chain take
 * turns: its square by four.
 */
static void run_locate(struct run *run, const struct part part[STATES])
{
	const struct part *c = &part[CONTENDED];

	for (int l = 0; l < STAT_LOCATIONS; l++) {
		const struct location *location = &stat_locations[l];
		const struct part *p = &part[location->quiet ? QUIET : ALL];
		bool few = location->quiet && run->quiet >= 0 && p->n[0] < STAT_GATE_FEWEST;
		double a = location->of(p->x[1], p->n[1]), b = location->of(p->x[2], p->n[2]);

		run->value[l] = few ? NAN : location->of(p->x[0], p->n[0]);
		run->noise[l] = (a - b) * (a - b) / 4.0;
	}
	/* Beside a neighbour no sample is undisturbed: whatever the location, most count. */
	run->contended = c->n[0] < STAT_GATE_FEWEST ? NAN : stat_quantile(c->x[0], c->n[0], 0.5);
	for (int q = ALL; q <= QUIET; q++) {
		double sd = stat_sd(part[q].x[0], part[q].n[0]);

		run->variance[q] = sd * sd;
	}
}

static void run_values(const struct result *r, struct run *run, const struct samples *s)
{
	double *buffer = xcalloc((size_t)s->n * 3 * STATES, sizeof(*buffer));
	size_t *at = xcalloc(s->n, sizeof(*at));
	struct part part[STATES] = { 0 };

	for (int i = 0; i < 3 * STATES; i++)
		part[i / 3].x[i % 3] = buffer + (size_t)s->n * i;
	gsl_sort_index(at, s->x + run->warmup, 1, s->n - run->warmup);
	for (int k = 0; k < s->n - run->warmup; k++) {
		int i = at[k] + run->warmup, half = 1 + (i / 2) % 2;
		struct part *in[] = { &part[ALL],
				      &part[sample_quiet(r, s, i) ? QUIET : CONTENDED] };

		for (int p = 0; p < 2; p++) {
			in[p]->x[0][in[p]->n[0]++] = s->x[i];
			in[p]->x[half][in[p]->n[half]++] = s->x[i];
		}
	}
	run->samples = part[ALL].n[0];
	run->quiet = s->gate ? part[QUIET].n[0] : -1;
	run_locate(run, part);
	free(at);
	free(buffer);
}

/* Additions per tick in the quiet samples from @from to before @to, and its standard error. */
static double chain_rate(const struct result *r, const struct samples *s, double adds, int from,
			 int to, double *se)
{
	double *x = xcalloc(s->n, sizeof(*x)), mean[2], error = 0.0, ticks;

	for (int longer = 0; longer < 2; longer++) {
		int n = 0;

		for (int i = from + (from + longer) % 2; i < to; i += 2)
			if (sample_quiet(r, s, i))
				x[n++] = s->chain[i];
		mean[longer] = stat_core_mean(x, n, &ticks);
		error += ticks * ticks;
	}
	free(x);
	ticks = (mean[1] - mean[0]) / adds;
	*se = sqrt(error) / adds / ticks / ticks;
	return ticks > 0.0 ? 1.0 / ticks : NAN;
}

/* A clock has moved when the halves of a run differ by more than this share, and not by chance. */
#define CLOCK_MOVED 0.02

static void run_clock(const struct result *r, struct run *run, const struct samples *s, double adds)
{
	double first, second, se[3];

	run->core_per_tick = NAN;
	if (!s->chain || adds <= 0.0)
		return;
	run->core_per_tick = chain_rate(r, s, adds, run->warmup, s->n, &se[0]);
	run->clock_error = se[0];
	first = chain_rate(r, s, adds, run->warmup, (run->warmup + s->n) / 2, &se[1]);
	second = chain_rate(r, s, adds, (run->warmup + s->n) / 2, s->n, &se[2]);
	run->moved = fabs(first - second) > CLOCK_MOVED * run->core_per_tick &&
		     fabs(first - second) > 4.0 * hypot(se[1], se[2]);
}

static bool run_boot(const struct run *a, const struct run *b)
{
	return a->variant == b->variant && a->layout == b->layout && a->boot == b->boot;
}

static int take_run(void *arg, struct samples *s, struct fault *f)
{
	struct take *t = arg;
	struct result *r = t->r;
	struct run *run;

	(void)f;
	if (!(r->runs & (r->runs - 1)))
		r->run = xrealloc(r->run, r->runs ? 2 * (size_t)r->runs : 1, sizeof(*r->run));
	run = &r->run[r->runs++];
	*run = (struct run){ .workload = workload_find(r, s->workload),
			     .variant = t->row->variant,
			     .layout = t->row->layout,
			     .boot = t->row->boot,
			     .looked = s->looked,
			     .lost = s->lost,
			     .largest = s->largest,
			     .step = t->clock.step };
	for (struct run *p = run; p > r->run && run_boot(p - 1, run); p--)
		run->number += p[-1].workload == run->workload;
	if (run->number >= r->repeats)
		r->repeats = run->number + 1;
	run->warmup = warmup_find(r, s);
	run_values(r, run, s);
	run_clock(r, run, s, t->clock.chain_adds);
	return 0;
}

/* One of what all boots have alike: @all is what was seen so far, 0 is none. */
static int alike_check(double *all, double v, const char *what, const char *path, struct fault *f)
{
	if (*all > 0.0 && v > 0.0 && *all != v)
		return fault_set(f, "%s:3: %s %g, but the boots before it have %g", path, what, v,
				 *all);
	if (v > 0.0)
		*all = v;
	return 0;
}

/* The boots of one result have one clock and one gate. */
static int clock_check(struct result *r, const struct clock *c, const char *path, struct fault *f)
{
	if (!r->metric) {
		r->metric = xasprintf("%s_ticks_per_op", c->name);
		r->clock = *c;
	}
	if (!streq(r->clock.name, c->name))
		return fault_set(f, "%s:2: clock %s, but the boots before it have %s", path,
				 c->name, r->clock.name);
	return alike_check(&r->clock.gate_adds, c->gate_adds, "gate", path, f) ||
	       alike_check(&r->clock.chain_adds, c->chain_adds, "chain", path, f);
}

static char *samples_path(const struct result *r, const char *dir, int i)
{
	char *stem = plan_stem(&r->variants, &r->plan.row[i]),
	     *path = xasprintf("%s/samples/%s.tsv", dir, stem);

	free(stem);
	return path;
}

/* Ticks of clocks that are farther apart cannot be compared: they are of two machines, or no calibration was one. */
#define CLOCKS_APART 0.005

/* The heads of all samples; a boot with another clock rate than most counts as failed, for that reason. */
static int clocks_read(struct result *r, const char *dir, struct fault *f)
{
	double *khz = xcalloc(2 * (size_t)r->plan.n, sizeof(*khz)), *sorted = khz + r->plan.n, most;
	int n = 0, ret = 0;

	for (int i = 0; i < r->plan.n && !ret; i++) {
		char *path = samples_path(r, dir, i);
		struct clock clock = { 0 };

		if (r->boot[i].state == BOOT_OK)
			ret = samples_read(path, &clock, NULL, NULL, f) ||
			      clock_check(r, &clock, path, f);
		if (r->boot[i].state == BOOT_OK && !ret)
			khz[i] = sorted[n++] = clock.khz;
		free(path);
	}
	gsl_sort(sorted, 1, n);
	most = n ? sorted[(n - 1) / 2] : 0.0;
	for (int i = 0; i < r->plan.n && !ret; i++) {
		struct boot *b = &r->boot[i];

		if (b->state != BOOT_OK || fabs(khz[i] - most) <= CLOCKS_APART * most)
			continue;
		b->state = BOOT_FAILED;
		b->reason = xasprintf("its clock has %.10g kHz, that of most boots %.10g: left out",
				      khz[i], most);
	}
	free(khz);
	return ret ? -1 : 0;
}

/* Calls @fn for all samples of the boots with @state, those of the baseline before the others. */
static int samples_all(struct take *t, const char *dir, samples_fn fn, struct fault *f)
{
	struct result *r = t->r;
	int base = variants_baseline(&r->variants);

	for (int i = 0; i < 2 * r->plan.n; i++) {
		char *path;
		int ret;

		t->row = &r->plan.row[i % r->plan.n];
		if (r->boot[i % r->plan.n].state != BOOT_OK ||
		    (t->row->variant == base) != (i < r->plan.n))
			continue;
		path = samples_path(r, dir, i % r->plan.n);
		ret = samples_read(path, &t->clock, fn, t, f);
		free(path);
		if (ret)
			return -1;
	}
	return 0;
}

/* First the gate's values, which say what is quiet, then the runs. */
static int runs_read(struct result *r, const char *dir, struct fault *f)
{
	struct take t = { .r = r };
	int ret = clocks_read(r, dir, f) || samples_all(&t, dir, gather_gate, f);

	gsl_sort(t.gate, 1, t.gates);
	r->gate_level = stat_quantile(t.gate, t.gates, 0.05);
	r->gate_limit = r->gate_level * STAT_GATE_LIMIT;
	free(t.gate);
	return ret ? -1 : samples_all(&t, dir, take_run, f);
}

static double *boot_at(const struct result *r, double *table, int workload, int variant, int layout)
{
	size_t row = ((size_t)workload * r->variants.n + variant) * r->plan.layouts + layout;

	return table + row * r->plan.boots;
}

/* How long a flush waits for other CPUs is no time of a loop, and its least says little. */
static const struct location *location_of(const struct result *r, int workload)
{
	return r->location->least && workload_is_flush(r->workload[workload])
		       ? stat_location_find("quiet-p50")
		       : r->location;
}

void result_locate(struct result *r, const struct location *l)
{
	size_t size = (size_t)r->workloads * r->variants.n * r->plan.layouts * r->plan.boots;
	int *n = xcalloc(size, sizeof(*n));

	r->location = l;
	for (int c = 0; c < 2; c++) {
		free(r->value[c]);
		r->value[c] = xcalloc(size, sizeof(*r->value[c]));
		memset(n, 0, size * sizeof(*n));
		for (int i = 0; i < r->runs; i++) {
			const struct run *run = &r->run[i];
			double *at = boot_at(r, r->value[c], run->workload, run->variant,
					     run->layout) +
				     run->boot,
			       v = c ? run->contended
				     : run->value[location_of(r, run->workload) - stat_locations];

			if (!isnan(v))
				*at += (v - *at) / ++n[at - r->value[c]];
		}
		for (size_t i = 0; i < size; i++)
			if (!n[i])
				r->value[c][i] = NAN;
	}
	free(n);
}

struct nested result_side(const struct result *r, int workload, int variant)
{
	return (struct nested){ boot_at(r, r->value[0], workload, variant, 1), r->plan.layouts - 1,
				r->plan.boots, location_of(r, workload)->least };
}

struct nested result_contended(const struct result *r, int workload, int variant)
{
	return (struct nested){ boot_at(r, r->value[1], workload, variant, 1), r->plan.layouts - 1,
				r->plan.boots, false };
}

unsigned int result_pad(const struct result *r, int variant, int layout)
{
	for (int i = 0; i < r->plan.n; i++)
		if (r->plan.row[i].variant == variant && r->plan.row[i].layout == layout)
			return r->plan.row[i].pad;
	return 0;
}

int result_phases(const struct result *r, int a, int b, const int *row, int n, int *phase)
{
	bool same = true;

	for (int i = 0; i < n; i++) {
		phase[i] = pad_phase(result_pad(r, a, row[i] + 1));
		same &= phase[i] == pad_phase(result_pad(r, b, row[i] + 1));
	}
	return same ? PHASES : 0;
}

double result_stock(const struct result *r, int workload, int variant)
{
	struct nested stock = { boot_at(r, r->value[0], workload, variant, 0), 1, r->plan.boots,
				location_of(r, workload)->least };

	return stat_layout_value(&stock, 0);
}

double result_core_per_tick(const struct result *r, int workload, int variant, int layout)
{
	for (int i = 0; i < r->runs; i++) {
		const struct run *run = &r->run[i];

		if (run->workload == workload && run->variant == variant && run->layout == layout &&
		    !isnan(run->core_per_tick))
			return r->core_per_tick;
	}
	return NAN;
}

struct spread result_spread(const struct result *r, int w, int v)
{
	const int location = location_of(r, w) - stat_locations, layouts = r->plan.layouts - 1;
	size_t size = (size_t)layouts * r->plan.boots * r->repeats;
	double *value = xcalloc(size, sizeof(*value)), noise = 0.0, samples = 0.0, quiet = 0.0;
	struct spread s = { .sample = NAN, .quiet_share = NAN };
	int n = 0;

	for (size_t i = 0; i < size; i++)
		value[i] = NAN;
	for (int i = 0; i < r->runs; i++) {
		const struct run *run = &r->run[i];
		int boot = (run->layout - 1) * r->plan.boots + run->boot;

		if (run->workload != w || run->variant != v || !run->layout)
			continue;
		value[boot * r->repeats + run->number] = run->value[location];
		if (run->quiet >= 0) {
			samples += run->samples;
			quiet += run->quiet;
			s.quiet_share = quiet / samples;
		}
		if (isnan(run->value[location]) || isnan(run->noise[location]))
			continue;
		noise += (run->noise[location] - noise) / ++n;
		s.sample = n > 1 ? s.sample : 0.0;
		s.sample += (run->variance[r->location->quiet] - s.sample) / n;
	}
	s.c = stat_components(value, layouts, r->plan.boots, r->repeats, noise);
	free(value);
	return s;
}

double result_kept(const struct result *r, int workload, int variant, int other)
{
	const int layouts = r->plan.layouts - 1, sides = other < 0 ? 1 : 3;
	bool *ran = xcalloc(r->workloads, sizeof(*ran));
	int *planned = xcalloc(layouts, sizeof(*planned)); /* a bit for each side */
	double kept = 0.0, all = 0.0;

	/* A layout whose boot failed has lost all that the variant measures. */
	for (int i = 0; i < r->plan.n; i++) {
		const struct plan_row *row = &r->plan.row[i];

		if (row->layout)
			planned[row->layout - 1] |= (row->variant == variant) |
						    (row->variant == other) << 1;
	}
	for (int i = 0; i < r->runs; i++)
		ran[r->run[i].workload] |= r->run[i].variant == variant && r->run[i].layout;
	for (int w = 0; w < r->workloads; w++) {
		struct nested a, b;

		if (!ran[w] || (workload >= 0 ? w != workload : workload_is_aside(r->workload[w])))
			continue;
		a = result_side(r, w, variant);
		b = other < 0 ? a : result_side(r, w, other);
		for (int l = 0; l < layouts; l++) {
			if ((planned[l] & sides) != sides)
				continue;
			kept += !isnan(stat_layout_value(&a, l)) &&
				!isnan(stat_layout_value(&b, l));
			all++;
		}
	}
	free(planned);
	free(ran);
	return all > 0.0 ? kept / all : NAN;
}

#define CLOCK_STEADY 0.01

/* Half of the range that holds the middle 68 % of @n values, which it sorts. */
static double spread_of(double *x, int n)
{
	gsl_sort(x, 1, n);
	return (stat_quantile(x, n, 0.84) - stat_quantile(x, n, 0.16)) / 2.0;
}

/*
 * A core's clock moves between boots, by up to 14 % on the machines seen, and with it all that a loop takes. The
 * chains beside a run's own samples tell at which one it ran; as far as that is surer than what clocks there are,
 * the run is taken to their median, as James and Stein (1961) shrink estimates. On the samples in results/published of
 * an Intel Xeon (family 6, model 167; 32 layouts), the slope of the doses with half its interval, and the half-widths
 * of the null and of qpw-on in pair/64/1, by medians (quiet-p50):
 *
 *	as the clocks were	0.986 0.070 0.36 0.46
 *	at one			0.963 0.036 0.30 0.33
 */
static void clock_equal(struct result *r)
{
	double *rate = xcalloc(r->runs, sizeof(*rate)), *error = xcalloc(r->runs, sizeof(*error));
	double spread;
	int n = 0;

	for (const struct run *run = r->run; run < r->run + r->runs; run++) {
		if (isnan(run->core_per_tick))
			continue;
		error[n] = run->clock_error * run->clock_error;
		rate[n++] = run->core_per_tick;
	}
	spread = spread_of(rate, n);
	gsl_sort(error, 1, n);
	spread = fmax(0.0, spread * spread - stat_quantile(error, n, 0.5));
	r->core_per_tick = stat_quantile(rate, n, 0.5);
	free(rate);
	free(error);
	/* A clock that moves by less adds more noise than it takes away. */
	if (!(sqrt(spread) > CLOCK_STEADY * r->core_per_tick))
		return;
	for (struct run *run = r->run; run < r->run + r->runs; run++) {
		double sure = spread / (spread + run->clock_error * run->clock_error);
		double f = 1.0 + sure * (run->core_per_tick / r->core_per_tick - 1.0);

		if (isnan(f))
			continue;
		for (int l = 0; l < STAT_LOCATIONS; l++) {
			run->value[l] *= f;
			run->noise[l] *= f * f;
		}
		run->contended *= f;
		for (int q = 0; q < 2; q++)
			run->variance[q] *= f * f;
	}
}

int result_read(struct result *r, const char *dir, const struct location *l, struct fault *f)
{
	char *real = realpath(dir, NULL), *path;
	struct stat st;
	int ret = -1;

	*r = (struct result){ .gate_level = NAN, .gate_limit = NAN };
	if (!real || stat(real, &st) || !S_ISDIR(st.st_mode)) {
		fault_set(f, "%s: %s", dir, real ? "not a result folder" : strerror(errno));
		free(real);
		return -1;
	}
	path = strrchr(real, '/');
	r->id = xstrdup(path[1] ? path + 1 : path);
	path = strstr(r->id, ".part");
	if (path && !path[5])
		*path = '\0';
	free(real);
	if (!folder_check(dir, f) && !environment_read(r, dir, f)) {
		path = xasprintf("%s/variants.tsv", dir);
		ret = variants_read(&r->variants, path, f);
		free(path);
	}
	if (!ret) {
		path = xasprintf("%s/plan.tsv", dir);
		ret = plan_read(&r->plan, &r->variants, path, f);
		free(path);
	}
	if (ret || boots_read(r, dir, f) || samples_known(r, dir, f) || runs_read(r, dir, f)) {
		result_free(r);
		return -1;
	}
	clock_equal(r);
	result_locate(r, l);
	return 0;
}

void result_free(struct result *r)
{
	for (int i = 0; r->boot && i < r->plan.n; i++)
		free(r->boot[i].reason);
	for (int i = 0; i < r->workloads; i++)
		free(r->workload[i]);
	free(r->boot);
	free(r->workload);
	free(r->run);
	free(r->value[0]);
	free(r->value[1]);
	free(r->metric);
	free(r->id);
	free(r->target);
	json_decref(r->environment);
	plan_free(&r->plan);
	variants_free(&r->variants);
	*r = (struct result){ 0 };
}
