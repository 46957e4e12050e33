/*
 * tc_msg.c - traffic control messages about sampling filters; see tc_msg.h.
 */
#include "agent/tc_msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_sample.h>
#include <linux/tc_act/tc_vlan.h>
#include <string.h>
#include <sys/socket.h>

#include "common/nl_attr.h"

enum {
	HANDLE = 0x74670001,       /* of our filters; any other number would do */
	ACTION_INDEX = 0x74670001, /* of the action without filter */
	ACTION_GROUP = 0x74670001, /* that nobody listens to */
	ACTION_PLACE = 1,          /* of the first action of a filter */
	ACTION_PLACES = 3,
	PASSING_VLAN =
		1, /* of the tag that is not there for long; any other would do */
};

static const char cookie_text[] = "tapgate-agent";
static const char cookie_qdisc[] = "tapgate-agent/q";

_Static_assert(sizeof(cookie_qdisc) - 1 <= TC_COOKIE_MAX_SIZE, "a cookie is short");

/* Building. */

static uint32_t
parent_of(enum tc_hook hook)
{
	return TC_H_MAKE(TC_H_CLSACT,
		hook == TC_HOOK_EGRESS ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
}

static void
begin_qdisc(struct nlbuild *b, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	const struct tcmsg tc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)ifindex,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};

	nlbuild_begin(b, type, flags, &tc, sizeof(tc));
	nlbuild_put_string(b, TCA_KIND, "clsact");
}

void
tc_msg_build_qdisc(struct nlbuild *b, uint32_t ifindex)
{
	begin_qdisc(b, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, ifindex);
}

void
tc_msg_build_qdisc_removal(struct nlbuild *b, uint32_t ifindex)
{
	begin_qdisc(b, RTM_DELQDISC, NLM_F_ACK, ifindex);
}

void
tc_msg_build_qdisc_dump(struct nlbuild *b)
{
	const struct tcmsg tc = { .tcm_family = AF_UNSPEC };

	nlbuild_begin(b, RTM_GETQDISC, NLM_F_DUMP, &tc, sizeof(tc));
}

static void
begin_filter(
	struct nlbuild *b, uint16_t type, uint16_t flags, const struct tc_filter *f)
{
	const struct tcmsg tc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)f->ifindex,
		.tcm_handle = HANDLE,
		.tcm_parent = parent_of(f->hook),
		.tcm_info = TC_H_MAKE((uint32_t)f->pref << 16, htons(ETH_P_ALL)),
	};

	nlbuild_begin(b, type, flags, &tc, sizeof(tc));
	nlbuild_put_string(b, TCA_KIND, "matchall");
}

/* @control  what happens to the packet afterwards */
static void
put_vlan(struct nlbuild *b, uint16_t place, int what, int control)
{
	const struct tc_vlan parms = { .action = control, .v_action = what };
	size_t action = nlbuild_nest(b, place), options;

	nlbuild_put_string(b, TCA_ACT_KIND, "vlan");
	options = nlbuild_nest(b, TCA_ACT_OPTIONS);
	nlbuild_put(b, TCA_VLAN_PARMS, &parms, sizeof(parms));
	if (what == TCA_VLAN_ACT_PUSH)
		nlbuild_put_u16(b, TCA_VLAN_PUSH_VLAN_ID, PASSING_VLAN);
	nlbuild_end_nest(b, options);
	nlbuild_end_nest(b, action);
}

/* Where an action stands, and what happens to the packet afterwards. */
struct place {
	uint16_t place;
	int control;
};

static void
put_action(struct nlbuild *b, const struct tc_filter *f, int index, struct place place)
{
	const char *cookie = f->owns_qdisc ? cookie_qdisc : cookie_text;
	const struct tc_sample parms = { .index = (uint32_t)index,
		.action = place.control };
	size_t action = nlbuild_nest(b, place.place), options;

	nlbuild_put_string(b, TCA_ACT_KIND, "sample");
	options = nlbuild_nest(b, TCA_ACT_OPTIONS);
	nlbuild_put(b, TCA_SAMPLE_PARMS, &parms, sizeof(parms));
	nlbuild_put_u32(b, TCA_SAMPLE_RATE, f->rate);
	nlbuild_put_u32(b, TCA_SAMPLE_TRUNC_SIZE, f->header_bytes);
	nlbuild_put_u32(b, TCA_SAMPLE_PSAMPLE_GROUP, f->group);
	nlbuild_end_nest(b, options);
	nlbuild_put(b, TCA_ACT_COOKIE, cookie, strlen(cookie));
	nlbuild_end_nest(b, action);
}

