/*
 * names.c - protocol and service names.
 */
#include "aclserver/names.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Larger than any line of /etc/services or /etc/protocols with its aliases. */
enum { NAMES_BUFFER_SIZE = 2048 };

static int
system_service(const char *name, const char *proto, uint16_t *ret_port)
{
	char buffer[NAMES_BUFFER_SIZE];
	struct servent entry, *found = NULL;

	if (getservbyname_r(name, proto, &entry, buffer, sizeof(buffer), &found) != 0 ||
		!found)
		return -ENOENT;
	*ret_port = ntohs((uint16_t)found->s_port);
	return 0;
}

static int
system_protocol(const char *name, uint8_t *ret_proto)
{
	char buffer[NAMES_BUFFER_SIZE];
	struct protoent entry, *found = NULL;

	if (getprotobyname_r(name, &entry, buffer, sizeof(buffer), &found) != 0 ||
		!found || found->p_proto < 0 || found->p_proto > UINT8_MAX)
		return -ENOENT;
	*ret_proto = (uint8_t)found->p_proto;
	return 0;
}

static int
system_service_name(uint16_t port, const char *proto, char *ret_name, size_t size)
{
	char buffer[NAMES_BUFFER_SIZE];
	struct servent entry, *found = NULL;

	if (getservbyport_r(
		    htons(port), proto, &entry, buffer, sizeof(buffer), &found) != 0 ||
		!found || strlen(found->s_name) >= size)
		return -ENOENT;
	memcpy(ret_name, found->s_name, strlen(found->s_name) + 1);
	return 0;
}

static const struct names_source system_source = { system_service, system_protocol,
	system_service_name };

static const struct names_source *source = &system_source;

/* The first name of a number is the one that listings show. */
static const struct {
	const char *name;
	uint8_t proto;
} protocols[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "icmp", IPPROTO_ICMP },
	{ "ipv6-icmp", IPPROTO_ICMPV6 },
	{ "icmpv6", IPPROTO_ICMPV6 },
	{ "icmp6", IPPROTO_ICMPV6 },
	{ "igmp", IPPROTO_IGMP },
	{ "ospf", 89 },
	{ "pim", IPPROTO_PIM },
	{ "vrrp", 112 },
	{ "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },
	{ "ah", IPPROTO_AH },
	{ "sctp", IPPROTO_SCTP },
	{ "dccp", IPPROTO_DCCP },
	{ "udplite", IPPROTO_UDPLITE },
	{ "eigrp", 88 },
	{ "ipip", 94 },
	{ "l2tp", 115 },
};

enum { N_PROTOCOLS = sizeof(protocols) / sizeof(protocols[0]) };

void
names_set_source(const struct names_source *replacement)
{
	source = replacement ? replacement : &system_source;
}

int
names_service(const char *name, const char *proto, uint16_t *ret_port)
{
	static const char *const others[] = { "udp", "tcp" };
	int r = source->service(name, proto, ret_port);

	for (size_t i = 0; r < 0 && i < sizeof(others) / sizeof(others[0]); i++)
		r = source->service(name, others[i], ret_port);
	return r;
}

int
names_of_service(uint16_t port, const char *proto, char *ret_name, size_t size)
{
	if (!source->service_name)
		return -ENOENT;
	return source->service_name(port, proto, ret_name, size);
}

int
names_protocol(const char *name, uint8_t *ret_proto)
{
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (strcasecmp(name, protocols[i].name) == 0) {
			*ret_proto = protocols[i].proto;
			return 0;
		}
	return source->protocol(name, ret_proto);
}

const char *
names_of_protocol(uint8_t proto)
{
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (protocols[i].proto == proto)
			return protocols[i].name;
	return NULL;
}
