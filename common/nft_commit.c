/*
 * nft_commit.c - one batch to the kernel as one transaction, and the answers back to
 * the messages they belong to.
 *
 * Only the last message asks for an acknowledgement: its arrival proves that the kernel
 * went through the whole batch and that no error before it was lost, for answers come
 * in message order and nothing is queued behind an overrun. So a batch of any length
 * has one answer when it is good, and one more per error when it is not.
 */
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/nft_internal.h"

enum {
	COMMIT_ATTEMPTS = 4,
	ERRORS_FIRST = 16,
};

/** One attempt. */
struct commit {
	struct nft *nft;
	const struct nft_batch *batch;
	const struct nft_commit_how *how;
	struct nft_result *ret;
	uint32_t seq;     /* of batch begin; message i has seq + 1 + i */
	bool is_answered; /* an answer to the last message, or to the batch, came */
	bool is_overrun;  /* answers were lost */
	int batch_code;   /* error of the batch as a whole */
};

void
nft_result_done(struct nft_result *result)
{
	free(result->errors);
	result->errors = NULL;
	result->n_errors = 0;
	result->omitted = 0;
}

static bool
grow_errors(struct nft_result *ret)
{
	size_t n = ret->n_errors;
	struct nft_error *errors;

	if (n >= NFT_ERRORS_MAX)
		return false;
	/* Sizes are powers of two from ERRORS_FIRST on. */
	if (n != 0 && (n < ERRORS_FIRST || (n & (n - 1)) != 0))
		return true;
	errors = reallocarray(ret->errors, n ? n * 2 : ERRORS_FIRST, sizeof(*errors));
	if (!errors)
		return false;
	ret->errors = errors;
	return true;
}

static void
copy_text(char *to, size_t size, const char *from)
{
	size_t n = from ? strnlen(from, size - 1) : 0;

	if (n)
		memcpy(to, from, n);
	to[n] = '\0';
}

static void
add_error(struct commit *c, const struct nft_error *error, const char *text)
{
	struct nft_error *kept;

	if (!grow_errors(c->ret)) {
		c->ret->omitted++;
		return;
	}
	kept = &c->ret->errors[c->ret->n_errors++];
	*kept = *error;
	copy_text(kept->text, sizeof(kept->text), text);
}

static const struct nlmsghdr *
message_at(const struct nft_batch *batch, size_t i)
{
	return (const void *)(batch->data + batch->msgs[i].offset);
}

/* Which element of the caller's array the kernel complains about. */
static int64_t
elem_at_fault(const struct nft_msg *msg, const struct nlmsghdr *nlh,
	const struct nft_ack *ack)
{
	uint16_t type = NFNL_MSG_TYPE(nlh->nlmsg_type);
	int64_t index;

	if (!ack->has_offset ||
		(type != NFT_MSG_NEWSETELEM && type != NFT_MSG_DELSETELEM))
		return -1;
	index = nft_decode_elem_at(nlh, ack->offset, msg->counts_ranges);
	return index < 0 ? -1 : (int64_t)msg->first_elem + index;
}

static void
on_message_ack(struct commit *c, size_t i, const struct nft_ack *ack)
{
	const struct nft_msg *msg = &c->batch->msgs[i];
	const struct nlmsghdr *nlh = message_at(c->batch, i);
	struct nft_error error = {
		.cookie = msg->cookie,
		.code = ack->code,
		.msg_type = NFNL_MSG_TYPE(nlh->nlmsg_type),
	};

	if (i == c->batch->n_msgs - 1)
		c->is_answered = true;
	if (ack->code == 0)
		return;
	error.elem = elem_at_fault(msg, nlh, ack);
	add_error(c, &error, ack->text);
}

static void
on_batch_ack(struct commit *c, const struct nft_ack *ack)
{
	/* Newer kernels acknowledge batch begin and end when asked; we do not ask. */
	if (ack->code == 0)
		return;
	c->is_answered = true;
	c->batch_code = ack->code;
	add_error(c,
		&(struct nft_error){ .code = ack->code, .is_batch = true, .elem = -1 },
		ack->text);
}

static void
on_ack(struct commit *c, const struct nlmsghdr *nlh)
{
	uint32_t index =
		nlh->nlmsg_seq - c->seq - 1; /* of the message; wraps for begin */
	struct nft_ack ack;

	if (nft_decode_ack(nlh, &ack) < 0)
		ack = (struct nft_ack){ .code = -EBADMSG };
	if (index < c->batch->n_msgs)
		on_message_ack(c, index, &ack);
	else if (nlh->nlmsg_seq == c->seq || index == c->batch->n_msgs)
		on_batch_ack(c, &ack);
}

