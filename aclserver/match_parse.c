/*
 * match_parse.c - ranges of numbers; the other functions of match_parse.h stand with
 * the match that they are mostly for.
 */
#include "aclserver/match_parse.h"

#include <errno.h>
#include <string.h>

#include "common/parse.h"

int
match_parse_range(const char *text, uint32_t max, uint32_t *ret_lo, uint32_t *ret_hi)
{
	char copy[32];
	char *colon;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	*ret_lo = 0;
	*ret_hi = max;
	colon = strchr(copy, ':');
	if (colon)
		*colon = '\0';
	if ((!colon || *copy) && parse_u32(copy, 0, max, ret_lo) < 0)
		return -EINVAL;
	if (!colon)
		*ret_hi = *ret_lo;
	else if (colon[1] && parse_u32(colon + 1, 0, max, ret_hi) < 0)
		return -EINVAL;
	return 0;
}

int
match_add_range(
	struct rule *rule, struct option_use *use, enum field field, uint32_t max)
{
	uint32_t lo, hi;

	if (match_parse_range(use->args[0], max, &lo, &hi) < 0)
		return err_set(rule->err, -EINVAL,
			"%s \"%s\": not a number or range of numbers from 0 to %u",
			use->written, use->args[0], max);
	if (lo > hi)
		return option_refuse(rule, use, "the first number is above the last");
	use->text = lo == hi ? arena_printf(rule->arena, "%u", lo)
			     : arena_printf(rule->arena, "%u:%u", lo, hi);
	if (!use->text)
		return -ENOMEM;
	return rule_add_number(rule, field, use->negate, lo, hi);
}
