/*
 * driver.c - runs a fuzz target without libFuzzer: every file of the corpus directories
 * on the command line, then mutations of them in an order that is the same every time.
 *
 * It is for the ordinary test run: short, deterministic, with any compiler. When the
 * target dies the input at fault is written to a file in the current directory, which
 * libFuzzer's build of the same target takes as an argument, too.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum {
	INPUT_MAX = 65536,
	SEEDS_MAX = 1024,
	RUNS = 20000,
	TIME_LIMIT_S = 5,
	HANG_LIMIT_S = 30, /* for one input; generous, the machine may be busy */
	MUTATIONS_MAX = 6, /* per input */
	CHUNK_MAX = 32,    /* bytes inserted, removed or copied by one mutation */
};

static const char crash_file[] = "fuzz-crash-input";

struct input {
	uint8_t *data;
	size_t len;
};

struct corpus {
	struct input seeds[SEEDS_MAX]; /* owned */
	size_t n;
};

/* The input that runs now, for the handlers below. */
static struct input running;

/* Part of the sanitizer runtime; absent without it. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* Called in signal context: system calls only. */
static void
save_running(void)
{
	static const char note[] = "the input is in ./fuzz-crash-input\n";
	int fd = open(crash_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	if (write(fd, running.data, running.len) == (ssize_t)running.len)
		(void)!write(STDERR_FILENO, note, sizeof(note) - 1);
	close(fd);
}

static void
on_crash(int signo)
{
	save_running();
	signal(signo, SIG_DFL);
	raise(signo);
}

/* The sanitizers report memory faults themselves and then run the callback. */
static void
catch_crashes(void)
{
	static const int always[] = { SIGABRT, SIGALRM };
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		signal(always[i], on_crash);
	if (__sanitizer_set_death_callback) {
		__sanitizer_set_death_callback(save_running);
		return;
	}
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		signal(faults[i], on_crash);
}

/* Run the target on a copy of exactly @len bytes, so that a read behind it is seen. */
static void
run(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, data, len);
	running = (struct input){ copy, len };
	alarm(HANG_LIMIT_S);
	LLVMFuzzerTestOneInput(copy, len);
	alarm(0);
	free(copy);
}

static bool
load_file(struct corpus *corpus, const char *path)
{
	uint8_t *data = malloc(INPUT_MAX + 1);
	FILE *f = fopen(path, "rb");
	size_t len = 0;

	if (f && data)
		len = fread(data, 1, INPUT_MAX + 1, f);
	if (f)
		fclose(f);
	if (!f || !data || len > INPUT_MAX || corpus->n == SEEDS_MAX) {
		fprintf(stderr, "%s: cannot be read, or too large, or one too many\n",
			path);
		free(data);
		return false;
	}
	corpus->seeds[corpus->n++] = (struct input){ data, len };
	return true;
}

static bool
load_directory(struct corpus *corpus, const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort); /* the same order always */
	bool ok = n >= 0;

	if (!ok)
		perror(path);
	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && !load_file(corpus, file))
			ok = false;
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return ok;
}

/* xorshift64*: small, and the same on every machine. */
static uint32_t
next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 32);
}

/* 0 … @n - 1; 0 if @n is 0. */
static size_t
below(uint64_t *state, size_t n)
{
	return n ? next_random(state) % n : 0;
}

/* Put @n bytes of @from into @input at @at. */
static void
insert(struct input *input, size_t at, const uint8_t *from, size_t n)
{
	if (n > INPUT_MAX - input->len)
		return;
	memmove(input->data + at + n, input->data + at, input->len - at);
	memcpy(input->data + at, from, n);
	input->len += n;
}

static void
insert_random(struct input *input, uint64_t *state)
{
	uint8_t chunk[CHUNK_MAX];
	size_t n = 1 + below(state, CHUNK_MAX);

	for (size_t i = 0; i < n; i++)
		chunk[i] = (uint8_t)next_random(state);
	insert(input, below(state, input->len + 1), chunk, n);
}

static void
remove_chunk(struct input *input, uint64_t *state)
{
	size_t at = below(state, input->len);
	size_t n = 1 + below(state, CHUNK_MAX);

	if (at + n > input->len)
		return;
	memmove(input->data + at, input->data + at + n, input->len - at - n);
	input->len -= n;
}

/* Replace the end by the end of another seed. */
static void
splice_end(struct input *input, const struct input *other, uint64_t *state)
{
	size_t from = below(state, other->len + 1);

	input->len = below(state, input->len + 1);
	insert(input, input->len, other->data + from, other->len - from);
}

/* Copy a piece of another seed (often the same one) into the middle. */
static void
graft(struct input *input, const struct input *other, uint64_t *state)
{
	size_t from = below(state, other->len + 1);
	size_t n = below(state, CHUNK_MAX);

	if (n > other->len - from)
		n = other->len - from;
	insert(input, below(state, input->len + 1), other->data + from, n);
}

static void
mutate(struct input *input, const struct corpus *corpus, uint64_t *state)
{
	/* Values at which lengths, counts and signs go wrong. */
	static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, '\n', '"', ' ', '0' };
	const struct input *other = &corpus->seeds[below(state, corpus->n)];
	size_t at = below(state, input->len);

	switch (input->len ? below(state, 7) : 2) {
	case 0:
		input->data[at] ^= (uint8_t)(1u << below(state, 8));
		break;
	case 1:
		input->data[at] = edges[below(state, sizeof(edges))];
		break;
	case 2:
		insert_random(input, state);
		break;
	case 3:
		remove_chunk(input, state);
		break;
	case 4:
		input->len = at;
		break;
	case 5:
		splice_end(input, other, state);
		break;
	case 6:
		graft(input, other, state);
		break;
	}
}

/* Until RUNS executions or TIME_LIMIT_S; returns how many inputs were made. */
static unsigned
run_mutations(const struct corpus *corpus)
{
	static uint8_t buf[INPUT_MAX];
	uint64_t state = UINT64_C(0x7a9a7e5eed);
	time_t end = time(NULL) + TIME_LIMIT_S;
	unsigned runs;

	for (runs = 0; runs < RUNS && time(NULL) <= end; runs++) {
		const struct input *seed = &corpus->seeds[below(&state, corpus->n)];
		struct input input = { buf, seed->len };
		size_t mutations = 1 + below(&state, MUTATIONS_MAX);

		memcpy(buf, seed->data, seed->len);
		while (mutations--)
			mutate(&input, corpus, &state);
		run(input.data, input.len);
	}
	return runs;
}

int
main(int argc, char **argv)
{
	static struct corpus corpus;
	bool ok = true;
	unsigned runs;

	for (int i = 1; i < argc; i++)
		ok = load_directory(&corpus, argv[i]) && ok;
	if (!ok || corpus.n == 0) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY…, with files in them\n",
			argv[0]);
		return 2;
	}
	catch_crashes();
	for (size_t i = 0; i < corpus.n; i++)
		run(corpus.seeds[i].data, corpus.seeds[i].len);
	runs = run_mutations(&corpus);
	printf("%zu runs\n", corpus.n + runs);
	while (corpus.n)
		free(corpus.seeds[--corpus.n].data);
	return 0;
}
