/*
 * fuzz_host_uuid.c - UUIDs and machine ids from any bytes.
 */
#include "agent/host_uuid.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero[16];
	struct text text = { (const char *)data, size };
	uint8_t uuid[16];

	if (host_uuid_parse(text, uuid) == 0 && memcmp(uuid, zero, 16) == 0)
		abort();
	if (host_uuid_from_machine_id(text, uuid) == 0 && uuid[6] >> 4 != 5)
		abort();
	return 0;
}
