/*
 * fuzz_dnssd_txt.c - any bytes as TXT data: every string is used or has a problem of
 * one printable line, and the rates that result are in range.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/dnssd_txt.h"
#include "tests/fuzz/fuzz.h"

static void
check_problem(enum dnssd_txt_fault fault, const char *reason, void *user_data)
{
	(void)user_data, (void)fault;
	for (; *reason; reason++)
		if (!isprint((unsigned char)*reason))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t speeds[] = { 0, 1, 1000000000, 2500000000, UINT64_MAX };
	struct settings settings, file;

	settings_init(&settings);
	(void)dnssd_txt_apply(data, size, &settings, check_problem, NULL);
	if (settings.polling_s > SETTINGS_POLLING_MAX_S ||
		settings.header_bytes > SETTINGS_HEADER_MAX_BYTES ||
		settings.sampling > SETTINGS_RATE_MAX)
		abort();
	settings_init(&file);
	settings_overlay(&file, &settings);
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (settings_rate(&file, speeds[i]) !=
			settings_rate(&settings, speeds[i]))
			abort();
	return 0;
}
