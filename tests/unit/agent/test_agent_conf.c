/*
 * test_agent_conf.c - whole configuration files: what is reported, what comes out, and
 * that the printed form parses to the same (tests/golden/conf/NAME.in and .ok; set
 * GOLDEN_UPDATE to write the .ok files anew, then read the difference).
 */
#include "agent/agent_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"

enum { GOLDEN_FILES_MIN = 24, FILE_MAX = 65536 };

static void
report_to_stream(enum conf_severity severity, const char *file, int line,
	const char *text, void *user_data)
{
	static const char *const names[] = { "error", "warning", "note" };

	fprintf(user_data, "# %s:%d: %s: %s\n", file, line, names[severity], text);
}

/* Findings as comment lines, then the printed configuration if there is one. */
static char *
digest(const char *text, size_t len, struct agent_conf **ret_conf)
{
	struct agent_conf *conf = NULL;
	char *out_text = NULL, *printed;
	size_t out_len;
	FILE *out = open_memstream(&out_text, &out_len);
	struct agent_conf_reporter reporter = { report_to_stream, out };
	int rc = agent_conf_parse("hsflowd.conf", text, len, &reporter, &conf);

	assert_true(rc == 0 || rc == -EINVAL);
	if (rc == 0) {
		printed = agent_conf_print(conf);
		assert_non_null(printed);
		fputs(printed, out);
		free(printed);
	}
	fclose(out);
	if (ret_conf)
		*ret_conf = conf;
	else
		agent_conf_free(conf);
	return out_text;
}

/* The part of a digest behind the findings. */
static const char *
without_findings(const char *text)
{
	while (text[0] == '#')
		text = strchr(text, '\n') + 1;
	return text;
}

static void
check_golden(const char *in_path)
{
	char ok_path[512];
	char *in AUTO_FREE = NULL, *ok AUTO_FREE = NULL, *got AUTO_FREE = NULL;
	char *again AUTO_FREE = NULL;
	size_t in_len, ok_len;
	const char *printed;

	snprintf(
		ok_path, sizeof(ok_path), "%.*s.ok", (int)strlen(in_path) - 3, in_path);
	assert_int_equal(file_read(AT_FDCWD, in_path, FILE_MAX, &in, &in_len), 0);
	got = digest(in, in_len, NULL);
	if (getenv("GOLDEN_UPDATE"))
		assert_int_equal(file_write_atomic(AT_FDCWD, ok_path, got, strlen(got),
					 0644, NULL),
			0);
	if (file_read(AT_FDCWD, ok_path, FILE_MAX, &ok, &ok_len) < 0)
		fail_msg("%s cannot be read", ok_path);
	if (strcmp(got, ok) != 0)
		fail_msg("%s gives\n%s", in_path, got);
	printed = without_findings(got);
	if (!*printed)
		return;
	again = digest(printed, strlen(printed), NULL);
	assert_string_equal(without_findings(again), printed);
}

static void
every_golden_file_gives_what_it_should_and_round_trips(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob(TEST_DATA "/golden/conf/*.in", 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= GOLDEN_FILES_MIN);
	for (size_t i = 0; i < files.gl_pathc; i++)
		check_golden(files.gl_pathv[i]);
	globfree(&files);
}

static struct agent_conf *
parse_ok(const char *text)
{
	struct agent_conf *conf = NULL;
	char *findings = digest(text, strlen(text), &conf);

	if (!conf)
		fail_msg("%s", findings);
	free(findings);
	return conf;
}

static void
without_a_file_dnssd_is_on_and_every_port_has_the_rate_of_its_speed(void **state)
{
	struct agent_conf *conf = agent_conf_default();
	const struct settings *s = &conf->settings;

	(void)state;
	assert_true(conf->dnssd);
	assert_null(conf->dnssd_domain);
	assert_true(agent_conf_source_is_auto(conf));
	assert_true(conf->psample.install && conf->nflog.install);
	assert_int_equal(agent_conf_polling_s(conf, s, "swp1"), 30);
	assert_int_equal(agent_conf_sampling(conf, s, "swp1", 10000000000), 10000);
	assert_int_equal(agent_conf_sampling(conf, s, "swp1", 2500000000), 2500);
	assert_int_equal(agent_conf_sampling(conf, s, "swp1", 10000000), 100);
	assert_int_equal(agent_conf_sampling(conf, s, "swp1", 0), 400);
	assert_int_equal(conf->datagram_bytes, 1400);
	assert_int_equal(s->header_bytes, 128);
	assert_true(agent_conf_is_port(conf, "swp1s0", false));
	assert_false(agent_conf_is_port(conf, "eth0", false));
	assert_true(agent_conf_is_port(conf, "eth0", true));
	agent_conf_free(conf);
}

static void
port_sections_outrank_rates_and_patterns_yield_to_names(void **state)
{
	struct agent_conf *conf = parse_ok(
		"sflow { sampling.flat=777 port swp1 { sampling=5 } port swp* { "
		"sampling=6 polling=7 } port *2 { polling=8 } port swp3 { enable=off } "
		"port veth9 { enable=on } }");
	const struct settings *s = &conf->settings;

	(void)state;
	assert_int_equal(agent_conf_sampling(conf, s, "swp1", 1000000000), 5);
	assert_int_equal(agent_conf_polling_s(conf, s, "swp1"), 7);
	assert_int_equal(agent_conf_sampling(conf, s, "swp2", 1000000000), 6);
	assert_int_equal(agent_conf_polling_s(conf, s, "swp2"), 8);
	assert_int_equal(agent_conf_sampling(conf, s, "swp3", 1000000000), 0);
	assert_int_equal(agent_conf_polling_s(conf, s, "swp3"), 0);
	assert_false(agent_conf_is_port(conf, "swp3", true));
	assert_true(agent_conf_is_port(conf, "veth9", false));
	assert_int_equal(agent_conf_sampling(conf, s, "veth9", 1000000000), 777);
	agent_conf_free(conf);
}

