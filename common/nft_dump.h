/*
 * nft_dump.h - reading the kernel's nftables objects: callbacks per object, one object
 * in memory at a time.
 *
 * A dump that another transaction disturbed is started again by itself, a few times.
 * That is why there is begin(): it runs before the first object of every attempt, and
 * must forget what earlier ones brought. An item callback that returns non-zero ends
 * the dump, and the function returns that value. No function here may be called from a
 * callback with the same struct nft. All pointers in the info structs are borrowed for
 * the callback.
 */
#pragma once

#include "common/nft.h"

enum { NFT_DUMP_ATTEMPTS = 10 }; /* then -EINTR */

/** Runs before every attempt. */
typedef void (*nft_begin_fn)(void *user_data);

struct nft_chain_info {
	const char *table;
	const char *name;
	uint64_t handle;
	bool is_base;
	uint32_t hook; /* base only: NF_INET_*, NF_BR_*, NF_NETDEV_* */
	int32_t priority;
	const char *type;      /* base only: "filter"; else "" */
	struct nft_blob udata; /* .data NULL when none */
};

struct nft_rule_info {
	const char *table;
	const char *chain;
	uint64_t handle;
	struct nft_blob udata;
	bool has_counter; /* of the first counter of the rule: */
	uint64_t packets;
	uint64_t bytes;
	bool has_second; /* of the second one, as a policer has: */
	uint64_t second_packets;
	uint64_t second_bytes;
	const char *target;       /* chain of the last jump or goto; NULL when none */
	struct nft_blob constant; /* the last one loaded; .data NULL when none */
};

struct nft_set_info {
	const char *table;
	const char *name;
	uint64_t handle;
	uint32_t flags; /* NFT_SET_* */
	uint32_t key_type;
	uint32_t key_len;
	uint32_t data_type;
	uint32_t data_len;
	uint32_t size; /* 0 = no limit */
	struct nft_blob udata;
};

struct nft_elem_info {
	const uint8_t *key; /* key_len bytes */
	size_t key_len;
	bool interval_end;
	bool has_verdict; /* verdict maps: */
	int verdict;
	const char *target;  /* of a jump or goto verdict; NULL when none */
	const uint8_t *data; /* data maps: data_len bytes; NULL when none */
	size_t data_len;
	bool has_counter;
	uint64_t packets;
	uint64_t bytes;
	struct nft_blob udata;
};

typedef int (*nft_chain_fn)(const struct nft_chain_info *chain, void *user_data);
typedef int (*nft_rule_fn)(const struct nft_rule_info *rule, void *user_data);
typedef int (*nft_set_fn)(const struct nft_set_info *set, void *user_data);
typedef int (*nft_elem_fn)(const struct nft_elem_info *elem, void *user_data);

/** What to call; item is the one that fits the function, begin may be NULL. */
struct nft_reader {
	nft_begin_fn begin;
	union {
		nft_chain_fn chain;
		nft_rule_fn rule;
		nft_set_fn set;
		nft_elem_fn elem;
	};
	void *user_data;
};

/** Does the table exist? 1 yes, 0 no, negative errno with the reason in @err. */
int nft_table_exists(struct nft *nft, const struct nft_table *table, struct err *err);

/** All chains of @table. 0 also when there is no such table. The kernel goes through
 * all chains of the family. */
int nft_list_chains(struct nft *nft, const struct nft_table *table,
	const struct nft_reader *reader, struct err *err);

/** The rules of one chain in order; @chain NULL = of the whole table, chain by chain. 0
 * also when there is none. */
int nft_list_rules(struct nft *nft, const struct nft_table *table, const char *chain,
	const struct nft_reader *reader, struct err *err);

/** The sets of a table, anonymous ones included. */
int nft_list_sets(struct nft *nft, const struct nft_table *table,
	const struct nft_reader *reader, struct err *err);

/** The elements of one set; -ENOENT when there is no such set. */
int nft_list_elems(struct nft *nft, const struct nft_table *table, const char *set,
	const struct nft_reader *reader, struct err *err);
