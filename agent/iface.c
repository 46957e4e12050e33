/*
 * iface.c - the table of network interfaces, and who hears of changes.
 */
#include "agent/iface.h"

#include <errno.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRS_START = 64 };

void
iface_table_init(struct iface_table *t)
{
	memset(t, 0, sizeof(*t));
}

static void
iface_free(struct iface *i)
{
	free(i->alias);
	free(i);
}

void
iface_table_done(struct iface_table *t)
{
	struct iface *next;

	for (struct iface *i = t->first; i; i = next) {
		next = i->next_all;
		iface_free(i);
	}
	free(t->addrs);
	iface_table_init(t);
}

/* Names such as swp1 … swp512 differ in their ends. (FNV-1a) */
static size_t
name_bucket(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash % IFACE_BUCKETS;
}

struct iface *
iface_find(const struct iface_table *t, uint32_t ifindex)
{
	struct iface *i = t->by_index[ifindex % IFACE_BUCKETS];

	while (i && i->index != ifindex)
		i = i->next;
	return i;
}

struct iface *
iface_find_name(const struct iface_table *t, const char *name)
{
	struct iface *i = t->by_name[name_bucket(name)];

	while (i && strcmp(i->name, name) != 0)
		i = i->next_name;
	return i;
}

int
iface_observe(struct iface_table *t, iface_observer_fn fn, void *user_data)
{
	if (t->n_observers == IFACE_OBSERVERS_MAX)
		return -ENOSPC;
	t->observers[t->n_observers++] = (struct iface_observer){ fn, user_data };
	return 0;
}

void
iface_unobserve(struct iface_table *t, iface_observer_fn fn, void *user_data)
{
	for (size_t i = 0; i < t->n_observers; i++) {
		struct iface_observer *o = &t->observers[i];

		if (o->fn != fn || o->user_data != user_data)
			continue;
		t->n_observers--;
		memmove(o, o + 1, (t->n_observers - i) * sizeof(*o));
		return;
	}
}

static void
tell(const struct iface_table *t, const struct iface_event *event)
{
	for (size_t i = 0; i < t->n_observers; i++)
		t->observers[i].fn(event, t->observers[i].user_data);
}

static void
tell_addrs(const struct iface_table *t)
{
	if (t->on_addrs)
		t->on_addrs(t->on_addrs_data);
}

void
iface_on_addrs(struct iface_table *t, iface_addrs_fn fn, void *user_data)
{
	t->on_addrs = fn;
	t->on_addrs_data = user_data;
}

/* The newest holder of a name comes first: after a lost event an old one may still be
 * in the table under the same name. */
static void
link_name(struct iface_table *t, struct iface *i)
{
	struct iface **head = &t->by_name[name_bucket(i->name)];

	i->next_name = *head;
	*head = i;
}

static void
unlink_name(struct iface_table *t, const struct iface *i)
{
	struct iface **link = &t->by_name[name_bucket(i->name)];

	while (*link != i)
		link = &(*link)->next_name;
	*link = i->next_name;
}

/* True if classified otherwise than before. */
static bool
classify_one(const struct iface_table *t, struct iface *i)
{
	bool is_port = t->classify ? t->classify(i, t->classify_data) : i->by_kernel;
	bool changed = is_port != i->is_switch_port;

	i->is_switch_port = is_port;
	return changed;
}

void
iface_classify(struct iface_table *t, iface_classify_fn fn, void *user_data)
{
	t->classify = fn;
	t->classify_data = user_data;
	for (struct iface *i = t->first; i; i = i->next_all) {
		struct iface_event event = {
			.kind = IFACE_CHANGED,
			.iface = i,
			.fields = IFACE_FIELD_PORT,
		};

		if (classify_one(t, i))
			tell(t, &event);
	}
}

/* Takes over a value; the bit of its field if that changed anything. */
#define TAKE(to, from, field)                                                          \
	__extension__({                                                                \
		bool changed_ = (to) != (from);                                        \
		(to) = (from);                                                         \
		changed_ ? (unsigned)(field) : 0;                                      \
	})

/* RFC 2863 states; drivers that set none say unknown and are up if they run. */
static bool
is_oper_up(const struct link_msg *m)
{
	if (m->oper_state == IF_OPER_UNKNOWN)
		return m->flags & IFF_UP && m->flags & IFF_RUNNING;
	return m->oper_state == IF_OPER_UP;
}

static unsigned
take_mac(struct iface *i, const struct link_msg *m)
{
	if (i->has_mac == m->has_mac && memcmp(i->mac, m->mac, sizeof(i->mac)) == 0)
		return 0;
	i->has_mac = m->has_mac;
	memcpy(i->mac, m->mac, sizeof(i->mac));
	return IFACE_FIELD_MAC;
}

