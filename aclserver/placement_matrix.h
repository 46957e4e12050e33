/*
 * placement_matrix.h - which chain of the policy sees which packets, and where: the
 * table of placement.c, seen from the packets' side. Pure.
 *
 * aclserver/placement.md is this text; a test compares the two, and another one sends
 * packets along every path.
 */
#pragma once

#include <stddef.h>

enum { PLACEMENT_MATRIX_SIZE = 16384 };

/** Write the page into @ret (PLACEMENT_MATRIX_SIZE bytes); cut if it does not fit,
 * which a test rules out. Returns its length. */
size_t placement_matrix(char *ret, size_t size);
