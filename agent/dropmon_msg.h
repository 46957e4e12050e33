/*
 * dropmon_msg.h - messages of the kernel's drop monitor, family NET_DM: bytes to
 * struct, and to a discarded packet. Pure. (linux/net_dropmon.h)
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/packet.h"

enum { DROPMON_TEXT_SIZE = 65 }; /* sFlow's 64 bytes and a NUL; longer ones are cut */

/* One dropped packet. Pointers are borrowed from the message; a text is "" and a number
 * 0 where the kernel says nothing. */
struct dropmon_msg {
	bool hardware;         /* told by a driver: trap; else by the kernel itself */
	uint32_t in_ifindex;   /* where it came in, as far as the kernel knows */
	uint64_t timestamp_ns; /* since 1970 */
	uint16_t proto;        /* EtherType */
	uint32_t original;     /* length of the packet without FCS, in bytes */
	const uint8_t *data;   /* its first bytes; NULL = none were sent */
	size_t data_len;       /* in bytes */
	const uint8_t *cookie; /* of the tc rule that dropped it; NULL = none */
	size_t cookie_len;     /* in bytes */
	char function[DROPMON_TEXT_SIZE];   /* that freed it, without offset */
	char reason[DROPMON_TEXT_SIZE];     /* "NETFILTER_DROP" */
	char trap_group[DROPMON_TEXT_SIZE]; /* "l3_drops" */
	char trap_name[DROPMON_TEXT_SIZE];  /* "blackhole_route" */
};

/* How the kernel's drop monitor is set up. */
struct dropmon_config {
	bool packets;         /* it tells packets one by one; else sums only */
	uint32_t trunc_bytes; /* of each packet; 0 = all */
	uint32_t queue_len;   /* packets that wait for us, per processor */
};

/**
 * Decode one NET_DM_CMD_PACKET_ALERT.
 *
 * @h       complete in memory (h->nlmsg_len was checked)
 * Returns  0; -ENOMSG if it is another command; -EBADMSG: malformed
 */
int dropmon_msg_decode(const struct nlmsghdr *h, struct dropmon_msg *ret);

/** Decode the answer to NET_DM_CMD_CONFIG_GET. As dropmon_msg_decode(). */
int dropmon_msg_decode_config(const struct nlmsghdr *h, struct dropmon_config *ret);

/** Decode the answer to NET_DM_CMD_STATS_GET: packets that the kernel could not tell
 * for lack of room, software and hardware together. As dropmon_msg_decode(). */
int dropmon_msg_decode_stats(const struct nlmsghdr *h, uint64_t *ret_dropped);

/* Room for the cookie of a rule as hexadecimal text. */
enum { DROPMON_COOKIE_SIZE = 2 * 16 + 1 };

/**
 * Make a discarded packet.
 *
 * @m          must live as long as @ret: names and bytes are borrowed
 * @reason     why, see drop_reason.h
 * @cookie     memory for a text that @ret points to
 * Returns     0; -ENODATA if the message has no bytes of the packet
 */
int dropmon_msg_packet(const struct dropmon_msg *m, enum sflow_reason reason,
	char cookie[DROPMON_COOKIE_SIZE], struct packet *ret);
