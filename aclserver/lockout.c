/*
 * lockout.c - see lockout.h.
 *
 * A packet of which some fields are known runs through the kernel rules of the text; a
 * rule that tests a field which is not known takes part in nothing.
 */
#include "aclserver/lockout.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>

#include "aclserver/rule.h"
#include "aclserver/ruleset.h"
#include "common/arena.h"

enum {
	MEMORY_MAX = 8 << 20,  /* for the compiled text */
	CLIENT_PORT = 40000,   /* one that kernels pick */
	FRONT_PORT = 50000,    /* the same, at the HTTP server, for the front */
	FLAGS_FIRST = 0x02,    /* SYN */
	FLAGS_REPLY = 0x12,    /* SYN and ACK */
	STATE_ESTABLISHED = 2, /* as match_state.c has them */
	STATE_NEW = 8,
};

/* One packet at one hook. */
struct packet {
	const char *in; /* interface; NULL = not known */
	const char *out;
	bool known[FIELD_COUNT]; /* these fields have a value */
	uint8_t value[FIELD_COUNT][FIELD_SIZE_MAX];
};

static void
set_number(struct packet *p, enum field field, uint64_t value)
{
	rule_put_number(field, value, p->value[field]);
	p->known[field] = true;
}

/* Addresses of a client on this machine. */
static void
set_loopback(struct packet *p, bool ip6)
{
	static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;

	p->in = p->out = "lo";
	if (ip6) {
		memcpy(p->value[FIELD_IP6_SADDR], &loopback6, sizeof(loopback6));
		memcpy(p->value[FIELD_IP6_DADDR], &loopback6, sizeof(loopback6));
		p->known[FIELD_IP6_SADDR] = true;
		p->known[FIELD_IP6_DADDR] = true;
	} else {
		set_number(p, FIELD_IP_SADDR, INADDR_LOOPBACK);
		set_number(p, FIELD_IP_DADDR, INADDR_LOOPBACK);
	}
	set_number(p, FIELD_FIB_SADDR_TYPE, RTN_LOCAL);
	set_number(p, FIELD_FIB_DADDR_TYPE, RTN_LOCAL);
}

static bool
is_ip6(const struct listen_addr *listen)
{
	return listen->addr.family == AF_INET6;
}

static struct packet
make_packet(const struct listen_addr *listen, bool remote, bool is_reply)
{
	struct packet p = { .in = NULL };

	if (!remote)
		set_loopback(&p, is_ip6(listen));
	set_number(&p, FIELD_L3PROTO, is_ip6(listen) ? ETH_P_IPV6 : ETH_P_IP);
	set_number(&p, FIELD_L4PROTO, IPPROTO_TCP);
	if (!is_ip6(listen))
		set_number(&p, FIELD_IP_FRAGOFF, 0);
	set_number(&p, FIELD_TH_SPORT, is_reply ? listen->port : CLIENT_PORT);
	set_number(&p, FIELD_TH_DPORT, is_reply ? CLIENT_PORT : listen->port);
	set_number(&p, FIELD_TCP_FLAGS, is_reply ? FLAGS_REPLY : FLAGS_FIRST);
	set_number(&p, FIELD_CT_STATE, is_reply ? STATE_ESTABLISHED : STATE_NEW);
	return p;
}

/* ---- rules ---- */

static bool
name_matches(const struct ruleset_test *test, const char *name)
{
	bool equal = test->prefix
			     ? strncmp(name, test->ifname, strlen(test->ifname)) == 0
			     : strcmp(name, test->ifname) == 0;

	return equal != test->negate;
}

static bool
value_matches(const struct ruleset_test *test, const uint8_t *value)
{
	const size_t size = field_info(test->field)->size;
	uint8_t masked[FIELD_SIZE_MAX];
	bool found = false;

	for (size_t i = 0; i < size; i++)
		masked[i] = test->has_mask ? value[i] & test->mask[i] : value[i];
	for (size_t i = 0; i < test->n_ranges && !found; i++)
		found = memcmp(masked, test->ranges[i].lo, size) >= 0 &&
			memcmp(masked, test->ranges[i].hi, size) <= 0;
	return found != test->negate;
}

/* True if it is certain that the packet passes the test. */
static bool
passes(const struct ruleset_test *test, const struct packet *p)
{
	const char *name = test->field == FIELD_IIFNAME ? p->in : p->out;

	if (test->ifname)
		return name && name_matches(test, name);
	return p->known[test->field] && value_matches(test, p->value[test->field]);
}

