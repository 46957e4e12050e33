/*
 * fuzz_agent_conf.c - any bytes as hsflowd.conf: survived; what is accepted prints to
 * something that is accepted and prints the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_conf.h"
#include "tests/fuzz/fuzz.h"

static void
ignore_finding(enum conf_severity severity, const char *file, int line,
	const char *text, void *user_data)
{
	(void)severity;
	(void)file;
	(void)line;
	(void)user_data;
	if (strlen(text) >= ERR_TEXT_SIZE)
		abort();
}

static struct agent_conf *
parse(const char *text, size_t len)
{
	static const struct agent_conf_reporter reporter = { ignore_finding, NULL };
	struct agent_conf *conf = NULL;

	(void)agent_conf_parse("fuzz", text, len, &reporter, &conf);
	return conf;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_conf *first = parse((const char *)data, size), *second;
	char *printed, *again;

	if (!first)
		return 0;
	(void)agent_conf_sampling(first, &first->settings, "swp1", 10000000000);
	(void)agent_conf_polling_s(first, &first->settings, "swp1");
	(void)agent_conf_is_port(first, "swp1", true);
	(void)agent_conf_find_pcap(first, "swp1", 10000000000);
	printed = agent_conf_print(first);
	second = parse(printed, strlen(printed));
	if (!second)
		abort();
	again = agent_conf_print(second);
	if (strcmp(printed, again) != 0)
		abort();
	free(printed);
	free(again);
	agent_conf_free(first);
	agent_conf_free(second);
	return 0;
}
