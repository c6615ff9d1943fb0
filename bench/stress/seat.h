/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs call sheafstress.ko by writing the address of their seat to /proc/sheafstress. Back in
 * user space they count there, as long as they are to stay.
 */
#ifndef SHEAFSTRESS_SEAT_H
#define SHEAFSTRESS_SEAT_H

/* Aligned to its size, for it to be in one page. */
struct seat {
	unsigned long stay;
	unsigned long counts;
};

#endif /* SHEAFSTRESS_SEAT_H */
