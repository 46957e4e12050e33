/*
 * fuzz_report.c - report_decode() on arbitrary bytes: what it takes, report_encode()
 * writes in the same way.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/report.h"
#include "tests/fuzz/fuzz.h"

/* A report decoded, encoded and decoded again is the same, encoded. */
static void
check_round_trip(const struct report *report, size_t size)
{
	/* Nothing is cut; a replaced byte becomes three. */
	size_t max = size + REPORT_SIZE_MIN, len, again_len;
	char *text = report_encode(report->returncode, &report->diags, max, &len);
	struct report copy;
	char *again;

	require(text && len <= max);
	require(report_decode(text, len, &copy) == 0);
	require(copy.diags.n == report->diags.n);
	again = report_encode(copy.returncode, &copy.diags, max, &again_len);
	require(again && again_len == len && memcmp(text, again, len) == 0);
	report_done(&copy);
	free(again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report = { 0 };
	int result = report_decode((const char *)data, size, &report);

	require(result == 0 || result == -EBADMSG);
	if (result == 0) {
		require(report.diags.n <= DIAGS_MAX);
		check_round_trip(&report, size);
	}
	report_done(&report);
	return 0;
}
