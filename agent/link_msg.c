/*
 * link_msg.c - RTM_NEWLINK and RTM_NEWADDR: bytes to structs.
 */
#include "agent/link_msg.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/nl_attr.h"

enum { KIND_SIZE = 32 };

/* Both as the kernel bounds them; longer ones are refused. */
#define NAME_RULE                                                                      \
	{                                                                              \
		NLATTR_STRING, IFNAMSIZ - 1                                            \
	}
#define ALIAS_RULE                                                                     \
	{                                                                              \
		NLATTR_STRING, LINK_ALIAS_SIZE - 1                                     \
	}

static enum link_kind
find_kind(const char *name)
{
	static const struct {
		const char *name;
		enum link_kind kind;
	} kinds[] = {
		{ "bridge", LINK_KIND_BRIDGE },
		{ "bond", LINK_KIND_BOND },
		{ "team", LINK_KIND_TEAM },
		{ "vlan", LINK_KIND_VLAN },
		{ "veth", LINK_KIND_VETH },
		{ "vxlan", LINK_KIND_VXLAN },
		{ "dummy", LINK_KIND_DUMMY },
		{ "vrf", LINK_KIND_VRF },
		{ "macvlan", LINK_KIND_MACVLAN },
		{ "macvtap", LINK_KIND_MACVLAN },
		{ "ipvlan", LINK_KIND_MACVLAN },
		{ "ipvtap", LINK_KIND_MACVLAN },
		{ "tun", LINK_KIND_TUN },
		{ "ipip", LINK_KIND_TUNNEL },
		{ "ip6tnl", LINK_KIND_TUNNEL },
		{ "sit", LINK_KIND_TUNNEL },
		{ "vti", LINK_KIND_TUNNEL },
		{ "vti6", LINK_KIND_TUNNEL },
		{ "gre", LINK_KIND_TUNNEL },
		{ "gretap", LINK_KIND_TUNNEL },
		{ "ip6gre", LINK_KIND_TUNNEL },
		{ "ip6gretap", LINK_KIND_TUNNEL },
		{ "erspan", LINK_KIND_TUNNEL },
		{ "ip6erspan", LINK_KIND_TUNNEL },
		{ "geneve", LINK_KIND_TUNNEL },
		{ "wireguard", LINK_KIND_TUNNEL },
		{ "xfrm", LINK_KIND_TUNNEL },
		{ "dsa", LINK_KIND_DSA },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(name, kinds[i].name) == 0)
			return kinds[i].kind;
	}
	return LINK_KIND_OTHER;
}

/* A MAC is copied if it has the length of one. */
static bool
read_mac(const struct nlattr *a, uint8_t ret[LINK_MAC_SIZE])
{
	if (!a || nlattr_len(a) != LINK_MAC_SIZE)
		return false;
	memcpy(ret, nlattr_data(a), LINK_MAC_SIZE);
	return true;
}

static int
decode_bond(const struct nlattr *data, struct link_bond *ret)
{
	static const struct nlattr_rule rules[] = {
		[IFLA_BOND_AD_INFO] = { NLATTR_NESTED },
		[IFLA_BOND_AD_ACTOR_SYSTEM] = { NLATTR_BINARY, LINK_MAC_SIZE },
	};
	static const struct nlattr_rule ad_rules[] = {
		[IFLA_BOND_AD_INFO_AGGREGATOR] = { NLATTR_U16 },
		[IFLA_BOND_AD_INFO_PARTNER_MAC] = { NLATTR_BINARY, LINK_MAC_SIZE },
	};
	const struct nlattr *attrs[IFLA_BOND_AD_ACTOR_SYSTEM + 1];
	const struct nlattr *ad[IFLA_BOND_AD_INFO_PARTNER_MAC + 1];
	int rc;

	rc = nlattr_parse_nested(data, rules, IFLA_BOND_AD_ACTOR_SYSTEM + 1, attrs);
	if (rc < 0 || !attrs[IFLA_BOND_AD_INFO])
		return rc;
	ret->has_actor_system =
		read_mac(attrs[IFLA_BOND_AD_ACTOR_SYSTEM], ret->actor_system);
	rc = nlattr_parse_nested(attrs[IFLA_BOND_AD_INFO], ad_rules,
		IFLA_BOND_AD_INFO_PARTNER_MAC + 1, ad);
	if (rc < 0 || !ad[IFLA_BOND_AD_INFO_AGGREGATOR])
		return rc;
	ret->has_ad = true;
	ret->aggregator = nlattr_u16(ad[IFLA_BOND_AD_INFO_AGGREGATOR]);
	(void)read_mac(ad[IFLA_BOND_AD_INFO_PARTNER_MAC], ret->partner_mac);
	return 0;
}

