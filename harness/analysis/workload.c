// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "workload.h"

bool workload_parse(const char *name, struct workload *w)
{
	*w = (struct workload){ 0 };
	if (sscanf(name, "%63[^/]/%u/%u/%63s", w->op, &w->size, &w->n, w->order) >= 3)
		return true;
	*w = (struct workload){ 0 };
	snprintf(w->op, sizeof(w->op), "%s", name);
	return false;
}

/* Distance in octaves; a workload that names no size or N (0) is the farthest of all. */
static double octaves(unsigned int a, unsigned int b)
{
	return a > 0 ? fabs(log2((double)a / b)) : INFINITY;
}

int workload_order_rank(const char *order)
{
	static const char *const orders[] = { "", "lifo", "fifo", "shuffled" };
	size_t i = 0;

	while (i < ARRAY_SIZE(orders) && !streq(order, orders[i]))
		i++;
	return (int)i;
}

bool workload_is_spaced(const char *name)
{
	const char *spaced = strstr(name, "-spaced");

	return spaced && (!spaced[7] || spaced[7] == '/');
}

int workload_nearer(const struct workload *a, const struct workload *b)
{
	const unsigned int n = workload_is_spaced(a->op) ? 24 : streq(a->op, "pair") ? 1 : 32;
	const double far[][2] = {
		{ octaves(a->size, 64), octaves(b->size, 64) },
		{ octaves(a->n, n), octaves(b->n, n) },
		{ workload_order_rank(a->order), workload_order_rank(b->order) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(far); i++)
		if (far[i][0] != far[i][1])
			return far[i][0] < far[i][1] ? -1 : 1;
	return 0;
}

bool workload_is_excursion(const char *name)
{
	return !strncmp(name, "excursion/", 10) || !strncmp(name, "excursion-caches/", 17);
}

bool workload_is_flush(const char *name)
{
	return !strncmp(name, "flush-", 6);
}

bool workload_is_aside(const char *name)
{
	return workload_is_flush(name) || workload_is_excursion(name);
}

const char *workload_flush_headline(const json_t *counters)
{
	const char *best = NULL;
	const json_t *one;
	bool shrink = false;
	size_t i;

	json_array_foreach(counters, i, one) {
		const char *name = json_text(one, "workload");
		struct workload w;

		if (!streq(json_text(one, "metric"), "stolen_ns") || !workload_parse(name, &w) ||
		    !streq(w.order, "user") || streq(w.op, "flush-none"))
			continue;
		if (!best || (!shrink && streq(w.op, "flush-shrink")))
			best = name;
		shrink |= streq(w.op, "flush-shrink");
	}
	return best;
}
