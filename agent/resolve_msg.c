/*
 * resolve_msg.c - questions about routes, neighbours and bridges, and the answers.
 */
#include "agent/resolve_msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/nl_attr.h"

static size_t
addr_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

void
resolve_msg_ask_route(struct nlbuild *b, const struct resolve_flow *flow, bool exact)
{
	const size_t len = addr_len(flow->family);
	const struct rtmsg header = {
		.rtm_family = (unsigned char)flow->family,
		.rtm_dst_len = (unsigned char)(len * 8),
		.rtm_src_len = (unsigned char)(len * 8),
		/* IPv6 tells the true table anyway, and refuses to be asked for it. */
		.rtm_flags = (exact ? 0 : RTM_F_FIB_MATCH) |
			     (flow->family == AF_INET ? RTM_F_LOOKUP_TABLE : 0),
	};

	nlbuild_begin(b, RTM_GETROUTE, 0, &header, sizeof(header));
	nlbuild_put(b, RTA_DST, flow->dst, len);
	nlbuild_put(b, RTA_SRC, flow->src, len);
	if (flow->ifindex)
		nlbuild_put_u32(b, RTA_IIF, flow->ifindex);
	if (!flow->protocol)
		return;
	nlbuild_put_u8(b, RTA_IP_PROTO, flow->protocol);
	nlbuild_put_u16(b, RTA_SPORT, htons(flow->src_port));
	nlbuild_put_u16(b, RTA_DPORT, htons(flow->dst_port));
}

void
resolve_msg_ask_neigh(
	struct nlbuild *b, int family, uint32_t ifindex, const uint8_t *dst)
{
	const struct ndmsg header = {
		.ndm_family = (unsigned char)family,
		.ndm_ifindex = (int)ifindex,
	};

	nlbuild_begin(b, RTM_GETNEIGH, 0, &header, sizeof(header));
	nlbuild_put(b, NDA_DST, dst, addr_len(family));
}

void
resolve_msg_ask_fdb(
	struct nlbuild *b, uint32_t bridge, const uint8_t mac[6], uint16_t vlan)
{
	const struct ndmsg header = { .ndm_family = AF_BRIDGE };

	nlbuild_begin(b, RTM_GETNEIGH, 0, &header, sizeof(header));
	nlbuild_put_u32(b, NDA_MASTER, bridge);
	nlbuild_put(b, NDA_LLADDR, mac, 6);
	if (vlan)
		nlbuild_put_u16(b, NDA_VLAN, vlan);
}

void
resolve_msg_ask_link(struct nlbuild *b, uint32_t ifindex)
{
	const struct ifinfomsg header = { .ifi_index = (int)ifindex };

	nlbuild_begin(b, RTM_GETLINK, 0, &header, sizeof(header));
	/* Not hundreds of virtual functions. */
	nlbuild_put_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

void
resolve_msg_ask_vlans(struct nlbuild *b, uint32_t ifindex)
{
	const struct br_vlan_msg header = { .family = AF_BRIDGE, .ifindex = ifindex };

	nlbuild_begin(b, RTM_GETVLAN, NLM_F_DUMP, &header, sizeof(header));
}

void
resolve_msg_ask_rules(struct nlbuild *b, int family)
{
	const struct fib_rule_hdr header = { .family = (uint8_t)family };

	nlbuild_begin(b, RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header));
}

/* Index the attributes behind a header of @header_len bytes. */
static int
parse(const struct nlmsghdr *h, size_t header_len, const struct nlattr_rule *rules,
	size_t n_rules, const struct nlattr **ret_attrs)
{
	size_t skip = NLMSG_SPACE(header_len);

	if (h->nlmsg_len < NLMSG_LENGTH(header_len))
		return -EBADMSG;
	if (h->nlmsg_len < skip)
		skip = h->nlmsg_len;
	return nlattr_parse((const uint8_t *)h + skip, h->nlmsg_len - skip, rules,
		n_rules, ret_attrs);
}

/* The prefix, and the table that it is in. */
static int
decode_prefix(const struct rtmsg *header, const struct nlattr *const *attrs,
	struct resolve_route *ret)
{
	const size_t len = addr_len(header->rtm_family);

	if (header->rtm_dst_len > len * 8)
		return -EBADMSG;
	ret->prefix_len = header->rtm_dst_len;
	/* Eight bits in the header, which larger numbers do not fit. */
	ret->table =
		attrs[RTA_TABLE] ? nlattr_u32(attrs[RTA_TABLE]) : header->rtm_table;
	if (!attrs[RTA_DST])
		return 0;
	if (nlattr_len(attrs[RTA_DST]) < len)
		return -EBADMSG;
	memcpy(ret->dst, nlattr_data(attrs[RTA_DST]), len);
	return 0;
}

