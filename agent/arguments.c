/*
 * arguments.c - see arguments.h.
 */
#include "agent/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "agent/auto_file.h"
#include "agent/status_server.h"

enum { EXIT_BAD_USAGE = 2 };

enum { OPTION_RECORD = 256, OPTION_RUN_DIR, OPTION_RESOLV_CONF, OPTION_JSON };

static const char usage[] =
	"Usage: tapgate-agent [-f FILE] [OPTION...]\n"
	"       tapgate-agent -n [-f FILE]\n"
	"       tapgate-agent status [--json]\n"
	"       tapgate-agent cleanup\n"
	"sFlow agent: samples packets, polls counters, sends them to collectors.\n\n"
	"  -f FILE             configuration (default " AGENT_LOAD_PATH ")\n"
	"  -n                  check the configuration, print it in full, exit\n"
	"  -o FILE             settings in use, for other programs (default\n"
	"                      " AUTO_FILE_PATH "; \"\" = none)\n"
	"  -u UUID             of this system, instead of the configuration's\n"
	"  -d                  stay in the foreground, which it always does;\n"
	"                      twice: debug messages\n"
	"  --user NAME         run as this user (name or number)\n"
	"  --run-dir DIR       of the status socket (default " STATUS_SERVER_RUN_DIR
	")\n"
	"  --resolv-conf FILE  instead of /etc/resolv.conf\n"
	"  --record FILE       record the samples as they come from the kernel\n"
	"  -v, -V, --version   print the version\n"
	"  -h, --help          print this text\n";

static const struct option long_options[] = {
	{ "user", required_argument, NULL, 'U' },
	{ "run-dir", required_argument, NULL, OPTION_RUN_DIR },
	{ "resolv-conf", required_argument, NULL, OPTION_RESOLV_CONF },
	{ "record", required_argument, NULL, OPTION_RECORD },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* False: usage is to be printed. */
static bool
take_option(struct arguments *args, int option)
{
	struct agent_options *agent = &args->agent;
	struct err err;

	switch (option) {
	case 'f':
		agent->load.path = optarg;
		agent->load.required = true;
		return true;
	case 'n':
		return args->check = true;
	case 'o':
		agent->auto_path = optarg;
		return true;
	case 'u':
		agent->load.has_uuid = true;
		if (agent_load_parse_uuid(optarg, agent->load.uuid, &err) == 0)
			return true;
		fprintf(stderr, "tapgate-agent: -u: %s\n", err.text);
		return false;
	case 'd':
		return ++args->debug;
	case 'U':
		agent->user = optarg;
		return true;
	case OPTION_RUN_DIR:
		agent->run_dir = optarg;
		return true;
	case OPTION_RESOLV_CONF:
		agent->resolv_conf = optarg;
		return true;
	case OPTION_RECORD:
		agent->record_path = optarg;
		return true;
	case OPTION_JSON:
		return args->json = true;
	}
	return false;
}

/* What stands behind the options; returns how many words were understood. */
static int
take_command(struct arguments *args, char **words, int n)
{
	args->ask = n > 0 && strcmp(words[0], "status") == 0;
	args->cleanup = n > 0 && strcmp(words[0], "cleanup") == 0;
	return args->ask || args->cleanup;
}

struct arguments
arguments_parse(int argc, char **argv)
{
	struct arguments args = {
		.agent = { .load.path = AGENT_LOAD_PATH,
			.auto_path = AUTO_FILE_PATH,
			.run_dir = STATUS_SERVER_RUN_DIR },
		.exit_status = -1,
	};
	bool fine = true;
	int option, n_words;

	while (fine && (option = getopt_long(
				argc, argv, "f:no:u:dvVh", long_options, NULL)) != -1) {
		if (option == 'v' || option == 'V')
			args.exit_status =
				printf("tapgate-agent %s\n", TAPGATE_VERSION) < 0;
		else if (option == 'h')
			args.exit_status = fputs(usage, stdout) < 0;
		else
			fine = take_option(&args, option);
	}
	n_words = take_command(&args, argv + optind, argc - optind);
	if (fine && optind + n_words < argc)
		fprintf(stderr, "tapgate-agent: unexpected argument \"%s\"\n",
			argv[optind + n_words]);
	if (!fine || optind + n_words < argc || (args.json && !args.ask)) {
		fputs(usage, stderr);
		args.exit_status = EXIT_BAD_USAGE;
	}
	return args;
}