static void
a_switchport_expression_decides_alone(void **state)
{
	struct agent_conf *conf =
		parse_ok("sflow { cumulus { switchport=\"^enp[0-9]+$\" } }");

	(void)state;
	assert_true(agent_conf_is_port(conf, "enp7", false));
	assert_false(agent_conf_is_port(conf, "eth0", true));
	assert_false(agent_conf_is_port(conf, "swp1", false));
	agent_conf_free(conf);
}

static void
sampling_is_not_installed_where_hsflowd_would_only_listen(void **state)
{
	static const struct {
		const char *text;
		bool psample, nflog;
	} cases[] = {
		{ "sflow { }", true, true },
		{ "sflow { psample { group=1 } nflog { } }", false, true },
		{ "sflow { psample { } dent { } }", true, true },
		{ "sflow { nflog { group=1 } }", true, false },
		{ "sflow { psample { } nflog { group=1 } }", false, false },
		{ "sflow { cumulus { } psample { } nflog { group=1 } }", true, true },
		{ "sflow { cumulus { } nflog { group=1 } }", true, false },
		{ "sflow { sonic { } }", false, true },
		{ "sflow { sonic { } psample { install=on } }", true, true },
		{ "sflow { nflog { probability=0.1 } }", true, false },
		{ "sflow { psample { install=on } nflog { group=2 install=on } }", true,
			true },
		{ "sflow { dent { } psample { install=off } }", false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct agent_conf *conf = parse_ok(cases[i].text);

		if (conf->psample.install != cases[i].psample ||
			conf->nflog.install != cases[i].nflog)
			fail_msg("%s", cases[i].text);
		agent_conf_free(conf);
	}
}

static void
pcap_blocks_choose_by_name_pattern_and_speed(void **state)
{
	struct agent_conf *conf = parse_ok(
		"sflow { pcap { dev=eth0 sampling=9 } pcap { dev.pattern=^veth } "
		"pcap { speed=1G-10G } }");

	(void)state;
	assert_int_equal(agent_conf_find_pcap(conf, "eth0", 0)->sampling, 9);
	assert_ptr_equal(agent_conf_find_pcap(conf, "veth3", 0), &conf->pcaps[1]);
	assert_ptr_equal(
		agent_conf_find_pcap(conf, "eth1", 10000000000), &conf->pcaps[2]);
	assert_null(agent_conf_find_pcap(conf, "eth1", 25000000000));
	assert_null(agent_conf_find_pcap(conf, "eth1", 0));
	agent_conf_free(conf);
}

static void
a_file_with_an_error_gives_no_configuration(void **state)
{
	static const char text[] = "sflow { polling=10 bogus=1 }";
	struct agent_conf *conf = (struct agent_conf *)(uintptr_t)1;
	FILE *nowhere = fopen("/dev/null", "w");
	struct agent_conf_reporter reporter = { report_to_stream, nowhere };

	(void)state;
	assert_int_equal(
		agent_conf_parse("x", text, strlen(text), &reporter, &conf), -EINVAL);
	assert_ptr_equal(conf, (struct agent_conf *)(uintptr_t)1);
	fclose(nowhere);
}

static void
an_oversized_file_is_refused(void **state)
{
	size_t len = AGENT_CONF_FILE_MAX_BYTES + 1;
	char *text AUTO_FREE = malloc(len);
	char *findings AUTO_FREE = NULL;

	(void)state;
	memset(text, ' ', len);
	findings = digest(text, len, NULL);
	assert_non_null(strstr(findings, "larger than 1048576 bytes"));
}

static void
too_many_collectors_are_refused(void **state)
{
	static const char one[] = "collector { ip=192.0.2.1 }\n";
	char text[AGENT_CONF_COLLECTORS_MAX * sizeof(one) + 64] = "sflow {\n";
	char *findings AUTO_FREE = NULL;

	(void)state;
	for (int i = 0; i <= AGENT_CONF_COLLECTORS_MAX; i++)
		strncat(text, one, sizeof(text) - strlen(text) - 1);
	findings = digest(text, strlen(text), NULL);
	assert_string_equal(findings,
		"# hsflowd.conf:66: error: more than 64 collector blocks\n"
		"# hsflowd.conf:67: warning: '}' of the sflow block is "
		"missing at the end of the file\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_golden_file_gives_what_it_should_and_round_trips),
		cmocka_unit_test(
			without_a_file_dnssd_is_on_and_every_port_has_the_rate_of_its_speed),
		cmocka_unit_test(
			port_sections_outrank_rates_and_patterns_yield_to_names),
		cmocka_unit_test(a_switchport_expression_decides_alone),
		cmocka_unit_test(
			sampling_is_not_installed_where_hsflowd_would_only_listen),
		cmocka_unit_test(pcap_blocks_choose_by_name_pattern_and_speed),
		cmocka_unit_test(a_file_with_an_error_gives_no_configuration),
		cmocka_unit_test(an_oversized_file_is_refused),
		cmocka_unit_test(too_many_collectors_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
