/* SPDX-License-Identifier: GPL-2.0 */
/*
 * harness/counters over a kernel that the test makes up: a PMU with so many counters, and
 * whatever can go wrong. Each test is a process, since libpfm4 finds out what CPU this is once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <perfmon/pfmlib_perf_event.h>

#include "counters.h"

#define MOST  64
#define FIRST 100 /* the first file descriptor */

static struct counters c;
static char root[] = "/tmp/counters.XXXXXX";

/* The kernel that is made up. */
static struct {
	int hardware;	    /* counters of the PMU */
	int taken;	    /* of those, held by others: seen when a group is to run only */
	bool no_events;	    /* at all */
	int open_error;	    /* of hardware events */
	uint64_t bad_event; /* config that is refused with EINVAL */
	int control_error, read_error;
	int enabled, running; /* ns that each reading adds; running -1: as enabled */
	ssize_t short_by;
	uint64_t step; /* what each event counts: step times its config, plus 1 */
	/* what it was told */
	int files, opens, most_files, enables, closes;
	struct {
		struct perf_event_attr attr;
		int leader, cpu;
		pid_t pid;
		bool open;
	} file[MOST];
} kernel;

static bool is_software(int i)
{
	return kernel.file[i].attr.type == PERF_TYPE_SOFTWARE;
}

static int group_size(int leader, bool hardware)
{
	int size = 0;

	for (int i = 0; i < MOST; i++)
		size += kernel.file[i].open && kernel.file[i].leader == leader &&
			(!hardware || !is_software(i));
	return size;
}

static int fake_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group,
		     unsigned long flags)
{
	int at = 0;

	assert_int_equal(flags, PERF_FLAG_FD_CLOEXEC);
	assert_int_equal(attr->exclude_kernel, 0);
	assert_int_equal(attr->inherit, 0);
	assert_int_equal(attr->sample_period, 0);
	/* Users are of no interest, but their page faults are the kernel's. */
	assert_int_equal(attr->exclude_user, attr->type != PERF_TYPE_SOFTWARE);
	/* Only a leader may be pinned, and it starts the others. */
	assert_int_equal(attr->pinned, group < 0);
	assert_int_equal(attr->disabled, group < 0);
	kernel.opens++;
	if (kernel.no_events) {
		errno = ENOSYS;
		return -1;
	}
	if (kernel.open_error && attr->type != PERF_TYPE_SOFTWARE) {
		errno = kernel.open_error;
		return -1;
	}
	if (kernel.bad_event && attr->config == kernel.bad_event &&
	    attr->type != PERF_TYPE_SOFTWARE) {
		errno = EINVAL;
		return -1;
	}
	while (kernel.file[at].open)
		at++;
	assert_true(at < MOST);
	if (group >= FIRST)
		assert_true(kernel.file[group - FIRST].open);
	if (attr->type != PERF_TYPE_SOFTWARE && group >= 0 &&
	    group_size(group - FIRST, true) == kernel.hardware) {
		errno = EINVAL;
		return -1;
	}
	kernel.file[at].attr = *attr;
	kernel.file[at].leader = group < 0 ? at : group - FIRST;
	kernel.file[at].open = true;
	kernel.file[at].pid = pid;
	kernel.file[at].cpu = cpu;
	if (++kernel.files > kernel.most_files)
		kernel.most_files = kernel.files;
	return FIRST + at;
}

static int fake_control(int fd, unsigned long request, unsigned long arg)
{
	assert_true(kernel.file[fd - FIRST].open);
	assert_int_equal(kernel.file[fd - FIRST].leader, fd - FIRST);
	/* The members follow their leader. */
	assert_int_equal(arg, request == PERF_EVENT_IOC_RESET ? PERF_IOC_FLAG_GROUP : 0);
	kernel.enables += request == PERF_EVENT_IOC_ENABLE;
	errno = kernel.control_error;
	return kernel.control_error ? -1 : 0;
}

