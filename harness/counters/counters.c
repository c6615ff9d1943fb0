/* SPDX-License-Identifier: GPL-2.0 */
/* Events by name, and groups of them that are counted, see counters.h. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <perfmon/pfmlib_perf_event.h>

#include "counters.h"

static int linux_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group,
		      unsigned long flags)
{
	return syscall(SYS_perf_event_open, attr, pid, cpu, group, flags);
}

static int linux_control(int fd, unsigned long request, unsigned long arg)
{
	return ioctl(fd, request, arg);
}

const struct counters_os counters_linux = {
	.open = linux_open,
	.control = linux_control,
	.read = read,
	.close = close,
	.root = "",
};

__attribute__((format(printf, 2, 3))) static int failed(struct counters *counters,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(counters->error, sizeof(counters->error), format, args);
	va_end(args);
	return -1;
}

__attribute__((format(printf, 2, 3))) static void no_value(struct counter *counter,
							   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(counter->reason, sizeof(counter->reason), format, args);
	va_end(args);
}

/*
 * The first line of a file below root that begins with key, without its end; false when there is
 * none.
 */
static bool read_line(const struct counters *counters, const char *path, const char *key,
		      char *line, int size)
{
	char name[PATH_MAX];
	bool found = false;
	FILE *file;

	snprintf(name, sizeof(name), "%s%s", counters->os->root, path);
	file = fopen(name, "re");
	if (!file)
		return false;
	while (!found && fgets(line, size, file))
		found = !strncmp(line, key, strlen(key));
	fclose(file);
	line[found ? strcspn(line, "\n") : 0] = '\0';
	return found;
}

/* What follows the colon in a line of /proc/cpuinfo. */
static bool cpuinfo(const struct counters *counters, const char *key, char *value, int size)
{
	char line[4096];
	const char *colon;

	if (!read_line(counters, "/proc/cpuinfo", key, line, sizeof(line)))
		return false;
	colon = strchr(line, ':');
	snprintf(value, size, "%s", colon ? colon + 1 + strspn(colon + 1, " ") : "");
	return colon;
}

/* What a table says in one line: key and value, or false for a comment. */
static bool split(char *line, char **key, char **value)
{
	char *end = line + strcspn(line, "\n"), *equals;

	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	if (*line == '#' || !*line)
		return false;
	equals = strstr(line, " = ");
	if (!equals)
		return false;
	*equals = '\0';
	*key = line;
	*value = equals + 3;
	return true;
}

static bool is_metric(const char *key)
{
	return strcmp(key, "title") != 0 && strcmp(key, "pmu") != 0 && strcmp(key, "cpu") != 0;
}

static FILE *open_table(const char *dir, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.events", dir, name);
	return fopen(path, "re");
}

/* Of libpfm4's PMUs, the one called name; false where this library has none. */
static bool find_pmu(const char *name, pfm_pmu_info_t *info)
{
	pfm_pmu_t pmu;

	pfm_for_all_pmus(pmu)
	{
		memset(info, 0, sizeof(*info));
		info->size = sizeof(*info);
		if (pfm_get_pmu_info(pmu, info) == PFM_SUCCESS && !strcmp(info->name, name))
			return true;
	}
	return false;
}

static bool is_present(const char *name)
{
	pfm_pmu_info_t info;

	return find_pmu(name, &info) && info.is_present;
}

/* Whether a 'cpu' line, 'VENDOR FAMILY [MODEL...]', is of this CPU. */
static bool cpu_fits(const struct counters *counters, char *text)
{
	static const char *const keys[] = { "vendor_id", "cpu family", "model\t" };
	char value[128], *rest = NULL;
	const char *word = strtok_r(text, " ", &rest);

	for (int i = 0; i < 2; i++, word = strtok_r(NULL, " ", &rest))
		if (!word || !cpuinfo(counters, keys[i], value, sizeof(value)) ||
		    strcmp(word, value) != 0)
			return false;
	if (!word)
		return true;
	if (!cpuinfo(counters, keys[2], value, sizeof(value)))
		return false;
	for (; word; word = strtok_r(NULL, " ", &rest))
		if (!strcmp(word, value))
			return true;
	return false;
}

