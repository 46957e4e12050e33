/*
 * ethtool_msg.h - generic netlink family "ethtool": link modes, standard statistics and
 * EEPROMs of modules, bytes to structs. Pure. (linux/ethtool_netlink.h)
 */
#pragma once

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sflow_proto.h"
#include "common/nl_build.h"

/* Link modes of an interface, as far as we want them. */
struct ethtool_link {
	uint32_t ifindex;
	uint64_t speed_bps; /* 0 = not known */
	enum sflow_if_direction duplex;
};

/* Groups of statistics; a number of an attribute indexes a table. */
enum ethtool_group {
	ETHTOOL_GROUP_PHY,
	ETHTOOL_GROUP_MAC,
	ETHTOOL_GROUPS,
};

enum { ETHTOOL_STATS_MAX = 32 };

/* Statistics by attribute number; UINT64_MAX = the driver has none. */
struct ethtool_counters {
	uint32_t ifindex;
	uint64_t values[ETHTOOL_GROUPS][ETHTOOL_STATS_MAX];
};

/* A piece of a module's EEPROM. It lies in one half of 128 bytes. */
struct ethtool_eeprom_range {
	uint8_t i2c_address; /* 7 bits: 0x50, or 0x51 of an SFP */
	uint8_t bank;
	uint8_t page;
	uint8_t offset; /* from 128 on in the page; below it in the lower memory */
	uint8_t len;    /* 1 to 128 */
};

/** Append a request for the link modes of @ifindex, or with 0 of all (a dump). */
void ethtool_build_link(struct nlbuild *b, uint16_t family, uint32_t ifindex);

/** Append a request for the standard statistics of the MAC and PHY of @ifindex. */
void ethtool_build_counters(struct nlbuild *b, uint16_t family, uint32_t ifindex);

/** Decode an answer to ethtool_build_link(), or the notification of a change. 0;
 * -EBADMSG; -ENOMSG if it is about something else. */
int ethtool_link_decode(const struct nlmsghdr *h, struct ethtool_link *ret);

/** Decode an answer to ethtool_build_counters(). 0; -EBADMSG; -ENOMSG. */
int ethtool_counters_decode(const struct nlmsghdr *h, struct ethtool_counters *ret);

/** Append a request for a piece of the module in @ifindex. The kernel wants
 * CAP_NET_ADMIN, and holds its RTNL lock while the driver reads. */
void ethtool_build_eeprom(struct nlbuild *b, uint16_t family, uint32_t ifindex,
	const struct ethtool_eeprom_range *range);

/** Decode an answer to ethtool_build_eeprom(): *@ret_data points into the message. 0;
 * -EBADMSG; -ENOMSG. */
int ethtool_eeprom_decode(
	const struct nlmsghdr *h, const uint8_t **ret_data, size_t *ret_len);
