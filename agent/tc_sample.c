/*
 * tc_sample.c - sampling filters in the kernel; see tc_sample.h.
 *
 * matchall cannot be changed, so another rate is a new filter in the place of the old.
 */
#include "agent/tc_sample.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/tc_request.h"
#include "common/log.h"
#include "common/nl.h"

enum {
	CHECKS = 8,          /* filters looked at per second for no reason */
	EVENT_BYTES = 65536, /* of the socket's queue; beyond it all are looked at */
};

/* One filter that is wanted, or was found. */
struct entry {
	struct tc_filter f;
	bool present; /* in the kernel, as far as we know */
	bool suspect; /* somebody may have removed it */
};

struct tc_sample {
	struct tc_sample_options options;
	bool without_tags; /* the kernel cannot have them in samples: see tc_msg.h */
	struct netlink *nl, *events;  /* owned */
	struct loop_source *readable; /* owned by the loop */
	uint32_t own_port;            /* netlink address of nl */
	struct entry *entries;        /* sorted by port, then hook; owned */
	size_t n;
	size_t next_check;
	size_t n_refused;        /* ports, by the last set */
	struct err last_refusal; /* that was logged */
};

static int
compare_entries(const void *a, const void *b)
{
	const struct tc_filter *x = &((const struct entry *)a)->f,
			       *y = &((const struct entry *)b)->f;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return (x->hook > y->hook) - (x->hook < y->hook);
}

static struct entry *
find_entry(const struct tc_sample *t, uint32_t ifindex, enum tc_hook hook)
{
	const struct entry key = { .f = { .ifindex = ifindex, .hook = hook } };

	return t->n == 0
		       ? NULL
		       : bsearch(&key, t->entries, t->n, sizeof(key), compare_entries);
}

/* Keep the filter of ours at one hook, if there is one. */
static int
find_hook(struct tc_sample *t, uint32_t ifindex, enum tc_hook hook, struct err *err)
{
	struct tc_request_hook state;
	int rc = tc_request_read_hook(t->nl, ifindex, hook, &state, err);

	if (rc == -ENODEV)
		return 0;
	if (rc == 0 && state.has_ours)
		t->entries[t->n++] = (struct entry){ .f = state.ours, .present = true };
	return rc;
}

/* Fill t->entries with all filters of ours. */
static int
find_all(struct tc_sample *t, struct err *err)
{
	struct tc_request_list list;
	int rc = tc_request_list(t->nl, &list, err);

	if (rc == 0 && list.n > 0) {
		t->entries = calloc(list.n * TC_HOOKS, sizeof(*t->entries));
		rc = t->entries ? 0 : err_sys(err, -ENOMEM, "traffic control");
	}
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		for (enum tc_hook hook = 0; rc == 0 && hook < TC_HOOKS; hook++)
			rc = find_hook(t, list.ifindexes[i], hook, err);
	}
	free(list.ifindexes);
	if (t->n > 0)
		qsort(t->entries, t->n, sizeof(*t->entries), compare_entries);
	return rc;
}

int
tc_sample_load(struct err *err)
{
	struct netlink *nl = tc_request_open(err);
	int rc = nl ? tc_request_load(nl, err) : err->code;

	netlink_close(nl);
	return rc;
}

int
tc_sample_remove(struct err *err)
{
	struct tc_sample t = { .nl = tc_request_open(err) };
	int rc = t.nl ? find_all(&t, err) : err->code;

	for (size_t i = 0; rc == 0 && i < t.n; i++)
		rc = tc_request_uninstall(t.nl, &t.entries[i].f, err);
	free(t.entries);
	netlink_close(t.nl);
	return rc;
}

/* Watching what others do. */

static void
suspect_all(struct tc_sample *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->entries[i].suspect = true;
}

static int
on_event(const struct nlmsghdr *h, void *user_data)
{
	struct tc_sample *t = user_data;
	const struct tcmsg *tc = NLMSG_DATA(h);

	if (h->nlmsg_type != RTM_DELTFILTER && h->nlmsg_type != RTM_DELQDISC)
		return 0;
	if (h->nlmsg_pid == t->own_port || h->nlmsg_len < NLMSG_LENGTH(sizeof(*tc)))
		return 0;
	for (enum tc_hook hook = 0; hook < TC_HOOKS; hook++) {
		struct entry *e = find_entry(t, (uint32_t)tc->tcm_ifindex, hook);

		if (e)
			e->suspect = true;
	}
	return 0;
}

static void
on_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct tc_sample *t = user_data;

	(void)loop, (void)fd, (void)events;
	if (netlink_receive(t->events, on_event, t) < 0)
		suspect_all(t);
}

