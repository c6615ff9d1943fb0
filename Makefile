# SPDX-License-Identifier: GPL-2.0
# The front door; the work is in CMakeLists.txt and harness/.

# Names given on the command line, so that a mistyped one is refused.
export GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))

.DEFAULT_GOAL := help
.PHONY: bench check certify peers profile prove variant doctor plots reply publish clean help

bench check certify peers profile prove variant doctor plots reply publish clean:
	@MAKEFLAGS= exec harness/front.sh $@

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: make bench     build the kernels, boot them, measure, compare, plot, write the reply
#: make check     the tests
#: make certify   what this machine can tell: 100 and more comparisons of the baseline with itself, known doses
#:                (LAYOUTS=112 BOOTS=2 RUNS=2 SAMPLES=200 where nothing else is given)
#: make peers     the loops that people use today against ours, on the known doses (LAYOUTS=8 BOOTS=3 SAMPLES=200)
#: make variant   register somebody's series as a variant: MBOX=series.mbox NAME=foo (see below)
#: make prove     debug kernels under stress, on uml and x86_64: lockdep, KASAN, KCSAN, leaks, and the RCU test;
#:                TARGETS=tcg-rt for PREEMPT_RT
#: make doctor    the machine's state, and what would make it quieter
#: make profile   perf annotate of the fast path of VARIANT=<name>, in the loop of WORKLOADS (pair/64/1); on uml, or TARGETS=kvm or arm64
#: make plots     draw the plots of a result again
#: make reply     write report.md, reply.txt and reply.eml of a result again; print the reply
#: make publish   write Results.md and its plots from a result
#: make clean     remove the build trees (the kernels in the cache too), never a result
#:
#: VARIANTS="local-trylock qpw-on"  which kernels (default: all of kernel-patches/variants)
#: WORKLOADS='^pair/64/'            which workloads, a regular expression on their names
#: LAYOUTS=16 BOOTS=1 RUNS=1        layouts per variant, boots per layout, runs of each workload in a boot
#: SAMPLES=300                      samples of a run
#: PRECISION=0.5 MOST=64            add layouts, MOST at most, until the intervals reach +- so many ticks
#: TUNE=yes                         governor, turbo and NMI watchdog set for the run, and put back after it
#: UM_FIDELITY=yes                  no: arch/um as the kernel has it, without kernel-patches/patches/um
#: EVENTS=auto                      performance counters: auto, none, or names with commas (harness/counters/events)
#: DURATION=5                       seconds of each test in a boot of 'make prove'
#: SEED=1                           seed of the layouts and of the order
#: TARGETS="uml tcg"                where to run (default: all that this machine can run); tcg counts and tells no time,
#:                                  and so does tcg-rt, kernels with PREEMPT_RT, which is to be asked for
#: DEBUG_INFO=yes                   tcg tells by source line, too, where instructions come from (builds each kernel once more)
#: MITIGATIONS=no                   tcg and kvm boot with mitigations=off
#: KERNEL_SRC=debian-7.2            or a kernel folder, a git tree with @commit, a tarball
#: OUT=results                      where results go; RESULT=<folder> names one for plots, reply, publish
#: MBOX=series.mbox NAME=foo        of 'make variant': a mailbox as b4 or lore gives it (.gz too; covers, replies and the
#:                                  trailers in them are left out), a folder of patches, or <git tree>@<from>..<to>; its
#:                                  Makefiles run when it is built, its uml kernel is a process of yours: read it before
#: KCONFIG="CONFIG_X=y" CMDLINE="x=1" TITLE="..." BASE="qpw"
#:                                  its options, boot parameters, title, and the series that it stands on
#: CACHE=~/.cache/sheafbench        where kernels are built; JOBS=<n>; INSTALL=no installs nothing
