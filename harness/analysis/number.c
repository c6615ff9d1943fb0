// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <stdio.h>

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

const char *unit_long(const char *metric)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (streq(units[i].metric, metric))
			return units[i].unit;
	return metric;
}

const char *unit_short(const char *metric)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (streq(units[i].metric, metric))
			return units[i].shorter;
	return "per op";
}

const char *plural(double n)
{
	return n == 1 ? "" : "s";
}
