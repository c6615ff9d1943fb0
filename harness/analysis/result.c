// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "result.h"

/*
 * ops and overhead of one line, and its samples; the samples are corrected in place of their text.
 */
static int samples_line(char *line, const struct reader *r, samples_fn fn, void *arg,
			double **buffer, int *room, struct fault *f)
{
	char *field[4], *end, *p;
	double overhead;
	uint64_t ops;
	int n = 0;

	if (split_tabs(line, field, 4) != 4 || !*field[0])
		return fault_set(f, "%s:%lu: not the four columns workload ops overhead samples",
				 r->path, r->number);
	if (!parse_number(field[1], 1, UINT32_MAX, &ops))
		return fault_set(f, "%s:%lu: ops '%s' is not a positive number", r->path, r->number,
				 field[1]);
	overhead = strtod(field[2], &end);
	if (end == field[2] || *end || !isfinite(overhead) || overhead < 0.0)
		return fault_set(f, "%s:%lu: overhead '%s' is not a number of ticks", r->path,
				 r->number, field[2]);
	for (p = field[3];; p = end + 1) {
		unsigned long long v;

		errno = 0;
		v = *p >= '0' && *p <= '9' ? strtoull(p, &end, 10) : 0;
		if (*p < '0' || *p > '9' || errno || (*end && *end != ' '))
			return fault_set(f, "%s:%lu: sample %d of %s is not a number of ticks",
					 r->path, r->number, n + 1, field[0]);
		if (n == *room) {
			*room = *room ? *room * 2 : 1024;
			*buffer = xrealloc(*buffer, *room, sizeof(**buffer));
		}
		(*buffer)[n++] = ((double)v - overhead) / ops;
		if (!*end)
			break;
	}
	return fn(arg, field[0], *buffer, n, f);
}

int samples_read(const char *path, char **clock, samples_fn fn, void *arg, struct fault *f)
{
	char *line, name[32] = "";
	double *buffer = NULL, khz, step;
	int room = 0, lines = 0;
	struct reader r;
	bool failed;

	if (reader_open(&r, path, f))
		return -1;
	line = reader_next(&r, true, &failed, f);
	if (!failed && (!line || !streq(line, "# sheafbench-samples 1")))
		failed = fault_set(
			f, "%s:1: not '# sheafbench-samples 1', so no samples file of this format",
			path);
	line = failed ? NULL : reader_next(&r, true, &failed, f);
	if (!failed &&
	    (!line || sscanf(line, "# clock %31s khz %lf step %lf", name, &khz, &step) != 3))
		failed = fault_set(f, "%s:2: not '# clock NAME khz KHZ step TICKS'", path);
	while (!failed && (line = reader_next(&r, false, &failed, f))) {
		failed = samples_line(line, &r, fn, arg, &buffer, &room, f);
		lines++;
	}
	if (!failed && !lines)
		failed = fault_set(f, "%s: no workload in it; repeat that boot", path);
	if (!failed && clock)
		*clock = xstrdup(name);
	free(buffer);
	reader_close(&r);
	return failed ? -1 : 0;
}

static int environment_read(struct result *r, const char *dir, struct fault *f)
{
	char *path = xasprintf("%s/environment.json", dir);
	json_error_t error;
	const char *target;
	int ret = -1;

	r->environment = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	target = json_string_value(json_object_get(r->environment, "target"));
	if (!r->environment && error.line > 0)
		fault_set(f, "%s:%d: %s", path, error.line, error.text);
	else if (!r->environment)
		fault_set(f, "%s", error.text);
	else if (!target || !*target)
		fault_set(f, "%s: \"target\" is missing; it says where the result was measured",
			  path);
	else
		ret = 0;
	if (!ret)
		r->target = xstrdup(target);
	free(path);
	return ret;
}

static int boot_parse(struct result *r, char *line, const struct reader *in, struct fault *f)
{
	uint64_t index, layout, boot;
	const struct plan_row *row;
	struct boot *b;
	char *field[8];

	if (split_tabs(line, field, 8) != 8)
		return fault_set(f,
				 "%s:%lu: not the eight columns index variant layout boot status "
				 "seconds start reason",
				 in->path, in->number);
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
	b->state = *field[4] == 'o' ? BOOT_OK : BOOT_FAILED;
	free(b->reason);
	b->reason = b->state == BOOT_FAILED ? xstrdup(*field[7] ? field[7] : "no reason given")
					    : NULL;
	return 0;
}

