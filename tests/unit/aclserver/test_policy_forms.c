/*
 * test_policy_forms.c - the forms of rules that occur in public policy files, and what
 * becomes of each: section, rule as written, simple rules.
 */
#include "aclserver/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_dump.h"

struct form {
	const char *written;
	const char *simple; /* one per line, words separated by '|' */
};

static const struct form iptables[] = {
	{ "-A INPUT,FORWARD --in-interface swp+ -s 240.0.0.0/5,127.0.0.0/8 -j DROP",
		"-A|INPUT|-i|swp+|-s|240.0.0.0/5|-j|DROP\n"
		"-A|INPUT|-i|swp+|-s|127.0.0.0/8|-j|DROP\n"
		"-A|FORWARD|-i|swp+|-s|240.0.0.0/5|-j|DROP\n"
		"-A|FORWARD|-i|swp+|-s|127.0.0.0/8|-j|DROP\n" },
	{ "-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p tcp --dport bgp -j "
	  "SETCLASS "
	  "--class 7",
		"-A|INPUT|-i|swp+|-p|tcp|--dport|bgp|-j|SETCLASS|--class|7\n"
		"-A|FORWARD|-i|swp+|-p|tcp|--dport|bgp|-j|SETCLASS|--class|7\n" },
	{ "-A $INGRESS_CHAIN -p udp --dport bootps:bootpc -j POLICE --set-mode pkt "
	  "--set-rate 100 --set-burst 100",
		"-A|INPUT|-p|udp|--dport|bootps:bootpc|-j|POLICE|--set-mode|pkt|--set-"
		"rate|100|--set-burst|100\n"
		"-A|FORWARD|-p|udp|--dport|bootps:bootpc|-j|POLICE|--set-mode|pkt|--"
		"set-rate|100|--set-burst|100\n" },
	{ "-A INPUT -i swp+ -m addrtype --dst-type LOCAL -j POLICE --set-mode pkt "
	  "--set-rate 1000 --set-burst 1000 --set-class 0",
		"-A|INPUT|-i|swp+|-m|addrtype|--dst-type|LOCAL|-j|POLICE|--set-mode|"
		"pkt|--set-rate|1000|--set-burst|1000|--set-class|0\n" },
	{ "-A INPUT -i swp+ -m addrtype --dst-type IPROUTER -j POLICE --set-mode pkt "
	  "--set-rate 400 --set-burst 100 --set-class 0",
		"-A|INPUT|-i|swp+|-m|addrtype|--dst-type|IPROUTER|-j|POLICE|--set-mode|"
		"pkt|--set-rate|400|--set-burst|100|--set-class|0\n" },
	{ "-A INPUT -i mgmt -s 10.0.14.2/32 -p tcp --dport ssh -j ACCEPT",
		"-A|INPUT|-i|mgmt|-s|10.0.14.2/32|-p|tcp|--dport|ssh|-j|ACCEPT\n" },
	{ "-A FORWARD -i swp1s0,swp1s1 -o swp1s2,swp1s3 -p icmp -j ACCEPT   # four "
	  "rules",
		"-A|FORWARD|-i|swp1s0|-o|swp1s2|-p|icmp|-j|ACCEPT\n"
		"-A|FORWARD|-i|swp1s0|-o|swp1s3|-p|icmp|-j|ACCEPT\n"
		"-A|FORWARD|-i|swp1s1|-o|swp1s2|-p|icmp|-j|ACCEPT\n"
		"-A|FORWARD|-i|swp1s1|-o|swp1s3|-p|icmp|-j|ACCEPT\n" },
	{ "-A FORWARD -i swp+ -p tcp -m multiport --dports 1050:1051,1055:1056 -j "
	  "ACCEPT",
		"-A|FORWARD|-i|swp+|-p|tcp|-m|multiport|--dports|1050:1051,1055:1056|-"
		"j|ACCEPT\n" },
	{ "-A FORWARD -i swp1 -p tcp --tcp-flags SYN,RST,ACK,FIN SYN -j DROP",
		"-A|FORWARD|-i|swp1|-p|tcp|--tcp-flags|SYN,RST,ACK,FIN|SYN|-j|DROP\n" },
	{ "-A FORWARD -i swp31 -m mark --mark 102 -m dscp --dscp-class CS1 -j SETCLASS "
	  "--class 2",
		"-A|FORWARD|-i|swp31|-m|mark|--mark|102|-m|dscp|--dscp-class|CS1|-j|"
		"SETCLASS|--class|2\n" },
	{ "-A OUTPUT,FORWARD -o swp+ -p tcp --sport 123 --dport 123 -j DROP",
		"-A|OUTPUT|-o|swp+|-p|tcp|--sport|123|--dport|123|-j|DROP\n"
		"-A|FORWARD|-o|swp+|-p|tcp|--sport|123|--dport|123|-j|DROP\n" },
	{ "-t mangle -A PREROUTING -i swp1 -p tcp -m ecn --ecn-tcp-ece -j ACCEPT",
		"-t|mangle|-A|PREROUTING|-i|swp1|-p|tcp|-m|ecn|--ecn-tcp-ece|-j|"
		"ACCEPT\n" },
	{ "-t mangle -A PREROUTING -i swp+ -p tcp -m multiport --sports 10000:20000 "
	  "-m multiport --dports 10000:20000 -j SETQOS --set-dscp 34",
		"-t|mangle|-A|PREROUTING|-i|swp+|-p|tcp|-m|multiport|--sports|10000:"
		"20000|-m|multiport|--dports|10000:20000|-j|SETQOS|--set-dscp|34\n" },
	{ "-t mangle -A PREROUTING -i swp1 -j POLICE --set-mode KB --set-rate 1000 "
	  "--set-burst 200",
		"-t|mangle|-A|PREROUTING|-i|swp1|-j|POLICE|--set-mode|KB|--set-rate|"
		"1000|--set-burst|200\n" },
	{ "-t mangle -A POSTROUTING -o swp1 -p tcp -m multiport --dports 200 -j DROP",
		"-t|mangle|-A|POSTROUTING|-o|swp1|-p|tcp|-m|multiport|--dports|200|-j|"
		"DROP\n" },
	{ "-t mangle -A FORWARD -i swp+ -p tcp --dport bgp -j SETQOS --set-dscp-class "
	  "ef "
	  "--set-cos 5",
		"-t|mangle|-A|FORWARD|-i|swp+|-p|tcp|--dport|bgp|-j|SETQOS|--set-dscp-"
		"class|ef|--set-cos|5\n" },
	{ "-A FORWARD -i swp4 -j SPAN --dport swp19",
		"-A|FORWARD|-i|swp4|-j|SPAN|--dport|swp19\n" },
	{ "-A FORWARD -i swp1 -j ERSPAN --src-ip 90.0.0.1 --dst-ip 20.0.2.2 --ttl 64",
		"-A|FORWARD|-i|swp1|-j|ERSPAN|--src-ip|90.0.0.1|--dst-ip|20.0.2.2|--"
		"ttl|64\n" },
	{ "-A INPUT -p tcp -m comment --comment rule_id:10,acl_name:EXAMPLE1 -j ACCEPT",
		"-A|INPUT|-p|tcp|-m|comment|--comment|rule_id:10,acl_name:EXAMPLE1|-j|"
		"ACCEPT\n" },
	{ "-A INPUT -p udp -m limit --limit 1/min -j LOG --log-prefix \"FW: \" "
	  "--log-level 3",
		"-A|INPUT|-p|udp|-m|limit|--limit|1/min|-j|LOG|--log-prefix|FW: "
		"|--log-level|3\n" },
	{ "-t nat -A POSTROUTING -s 10.0.0.0/24 -p tcp -j SNAT --to-source "
	  "172.30.58.0-172.30.58.80:1024-1200",
		"-t|nat|-A|POSTROUTING|-s|10.0.0.0/"
		"24|-p|tcp|-j|SNAT|--to-source|172.30.58.0-172.30.58.80:1024-1200\n" },
	{ "-t nat -A PREROUTING -d 172.30.58.80 -p tcp -j DNAT --to-destination "
	  "10.0.0.1:80 -i swp5",
		"-t|nat|-A|PREROUTING|-d|172.30.58.80|-p|tcp|-j|DNAT|--to-destination|"
		"10.0.0.1:80|-i|swp5\n" },
	{ "-A FORWARD,INPUT -i swp1 -o swp2 -p tcp -j ACCEPT",
		"-A|FORWARD|-i|swp1|-o|swp2|-p|tcp|-j|ACCEPT\n"
		"-A|INPUT|-i|swp1|-o|swp2|-p|tcp|-j|ACCEPT\n" },
	{ "-A INPUT -p tcp -m tcpmss ! --mss 536:65535 -j DROP",
		"-A|INPUT|-p|tcp|-m|tcpmss|!|--mss|536:65535|-j|DROP\n" },
};

