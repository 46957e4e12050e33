/*
 * counter_host_ip.c - the IP stack. (sFlow mib2_ip_group, mib2_icmp_group,
 * mib2_tcp_group, mib2_udp_group)
 *
 * Source: /proc/net/snmp of the network namespace in which the agent started.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent/counter.h"
#include "agent/proc_file.h"
#include "agent/proc_text.h"

struct counter_host_ip {
	struct proc_file snmp;
	struct proc_buffer buffer;
};

static void
counter_host_ip_read(
	void *data, const struct iface_table *ifaces, struct host_sample *sample)
{
	struct counter_host_ip *ctx = data;
	struct text text;

	(void)ifaces;
	/* Groups that were not found are not sent. */
	if (proc_file_read(&ctx->snmp, &ctx->buffer, &text) == 0)
		(void)proc_snmp_parse(text, sample);
}

static void
counter_host_ip_close(void *data)
{
	struct counter_host_ip *ctx = data;

	if (!ctx)
		return;
	proc_file_close(&ctx->snmp);
	proc_buffer_done(&ctx->buffer);
	free(ctx);
}

static int
counter_host_ip_open(void **ret_ctx, struct err *err)
{
	struct counter_host_ip *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return err_sys(err, -ENOMEM, "counters of the IP stack");
	if (proc_file_open(&ctx->snmp, "/proc/net/snmp", err) < 0) {
		counter_host_ip_close(ctx);
		return err->code;
	}
	*ret_ctx = ctx;
	return 0;
}

const struct counter_source counter_host_ip = {
	.name = "counter_host_ip",
	.open = counter_host_ip_open,
	.close = counter_host_ip_close,
	.read_host = counter_host_ip_read,
};
