/*
 * loop.c - the epoll loop: descriptors, a heap of timers, one signalfd.
 *
 * Timers need no descriptor of their own: the nearest one bounds the time-out of
 * epoll_wait(), rounded up to whole milliseconds, and due timers run after the
 * descriptors of the same turn. A source that is removed while callbacks run may still
 * stand in the list of ready ones; it is only marked then and freed when the outermost
 * turn ends.
 */
#include "common/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/cleanup.h"

enum {
	EVENTS_PER_TURN = 64,
	SIGNALS_PER_READ = 8,
	SIGNAL_MAX = 64, /* highest signal number of Linux */
	HEAP_START = 16,
};

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL };
enum timer_state { TIMER_IDLE, TIMER_ARMED, TIMER_DUE };

/* Doubly linked list through the head: an empty list points to itself. */
struct link {
	struct link *next, *prev;
};

struct loop_source {
	struct link all;   /* in loop.sources, or in loop.removed; first member */
	struct link due;   /* in loop.due while timer.state is TIMER_DUE */
	struct loop *loop; /* borrowed: owns this source */
	enum source_kind kind;
	bool removed; /* waits to be freed, must not be called */
	void *user_data;
	union {
		struct {
			int fd;          /* borrowed */
			unsigned events; /* LOOP_READ, LOOP_WRITE */
			loop_fd_fn fn;
		} io;
		struct {
			enum timer_state state;
			struct mono when;
			uint64_t
				order; /* of arming: equal moments fire in this order */
			size_t index;  /* in the heap while TIMER_ARMED */
			loop_timer_fn fn;
		} timer;
		struct {
			int signo;
			loop_signal_fn fn;
		} signal;
	};
};

struct loop {
	int epoll_fd;
	int signal_fd; /* -1 until the first signal source */
	sigset_t signal_set;
	struct loop_source *signals[SIGNAL_MAX + 1]; /* by number, borrowed */
	struct link sources;                         /* all that are not removed */
	struct link removed;                         /* to be freed when depth is 0 */
	struct link due; /* timers taken from the heap to be run in this turn */
	struct loop_source **heap; /* armed timers, nearest first; borrowed */
	size_t heap_len, heap_size;
	size_t n_timers;     /* timer sources; heap_size is never less */
	uint64_t next_order; /* of the next arming */
	int depth;           /* of nested loop_turn() */
	bool stopping;       /* loop_stop() was called */
	int result;          /* what loop_run() returns then */
};

static void
list_init(struct link *head)
{
	head->next = head->prev = head;
}

static bool
list_is_empty(const struct link *head)
{
	return head->next == head;
}

