/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sheafbench-guard SECONDS COMMAND...: runs one boot and ends all that it started. Whatever the command starts becomes a child
 * of the guard when its own parent is gone, in whichever session it is, so nothing has to be found by its name. When the
 * command has ended, after SECONDS, on SIGTERM, SIGINT or SIGHUP, and when whoever started the guard is gone, all of them are
 * killed. Exits with the command's status, 128 and the signal that ended it, or 124 after SECONDS.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMED_OUT  124
#define CANNOT_RUN 126

/* The parent's number in /proc/PID/stat stands behind the name, which may hold anything, and the state. */
static pid_t parent_of(const char *pid)
{
	char path[64], text[512], *end;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	file = fopen(path, "re");
	if (file) {
		size = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[size] = '\0';
	end = strrchr(text, ')');
	return end && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : -1;
}

/* Those that are left when their parents are killed become children in turn, so it ends when there are none. */
static void end_all(void)
{
	const struct timespec moment = { .tv_nsec = 2000000 };

	for (;;) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		if (!proc)
			return;
		while ((entry = readdir(proc)))
			if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			    parent_of(entry->d_name) == getpid())
				kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
		closedir(proc);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		nanosleep(&moment, NULL);
	}
}

int main(int argc, char **argv)
{
	const long seconds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	struct timespec end, now, left;
	int status = -1, signal_number;
	sigset_t set, before;
	pid_t child;

	if (seconds <= 0) {
		fprintf(stderr, "usage: sheafbench-guard SECONDS COMMAND...\n");
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &before);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		setsid();
		execvp(argv[2], argv + 2);
		fprintf(stderr, "sheafbench: boot: %s cannot be run: %s\n", argv[2],
			strerror(errno));
		_exit(CANNOT_RUN);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	for (;;) {
		pid_t ended;
		int how;

		while ((ended = waitpid(-1, &how, WNOHANG)) > 0)
			if (ended == child)
				status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
		if (status >= 0 || child < 0)
			break;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left.tv_sec = end.tv_sec - now.tv_sec - (end.tv_nsec < now.tv_nsec);
		left.tv_nsec = (end.tv_nsec - now.tv_nsec + 1000000000) % 1000000000;
		signal_number = left.tv_sec < 0 ? -1 : sigtimedwait(&set, NULL, &left);
		if (signal_number < 0 && (left.tv_sec < 0 || errno == EAGAIN)) {
			status = TIMED_OUT;
			break;
		}
		if (signal_number > 0 && signal_number != SIGCHLD) {
			status = 128 + signal_number;
			break;
		}
	}
	end_all();
	return status < 0 ? CANNOT_RUN : status;
}
