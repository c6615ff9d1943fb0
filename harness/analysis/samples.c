// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "samples.h"

/* A column of numbers separated by single spaces. */
struct column {
	double *v;
	int n, room;
};

static int column_parse(struct column *c, char *text, const char *what, const char *workload,
			const struct reader *r, struct fault *f)
{
	char *end;

	c->n = 0;
	for (char *p = text;; p = end + 1) {
		unsigned long long v;

		errno = 0;
		v = *p >= '0' && *p <= '9' ? strtoull(p, &end, 10) : 0;
		if (*p < '0' || *p > '9' || errno || (*end && *end != ' ') ||
		    !field_holds(FIELD_TICKS, (double)v))
			return fault_set(f, "%s:%lu: %s %d of %s %s", r->path, r->number, what,
					 c->n + 1, workload, field_words(FIELD_TICKS).s);
		if (c->n == c->room) {
			c->room = c->room ? c->room * 2 : 1024;
			c->v = xrealloc(c->v, c->room, sizeof(*c->v));
		}
		c->v[c->n++] = (double)v;
		if (!*end)
			return 0;
	}
}

enum { NOISE, SAMPLE, GATE, CHAIN, COLUMNS };

/* The workloads of a file, and the operations of each: a run of one is like another. */
struct seen {
	char **name;
	double *ops;
	int n;
};

static int seen_take(struct seen *seen, const struct samples *s, const struct reader *r,
		     struct fault *f)
{
	int i = 0;

	while (i < seen->n && !streq(seen->name[i], s->workload))
		i++;
	if (i < seen->n && seen->ops[i] == s->ops)
		return 0;
	if (i < seen->n)
		return fault_set(f, "%s:%lu: %.0f ops of %s, but %.0f in a line before it", r->path,
				 r->number, s->ops, s->workload, seen->ops[i]);
	seen->name = xrealloc(seen->name, seen->n + 1, sizeof(*seen->name));
	seen->ops = xrealloc(seen->ops, seen->n + 1, sizeof(*seen->ops));
	seen->name[seen->n] = xstrdup(s->workload);
	seen->ops[seen->n++] = s->ops;
	return 0;
}

static void seen_free(struct seen *seen)
{
	for (int i = 0; i < seen->n; i++)
		free(seen->name[i]);
	free(seen->name);
	free(seen->ops);
}

static int samples_line(char *line, const struct reader *r, samples_fn fn, void *arg,
			struct column column[COLUMNS], struct seen *seen, struct fault *f)
{
	static const char *const what[] = { "noise", "sample", "gate value", "chain" };
	struct samples s = { 0 };
	double most = 0.0;
	char *field[7];

	if (split_tabs(line, field, 7) != 7 || !*field[0])
		return fault_set(
			f,
			"%s:%lu: not the seven columns workload ops overhead noise samples "
			"gate chain",
			r->path, r->number);
	s.workload = field[0];
	if (name_read(NAME_WORKLOAD, field[0], r, f) ||
	    field_read(FIELD_OPS, field[1], &s.ops, r, f) || seen_take(seen, &s, r, f) ||
	    field_read(FIELD_OVERHEAD, field[2], &s.overhead, r, f))
		return -1;
	for (int c = NOISE; c < COLUMNS; c++) {
		column[c].n = 0;
		if (c >= GATE && streq(field[3 + c], "-"))
			continue;
		if (column_parse(&column[c], field[3 + c], what[c], field[0], r, f))
			return -1;
		if (c == NOISE && column[c].n != 3)
			return fault_set(f, "%s:%lu: noise '%s' is not three numbers of ticks",
					 r->path, r->number, field[3]);
		if (c >= GATE && column[c].n != column[SAMPLE].n)
			return fault_set(f, "%s:%lu: %d %ss for the %d samples of %s", r->path,
					 r->number, column[c].n, what[c], column[SAMPLE].n,
					 field[0]);
	}
	s.looked = column[NOISE].v[0];
	s.lost = column[NOISE].v[1];
	s.largest = column[NOISE].v[2];
	s.n = column[SAMPLE].n;
	s.x = column[SAMPLE].v;
	s.gate = column[GATE].n ? column[GATE].v : NULL;
	s.chain = column[CHAIN].n ? column[CHAIN].v : NULL;
	if (s.largest > s.lost || s.lost > s.looked)
		return fault_set(
			f,
			"%s:%lu: noise '%s': the largest gap is at most what was lost, and "
			"that what was looked at",
			r->path, r->number, field[3]);
	for (int i = 0; i < s.n; i++)
		most = fmax(most, s.x[i]);
	if (s.overhead > most)
		return fault_set(f, "%s:%lu: overhead '%s' of %s is more than each of its samples",
				 r->path, r->number, field[2], field[0]);
	for (int i = 0; i < s.n; i++)
		s.x[i] = (s.x[i] - s.overhead) / s.ops;
	return fn(arg, &s, f);
}

/* What a samples file may call its clock. */
static const char *const clocks[] = { "tsc", "cntvct" };

/* The three comments at the head of a samples file. */
static bool clock_read(struct reader *r, struct clock *c, struct fault *f)
{
	char khz[32], step[32], gate[32], chain[32];
	bool failed, known = false;
	char *line = reader_next(r, true, &failed, f);
	int end;

	if (!failed && (!line || !streq(line, "# sheafbench-samples 2")))
		failed = fault_set(
			f, "%s:1: not '# sheafbench-samples 2', so no samples file of this format",
			r->path);
	line = failed ? NULL : reader_next(r, true, &failed, f);
	if (!failed &&
	    (!line ||
	     sscanf(line, "# clock %31s khz %31s step %31s%n", c->name, khz, step, &end) != 3 ||
	     line[end]))
		failed = fault_set(f, "%s:2: not '# clock NAME khz KHZ step TICKS'", r->path);
	for (size_t i = 0; !failed && i < ARRAY_SIZE(clocks); i++)
		known |= streq(c->name, clocks[i]);
	if (!failed && !known)
		failed = fault_set(f, "%s:2: clock '%s' is not tsc or cntvct", r->path, c->name);
	if (!failed)
		failed = field_read(FIELD_KHZ, khz, &c->khz, r, f) ||
			 field_read(FIELD_STEP, step, &c->step, r, f);
	line = failed ? NULL : reader_next(r, true, &failed, f);
	if (!failed && (!line || sscanf(line, "# gate %31s chain %31s%n", gate, chain, &end) != 2 ||
			line[end]))
		failed = fault_set(f, "%s:3: not '# gate ADDITIONS chain ADDITIONS'", r->path);
	return failed || field_read(FIELD_GATE, gate, &c->gate_adds, r, f) ||
	       field_read(FIELD_CHAIN, chain, &c->chain_adds, r, f);
}

int samples_read(const char *path, struct clock *clock, samples_fn fn, void *arg, struct fault *f)
{
	struct column column[COLUMNS] = { 0 };
	struct seen seen = { 0 };
	struct reader r;
	int lines = 0;
	bool failed;
	char *line;

	if (reader_open(&r, path, f))
		return -1;
	failed = clock_read(&r, clock, f);
	while (!failed && fn && (line = reader_next(&r, false, &failed, f))) {
		failed = samples_line(line, &r, fn, arg, column, &seen, f);
		lines++;
	}
	if (!failed && fn && !lines)
		failed = fault_set(f, "%s: no workload in it; repeat that boot", path);
	for (int c = 0; c < COLUMNS; c++)
		free(column[c].v);
	seen_free(&seen);
	reader_close(&r);
	return failed ? -1 : 0;
}
