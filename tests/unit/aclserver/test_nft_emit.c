/*
 * Every field and term, emitted into a forward chain of a real kernel and read back by
 * the nft tool: its words, not ours, say what the rule means. The tests run in a
 * network namespace of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <stdlib.h>

#include "aclserver/nft_emit.h"
#include "common/nft_dump.h"
#include "tests/unit/nft_env.h"

#include <linux/netfilter_bridge.h>

enum { TERMS_MAX = 8, RANGES_MAX = 8, TESTS_MAX = 4 };

/* A rule under construction, with the memory of its parts. */
struct model {
	struct ruleset_rule rule;
	struct ruleset_term terms[TERMS_MAX];
	struct ruleset_range ranges[TESTS_MAX][RANGES_MAX];
	size_t n_tests;
};

struct fixture {
	struct nft *nft;
	struct nft_batch *batch;
	struct model model;
	struct err err;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->nft = nft_open(NULL);
	f->batch = nft_batch_new();
	f->model.rule.terms = f->model.terms;
	f->model.rule.text = "-A FORWARD";
	*state = f;
	return f->nft && f->batch ? 0 : -1;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	(void)nft_env_list("flush ruleset");
	nft_close(f->nft);
	nft_batch_free(f->batch);
	free(f);
	return 0;
}

static struct ruleset_term *
add_term(struct fixture *f, enum term_kind kind)
{
	struct ruleset_term *term = &f->model.terms[f->model.rule.n_terms++];

	assert_true(f->model.rule.n_terms <= TERMS_MAX);
	*term = (struct ruleset_term){ .kind = kind };
	return term;
}

/* A test of @field, without values yet. */
static struct ruleset_test *
add_test(struct fixture *f, enum field field)
{
	struct ruleset_test *test = &add_term(f, TERM_TEST)->test;

	test->field = field;
	test->ranges = f->model.ranges[f->model.n_tests++];
	assert_true(f->model.n_tests <= TESTS_MAX);
	return test;
}

/* @number as a value of @field: its last bytes, big endian. */
static void
put_number(enum field field, uint64_t number, uint8_t ret[FIELD_SIZE_MAX])
{
	uint8_t size = field_info(field)->size;

	for (size_t i = size; i-- > 0; number >>= 8)
		ret[i] = (uint8_t)number;
}

static void
add_range(struct ruleset_test *test, uint64_t lo, uint64_t hi)
{
	struct ruleset_range *range = &test->ranges[test->n_ranges++];

	assert_true(test->n_ranges <= RANGES_MAX);
	put_number(test->field, lo, range->lo);
	put_number(test->field, hi, range->hi);
}

/* "field == value". */
static struct ruleset_test *
add_equal(struct fixture *f, enum field field, uint64_t value)
{
	struct ruleset_test *test = add_test(f, field);

	add_range(test, value, value);
	return test;
}

static void
set_mask(struct ruleset_test *test, uint64_t mask)
{
	test->has_mask = true;
	put_number(test->field, mask, test->mask);
}

static void
add_bytes(struct ruleset_test *test, const void *lo, const void *hi)
{
	struct ruleset_range *range = &test->ranges[test->n_ranges++];

	memcpy(range->lo, lo, field_info(test->field)->size);
	memcpy(range->hi, hi, field_info(test->field)->size);
}

static void
add_ip4(struct fixture *f)
{
	add_equal(f, FIELD_L3PROTO, 0x0800);
}

static void
add_ip6(struct fixture *f)
{
	add_equal(f, FIELD_L3PROTO, 0x86dd);
}

static void
add_l4(struct fixture *f, uint8_t protocol)
{
	add_equal(f, FIELD_L4PROTO, protocol);
}

