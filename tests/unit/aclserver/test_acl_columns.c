/*
 * test_acl_columns.c - rules as the columns of iptables -L.
 */
#include "aclserver/acl_columns.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aclserver/names.h"

static int
service(const char *name, const char *proto, uint16_t *ret_port)
{
	*ret_port = 179;
	return strcmp(name, "bgp") == 0 && strcmp(proto, "tcp") == 0 ? 0 : -ENOENT;
}

static int
protocol(const char *name, uint8_t *ret_proto)
{
	(void)name;
	(void)ret_proto;
	return -ENOENT;
}

static int
service_name(uint16_t port, const char *proto, char *ret_name, size_t size)
{
	if (port != 179 || strcmp(proto, "tcp") != 0)
		return -ENOENT;
	(void)snprintf(ret_name, size, "bgp");
	return 0;
}

static const struct names_source names = { service, protocol, service_name };

/* All columns of a rule, with '|' between them. */
static void
check(enum policy_section section, bool numeric, const char *text, const char *expected)
{
	struct arena *arena = arena_new(0);
	struct acl_columns c;
	char all[1024];

	names_set_source(&names);
	assert_int_equal(acl_columns_parse(section, text, numeric, arena, &c), 0);
	names_set_source(NULL);
	(void)snprintf(all, sizeof(all), "%s|%s|%s|%s|%s|%s|%s|%s", c.target, c.proto,
		c.opt, c.in, c.out, c.source, c.destination, c.extras);
	assert_string_equal(all, expected);
	arena_free(arena);
}

