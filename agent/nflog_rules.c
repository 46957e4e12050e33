/*
 * nflog_rules.c - our own sampling rules: what is installed, and the difference to what
 * is wanted as one transaction.
 */
#include "agent/nflog_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/nflog_msg.h"
#include "common/log.h"
#include "common/nft.h"
#include "common/nft_dump.h"
#include "common/nft_expr.h"
#include "common/parse.h"

/* Ahead of all other chains, but tc comes first. */
enum { PRIORITY = INT32_MIN };

enum {
	ATTEMPTS = 4, /* to find out which ports the kernel refuses */
	CHAIN_SIZE = 24,
	HINTS = 4096, /* power of two */
};

#define CHAIN_PREFIX "port"

/* A rule that is, or should be, in the kernel. */
struct nflog_rule {
	struct source_port port;
	bool installed;   /* as far as we know */
	bool stale;       /* installed, but other than .port says */
	int error;        /* the kernel's refusal; 0 = none */
	int told;         /* the last refusal that was logged */
	bool seen;        /* in the dump that runs */
	uint64_t base;    /* packets counted by earlier rules of this port */
	uint64_t counter; /* of this rule, as last read */
	uint64_t since;   /* packets that the samples since then stand for */
	uint64_t pool;    /* last told */
};

struct nflog_rules {
	struct nft *nft;         /* owned */
	struct nft_batch *batch; /* owned; reused */
	uint16_t group;
	struct nflog_rule *rules; /* sorted by ifindex; owned */
	size_t n;
	uint32_t *gone; /* ifindexes of chains to be removed; owned */
	size_t n_gone;
	bool out_of_memory;    /* the batch is not complete */
	int commit_error;      /* of the last transaction, logged; 0 = none */
	uint16_t hints[HINTS]; /* by ifindex: where in .rules it probably is */
};

static const struct nft_table table = { NFPROTO_NETDEV, NFLOG_RULES_TABLE };

/* Messages of a batch are told apart by ifindex and purpose. */
enum purpose {
	PURPOSE_TABLE,
	PURPOSE_REMOVE,
	PURPOSE_ADD,
	PURPOSE_REPLACE,
};

static uint64_t
cookie(enum purpose purpose, uint32_t ifindex)
{
	return (uint64_t)purpose << 32 | ifindex;
}

static void
chain_name(uint32_t ifindex, char ret[CHAIN_SIZE])
{
	(void)snprintf(ret, CHAIN_SIZE, CHAIN_PREFIX "%u", ifindex);
}

static size_t
find_slot(const struct nflog_rules *r, uint32_t ifindex)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (r->rules[mid].port.ifindex < ifindex)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct nflog_rule *
find_rule(struct nflog_rules *r, uint32_t ifindex)
{
	uint16_t *hint = &r->hints[ifindex % HINTS];
	size_t at;

	if (*hint < r->n && r->rules[*hint].port.ifindex == ifindex)
		return &r->rules[*hint];
	at = find_slot(r, ifindex);
	if (at == r->n || r->rules[at].port.ifindex != ifindex)
		return NULL;
	*hint = (uint16_t)at;
	return &r->rules[at];
}

/* Building the transaction. */

static void
put_chain(struct nflog_rules *r, const struct source_port *port)
{
	char name[CHAIN_SIZE];
	const char *device = port->name;
	const struct nft_base_chain chain = {
		.name = name,
		.type = "filter",
		.hook = NF_NETDEV_INGRESS,
		.priority = PRIORITY,
		.devices = &device,
		.n_devices = 1,
	};

	chain_name(port->ifindex, name);
	nft_batch_add_base_chain(
		r->batch, &table, &chain, cookie(PURPOSE_ADD, port->ifindex));
}

/* The payload begins behind the Ethernet header, which comes anyway. */
static uint32_t
snap_len(const struct source_port *port)
{
	const uint32_t ether_len = 14;

	return port->header_bytes > ether_len ? port->header_bytes - ether_len : 1;
}