/* Without memory the old alias stays: it is shown to people only. */
static unsigned
take_alias(struct iface *i, const struct link_msg *m)
{
	char *alias;

	if (i->alias && strcmp(i->alias, m->alias) == 0)
		return 0;
	alias = strdup(m->alias);
	if (!alias)
		return 0;
	free(i->alias);
	i->alias = alias;
	return IFACE_FIELD_ALIAS;
}

/* Everything but name and speed; which fields changed. */
static unsigned
take_link(struct iface *i, const struct link_msg *m)
{
	bool promiscuous = m->promiscuity > 0 || m->flags & IFF_PROMISC;
	unsigned fields = 0;

	fields |= TAKE(i->kind, m->kind, IFACE_FIELD_KIND);
	fields |= TAKE(i->hardware, m->hardware, IFACE_FIELD_KIND);
	fields |= TAKE(i->vlan_id, m->vlan_id, IFACE_FIELD_KIND);
	fields |= TAKE(i->vlan_remarks, m->vlan_remarks, IFACE_FIELD_KIND);
	fields |= TAKE(i->flags, m->flags, IFACE_FIELD_FLAGS);
	fields |= TAKE(i->promiscuous, promiscuous, IFACE_FIELD_FLAGS);
	fields |= TAKE(i->admin_up, (m->flags & IFF_UP) != 0, IFACE_FIELD_ADMIN);
	fields |= TAKE(i->oper_up, is_oper_up(m), IFACE_FIELD_OPER);
	fields |= TAKE(i->mtu, m->mtu, IFACE_FIELD_MTU);
	fields |= TAKE(i->master, m->master, IFACE_FIELD_MASTER);
	fields |= TAKE(i->is_lag_member, m->is_lag_member, IFACE_FIELD_MASTER);
	fields |= TAKE(i->is_lag_active,
		m->is_bond_member ? m->bond_member.active : m->is_lag_member,
		IFACE_FIELD_LAG);
	fields |= TAKE(i->lower, m->lower, IFACE_FIELD_LOWER);
	i->by_kernel = m->has_switch_id;
	return fields | take_mac(i, m) | take_alias(i, m);
}

static unsigned
take_speed(struct iface *i, const struct iface_speed *speed)
{
	unsigned fields = 0;

	fields |= TAKE(i->speed.bps, speed->bps, IFACE_FIELD_SPEED);
	fields |= TAKE(i->speed.duplex, speed->duplex, IFACE_FIELD_SPEED);
	if (speed->bps != 0)
		fields |= TAKE(i->last_bps, speed->bps, IFACE_FIELD_SPEED);
	return fields;
}

static void
link_iface(struct iface_table *t, struct iface *i)
{
	struct iface **head = &t->by_index[i->index % IFACE_BUCKETS];

	i->next = *head;
	*head = i;
	link_name(t, i);
	i->prev_all = t->last;
	*(t->last ? &t->last->next_all : &t->first) = i;
	t->last = i;
	t->n++;
}

static int
add(struct iface_table *t, const struct link_msg *m, const struct iface_speed *speed)
{
	struct iface *i = t->n < IFACE_MAX ? calloc(1, sizeof(*i)) : NULL;
	struct iface_event event = { .kind = IFACE_ADDED, .iface = i };

	if (!i || (i->alias = strdup(m->alias)) == NULL) {
		free(i);
		t->refused++;
		return t->n < IFACE_MAX ? -ENOMEM : -ENOSPC;
	}
	i->index = m->index;
	memcpy(i->name, m->name, sizeof(i->name));
	(void)take_link(i, m);
	if (speed)
		(void)take_speed(i, speed);
	i->seen = true;
	link_iface(t, i);
	(void)classify_one(t, i);
	tell(t, &event);
	return 0;
}

int
iface_update(struct iface_table *t, const struct link_msg *msg,
	const struct iface_speed *speed)
{
	struct iface *i = iface_find(t, msg->index);
	struct iface_event event = { .kind = IFACE_CHANGED, .iface = i };
	char old_name[IFNAMSIZ];

	if (!i)
		return add(t, msg, speed);
	i->seen = true;
	event.old_master = i->master;
	event.fields = take_link(i, msg);
	if (strcmp(i->name, msg->name) != 0) {
		memcpy(old_name, i->name, sizeof(old_name));
		unlink_name(t, i);
		memcpy(i->name, msg->name, sizeof(i->name));
		link_name(t, i);
		event.fields |= IFACE_FIELD_NAME;
		event.old_name = old_name;
	}
	if (speed)
		event.fields |= take_speed(i, speed);
	if (classify_one(t, i))
		event.fields |= IFACE_FIELD_PORT;
	if (event.fields != 0)
		tell(t, &event);
	return 0;
}

