/*
 * iface.h - the table of network interfaces, by number and by name. State module.
 *
 * iface_watch.c keeps it up to date from the kernel's events; everybody else reads it,
 * and observers hear of each change at once. A struct iface stays where it is until the
 * interface is gone.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/link_msg.h"
#include "agent/sflow_proto.h"
#include "common/parse.h"

enum {
	IFACE_MAX = 16384, /* interfaces; more are refused and counted */
	IFACE_BUCKETS = 1024,
	IFACE_OBSERVERS_MAX = 16,
	IFACE_ADDRS_MAX = 4096, /* addresses of all interfaces together */
};

/* What an interface runs at. */
struct iface_speed {
	uint64_t bps; /* bit/s; 0 = not known */
	enum sflow_if_direction duplex;
};

struct iface {
	uint32_t index;
	char name[IFNAMSIZ];
	char *alias; /* "" if there is none; owned */
	enum link_kind kind;
	uint16_t hardware;   /* ARPHRD_… */
	unsigned flags;      /* IFF_… */
	bool admin_up;       /* IFF_UP */
	bool oper_up;        /* operational state is up, or unknown but running */
	bool promiscuous;    /* takes frames for others, whoever wants it to */
	bool by_kernel;      /* the kernel says that it is a port of a switch */
	bool is_switch_port; /* as the classifier says: to be sampled and polled */
	bool has_mac;
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t master;    /* ifIndex of its bridge, bond, VRF; 0 = none */
	bool is_lag_member; /* its master is a bond or team */
	bool is_lag_active; /* and packets may leave by it; of a team's: always */
	uint32_t lower;     /* ifIndex of the link below, in this namespace; 0 = none */
	uint16_t vlan_id;   /* LINK_KIND_VLAN only; else 0 */
	bool vlan_remarks;  /* LINK_KIND_VLAN: sets priorities of its own */
	struct iface_speed speed; /* at present */
	uint64_t last_bps; /* last speed that was known: a port that loses its carrier
			      keeps its sampling rate */

	bool seen;               /* in the dump that runs; see iface_remove_unseen() */
	struct iface *next;      /* in the bucket of its number */
	struct iface *next_name; /* in the bucket of its name */
	struct iface *prev_all, *next_all; /* in order of appearance */
};

enum iface_event_kind {
	IFACE_ADDED,   /* a new one */
	IFACE_CHANGED, /* .fields says what; a new name is among them */
	IFACE_REMOVED, /* the interface is valid for the last time */
};

/* What changed. */
enum iface_field {
	IFACE_FIELD_NAME = 1 << 0, /* .old_name had it before */
	IFACE_FIELD_ALIAS = 1 << 1,
	IFACE_FIELD_ADMIN = 1 << 2,
	IFACE_FIELD_OPER = 1 << 3,
	IFACE_FIELD_FLAGS = 1 << 4, /* any of IFF_…, or promiscuous */
	IFACE_FIELD_MAC = 1 << 5,
	IFACE_FIELD_MTU = 1 << 6,
	IFACE_FIELD_MASTER = 1 << 7, /* or is_lag_member; .old_master */
	IFACE_FIELD_LOWER = 1 << 8,
	IFACE_FIELD_SPEED = 1 << 9, /* speed or last_bps */
	IFACE_FIELD_PORT = 1 << 10, /* is_switch_port */
	IFACE_FIELD_KIND = 1 << 11, /* kind, hardware, vlan_id or vlan_remarks */
	IFACE_FIELD_LAG = 1 << 12,  /* is_lag_active */
};

struct iface_event {
	enum iface_event_kind kind;
	const struct iface *iface; /* as it is now; borrowed for the call */
	unsigned fields;           /* enum iface_field; IFACE_CHANGED only */
	const char *old_name;      /* IFACE_FIELD_NAME only */
	uint32_t old_master;       /* IFACE_FIELD_MASTER, and IFACE_REMOVED: the last */
};

/** Hears of a change after it happened. Must not change the table. */
typedef void (*iface_observer_fn)(const struct iface_event *event, void *user_data);
/** Hears that addresses of this machine changed: elect again. */
typedef void (*iface_addrs_fn)(void *user_data);
/** True if @iface is a port to sample and poll (agent_conf_is_port()). */
typedef bool (*iface_classify_fn)(const struct iface *iface, void *user_data);

struct iface_observer {
	iface_observer_fn fn;
	void *user_data;
};

struct iface_table {
	struct iface *by_index[IFACE_BUCKETS]; /* owned */
	struct iface *by_name[IFACE_BUCKETS];
	struct iface *first, *last; /* in order of appearance */
	size_t n;
	struct iface_observer observers[IFACE_OBSERVERS_MAX];
	size_t n_observers;
	iface_classify_fn classify; /* NULL: what the kernel says */
	void *classify_data;
	struct link_addr *addrs; /* owned; n_addrs of addrs_size */
	size_t n_addrs, addrs_size;
	iface_addrs_fn on_addrs; /* may be NULL */
	void *on_addrs_data;
	uint64_t refused; /* interfaces and addresses beyond the limits or memory */
};

/** An empty table. */
void iface_table_init(struct iface_table *t);
/** Free everything, without telling observers. */
void iface_table_done(struct iface_table *t);

/** NULL if there is none. */
struct iface *iface_find(const struct iface_table *t, uint32_t ifindex);
struct iface *iface_find_name(const struct iface_table *t, const char *name);

/** Call @fn for each change from now on, in order of registration. -ENOSPC beyond
 * IFACE_OBSERVERS_MAX. Who comes late asks for what is there with table.first. */
int iface_observe(struct iface_table *t, iface_observer_fn fn, void *user_data);
/** End what iface_observe() began with the same arguments; no-op if it did not. Not
 * from inside an observer. */
void iface_unobserve(struct iface_table *t, iface_observer_fn fn, void *user_data);

/** Set who decides what a switch port is, and decide anew for all interfaces. Called
 * again after a reload, with the same function even. */
void iface_classify(struct iface_table *t, iface_classify_fn fn, void *user_data);

/** Set who hears of addresses; NULL: nobody. */
void iface_on_addrs(struct iface_table *t, iface_addrs_fn fn, void *user_data);

/**
 * Enter what the kernel says of a link: adds or changes.
 *
 * @speed   with it, so that a new interface has its speed from the beginning; NULL = as
 *          before
 * Returns  0; -ENOSPC or -ENOMEM, also counted as refused
 */
int iface_update(struct iface_table *t, const struct link_msg *msg,
	const struct iface_speed *speed);

/** Forget an interface and its addresses; no-op if it is not there. */
void iface_remove(struct iface_table *t, uint32_t ifindex);

/** No-op if the interface is not there. */
void iface_set_speed(
	struct iface_table *t, uint32_t ifindex, const struct iface_speed *speed);

/** Before a dump: nothing was seen. iface_update() marks. */
void iface_mark_unseen(struct iface_table *t);
/** After a complete dump: remove what it did not show. */
void iface_remove_unseen(struct iface_table *t);

/** True if some member of @master is a switch port. */
bool iface_has_port_members(const struct iface_table *t, uint32_t master);

/** Enter or remove one address. 0; -ENOSPC, -ENOMEM. Tells on_addrs if it is news. */
int iface_addr_update(struct iface_table *t, const struct link_addr *addr);
void iface_addr_remove(struct iface_table *t, const struct link_addr *addr);

/** Replace all addresses by those of a dump, and tell on_addrs. 0; -ENOSPC, -ENOMEM,
 * then all is as before. */
int iface_addr_replace(struct iface_table *t, const struct link_addr *addrs, size_t n);
