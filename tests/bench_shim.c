/* SPDX-License-Identifier: GPL-2.0 */
/* The C API over Google Benchmark (bench/shim/gbench.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "gbench.h"

static char dir[] = "/tmp/gbench.XXXXXX";
static char json_path[64];
static int calls;

/* What a benchmark reports, and what became of each call. */
struct plan {
	double seconds;
	const char *label, *skip, *key;
	double value;
	int time_status, counter_status;
};

static void run_plan(struct gbench_state *state, void *ctx)
{
	struct plan *plan = ctx;

	calls++;
	plan->time_status = gbench_set_time(state, plan->seconds);
	if (plan->key)
		plan->counter_status = gbench_set_counter(state, plan->key, plan->value);
	if (plan->label)
		assert_int_equal(gbench_set_label(state, plan->label), 0);
	if (plan->skip)
		assert_int_equal(gbench_skip(state, plan->skip), 0);
}

static void run_nothing(struct gbench_state *state, void *ctx)
{
	(void)state;
	(void)ctx;
}

static json_t *load(void)
{
	json_error_t error;
	/* Twice the same member is an error here, and so is a bare NaN. */
	json_t *root = json_load_file(json_path, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("%s:%d: %s", json_path, error.line, error.text);
	return root;
}

/* The result called name. */
static json_t *result(json_t *root, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(root, "benchmarks"), i, one)
		if (!strcmp(json_string_value(json_object_get(one, "name")), name))
			return one;
	fail_msg("no result '%s'", name);
	return NULL;
}

static double real(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static void refused(int status, const char *text)
{
	assert_int_equal(status, -1);
	if (!strstr(gbench_error(), text) || strchr(gbench_error(), '\n'))
		fail_msg("'%s' is not one line with '%s'", gbench_error(), text);
}

static void test_init(void **state)
{
	(void)state;
	refused(gbench_init(NULL), "program");
	assert_int_equal(gbench_init("prog"), 0);
	assert_string_equal(gbench_error(), "");
	refused(gbench_init("prog"), "before");
	assert_int_equal(gbench_add_context("kernel", "7.2 \"quoted\"\n"), 0);
	refused(gbench_add_context("kernel", "7.3"), "there already");
	refused(gbench_add_context("host_name", "x"), "own");
	refused(gbench_add_context("", "x"), "needed");
	refused(gbench_add_context("x", NULL), "needed");
}

static void test_results(void **state)
{
	struct plan plain = {
		.seconds = 12.5e-9, .label = "a label", .key = "ticks/op", .value = 2.5
	};
	struct plan negative = { .seconds = -1e-9 },
		    skipped = { .seconds = 1, .skip = "no \"memory\"" };
	char host[256] = "";
	json_t *root, *context;
	char *text;

	(void)state;
	calls = 0;
	assert_int_equal(gbench_register("pair/64/1", run_plan, &plain, 400), 0);
	assert_int_equal(gbench_register("negative", run_plan, &negative, 1), 0);
	assert_int_equal(gbench_register("skipped", run_plan, &skipped, 7), 0);
	assert_int_equal(gbench_register("forgets its time", run_nothing, NULL, 7), 0);
	assert_int_equal(gbench_run(json_path, GBENCH_SILENT), 4);
	/* One call for all iterations, and no hidden ones. */
	assert_int_equal(calls, 3);

	root = load();
	assert_int_equal(json_array_size(json_object_get(root, "benchmarks")), 4);
	assert_float_equal(real(result(root, "pair/64/1"), "real_time"), 12.5, 1e-9);
	assert_float_equal(real(result(root, "pair/64/1"), "iterations"), 400, 0);
	assert_float_equal(real(result(root, "pair/64/1"), "ticks/op"), 2.5, 0);
	assert_string_equal(
		json_string_value(json_object_get(result(root, "pair/64/1"), "time_unit")), "ns");
	assert_string_equal(
		json_string_value(json_object_get(result(root, "pair/64/1"), "run_name")),
		"pair/64/1");
	assert_string_equal(json_string_value(json_object_get(result(root, "pair/64/1"), "label")),
			    "a label");
	assert_float_equal(real(result(root, "negative"), "real_time"), -1, 1e-9);
	assert_string_equal(
		json_string_value(json_object_get(result(root, "skipped"), "error_message")),
		"no \"memory\"");
	assert_string_equal(json_string_value(json_object_get(result(root, "forgets its time"),
							      "error_message")),
			    "the benchmark set no time");

	context = json_object_get(root, "context");
	assert_string_equal(json_string_value(json_object_get(context, "kernel")),
			    "7.2 \"quoted\"\n");
	assert_string_equal(json_string_value(json_object_get(context, "executable")), "prog");
	assert_null(json_object_get(context, "host_name"));
	assert_null(json_object_get(context, "mhz_per_cpu"));
	gethostname(host, sizeof(host) - 1);
	text = json_dumps(root, 0);
	assert_non_null(text);
	/* A name such as 'vm' may be in other words. */
	if (strlen(host) > 3)
		assert_null(strstr(text, host));
	free(text);
	json_decref(root);
}

static void test_bad_values(void **state)
{
	static const struct {
		const char *key;
		double value;
		int status;
	} cases[] = {
		{ "real_time", 1, -1 },	 { "cpu_time", 1, -1 }, { "name", 1, -1 },
		{ "iterations", 1, -1 }, { "label", 1, -1 },	{ "", 1, -1 },
		{ "x", NAN, -1 },	 { "x", INFINITY, -1 }, { "x", -INFINITY, -1 },
		{ "x", -0.5, 0 },	 { "a \"b\"", 1, 0 },
	};
	json_t *root;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct plan plan = { .seconds = 1, .key = cases[i].key, .value = cases[i].value };

		assert_int_equal(gbench_register("one", run_plan, &plan, 1), 0);
		assert_int_equal(gbench_run(json_path, GBENCH_SILENT), 1);
		assert_int_equal(plan.counter_status, cases[i].status);
		root = load();
		assert_float_equal(real(result(root, "one"), "real_time"), 1e9, 0);
		if (!cases[i].status)
			assert_float_equal(real(result(root, "one"), cases[i].key), cases[i].value,
					   0);
		json_decref(root);
	}
	for (int i = 0; i < 2; i++) {
		struct plan plan = { .seconds = i ? NAN : INFINITY };

		assert_int_equal(gbench_register("one", run_plan, &plan, 1), 0);
		assert_int_equal(gbench_run(json_path, GBENCH_SILENT), 1);
		assert_int_equal(plan.time_status, -1);
		root = load();
		assert_true(json_is_true(json_object_get(result(root, "one"), "error_occurred")));
		json_decref(root);
	}
}

