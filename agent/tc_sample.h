/*
 * tc_sample.h - our own sampling filters in the kernel's traffic control, for the
 * psample source. Acting module.
 *
 * Each port has one filter per direction (tc_msg.h), in hardware where the driver takes
 * it, else in software. It has the lowest preference that is free, so that what the
 * filters of others drop is sampled all the same. What others have there stays: only
 * filters that carry our cookie are removed, and the clsact qdisc only if we made it
 * and nobody else uses it. Filters of a predecessor that was killed are found and go
 * on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/source.h"
#include "agent/tc_msg.h"
#include "common/err.h"
#include "common/loop.h"

struct tc_sample; /* owned by who opened it */

struct tc_sample_options {
	bool wanted[TC_HOOKS]; /* at least one */
	uint32_t group[TC_HOOKS];
	bool hardware_only; /* refuse ports whose driver cannot sample */
};

enum tc_sample_place {
	TC_SAMPLE_NOWHERE, /* no port of ours, or refused */
	TC_SAMPLE_SOFTWARE,
	TC_SAMPLE_HARDWARE,
};

/** Have the kernel load what sampling takes. 0; negative errno with the reason: it
 * cannot. */
int tc_sample_load(struct err *err);

/** Find the filters that a predecessor left, and watch in the callbacks of @loop what
 * others do. NULL with the reason in @err. */
struct tc_sample *tc_sample_open(
	struct loop *loop, const struct tc_sample_options *options, struct err *err);

/** Remove all filters. Accepts NULL. */
void tc_sample_close(struct tc_sample *t);

/** Remove what an agent left that did not end in an orderly way; fine if there is
 * nothing. 0 or negative errno with the reason. */
int tc_sample_remove(struct err *err);

/** Have filters for exactly these ports, sorted by ifindex; only differences are sent.
 * Returns how many ports the kernel refused: one is logged with the reason, all are
 * tried again by the next call. */
size_t tc_sample_set(struct tc_sample *t, const struct source_port *ports, size_t n);

/** Once a second: look at filters that somebody may have touched, and at some others.
 * False if one is gone: call tc_sample_set() again. */
bool tc_sample_check(struct tc_sample *t);

/** Where port @ifindex is sampled. */
enum tc_sample_place tc_sample_place(const struct tc_sample *t, uint32_t ifindex);
