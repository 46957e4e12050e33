/*
 * acl_main.c - tapgate-acl: the command line of cl-acltool.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/acl_tool.h"
#include "aclserver/server_conf.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/priv.h"

enum {
	OPTION_LAST_GOOD = 256,
	OPTION_STRICT,
	OPTION_SAVE,
	OPTION_JSON,
	FILES_MAX = 1000
};

enum action {
	ACTION_NONE,
	ACTION_INSTALL,
	ACTION_FLUSH,
	ACTION_ZERO,
	ACTION_LIST,
	ACTION_VERSION,
	ACTION_HELP
};

struct arguments {
	struct acl_tool tool;
	const char *conf_path; /* of the server, for its directories */
	bool conf_given;
	enum action action;
	unsigned kinds;
	const char *files[FILES_MAX];
};

static const char usage_line[] =
	"usage: tapgate-acl [-h] (-i | -F T | -Z T | -L T | -V) [-p FILE] [-P DIR] "
	"[-n] [-N] "
	"[-v] [-x]\n"
	"                   [-S | --save | --json] [--last-good] [--strict] [-c "
	"CONF]\n";

static const char help_text[] =
	"\nInstalls Cumulus-style policy files as nftables rules.\n\n"
	"  -i, --install          make the kernel equal to the policy\n"
	"  -F, --flush T          remove the rules of kind T: all, ip, ip6 or eb\n"
	"  -Z, --zero-counters T  set their counters to zero\n"
	"  -L, --list T           print them with their counters\n"
	"  -V, --version          print the version\n"
	"  -p, --policy FILE      install only this file (may be repeated)\n"
	"  -P, --policy-dir DIR   install only the files of this directory\n"
	"  -n, --dry-run          check the policy, also with the kernel; change "
	"nothing\n"
	"  -S, --list-rules       with -L, print \"packets bytes rule\" instead of "
	"columns\n"
	"      --save             with -L, print a policy file that installs the same\n"
	"      --json             with -L, print an array of objects\n"
	"  -N, --numeric          ports by number, 0.0.0.0/0 for anywhere\n"
	"  -v, --verbose          name the policy file and line of each rule\n"
	"  -x, --exact            exact counters, no K, M, G\n"
	"      --last-good        install the policy that last went in without error\n"
	"      --strict           refuse what a Cumulus switch would not take; with "
	"-n\n"
	"                         this needs neither root nor the kernel\n"
	"  -c, --config CONF      configuration of tapgate-aclserver, for its "
	"directories\n"
	"  -h, --help             print this text\n"
	"\nExit status: 0 fine, 1 an error in a policy file, 2 wrong usage, 3 refused "
	"by the "
	"kernel.\n";

static const struct option long_options[] = {
	{ "install", no_argument, NULL, 'i' },
	{ "flush", required_argument, NULL, 'F' },
	{ "zero-counters", required_argument, NULL, 'Z' },
	{ "list", required_argument, NULL, 'L' },
	{ "version", no_argument, NULL, 'V' },
	{ "policy", required_argument, NULL, 'p' },
	{ "policy-dir", required_argument, NULL, 'P' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "numeric", no_argument, NULL, 'N' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "exact", no_argument, NULL, 'x' },
	{ "last-good", no_argument, NULL, OPTION_LAST_GOOD },
	{ "strict", no_argument, NULL, OPTION_STRICT },
	{ "list-rules", no_argument, NULL, 'S' },
	{ "save", no_argument, NULL, OPTION_SAVE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

__attribute__((format(printf, 1, 2))) static int
usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs(usage_line, stderr);
	fputs("tapgate-acl: error: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -EINVAL;
}

static int
set_action(struct arguments *args, enum action action, const char *kind)
{
	static const struct {
		const char *name;
		unsigned kinds;
	} names[] = {
		{ "all", ACL_KIND_ALL },
		{ "ip", ACL_KIND_IP },
		{ "ip6", ACL_KIND_IP6 },
		{ "eb", ACL_KIND_EB },
	};

	if (args->action != ACTION_NONE && args->action != action)
		return usage_error(
			"only one of -i/--install -F/--flush -Z/--zero-counters "
			"-L/--list -V/--version is allowed");
	args->action = action;
	if (!kind)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, kind) == 0) {
			args->kinds = names[i].kinds;
			return 0;
		}
	return usage_error(
		"\"%s\" is no kind of rules: choose from all, ip, ip6, eb", kind);
}

static int
add_file(struct arguments *args, const char *path)
{
	if (args->tool.n_files == FILES_MAX)
		return usage_error("more than %d files", FILES_MAX);
	args->files[args->tool.n_files++] = path;
	return 0;
}

static int
set_form(struct arguments *args, enum acl_list_form form)
{
	if (args->tool.form != ACL_LIST_TABLES && args->tool.form != form)
		return usage_error("only one of -S, --save and --json is allowed");
	args->tool.form = form;
	return 0;
}

static int
take_action_option(struct arguments *args, int option)
{
	switch (option) {
	case 'i':
		return set_action(args, ACTION_INSTALL, NULL);
	case 'F':
		return set_action(args, ACTION_FLUSH, optarg);
	case 'Z':
		return set_action(args, ACTION_ZERO, optarg);
	case 'L':
		return set_action(args, ACTION_LIST, optarg);
	case 'V':
		return set_action(args, ACTION_VERSION, NULL);
	case 'h':
		args->action = ACTION_HELP;
		return 0;
	default:
		fputs(usage_line, stderr);
		return -EINVAL;
	}
}

