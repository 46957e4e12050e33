/*
 * agent_conf_table.c - what may stand in hsflowd.conf: hsflowd's whole grammar and our
 * additions, block by block. What has "idle" is accepted and named in a warning.
 *
 * Words that a DNS TXT record may set too (sampling, polling, agent…) are in
 * settings.c.
 */
#include "agent/agent_conf_table.h"

enum { TEXT_MAX = CONF_TOKEN_SIZE - 1 };

#define AT(type, member) offsetof(struct type, member)

/* Rows: a number, a switch, a text, any other parser; "has" is the member that says
 * that the word was written. */
#define NUMBER(word, type, member, low, high)                                          \
	{                                                                              \
		.name = word, .put = conf_put_u32, .offset = AT(type, member),         \
		.min = low, .max = high                                                \
	}
#define SWITCH(word, type, member)                                                     \
	{                                                                              \
		.name = word, .put = conf_put_bool, .offset = AT(type, member)         \
	}
#define TEXT(word, parser, type, member)                                               \
	{                                                                              \
		.name = word, .put = parser, .offset = AT(type, member),               \
		.max = TEXT_MAX                                                        \
	}
/* Accepted without effect, and something is missing. */
#define IDLE(word, why)                                                                \
	{                                                                              \
		.name = word, .put = conf_put_nothing, .idle = why                     \
	}
/* Accepted without effect, and nothing is missing. */
#define MOOT(word, why)                                                                \
	{                                                                              \
		.name = word, .put = conf_put_nothing, .idle = why, .harmless = true   \
	}

static const char no_vms[] = "virtual machines and containers are not reported here";
static const char no_apps[] = "applications are not reported here";
static const char by_events[] = "interfaces are followed by kernel events";
static const char not_here[] = "it is for another platform";

static const struct conf_word dns_sd_words[] = {
	TEXT("domain", agent_conf_put_domain, agent_conf, dnssd_domain),
	TEXT("DNSSD_domain", agent_conf_put_domain, agent_conf, dnssd_domain),
	{ 0 },
};

static const struct conf_word collector_words[] = {
	{ .name = "ip", .put = agent_conf_put_host },
	NUMBER("udpport", agent_conf_collector, port, 1, 65535),
	TEXT("dev", agent_conf_put_ifname, agent_conf_collector, device),
	TEXT("deviceName", agent_conf_put_ifname, agent_conf_collector, device),
	TEXT("namespace", agent_conf_put_net_namespace, agent_conf_collector,
		net_namespace),
	{ .name = "source",
		.put = agent_conf_put_source,
		.offset = AT(agent_conf_collector, source),
		.has = AT(agent_conf_collector, has_source) },
	TEXT("dscp", agent_conf_put_dscp, agent_conf_collector, dscp),
	{ 0 },
};

static const struct conf_word port_words[] = {
	{ .name = "sampling",
		.put = conf_put_u32,
		.offset = AT(agent_conf_port, sampling),
		.has = AT(agent_conf_port, has_sampling),
		.max = SETTINGS_RATE_MAX },
	{ .name = "polling",
		.put = conf_put_u32,
		.offset = AT(agent_conf_port, polling_s),
		.has = AT(agent_conf_port, has_polling),
		.max = SETTINGS_POLLING_MAX_S },
	{ .name = "enable",
		.put = conf_put_bool,
		.offset = AT(agent_conf_port, enable),
		.has = AT(agent_conf_port, has_enable) },
	{ 0 },
};

static const struct conf_word psample_words[] = {
	NUMBER("group", agent_conf, psample.group, 1, UINT32_MAX - 1),
	SWITCH("ingress", agent_conf, psample.ingress),
	SWITCH("egress", agent_conf, psample.egress),
	{ .name = "install",
		.put = conf_put_bool,
		.offset = AT(agent_conf, psample.install),
		.has = AT(agent_conf, psample.has_install) },
	{ 0 },
};

static const struct conf_word dent_words[] = {
	TEXT("switchport", conf_put_regex, agent_conf, switchport),
	TEXT("sw", agent_conf_put_dent_sw, agent_conf, psample.hardware_only),
	{ 0 },
};

static const struct conf_word switchport_words[] = {
	TEXT("switchport", conf_put_regex, agent_conf, switchport),
	{ 0 },
};

