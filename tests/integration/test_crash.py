"""SIGKILL at any moment: what was acknowledged is there afterwards, nothing half-written is ever read, and packets that
an ACL drops do not slip through while the server is away."""

import http.client
import os
import random
import re
import shutil
import subprocess
import threading

import pytest

from daemon import Server, run_acl
from lab import ROUTED, Lab, fill
from netns import Switch
from packets import Packet
from programs import Flood, Sink
from rest import Rest
from wait import wait_until

LINES = 300  # of each ACL: long enough that half of one could be seen


def content(name, serial):
    """Lines that tell from any one of them which content they belong to."""
    return ["[iptables]", *(f"# {name} {serial} {line}" for line in range(LINES)),
            f"-A FORWARD -p udp --dport {serial % 65536} -j DROP"]


def serial_of(name, lines):
    """The serial of a whole content; AssertionError for a part of one or a mixture."""
    match = re.match(r"# \w+ (\d+) 0$", lines[1]) if len(lines) > 1 else None
    assert match, f"{name} is not whole: {len(lines)} lines"
    assert lines == content(name, int(match[1])), f"{name} is not whole"
    return int(match[1])


class Writer(threading.Thread):
    """PUTs one name again and again, and remembers what it tried and what was acknowledged."""

    def __init__(self, server, name, first):
        super().__init__()
        self.server, self.acl_name, self.serial = server, name, first
        self.acknowledged, self.stop = None, False

    def run(self):
        client = Rest(self.server.ns, retry=False)
        while not self.stop:
            self.serial += 1
            try:
                if client.put(self.acl_name, content(self.acl_name, self.serial)).status == 202:
                    self.acknowledged = self.serial
                    continue
            except (OSError, http.client.HTTPException):
                pass
            break  # the server is gone; whether this one counts is open
        client.close()


def check_files(policy):
    """Every file under a name that is read is whole. Returns {name: serial}."""
    found = {}
    for file in policy.names():
        match = re.match(r"50rest-(\w+)\.rules$", file)
        if match:
            found[match[1]] = serial_of(match[1], policy.read(file).splitlines())
        else:
            assert not file.endswith(".rules"), f"{file} would be read"
    return found


@pytest.mark.parametrize("victim", ("server", "http", "both"))
def test_what_was_acknowledged_survives_sigkill_at_random_moments(own_server, victim):
    random.seed(victim)
    serial = 0
    own_server.start()
    for _ in range(10):
        writers = [Writer(own_server, f"w{number}", serial) for number in range(4)]
        for writer in writers:
            writer.start()
        goal = random.randrange(1, 60)
        wait_until(lambda: sum((w.acknowledged or serial) - serial for w in writers) >= goal, "some PUTs")
        pids = {"server": [own_server.pid], "http": [own_server.http_pid()],
                "both": [own_server.http_pid(), own_server.pid]}[victim]
        for pid in pids:
            os.kill(pid, 9)
        for writer in writers:
            writer.stop = True
            writer.join()
        if victim == "http":
            wait_until(lambda: own_server.http_pid() not in (None, pids[0]), "a new HTTP process")
        else:
            own_server.process.wait()
        found = check_files(own_server.policy)
        for writer in writers:
            if writer.acknowledged is not None:
                assert writer.acknowledged <= found[writer.acl_name] <= writer.serial
        if victim != "http":
            own_server.start()
        wait_until(lambda: own_server.serves(), "it serves again")
        client = own_server.client()
        assert {name: serial_of(name, client.get(name).json()) for name in client.get().json()} == found
        client.close()
        serial = max(w.serial for w in writers) + 1
    # What is on disk is what is in the kernel.
    client = own_server.client()
    client.install("end", ["[iptables]"])
    listing = run_acl(own_server.ns, own_server.policy, "-L", "ip", "-S").stdout
    client.remove("end")
    for name, last in check_files(own_server.policy).items():
        assert f"--dport {last % 65536} " in listing, (name, listing)
    assert all(name.startswith("50rest-") for name in own_server.policy.names()), "half-written files are swept"


# Every step of a PUT: strace shows which system calls a PUT is made of, and kills before each of them in turn.


def strace_reason():
    if not shutil.which("strace"):
        return "strace is not installed"
    done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return f"strace does not work here: {done.stderr.strip()}" if done.returncode else None


