"""The measuring half of the demo: the agent finds its collector by DNS, and what the collector learns from it."""

import collections
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))

# pylint: disable=wrong-import-position
import sflow
from agent import COLLECTOR4, DEFAULT_CONF, SERVICE, Agent, add_management
from dns_server import Dnsmasq
from wait import let_pass

RATE, ROW_S = 1000, 1.0
ZONE = (f"_sflow._udp.example.com.  SRV  0 0 6343 collector.example.com.\n"
        f"_sflow._udp.example.com.  TXT  \"sampling.10G={RATE}\" \"polling=1\"\n"
        f"collector.example.com.    A    {COLLECTOR4}")


class Telemetry:
    """Agent, DNS server and collector around a switch."""

    def __init__(self, switch, stack):
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tapgate-demo-"))
        host = add_management(switch.ns, stack)
        dns = Dnsmasq(switch.ns, directory, (
            f"srv-host={SERVICE},collector.example.com,6343", f"host-record=collector.example.com,{COLLECTOR4}",
            f'txt-record={SERVICE},"sampling.10G={RATE}","polling=1"'))
        stack.callback(dns.close)
        self.receiver = stack.enter_context(host.call(sflow.Receiver, COLLECTOR4, sflow.PORT))
        # A configuration that this machine may have is not for the demo: then a file says what the default is.
        text = "sflow { DNSSD = on }\n" if os.path.exists(DEFAULT_CONF) else None
        self.agent = Agent(switch.ns, directory, text)
        stack.callback(self.agent.end)
        self.names = {}
        self.seen = 0

    def start(self):
        """Start the agent; the seconds until all was well, by its own status."""
        began = time.monotonic()
        self.agent.start()
        self.agent.wait_status(lambda s: s["ok"] and all(p["rate"] == RATE for p in s["ports"]), "all is well")
        return time.monotonic() - began

    def _news(self):
        """Samples since the last call."""
        self.receiver.read()
        samples = self.receiver.samples()
        fresh, self.seen = samples[self.seen:], len(samples)
        for sample in fresh:
            if name := sflow.find_record(sample, "port_name"):
                self.names[sample["ds_index"]] = name["name"]
        return fresh

    def _name(self, port):
        return self.names.get(int(port), port) if port.isdigit() else port

    def rows(self, passed_s):
        """[(flow, way, samples, packets/s)], the largest first, of what arrived since the last call."""
        found = collections.defaultdict(lambda: [0, 0])
        for sample in self._news():
            if sample["kind"] != sflow.FLOW:
                continue
            flow = sflow.summary(sflow.find_record(sample, "sampled_header"))
            entry = found[flow, f"{self._name(sample['input'])} → {self._name(sample['output'])}"]
            entry[0] += 1
            entry[1] += sample["rate"] / passed_s
        return sorted(((flow, way, *entry) for (flow, way), entry in found.items()), key=lambda row: -row[3])

    def counted(self):
        """{port: packets/s that came in}, from the last two counters samples of each port."""
        last = collections.defaultdict(list)
        for datagram in self.receiver.datagrams[-400:]:
            for sample in datagram["samples"]:
                if generic := sflow.find_record(sample, "if_counters"):
                    last[sample["ds_index"]].append((datagram["received"], generic["ifInUcastPkts"]))
        rates = {}
        for port, values in last.items():
            (before, low), (after, high) = values[-2] if len(values) > 1 else values[-1], values[-1]
            if after > before:
                rates[self._name(str(port))] = ((high - low) & 0xFFFFFFFF) / (after - before)
        return rates

    def watch(self, say, bold, seconds):
        """The live table, for so long; returns its last rows."""
        self.rows(1)
        rows, end, before = [], time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < end:
            let_pass(ROW_S)
            now = time.monotonic()
            rows, before = self.rows(now - before), now
            say(bold(f"   {'samples':>7}   {'estimate':>12}   {'ports':<13} flow"))
            for flow, way, samples, pps in rows[:3]:
                say(f"   {samples:7}   {pps:6,.0f} pkt/s   {way:<13} {flow}")
            counted = sorted((name, pps) for name, pps in self.counted().items() if name.startswith("swp"))
            say("   counters, in: " + ",  ".join(f"{name} {pps:,.0f} pkt/s" for name, pps in counted) + "\n")
        return rows

    def status(self):
        """What "tapgate-agent status" prints, without its totals."""
        blocks = self.agent.ask().stdout.split("\n\n")
        return "\n\n".join([blocks[0], *blocks[2:]]).rstrip()
