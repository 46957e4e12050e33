/*
 * log.c - formats a line once, escapes it and hands it to the sink.
 *
 * The settings are process-wide and made at start, before threads; the log calls
 * themselves keep no state and write each line with one call, so threads may log. Where
 * the journal is behind stderr it is spoken to directly, as only that carries fields.
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

#include "common/journal.h"

enum { LINE_SIZE = 2048, NAME_SIZE = 256 };

static const char *ident;
static bool to_journal;
static int journal_fd = -1;
static const char *journal_path = JOURNAL_SOCKET;
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

/* One call of the log. */
struct record {
	enum log_level level;
	const char *topic; /* NULL = none */
	enum log_object object;
	const char *name; /* of the object; NULL = none */
};

static void
write_stderr(const struct record *record, const char *line)
{
	struct iovec v[7];
	int n = 0;

	if (to_journal) {
		v[n++] = piece(level_names[record->level].priority);
	} else {
		v[n++] = piece(ident ? ident : "");
		v[n++] = piece(ident ? ": " : "");
		v[n++] = piece(level_names[record->level].word);
	}
	v[n++] = piece(record->topic ? record->topic : "");
	v[n++] = piece(record->topic ? ": " : "");
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

/* False if the journal did not take it. */
static bool
write_journal(const struct record *record, const char *line)
{
	static const char *const keys[] = {
		[LOG_ACL] = "TAPGATE_ACL",
		[LOG_PORT] = "TAPGATE_PORT",
		[LOG_COLLECTOR] = "TAPGATE_COLLECTOR",
	};
	const char priority[] = { level_names[record->level].priority[1], '\0' };
	struct journal_field fields[JOURNAL_FIELDS_MAX];
	char name[NAME_SIZE], message[LINE_SIZE + NAME_SIZE];
	size_t n = 0;

	if (journal_fd < 0)
		return false;
	snprintf(message, sizeof(message), "%s%s%s", record->topic ? record->topic : "",
		record->topic ? ": " : "", line);
	fields[n++] = (struct journal_field){ "MESSAGE", message };
	fields[n++] = (struct journal_field){ "PRIORITY", priority };
	if (ident)
		fields[n++] = (struct journal_field){ "SYSLOG_IDENTIFIER", ident };
	if (record->topic)
		fields[n++] = (struct journal_field){ "TAPGATE_TOPIC", record->topic };
	if (record->object != LOG_NOTHING && record->name) {
		escape(record->name, name, sizeof(name));
		fields[n++] = (struct journal_field){ keys[record->object], name };
	}
	return journal_send(journal_fd, journal_path, fields, n) == 0;
}

__attribute__((format(printf, 2, 0))) static void
emit(const struct record *record, const char *fmt, va_list args)
{
	int saved_errno = errno;
	char raw[LINE_SIZE], line[LINE_SIZE];

	if (vsnprintf(raw, sizeof(raw), fmt, args) < 0)
		snprintf(raw, sizeof(raw), "(cannot format: %s)", fmt);
	escape(raw, line, sizeof(line));
	if (sink_fn)
		sink_fn(record->level, record->topic, line, sink_data);
	else if (!write_journal(record, line))
		write_stderr(record, line);
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
log_open_journal(const char *program, const char *path)
{
	ident = program;
	journal_path = path;
	to_journal = stderr_is_journal();
	if (journal_fd >= 0)
		close(journal_fd);
	/* Without a socket there still is stderr. */
	journal_fd = to_journal ? journal_open() : -1;
}

void
log_open(const char *program)
{
	log_open_journal(program, JOURNAL_SOCKET);
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

/* The public calls differ in the record only. */
#define EMIT(fmt, ...)                                                                 \
	do {                                                                           \
		const struct record record_ = { __VA_ARGS__ };                         \
		va_list args_;                                                         \
                                                                                       \
		va_start(args_, fmt);                                                  \
		emit(&record_, fmt, args_);                                            \
		va_end(args_);                                                         \
	} while (0)

void
log_error(const char *fmt, ...)
{
	EMIT(fmt, .level = LOG_LEVEL_ERROR);
}

void
log_warning(const char *fmt, ...)
{
	if (max_level >= LOG_LEVEL_WARNING)
		EMIT(fmt, .level = LOG_LEVEL_WARNING);
}

void
log_notice(const char *fmt, ...)
{
	if (max_level >= LOG_LEVEL_NOTICE)
		EMIT(fmt, .level = LOG_LEVEL_NOTICE);
}

void
log_info(const char *fmt, ...)
{
	if (max_level >= LOG_LEVEL_INFO)
		EMIT(fmt, .level = LOG_LEVEL_INFO);
}

void
log_about(enum log_level level, enum log_object object, const char *name,
	const char *fmt, ...)
{
	if (max_level >= level)
		EMIT(fmt, .level = level, .object = object, .name = name);
}

void
log_debug(const char *topic, const char *fmt, ...)
{
	if (log_debug_on(topic))
		EMIT(fmt, .level = LOG_LEVEL_DEBUG, .topic = topic);
}
