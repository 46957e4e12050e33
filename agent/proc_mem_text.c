/*
 * proc_mem_text.c - /proc/meminfo and /proc/vmstat.
 */
#include <errno.h>

#include "agent/proc_text.h"

/* A name and where its number goes. */
struct column {
	const char *name;
	uint64_t *to;
};

enum { KIB = 1024 };

/* Lines "name number …"; numbers are multiplied by @unit. How many were found. */
static size_t
read_columns(struct text text, const struct column *columns, size_t n, uint64_t unit)
{
	struct text line, name;
	size_t found = 0;
	uint64_t number;

	while (found < n && text_line(&text, &line)) {
		if (!text_word(&line, &name))
			continue;
		for (size_t i = 0; i < n; i++) {
			if (!text_equals(&name, columns[i].name) ||
				!text_u64(&line, &number) ||
				__builtin_mul_overflow(number, unit, &number))
				continue;
			*columns[i].to = number;
			found++;
			break;
		}
	}
	return found;
}

int
proc_meminfo_parse(struct text text, struct host_memory *ret)
{
	const struct column columns[] = {
		{ "MemTotal:", &ret->total_bytes },
		{ "MemFree:", &ret->free_bytes },
		{ "Buffers:", &ret->buffers_bytes },
		{ "Cached:", &ret->cached_bytes },
		{ "SwapTotal:", &ret->swap_total_bytes },
		{ "SwapFree:", &ret->swap_free_bytes },
		{ "Shmem:", &ret->shared_bytes },
	};

	return read_columns(text, columns, sizeof(columns) / sizeof(*columns), KIB) > 0
		       ? 0
		       : -EBADMSG;
}

int
proc_vmstat_parse(struct text text, struct host_memory *ret)
{
	const struct column columns[] = {
		{ "pgpgin", &ret->page_in },
		{ "pgpgout", &ret->page_out },
		{ "pswpin", &ret->swap_in },
		{ "pswpout", &ret->swap_out },
	};

	return read_columns(text, columns, sizeof(columns) / sizeof(*columns), 1) > 0
		       ? 0
		       : -EBADMSG;
}
