/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sheafbench-box: how target metal takes a machine from its own system to one of our kernels, and back. It needs nothing of
 * the machine but a kernel that has kexec_file_load().
 *
 *   box probe [unjudged]    on the machine: prints why it cannot be taken, or nothing. Its speed is judged, or not
 *   box leave KERNEL INITRD TOKEN CMDLINE
 *                           on the machine, in the folder with our image, initramfs, args and this program: loads our kernel with
 *                           the way back to KERNEL and INITRD in its initramfs, and goes there when whoever started it is gone
 *   box home                as the first process of our kernel, after init: goes back, with the files of /out
 *   box hand                in the machine's own initramfs, started by udev: puts these files into /run, where they stay
 *
 * The files come as an archive in front of the machine's own initramfs, with this program and a rule of udev's that starts
 * it. Distributions' initramfs have udev, and /run is handed on to their root file system.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kexec.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HAND  "/run/sheafbench"
#define RULE  "SUBSYSTEM==\"mem\", KERNEL==\"null\", RUN+=\"/sheafbench/box hand\"\n"
#define TRIES 2000
#define BLOCK 512 /* of archives, as cpio has them */

static int at_home = 1; /* no: this is our kernel, which is left by all means */

static _Noreturn void fail(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	fputs("sheafbench: box: ", stderr);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
	va_end(list);
	if (!at_home) {
		sync();
		reboot(RB_AUTOBOOT);
	}
	exit(1);
}

static FILE *opened(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (!file)
		fail("%s: %s", path, strerror(errno));
	return file;
}

static void closed(FILE *file, const char *path)
{
	if (ferror(file) | fclose(file))
		fail("cannot write %s: %s", path, strerror(errno));
}

/* The whole file, which may be one of /proc, and a 0 behind it. */
static char *contents(const char *path, size_t *size)
{
	FILE *file = opened(path, "re");
	size_t room = 1 << 16, n = 0, got;
	char *text = malloc(room + 1), *more = text;

	while (more && (got = fread(text + n, 1, room - n, file)) > 0) {
		n += got;
		if (n < room)
			continue;
		more = realloc(text, (room *= 2) + 1);
		if (more)
			text = more;
	}
	if (!more || ferror(file))
		fail("cannot read %s: %s", path, strerror(errno));
	fclose(file);
	text[n] = '\0';
	if (size)
		*size = n;
	return text;
}

static void pad(FILE *to, long unit)
{
	while (ftell(to) % unit)
		fputc(0, to);
}

/* One entry of an archive as the kernel unpacks it (newc): a folder where there are no bytes. */
static void entry(FILE *to, const char *name, unsigned int permissions, const char *bytes,
		  size_t size)
{
	if (size > UINT32_MAX)
		fail("%s is too large", name);
	fprintf(to, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s", 0u,
		(bytes ? S_IFREG : S_IFDIR) | permissions, 0u, 0u, 1u, 0u, (unsigned int)size, 0u,
		0u, 0u, 0u, (unsigned int)strlen(name) + 1, 0u, name);
	fputc(0, to);
	pad(to, 4);
	if (bytes)
		fwrite(bytes, 1, size, to);
	pad(to, 4);
}

static void entry_of(FILE *to, const char *name, unsigned int permissions, const char *path)
{
	size_t size;
	char *bytes = contents(path, &size);

	entry(to, name, permissions, bytes, size);
	free(bytes);
}

static void end_archive(FILE *to)
{
	entry(to, "TRAILER!!!", 0, "", 0);
	pad(to, BLOCK);
}

static void append(FILE *to, const char *path)
{
	size_t size;
	char *bytes = contents(path, &size);

	fwrite(bytes, 1, size, to);
	free(bytes);
}

static void load(const char *kernel, const char *initrd, const char *cmdline)
{
	const int k = open(kernel, O_RDONLY | O_CLOEXEC), i = open(initrd, O_RDONLY | O_CLOEXEC);

	if (k < 0 || i < 0)
		fail("%s: %s", k < 0 ? kernel : initrd, strerror(errno));
	if (syscall(SYS_kexec_file_load, k, i, strlen(cmdline) + 1, cmdline, 0UL))
		fail("its kernel does not load %s: %s", kernel, strerror(errno));
	close(k);
	close(i);
}

/*
 * An emulator executes additions as fast as the CPU, and has to look up where each return goes. A CPU takes 4 to 8 times as long
 * for a call, its return and the loop as for an addition, QEMU's TCG 32 times.
 */
static int emulated(void)
{
	uint64_t adds = UINT64_MAX, calls = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t sum = i, start = __builtin_ia32_rdtsc(), took;

		__asm__ volatile(".rept 512\n\tadd %0, %0\n\t.endr" : "+r"(sum) : : "cc");
		took = __builtin_ia32_rdtsc() - start;
		if (took < adds)
			adds = took;
		start = __builtin_ia32_rdtsc();
		/* Below what the compiler may keep beneath the stack. */
		__asm__ volatile("lea -256(%%rsp), %%rsp\n\tmov $512, %%ecx\n"
				 "1:\tcall 2f\n\tdec %%ecx\n\tjnz 1b\n\tjmp 3f\n2:\tret\n"
				 "3:\tlea 256(%%rsp), %%rsp"
				 :
				 :
				 : "ecx", "cc", "memory");
		took = __builtin_ia32_rdtsc() - start;
		if (took < calls)
			calls = took;
	}
	return calls > 16 * adds;
}

