/*
 * command.c - runs an external program beside the loop, with a time limit; see
 * command.h.
 */
#include "common/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

struct command {
	pid_t pid;     /* leader of its own process group */
	int pidfd;     /* readable when the program ended */
	int output_fd; /* its stdout and stderr; non-blocking */
	struct loop_source *on_exit, *on_output, *on_time;
	bool timed_out;
	size_t len;
	char output[COMMAND_OUTPUT_MAX + 1];
	command_done_fn done;
	void *user_data;
};

static void
command_free(struct command *command)
{
	loop_remove(command->on_exit);
	loop_remove(command->on_output);
	loop_remove(command->on_time);
	if (command->pidfd >= 0)
		close(command->pidfd);
	if (command->output_fd >= 0)
		close(command->output_fd);
	free(command);
}

/* Runs between fork and exec: async-signal-safe calls only. */
static _Noreturn void
exec_program(const char *const *argv, int output_fd)
{
	static const char failed[] = "cannot be executed\n";
	int null_fd = open("/dev/null", O_RDONLY);
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null_fd >= 0)
		dup2(null_fd, STDIN_FILENO);
	dup2(output_fd, STDOUT_FILENO);
	dup2(output_fd, STDERR_FILENO);
	execv(argv[0], (char *const *)argv);
	(void)!write(STDERR_FILENO, argv[0], strlen(argv[0]));
	(void)!write(STDERR_FILENO, ": ", 2);
	(void)!write(STDERR_FILENO, failed, sizeof(failed) - 1);
	_exit(127);
}

/* What does not fit is read and forgotten, so that the program never blocks on us. */
static void
drain_output(struct command *command)
{
	char rest[4096];
	ssize_t n;

	for (;;) {
		size_t room = COMMAND_OUTPUT_MAX - command->len;

		if (room > 0)
			n = read(command->output_fd, command->output + command->len,
				room);
		else
			n = read(command->output_fd, rest, sizeof(rest));
		if (n <= 0)
			break;
		if (room > 0)
			command->len += (size_t)n;
	}
	if (n == 0 && command->on_output) {
		loop_remove(command->on_output);
		command->on_output = NULL;
	}
}

static void
on_output(struct loop *loop, int fd, unsigned events, void *user_data)
{
	(void)loop, (void)fd, (void)events;
	drain_output(user_data);
}

static int
exit_code(int status, bool timed_out)
{
	if (timed_out)
		return COMMAND_TIMED_OUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
on_exit_ready(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct command *command = user_data;
	struct command_result result;
	int status = 0;

	(void)loop, (void)fd, (void)events;
	if (waitpid(command->pid, &status, WNOHANG) != command->pid)
		return;
	/* A grandchild may hold the pipe open: take what is there, do not wait for its
	 * end. */
	drain_output(command);
	for (size_t i = 0; i < command->len; i++)
		if (command->output[i] == '\0')
			command->output[i] = ' ';
	result.returncode = exit_code(status, command->timed_out);
	result.output = command->output;
	result.output_len = command->len;
	kill(-command->pid, SIGKILL); /* whatever it left behind in its group */
	command->done(&result, command->user_data);
	command_free(command);
}

static void
on_time(struct loop *loop, void *user_data)
{
	struct command *command = user_data;

	(void)loop;
	command->timed_out = true;
	kill(-command->pid, SIGKILL);
}

static int
spawn(struct command *command, const struct command_spec *spec, struct err *err)
{
	AUTO_CLOSE int read_fd = -1;
	AUTO_CLOSE int write_fd = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "%s: pipe", spec->argv[0]);
	read_fd = fds[0];
	write_fd = fds[1];
	if (fcntl(read_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, -errno, "%s: pipe", spec->argv[0]);
	command->pid = fork();
	if (command->pid < 0)
		return err_sys(err, -errno, "%s: fork", spec->argv[0]);
	if (command->pid == 0)
		exec_program(spec->argv, write_fd);
	setpgid(command->pid, command->pid); /* also here: whoever comes first */
	command->pidfd = (int)syscall(SYS_pidfd_open, command->pid, 0);
	if (command->pidfd < 0)
		return err_sys(err, -errno, "%s: pidfd", spec->argv[0]);
	fcntl(command->pidfd, F_SETFD, FD_CLOEXEC);
	command->output_fd = take_fd(&read_fd);
	return 0;
}

static int
watch_program(
	struct command *command, struct loop *loop, const struct command_spec *spec)
{
	command->on_exit =
		loop_add_fd(loop, command->pidfd, LOOP_READ, on_exit_ready, command);
	command->on_output =
		loop_add_fd(loop, command->output_fd, LOOP_READ, on_output, command);
	command->on_time = loop_add_timer(loop, on_time, command);
	if (!command->on_exit || !command->on_output || !command->on_time)
		return -errno;
	loop_timer_in(command->on_time, spec->timeout_ms);
	return 0;
}

struct command *
command_start(struct loop *loop, const struct command_spec *spec, command_done_fn done,
	void *user_data, struct err *err)
{
	struct command *command = calloc(1, sizeof(*command));
	int r;

	if (!command) {
		err_set(err, -ENOMEM, "%s: out of memory", spec->argv[0]);
		return NULL;
	}
	command->pidfd = command->output_fd = -1;
	command->done = done;
	command->user_data = user_data;
	r = spawn(command, spec, err);
	if (r == 0) {
		r = watch_program(command, loop, spec);
		if (r < 0)
			err_sys(err, r, "%s: cannot watch it", spec->argv[0]);
	}
	if (r == 0)
		return command;
	command_cancel(command);
	return NULL;
}

void
command_cancel(struct command *command)
{
	if (!command)
		return;
	if (command->pid > 0) {
		kill(-command->pid, SIGKILL);
		(void)waitpid(command->pid, NULL, 0);
	}
	command_free(command);
}
