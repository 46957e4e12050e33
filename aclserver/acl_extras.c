/*
 * acl_extras.c - matches and targets in the words of "iptables -L"; see acl_extras.h.
 *
 * One table has the options for which iptables has words of its own, or for which
 * listings of Cumulus Linux are known. Every other option is shown as
 * "NAME option:value", so nothing of a rule is hidden.
 */
#include "aclserver/acl_extras.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aclserver/names.h"
#include "common/parse.h"

enum shape {
	SHAPE_VALUE,   /* words, then the value */
	SHAPE_PORTS,   /* "dpt:80", "dpts:1:2", behind the protocol */
	SHAPE_FLAGS,   /* "flags:SYN,ACK/SYN", likewise */
	SHAPE_COMMENT, /* between the signs of a comment in C */
};

struct words {
	const char *module; /* NULL = any with ports */
	const char *option;
	const char *plain;
	const char *inverted; /* NULL = plain, and "!" before the value */
	enum shape shape;
};

static const struct words table[] = {
	{ NULL, "sport", "spt", NULL, SHAPE_PORTS },
	{ NULL, "dport", "dpt", NULL, SHAPE_PORTS },
	{ "tcp", "tcp-flags", "flags:", NULL, SHAPE_FLAGS },
	{ "tcp", "syn", "flags:", NULL, SHAPE_FLAGS },
	{ "multiport", "sports", "multiport sports ", NULL, SHAPE_VALUE },
	{ "multiport", "dports", "multiport dports ", NULL, SHAPE_VALUE },
	{ "multiport", "ports", "multiport ports ", NULL, SHAPE_VALUE },
	{ "icmp", "icmp-type", "icmptype ", NULL, SHAPE_VALUE },
	{ "icmp6", "icmpv6-type", "ipv6-icmptype ", NULL, SHAPE_VALUE },
	{ "dscp", "dscp", "DSCP match ", NULL, SHAPE_VALUE },
	{ "dscp", "dscp-class", "DSCP match ", NULL, SHAPE_VALUE },
	{ "ttl", "ttl-eq", "TTL match TTL == ", "TTL match TTL != ", SHAPE_VALUE },
	{ "ttl", "ttl-lt", "TTL match TTL < ", NULL, SHAPE_VALUE },
	{ "ttl", "ttl-gt", "TTL match TTL > ", NULL, SHAPE_VALUE },
	{ "hl", "hl-eq", "HL match HL == ", "HL match HL != ", SHAPE_VALUE },
	{ "hl", "hl-lt", "HL match HL < ", NULL, SHAPE_VALUE },
	{ "hl", "hl-gt", "HL match HL > ", NULL, SHAPE_VALUE },
	{ "length", "length", "length ", NULL, SHAPE_VALUE },
	{ "iprange", "src-range", "source IP range ", NULL, SHAPE_VALUE },
	{ "iprange", "dst-range", "destination IP range ", NULL, SHAPE_VALUE },
	{ "mac", "mac-source", "MAC ", NULL, SHAPE_VALUE },
	{ "mark", "mark", "mark match ", NULL, SHAPE_VALUE },
	{ "limit", "limit", "limit: avg ", NULL, SHAPE_VALUE },
	{ "limit", "limit-burst", "burst ", NULL, SHAPE_VALUE },
	{ "state", "state", "state ", "! state ", SHAPE_VALUE },
	{ "conntrack", "ctstate", "ctstate ", "! ctstate ", SHAPE_VALUE },
	{ "addrtype", "src-type", "ADDRTYPE match src-type ", NULL, SHAPE_VALUE },
	{ "addrtype", "dst-type", "ADDRTYPE match dst-type ", NULL, SHAPE_VALUE },
	{ "tcpmss", "mss", "tcpmss match ", NULL, SHAPE_VALUE },
	{ "comment", "comment", "", NULL, SHAPE_COMMENT },
	{ "DSCP", "set-dscp", "DSCP set ", NULL, SHAPE_VALUE },
	{ "DSCP", "set-dscp-class", "DSCP set ", NULL, SHAPE_VALUE },
	{ "MARK", "set-mark", "MARK set ", NULL, SHAPE_VALUE },
	{ "MARK", "set-xmark", "MARK xset ", NULL, SHAPE_VALUE },
	{ "SNAT", "to-source", "to:", NULL, SHAPE_VALUE },
	{ "DNAT", "to-destination", "to:", NULL, SHAPE_VALUE },
};

static void
put(struct wbuf *w, const char *text)
{
	wbuf_put_bytes(w, text, strlen(text));
}

static const struct words *
find_words(const struct loaded *loaded, const struct rule_option *option)
{
	bool has_ports = loaded->match && loaded->match->has_proto;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct words *words = &table[i];

		if (strcmp(words->option, option->names[0]) != 0)
			continue;
		if (words->module ? strcmp(words->module, loaded->use.module->name) == 0
				  : has_ports)
			return words;
	}
	return NULL;
}

/* ---- ports and flags of a protocol ---- */

enum { PORT_NAME_SIZE = 64 };

/* How ports are shown. */
struct port_style {
	const char *proto;
	bool numeric;
};

/* One port, in words or as a number, as asked for; as it stands where that is unknown.
 */