static const struct conf_word nflog_words[] = {
	{ .name = "group",
		.put = conf_put_u32,
		.offset = AT(agent_conf, nflog.group),
		.has = AT(agent_conf, nflog.has_group),
		.min = 1,
		.max = 65535 },
	{ .name = "nflogGroup",
		.put = conf_put_u32,
		.offset = AT(agent_conf, nflog.group),
		.has = AT(agent_conf, nflog.has_group),
		.min = 1,
		.max = 65535 },
	TEXT("probability", agent_conf_put_probability, agent_conf,
		nflog.probability_ppb),
	TEXT("nflogProbability", agent_conf_put_probability, agent_conf,
		nflog.probability_ppb),
	{ .name = "install",
		.put = conf_put_bool,
		.offset = AT(agent_conf, nflog.install),
		.has = AT(agent_conf, nflog.has_install) },
	{ 0 },
};

static const struct conf_word pcap_words[] = {
	TEXT("dev", agent_conf_put_ifname, agent_conf_pcap, device),
	TEXT("dev.pattern", conf_put_regex, agent_conf_pcap, pattern),
	{ .name = "speed",
		.put = agent_conf_put_speed_range,
		.has = AT(agent_conf_pcap, has_speed) },
	SWITCH("promisc", agent_conf_pcap, promisc),
	{ .name = "sampling",
		.put = conf_put_u32,
		.offset = AT(agent_conf_pcap, sampling),
		.has = AT(agent_conf_pcap, has_sampling),
		.max = SETTINGS_RATE_MAX },
	MOOT("vport", "the counters of every sampled interface are polled"),
	MOOT("dynamic", "interfaces that appear later are always sampled"),
	{ 0 },
};

static const struct conf_word dropmon_words[] = {
	SWITCH("start", agent_conf, dropmon.start),
	SWITCH("force", agent_conf, dropmon.force),
	SWITCH("sw", agent_conf, dropmon.sw),
	SWITCH("hw", agent_conf, dropmon.hw),
	SWITCH("sw_passive", agent_conf, dropmon.sw_passive),
	SWITCH("hw_passive", agent_conf, dropmon.hw_passive),
	SWITCH("rn", agent_conf, dropmon.reasons),
	SWITCH("hw_unknown", agent_conf, dropmon.hw_unknown),
	TEXT("hide", conf_put_regex, agent_conf, dropmon.hide),
	NUMBER("limit", agent_conf, dropmon.limit, 1, AGENT_CONF_DROP_LIMIT_MAX),
	NUMBER("reason_limit", agent_conf, dropmon.reason_limit, 1,
		AGENT_CONF_DROP_LIMIT_MAX),
	NUMBER("max", agent_conf, dropmon.max, 0, UINT32_MAX),
	NUMBER("max_trip", agent_conf, dropmon.max_trip, 1, 3600),
	MOOT("group", "the kernel has one group only"),
	MOOT("hw_function", "hsflowd ignores it too"),
	{ 0 },
};

static const struct conf_word replay_words[] = {
	TEXT("file", conf_put_text, agent_conf, replay_file),
	{ 0 },
};

static const struct conf_word sonic_words[] = {
	TEXT("switchport", conf_put_regex, agent_conf, switchport),
	IDLE("unixsock", "the SONiC database is not read here"),
	IDLE("dbconfig", "the SONiC database is not read here"),
	IDLE("waitReady", "the SONiC database is not read here"),
	IDLE("suppressOther", "use port sections to choose ports"),
	IDLE("setIfAlias", "the SONiC database is not read here"),
	IDLE("setIfName", "the SONiC database is not read here"),
	{ 0 },
};

static const struct conf_block opx_blocks[] = {
	{ .name = "port", .idle_words = "dev" },
	{ 0 },
};

