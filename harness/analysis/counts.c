// SPDX-License-Identifier: GPL-2.0
/* The files of counts/ as "counts" of the summary. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counts.h"
#include "field.h"
#include "json.h"
#include "workload.h"

/* The child @key of the object @parent, made where there is none. */
static json_t *child(json_t *parent, const char *key)
{
	json_t *c = json_object_get(parent, key);

	if (!c) {
		c = json_object();
		json_put(parent, key, c);
	}
	return c;
}

static void add(json_t *object, const char *key, double v)
{
	const json_t *old = json_object_get(object, key);

	json_put(object, key, json_real((old ? json_real_value(old) : 0.0) + v));
}

static int is_counts(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".tsv") == 0;
}

/* Records of a file by workload, and of a file beside it what goes into them. */
struct counted {
	json_t *all;
	json_t *ops; /* of each workload in the file that is read */
	const struct beside *beside;
};

/* A workload is counted in one go, so a file has one number of operations for it. */
static int ops_read(const struct counted *c, const char *workload, const char *text, double *ops,
		    const struct reader *r, struct fault *f)
{
	const json_t *before = json_object_get(c->ops, workload);

	if (!field_parse(FIELD_OPS, text, ops))
		return 1;
	if (before && json_real_value(before) != *ops)
		return fault_set(f, "%s:%lu: %.0f ops of %s, but %.0f in a line before it", r->path,
				 r->number, *ops, workload, json_real_value(before));
	json_put(c->ops, workload, json_real(*ops));
	return 0;
}

/* The files beside the counts: a number for each workload and name, into an object of the record. */
static const struct beside {
	const char *folder;
	int name, value;
	bool of_ops; /* the value is that of so many operations, in column 1 */
	enum field is;
	struct tsv table;
} besides[] = {
	{ "estimates",
	  1,
	  4,
	  false,
	  FIELD_ESTIMATE,
	  { "workload cpu instructions uops cycles rthroughput",
	    "not workload, CPU, instructions, uops, cycles and throughput", true, false, NULL } },
	{ "parts",
	  2,
	  3,
	  true,
	  FIELD_COUNT,
	  { "workload ops part count", "not workload, operations, part and count", true, false,
	    NULL } },
};

static int beside_row(void *arg, char **field, const struct reader *r, struct fault *f)
{
	const struct counted *c = arg;
	const struct beside *b = c->beside;
	double ops = 1, v;
	int ret = 0;

	if (name_read(NAME_WORKLOAD, field[0], r, f) ||
	    name_read(NAME_METRIC, field[b->name], r, f))
		return -1;
	if (b->of_ops)
		ret = ops_read(c, field[0], field[1], &ops, r, f);
	if (ret || !field_parse(b->is, field[b->value], &v))
		return ret ? ret : 1;
	if (json_object_get(child(child(c->all, field[0]), b->folder), field[b->name]))
		return fault_set(f, "%s:%lu: a second %s of %s", r->path, r->number, field[b->name],
				 field[0]);
	json_put(child(child(c->all, field[0]), b->folder), field[b->name], json_real(v / ops));
	return 0;
}

static const struct tsv each_table = { "workload ops function instructions times",
				       "not workload, operations, function, instructions and times",
				       true, false, NULL };

/* Calls of one function that are alike, into the object "each" of the record. */
static int each_row(void *arg, char **field, const struct reader *r, struct fault *f)
{
	const struct counted *c = arg;
	double ops, length, times;
	json_t *one;
	int ret;

	if (name_read(NAME_WORKLOAD, field[0], r, f) || name_read(NAME_SYMBOL, field[2], r, f))
		return -1;
	ret = ops_read(c, field[0], field[1], &ops, r, f);
	if (ret || !field_parse(FIELD_OPS, field[3], &length) ||
	    !field_parse(FIELD_OPS, field[4], &times))
		return ret ? ret : 1;
	if (streq(field[2], COUNTS_LOOP))
		return 0;
	one = child(child(child(c->all, field[0]), "each"), field[2]);
	add(one, "calls", times);
	add(one, "instructions", length * times);
	if (json_object_get(one, "most") && json_num(one, "most") >= times)
		return 0;
	json_object_set_new(one, "most", json_real(times));
	json_object_set_new(one, "usual", json_real(length));
	return 0;
}

