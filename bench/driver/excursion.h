/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Excursions: a program enters the kernel, does so many pairs of kmalloc() and kfree() there and returns. They are
 * timed from user space, so that what a scheme puts on the way back counts too; without a pair, all else is left.
 */
#ifndef SHEAFBENCH_DRIVER_EXCURSION_H
#define SHEAFBENCH_DRIVER_EXCURSION_H

#include <stdbool.h>
#include <stdint.h>

#include "sheafbench.h"

/* Excursions in one sample, or in one window. */
#define EXCURSIONS_SAMPLED 8u

/*
 * Takes run->samples samples of run->n pairs of run->size into run->buffer, which has the layout of a workload of one part,
 * with the flags SHEAFBENCH_NO_GATE, _HALF_GATE and _WINDOWS. An operation is one excursion. The caller is bound to
 * a CPU. With caches, the module has so many of its own, and the pairs are one in each of run->n. False with run->text.
 */
bool excursion_run(int device, struct sheafbench_run *run, uint32_t caches);

#endif
