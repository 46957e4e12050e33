/*
 * counter_sources.c - the one list of counter sources. The order matters: see
 * counter.h.
 */
#include "agent/counter.h"

const struct counter_source *const counter_sources[] = {
	&counter_if,
	&counter_ethtool,
	&counter_lag,
	&counter_pfc,
	&counter_host,
	&counter_host_cpu,
	&counter_host_memory,
	&counter_host_disk,
	&counter_host_net,
	&counter_host_ip,
	NULL,
};
