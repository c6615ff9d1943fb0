// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "util.h"

static const struct {
	const char *metric, *unit, *shorter;
} units[] = {
	{ "tsc_ticks_per_op", "TSC ticks per operation", "ticks/op" },
	{ "core_cycles_per_op", "core cycles per operation", "cycles/op" },
	{ "ns_per_op", "ns per operation", "ns/op" },
	{ "instructions_per_op", "instructions per operation", "instr/op" },
};

struct number number(double v, int decimals, bool sign)
{
	struct number n = { "n/a" };

	if (isnan(v))
		return n;
	if (fabs(v) < 0.5 * pow(10, -decimals)) {
		v = 0;
		sign = false;
	}
	snprintf(n.s, sizeof(n.s), sign ? "%+.*f" : "%.*f", decimals, v);
	return n;
}

struct number interval(struct interval ci, int decimals, bool sign)
{
	struct number n = { "n/a" };
	const int most = sizeof(n.s) / 2 - 3;

	if (!isnan(ci.lo))
		snprintf(n.s, sizeof(n.s), "[%.*s, %.*s]", most, number(ci.lo, decimals, sign).s,
			 most, number(ci.hi, decimals, sign).s);
	return n;
}

struct number probability(double p)
{
	struct number n = { "n/a" };

	if (!isnan(p))
		snprintf(n.s, sizeof(n.s), p > 0 && p < 1e-4 ? "<0.0001" : "%.2g", p);
	return n;
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

const char *unit_of(const struct effect *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].metric, e->metric))
			return units[i].unit;
	return e->metric;
}

const char *short_unit_of(const struct effect *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].metric, e->metric))
			return units[i].shorter;
	return "per op";
}

const char *plural(double n)
{
	return n == 1 ? "" : "s";
}
