/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's events per operation (bench/driver/run_counters.h) over a module and a PMU that the test
 * makes up: what a call costs is known, and so is what has to be found.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "run_counters.h"

#define SWITCH 1500u /* events that switching the group costs in a region */
#define LOOP   6u    /* of an operation's loop */
#define WORK   184u  /* of an operation */

static struct counters c;
static char dir[] = "/tmp/bench_counters.XXXXXX";
static char json_path[64], text_path[64];

static struct {
	uint64_t events; /* since the counters were reset */
	unsigned int calls, members, disturb, fail_at, steal_at;
	uint32_t counted[2]; /* in a region, by the last calls */
} fake;

/* What is counted: the run that gave the samples, the workload's flags, its part. */
static struct {
	struct sheafbench_run run;
	uint32_t flags, part;
} workload;

/* In place of the module's ioctl, by the linker's --wrap. */
int __wrap_ioctl(int fd, unsigned long request, struct sheafbench_run *run);
int __wrap_ioctl(int fd, unsigned long request, struct sheafbench_run *run)
{
	uint32_t ops = run->n;

	assert_int_equal(fd, 77);
	assert_int_equal(request, SHEAFBENCH_IOC_RUN);
	assert_int_equal(run->samples, 1);
	assert_int_equal(run->seed, 9);
	assert_int_equal(run->group, 101);
	assert_int_equal(run->n, workload.run.n);
	assert_int_equal(run->order, workload.run.order);
	assert_int_equal(run->part, workload.part);
	assert_int_equal(run->ops, workload.flags & SHEAFBENCH_HOLDS ? 2000 : 250);
	fake.counted[fake.calls & 1] = run->counted;
	if (workload.flags & SHEAFBENCH_HOLDS)
		ops = run->n == 1 || run->order == SHEAFBENCH_LIFO ? run->ops : run->n - 1;
	assert_true(ops && ops <= SHEAFBENCH_MAX_N && run->counted <= ops);
	run->regions = (run->ops + ops - 1) / ops;
	assert_true(run->flags == SHEAFBENCH_BARE || run->flags == SHEAFBENCH_EMPTY);
	fake.calls++;
	if (fake.fail_at && fake.calls >= fake.fail_at) {
		snprintf(run->text, sizeof(run->text), "an allocation failed");
		errno = ENOMEM;
		return -1;
	}
	fake.events +=
		run->regions *
		(SWITCH + run->counted * (run->flags == SHEAFBENCH_BARE ? LOOP + WORK : LOOP));
	/* An interrupt now and then. */
	if (fake.disturb && !(fake.calls % fake.disturb))
		fake.events += 12345;
	return 0;
}

static int fake_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group,
		     unsigned long flags)
{
	(void)attr;
	(void)pid;
	(void)cpu;
	(void)flags;
	fake.members = group < 0 ? 1 : fake.members + 1;
	return 100 + fake.members;
}

static int fake_control(int fd, unsigned long request, unsigned long arg)
{
	(void)fd;
	(void)arg;
	if (request == PERF_EVENT_IOC_RESET)
		fake.events = 0;
	return 0;
}

/* core_cycles count two for each of the instructions. */
static ssize_t fake_read(int fd, void *buffer, size_t size)
{
	const uint64_t group[] = { fake.members, 1000, 1000, 2 * fake.events, fake.events };
	const size_t all = (3 + fake.members) * sizeof(*group);

	(void)fd;
	if (fake.steal_at && fake.calls >= fake.steal_at)
		return 0;
	assert_true(all <= sizeof(group) && all <= size);
	memcpy(buffer, group, all);
	return all;
}

static int fake_close(int fd)
{
	(void)fd;
	return 0;
}

static const struct counters_os os = { fake_open, fake_control, fake_read, fake_close, "" };

struct call {
	FILE *file;
	bool good;
};

static void run(struct gbench_state *state, void *ctx)
{
	struct call *call = ctx;

	assert_int_equal(gbench_set_time(state, 1e-9), 0);
	call->good = run_counters(&c, call->file, state, "pair/64/1", 77, &workload.run,
				  workload.flags, workload.part);
}

/* One workload, counted; returns its JSON, and its lines in text. */
static json_t *count(char *text, size_t size)
{
	struct call call = { 0 };
	json_error_t error;
	json_t *root, *one;
	size_t length;

	fake.calls = 0;
	assert_int_equal(counters_choose(&c, &os, "core_cycles,instructions", EVENTS), 0);
	/* Without the kernel's own, whatever they are here. */
	c.count = 2;
	call.file = fopen(text_path, "w+");
	assert_non_null(call.file);
	run_counters_plan(&c, call.file);
	assert_int_equal(gbench_register("pair/64/1", run, &call, 1), 0);
	assert_int_equal(gbench_run(json_path, GBENCH_SILENT), 1);
	assert_true(call.good);
	rewind(call.file);
	length = fread(text, 1, size - 1, call.file);
	text[length] = '\0';
	fclose(call.file);
	root = json_load_file(json_path, JSON_REJECT_DUPLICATES, &error);
	assert_non_null(root);
	one = json_incref(json_array_get(json_object_get(root, "benchmarks"), 0));
	json_decref(root);
	return one;
}