/* The one rule of a chain, whatever was in it. */
static void
put_rule(struct nflog_rules *r, const struct source_port *port, enum purpose purpose)
{
	char name[CHAIN_SIZE], prefix[NFLOG_MSG_PREFIX_SIZE];
	const uint32_t zero = 0;
	const struct nft_log log = {
		.prefix = prefix,
		.to_group = true,
		.group = r->group,
		.snaplen = snap_len(port),
	};
	const struct nft_rule_at at = { .chain = name, .where = NFT_WHERE_APPEND };
	struct nft_rule *rule = nft_rule_new();

	if (!rule) {
		r->out_of_memory = true;
		return;
	}
	chain_name(port->ifindex, name);
	(void)snprintf(prefix, sizeof(prefix), NFLOG_MSG_PREFIX "%u", port->rate);
	nft_rule_counter(rule, 0, 0);
	if (port->rate > 1) {
		nft_rule_load_numgen(rule, NFT_NG_RANDOM, port->rate);
		nft_rule_cmp(rule, NFT_CMP_EQ, &zero, sizeof(zero));
	}
	nft_rule_log(rule, &log);
	nft_batch_flush_chain(r->batch, &table, name, cookie(purpose, port->ifindex));
	nft_batch_add_rule(r->batch, &table, &at, rule, cookie(purpose, port->ifindex));
	nft_rule_free(rule);
}

static void
put_removal(struct nflog_rules *r, uint32_t ifindex)
{
	char name[CHAIN_SIZE];

	chain_name(ifindex, name);
	nft_batch_delete_chain(r->batch, &table, name, cookie(PURPOSE_REMOVE, ifindex));
}

/* All that differs. Ports with an error are left out: they were refused. */
static void
build(struct nflog_rules *r)
{
	nft_batch_reset(r->batch);
	r->out_of_memory = false;
	/* Somebody may have flushed the whole ruleset. */
	nft_batch_add_table(r->batch, &table, cookie(PURPOSE_TABLE, 0));
	for (size_t i = 0; i < r->n_gone; i++)
		put_removal(r, r->gone[i]);
	for (size_t i = 0; i < r->n; i++) {
		const struct nflog_rule *rule = &r->rules[i];

		if (rule->error)
			continue;
		if (!rule->installed) {
			put_chain(r, &rule->port);
			put_rule(r, &rule->port, PURPOSE_ADD);
		} else if (rule->stale) {
			put_rule(r, &rule->port, PURPOSE_REPLACE);
		}
	}
}

/* What the kernel's refusals say of our idea of what is there. */

static void
forget_gone(struct nflog_rules *r, uint32_t ifindex)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_gone; i++) {
		if (r->gone[i] != ifindex)
			r->gone[kept++] = r->gone[i];
	}
	r->n_gone = kept;
}

static void
learn(struct nflog_rules *r, const struct nft_error *e)
{
	uint32_t ifindex = (uint32_t)e->cookie;
	struct nflog_rule *rule = find_rule(r, ifindex);

	switch ((enum purpose)(e->cookie >> 32)) {
	case PURPOSE_TABLE:
		return;
	case PURPOSE_REMOVE:
		/* It went with its device. */
		forget_gone(r, ifindex);
		return;
	case PURPOSE_REPLACE:
		if (rule)
			rule->installed = rule->stale = false;
		return;
	case PURPOSE_ADD:
		break;
	}
	if (!rule || rule->error)
		return;
	rule->error = e->code;
	/* A port that just vanished: its event is on the way. */
	if (e->code == -ENOENT || e->code == -ENODEV || e->code == rule->told)
		return;
	rule->told = e->code;
	log_about(LOG_LEVEL_WARNING, LOG_PORT, rule->port.name,
		"%s: is not sampled: nftables: %s", rule->port.name,
		e->text[0] ? e->text : strerror(-e->code));
}

static void
take_as_done(struct nflog_rules *r)
{
	r->n_gone = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct nflog_rule *rule = &r->rules[i];

		if (rule->error)
			continue;
		if (!rule->installed || rule->stale) {
			rule->base += rule->counter;
			rule->counter = 0;
		}
		rule->installed = true;
		rule->stale = false;
	}
}

/* The rule of @rule's port is not there any more, and its counter with it. */
static void
take_as_missing(struct nflog_rule *rule)
{
	rule->base += rule->counter;
	rule->counter = 0;
	rule->installed = rule->stale = false;
}

