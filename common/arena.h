/*
 * arena.h - memory that is freed all at once: everything parsed or compiled from one
 * file.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena;

/** A new arena, NULL when out of memory. @limit bytes may be taken from it; 0 = no
 * limit. */
struct arena *arena_new(size_t limit);

/** Free the arena and all that was taken from it; accepts NULL. */
void arena_free(struct arena *arena);

/** @size zeroed bytes, aligned for any type, valid until arena_free(). NULL when out of
 * memory or over the limit. */
void *arena_alloc(struct arena *arena, size_t size);

/** A copy of @len bytes of @text with a NUL behind them. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_strdup(struct arena *arena, const char *text);

/** Formatted text. */
__attribute__((format(printf, 2, 3))) char *arena_printf(
	struct arena *arena, const char *fmt, ...);

/** Bytes handed out so far. */
size_t arena_used(const struct arena *arena);
