/*
 * nft_internal.h - what the nft*.c files share and nobody else includes: the structs
 * behind the handles, sending and receiving, and the pure decoders.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "common/nft.h"
#include "common/nft_dump.h"

enum {
	NFT_RECV_BYTES = 64 << 10, /* more than any datagram the kernel sends us */
	NFT_SOCKET_BYTES = NFT_BATCH_BYTES_MAX, /* limit of the socket's queues */
};

struct nft {
	int fd;
	uint32_t port; /* our netlink address */
	uint32_t seq;  /* next sequence number that no request has had */
	uint8_t buf[NFT_RECV_BYTES] __attribute__((aligned(8))); /* last datagram */
};

/** One message in a batch. */
struct nft_msg {
	uint64_t cookie;
	size_t offset;      /* in nft_batch.data */
	size_t first_elem;  /* element messages: index of the first one in the call */
	bool counts_ranges; /* … where a range of two elements counts once */
};

struct nft_batch {
	uint8_t *data; /* owned; messages back to back, each aligned to 4 */
	size_t len;
	size_t size;
	struct nft_msg *msgs; /* owned */
	size_t n_msgs;
	size_t msgs_size;
	int status;             /* first failure, 0 = none */
	uint64_t failed_cookie; /* of the message that failed */
	uint32_t next_id;
};

/* nft_batch.c */

/** What every message of a batch begins with. */
struct nft_msg_head {
	const struct nft_table *table;
	uint16_t type;  /* NFT_MSG_* */
	uint16_t flags; /* NLM_F_* beside NLM_F_REQUEST */
	uint64_t cookie;
};

/** Room for one more message: its header with the table's name put, or NULL when the
 * batch has failed or now fails. Nothing of it is in the batch before nft_msg_end(). */
struct nlmsghdr *nft_msg_begin(
	struct nft_batch *batch, const struct nft_msg_head *head);

/** Take the message into the batch; returns its record (valid until the next one). */
struct nft_msg *nft_msg_end(struct nft_batch *batch, const struct nlmsghdr *nlh);

/** Remember the first failure. */
void nft_batch_fail(struct nft_batch *batch, int code, uint64_t cookie);

/** True for a name that the kernel takes; else the batch fails with -EINVAL. */
bool nft_batch_check_name(struct nft_batch *batch, const char *name, uint64_t cookie);

/** True for user data that the kernel takes; else the batch fails with -EINVAL. */
bool nft_batch_check_udata(
	struct nft_batch *batch, struct nft_blob udata, uint64_t cookie);

/** Put user data as attribute @type; nothing when there is none. */
void nft_put_udata(struct nlmsghdr *nlh, uint16_t type, struct nft_blob udata);

/* nft_expr.c */

struct nftnl_rule;

/** The libnftnl object behind @rule. */
struct nftnl_rule *nft_rule_object(const struct nft_rule *rule);

/* nft.c */

/** Send one datagram; 0 or negative errno. EINTR is retried. */
int nft_send(struct nft *nft, struct iovec *iov, size_t n_iov);

/**
 * Receive one datagram of the kernel into nft->buf. Datagrams of anybody else are
 * dropped.
 * @wait    block (at most NFT_TIMEOUT_MS)
 * Returns  its length, or negative errno: -EAGAIN nothing there (no @wait), -ETIMEDOUT,
 *          -ENOBUFS the kernel had to drop some
 */
ssize_t nft_receive(struct nft *nft, bool wait);

/** A request for one answer or a dump, with up to two string attributes. */
struct nft_request {
	uint16_t type;  /* NFT_MSG_GET* */
	uint16_t flags; /* NLM_F_ACK or NLM_F_DUMP */
	uint8_t family;
	uint16_t attr_types[2];
	const char *attrs[2]; /* NULL = not there */
};

/** Send a request; its sequence number, or negative errno. */
int64_t nft_send_request(struct nft *nft, const struct nft_request *request);

/* nft_decode.c: pure */

/** The next whole message of a datagram of @len bytes, from *@pos on, which moves
 * behind it; NULL at the end, or where the rest is no message. Messages are padded to 4
 * bytes, the last one too: libmnl reads attributes up to there. (mnl_nlmsg_ok() does
 * not ask for that, and takes a length above INT_MAX for a negative one.) */
const struct nlmsghdr *nft_next_message(const void *data, size_t len, size_t *pos);

/** What an NLMSG_ERROR message says. */
struct nft_ack {
	int code;         /* 0 for an acknowledgement */
	const char *text; /* NULL when none; borrowed from the message */
	bool has_offset;
	uint32_t offset; /* of the attribute at fault, from the failing message's start
			  */
};

/** 0 or -EBADMSG (truncated, or a malformed attribute). */
int nft_decode_ack(const struct nlmsghdr *nlh, struct nft_ack *ret);

/** NFT_MSG_NEWCHAIN, _NEWRULE, _NEWSET: 0 or -EBADMSG. The result borrows from the
 * message. */
int nft_decode_chain(const struct nlmsghdr *nlh, struct nft_chain_info *ret);
int nft_decode_rule(const struct nlmsghdr *nlh, struct nft_rule_info *ret);
int nft_decode_set(const struct nlmsghdr *nlh, struct nft_set_info *ret);

/** NFT_MSG_NEWSETELEM: @fn for each element. 0, -EBADMSG, or what @fn returned if not
 * 0. */
int nft_decode_elems(const struct nlmsghdr *nlh, nft_elem_fn fn, void *user_data);

/** Which element of an element message of ours stands at byte @offset of it: 0, 1, …;
 * -1 when none does. @counts_ranges: interval ends do not count. */
int64_t nft_decode_elem_at(
	const struct nlmsghdr *nlh, uint32_t offset, bool counts_ranges);
