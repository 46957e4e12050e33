/*
 * fuzz_nl_attr.c - attributes of any kind: reads stay inside, and whatever parses keeps
 * what its rule promises.
 */
#include "common/nl_attr.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { N_RULES = 9, TEXT_SIZE = 16 };

static const struct nlattr_rule rules[N_RULES] = {
	[1] = { NLATTR_U8 },
	[2] = { NLATTR_U16 },
	[3] = { NLATTR_U32 },
	[4] = { NLATTR_U64 },
	[5] = { NLATTR_STRING, TEXT_SIZE - 1 },
	[6] = { NLATTR_BINARY, 6 },
	[7] = { NLATTR_NESTED },
	[8] = { NLATTR_FLAG },
};

static void
check(const struct nlattr *const *attrs)
{
	char text[TEXT_SIZE];

	for (int i = 1; i <= 4; i++) {
		if (attrs[i] && nlattr_len(attrs[i]) < (size_t)1 << (i - 1))
			abort();
	}
	if (attrs[4])
		(void)nlattr_u64(attrs[4]);
	if (attrs[6] && nlattr_len(attrs[6]) < 6)
		abort();
	if (!attrs[5])
		return;
	nlattr_string(attrs[5], text, sizeof(text));
	if (memcmp(text, nlattr_data(attrs[5]), strlen(text)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nlattr *attrs[N_RULES], *inner[N_RULES];

	if (nlattr_parse(data, size, rules, N_RULES, attrs) < 0)
		return 0;
	check(attrs);
	if (attrs[7] && nlattr_parse_nested(attrs[7], rules, N_RULES, inner) == 0)
		check(inner);
	return 0;
}
