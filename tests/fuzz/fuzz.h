/*
 * fuzz.h - what fuzz targets share: the function that each of them is, and the way to
 * say that what came out cannot be right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** One input of @size bytes; returns 0. Called by libFuzzer or driver.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** The input is a finding unless @condition holds. */
static inline void
require(bool condition)
{
	if (!condition)
		abort();
}