static int
emit_into(struct fixture *f, uint8_t family)
{
	struct nft_emit emit = {
		.batch = f->batch, .table = { family, "tg" }, .at = { .chain = "c" }
	};
	struct nft_base_chain chain = { .name = "c",
		.type = "filter",
		.hook = family == NFPROTO_BRIDGE ? NF_BR_FORWARD : NF_INET_FORWARD };

	nft_batch_reset(f->batch);
	nft_batch_add_table(f->batch, &emit.table, 1);
	nft_batch_add_base_chain(f->batch, &emit.table, &chain, 1);
	return nft_emit_rule(&emit, &f->model.rule, 2, &f->err);
}

/* Emit the rule, commit, and check the one rule that the tool then lists. */
static void
check_family(struct fixture *f, uint8_t family, const char *expected)
{
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;
	char command[256];
	const char *text = "";

	assert_int_equal(emit_into(f, family), 0);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	nft_result_done(&result);
	snprintf(command, sizeof(command),
		"nft -n list chain %s tg c | grep comment | sed 's/^\t*//; s/ comment "
		".*//' | tr -d '\\n'",
		family == NFPROTO_BRIDGE ? "bridge" : "inet");
	assert_int_equal(nft_env_run(command, &text), 0);
	assert_string_equal(text, expected);
	(void)nft_env_list("flush ruleset");
}

/* The same words in both families; then the model is new. */
static void
check(struct fixture *f, const char *expected)
{
	check_family(f, NFPROTO_INET, expected);
	check_family(f, NFPROTO_BRIDGE, expected);
	f->model.rule.n_terms = 0;
	f->model.n_tests = 0;
}

static void
check_only(struct fixture *f, uint8_t family, const char *expected)
{
	check_family(f, family, expected);
	f->model.rule.n_terms = 0;
	f->model.n_tests = 0;
}

static void
add_name(struct fixture *f, enum field field, const char *name, bool prefix)
{
	struct ruleset_test *test = &add_term(f, TERM_TEST)->test;

	*test = (struct ruleset_test){
		.field = field, .ifname = name, .prefix = prefix
	};
}

static void
interface_names_match_whole_or_by_prefix(void **state)
{
	struct fixture *f = *state;

	add_name(f, FIELD_IIFNAME, "swp1", false);
	check(f, "iifname \"swp1\"");
	add_name(f, FIELD_OIFNAME, "swp", true);
	check(f, "oifname \"swp*\"");
	add_name(f, FIELD_IIFNAME, "bond0", false);
	f->model.terms[0].test.negate = true;
	add_name(f, FIELD_OIFNAME, "swp", true);
	f->model.terms[1].test.negate = true;
	check(f, "iifname != \"bond0\" oifname != \"swp*\"");
	add_name(f, FIELD_IIFNAME, "", true);
	add_name(f, FIELD_OIFNAME, "fifteen_bytes_x", false);
	check(f, "oifname \"fifteen_bytes_x\"");
}

static void
network_and_transport_protocols_match(void **state)
{
	struct fixture *f = *state;

	add_ip4(f);
	check_only(f, NFPROTO_INET, "meta nfproto 2");
	add_ip6(f);
	f->model.terms[0].test.negate = true;
	check_only(f, NFPROTO_INET, "meta nfproto != 10");
	add_ip6(f);
	check_only(f, NFPROTO_BRIDGE, "meta protocol 0x86dd");
	add_equal(f, FIELD_L3PROTO, 0x0806);
	check_only(f, NFPROTO_BRIDGE, "meta protocol 0x0806");
	add_l4(f, 89);
	check(f, "meta l4proto 89");
	add_equal(f, FIELD_L4PROTO, 6)->negate = true;
	check(f, "meta l4proto != 6");
}

