/*
 * agent_conf_value.c - value parsers of words that only hsflowd.conf has.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "agent/agent_conf_table.h"

enum {
	DSCP_MAX = 63,
	DOMAIN_TEXT_MAX = 230, /* "_sflow._udp." and the domain stay below 255 */
	HOST_TEXT_MAX = 253,
	UUID_HEX_DIGITS = 32,
};

int
agent_conf_put_domain(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	size_t len;

	/* hsflowd wants the leading dot and appends the text as it is. */
	if (value[0] == '.')
		value++;
	len = strlen(value);
	if (len && value[len - 1] == '.')
		len--;
	if (len == 0 || len > DOMAIN_TEXT_MAX || value[0] == '.' ||
		strstr(value, "..") ||
		value[strspn(value, "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")])
		return err_set(err, -EINVAL, "\"%s\" is not a domain name", value);
	(void)word;
	*(const char **)field = arena_strndup(arena, value, len);
	return *(const char **)field ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* Host names are checked no further than this: the resolver has the last word. */
static bool
is_host_name(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= HOST_TEXT_MAX && isalnum((unsigned char)text[0]) &&
	       !strstr(text, "..") &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0' &&
	       text[strspn(text, "0123456789.")] != '\0';
}

int
agent_conf_put_host(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	struct agent_conf_collector *collector = field;

	if (parse_addr(value, &collector->addr) == 0)
		collector->is_name = false;
	else if (is_host_name(value))
		collector->is_name = true;
	else
		return err_set(err, -EINVAL,
			"\"%s\" is neither an address nor a host name", value);
	(void)word;
	collector->host = arena_strdup(arena, value);
	return collector->host ? 0 : err_set(err, -ENOMEM, "out of memory");
}

int
agent_conf_put_source(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	(void)word;
	(void)arena;
	if (parse_addr(value, field) < 0)
		return err_set(
			err, -EINVAL, "\"%s\" is not an IPv4 or IPv6 address", value);
	return 0;
}

/* The code points that have names: csN, afXY, ef (RFC 2474, 2597, 3246). */
static bool
dscp_by_name(const char *name, uint32_t *ret)
{
	size_t len = strlen(name);

	if (strcasecmp(name, "ef") == 0) {
		*ret = 46;
		return true;
	}
	if (len == 3 && strncasecmp(name, "cs", 2) == 0 && name[2] >= '0' &&
		name[2] <= '7') {
		*ret = (uint32_t)(name[2] - '0') * 8;
		return true;
	}
	if (len == 4 && strncasecmp(name, "af", 2) == 0 && name[2] >= '1' &&
		name[2] <= '4' && name[3] >= '1' && name[3] <= '3') {
		*ret = (uint32_t)(name[2] - '0') * 8 + (uint32_t)(name[3] - '0') * 2;
		return true;
	}
	return false;
}

int
agent_conf_put_dscp(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	(void)word;
	(void)arena;
	if (dscp_by_name(value, field))
		return 0;
	return settings_parse_number(value, 0, DSCP_MAX, field, err);
}

int
agent_conf_put_net_namespace(const struct conf_word *word, const char *value,
	void *field, struct arena *arena, struct err *err)
{
	if (strchr(value, '/') || strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
		return err_set(
			err, -EINVAL, "\"%s\" is not a name below /run/netns", value);
	return conf_put_text(word, value, field, arena, err);
}

int
agent_conf_put_ifname(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	if (!parse_is_ifname(value))
		return err_set(err, -EINVAL, "\"%s\" is not an interface name", value);
	return conf_put_text(word, value, field, arena, err);
}

int
agent_conf_put_uuid(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	uint8_t uuid[UUID_HEX_DIGITS / 2] = { 0 };
	unsigned digits = 0;

	(void)word;
	(void)arena;
	for (const char *p = value; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '-')
			continue;
		if (!isxdigit(c) || digits == UUID_HEX_DIGITS)
			return err_set(err, -EINVAL, "\"%s\" is not a UUID", value);
		uuid[digits / 2] =
			(uint8_t)(uuid[digits / 2] << 4 |
				  (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10));
		digits++;
	}
	if (digits != UUID_HEX_DIGITS)
		return err_set(err, -EINVAL, "\"%s\" is not a UUID", value);
	memcpy(field, uuid, sizeof(uuid));
	return 0;
}

/* A 64-bit number with K M G T P, or 0. */
static int
parse_speed_bound(const char *text, uint64_t *ret)
{
	if (strcmp(text, "0") == 0) {
		*ret = 0;
		return 0;
	}
	return settings_parse_speed(text, ret);
}

/* "N" exactly this speed, "N-" at least, "N-M" between. */
int
agent_conf_put_speed_range(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	struct agent_conf_pcap *pcap = field;
	char low[CONF_TOKEN_SIZE];
	const char *dash = strchr(value, '-');
	size_t len = dash ? (size_t)(dash - value) : strlen(value);
	uint64_t min, max;
	int rc;

	(void)word;
	(void)arena;
	memcpy(low, value, len);
	low[len] = '\0';
	rc = parse_speed_bound(low, &min);
	max = dash ? UINT64_MAX : min;
	if (rc == 0 && dash && dash[1])
		rc = parse_speed_bound(dash + 1, &max);
	if (rc < 0 || min > max)
		return err_set(err, -EINVAL,
			"\"%s\" is not a range of speeds such as 1G, 1G- or 1G-100G",
			value);
	pcap->speed_min_bps = min;
	pcap->speed_max_bps = max;
	return 0;
}

/* 0 to 1 as a decimal fraction, in 10^-9. */
int
agent_conf_put_probability(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	static const char form[] = "\"%s\" is not a decimal fraction in 0..1";
	uint64_t ppb = 0, place = 1000000000;
	const char *p = value;

	(void)word;
	(void)arena;
	if (*p != '0' && *p != '1')
		return err_set(err, -EINVAL, form, value);
	ppb = (uint64_t)(*p++ - '0') * place;
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p) && (place /= 10); p++)
			ppb += (uint64_t)(*p - '0') * place;
	if (*p || ppb > 1000000000)
		return err_set(err, -EINVAL, form, value);
	*(uint32_t *)field = (uint32_t)ppb;
	return 0;
}

int
agent_conf_put_dent_sw(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	bool software;
	int rc = conf_put_bool(word, value, &software, arena, err);

	if (rc == 0)
		*(bool *)field = !software;
	return rc;
}
