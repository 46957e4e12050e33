/*
 * targets.c - the table of all targets, and what is known of those that cannot be used.
 */
#include "aclserver/target.h"

#include <string.h>

const struct target *const targets[] = {
	&target_accept,
	&target_drop,
	&target_log,
	&target_dscp,
	&target_ulog,
	&target_nflog,
	&target_setqos,
	&target_setclass,
	&target_police,
	&target_tricolorpolice,
	&target_mark,
	&target_span,
	&target_erspan,
	&target_snat,
	&target_dnat,
	&target_eb_log,
	&target_eb_setqos,
	&target_eb_setclass,
	&target_eb_police,
	&target_eb_tricolorpolice,
	&target_eb_mark,
	&target_eb_snat,
	&target_eb_dnat,
	NULL,
};

/* Names that are known and refused. */
static const struct {
	const char *name;
	uint8_t sections;
} refused[] = {
	{ "span", SECTION_EB },
	{ "erspan", SECTION_EB },
	{ "CONTINUE", SECTION_EB },
	{ "redirect", SECTION_EB },
	{ "arpreply", SECTION_EB },
	{ "RETURN", SECTION_IP | SECTION_EB },
	{ "QUEUE", SECTION_IP },
	{ "NFQUEUE", SECTION_IP },
	{ "REJECT", SECTION_IP },
	{ "MASQUERADE", SECTION_IP },
	{ "REDIRECT", SECTION_IP },
	{ "NETMAP", SECTION_IP },
	{ "TPROXY", SECTION_IP },
	{ "TEE", SECTION_IP },
	{ "CT", SECTION_IP },
	{ "NOTRACK", SECTION_IP },
	{ "CLASSIFY", SECTION_IP },
	{ "CONNMARK", SECTION_IP },
	{ "TCPMSS", SECTION_IP },
	{ "TOS", SECTION_IP },
	{ "TTL", SECTION_IP4 },
	{ "HL", SECTION_IP6 },
	{ "ECN", SECTION_IP4 },
	{ "SET", SECTION_IP },
	{ "AUDIT", SECTION_IP },
	{ "TRACE", SECTION_IP },
};

const struct target *
target_find(const char *name, enum policy_section section)
{
	for (const struct target *const *t = targets; *t; t++)
		if ((*t)->sections & 1u << section &&
			strcmp(name, (*t)->module.name) == 0)
			return *t;
	return NULL;
}

const char *
target_why_not(const char *name, enum policy_section section)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (refused[i].sections & 1u << section &&
			strcmp(name, refused[i].name) == 0)
			return "not supported";
	return NULL;
}
