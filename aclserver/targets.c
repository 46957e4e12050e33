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
	bool later; /* of the policy language, and to come */
} refused[] = {
	{ "ERSPAN", SECTION_IP, true },
	{ "span", SECTION_EB, false },
	{ "erspan", SECTION_EB, false },
	{ "CONTINUE", SECTION_EB, false },
	{ "redirect", SECTION_EB, false },
	{ "arpreply", SECTION_EB, false },
	{ "RETURN", SECTION_IP | SECTION_EB, false },
	{ "QUEUE", SECTION_IP, false },
	{ "NFQUEUE", SECTION_IP, false },
	{ "REJECT", SECTION_IP, false },
	{ "MASQUERADE", SECTION_IP, false },
	{ "REDIRECT", SECTION_IP, false },
	{ "NETMAP", SECTION_IP, false },
	{ "TPROXY", SECTION_IP, false },
	{ "TEE", SECTION_IP, false },
	{ "CT", SECTION_IP, false },
	{ "NOTRACK", SECTION_IP, false },
	{ "CLASSIFY", SECTION_IP, false },
	{ "CONNMARK", SECTION_IP, false },
	{ "TCPMSS", SECTION_IP, false },
	{ "TOS", SECTION_IP, false },
	{ "TTL", SECTION_IP4, false },
	{ "HL", SECTION_IP6, false },
	{ "ECN", SECTION_IP4, false },
	{ "SET", SECTION_IP, false },
	{ "AUDIT", SECTION_IP, false },
	{ "TRACE", SECTION_IP, false },
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
			return refused[i].later ? "not supported yet" : "not supported";
	return NULL;
}
