"""Committer and HTTP process as two services, each with a user of its own and without root, as the units have them."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess

import pytest

from daemon import USER, Server, is_alive, run_acl
from netns import Namespace
from programs import acl_program, process_status, server_program
from wait import wait_until

COMMITTER = 64124
GOOD = ["[iptables]", "-A FORWARD -p udp --dport 53 -j DROP"]
CAPABILITIES = "-all,+net_admin,+dac_read_search"


class Separate(Server):
    """The two processes; what Server does with its process is done with the committer."""

    def __init__(self, ns, policy):
        super().__init__(ns, policy)
        # Others than root may not reach the build.
        self.program = os.path.join(policy.base, "tapgate-aclserver")
        shutil.copy(server_program(), self.program)
        for path in (policy.run, policy.state):
            os.chown(path, COMMITTER, COMMITTER)
        self.http = None

    def _spawn(self, user, capabilities, *options):
        with open(self.log_path, "ab") as log:
            return self.ns.popen("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs",
                                 f"--bounding-set={capabilities}", f"--inh-caps={capabilities}",
                                 f"--ambient-caps={capabilities}", "--", self.program, *options,
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def spawn(self):
        self.spawn_committer()
        wait_until(lambda: os.path.exists(self.socket), "the committer listens")
        self.spawn_http()

    def spawn_committer(self):
        self.process = self._spawn(COMMITTER, CAPABILITIES, "-c", self.conf, "--committer")

    def spawn_http(self):
        self.http = self._spawn(USER, "-all", f"--http={self.socket}")

    @property
    def socket(self):
        return os.path.join(self.policy.run, "http.sock")

    def worker(self):
        """Process id of what serves, or None."""
        with open(f"/proc/{self.http.pid}/task/{self.http.pid}/children") as file:
            children = file.read().split()
        return int(children[0]) if len(children) == 1 else None

    def stop(self):
        if self.http is not None and self.http.poll() is None:
            self.http.terminate()
            wait_until(lambda: self.http.poll() is not None, "the HTTP service ended")
            assert self.http.returncode == 0, self.log()
        super().stop()

    def end(self):
        if self.http is not None and self.http.poll() is None:
            self.http.kill()
            self.http.wait()
        super().end()


@pytest.fixture
def separate(policy):
    with contextlib.ExitStack() as ends:
        ns = Namespace()
        ends.callback(ns.close)
        server = Separate(ns, policy)
        ends.push(server)
        yield server


def test_two_users_serve_without_root(separate):
    separate.start()
    client = separate.client()
    client.install("a", GOOD)
    # What the operator made with a strict umask is read.
    separate.policy.write("10own.rules", "[iptables]\n-A FORWARD -p udp --dport 67 -j DROP\n")
    os.chmod(separate.policy.path("10own.rules"), 0o600)
    separate.reload()
    wait_until(lambda: "dport 67" in separate.ns.run("nft", "list", "ruleset").stdout, "both are installed")
    assert client.put("b", ["[iptables]", "-A FORWARD -p udp --dprt 53 -j DROP"], wait=30).status == 422
    committer, worker = process_status(separate.pid), process_status(separate.worker())
    assert committer["Uid"].split() == [str(COMMITTER)] * 4
    assert int(committer["CapPrm"], 16) == 1 << 12 | 1 << 2
    assert worker["Uid"].split() == [str(USER)] * 4 and int(worker["CapPrm"], 16) == int(worker["CapBnd"], 16) == 0
    assert worker["Seccomp"] == "2" and worker["NoNewPrivs"] == "1"


def test_each_may_die_and_no_acl_is_lost(separate):
    separate.start()
    separate.client().install("a", GOOD)
    rules = separate.ns.run("nft", "list", "ruleset").stdout
    os.kill(separate.worker(), signal.SIGKILL)
    wait_until(lambda: serves_again(separate), "another worker serves")
    separate.process.kill()
    separate.process.wait()
    assert separate.ns.run("nft", "list", "ruleset").stdout == rules
    separate.spawn_committer()
    wait_until(lambda: serves_again(separate), "they found each other")
    assert separate.ns.run("nft", "list", "ruleset").stdout == rules
    separate.client().install("b", GOOD)
    assert separate.http.poll() is None, "the HTTP service itself went on"


def serves_again(server):
    client = server.client()
    try:
        return client.get("a").json() == GOOD
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


def test_a_new_configuration_reaches_the_http_process(separate):
    separate.start()
    client = separate.client()
    client.install("a", GOOD)
    old = separate.worker()
    separate.write_conf(max_lines=2)
    separate.reload()
    wait_until(lambda: separate.worker() not in (None, old) and serves_again(separate), "another worker serves")
    three = GOOD + ["-A FORWARD -p udp --dport 54 -j DROP"]
    assert separate.client().put("a", three).status == 413


def test_strangers_are_turned_away(separate):
    separate.start()
    stranger = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stranger.settimeout(30)
    stranger.connect(separate.socket)
    assert stranger.recv(100) == b""
    stranger.close()
    wait_until(lambda: "turned away" in separate.log(), "it says so")
    separate.client().install("a", GOOD)


def test_the_http_process_can_neither_kill_nor_deceive_the_committer(separate):
    separate.start()
    as_http = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
    for command in (("kill", "-9", str(separate.pid)), ("rm", "-f", separate.socket),
                    ("sh", "-c", f"echo >{separate.policy.run}/acl.lock"),
                    ("sh", "-c", f"echo >{separate.policy.state}/x"),
                    ("sh", "-c", f": <>/proc/{separate.pid}/mem"),
                    ("sh", "-c", f": <>/proc/{separate.http.pid}/mem")):  # has no filter for calls, as the worker has
        assert separate.ns.run(*as_http, *command, check=False).returncode != 0, command
    assert is_alive(separate.pid) and os.path.exists(separate.socket)


def test_root_uses_the_tool_and_the_committer_goes_on(separate):
    """What root makes in the committer's directories belongs to the committer."""
    policy = separate.policy
    policy.write("10own.rules", "[iptables]\n-A FORWARD -p udp --dport 67 -j DROP\n")
    assert run_acl(separate.ns, policy, "-i").returncode == 0
    for top in (policy.run, policy.state):
        for base, directories, files in os.walk(top):
            for name in directories + files:
                assert os.lstat(os.path.join(base, name)).st_uid == COMMITTER, os.path.join(base, name)
    separate.start()
    separate.client().install("a", GOOD)
    assert os.path.exists(os.path.join(policy.state, "last-good", "0000", "50rest-a.rules"))
    policy.write("10own.rules", "[iptables]\n-A FORWARD -p udp --dport 68 -j DROP\n")
    assert run_acl(separate.ns, policy, "-i").returncode == 0
    separate.client().install("a", GOOD + ["-A FORWARD -p udp --dport 54 -j DROP"])


