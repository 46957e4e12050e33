#!/usr/bin/python3
"""A small controller: finds large flows in an sFlow stream, and puts an ACL for each as long as it lasts.

usage: big_flows.py --listen ADDRESS:PORT --server URL --protocol tcp|udp (--mbps N | --pps N) --name NAME --rule RULE
       [--curl FILE]

RULE is a line of a policy file in which {port} (where the flow enters the switch), {src}, {dst}, {sport} and {dport}
are filled in, such as

    -t mangle -A FORWARD -i {port} -s {src} -d {dst} -p tcp --sport {sport} --dport {dport} -j SETQOS --set-dscp 8

The ACL is called NAME_ and the flow. A flow is large when its rate, over the last second, reaches the limit; it has
ended when it has stayed below half of it for two. Standard output gets a line of JSON for each of both.

--curl FILE names a file of options as for curl, of which the lines  header = "Name: value"  are taken: for a token.
"""

import argparse
import collections
import json
import os
import re
import select
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))

import sflow  # pylint: disable=wrong-import-position

WINDOW_S, END_S, TICK_S = 1.0, 2.0, 0.05
# A rate that fewer samples say is chance.
SAMPLES_MIN = 4
_FLOW = re.compile(r"\[?([0-9a-f.:]+?)\]?:(\d+) > \[?([0-9a-f.:]+?)\]?:(\d+) (tcp|udp)$")


class Flow:
    """One flow: its samples of the last second, and its ACL while it is large."""

    def __init__(self):
        self.samples = collections.deque()  # (when, what it stands for)
        self.acl, self.large_at = None, 0.0

    def rate(self, now):
        """Units per second over the window, and the number of samples that say so."""
        while self.samples and self.samples[0][0] < now - WINDOW_S:
            self.samples.popleft()
        return sum(amount for _, amount in self.samples) / WINDOW_S, len(self.samples)


class Controller:
    """All flows of one protocol."""

    def __init__(self, options):
        self.options, self.flows, self.names = options, collections.defaultdict(Flow), {}
        self.headers = {"Content-Type": "application/json"}
        if options.curl:
            with open(options.curl, encoding="utf-8") as file:
                self.headers.update(re.findall(r'^header = "([^:"]+): ([^"]*)"$', file.read(), re.MULTILINE))
        self.limit = options.mbps * 1e6 if options.mbps else options.pps

    def take(self, sample):
        """One sample of the stream."""
        if name := sflow.find_record(sample, "port_name"):
            self.names[str(sample["ds_index"])] = name["name"]
        header = sflow.find_record(sample, "sampled_header")
        found = header and _FLOW.search(sflow.summary(header))
        if found and found[5] == self.options.protocol:
            amount = header["frame_length"] * 8 if self.options.mbps else 1
            key = (str(sample["input"]), *found.groups()[:4])
            self.flows[key].samples.append((time.monotonic(), amount * sample["rate"]))

    def decide(self):
        """Put what has become large, delete what has ended, forget what is small."""
        now = time.monotonic()
        for key, flow in list(self.flows.items()):
            rate, samples = flow.rate(now)
            if rate >= self.limit / 2:
                flow.large_at = now
            if not flow.acl and rate >= self.limit and samples >= SAMPLES_MIN and key[0] in self.names:
                self._begin(key, flow, rate)
            elif flow.acl and now - flow.large_at > END_S:
                self._tell("ended", key, flow.acl, rate)
                self._request("DELETE", flow.acl)
                del self.flows[key]
            elif not flow.acl and samples == 0:
                del self.flows[key]

    def _begin(self, key, flow, rate):
        port, src, sport, dst, dport = key
        length = 128 if ":" in src else 32
        rule = self.options.rule.format(port=self.names[port], src=f"{src}/{length}", dst=f"{dst}/{length}",
                                        sport=sport, dport=dport)
        flow.acl = re.sub(r"[^a-z0-9]", "_", "_".join([self.options.name, *key[1:]]))[:64]
        self._tell("found", key, flow.acl, rate)
        self._request("PUT", flow.acl, json.dumps(["[ip6tables]" if length == 128 else "[iptables]", rule]).encode())

    def _request(self, method, name, body=None):
        """A refusal ends the program: what is wrong then is the rule that it was given."""
        request = urllib.request.Request(f"{self.options.server}/{name}", body, self.headers, method=method)
        with urllib.request.urlopen(request, timeout=10):
            pass

    @staticmethod
    def _tell(event, key, acl, rate):
        print(json.dumps({"at_ns": time.time_ns(), "event": event, "flow": "{1}:{2} > {3}:{4}".format(*key), "acl": acl,
                          "rate": rate}), flush=True)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description="Put an ACL for each large flow of an sFlow stream.")
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT", help="where sFlow arrives")
    parser.add_argument("--server", required=True, metavar="URL", help="the ACL server, as in http://10.0.0.1:8080/acl")
    parser.add_argument("--protocol", required=True, choices=("tcp", "udp"), help="which flows to look at")
    parser.add_argument("--curl", metavar="FILE", help="headers for the server, as in a configuration of curl")
    limit = parser.add_mutually_exclusive_group(required=True)
    limit.add_argument("--mbps", type=float, help="megabits per second that make a flow large")
    limit.add_argument("--pps", type=float, help="packets per second that make a flow large")
    parser.add_argument("--name", required=True, help="how the names of the ACLs begin")
    parser.add_argument("--rule", required=True, help="the rule for a large flow")
    options = parser.parse_args()
    address, port = options.listen.rsplit(":", 1)
    controller = Controller(options)
    with sflow.Receiver(address, int(port)) as receiver:
        while True:
            select.select([receiver.socket], [], [], TICK_S)
            receiver.read()
            for sample in receiver.samples():
                controller.take(sample)
            receiver.datagrams.clear()
            controller.decide()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