/* fake and workload as they are at the start of each test: pairs of one object. */
static void begin(uint32_t flags, uint32_t n, uint32_t order, uint32_t part)
{
	memset(&fake, 0, sizeof(fake));
	workload.run = (struct sheafbench_run){ .size = 64, .n = n, .order = order, .seed = 9 };
	workload.flags = flags;
	workload.part = part;
}

static void is(const json_t *one, const char *key, double value)
{
	const json_t *member = json_object_get(one, key);

	assert_true(json_is_number(member));
	assert_float_equal(json_number_value(member), value, 0);
}

static void test_exact(void **state)
{
	char text[8192];
	json_t *one;

	(void)state;
	begin(SHEAFBENCH_HOLDS, 1, SHEAFBENCH_LIFO, 0);
	one = count(text, sizeof(text));
	is(one, "instructions_per_op", WORK);
	is(one, "core_cycles_per_op", 2 * WORK);
	is(one, "instructions_per_cycle", 0.5);
	json_decref(one);
	/* Four kinds of calls, repeated, of both events at once. */
	assert_int_equal(fake.calls, 4 * 31);
	assert_int_equal(c.passes, 1);
	assert_non_null(strstr(text, "# sheafbench-counters 2\n# table amd-zen4 pmu "
				     "amd64_fam19h_zen4 nmi_watchdog "));
	assert_non_null(strstr(
		text, "\npair/64/1\tinstructions\tamd64_fam19h_zen4::RETIRED_INSTRUCTIONS\t1\t1000"
		      "\t381500 381500 "));
	assert_non_null(strstr(text, " 381500\t191500 191500 "));
	assert_non_null(strstr(text, " 191500\t13500 13500 "));
	assert_non_null(strstr(text, " 13500\t7500 7500 "));
	assert_non_null(strstr(text, " 7500\t\n"));
	assert_null(strstr(text, "n/a"));
}

/* Of whatever shape, the operations are found, and each kind of call is made as often. */
static void test_shapes(void **state)
{
	static const struct {
		uint32_t flags, n, order, part, fewer, many, ops;
	} shapes[] = {
		{ SHEAFBENCH_HOLDS, 8, SHEAFBENCH_LIFO, 0, 1000, 2000, 1000 },
		{ SHEAFBENCH_HOLDS, 8, SHEAFBENCH_FIFO, 0, 3, 7, 4 * 286 },
		{ SHEAFBENCH_HOLDS, 2048, SHEAFBENCH_SHUFFLED, 0, 1023, 2047, 1024 },
		{ 0, 1, SHEAFBENCH_LIFO, 0, 0, 1, 250 },
		{ 0, 32, SHEAFBENCH_FIFO, 0, 0, 32, 8 * 32 },
		{ 0, 2048, SHEAFBENCH_SHUFFLED, 1, 0, 2048, 2048 },
	};
	char text[8192], ops[32];
	json_t *one;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		begin(shapes[i].flags, shapes[i].n, shapes[i].order, shapes[i].part);
		one = count(text, sizeof(text));
		is(one, "instructions_per_op", WORK);
		json_decref(one);
		assert_int_equal(fake.calls, 4 * 31);
		assert_int_equal(fake.counted[0], shapes[i].many);
		assert_int_equal(fake.counted[1], shapes[i].fewer);
		snprintf(ops, sizeof(ops), "\t1\t%u\t", shapes[i].ops);
		if (!strstr(text, ops))
			fail_msg("no '%s' in '%s'", ops, text);
	}
}

/* A disturbed call in each fourth or so of its kind changes no median. */
static void test_disturbed(void **state)
{
	char text[8192];
	json_t *one;

	(void)state;
	begin(SHEAFBENCH_HOLDS, 1, SHEAFBENCH_LIFO, 0);
	fake.disturb = 15;
	one = count(text, sizeof(text));
	is(one, "instructions_per_op", WORK);
	is(one, "instructions_per_cycle", 0.5);
	json_decref(one);
	assert_non_null(strstr(text, " 393845 "));
}

/* No number in the JSON, a reason in the file. */
static void none(const char *why)
{
	char text[8192], line[256];
	json_t *one = count(text, sizeof(text));

	assert_null(json_object_get(one, "instructions_per_op"));
	assert_null(json_object_get(one, "core_cycles_per_op"));
	assert_null(json_object_get(one, "instructions_per_cycle"));
	json_decref(one);
	snprintf(line, sizeof(line),
		 "\npair/64/1\tinstructions\tamd64_fam19h_zen4::RETIRED_INSTRUCTIONS\t1\tn/a\tn/a"
		 "\tn/a\tn/a\tn/a\t%s\n",
		 why);
	if (!strstr(text, line))
		fail_msg("no '%s' in '%s'", line, text);
}

static void test_reasons(void **state)
{
	(void)state;
	begin(SHEAFBENCH_PEER, 1, SHEAFBENCH_LIFO, 0);
	none("others' loops are only timed");
	assert_int_equal(fake.calls, 0);
	begin(SHEAFBENCH_HOLDS, 1, SHEAFBENCH_LIFO, 0);
	fake.fail_at = 50;
	none("the run failed: an allocation failed");
	fake.fail_at = 0;
	fake.steal_at = 3;
	none("no counter is free");
}

