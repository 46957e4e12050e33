/*
 * targets.c - the table of all targets, and what is known of those that cannot be used.
 */
#include "aclserver/target.h"

#include <string.h>
#include <strings.h>

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

/* Names that are known and refused, and what to write instead if there is something. */
static const struct {
	const char *name;
	uint8_t sections;
	const char *why; /* NULL = there is nothing in its place */
} refused[] = {
	{ "span", SECTION_EB, "not supported: use SPAN in [iptables] or [ip6tables]" },
	{ "erspan", SECTION_EB,
		"not supported: use ERSPAN in [iptables] or [ip6tables]" },
	{ "CONTINUE", SECTION_EB,
		"not supported: without -j the next rule sees the packet, too" },
	{ "redirect", SECTION_EB, NULL },
	{ "arpreply", SECTION_EB, NULL },
	{ "RETURN", SECTION_IP | SECTION_EB,
		"not supported: there are no chains to return from; ACCEPT ends the "
		"list "
		"for a packet" },
	{ "QUEUE", SECTION_IP,
		"not supported: NFLOG gives programs copies of packets" },
	{ "NFQUEUE", SECTION_IP,
		"not supported: NFLOG gives programs copies of packets" },
	{ "REJECT", SECTION_IP, "not supported: DROP drops packets without an answer" },
	{ "MASQUERADE", SECTION_IP,
		"not supported: use SNAT --to-source with the address" },
	{ "REDIRECT", SECTION_IP,
		"not supported: use DNAT --to-destination with an address of the "
		"switch" },
	{ "NETMAP", SECTION_IP, "not supported: use SNAT or DNAT for each address" },
	{ "TPROXY", SECTION_IP, NULL },
	{ "TEE", SECTION_IP, "not supported: SPAN copies packets to a port" },
	{ "CT", SECTION_IP, NULL },
	{ "NOTRACK", SECTION_IP, NULL },
	{ "CLASSIFY", SECTION_IP,
		"not supported: SETCLASS --class sets the priority of packets" },
	{ "CONNMARK", SECTION_IP, NULL },
	{ "TCPMSS", SECTION_IP, NULL },
	{ "TOS", SECTION_IP, "not supported: use SETQOS or DSCP with --set-dscp" },
	{ "TTL", SECTION_IP4, NULL },
	{ "HL", SECTION_IP6, NULL },
	{ "ECN", SECTION_IP4, NULL },
	{ "SET", SECTION_IP, NULL },
	{ "AUDIT", SECTION_IP, NULL },
	{ "TRACE", SECTION_IP, "not supported: LOG tells which packets come" },
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
target_other_case(const char *name, enum policy_section section)
{
	for (const struct target *const *t = targets; *t; t++)
		if ((*t)->sections & 1u << section &&
			strcasecmp(name, (*t)->module.name) == 0)
			return (*t)->module.name;
	return NULL;
}

const char *
target_why_not(const char *name, enum policy_section section)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (refused[i].sections & 1u << section &&
			strcmp(name, refused[i].name) == 0)
			return refused[i].why ? refused[i].why : "not supported";
	return NULL;
}