/* An empty table, or none if not @keep. */
static int
replace_table(struct nflog_rules *r, bool keep, struct err *err)
{
	const struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;
	int rc;

	nft_batch_reset(r->batch);
	nft_batch_delete_table(r->batch, &table, cookie(PURPOSE_TABLE, 0));
	if (keep)
		nft_batch_add_table(r->batch, &table, cookie(PURPOSE_TABLE, 0));
	rc = nft_commit(r->nft, r->batch, &how, &result);
	nft_result_done(&result);
	if (rc == -EOPNOTSUPP || rc == -EAFNOSUPPORT)
		return err_set(err, rc,
			"nflog: this kernel has no nftables for network devices");
	return rc < 0 ? err_sys(err, rc, "nflog: table %s", NFLOG_RULES_TABLE) : 0;
}

/* After an answer that got lost nobody knows what is there: begin anew. */
static int
begin_anew(struct nflog_rules *r)
{
	r->n_gone = 0;
	for (size_t i = 0; i < r->n; i++)
		take_as_missing(&r->rules[i]);
	return replace_table(r, true, NULL);
}

static int
try_commit(struct nflog_rules *r)
{
	const struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;
	int rc;

	build(r);
	if (r->out_of_memory)
		return -ENOMEM;
	rc = nft_commit(r->nft, r->batch, &how, &result);
	for (size_t i = 0; rc < 0 && i < result.n_errors; i++)
		learn(r, &result.errors[i]);
	if (result.outcome == NFT_OUTCOME_UNKNOWN)
		(void)begin_anew(r);
	else if (rc == 0)
		take_as_done(r);
	nft_result_done(&result);
	return rc;
}

/* Commit what differs; leave out, port by port, what the kernel refuses. */
static void
commit(struct nflog_rules *r)
{
	int rc = -EINVAL;

	for (int i = 0; i < ATTEMPTS && rc < 0; i++)
		rc = try_commit(r);
	if (rc < 0 && rc != r->commit_error)
		log_error(
			"nflog: sampling rules cannot be installed: %s", strerror(-rc));
	r->commit_error = rc;
}

/* The wanted list. */

static bool
same_rule(const struct source_port *a, const struct source_port *b)
{
	return a->rate == b->rate && snap_len(a) == snap_len(b);
}

/* Carry over what is known of @old to the rule that takes its place. */
static void
inherit(struct nflog_rule *rule, const struct nflog_rule *old)
{
	struct source_port port = rule->port;

	*rule = *old;
	rule->port = port;
	rule->error = 0;
	rule->stale = old->stale || !same_rule(&port, &old->port);
	/* A chain stays with the name of its device in new kernels, with the device in
	 * older ones: after a renaming it is made anew. */
	if (strcmp(port.name, old->port.name) != 0)
		rule->installed = false;
}

static bool
differs(const struct nflog_rules *r)
{
	if (r->n_gone > 0)
		return true;
	for (size_t i = 0; i < r->n; i++) {
		if (!r->rules[i].installed || r->rules[i].stale)
			return true;
	}
	return false;
}

/* Merge the list of rules with the wanted ports: both are sorted. False when out of
 * memory, then nothing is changed. */
static bool
take_ports(struct nflog_rules *r, const struct source_port *ports, size_t n)
{
	struct nflog_rule *rules = calloc(n + 1, sizeof(*rules));
	uint32_t *gone = calloc(r->n_gone + r->n + 1, sizeof(*gone));
	size_t old = 0, n_gone = r->n_gone;

	if (!rules || !gone) {
		free(rules);
		free(gone);
		return false;
	}
	if (n_gone > 0)
		memcpy(gone, r->gone, n_gone * sizeof(*gone));
	for (size_t i = 0; i <= n; i++) {
		uint32_t next = i < n ? ports[i].ifindex : UINT32_MAX;

		for (; old < r->n && r->rules[old].port.ifindex < next; old++) {
			if (r->rules[old].installed)
				gone[n_gone++] = r->rules[old].port.ifindex;
		}
		if (i == n)
			break;
		rules[i].port = ports[i];
		if (old == r->n || r->rules[old].port.ifindex != next)
			continue;
		inherit(&rules[i], &r->rules[old]);
		if (r->rules[old].installed && !rules[i].installed)
			gone[n_gone++] = next;
		old++;
	}
	free(r->rules);
	free(r->gone);
	r->rules = rules;
	r->n = n;
	r->gone = gone;
	r->n_gone = n_gone;
	return true;
}