static const struct form ip6tables[] = {
	{ "-A INPUT -i swp+ -p ipv6-icmp -m icmp6 --icmpv6-type router-solicitation "
	  "-j POLICE --set-mode pkt --set-rate 100 --set-burst 100 --set-class 2",
		"-A|INPUT|-i|swp+|-p|ipv6-icmp|-m|icmp6|--icmpv6-type|router-"
		"solicitation|-j|POLICE|--set-mode|pkt|--set-rate|100|--set-burst|100|-"
		"-set-class|2\n" },
	{ "-A FORWARD -o vlan100 -p icmp6 -j ACCEPT",
		"-A|FORWARD|-o|vlan100|-p|icmp6|-j|ACCEPT\n" },
	{ "-A $INGRESS_CHAIN -s ::/128,::1/128 -j DROP",
		"-A|INPUT|-s|::/128|-j|DROP\n"
		"-A|INPUT|-s|::1/128|-j|DROP\n"
		"-A|FORWARD|-s|::/128|-j|DROP\n"
		"-A|FORWARD|-s|::1/128|-j|DROP\n" },
};

static const struct form ebtables[] = {
	{ "-A INPUT -d BGA -i swp+ -j setclass --class 7",
		"-A|INPUT|-d|BGA|-i|swp+|-j|setclass|--class|7\n" },
	{ "-A INPUT -p ARP -j police --set-mode pkt --set-rate 400 --set-burst 100",
		"-A|INPUT|-p|ARP|-j|police|--set-mode|pkt|--set-rate|400|--set-burst|"
		"100\n" },
	{ "-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 102",
		"-A|FORWARD|-p|802_1Q|--vlan-id|100|-j|mark|--mark-set|102\n" },
	{ "-A FORWARD -p IPv4 --ip-proto udp --ip-dport 67 -j DROP",
		"-A|FORWARD|-p|IPv4|--ip-proto|udp|--ip-dport|67|-j|DROP\n" },
	{ "-A FORWARD -o swp5 -j setqos --set-cos 4",
		"-A|FORWARD|-o|swp5|-j|setqos|--set-cos|4\n" },
	{ "-A FORWARD -s 00:00:00:00:00:12 -d 08:9e:01:ce:e2:04 -j DROP",
		"-A|FORWARD|-s|00:00:00:00:00:12|-d|08:9e:01:ce:e2:04|-j|DROP\n" },
	{ "-A INPUT,FORWARD -i swp1,bond0 -p 0x888e -j ACCEPT",
		"-A|INPUT|-i|swp1|-p|0x888e|-j|ACCEPT\n"
		"-A|INPUT|-i|bond0|-p|0x888e|-j|ACCEPT\n"
		"-A|FORWARD|-i|swp1|-p|0x888e|-j|ACCEPT\n"
		"-A|FORWARD|-i|bond0|-p|0x888e|-j|ACCEPT\n" },
};

