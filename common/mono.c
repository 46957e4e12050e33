/*
 * mono.c - the one place that reads the monotonic clock.
 */
#include "common/mono.h"

#include <stddef.h>
#include <time.h>

/* Process-wide on purpose: there is one clock, and tests replace it for everybody. */
static int64_t (*source_fn)(void *user_data);
static void *source_data;

struct mono
mono_now(void)
{
	struct timespec ts;

	if (source_fn)
		return (struct mono){ source_fn(source_data) };
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct mono){ (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec };
}

int64_t
mono_boot_ms(void)
{
	struct timespec ts;

	if (source_fn)
		return source_fn(source_data) / 1000000;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
mono_set_source(int64_t (*source)(void *user_data), void *user_data)
{
	source_fn = source;
	source_data = user_data;
}
