"""Everything that runs during the demo, in namespaces that go with it."""

import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile

from agent import COLLECTOR4, add_management
from daemon import Policy, Server, run_acl
from demo_sflow import CONTROLLER_PORT, ELEPHANT_PORT, Telemetry
from demo_traffic import ELEPHANT_PORT as ELEPHANT_TCP
from demo_traffic import MOUSE_PORT, Receiver
from demo_wire import Marks, Requests
from lab import Path, fill
from netns import Switch
from packets import Packet
from peers import FastNetMon
from programs import Flood, Sink
from wait import wait_until

ATTACKER, NEIGHBOUR, VICTIM = 1, 2, 3
FLOOD_RATE, NEIGHBOUR_RATE, PORT = 50000, 1000, 53
THRESHOLD_PPS, BAN_S = 25000, 2
ELEPHANT_BPS, LARGE_MBPS, DSCP = 100_000_000, 40, 8
SERVER = "10.255.0.1"
URL = f"http://{SERVER}:8080/acl"
FLOOD_RULE = "-A FORWARD -i {port} -s {src} -d {dst} -p udp --dport {dport} -j DROP"
MARK_RULE = ("-t mangle -A FORWARD -i {port} -s {src} -d {dst} -p tcp --sport {sport} --dport {dport} "
             f"-j SETQOS --set-dscp {DSCP}")


class Tokens:
    """Who may do what: a file of hashes for the server, and the tokens for its clients."""

    SCOPES = {"fastnetmon": "write:fastnetmon_,write:flood_", "elephants": "write:elephant_", "operator": "admin"}

    def __init__(self, directory):
        self.path, lines = os.path.join(directory, "tokens"), []
        self.curl = {}
        for name, scope in self.SCOPES.items():
            token = secrets.token_urlsafe()
            lines.append(f"{name} {scope} sha256:{hashlib.sha256(token.encode()).hexdigest()}\n")
            self.curl[name] = os.path.join(directory, f"{name}.curl")
            self._write(self.curl[name], f'header = "Authorization: Bearer {token}"\n')
        self._write(self.path, "".join(lines))

    @staticmethod
    def _write(path, text):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(text)


