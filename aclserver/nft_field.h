/*
 * nft_field.h - where the kernel finds each field of the model, and how the model's
 * values look there. Pure.
 */
#pragma once

#include "aclserver/ruleset.h"

enum nft_source {
	NFT_SOURCE_NONE, /* not a plain load: name and l3proto tests */
	NFT_SOURCE_META,
	NFT_SOURCE_LINK, /* payload behind the link-layer header, … */
	NFT_SOURCE_NETWORK,
	NFT_SOURCE_TRANSPORT,
	NFT_SOURCE_CT,
	NFT_SOURCE_FIB,
	NFT_SOURCE_TCP_OPTION, /* the maximum segment size … */
	NFT_SOURCE_TCP_OPTION_EXISTS,
	NFT_SOURCE_FRAG, /* the fragment header of IPv6 … */
	NFT_SOURCE_FRAG_EXISTS,
};

/* What the register holds after the load. */
enum nft_form {
	NFT_FORM_NETWORK, /* big endian, like the model's values */
	NFT_FORM_ADDRESS, /* likewise, and a range may be a prefix */
	NFT_FORM_HOST,    /* 4 bytes, host order */
};

/* Numbers that the nft tool gives to types of values; it reads them from a set's key
 * type when it lists one. The kernel does not look at them. */
enum nft_type {
	NFT_TYPE_INTEGER = 4,
	NFT_TYPE_IPADDR = 7,
	NFT_TYPE_IP6ADDR = 8,
	NFT_TYPE_ETHERADDR = 9,
	NFT_TYPE_ETHERTYPE = 10,
	NFT_TYPE_INET_PROTOCOL = 12,
	NFT_TYPE_INET_SERVICE = 13,
	NFT_TYPE_ICMP_TYPE = 14,
	NFT_TYPE_TCP_FLAG = 15,
	NFT_TYPE_MARK = 19,
	NFT_TYPE_CT_STATE = 26,
	NFT_TYPE_CT_STATUS = 28,
	NFT_TYPE_ICMP6_TYPE = 29,
	NFT_TYPE_ICMP_CODE = 32,
	NFT_TYPE_ICMP6_CODE = 33,
	NFT_TYPE_DSCP = 36,
	NFT_TYPE_FIB_ADDR = 38,
};

/** Where the kernel finds a field. */
struct nft_field {
	enum nft_source source;
	enum nft_form form;
	uint32_t key;  /* meta, ct: key; fib: flags; payload: offset */
	uint8_t len;   /* bytes loaded */
	uint8_t shift; /* the value stands this many bits further left */
	uint16_t bits; /* mask of a value that shares its bytes; 0 = has them alone */
	enum nft_type type;
};

/** The place of @field; .source is NFT_SOURCE_NONE for interface names. */
const struct nft_field *nft_field(enum field field);

/** A value as the register holds it. */
struct nft_cell {
	uint8_t bytes[FIELD_SIZE_MAX];
};

/** How the values of one test are written. */
struct nft_encoding {
	const struct nft_field *at;
	uint8_t size;    /* bytes of a value in the model */
	bool host_order; /* in the register, at the moment of the comparison */
};

/** A value or mask of the model as the register has it. */
struct nft_cell nft_field_cell(const struct nft_encoding *enc, const uint8_t *value);

/** Is one of the ranges more than a single value? */
bool nft_field_has_interval(const struct ruleset_test *test);

/** Is the range of @len bytes a prefix: lo all zeros and hi all ones where they differ?
 * Then its mask is in @ret_mask. */
bool nft_field_prefix(const struct nft_cell *lo, const struct nft_cell *hi, size_t len,
	struct nft_cell *ret_mask);
