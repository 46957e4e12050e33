/*
 * names.h - protocol and service names, from this machine's databases.
 *
 * The compiler's only question to the outside. Tests replace the source, so that they
 * do not depend on /etc/services.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct names_source {
	/** Port of service @name over @proto ("tcp"), host order; -ENOENT. */
	int (*service)(const char *name, const char *proto, uint16_t *ret_port);
	/** Number of protocol @name; -ENOENT. */
	int (*protocol)(const char *name, uint8_t *ret_proto);
	/** The opposite of service: a name of less than @size bytes; -ENOENT. */
	int (*service_name)(
		uint16_t port, const char *proto, char *ret_name, size_t size);
};

/** Ask @source from now on (borrowed for ever); NULL restores the system's databases.
 * Not while another thread compiles. */
void names_set_source(const struct names_source *source);

/** Port of service @name over protocol @proto, or else over udp or tcp (policies have
 * "-p tcp --dport bootps", which /etc/services once knew), host order; 0 or -ENOENT.
 * May read /etc/services. */
int names_service(const char *name, const char *proto, uint16_t *ret_port);

/** IP protocol by name in any case: those in common use first, "icmp6", "icmpv6" and
 * "ipv6-icmp" among them; then the system's. 0 or -ENOENT. May read /etc/protocols. */
int names_protocol(const char *name, uint8_t *ret_proto);

/** Name of the service at @port over @proto ("tcp") into @ret_name; 0, or -ENOENT when
 * there is none or it has not less than @size bytes. May read /etc/services. */
int names_of_service(uint16_t port, const char *proto, char *ret_name, size_t size);

/** Canonical name of a protocol in common use, NULL for others. */
const char *names_of_protocol(uint8_t proto);
