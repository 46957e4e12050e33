/*
 * ethtool_msg.c - generic netlink family "ethtool": requests and their answers.
 */
#include "agent/ethtool_msg.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <string.h>

#include "common/nl_attr.h"

enum {
	BPS_PER_MBPS = 1000000,
	/* Unknown speeds of old interfaces: 16 bits of ones. */
	SPEED_UNKNOWN_16 = 0xffff,
	GROUP_BITS = 32, /* more than the kernel has: the others must be 0 */
};

static void
put_header(struct nlbuild *b, uint16_t type, uint32_t ifindex)
{
	size_t at = nlbuild_nest(b, type);

	if (ifindex != 0)
		nlbuild_put_u32(b, ETHTOOL_A_HEADER_DEV_INDEX, ifindex);
	nlbuild_put_u32(b, ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_COMPACT_BITSETS);
	nlbuild_end_nest(b, at);
}

void
ethtool_build_link(struct nlbuild *b, uint16_t family, uint32_t ifindex)
{
	nlbuild_begin_genl(b, family, ifindex ? 0 : NLM_F_DUMP,
		ETHTOOL_MSG_LINKMODES_GET, ETHTOOL_GENL_VERSION);
	put_header(b, ETHTOOL_A_LINKMODES_HEADER, ifindex);
}

void
ethtool_build_counters(struct nlbuild *b, uint16_t family, uint32_t ifindex)
{
	uint32_t groups = 1 << ETHTOOL_STATS_ETH_PHY | 1 << ETHTOOL_STATS_ETH_MAC;
	size_t at;

	nlbuild_begin_genl(b, family, 0, ETHTOOL_MSG_STATS_GET, ETHTOOL_GENL_VERSION);
	put_header(b, ETHTOOL_A_STATS_HEADER, ifindex);
	/* A compact bit set without mask: exactly these groups. */
	at = nlbuild_nest(b, ETHTOOL_A_STATS_GROUPS);
	nlbuild_put(b, ETHTOOL_A_BITSET_NOMASK, NULL, 0);
	nlbuild_put_u32(b, ETHTOOL_A_BITSET_SIZE, GROUP_BITS);
	nlbuild_put_u32(b, ETHTOOL_A_BITSET_VALUE, groups);
	nlbuild_end_nest(b, at);
}

/* The command of a message, and its attributes; -1 if it is too short. */
static int
split(const struct nlmsghdr *h, const void **ret_attrs, size_t *ret_len)
{
	const struct genlmsghdr *genl = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN))
		return -1;
	*ret_attrs = (const uint8_t *)genl + GENL_HDRLEN;
	*ret_len = h->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
	return genl->cmd;
}

/* 0 and the interface of a message's header, or -EBADMSG. */
static int
read_header(const struct nlattr *header, uint32_t *ret_ifindex)
{
	static const struct nlattr_rule rules[] = {
		[ETHTOOL_A_HEADER_DEV_INDEX] = { NLATTR_U32 },
	};
	const struct nlattr *attrs[ETHTOOL_A_HEADER_DEV_INDEX + 1];

	if (!header ||
		nlattr_parse_nested(
			header, rules, ETHTOOL_A_HEADER_DEV_INDEX + 1, attrs) < 0 ||
		!attrs[ETHTOOL_A_HEADER_DEV_INDEX])
		return -EBADMSG;
	*ret_ifindex = nlattr_u32(attrs[ETHTOOL_A_HEADER_DEV_INDEX]);
	return 0;
}

static uint64_t
speed_of(const struct nlattr *a)
{
	uint32_t mbps = a ? nlattr_u32(a) : 0;

	if (mbps == (uint32_t)SPEED_UNKNOWN || mbps == SPEED_UNKNOWN_16)
		return 0;
	return (uint64_t)mbps * BPS_PER_MBPS;
}

static enum sflow_if_direction
duplex_of(const struct nlattr *a)
{
	if (!a)
		return SFLOW_IF_DIRECTION_UNKNOWN;
	switch (nlattr_u8(a)) {
	case DUPLEX_FULL:
		return SFLOW_IF_DIRECTION_FULL_DUPLEX;
	case DUPLEX_HALF:
		return SFLOW_IF_DIRECTION_HALF_DUPLEX;
	default:
		return SFLOW_IF_DIRECTION_UNKNOWN;
	}
}

int
ethtool_link_decode(const struct nlmsghdr *h, struct ethtool_link *ret)
{
	static const struct nlattr_rule rules[] = {
		[ETHTOOL_A_LINKMODES_HEADER] = { NLATTR_NESTED },
		[ETHTOOL_A_LINKMODES_SPEED] = { NLATTR_U32 },
		[ETHTOOL_A_LINKMODES_DUPLEX] = { NLATTR_U8 },
	};
	const struct nlattr *attrs[ETHTOOL_A_LINKMODES_DUPLEX + 1];
	const void *data;
	uint32_t ifindex;
	size_t len;
	int cmd = split(h, &data, &len);

	if (cmd < 0)
		return -EBADMSG;
	if (cmd != ETHTOOL_MSG_LINKMODES_GET_REPLY && cmd != ETHTOOL_MSG_LINKMODES_NTF)
		return -ENOMSG;
	if (nlattr_parse(data, len, rules, ETHTOOL_A_LINKMODES_DUPLEX + 1, attrs) < 0 ||
		read_header(attrs[ETHTOOL_A_LINKMODES_HEADER], &ifindex) < 0)
		return -EBADMSG;
	*ret = (struct ethtool_link){
		.ifindex = ifindex,
		.speed_bps = speed_of(attrs[ETHTOOL_A_LINKMODES_SPEED]),
		.duplex = duplex_of(attrs[ETHTOOL_A_LINKMODES_DUPLEX]),
	};
	return 0;
}

