/*
 * mark_bits.h - the part of the packet mark that is ours.
 *
 * A packet that the switch routes loses the name of its bridge port on the way: the IP
 * hooks see br0 or a VLAN device, and the bridge sees no input port of what comes from
 * the IP hooks. So the upper half of the mark carries what the other half has to know,
 * from the hook that knows it to the hook that asks; placement.c tells which ones. The
 * lower half belongs to the user: -m mark, -j MARK, --mark-set, "ip rule … fwmark".
 *
 * A match of the whole mark has to leave our bits out (value & MARK_USER), a target
 * has to keep them.
 */
#pragma once

#include <stdint.h>

/** The user's bits; marks and masks in policy files are 0 … MARK_USER. */
#define MARK_USER     UINT32_C(0x0000ffff)

/** Our bits. */
#define MARK_RESERVED UINT32_C(0xffff0000)

/** Number of the interface by which the packet came in, as in the map "ports"; 0 = of
 * none that a rule names. Bits 16 to 24. */
#define MARK_PORT     UINT32_C(0x01ff0000)

/** Number of the interface to which the IP stack routed it, likewise. Bits 25 to 30. */
#define MARK_ROUTE    UINT32_C(0x7e000000)

/** FORWARD judges the packet in the bridge, not where IP forwards it: it was routed and
 * leaves by a bridge, or is bridged and shown to the hooks of IP as well. */
#define MARK_ROUTED   UINT32_C(0x80000000)

enum {
	MARK_PORT_SHIFT = 16,
	MARK_PORT_MAX = 0x1ff, /* highest number */
	MARK_ROUTE_SHIFT = 25,
	MARK_ROUTE_MAX = 0x3f,
};