/*
 * How well a table fits: 3 a PMU of its is present, 2 it names the CPU, 1 the PMU is the one of
 * the kernel's own names, 0 not at all. pmu: the name of the first one of its that is present.
 */
static int fit(const struct counters *counters, const char *dir, const char *name, char *pmu)
{
	char line[1024], *key, *value, *rest;
	FILE *file = open_table(dir, name);
	int best = 0;

	*pmu = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (!split(line, &key, &value))
			continue;
		if (!strcmp(key, "cpu") && best < 2 && cpu_fits(counters, value))
			best = 2;
		if (strcmp(key, "pmu") != 0)
			continue;
		for (char *word = strtok_r(value, " ", &rest); word && best < 3;
		     word = strtok_r(NULL, " ", &rest)) {
			if (!is_present(word))
				continue;
			snprintf(pmu, COUNTERS_NAME, "%s", word);
			best = strcmp(word, "perf") != 0 ? 3 : best > 1 ? best : 1;
		}
	}
	if (file)
		fclose(file);
	return best;
}

static int only_tables(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".events");
}

/*
 * Calls use() with the name of each table, in the order of their names; false when there is no
 * folder.
 */
static bool each_table(const char *dir, void (*use)(const char *name, void *ctx), void *ctx)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, only_tables, alphasort);

	for (int i = 0; i < count; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - strlen(".events")] = '\0';
		use(entries[i]->d_name, ctx);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count > 0;
}

struct search {
	struct counters *counters;
	const char *dir;
	int best;
};

static void consider(const char *name, void *ctx)
{
	struct search *search = ctx;
	char pmu[COUNTERS_NAME];
	int fits = strcmp(name, "software") ? fit(search->counters, search->dir, name, pmu) : 0;

	if (fits <= search->best)
		return;
	search->best = fits;
	snprintf(search->counters->table, COUNTERS_NAME, "%s", name);
	snprintf(search->counters->pmu, COUNTERS_NAME, "%s", pmu);
}

/* Kernel mode only; what the kernel itself counts happens to users as well. */
static int encode(struct counter *counter)
{
	pfm_perf_encode_arg_t arg = { .attr = &counter->attr, .size = sizeof(arg) };
	int error;

	memset(&counter->attr, 0, sizeof(counter->attr));
	counter->attr.size = sizeof(counter->attr);
	error = pfm_get_os_event_encoding(counter->event, PFM_PLM0, PFM_OS_PERF_EVENT_EXT, &arg);
	if (counter->attr.type == PERF_TYPE_SOFTWARE)
		counter->attr.exclude_user = 0;
	return error;
}

static struct counter *add(struct counters *counters, const char *metric, const char *event)
{
	struct counter *counter = &counters->counter[counters->count];

	for (unsigned int i = 0; i < counters->count; i++)
		if (!strcmp(counters->counter[i].metric, metric))
			return NULL;
	if (counters->count == COUNTERS_MOST)
		return NULL;
	counters->count++;
	memset(counter, 0, sizeof(*counter));
	snprintf(counter->metric, sizeof(counter->metric), "%.*s", COUNTERS_NAME - 1, metric);
	snprintf(counter->event, sizeof(counter->event), "%s", event);
	return counter;
}

/* libpfm4 has no such event here: it has none at all on a kernel that counts nothing. */
static void not_found(const struct counters *counters, struct counter *counter)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.disabled = 1,
		.pinned = 1,
	};
	char line[16];
	int fd;

	if (read_line(counters, "/proc/sys/kernel/perf_event_paranoid", "", line, sizeof(line))) {
		no_value(counter, "event not in libpfm4's table for this CPU");
		return;
	}
	fd = counters->os->open(&attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0 && errno == ENOSYS)
		no_value(counter, "this kernel has no performance events");
	else
		no_value(counter,
			 "libpfm4 wants the kernel to have the sysctl perf_event_paranoid");
	if (fd >= 0)
		counters->os->close(fd);
}

