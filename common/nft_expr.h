/*
 * nft_expr.h - what a rule does: its expressions, in the order in which the kernel
 * evaluates them.
 *
 * Loads put a value into the current register; tests look at it and end the rule when
 * they do not match; statements act. The current register is NFT_REG_1 (16 bytes)
 * unless nft_rule_use_reg() says otherwise, which only keys made of several fields
 * need. Values are bytes as the register holds them: payload in network order, most
 * meta, ct and fib values in host order. Failures stick: the functions return nothing,
 * nft_rule_status() tells, and nft_batch_add_rule() hands it on.
 */
#pragma once

#include "common/nft.h"

enum {
	NFT_EXPRS_MAX = 128,      /* expressions of one rule (the kernel's limit) */
	NFT_REG_BYTES = 16,       /* most bytes of one value here */
	NFT_LOG_PREFIX_MAX = 127, /* bytes of a log prefix (the kernel's limit) */
};

/** A rule without expressions, which matches every packet; NULL when out of memory. */
struct nft_rule *nft_rule_new(void);

/** Accepts NULL. */
void nft_rule_free(struct nft_rule *rule);

/** 0, or the first failure: -ENOMEM, -E2BIG (NFT_EXPRS_MAX), -EINVAL. */
int nft_rule_status(const struct nft_rule *rule);

/** Set the rule's user data; copied. */
void nft_rule_set_udata(struct nft_rule *rule, struct nft_blob udata);

/** Register for what follows: NFT_REG_1 … NFT_REG_4 (16 bytes each) or NFT_REG32_00 …
 * NFT_REG32_15 (4 bytes each, the same memory). */
void nft_rule_use_reg(struct nft_rule *rule, uint32_t reg);

/* Loads. */

/** NFT_META_*. Names are 16 bytes, NUL padded; NFPROTO and L4PROTO 1 byte; PROTOCOL 2
 * bytes big endian; IIFTYPE 2 bytes, MARK 4 bytes, both host order. */
void nft_rule_load_meta(struct nft_rule *rule, uint32_t key);

/** @len bytes at @offset behind @base (NFT_PAYLOAD_*_HEADER). A packet too short ends
 * the rule; for later fragments see nft_rule_need_transport(). */
void nft_rule_load_payload(
	struct nft_rule *rule, uint32_t base, uint32_t offset, uint32_t len);

/**
 * The rule ends here, without a match, for a packet whose transport header cannot be
 * read: a later fragment above all. The kernel itself forgets to look when it reads 1,
 * 2 or 4 aligned bytes of that header (nft_payload_fast_eval), and takes the payload of
 * the fragment for ports; 3 bytes go the careful way. The register used is left
 * undefined.
 */
void nft_rule_need_transport(struct nft_rule *rule);

/** NFT_CT_STATE, NFT_CT_STATUS, … without direction; 4 bytes host order. */
void nft_rule_load_ct(struct nft_rule *rule, uint32_t key);

/** A part of a TCP option or of an IPv6 extension header. */
struct nft_exthdr {
	uint32_t op;     /* NFT_EXTHDR_OP_TCPOPT, NFT_EXTHDR_OP_IPV6 */
	uint8_t type;    /* kind of the option, or protocol number of the header */
	uint32_t offset; /* in it, bytes */
	uint32_t len;    /* bytes */
	bool exists;     /* load 1 byte: is it there at all? */
};

/** A packet without that option or header ends the rule, unless .exists is asked for.
 */
void nft_rule_load_exthdr(struct nft_rule *rule, const struct nft_exthdr *what);

/** NFT_FIB_RESULT_*, NFTA_FIB_F_*; 4 bytes host order. */
void nft_rule_load_fib(struct nft_rule *rule, uint32_t result, uint32_t flags);

/** NFT_NG_RANDOM or NFT_NG_INCREMENTAL: 0 … @modulus-1, 4 bytes host order. */
void nft_rule_load_numgen(struct nft_rule *rule, uint32_t type, uint32_t modulus);

/** A constant; @len at most NFT_REG_BYTES. */
void nft_rule_load_data(struct nft_rule *rule, const void *data, uint32_t len);

/* Changes of the register. */

/** register = (register & @mask) ^ @xor. */
void nft_rule_bitwise(
	struct nft_rule *rule, const void *mask, const void * xor, uint32_t len);

/** Host order to big endian, one value of @len (2, 4 or 8) bytes: needed before a
 * comparison by size, which the kernel does byte by byte. */
void nft_rule_hton(struct nft_rule *rule, uint32_t len);

/* Tests of the register. */

/** NFT_CMP_EQ, _NEQ, _LT, _LTE, _GT, _GTE with @len bytes. */
void nft_rule_cmp(struct nft_rule *rule, uint32_t op, const void *data, uint32_t len);

