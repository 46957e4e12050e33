/*
 * main.c - tapgate-aclserver: arguments and configuration, then the privileged process
 * or, when started by that one, the HTTP process.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aclserver/attach.h"
#include "aclserver/child.h"
#include "aclserver/commit_lock.h"
#include "aclserver/http_child.h"
#include "aclserver/http_service.h"
#include "aclserver/new_token.h"
#include "aclserver/policy_dir.h"
#include "aclserver/server.h"
#include "aclserver/trust.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/priv.h"

enum { EXIT_BAD_USAGE = 2, CONF_FILE_MAX = 1 << 20 };

enum {
	OPTION_HTTP_PROCESS = 256,
	OPTION_HTTP_WORKER,
	OPTION_HTTP,
	OPTION_PREPARE,
	OPTION_COMMITTER,
	OPTION_NEW_TOKEN,
	OPTION_SCOPE,
};

struct arguments {
	const char *conf_path;
	bool conf_given;       /* then the file has to exist */
	bool check_only;       /* -n */
	bool prepare_only;     /* --prepare */
	bool committer;        /* --committer */
	const char *http;      /* value of CHILD_OPTION, or NULL */
	const char *service;   /* value of --http, or NULL */
	const char *worker;    /* value of HTTP_SERVICE_OPTION, or NULL */
	const char *new_token; /* name of the one to make, or NULL */
	const char *scopes;    /* of it, or NULL */
	int status;            /* to exit with at once; -1 = go on */
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "prepare", no_argument, NULL, OPTION_PREPARE },
	{ "committer", no_argument, NULL, OPTION_COMMITTER },
	{ "new-token", required_argument, NULL, OPTION_NEW_TOKEN },
	{ "scope", required_argument, NULL, OPTION_SCOPE },
	{ "http", optional_argument, NULL, OPTION_HTTP },
	{ "http-worker", required_argument, NULL, OPTION_HTTP_WORKER },
	{ "http-process", required_argument, NULL, OPTION_HTTP_PROCESS },
	{ 0 },
};

static void
print_usage(FILE *out)
{
	fprintf(out,
		"Usage: tapgate-aclserver [-c FILE] [-n | --prepare | --committer]\n"
		"       tapgate-aclserver --http[=SOCKET]\n"
		"       tapgate-aclserver --new-token NAME --scope SCOPE[,SCOPE...]\n"
		"REST server for ACLs: PUT /acl/NAME installs iptables lines.\n\n"
		"  -c, --config FILE  configuration (default %s)\n"
		"  -n, --check        check the configuration and exit\n"
		"  --prepare          only make the policy directory, as root\n"
		"  --committer        only install ACLs; another process serves HTTP\n"
		"  --http[=SOCKET]    only serve HTTP, for the committer at SOCKET\n"
		"                     (default %s)\n"
		"  --new-token NAME   make a token: prints the line for the tokens\n"
		"                     file, and to standard error the token\n"
		"  --scope SCOPE      of it: read, write, write:PREFIX, admin\n"
		"  -V, --version      print the version\n"
		"  -h, --help         print this text\n",
		SERVER_CONF_PATH, ATTACH_DEFAULT_PATH);
}

static void
print_version(void)
{
	printf("tapgate-aclserver %s\n", TAPGATE_VERSION);
}

static void
take_option(struct arguments *args, int option)
{
	switch (option) {
	case 'c':
		args->conf_path = optarg;
		args->conf_given = true;
		break;
	case 'n':
		args->check_only = true;
		break;
	case 'V':
		print_version();
		args->status = EXIT_SUCCESS;
		break;
	case 'h':
		print_usage(stdout);
		args->status = EXIT_SUCCESS;
		break;
	case OPTION_NEW_TOKEN:
		args->new_token = optarg;
		break;
	case OPTION_SCOPE:
		args->scopes = optarg;
		break;
	case OPTION_PREPARE:
		args->prepare_only = true;
		break;
	case OPTION_COMMITTER:
		args->committer = true;
		break;
	case OPTION_HTTP:
		args->service = optarg ? optarg : ATTACH_DEFAULT_PATH;
		break;
	case OPTION_HTTP_WORKER:
		args->worker = optarg;
		break;
	case OPTION_HTTP_PROCESS:
		args->http = optarg;
		break;
	default:
		print_usage(stderr);
		args->status = EXIT_BAD_USAGE;
	}
}

