// SPDX-License-Identifier: GPL-2.0
/* Flushes, see flush.h. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "flush.h"
#include "guest.h"
#include "lists.h"

/* Between two reads of the clock; less is the loop itself. */
#define GAP_TICKS 200u
#define GAPS	  4096u /* that a program remembers */
#define TURN	  1024u /* reads of the clock from one pause to the next */
#define AFTER_US  100	/* after a flush, what a program loses is still the flush's */
/* For what was woken to go back to sleep. */
#define SETTLE_US    1000
#define MOST_FLUSHES 10u /* of a run: some wait for a grace period each */
/* Of each second, what is starved gets a part; who comes second would wait for what the first has left of it. */
#define FIFO_REST_US 1000000
/* A round of the kernel's statistics of memory is a second. */
#define QUIET_MS 2000

static const char *const states[FLUSH_STATES] = { "idle", "user", "kernel", "fifo" };
static const uint32_t flush_sizes[] = { 64, 1024 }, cpus[] = { 1, 2, 4, 8, 16 };

/* What is counted on the flushed CPUs, and where the kernel says so. */
enum { KWORKER_RUNS, SWITCHES, IPIS, TIMERS, SLOW_PATHS, STOLEN, EVENTS };

static const struct {
	const char *metric, *source;
} events[EVENTS] = {
	[KWORKER_RUNS] = { "kworker_runs", "/proc/PID/status of kworker/CPU:*" },
	[SWITCHES] = { "switches", "/proc/PID/status of what is bound to the CPU" },
	[IPIS] = { "ipis", "/proc/interrupts RES and CAL" },
	[TIMERS] = { "timers", "/proc/interrupts LOC" },
	[SLOW_PATHS] = { "slow_paths", "/sys/kernel/slab/sheafbench-flush" },
	[STOLEN] = { "stolen_ns", "gaps between reads of the clock in a program" },
};

#define MISSING UINT64_MAX

/* When those kworkers that were on their way have run. */
static uint64_t quiet_ms;

/* Tasks that are remembered to be none of the flushed CPUs'; others are looked at each time. */
#define PIDS 4096

/* A program that reads the clock on one CPU, and what it shares with who started it. */
struct spinner {
	pid_t pid;
	int cpu;
	volatile bool ready, stop;
	volatile uint64_t last;	 /* when it last read the clock */
	volatile uint32_t count; /* gaps so far; the last GAPS of them are here: */
	uint64_t start[GAPS], length[GAPS];
};

struct session {
	const struct flush_setup *setup;
	const struct flush_point *point;
	struct sheafbench_flush arg;
	struct spinner *spinner[SHEAFBENCH_MAX_CPUS];
	int home;		      /* the measured CPU */
	int cpu[SHEAFBENCH_MAX_CPUS]; /* those that are flushed, without the caller's */
	uint32_t others;
	bool elsewhere[PIDS];
	bool late; /* a deadline passed */
};

size_t flush_grid(const regex_t *wanted, uint32_t online, struct flush_point **points)
{
	const size_t most = FLUSHES * COUNT(flush_sizes) * COUNT(cpus) * FLUSH_STATES;
	size_t count = 0;

	*points = calloc(most, sizeof(**points));
	if (!*points)
		return 0;
	for (size_t o = 0; o < FLUSHES; o++)
		for (size_t s = 0; s < COUNT(flush_sizes); s++)
			for (size_t c = 0; c < COUNT(cpus); c++)
				/* One CPU has no others that could be in a state. */
				for (int t = 0; t < (cpus[c] > 1 ? FLUSH_STATES : 1); t++) {
					struct flush_point *point = &(*points)[count];

					if (online && cpus[c] > online)
						continue;
					*point = (struct flush_point){ o, flush_sizes[s], cpus[c],
								       t, "" };
					snprintf(point->name, sizeof(point->name),
						 cpus[c] > 1 ? "flush-%s/%u/%u/%s"
							     : "flush-%s/%u/%u",
						 flushes[o], flush_sizes[s], cpus[c], states[t]);
					for (char *at = point->name; *at; at++)
						if (*at == '_')
							*at = '-';
					count += !regexec(wanted, point->name, 0, NULL, 0);
				}
	if (!count) {
		free(*points);
		*points = NULL;
	}
	return count;
}

