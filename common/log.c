/*
 * log.c - formats a line once, escapes it and hands it to the sink.
 *
 * The settings are process-wide and made at start, before threads; the log calls
 * themselves keep no state and write each line with one call, so threads may log.
 */
#include "common/log.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 };

static const char *ident;
static bool to_journal;
static enum log_level max_level = LOG_LEVEL_INFO;
static char *shown_topics;  /* owned; NULL = none */
static log_sink_fn sink_fn; /* NULL = stderr */
static void *sink_data;

/* The priority digit of sd-daemon(3) and the word for a reader at a terminal. */
static const struct {
	const char *priority;
	const char *word;
} level_names[] = {
	[LOG_LEVEL_ERROR] = { "<3>", "error: " },
	[LOG_LEVEL_WARNING] = { "<4>", "warning: " },
	[LOG_LEVEL_NOTICE] = { "<5>", "" },
	[LOG_LEVEL_INFO] = { "<6>", "" },
	[LOG_LEVEL_DEBUG] = { "<7>", "debug: " },
};

/* systemd.exec(5): JOURNAL_STREAM holds device and inode of the stream, so that a
 * program whose stderr was redirected after start can tell. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[48];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino);
	return strcmp(stream, mine) == 0;
}

static struct iovec
piece(const char *text)
{
	return (struct iovec){ (void *)text, strlen(text) };
}

static void
write_stderr(enum log_level level, const char *topic, const char *line)
{
	struct iovec v[7];
	int n = 0;

	if (to_journal) {
		v[n++] = piece(level_names[level].priority);
	} else {
		v[n++] = piece(ident ? ident : "");
		v[n++] = piece(ident ? ": " : "");
		v[n++] = piece(level_names[level].word);
	}
	v[n++] = piece(topic ? topic : "");
	v[n++] = piece(topic ? ": " : "");
	v[n++] = piece(line);
	v[n++] = piece("\n");
	/* A failure here has no better place to go to than stderr. */
	if (writev(STDERR_FILENO, v, n) < 0)
		return;
}

/* Copy @text to @out, control characters as \xNN; what does not fit is cut and "..."
 * shows it. */
static void
escape(const char *text, char *out, size_t size)
{
	static const char cut[] = "...";
	size_t len = 0, max = size - sizeof(cut);

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool control = c < 0x20 || c == 0x7f;

		if (len + (control ? 4 : 1) > max) {
			memcpy(out + len, cut, sizeof(cut));
			return;
		}
		if (control)
			len += (size_t)snprintf(out + len, 5, "\\x%02x", c);
		else
			out[len++] = (char)c;
	}
	out[len] = '\0';
}

__attribute__((format(printf, 3, 0))) static void
emit(enum log_level level, const char *topic, const char *fmt, va_list args)
{
	int saved_errno = errno;
	char raw[LINE_SIZE], line[LINE_SIZE];

	if (vsnprintf(raw, sizeof(raw), fmt, args) < 0)
		snprintf(raw, sizeof(raw), "(cannot format: %s)", fmt);
	escape(raw, line, sizeof(line));
	if (sink_fn)
		sink_fn(level, topic, line, sink_data);
	else
		write_stderr(level, topic, line);
	errno = saved_errno;
}

/* True if @list ("a,b,c") has @word. */
static bool
list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, word, len) == 0 && (p[len] == ',' || p[len] == '\0'))
			return true;
	}
	return false;
}

void
log_open(const char *program)
{
	ident = program;
	to_journal = stderr_is_journal();
}

void
log_set_sink(log_sink_fn sink, void *user_data)
{
	sink_fn = sink;
	sink_data = user_data;
}

void
log_set_level(enum log_level level)
{
	max_level = level;
}

void
log_set_topics(const char *topics)
{
	free(shown_topics);
	shown_topics = topics ? strdup(topics) : NULL;
	if (topics && !shown_topics)
		log_error("debug topics: out of memory, none are shown");
}

bool
log_debug_on(const char *topic)
{
	if (max_level < LOG_LEVEL_DEBUG || !shown_topics)
		return false;
	return list_has(shown_topics, topic) || list_has(shown_topics, "all");
}

/* The four public calls differ in the level only. */
#define EMIT(level, topic, fmt)                                                        \
	do {                                                                           \
		va_list args_;                                                         \
                                                                                       \
		va_start(args_, fmt);                                                  \
		emit(level, topic, fmt, args_);                                        \
		va_end(args_);                                                         \
	} while (0)

void
log_error(const char *fmt, ...)
{
	EMIT(LOG_LEVEL_ERROR, NULL, fmt);
}

void
log_warning(const char *fmt, ...)
{
	if (max_level >= LOG_LEVEL_WARNING)
		EMIT(LOG_LEVEL_WARNING, NULL, fmt);
}

void
log_notice(const char *fmt, ...)
{
	if (max_level >= LOG_LEVEL_NOTICE)
		EMIT(LOG_LEVEL_NOTICE, NULL, fmt);
}

void
log_info(const char *fmt, ...)
{
	if (max_level >= LOG_LEVEL_INFO)
		EMIT(LOG_LEVEL_INFO, NULL, fmt);
}

void
log_debug(const char *topic, const char *fmt, ...)
{
	if (log_debug_on(topic))
		EMIT(LOG_LEVEL_DEBUG, topic, fmt);
}
