// SPDX-License-Identifier: GPL-2.0
/* The files of counts/ as "counts" of the summary. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counts.h"
#include "result.h"

/* The child @key of the object @parent, made where there is none. */
static json_t *child(json_t *parent, const char *key)
{
	json_t *c = json_object_get(parent, key);

	if (!c) {
		c = json_object();
		json_object_set_new(parent, key, c);
	}
	return c;
}

static void add(json_t *object, const char *key, double v)
{
	const json_t *old = json_object_get(object, key);

	json_object_set_new(object, key, json_real((old ? json_real_value(old) : 0.0) + v));
}

static int is_counts(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".tsv") == 0;
}

/* What llvm-mca makes of the same operations, where the result has it: into "estimates". */
static int estimates_add(json_t *all, const char *path, struct fault *f)
{
	struct reader r;
	bool bad = false;
	char *line;

	if (access(path, F_OK))
		return 0;
	if (reader_open(&r, path, f))
		return -1;
	while (!bad && (line = reader_next(&r, false, &bad, f))) {
		char *field[6], *end;
		double v;

		if (split_tabs(line, field, 6) != 6 || !*field[1] ||
		    (v = strtod(field[4], &end), end == field[4] || *end)) {
			fault_set(f,
				  "%s:%lu: not workload, CPU, instructions, uops, cycles and "
				  "throughput",
				  path, r.number);
			bad = true;
			break;
		}
		json_object_set_new(child(child(all, field[0]), "estimates"), field[1],
				    json_real(v));
	}
	reader_close(&r);
	return bad ? -1 : 0;
}

/* Adds the records of one file, a record per workload. The file is called @name. */
static int file_add(json_t *out, const struct variants *vs, const char *name, const char *path,
		    struct fault *f)
{
	size_t target = strcspn(name, ".");
	json_t *all = json_object(), *record = NULL;
	const char *variant = NULL, *workload;
	struct reader r;
	bool bad = false;
	char *line, *estimates;

	for (int v = 0; v < vs->n && name[target]; v++) {
		const char *rest = name + target + 1;
		size_t length = strlen(vs->v[v].name);

		if (!strncmp(rest, vs->v[v].name, length) && streq(rest + length, ".tsv"))
			variant = vs->v[v].name;
	}
	if (!variant || reader_open(&r, path, f)) {
		json_decref(all);
		return variant ? -1
			       : fault_set(f, "%s: the result has no variant of that name", path);
	}
	while (!bad && (line = reader_next(&r, false, &bad, f))) {
		char *field[5];
		uint64_t ops, count;

		if (split_tabs(line, field, 5) != 5 || !*field[0] || !*field[2] || !*field[3] ||
		    !parse_number(field[1], 1, UINT32_MAX, &ops) ||
		    !parse_number(field[4], 0, UINT64_MAX >> 12, &count)) {
			fault_set(f, "%s:%lu: not workload, operations, symbol, class and count",
				  path, r.number);
			bad = true;
			break;
		}
		record = child(all, field[0]);
		if (strcmp(field[2], COUNTS_LOOP) != 0)
			add(child(record, "classes"), field[3], (double)count / (double)ops);
		add(child(child(record, "symbols"), field[2]), field[3],
		    (double)count / (double)ops);
	}
	reader_close(&r);
	estimates =
		xasprintf("%.*s/estimates/%s", (int)(strlen(path) - strlen(name) - 1), path, name);
	bad = bad || estimates_add(all, estimates, f);
	free(estimates);
	json_object_foreach(all, workload, record)
	{
		json_object_set_new(record, "target", json_stringn(name, target));
		json_object_set_new(record, "workload", json_string(workload));
		json_object_set_new(record, "variant", json_string(variant));
		json_array_append(out, record);
	}
	json_decref(all);
	return bad ? -1 : 0;
}

/* The files come by name; readers want the variants as they are everywhere else. */
static json_t *in_order(const struct variants *vs, json_t *records)
{
	json_t *out = json_array(), *one;
	size_t i;

	for (int v = 0; v < vs->n; v++)
		json_array_foreach(records, i,
				   one) if (streq(json_text(one, "variant"), vs->v[v].name))
			json_array_append(out, one);
	json_decref(records);
	return out;
}

json_t *counts_make(const struct variants *vs, const char *dir, struct fault *f)
{
	char *folder = xasprintf("%s/counts", dir);
	json_t *out = json_array();
	struct dirent **entry = NULL;
	int n = scandir(folder, &entry, is_counts, alphasort), error = errno;

	if (n < 0 && error != ENOENT) {
		fault_set(f, "cannot read %s: %s", folder, strerror(error));
		json_decref(out);
		out = NULL;
	}
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", folder, entry[i]->d_name);

		if (out && file_add(out, vs, entry[i]->d_name, path, f)) {
			json_decref(out);
			out = NULL;
		}
		free(path);
		free(entry[i]);
	}
	free(entry);
	free(folder);
	return out ? in_order(vs, out) : NULL;
}

json_t *counts_failed_make(const char *dir, struct fault *f)
{
	char *path = xasprintf("%s/counts/failed", dir), *line;
	json_t *out = json_array();
	struct reader r;
	bool bad = false;

	if (access(path, F_OK) || reader_open(&r, path, f)) {
		bad = !access(path, F_OK);
		goto out;
	}
	while (!bad && (line = reader_next(&r, false, &bad, f))) {
		char *field[2], *variant;

		if (split_tabs(line, field, 2) != 2 || !(variant = strchr(field[0], '.'))) {
			fault_set(f, "%s:%lu: not TARGET.VARIANT and reason", path, r.number);
			bad = true;
			break;
		}
		*variant++ = '\0';
		json_array_append_new(out, json_pack("{s:s, s:s, s:s}", "target", field[0],
						     "variant", variant, "reason", field[1]));
	}
	reader_close(&r);
out:
	free(path);
	if (bad) {
		json_decref(out);
		return NULL;
	}
	return out;
}
