/*
 * meter_name.c - see meter_name.h.
 */
#include "aclserver/meter_name.h"

#include <inttypes.h>
#include <string.h>

enum { NAME_SHOWN = 40 };

static const char *const kinds[] = { "hashlimit4/", "hashlimit6/", "recent4/",
	"recent6/" };

/* What the nft tool reads in a name as it stands. */
static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

const char *
meter_name_new(struct arena *arena, const char *kind, bool ip6, const char *name,
	const struct hash *settings)
{
	char shown[NAME_SHOWN + 1] = "";

	for (size_t i = 0; i < NAME_SHOWN && name[i]; i++)
		shown[i] = is_plain(name[i]) ? name[i] : '_';
	return arena_printf(arena, "%s%c/%s/%016" PRIx64, kind, ip6 ? '6' : '4', shown,
		hash_value(settings).w[0]);
}

bool
meter_name_is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(name, kinds[i], strlen(kinds[i])) == 0)
			return true;
	return false;
}