void
iface_set_speed(
	struct iface_table *t, uint32_t ifindex, const struct iface_speed *speed)
{
	struct iface *i = iface_find(t, ifindex);
	struct iface_event event = { .kind = IFACE_CHANGED, .iface = i };

	if (!i)
		return;
	event.fields = take_speed(i, speed);
	if (event.fields != 0)
		tell(t, &event);
}

static void
unlink_iface(struct iface_table *t, struct iface *i)
{
	struct iface **link = &t->by_index[i->index % IFACE_BUCKETS];

	while (*link != i)
		link = &(*link)->next;
	*link = i->next;
	unlink_name(t, i);
	*(i->prev_all ? &i->prev_all->next_all : &t->first) = i->next_all;
	*(i->next_all ? &i->next_all->prev_all : &t->last) = i->prev_all;
	t->n--;
}

static void
remove_addrs_of(struct iface_table *t, uint32_t ifindex)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_addrs; i++) {
		if (t->addrs[i].ifindex != ifindex)
			t->addrs[kept++] = t->addrs[i];
	}
	if (kept == t->n_addrs)
		return;
	t->n_addrs = kept;
	tell_addrs(t);
}

/* Observers may look it up no more, but are shown it. */
static void
remove_iface(struct iface_table *t, struct iface *i)
{
	struct iface_event event = {
		.kind = IFACE_REMOVED,
		.iface = i,
		.old_master = i->master,
	};

	unlink_iface(t, i);
	tell(t, &event);
	remove_addrs_of(t, i->index);
	iface_free(i);
}

void
iface_remove(struct iface_table *t, uint32_t ifindex)
{
	struct iface *i = iface_find(t, ifindex);

	if (i)
		remove_iface(t, i);
}

void
iface_mark_unseen(struct iface_table *t)
{
	for (struct iface *i = t->first; i; i = i->next_all)
		i->seen = false;
}

void
iface_remove_unseen(struct iface_table *t)
{
	struct iface *next;

	for (struct iface *i = t->first; i; i = next) {
		next = i->next_all;
		if (!i->seen)
			remove_iface(t, i);
	}
}

bool
iface_has_port_members(const struct iface_table *t, uint32_t master)
{
	for (const struct iface *i = t->first; i; i = i->next_all) {
		if (i->master == master && i->is_switch_port)
			return true;
	}
	return false;
}

static bool
is_same_addr(const struct link_addr *a, const struct link_addr *b)
{
	return a->ifindex == b->ifindex && a->addr.family == b->addr.family &&
	       a->addr.prefix_len == b->addr.prefix_len &&
	       memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes)) == 0;
}

static struct link_addr *
find_addr(const struct iface_table *t, const struct link_addr *addr)
{
	for (size_t i = 0; i < t->n_addrs; i++) {
		if (is_same_addr(&t->addrs[i], addr))
			return &t->addrs[i];
	}
	return NULL;
}

/* Room for @n addresses. */
static int
reserve_addrs(struct iface_table *t, size_t n)
{
	size_t size = t->addrs_size ? t->addrs_size : ADDRS_START;
	struct link_addr *grown;

	if (n <= t->addrs_size)
		return 0;
	while (size < n)
		size *= 2;
	grown = n <= IFACE_ADDRS_MAX ? realloc(t->addrs, size * sizeof(*grown)) : NULL;
	if (!grown) {
		t->refused++;
		return n <= IFACE_ADDRS_MAX ? -ENOMEM : -ENOSPC;
	}
	t->addrs = grown;
	t->addrs_size = size;
	return 0;
}

int
iface_addr_update(struct iface_table *t, const struct link_addr *addr)
{
	struct link_addr *old = find_addr(t, addr);
	int rc;

	if (old && old->flags == addr->flags && old->scope == addr->scope)
		return 0;
	rc = old ? 0 : reserve_addrs(t, t->n_addrs + 1);
	if (rc < 0)
		return rc;
	*(old ? old : &t->addrs[t->n_addrs++]) = *addr;
	tell_addrs(t);
	return 0;
}

void
iface_addr_remove(struct iface_table *t, const struct link_addr *addr)
{
	struct link_addr *old = find_addr(t, addr);

	if (!old)
		return;
	/* Order is kept: elections prefer what was there first. */
	memmove(old, old + 1,
		(size_t)(t->addrs + t->n_addrs - (old + 1)) * sizeof(*old));
	t->n_addrs--;
	tell_addrs(t);
}

int
iface_addr_replace(struct iface_table *t, const struct link_addr *addrs, size_t n)
{
	int rc = reserve_addrs(t, n);

	if (rc < 0)
		return rc;
	if (n > 0)
		memcpy(t->addrs, addrs, n * sizeof(*addrs));
	t->n_addrs = n;
	tell_addrs(t);
	return 0;
}
