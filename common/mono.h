/*
 * mono.h - monotonic time as a type, so that units and clocks cannot be mixed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mono {
	int64_t ns; /* nanoseconds since an arbitrary start (CLOCK_MONOTONIC) */
};

/** The present moment, from CLOCK_MONOTONIC or from the replacement clock of
 * mono_set_source(). */
struct mono mono_now(void);

/** Milliseconds since the machine booted, time asleep included (CLOCK_BOOTTIME); with a
 * replacement clock, that clock's. */
int64_t mono_boot_ms(void);

/** Replace the clock (tests): @source returns nanoseconds; NULL restores the kernel's
 * clock. */
void mono_set_source(int64_t (*source)(void *user_data), void *user_data);

/** The moment @ms milliseconds after @t. */
static inline struct mono
mono_add_ms(struct mono t, int64_t ms)
{
	return (struct mono){ t.ns + ms * 1000000 };
}

/** Milliseconds from @from to @to, rounded towards zero; negative if @to is earlier. */
static inline int64_t
mono_diff_ms(struct mono from, struct mono to)
{
	return (to.ns - from.ns) / 1000000;
}

/** As mono_diff_ms(), in microseconds. */
static inline int64_t
mono_diff_us(struct mono from, struct mono to)
{
	return (to.ns - from.ns) / 1000;
}

/** True if @a is earlier than @b. */
static inline bool
mono_before(struct mono a, struct mono b)
{
	return a.ns < b.ns;
}