static void
list_append(struct link *head, struct link *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

static void
list_unlink(struct link *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

static struct loop_source *
source_of_due(struct link *due)
{
	return (struct loop_source *)((char *)due - offsetof(struct loop_source, due));
}

static bool
fires_before(const struct loop_source *a, const struct loop_source *b)
{
	if (a->timer.when.ns != b->timer.when.ns)
		return mono_before(a->timer.when, b->timer.when);
	return a->timer.order < b->timer.order;
}

static void
heap_place(struct loop *loop, size_t index, struct loop_source *timer)
{
	loop->heap[index] = timer;
	timer->timer.index = index;
}

static void
heap_up(struct loop *loop, struct loop_source *timer)
{
	size_t i = timer->timer.index;

	while (i > 0 && fires_before(timer, loop->heap[(i - 1) / 2])) {
		heap_place(loop, i, loop->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_place(loop, i, timer);
}

static void
heap_down(struct loop *loop, struct loop_source *timer)
{
	size_t i = timer->timer.index, child;

	while ((child = 2 * i + 1) < loop->heap_len) {
		if (child + 1 < loop->heap_len &&
			fires_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!fires_before(loop->heap[child], timer))
			break;
		heap_place(loop, i, loop->heap[child]);
		i = child;
	}
	heap_place(loop, i, timer);
}

static void
heap_add(struct loop *loop, struct loop_source *timer)
{
	heap_place(loop, loop->heap_len++, timer);
	heap_up(loop, timer);
}

static void
heap_remove(struct loop *loop, struct loop_source *timer)
{
	struct loop_source *last = loop->heap[--loop->heap_len];

	if (last == timer)
		return;
	heap_place(loop, timer->timer.index, last);
	heap_up(loop, last);
	heap_down(loop, last);
}

/* Room for one more timer, taken when the timer is made, so that arming cannot fail. */
static int
heap_reserve(struct loop *loop)
{
	size_t size = loop->heap_size ? loop->heap_size * 2 : HEAP_START;
	struct loop_source **heap;

	if (loop->n_timers < loop->heap_size)
		return 0;
	heap = realloc(loop->heap, size * sizeof(struct loop_source *));
	if (!heap)
		return -ENOMEM;
	loop->heap = heap;
	loop->heap_size = size;
	return 0;
}

static struct loop_source *
source_new(struct loop *loop, enum source_kind kind, void *user_data)
{
	struct loop_source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->loop = loop;
	source->kind = kind;
	source->user_data = user_data;
	list_append(&loop->sources, &source->all);
	list_init(&source->due);
	return source;
}

static void
source_free(struct loop_source *source)
{
	list_unlink(&source->all);
	free(source);
}

static void
free_list(struct link *head)
{
	while (!list_is_empty(head))
		source_free((struct loop_source *)head->next);
}

static uint32_t
to_epoll(unsigned events)
{
	return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
	       (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

/* An error or hang-up also counts as what was asked for: the read or write that follows
 * is what fetches the error and so ends the condition. */
static unsigned
from_epoll(uint32_t epoll_events, unsigned wanted)
{
	unsigned events = (epoll_events & EPOLLIN ? LOOP_READ : 0) |
			  (epoll_events & EPOLLOUT ? LOOP_WRITE : 0);

	if (epoll_events & (EPOLLHUP | EPOLLERR))
		events |= LOOP_HANGUP | (wanted & (LOOP_READ | LOOP_WRITE));
	return events;
}

struct loop_source *
loop_add_fd(struct loop *loop, int fd, unsigned events, loop_fd_fn fn, void *user_data)
{
	struct loop_source *source = source_new(loop, SOURCE_FD, user_data);
	struct epoll_event event = { .events = to_epoll(events), .data.ptr = source };

	if (!source)
		return NULL;
	source->io.fd = fd;
	source->io.events = events;
	source->io.fn = fn;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		source_free(source);
		return NULL;
	}
	return source;
}

int
loop_set_events(struct loop_source *source, unsigned events)
{
	struct epoll_event event = { .events = to_epoll(events), .data.ptr = source };

	if (source->io.events == events)
		return 0;
	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->io.fd, &event) < 0)
		return -errno;
	source->io.events = events;
	return 0;
}

struct loop_source *
loop_add_timer(struct loop *loop, loop_timer_fn fn, void *user_data)
{
	struct loop_source *timer;

	if (heap_reserve(loop) < 0)
		return NULL;
	timer = source_new(loop, SOURCE_TIMER, user_data);
	if (!timer)
		return NULL;
	timer->timer.fn = fn;
	loop->n_timers++;
	return timer;
}

void
loop_timer_stop(struct loop_source *timer)
{
	if (timer->timer.state == TIMER_ARMED)
		heap_remove(timer->loop, timer);
	else if (timer->timer.state == TIMER_DUE)
		list_unlink(&timer->due);
	timer->timer.state = TIMER_IDLE;
}

void
loop_timer_at(struct loop_source *timer, struct mono when)
{
	assert(!timer->removed);
	loop_timer_stop(timer);
	timer->timer.state = TIMER_ARMED;
	timer->timer.when = when;
	timer->timer.order = timer->loop->next_order++;
	heap_add(timer->loop, timer);
}

void
loop_timer_in(struct loop_source *timer, int64_t ms)
{
	loop_timer_at(timer, mono_add_ms(mono_now(), ms));
}

static int
dispatch_signals(struct loop *loop)
{
	struct signalfd_siginfo info[SIGNALS_PER_READ];
	ssize_t got = read(loop->signal_fd, info, sizeof(info));
	int count = 0;

	/* EAGAIN: another reader, such as a nested turn, was faster. */
	for (ssize_t i = 0; i < got / (ssize_t)sizeof(info[0]); i++) {
		struct loop_source *source = loop->signals[info[i].ssi_signo];

		if (!source)
			continue;
		source->signal.fn(loop, (int)info[i].ssi_signo, source->user_data);
		count++;
	}
	return count;
}

/* Tell the kernel the present signal set; the first call makes the descriptor. */
static int
update_signal_fd(struct loop *loop)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	AUTO_CLOSE int fd = -1;

	if (loop->signal_fd >= 0)
		return signalfd(loop->signal_fd, &loop->signal_set, 0) < 0 ? -1 : 0;
	fd = signalfd(-1, &loop->signal_set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -1;
	loop->signal_fd = take_fd(&fd);
	return 0;
}

static int
block_signal(int signo)
{
	sigset_t set;
	int error;

	sigemptyset(&set);
	sigaddset(&set, signo);
	error = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (error)
		errno = error;
	return error ? -1 : 0;
}

struct loop_source *
loop_add_signal(struct loop *loop, int signo, loop_signal_fn fn, void *user_data)
{
	struct loop_source *source;

	if (signo < 1 || signo > SIGNAL_MAX || loop->signals[signo]) {
		errno = signo < 1 || signo > SIGNAL_MAX ? EINVAL : EEXIST;
		return NULL;
	}
	source = source_new(loop, SOURCE_SIGNAL, user_data);
	if (!source)
		return NULL;
	source->signal.signo = signo;
	source->signal.fn = fn;
	sigaddset(&loop->signal_set, signo);
	if (block_signal(signo) < 0 || update_signal_fd(loop) < 0) {
		sigdelset(&loop->signal_set, signo);
		source_free(source);
		return NULL;
	}
	loop->signals[signo] = source;
	return source;
}

/* Take @source out of the kernel's and our own tables. */
static void
detach(struct loop_source *source)
{
	struct loop *loop = source->loop;

	switch (source->kind) {
	case SOURCE_FD:
		/* Fails only if the owner closed the descriptor before, which ends
		 * the watch as well. */
		(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->io.fd, NULL);
		break;
	case SOURCE_TIMER:
		loop_timer_stop(source);
		loop->n_timers--;
		break;
	case SOURCE_SIGNAL:
		loop->signals[source->signal.signo] = NULL;
		sigdelset(&loop->signal_set, source->signal.signo);
		/* Cannot fail for a descriptor that exists. */
		(void)update_signal_fd(loop);
		break;
	}
}

void
loop_remove(struct loop_source *source)
{
	struct loop *loop;

	if (!source || source->removed)
		return;
	loop = source->loop;
	detach(source);
	source->removed = true;
	list_unlink(&source->all);
	list_append(&loop->removed, &source->all);
	if (loop->depth == 0)
		free_list(&loop->removed);
}

struct loop *
loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return NULL;
	}
	loop->signal_fd = -1;
	sigemptyset(&loop->signal_set);
	list_init(&loop->sources);
	list_init(&loop->removed);
	list_init(&loop->due);
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (!list_is_empty(&loop->sources))
		loop_remove((struct loop_source *)loop->sources.next);
	free_list(&loop->removed);
	if (loop->signal_fd >= 0)
		close(loop->signal_fd);
	close(loop->epoll_fd);
	free(loop->heap);
	free(loop);
}

/* How long epoll_wait() may wait so that neither @timeout_ms nor a timer is missed. */
static int
wait_ms(const struct loop *loop, int timeout_ms)
{
	int64_t ms, ns;

	if (!list_is_empty(&loop->due))
		return 0;
	if (loop->heap_len == 0 || timeout_ms == 0)
		return timeout_ms;
	ns = loop->heap[0]->timer.when.ns - mono_now().ns;
	if (ns <= 0)
		return 0;
	ms = (ns - 1) / 1000000 + 1;
	if (ms > INT_MAX)
		ms = INT_MAX;
	return timeout_ms < 0 || ms < timeout_ms ? (int)ms : timeout_ms;
}

static int
dispatch_events(struct loop *loop, const struct epoll_event *events, int n)
{
	int count = 0;

	for (int i = 0; i < n && !loop->stopping; i++) {
		struct loop_source *source = events[i].data.ptr;

		if (!source) {
			count += dispatch_signals(loop);
			continue;
		}
		if (source->removed)
			continue;
		source->io.fn(loop, source->io.fd,
			from_epoll(events[i].events, source->io.events),
			source->user_data);
		count++;
	}
	return count;
}

/* All timers that are due now leave the heap before the first one runs: a timer that is
 * armed again for the past waits for the next turn, and cannot starve descriptors. */
static int
dispatch_timers(struct loop *loop)
{
	struct mono now = mono_now();
	int count = 0;

	while (loop->heap_len && !mono_before(now, loop->heap[0]->timer.when)) {
		struct loop_source *timer = loop->heap[0];

		heap_remove(loop, timer);
		timer->timer.state = TIMER_DUE;
		list_append(&loop->due, &timer->due);
	}
	while (!list_is_empty(&loop->due) && !loop->stopping) {
		struct loop_source *timer = source_of_due(loop->due.next);

		list_unlink(&timer->due);
		timer->timer.state = TIMER_IDLE;
		timer->timer.fn(loop, timer->user_data);
		count++;
	}
	return count;
}

int
loop_turn(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(
		loop->epoll_fd, events, EVENTS_PER_TURN, wait_ms(loop, timeout_ms));
	int count;

	if (n < 0 && errno != EINTR)
		return -errno;
	loop->depth++;
	count = dispatch_events(loop, events, n);
	count += dispatch_timers(loop);
	if (--loop->depth == 0)
		free_list(&loop->removed);
	return count;
}

int
loop_run(struct loop *loop)
{
	while (!loop->stopping) {
		int n = loop_turn(loop, -1);

		if (n < 0)
			return n;
	}
	loop->stopping = false;
	return loop->result;
}

void
loop_stop(struct loop *loop, int result)
{
	loop->stopping = true;
	loop->result = result;
}
