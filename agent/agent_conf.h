/*
 * agent_conf.h - the agent's configuration: hsflowd.conf as a struct. Pure.
 *
 * The file is parsed into a fresh object and checked whole; the caller swaps objects,
 * so a configuration is never half applied. What DNS says is not in here: the agent
 * copies conf->settings, lays the TXT record's settings over it (settings_overlay) and
 * passes the result to the questions at the end of this file.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/conf_parse.h"
#include "agent/settings.h"
#include "common/arena.h"
#include "common/parse.h"

enum {
	AGENT_CONF_COLLECTORS_MAX = 64,
	AGENT_CONF_PORTS_MAX = 4096,
	AGENT_CONF_PCAPS_MAX = 256,
	AGENT_CONF_FILE_MAX_BYTES = 1 << 20, /* larger files are refused */
	AGENT_CONF_SFLOW_PORT = 6343,
	AGENT_CONF_ROUTES_DEFAULT = 32768, /* 1.5 MB of memory when full */
	AGENT_CONF_ROUTES_MAX = 4 << 20,
	AGENT_CONF_DROP_LIMIT_MAX = 10000,
};

/** Switch ports when nothing else says what they are: Cumulus' names. */
#define AGENT_CONF_SWITCHPORT_DEFAULT "^swp[0-9s]+$"

/** collector { ip= udpport= dev= namespace= source= dscp= } */
struct agent_conf_collector {
	const char *host;          /* address or host name, as written */
	bool is_name;              /* host is a name: to be resolved, and again */
	struct parse_addr addr;    /* of host, unless is_name */
	uint32_t port;             /* UDP */
	const char *device;        /* outgoing interface or VRF; NULL = by route */
	const char *net_namespace; /* of /run/netns; NULL = our own */
	bool has_source;
	struct parse_addr source; /* source address, only with has_source */
	uint32_t dscp;            /* 0..63 */
	int line;                 /* in the file */
};

/** port NAME { sampling= polling= enable= } */
struct agent_conf_port {
	const char *name; /* interface name, or a shell pattern such as swp* */
	bool is_pattern;
	bool has_sampling, has_polling, has_enable;
	uint32_t sampling;  /* 1 in N; 0 = none */
	uint32_t polling_s; /* 0 = none */
	bool enable;        /* off: neither sampled nor polled */
	int line;
};

/** pcap { dev= dev.pattern= speed= promisc= sampling= } */
struct agent_conf_pcap {
	const char *device;  /* NULL = any */
	const char *pattern; /* regular expression for names; NULL = any */
	regex_t *regex;      /* compiled @pattern; owned */
	bool has_speed;
	uint64_t speed_min_bps, speed_max_bps; /* inclusive; only with has_speed */
	bool promisc;
	bool has_sampling;
	uint32_t sampling; /* 1 in N instead of the rate by speed */
	int line;
};

/** psample { group= ingress= egress= install= }, dent { sw= } */
struct agent_conf_psample {
	bool enabled;   /* the block is there */
	uint32_t group; /* for ingress; egress uses group + 1 */
	bool ingress;
	bool egress;
	bool has_install; /* "install" is written */
	bool install; /* program sampling on the ports; else only listen. Not written:
		      off for a mere psample { }, on otherwise */
	bool hardware_only; /* dent without sw=on: skip software */
};

/** nflog { group= probability= install= } */
struct agent_conf_nflog {
	bool enabled;
	bool has_group;           /* group is written */
	uint32_t group;           /* netfilter log group */
	uint32_t probability_ppb; /* of the user's own rules, in 10^-9; 0 = not given */
	bool has_install;
	bool install; /* own nftables rules; else the user's rules feed the group. Not
			 written: off if probability is, or group without a psample
			 that is installed; on otherwise */
};