static void relax(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#else
	__asm__ volatile("yield");
#endif
}

/* Until it is told to stop. */
static _Noreturn void spin(struct spinner *spinner)
{
	uint64_t last, now;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!bind_to(spinner->cpu))
		_exit(1);
	spinner->ready = true;
	last = ticks_now();
	for (uint32_t turn = 0; !spinner->stop; turn++) {
		/* Where CPUs take turns, it is the next one's; no gap anywhere. */
		if (!(turn % TURN))
			relax();
		now = ticks_now();
		if (now - last > GAP_TICKS) {
			spinner->start[spinner->count % GAPS] = last;
			spinner->length[spinner->count % GAPS] = now - last;
			__atomic_fetch_add(&spinner->count, 1, __ATOMIC_RELEASE);
		}
		last = now;
		spinner->last = now;
	}
	_exit(0);
}

static bool start_spinner(struct session *session, uint32_t i)
{
	const struct sched_param param = { .sched_priority = 1 };
	struct spinner *spinner = mmap(NULL, sizeof(*spinner), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	pid_t pid;
	int here;

	if (spinner == MAP_FAILED)
		return false;
	session->spinner[i] = spinner;
	spinner->cpu = session->cpu[i];
	/* Made on its CPU: uml binds it for good to where that one is bound. */
	here = sched_getcpu();
	if (!bind_to(spinner->cpu))
		return false;
	/* Not through the memory that both see: the child would write its 0 there. */
	pid = fork();
	if (!pid)
		spin(spinner);
	spinner->pid = pid;
	if (!bind_to(here))
		return false;
	for (int tries = 0; spinner->pid > 0 && !spinner->ready && tries < 5000; tries++)
		usleep(1000);
	/* From here: of its own it would have to be on that CPU to become what keeps others off it. */
	return spinner->ready && (session->point->state != FLUSH_FIFO ||
				  !sched_setscheduler(spinner->pid, SCHED_FIFO, &param));
}

static void stop_spinners(struct session *session)
{
	for (uint32_t i = 0; i < session->others; i++) {
		struct spinner *spinner = session->spinner[i];

		if (!spinner)
			continue;
		spinner->stop = true;
		if (spinner->pid > 0) {
			kill(spinner->pid, SIGKILL);
			waitpid(spinner->pid, NULL, 0);
		}
		munmap(spinner, sizeof(*spinner));
		session->spinner[i] = NULL;
	}
}

/* The number in the column of a CPU in a row of /proc/interrupts. */
static bool interrupt_column(char *line, const int *column, uint32_t others, uint64_t *sum)
{
	char *at = strchr(line, ':') + 1, *end;
	int number = 0;

	for (uint64_t value;; number++, at = end) {
		value = strtoull(at, &end, 10);
		if (end == at)
			return number > 0;
		for (uint32_t i = 0; i < others; i++)
			if (column[i] == number)
				*sum += value;
	}
}

static void read_interrupts(const struct session *session, uint64_t *count)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[2048];

	count[IPIS] = count[TIMERS] = MISSING;
	while (file && fgets(line, sizeof(line), file)) {
		const char *name = line + strspn(line, " ");
		const int event = !strncmp(name, "RES:", 4) || !strncmp(name, "CAL:", 4) ? IPIS
				  : !strncmp(name, "LOC:", 4)				 ? TIMERS
											 : EVENTS;
		uint64_t sum = 0;

		/* CPUs that are online have the columns, in order; all that are possible are. */
		if (event < EVENTS && interrupt_column(line, session->cpu, session->others, &sum))
			count[event] = sum + (count[event] == MISSING ? 0 : count[event]);
	}
	if (file)
		fclose(file);
}