void
tc_msg_build_filter(struct nlbuild *b, const struct tc_filter *f)
{
	size_t options, actions;

	begin_filter(b, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, f);
	options = nlbuild_nest(b, TCA_OPTIONS);
	nlbuild_put_u32(b, TCA_MATCHALL_FLAGS,
		f->hardware ? TCA_CLS_FLAGS_SKIP_SW : TCA_CLS_FLAGS_SKIP_HW);
	actions = nlbuild_nest(b, TCA_MATCHALL_ACT);
	if (f->tags) {
		put_vlan(b, ACTION_PLACE, TCA_VLAN_ACT_PUSH, TC_ACT_PIPE);
		put_action(b, f, 0, (struct place){ ACTION_PLACE + 1, TC_ACT_PIPE });
		put_vlan(b, ACTION_PLACE + 2, TCA_VLAN_ACT_POP, TC_ACT_UNSPEC);
	} else {
		put_action(b, f, 0, (struct place){ ACTION_PLACE, TC_ACT_UNSPEC });
	}
	nlbuild_end_nest(b, actions);
	nlbuild_end_nest(b, options);
}

void
tc_msg_build_filter_removal(struct nlbuild *b, const struct tc_filter *f)
{
	begin_filter(b, RTM_DELTFILTER, NLM_F_ACK, f);
}

void
tc_msg_build_filter_dump(struct nlbuild *b, uint32_t ifindex, enum tc_hook hook)
{
	const struct tcmsg tc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = parent_of(hook),
	};

	nlbuild_begin(b, RTM_GETTFILTER, NLM_F_DUMP, &tc, sizeof(tc));
}

void
tc_msg_build_action(struct nlbuild *b)
{
	const struct tcamsg tca = { .tca_family = AF_UNSPEC };
	const struct tc_filter f = { .rate = 1, .group = ACTION_GROUP };
	size_t actions;

	nlbuild_begin(b, RTM_NEWACTION, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &tca,
		sizeof(tca));
	actions = nlbuild_nest(b, TCA_ACT_TAB);
	put_action(b, &f, ACTION_INDEX, (struct place){ ACTION_PLACE, TC_ACT_PIPE });
	nlbuild_end_nest(b, actions);
}

void
tc_msg_build_action_removal(struct nlbuild *b)
{
	const struct tcamsg tca = { .tca_family = AF_UNSPEC };
	size_t actions, action;

	nlbuild_begin(b, RTM_DELACTION, NLM_F_ACK, &tca, sizeof(tca));
	actions = nlbuild_nest(b, TCA_ACT_TAB);
	action = nlbuild_nest(b, ACTION_PLACE);
	nlbuild_put_string(b, TCA_ACT_KIND, "sample");
	nlbuild_put_u32(b, TCA_ACT_INDEX, ACTION_INDEX);
	nlbuild_end_nest(b, action);
	nlbuild_end_nest(b, actions);
}

/* Decoding. */

enum { KIND_SIZE = 16 }; /* the kernel's IFNAMSIZ */

static const struct nlattr_rule message_rules[TCA_OPTIONS + 1] = {
	[TCA_KIND] = { NLATTR_STRING, KIND_SIZE },
	[TCA_OPTIONS] = { NLATTR_NESTED, 0 },
};

static const struct nlattr_rule matchall_rules[TCA_MATCHALL_FLAGS + 1] = {
	[TCA_MATCHALL_ACT] = { NLATTR_NESTED, 0 },
	[TCA_MATCHALL_FLAGS] = { NLATTR_U32, 0 },
};

static const struct nlattr_rule list_rules[ACTION_PLACES + 1] = {
	[1] = { NLATTR_NESTED, 0 },
	[2] = { NLATTR_NESTED, 0 },
	[3] = { NLATTR_NESTED, 0 },
};

static const struct nlattr_rule action_rules[TCA_ACT_COOKIE + 1] = {
	[TCA_ACT_KIND] = { NLATTR_STRING, KIND_SIZE },
	[TCA_ACT_OPTIONS] = { NLATTR_NESTED, 0 },
	[TCA_ACT_COOKIE] = { NLATTR_BINARY, 0 },
};

static const struct nlattr_rule sample_rules[TCA_SAMPLE_PSAMPLE_GROUP + 1] = {
	[TCA_SAMPLE_RATE] = { NLATTR_U32, 0 },
	[TCA_SAMPLE_TRUNC_SIZE] = { NLATTR_U32, 0 },
	[TCA_SAMPLE_PSAMPLE_GROUP] = { NLATTR_U32, 0 },
};

#define PARSE(parent, rules, ret)                                                      \
	nlattr_parse_nested(parent, rules, sizeof(rules) / sizeof((rules)[0]), ret)

static bool
is_kind(const struct nlattr *a, const char *kind)
{
	char text[KIND_SIZE];

	if (!a)
		return false;
	nlattr_string(a, text, sizeof(text));
	return strcmp(text, kind) == 0;
}

static bool
is_cookie(const struct nlattr *a, const char *cookie)
{
	return nlattr_len(a) == strlen(cookie) &&
	       memcmp(nlattr_data(a), cookie, strlen(cookie)) == 0;
}

/* The fixed header and the attributes behind it; -EBADMSG if there is not so much. */
static int
decode_message(
	const struct nlmsghdr *h, struct tcmsg *ret_tc, const struct nlattr **ret_attrs)
{
	const size_t skip = NLMSG_SPACE(sizeof(*ret_tc));

	if (h->nlmsg_len < skip)
		return -EBADMSG;
	memcpy(ret_tc, NLMSG_DATA(h), sizeof(*ret_tc));
	if (ret_tc->tcm_ifindex < 0)
		return -EBADMSG;
	return nlattr_parse((const uint8_t *)h + skip, h->nlmsg_len - skip,
		message_rules, TCA_OPTIONS + 1, ret_attrs);
}