class BigFlows:
    """tests/tools/big_flows.py as a process in the controller's namespace."""

    def __init__(self, ns, port, name, curl, options):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "big_flows.py")
        self.options = ["--listen", f"{COLLECTOR4}:{port}", "--server", URL, "--name", name, *options]
        self.process = ns.popen(sys.executable, "-B", "-E", "-s", script, "--curl", curl, *self.options, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = b""

    def events(self):
        """What it has said since the last call."""
        self.text += self.process.stdout.read() or b""
        *lines, self.text = self.text.split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class BuiltIn:
    """The controller where FastNetMon is not to be had."""

    title, hand = "big_flows.py", "it"

    def __init__(self, ns, curl):
        self.flows = BigFlows(ns, CONTROLLER_PORT, "flood", curl, [
            "--protocol", "udp", "--pps", str(THRESHOLD_PPS), "--rule", FLOOD_RULE])
        self.close = self.flows.close

    def news(self):
        """[(ns, "ban" or "unban", text)] since the last call."""
        return [(event["at_ns"], "ban", f"big_flows.py finds {event['flow']} in the samples "
                 f"({event['rate']:,.0f} packets/s)") if event["event"] == "found" else
                (event["at_ns"], "unban", f"big_flows.py sees that {event['flow']} has ended")
                for event in self.flows.events()]


class RealFastNetMon:
    """FastNetMon, with the configuration and the script that are shipped as examples."""

    title, hand = "FastNetMon", "its script"

    def __init__(self, ns, directory, curl):
        self.peer = FastNetMon(ns, directory, URL, ["10.0.3.0/24"], CONTROLLER_PORT, curl=curl,
                               threshold_pps=THRESHOLD_PPS, ban_time=BAN_S).start()
        self.close, self.told = self.peer.close, 0

    def news(self):
        """[(ns, "ban" or "unban", text)] since the last call."""
        events = self.peer.events()[self.told:]
        self.told += len(events)
        return [(int(at * 1e9), kind, f"FastNetMon finds the attack on {address} in the samples ({power:,} packets/s) and bans"
                 if kind == "ban" else f"FastNetMon sees that the attack has ended, and unbans {address}")
                for at, kind, address, power in events]


class Lab:
    """The switch and what is around it."""

    def __init__(self, stack):
        self.stack = stack
        self.switch = stack.enter_context(Switch(bridged=(), routed=(ATTACKER, NEIGHBOUR, VICTIM), answer=True))
        hosts = self.switch.hosts
        self.attacker, self.neighbour, self.victim = (hosts[n] for n in (ATTACKER, NEIGHBOUR, VICTIM))
        # Packets as they are on a wire: without this, the kernel hands on 64 KiB of TCP at once.
        self.neighbour.ns.ip("link set eth0 gso_max_segs 1")
        self.controller_ns = add_management(self.switch.ns, stack)
        self.policy = Policy("tapgate-demo-")
        stack.callback(self.policy.close)
        self.tokens = Tokens(self.policy.base)
        self.server = Server(self.switch.ns, self.policy, log_level="info", listen=f"{SERVER}:8080",
                             tokens=self.tokens.path)
        stack.callback(self.server.end)
        self.sink = stack.enter_context(Sink(self.victim, PORT))
        self.requests = Requests(self.controller_ns, "eth0")
        self.telemetry = Telemetry(self.switch, self.controller_ns, stack)
        self.controller = self.elephants = None

    def start_server(self):
        """The ACL server; returns when it answers."""
        self.server.spawn()
        wait_until(self._serves, "the server answers")

    def _serves(self):
        assert self.server.process.poll() is None, self.server.log()
        return self._curl(f"{URL}/").returncode == 0

    def start_controller(self):
        """FastNetMon, or what stands in for it."""
        directory = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="tapgate-demo-"))
        if FastNetMon.missing():
            self.controller = BuiltIn(self.controller_ns, self.tokens.curl["fastnetmon"])
        else:
            self.controller = RealFastNetMon(self.controller_ns, directory, self.tokens.curl["fastnetmon"])
        self.stack.callback(self.controller.close)

    def start_elephants(self):
        """The script that looks for large flows."""
        self.elephants = BigFlows(self.controller_ns, ELEPHANT_PORT, "elephant", self.tokens.curl["elephants"], [
            "--protocol", "tcp", "--mbps", str(LARGE_MBPS), "--rule", MARK_RULE])
        self.stack.callback(self.elephants.close)

    def flood(self, source, rate):
        path = Path("demo", source, VICTIM, None, None)
        frame = fill(self.switch, path, 4, Packet(dport=PORT, payload=64)).frame()
        return self.stack.enter_context(Flood(self.switch.hosts[source], frame, rate))

    def arrived(self):
        """(now in ns, packets of the attacker, of the neighbour, when the attacker's newest came) at the victim."""
        report = self.sink.report()
        flows = [report["flows"].get(host.ip4, {"packets": 0, "last_ns": 0}) for host in (self.attacker, self.neighbour)]
        return report["now_ns"], flows[0]["packets"], flows[1]["packets"], flows[0]["last_ns"]

    def tcp_receivers(self):
        """Whatever the neighbour sends is taken; returns the capture of what arrives."""
        for port in (ELEPHANT_TCP, MOUSE_PORT):
            self.stack.callback(Receiver(self.victim, port).close)
        marks = Marks(self.victim.ns, "eth0")
        self.stack.callback(marks.close)
        return marks

    def names(self):
        """Of the ACLs that the server has."""
        return json.loads(self.curl(f"{URL}/")[0])

    def listing(self, family):
        """Lines of "tapgate-acl -L"."""
        return run_acl(self.switch.ns, self.policy, "-L", family).stdout.splitlines()

    def _curl(self, *options):
        return self.controller_ns.run("curl", "-sS", "-w", "\n%{http_code}", "--config", self.tokens.curl["operator"],
                                      *options, check=False)

    def curl(self, *options):
        """curl in the controller's namespace: (its output, HTTP status)."""
        done = self._curl(*options)
        if done.returncode != 0:
            raise SystemExit(f"curl failed:\n{done.stderr}")
        body, status = done.stdout.rsplit("\n", 1)
        return body, status
