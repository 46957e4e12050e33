/*
 * agent_objects.h - struct agent, for agent*.c only.
 */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "agent/agent.h"
#include "agent/auto_file.h"
#include "agent/destinations.h"
#include "agent/dnssd.h"
#include "agent/identity.h"
#include "agent/iface.h"
#include "agent/iface_watch.h"
#include "agent/poller.h"
#include "agent/replay_file.h"
#include "agent/sampling.h"
#include "agent/status_server.h"
#include "common/loop.h"

struct agent {
	const struct agent_options *options; /* borrowed */
	uid_t uid;                           /* to run as */
	gid_t gid;
	struct loop *loop;
	struct status_server *status_server;
	struct agent_conf *conf; /* in use */
	enum agent_load_origin origin;
	struct err reload_error;  /* of the last reload; code 0: it was taken */
	struct settings settings; /* in use: the file's, with what DNS says over it */
	struct auto_file *auto_file;
	struct iface_table ifaces;
	struct iface_watch *iface_watch;
	struct sampler_table samplers;
	struct datagram datagram;
	struct dns *dns;
	struct dnssd *dnssd; /* NULL = off */
	char *dnssd_domain;  /* that it asks in; NULL = search list; owned */
	struct destinations *destinations;
	struct agent_addr addr; /* elected; family 0 = none */
	struct poller *poller;
	struct replay_writer *record; /* NULL = not wanted */
	struct netlink *kept;         /* of a source; see struct source_env */
	struct sampling *sampling;    /* NULL: cannot be opened; tried again */
	struct err sampling_error;    /* why */
	struct loop_source *flush_timer, *elect_timer, *sampling_timer, *watchdog_timer;
	struct mono flush_at; /* what flush_timer is armed for */
	struct mono started;
	char hostname[HOST_NAME_MAX + 1];
	bool running;
	bool stopping;
};

/** Decide by agent->conf which interfaces are switch ports. */
void agent_classify(struct agent *agent);

/** Take @settings of file and DNS into use, for everybody. */
void agent_apply_settings(struct agent *agent);

/** Elect the agent address and tell the datagrams. */
void agent_apply_address(struct agent *agent);

/** Start, stop or change DNS-SD as agent->conf says. */
void agent_apply_dnssd(struct agent *agent);

/** Write hsflowd.auto if it has to change. */
void agent_apply_auto_file(struct agent *agent);

/** Open packet sampling as agent->conf says; on failure try again later. 0 or negative
 * errno, also in agent->sampling_error. */
int agent_open_sampling(struct agent *agent);

/** Read the configuration file again; on any error the one in use stays. */
void agent_reload(struct agent *agent);

/** What DNS says, NULL if DNS-SD is off. */
const struct dnssd_result *agent_dnssd_result(const struct agent *agent);

/** The status as JSON, to be freed; NULL: out of memory. */
char *agent_status_text(void *agent);
