/*
 * log.h - levels, sinks and a topic filter.
 *
 * The function that decides what happens next logs, once, with the object's name first
 * ("swp3: …", "acl \"edge\": …"). Pure and state modules do not log. errno survives
 * every call. Control characters become \xNN, so that text from outside can neither
 * start a line of its own nor talk to a terminal; lines above 2 kB are cut and end in
 * "...".
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,   /* the daemon cannot do its task */
	LOG_LEVEL_WARNING, /* degraded, someone should look */
	LOG_LEVEL_NOTICE,  /* start, stop, reload, configuration change */
	LOG_LEVEL_INFO,    /* rare normal events */
	LOG_LEVEL_DEBUG,   /* anything useful, by topic */
};

/** What a line is about: a field of the journal by which it can be found. */
enum log_object {
	LOG_NOTHING,   /* nothing in particular */
	LOG_ACL,       /* TAPGATE_ACL=name */
	LOG_PORT,      /* TAPGATE_PORT=name of the interface */
	LOG_COLLECTOR, /* TAPGATE_COLLECTOR=name or address */
};

/** Receives one finished, escaped line without newline. @topic is set for debug lines,
 * else NULL. Both are valid during the call only. */
typedef void (*log_sink_fn)(
	enum log_level level, const char *topic, const char *line, void *user_data);

/**
 * Choose where lines go: stderr (the start value), or, with the journal behind stderr
 * (JOURNAL_STREAM is set and matches), the journal itself, with fields. What it does
 * not take goes to stderr with a <N> priority prefix.
 * @ident  program name shown in front when stderr is not the journal; borrowed for ever
 */
void log_open(const char *ident);

/** As log_open(), with a journal that listens at @path (tests); borrowed for ever. */
void log_open_journal(const char *ident, const char *path);

/** Replace the sink (tests, fuzzers); NULL restores stderr. */
void log_set_sink(log_sink_fn sink, void *user_data);

/** Lines above @level are dropped. Start value: LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/** Debug topics to show, comma separated without blanks, "all" for every one; copied.
 * NULL = none. They show at LOG_LEVEL_DEBUG only. */
void log_set_topics(const char *topics);

/** True if log_debug(@topic, …) would write: guards costly formatting. */
bool log_debug_on(const char *topic);

/** Write one line at the level that the name says. Any thread may call. */
__attribute__((format(printf, 1, 2))) void log_error(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_warning(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_notice(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *fmt, ...);
/** Write one line at @level (not debug) about @object with the name @name. The line has
 * to name it, too: the field is seen by the journal only. NULL: about nothing. */
__attribute__((format(printf, 4, 5))) void log_about(enum log_level level,
	enum log_object object, const char *name, const char *fmt, ...);

/** Write one line if @topic is shown; "topic: " is put in front of it. */
__attribute__((format(printf, 2, 3))) void log_debug(
	const char *topic, const char *fmt, ...);
