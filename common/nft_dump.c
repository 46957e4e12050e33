/*
 * nft_dump.c - reading objects back: one request, a stream of messages, one callback
 * per object.
 *
 * The kernel marks a dump that ran while a transaction was committed (NLM_F_DUMP_INTR):
 * it may have shown an object twice or not at all. Such a dump is read to its end, for
 * the socket cannot have two, and then started again.
 */
#include "common/nft_dump.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "common/nft_internal.h"

/** Hands one object message to the reader; 0, or what ends the dump. */
typedef int (*dump_item_fn)(
	const struct nlmsghdr *nlh, const struct nft_reader *reader);

/** One dump from the first attempt to the last. */
struct dump {
	struct nft *nft;
	struct nft_request request;
	uint16_t item_type; /* NFT_MSG_NEW* of the objects */
	dump_item_fn item;
	const char
		*table; /* objects of other tables are passed over; NULL = none are */
	const struct nft_reader *reader;
	/* of the attempt that runs: */
	uint32_t seq;
	bool interrupted;
	bool done;
	int result; /* of the first item that was not 0, or the kernel's error */
};

static void
on_item(struct dump *dump, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | dump->item_type))
		return;
	/* A disturbed or ended dump is only read to its end. */
	if (dump->interrupted || dump->result)
		return;
	dump->result = dump->item(nlh, dump->reader);
}

/* NLMSG_DONE carries the dump's own error, NLMSG_ERROR that of the request. */
static void
on_end(struct dump *dump, const struct nlmsghdr *nlh)
{
	struct nft_ack ack = { .code = 0 };

	dump->done = true;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		if (nft_decode_ack(nlh, &ack) < 0)
			ack.code = -EBADMSG;
	} else if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(int32_t)) {
		memcpy(&ack.code, mnl_nlmsg_get_payload(nlh), sizeof(int32_t));
	}
	if (!dump->result && ack.code < 0)
		dump->result = ack.code;
}

static void
on_datagram(struct dump *dump, size_t len)
{
	const struct nlmsghdr *nlh;
	size_t pos = 0;

	while (!dump->done && (nlh = nft_next_message(dump->nft->buf, len, &pos))) {
		if (nlh->nlmsg_seq != dump->seq || nlh->nlmsg_pid != dump->nft->port)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			dump->interrupted = true;
		if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
			on_end(dump, nlh);
		else
			on_item(dump, nlh);
	}
}

/* 0 when the dump was read to its end, else negative errno. */
static int
dump_once(struct dump *dump)
{
	int64_t seq = nft_send_request(dump->nft, &dump->request);
	ssize_t len;

	if (seq < 0)
		return (int)seq;
	dump->seq = (uint32_t)seq;
	dump->interrupted = false;
	dump->done = false;
	dump->result = 0;
	if (dump->reader->begin)
		dump->reader->begin(dump->reader->user_data);
	while (!dump->done) {
		len = nft_receive(dump->nft, true);
		if (len < 0)
			return (int)len;
		on_datagram(dump, (size_t)len);
	}
	return 0;
}

/* The reader's value, 0, or negative errno. */
static int
dump_run(struct dump *dump)
{
	int code;

	for (int i = 0; i < NFT_DUMP_ATTEMPTS; i++) {
		code = dump_once(dump);
		if (code < 0)
			return code;
		if (!dump->interrupted)
			return dump->result;
	}
	return -EINTR;
}

static const char *
family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_ARP:
		return "arp";
	default:
		return "?";
	}
}

static int
dump_error(struct err *err, int code, const struct nft_table *table, const char *what)
{
	if (code >= 0)
		return code;
	return err_sys(err, code, "cannot read the %s of nftables table %s %s", what,
		family_name(table->family), table->name);
}

int
nft_table_exists(struct nft *nft, const struct nft_table *table, struct err *err)
{
	static const struct nft_reader nothing;
	struct dump dump = {
		.nft = nft,
		.request = { .type = NFT_MSG_GETTABLE,
			.flags = NLM_F_ACK,
			.family = table->family,
			.attr_types = { NFTA_TABLE_NAME },
			.attrs = { table->name } },
		.item_type = NFT_MSG_MAX, /* the acknowledgement is the answer */
		.reader = &nothing,
	};
	int code = dump_run(&dump);

	if (code == -ENOENT)
		return 0;
	return code < 0 ? dump_error(err, code, table, "existence") : 1;
}

