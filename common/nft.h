/*
 * nft.h - nftables over nfnetlink: one socket, batches of changes, one atomic commit.
 *
 * A batch is a list of messages; nft_commit() hands all of them to the kernel as one
 * transaction across all families: either every change takes effect or none. Each
 * message carries a cookie of the caller's, and every error that the kernel reports
 * comes back with the cookie of the message it belongs to. Rules are built with
 * nft_expr.h, user data with nft_udata.h, and read back with nft_dump.h. Messages and
 * constants follow linux/netfilter/nf_tables.h; Linux 6.1 or later.
 */
#pragma once

#include <netinet/in.h> /* ahead of the kernel's headers, which then leave theirs out */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct nft;       /* a NETLINK_NETFILTER socket */
struct nft_batch; /* a transaction under construction */
struct nft_rule;  /* expressions and user data of one rule; see nft_expr.h */

enum {
	NFT_NAME_MAX = 127,    /* bytes of a table, chain or set name */
	NFT_UDATA_MAX = 256,   /* bytes of user data (the kernel's limit) */
	NFT_DEVICES_MAX = 256, /* devices of one netdev chain (kernel's limit) */
	NFT_KEY_MAX = 64,      /* bytes of a set key */
	NFT_BATCH_BYTES_MAX = 128 << 20, /* one batch; more gives -EMSGSIZE */
	NFT_ERRORS_MAX = 1000,           /* kept per commit; more are counted */
	NFT_ERROR_TEXT_SIZE = 128,       /* with its NUL */
	NFT_TIMEOUT_MS = 10000,          /* longest wait for one answer of the kernel */
};

/** Open the socket. NULL with the reason in @err. Needs CAP_NET_ADMIN for anything
 * useful; missing privilege shows at the first call. */
struct nft *nft_open(struct err *err);

/** Accepts NULL. */
void nft_close(struct nft *nft);

/** A table: where every other object lives. Names are borrowed for the call. */
struct nft_table {
	uint8_t family; /* NFPROTO_INET, NFPROTO_BRIDGE, NFPROTO_NETDEV, … */
	const char *name;
};

/** User data: opaque to the kernel, borrowed for the call; build it with nft_udata.h.
 */
struct nft_blob {
	const void *data; /* NULL = none */
	size_t len;       /* at most NFT_UDATA_MAX */
};

/*
 * The batch. The functions below append one message each (or as many as named). They
 * return nothing: the first failure (out of memory, a limit, an object that cannot be
 * expressed) is kept, everything after it is ignored, and nft_batch_status() and
 * nft_commit() report it.
 */

/** An empty batch, NULL when out of memory. */
struct nft_batch *nft_batch_new(void);

/** Accepts NULL. */
void nft_batch_free(struct nft_batch *batch);

/** Forget all messages and the failure; keeps the memory for the next transaction. */
void nft_batch_reset(struct nft_batch *batch);

/**
 * 0 while all is well, else the first failure: -ENOMEM, -EMSGSIZE (batch or message
 * too large), -EINVAL (name or value not possible), or what a rule's status said.
 * @ret_cookie  may be NULL; the cookie of the message that failed
 */
int nft_batch_status(const struct nft_batch *batch, uint64_t *ret_cookie);

/** Messages so far, batch begin and end not counted. 0 = nothing to commit. */
size_t nft_batch_count(const struct nft_batch *batch);

/** Bytes so far. */
size_t nft_batch_bytes(const struct nft_batch *batch);

/** Go back to the first @count messages (a value of nft_batch_count()) and forget a
 * failure that happened behind them. */
void nft_batch_rewind(struct nft_batch *batch, size_t count);

/** A number that no other set or rule of this batch has: for nft_set_spec.id and
 * nft_rule_at.id. Never 0. */
uint32_t nft_batch_new_id(struct nft_batch *batch);

/** Create a table; one that exists is left as it is. */
void nft_batch_add_table(
	struct nft_batch *batch, const struct nft_table *table, uint64_t cookie);

/** Delete a table with all it contains; fine when there is none (two messages: create,
 * delete). */
void nft_batch_delete_table(
	struct nft_batch *batch, const struct nft_table *table, uint64_t cookie);

