"""The real programs, with directories and a configuration of their own, in the switch's namespace."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import tempfile

from programs import acl_program, server_program
from rest import Rest
from wait import wait_until

# A number, not a name: a machine that runs the tests need not have the user of the package.
USER = 64123
_SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")


class Policy:
    """Directories as the package would make them, and the files in them."""

    def __init__(self, prefix="tapgate-test-", parent=None):
        self.base = tempfile.mkdtemp(prefix=prefix, dir=parent)
        os.chmod(self.base, 0o755)
        self.conf = os.path.join(self.base, "policy.conf")
        self.directory = os.path.join(self.base, "policy.d")
        self.state = os.path.join(self.base, "state")
        self.run = os.path.join(self.base, "run")
        for path in (self.directory, self.state, self.run):
            os.mkdir(path)
        os.chown(self.directory, 0, USER)
        os.chmod(self.directory, 0o1775)
        with open(self.conf, "w") as file:
            file.write(f"include {self.directory}/*.rules\n")
        self.server_conf = os.path.join(self.base, "aclserver.conf")
        self.settings = {"policy_conf": self.conf, "policy_dir": self.directory, "state_dir": self.state,
                         "run_dir": self.run, "user": USER, "backend": "nftables", "log_level": "debug",
                         "debug": "all"}
        self.write_conf()

    def write_conf(self, **changes):
        """The configuration of the programs, with these keys changed from now on."""
        self.settings.update(changes)
        with open(self.server_conf, "w") as file:
            file.writelines(f"{key} = {value}\n" for key, value in self.settings.items())

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        """An operator's file, put in place at once."""
        with open(self.path("." + name), "w") as file:
            file.write(text)
        os.rename(self.path("." + name), self.path(name))

    def write_rest(self, name, lines):
        """A file as the REST server leaves it behind."""
        path = self.path(f"50rest-{name}.rules")
        with open(path, "w") as file:
            file.writelines(line + "\n" for line in lines)
        os.chown(path, USER, USER)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def remove(self, name):
        os.unlink(self.path(name))

    def names(self):
        return sorted(os.listdir(self.directory))

    def close(self):
        shutil.rmtree(self.base, ignore_errors=True)


def _environment():
    # A sanitizer must end the process that it finds at fault; what it says goes to the log.
    return {**os.environ, "ASAN_OPTIONS": "abort_on_error=0:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1"}


class Server:
    """tapgate-aclserver. Settings are lines of its configuration: Server(ns, policy, threads=8)."""

    def __init__(self, ns, policy, **settings):
        self.ns, self.policy, self.process = ns, policy, None
        self.conf = policy.server_conf
        self.log_path = os.path.join(policy.base, "log")
        policy.write_conf(**settings)

    def write_conf(self, **changes):
        self.policy.write_conf(**changes)

    def command(self, *options):
        return [server_program(), "-c", self.conf, *options]

    def check_conf(self, *options):
        """Run it with -n."""
        return self.ns.run(*self.command("-n", *options), check=False, env=_environment())

    def start(self):
        """Start it and wait until it serves; AssertionError with its log if it does not."""
        self.spawn()
        wait_until(self._serves, "the server answers")
        return self

    def spawn(self):
        with open(self.log_path, "ab") as log:
            self.process = self.ns.popen(*self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         env=_environment())

    def _serves(self):
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.log()}"
        return self.serves()

    def serves(self):
        """Whether it answers right now."""
        client = self.client()
        try:
            return client.get().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()

    def client(self):
        return Rest(self.ns)

    @property
    def pid(self):
        return self.process.pid

    def http_pid(self):
        """Process id of the HTTP process, or None while there is none."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as file:
            children = [int(pid) for pid in file.read().split()]
        return children[0] if len(children) == 1 else None

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        """SIGKILL, and wait until both processes are gone."""
        child = self.http_pid()
        self.process.kill()
        self.process.wait()
        if child:
            wait_until(lambda: not is_alive(child), "the HTTP process ended with its parent")

    def wait_ended(self):
        wait_until(lambda: self.process.poll() is not None, "the server ended")
        return self.process.returncode

    def stop(self):
        """SIGTERM; it must end well and no sanitizer may have spoken."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            self.wait_ended()
        status, self.process = self.process.returncode, None
        assert status in (0, -signal.SIGKILL), f"the server ended with {status}:\n{self.log()}"
        self.check_log()

    def end(self):
        """Whatever a failed test left behind must not go on."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
        finally:
            self.end()

    def check_log(self):
        text = self.log()
        assert not _SANITIZER.search(text), text


def is_alive(pid):
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def run_acl(ns, policy, *options):
    """Run tapgate-acl with the configuration of policy; what subprocess.run() returns, output as text."""
    return ns.run(acl_program(), "-c", policy.server_conf, *options, check=False, env=_environment())
