// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "field.h"
#include "json.h"
#include "plan.h"
#include "verdict.h"

/* Fifteen digits give back every number of environment.json as it was written. */
#define JSON_FLAGS (JSON_INDENT(1) | JSON_REAL_PRECISION(15))

json_t *json_record(const char *kind, const char *of, const char *which, const char *fmt, ...)
{
	json_error_t error;
	json_t *out;
	va_list ap;

	va_start(ap, fmt);
	out = json_vpack_ex(&error, 0, fmt, ap);
	va_end(ap);
	if (out)
		return out;
	fprintf(stderr, "%s: the %s of %s, %s cannot be written: %s\n",
		program_invocation_short_name, kind, shown(of, SHOWN_MOST).s,
		shown(which, SHOWN_MOST).s, error.text);
	exit(EXIT_FAILURE);
}

void json_put(json_t *object, const char *key, json_t *value)
{
	if (!json_object_set_new(object, key, value))
		return;
	fprintf(stderr, "%s: '%s' cannot be a key of JSON: it is not UTF-8\n",
		program_invocation_short_name, shown(key, SHOWN_MOST).s);
	exit(EXIT_FAILURE);
}

json_t *json_from_text(const char *s)
{
	return json_record("text", s, "", "s", s);
}

json_t *json_from_number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

json_t *json_from_interval(struct interval i)
{
	return isfinite(i.lo) && isfinite(i.hi) ? json_pack("[f,f]", i.lo, i.hi) : json_null();
}

/* ---- what comes from outside ---- */

/* What members are, by their names, wherever they stand. */
static const struct {
	const char *key;
	enum name is;
} name_keys[] = {
	{ "target", NAME_VARIANT },    { "variant", NAME_VARIANT },
	{ "baseline", NAME_VARIANT },  { "reference", NAME_VARIANT },
	{ "name", NAME_VARIANT },      { "location", NAME_VARIANT },
	{ "workload", NAME_WORKLOAD }, { "largest_workload", NAME_WORKLOAD },
	{ "metric", NAME_METRIC },     { "unit", NAME_METRIC },
	{ "symbol", NAME_SYMBOL },
};

static const struct {
	const char *key;
	enum field is;
} number_keys[] = {
	{ "clock_khz", FIELD_KHZ },
	{ "timer_step", FIELD_STEP },
	{ "order", FIELD_ORDER },
	{ "dose", FIELD_DOSE },
	{ "pad", FIELD_PAD },
	{ "effect", FIELD_PER_OP },
	{ "mean", FIELD_PER_OP },
	{ "baseline_value", FIELD_PER_OP },
	{ "stock", FIELD_PER_OP },
	{ "stock_effect", FIELD_PER_OP },
	{ "contended_effect", FIELD_PER_OP },
	{ "value", FIELD_PER_OP },
	{ "slope", FIELD_PER_OP },
	{ "ratio", FIELD_RATIO },
	{ "p_value", FIELD_SHARE },
	{ "p_holm", FIELD_SHARE },
	{ "p_primary", FIELD_SHARE },
	{ "p_faster", FIELD_SHARE },
	{ "kept", FIELD_SHARE },
	{ "quiet_share", FIELD_SHARE },
	{ "null_share", FIELD_SHARE },
	{ "share", FIELD_SHARE },
	{ "layouts", FIELD_NUMBER },
	{ "boots", FIELD_NUMBER },
	{ "failed", FIELD_NUMBER },
	{ "missing", FIELD_NUMBER },
	{ "runs", FIELD_NUMBER },
	{ "comparisons", FIELD_NUMBER },
	{ "groups", FIELD_NUMBER },
	{ "layouts_each", FIELD_NUMBER },
	{ "cpus", FIELD_NUMBER },
};

static const char *const tells[] = { "time", "counts", "events" };

static const struct {
	const char *key;
	const char *const *word;
	size_t n;
} word_keys[] = {
	{ "role", role_name, ROLES },
	{ "tells", tells, ARRAY_SIZE(tells) },
	{ "verdict", verdict_word, VERDICTS },
};

/* Where a member stands, for faults: names and numbers with points between them. */
struct place {
	const struct place *in;
	const char *key;
	size_t index; /* without a key */
};

static char *place_text(const struct place *at)
{
	char *in = at->in ? place_text(at->in) : xstrdup(""), *all;

	if (!at->in)
		return in;
	all = at->key ? xasprintf("%s%s%s", in, *in ? "." : "", at->key)
		      : xasprintf("%s[%zu]", in, at->index);
	free(in);
	return all;
}

static int not_so(const char *path, const struct place *at, const char *what, struct fault *f)
{
	char *place = place_text(at);

	fault_set(f, "%s: %.200s %s", path, place, what);
	free(place);
	return -1;
}

