/*
 * fuzz_proc_disk.c - /proc/diskstats and mountinfo from any bytes.
 */
#include "agent/proc_text.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
is_disk(const char *name, void *user_data)
{
	(void)user_data;
	if (strlen(name) >= PROC_DISK_NAME_SIZE || strchr(name, '/'))
		abort();
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = { (const char *)data, size };
	struct host_sample s;
	struct proc_mount m;
	int rc;

	host_sample_init(&s);
	(void)proc_diskstats_parse(text, is_disk, NULL, &s.disk);
	do {
		rc = proc_mountinfo_next(&text, &m);
		if (rc == 0 && !memchr(m.path, 0, sizeof(m.path)))
			abort();
	} while (rc != -ENOENT);
	return 0;
}
