/*
 * fuzz_status.c - any bytes as a status: refused with a reason, or read, printed and
 * written so that it reads the same again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status.h"
#include "tests/fuzz/fuzz.h"

/* Nothing that talks to a terminal comes out. */
static void
check_text(struct status *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	status_print(s, out);
	fclose(out);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 && text[i] != '\n')
			abort();
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status first, second;
	struct err err;
	char *text, *again;

	if (status_json_decode((const char *)data, size, &first, &err) < 0)
		return err.text[0] ? 0 : (abort(), 1);
	text = status_json_encode(&first);
	if (!text || status_json_decode(text, strlen(text), &second, &err) < 0)
		abort();
	again = status_json_encode(&second);
	if (!again || strcmp(text, again) != 0)
		abort();
	check_text(&second);
	free(text);
	free(again);
	status_done(&first);
	status_done(&second);
	return 0;
}
