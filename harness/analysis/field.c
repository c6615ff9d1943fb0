// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "plan.h"

/*
 * A day of a clock of 5 GHz is 4.3e14 ticks. Whole numbers up to 2^53 are exact in a double; sums of a few thousand of
 * these stay far from where a double ends, and so do their squares.
 */
#define TICKS_MOST 1e15
#define EXACT	   9007199254740992.0

const struct range field_range[FIELDS] = {
	[FIELD_OPS] = { "ops", 1, UINT32_MAX, true, "operations" },
	[FIELD_OVERHEAD] = { "overhead", 0, TICKS_MOST, false, "ticks" },
	[FIELD_TICKS] = { "ticks", 0, TICKS_MOST, true, "ticks" },
	[FIELD_KHZ] = { "khz", 1e3, 1e7, false, "kHz" },
	[FIELD_STEP] = { "step", 0, 1e6, false, "ticks" },
	[FIELD_GATE] = { "gate", 0, 1e9, true, "additions" },
	[FIELD_CHAIN] = { "chain", 0, 1e9, true, "additions" },
	[FIELD_SECONDS] = { "seconds", 0, 1e6, false, "seconds" },
	[FIELD_LAYOUT] = { "layout", 0, PADS, true, "(0 is the stock one)" },
	[FIELD_BOOT] = { "boot", 0, PLAN_BOOTS + 1, true, "(some are done again)" },
	[FIELD_PAD] = { "pad", 0, PAD_STEP *PADS, true, "bytes" },
	[FIELD_DATA] = { "data", 0, INT32_MAX, true, "" },
	[FIELD_ORDER] = { "order", -1e6, 1e6, false, "" },
	[FIELD_DOSE] = { "dose", 0, 1e6, false, "core cycles" },
	[FIELD_PASS] = { "pass", 1, UINT32_MAX, true, "" },
	[FIELD_EVENTS] = { "events", 0, TICKS_MOST, true, "events" },
	[FIELD_LINE] = { "line", 0, UINT32_MAX, true, "" },
	[FIELD_COUNT] = { "count", 0, EXACT, true, "" },
	[FIELD_ESTIMATE] = { "estimate", 0, TICKS_MOST, false, "per operation" },
	[FIELD_PER_OP] = { "a value or a difference", -TICKS_MOST, TICKS_MOST, false, "" },
	[FIELD_RATIO] = { "a ratio", 0, TICKS_MOST, false, "" },
	[FIELD_SHARE] = { "a share or a chance", 0, 1, false, "" },
	[FIELD_NUMBER] = { "a number of things", 0, EXACT, true, "" },
	/* of squares of ticks, the largest that a result has */
	[FIELD_ANY] = { "a number", -TICKS_MOST *TICKS_MOST, TICKS_MOST *TICKS_MOST, false, "" },
};

bool field_holds(enum field field, double v)
{
	const struct range *is = &field_range[field];

	return v >= is->least && v <= is->most && (!is->whole || v == floor(v));
}

bool field_parse(enum field field, const char *text, double *out)
{
	const bool whole = field_range[field].whole;
	char *end;

	/* strtod() knows more than numbers are written with: words, blanks before, hexadecimal ones. */
	if (!*text || text[strspn(text, whole ? "0123456789" : "0123456789+-.eE")])
		return false;
	*out = strtod(text, &end);
	return end != text && !*end && field_holds(field, *out);
}

struct field_words field_words(enum field field)
{
	const struct range *is = &field_range[field];
	struct field_words w;

	snprintf(w.s, sizeof(w.s), "is not a %snumber from %.10g to %.10g%s%s",
		 is->whole ? "whole " : "", is->least, is->most, *is->unit ? " " : "", is->unit);
	return w;
}

int field_read(enum field field, const char *text, double *out, const struct reader *r,
	       struct fault *f)
{
	if (field_parse(field, text, out))
		return 0;
	return fault_set(f, "%s:%lu: %s '%.40s' %s", r->path, r->number, field_range[field].name,
			 text, field_words(field).s);
}

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const struct {
	const char *what, *of, *not_first;
	size_t most;
	const char *words;
} names[NAMES] = {
	[NAME_VARIANT] = { "name", ALPHANUMERIC "._-", ".-", 64, "letters, digits, . _ -" },
	[NAME_WORKLOAD] = { "workload", ALPHANUMERIC "._-/*", ".-/", 96,
			    "letters, digits, . _ - /" },
	[NAME_METRIC] = { "metric", ALPHANUMERIC "._-:=/,+", ".-", 128,
			  "letters, digits, . _ - : = / , +" },
	/* compilers' parts of functions, and what is no function: (loop) */
	[NAME_SYMBOL] = { "symbol", ALPHANUMERIC "._-$@+()", "", 512,
			  "letters, digits, . _ - $ @ + ( )" },
};

bool name_ok(enum name name, const char *s)
{
	const size_t length = strspn(s, names[name].of);

	return length && !s[length] && length <= names[name].most &&
	       !strchr(names[name].not_first, *s);
}

const char *name_words(enum name name)
{
	return names[name].words;
}

int name_read(enum name name, const char *s, const struct reader *r, struct fault *f)
{
	if (name_ok(name, s))
		return 0;
	return fault_set(f, "%s:%lu: '%.80s' is no %s (%s; %zu at most)", r->path, r->number, s,
			 names[name].what, names[name].words, names[name].most);
}