/** NFT_RANGE_EQ (inside) or NFT_RANGE_NEQ; both ends inclusive, @len bytes each. */
void nft_rule_range(struct nft_rule *rule, uint32_t op, const void *lo, const void *hi,
	uint32_t len);

/** Is the register's value in the set (not in it: @negate)? */
void nft_rule_lookup(struct nft_rule *rule, const struct nft_set_ref *set, bool negate);

/** Replace the register's value by what the map of data holds for it; a value that is
 * not there ends the rule. */
void nft_rule_map(struct nft_rule *rule, const struct nft_set_ref *set);

/** Look the value up in a verdict map and do what is found there. */
void nft_rule_vmap(struct nft_rule *rule, const struct nft_set_ref *set);

/* Statements. */

/** Write the register's value to NFT_META_MARK, _PRIORITY, _NFTRACE, … */
void nft_rule_set_meta(struct nft_rule *rule, uint32_t key);

struct nft_payload_write {
	uint32_t base; /* NFT_PAYLOAD_*_HEADER */
	uint32_t offset;
	uint32_t len;
	uint32_t csum_type;   /* NFT_PAYLOAD_CSUM_NONE, _INET; for INET offset and len
				 must be even */
	uint32_t csum_offset; /* of the checksum, from base */
	uint32_t csum_flags;  /* NFT_PAYLOAD_L4CSUM_PSEUDOHDR or 0 */
};

/** Write the register's value into the packet. */
void nft_rule_set_payload(struct nft_rule *rule, const struct nft_payload_write *to);

/** Count packets and bytes, starting from these. */
void nft_rule_counter(struct nft_rule *rule, uint64_t packets, uint64_t bytes);

struct nft_limit {
	uint64_t rate;   /* packets or bytes */
	uint64_t unit_s; /* per so many seconds */
	uint32_t burst;  /* packets: depth of the bucket, 0 = the kernel's 5; bytes: on
			    top  of one unit's worth */
	uint32_t type;   /* NFT_LIMIT_PKTS or NFT_LIMIT_PKT_BYTES */
	bool over;       /* match what exceeds, instead of what conforms */
};

/** Match while the rate is kept (or, with over, what exceeds it). */
void nft_rule_limit(struct nft_rule *rule, const struct nft_limit *limit);

/** A packet changes a set (NFT_SET_EVAL) with the key in the current register. */
struct nft_dynset {
	uint32_t op; /* NFT_DYNSET_OP_ADD: an element that is there stays as it is;
			_UPDATE: its time begins anew; _DELETE */
	const struct nft_limit *limit; /* a bucket of each element's own, or NULL */
};

/** Change @set; the rule goes on, unless the set is full, or the element's bucket does
 * not match as in nft_rule_limit(). */
void nft_rule_dynset(struct nft_rule *rule, const struct nft_set_ref *set,
	const struct nft_dynset *how);

/** To the kernel's log, or to an NFLOG group. */
struct nft_log {
	const char *prefix; /* or NULL; at most NFT_LOG_PREFIX_MAX bytes */
	bool to_group;
	uint16_t group;      /* to_group: */
	uint32_t snaplen;    /* bytes copied, 0 = all */
	uint16_t qthreshold; /* packets queued in the kernel before it sends them, 0 =
				default */
	uint32_t level;      /* else: syslog, 0..7 */
	uint32_t flags;      /* NF_LOG_* of linux/netfilter/nf_log.h */
};

/** Log the packet; it goes on to the next expression. */
void nft_rule_log(struct nft_rule *rule, const struct nft_log *log);

/** Send a copy to the device whose number (4 bytes host order) the register holds. In
 * the netdev family. */
void nft_rule_dup(struct nft_rule *rule);

struct nft_nat {
	uint32_t type;       /* NFT_NAT_SNAT or NFT_NAT_DNAT */
	uint8_t family;      /* NFPROTO_IPV4 or NFPROTO_IPV6 */
	const void *lo, *hi; /* addresses; NULL = stays as it is */
	bool has_port;
	uint16_t port_lo, port_hi;
	uint32_t flags; /* NF_NAT_RANGE_PROTO_RANDOM, _PERSISTENT, … */
};

/** Translate the connection; ends the rule. In chains of type "nat". Uses all
 * registers. */
void nft_rule_nat(struct nft_rule *rule, const struct nft_nat *nat);

/** NF_ACCEPT, NF_DROP, NFT_RETURN, or NFT_JUMP and NFT_GOTO with @chain (else NULL). */
void nft_rule_verdict(struct nft_rule *rule, int verdict, const char *chain);