/** dropmon { start= force= sw= hw= rn= hw_unknown= hide= limit= … } */
struct agent_conf_dropmon {
	bool enabled;
	bool start;      /* turn the kernel's drop monitor on; else only listen */
	bool force;      /* stop what others run */
	bool sw, hw;     /* drops by the kernel, by a switch chip */
	bool sw_passive; /* likewise, but only if somebody else has them monitored */
	bool hw_passive;
	bool reasons;          /* rn: use the kernel's drop reasons */
	bool hw_unknown;       /* drops by traps that we do not know, too */
	const char *hide;      /* regular expression for names; NULL = hide none */
	uint32_t limit;        /* packets told per second */
	uint32_t reason_limit; /* of one reason; 0 = a quarter of limit */
	uint32_t max;          /* packets per second that are a storm; 0 = none are */
	uint32_t max_trip;     /* seconds in a row, until nothing is listened to */
};

struct agent_conf {
	struct arena *arena;      /* owns every text below */
	struct settings settings; /* sampling, polling, headerBytes, agent… */
	bool dnssd;               /* find collectors by DNS */
	bool has_dnssd;           /* the file says so or not so */
	const char *dnssd_domain; /* without leading dot; NULL = search list */
	uint32_t sub_agent_id;
	uint32_t datagram_bytes;
	uint32_t max_routes; /* prefixes for extended_router; 0 = no such records */
	bool has_uuid;
	uint8_t uuid[16];
	const char *switchport;    /* regular expression; NULL = default */
	regex_t *switchport_regex; /* compiled @switchport or the default; owned */
	bool has_platform; /* cumulus is named: hsflowd programs sampling there */
	struct agent_conf_psample psample;
	struct agent_conf_nflog nflog;
	struct agent_conf_dropmon dropmon;
	bool optics; /* read the modules of ports; on by default */
	bool pfc;    /* report priority flow control; off by default: a draft */
	const char *replay_file; /* recorded samples, for tests; NULL = none */
	struct agent_conf_collector *collectors;
	unsigned n_collectors;
	struct agent_conf_port *ports; /* in the order written */
	unsigned n_ports;
	struct agent_conf_pcap *pcaps;
	unsigned n_pcaps;
};

/** Who hears of findings. */
struct agent_conf_reporter {
	conf_report_fn report;
	void *user_data;
};

/** The configuration without a file: DNS-SD, all switch ports. NULL: out of memory. */
struct agent_conf *agent_conf_default(void);

/**
 * Parse and check the text of a configuration file.
 *
 * @file      its name, for findings
 * @text      @len bytes, need not end in NUL
 * @reporter  called for every error, warning and note
 * @ret_conf  owned by the caller; written on success only
 * Returns    0; -EINVAL after at least one CONF_ERROR; -ENOMEM; -EFBIG
 */
int agent_conf_parse(const char *file, const char *text, size_t len,
	const struct agent_conf_reporter *reporter, struct agent_conf **ret_conf);

/** Accepts NULL. */
void agent_conf_free(struct agent_conf *conf);

/**
 * The configuration as a file that parses to the same; defaults are shown as comments.
 * Returns text owned by the caller (free), NULL when out of memory.
 */
char *agent_conf_print(const struct agent_conf *conf);

/** True if the file names no packet source, so that the agent chooses. */
bool agent_conf_source_is_auto(const struct agent_conf *conf);

/**
 * True if the interface @name is a port to sample and poll. A port section with
 * "enable" decides; else a switchport expression in the file; else @by_kernel (the
 * kernel says that it belongs to a switch) or a name like swp1.
 */
bool agent_conf_is_port(
	const struct agent_conf *conf, const char *name, bool by_kernel);

/** Sampling rate N (1 in N, 0 = none) of port @name at @speed_bps (0 = unknown): its
 * section, else by @settings (conf->settings, perhaps overlaid). */
uint32_t agent_conf_sampling(const struct agent_conf *conf,
	const struct settings *settings, const char *name, uint64_t speed_bps);

/** Counter polling interval of port @name in seconds, 0 = none. */
uint32_t agent_conf_polling_s(const struct agent_conf *conf,
	const struct settings *settings, const char *name);

/** The first pcap block that wants interface @name at @speed_bps; NULL = none. */
const struct agent_conf_pcap *agent_conf_find_pcap(
	const struct agent_conf *conf, const char *name, uint64_t speed_bps);
