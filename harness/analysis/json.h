/* SPDX-License-Identifier: GPL-2.0 */
/* What the analysis needs of JSON beyond jansson: records that cannot get lost, and look-up. */
#ifndef SHEAFBENCH_ANALYSIS_JSON_H
#define SHEAFBENCH_ANALYSIS_JSON_H

#include <jansson.h>

#include "stats.h"
#include "util.h"

/*
 * json_pack(), or death with one line that names the record: a @kind of record, of @of and @which.
 * A number that is none and a text that is not UTF-8 would be lost in silence otherwise.
 */
json_t *json_record(const char *kind, const char *of, const char *which, const char *fmt, ...);
/* json_object_set_new(), with the same care. */
void json_put(json_t *object, const char *key, json_t *value);
/* A text, with the same care. */
json_t *json_from_text(const char *s);
/* A number, and a pair of bounds; null where one is not finite. */
json_t *json_from_number(double v);
json_t *json_from_interval(struct interval i);

/*
 * Reads a file that may come from anybody: names, numbers, words and intervals in it are what formats.md says, whatever
 * has them; texts control no terminal. NULL with a fault that names file and member.
 */
json_t *json_read(const char *path, struct fault *f);

/* Members of a JSON object; NaN, "" where there is none or null. */
double json_num(const json_t *object, const char *key);
const char *json_text(const json_t *object, const char *key);
/* A pair of numbers, NaN where it is null. */
struct interval json_interval(const json_t *object, const char *key);

/* The first record of @list whose members have these texts: pairs of key and text, then NULL. */
const json_t *json_find(const json_t *list, ...) __attribute__((sentinel));

/* A text of a list, "" for what is none. */
const char *json_item(const json_t *item);
/* Whether a list of texts has this one. */
bool json_has_text(const json_t *list, const char *text);

int json_write(const json_t *j, const char *path, struct fault *f);

#endif
