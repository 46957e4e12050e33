/*
 * optics.h - what the optical modules of the ports say. (sFlow sfp) Acting module.
 *
 *     poller.c → optics.c → optics_helper.c → module_read.c      asks
 *                         → module_eeprom.c → sff8472.c …        understands
 *
 * Modules are read one after the other by a helper process, each once for every poll of
 * its port; a sample carries what was read last. A module that comes or goes is noticed
 * with the next read, which follows at once when the port goes up or down. No module
 * takes more than 5 % of the time: a slow one is read less often, and a read that takes
 * OPTICS_READ_MAX_MS is given up.
 *
 * The kernel reads with its RTNL lock held and answers no question about counters
 * meanwhile. Who is about to ask one postpones it while optics_is_reading(), so that
 * packet samples need not wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/counter.h"
#include "agent/iface.h"
#include "common/err.h"
#include "common/loop.h"

struct optics_reader; /* owned by who made it */

enum {
	OPTICS_READ_MAX_MS = 5000,
	OPTICS_SHARE = 20,    /* a module may take 1/20 of the time */
	OPTICS_POLLS_MAX = 3, /* polls that what was read is good for */
	OPTICS_MODULES_MAX = 4096,
	OPTICS_STATE_SIZE = 64,
};

/** Called when a read is done, before the next one begins. */
typedef void (*optics_idle_fn)(void *user_data);

/** What it works with; borrowed for its life. NULL: out of memory. Nothing is read
 * before optics_enable(). */
struct optics_reader *optics_new(struct loop *loop, const struct iface_table *ifaces,
	optics_idle_fn on_idle, void *user_data);
/** Accepts NULL. */
void optics_free(struct optics_reader *o);

/** Read modules, or not: then everything is forgotten and the helper ends. */
void optics_enable(struct optics_reader *o, bool enabled);

/** True while a read is in progress. */
bool optics_is_reading(const struct optics_reader *o);

/** Add what is known of the modules of @n ports, and note that they are to be read
 * again. What is added to a sample is borrowed until the next call. */
void optics_fill(struct optics_reader *o, struct counter_port *ports, size_t n);
/** Begin to read what optics_fill() noted: no question to the kernel is left. */
void optics_read_queued(struct optics_reader *o);

/** Read the module of @iface soon: the port is new, or went up or down. */
void optics_refresh(struct optics_reader *o, const struct iface *iface);
/** Forget @ifindex. */
void optics_remove(struct optics_reader *o, uint32_t ifindex);

/** What is known of the module of a port, for people: "QSFP28, 4 lanes", "SFP, no
 * monitors", "none"; "" if it is not known. */
void optics_describe(
	const struct optics_reader *o, uint32_t ifindex, char ret[OPTICS_STATE_SIZE]);