static void
put_port(struct wbuf *w, const char *port, const char *proto, bool numeric)
{
	char name[PORT_NAME_SIZE];
	uint16_t number;
	uint32_t value;
	bool is_number = parse_u32(port, 0, UINT16_MAX, &value) == 0;

	if (numeric && !is_number && names_service(port, proto, &number) == 0) {
		(void)snprintf(name, sizeof(name), "%u", number);
		put(w, name);
	} else if (!numeric && is_number &&
		   names_of_service((uint16_t)value, proto, name, sizeof(name)) == 0) {
		put(w, name);
	} else {
		put(w, port);
	}
}

static void
put_ports(struct wbuf *w, const struct option_use *use, const struct words *words,
	const struct port_style *style)
{
	const char *value = use->args[0];
	size_t len = strcspn(value, ":");
	char first[PORT_NAME_SIZE];

	put(w, words->plain);
	put(w, value[len] ? "s:" : ":");
	if (use->negate)
		wbuf_put_u8(w, '!');
	if (len >= sizeof(first)) {
		put(w, value);
		return;
	}
	memcpy(first, value, len);
	first[len] = '\0';
	put_port(w, first, style->proto, style->numeric);
	if (!value[len])
		return;
	wbuf_put_u8(w, ':');
	put_port(w, value + len + 1, style->proto, style->numeric);
}

static void
put_flags(struct wbuf *w, const struct option_use *use, const struct words *words)
{
	put(w, words->plain);
	if (use->negate)
		wbuf_put_u8(w, '!');
	if (use->option->n_args < 2) {
		put(w, "FIN,SYN,RST,ACK/SYN"); /* what --syn stands for */
		return;
	}
	put(w, use->args[0]);
	wbuf_put_u8(w, '/');
	put(w, use->args[1]);
}

/* ---- options ---- */

static void
put_quoted(struct wbuf *w, const char *value)
{
	wbuf_put_u8(w, '"');
	put(w, value);
	wbuf_put_u8(w, '"');
}

static void
put_known(struct wbuf *w, const struct option_use *use, const struct words *words)
{
	const char *value = use->args[0] ? use->args[0] : "";

	if (use->negate && words->inverted) {
		put(w, words->inverted);
	} else {
		put(w, words->plain);
		if (use->negate)
			wbuf_put_u8(w, '!');
	}
	if (words->shape == SHAPE_COMMENT) {
		put(w, "/* ");
		put(w, value);
		put(w, " */");
	} else {
		put(w, value);
	}
}

/* "hashlimit-mode" of hashlimit is its "mode", "set-rate" of POLICE its "rate". */
static const char *
short_name(const struct rule_module *module, const struct option_use *use)
{
	const char *name = use->option->names[0];
	size_t len = strlen(module->name);

	if (strncasecmp(name, module->name, len) == 0 && name[len] == '-')
		return name + len + 1;
	return strncmp(name, "set-", 4) == 0 ? name + 4 : name;
}

/* iptables: LOG … level 4 prefix "…" */
static bool
is_log(const struct loaded *loaded)
{
	return strcmp(loaded->use.module->name, "LOG") == 0;
}

static bool
is_prefix(const struct option_use *use)
{
	const char *found = strstr(use->option->names[0], "-prefix");

	return found && strcmp(found, "-prefix") == 0;
}

static void
put_unknown(struct wbuf *w, const struct loaded *loaded, const struct option_use *use,
	bool first)
{
	if (first) {
		put(w, loaded->use.module->name);
		wbuf_put_u8(w, ' ');
		/* As listings of Cumulus Linux have it. */
		if (strcmp(loaded->use.module->name, "POLICE") == 0)
			wbuf_put_u8(w, ' ');
	}
	if (use->negate)
		wbuf_put_u8(w, '!');
	put(w, short_name(loaded->use.module, use));
	if (!use->args[0])
		return;
	wbuf_put_u8(w, is_log(loaded) ? ' ' : ':');
	if (is_prefix(use) || use->args[0][0] == '\0' || strpbrk(use->args[0], " \t"))
		put_quoted(w, use->args[0]);
	else
		put(w, use->args[0]);
}

void
acl_extras_put(struct wbuf *w, const struct loaded *loaded, bool numeric)
{
	const struct rule_module *module = loaded->use.module;
	const struct port_style style = { module->name, numeric };
	bool named = false, headed = false;

	for (size_t i = 0; i < module->n_options; i++) {
		const struct option_use *use = loaded->use.uses[i];
		const struct words *words;

		if (!use)
			continue;
		wbuf_put_u8(w, ' ');
		words = find_words(loaded, use->option);
		if (!words) {
			put_unknown(w, loaded, use, !headed);
			headed = true;
			continue;
		}
		if (words->shape == SHAPE_PORTS || words->shape == SHAPE_FLAGS) {
			if (!named) {
				put(w, module->name);
				wbuf_put_u8(w, ' ');
			}
			named = true;
		}
		if (words->shape == SHAPE_PORTS)
			put_ports(w, use, words, &style);
		else if (words->shape == SHAPE_FLAGS)
			put_flags(w, use, words);
		else
			put_known(w, use, words);
	}
}