class Tracer:
    """strace attached to all threads of the HTTP process."""

    def __init__(self, pid, output, *options):
        self.process = subprocess.Popen(["strace", "-f", "-o", output, "-p", str(pid), *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        tasks = [f"/proc/{pid}/task/{task}/status" for task in os.listdir(f"/proc/{pid}/task")]
        wait_until(lambda: all(traced(task) for task in tasks), "strace is attached")

    def finish(self):
        """Let go, with everything written out."""
        self.process.terminate()
        self.process.communicate()

    def kill(self):
        """Let go at once: strace may wait for ever for a thread that its own SIGKILL has ended."""
        self.process.kill()
        self.process.communicate()


def traced(status):
    with open(status) as file:
        return "TracerPid:\t0\n" not in file.read()


# What tells nothing about a PUT: waiting, locking, memory.
UNINTERESTING = {"futex", "poll", "ppoll", "epoll_wait", "select", "clock_nanosleep", "restart_syscall", "exit", "mmap",
                 "munmap", "mprotect", "madvise", "brk", "rt_sigprocmask", "gettid", "getpid", "sched_yield"}


def calls_of_a_put(server, tmp_path):
    """[(system call, how many times it was made)] of one PUT of a new name."""
    output = str(tmp_path / "trace")
    tracer = Tracer(server.http_pid(), output, "-qq")
    client = server.client()
    assert client.put("probe", content("probe", 1)).status == 202
    client.close()
    tracer.finish()
    counts = {}
    with open(output) as file:
        for line in file:
            match = re.match(r"\d+ +(\w+)\(", line)
            if match and match[1] not in UNINTERESTING:
                counts[match[1]] = counts.get(match[1], 0) + 1
    return sorted(counts.items())


def test_sigkill_at_every_step_of_a_put(own_server, tmp_path):
    reason = strace_reason()
    if reason:
        pytest.skip(reason)
    own_server.start()
    steps = [(call, n) for call, count in calls_of_a_put(own_server, tmp_path) for n in range(1, count + 1)]
    names = {call for call, _ in steps}
    assert names & {"fsync", "fdatasync", "syncfs"} and names & {"rename", "renameat", "renameat2"}, names
    acknowledged = 0
    for number, (call, when) in enumerate(steps):
        client = own_server.client()
        assert client.put("t", content("t", 2 * number)).status == 202
        client.close()
        pid = own_server.http_pid()
        tracer = Tracer(pid, "/dev/null", "-qq", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}")
        client, status = Rest(own_server.ns, retry=False), None
        try:
            status = client.put("t", content("t", 2 * number + 1)).status
        except (OSError, http.client.HTTPException):
            pass
        client.close()
        tracer.kill()
        (found,) = (serial for name, serial in check_files(own_server.policy).items() if name == "t")
        assert found in (2 * number, 2 * number + 1), (call, when)
        if status == 202:
            acknowledged += 1
            assert found == 2 * number + 1, f"acknowledged and lost: killed at {call} number {when}"
        wait_until(lambda: own_server.http_pid() and own_server.serves(), "it serves again")
    assert acknowledged < len(steps), "no kill ever came in time; this test tests nothing"


# Under traffic.


@pytest.fixture
def switch():
    with Switch(answer=True) as made:
        yield made


@pytest.mark.parametrize("how", ("kill", "stop"))
def test_no_packet_slips_through_a_restart_and_counters_survive(switch, policy, how):
    dropped = fill(switch, ROUTED, 4, Packet(dport=53)).frame()
    passing = fill(switch, ROUTED, 4, Packet(dport=53, src="behind")).frame()
    source = switch.hosts[3]
    with Server(switch.ns, policy) as server:
        client = server.client()
        client.install("a", ["[iptables]", f"-A FORWARD -s {source.ip4} -p udp --dport 53 -j DROP"])
        with Sink(switch.hosts[4], 53) as sink, Flood(source, passing, 2000), Flood(source, dropped, 5000) as flood:
            for number in range(5):
                before = sink.flow(source.behind(4))[0]
                getattr(server, how)()
                wait_until(lambda: sink.flow(source.behind(4))[0] > before + 20, "traffic while it is away")
                server.start()
                client.install("b", ["[iptables]", f"-A FORWARD -p udp --dport {100 + number} -j DROP"])
                wait_until(lambda: sink.flow(source.behind(4))[0] > before + 60, "traffic after the restart")
            sent = flood.stop()
            assert sink.flow(source.ip4) == (0, 0)
        listing = run_acl(server.ns, policy, "-L", "ip", "-S", "-x", "-N").stdout
        (line,) = [line for line in listing.splitlines() if source.ip4 in line]
        assert int(line.split()[0]) == sent > 0, "every packet of the flow was counted, across all restarts"


def test_a_restart_installs_what_changed_meanwhile_and_adopts_the_rest(switch, policy):
    lab = Lab(switch)

    def drop(port):
        return ["[iptables]", f"-A FORWARD -p udp --dport {port} -j DROP"]

    def dropped(*ports):
        results = lab.send(ROUTED, 4, *(Packet(dport=port) for port in ports))
        return [port for port, seen in zip(ports, results) if seen is None]

    with Server(switch.ns, policy) as server:
        client = server.client()
        for name, port in (("a", 101), ("b", 102), ("c", 103)):
            client.install(name, drop(port))
        assert dropped(101, 102, 103, 104) == [101, 102, 103]
        server.kill()
        policy.remove("50rest-b.rules")
        policy.write_rest("c", drop(104))
        policy.write("10operator.rules", "\n".join(drop(105)) + "\n")
        server.start()
        wait_until(lambda: dropped(102, 104, 105) == [104, 105], "the changes are installed")
        listing = run_acl(server.ns, policy, "-L", "ip", "-S", "-x", "-N").stdout
        (line,) = [line for line in listing.splitlines() if "--dport 101" in line]
        assert int(line.split()[0]) == 1, "adopted with its counter"


def test_a_start_replaces_what_somebody_broke_in_our_tables(switch, policy):
    lab = Lab(switch)
    with Server(switch.ns, policy) as server:
        server.client().install("a", ["[iptables]", "-A FORWARD -p udp --dport 53 -j DROP"])
        server.kill()
        for family in ("inet", "bridge"):
            switch.ns.nft(f"flush table {family} tapgate")
        assert lab.passes(ROUTED, 4, Packet(dport=53))
        server.start()
        wait_until(lambda: not lab.passes(ROUTED, 4, Packet(dport=53)), "the ACL is installed again")
