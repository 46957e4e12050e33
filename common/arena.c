/*
 * arena.c - memory that is freed all at once.
 *
 * Small requests are cut from blocks that double in size up to BLOCK_MAX, so that a
 * three-line ACL costs one small block and a file of 100,000 rules few large ones. A
 * request that is large beside the block size gets a block of its own; it is linked
 * behind the current one, whose remaining room stays in use.
 */
#include "common/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN = 1 << 10, BLOCK_MAX = 64 << 10 };

struct block {
	struct block *next;               /* owned */
	size_t size;                      /* bytes in data */
	size_t used;                      /* bytes of data handed out */
	alignas(max_align_t) char data[]; /* zeroed when the block is made */
};

struct arena {
	struct block *blocks; /* owned; the first is the one that small requests use */
	size_t block_size;    /* of the next ordinary block */
	size_t limit;         /* on used; SIZE_MAX = none */
	size_t used;          /* bytes handed out, padding included */
};

struct arena *
arena_new(size_t limit)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->block_size = BLOCK_MIN;
	arena->limit = limit ? limit : SIZE_MAX;
	return arena;
}

void
arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->blocks) {
		struct block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	free(arena);
}

static struct block *
block_new(size_t size)
{
	struct block *block;

	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = calloc(1, sizeof(*block) + size);
	if (block)
		block->size = size;
	return block;
}

/* A block with room for @size bytes: the current one, or a new one. */
static struct block *
block_with_room(struct arena *arena, size_t size)
{
	struct block *current = arena->blocks;
	struct block *block;
	bool own = size > arena->block_size / 4;

	if (current && current->size - current->used >= size)
		return current;
	block = block_new(own ? size : arena->block_size);
	if (!block)
		return NULL;
	if (own && current) {
		block->next = current->next;
		current->next = block;
		return block;
	}
	block->next = current;
	arena->blocks = block;
	if (!own && arena->block_size < BLOCK_MAX)
		arena->block_size *= 2;
	return block;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct block *block;
	void *p;

	/* An empty request still gets an address of its own. */
	if (size == 0)
		size = 1;
	if (size > SIZE_MAX - align)
		return NULL;
	size = (size + align - 1) / align * align;
	if (size > arena->limit - arena->used)
		return NULL;
	block = block_with_room(arena, size);
	if (!block)
		return NULL;
	p = block->data + block->used;
	block->used += size;
	arena->used += size;
	return p;
}

char *
arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_alloc(arena, len + 1) : NULL;

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		return NULL;
	text = arena_alloc(arena, (size_t)len + 1);
	if (!text)
		return NULL;
	va_start(args, fmt);
	(void)vsnprintf(text, (size_t)len + 1, fmt, args); /* measured above */
	va_end(args);
	return text;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used;
}
