/*
 * span_tunnel.c - names of tunnels, and rtnetlink messages that make and remove them;
 * see span_tunnel.h and linux/if_tunnel.h.
 */
#include "aclserver/span_tunnel.h"

#include <endian.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>

#include "common/nl.h"

enum {
	PREFIX_LEN = 3,
	BYTES = 9, /* two addresses, TTL */
	DIGITS = 12,
	SESSION = 1,
	VERSION_2 = 1, /* the header's number for type II */
};

_Static_assert(PREFIX_LEN + DIGITS + 1 == SPAN_TUNNEL_NAME_SIZE, "a name fits exactly");

static const char prefix[] = "tg.";
static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
span_tunnel_name(const struct span_tunnel *tunnel, char ret[SPAN_TUNNEL_NAME_SIZE])
{
	uint8_t bytes[BYTES];
	char *to = ret + PREFIX_LEN;

	memcpy(ret, prefix, PREFIX_LEN);
	memcpy(bytes, tunnel->src, sizeof(tunnel->src));
	memcpy(bytes + 4, tunnel->dst, sizeof(tunnel->dst));
	bytes[8] = tunnel->ttl;
	for (size_t i = 0; i < BYTES; i += 3) {
		uint32_t three = (uint32_t)bytes[i] << 16 |
				 (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*to++ = digits[three >> shift & 63];
	}
	*to = '\0';
}

bool
span_tunnel_parse(const char *name, struct span_tunnel *ret)
{
	uint8_t bytes[BYTES];
	uint32_t bits = 0;

	if (strlen(name) != PREFIX_LEN + DIGITS ||
		memcmp(name, prefix, PREFIX_LEN) != 0)
		return false;
	for (size_t i = 0; i < DIGITS; i++) {
		const char *digit = strchr(digits, name[PREFIX_LEN + i]);

		if (!digit)
			return false;
		bits = bits << 6 | (uint32_t)(digit - digits);
		if (i % 4 != 3)
			continue;
		bytes[i / 4 * 3] = (uint8_t)(bits >> 16);
		bytes[i / 4 * 3 + 1] = (uint8_t)(bits >> 8);
		bytes[i / 4 * 3 + 2] = (uint8_t)bits;
	}
	memcpy(ret->src, bytes, sizeof(ret->src));
	memcpy(ret->dst, bytes + 4, sizeof(ret->dst));
	ret->ttl = bytes[8];
	return true;
}

void
span_tunnel_put(struct nlbuild *b, const struct span_tunnel *tunnel, const char *name)
{
	const struct ifinfomsg header = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	size_t info, data;

	nlbuild_begin(b, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &header,
		sizeof(header));
	nlbuild_put_string(b, IFLA_IFNAME, name);
	info = nlbuild_nest(b, IFLA_LINKINFO);
	nlbuild_put_string(b, IFLA_INFO_KIND, "erspan");
	data = nlbuild_nest(b, IFLA_INFO_DATA);
	nlbuild_put(b, IFLA_GRE_LOCAL, tunnel->src, sizeof(tunnel->src));
	nlbuild_put(b, IFLA_GRE_REMOTE, tunnel->dst, sizeof(tunnel->dst));
	nlbuild_put_u8(b, IFLA_GRE_TTL, tunnel->ttl);
	nlbuild_put_u16(b, IFLA_GRE_IFLAGS, GRE_SEQ | GRE_KEY);
	nlbuild_put_u16(b, IFLA_GRE_OFLAGS, GRE_SEQ | GRE_KEY);
	nlbuild_put_u32(b, IFLA_GRE_IKEY, htobe32(SESSION));
	nlbuild_put_u32(b, IFLA_GRE_OKEY, htobe32(SESSION));
	nlbuild_put_u8(b, IFLA_GRE_ERSPAN_VER, VERSION_2);
	nlbuild_end_nest(b, data);
	nlbuild_end_nest(b, info);
}

static int
request(const struct nlbuild *b, struct err *err)
{
	const struct netlink_options options = { .protocol = NETLINK_ROUTE };
	struct netlink *nl = netlink_open(&options, err);
	int r;

	if (!nl)
		return -EIO;
	r = netlink_request(nl, b, NULL, NULL, err);
	netlink_close(nl);
	return r;
}

int
span_tunnel_need(const char *name, struct err *err)
{
	_Alignas(4) uint8_t bytes[SPAN_TUNNEL_REQUEST_SIZE];
	struct span_tunnel tunnel;
	struct nlbuild b;
	int r;

	if (!span_tunnel_parse(name, &tunnel) || if_nametoindex(name) != 0)
		return 0;
	nlbuild_init(&b, bytes, sizeof(bytes));
	span_tunnel_put(&b, &tunnel, name);
	r = request(&b, err);
	if (r == -EOPNOTSUPP || r == -ENODEV)
		return err_set(err, -EOPNOTSUPP,
			"the kernel has no devices of type erspan (CONFIG_NET_IPGRE)");
	return r < 0 && r != -EEXIST ? err_prefix(err, "making the tunnel") : 0;
}

int
span_tunnel_remove(uint32_t index, struct err *err)
{
	const struct ifinfomsg header = { .ifi_index = (int)index };
	_Alignas(4) uint8_t bytes[SPAN_TUNNEL_REQUEST_SIZE];
	struct nlbuild b;
	int r;

	nlbuild_init(&b, bytes, sizeof(bytes));
	nlbuild_begin(&b, RTM_DELLINK, NLM_F_ACK, &header, sizeof(header));
	r = request(&b, err);
	return r < 0 && r != -ENODEV ? err_prefix(err, "removing the tunnel") : 0;
}
