"""Where the programs under test are, and the helpers that make and watch traffic."""

import json
import os
import shutil
import signal
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build_directory():
    """TAPGATE_BUILD, or the newest of the usual build directories."""
    given = os.environ.get("TAPGATE_BUILD")
    if given:
        return given
    found = [path for name in ("build", "build-tests/release")
             if os.path.exists(os.path.join(path := os.path.join(ROOT, name), "build.ninja"))]
    if not found:
        raise FileNotFoundError("nothing is built; run tests/run, or set TAPGATE_BUILD")
    return max(found, key=lambda path: os.path.getmtime(os.path.join(path, "build.ninja")))


def server_program():
    return os.path.join(build_directory(), "aclserver", "tapgate-aclserver")


def acl_program():
    return os.path.join(build_directory(), "aclserver", "tapgate-acl")


def agent_program():
    return os.path.join(build_directory(), "agent", "tapgate-agent")


def tool(name):
    return os.path.join(build_directory(), "tests", "tools", name)


def peer(name):
    """A program of others, installed or unpacked by tests/tools/setup.sh; None if this machine has it not."""
    unpacked = os.path.join(ROOT, "build-tests", "peers", "usr")
    return shutil.which(name, path=f"/usr/sbin:/usr/bin:{unpacked}/sbin:{unpacked}/bin")


def process_status(pid):
    """/proc/PID/status as a dictionary of texts."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return {key: value.strip() for key, _, value in (line.partition(":") for line in file)}


class Flood:
    """Sends one frame again and again from a host until stopped; rate in packets/s, 0 is as fast as it can."""

    def __init__(self, host, frame, rate, cpu=None):
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        self.process = host.ns.popen(*pin, tool("flood"), "eth0", str(rate), frame.hex(), stdout=subprocess.PIPE,
                                     stdin=subprocess.DEVNULL, text=True)

    def stop(self):
        """End it and return how many packets it sent."""
        self.process.send_signal(signal.SIGTERM)
        return int(self.process.communicate()[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Sink:
    """Counts UDP packets that reach a port of a host, by source address."""

    def __init__(self, host, port, cpu=None):
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        self.process = host.ns.popen(*pin, tool("sink"), str(port), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     text=True)
        self.report()  # it listens when it has answered

    def report(self):
        """{"now_ns", "lost", "flows": {source: {"packets", "last_ns"}}}; times are CLOCK_REALTIME."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def flow(self, source):
        """(packets, time of the newest in ns) of one source."""
        flow = self.report()["flows"].get(source, {"packets": 0, "last_ns": 0})
        return flow["packets"], flow["last_ns"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