static ssize_t fake_read(int fd, void *buffer, size_t size)
{
	const int leader = fd - FIRST;
	uint64_t *out = buffer;
	int at = 3;

	if (kernel.read_error) {
		errno = kernel.read_error;
		return -1;
	}
	if (group_size(leader, true) > kernel.hardware - kernel.taken)
		return 0;
	out[0] = group_size(leader, false);
	assert_true(size >= (3 + out[0]) * sizeof(*out));
	out[1] = kernel.enabled;
	out[2] = kernel.running < 0 ? kernel.enabled : kernel.running;
	for (int i = 0; i < MOST; i++)
		if (kernel.file[i].open && kernel.file[i].leader == leader)
			out[at++] = kernel.file[i].attr.config * kernel.step + 1;
	return at * sizeof(*out) - kernel.short_by;
}

static int fake_close(int fd)
{
	assert_true(kernel.file[fd - FIRST].open);
	kernel.file[fd - FIRST].open = false;
	kernel.files--;
	kernel.closes++;
	return 0;
}

static const struct counters_os fake = {
	fake_open, fake_control, fake_read, fake_close, root,
};

static void put(const char *path, const char *text)
{
	char name[256], *slash = name;
	FILE *file;

	snprintf(name, sizeof(name), "%s%s", root, path);
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		mkdir(name, 0700);
		*slash = '/';
	}
	file = fopen(name, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* This machine with another CPU, as libpfm4 sees it; NULL is the one that it has. */
static void on_cpu(const char *pmu)
{
	if (pmu)
		setenv("LIBPFM_FORCE_PMU", pmu, 1);
	memset(&kernel, 0, sizeof(kernel));
	kernel.hardware = 6;
	kernel.enabled = 1000;
	kernel.running = -1;
	kernel.step = 1;
}

static void choose(const char *list)
{
	if (counters_choose(&c, &fake, list, EVENTS))
		fail_msg("%s: %s", list, c.error);
}

static void refuse(const char *list, const char *text)
{
	assert_int_equal(counters_choose(&c, &fake, list, EVENTS), -1);
	if (!strstr(c.error, text) || strchr(c.error, '\n'))
		fail_msg("'%s' is not one line with '%s'", c.error, text);
}

static const struct counter *get(const char *metric)
{
	const struct counter *counter = counters_find(&c, metric);

	if (!counter)
		fail_msg("no '%s'", metric);
	return counter;
}

/* Each counter has a pass or a reason, never both and never neither. */
static void check_plan(void)
{
	for (unsigned int i = 0; i < c.count; i++)
		assert_int_equal(!c.counter[i].pass, !!*c.counter[i].reason);
	assert_int_equal(kernel.files, 0);
}

static void why(const char *metric, const char *text)
{
	const struct counter *counter = get(metric);

	assert_int_equal(counter->pass, 0);
	if (!strstr(counter->reason, text))
		fail_msg("%s: '%s' is without '%s'", metric, counter->reason, text);
}

static void test_nothing(void **state)
{
	(void)state;
	on_cpu(NULL);
	choose("none");
	assert_int_equal(c.count, 0);
	choose("");
	counters_plan(&c, 1);
	assert_int_equal(c.count + c.passes + kernel.opens, 0);
}

static void test_automatic(void **state)
{
	uint64_t values[COUNTERS_MOST] = { 0 };
	const struct counter *one;

	(void)state;
	on_cpu("amd64_fam19h_zen4");
	choose("auto");
	assert_string_equal(c.table, "amd-zen4");
	assert_string_equal(c.pmu, "amd64_fam19h_zen4");
	assert_string_equal(get("instructions")->event, "amd64_fam19h_zen4::RETIRED_INSTRUCTIONS");
	counters_plan(&c, 3);
	/* Without a forced PMU 'perf' and 'perf_raw' would be there as well. */
	why("page_faults", "libpfm4's table");
	why("locked_ops", "libpfm4's table");
	check_plan();
	/* Ten events, six counters. */
	assert_int_equal(c.passes, 2);
	assert_int_equal(get("core_cycles")->pass, 1);
	assert_int_equal(get("instructions")->pass, 1);
	assert_int_equal(kernel.most_files, 6);

	assert_int_equal(counters_open(&c, 1), 0);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(kernel.file[i].cpu, 3);
		assert_int_equal(kernel.file[i].pid, -1);
	}
	assert_int_equal(counters_begin(&c), 0);
	assert_int_equal(counters_end(&c, values), 0);
	for (unsigned int i = 0; i < c.count; i++) {
		one = &c.counter[i];
		assert_int_equal(values[i], one->pass == 1 ? one->attr.config + 1 : 0);
	}
	assert_int_equal(counters_open(&c, 2), 0);
	counters_close(&c);
	assert_int_equal(kernel.files, 0);
	assert_int_equal(counters_open(&c, 3), -1);
	assert_int_equal(counters_begin(&c), -1);
	assert_int_equal(counters_end(&c, values), -1);
}