static void
a_rule_is_in_the_columns_of_iptables(void **state)
{
	static const char *const rows[][2] = {
		{ "-A FORWARD", "|all|--|any|any|anywhere|anywhere|" },
		{ "-A FORWARD -s 10.0.0.0/8 -d 10.0.0.1/32 -i swp+ -o swp1 -j DROP",
			"DROP|all|--|swp+|swp1|10.0.0.0/8|10.0.0.1|" },
		{ "-A FORWARD ! -s 10.0.0.1/32 ! -i swp1 ! -p tcp ! -f -j ACCEPT",
			"ACCEPT|!tcp|!f|!swp1|any|!10.0.0.1|anywhere|" },
		{ "-t mangle -A FORWARD -p udp -f -j DROP",
			"DROP|udp|-f|any|any|anywhere|anywhere|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(POLICY_SECTION_IPTABLES, false, rows[i][0], rows[i][1]);
	check(POLICY_SECTION_IPTABLES, true, "-A INPUT",
		"|all|--|*|*|0.0.0.0/0|0.0.0.0/0|");
	check(POLICY_SECTION_IP6TABLES, true, "-A INPUT -s 2001:db8::1/128 -j DROP",
		"DROP|all||*|*|2001:db8::1|::/0|");
}

/* What stands behind the columns. */
static void
matches_and_targets_have_the_words_of_iptables(void **state)
{
	static const char *const rows[][2] = {
		{ "-p tcp -m tcp --dport bgp", "tcp dpt:bgp" },
		{ "-p tcp -m tcp --dport 179", "tcp dpt:bgp" },
		{ "-p tcp -m tcp --sport 1:179 ! --dport 5", "tcp spts:1:bgp dpt:!5" },
		{ "-p udp -m udp --dport 179", "udp dpt:179" },
		{ "-p tcp -m tcp --tcp-flags SYN,ACK SYN", "tcp flags:SYN,ACK/SYN" },
		{ "-p tcp -m tcp ! --syn", "tcp flags:!FIN,SYN,RST,ACK/SYN" },
		{ "-p tcp -m multiport ! --dports 1,2:3", "multiport dports !1,2:3" },
		{ "-p icmp -m icmp --icmp-type echo-request", "icmptype echo-request" },
		{ "-m ttl ! --ttl-eq 1", "TTL match TTL != 1" },
		{ "-m dscp --dscp 0x2e", "DSCP match 0x2e" },
		{ "-m mark --mark 0x66", "mark match 0x66" },
		{ "-m limit --limit 1/min --limit-burst 5",
			"limit: avg 1/min burst 5" },
		{ "-m conntrack ! --ctstate NEW", "! ctstate NEW" },
		{ "-m addrtype --dst-type LOCAL", "ADDRTYPE match dst-type LOCAL" },
		{ "-m comment --comment \"a #1\"", "/* a #1 */" },
		{ "-m recent --update --seconds 60 --name h",
			"recent update seconds:60 name:h" },
		{ "-m physdev ! --physdev-in swp1", "physdev !in:swp1" },
		{ "-j LOG --log-prefix \"FW: \" --log-level 3",
			"LOG prefix \"FW: \" level 3" },
		{ "-j POLICE --set-mode pkt --set-rate 2 --set-burst 3 --set-class 7",
			"POLICE  mode:pkt rate:2 burst:3 class:7" },
		{ "-j SETCLASS --class 7", "SETCLASS class:7" },
		{ "-j SPAN --dport swp19", "SPAN dport:swp19" },
		{ "-j ERSPAN --src-ip 1.1.1.1 --dst-ip 2.2.2.2",
			"ERSPAN src-ip:1.1.1.1 dst-ip:2.2.2.2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256], expected[256];
		const char *target = strstr(rows[i][0], "-j ");
		const char *proto = strstr(rows[i][0], "-p ");

		target = target ? target + 3 : "";
		proto = proto ? proto + 3 : "all";
		(void)snprintf(text, sizeof(text), "-A FORWARD %s", rows[i][0]);
		(void)snprintf(expected, sizeof(expected),
			"%.*s|%.*s|--|any|any|anywhere|anywhere|%s",
			(int)strcspn(target, " "), target, (int)strcspn(proto, " "),
			proto, rows[i][1]);
		check(POLICY_SECTION_IPTABLES, false, text, expected);
	}
}

static void
ports_are_numbers_when_asked_for(void **state)
{
	(void)state;
	check(POLICY_SECTION_IPTABLES, true, "-A INPUT -p tcp -m tcp --dport bgp:200",
		"|tcp|--|*|*|0.0.0.0/0|0.0.0.0/0|tcp dpts:179:200");
	check(POLICY_SECTION_IPTABLES, true, "-A INPUT -p tcp -m tcp --dport nosuch",
		"|tcp|--|*|*|0.0.0.0/0|0.0.0.0/0|tcp dpt:nosuch");
}

static void
comment_and_target_are_known_by_themselves(void **state)
{
	struct arena *arena = arena_new(0);
	struct acl_columns c;

	(void)state;
	assert_int_equal(acl_columns_parse(POLICY_SECTION_EBTABLES,
				 "-A INPUT -p ARP --comment \"rule 7\" -j police "
				 "--set-mode pkt --set-rate 4 --set-burst 1",
				 false, arena, &c),
		0);
	assert_string_equal(c.target, "police");
	assert_string_equal(c.comment, "rule 7");
	assert_int_equal(acl_columns_parse(POLICY_SECTION_IPTABLES, "-A INPUT -j DROP",
				 false, arena, &c),
		0);
	assert_null(c.comment);
	arena_free(arena);
}

static void
a_text_that_was_cut_has_no_columns(void **state)
{
	static const char *const texts[] = { "-A FORWARD -s", "-A FORWARD -m comm",
		"-A FORWARD -m comment --comment \"abc", "", "-A FORWARD -j DROP\n-A" };
	struct arena *arena = arena_new(0);
	struct acl_columns c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(acl_columns_parse(POLICY_SECTION_IPTABLES, texts[i],
					 false, arena, &c),
			-EINVAL);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_in_the_columns_of_iptables),
		cmocka_unit_test(matches_and_targets_have_the_words_of_iptables),
		cmocka_unit_test(ports_are_numbers_when_asked_for),
		cmocka_unit_test(comment_and_target_are_known_by_themselves),
		cmocka_unit_test(a_text_that_was_cut_has_no_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