static int
watch(struct tc_sample *t, struct loop *loop, struct err *err)
{
	const struct netlink_options options = {
		.protocol = NETLINK_ROUTE,
		.receive_bytes = EVENT_BYTES,
		.batch = 8,
	};
	struct sockaddr_nl address;
	socklen_t len = sizeof(address);
	int rc;

	if (getsockname(netlink_fd(t->nl), (struct sockaddr *)&address, &len) < 0)
		return err_sys(err, -errno, "traffic control: address of the socket");
	t->own_port = address.nl_pid;
	t->events = netlink_open(&options, err);
	if (!t->events)
		return err->code;
	rc = netlink_join(t->events, RTNLGRP_TC, err);
	if (rc < 0)
		return rc;
	t->readable =
		loop_add_fd(loop, netlink_fd(t->events), LOOP_READ, on_readable, t);
	return t->readable ? 0 : err_sys(err, -errno, "traffic control: events");
}

struct tc_sample *
tc_sample_open(
	struct loop *loop, const struct tc_sample_options *options, struct err *err)
{
	struct tc_sample *t = calloc(1, sizeof(*t));
	int rc;

	if (!t) {
		(void)err_sys(err, -ENOMEM, "traffic control");
		return NULL;
	}
	t->options = *options;
	t->nl = tc_request_open(err);
	rc = t->nl ? watch(t, loop, err) : err->code;
	/* From here on no change is missed. */
	if (rc == 0)
		rc = find_all(t, err);
	if (rc == 0) {
		if (t->n > 0)
			log_notice("psample: %zu sampling filters of an earlier agent "
				   "are there",
				t->n);
		return t;
	}
	tc_sample_close(t);
	return NULL;
}

void
tc_sample_close(struct tc_sample *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		struct err err;

		if (t->entries[i].present &&
			tc_request_uninstall(t->nl, &t->entries[i].f, &err) < 0)
			log_warning("psample: filter of interface %u stays: %s",
				t->entries[i].f.ifindex, err.text);
	}
	loop_remove(t->readable);
	netlink_close(t->events);
	netlink_close(t->nl);
	free(t->entries);
	free(t);
}

/* Setting. */

static int
free_pref(const struct tc_request_hook *state, uint16_t *ret, struct err *err)
{
	for (uint16_t pref = 1; pref < TC_REQUEST_PREFS; pref++) {
		if (!(state->taken & UINT64_C(1) << pref)) {
			*ret = pref;
			return 0;
		}
	}
	return err_set(err, -ENOSPC, "the preferences 1 to %d are all taken",
		TC_REQUEST_PREFS - 1);
}

/* First the driver, then the kernel. @err: what the last of them says. */
static int
add_anywhere(struct tc_sample *t, struct tc_filter *f, struct err *err)
{
	int rc;

	f->hardware = true;
	rc = tc_request_add(t->nl, f, err);
	if (rc == 0 || rc == -ENODEV)
		return rc;
	if (t->options.hardware_only)
		return err_prefix(err, "in hardware");
	f->hardware = false;
	f->tags = true;
	rc = t->without_tags ? -ENOENT : tc_request_add(t->nl, f, err);
	if (rc == 0 || rc == -ENODEV)
		return rc;
	f->tags = false;
	rc = tc_request_add(t->nl, f, err);
	if (rc == 0 && !t->without_tags)
		log_notice("psample: this kernel cannot move VLAN tags (act_vlan): "
			   "samples of tagged packets go without");
	t->without_tags |= rc == 0;
	return rc;
}

/* Put @f, which has all but preference and place, into the kernel. */
static int
install(struct tc_sample *t, struct tc_filter *f, const char *name, struct err *err)
{
	struct tc_request_hook state;
	bool made = false;
	int rc = tc_request_add_qdisc(t->nl, f->ifindex, &made, err);

	if (rc < 0)
		return rc;
	f->owns_qdisc |= made;
	rc = tc_request_read_hook(t->nl, f->ifindex, f->hook, &state, err);
	if (rc == 0 && state.has_ours) /* it was thought to be gone */
		rc = tc_request_remove(t->nl, &state.ours, err);
	if (rc == 0)
		rc = free_pref(&state, &f->pref, err);
	if (rc == 0)
		rc = add_anywhere(t, f, err);
	if (rc < 0 && f->owns_qdisc)
		tc_request_remove_empty_qdisc(t->nl, f->ifindex);
	if (rc == 0 && f->pref > 1)
		log_notice("%s: filters of others come before the sampling, which has "
			   "preference %u: what they drop is not sampled",
			name, f->pref);
	return rc;
}

static bool
same_filter(const struct tc_filter *a, const struct tc_filter *b)
{
	return a->rate == b->rate && a->group == b->group &&
	       a->header_bytes == b->header_bytes;
}

/* Is @f where, and made as, it would be today? */
static bool
fits_place(const struct tc_sample *t, const struct tc_filter *f)
{
	if (f->hardware)
		return true;
	return !t->options.hardware_only && (f->tags || t->without_tags);
}

