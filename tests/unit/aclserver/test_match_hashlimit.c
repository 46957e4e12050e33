/*
 * test_match_hashlimit.c - what a set of buckets is keyed by and shared for.
 */
#include "compile_check.h"

#define NAME " --hashlimit-name x"
#define RULE "-A INPUT -p tcp -m hashlimit "

/* The rule "-A INPUT -p tcp -m hashlimit @options" of @section has this meter; its
 * name's hash is left out. */
static void
check_meter(const char *section, const char *options, const char *expected)
{
	char rule[256], line[RULESET_DUMP_SIZE];
	struct compiled c;
	char *meter, *hash, *end;

	(void)snprintf(rule, sizeof(rule), RULE "%s" NAME " -j DROP", options);
	c = compile(section, rule, 0);
	assert_int_equal(c.result, 0);
	assert_int_equal(c.diags.n, 0);
	assert_int_equal(c.file.n_rules, 1);
	check_round_trip(section, &c);
	ruleset_dump_rule(&c.file.rules[0], line, sizeof(line));
	meter = strstr(line, "@hashlimit");
	assert_non_null(meter);
	hash = strstr(meter, "/x/") + 3;
	memmove(hash, hash + 16, strlen(hash + 16) + 1);
	end = strstr(meter, "; counter; drop");
	assert_non_null(end);
	*end = '\0';
	assert_string_equal(meter, expected);
	compiled_done(&c);
}

static void
a_key_is_made_of_modes_and_masks(void **state)
{
	(void)state;
	check_meter("iptables", "--hashlimit-above 50/second --hashlimit-burst 30",
		"@hashlimit4/x/ ip saddr & 0x00000000 limit over 50/1s burst 30");
	check_meter("iptables", "--hashlimit-upto 5/min --hashlimit-mode dstip,srcip",
		"@hashlimit4/x/ ip saddr & 0xffffffff . ip daddr & 0xffffffff limit "
		"5/60s burst 5");
	check_meter("ip6tables",
		"! --hashlimit-upto 1/hour --hashlimit-mode srcip --hashlimit-srcmask "
		"60",
		"@hashlimit6/x/ ip6 saddr & 0xfffffffffffffff00000000000000000 limit "
		"over 1/3600s burst 5");
	check_meter("iptables",
		"--hashlimit-above 9/d --hashlimit-mode dstport,srcport,dstip "
		"--hashlimit-dstmask 24",
		"@hashlimit4/x/ ip daddr & 0xffffff00 . th sport & 0xffff . th dport & "
		"0xffff limit over 9/86400s burst 5");
}

static void
bytes_have_a_second_of_the_rate_for_free(void **state)
{
	(void)state;
	check_meter("iptables", "--hashlimit-above 512kb/s",
		"@hashlimit4/x/ ip saddr & 0x00000000 limit over 524288/1s burst 0 "
		"bytes");
	check_meter("iptables", "--hashlimit-above 10b/s --hashlimit-burst 1kb",
		"@hashlimit4/x/ ip saddr & 0x00000000 limit over 10/1s burst 1014 "
		"bytes");
}

/* The settings of the set of a rule with @options. */
static struct ruleset_meter_set
settings(const char *options, struct compiled *ret)
{
	char rule[256];

	(void)snprintf(rule, sizeof(rule), RULE "%s -j DROP", options);
	*ret = compile("iptables", rule, 0);
	assert_int_equal(ret->result, 0);
	for (size_t i = 0; i < ret->file.rules[0].n_terms; i++)
		if (ret->file.rules[0].terms[i].kind == TERM_METER)
			return *ret->file.rules[0].terms[i].meter.set;
	fail_msg("no meter");
	return (struct ruleset_meter_set){ 0 };
}

static void
check_same_set(const char *one, const char *two, bool same)
{
	struct compiled a, b;
	struct ruleset_meter_set first = settings(one, &a), second = settings(two, &b);

	assert_int_equal(strcmp(first.name, second.name) == 0, same);
	compiled_done(&a);
	compiled_done(&b);
}

static void
sets_are_shared_by_name_and_settings(void **state)
{
	(void)state;
	check_same_set("--hashlimit-above 5/s" NAME,
		"--dport 80 --hashlimit-above 5/s --hashlimit-burst 5" NAME, true);
	check_same_set("--hashlimit-above 5/s" NAME,
		"--hashlimit-above 5/s --hashlimit-name y", false);
	check_same_set(
		"--hashlimit-above 5/s" NAME, "--hashlimit-above 6/s" NAME, false);
	check_same_set(
		"--hashlimit-above 5/s" NAME, "--hashlimit-upto 5/s" NAME, false);
	check_same_set("--hashlimit-above 5/s" NAME,
		"--hashlimit-above 5/s --hashlimit-htable-expire 5" NAME, false);
	/* What the nft tool could not read in a name is told apart all the same. */
	check_same_set("--hashlimit-above 5/s --hashlimit-name a:b",
		"--hashlimit-above 5/s --hashlimit-name a;b", false);
}

