/*
 * fuzz_dnssd_msg.c - any bytes as a DNS answer, for each type of question. The first
 * byte chooses the type; the question's name is that of the message itself as far as
 * it can be read, so that the answer section is reached.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dnssd_msg.h"
#include "tests/fuzz/fuzz.h"

enum { HEADER_BYTES = 12 };

/* The uncompressed name behind the header, as text. */
static void
question_name(const uint8_t *msg, size_t len, char name[DNSSD_NAME_SIZE])
{
	size_t at = HEADER_BYTES, used = 0;

	while (at < len && msg[at] && msg[at] < 64 && at + msg[at] < len &&
		used + msg[at] + 2U < DNSSD_NAME_SIZE) {
		if (used)
			name[used++] = '.';
		memcpy(name + used, msg + at + 1, msg[at]);
		used += msg[at];
		at += msg[at] + 1U;
	}
	name[used] = '\0';
}

static void
check_text(const char *text)
{
	if (!memchr(text, '\0', DNSSD_NAME_SIZE))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dnssd_type types[] = { DNSSD_TYPE_SRV, DNSSD_TYPE_TXT,
		DNSSD_TYPE_A, DNSSD_TYPE_AAAA };
	char name[DNSSD_NAME_SIZE];
	struct dnssd_msg msg;
	struct err err;
	enum dnssd_type type;

	if (size == 0)
		return 0;
	type = types[data[0] % 4];
	question_name(data + 1, size - 1, name);
	if (dnssd_msg_decode(data + 1, size - 1, name, type, &msg, &err) < 0)
		return 0;
	check_text(msg.next_name);
	if (msg.n_records > DNSSD_RECORDS_MAX || msg.found != (msg.n_records > 0) ||
		(msg.found && msg.next_name[0]))
		abort();
	for (unsigned i = 0; i < msg.n_records; i++) {
		const struct dnssd_record *r = &msg.records[i];

		if (type == DNSSD_TYPE_SRV) {
			check_text(r->srv.target);
			if (!r->srv.port || !r->srv.target[0])
				abort();
		}
		if (type == DNSSD_TYPE_TXT &&
			(r->txt.data < data || r->txt.data + r->txt.len > data + size))
			abort();
	}
	return 0;
}