/* The software events do not count on the PMU, and go in a pass of their own. */
static void test_software(void **state)
{
	(void)state;
	on_cpu(NULL);
	kernel.open_error = ENOENT;
	put("/proc/cpuinfo", "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 1\nflags\t\t: "
			     "fpu hypervisor de\n");
	choose("generic");
	counters_plan(&c, 0);
	check_plan();
	assert_int_equal(c.passes, 1);
	assert_int_equal(get("context_switches")->pass, 1);
	assert_int_equal(get("cpu_migrations")->pass, 1);
	assert_int_equal(get("page_faults")->pass, 1);
	why("core_cycles", "no PMU in this guest");
	why("locked_ops", "the kernel has no name");
	put("/proc/cpuinfo", "flags\t\t: fpu de\n");
	choose("generic");
	counters_plan(&c, 0);
	why("core_cycles", "no PMU in this machine");
}

static void test_refusals(void **state)
{
	static const struct {
		int error;
		const char *text;
	} cases[] = {
		{ ENOSYS, "this kernel has no performance events" },
		{ EACCES, "perf_event_paranoid=3: root" },
		{ EPERM, "perf_event_paranoid=3: root" },
		{ ENOENT, "no PMU in this" },
		{ EOPNOTSUPP, "no PMU in this" },
		{ EINVAL, "refuses the event" },
		{ ENODEV, "CPU 7 is not online" },
		{ EBUSY, "for itself" },
		{ EMFILE, "open files" },
		{ EIO, "Input/output error" },
	};
	char path[64];

	(void)state;
	on_cpu(NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		kernel.open_error = cases[i].error;
		choose("generic");
		counters_plan(&c, 7);
		check_plan();
		why("instructions", cases[i].text);
	}
	snprintf(path, sizeof(path), "%s/proc/sys/kernel/perf_event_paranoid", root);
	unlink(path);
	kernel.open_error = EPERM;
	choose("generic");
	counters_plan(&c, 7);
	why("instructions", "not allowed");
}

/* One event that the PMU refuses costs the others nothing. */
static void test_bad_event(void **state)
{
	(void)state;
	on_cpu("amd64_fam19h_zen4");
	kernel.bad_event = 0xc2;
	choose("auto");
	counters_plan(&c, 1);
	check_plan();
	why("branches", "refuses the event");
	assert_int_equal(get("branch_misses")->pass, 1);
}

/* The kernel lets a group in, but a counter is taken: fewer in a group, and all are counted. */
static void test_watchdog(void **state)
{
	uint64_t values[COUNTERS_MOST];

	(void)state;
	on_cpu("amd64_fam19h_zen4");
	put("/proc/sys/kernel/nmi_watchdog", "1\n");
	kernel.hardware = 4;
	kernel.taken = 1;
	choose("auto");
	counters_plan(&c, 1);
	check_plan();
	assert_true(c.nmi_watchdog);
	assert_int_equal(c.passes, 4);
	/* Later somebody takes one more: no value, not 0. */
	kernel.taken = 2;
	memset(values, 0xff, sizeof(values));
	assert_int_equal(counters_open(&c, 1), 0);
	assert_int_equal(counters_begin(&c), 0);
	assert_int_equal(counters_end(&c, values), -1);
	assert_non_null(strstr(c.error, "NMI watchdog holds one"));
	assert_true(values[0] == UINT64_MAX);
	counters_close(&c);
	/* None free at all. */
	kernel.taken = 4;
	put("/proc/sys/kernel/nmi_watchdog", "0\n");
	choose("auto");
	counters_plan(&c, 1);
	check_plan();
	assert_false(c.nmi_watchdog);
	assert_int_equal(c.passes, 0);
	why("instructions", "no counter is free");
}