/* Words of blocks that have no effect are listed so that a misspelt one is found. */
static const struct conf_block blocks[] = {
	{ .name = "dns-sd", .words = dns_sd_words, .open = agent_conf_open_dns_sd },
	{ .name = "collector",
		.words = collector_words,
		.open = agent_conf_open_collector,
		.close = agent_conf_close_collector },
	{ .name = "port",
		.named = true,
		.words = port_words,
		.open = agent_conf_open_port },
	{ .name = "psample", .words = psample_words, .open = agent_conf_open_psample },
	{ .name = "nflog", .words = nflog_words, .open = agent_conf_open_nflog },
	{ .name = "pcap",
		.words = pcap_words,
		.open = agent_conf_open_pcap,
		.close = agent_conf_close_pcap },
	{ .name = "epcap",
		.words = pcap_words,
		.open = agent_conf_open_pcap,
		.close = agent_conf_close_pcap },
	{ .name = "replay", .words = replay_words },
	{ .name = "cumulus",
		.words = switchport_words,
		.open = agent_conf_open_platform },
	{ .name = "dent", .words = dent_words, .open = agent_conf_open_dent },
	{ .name = "sonic", .words = sonic_words, .open = agent_conf_open_sonic },
	{ .name = "ulog",
		.idle_words = "group ulogGroup probability ulogProbability",
		.idle = "Linux has no ULOG any more" },
	{ .name = "dropmon", .words = dropmon_words, .open = agent_conf_open_dropmon },
	{ .name = "tcp",
		.idle_words = "tunnel udp dump",
		.idle = "TCP performance of local sockets is not reported here" },
	{ .name = "docker",
		.idle_words = "refreshVMs forgetVMs hostname markTraffic",
		.idle = no_vms },
	{ .name = "containerd",
		.idle_words = "refreshVMs forgetVMs hostname markTraffic",
		.idle = no_vms },
	{ .name = "k8s",
		.idle_words = "markTraffic eof setIfAlias setIfName unixsock",
		.idle = no_vms },
	{ .name = "kvm", .idle_words = "refreshVMs forgetVMs", .idle = no_vms },
	{ .name = "xen",
		.idle_words = "update.dominfo xen.update.dominfo dsk xen.dsk vbd "
			      "switchport refreshVMs forgetVMs",
		.idle = no_vms },
	{ .name = "systemd",
		.idle_words =
			"refreshVMs dropPriv cgroup_procs cgroup_acct markTraffic",
		.idle = "services are not reported here" },
	{ .name = "ovs", .idle = "Open vSwitch is not configured from here" },
	{ .name = "nvml", .idle = "GPUs are not reported here" },
	{ .name = "dbus", .idle = "use tapgate-agent status --json" },
	{ .name = "json",
		.idle_words = "udpPort jsonPort fifo jsonFIFO",
		.idle = no_apps },
	{ .name = "nlroute",
		.idle_words = "limit link addr setIfAlias",
		.idle = by_events,
		.harmless = true },
	{ .name = "eapi", .idle = not_here },
	{ .name = "vpp", .idle_words = "ifOffset osIndex", .idle = not_here },
	{ .name = "opx",
		.idle_words = "udpPort switchport",
		.inner = opx_blocks,
		.idle = not_here },
	{ .name = "os10",
		.idle_words = "udpPort switchport",
		.inner = opx_blocks,
		.idle = not_here },
	{ 0 },
};

static const struct conf_word sflow_words[] = {
	{ .name = "DNSSD",
		.put = conf_put_bool,
		.offset = AT(agent_conf, dnssd),
		.has = AT(agent_conf, has_dnssd) },
	TEXT("DNSSD_domain", agent_conf_put_domain, agent_conf, dnssd_domain),
	NUMBER("subAgentId", agent_conf, sub_agent_id, 0, 199999),
	NUMBER("datagramBytes", agent_conf, datagram_bytes, 200, 8192),
	NUMBER("maxRoutes", agent_conf, max_routes, 0, AGENT_CONF_ROUTES_MAX),
	{ .name = "uuid",
		.put = agent_conf_put_uuid,
		.offset = AT(agent_conf, uuid),
		.has = AT(agent_conf, has_uuid) },
	SWITCH("optics", agent_conf, optics),
	SWITCH("pfc", agent_conf, pfc),
	MOOT("refreshAdaptors", by_events),
	MOOT("checkAdaptors", by_events),
	IDLE("refreshVMs", no_vms),
	IDLE("forgetVMs", no_vms),
	MOOT("modules", "nothing is loaded at run time"),
	IDLE("samplingDirection", "packets are sampled where they enter the switch"),
	MOOT("loopback", "hsflowd ignores it too"),
	IDLE("ulogGroup", "Linux has no ULOG any more"),
	IDLE("ulogProbability", "Linux has no ULOG any more"),
	IDLE("nflogGroup", "use nflog { group= }"),
	IDLE("nflogProbability", "use nflog { probability= }"),
	IDLE("jsonPort", no_apps),
	IDLE("jsonFIFO", no_apps),
	IDLE("xen.update.dominfo", no_vms),
	IDLE("xen.dsk", no_vms),
	{ 0 },
};

const struct conf_block agent_conf_table = {
	.name = "sflow",
	.words = sflow_words,
	.inner = blocks,
	.other = agent_conf_put_settings,
};
