/*
 * fuzz_proc_snmp.c - /proc/net/snmp from any bytes.
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
	if (proc_snmp_parse(text, &s) == 0 && !(s.has & HOST_HAS_IP))
		abort();
	return 0;
}