static int probe(int judged)
{
	if (geteuid())
		puts("kexec takes root there");
	/* Nothing is loaded there, so that nothing is unloaded. */
	else if (syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, (unsigned long)KEXEC_FILE_UNLOAD))
		printf("its kernel refuses kexec_file_load(): %s\n", strerror(errno));
	else if (judged && emulated())
		puts("it is emulated: a call takes more than 16 times as long as an addition");
	return 0;
}

static int leave(const char *kernel, const char *initrd, const char *token, const char *cmdline)
{
	FILE *to = opened("whole", "we");
	pid_t child;
	int fd;

	append(to, "initramfs");
	pad(to, BLOCK);
	entry(to, "home", 0755, NULL, 0);
	entry_of(to, "home/kernel", 0600, kernel);
	entry_of(to, "home/initrd", 0600, initrd);
	entry_of(to, "home/cmdline", 0600, "/proc/cmdline");
	entry(to, "home/token", 0600, token, strlen(token));
	entry_of(to, "box", 0755, "box");
	entry(to, "out", 0755, NULL, 0);
	entry_of(to, "out/args", 0600, "args");
	end_archive(to);
	closed(to, "whole");
	load("image", "whole", cmdline);
	fd = open("left", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	child = fork();
	if (child)
		return child < 0;
	/* The connection ends first. */
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	setsid();
	sleep(1);
	sync();
	fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "u", 1) != 1)
		fail("cannot make its file systems read-only: %s", strerror(errno));
	sleep(2);
	reboot(RB_KEXEC);
	fail("its kernel does not go: %s", strerror(errno));
}

/* What the kernel has said, behind what init and the driver have. */
static void keep_log(void)
{
	const int size = klogctl(10, NULL, 0);
	char *text = malloc(size > 0 ? size : 1);
	const int n = text && size > 0 ? klogctl(3, text, size) : 0;
	FILE *console = opened("/out/console", "ae");

	fwrite(text, 1, n > 0 ? n : 0, console);
	closed(console, "/out/console");
	free(text);
}

static int home(void)
{
	char name[PATH_MAX], *token, *cmdline;
	DIR *out = opendir("/out");
	struct dirent *file;
	FILE *to;

	at_home = 0;
	token = contents("/home/token", NULL);
	cmdline = contents("/home/cmdline", NULL);
	cmdline[strcspn(cmdline, "\n")] = '\0';
	keep_log();
	to = opened("/results", "we");
	while (out && (file = readdir(out)))
		if (file->d_type == DT_REG && strcmp(file->d_name, "args")) {
			snprintf(name, sizeof(name), "/out/%s", file->d_name);
			entry_of(to, file->d_name, 0644, name);
		}
	end_archive(to);
	closed(to, "/results");

	to = opened("/front", "we");
	entry(to, "sheafbench", 0700, NULL, 0);
	entry_of(to, "sheafbench/box", 0700, "/box");
	snprintf(name, sizeof(name), "sheafbench/%s.cpio", token);
	entry_of(to, name, 0600, "/results");
	entry(to, "etc", 0755, NULL, 0);
	entry(to, "etc/udev", 0755, NULL, 0);
	entry(to, "etc/udev/rules.d", 0755, NULL, 0);
	entry(to, "etc/udev/rules.d/99-sheafbench.rules", 0644, RULE, strlen(RULE));
	end_archive(to);
	append(to, "/home/initrd");
	closed(to, "/front");
	load("/home/kernel", "/front", cmdline);
	reboot(RB_KEXEC);
	fail("this kernel does not go: %s", strerror(errno));
}

static int hand(void)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct stat root, run;
	struct dirent *file;
	DIR *dir = opendir("/sheafbench");

	/* Before /run is mounted is too early; there is another event. */
	if (stat("/", &root) || stat("/run", &run) || root.st_dev == run.st_dev)
		return 0;
	mkdir(HAND, 0700);
	while (dir && (file = readdir(dir)))
		if (strstr(file->d_name, ".cpio")) {
			FILE *part;

			snprintf(from, sizeof(from), "/sheafbench/%s", file->d_name);
			snprintf(to, sizeof(to), HAND "/%s", file->d_name);
			part = opened(HAND "/part", "we");
			append(part, from);
			closed(part, HAND "/part");
			if (rename(HAND "/part", to))
				fail("%s: %s", to, strerror(errno));
		}
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "probe"))
		return probe(argc == 2 || strcmp(argv[2], "unjudged"));
	if (!strcmp(verb, "leave") && argc == 6)
		return leave(argv[2], argv[3], argv[4], argv[5]);
	if (!strcmp(verb, "home"))
		return home();
	if (!strcmp(verb, "hand"))
		return hand();
	fputs("usage: box probe | leave KERNEL INITRD TOKEN CMDLINE | home | hand\n", stderr);
	return 2;
}