static void
on_echo(struct commit *c, const struct nlmsghdr *nlh)
{
	uint32_t index = nlh->nlmsg_seq - c->seq - 1;
	struct nft_rule_info info;

	if (index >= c->batch->n_msgs || !c->how->on_handle ||
		nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
		return;
	if (nft_decode_rule(nlh, &info) == 0)
		c->how->on_handle(
			c->batch->msgs[index].cookie, info.handle, c->how->user_data);
}

static void
on_datagram(struct commit *c, size_t len)
{
	const struct nlmsghdr *nlh;
	size_t pos = 0;

	while ((nlh = nft_next_message(c->nft->buf, len, &pos))) {
		if (nlh->nlmsg_pid != c->nft->port)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			on_ack(c, nlh);
		else
			on_echo(c, nlh);
	}
}

/* Read until the answer is there, then what else is queued. */
static int
collect(struct commit *c)
{
	ssize_t len;

	for (;;) {
		len = nft_receive(c->nft, !c->is_answered && !c->is_overrun);
		if (len == -EAGAIN)
			return 0;
		if (len == -ENOBUFS)
			c->is_overrun = true;
		else if (len < 0)
			return (int)len;
		else
			on_datagram(c, (size_t)len);
	}
}

/* Answers to an earlier request that was given up. */
static void
drop_stale(struct nft *nft)
{
	ssize_t len;

	do
		len = nft_receive(nft, false);
	while (len >= 0 || len == -ENOBUFS);
}

/* Number the messages; ask for an acknowledgement of the last one only. */
static void
stamp(struct commit *c)
{
	struct nlmsghdr *nlh;

	c->seq = c->nft->seq;
	c->nft->seq += (uint32_t)c->batch->n_msgs + 2;
	for (size_t i = 0; i < c->batch->n_msgs; i++) {
		nlh = (void *)(c->batch->data + c->batch->msgs[i].offset);
		nlh->nlmsg_seq = c->seq + 1 + (uint32_t)i;
		nlh->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		if (i == c->batch->n_msgs - 1)
			nlh->nlmsg_flags |= NLM_F_ACK;
	}
}

/** Batch begin or end. */
struct bracket {
	struct nlmsghdr nlh;
	struct nfgenmsg nfg;
};

static struct bracket
make_bracket(uint16_t type, uint32_t seq)
{
	return (struct bracket){
		.nlh = { .nlmsg_len = sizeof(struct bracket),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = seq },
		.nfg = { .nfgen_family = AF_UNSPEC,
			.version = NFNETLINK_V0,
			.res_id = htons(NFNL_SUBSYS_NFTABLES) },
	};
}

static int
send_batch(struct commit *c)
{
	struct bracket begin = make_bracket(NFNL_MSG_BATCH_BEGIN, c->seq);
	struct bracket end = make_bracket(
		NFNL_MSG_BATCH_END, c->seq + 1 + (uint32_t)c->batch->n_msgs);
	struct iovec iov[] = {
		{ &begin, sizeof(begin) },
		{ c->batch->data, c->batch->len },
		{ &end, sizeof(end) },
	};

	/* Without its end the kernel checks a batch and then takes it back. */
	return nft_send(c->nft, iov, c->how->mode == NFT_MODE_CHECK ? 2 : 3);
}

static void
conclude(struct commit *c, int receive_code)
{
	struct nft_result *ret = c->ret;

	if (ret->n_errors > 0 || ret->omitted > 0) {
		ret->outcome = NFT_OUTCOME_REFUSED;
		ret->code = ret->n_errors ? ret->errors[0].code : -ENOMEM;
		ret->omitted += c->is_overrun;
	} else if (c->is_answered) {
		ret->outcome = NFT_OUTCOME_DONE;
		ret->code = 0;
	} else {
		ret->outcome = NFT_OUTCOME_UNKNOWN;
		ret->code = receive_code ? receive_code : -ENOBUFS;
	}
}

static bool
is_temporary(int code)
{
	return code == -EAGAIN || code == -EINTR || code == -ERESTART;
}

/* True when another attempt may go better: the kernel did not begin, or gave up the
 * batch as a whole for something that passes. */
static bool
commit_once(struct commit *c)
{
	int code;

	nft_result_done(c->ret);
	c->is_answered = false;
	c->is_overrun = false;
	c->batch_code = 0;
	drop_stale(c->nft);
	stamp(c);
	code = send_batch(c);
	if (code) {
		c->ret->outcome = NFT_OUTCOME_NOT_ATTEMPTED;
		c->ret->code = code;
		return is_temporary(code) || code == -ENOBUFS;
	}
	conclude(c, collect(c));
	return c->ret->outcome == NFT_OUTCOME_REFUSED && is_temporary(c->batch_code);
}

int
nft_commit(struct nft *nft, struct nft_batch *batch, const struct nft_commit_how *how,
	struct nft_result *ret)
{
	struct commit c = { .nft = nft, .batch = batch, .how = how, .ret = ret };

	*ret = (struct nft_result){ .outcome = NFT_OUTCOME_NOT_ATTEMPTED };
	if (batch->status) {
		ret->code = batch->status;
		return ret->code;
	}
	if (batch->n_msgs == 0) {
		ret->outcome = NFT_OUTCOME_DONE;
		return 0;
	}
	for (int i = 0; i < COMMIT_ATTEMPTS && commit_once(&c); i++)
		continue;
	return ret->code;
}