static int
decode_bond_member(const struct nlattr *data, struct link_bond_member *ret)
{
	static const struct nlattr_rule rules[] = {
		[IFLA_BOND_SLAVE_STATE] = { NLATTR_U8 },
		[IFLA_BOND_SLAVE_AD_AGGREGATOR_ID] = { NLATTR_U16 },
		[IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE] = { NLATTR_U8 },
		[IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE] = { NLATTR_U16 },
	};
	enum { N = IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE + 1 };
	const struct nlattr *attrs[N];
	int rc = nlattr_parse_nested(data, rules, N, attrs);

	if (rc < 0)
		return rc;
	if (attrs[IFLA_BOND_SLAVE_STATE])
		ret->active = nlattr_u8(attrs[IFLA_BOND_SLAVE_STATE]) == 0;
	if (!attrs[IFLA_BOND_SLAVE_AD_AGGREGATOR_ID] ||
		!attrs[IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE] ||
		!attrs[IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE])
		return 0;
	ret->has_ad = true;
	ret->aggregator = nlattr_u16(attrs[IFLA_BOND_SLAVE_AD_AGGREGATOR_ID]);
	ret->actor_oper_state =
		nlattr_u8(attrs[IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE]);
	/* 16 bits in netlink, 8 in the LACPDU. */
	ret->partner_oper_state =
		(uint8_t)nlattr_u16(attrs[IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE]);
	return 0;
}

static int
decode_vlan(const struct nlattr *data, struct link_msg *m)
{
	static const struct nlattr_rule rules[] = {
		[IFLA_VLAN_ID] = { NLATTR_U16 },
		[IFLA_VLAN_EGRESS_QOS] = { NLATTR_NESTED },
	};
	const struct nlattr *attrs[IFLA_VLAN_EGRESS_QOS + 1];
	int rc = nlattr_parse_nested(data, rules, IFLA_VLAN_EGRESS_QOS + 1, attrs);

	if (rc < 0)
		return rc;
	if (attrs[IFLA_VLAN_ID])
		m->vlan_id = nlattr_u16(attrs[IFLA_VLAN_ID]);
	m->vlan_remarks = attrs[IFLA_VLAN_EGRESS_QOS] != NULL;
	return 0;
}

/* What a kind has to say of itself. */
static int
decode_kind_data(const struct nlattr *data, struct link_msg *m)
{
	if (m->kind == LINK_KIND_BOND)
		return decode_bond(data, &m->bond);
	if (m->kind == LINK_KIND_VLAN)
		return decode_vlan(data, m);
	return 0;
}

static int
decode_info(const struct nlattr *info, struct link_msg *m)
{
	static const struct nlattr_rule rules[] = {
		[IFLA_INFO_KIND] = { NLATTR_STRING, KIND_SIZE - 1 },
		[IFLA_INFO_DATA] = { NLATTR_NESTED },
		[IFLA_INFO_SLAVE_KIND] = { NLATTR_STRING, KIND_SIZE - 1 },
		[IFLA_INFO_SLAVE_DATA] = { NLATTR_NESTED },
	};
	const struct nlattr *attrs[IFLA_INFO_SLAVE_DATA + 1];
	char kind[KIND_SIZE];
	int rc = nlattr_parse_nested(info, rules, IFLA_INFO_SLAVE_DATA + 1, attrs);

	if (rc < 0)
		return rc;
	if (attrs[IFLA_INFO_KIND]) {
		nlattr_string(attrs[IFLA_INFO_KIND], kind, sizeof(kind));
		m->kind = find_kind(kind);
		if (attrs[IFLA_INFO_DATA])
			rc = decode_kind_data(attrs[IFLA_INFO_DATA], m);
	}
	if (rc < 0 || !attrs[IFLA_INFO_SLAVE_KIND])
		return rc;
	nlattr_string(attrs[IFLA_INFO_SLAVE_KIND], kind, sizeof(kind));
	m->is_bond_member = strcmp(kind, "bond") == 0;
	m->is_lag_member = m->is_bond_member || strcmp(kind, "team") == 0;
	if (m->is_bond_member && attrs[IFLA_INFO_SLAVE_DATA])
		rc = decode_bond_member(attrs[IFLA_INFO_SLAVE_DATA], &m->bond_member);
	return rc;
}

