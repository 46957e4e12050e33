/*
 * dropmon_msg.c - decodes what the drop monitor tells.
 */
#include "agent/dropmon_msg.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/net_dropmon.h>
#include <string.h>

#include "common/nl_attr.h"

/* Younger than some systems' headers; the numbers are the kernel's interface. */
enum {
	ATTR_FLOW_ACTION_COOKIE = 22,
	ATTR_REASON = 23,
	ATTRS,
	PORT_ATTRS = NET_DM_ATTR_PORT_NETDEV_IFINDEX + 1,
	STATS_ATTRS = NET_DM_ATTR_STATS_DROPPED + 1,
	SYMBOL_MAX = 512, /* with offset and module */
};

_Static_assert(
	NET_DM_ATTR_PC == 2 && NET_DM_ATTR_PAYLOAD == 7 && NET_DM_ATTR_HW_DROPS == 21,
	"numbers of the kernel's interface do not change");

static const struct nlattr_rule rules[ATTRS] = {
	[NET_DM_ATTR_ALERT_MODE] = { NLATTR_U8, 0 },
	[NET_DM_ATTR_SYMBOL] = { NLATTR_STRING, SYMBOL_MAX },
	[NET_DM_ATTR_IN_PORT] = { NLATTR_NESTED, 0 },
	[NET_DM_ATTR_TIMESTAMP] = { NLATTR_U64, 0 },
	[NET_DM_ATTR_PROTO] = { NLATTR_U16, 0 },
	[NET_DM_ATTR_PAYLOAD] = { NLATTR_BINARY, 0 },
	[NET_DM_ATTR_TRUNC_LEN] = { NLATTR_U32, 0 },
	[NET_DM_ATTR_ORIG_LEN] = { NLATTR_U32, 0 },
	[NET_DM_ATTR_QUEUE_LEN] = { NLATTR_U32, 0 },
	[NET_DM_ATTR_STATS] = { NLATTR_NESTED, 0 },
	[NET_DM_ATTR_HW_STATS] = { NLATTR_NESTED, 0 },
	[NET_DM_ATTR_ORIGIN] = { NLATTR_U16, 0 },
	[NET_DM_ATTR_HW_TRAP_GROUP_NAME] = { NLATTR_STRING, SYMBOL_MAX },
	[NET_DM_ATTR_HW_TRAP_NAME] = { NLATTR_STRING, SYMBOL_MAX },
	[ATTR_FLOW_ACTION_COOKIE] = { NLATTR_BINARY, 0 },
	[ATTR_REASON] = { NLATTR_STRING, SYMBOL_MAX },
};

/* The attributes of @h, which must hold command @cmd. */
static int
open_message(const struct nlmsghdr *h, uint8_t cmd, const struct nlattr **ret_attrs)
{
	const size_t skip = NLMSG_SPACE(GENL_HDRLEN);
	const struct genlmsghdr *genl = NLMSG_DATA(h);

	if (h->nlmsg_len < skip)
		return -EBADMSG;
	if (genl->cmd != cmd)
		return -ENOMSG;
	return nlattr_parse((const uint8_t *)h + skip, h->nlmsg_len - skip, rules,
		ATTRS, ret_attrs);
}

static void
decode_text(const struct nlattr *a, char ret[DROPMON_TEXT_SIZE])
{
	if (a)
		nlattr_string(a, ret, DROPMON_TEXT_SIZE);
}

static int
decode_port(const struct nlattr *a, uint32_t *ret_ifindex)
{
	static const struct nlattr_rule port_rules[PORT_ATTRS] = {
		[NET_DM_ATTR_PORT_NETDEV_IFINDEX] = { NLATTR_U32, 0 },
	};
	const struct nlattr *attrs[PORT_ATTRS];

	if (nlattr_parse_nested(a, port_rules, PORT_ATTRS, attrs) < 0)
		return -EBADMSG;
	if (attrs[NET_DM_ATTR_PORT_NETDEV_IFINDEX])
		*ret_ifindex = nlattr_u32(attrs[NET_DM_ATTR_PORT_NETDEV_IFINDEX]);
	return 0;
}

static void
decode_bytes(const struct nlattr *const *attrs, struct dropmon_msg *ret)
{
	const struct nlattr *data = attrs[NET_DM_ATTR_PAYLOAD];
	const struct nlattr *cookie = attrs[ATTR_FLOW_ACTION_COOKIE];

	if (data && nlattr_len(data) > 0) {
		ret->data = nlattr_data(data);
		ret->data_len = nlattr_len(data);
		ret->original = (uint32_t)ret->data_len;
	}
	if (attrs[NET_DM_ATTR_ORIG_LEN])
		ret->original = nlattr_u32(attrs[NET_DM_ATTR_ORIG_LEN]);
	if (attrs[NET_DM_ATTR_PROTO])
		ret->proto = nlattr_u16(attrs[NET_DM_ATTR_PROTO]);
	if (cookie && nlattr_len(cookie) > 0) {
		ret->cookie = nlattr_data(cookie);
		ret->cookie_len = nlattr_len(cookie);
	}
}