/* Context switches of one task that is bound to one of the CPUs. */
static void read_task(struct session *session, const char *pid, uint64_t *count)
{
	const long number = strtol(pid, NULL, 10);
	char path[300], line[256], kworker[32], name[64] = "";
	uint64_t voluntary = 0, other = 0;
	char cpu[64] = "", colon;
	bool here = false;
	FILE *file;

	if (number < PIDS && session->elsewhere[number])
		return;
	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "Name: %63[^\n]", name);
		sscanf(line, "Cpus_allowed_list: %63s", cpu);
		sscanf(line, "voluntary_ctxt_switches: %" SCNu64, &voluntary);
		sscanf(line, "nonvoluntary_ctxt_switches: %" SCNu64, &other);
	}
	if (file)
		fclose(file);
	for (uint32_t i = 0; i < session->others; i++) {
		char *end;

		if (strtol(cpu, &end, 10) != session->cpu[i] || end == cpu || *end)
			continue;
		here = true;
		count[SWITCHES] += voluntary + other;
		snprintf(kworker, sizeof(kworker), "kworker/%d:", session->cpu[i]);
		if (!strncmp(name, kworker, strlen(kworker)))
			count[KWORKER_RUNS] += voluntary;
	}
	/* A CPU's kworker is bound a moment after it got its name. */
	if (number < PIDS && sscanf(name, "kworker/%*d%c", &colon) != 1)
		session->elsewhere[number] = !here;
}

/* ' C0=1 C2=3' after the total, in the files of CONFIG_SLUB_STATS. */
static void read_slub(const struct session *session, uint64_t *count)
{
	static const char *const names[] = { "alloc_slowpath", "free_slowpath" };
	char path[96], line[2048];

	count[SLOW_PATHS] = MISSING;
	for (size_t i = 0; i < COUNT(names); i++) {
		FILE *file;

		snprintf(path, sizeof(path), "/sys/kernel/slab/sheafbench-flush/%s", names[i]);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (!i)
			count[SLOW_PATHS] = 0;
		if (fgets(line, sizeof(line), file))
			for (char *at = line; (at = strstr(at, " C")); at += 2) {
				const int cpu = atoi(at + 2);
				const char *value = strchr(at, '=');

				for (uint32_t k = 0; value && k < session->others; k++)
					if (cpu == session->cpu[k])
						count[SLOW_PATHS] += strtoull(value + 1, NULL, 10);
			}
		fclose(file);
	}
}

static void read_events(struct session *session, uint64_t *count)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	memset(count, 0, EVENTS * sizeof(*count));
	read_interrupts(session, count);
	/* Its files go with it. */
	if (session->point->op != OP_destroy && session->point->state == FLUSH_KERNEL)
		read_slub(session, count);
	else
		count[SLOW_PATHS] = MISSING;
	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)*entry->d_name))
			read_task(session, entry->d_name, count);
	if (dir)
		closedir(dir);
}

/* Ticks that the programs lost between start and end: of each gap, what lies there. */
static uint64_t stolen(const struct session *session, uint64_t start, uint64_t end)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < session->others && session->spinner[i]; i++) {
		const struct spinner *spinner = session->spinner[i];
		const uint32_t count = __atomic_load_n(&spinner->count, __ATOMIC_ACQUIRE);

		for (uint32_t g = count > GAPS ? count - GAPS : 0; g < count; g++) {
			const uint64_t from = spinner->start[g % GAPS];
			const uint64_t to = from + spinner->length[g % GAPS];

			if (to > start && from < end)
				sum += (to < end ? to : end) - (from > start ? from : start);
		}
	}
	return sum;
}

/* Ends the programs when a flush has waited for them long enough; a process of its own. */
static pid_t start_watch(struct session *session)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	usleep(session->setup->deadline_ms * 1000);
	for (uint32_t i = 0; i < session->others; i++)
		session->spinner[i]->stop = true;
	_exit(1);
}