/* perf stat: what it is given, and what becomes of its answers. */
static char perf_path[64];

static void put_perf(const char *body)
{
	FILE *file = fopen(perf_path, "we");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", body);
	fclose(file);
	assert_int_equal(chmod(perf_path, 0700), 0);
}

struct check_call {
	struct run_counters_check check;
	FILE *file;
};

static void check(struct gbench_state *state, void *ctx)
{
	struct check_call *call = ctx;

	assert_int_equal(gbench_set_time(state, 1e-9), 0);
	assert_true(run_counters_check(&c, call->file, state, "pair/64/1", &call->check));
}

/* Returns the JSON of a check by the script, and its lines in text. */
static json_t *check_with(const char *body, char *text, size_t size)
{
	struct check_call call = {
		.check = { .perf = perf_path, .self = "/driver", .device = "/dev/x" },
		.file = fopen(text_path, "w+e"),
	};
	json_error_t error;
	json_t *root, *one;

	if (body)
		put_perf(body);
	assert_non_null(call.file);
	assert_int_equal(gbench_register("pair/64/1", check, &call, 1), 0);
	assert_int_equal(gbench_run(json_path, GBENCH_SILENT), 1);
	rewind(call.file);
	text[fread(text, 1, size - 1, call.file)] = '\0';
	fclose(call.file);
	root = json_load_file(json_path, JSON_REJECT_DUPLICATES, &error);
	assert_non_null(root);
	one = json_incref(json_array_get(json_object_get(root, "benchmarks"), 0));
	json_decref(root);
	return one;
}

/* What the process costs is 1000000; an operation 6, and 184 more unless it is empty. */
#define PERF                                                                              \
	"[ \"$1 $2 $3 $4 $6 $7 $8\" = 'stat -x , -o -e cycles:k,instructions:k --' ] || " \
	"exit 3\nout=$5; shift 8; [ \"$*\" = \"/driver --device /dev/x --workloads "      \
	"^pair/64/1\\$ --ops 102400 --samples $9 --calls ${11}\" ] || exit 4\n"           \
	"case ${11} in bare) each=190 ;; empty) each=6 ;; *) exit 5 ;; esac\n"            \
	"n=$((1000000 + $9 * 102400 * each))\n"

static void test_perf(void **state)
{
	static const struct {
		const char *body, *why;
	} bad[] = {
		{ "exit 1", "perf stat failed (status 0x100)" },
		{ "exit 0", "perf stat told nothing" },
		{ "echo '<not supported>,,cycles:k,0,100.00,,' >$5",
		  "perf stat: cycles:k <not supported>" },
		{ "echo '12,,cycles:k,10,49.00,,' >$5",
		  "perf stat: cycles:k was counted 49.00 % of the time" },
		{ "echo '12,,cycles:k,10,100.00,,' >$5", "perf stat told nothing" },
		{ "echo 12 >$5", "perf stat:  12" },
	};
	char text[8192];
	json_t *one;

	(void)state;
	begin(SHEAFBENCH_HOLDS, 1, SHEAFBENCH_LIFO, 0);
	json_decref(count(text, sizeof(text)));
	unlink(perf_path);
	one = check_with(NULL, text, sizeof(text));
	assert_null(json_object_get(one, "perf_instructions_per_op"));
	assert_non_null(strstr(text, "pair/64/1\tperf_instructions\tinstructions:k\t2\tn/a\tn/a"
				     "\tn/a\tn/a\tn/a\tthere is no perf here\n"));
	json_decref(one);
	one = check_with(PERF "printf '# by\\n\\n%d,,cycles:k,9,100.00,,\\n%d,,instructions:k,9,"
			      "100.00,,\\n' $((n * 2)) $n >$out",
			 text, sizeof(text));
	is(one, "perf_instructions_per_op", WORK);
	is(one, "perf_core_cycles_per_op", 2 * WORK);
	assert_non_null(strstr(text, "\tperf_instructions\tinstructions:k\t2\t204800\t59368000 "));
	json_decref(one);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		one = check_with(bad[i].body, text, sizeof(text));
		assert_null(json_object_get(one, "perf_instructions_per_op"));
		if (!strstr(text, bad[i].why))
			fail_msg("no '%s' in '%s'", bad[i].why, text);
		json_decref(one);
	}
	unlink(perf_path);
}

static int setup(void **state)
{
	(void)state;
	setenv("LIBPFM_FORCE_PMU", "amd64_fam19h_zen4", 1);
	if (!mkdtemp(dir))
		return -1;
	snprintf(json_path, sizeof(json_path), "%s/run.json", dir);
	snprintf(text_path, sizeof(text_path), "%s/counters.tsv", dir);
	snprintf(perf_path, sizeof(perf_path), "%s/perf", dir);
	return gbench_init("prog");
}

static int teardown(void **state)
{
	(void)state;
	unlink(json_path);
	unlink(text_path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),	  cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_disturbed), cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_perf),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