static int boots_read(struct result *r, const char *dir, struct fault *f)
{
	char *path = xasprintf("%s/boots.tsv", dir), *line;
	struct reader in;
	bool failed;

	r->boot = xcalloc(r->plan.n, sizeof(*r->boot));
	failed = reader_open(&in, path, f);
	free(path);
	if (failed)
		return -1;
	while ((line = reader_next(&in, false, &failed, f))) {
		failed = boot_parse(r, line, &in, f);
		if (failed)
			break;
	}
	reader_close(&in);
	return failed ? -1 : 0;
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
	const char *path;
};

static double *run_at(const struct result *r, int workload, int variant)
{
	size_t side = (size_t)r->plan.layouts * r->plan.boots;

	return r->run + ((size_t)workload * r->variants.n + variant) * side;
}

struct nested result_side(const struct result *r, int workload, int variant)
{
	return (struct nested){ run_at(r, workload, variant), r->plan.layouts, r->plan.boots };
}

static int workload_find(struct result *r, const char *name)
{
	size_t table = (size_t)r->variants.n * r->plan.layouts * r->plan.boots;
	int i;

	for (i = 0; i < r->workloads; i++)
		if (streq(r->workload[i], name))
			return i;
	r->workload = xrealloc(r->workload, i + 1, sizeof(*r->workload));
	r->workload[i] = xstrdup(name);
	r->run = xrealloc(r->run, (i + 1) * table, sizeof(*r->run));
	for (size_t k = 0; k < table; k++)
		r->run[i * table + k] = NAN;
	r->workloads++;
	return i;
}

static int take_run(void *arg, const char *workload, double *x, int n, struct fault *f)
{
	struct take *t = arg;
	int w = workload_find(t->r, workload);
	double *run =
		run_at(t->r, w, t->row->variant) + t->row->layout * t->r->plan.boots + t->row->boot;

	if (!isnan(*run))
		return fault_set(f, "%s: workload %s stands there twice", t->path, workload);
	*run = stat_location(t->r->location, x, n);
	return 0;
}

static int samples_all(struct result *r, const char *dir, struct fault *f)
{
	for (int i = 0; i < r->plan.n; i++) {
		struct take t = { r, &r->plan.row[i], NULL };
		char *clock = NULL, *metric, *stem, *path;
		int ret;

		if (r->boot[i].state != BOOT_OK)
			continue;
		stem = plan_stem(&r->variants, t.row);
		t.path = path = xasprintf("%s/samples/%s.tsv", dir, stem);
		ret = samples_read(path, &clock, take_run, &t, f);
		metric = xasprintf("%s_ticks_per_op", clock ? clock : "");
		if (!ret && r->metric && !streq(r->metric, metric))
			ret = fault_set(f, "%s:2: clock %s, but the boots before it have %s", path,
					clock, r->metric);
		if (!ret && !r->metric)
			r->metric = xstrdup(metric);
		free(metric);
		free(clock);
		free(stem);
		free(path);
		if (ret)
			return -1;
	}
	return 0;
}

int result_read(struct result *r, const char *dir, const struct location *l, struct fault *f)
{
	char *real = realpath(dir, NULL), *path;
	struct stat st;
	int ret = -1;

	*r = (struct result){ .location = l };
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
	if (!environment_read(r, dir, f)) {
		path = xasprintf("%s/variants.tsv", dir);
		ret = variants_read(&r->variants, path, f);
		free(path);
	}
	if (!ret) {
		path = xasprintf("%s/plan.tsv", dir);
		ret = plan_read(&r->plan, &r->variants, path, f);
		free(path);
	}
	if (ret || boots_read(r, dir, f) || samples_known(r, dir, f) || samples_all(r, dir, f)) {
		result_free(r);
		return -1;
	}
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
	free(r->metric);
	free(r->id);
	free(r->target);
	json_decref(r->environment);
	plan_free(&r->plan);
	variants_free(&r->variants);
	*r = (struct result){ 0 };
}