enum fate {
	FATE_OPEN, /* the next rule decides */
	FATE_ACCEPTED,
	FATE_DROPPED,
};

static enum fate
ask_rule(const struct ruleset_rule *rule, const struct packet *p)
{
	for (size_t i = 0; i < rule->n_terms; i++) {
		const struct ruleset_term *term = &rule->terms[i];

		switch (term->kind) {
		case TERM_TEST:
			if (!passes(&term->test, p))
				return FATE_OPEN;
			break;
		case TERM_LIMIT: /* of some packets only */
			return FATE_OPEN;
		case TERM_VERDICT:
			return term->verdict == RULESET_VERDICT_DROP ? FATE_DROPPED
								     : FATE_ACCEPTED;
		default:
			break;
		}
	}
	return FATE_OPEN;
}

/* Line of the rule at @place that drops the packet, or 0. */
static int
ask_place(const struct ruleset_file *file, enum place place, const struct packet *p)
{
	const struct ruleset_rule *rules = &file->rules[file->first[place]];

	for (size_t i = 0; i < file->count[place]; i++) {
		enum fate fate = ask_rule(&rules[i], p);

		if (fate == FATE_DROPPED)
			return rules[i].line;
		if (fate == FATE_ACCEPTED)
			return 0;
	}
	return 0;
}

/* ---- hooks ---- */

/* True if the packet comes by this hook. On the loopback every one does by all four;
 * what remote clients send comes in, and the reply goes out. */
static bool
comes_by(uint8_t hook, bool remote, bool is_reply)
{
	switch (hook) {
	case NF_INET_PRE_ROUTING:
	case NF_INET_LOCAL_IN:
		return !remote || !is_reply;
	case NF_INET_LOCAL_OUT:
	case NF_INET_POST_ROUTING:
		return !remote || is_reply;
	default:
		return false;
	}
}

static int
ask_file(const struct ruleset_file *file, const struct listen_addr *listen, bool remote,
	bool is_reply)
{
	const struct packet p = make_packet(listen, remote, is_reply);
	int line = 0;

	for (enum base base = 0; base < BASE_COUNT && line == 0; base++) {
		const struct base_info *info = base_info(base);

		if (info->family == NFPROTO_INET &&
			comes_by(info->hook, remote, is_reply))
			line = ask_place(file, place_make(base, PLACE_GROUP_IP), &p);
	}
	return line;
}

static int
ask_listen(const struct ruleset_file *file, const struct listen_addr *listen)
{
	const int remotes = listen_addr_is_loopback(listen) ? 0 : 1;
	int line = 0;

	for (int remote = 0; remote <= remotes; remote++)
		for (int is_reply = 0; is_reply <= 1 && line == 0; is_reply++)
			line = ask_file(file, listen, remote, is_reply);
	return line;
}

/* What the front passes on comes by the loopback, whatever it listens on itself. */
static int
ask_front(const struct ruleset_file *file, const struct listen_list *listens)
{
	static const struct listen_addr inside = {
		.addr = { .family = AF_INET, .bytes = { 127, 0, 0, 1 } },
		.port = FRONT_PORT,
	};

	for (unsigned i = 0; i < listens->n; i++)
		if (!listen_addr_is_direct(&listens->items[i]))
			return ask_listen(file, &inside);
	return 0;
}

static int
ask_all(const struct ruleset_file *file, const struct listen_list *listens)
{
	int line = 0;

	for (unsigned i = 0; i < listens->n && line == 0; i++)
		line = ask_listen(file, &listens->items[i]);
	return line ? line : ask_front(file, listens);
}

/* Most ACLs concern what is forwarded: they need not be compiled to know that they are
 * harmless. */
static bool
names_own_chain(const char *text, size_t len)
{
	static const char *const words[] = { "INPUT", "OUTPUT", "ROUTING" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(text, len, words[i], strlen(words[i])))
			return true;
	return false;
}

int
lockout_find(const char *text, size_t len, const struct listen_list *listens)
{
	struct ruleset_file file;
	struct arena *arena;
	struct diags diags;
	int line = 0;

	if (!names_own_chain(text, len))
		return 0;
	arena = arena_new(MEMORY_MAX);
	if (!arena)
		return 0;
	diags_init(&diags);
	if (policy_compile("", text, len, NULL, 0, arena, &file, &diags) == 0)
		line = ask_all(&file, listens);
	diags_done(&diags);
	arena_free(arena);
	return line;
}