/* One line of a table; pmu is the PMU that its events are of. */
static void add_metric(struct counters *counters, const char *pmu, const char *metric,
		       const char *text)
{
	char event[COUNTERS_EVENT];
	struct counter *counter;
	int error;

	if (strstr(text, "::") || !*pmu || !strncmp(text, "n/a", 3))
		snprintf(event, sizeof(event), "%s", text);
	else
		snprintf(event, sizeof(event), "%s::%s", pmu, text);
	counter = add(counters, metric, event);
	if (!counter)
		return;
	if (!strncmp(text, "n/a", 3)) {
		snprintf(counter->event, sizeof(counter->event), "n/a");
		no_value(counter, "%s", text + 3 + strspn(text + 3, " "));
		return;
	}
	error = encode(counter);
	if (error == PFM_ERR_NOTFOUND || error == PFM_ERR_NOTSUPP)
		not_found(counters, counter);
	else if (error != PFM_SUCCESS)
		no_value(counter, "libpfm4 cannot encode the event: %s", pfm_strerror(error));
}

/* All metrics of a table, or the one that is called only. Returns how many there were. */
static int add_table(struct counters *counters, const char *dir, const char *name, const char *pmu,
		     const char *only)
{
	char line[1024], *key, *value;
	FILE *file = open_table(dir, name);
	int count = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (!split(line, &key, &value) || !is_metric(key) ||
		    (only && strcasecmp(key, only) != 0))
			continue;
		add_metric(counters, pmu, key, value);
		count++;
	}
	if (file)
		fclose(file);
	return count;
}

/* Edit distance of two words (Levenshtein), case aside. */
static unsigned int distance(const char *a, const char *b)
{
	const size_t n = strlen(b);
	unsigned int row[COUNTERS_EVENT + 1], above, left;

	if (n > COUNTERS_EVENT)
		return UINT_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (; *a; a++) {
		above = row[0]++;
		for (size_t j = 1; j <= n; j++) {
			left = above +
			       (tolower((unsigned char)*a) != tolower((unsigned char)b[j - 1]));
			above = row[j];
			if (row[j] + 1 < left)
				left = row[j] + 1;
			if (row[j - 1] + 1 < left)
				left = row[j - 1] + 1;
			row[j] = left;
		}
	}
	return row[n];
}

/* The three names nearest to a word, and whether it is one of them itself. */
struct nearest {
	const char *word, *dir;
	bool known;
	unsigned int count, far[3];
	char name[3][COUNTERS_EVENT];
};

static void compare_name(struct nearest *nearest, const char *name)
{
	const unsigned int far = distance(nearest->word, name);
	unsigned int at = nearest->count;

	if (!far)
		nearest->known = true;
	for (unsigned int i = 0; i < nearest->count; i++)
		if (!strcasecmp(nearest->name[i], name))
			return;
	while (at && nearest->far[at - 1] > far)
		at--;
	if (at >= 3)
		return;
	if (nearest->count < 3)
		nearest->count++;
	for (unsigned int i = nearest->count - 1; i > at; i--) {
		nearest->far[i] = nearest->far[i - 1];
		memcpy(nearest->name[i], nearest->name[i - 1], sizeof(nearest->name[i]));
	}
	nearest->far[at] = far;
	snprintf(nearest->name[at], sizeof(nearest->name[at]), "%s", name);
}

/*
 * Its name, its metrics, and its events without their masks, which are what Arm's PMUs are known
 * by on x86.
 */
static void compare_table(const char *name, void *ctx)
{
	struct nearest *nearest = ctx;
	FILE *file = open_table(nearest->dir, name);
	char line[1024], *key, *value;

	compare_name(nearest, name);
	while (file && fgets(line, sizeof(line), file)) {
		if (!split(line, &key, &value) || !is_metric(key))
			continue;
		compare_name(nearest, key);
		value[strcspn(value, ":")] = '\0';
		if (strncmp(value, "n/a", 3) != 0 && strcmp(value, "perf_raw") != 0)
			compare_name(nearest, value);
	}
	if (file)
		fclose(file);
}

/* Events of the PMUs of libpfm4, those of this CPU or all of them. */
static void compare_events(struct nearest *nearest, bool all)
{
	pfm_event_info_t event;
	pfm_pmu_info_t info;
	pfm_pmu_t pmu;

	pfm_for_all_pmus(pmu)
	{
		memset(&info, 0, sizeof(info));
		info.size = sizeof(info);
		if (pfm_get_pmu_info(pmu, &info) != PFM_SUCCESS || (!all && !info.is_present))
			continue;
		for (int i = info.first_event; i >= 0; i = pfm_get_event_next(i)) {
			memset(&event, 0, sizeof(event));
			event.size = sizeof(event);
			if (pfm_get_event_info(i, PFM_OS_PERF_EVENT_EXT, &event) == PFM_SUCCESS)
				compare_name(nearest, event.name);
		}
	}
}