/** A chain that packets enter by a hook. Policy accept. */
struct nft_base_chain {
	const char *name;
	const char *type; /* "filter", "route", "nat" */
	uint32_t hook;    /* NF_INET_*, NF_BR_* or NF_NETDEV_* */
	int32_t priority;
	const char *const *devices; /* netdev only, else NULL */
	size_t n_devices;
	struct nft_blob udata;
};

/** Create a base chain. One of that name with the same hook, type, priority and devices
 * is left as it is, its user data too; with others it is an error (EEXIST). */
void nft_batch_add_base_chain(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_base_chain *chain, uint64_t cookie);

/** Create a regular chain; EEXIST when there is one of that name. The kernel never
 * changes a chain's user data afterwards: other user data means another chain. */
void nft_batch_add_chain(struct nft_batch *batch, const struct nft_table *table,
	const char *name, struct nft_blob udata, uint64_t cookie);

/** As nft_batch_add_chain(), without user data; one that exists is left as it is. */
void nft_batch_ensure_chain(struct nft_batch *batch, const struct nft_table *table,
	const char *name, uint64_t cookie);

/** Remove all rules of a chain; ENOENT when there is no such chain. */
void nft_batch_flush_chain(struct nft_batch *batch, const struct nft_table *table,
	const char *name, uint64_t cookie);

/** Remove a chain and its rules; EBUSY while a rule or a map element jumps to it. */
void nft_batch_delete_chain(struct nft_batch *batch, const struct nft_table *table,
	const char *name, uint64_t cookie);

enum nft_where {
	NFT_WHERE_APPEND,    /* behind all rules of the chain */
	NFT_WHERE_PREPEND,   /* in front of them */
	NFT_WHERE_BEFORE,    /* the rule with handle .ref */
	NFT_WHERE_AFTER,     /* likewise */
	NFT_WHERE_BEFORE_ID, /* the rule of this batch with id .ref; the kernel searches
				the transaction for it: cost grows with the batch */
	NFT_WHERE_AFTER_ID,
	NFT_WHERE_REPLACE, /* take the place and the handle of the rule .ref */
};

/** Where a rule goes. */
struct nft_rule_at {
	const char *chain;
	enum nft_where where;
	uint64_t ref; /* handle or id, see nft_where; else 0 */
	uint32_t id;  /* nft_batch_new_id(), when a later rule refers to it; else 0 */
	bool want_handle; /* report the new handle to nft_commit_how.on_handle */
};

/** Add (or replace) one rule; @rule is borrowed for the call. */
void nft_batch_add_rule(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_rule_at *at, const struct nft_rule *rule, uint64_t cookie);

struct nft_rule_ref {
	const char *chain;
	uint64_t handle;
};

/** Delete one rule; ENOENT when there is none. */
void nft_batch_delete_rule(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_rule_ref *rule, uint64_t cookie);

/** A set or map. With NFT_SET_ANONYMOUS in flags it belongs to the one rule that looks
 * it up and goes with it; its name is then "__set%d" or "__map%d" and its id decides.
 */
struct nft_set_spec {
	const char *name;
	uint32_t id;    /* nft_batch_new_id(); needed for use in the same batch */
	uint32_t flags; /* NFT_SET_CONSTANT, _INTERVAL, _MAP, _ANONYMOUS, _TIMEOUT, … */
	uint32_t key_type; /* the nft tool's number of the type, for its listing only */
	uint32_t key_len;  /* bytes, at most NFT_KEY_MAX */
	uint32_t data_type;  /* maps: NFT_DATA_VERDICT, or a type as in key_type */
	uint32_t data_len;   /* maps of data only: bytes */
	uint32_t size;       /* most elements; 0 = no limit */
	bool counters;       /* every element counts packets and bytes */
	uint64_t timeout_ms; /* NFT_SET_TIMEOUT: how long an element lives */
	uint32_t gc_ms; /* … and how often those whose time is over are collected; 0
			   = the kernel's choice */
	struct nft_blob udata;
};

/** Create a set; EEXIST when there is one of that name with other properties. */
void nft_batch_add_set(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_set_spec *set, uint64_t cookie);

/** Delete a named set; EBUSY while a rule uses it. */
void nft_batch_delete_set(struct nft_batch *batch, const struct nft_table *table,
	const char *name, uint64_t cookie);

/** A set by name, and by id when it was added in the same batch (else 0). */
struct nft_set_ref {
	const char *name;
	uint32_t id;
	uint32_t key_len; /* of every element's key, bytes */
};

