/*
 * commit_lock.c - flock on a file that carries a counter; see commit_lock.h.
 */
#include "aclserver/commit_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mono.h"
#include "common/priv.h"

enum { LOCK_RETRY_MS = 2 };

/* As the owner of the directory, which may be a daemon's. One that root made while the
 * directory still was root's is only root's to open: no link, of neither kind, leads
 * anywhere. */
static int
open_file(struct commit_lock *lock, const char *run_dir, const char *path)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
	struct stat st;
	int r = priv_files_as_owner(run_dir);

	if (r < 0)
		return r;
	lock->fd = open(path, flags | O_CREAT, 0600);
	r = lock->fd < 0 ? -errno : 0;
	priv_files_as_self();
	if (r != -EACCES || geteuid() != 0)
		return r;
	lock->fd = open(path, flags);
	if (lock->fd < 0)
		return -errno;
	return fstat(lock->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1
		       ? 0
		       : -EACCES;
}

int
commit_lock_open(struct commit_lock *lock, const char *run_dir, struct err *err)
{
	AUTO_FREE char *path = NULL;
	int r;

	lock->fd = -1;
	lock->stamp = 0;
	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "%s: cannot make the directory", run_dir);
	if (asprintf(&path, "%s/acl.lock", run_dir) < 0)
		return err_set(err, -ENOMEM, "%s: out of memory", run_dir);
	r = open_file(lock, run_dir, path);
	return r < 0 ? err_sys(err, r, "%s: cannot open", path) : 0;
}

int
commit_lock_hand_over(const char *run_dir, struct err *err)
{
	AUTO_CLOSE int dir_fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = -1;
	struct stat dir, st;

	if (dir_fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, -errno, "%s", run_dir);
	fd = openat(dir_fd, "acl.lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_sys(err, -errno, "%s/acl.lock", run_dir);
	if (fstat(dir_fd, &dir) < 0 || fstat(fd, &st) < 0)
		return err_sys(err, -errno, "%s/acl.lock", run_dir);
	if (st.st_uid != 0 || dir.st_uid == 0 || !S_ISREG(st.st_mode) ||
		st.st_nlink != 1)
		return 0;
	if (fchown(fd, dir.st_uid, dir.st_gid) < 0)
		return err_sys(
			err, -errno, "%s/acl.lock: cannot give it away", run_dir);
	return 0;
}

void
commit_lock_close(struct commit_lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	lock->fd = -1;
}

/* flock(2) has no time limit of its own, and a signal would be one more thing to share:
 * ask again. */
static int
take_within(int fd, int timeout_ms)
{
	struct mono deadline = mono_add_ms(mono_now(), timeout_ms);

	while (flock(fd, LOCK_EX | (timeout_ms < 0 ? 0 : LOCK_NB)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (!mono_before(mono_now(), deadline))
			return -ETIMEDOUT;
		(void)poll(NULL, 0, LOCK_RETRY_MS);
	}
	return 0;
}

int
commit_lock_take(
	struct commit_lock *lock, int timeout_ms, bool *ret_changed, struct err *err)
{
	uint64_t stamp = 0;
	int r = take_within(lock->fd, timeout_ms);

	if (r == -ETIMEDOUT)
		return err_set(err, r,
			"another tapgate program is committing (waited %d ms)",
			timeout_ms);
	if (r < 0)
		return err_sys(err, r, "cannot lock acl.lock");
	if (pread(lock->fd, &stamp, sizeof(stamp), 0) != (ssize_t)sizeof(stamp))
		stamp = 0; /* a new file */
	*ret_changed = stamp != lock->stamp;
	lock->stamp = stamp;
	return 0;
}

int
commit_lock_bump(struct commit_lock *lock, struct err *err)
{
	lock->stamp++;
	if (pwrite(lock->fd, &lock->stamp, sizeof(lock->stamp), 0) !=
		(ssize_t)sizeof(lock->stamp))
		return err_sys(err, -errno, "cannot write acl.lock");
	return 0;
}

void
commit_lock_release(struct commit_lock *lock)
{
	if (lock->fd >= 0)
		(void)flock(lock->fd, LOCK_UN);
}