static void test_readings(void **state)
{
	uint64_t values[COUNTERS_MOST];

	(void)state;
	on_cpu("amd64_fam19h_zen4");
	choose("core_cycles,instructions");
	assert_int_equal(c.count, 2 + 3);
	counters_plan(&c, 1);
	assert_int_equal(counters_open(&c, 1), 0);
#define BAD(setting, text)                                                   \
	do {                                                                 \
		setting;                                                     \
		memset(values, 0xff, sizeof(values));                        \
		assert_true(counters_begin(&c) || counters_end(&c, values)); \
		if (!strstr(c.error, text))                                  \
			fail_msg("'%s' is without '%s'", c.error, text);     \
		assert_true(values[0] == UINT64_MAX);                        \
	} while (0)
	BAD(kernel.running = 999, "multiplexed: counted 999 of 1000 ns");
	BAD(kernel.running = 0, "multiplexed: counted 0 of 1000 ns");
	kernel.running = -1;
	BAD(kernel.enabled = 0, "not started");
	kernel.enabled = 1000;
	BAD(kernel.short_by = 8, "32 bytes, not 40");
	kernel.short_by = 0;
	BAD(kernel.read_error = EIO, "Input/output error");
	kernel.read_error = 0;
	BAD(kernel.control_error = ENOTTY, "cannot be reset");
	kernel.control_error = 0;
	assert_int_equal(counters_begin(&c), 0);
	kernel.control_error = EIO;
	assert_int_equal(counters_end(&c, values), -1);
	assert_non_null(strstr(c.error, "cannot be stopped"));
	kernel.control_error = 0;
	/* None of that lasts. */
	assert_int_equal(counters_begin(&c), 0);
	assert_int_equal(counters_end(&c, values), 0);
	assert_int_equal(values[0], 0x77);
	counters_close(&c);
	/* A group that is multiplexed from the start is planned for nothing. */
	kernel.running = 500;
	choose("core_cycles,instructions");
	counters_plan(&c, 1);
	check_plan();
	why("instructions", "multiplexed");
}

static void test_words(void **state)
{
	char many[4096] = "";

	(void)state;
	on_cpu("skx");
	refuse("INST_RETIREDD", "nearest: INST_RETIRED, ");
	refuse("core_cycle", "nearest: core_cycles, ");
	refuse("autoo", "'autoo' is not known");
	refuse("skx::INST_RETIRD", "nearest: INST_RETIRED, ");
	refuse("nopmu::INST_RETIRED", "no PMU 'nopmu'");
	refuse("INST_RETIRED:NO_MASK", "INST_RETIRED:NO_MASK");
	refuse("instructions,nonsense", "'nonsense' is not known");
	refuse("0123456789012345678901234567890123456789012345678901234567890123456789", "longer");
	/* Known, but of another CPU; and of one whose PMUs this libpfm4 may be built without. */
	choose("RETIRED_INSTRUCTIONS,CPU_CYCLES");
	why("RETIRED_INSTRUCTIONS", "not in libpfm4's table for this CPU");
	why("CPU_CYCLES", "not in libpfm4's table for this CPU");
	choose("amd-zen4");
	why("instructions", "not in libpfm4's table for this CPU");
	for (int i = 0; i < COUNTERS_MOST; i++)
		sprintf(many + strlen(many), "%sskx::INST_RETIRED:ANY_P:c=%d", i ? "," : "", i);
	refuse(many, "more than 39 events");
	/* Twice the same is once; a metric's case does not matter. */
	choose("instructions,INSTRUCTIONS,auto,intel-skl");
	assert_string_equal(get("instructions")->event, "skx::INST_RETIRED:ANY_P");
	for (unsigned int i = 1; i < c.count; i++)
		assert_string_not_equal(c.counter[i].metric, "instructions");
	choose("MEM_INST_RETIRED:LOCK_LOADS");
	assert_int_equal(get("MEM_INST_RETIRED:LOCK_LOADS")->attr.config, 0x21d0);
	assert_int_equal(counters_choose(&c, &fake, "auto", "/nonexistent"), -1);
	assert_non_null(strstr(c.error, "no event sets in /nonexistent"));
}