/* RTA_VIA: a gateway of another family. */
static int
decode_via(const struct nlattr *a, struct resolve_route *ret)
{
	struct rtvia via;
	const uint8_t *data = nlattr_data(a);
	size_t len;

	memcpy(&via, data, sizeof(via));
	len = addr_len(via.rtvia_family);
	if (nlattr_len(a) < sizeof(via) + len)
		return -EBADMSG;
	ret->gateway_family = via.rtvia_family;
	memcpy(ret->gateway, data + sizeof(via), len);
	return 0;
}

int
resolve_msg_route(const struct nlmsghdr *h, struct resolve_route *ret)
{
	enum { ATTRS = RTA_NH_ID + 1 };
	static const struct nlattr_rule rules[ATTRS] = {
		[RTA_DST] = { NLATTR_BINARY, 4 },
		[RTA_OIF] = { NLATTR_U32, 0 },
		[RTA_TABLE] = { NLATTR_U32, 0 },
		[RTA_GATEWAY] = { NLATTR_BINARY, 4 },
		[RTA_VIA] = { NLATTR_BINARY, sizeof(struct rtvia) },
		[RTA_MULTIPATH] = { NLATTR_BINARY, 0 },
		[RTA_NH_ID] = { NLATTR_U32, 0 },
	};
	const struct nlattr *attrs[ATTRS];
	const struct rtmsg *header = NLMSG_DATA(h);

	if (h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type != RTM_DELROUTE)
		return -ENOMSG;
	if (parse(h, sizeof(*header), rules, ATTRS, attrs) < 0)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->family = header->rtm_family;
	ret->type = header->rtm_type;
	ret->flags = header->rtm_flags;
	if (decode_prefix(header, attrs, ret) < 0)
		return -EBADMSG;
	ret->oif = attrs[RTA_OIF] ? nlattr_u32(attrs[RTA_OIF]) : 0;
	/* A group of next hops may come without its members. */
	ret->multipath = attrs[RTA_MULTIPATH] || (attrs[RTA_NH_ID] && !attrs[RTA_OIF]);
	if (attrs[RTA_VIA])
		return decode_via(attrs[RTA_VIA], ret);
	if (!attrs[RTA_GATEWAY])
		return 0;
	if (nlattr_len(attrs[RTA_GATEWAY]) < addr_len(ret->family))
		return -EBADMSG;
	ret->gateway_family = ret->family;
	memcpy(ret->gateway, nlattr_data(attrs[RTA_GATEWAY]), addr_len(ret->family));
	return 0;
}

int
resolve_msg_neigh(const struct nlmsghdr *h, struct resolve_neigh *ret)
{
	enum { ATTRS = NDA_MASTER + 1 };
	static const struct nlattr_rule rules[ATTRS] = {
		[NDA_DST] = { NLATTR_BINARY, 4 },
		[NDA_LLADDR] = { NLATTR_BINARY, 0 },
		[NDA_VLAN] = { NLATTR_U16, 0 },
		[NDA_MASTER] = { NLATTR_U32, 0 },
	};
	const struct nlattr *attrs[ATTRS];
	const struct ndmsg *header = NLMSG_DATA(h);

	if (h->nlmsg_type != RTM_NEWNEIGH && h->nlmsg_type != RTM_DELNEIGH)
		return -ENOMSG;
	if (parse(h, sizeof(*header), rules, ATTRS, attrs) < 0)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->family = header->ndm_family;
	ret->ifindex = (uint32_t)header->ndm_ifindex;
	ret->state = header->ndm_state;
	ret->master = attrs[NDA_MASTER] ? nlattr_u32(attrs[NDA_MASTER]) : 0;
	ret->vlan = attrs[NDA_VLAN] ? nlattr_u16(attrs[NDA_VLAN]) : 0;
	/* Other kinds of link have longer or shorter addresses. */
	ret->has_mac = attrs[NDA_LLADDR] && nlattr_len(attrs[NDA_LLADDR]) == 6;
	if (ret->has_mac)
		memcpy(ret->mac, nlattr_data(attrs[NDA_LLADDR]), 6);
	if (!attrs[NDA_DST])
		return 0;
	if (nlattr_len(attrs[NDA_DST]) > sizeof(ret->dst))
		return -EBADMSG;
	memcpy(ret->dst, nlattr_data(attrs[NDA_DST]), nlattr_len(attrs[NDA_DST]));
	return 0;
}

