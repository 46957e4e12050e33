/*
 * cleanup.h - ownership by construction: locals that free themselves, and explicit
 * hand-over.
 *
 * A local that owns something is declared with one of the attributes below and gives
 * its value up with take_ptr() or take_fd(). Descriptors start at -1.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/** Declare a heap pointer that is freed when it leaves its scope. */
#define AUTO_FREE   CLEANUP(cleanup_free)
/** Declare a file descriptor that is closed when it leaves its scope; negative means
 * none. */
#define AUTO_CLOSE  CLEANUP(cleanup_close)
/** Declare a FILE that is closed when it leaves its scope. */
#define AUTO_FCLOSE CLEANUP(cleanup_fclose)

static inline void
cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void
cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void
cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

/** Give up ownership of the pointer variable @p: evaluates to its value and leaves
 * NULL. */
#define take_ptr(p)                                                                    \
	({                                                                             \
		__typeof__(p) taken_ = (p);                                            \
		(p) = NULL;                                                            \
		taken_;                                                                \
	})

/** Give up ownership of the descriptor in *@fd: returns it and leaves -1. */
static inline int
take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