static int text_check(const char *path, const struct place *at, json_t *v, struct fault *f)
{
	char *s = xstrdup(json_string_value(v)), *what;
	int ret = 0;

	for (size_t i = 0; at->key && *s && i < ARRAY_SIZE(name_keys); i++) {
		if (!streq(at->key, name_keys[i].key) || name_ok(name_keys[i].is, s))
			continue;
		what = xasprintf("'%.80s' is no such name (%s)", s, name_words(name_keys[i].is));
		ret = not_so(path, at, what, f);
		free(what);
	}
	for (size_t i = 0; at->key && *s && i < ARRAY_SIZE(word_keys); i++) {
		bool known = !streq(at->key, word_keys[i].key);

		for (size_t k = 0; k < word_keys[i].n; k++)
			known |= streq(s, word_keys[i].word[k]);
		if (known)
			continue;
		what = xasprintf("'%.80s' is none of the words that it may be", s);
		ret = not_so(path, at, what, f);
		free(what);
	}
	if (text_controls(s))
		json_string_set(v, text_clean(s));
	free(s);
	return ret;
}

static int number_check(const char *path, const struct place *at, double v, struct fault *f)
{
	enum field is = FIELD_ANY;

	for (size_t i = 0; at->key && i < ARRAY_SIZE(number_keys); i++)
		if (streq(at->key, number_keys[i].key))
			is = number_keys[i].is;
	return field_holds(is, v) ? 0 : not_so(path, at, field_words(is).s, f);
}

static bool ends(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && streq(s + n - m, end);
}

/* Intervals are known by the ends of their names. */
static int interval_check(const char *path, const struct place *at, const json_t *v,
			  struct fault *f)
{
	const json_t *lo = json_array_get(v, 0), *hi = json_array_get(v, 1);

	if (!at->key || (!ends(at->key, "ci95") && !ends(at->key, "ci90")))
		return 0;
	if (json_array_size(v) == 2 && json_is_number(lo) && json_is_number(hi) &&
	    json_number_value(lo) <= json_number_value(hi))
		return 0;
	return not_so(path, at, "is no interval: two numbers, the lower one first", f);
}

static int value_check(const char *path, const struct place *at, json_t *v, struct fault *f)
{
	struct place below = { .in = at };
	int ret = 0;
	json_t *one;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach(v, below.key, one) {
			if (!ret && text_controls(below.key))
				ret = not_so(path, &below, "has a name that controls a terminal",
					     f);
			ret = ret ? ret : value_check(path, &below, one, f);
		}
	} else if (json_is_array(v)) {
		ret = interval_check(path, at, v, f);
		json_array_foreach(v, i, one) {
			below.index = i;
			ret = ret ? ret : value_check(path, &below, one, f);
		}
	} else if (json_is_string(v)) {
		ret = text_check(path, at, v, f);
	} else if (json_is_number(v)) {
		ret = number_check(path, at, json_number_value(v), f);
	}
	return ret;
}

json_t *json_read(const char *path, struct fault *f)
{
	const struct place top = { 0 };
	json_error_t error;
	json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

	if (!j && error.line > 0)
		fault_set(f, "%s:%d: %s", path, error.line, error.text);
	else if (!j)
		fault_set(f, "%s", error.text);
	else if (!value_check(path, &top, j, f))
		return j;
	json_decref(j);
	return NULL;
}

double json_num(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

const char *json_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

struct interval json_interval(const json_t *object, const char *key)
{
	const json_t *a = json_object_get(object, key), *lo = json_array_get(a, 0),
		     *hi = json_array_get(a, 1);

	if (!json_is_number(lo) || !json_is_number(hi))
		return (struct interval){ NAN, NAN };
	return (struct interval){ json_number_value(lo), json_number_value(hi) };
}

const json_t *json_find(const json_t *list, ...)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		bool found = true;
		const char *key;
		va_list ap;

		va_start(ap, list);
		while (found && (key = va_arg(ap, const char *)))
			found = streq(json_text(one, key), va_arg(ap, const char *));
		va_end(ap);
		if (found)
			return one;
	}
	return NULL;
}

const char *json_item(const json_t *item)
{
	const char *s = json_string_value(item);

	return s ? s : "";
}

bool json_has_text(const json_t *list, const char *text)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (json_is_string(one) && streq(json_string_value(one), text))
			return true;
	}
	return false;
}

int json_write(const json_t *j, const char *path, struct fault *f)
{
	struct writer w;

	if (writer_open(&w, path, f))
		return -1;
	if (json_dumpf(j, w.file, JSON_FLAGS)) {
		int error = errno;

		writer_close(&w, false, f);
		return fault_set(f, "cannot write %s: %s", path, strerror(error));
	}
	fputc('\n', w.file);
	return writer_close(&w, true, f);
}
