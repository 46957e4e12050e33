"""The measuring half of the demo: the agent finds its collectors by DNS, and what a collector learns from it."""

import collections
import os
import tempfile
import time

import sflow
from agent import COLLECTOR4, DEFAULT_CONF, SERVICE, Agent
from dns_server import Dnsmasq

RATE = 1000
# FastNetMon, the script that marks elephants, and this demo's own display.
CONTROLLER_PORT, ELEPHANT_PORT, DISPLAY_PORT = 6343, 6344, 6345
PORTS = (CONTROLLER_PORT, ELEPHANT_PORT, DISPLAY_PORT)
ZONE = "\n".join([f"{SERVICE}.  SRV  0 0 {port} controller.example.com." for port in PORTS] + [
    f'{SERVICE}.  TXT  "sampling.10G={RATE}" "polling=1"', f"controller.example.com.    A    {COLLECTOR4}"])
WINDOW_S = 1.0


class Telemetry:
    """Agent and DNS server in the switch, and a collector behind its management port."""

    def __init__(self, switch, host, stack):
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tapgate-demo-"))
        dns = Dnsmasq(switch.ns, directory, (
            *(f"srv-host={SERVICE},controller.example.com,{port}" for port in PORTS),
            f"host-record=controller.example.com,{COLLECTOR4}", f'txt-record={SERVICE},"sampling.10G={RATE}","polling=1"'))
        stack.callback(dns.close)
        self.receiver = stack.enter_context(host.call(sflow.Receiver, COLLECTOR4, DISPLAY_PORT))
        # A configuration that this machine may have is not for the demo: then a file says what the default is.
        text = "sflow { DNSSD = on }\n" if os.path.exists(DEFAULT_CONF) else None
        self.agent = Agent(switch.ns, directory, text)
        stack.callback(self.agent.end)
        self.names, self.recent = {}, collections.deque()

    def start(self):
        """Start the agent; the seconds until all was well, by its own status."""
        began = time.monotonic()
        self.agent.start()
        self.agent.wait_status(lambda s: s["ok"] and all(p["rate"] == RATE for p in s["ports"]), "all is well")
        return time.monotonic() - began

    def read(self):
        """Take what has arrived; keeps the samples of the last second."""
        self.receiver.read()
        now = time.monotonic()
        for sample in self.receiver.samples():
            if name := sflow.find_record(sample, "port_name"):
                self.names[sample["ds_index"]] = name["name"]
            if sample["kind"] == sflow.FLOW:
                flow = sflow.summary(sflow.find_record(sample, "sampled_header"))
                self.recent.append((now, flow, sample["input"], sample["output"], sample["rate"]))
        self.receiver.datagrams.clear()
        while self.recent and self.recent[0][0] < now - WINDOW_S:
            self.recent.popleft()

    def estimate(self, address):
        """Packets/s, over the last second, that came from an address; wherever they went, or whether they did."""
        return sum(rate for _, flow, _, _, rate in self.recent if flow.startswith(address + ":")) / WINDOW_S

    def _name(self, port):
        return self.names.get(int(port), port) if port.isdigit() else port

    def largest(self, count):
        """[(flow, "swp1 → swp3", samples, packets/s)] of the last second, the largest first."""
        found = collections.defaultdict(lambda: [0, 0.0])
        for _, flow, came, went, rate in self.recent:
            entry = found[flow, f"{self._name(came)} → {self._name(went)}"]
            entry[0] += 1
            entry[1] += rate / WINDOW_S
        return sorted(((*key, *entry) for key, entry in found.items()), key=lambda row: -row[3])[:count]

    def status(self):
        """What "tapgate-agent status" prints, without its totals."""
        blocks = self.agent.ask().stdout.split("\n\n")
        return "\n\n".join([blocks[0], *blocks[2:]]).rstrip()