/* A CPU that libpfm4 does not know is found by its numbers, and gets raw codes. */
static void test_raw(void **state)
{
	(void)state;
	on_cpu(NULL);
	/* None of libpfm4's PMUs is here. */
	setenv("LIBPFM_FORCE_PMU", "perf_raw", 1);
	put("/proc/cpuinfo",
	    "vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD\n");
	choose("auto");
	assert_string_equal(c.table, "amd-zen5");
	assert_string_equal(c.pmu, "");
	assert_int_equal(get("locked_ops")->attr.config, 0x1f25);
	assert_int_equal(get("locked_ops")->attr.type, PERF_TYPE_RAW);
	put("/proc/cpuinfo", "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 173\n");
	choose("auto");
	assert_string_equal(c.table, "intel-glc");
	put("/proc/cpuinfo", "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 17\n");
	choose("auto");
	assert_string_equal(c.table, "generic");
	why("instructions", "not in libpfm4's table");
}

/* As on uml: libpfm4 finds nothing, and the kernel says so in its own way. */
static void test_no_kernel(void **state)
{
	char path[128];

	(void)state;
	on_cpu("amd64_k7");
	setenv("LIBPFM_FORCE_PMU", "perf_raw", 1);
	snprintf(path, sizeof(path), "%s/proc/sys/kernel/perf_event_paranoid", root);
	unlink(path);
	kernel.no_events = true;
	choose("auto,INST_RETIRED");
	counters_plan(&c, 0);
	check_plan();
	assert_int_equal(c.passes, 0);
	why("instructions", "this kernel has no performance events");
	why("INST_RETIRED", "this kernel has no performance events");
	why("page_faults", "this kernel has no performance events");
	kernel.no_events = false;
	choose("auto");
	counters_plan(&c, 0);
	check_plan();
	why("instructions", "the sysctl perf_event_paranoid");
}

/* Arm's kernel counts 0 of what its PMU lacks; the list in sysfs tells. */
static void test_absent(void **state)
{
	pfm_pmu_info_t info = { .size = sizeof(info) };

	(void)state;
	on_cpu("amd64_fam19h_zen4");
	choose("core_cycles,branches");
	assert_int_equal(pfm_get_pmu_info(PFM_PMU_AMD64_FAM19H_ZEN4, &info), PFM_SUCCESS);
	for (int i = 0; i < 2; i++)
		snprintf(c.counter[i].event, sizeof(c.counter[i].event), "arm_n1::EVENT%d", i);
	c.counter[0].attr.config = 0x11;
	c.counter[1].attr.config = 0x21;
	put("/sys/bus/event_source/devices/armv8_pmuv3_0/events/cpu_cycles", "event=0x0011\n");
	counters_plan(&c, 1);
	check_plan();
	assert_int_equal(get("core_cycles")->pass, 1);
	why("branches", "does not have the event");
}

