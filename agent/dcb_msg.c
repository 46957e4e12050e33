/*
 * dcb_msg.c - see dcb_msg.h.
 */
#include "agent/dcb_msg.h"

#include <errno.h>
#include <linux/dcbnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/nl_attr.h"

void
dcb_build_pfc(struct nlbuild *b, const char *name)
{
	const struct dcbmsg header = { .dcb_family = AF_UNSPEC,
		.cmd = DCB_CMD_IEEE_GET };

	nlbuild_begin(b, RTM_GETDCB, 0, &header, sizeof(header));
	nlbuild_put_string(b, DCB_ATTR_IFNAME, name);
}

/* The kernel calls a frame that was sent a request, one that came an indication. */
static void
add_up(const struct nlattr *a, struct dcb_pfc *ret)
{
	struct ieee_pfc pfc;

	memcpy(&pfc, nlattr_data(a), sizeof(pfc));
	for (size_t i = 0; i < IEEE_8021QAZ_MAX_TCS; i++) {
		ret->sent += pfc.requests[i];
		ret->received += pfc.indications[i];
	}
}

int
dcb_pfc_decode(const struct nlmsghdr *h, struct dcb_pfc *ret)
{
	static const struct nlattr_rule rules[] = {
		[DCB_ATTR_IFNAME] = { NLATTR_STRING, IF_NAMESIZE - 1 },
		[DCB_ATTR_IEEE] = { NLATTR_NESTED },
	};
	static const struct nlattr_rule inner_rules[] = {
		[DCB_ATTR_IEEE_PFC] = { NLATTR_BINARY, sizeof(struct ieee_pfc) },
	};
	const struct nlattr *attrs[DCB_ATTR_IEEE + 1], *inner[DCB_ATTR_IEEE_PFC + 1];
	const size_t header_len = NLMSG_ALIGN(sizeof(struct dcbmsg));
	const struct dcbmsg *header = NLMSG_DATA(h);

	if (h->nlmsg_type != RTM_GETDCB)
		return -ENOMSG;
	if (h->nlmsg_len < NLMSG_LENGTH(header_len))
		return -EBADMSG;
	if (header->cmd != DCB_CMD_IEEE_GET)
		return -ENOMSG;
	if (nlattr_parse((const uint8_t *)header + header_len,
		    h->nlmsg_len - NLMSG_LENGTH(header_len), rules, DCB_ATTR_IEEE + 1,
		    attrs) < 0 ||
		!attrs[DCB_ATTR_IFNAME] || !attrs[DCB_ATTR_IEEE] ||
		nlattr_parse_nested(attrs[DCB_ATTR_IEEE], inner_rules,
			DCB_ATTR_IEEE_PFC + 1, inner) < 0)
		return -EBADMSG;
	if (!inner[DCB_ATTR_IEEE_PFC])
		return -ENODATA;
	memset(ret, 0, sizeof(*ret));
	nlattr_string(attrs[DCB_ATTR_IFNAME], ret->name, sizeof(ret->name));
	add_up(inner[DCB_ATTR_IEEE_PFC], ret);
	return 0;
}