static bool
any_stale(const struct nflog_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->rules[i].stale)
			return true;
	}
	return false;
}

static size_t
count_missing(const struct nflog_rules *r)
{
	size_t missing = 0;

	for (size_t i = 0; i < r->n; i++)
		missing += !r->rules[i].installed || r->rules[i].stale;
	return missing;
}

size_t
nflog_rules_set(struct nflog_rules *r, const struct source_port *ports, size_t n)
{
	if (!take_ports(r, ports, n)) {
		log_error("nflog: sampling rules: %s", strerror(ENOMEM));
		return n;
	}
	/* A rule that is replaced takes its counter with it. */
	if (any_stale(r))
		(void)nflog_rules_read(r);
	if (differs(r))
		commit(r);
	return count_missing(r);
}

/* Counters. */

static void
on_dump_begin(void *user_data)
{
	struct nflog_rules *r = user_data;

	for (size_t i = 0; i < r->n; i++)
		r->rules[i].seen = false;
}

static int
on_dumped_rule(const struct nft_rule_info *info, void *user_data)
{
	struct nflog_rules *r = user_data;
	const size_t skip = sizeof(CHAIN_PREFIX) - 1;
	struct nflog_rule *rule;
	uint64_t ifindex;

	if (strncmp(info->chain, CHAIN_PREFIX, skip) != 0 ||
		parse_u64(info->chain + skip, 1, UINT32_MAX, &ifindex) < 0)
		return 0;
	rule = find_rule(r, (uint32_t)ifindex);
	if (!rule || !info->has_counter)
		return 0;
	rule->seen = true;
	rule->counter = info->packets;
	rule->since = 0;
	return 0;
}

bool
nflog_rules_read(struct nflog_rules *r)
{
	const struct nft_reader reader = {
		.begin = on_dump_begin,
		.rule = on_dumped_rule,
		.user_data = r,
	};
	struct err err = { 0 };
	bool complete = true;

	if (nft_list_rules(r->nft, &table, NULL, &reader, &err) < 0) {
		log_debug("nflog", "counters of the rules: %s", err.text);
		return true;
	}
	for (size_t i = 0; i < r->n; i++) {
		struct nflog_rule *rule = &r->rules[i];

		if (!rule->installed || rule->seen)
			continue;
		take_as_missing(rule);
		complete = false;
	}
	return complete;
}

size_t
nflog_rules_count(const struct nflog_rules *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->rules[i].installed;
	return n;
}

bool
nflog_rules_pool(
	struct nflog_rules *r, uint32_t ifindex, uint32_t rate, uint32_t *ret_pool)
{
	struct nflog_rule *rule = find_rule(r, ifindex);
	uint64_t pool;

	if (!rule)
		return false;
	rule->since += rate;
	pool = rule->base + rule->counter + rule->since;
	/* An estimate that was too high waits for the counter. */
	if (pool > rule->pool)
		rule->pool = pool;
	*ret_pool = (uint32_t)rule->pool;
	return true;
}

struct nflog_rules *
nflog_rules_open(uint16_t group, struct err *err)
{
	struct nflog_rules *r = calloc(1, sizeof(*r));

	if (!r) {
		(void)err_sys(err, -ENOMEM, "nflog");
		return NULL;
	}
	r->group = group;
	r->nft = nft_open(err);
	r->batch = r->nft ? nft_batch_new() : NULL;
	if (r->nft && !r->batch)
		(void)err_sys(err, -ENOMEM, "nflog");
	if (r->batch && replace_table(r, true, err) == 0)
		return r;
	nft_batch_free(r->batch);
	nft_close(r->nft);
	free(r);
	return NULL;
}

void
nflog_rules_close(struct nflog_rules *r)
{
	struct err err = { 0 };

	if (!r)
		return;
	if (replace_table(r, false, &err) < 0)
		log_warning("%s", err.text);
	nft_batch_free(r->batch);
	nft_close(r->nft);
	free(r->rules);
	free(r->gone);
	free(r);
}