int
dropmon_msg_decode(const struct nlmsghdr *h, struct dropmon_msg *ret)
{
	const struct nlattr *attrs[ATTRS];
	int rc = open_message(h, NET_DM_CMD_PACKET_ALERT, attrs);

	if (rc < 0)
		return rc;
	if (!attrs[NET_DM_ATTR_ORIGIN])
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->hardware = nlattr_u16(attrs[NET_DM_ATTR_ORIGIN]) == NET_DM_ORIGIN_HW;
	decode_text(attrs[NET_DM_ATTR_SYMBOL], ret->function);
	ret->function[strcspn(ret->function, "+")] = '\0';
	decode_text(attrs[ATTR_REASON], ret->reason);
	decode_text(attrs[NET_DM_ATTR_HW_TRAP_GROUP_NAME], ret->trap_group);
	decode_text(attrs[NET_DM_ATTR_HW_TRAP_NAME], ret->trap_name);
	if (attrs[NET_DM_ATTR_TIMESTAMP])
		ret->timestamp_ns = nlattr_u64(attrs[NET_DM_ATTR_TIMESTAMP]);
	decode_bytes(attrs, ret);
	return attrs[NET_DM_ATTR_IN_PORT]
		       ? decode_port(attrs[NET_DM_ATTR_IN_PORT], &ret->in_ifindex)
		       : 0;
}

int
dropmon_msg_decode_config(const struct nlmsghdr *h, struct dropmon_config *ret)
{
	const struct nlattr *attrs[ATTRS];
	int rc = open_message(h, NET_DM_CMD_CONFIG_NEW, attrs);

	if (rc < 0)
		return rc;
	if (!attrs[NET_DM_ATTR_ALERT_MODE] || !attrs[NET_DM_ATTR_TRUNC_LEN] ||
		!attrs[NET_DM_ATTR_QUEUE_LEN])
		return -EBADMSG;
	ret->packets =
		nlattr_u8(attrs[NET_DM_ATTR_ALERT_MODE]) == NET_DM_ALERT_MODE_PACKET;
	ret->trunc_bytes = nlattr_u32(attrs[NET_DM_ATTR_TRUNC_LEN]);
	ret->queue_len = nlattr_u32(attrs[NET_DM_ATTR_QUEUE_LEN]);
	return 0;
}

static int
add_stats(const struct nlattr *a, uint64_t *sum)
{
	static const struct nlattr_rule stats_rules[STATS_ATTRS] = {
		[NET_DM_ATTR_STATS_DROPPED] = { NLATTR_U64, 0 },
	};
	const struct nlattr *attrs[STATS_ATTRS];

	if (!a)
		return 0;
	if (nlattr_parse_nested(a, stats_rules, STATS_ATTRS, attrs) < 0)
		return -EBADMSG;
	if (attrs[NET_DM_ATTR_STATS_DROPPED])
		*sum += nlattr_u64(attrs[NET_DM_ATTR_STATS_DROPPED]);
	return 0;
}

int
dropmon_msg_decode_stats(const struct nlmsghdr *h, uint64_t *ret_dropped)
{
	const struct nlattr *attrs[ATTRS];
	uint64_t sum = 0;
	int rc = open_message(h, NET_DM_CMD_STATS_NEW, attrs);

	if (rc == 0)
		rc = add_stats(attrs[NET_DM_ATTR_STATS], &sum);
	if (rc == 0)
		rc = add_stats(attrs[NET_DM_ATTR_HW_STATS], &sum);
	if (rc == 0)
		*ret_dropped = sum;
	return rc;
}

/* The rule that dropped it, by the cookie that its owner gave it. */
static void
set_rule(
	const struct dropmon_msg *m, char text[DROPMON_COOKIE_SIZE], struct packet *ret)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < m->cookie_len && n + 2 < DROPMON_COOKIE_SIZE; i++) {
		text[n++] = digits[m->cookie[i] >> 4];
		text[n++] = digits[m->cookie[i] & 15];
	}
	text[n] = '\0';
	ret->has |= PACKET_HAS_ACL;
	ret->acl = (struct packet_acl){ .name = text };
	if (strcmp(m->trap_name, "ingress_flow_action_drop") == 0)
		ret->acl.direction = SFLOW_ACL_INGRESS;
	else if (strcmp(m->trap_name, "egress_flow_action_drop") == 0)
		ret->acl.direction = SFLOW_ACL_EGRESS;
}

static void
set_names(const struct dropmon_msg *m, struct packet *ret)
{
	if (m->trap_name[0] || m->trap_group[0]) {
		ret->has |= PACKET_HAS_HW_TRAP;
		ret->trap_group = m->trap_group;
		ret->trap_name = m->trap_name;
	}
	if (m->reason[0]) {
		ret->has |= PACKET_HAS_LINUX_REASON;
		ret->linux_reason = m->reason;
	}
	if (m->function[0]) {
		ret->has |= PACKET_HAS_FUNCTION;
		ret->function = m->function;
	}
}

int
dropmon_msg_packet(const struct dropmon_msg *m, enum sflow_reason reason,
	char cookie[DROPMON_COOKIE_SIZE], struct packet *ret)
{
	if (!m->data)
		return -ENODATA;
	packet_init(ret);
	ret->source = data_source_port(m->in_ifindex);
	ret->input = packet_port_ifindex(m->in_ifindex);
	ret->reason = reason;
	set_names(m, ret);
	if (m->cookie)
		set_rule(m, cookie, ret);
	if (m->timestamp_ns) {
		ret->has |= PACKET_HAS_TIMESTAMP;
		ret->timestamp_ns = m->timestamp_ns;
	}
	return packet_set_frame(
		ret, m->data, (uint32_t)m->data_len, m->original, m->proto);
}