static bool step(struct session *session, uint32_t op, uint32_t which)
{
	session->arg.op = op;
	session->arg.step = which;
	if (!ioctl(session->setup->device, SHEAFBENCH_IOC_FLUSH, &session->arg))
		return true;
	if (!*session->arg.text)
		snprintf(session->arg.text, sizeof(session->arg.text), "%s",
			 text_of(errno) ?: strerror(errno));
	return false;
}

/*
 * One flush, with what the other CPUs notice in the time from right before it to after it. What
 * programs lose is that of the time that the flush took. The control has no flush, but takes as
 * long: ticks says how long that is.
 */
static bool one(struct session *session, bool control, uint64_t *ticks, uint64_t *count)
{
	const uint32_t op = control ? OP_none : session->point->op;
	const bool watched = session->point->state == FLUSH_FIFO && op != OP_none;
	uint64_t before[EVENTS], end;
	pid_t watch = -1;
	int status = 0;
	bool good;

	read_events(session, before);
	if (watched)
		watch = start_watch(session);
	good = step(session, op, SHEAFBENCH_FLUSH_NOW);
	if (!control)
		*ticks = session->arg.ticks;
	if (watch > 0) {
		kill(watch, SIGKILL);
		waitpid(watch, &status, 0);
		session->late |= WIFEXITED(status);
	}
	usleep(SETTLE_US + (control ? *ticks * 1000 / session->setup->clock_khz : 0));
	read_events(session, count);
	for (int e = 0; e < EVENTS; e++)
		count[e] = count[e] == MISSING || before[e] == MISSING ? MISSING
								       : count[e] - before[e];
	/* And some more: the caller may go on before the other CPU is back in user space. */
	end = session->arg.start + *ticks + AFTER_US * (uint64_t)session->setup->clock_khz / 1000;
	if (session->spinner[0])
		count[STOLEN] = stolen(session, session->arg.start, end) * 1000000 /
				session->setup->clock_khz;
	else
		count[STOLEN] = MISSING;
	return good;
}

/*
 * With others, the measured CPU is the first of those that are flushed, and the caller on the lowest other one: so an
 * isolated CPU tells what it is spared. The lowest of the rest follow.
 */
