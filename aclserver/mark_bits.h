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

/** Number of the port by which the packet came in, as in the map "ports"; 0 = of none
 * that a rule names. Bits 16 to 27. */
#define MARK_PORT     UINT32_C(0x0fff0000)

enum {
	MARK_PORT_SHIFT = 16,
	MARK_PORT_MAX = 0xfff, /* highest number */
};