static void
tables_have_a_size_and_times(void **state)
{
	struct compiled c;
	struct ruleset_meter_set set = settings("--hashlimit-above 5/min" NAME, &c);

	(void)state;
	assert_int_equal(set.size, 65535);
	assert_int_equal(set.timeout_ms, 60000);
	assert_int_equal(set.gc_ms, 1000);
	compiled_done(&c);
	set = settings("--hashlimit-above 5kb/s --hashlimit-htable-size 10 "
		       "--hashlimit-htable-gcinterval 50" NAME,
		&c);
	assert_int_equal(set.size, 80);
	assert_int_equal(set.timeout_ms, 15000);
	assert_int_equal(set.gc_ms, 50);
	compiled_done(&c);
	set = settings("--hashlimit-above 5kb/s --hashlimit-burst 5kb "
		       "--hashlimit-htable-size 10 --hashlimit-htable-max 7" NAME,
		&c);
	assert_int_equal(set.size, 7);
	assert_int_equal(set.timeout_ms, 60000);
	compiled_done(&c);
}

static void
nonsense_is_refused(void **state)
{
	(void)state;
	check_refused("iptables", RULE "--hashlimit-name x",
		"-m hashlimit needs one of --hashlimit-upto and --hashlimit-above");
	check_refused("iptables",
		RULE "--hashlimit-above 1/s --hashlimit-upto 1/s" NAME,
		"-m hashlimit needs one of --hashlimit-upto and --hashlimit-above");
	check_refused("iptables", RULE "--hashlimit-above 1/s",
		"-m hashlimit needs --hashlimit-name");
	check_refused("iptables", RULE "--hashlimit-above 1/s --hashlimit-name a/b",
		"--hashlimit-name \"a/b\": not a name (1 to 255 bytes without '/')");
#define BAD_RATE                                                                       \
	"not a rate (N/second, N/minute, N/hour, N/day up to 1000000 packets per "     \
	"second, or Nb/s, Nkb/s, Nmb/s)"
	check_refused("iptables", RULE "--hashlimit-above 0/s" NAME,
		"--hashlimit-above \"0/s\": " BAD_RATE);
	check_refused("iptables", RULE "--hashlimit-above 1000001/s" NAME,
		"--hashlimit-above \"1000001/s\": " BAD_RATE);
	check_refused("iptables", RULE "--hashlimit-upto 5kb/min" NAME,
		"--hashlimit-upto \"5kb/min\": " BAD_RATE);
	check_refused("iptables",
		RULE "--hashlimit-above 5kb/s --hashlimit-burst 1kb" NAME,
		"--hashlimit-burst \"1kb\": less than the rate allows in one second");
	check_refused("iptables", RULE "--hashlimit-above 5/s --hashlimit-burst 0" NAME,
		"--hashlimit-burst \"0\": not a number from 1 to 1000000");
	check_refused("iptables",
		RULE "--hashlimit-above 5/s --hashlimit-mode srcip,foo" NAME,
		"--hashlimit-mode \"srcip,foo\": not a list of srcip, srcport, dstip, "
		"dstport");
	check_refused("iptables",
		RULE "--hashlimit-above 5/s --hashlimit-srcmask 24" NAME,
		"option --hashlimit-srcmask needs srcip in --hashlimit-mode");
	check_refused("iptables",
		RULE "--hashlimit-above 5/s --hashlimit-mode dstip "
		     "--hashlimit-dstmask 33" NAME,
		"--hashlimit-dstmask \"33\": not a number from 0 to 32");
	check_refused("iptables",
		"-A INPUT -m hashlimit --hashlimit-above 5/s --hashlimit-mode "
		"dstport" NAME,
		"--hashlimit-mode with srcport or dstport needs -p tcp, udp, udplite, "
		"sctp or dccp");
	check_refused("iptables", RULE "--hashlimit-rate-match",
		"option --hashlimit-rate-match is not supported");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_made_of_modes_and_masks),
		cmocka_unit_test(bytes_have_a_second_of_the_rate_for_free),
		cmocka_unit_test(sets_are_shared_by_name_and_settings),
		cmocka_unit_test(tables_have_a_size_and_times),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
