/*
 * sources.c - the one list of packet-sample sources.
 */
#include "agent/source.h"

/* A port is sampled by the first one that is open and chooses it. */
const struct source_ops *const sources[] = {
	&source_replay,
	&source_psample,
	&source_afpacket,
	&source_nflog,
	&source_dropmon,
	NULL,
};
