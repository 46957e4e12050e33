/*
 * nft_emit_action.c - limits, logs, changes of the packet, NAT and verdicts as nftables
 * expressions; see nft_emit_action.h.
 */
#include "aclserver/nft_emit_action.h"

#include <endian.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "aclserver/nft_field.h"
#include "aclserver/span_ports.h"

enum {
	DSCP_MAX = 0x3f,
	PCP_MAX = 7,
	TCI_OFFSET = 14, /* of the VLAN tag's second half, in the frame */
	PCP_SHIFT = 13,
};

/* DSCP is written together with its neighbours, whose bits stay: the version and ECN in
 * the first two bytes. For IPv4 also because the kernel mends checksums two bytes at a
 * time. */
static int
emit_set_dscp(struct nft_rule *out, enum field field, uint8_t value, struct err *err)
{
	bool ip6 = field == FIELD_IP6_DSCP;
	uint8_t shift = ip6 ? 6 : 2;
	uint16_t keep = htobe16((uint16_t) ~(DSCP_MAX << shift));
	uint16_t put = htobe16((uint16_t)(value << shift));
	struct nft_payload_write write = {
		.base = NFT_PAYLOAD_NETWORK_HEADER,
		.len = 2,
		.csum_type = ip6 ? NFT_PAYLOAD_CSUM_NONE : NFT_PAYLOAD_CSUM_INET,
		.csum_offset = ip6 ? 0 : 10,
	};

	if (value > DSCP_MAX || (field != FIELD_IP_DSCP && !ip6))
		return err_set(err, -EINVAL, "dscp: no such value");
	nft_rule_load_payload(out, write.base, write.offset, write.len);
	nft_rule_bitwise(out, &keep, &put, write.len);
	nft_rule_set_payload(out, &write);
	return 0;
}

/* Both bytes at once: of a tag that the kernel keeps beside the frame it can change no
 * single one. */
static int
emit_set_pcp(struct nft_rule *out, uint8_t family, uint32_t value, struct err *err)
{
	uint16_t keep = htobe16((1 << PCP_SHIFT) - 1);
	uint16_t put = htobe16((uint16_t)(value << PCP_SHIFT));
	const struct nft_payload_write write = {
		.base = NFT_PAYLOAD_LL_HEADER,
		.offset = TCI_OFFSET,
		.len = 2,
		.csum_type = NFT_PAYLOAD_CSUM_NONE,
	};

	if (family != NFPROTO_BRIDGE || value > PCP_MAX)
		return err_set(err, -EINVAL, "802.1p: not here, or no such value");
	nft_rule_load_payload(out, write.base, write.offset, write.len);
	nft_rule_bitwise(out, &keep, &put, write.len);
	nft_rule_set_payload(out, &write);
	return 0;
}

static void
emit_set_priority(struct nft_rule *out, uint32_t value)
{
	nft_rule_load_data(out, &value, sizeof(value));
	nft_rule_set_meta(out, NFT_META_PRIORITY);
}

static void
emit_set_mark(struct nft_rule *out, const struct ruleset_mark *mark)
{
	if (mark->keep == 0) {
		nft_rule_load_data(out, &mark->flip, sizeof(mark->flip));
	} else {
		nft_rule_load_meta(out, NFT_META_MARK);
		nft_rule_bitwise(out, &mark->keep, &mark->flip, sizeof(mark->keep));
	}
	nft_rule_set_meta(out, NFT_META_MARK);
}

static int
emit_set_ether(struct nft_rule *out, uint8_t family, const struct ruleset_term *term,
	struct err *err)
{
	const struct nft_field *at = nft_field(term->ether.field);
	const struct nft_payload_write write = {
		.base = NFT_PAYLOAD_LL_HEADER,
		.offset = at->key,
		.len = at->len,
		.csum_type = NFT_PAYLOAD_CSUM_NONE,
	};

	if (family != NFPROTO_BRIDGE || at->len != sizeof(term->ether.address))
		return err_set(err, -EINVAL, "MAC address: not here, or no such field");
	nft_rule_load_data(out, term->ether.address, at->len);
	nft_rule_set_payload(out, &write);
	return 0;
}

static void
emit_limit(struct nft_rule *out, const struct ruleset_limit *limit)
{
	nft_rule_limit(out,
		&(struct nft_limit){
			.rate = limit->rate,
			.unit_s = limit->unit_s,
			.burst = limit->burst,
			.type = limit->bytes ? NFT_LIMIT_PKT_BYTES : NFT_LIMIT_PKTS,
			.over = limit->over,
		});
}

static void
emit_log(struct nft_rule *out, const struct ruleset_log *log)
{
	nft_rule_log(out, &(struct nft_log){
				  .prefix = log->prefix,
				  .level = log->level,
				  .flags = log->flags,
				  .to_group = log->to_group,
				  .group = log->group,
				  .snaplen = log->snaplen,
				  .qthreshold = log->threshold,
			  });
}

static void
emit_nat(struct nft_rule *out, const struct ruleset_nat *nat)
{
	nft_rule_nat(out, &(struct nft_nat){
				  .type = nat->source ? NFT_NAT_SNAT : NFT_NAT_DNAT,
				  .family = nat->ip6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
				  .lo = nat->has_address ? nat->lo : NULL,
				  .hi = nat->has_address ? nat->hi : NULL,
				  .has_port = nat->has_port,
				  .port_lo = nat->port_lo,
				  .port_hi = nat->port_hi,
				  .flags = nat->flags,
			  });
}

/* By name, so that the rule is good for whatever device has it; a packet for a device
 * that is not there ends the rule. */
static int
emit_dup(struct nft_rule *out, uint8_t family, const char *device, struct err *err)
{
	const struct nft_set_ref map = { SPAN_PORTS_MAP, 0, IFNAMSIZ };
	char name[IFNAMSIZ] = "";

	if (family != NFPROTO_NETDEV || strlen(device) >= sizeof(name))
		return err_set(err, -EINVAL, "dup: not here, or no such name");
	memcpy(name, device, strlen(device));
	nft_rule_load_data(out, name, sizeof(name));
	nft_rule_map(out, &map);
	nft_rule_dup(out);
	return 0;
}

static int
emit_change(struct nft_rule *out, uint8_t family, const struct ruleset_term *term,
	struct err *err)
{
	switch (term->kind) {
	case TERM_SET_DSCP:
		return emit_set_dscp(out, term->dscp.field, term->dscp.value, err);
	case TERM_SET_PCP:
		return emit_set_pcp(out, family, term->number, err);
	case TERM_SET_ETHER:
		return emit_set_ether(out, family, term, err);
	case TERM_SET_PRIORITY:
		emit_set_priority(out, term->number);
		return 0;
	case TERM_SET_MARK:
		emit_set_mark(out, &term->mark);
		return 0;
	default:
		return err_set(err, -EINVAL, "unknown kind of term");
	}
}

int
nft_emit_action(struct nft_rule *out, uint8_t family, const struct ruleset_term *term,
	struct err *err)
{
	switch (term->kind) {
	case TERM_LIMIT:
		emit_limit(out, &term->limit);
		return 0;
	case TERM_LOG:
		emit_log(out, &term->log);
		return 0;
	case TERM_NAT:
		emit_nat(out, &term->nat);
		return 0;
	case TERM_DUP:
		return emit_dup(out, family, term->device, err);
	case TERM_VERDICT:
		nft_rule_verdict(out,
			term->verdict == RULESET_VERDICT_ACCEPT ? NF_ACCEPT : NF_DROP,
			NULL);
		return 0;
	default:
		return emit_change(out, family, term, err);
	}
}