static bool choose_cpus(struct session *session)
{
	uint32_t found = 1;
	int caller = session->home;

	session->arg.cpus = 1ull << session->home;
	if (session->point->n > 1)
		session->cpu[session->others++] = session->home;
	for (int cpu = 0; cpu < SHEAFBENCH_MAX_CPUS && found < session->point->n; cpu++) {
		if (cpu == session->home || !bind_to(cpu))
			continue;
		session->arg.cpus |= 1ull << cpu;
		if (++found == 2)
			caller = cpu;
		else
			session->cpu[session->others++] = cpu;
	}
	return bind_to(caller) && found == session->point->n;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, uint32_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* The gaps of all programs by powers of two, as a comment in the file of counters. */
static void write_gaps(const struct session *session)
{
	uint32_t histogram[64] = { 0 };
	bool any = false;

	for (uint32_t i = 0; i < session->others && session->spinner[i]; i++) {
		const struct spinner *spinner = session->spinner[i];

		any = true;
		for (uint32_t g = 0; g < spinner->count && g < GAPS; g++)
			histogram[63 - __builtin_clzll(spinner->length[g])]++;
	}
	if (!any)
		return;
	fprintf(session->setup->counters_file, "# gaps %s", session->point->name);
	for (int i = 0; i < 64; i++)
		if (histogram[i])
			fprintf(session->setup->counters_file, " %llu:%u", 1ull << i, histogram[i]);
	fputc('\n', session->setup->counters_file);
}

/* Why there is no number of an event, or NULL. */
static const char *why_not(int event, uint64_t (*counts)[2][EVENTS], uint32_t samples)
{
	bool always = event == SLOW_PATHS;

	if (counts[0][0][event] == MISSING)
		return event == STOLEN	     ? "no program runs on the flushed CPUs"
		       : event == SLOW_PATHS ? "no allocations there, or no CONFIG_SLUB_STATS"
					     : "this kernel does not count them";
	for (uint32_t i = 0; i < samples; i++)
		always &= counts[i][1][event] > 0;
	return always ? "no sheaves there: it goes to a slab without a flush as well" : NULL;
}

/* A line of counters for each event, and its median per flush and CPU in the JSON. */
static bool report_events(const struct session *session, struct gbench_state *state,
			  uint64_t (*counts)[2][EVENTS], uint32_t samples)
{
	FILE *file = session->setup->counters_file;
	double values[MOST_FLUSHES];

	/* There was no control, and who waits is the question. */
	if (session->point->state == FLUSH_FIFO) {
		if (file)
			fprintf(file, "%s\tdeadline_passed\t--deadline-ms\t1\t1\t%d\t0\t0\t0\t\n",
				session->point->name, session->late);
		return true;
	}
	for (int e = 0; e < EVENTS && session->others; e++) {
		const char *const reason = why_not(e, counts, samples);
		char key[64];

		if (reason && file)
			fprintf(file, "%s\t%s\t%s\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\t%s\n",
				session->point->name, events[e].metric, events[e].source, reason);
		if (reason)
			continue;
		if (file)
			fprintf(file, "%s\t%s\t%s\t1\t%u", session->point->name, events[e].metric,
				events[e].source, session->others);
		for (int control = 0; control < 2 && file; control++)
			for (uint32_t i = 0; i < samples; i++)
				fprintf(file, "%c%" PRIu64, i ? ' ' : '\t', counts[i][control][e]);
		/* There is no empty loop. */
		for (uint32_t i = 0; i < 2 * samples && file; i++)
			fprintf(file, "%c0", i % samples ? ' ' : '\t');
		if (file)
			fputs("\t\n", file);
		for (uint32_t i = 0; i < samples; i++)
			values[i] = ((double)counts[i][0][e] - (double)counts[i][1][e]) /
				    session->others;
		snprintf(key, sizeof(key), "%s_per_flush", events[e].metric);
		if (gbench_set_counter(state, key, median(values, samples)))
			return false;
	}
	if (file)
		write_gaps(session);
	return true;
}

static void write_samples(const struct session *session, const uint64_t *ticks, uint32_t samples)
{
	FILE *file = session->setup->samples_file;

	if (!file)
		return;
	fprintf(file, "%s\t1\t0.00\t0 0 0", session->point->name);
	for (uint32_t i = 0; i < samples; i++)
		fprintf(file, "%c%" PRIu64, i ? ' ' : '\t', ticks[i]);
	fputs("\t-\t-\n", file);
}

/* What the process that asks for the flushes hands back. */
struct flushed {
	uint64_t counts[MOST_FLUSHES][2][EVENTS], ticks[MOST_FLUSHES];
	bool good, late;
	char text[sizeof(((struct sheafbench_flush *)NULL)->text)];
};

static void take_samples(struct session *session, struct flushed *out, uint32_t samples)
{
	bool good = true;

	for (uint32_t i = 0; i < samples && good; i++) {
		uint64_t(*counts)[EVENTS] = out->counts[i], *ticks = &out->ticks[i];

		good = step(session, session->point->op, SHEAFBENCH_FILL);
		usleep(SETTLE_US);
		good = good && one(session, false, ticks, counts[0]) &&
		       (session->point->state == FLUSH_FIFO ||
			one(session, true, ticks, counts[1]));
		if (session->late)
			printf("sheafbench: %s: the flush waited for %u ms, until the programs on "
			       "the other CPUs were ended\n",
			       session->point->name, session->setup->deadline_ms);
	}
	memcpy(out->text, session->arg.text, sizeof(out->text));
	out->late = session->late;
	out->good = good;
	fflush(stdout);
}

/*
 * A process of its own asks for the flushes. It is made on the CPU that it is to be on, as start_spinner()
 * says, so that its way into the kernel and back takes nothing from a program on another one.
 */
static bool flush_from_here(struct session *session, struct flushed *out, uint32_t samples)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		take_samples(session, out, samples);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		snprintf(session->arg.text, sizeof(session->arg.text),
			 "no process to flush from: %s", strerror(errno));
		return false;
	}
	if (WIFSIGNALED(status)) {
		snprintf(session->arg.text, sizeof(session->arg.text),
			 "the process that flushes was ended by signal %d", WTERMSIG(status));
		return false;
	}
	memcpy(session->arg.text, out->text, sizeof(out->text));
	session->late = out->late;
	return out->good;
}