static struct arguments
parse_arguments(int argc, char **argv)
{
	struct arguments args = { .conf_path = SERVER_CONF_PATH, .status = -1 };
	int option, modes;
	bool half;

	while ((option = getopt_long(argc, argv, "c:nhV", long_options, NULL)) != -1)
		take_option(&args, option);
	modes = (args.new_token || args.scopes) + args.check_only + args.prepare_only +
		args.committer + (args.http || args.service || args.worker);
	half = !args.new_token != !args.scopes;
	if (args.status < 0 && optind < argc)
		fprintf(stderr, "tapgate-aclserver: unexpected argument \"%s\"\n",
			argv[optind]);
	else if (args.status < 0 && modes > 1)
		fprintf(stderr, "tapgate-aclserver: options contradict each other\n");
	else if (args.status < 0 && half)
		fprintf(stderr, "tapgate-aclserver: --new-token and --scope belong "
				"together\n");
	if (args.status < 0 && (optind < argc || modes > 1 || half)) {
		print_usage(stderr);
		args.status = EXIT_BAD_USAGE;
	}
	return args;
}

static void
use_log_settings(const struct server_conf *conf)
{
	log_set_level((enum log_level)server_conf_log_level(conf));
	log_set_topics(conf->debug);
}

/* The text of the configuration; none at all is fine where the file was not asked for.
 */
static int
read_conf_text(const struct arguments *args, struct server_spec *spec)
{
	int r = file_read(AT_FDCWD, args->conf_path, CONF_FILE_MAX, &spec->conf_text,
		&spec->conf_len);

	if (r == -ENOENT && !args->conf_given) {
		spec->conf_text = calloc(1, 1);
		spec->conf_len = 0;
		return spec->conf_text ? 0 : -ENOMEM;
	}
	if (r < 0)
		log_error("%s: cannot read: %s", args->conf_path, strerror(-r));
	return r;
}

static int
load_conf(const struct arguments *args, struct server_spec *spec)
{
	int r = read_conf_text(args, spec);

	if (r < 0)
		return r;
	r = server_conf_parse(args->conf_path, spec->conf_text, spec->conf_len,
		&spec->conf, server_log_conf_problem, NULL);
	if (r < 0) {
		free(spec->conf_text);
		return r;
	}
	use_log_settings(&spec->conf);
	r = trust_load(&spec->conf, &spec->conf_text, &spec->conf_len,
		server_log_conf_problem, NULL);
	if (r < 0) {
		server_conf_done(&spec->conf);
		free(spec->conf_text);
	}
	return r;
}

/* What the file alone does not tell. */
static int
check_user(
	const struct server_conf *conf, uid_t *ret_uid, gid_t *ret_gid, struct err *err)
{
	int r = priv_find_user(conf->user, ret_uid, ret_gid, err);

	if (r == 0 && *ret_uid == 0)
		r = err_set(err, -EINVAL,
			"user = %s: the HTTP process must not be root", conf->user);
	return r;
}

