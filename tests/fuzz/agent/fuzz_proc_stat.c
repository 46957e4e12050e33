/*
 * fuzz_proc_stat.c - /proc/stat, loadavg, uptime and cpuinfo from any bytes.
 */
#include "agent/proc_text.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = { (const char *)data, size };
	struct host_sample s;

	host_sample_init(&s);
	(void)proc_stat_parse(text, 100, &s.cpu);
	(void)proc_cpuinfo_parse(text, &s.cpu);
	(void)proc_uptime_parse(text, &s.cpu);
	if (proc_loadavg_parse(text, &s.cpu) == 0 && s.cpu.load_one < 0)
		abort();
	return 0;
}
