/*
 * agent_conf_table.h - the keyword tables of hsflowd.conf and the functions they name;
 * private to the agent_conf files.
 */
#pragma once

#include "agent/agent_conf.h"

/** The block "sflow { … }"; its objects are members of the parser's conf, a struct
 * agent_conf. */
extern const struct conf_block agent_conf_table;

/* Value parsers (agent_conf_value.c), each a conf_word_fn; the field is what the name
 * says unless noted. */

/** const char *, without leading or trailing dot. */
int agent_conf_put_domain(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** The whole struct agent_conf_collector: host, is_name, addr. */
int agent_conf_put_host(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** struct parse_addr. */
int agent_conf_put_source(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** uint32_t; a number or a name such as cs1, af21, ef. */
int agent_conf_put_dscp(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** const char *: a name below /run/netns. */
int agent_conf_put_net_namespace(const struct conf_word *word, const char *value,
	void *field, struct arena *arena, struct err *err);
/** const char *: an interface name. */
int agent_conf_put_ifname(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** uint8_t[16]. */
int agent_conf_put_uuid(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** The whole struct agent_conf_pcap: speed_min_bps, speed_max_bps. */
int agent_conf_put_speed_range(const struct conf_word *word, const char *value,
	void *field, struct arena *arena, struct err *err);
/** uint32_t in 10^-9. */
int agent_conf_put_probability(const struct conf_word *word, const char *value,
	void *field, struct arena *arena, struct err *err);
/** bool: the opposite of what is written. */
int agent_conf_put_dent_sw(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);

/* Begin and end of blocks (agent_conf_block.c): open, close and other of a conf_block.
 */

/** A further element of conf->collectors. */
void *agent_conf_open_collector(struct conf_parser *parser, const char *name, int line);
/** It must have an ip; its source must be of the same family. */
void agent_conf_close_collector(struct conf_parser *parser, void *object, int line);
/** A further element of conf->pcaps. */
void *agent_conf_open_pcap(struct conf_parser *parser, const char *name, int line);
/** It must choose interfaces somehow. */
void agent_conf_close_pcap(struct conf_parser *parser, void *object, int line);
/** A further element of conf->ports; a second section of a name is an error. */
void *agent_conf_open_port(struct conf_parser *parser, const char *name, int line);
/** Naming the block turns DNS-SD on. */
void *agent_conf_open_dns_sd(struct conf_parser *parser, const char *name, int line);
/** Enables the source; the object is conf. */
void *agent_conf_open_psample(struct conf_parser *parser, const char *name, int line);
/** psample that is installed, in hardware unless sw=on. */
void *agent_conf_open_dent(struct conf_parser *parser, const char *name, int line);
/** psample that others set up, in both directions. */
void *agent_conf_open_sonic(struct conf_parser *parser, const char *name, int line);
/** cumulus: notes has_platform. */
void *agent_conf_open_platform(struct conf_parser *parser, const char *name, int line);
/** Enables the source; the object is conf. */
void *agent_conf_open_nflog(struct conf_parser *parser, const char *name, int line);
/** Enables the source; the object is conf. */
void *agent_conf_open_dropmon(struct conf_parser *parser, const char *name, int line);
/** Words that a TXT record may hold too: settings_put(). */
int agent_conf_put_settings(
	void *object, const char *key, const char *value, struct err *err);
