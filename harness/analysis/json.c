// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

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
		program_invocation_short_name, kind, of, which, error.text);
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
