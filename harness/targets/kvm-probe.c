/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kvm-probe DEVICE [unjudged]: whether KVM executes a guest's instructions or only says so. Prints nothing when it does,
 * one line why not when it does not, and exits 0 either way. A guest of three instructions runs a loop whose time
 * outside of a guest is known, and how many of them KVM says that it emulated is asked; unjudged, the time is no
 * matter. Nothing takes longer than SECONDS.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SECONDS	      5
#define ITERATIONS    200000u
#define RUNS	      3
#define MOST_TIMES    3	   /* as long as outside: a busy machine is not an emulator */
#define MOST_EMULATED 0.01 /* of the loop's instructions */
#define MEMORY	      0x10000

static const char *device;

static _Noreturn void unusable(const char *what, int error)
{
	printf("%s %s%s%s\n", device, what, error ? ": " : "", error ? strerror(error) : "");
	exit(0);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* The guest's loop, in this process. */
static uint64_t loop_outside(void)
{
	uint32_t count = ITERATIONS;
	uint64_t start = now_ns();

	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(count) : : "cc");
	return now_ns() - start;
}

static int checked(int result, const char *what)
{
	if (result < 0)
		unusable(what, errno);
	return result;
}

/* A flat 32 bit segment, which needs no tables in the guest's memory. */
static struct kvm_segment flat(uint8_t type, uint16_t selector)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

static uint64_t loop_inside(int vcpu, struct kvm_run *run)
{
	struct kvm_sregs system;
	struct kvm_regs registers = { .rflags = 2, .rcx = ITERATIONS };
	uint64_t start;

	checked(ioctl(vcpu, KVM_GET_SREGS, &system), "tells no registers");
	system.cr0 |= 1;
	system.cs = flat(11, 8);
	system.ds = system.es = system.ss = flat(3, 16);
	checked(ioctl(vcpu, KVM_SET_SREGS, &system), "takes no registers");
	checked(ioctl(vcpu, KVM_SET_REGS, &registers), "takes no registers");
	alarm(SECONDS);
	start = now_ns();
	if (ioctl(vcpu, KVM_RUN, 0))
		unusable(errno == EINTR ? "hangs in its first guest" : "cannot run a guest",
			 errno == EINTR ? 0 : errno);
	if (run->exit_reason != KVM_EXIT_HLT) {
		printf("%s ends its first guest with exit reason %u\n", device, run->exit_reason);
		exit(0);
	}
	return now_ns() - start;
}

/* How many instructions KVM has emulated for this CPU, or 0 where it does not tell. */
static uint64_t emulated(int vcpu)
{
	int fd = ioctl(vcpu, KVM_GET_STATS_FD, 0);
	struct kvm_stats_header header;
	union {
		struct kvm_stats_desc desc;
		char bytes[512];
	} stat;
	uint64_t value;
	size_t size;

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return 0;
	size = sizeof(stat.desc) + header.name_size;
	for (uint32_t i = 0; size < sizeof(stat) && i < header.num_desc; i++) {
		memset(&stat, 0, sizeof(stat));
		if (pread(fd, &stat, size, header.desc_offset + i * size) == (ssize_t)size &&
		    !strcmp(stat.desc.name, "insn_emulation") &&
		    pread(fd, &value, sizeof(value), header.data_offset + stat.desc.offset) ==
			    sizeof(value))
			return value;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const uint8_t code[] = { 0x49, 0x75, 0xfd, 0xf4 }; /* dec ecx; jnz; hlt */
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	const struct sigaction action = { .sa_handler = on_alarm };
	uint64_t outside = UINT64_MAX, inside = UINT64_MAX, instructions, ns;
	struct kvm_run *run;
	int kvm, vm, vcpu, judged;
	void *memory;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: kvm-probe DEVICE [unjudged]\n");
		return 2;
	}
	device = argv[1];
	judged = argc == 2 || strcmp(argv[2], "unjudged") != 0;
	sigaction(SIGALRM, &action, NULL);
	kvm = checked(open(device, O_RDWR | O_CLOEXEC), "cannot be opened");
	alarm(SECONDS);
	if (checked(ioctl(kvm, KVM_GET_API_VERSION, 0), "is not KVM") != KVM_API_VERSION)
		unusable("has another interface than this program knows", 0);
	vm = checked(ioctl(kvm, KVM_CREATE_VM, 0), "makes no virtual machine");
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		unusable("has no memory for a guest", errno);
	memcpy(memory, code, sizeof(code));
	region.userspace_addr = (uintptr_t)memory;
	checked(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "takes no memory");
	vcpu = checked(ioctl(vm, KVM_CREATE_VCPU, 0), "makes no CPU");
	run = mmap(NULL, checked(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "tells no size"),
		   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		unusable("shows no CPU", errno);
	for (int i = 0; i < RUNS; i++) {
		ns = loop_outside();
		outside = ns < outside ? ns : outside;
		ns = loop_inside(vcpu, run);
		inside = ns < inside ? ns : inside;
	}
	instructions = emulated(vcpu);
	if (instructions > MOST_EMULATED * RUNS * 2 * ITERATIONS)
		printf("%s emulates: %.0f %% of a loop's instructions, it says\n", device,
		       100.0 * instructions / (RUNS * 2 * ITERATIONS));
	else if (judged && inside > MOST_TIMES * outside)
		printf("%s emulates: a loop takes %.0f times as long in a guest\n", device,
		       (double)inside / (double)outside);
	return 0;
}