/* All events of all tables, whatever this machine is. */
static void test_tables(void **state)
{
	char line[1024], word[COUNTERS_NAME], event[COUNTERS_EVENT * 2], *pmus, *rest, *value;
	int encoded = 0, locks = 0, titles = 0;
	struct perf_event_attr attr;
	pfm_perf_encode_arg_t arg;
	glob_t found;

	(void)state;
	unsetenv("LIBPFM_FORCE_PMU");
	setenv("LIBPFM_ENCODE_INACTIVE", "1", 1);
	assert_int_equal(pfm_initialize(), PFM_SUCCESS);
	assert_int_equal(glob(EVENTS "/*.events", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "r");
		char of[256] = "perf_raw", list[256];
		bool metrics = false;

		assert_non_null(file);
		/* Of these libpfm4 is built without on x86: see tests/arm64.sh. */
		if (strstr(found.gl_pathv[i], "/arm-")) {
			fclose(file);
			continue;
		}
		while (fgets(line, sizeof(line), file)) {
			line[strcspn(line, "\n")] = '\0';
			if (*line == '#')
				continue;
			value = strstr(line, " = ");
			if (!value)
				fail_msg("%s: '%s' is no key = value", found.gl_pathv[i], line);
			*value = '\0';
			value += 3;
			titles += !strcmp(line, "title");
			if (!strcmp(line, "title") || !strcmp(line, "cpu"))
				continue;
			if (!strcmp(line, "pmu")) {
				assert_false(metrics);
				snprintf(of, sizeof(of), "%s", value);
				continue;
			}
			metrics = true;
			if (!strncmp(value, "n/a", 3)) {
				assert_true(strlen(value) > strlen("n/a "));
				continue;
			}
			snprintf(list, sizeof(list), "%s", of);
			for (pmus = strtok_r(list, " ", &rest); pmus;
			     pmus = strtok_r(NULL, " ", &rest)) {
				snprintf(word, sizeof(word), "%s", pmus);
				if (strstr(value, "::"))
					snprintf(event, sizeof(event), "%s", value);
				else
					snprintf(event, sizeof(event), "%s::%s", word, value);
				memset(&attr, 0, sizeof(attr));
				memset(&arg, 0, sizeof(arg));
				attr.size = sizeof(attr);
				arg.attr = &attr;
				arg.size = sizeof(arg);
				int error = pfm_get_os_event_encoding(event, PFM_PLM0,
								      PFM_OS_PERF_EVENT_EXT, &arg);
				if (error != PFM_SUCCESS)
					fail_msg("%s: %s: %s", found.gl_pathv[i], event,
						 pfm_strerror(error));
				assert_true(attr.exclude_user && !attr.exclude_kernel);
				encoded++;
				/* AMD: never the mask of bus locks alone. */
				if (!strcmp(line, "locked_ops")) {
					locks++;
					if ((attr.config & 0xff) == 0x25)
						assert_int_equal(attr.config & 0x0f00, 0x0f00);
					else
						assert_int_equal(attr.config, 0x21d0);
				}
			}
		}
		assert_true(metrics);
		fclose(file);
	}
	assert_true(titles > 0);
	printf("%d events of %d tables encoded\n", encoded, titles);
	assert_true(encoded >= 180 && locks >= 14);
	globfree(&found);
}

/* The real kernel, whatever it allows: nothing without a reason. */
static void test_here(void **state)
{
	uint64_t values[COUNTERS_MOST];
	unsigned int passes;

	(void)state;
	unsetenv("LIBPFM_FORCE_PMU");
	if (counters_choose(&c, &counters_linux, "auto", EVENTS))
		fail_msg("%s", c.error);
	counters_plan(&c, 0);
	passes = c.passes;
	for (unsigned int i = 0; i < c.count; i++) {
		assert_int_equal(!c.counter[i].pass, !!*c.counter[i].reason);
		printf("%s (%s): %s\n", c.counter[i].metric, c.counter[i].event,
		       c.counter[i].pass ? "counted" : c.counter[i].reason);
	}
	for (unsigned int pass = 1; pass <= passes; pass++) {
		/* Others may take a counter meanwhile. */
		if (counters_open(&c, pass) || counters_begin(&c) || counters_end(&c, values))
			assert_true(*c.error);
		counters_close(&c);
	}
}

static void in_process(void **state)
{
	const struct CMUnitTest *test = *state;
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child) {
		execl("/proc/self/exe", "counters", test->name, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	put("/proc/sys/kernel/perf_event_paranoid", "3\n");
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

int main(int argc, char **argv)
{
#define TEST(name)                                        \
	{                                                 \
#name, test_##name, setup, teardown, NULL \
	}
	static const struct CMUnitTest tests[] = {
		TEST(nothing),	TEST(automatic), TEST(software), TEST(refusals),  TEST(bad_event),
		TEST(watchdog), TEST(readings),	 TEST(words),	 TEST(no_kernel), TEST(raw),
		TEST(absent),	TEST(tables),	 TEST(here),
	};
	struct CMUnitTest each[sizeof(tests) / sizeof(*tests)];

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		if (argc > 1 && !strcmp(argv[1], tests[i].name)) {
			each[0] = tests[i];
			return _cmocka_run_group_tests(argv[1], each, 1, NULL, NULL);
		}
		each[i] = (struct CMUnitTest){ tests[i].name, in_process, NULL, NULL,
					       (void *)&tests[i] };
	}
	return cmocka_run_group_tests(each, NULL, NULL);
}