static int
serve(struct server_spec *spec)
{
	struct err err;
	struct server *server = server_new(spec, &err);
	int r;

	if (!server) {
		log_error("%s", err.text);
		return EXIT_FAILURE;
	}
	r = server_run(server);
	server_free(server);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What takes root, for a committer that is not. */
static int
prepare(const struct server_conf *conf, uid_t uid, gid_t gid, struct err *err)
{
	int r = policy_dir_prepare(conf->policy_dir, uid, gid, err);

	return r < 0 ? r : commit_lock_hand_over(conf->run_dir, err);
}

static int
run_server(const struct arguments *args)
{
	struct server_spec spec = { .conf_path = args->conf_path,
		.separate = args->committer };
	struct err err;
	uid_t uid;
	gid_t gid;
	int r;

	if (load_conf(args, &spec) < 0)
		return EXIT_FAILURE;
	r = check_user(&spec.conf, &uid, &gid, &err);
	if (r == 0 && args->prepare_only)
		r = prepare(&spec.conf, uid, gid, &err);
	if (r == 0 && !args->check_only && !args->prepare_only)
		return serve(&spec);
	if (r < 0)
		log_error("%s: %s", args->conf_path, err.text);
	else if (args->check_only)
		printf("%s: fine\n", args->conf_path);
	server_conf_done(&spec.conf);
	free(spec.conf_text);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What CHILD_OPTION says: CHANNEL_FD:CONF_FD:UID:GID. */
struct http_arguments {
	uint32_t channel_fd, conf_fd, uid, gid;
};

static int
parse_http_arguments(const char *value, struct http_arguments *ret)
{
	uint32_t *const fields[] = { &ret->channel_fd, &ret->conf_fd, &ret->uid,
		&ret->gid };
	AUTO_FREE char *copy = strdup(value);
	char *rest = copy;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *word = strsep(&rest, ":");

		if (!word || parse_u32(word, 0, UINT32_MAX, fields[i]) < 0)
			return -EINVAL;
	}
	return rest ? -EINVAL : 0;
}

/* The configuration was checked by the committer, who gave it to us. */
static int
run_http_process(const struct http_arguments *args)
{
	AUTO_FREE char *text = NULL;
	struct server_conf conf;
	struct trust trust;
	char path[32];
	size_t len, conf_len;
	int status;

	snprintf(path, sizeof(path), "/proc/self/fd/%u", args->conf_fd);
	if (file_read(AT_FDCWD, path, TRUST_TEXT_MAX, &text, &len) < 0 ||
		trust_take(text, len, &conf_len, &trust) < 0 ||
		server_conf_parse("configuration", text, conf_len, &conf,
			server_log_conf_problem, NULL) < 0)
		return HTTP_CHILD_FAILED;
	close((int)args->conf_fd);
	use_log_settings(&conf);
	status = http_child_run(
		&conf, &trust, (int)args->channel_fd, args->uid, args->gid);
	/* Its threads may still run and use the configuration: nothing is torn down. */
	_exit(status);
}

/* The privileged process started us. */
static int
run_as_child(const char *value)
{
	struct http_arguments args;

	if (parse_http_arguments(value, &args) == 0)
		return run_http_process(&args);
	log_error("%s is not for use by hand", CHILD_OPTION);
	return EXIT_BAD_USAGE;
}

static int
run_as_worker(const char *path)
{
	struct http_arguments args = { .uid = geteuid(), .gid = getegid() };
	int channel_fd, conf_fd;
	struct err err;

	if (attach_connect(path, &channel_fd, &conf_fd, &err) < 0) {
		log_error("%s", err.text);
		return EXIT_FAILURE;
	}
	args.channel_fd = (uint32_t)channel_fd;
	args.conf_fd = (uint32_t)conf_fd;
	return run_http_process(&args);
}

static int
run_http_service(const char *path)
{
	struct err err;

	if (geteuid() == 0) {
		log_error("the HTTP process must not be root");
		return EXIT_FAILURE;
	}
	if (http_service_run(path, &err) == 0)
		return EXIT_SUCCESS;
	log_error("%s", err.text);
	return EXIT_FAILURE;
}

static int
make_token(const struct arguments *args)
{
	struct err err;
	int r = new_token_print(args->new_token, args->scopes, &err);

	if (r == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "tapgate-aclserver: %s\n", err.text);
	return r == -EINVAL ? EXIT_BAD_USAGE : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct arguments args = parse_arguments(argc, argv);

	if (args.status >= 0)
		return args.status;
	if (args.new_token)
		return make_token(&args);
	log_open("tapgate-aclserver");
	if (args.http)
		return run_as_child(args.http);
	if (args.worker)
		return run_as_worker(args.worker);
	return args.service ? run_http_service(args.service) : run_server(&args);
}