static int
take_option(struct arguments *args, int option)
{
	struct acl_tool *tool = &args->tool;

	switch (option) {
	case 'p':
		return add_file(args, optarg);
	case 'P':
		tool->dir = optarg;
		return 0;
	case 'n':
		tool->dry_run = true;
		return 0;
	case 'N':
		tool->numeric = true;
		return 0;
	case 'S':
		return set_form(args, ACL_LIST_RULES);
	case OPTION_SAVE:
		return set_form(args, ACL_LIST_SAVE);
	case OPTION_JSON:
		return set_form(args, ACL_LIST_JSON);
	case 'v':
		tool->verbose = true;
		return 0;
	case 'x':
		tool->exact = true;
		return 0;
	case OPTION_LAST_GOOD:
		tool->last_good = true;
		return 0;
	case OPTION_STRICT:
		tool->strict = true;
		return 0;
	case 'c':
		args->conf_path = optarg;
		args->conf_given = true;
		return 0;
	default:
		return take_action_option(args, option);
	}
}

static int
check_arguments(const struct arguments *args)
{
	const struct acl_tool *tool = &args->tool;
	bool selects = tool->n_files > 0 || tool->dir || tool->last_good;

	if (args->action == ACTION_NONE)
		return usage_error(
			"one of the arguments -i/--install -F/--flush "
			"-Z/--zero-counters -L/--list -V/--version is required");
	if (args->action != ACTION_INSTALL &&
		(selects || tool->dry_run || tool->strict))
		return usage_error(
			"-p, -P, -n, --last-good and --strict go with -i only");
	if (args->action != ACTION_LIST && tool->form != ACL_LIST_TABLES)
		return usage_error("-S, --save and --json go with -L only");
	if ((tool->n_files > 0) + (tool->dir != NULL) + tool->last_good > 1)
		return usage_error("only one of -p, -P and --last-good is allowed");
	return 0;
}

static int
parse_arguments(int argc, char **argv, struct arguments *ret)
{
	int option;

	*ret = (struct arguments){ .conf_path = SERVER_CONF_PATH };
	ret->tool.files = ret->files;
	while ((option = getopt_long(argc, argv, "hiF:Z:L:Vp:P:nNSvxc:", long_options,
			NULL)) != -1) {
		if (take_option(ret, option) < 0)
			return -EINVAL;
		if (ret->action == ACTION_HELP)
			return 0;
	}
	if (optind < argc)
		return usage_error("unrecognized arguments: %s", argv[optind]);
	return check_arguments(ret);
}

static void
print_problem(const char *file, int line, const char *reason, void *user_data)
{
	(void)user_data;
	if (line > 0)
		fprintf(stderr, "%s:%d: %s\n", file, line, reason);
	else
		fprintf(stderr, "%s: %s\n", file, reason);
}

static enum acl_exit
run_action(const struct arguments *args)
{
	switch (args->action) {
	case ACTION_INSTALL:
		return acl_tool_install(&args->tool);
	case ACTION_FLUSH:
		return acl_tool_flush(&args->tool, args->kinds);
	case ACTION_ZERO:
		return acl_tool_zero(&args->tool, args->kinds);
	case ACTION_LIST:
		return acl_tool_list(&args->tool, args->kinds);
	case ACTION_VERSION:
		printf("tapgate-acl %s\n", TAPGATE_VERSION);
		return ACL_EXIT_OK;
	case ACTION_HELP:
	case ACTION_NONE:
		break;
	}
	fputs(usage_line, stdout);
	fputs(help_text, stdout);
	return ACL_EXIT_OK;
}

int
main(int argc, char **argv)
{
	struct arguments args;
	struct server_conf conf;
	enum acl_exit status;
	gid_t gid;
	int r;

	log_open("tapgate-acl");
	if (parse_arguments(argc, argv, &args) < 0)
		return ACL_EXIT_USAGE;
	if (args.action != ACTION_VERSION && args.action != ACTION_HELP &&
		geteuid() != 0 && !acl_tool_is_offline(&args.tool))
		fputs("tapgate-acl: this needs root\n", stderr);
	if (!args.conf_given && access(args.conf_path, F_OK) < 0)
		r = server_conf_init(&conf);
	else
		r = server_conf_load(args.conf_path, &conf, print_problem, NULL);
	if (r < 0)
		return ACL_EXIT_POLICY;
	args.tool.policy_conf = conf.policy_conf;
	args.tool.run_dir = conf.run_dir;
	args.tool.state_dir = conf.state_dir;
	/* Where there is no such user no server has made files. */
	(void)priv_find_user(conf.user, &args.tool.http_uid, &gid, NULL);
	status = run_action(&args);
	server_conf_done(&conf);
	if (fflush(stdout) != 0 && status == ACL_EXIT_OK) {
		fprintf(stderr, "tapgate-acl: cannot write: %s\n", strerror(errno));
		status = ACL_EXIT_POLICY;
	}
	return status;
}