static void test_register(void **state)
{
	struct plan plan = { .seconds = 1 };

	(void)state;
	refused(gbench_register("", run_plan, &plan, 1), "name");
	refused(gbench_register(NULL, run_plan, &plan, 1), "name");
	refused(gbench_register("a", NULL, &plan, 1), "function");
	refused(gbench_register("a", run_plan, &plan, 0), "at least 1");
	refused(gbench_register("a", run_plan, &plan, -1), "at least 1");
	assert_int_equal(gbench_run(NULL, GBENCH_SILENT), 0);
	assert_int_equal(gbench_register("a", run_plan, &plan, 1), 0);
	refused(gbench_register("a", run_plan, &plan, 1), "already");
	assert_int_equal(gbench_run(NULL, GBENCH_SILENT), 1);
	/* A run forgets what it ran. */
	assert_int_equal(gbench_register("a", run_plan, &plan, 1), 0);
	assert_int_equal(gbench_run(NULL, GBENCH_SILENT), 1);
}

/* A file that cannot be written is named; what was there before stays. */
static void test_files(void **state)
{
	struct plan plan = { .seconds = 1 };
	char part[80];

	(void)state;
	assert_int_equal(gbench_register("a", run_plan, &plan, 1), 0);
	refused(gbench_run("/nonexistent/x.json", GBENCH_SILENT), "/nonexistent/x.json");
	assert_int_equal(gbench_register("before", run_plan, &plan, 1), 0);
	assert_int_equal(gbench_run(json_path, GBENCH_SILENT), 1);
	snprintf(part, sizeof(part), "%s.part", json_path);
	assert_int_equal(access(part, F_OK), -1);
	/* A full disk. */
	assert_int_equal(symlink("/dev/full", part), 0);
	assert_int_equal(gbench_register("after", run_plan, &plan, 1), 0);
	refused(gbench_run(json_path, GBENCH_SILENT), "No space left");
	assert_int_equal(access(part, F_OK), -1);
	json_t *root = load();

	result(root, "before");
	json_decref(root);
}

static int setup(void **state)
{
	(void)state;
	/* What the library would take from the environment does not count. */
	setenv("BENCHMARK_REPETITIONS", "3", 1);
	setenv("BENCHMARK_FILTER", "none", 1);
	if (!mkdtemp(dir))
		return -1;
	snprintf(json_path, sizeof(json_path), "%s/run.json", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(json_path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),	   cmocka_unit_test(test_results),
		cmocka_unit_test(test_bad_values), cmocka_unit_test(test_register),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
