/*
 * counter_host_memory.c - memory and paging. (sFlow host_memory)
 *
 *     total, free, shared, buffers, cached, swap   /proc/meminfo
 *     pages in and out, swapped in and out         /proc/vmstat
 */
#include <errno.h>
#include <stdlib.h>

#include "agent/counter.h"
#include "agent/proc_file.h"
#include "agent/proc_text.h"

struct counter_host_memory {
	struct proc_file meminfo, vmstat;
	struct proc_buffer buffer;
};

/* What cannot be read or understood stays unknown. */
static void
counter_host_memory_read(
	void *data, const struct iface_table *ifaces, struct host_sample *sample)
{
	struct counter_host_memory *ctx = data;
	struct text text;

	(void)ifaces;
	if (proc_file_read(&ctx->meminfo, &ctx->buffer, &text) == 0)
		(void)proc_meminfo_parse(text, &sample->memory);
	if (proc_file_read(&ctx->vmstat, &ctx->buffer, &text) == 0)
		(void)proc_vmstat_parse(text, &sample->memory);
	sample->has |= HOST_HAS_MEMORY;
}

static void
counter_host_memory_close(void *data)
{
	struct counter_host_memory *ctx = data;

	if (!ctx)
		return;
	proc_file_close(&ctx->meminfo);
	proc_file_close(&ctx->vmstat);
	proc_buffer_done(&ctx->buffer);
	free(ctx);
}

static int
counter_host_memory_open(void **ret_ctx, struct err *err)
{
	struct counter_host_memory *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return err_sys(err, -ENOMEM, "counters of the memory");
	(void)proc_file_open(&ctx->vmstat, "/proc/vmstat", NULL);
	if (proc_file_open(&ctx->meminfo, "/proc/meminfo", err) < 0) {
		counter_host_memory_close(ctx);
		return err->code;
	}
	*ret_ctx = ctx;
	return 0;
}

const struct counter_source counter_host_memory = {
	.name = "counter_host_memory",
	.open = counter_host_memory_open,
	.close = counter_host_memory_close,
	.read_host = counter_host_memory_read,
};