int
tc_msg_decode_qdisc(const struct nlmsghdr *h, uint32_t *ret_ifindex)
{
	const struct nlattr *attrs[TCA_OPTIONS + 1];
	struct tcmsg tc;

	if (decode_message(h, &tc, attrs) < 0)
		return -EBADMSG;
	if (!is_kind(attrs[TCA_KIND], "clsact") && !is_kind(attrs[TCA_KIND], "ingress"))
		return -ENOMSG;
	*ret_ifindex = (uint32_t)tc.tcm_ifindex;
	return 0;
}

/* 0; -ENOMSG: not an action of ours. */
static int
decode_action(const struct nlattr *list, struct tc_filter *ret)
{
	const struct nlattr *places[ACTION_PLACES + 1], *action[TCA_ACT_COOKIE + 1];
	const struct nlattr *sample[TCA_SAMPLE_PSAMPLE_GROUP + 1];

	if (PARSE(list, list_rules, places) < 0)
		return -EBADMSG;
	if (!places[ACTION_PLACE])
		return -ENOMSG;
	if (PARSE(places[ACTION_PLACE], action_rules, action) < 0)
		return -EBADMSG;
	ret->tags = is_kind(action[TCA_ACT_KIND], "vlan") && places[ACTION_PLACE + 1] &&
		    places[ACTION_PLACE + 2];
	if (ret->tags && PARSE(places[ACTION_PLACE + 1], action_rules, action) < 0)
		return -EBADMSG;
	if (!is_kind(action[TCA_ACT_KIND], "sample") || !action[TCA_ACT_OPTIONS] ||
		!action[TCA_ACT_COOKIE])
		return -ENOMSG;
	ret->owns_qdisc = is_cookie(action[TCA_ACT_COOKIE], cookie_qdisc);
	if (!ret->owns_qdisc && !is_cookie(action[TCA_ACT_COOKIE], cookie_text))
		return -ENOMSG;
	if (PARSE(action[TCA_ACT_OPTIONS], sample_rules, sample) < 0 ||
		!sample[TCA_SAMPLE_RATE] || !sample[TCA_SAMPLE_PSAMPLE_GROUP])
		return -EBADMSG;
	ret->rate = nlattr_u32(sample[TCA_SAMPLE_RATE]);
	ret->group = nlattr_u32(sample[TCA_SAMPLE_PSAMPLE_GROUP]);
	if (sample[TCA_SAMPLE_TRUNC_SIZE])
		ret->header_bytes = nlattr_u32(sample[TCA_SAMPLE_TRUNC_SIZE]);
	return 0;
}

/* 0; -ENOMSG: not a matchall filter of ours. */
static int
decode_matchall(const struct nlattr *options, struct tc_filter *ret)
{
	const struct nlattr *attrs[TCA_MATCHALL_FLAGS + 1];

	if (PARSE(options, matchall_rules, attrs) < 0)
		return -EBADMSG;
	if (!attrs[TCA_MATCHALL_ACT])
		return -ENOMSG;
	if (attrs[TCA_MATCHALL_FLAGS])
		ret->hardware =
			nlattr_u32(attrs[TCA_MATCHALL_FLAGS]) & TCA_CLS_FLAGS_SKIP_SW;
	return decode_action(attrs[TCA_MATCHALL_ACT], ret);
}

static int
hook_of(uint32_t parent, enum tc_hook *ret)
{
	/* The qdisc called ingress has one hook, by whatever number it is named. */
	if (TC_H_MAJ(parent) != TC_H_MAJ(TC_H_CLSACT))
		return -ENOMSG;
	*ret = parent == parent_of(TC_HOOK_EGRESS) ? TC_HOOK_EGRESS : TC_HOOK_INGRESS;
	return 0;
}

int
tc_msg_decode_filter(const struct nlmsghdr *h, struct tc_msg_filter *ret)
{
	const struct nlattr *attrs[TCA_OPTIONS + 1];
	struct tc_filter ours;
	struct tcmsg tc;
	int rc;

	if (decode_message(h, &tc, attrs) < 0)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	if (hook_of(tc.tcm_parent, &ret->filter.hook) < 0)
		return -ENOMSG;
	ret->filter.ifindex = (uint32_t)tc.tcm_ifindex;
	ret->filter.pref = (uint16_t)(TC_H_MAJ(tc.tcm_info) >> 16);
	if (tc.tcm_handle != HANDLE || !is_kind(attrs[TCA_KIND], "matchall") ||
		!attrs[TCA_OPTIONS])
		return 0;
	ours = ret->filter;
	rc = decode_matchall(attrs[TCA_OPTIONS], &ours);
	if (rc == -EBADMSG)
		return rc;
	if (rc == 0) {
		ret->is_ours = true;
		ret->filter = ours;
	}
	return 0;
}