static int
chain_item(const struct nlmsghdr *nlh, const struct nft_reader *reader)
{
	struct nft_chain_info info;
	int code = nft_decode_chain(nlh, &info);

	return code ? code : reader->chain(&info, reader->user_data);
}

static int
rule_item(const struct nlmsghdr *nlh, const struct nft_reader *reader)
{
	struct nft_rule_info info;
	int code = nft_decode_rule(nlh, &info);

	return code ? code : reader->rule(&info, reader->user_data);
}

static int
set_item(const struct nlmsghdr *nlh, const struct nft_reader *reader)
{
	struct nft_set_info info;
	int code = nft_decode_set(nlh, &info);

	return code ? code : reader->set(&info, reader->user_data);
}

static int
elems_item(const struct nlmsghdr *nlh, const struct nft_reader *reader)
{
	return nft_decode_elems(nlh, reader->elem, reader->user_data);
}

/* Linux cannot filter chains by table: done here. */
struct chains_of_table {
	const char *table;
	const struct nft_reader *reader;
};

static void
chains_begin(void *user_data)
{
	const struct chains_of_table *filter = user_data;

	if (filter->reader->begin)
		filter->reader->begin(filter->reader->user_data);
}

static int
chains_filter(const struct nft_chain_info *chain, void *user_data)
{
	const struct chains_of_table *filter = user_data;

	if (strcmp(chain->table, filter->table) != 0)
		return 0;
	return filter->reader->chain(chain, filter->reader->user_data);
}

int
nft_list_chains(struct nft *nft, const struct nft_table *table,
	const struct nft_reader *reader, struct err *err)
{
	struct chains_of_table filter = { table->name, reader };
	struct nft_reader filtered = {
		.begin = chains_begin,
		.chain = chains_filter,
		.user_data = &filter,
	};
	struct dump dump = {
		.nft = nft,
		.request = { .type = NFT_MSG_GETCHAIN,
			.flags = NLM_F_DUMP,
			.family = table->family },
		.item_type = NFT_MSG_NEWCHAIN,
		.item = chain_item,
		.reader = &filtered,
	};

	return dump_error(err, dump_run(&dump), table, "chains");
}

int
nft_list_rules(struct nft *nft, const struct nft_table *table, const char *chain,
	const struct nft_reader *reader, struct err *err)
{
	struct dump dump = {
		.nft = nft,
		.request = { .type = NFT_MSG_GETRULE,
			.flags = NLM_F_DUMP,
			.family = table->family,
			.attr_types = { NFTA_RULE_TABLE, NFTA_RULE_CHAIN },
			.attrs = { table->name, chain } },
		.item_type = NFT_MSG_NEWRULE,
		.item = rule_item,
		.reader = reader,
	};

	return dump_error(err, dump_run(&dump), table, "rules");
}

int
nft_list_sets(struct nft *nft, const struct nft_table *table,
	const struct nft_reader *reader, struct err *err)
{
	struct dump dump = {
		.nft = nft,
		.request = { .type = NFT_MSG_GETSET,
			.flags = NLM_F_DUMP,
			.family = table->family,
			.attr_types = { NFTA_SET_TABLE },
			.attrs = { table->name } },
		.item_type = NFT_MSG_NEWSET,
		.item = set_item,
		.reader = reader,
	};
	int code = dump_run(&dump);

	if (code == -ENOENT)
		return 0;
	return dump_error(err, code, table, "sets");
}

int
nft_list_elems(struct nft *nft, const struct nft_table *table, const char *set,
	const struct nft_reader *reader, struct err *err)
{
	struct dump dump = {
		.nft = nft,
		.request = { .type = NFT_MSG_GETSETELEM,
			.flags = NLM_F_DUMP,
			.family = table->family,
			.attr_types = { NFTA_SET_ELEM_LIST_TABLE,
				NFTA_SET_ELEM_LIST_SET },
			.attrs = { table->name, set } },
		.item_type = NFT_MSG_NEWSETELEM,
		.item = elems_item,
		.reader = reader,
	};

	return dump_error(err, dump_run(&dump), table, "set elements");
}