/*
 * What a call takes as a rule, within a sheaf or a slab, and the mean of the others, at its end: the average of the two
 * depends on how full it was when the window began.
 */
static void each_reduce(json_t *record)
{
	json_t *one;
	const char *function;

	json_object_foreach(json_object_get(record, "each"), function, one) {
		double calls = json_num(one, "calls"), most = json_num(one, "most"),
		       usual = json_num(one, "usual"), all = json_num(one, "instructions");

		json_object_clear(one);
		json_object_set_new(one, "usual", json_real(usual));
		json_object_set_new(one, "share", json_real(most / calls));
		json_object_set_new(one, "others",
				    most < calls ? json_real((all - usual * most) / (calls - most))
						 : json_null());
	}
}

static const struct tsv lines_table = {
	"workload ops symbol function file line inlined text instructions",
	"not workload, operations, symbol, function, file, line, inlined function, text and "
	"instructions",
	true, true, NULL
};

/*
 * The instructions of a source line, into the object "lines" of the record. Lines are known by where they
 * stand and by their text: numbers move with each patch.
 */
static int lines_row(void *arg, char **field, const struct reader *r, struct fault *f)
{
	const struct counted *c = arg;
	double ops, number, count;
	json_t *lines, *one;
	char *key;
	int ret;

	if (name_read(NAME_WORKLOAD, field[0], r, f) || name_read(NAME_SYMBOL, field[2], r, f))
		return -1;
	ret = ops_read(c, field[0], field[1], &ops, r, f);
	if (ret || !field_parse(FIELD_LINE, field[5], &number) ||
	    !field_parse(FIELD_COUNT, field[8], &count))
		return ret ? ret : 1;
	if (streq(field[2], COUNTS_LOOP))
		return 0;
	lines = child(child(c->all, field[0]), "lines");
	key = xasprintf("%s\t%s\t%s\t%s\t%s", field[2], field[3], field[4], field[6], field[7]);
	one = json_object_get(lines, key);
	if (!one) {
		one = json_record("line", field[2], field[7], "{s:s, s:s, s:s, s:I, s:s, s:s}",
				  "symbol", field[2], "function", field[3], "file", field[4],
				  "line", (json_int_t)number, "inlined", field[6], "text",
				  field[7]);
		json_put(lines, key, one);
	}
	add(one, "variant", count / ops);
	free(key);
	return 0;
}

/* Puts into @out what of @lines is more or less than in @others; without @variant they are the baseline's, and what both have is left to the other way round. */
static void lines_differ(json_t *out, json_t *lines, const json_t *others, bool variant)
{
	const char *key;
	json_t *one;

	json_object_foreach(lines, key, one) {
		const json_t *other = json_object_get(others, key);
		double mine = json_num(one, "variant"),
		       theirs = other ? json_num(other, "variant") : 0.0;
		json_t *line;

		if (mine == theirs || (other && !variant))
			continue;
		line = json_copy(one);
		json_object_set_new(line, "baseline", json_real(variant ? theirs : mine));
		json_object_set_new(line, "variant", json_real(variant ? mine : theirs));
		json_array_append_new(out, line);
	}
}

/* In place of all of a variant's lines those that differ from the baseline's. */
static void lines_compare(const json_t *records, const struct variants *vs)
{
	int base = variants_baseline(vs);
	json_t *one, *differ;
	const json_t *from;
	size_t i;

	json_array_foreach(records, i, one) {
		from = base < 0 ? NULL
				: json_find(records, "variant", vs->v[base].name, "target",
					    json_text(one, "target"), "workload",
					    json_text(one, "workload"), NULL);
		if (!from || from == one || !json_object_get(one, "lines") ||
		    !json_object_get(from, "lines"))
			continue;
		differ = json_array();
		lines_differ(differ, json_object_get(from, "lines"), json_object_get(one, "lines"),
			     false);
		lines_differ(differ, json_object_get(one, "lines"), json_object_get(from, "lines"),
			     true);
		json_object_set_new(one, "differ", differ);
	}
	json_array_foreach(records, i, one) {
		json_object_del(one, "lines");
		differ = json_object_get(one, "differ");
		if (differ)
			json_object_set(one, "lines", differ);
		json_object_del(one, "differ");
	}
}