/* Make @e, which is wanted, out of @old, which was, or NULL. */
static int
change(struct tc_sample *t, struct entry *e, struct entry *old, const char *name,
	struct err *err)
{
	int rc = 0;

	if (old && old->present) {
		const bool fits = same_filter(&e->f, &old->f) && fits_place(t, &old->f);

		old->present = false;
		if (fits) {
			*e = (struct entry){
				.f = old->f, .present = true, .suspect = old->suspect
			};
			return 0;
		}
		e->f.owns_qdisc = old->f.owns_qdisc;
		rc = tc_request_remove(t->nl, &old->f, err);
		if (rc == -ENOENT)
			rc = 0;
	}
	if (rc == 0)
		rc = install(t, &e->f, name, err);
	e->present = rc == 0;
	return rc;
}

/* Both directions of one port; @entries has room for them. Returns how many it took.
 * @err: written only if it was refused. */
static size_t
change_port(struct tc_sample *t, const struct source_port *port, struct entry *entries,
	struct err *err)
{
	bool refused = false, owns_qdisc = false;
	size_t n = 0;

	for (enum tc_hook hook = 0; hook < TC_HOOKS; hook++) {
		struct entry *old = find_entry(t, port->ifindex, hook);
		struct entry *e = &entries[n];
		struct err why = { 0 };

		if (!t->options.wanted[hook])
			continue;
		n++;
		*e = (struct entry){ .f = { .ifindex = port->ifindex,
					     .hook = hook,
					     .rate = port->rate,
					     .group = t->options.group[hook],
					     .header_bytes = port->header_bytes,
					     .owns_qdisc = owns_qdisc } };
		if (change(t, e, old, port->name, &why) < 0) {
			(void)err_set(err, why.code, "%s: %s", port->name, why.text);
			refused = true;
		}
		owns_qdisc |= e->f.owns_qdisc;
	}
	t->n_refused += refused;
	return n;
}

static void
log_refusal(struct tc_sample *t, const struct err *why)
{
	if (t->n_refused == 0) {
		err_clear(&t->last_refusal);
		return;
	}
	if (strcmp(why->text, t->last_refusal.text) == 0)
		return;
	log_notice("psample: %zu port%s cannot be sampled, the last one is %s",
		t->n_refused, t->n_refused == 1 ? "" : "s", why->text);
	t->last_refusal = *why;
}

/* What is still marked as present in the old list is wanted no more. */
static void
remove_rest(struct tc_sample *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct err err;

		if (t->entries[i].present &&
			tc_request_uninstall(t->nl, &t->entries[i].f, &err) < 0)
			log_warning("psample: a filter of interface %u cannot be "
				    "removed: %s",
				t->entries[i].f.ifindex, err.text);
	}
}

size_t
tc_sample_set(struct tc_sample *t, const struct source_port *ports, size_t n)
{
	struct entry *fresh = calloc(n * TC_HOOKS + 1, sizeof(*fresh));
	struct err why = { 0 };
	size_t n_fresh = 0;

	if (!fresh) {
		log_error("psample: filters: %s", strerror(ENOMEM));
		return n;
	}
	t->n_refused = 0;
	for (size_t i = 0; i < n; i++)
		n_fresh += change_port(t, &ports[i], &fresh[n_fresh], &why);
	remove_rest(t);
	free(t->entries);
	t->entries = fresh;
	t->n = n_fresh;
	log_refusal(t, &why);
	return t->n_refused;
}

/* True if it is as we know it. */
static bool
is_there(struct tc_sample *t, struct entry *e)
{
	struct tc_request_hook state;

	e->suspect = false;
	if (!e->present ||
		tc_request_read_hook(t->nl, e->f.ifindex, e->f.hook, &state, NULL) < 0)
		return true; /* refused before, or the port goes */
	e->present = state.has_ours && same_filter(&state.ours, &e->f);
	return e->present;
}

bool
tc_sample_check(struct tc_sample *t)
{
	bool fine = true;

	for (size_t i = 0; i < CHECKS && i < t->n; i++)
		t->entries[t->next_check++ % t->n].suspect = true;
	for (size_t i = 0; i < t->n; i++) {
		if (t->entries[i].suspect)
			fine &= is_there(t, &t->entries[i]);
	}
	return fine;
}

enum tc_sample_place
tc_sample_place(const struct tc_sample *t, uint32_t ifindex)
{
	for (enum tc_hook hook = 0; hook < TC_HOOKS; hook++) {
		const struct entry *e = find_entry(t, ifindex, hook);

		if (e && e->present)
			return e->f.hardware ? TC_SAMPLE_HARDWARE : TC_SAMPLE_SOFTWARE;
	}
	return TC_SAMPLE_NOWHERE;
}
