/*
 * counter_host.c - who this host is. (sFlow host_descr, host_adapters)
 *
 *     hostname, os_release, machine type   uname(2)
 *     uuid       /sys/class/dmi/id/product_uuid, else made from /etc/machine-id; one of
 *                the configuration goes before both, and is set by the poller
 *     adapters   the interface table: ports with a MAC that are neither virtual nor
 *                ports of the switch, which have samples of their own
 */
#include <errno.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "agent/counter.h"
#include "agent/host_uuid.h"
#include "agent/proc_file.h"

enum { ADAPTERS_MAX = 32 }; /* as many as hsflowd sends */

struct counter_host {
	struct utsname uname;
	uint8_t uuid[16];
	struct host_adapter adapters[ADAPTERS_MAX];
};

static enum sflow_machine
machine_of(const char *name)
{
	static const struct {
		const char *prefix;
		enum sflow_machine machine;
	} machines[] = {
		{ "x86_64", SFLOW_MACHINE_X86_64 },
		{ "i386", SFLOW_MACHINE_X86 },
		{ "i486", SFLOW_MACHINE_X86 },
		{ "i586", SFLOW_MACHINE_X86 },
		{ "i686", SFLOW_MACHINE_X86 },
		{ "ia64", SFLOW_MACHINE_IA64 },
		{ "sparc", SFLOW_MACHINE_SPARC },
		{ "alpha", SFLOW_MACHINE_ALPHA },
		{ "ppc", SFLOW_MACHINE_POWERPC },
		{ "m68k", SFLOW_MACHINE_M68K },
		{ "mips", SFLOW_MACHINE_MIPS },
		{ "arm", SFLOW_MACHINE_ARM },
		{ "aarch64", SFLOW_MACHINE_ARM },
		{ "parisc", SFLOW_MACHINE_HPPA },
		{ "s390", SFLOW_MACHINE_S390 },
	};

	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		if (strncmp(name, machines[i].prefix, strlen(machines[i].prefix)) == 0)
			return machines[i].machine;
	}
	return SFLOW_MACHINE_OTHER;
}

/* Unknown (zero) if neither can be read. */
static void
find_uuid(uint8_t ret[16])
{
	struct proc_buffer b = { .data = NULL };
	struct text text;

	if (!(proc_file_read_once("/sys/class/dmi/id/product_uuid", &b, &text) == 0 &&
		    host_uuid_parse(text, ret) == 0) &&
		proc_file_read_once("/etc/machine-id", &b, &text) == 0)
		(void)host_uuid_from_machine_id(text, ret);
	proc_buffer_done(&b);
}

static bool
is_adapter(const struct iface *i)
{
	return i->has_mac && i->hardware == ARPHRD_ETHER && !i->is_switch_port &&
	       (i->kind == LINK_KIND_NONE || i->kind == LINK_KIND_DSA);
}

static void
counter_host_read(
	void *data, const struct iface_table *ifaces, struct host_sample *sample)
{
	struct counter_host *ctx = data;
	size_t n = 0;

	/* The name can change while we run. */
	(void)uname(&ctx->uname);
	sample->descr.hostname = ctx->uname.nodename;
	sample->descr.os_release = ctx->uname.release;
	sample->descr.machine = machine_of(ctx->uname.machine);
	memcpy(sample->descr.uuid, ctx->uuid, sizeof(ctx->uuid));
	for (const struct iface *i = ifaces->first; i && n < ADAPTERS_MAX;
		i = i->next_all) {
		if (!is_adapter(i))
			continue;
		ctx->adapters[n].ifindex = i->index;
		ctx->adapters[n].n_macs = 1;
		memcpy(ctx->adapters[n].macs[0], i->mac, sizeof(i->mac));
		n++;
	}
	sample->adapters = ctx->adapters;
	sample->n_adapters = n;
	sample->has |= HOST_HAS_DESCR | HOST_HAS_ADAPTERS;
}

static int
counter_host_open(void **ret_ctx, struct err *err)
{
	struct counter_host *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return err_sys(err, -ENOMEM, "description of the host");
	find_uuid(ctx->uuid);
	*ret_ctx = ctx;
	return 0;
}

const struct counter_source counter_host = {
	.name = "counter_host",
	.open = counter_host_open,
	.close = free,
	.read_host = counter_host_read,
};
