/*
 * agent_load.c - see agent_load.h.
 */
#include "agent/agent_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent_conf_table.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

enum { LINE_SIZE = ERR_TEXT_SIZE };

/* Where findings go. */
struct findings {
	bool plain;
	struct err *err; /* gets the first error */
};

static void
log_finding(enum conf_severity severity, const char *line)
{
	if (severity == CONF_ERROR)
		log_error("%s", line);
	else if (severity == CONF_WARNING)
		log_warning("%s", line);
	else
		log_info("%s", line);
}

static void
on_finding(enum conf_severity severity, const char *file, int line, const char *text,
	void *user_data)
{
	static const char *const words[] = {
		[CONF_ERROR] = "", [CONF_WARNING] = "warning: ", [CONF_NOTE] = "note: "
	};
	struct findings *findings = user_data;
	char where[LINE_SIZE] = "", full[LINE_SIZE];

	if (line > 0)
		snprintf(where, sizeof(where), ":%d", line);
	snprintf(full, sizeof(full), "%s%s: %s%s", file, where,
		findings->plain ? words[severity] : "", text);
	if (findings->plain)
		fprintf(stderr, "%s\n", full);
	else
		log_finding(severity, full);
	if (severity == CONF_ERROR && findings->err && findings->err->code == 0)
		err_set(findings->err, -EINVAL, "%s", full);
}

static int
parse_file(const struct agent_load_options *options, struct findings *findings,
	struct agent_conf **ret_conf)
{
	const struct agent_conf_reporter reporter = { on_finding, findings };
	char *text AUTO_FREE = NULL;
	size_t len;
	int r = file_read(
		AT_FDCWD, options->path, AGENT_CONF_FILE_MAX_BYTES, &text, &len);

	if (r == -ENOENT && !options->required) {
		*ret_conf = agent_conf_default();
		return *ret_conf ? AGENT_LOAD_DEFAULTS : -ENOMEM;
	}
	if (r < 0) {
		char reason[LINE_SIZE];

		snprintf(reason, sizeof(reason), "cannot read: %s", strerror(-r));
		on_finding(CONF_ERROR, options->path, 0, reason, findings);
		return r;
	}
	r = agent_conf_parse(options->path, text, len, &reporter, ret_conf);
	return r < 0 ? r : AGENT_LOAD_FILE;
}

int
agent_load(const struct agent_load_options *options, bool plain,
	struct agent_conf **ret_conf, struct err *err)
{
	struct findings findings = { .plain = plain, .err = err };
	struct agent_conf *conf = NULL;
	int r;

	err_clear(err);
	r = parse_file(options, &findings, &conf);
	if (r < 0)
		return err && err->code ? r : err_sys(err, r, "%s", options->path);
	if (options->has_uuid) {
		conf->has_uuid = true;
		memcpy(conf->uuid, options->uuid, sizeof(conf->uuid));
	}
	*ret_conf = conf;
	return r;
}

int
agent_load_parse_uuid(const char *text, uint8_t ret[16], struct err *err)
{
	/* The same parser as for the file, which takes its values as words. */
	return agent_conf_put_uuid(NULL, text, ret, NULL, err);
}
