/*
 * counter_host_cpu.c - processors and load. (sFlow host_cpu, 20 fields)
 *
 *     load, tasks            /proc/loadavg
 *     times, interrupts, context switches, number of processors   /proc/stat
 *     uptime                 /proc/uptime
 *     speed                  cpufreq/scaling_max_freq of the first processor, else "cpu
 *                            MHz" of /proc/cpuinfo; read once, as cpuinfo is slow
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/counter.h"
#include "agent/proc_file.h"
#include "agent/proc_text.h"

#define SPEED_PATH "/sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq"

enum { KHZ_PER_MHZ = 1000 };

struct counter_host_cpu {
	struct proc_file stat, loadavg, uptime;
	struct proc_buffer buffer;
	uint64_t ticks;     /* of /proc/stat, per second */
	uint64_t speed_mhz; /* COUNTER_UNKNOWN if not known */
};

static uint64_t
find_speed(struct proc_buffer *b)
{
	struct host_cpu cpu = { .cpu_speed_mhz = COUNTER_UNKNOWN };
	struct text text;
	uint64_t khz;

	if (proc_file_read_once(SPEED_PATH, b, &text) == 0 && text_digits(&text, &khz))
		return khz / KHZ_PER_MHZ;
	if (proc_file_read_once("/proc/cpuinfo", b, &text) == 0)
		(void)proc_cpuinfo_parse(text, &cpu);
	return cpu.cpu_speed_mhz;
}

/* What cannot be read or understood stays unknown. */
static void
counter_host_cpu_read(
	void *data, const struct iface_table *ifaces, struct host_sample *sample)
{
	struct counter_host_cpu *ctx = data;
	struct text text;

	(void)ifaces;
	if (proc_file_read(&ctx->stat, &ctx->buffer, &text) == 0)
		(void)proc_stat_parse(text, ctx->ticks, &sample->cpu);
	if (proc_file_read(&ctx->loadavg, &ctx->buffer, &text) == 0)
		(void)proc_loadavg_parse(text, &sample->cpu);
	if (proc_file_read(&ctx->uptime, &ctx->buffer, &text) == 0)
		(void)proc_uptime_parse(text, &sample->cpu);
	sample->cpu.cpu_speed_mhz = ctx->speed_mhz;
	sample->has |= HOST_HAS_CPU;
}

static void
counter_host_cpu_close(void *data)
{
	struct counter_host_cpu *ctx = data;

	if (!ctx)
		return;
	proc_file_close(&ctx->stat);
	proc_file_close(&ctx->loadavg);
	proc_file_close(&ctx->uptime);
	proc_buffer_done(&ctx->buffer);
	free(ctx);
}

static int
counter_host_cpu_open(void **ret_ctx, struct err *err)
{
	struct counter_host_cpu *ctx = calloc(1, sizeof(*ctx));
	long ticks = sysconf(_SC_CLK_TCK);

	if (!ctx)
		return err_sys(err, -ENOMEM, "counters of the processors");
	ctx->ticks = ticks > 0 ? (uint64_t)ticks : 100;
	(void)proc_file_open(&ctx->loadavg, "/proc/loadavg", NULL);
	(void)proc_file_open(&ctx->uptime, "/proc/uptime", NULL);
	if (proc_file_open(&ctx->stat, "/proc/stat", err) < 0) {
		counter_host_cpu_close(ctx);
		return err->code;
	}
	ctx->speed_mhz = find_speed(&ctx->buffer);
	*ret_ctx = ctx;
	return 0;
}

const struct counter_source counter_host_cpu = {
	.name = "counter_host_cpu",
	.open = counter_host_cpu_open,
	.close = counter_host_cpu_close,
	.read_host = counter_host_cpu_read,
};
