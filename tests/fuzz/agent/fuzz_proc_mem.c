/*
 * fuzz_proc_mem.c - /proc/meminfo and vmstat from any bytes.
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
	/* Kibibytes in bytes, or unknown. */
	if (proc_meminfo_parse(text, &s.memory) == 0 &&
		s.memory.total_bytes != COUNTER_UNKNOWN &&
		s.memory.total_bytes % 1024 != 0)
		abort();
	(void)proc_vmstat_parse(text, &s.memory);
	return 0;
}