/* Simple rules without section and line. */
static char *
expand(const char *section, const char *written)
{
	struct arena *arena = arena_new(0);
	struct policy_rules rules, simple = { 0 };
	struct diags diags;
	char *text, *dump = NULL;
	size_t len;
	FILE *out;

	diags_init(&diags);
	assert_true(asprintf(&text,
			    "INGRESS_INTF = swp+\nINGRESS_CHAIN = INPUT, FORWARD\n"
			    "[%s]\n%s\n",
			    section, written) > 0);
	assert_int_equal(
		policy_parse("f", text, strlen(text), NULL, arena, &rules, &diags), 0);
	assert_int_equal(rules.n, 1);
	assert_int_equal(
		policy_expand("f", &rules.items[0], arena, &simple, &diags), 0);
	out = open_memstream(&dump, &len);
	for (size_t i = 0; i < simple.n; i++) {
		for (size_t k = 0; k < simple.items[i].n_tokens; k++)
			fprintf(out, "%s%s", k ? "|" : "",
				simple.items[i].tokens[k].text);
		fputc('\n', out);
	}
	fclose(out);
	free(text);
	diags_done(&diags);
	arena_free(arena);
	return dump;
}

static void
check(const char *section, const struct form *forms, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *simple = expand(section, forms[i].written);

		assert_string_equal(simple, forms[i].simple);
		free(simple);
	}
}

static void
iptables_forms_expand_as_expected(void **state)
{
	(void)state;
	check("iptables", iptables, sizeof(iptables) / sizeof(iptables[0]));
}

static void
ip6tables_forms_expand_as_expected(void **state)
{
	(void)state;
	check("ip6tables", ip6tables, sizeof(ip6tables) / sizeof(ip6tables[0]));
}

static void
ebtables_forms_expand_as_expected(void **state)
{
	(void)state;
	check("ebtables", ebtables, sizeof(ebtables) / sizeof(ebtables[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iptables_forms_expand_as_expected),
		cmocka_unit_test(ip6tables_forms_expand_as_expected),
		cmocka_unit_test(ebtables_forms_expand_as_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
