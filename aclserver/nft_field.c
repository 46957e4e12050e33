/*
 * nft_field.c - the table of fields, and the model's values to register contents.
 */
#include "aclserver/nft_field.h"

#include <endian.h>
#include <string.h>

#include "common/nft.h"

/* clang-format off */
static const struct nft_field fields[FIELD_COUNT] = {
	[FIELD_MARK] =
		{ NFT_SOURCE_META, NFT_FORM_HOST, NFT_META_MARK, 4, 0, 0, NFT_TYPE_MARK },
	[FIELD_L3PROTO] =
		{ NFT_SOURCE_META, NFT_FORM_NETWORK, NFT_META_PROTOCOL, 2, 0, 0, NFT_TYPE_ETHERTYPE },
	[FIELD_L4PROTO] =
		{ NFT_SOURCE_META, NFT_FORM_NETWORK, NFT_META_L4PROTO, 1, 0, 0, NFT_TYPE_INET_PROTOCOL },
	[FIELD_IP_SADDR] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_ADDRESS, 12, 4, 0, 0, NFT_TYPE_IPADDR },
	[FIELD_IP_DADDR] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_ADDRESS, 16, 4, 0, 0, NFT_TYPE_IPADDR },
	/* the upper six bits of the second byte */
	[FIELD_IP_DSCP] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_NETWORK, 1, 1, 2, 0x3f, NFT_TYPE_DSCP },
	[FIELD_IP_TTL] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_NETWORK, 8, 1, 0, 0, NFT_TYPE_INTEGER },
	[FIELD_IP_LENGTH] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_NETWORK, 2, 2, 0, 0, NFT_TYPE_INTEGER },
	[FIELD_IP_FRAGOFF] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_NETWORK, 6, 2, 0, 0, NFT_TYPE_INTEGER },
	[FIELD_IP6_SADDR] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_ADDRESS, 8, 16, 0, 0, NFT_TYPE_IP6ADDR },
	[FIELD_IP6_DADDR] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_ADDRESS, 24, 16, 0, 0, NFT_TYPE_IP6ADDR },
	/* bits 4 to 9, behind the version */
	[FIELD_IP6_DSCP] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_NETWORK, 0, 2, 6, 0x3f, NFT_TYPE_DSCP },
	[FIELD_IP6_HOPLIMIT] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_NETWORK, 7, 1, 0, 0, NFT_TYPE_INTEGER },
	[FIELD_IP6_LENGTH] =
		{ NFT_SOURCE_NETWORK, NFT_FORM_NETWORK, 4, 2, 0, 0, NFT_TYPE_INTEGER },
	[FIELD_TH_SPORT] =
		{ NFT_SOURCE_TRANSPORT, NFT_FORM_NETWORK, 0, 2, 0, 0, NFT_TYPE_INET_SERVICE },
	[FIELD_TH_DPORT] =
		{ NFT_SOURCE_TRANSPORT, NFT_FORM_NETWORK, 2, 2, 0, 0, NFT_TYPE_INET_SERVICE },
	[FIELD_TCP_FLAGS] =
		{ NFT_SOURCE_TRANSPORT, NFT_FORM_NETWORK, 13, 1, 0, 0, NFT_TYPE_TCP_FLAG },
	[FIELD_ICMP_TYPE] =
		{ NFT_SOURCE_TRANSPORT, NFT_FORM_NETWORK, 0, 1, 0, 0, NFT_TYPE_ICMP_TYPE },
	[FIELD_ICMP_CODE] =
		{ NFT_SOURCE_TRANSPORT, NFT_FORM_NETWORK, 1, 1, 0, 0, NFT_TYPE_ICMP_CODE },
	[FIELD_ICMP6_TYPE] =
		{ NFT_SOURCE_TRANSPORT, NFT_FORM_NETWORK, 0, 1, 0, 0, NFT_TYPE_ICMP6_TYPE },
	[FIELD_ICMP6_CODE] =
		{ NFT_SOURCE_TRANSPORT, NFT_FORM_NETWORK, 1, 1, 0, 0, NFT_TYPE_ICMP6_CODE },
	[FIELD_ETHER_SADDR] =
		{ NFT_SOURCE_LINK, NFT_FORM_NETWORK, 6, 6, 0, 0, NFT_TYPE_ETHERADDR },
	[FIELD_ETHER_DADDR] =
		{ NFT_SOURCE_LINK, NFT_FORM_NETWORK, 0, 6, 0, 0, NFT_TYPE_ETHERADDR },
	[FIELD_ETHER_TYPE] =
		{ NFT_SOURCE_LINK, NFT_FORM_NETWORK, 12, 2, 0, 0, NFT_TYPE_ETHERTYPE },
	/* the lower twelve bits of the tag */
	[FIELD_VLAN_ID] =
		{ NFT_SOURCE_LINK, NFT_FORM_NETWORK, 14, 2, 0, 0x0fff, NFT_TYPE_INTEGER },
	[FIELD_CT_STATE] =
		{ NFT_SOURCE_CT, NFT_FORM_HOST, NFT_CT_STATE, 4, 0, 0, NFT_TYPE_CT_STATE },
	[FIELD_CT_STATUS] =
		{ NFT_SOURCE_CT, NFT_FORM_HOST, NFT_CT_STATUS, 4, 0, 0, NFT_TYPE_CT_STATUS },
	[FIELD_FIB_SADDR_TYPE] =
		{ NFT_SOURCE_FIB, NFT_FORM_HOST, NFTA_FIB_F_SADDR, 4, 0, 0, NFT_TYPE_FIB_ADDR },
	[FIELD_FIB_DADDR_TYPE] =
		{ NFT_SOURCE_FIB, NFT_FORM_HOST, NFTA_FIB_F_DADDR, 4, 0, 0, NFT_TYPE_FIB_ADDR },
};
/* clang-format on */

const struct nft_field *
nft_field(enum field field)
{
	return &fields[field];
}

struct nft_cell
nft_field_cell(const struct nft_encoding *enc, const uint8_t *value)
{
	struct nft_cell cell = { 0 };
	uint32_t number = 0;

	if (enc->host_order) {
		memcpy(&number, value, sizeof(number));
		number = be32toh(number);
		memcpy(cell.bytes, &number, sizeof(number));
		return cell;
	}
	if (enc->at->bits == 0) {
		memcpy(cell.bytes, value, enc->size);
		return cell;
	}
	for (size_t i = 0; i < enc->size; i++)
		number = number << 8 | value[i];
	number = (number & enc->at->bits) << enc->at->shift;
	for (size_t i = enc->at->len; i-- > 0; number >>= 8)
		cell.bytes[i] = (uint8_t)number;
	return cell;
}

bool
nft_field_has_interval(const struct ruleset_test *test)
{
	uint8_t size = field_info(test->field)->size;

	for (size_t i = 0; i < test->n_ranges; i++)
		if (memcmp(test->ranges[i].lo, test->ranges[i].hi, size) != 0)
			return true;
	return false;
}

bool
nft_field_prefix(const struct nft_cell *lo, const struct nft_cell *hi, size_t len,
	struct nft_cell *ret_mask)
{
	bool same = true;

	*ret_mask = (struct nft_cell){ 0 };
	for (size_t bit = 0; bit < len * 8; bit++) {
		uint8_t probe = (uint8_t)(0x80 >> bit % 8);
		bool l = lo->bytes[bit / 8] & probe;
		bool h = hi->bytes[bit / 8] & probe;

		same = same && l == h;
		if (same)
			ret_mask->bytes[bit / 8] |= probe;
		else if (l || !h)
			return false;
	}
	return true;
}
