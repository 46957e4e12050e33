/*
 * link_stats_msg.c - RTM_GETSTATS and its answers.
 */
#include "agent/link_stats_msg.h"

#include <errno.h>
#include <linux/if_bonding.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>

#include "common/nl_attr.h"

void
link_stats_build(struct nlbuild *b, uint32_t ifindex, unsigned filter)
{
	struct if_stats_msg header = { .ifindex = ifindex, .filter_mask = filter };

	nlbuild_begin(
		b, RTM_GETSTATS, ifindex ? 0 : NLM_F_DUMP, &header, sizeof(header));
}

/* LACP packets that a member of a bond received and sent. */
static int
decode_lacp(const struct nlattr *member, struct link_stats *ret)
{
	static const struct nlattr_rule type_rules[] = {
		[LINK_XSTATS_TYPE_BOND] = { NLATTR_NESTED },
	};
	static const struct nlattr_rule bond_rules[] = {
		[BOND_XSTATS_3AD] = { NLATTR_NESTED },
	};
	static const struct nlattr_rule rules[] = {
		[BOND_3AD_STAT_LACPDU_RX] = { NLATTR_U64 },
		[BOND_3AD_STAT_LACPDU_TX] = { NLATTR_U64 },
		[BOND_3AD_STAT_LACPDU_UNKNOWN_RX] = { NLATTR_U64 },
		[BOND_3AD_STAT_LACPDU_ILLEGAL_RX] = { NLATTR_U64 },
		[BOND_3AD_STAT_MARKER_RX] = { NLATTR_U64 },
		[BOND_3AD_STAT_MARKER_TX] = { NLATTR_U64 },
		[BOND_3AD_STAT_MARKER_RESP_RX] = { NLATTR_U64 },
		[BOND_3AD_STAT_MARKER_RESP_TX] = { NLATTR_U64 },
	};
	enum { N = BOND_3AD_STAT_MARKER_RESP_TX + 1 };
	const struct nlattr *type[LINK_XSTATS_TYPE_BOND + 1];
	const struct nlattr *bond[BOND_XSTATS_3AD + 1];
	const struct nlattr *a[N];
	uint64_t v[N];

	if (nlattr_parse_nested(member, type_rules, LINK_XSTATS_TYPE_BOND + 1, type) <
		0)
		return -EBADMSG;
	if (!type[LINK_XSTATS_TYPE_BOND])
		return 0;
	if (nlattr_parse_nested(type[LINK_XSTATS_TYPE_BOND], bond_rules,
		    BOND_XSTATS_3AD + 1, bond) < 0)
		return -EBADMSG;
	if (!bond[BOND_XSTATS_3AD])
		return 0;
	if (nlattr_parse_nested(bond[BOND_XSTATS_3AD], rules, N, a) < 0)
		return -EBADMSG;
	for (int i = 0; i < N; i++)
		v[i] = a[i] ? nlattr_u64(a[i]) : COUNTER_UNKNOWN;
	ret->has_lacp = true;
	ret->lacp.lacpdu_rx = v[BOND_3AD_STAT_LACPDU_RX];
	ret->lacp.lacpdu_tx = v[BOND_3AD_STAT_LACPDU_TX];
	ret->lacp.unknown_rx = v[BOND_3AD_STAT_LACPDU_UNKNOWN_RX];
	ret->lacp.illegal_rx = v[BOND_3AD_STAT_LACPDU_ILLEGAL_RX];
	ret->lacp.marker_rx = v[BOND_3AD_STAT_MARKER_RX];
	ret->lacp.marker_tx = v[BOND_3AD_STAT_MARKER_TX];
	ret->lacp.marker_response_rx = v[BOND_3AD_STAT_MARKER_RESP_RX];
	ret->lacp.marker_response_tx = v[BOND_3AD_STAT_MARKER_RESP_TX];
	return 0;
}

int
link_stats_decode(const struct nlmsghdr *h, struct link_stats *ret)
{
	static const struct nlattr_rule rules[] = {
		/* rx_nohandler came later and is not used. */
		[IFLA_STATS_LINK_64] = { NLATTR_BINARY,
			offsetof(struct rtnl_link_stats64, rx_nohandler) },
		[IFLA_STATS_LINK_XSTATS_SLAVE] = { NLATTR_NESTED },
	};
	const struct nlattr *attrs[IFLA_STATS_LINK_XSTATS_SLAVE + 1], *link;
	const struct if_stats_msg *header = NLMSG_DATA(h);
	size_t skip = NLMSG_SPACE(sizeof(*header)), len;

	if (h->nlmsg_type != RTM_NEWSTATS ||
		h->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return -EBADMSG;
	len = h->nlmsg_len > skip ? h->nlmsg_len - skip : 0;
	if (nlattr_parse((const uint8_t *)h + skip, len, rules,
		    IFLA_STATS_LINK_XSTATS_SLAVE + 1, attrs) < 0)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->index = header->ifindex;
	link = attrs[IFLA_STATS_LINK_64];
	if (link) {
		size_t size = nlattr_len(link);

		memcpy(&ret->link, nlattr_data(link),
			size < sizeof(ret->link) ? size : sizeof(ret->link));
		ret->has_link = true;
	}
	if (!attrs[IFLA_STATS_LINK_XSTATS_SLAVE])
		return 0;
	return decode_lacp(attrs[IFLA_STATS_LINK_XSTATS_SLAVE], ret);
}
