/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's events per operation (bench/driver/counting.h) over a module and a PMU that the test
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
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "counting.h"

#define CALL 5000000u /* events that a call costs in itself */
#define LOOP 6u	      /* of an operation's loop */
#define WORK 184u     /* of an operation */

static struct counters c;
static char dir[] = "/tmp/counting.XXXXXX";
static char json_path[64], text_path[64];

static struct {
	uint64_t events; /* since the counters were reset */
	unsigned int calls, members, disturb, fail_at, steal_at;
	bool one_op_less;
} fake;

/* In place of the module's ioctl, by the linker's --wrap. */
int __wrap_ioctl(int fd, unsigned long request, struct sheafbench_run *run);
int __wrap_ioctl(int fd, unsigned long request, struct sheafbench_run *run)
{
	assert_int_equal(fd, 77);
	assert_int_equal(request, SHEAFBENCH_IOC_RUN);
	assert_int_equal(run->samples, 1);
	assert_int_equal(run->seed, 9);
	assert_true(run->ops == 1000 || run->ops == 2000);
	assert_true(run->flags == SHEAFBENCH_BARE || run->flags == SHEAFBENCH_EMPTY);
	fake.calls++;
	if (fake.fail_at && fake.calls >= fake.fail_at) {
		snprintf(run->text, sizeof(run->text), "an allocation failed");
		errno = ENOMEM;
		return -1;
	}
	fake.events += CALL + run->ops * (run->flags == SHEAFBENCH_BARE ? LOOP + WORK : LOOP);
	/* An interrupt now and then. */
	if (fake.disturb && !(fake.calls % fake.disturb))
		fake.events += 12345;
	if (fake.one_op_less && run->flags == SHEAFBENCH_EMPTY && run->ops == 2000)
		run->ops--;
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
	bool apart, good;
};

static void run(struct gbench_state *state, void *ctx)
{
	const struct sheafbench_run like = { .size = 64, .n = 1, .seed = 9 };
	struct call *call = ctx;

	assert_int_equal(gbench_set_time(state, 1e-9), 0);
	call->good = counting_run(&c, call->file, state, "pair/64/1", 77, &like, call->apart);
}

/* One workload, counted; returns its JSON, and its lines in text. */
static json_t *count(bool apart, char *text, size_t size)
{
	struct call call = { .apart = apart };
	json_error_t error;
	json_t *root, *one;
	size_t length;

	fake.calls = 0;
	assert_int_equal(counters_choose(&c, &os, "core_cycles,instructions", EVENTS), 0);
	/* Without the kernel's own, whatever they are here. */
	c.count = 2;
	call.file = fopen(text_path, "w+");
	assert_non_null(call.file);
	counting_plan(&c, call.file);
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
	memset(&fake, 0, sizeof(fake));
	one = count(false, text, sizeof(text));
	is(one, "instructions_per_op", WORK);
	is(one, "core_cycles_per_op", 2 * WORK);
	is(one, "instructions_per_cycle", 0.5);
	json_decref(one);
	/* Four kinds of calls, repeated, of both events at once. */
	assert_int_equal(fake.calls, 4 * 32);
	assert_int_equal(c.passes, 1);
	assert_non_null(strstr(text, "# sheafbench-counters 1\n# table amd-zen4 pmu "
				     "amd64_fam19h_zen4 nmi_watchdog "));
	assert_non_null(strstr(
		text, "\npair/64/1\tinstructions\tamd64_fam19h_zen4::RETIRED_INSTRUCTIONS\t1\t1000"
		      "\t190000 190000 "));
	assert_non_null(strstr(text, " 190000\t6000 6000 "));
	assert_non_null(strstr(text, " 6000\t\n"));
	assert_null(strstr(text, "n/a"));
}

/* A disturbed call in each fourth repetition changes no median. */
static void test_disturbed(void **state)
{
	char text[8192];
	json_t *one;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.disturb = 15;
	one = count(false, text, sizeof(text));
	is(one, "instructions_per_op", WORK);
	is(one, "instructions_per_cycle", 0.5);
	json_decref(one);
	assert_non_null(strstr(text, "202345"));
}

/* No number in the JSON, a reason in the file. */
static void none(bool apart, const char *why)
{
	char text[8192], line[256];
	json_t *one = count(apart, text, sizeof(text));

	assert_null(json_object_get(one, "instructions_per_op"));
	assert_null(json_object_get(one, "core_cycles_per_op"));
	assert_null(json_object_get(one, "instructions_per_cycle"));
	json_decref(one);
	snprintf(line, sizeof(line),
		 "\npair/64/1\tinstructions\tamd64_fam19h_zen4::RETIRED_INSTRUCTIONS\t1\tn/a\tn/a"
		 "\tn/a\t%s\n",
		 why);
	if (!strstr(text, line))
		fail_msg("no '%s' in '%s'", line, text);
}

static void test_reasons(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	none(true, "what else a pass of the module does is counted with it");
	assert_int_equal(fake.calls, 0);
	fake.fail_at = 50;
	none(false, "the run failed: an allocation failed");
	fake.fail_at = 0;
	fake.steal_at = 3;
	none(false, "no counter is free");
	fake.steal_at = 0;
	fake.one_op_less = true;
	none(false, "2n operations are 1000 more than n with the allocator, 999 without");
}

static int setup(void **state)
{
	(void)state;
	setenv("LIBPFM_FORCE_PMU", "amd64_fam19h_zen4", 1);
	if (!mkdtemp(dir))
		return -1;
	snprintf(json_path, sizeof(json_path), "%s/run.json", dir);
	snprintf(text_path, sizeof(text_path), "%s/counters.tsv", dir);
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
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_disturbed),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
