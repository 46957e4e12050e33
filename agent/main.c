/*
 * main.c - tapgate-agent: the daemon, the check of its configuration, the question how
 * it is, or what is to be done after a crash.
 */
#include <stdio.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/agent_conf.h"
#include "agent/arguments.h"
#include "agent/cleanup_run.h"
#include "agent/status_client.h"
#include "common/cleanup.h"
#include "common/log.h"

static int
check(const struct arguments *args)
{
	struct agent_conf *conf;
	char *text AUTO_FREE = NULL;

	if (agent_load(&args->agent.load, true, &conf, NULL) < 0)
		return EXIT_FAILURE;
	text = agent_conf_print(conf);
	agent_conf_free(conf);
	return text && fputs(text, stdout) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run(const struct arguments *args)
{
	struct agent *agent;
	struct err err;
	int r;

	log_open("tapgate-agent");
	if (args->debug > 1) {
		log_set_level(LOG_LEVEL_DEBUG);
		log_set_topics("all");
	}
	agent = agent_new(&args->agent, &err);
	if (!agent) {
		log_error("%s", err.text);
		return EXIT_FAILURE;
	}
	r = agent_run(agent);
	agent_free(agent);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct arguments args = arguments_parse(argc, argv);

	if (args.exit_status >= 0)
		return args.exit_status;
	if (args.ask)
		return status_client_run(args.agent.run_dir, args.json);
	if (args.cleanup)
		return cleanup_run(args.agent.run_dir);
	return args.check ? check(&args) : run(&args);
}