/* One statistic: an attribute whose number says which, with the value in it. Where the
 * value must be aligned, an empty attribute stands in front of it. */
static int
read_stat(const struct nlattr *stat, uint64_t *values)
{
	const struct nlattr *value;
	struct nlattr_iter it;

	nlattr_iter_init(&it, nlattr_data(stat), nlattr_len(stat));
	do {
		value = nlattr_iter_next(&it);
	} while (value && nlattr_len(value) == 0);
	if (!value || nlattr_len(value) < sizeof(uint64_t))
		return -EBADMSG;
	if (nlattr_type(value) < ETHTOOL_STATS_MAX)
		values[nlattr_type(value)] = nlattr_u64(value);
	return 0;
}

/* A group: its number, and its statistics one by one under the same number. */
static int
read_group(const struct nlattr *group, struct ethtool_counters *ret)
{
	static const struct nlattr_rule rules[] = {
		[ETHTOOL_A_STATS_GRP_ID] = { NLATTR_U32 },
	};
	const struct nlattr *attrs[ETHTOOL_A_STATS_GRP_ID + 1], *stat;
	struct nlattr_iter it;
	uint64_t *values;
	int rc;

	rc = nlattr_parse_nested(group, rules, ETHTOOL_A_STATS_GRP_ID + 1, attrs);
	if (rc < 0 || !attrs[ETHTOOL_A_STATS_GRP_ID])
		return -EBADMSG;
	switch (nlattr_u32(attrs[ETHTOOL_A_STATS_GRP_ID])) {
	case ETHTOOL_STATS_ETH_PHY:
		values = ret->values[ETHTOOL_GROUP_PHY];
		break;
	case ETHTOOL_STATS_ETH_MAC:
		values = ret->values[ETHTOOL_GROUP_MAC];
		break;
	default:
		return 0;
	}
	nlattr_iter_init(&it, nlattr_data(group), nlattr_len(group));
	while ((stat = nlattr_iter_next(&it)) && rc == 0) {
		if (nlattr_type(stat) == ETHTOOL_A_STATS_GRP_STAT)
			rc = read_stat(stat, values);
	}
	return rc;
}

int
ethtool_counters_decode(const struct nlmsghdr *h, struct ethtool_counters *ret)
{
	static const struct nlattr_rule rules[] = {
		[ETHTOOL_A_STATS_HEADER] = { NLATTR_NESTED },
	};
	const struct nlattr *attrs[ETHTOOL_A_STATS_HEADER + 1], *group;
	struct nlattr_iter it;
	const void *data;
	size_t len;
	int cmd = split(h, &data, &len), rc = 0;

	if (cmd < 0)
		return -EBADMSG;
	if (cmd != ETHTOOL_MSG_STATS_GET_REPLY)
		return -ENOMSG;
	memset(ret, 0xff, sizeof(*ret));
	if (nlattr_parse(data, len, rules, ETHTOOL_A_STATS_HEADER + 1, attrs) < 0 ||
		read_header(attrs[ETHTOOL_A_STATS_HEADER], &ret->ifindex) < 0)
		return -EBADMSG;
	nlattr_iter_init(&it, data, len);
	while ((group = nlattr_iter_next(&it)) && rc == 0) {
		if (nlattr_type(group) == ETHTOOL_A_STATS_GRP)
			rc = read_group(group, ret);
	}
	return rc;
}

void
ethtool_build_eeprom(struct nlbuild *b, uint16_t family, uint32_t ifindex,
	const struct ethtool_eeprom_range *range)
{
	nlbuild_begin_genl(
		b, family, 0, ETHTOOL_MSG_MODULE_EEPROM_GET, ETHTOOL_GENL_VERSION);
	put_header(b, ETHTOOL_A_MODULE_EEPROM_HEADER, ifindex);
	nlbuild_put_u32(b, ETHTOOL_A_MODULE_EEPROM_OFFSET, range->offset);
	nlbuild_put_u32(b, ETHTOOL_A_MODULE_EEPROM_LENGTH, range->len);
	nlbuild_put_u8(b, ETHTOOL_A_MODULE_EEPROM_PAGE, range->page);
	nlbuild_put_u8(b, ETHTOOL_A_MODULE_EEPROM_BANK, range->bank);
	nlbuild_put_u8(b, ETHTOOL_A_MODULE_EEPROM_I2C_ADDRESS, range->i2c_address);
}

int
ethtool_eeprom_decode(
	const struct nlmsghdr *h, const uint8_t **ret_data, size_t *ret_len)
{
	static const struct nlattr_rule rules[] = {
		[ETHTOOL_A_MODULE_EEPROM_DATA] = { NLATTR_BINARY, 1 },
	};
	const struct nlattr *attrs[ETHTOOL_A_MODULE_EEPROM_DATA + 1];
	const void *data;
	size_t len;
	int cmd = split(h, &data, &len);

	if (cmd < 0)
		return -EBADMSG;
	if (cmd != ETHTOOL_MSG_MODULE_EEPROM_GET_REPLY)
		return -ENOMSG;
	if (nlattr_parse(data, len, rules, ETHTOOL_A_MODULE_EEPROM_DATA + 1, attrs) <
			0 ||
		!attrs[ETHTOOL_A_MODULE_EEPROM_DATA])
		return -EBADMSG;
	*ret_data = nlattr_data(attrs[ETHTOOL_A_MODULE_EEPROM_DATA]);
	*ret_len = nlattr_len(attrs[ETHTOOL_A_MODULE_EEPROM_DATA]);
	return 0;
}
