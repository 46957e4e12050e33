/*
 * status.h - a snapshot of the agent for people and programs, as plain data.
 *
 * agent_status.c fills it in the daemon, status_json.c writes it and reads it back,
 * status_text.c prints it. What there is to say is one table of fields (status.c), so
 * that the three cannot differ.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

enum {
	STATUS_NAME_SIZE = 288,  /* of a collector: host name and port */
	STATUS_WORD_SIZE = 64,   /* addresses, interface and source names */
	STATUS_TEXT_SIZE = 512,  /* reasons, paths */
	STATUS_LIST_MAX = 20000, /* elements of a list; more are left out */
};

/* The agent itself. */
struct status_agent {
	char version[STATUS_WORD_SIZE];
	uint64_t pid;
	uint64_t uptime_s;
	char configuration[STATUS_TEXT_SIZE]; /* file, or "defaults (…)" */
	char address[STATUS_WORD_SIZE];       /* elected; "" = none */
	char interface[STATUS_WORD_SIZE];     /* that has it; "" = none */
	uint64_t polling_s;                   /* of ports without an own one */
	uint64_t header_bytes;                /* of each sampled packet */
};

/* Discovery of collectors by DNS. */
struct status_dnssd {
	char state[STATUS_WORD_SIZE]; /* off, asking, found, failing, missing, absent */
	char domain[STATUS_TEXT_SIZE];
	uint64_t collectors; /* in use */
	uint64_t standby;    /* that priority or weight rules out */
	uint64_t unresolved; /* without address */
	bool settings;       /* a TXT record sets something */
};

/* Packet samples, all sources together. */
struct status_samples {
	uint64_t received; /* from the sources */
	uint64_t sent;     /* put into datagrams */
	uint64_t lost;     /* known to be lost on the way from the kernel */
	uint64_t refused;  /* not put into a datagram */
	uint64_t unknown_output;
	uint64_t routes;     /* prefixes known for extended_router; 0 = it is off */
	uint64_t max_routes; /* of them */
};

/* Counters of ports and of the host. */
struct status_polling {
	uint64_t ports;        /* polled at present */
	uint64_t port_samples; /* sent */
	uint64_t host_samples; /* sent */
	uint64_t failed;       /* polls that gave no sample */
	uint64_t resets;       /* times that counters of a port began anew */
};

/* What left for the collectors. */
struct status_datagrams {
	uint64_t datagrams; /* each counts once, however many collectors there are */
	uint64_t flow_samples;
	uint64_t counters_samples;
	uint64_t discard_samples;
	uint64_t unaddressed; /* samples while there was no agent address */
	uint64_t refused;     /* samples that no datagram could hold */
};

struct status_collector {
	char name[STATUS_NAME_SIZE]; /* as configured or found */
	char address[STATUS_WORD_SIZE];
	uint64_t port;
	char state[STATUS_TEXT_SIZE]; /* "ok", or what is wrong */
	uint64_t datagrams;           /* taken by the kernel */
	uint64_t bytes;
	uint64_t blocked; /* datagrams dropped: send buffer full */
	uint64_t failed;  /* datagrams dropped: error */
	uint64_t errors;  /* reports of errors */
};

struct status_source {
	char name[STATUS_WORD_SIZE];
	bool listens; /* others have to set up sampling for it */
	uint64_t ports;
	uint64_t refused_ports; /* wanted, but refused by the kernel */
	uint64_t packets;
	uint64_t lost;
	uint64_t overruns;
	uint64_t malformed;
	uint64_t skipped;
	uint64_t suppressed;            /* kept back by a limit of ours */
	bool discards;                  /* gives discarded packets, no samples */
	char trouble[STATUS_TEXT_SIZE]; /* why it does not do what it should; "" = it
					   does */
};

struct status_port {
	char name[STATUS_WORD_SIZE];
	uint64_t ifindex;
	bool up;
	uint64_t speed_bps; /* 0 = not known */
	uint64_t rate; /* 1 in N; 0 = not sampled; with a source that listens: of the
			  last sample */
	char source[STATUS_WORD_SIZE]; /* "" = not sampled */
	char place[STATUS_WORD_SIZE];  /* where: "hardware" or "software"; "" = not
					  known */
	uint64_t samples;
	uint64_t pool; /* modulo 2^32 */
	uint64_t drops;
	uint64_t polling_s;            /* 0 = not polled */
	char module[STATUS_WORD_SIZE]; /* optical module; "" = not known */
	uint64_t counters_sample; /* sequence number of the last one; 0 = none yet */
};

struct status_warning {
	char text[STATUS_TEXT_SIZE];
};

struct status {
	struct status_agent agent;
	struct status_dnssd dnssd;
	struct status_samples samples;
	struct status_polling polling;
	struct status_datagrams datagrams;
	struct status_collector *collectors; /* this and the lists below are owned */
	size_t n_collectors;
	struct status_source *sources;
	size_t n_sources;
	struct status_port *ports;
	size_t n_ports;
	struct status_warning *warnings; /* none: all is well; the gravest first */
	size_t n_warnings;
	bool incomplete; /* an element was left out: memory, STATUS_LIST_MAX */
};

enum status_type { STATUS_TEXT, STATUS_NUMBER, STATUS_FLAG };

struct status_field {
	const char *name; /* NULL ends a table */
	enum status_type type;
	size_t offset; /* in the struct of its part */
	size_t size;   /* STATUS_TEXT only */
};

/* An object of struct status. */
struct status_part {
	const char *name; /* NULL ends the array */
	const struct status_field *fields;
	size_t offset; /* in struct status */
};

/* A list of struct status. */
struct status_list {
	const char *name; /* NULL ends the array */
	const struct status_field *fields;
	size_t items_offset; /* of the pointer, in struct status */
	size_t n_offset;     /* of the count */
	size_t item_size;
	bool plain; /* elements are texts, not objects: the first field */
};

extern const struct status_part status_parts[];
extern const struct status_list status_lists[];

/** Free the lists and zero everything. */
void status_done(struct status *s);

/** Append a zeroed element to @list; NULL, and s->incomplete is set, if it cannot.
 * Valid until the next one. */
void *status_add(struct status *s, const struct status_list *list);
struct status_collector *status_add_collector(struct status *s);
struct status_source *status_add_source(struct status *s);
struct status_port *status_add_port(struct status *s);

/** Append a warning. */
__attribute__((format(printf, 2, 3))) void status_warn(
	struct status *s, const char *fmt, ...);

/** As JSON, lists included. Text owned by the caller (free); NULL: out of memory. */
char *status_json_encode(const struct status *s);

/**
 * Read back what status_json_encode() wrote. Unknown members are ignored, missing ones
 * are 0, so that programs of different versions understand each other.
 * @ret     to be released with status_done(); zeroed on failure
 * Returns  0; -EINVAL, -ENOMEM with the reason
 */
int status_json_decode(
	const char *text, size_t len, struct status *ret, struct err *err);

/** Tables for people; the first line says OK or what is wrong. Control characters in
 * the texts of @s become '?'. */
void status_print(struct status *s, FILE *out);