/* The attributes that stand for themselves. */
static void
read_plain(const struct nlattr *const *attrs, struct link_msg *m)
{
	static const uint8_t zero[LINK_MAC_SIZE];

	nlattr_string(attrs[IFLA_IFNAME], m->name, sizeof(m->name));
	if (attrs[IFLA_IFALIAS])
		nlattr_string(attrs[IFLA_IFALIAS], m->alias, sizeof(m->alias));
	m->has_mac = read_mac(attrs[IFLA_ADDRESS], m->mac) &&
		     memcmp(m->mac, zero, sizeof(zero)) != 0;
	if (attrs[IFLA_MTU])
		m->mtu = nlattr_u32(attrs[IFLA_MTU]);
	if (attrs[IFLA_OPERSTATE])
		m->oper_state = nlattr_u8(attrs[IFLA_OPERSTATE]);
	if (attrs[IFLA_PROMISCUITY])
		m->promiscuity = nlattr_u32(attrs[IFLA_PROMISCUITY]);
	if (attrs[IFLA_MASTER])
		m->master = nlattr_u32(attrs[IFLA_MASTER]);
	if (attrs[IFLA_LINK] && !attrs[IFLA_LINK_NETNSID] && m->kind != LINK_KIND_VETH)
		m->lower = nlattr_u32(attrs[IFLA_LINK]);
	m->has_switch_id = attrs[IFLA_PHYS_SWITCH_ID] != NULL;
}

/* The header of @size bytes and the attributes behind it; NULL if there is none. */
static const void *
split(const struct nlmsghdr *h, size_t size, const void **ret_attrs, size_t *ret_len)
{
	if (h->nlmsg_len < NLMSG_LENGTH(size))
		return NULL;
	*ret_attrs = (const uint8_t *)h + NLMSG_SPACE(size);
	*ret_len =
		h->nlmsg_len > NLMSG_SPACE(size) ? h->nlmsg_len - NLMSG_SPACE(size) : 0;
	return NLMSG_DATA(h);
}

int
link_msg_decode(const struct nlmsghdr *h, struct link_msg *ret)
{
	static const struct nlattr_rule rules[] = {
		[IFLA_ADDRESS] = { NLATTR_BINARY, 0 },
		[IFLA_IFNAME] = NAME_RULE,
		[IFLA_MTU] = { NLATTR_U32 },
		[IFLA_LINK] = { NLATTR_U32 },
		[IFLA_MASTER] = { NLATTR_U32 },
		[IFLA_OPERSTATE] = { NLATTR_U8 },
		[IFLA_LINKINFO] = { NLATTR_NESTED },
		[IFLA_IFALIAS] = ALIAS_RULE,
		[IFLA_PROMISCUITY] = { NLATTR_U32 },
		[IFLA_PHYS_SWITCH_ID] = { NLATTR_BINARY, 0 },
		[IFLA_LINK_NETNSID] = { NLATTR_U32 },
	};
	const struct nlattr *attrs[IFLA_LINK_NETNSID + 1];
	const struct ifinfomsg *info;
	const void *data;
	size_t len;
	int rc;

	info = split(h, sizeof(*info), &data, &len);
	if (!info)
		return -EBADMSG;
	if (info->ifi_family != AF_UNSPEC)
		return -EAFNOSUPPORT;
	rc = nlattr_parse(data, len, rules, IFLA_LINK_NETNSID + 1, attrs);
	if (rc < 0 || info->ifi_index <= 0 || !attrs[IFLA_IFNAME])
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->index = (uint32_t)info->ifi_index;
	ret->hardware = info->ifi_type;
	ret->flags = info->ifi_flags;
	rc = attrs[IFLA_LINKINFO] ? decode_info(attrs[IFLA_LINKINFO], ret) : 0;
	read_plain(attrs, ret);
	return rc;
}

int
link_addr_decode(const struct nlmsghdr *h, struct link_addr *ret)
{
	static const struct nlattr_rule rules[] = {
		[IFA_ADDRESS] = { NLATTR_BINARY, 4 },
		[IFA_LOCAL] = { NLATTR_BINARY, 4 },
		[IFA_FLAGS] = { NLATTR_U32 },
	};
	const struct nlattr *attrs[IFA_FLAGS + 1], *own;
	const struct ifaddrmsg *info;
	const void *data;
	size_t len, size;

	info = split(h, sizeof(*info), &data, &len);
	if (!info)
		return -EBADMSG;
	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return -EAFNOSUPPORT;
	size = info->ifa_family == AF_INET ? 4 : 16;
	if (nlattr_parse(data, len, rules, IFA_FLAGS + 1, attrs) < 0)
		return -EBADMSG;
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	own = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (!own || nlattr_len(own) != size || info->ifa_prefixlen > size * 8)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->ifindex = info->ifa_index;
	ret->scope = info->ifa_scope;
	ret->flags = attrs[IFA_FLAGS] ? nlattr_u32(attrs[IFA_FLAGS]) : info->ifa_flags;
	ret->addr.family = info->ifa_family;
	ret->addr.prefix_len = info->ifa_prefixlen;
	memcpy(ret->addr.bytes, nlattr_data(own), size);
	return 0;
}
