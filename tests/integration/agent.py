"""tapgate-agent in a namespace, and a switch with a management port for its collectors."""

import contextlib
import json
import os
import re
import signal
import subprocess

import sflow
from dns_server import Dnsmasq
from lab import Lab
from netns import Namespace, Switch
from programs import agent_program
from wait import wait_until

DEFAULT_CONF = "/etc/hsflowd.conf"
SERVICE = "_sflow._udp.example.com"
_SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")


class Agent:
    """The daemon. conf: text of its configuration file; None: there is none, and it is not told of one."""

    def __init__(self, ns, directory, conf=None, options=()):
        self.ns, self.directory, self.options = ns, str(directory), tuple(options)
        self.conf_path = os.path.join(self.directory, "hsflowd.conf")
        self.auto_path = os.path.join(self.directory, "hsflowd.auto")
        self.log_path = os.path.join(self.directory, "agent.log")
        self.run_dir = os.path.join(self.directory, "run")
        self.resolv_conf = os.path.join(self.directory, "resolv.conf")
        self.process, self.with_conf = None, conf is not None
        if self.with_conf:
            self.write_conf(conf)
        if not os.path.exists(self.resolv_conf):
            self.write_resolv_conf("search example.com", "nameserver 127.0.0.1")

    def write_conf(self, text):
        with open(self.conf_path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.conf_path + ".new", self.conf_path)

    def write_resolv_conf(self, *lines):
        with open(self.resolv_conf, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")

    def command(self, *options):
        conf = ["-f", self.conf_path] if self.with_conf else []
        return [agent_program(), *conf, "-o", self.auto_path, "--run-dir", self.run_dir, "--resolv-conf",
                self.resolv_conf, *self.options, *options]

    def spawn(self):
        env = {**os.environ, "ASAN_OPTIONS": "abort_on_error=0:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1"}
        with open(self.log_path, "ab") as log:
            self.process = self.ns.popen(*self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

    def start(self):
        """Start it and wait until it runs; AssertionError with its log if it does not."""
        runs = self.logged(" runs")
        self.spawn()
        try:
            self.wait_log(" runs", runs + 1)
        except AssertionError:
            self.end()
            raise
        return self

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def logged(self, text):
        return self.log().count(text) if os.path.exists(self.log_path) else 0

    def wait_log(self, text, times=1):
        def holds():
            ended = self.process.poll()
            found = self.logged(text) >= times
            assert found or ended is None, f"the agent ended with {ended}:\n{self.log()}"
            return found

        try:
            wait_until(holds, f'the log says "{text}" {times} times')
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def ask(self, *options):
        """Run "tapgate-agent status"."""
        return self.ns.run(agent_program(), "status", "--run-dir", self.run_dir, *options, check=False)

    def cleanup(self):
        """Run "tapgate-agent cleanup"."""
        return self.ns.run(agent_program(), "cleanup", "--run-dir", self.run_dir, check=False)

    def status(self):
        done = self.ask("--json")
        assert done.returncode in (0, 1), done.stderr + self.log()
        return json.loads(done.stdout)

    def port(self, name):
        """What the status says of a port, or None."""
        found = [port for port in self.status()["ports"] if port["name"] == name]
        return found[0] if found else None

    def wait_status(self, condition, what):
        """Until condition(status) is true; returns that status."""
        def holds():
            status = self.status()
            return status if condition(status) else None

        try:
            return wait_until(holds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{json.dumps(self.status(), indent=1)}\n{self.log()}") from None

    def reload(self, conf):
        """Replace the configuration and have it read; returns when that is done, well or not."""
        done = self.logged("reloaded") + self.logged("reload failed")
        self.write_conf(conf)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.logged("reloaded") + self.logged("reload failed") > done, "the reload is done")

    def auto(self):
        """hsflowd.auto as a list of (key, value) without the comment."""
        with open(self.auto_path, encoding="utf-8") as file:
            return [tuple(line.strip().split("=", 1)) for line in file if not line.startswith("#")]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; it must end well, and no sanitizer may have spoken."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            wait_until(lambda: self.process.poll() is not None, "the agent ended")
        status, self.process = self.process.returncode, None
        assert status in (0, -signal.SIGKILL), f"the agent ended with {status}:\n{self.log()}"
        assert not _SANITIZER.search(self.log()), self.log()

    def end(self):
        """Whatever a failed test left behind must not go on."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.end()


COLLECTOR4, COLLECTOR6 = "10.255.0.2", "2001:db8:ff::2"


def add_management(ns, stack):
    """Give a switch eth0 with 10.255.0.1 and 2001:db8:ff::1; returns the namespace behind it, with its collectors."""
    host = Namespace()
    stack.callback(host.close)
    ns.ip(f"link add eth0 type veth peer name eth0 netns {host.path}")
    for number, end in ((1, ns), (2, host)):
        end.ip(f"link set eth0 up\naddr add 10.255.0.{number}/24 dev eth0\n"
               f"addr add 2001:db8:ff::{number}/64 dev eth0 nodad")
    # A collector that goes away must not be looked for on the wire for seconds.
    mac = json.loads(host.run("ip", "-json", "link", "show", "eth0").stdout)[0]["address"]
    ns.ip("\n".join(f"neigh replace {address} lladdr {mac} dev eth0 nud permanent"
                    for address in (COLLECTOR4, COLLECTOR6)))
    return host


class World:
    """A netns.Switch whose port eth0 leads to a host for collectors: 10.255.0.2, 2001:db8:ff::2."""

    COLLECTOR4, COLLECTOR6 = COLLECTOR4, COLLECTOR6
    # Of the private addresses the one on the lowest interface number is elected.
    AGENT4, AGENT_PORT = "10.0.3.254", "swp3"

    def __init__(self, directory, **switch):
        self.directory = str(directory)
        self.stack = contextlib.ExitStack()
        self.switch = self.stack.enter_context(Switch(**switch))
        self.ns = self.switch.ns
        self.lab = Lab(self.switch)
        self.host = add_management(self.ns, self.stack)

    def close(self):
        self.stack.close()

    def agent(self, conf=None, options=()):
        return Agent(self.ns, self.directory, conf, options)

    def receiver(self, address=COLLECTOR4, port=sflow.PORT):
        return self.host.call(sflow.Receiver, address, port)

    def dnsmasq(self, *lines):
        dnsmasq = Dnsmasq(self.ns, self.directory, lines)
        self.stack.callback(dnsmasq.close)
        return dnsmasq

    def ifindex(self, name):
        return json.loads(self.ns.run("ip", "-json", "link", "show", name).stdout)[0]["ifindex"]


def conf(*lines, collector=World.COLLECTOR4):
    """A configuration with one collector and these lines."""
    return "\n".join(["sflow {", f"  collector {{ ip = {collector} }}", *(f"  {line}" for line in lines), "}", ""])


def nflog_conf(*lines, collector=World.COLLECTOR4):
    """The same where ports are sampled by nflog, on kernels that have something better, too."""
    return conf("nflog { }", *lines, collector=collector)


def flows(receiver, in_port=None):
    """Flow samples so far, or those of one input port."""
    return [s for s in receiver.samples(sflow.FLOW) if in_port in (None, s["ds_index"])]


def header_of(sample):
    """The record of a flow sample with the first bytes of its packet."""
    return sflow.find_record(sample, "sampled_header")


def samples_of(receiver, packet, in_port=None):
    """Flow samples of one packet so far, found by its token."""
    return [s for s in flows(receiver, in_port) if packet.token in bytes(header_of(s)["header"])]


def counters(receiver, ifindex):
    """Counters samples of a port so far."""
    return [s for s in receiver.samples(sflow.COUNTERS) if (s["ds_class"], s["ds_index"]) == (0, ifindex)]


def host_samples(receiver):
    """Counters samples of the host so far."""
    return [s for s in receiver.samples(sflow.COUNTERS) if s["ds_class"] == 2]
