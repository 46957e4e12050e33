/*
 * dscp_name.c - DiffServ classes by name (RFC 2474, 2597, 3246).
 */
#include "aclserver/dscp_name.h"

#include <errno.h>
#include <strings.h>

enum { DSCP_MAX = 63 };

static const struct {
	const char *name;
	uint8_t dscp;
} classes[] = {
	{ "BE", 0 },
	{ "CS0", 0 },
	{ "CS1", 8 },
	{ "CS2", 16 },
	{ "CS3", 24 },
	{ "CS4", 32 },
	{ "CS5", 40 },
	{ "CS6", 48 },
	{ "CS7", 56 },
	{ "AF11", 10 },
	{ "AF12", 12 },
	{ "AF13", 14 },
	{ "AF21", 18 },
	{ "AF22", 20 },
	{ "AF23", 22 },
	{ "AF31", 26 },
	{ "AF32", 28 },
	{ "AF33", 30 },
	{ "AF41", 34 },
	{ "AF42", 36 },
	{ "AF43", 38 },
	{ "EF", 46 },
};

int
dscp_name_parse_number(struct rule *rule, struct option_use *use, uint8_t *ret_dscp)
{
	uint32_t value;
	int result = option_number(rule, use, 0, DSCP_MAX, &value);

	if (result < 0)
		return result;
	use->text = arena_printf(rule->arena, "0x%02x", value);
	if (!use->text)
		return -ENOMEM;
	*ret_dscp = (uint8_t)value;
	return 0;
}

int
dscp_name_parse_class(struct rule *rule, struct option_use *use, uint8_t *ret_dscp)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcasecmp(use->args[0], classes[i].name) == 0) {
			use->text = classes[i].name;
			*ret_dscp = classes[i].dscp;
			return 0;
		}
	return option_refuse(
		rule, use, "unknown DSCP class (EF, BE, CS0 to CS7, AF11 to AF43)");
}
