/*
 * optics_helper.h - the process that reads modules. Acting module.
 *
 * A read over a slow bus blocks, and over a broken one for seconds, so a child does it:
 * a copy of the agent with CAP_NET_ADMIN (the kernel wants it for this), no file but
 * the socket to its parent and a netlink socket, and a system call filter. It reads
 * bytes and understands none: decoding is the parent's. It ends with its parent.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "agent/module_eeprom.h"
#include "common/err.h"

/* Question and answer: one packet of a SOCK_SEQPACKET each. */
struct optics_message {
	uint32_t ifindex;
	int32_t error; /* answer: 0, or the negative errno of module_read() */
	struct module_eeprom eeprom; /* question: what is known; answer: what is so now
				      */
};

/**
 * Start a child.
 *
 * @ret_pid  to be killed and waited for by the caller
 * @ret_fd   non-blocking, owned by the caller; its end is the child's end
 * Returns   0 or negative errno with the reason
 */
int optics_helper_start(pid_t *ret_pid, int *ret_fd, struct err *err);