/* A name that did not encode: an error if nobody knows it, else a reason. */
static int unknown(struct counters *counters, const char *dir, const char *name, int error)
{
	char word[COUNTERS_EVENT];
	struct nearest nearest = { .word = word, .dir = dir }, anywhere;
	const char *event = strstr(name, "::");
	struct counter *counter;
	pfm_pmu_info_t info;

	snprintf(word, sizeof(word), "%s", event ? event + 2 : name);
	word[strcspn(word, ":")] = '\0';
	compare_events(&nearest, false);
	each_table(dir, compare_table, &nearest);
	anywhere = nearest;
	compare_events(&anywhere, true);
	if (!anywhere.known)
		return failed(counters, "event '%s' is not known; nearest: %s, %s, %s", name,
			      nearest.name[0], nearest.name[1], nearest.name[2]);
	if (event) {
		snprintf(word, sizeof(word), "%.*s", (int)(event - name), name);
		if (!find_pmu(word, &info))
			return failed(counters, "event '%s': libpfm4 knows no PMU '%s'", name,
				      word);
	}
	if (error == PFM_ERR_ATTR || error == PFM_ERR_UMASK || error == PFM_ERR_FEATCOMB ||
	    error == PFM_ERR_ATTR_VAL)
		return failed(counters, "event '%s': %s", name, pfm_strerror(error));
	counter = add(counters, name, name);
	if (counter)
		not_found(counters, counter);
	return 0;
}

/* A word of EVENTS= that is neither 'auto' nor empty. */
static int choose_word(struct counters *counters, const char *dir, const char *word)
{
	struct counter *counter;
	char pmu[COUNTERS_NAME];
	int error;
	FILE *file;

	if (strlen(word) >= COUNTERS_NAME)
		return failed(counters, "event '%.40s...' is longer than %d characters", word,
			      COUNTERS_NAME - 1);
	file = strchr(word, '/') ? NULL : open_table(dir, word);
	if (file) {
		fclose(file);
		fit(counters, dir, word, pmu);
		add_table(counters, dir, word, pmu, NULL);
		return 0;
	}
	if (add_table(counters, dir, counters->table, counters->pmu, word))
		return 0;
	counter = add(counters, word, word);
	if (!counter)
		return 0;
	error = encode(counter);
	if (error == PFM_SUCCESS)
		return 0;
	counters->count--;
	return unknown(counters, dir, word, error);
}

int counters_choose(struct counters *counters, const struct counters_os *os, const char *list,
		    const char *dir)
{
	struct search search = { counters, dir, 0 };
	char words[4096], *word, *rest;
	int error = 0;

	memset(counters, 0, sizeof(*counters));
	counters->os = os;
	if (!*list || !strcmp(list, "none"))
		return 0;
	if (snprintf(words, sizeof(words), "%s", list) >= (int)sizeof(words))
		return failed(counters, "a list of events has at most %zu characters",
			      sizeof(words) - 1);
	if (pfm_initialize() != PFM_SUCCESS)
		return failed(counters, "libpfm4 cannot be initialized");
	if (!each_table(dir, consider, &search))
		return failed(counters, "no event sets in %s", dir);
	/* Each of its events then has the reason why it has no value. */
	if (!*counters->table)
		snprintf(counters->table, sizeof(counters->table), "generic");
	for (word = strtok_r(words, ",", &rest); word && !error;
	     word = strtok_r(NULL, ",", &rest)) {
		if (!strcmp(word, "auto"))
			add_table(counters, dir, counters->table, counters->pmu, NULL);
		else
			error = choose_word(counters, dir, word);
	}
	if (error)
		return error;
	add_table(counters, dir, "software", "perf", NULL);
	if (counters->count == COUNTERS_MOST)
		return failed(counters, "more than %d events: ask for fewer", COUNTERS_MOST - 1);
	return 0;
}

