/*
 * priv.c - gives up what the daemon does not need: user, groups, capabilities, the
 * chance to gain any, and system calls.
 *
 * The order in priv_drop() is fixed by the kernel: the bounding set needs CAP_SETPCAP
 * and the groups CAP_SETGID, both of which go away with the user.
 */
#include "common/priv.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/parse.h"

int
priv_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct err *err)
{
	struct passwd *pw;
	uint32_t number;

	/* (uid_t)-1 means "leave as it is" in setresuid(2), so it is no user. */
	if (parse_u32(name, 0, UINT32_MAX - 1, &number) == 0) {
		pw = getpwuid(number);
		*ret_uid = number;
		*ret_gid = pw ? pw->pw_gid : number;
		return 0;
	}
	errno = 0;
	pw = getpwnam(name);
	if (!pw && errno && errno != ENOENT)
		return err_sys(err, -errno, "cannot look up the user \"%s\"", name);
	if (!pw)
		return err_set(err, -ENOENT, "there is no user \"%s\"", name);
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	return 0;
}

static bool
is_kept(int cap, const int *keep, int n_keep)
{
	for (int i = 0; i < n_keep; i++)
		if (keep[i] == cap)
			return true;
	return false;
}

/* Without CAP_SETPCAP the set stays: no_new_privs then makes it meaningless. */
static int
drop_bounding(const int *keep, int n_keep, struct err *err)
{
	if (!priv_has(CAP_SETPCAP))
		return 0;
	/* The kernel answers -1 for the first number above its last capability. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!is_kept(cap, keep, n_keep) &&
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_sys(err, -errno,
				"cannot drop capability %d from the bounding set", cap);
	return 0;
}

static bool
has_ids(uid_t uid, gid_t gid)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) < 0 || getresgid(&rgid, &egid, &sgid) < 0)
		return false;
	return ruid == uid && euid == uid && suid == uid && rgid == gid &&
	       egid == gid && sgid == gid;
}

static int
change_ids(uid_t uid, gid_t gid, struct err *err)
{
	bool can_set_groups = priv_has(CAP_SETGID);

	if (!can_set_groups && has_ids(uid, gid))
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(err, -errno, "cannot keep capabilities");
	if (setgroups(0, NULL) < 0)
		return err_sys(err, -errno, "cannot drop supplementary groups");
	if (setresgid(gid, gid, gid) < 0)
		return err_sys(err, -errno, "cannot change to group %u", gid);
	if (setresuid(uid, uid, uid) < 0)
		return err_sys(err, -errno, "cannot change to user %u", uid);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return err_sys(err, -errno, "cannot end keeping capabilities");
	return 0;
}

/* Effective and permitted become @keep; an empty inheritable set empties the ambient.
 */
static int
set_caps(const int *keep, int n_keep, struct err *err)
{
	capng_clear(CAPNG_SELECT_CAPS);
	for (int i = 0; i < n_keep; i++)
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
			    (unsigned)keep[i]) < 0)
			return err_set(
				err, -EINVAL, "there is no capability %d", keep[i]);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return err_set(err, -EPERM, "cannot set the capabilities");
	for (int i = 0; i < n_keep; i++)
		if (!priv_has(keep[i]))
			return err_set(err, -EPERM, "capability %s is missing",
				capng_capability_to_name((unsigned)keep[i]));
	return 0;
}

int
priv_drop(uid_t uid, gid_t gid, const int *keep, int n_keep, struct err *err)
{
	int result = drop_bounding(keep, n_keep, err);

	if (result == 0)
		result = change_ids(uid, gid, err);
	if (result == 0)
		result = set_caps(keep, n_keep, err);
	if (result < 0)
		return result;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, -errno, "cannot set no_new_privs");
	return 0;
}

/* What only an intruder would call: to run programs, to look into or change other
 * processes, the kernel or the view of the system. */
static const char *const deadly_calls[] = {
	"add_key",
	"bpf",
	"delete_module",
	"execve",
	"execveat",
	"finit_module",
	"init_module",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"mount",
	"open_by_handle_at",
	"perf_event_open",
	"pivot_root",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"reboot",
	"request_key",
	"setns",
	"swapoff",
	"swapon",
	"umount2",
	"unshare",
	"userfaultfd",
	NULL,
};

static bool
is_named(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* Give all calls in @names, those in @except left out, the answer @action. */
static int
add_rules(scmp_filter_ctx filter, uint32_t action, const char *const *names,
	const char *const *except)
{
	for (; *names; names++) {
		int number = seccomp_syscall_resolve_name(*names);
		int result;

		if (number == __NR_SCMP_ERROR || is_named(except, *names))
			continue;
		result = seccomp_rule_add(filter, action, number, 0);
		if (result < 0)
			return result;
	}
	return 0;
}

int
priv_seccomp_allow(const char *const *names, struct err *err)
{
	static const char *const no_names[] = { NULL };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int result;

	if (!filter)
		return err_set(err, -ENOMEM, "cannot make a system call filter");
	result = add_rules(filter, SCMP_ACT_ALLOW, names, no_names);
	if (result == 0)
		result = add_rules(filter, SCMP_ACT_KILL_PROCESS, deadly_calls, names);
	/* Threads that run already get the filter, too. */
	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	if (result < 0)
		return err_sys(err, result, "cannot install the system call filter");
	return 0;
}

/* The kernel takes the capabilities that concern files away with an fsuid of 0, and
 * gives them back with it. Neither call tells failure; a second one tells what is. */
static bool
use_file_ids(uid_t uid, gid_t gid)
{
	(void)setfsgid(gid);
	(void)setfsuid(uid);
	return (uid_t)setfsuid((uid_t)-1) == uid && (gid_t)setfsgid((gid_t)-1) == gid;
}

int
priv_files_as_owner(const char *path)
{
	struct stat st;

	if (geteuid() != 0 || stat(path, &st) < 0 || st.st_uid == 0)
		return 0;
	if (use_file_ids(st.st_uid, st.st_gid))
		return 0;
	priv_files_as_self();
	return -EPERM;
}

void
priv_files_as_self(void)
{
	(void)use_file_ids(geteuid(), getegid());
}

bool
priv_has(int cap)
{
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_get_caps_process() == 0 &&
	       capng_have_capability(CAPNG_EFFECTIVE, (unsigned)cap);
}