static const struct tsv counts_table = { "workload ops symbol class count",
					 "not workload, operations, symbol, class and count", false,
					 false, NULL };

static int counts_row(void *arg, char **field, const struct reader *r, struct fault *f)
{
	const struct counted *c = arg;
	double ops, count;
	json_t *record;
	int ret;

	if (name_read(NAME_WORKLOAD, field[0], r, f) || name_read(NAME_SYMBOL, field[2], r, f) ||
	    name_read(NAME_METRIC, field[3], r, f))
		return -1;
	ret = ops_read(c, field[0], field[1], &ops, r, f);
	if (ret || !field_parse(FIELD_COUNT, field[4], &count))
		return ret ? ret : 1;
	record = child(c->all, field[0]);
	if (!streq(field[2], COUNTS_LOOP))
		add(child(record, "classes"), field[3], count / ops);
	add(child(child(record, "symbols"), field[2]), field[3], count / ops);
	return 0;
}

/* Adds the records of one file, a record per workload. The file is @name in the folder @dir. */
static int file_add(json_t *out, const struct variants *vs, const char *dir, const char *name,
		    struct fault *f)
{
	size_t target = strcspn(name, ".");
	struct counted c = { .all = json_object(), .ops = json_object() };
	const char *variant = NULL, *workload;
	char *path = xasprintf("%s/%s", dir, name), *of = xasprintf("%.*s", (int)target, name);
	json_t *record;
	int ret;

	for (int v = 0; v < vs->n && name[target] && name_ok(NAME_VARIANT, of); v++) {
		const char *rest = name + target + 1;
		size_t length = strlen(vs->v[v].name);

		if (!strncmp(rest, vs->v[v].name, length) && streq(rest + length, ".tsv"))
			variant = vs->v[v].name;
	}
	ret = variant ? tsv_read(&counts_table, path, counts_row, &c, f)
		      : fault_set(f,
				  "%s: not TARGET.VARIANT.tsv: the result has no variant of that "
				  "name",
				  path);
	free(path);
	for (size_t i = 0; i < ARRAY_SIZE(besides) && ret >= 0; i++) {
		c.beside = &besides[i];
		json_object_clear(c.ops);
		path = xasprintf("%s/%s/%s", dir, besides[i].folder, name);
		ret = tsv_read(&besides[i].table, path, beside_row, &c, f);
		free(path);
	}
	json_object_clear(c.ops);
	path = xasprintf("%s/lines/%s", dir, name);
	ret = ret < 0 ? ret : tsv_read(&lines_table, path, lines_row, &c, f);
	free(path);
	json_object_clear(c.ops);
	path = xasprintf("%s/each/%s", dir, name);
	ret = ret < 0 ? ret : tsv_read(&each_table, path, each_row, &c, f);
	free(path);
	json_object_foreach(c.all, workload, record) {
		json_object_set_new(record, "target", json_from_text(of));
		json_object_set_new(record, "workload", json_from_text(workload));
		each_reduce(record);
		json_object_set_new(record, "variant", json_from_text(variant));
		json_array_append(out, record);
	}
	json_decref(c.all);
	json_decref(c.ops);
	free(of);
	return ret < 0 ? -1 : 0;
}

/* The files come by name; readers want the variants as they are everywhere else. */
static json_t *in_order(const struct variants *vs, json_t *records)
{
	json_t *out = json_array(), *one;
	size_t i;

	for (int v = 0; v < vs->n; v++)
		json_array_foreach(records, i, one)
			if (streq(json_text(one, "variant"), vs->v[v].name))
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
		if (out && file_add(out, vs, folder, entry[i]->d_name, f)) {
			json_decref(out);
			out = NULL;
		}
		free(entry[i]);
	}
	free(entry);
	free(folder);
	if (!out)
		return NULL;
	lines_compare(out, vs);
	return in_order(vs, out);
}

