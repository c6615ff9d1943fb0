# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Target tcg-rt: tcg.sh's machine with PREEMPT_RT kernels, where a local_trylock_t is a per-CPU spinlock that may sleep.
# Sourced by target.sh.

. "$top/harness/targets/tcg.sh"
target_config=x86_64-rt
target_config_over=x86_64

# Prints why the target cannot run here, or nothing. As it takes kernels of its own, it runs only where it is asked for.
target_probe() {
	if [[ " ${TARGETS-} " != *" tcg-rt "* ]]; then
		echo "it takes kernels of its own; TARGETS=\"tcg tcg-rt\" asks for it"
	else
		target_installed
	fi
}