int
resolve_msg_vlan_aware(const struct nlmsghdr *h, bool *ret)
{
	enum {
		ATTRS = IFLA_LINKINFO + 1,
		INFO_ATTRS = IFLA_INFO_DATA + 1,
		BRIDGE_ATTRS = IFLA_BR_VLAN_FILTERING + 1,
	};
	static const struct nlattr_rule rules[ATTRS] = {
		[IFLA_LINKINFO] = { NLATTR_NESTED, 0 },
	};
	static const struct nlattr_rule info_rules[INFO_ATTRS] = {
		[IFLA_INFO_KIND] = { NLATTR_STRING, 64 },
		[IFLA_INFO_DATA] = { NLATTR_NESTED, 0 },
	};
	static const struct nlattr_rule bridge_rules[BRIDGE_ATTRS] = {
		[IFLA_BR_VLAN_FILTERING] = { NLATTR_U8, 0 },
	};
	const struct nlattr *attrs[ATTRS], *info[INFO_ATTRS], *bridge[BRIDGE_ATTRS];
	char kind[sizeof("bridge") + 1];

	if (h->nlmsg_type != RTM_NEWLINK)
		return -ENOMSG;
	*ret = false;
	if (parse(h, sizeof(struct ifinfomsg), rules, ATTRS, attrs) < 0)
		return -EBADMSG;
	if (!attrs[IFLA_LINKINFO])
		return 0;
	if (nlattr_parse_nested(attrs[IFLA_LINKINFO], info_rules, INFO_ATTRS, info) < 0)
		return -EBADMSG;
	if (!info[IFLA_INFO_KIND] || !info[IFLA_INFO_DATA])
		return 0;
	nlattr_string(info[IFLA_INFO_KIND], kind, sizeof(kind));
	if (strcmp(kind, "bridge") != 0)
		return 0;
	if (nlattr_parse_nested(
		    info[IFLA_INFO_DATA], bridge_rules, BRIDGE_ATTRS, bridge) < 0)
		return -EBADMSG;
	*ret = bridge[IFLA_BR_VLAN_FILTERING] &&
	       nlattr_u8(bridge[IFLA_BR_VLAN_FILTERING]) != 0;
	return 0;
}

/* The VLAN of one entry, if it is the one of untagged packets; else 0. */
static uint16_t
entry_pvid(const struct nlattr *entry)
{
	enum { ATTRS = BRIDGE_VLANDB_ENTRY_INFO + 1 };
	static const struct nlattr_rule rules[ATTRS] = {
		[BRIDGE_VLANDB_ENTRY_INFO] = { NLATTR_BINARY,
			sizeof(struct bridge_vlan_info) },
	};
	const struct nlattr *attrs[ATTRS];
	struct bridge_vlan_info info;

	if (nlattr_parse_nested(entry, rules, ATTRS, attrs) < 0 ||
		!attrs[BRIDGE_VLANDB_ENTRY_INFO])
		return 0;
	memcpy(&info, nlattr_data(attrs[BRIDGE_VLANDB_ENTRY_INFO]), sizeof(info));
	return info.flags & BRIDGE_VLAN_INFO_PVID ? info.vid : 0;
}

int
resolve_msg_pvid(const struct nlmsghdr *h, uint16_t *ret)
{
	const size_t skip = NLMSG_SPACE(sizeof(struct br_vlan_msg));
	const struct nlattr *a;
	struct nlattr_iter it;

	if (h->nlmsg_type != RTM_NEWVLAN)
		return -ENOMSG;
	if (h->nlmsg_len < skip)
		return -EBADMSG;
	*ret = 0;
	nlattr_iter_init(&it, (const uint8_t *)h + skip, h->nlmsg_len - skip);
	for (a = nlattr_iter_next(&it); a; a = nlattr_iter_next(&it)) {
		uint16_t pvid =
			nlattr_type(a) == BRIDGE_VLANDB_ENTRY ? entry_pvid(a) : 0;

		if (pvid)
			*ret = pvid;
	}
	return it.failed ? -EBADMSG : 0;
}

int
resolve_msg_rule_by_flow(const struct nlmsghdr *h, bool *ret)
{
	enum { ATTRS = FRA_DPORT_RANGE + 1 };
	static const struct nlattr_rule rules[ATTRS] = {
		[FRA_IP_PROTO] = { NLATTR_U8, 0 },
		[FRA_SPORT_RANGE] = { NLATTR_BINARY, 0 },
		[FRA_DPORT_RANGE] = { NLATTR_BINARY, 0 },
	};
	const struct nlattr *attrs[ATTRS];
	const struct fib_rule_hdr *header = NLMSG_DATA(h);

	if (h->nlmsg_type != RTM_NEWRULE)
		return -ENOMSG;
	if (parse(h, sizeof(*header), rules, ATTRS, attrs) < 0)
		return -EBADMSG;
	*ret = header->src_len > 0 || attrs[FRA_IP_PROTO] || attrs[FRA_SPORT_RANGE] ||
	       attrs[FRA_DPORT_RANGE];
	return 0;
}