static bool run_session(struct session *session, struct gbench_state *state, uint32_t samples)
{
	struct flushed *out = mmap(NULL, sizeof(*out), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	double values[MOST_FLUSHES], sum = 0;
	const uint64_t *ticks;
	bool good;

	if (out == MAP_FAILED) {
		snprintf(session->arg.text, sizeof(session->arg.text),
			 "no memory for the samples of flushes: %s", strerror(errno));
		return false;
	}
	ticks = out->ticks;
	good = flush_from_here(session, out, samples);
	for (uint32_t i = 0; i < samples && good; i++) {
		values[i] = ticks[i];
		sum += values[i];
	}
	if (good) {
		write_samples(session, ticks, samples);
		good = !gbench_set_time(state, sum / samples / session->setup->clock_khz / 1e3) &&
		       !gbench_set_counter(state, "ticks_per_op_p50", median(values, samples)) &&
		       !gbench_set_counter(state, "ops_per_sample", 1) &&
		       !gbench_set_counter(state, "deadline_passed", session->late) &&
		       report_events(session, state, out->counts, samples);
	}
	munmap(out, sizeof(*out));
	return good;
}

static uint64_t boot_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

void flush_prepare(void)
{
	int fd = open("/proc/sys/vm/stat_interval", O_WRONLY | O_CLOEXEC);

	/* A kernel without it is only counted less well. */
	if (fd < 0)
		return;
	if (write(fd, "3600", 4) != 4)
		fprintf(stderr, "sheafbench: vm.stat_interval: %s\n", strerror(errno));
	close(fd);
	quiet_ms = boot_ms() + QUIET_MS;
}

bool flush_run(const struct flush_setup *setup, const struct flush_point *point,
	       struct gbench_state *state, char *error, size_t size)
{
	struct session session = {
		.setup = setup,
		.point = point,
		.home = sched_getcpu(),
		.arg = { .abi = SHEAFBENCH_ABI,
			 .size = point->size,
			 .busy = point->state == FLUSH_KERNEL },
	};
	static bool starved;
	const uint32_t most = point->state == FLUSH_FIFO ? 1 : MOST_FLUSHES;
	const uint32_t samples = setup->samples < most ? setup->samples : most;
	bool good = choose_cpus(&session);

	if (point->state == FLUSH_FIFO && starved)
		usleep(FIFO_REST_US);
	starved |= point->state == FLUSH_FIFO;
	for (uint64_t now = boot_ms(); now < quiet_ms; now = boot_ms())
		usleep((quiet_ms - now) * 1000);
	if (!good)
		snprintf(error, size, "needs %u CPUs, %ld are online", point->n,
			 sysconf(_SC_NPROCESSORS_ONLN));
	for (uint32_t i = 0; i < session.others && good; i++)
		if (point->state == FLUSH_USER || point->state == FLUSH_FIFO) {
			good = start_spinner(&session, i);
			if (!good)
				snprintf(error, size, "a program on CPU %d did not start",
					 session.cpu[i]);
		}
	if (good && !run_session(&session, state, samples)) {
		good = false;
		snprintf(error, size, "%s", *session.arg.text ? session.arg.text : gbench_error());
	}
	stop_spinners(&session);
	step(&session, OP_none, SHEAFBENCH_FLUSH_END);
	if (!bind_to(session.home) && good) {
		good = false;
		snprintf(error, size, "cannot go back to CPU %d: %s", session.home,
			 strerror(errno));
	}
	return good;
}