/* perf_event_open(2) has refused: what that means. */
static void refused(const struct counters *counters, struct counter *counter, int error)
{
	char level[16] = "", flags[4096] = "";
	const char *where;

	switch (error) {
	case ENOSYS:
		no_value(counter, "this kernel has no performance events");
		break;
	case EACCES:
	case EPERM:
		if (read_line(counters, "/proc/sys/kernel/perf_event_paranoid", "", level,
			      sizeof(level)))
			no_value(counter, "perf_event_paranoid=%s: root or CAP_PERFMON is needed",
				 level);
		else
			no_value(counter, "not allowed: root or CAP_PERFMON is needed");
		break;
	case ENOENT:
	case EOPNOTSUPP:
		cpuinfo(counters, "flags", flags, sizeof(flags));
		where = strstr(flags, " hypervisor") ? "guest" : "machine";
		if (counter->attr.type == PERF_TYPE_RAW)
			no_value(counter, "no PMU in this %s", where);
		else
			no_value(counter, "no PMU in this %s, or none that counts this", where);
		break;
	case EINVAL:
		no_value(counter, "the kernel or the PMU refuses the event");
		break;
	case ENODEV:
		no_value(counter, "CPU %u is not online", counters->cpu);
		break;
	case EBUSY:
		no_value(counter, "another user has the PMU for itself");
		break;
	case EMFILE:
		no_value(counter, "too many open files");
		break;
	default:
		no_value(counter, "perf_event_open: %s", strerror(error));
	}
}

/* Adds a counter to the group that is open; false with errno. */
static bool join(struct counters *counters, unsigned int index)
{
	struct perf_event_attr attr = counters->counter[index].attr;
	const bool leads = !counters->members;
	int fd;

	/* Pinned: all of its time on the CPU, or an error. The kernel allows it to a leader only. */
	attr.pinned = leads;
	attr.disabled = leads;
	attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
			   PERF_FORMAT_TOTAL_TIME_RUNNING;
	fd = counters->os->open(&attr, -1, counters->cpu, leads ? -1 : counters->fd[0],
				PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return false;
	counters->fd[counters->members] = fd;
	counters->member[counters->members++] = index;
	return true;
}

void counters_close(struct counters *counters)
{
	while (counters->members)
		counters->os->close(counters->fd[--counters->members]);
}

int counters_reset(struct counters *counters)
{
	if (!counters->members)
		return failed(counters, "no group of counters is open");
	if (counters->os->control(counters->fd[0], PERF_EVENT_IOC_RESET, PERF_IOC_FLAG_GROUP))
		return failed(counters, "the counters cannot be reset: %s", strerror(errno));
	return 0;
}

int counters_begin(struct counters *counters)
{
	if (counters_reset(counters))
		return -1;
	/* The leader alone, so that all of them start at once. */
	if (counters->os->control(counters->fd[0], PERF_EVENT_IOC_ENABLE, 0))
		return failed(counters, "the counters cannot be started: %s", strerror(errno));
	return 0;
}

int counters_end(struct counters *counters, uint64_t values[COUNTERS_MOST])
{
	struct {
		uint64_t count, enabled, running, value[COUNTERS_MOST];
	} group = { 0 };
	const size_t size = (3 + counters->members) * sizeof(uint64_t);
	ssize_t got;

	if (!counters->members)
		return failed(counters, "no group of counters is open");
	if (counters->os->control(counters->fd[0], PERF_EVENT_IOC_DISABLE, 0))
		return failed(counters, "the counters cannot be stopped: %s", strerror(errno));
	got = counters->os->read(counters->fd[0], &group, sizeof(group));
	if (got < 0)
		return failed(counters, "the counters cannot be read: %s", strerror(errno));
	/* End of file is how a pinned group says that it was not on the CPU. */
	if (!got)
		return failed(counters, "no counter is free%s",
			      counters->nmi_watchdog ? " (the NMI watchdog holds one)" : "");
	if ((size_t)got != size || group.count != counters->members)
		return failed(counters, "the counters cannot be read: %zd bytes, not %zu", got,
			      size);
	if (!group.enabled)
		return failed(counters, "the counters were not started");
	if (group.enabled != group.running)
		return failed(counters,
			      "multiplexed: counted %llu of %llu ns, and such values are guesses",
			      (unsigned long long)group.running, (unsigned long long)group.enabled);
	for (unsigned int i = 0; i < counters->members; i++)
		values[counters->member[i]] = group.value[i];
	return 0;
}

static bool try_group(struct counters *counters)
{
	uint64_t values[COUNTERS_MOST];

	return !counters_begin(counters) && !counters_end(counters, values);
}

/* Opens the counters of a pass that are known to go together. */
static bool open_members(struct counters *counters, unsigned int pass)
{
	for (unsigned int i = 0; i < counters->count; i++)
		if (counters->counter[i].pass == pass && !join(counters, i))
			return false;
	return true;
}

static int only_arm(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "armv", 4);
}