/* A table whose lines become a list of records. */
struct listed {
	json_t *list;
	const struct variants *vs;
};

static json_t *list_make(const struct tsv *t, const char *dir, const char *name,
			 int (*row)(void *arg, char **field, const struct reader *r,
				    struct fault *f),
			 const struct variants *vs, struct fault *f)
{
	struct listed to = { json_array(), vs };
	char *path = xasprintf("%s/%s", dir, name);
	int ret = tsv_read(t, path, row, &to, f);

	free(path);
	if (ret >= 0)
		return to.list;
	json_decref(to.list);
	return NULL;
}

static int same_code_row(void *arg, char **field, const struct reader *r, struct fault *f)
{
	const struct listed *to = arg;

	if (!*field[2])
		return 1;
	if (name_read(NAME_WORKLOAD, field[1], r, f))
		return -1;
	if (variants_find(to->vs, field[0]) < 0)
		return fault_set(f, "%s:%lu: variant %s is not in variants.tsv", r->path, r->number,
				 field[0]);
	json_array_append_new(to->list,
			      json_record("code", field[0], field[1], "{s:s, s:s, s:s}", "variant",
					  field[0], "workload", field[1], "functions", field[2]));
	return 0;
}

json_t *same_code_make(const struct variants *vs, const char *dir, struct fault *f)
{
	static const struct tsv table = { "variant workload functions",
					  "not variant, workload and functions", true, false,
					  NULL };

	return list_make(&table, dir, "same-code.tsv", same_code_row, vs, f);
}

double counts_instructions(const json_t *counts, const char *target, const char *workload,
			   const char *variant)
{
	const json_t *one =
		json_find(counts, "target", target, "workload", workload, "variant", variant, NULL);

	return one ? json_num(json_object_get(one, "classes"), "instructions") : NAN;
}

void same_code_check(json_t *same, const json_t *counts, const char *baseline)
{
	for (size_t i = json_array_size(same); i-- > 0;) {
		const json_t *one = json_array_get(same, i);
		const char *workload = json_text(one, "workload");
		double was, is;

		if (streq(workload, "*"))
			workload = WORKLOAD_FIRST;
		was = counts_instructions(counts, "tcg", workload, baseline);
		is = counts_instructions(counts, "tcg", workload, json_text(one, "variant"));
		if (!isnan(was) && !isnan(is) && was != is)
			json_array_remove(same, i);
	}
}

static int failed_row(void *arg, char **field, const struct reader *r, struct fault *f)
{
	const struct listed *to = arg;
	char *variant = strchr(field[0], '.');

	if (!variant)
		return 1;
	*variant++ = '\0';
	if (name_read(NAME_VARIANT, field[0], r, f) || name_read(NAME_VARIANT, variant, r, f))
		return -1;
	json_array_append_new(to->list,
			      json_record("failure", field[0], variant, "{s:s, s:s, s:s}", "target",
					  field[0], "variant", variant, "reason", field[1]));
	return 0;
}

json_t *counts_failed_make(const char *dir, struct fault *f)
{
	static const struct tsv table = { "boot reason", "not TARGET.VARIANT and reason", true,
					  true, NULL };

	return list_make(&table, dir, "counts/failed", failed_row, NULL, f);
}

/* One workload per operation: the first of 64 bytes that was counted. */
bool counts_stand(const json_t *counts, const json_t *one)
{
	struct workload w, other;
	const json_t *before;
	size_t i;

	if (!workload_parse(json_text(one, "workload"), &w) || w.size != COUNTS_SIZE ||
	    workload_is_excursion(json_text(one, "workload")))
		return false;
	json_array_foreach(counts, i, before) {
		if (streq(json_text(before, "workload"), json_text(one, "workload")))
			return true;
		if (streq(json_text(before, "target"), json_text(one, "target")) &&
		    workload_parse(json_text(before, "workload"), &other) &&
		    other.size == COUNTS_SIZE && streq(other.op, w.op))
			return false;
	}
	return false;
}