/** One element. Interval sets take a range as two elements: its first key, and the key
 * behind its last one with interval_end (none when the range ends at the highest key);
 * nft_batch_add_ranges() does that. All pointers are borrowed for the call. */
struct nft_elem {
	const void *key; /* nft_set_ref.key_len bytes */
	bool interval_end;
	bool has_verdict;  /* verdict map: */
	int verdict;       /* NF_ACCEPT, NF_DROP, NFT_JUMP, NFT_GOTO, NFT_RETURN */
	const char *chain; /* of NFT_JUMP and NFT_GOTO */
	const void *data;  /* data map: data_len bytes */
	uint32_t data_len;
	bool has_counter; /* start values; the set must have counters */
	uint64_t packets;
	uint64_t bytes;
	struct nft_blob udata;
};

/** Add @n elements, in as many messages as it takes; EEXIST for one that is there with
 * other data. Errors name the element in nft_error.elem. */
void nft_batch_add_elems(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_set_ref *set, const struct nft_elem *elems, size_t n,
	uint64_t cookie);

/** Delete @n elements by key (interval_end counts as part of it); ENOENT for one that
 * is not there. */
void nft_batch_delete_elems(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_set_ref *set, const struct nft_elem *elems, size_t n,
	uint64_t cookie);

/** Keys from lo to hi inclusive, big endian; borrowed. */
struct nft_range {
	const void *lo; /* nft_set_ref.key_len bytes */
	const void *hi;
};

/** Add @n ranges, not overlapping, to an interval set without data. */
void nft_batch_add_ranges(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_set_ref *set, const struct nft_range *ranges, size_t n,
	uint64_t cookie);

/* The commit. */

enum nft_mode {
	NFT_MODE_COMMIT,
	NFT_MODE_CHECK, /* the kernel validates everything, then takes it back; but
			   Linux then does not see a jump loop in a table of this very
			   batch
			 */
};

enum nft_outcome {
	NFT_OUTCOME_DONE,    /* every change is in effect (or would be: CHECK) */
	NFT_OUTCOME_REFUSED, /* the kernel refused it and changed nothing; see .errors
			      */
	NFT_OUTCOME_NOT_ATTEMPTED, /* the kernel did not see it: .code says why */
	NFT_OUTCOME_UNKNOWN, /* it saw it, but its answer was lost: read the state back
			      */
};

struct nft_error {
	uint64_t cookie;   /* of the message; 0 for the batch as a whole */
	int code;          /* negative errno */
	bool is_batch;     /* about the batch as a whole, not about one message */
	uint16_t msg_type; /* NFT_MSG_* of the message */
	int64_t elem; /* index into the elems (or ranges) of the call, -1 = unknown */
	char text[NFT_ERROR_TEXT_SIZE]; /* the kernel's words, "" when it gave none */
};

struct nft_result {
	enum nft_outcome outcome;
	int code; /* 0 for DONE, else negative errno: for REFUSED that of the first
		   * error
		   */
	struct nft_error *errors; /* owned; in message order */
	size_t n_errors;          /* at most NFT_ERRORS_MAX */
	size_t omitted;           /* reported but not kept */
};

/** Frees the list; fine on a zeroed struct. */
void nft_result_done(struct nft_result *result);

/** The new handle of a rule whose nft_rule_at.want_handle was set. */
typedef void (*nft_handle_fn)(uint64_t cookie, uint64_t handle, void *user_data);

struct nft_commit_how {
	enum nft_mode mode;
	nft_handle_fn on_handle; /* may be NULL; only called for a commit that is done,
				    before nft_commit() returns */
	void *user_data;
};

/**
 * Send the batch as one transaction and collect every answer. Blocks until the kernel
 * has decided. An empty batch is DONE without a call. Temporary failures (EINTR,
 * EAGAIN, ERESTART, ENOBUFS before the kernel saw it) are retried a few times. The
 * batch keeps its messages (only their sequence numbers change): it may be committed
 * again, or reset.
 * @ret     filled always; nft_result_done() by the caller
 * Returns  0 for DONE, else ret->code
 */
int nft_commit(struct nft *nft, struct nft_batch *batch,
	const struct nft_commit_how *how, struct nft_result *ret);