static void
ipv4_addresses_match_as_host_prefix_and_range(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_ip4(f);
	add_equal(f, FIELD_IP_SADDR, 0x0a000001);
	check(f, "ip saddr 10.0.0.1");
	add_ip4(f);
	add_equal(f, FIELD_IP_DADDR, 0x0a000001)->negate = true;
	check(f, "ip daddr != 10.0.0.1");
	add_ip4(f);
	add_range(add_test(f, FIELD_IP_SADDR), 0x0a000000, 0x0affffff);
	check(f, "ip saddr 10.0.0.0/8");
	add_ip4(f);
	test = add_test(f, FIELD_IP_SADDR);
	add_range(test, 0xc0a80140, 0xc0a8015f);
	test->negate = true;
	check(f, "ip saddr != 192.168.1.64/27");
	add_ip4(f);
	add_range(add_test(f, FIELD_IP_DADDR), 0x0a000001, 0x0a000009);
	check(f, "ip daddr 10.0.0.1-10.0.0.9");
	add_ip4(f);
	test = add_test(f, FIELD_IP_DADDR);
	add_range(test, 0xf0000000, 0xffffffff);
	add_range(add_test(f, FIELD_IP_SADDR), 0x0a000001, 0x0a000009);
	f->model.terms[2].test.negate = true;
	check(f, "ip daddr 240.0.0.0/4 ip saddr != 10.0.0.1-10.0.0.9");
}

static void
ipv4_header_fields_match(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_ip4(f);
	add_equal(f, FIELD_IP_DSCP, 46);
	check(f, "ip dscp 0x2e");
	add_ip4(f);
	add_range(add_test(f, FIELD_IP_DSCP), 1, 62);
	check(f, "ip dscp 0x01-0x3e");
	add_ip4(f);
	add_equal(f, FIELD_IP_TTL, 64)->negate = true;
	check(f, "ip ttl != 64");
	add_ip4(f);
	add_range(add_test(f, FIELD_IP_LENGTH), 100, 1500);
	check(f, "ip length 100-1500");
	add_ip4(f);
	test = add_equal(f, FIELD_IP_FRAGOFF, 0);
	set_mask(test, 0x1fff);
	test->negate = true;
	check(f, "ip frag-off & 8191 != 0");
}