/* Whether one of the events that a PMU lists in a folder below root has the code. */
static bool is_listed(const struct counters *counters, const char *folder, uint64_t code)
{
	char path[PATH_MAX], line[64];
	struct dirent **entries;
	bool listed = false;
	int count;

	snprintf(path, sizeof(path), "%s%s", counters->os->root, folder);
	count = scandir(path, &entries, NULL, NULL);
	for (int i = 0; i < count; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) <
			    (int)sizeof(path) &&
		    read_line(counters, path, "event=", line, sizeof(line)) &&
		    strtoull(line + strlen("event="), NULL, 0) == code)
			listed = true;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return listed;
}

/*
 * Arm's kernel takes any number for an event, and what the PMU lacks stays 0. But it lists those
 * of the architecture's own that the PMU has; those of the implementation it does not.
 */
static bool pmu_lacks(const struct counters *counters, const struct counter *counter)
{
	const uint64_t code = counter->attr.config & 0xffff;
	char path[PATH_MAX];
	struct dirent **entries;
	bool listed = false;
	int count;

	if (strncmp(counter->event, "arm", 3) != 0 ||
	    (code >= 0x40 && (code < 0x4000 || code > 0x403f)))
		return false;
	snprintf(path, sizeof(path), "%s/sys/bus/event_source/devices", counters->os->root);
	count = scandir(path, &entries, only_arm, NULL);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/events",
			 entries[i]->d_name);
		listed |= is_listed(counters, path, code);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count > 0 && !listed;
}

/* A counter by itself, in a new pass; what keeps it from that is its reason. */
static void try_alone(struct counters *counters, struct counter *counter)
{
	counters_close(counters);
	if (!join(counters, counter - counters->counter)) {
		refused(counters, counter, errno);
		return;
	}
	if (try_group(counters))
		counter->pass = ++counters->passes;
	else
		no_value(counter, "%s", counters->error);
}

void counters_plan(struct counters *counters, unsigned int cpu)
{
	const struct counter *last = NULL; /* the newest member of the newest pass */
	char line[16];

	counters->cpu = cpu;
	counters->nmi_watchdog =
		read_line(counters, "/proc/sys/kernel/nmi_watchdog", "", line, sizeof(line)) &&
		!strcmp(line, "1");
	for (unsigned int i = 0; i < counters->count; i++) {
		struct counter *counter = &counters->counter[i];

		if (*counter->reason)
			continue;
		if (pmu_lacks(counters, counter)) {
			no_value(counter, "this CPU's PMU does not have the event");
			continue;
		}
		/* What the kernel counts itself is no member of a group of the PMU. */
		if (last && (last->attr.type == PERF_TYPE_SOFTWARE) ==
				    (counter->attr.type == PERF_TYPE_SOFTWARE)) {
			counters_close(counters);
			if (open_members(counters, counters->passes) && join(counters, i) &&
			    try_group(counters)) {
				counter->pass = counters->passes;
				last = counter;
				continue;
			}
		}
		try_alone(counters, counter);
		if (counter->pass)
			last = counter;
	}
	counters_close(counters);
	*counters->error = '\0';
}

int counters_open(struct counters *counters, unsigned int pass)
{
	int error;

	counters_close(counters);
	if (open_members(counters, pass) && counters->members)
		return 0;
	error = errno;
	counters_close(counters);
	return failed(counters, "pass %u cannot be opened: %s", pass, strerror(error));
}

const struct counter *counters_find(const struct counters *counters, const char *metric)
{
	for (unsigned int i = 0; i < counters->count; i++)
		if (!strcmp(counters->counter[i].metric, metric))
			return &counters->counter[i];
	return NULL;
}
