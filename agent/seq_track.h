/*
 * seq_track.h - gaps in a sequence of numbers: what was lost on the way. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct seq_track {
	bool started;  /* .last is valid */
	uint32_t last; /* number */
};

/** How many numbers are missing in front of @seq. None before the first number, nor
 * when it jumps backwards: then a new sequence begins. */
static inline uint32_t
seq_track(struct seq_track *t, uint32_t seq)
{
	uint32_t gap = t->started ? seq - t->last - 1 : 0;

	t->started = true;
	t->last = seq;
	return gap > INT32_MAX ? 0 : gap;
}