def test_a_lock_that_root_made_first_stops_neither(separate):
    lock = os.path.join(separate.policy.run, "acl.lock")
    with open(lock, "w"):
        os.chmod(lock, 0o600)
    without_override = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    done = separate.ns.run(*without_override, acl_program(), "-c", separate.policy.server_conf, "-i", check=False)
    assert done.returncode == 0, done.stderr
    separate.ns.run(*separate.command("--prepare"))
    assert os.stat(lock).st_uid == COMMITTER
    separate.start()
    separate.client().install("a", GOOD)


def test_a_link_in_the_committers_directory_leads_root_nowhere(separate):
    policy = separate.policy
    target = os.path.join(policy.base, "precious")
    os.mkdir(target)
    os.makedirs(os.path.join(policy.state, "last-good"))
    os.chown(os.path.join(policy.state, "last-good"), COMMITTER, COMMITTER)
    os.symlink(target, os.path.join(policy.state, "last-good", "0000"))
    policy.write("10own.rules", "[iptables]\n-A FORWARD -p udp --dport 67 -j DROP\n")
    done = run_acl(separate.ns, policy, "-i")
    assert done.returncode == 0 and "no copies" in done.stderr
    assert os.listdir(target) == []


def test_prepare_makes_the_policy_directory_and_nothing_else(separate):
    os.rmdir(separate.policy.directory)
    done = separate.ns.run(*separate.command("--prepare"))
    assert done.stdout == "" and separate.ns.run("nft", "list", "tables").stdout == ""
    found = os.stat(separate.policy.directory)
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (0, USER, 0o1775)


def test_modes_that_cannot_be_are_refused(separate):
    for options, reason in (((*separate.command("--committer", "--prepare"),), "contradict"),
                            ((server_program(), "--http=" + separate.socket), "must not be root")):
        done = separate.ns.run(*options, check=False)
        assert done.returncode in (1, 2) and reason in done.stderr
    separate.write_conf(user=COMMITTER)
    separate.spawn_committer()
    assert separate.process.wait() == 1 and "must not run as the user of the HTTP process" in separate.log()
    separate.process = None