static void
ipv6_fields_match(void **state)
{
	static const uint8_t lo[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	static const uint8_t hi[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t other[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 5 };
	struct fixture *f = *state;

	add_ip6(f);
	add_bytes(add_test(f, FIELD_IP6_SADDR), other, other);
	check(f, "ip6 saddr 2001:db8::5");
	add_ip6(f);
	add_bytes(add_test(f, FIELD_IP6_DADDR), lo, hi);
	check(f, "ip6 daddr 2001:db8::/64");
	add_ip6(f);
	add_bytes(add_test(f, FIELD_IP6_SADDR), lo, other);
	f->model.terms[1].test.negate = true;
	check(f, "ip6 saddr != 2001:db8::-2001:db8::5");
	add_ip6(f);
	add_equal(f, FIELD_IP6_DSCP, 10);
	check(f, "ip6 dscp 0x0a");
	add_ip6(f);
	add_equal(f, FIELD_IP6_DSCP, 63)->negate = true;
	check(f, "ip6 dscp != 0x3f");
	add_ip6(f);
	add_equal(f, FIELD_IP6_HOPLIMIT, 255);
	check(f, "ip6 hoplimit 255");
	add_ip6(f);
	add_equal(f, FIELD_IP6_LENGTH, 1000);
	check(f, "ip6 length 1000");
}

static void
transport_fields_match(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_l4(f, 6);
	add_equal(f, FIELD_TH_SPORT, 179);
	check(f, "tcp sport 179");
	add_l4(f, 17);
	add_range(add_test(f, FIELD_TH_DPORT), 67, 68);
	check(f, "udp dport 67-68");
	add_l4(f, 17);
	add_range(add_test(f, FIELD_TH_DPORT), 1024, 2047);
	f->model.terms[1].test.negate = true;
	check(f, "udp dport != 1024-2047");
	add_l4(f, 6);
	test = add_equal(f, FIELD_TCP_FLAGS, 0x02);
	set_mask(test, 0x17);
	check(f, "tcp flags 0x2 / 0x1,0x2,0x4,0x10");
	add_l4(f, 6);
	test = add_equal(f, FIELD_TCP_FLAGS, 0);
	set_mask(test, 0x3f);
	check(f, "tcp flags ! 0x1,0x2,0x4,0x8,0x10,0x20");
	add_ip4(f);
	add_l4(f, 1);
	add_equal(f, FIELD_ICMP_TYPE, 8);
	add_equal(f, FIELD_ICMP_CODE, 0);
	check(f, "icmp type 8 icmp code 0");
	add_ip6(f);
	add_l4(f, 58);
	add_equal(f, FIELD_ICMP6_TYPE, 133);
	add_equal(f, FIELD_ICMP6_CODE, 0);
	check(f, "icmpv6 type 133 icmpv6 code 0");
}

static void
link_layer_fields_match(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_equal(f, FIELD_ETHER_SADDR, 0x000000000012);
	add_equal(f, FIELD_ETHER_DADDR, 0x089e01cee204);
	check(f, "ether saddr 00:00:00:00:00:12 ether daddr 08:9e:01:ce:e2:04");
	test = add_equal(f, FIELD_ETHER_DADDR, 0x010000000000);
	set_mask(test, 0x010000000000);
	check(f, "ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00");
	add_equal(f, FIELD_ETHER_TYPE, 0x0806);
	check_only(f, NFPROTO_BRIDGE, "ether type 0x0806");
	add_equal(f, FIELD_ETHER_TYPE, 0x8100);
	add_equal(f, FIELD_VLAN_ID, 100);
	check_only(f, NFPROTO_BRIDGE, "vlan id 100");
	add_equal(f, FIELD_ETHER_TYPE, 0x8100);
	add_range(add_test(f, FIELD_VLAN_ID), 100, 4000);
	check_only(f, NFPROTO_BRIDGE, "vlan id 100-4000");
}

static void
mark_is_compared_as_a_number(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_equal(f, FIELD_MARK, 0x12345678);
	check(f, "meta mark 0x12345678");
	test = add_equal(f, FIELD_MARK, 0x66);
	set_mask(test, 0xff);
	test->negate = true;
	check(f, "meta mark & 0x000000ff != 0x00000066");
	add_range(add_test(f, FIELD_MARK), 0xfe, 0x101);
	check(f, "meta mark 0x000000fe-0x00000101");
	test = add_test(f, FIELD_MARK);
	add_range(test, 5, 5);
	add_range(test, 0x100, 0x100);
	check(f, "meta mark { 0x00000005, 0x00000100 }");
	test = add_test(f, FIELD_MARK);
	add_range(test, 5, 0x101);
	add_range(test, 0x10000, 0x10000);
	check(f, "meta mark { 0x00000005-0x00000101, 0x00010000 }");
}

static void
connection_state_and_address_types_match(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	test = add_equal(f, FIELD_CT_STATE, 0);
	set_mask(test, 0x06);
	test->negate = true;
	check_only(f, NFPROTO_INET, "ct state 0x2,0x4");
	test = add_equal(f, FIELD_CT_STATUS, 0);
	set_mask(test, 0x20);
	test->negate = true;
	check_only(f, NFPROTO_INET, "ct status 0x20");
	add_equal(f, FIELD_FIB_DADDR_TYPE, 2);
	check_only(f, NFPROTO_INET, "fib daddr type 2");
	test = add_test(f, FIELD_FIB_SADDR_TYPE);
	add_range(test, 1, 1);
	add_range(test, 3, 3);
	check_only(f, NFPROTO_INET, "fib saddr type { 1, 3 }");
}

static void
lists_become_anonymous_sets(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_l4(f, 6);
	test = add_test(f, FIELD_TH_DPORT);
	add_range(test, 22, 22);
	add_range(test, 80, 80);
	add_range(test, 443, 443);
	check(f, "tcp dport { 22, 80, 443 }");
	add_l4(f, 6);
	test = add_test(f, FIELD_TH_DPORT);
	add_range(test, 0, 1);
	add_range(test, 1050, 1051);
	add_range(test, 1055, 1055);
	add_range(test, 65000, 65535);
	test->negate = true;
	check(f, "tcp dport != { 0-1, 1050-1051, 1055, 65000-65535 }");
	add_ip4(f);
	test = add_test(f, FIELD_IP_SADDR);
	add_range(test, 0x7f000000, 0x7fffffff);
	add_range(test, 0xf0000000, 0xffffffff);
	check(f, "ip saddr { 127.0.0.0/8, 240.0.0.0/4 }");
	add_ip6(f);
	test = add_test(f, FIELD_IP6_DSCP);
	add_range(test, 1, 1);
	add_range(test, 63, 63);
	check(f, "ip6 dscp { 0x01, 0x3f }");
	add_ip4(f);
	test = add_test(f, FIELD_IP_DSCP);
	add_range(test, 0, 3);
	add_range(test, 60, 63);
	check(f, "ip dscp { 0x00-0x03, 0x3c-0x3f }");
	test = add_test(f, FIELD_L4PROTO);
	add_range(test, 6, 6);
	add_range(test, 17, 17);
	check(f, "meta l4proto { 6, 17 }");
}

static void
list_under_a_mask_is_looked_up_masked(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	test = add_test(f, FIELD_MARK);
	set_mask(test, 0xff);
	add_range(test, 1, 1);
	add_range(test, 7, 7);
	check(f, "meta mark & 0x000000ff == { 0x00000001, 0x00000007 }");
}

static void
statements_follow_the_tests_in_order(void **state)
{
	struct fixture *f = *state;

	add_term(f, TERM_LIMIT)->limit = (struct ruleset_limit){ 10, 60, 7 };
	add_term(f, TERM_COUNTER);
	add_term(f, TERM_LOG)->log =
		(struct ruleset_log){ .prefix = "FW: ", .level = 3 };
	add_term(f, TERM_VERDICT)->verdict = RULESET_VERDICT_DROP;
	check(f, "limit rate 10/minute burst 7 packets counter packets 0 bytes 0 log "
		 "prefix \"FW: \" level err drop");
	add_term(f, TERM_COUNTER);
	add_term(f, TERM_VERDICT)->verdict = RULESET_VERDICT_ACCEPT;
	check(f, "counter packets 0 bytes 0 accept");
	add_term(f, TERM_LIMIT)->limit = (struct ruleset_limit){ 1000000, 1, 100000 };
	add_term(f, TERM_LOG)->log = (struct ruleset_log){ .level = 6, .flags = 1 };
	check(f, "limit rate 1000000/second burst 100000 packets log level info flags "
		 "tcp sequence");
}

static void
dscp_is_set_beside_its_neighbours(void **state)
{
	struct fixture *f = *state;
	struct ruleset_term *term;

	add_ip4(f);
	term = add_term(f, TERM_SET_DSCP);
	term->dscp.field = FIELD_IP_DSCP;
	term->dscp.value = 34;
	check(f, "ip dscp set 0x22");
	add_ip6(f);
	term = add_term(f, TERM_SET_DSCP);
	term->dscp.field = FIELD_IP6_DSCP;
	term->dscp.value = 63;
	check(f, "ip6 dscp set 0x3f");
}

/* The tool's own program for the same statement writes the same bytes with the same
 * checksum: compared at the level of expressions, which the listing hides. */
static void
dscp_is_set_as_the_tool_does_it(void **state)
{
	struct fixture *f = *state;
	const char *text = "";

	assert_int_equal(
		nft_env_run("nft add table inet x; nft add chain inet x c; "
			    "nft --debug=netlink add rule inet x c ip dscp set "
			    "0x22 | grep -c 'csum_type 1 csum_off 10 csum_flags "
			    "0x0' | tr -d '\\n'",
			&text),
		0);
	assert_string_equal(text, "1");
	add_ip4(f);
	add_term(f, TERM_SET_DSCP)->dscp.field = FIELD_IP_DSCP;
	assert_int_equal(emit_into(f, NFPROTO_INET), 0);
	nft_commit(f->nft, f->batch,
		&(struct nft_commit_how){ .mode = NFT_MODE_COMMIT },
		&(struct nft_result){ 0 });
	assert_int_equal(
		nft_env_run("nft --debug=netlink list chain inet tg c | grep "
			    "-c 'payload write reg 1 => 2b @ network header + "
			    "0 csum_type 1 csum_off 10 csum_flags 0x0' | tr -d "
			    "'\\n'",
			&text),
		0);
	assert_string_equal(text, "1");
}

static void
counter_starts_where_it_is_told(void **state)
{
	struct fixture *f = *state;
	struct nft_emit emit = { .batch = f->batch,
		.table = { NFPROTO_INET, "tg" },
		.at = { .chain = "c" },
		.packets = 12,
		.bytes = 3456 };

	nft_batch_add_table(f->batch, &emit.table, 1);
	nft_batch_add_chain(f->batch, &emit.table, "c", (struct nft_blob){ 0 }, 1);
	add_term(f, TERM_COUNTER);
	assert_int_equal(nft_emit_rule(&emit, &f->model.rule, 2, &f->err), 0);
	nft_commit(f->nft, f->batch,
		&(struct nft_commit_how){ .mode = NFT_MODE_COMMIT },
		&(struct nft_result){ 0 });
	assert_non_null(strstr(nft_env_list("list chain inet tg c"),
		"counter packets 12 bytes 3456 comment \"-A FORWARD\""));
}

static int
read_tag(const struct nft_rule_info *rule, void *user_data)
{
	assert_true(nft_emit_read_tag(rule->udata, user_data));
	return 0;
}

static void
tag_comes_back_from_the_kernel(void **state)
{
	struct fixture *f = *state;
	struct nft_emit_tag tag;
	struct nft_reader reader = { .rule = read_tag, .user_data = &tag };
	struct nft_table table = { NFPROTO_INET, "tg" };

	f->model.rule.hash = (struct ruleset_hash){ { 0x0123456789abcdef, ~0ULL } };
	f->model.rule.line = 4711;
	f->model.rule.section = POLICY_SECTION_IP6TABLES;
	f->model.rule.text = "-A FORWARD -m comment --comment \"a b\" -j DROP";
	assert_int_equal(emit_into(f, NFPROTO_INET), 0);
	assert_int_equal(nft_commit(f->nft, f->batch,
				 &(struct nft_commit_how){ .mode = NFT_MODE_COMMIT },
				 &(struct nft_result){ 0 }),
		0);
	assert_non_null(strstr(nft_env_list("list chain inet tg c"),
		"comment \"-A FORWARD -m comment --comment 'a b' -j DROP\""));
	assert_int_equal(nft_list_rules(f->nft, &table, "c", &reader, NULL), 0);
	assert_true(tag.hash.w[0] == 0x0123456789abcdef && tag.hash.w[1] == ~0ULL);
	assert_int_equal(tag.line, 4711);
	assert_int_equal(tag.section, POLICY_SECTION_IP6TABLES);
	assert_string_equal(tag.text, f->model.rule.text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(interface_names_match_whole_or_by_prefix),
		CASE(network_and_transport_protocols_match),
		CASE(ipv4_addresses_match_as_host_prefix_and_range),
		CASE(ipv4_header_fields_match),
		CASE(ipv6_fields_match),
		CASE(transport_fields_match),
		CASE(link_layer_fields_match),
		CASE(mark_is_compared_as_a_number),
		CASE(connection_state_and_address_types_match),
		CASE(lists_become_anonymous_sets),
		CASE(list_under_a_mask_is_looked_up_masked),
		CASE(statements_follow_the_tests_in_order),
		CASE(dscp_is_set_beside_its_neighbours),
		CASE(dscp_is_set_as_the_tool_does_it),
		CASE(counter_starts_where_it_is_told),
		CASE(tag_comes_back_from_the_kernel),
	};

	if (!nft_env_enter())
		return NFT_ENV_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
