"""The story that tests/demo tells: samples reveal a flood, one curl command stops it, another lets it flow again."""

import contextlib
import json
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))

# pylint: disable=wrong-import-position
from daemon import Policy, Server, run_acl
from demo_sflow import RATE, ZONE, Telemetry
from lab import Path, fill
from netns import Switch
from packets import Packet
from programs import Flood, Sink
from wait import let_pass

ATTACKER, NEIGHBOUR, VICTIM = 1, 2, 3
FLOOD_RATE, NEIGHBOUR_RATE, PORT = 50000, 1000, 53
ROW_S, PHASE_S = 0.25, 3.0
URL = "http://127.0.0.1:8080/acl/ddos1"
RULE = "-A FORWARD -i swp1 -s 10.0.1.1/32 -p udp --dport 53 -j DROP"
BAD_RULE = "-A FORWARD -i swp1 -s 10.0.1.1/32 -p udp --dprt 53 -j DROP"

PICTURE = """
    attacker  10.0.1.1 ── swp1 ┐
                               ├─ switch ─ swp3 ── 10.0.3.3  victim
    neighbour 10.0.2.2 ── swp2 ┘
"""


def bold(text):
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


def say(text=""):
    print(text, flush=True)


class Demo:
    """Everything that runs during the demo, and what was measured."""

    def __init__(self, stack):
        self.switch = stack.enter_context(Switch(bridged=(), routed=(1, 2, 3), answer=True))
        self.policy = Policy("tapgate-demo-")
        stack.callback(self.policy.close)
        self.server = Server(self.switch.ns, self.policy, log_level="info")
        stack.callback(self.server.stop)
        hosts = self.switch.hosts
        self.attacker, self.neighbour, self.victim = (hosts[n] for n in (ATTACKER, NEIGHBOUR, VICTIM))
        self.sink = stack.enter_context(Sink(self.victim, PORT))
        self.telemetry = Telemetry(self.switch, stack)
        self.stack = stack
        self.start = time.monotonic()
        self.record = {"rows": [], "steps": []}

    def flood(self, source, rate):
        path = Path("demo", source, VICTIM, None, None)
        frame = fill(self.switch, path, 4, Packet(dport=PORT, payload=64)).frame()
        self.stack.enter_context(Flood(self.switch.hosts[source], frame, rate))

    def counts(self):
        flows = self.sink.report()
        return flows["now_ns"], *(flows["flows"].get(host.ip4, {"packets": 0})["packets"]
                                  for host in (self.attacker, self.neighbour))

    def watch(self, seconds=PHASE_S):
        """The live table, for so long."""
        say(bold("      time    flood arriving    neighbour arriving"))
        end, before = time.monotonic() + seconds, self.counts()
        while time.monotonic() < end:
            let_pass(ROW_S)
            now = self.counts()
            passed_s = (now[0] - before[0]) / 1e9
            flood, neighbour = ((now[i] - before[i]) / passed_s for i in (1, 2))
            at = time.monotonic() - self.start
            bar = "█" * round(flood / FLOOD_RATE * 24) or ("·" if flood == 0 else "▏")
            say(f"   {at:5.1f} s  {flood:9,.0f} pkt/s       {neighbour:7,.0f} pkt/s    {bar}")
            self.record["rows"].append({"at_s": at, "flood_pps": flood, "neighbour_pps": neighbour})
            before = now
        return flood, neighbour

    def curl(self, *options):
        """Run curl as a user would. Returns (its output, HTTP status, when it was started, when it sent the request);
        both times are CLOCK_REALTIME in ns.
        """
        with RequestClock(self.switch.ns) as clock:
            started_ns = time.time_ns()
            done = self.switch.ns.run("curl", "-sS", "-v", *options, check=False)
            if done.returncode != 0:
                raise SystemExit(f"curl failed:\n{done.stderr}")
            (status,) = [line[len("< HTTP/1.1 "):].strip() for line in done.stderr.splitlines()
                         if line.startswith("< HTTP/1.1 ")]
            return done.stdout, status, started_ns, clock.sent_ns()


class RequestClock:
    """When a request to the server went out: listens on the loopback interface of the switch."""

    SO_TIMESTAMPNS = 35
    ETH_P_IP = 0x0800

    def __init__(self, ns):
        self.socket = ns.call(socket.socket, socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, self.SO_TIMESTAMPNS, 1)
        self.socket.bind(("lo", self.ETH_P_IP))
        self.socket.setblocking(False)

    def sent_ns(self):
        """Of the first request since this object was made."""
        while True:
            data, control, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(16))
            if b" /acl/ddos1 HTTP/1.1\r\n" in data:
                ((_, _, stamp),) = control
                seconds, nanoseconds = struct.unpack("@qq", stamp)
                return seconds * 10**9 + nanoseconds

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def introduce(demo):
    say(bold("\nTapgate: samples reveal a flood, one REST call stops it"))
    say("\nA small switch, made of network namespaces on this machine:")
    say(PICTURE)
    say(bold(f"switch# tapgate-aclserver -c {demo.server.conf} &"))
    demo.server.start()
    say("It listens on 127.0.0.1:8080 and has no ACL yet.\n")


def announce_flood():
    say(f"\nThe attacker floods the victim's port {PORT} with {FLOOD_RATE:,} packets/s; beside it the neighbour sends "
        f"{NEIGHBOUR_RATE:,}\npackets/s to the same port. This is what reaches the victim:\n")


def find_collector(demo):
    say(bold("switch# tapgate-agent &"))
    took_s = demo.telemetry.start()
    say("It has no configuration. DNS tells it where to send, how often to sample and to poll:\n")
    say("\n".join(f"    {line}" for line in ZONE.splitlines()))
    say(bold("\nswitch# tapgate-agent status"))
    say(demo.telemetry.status())
    demo.record["agent_ready_s"] = took_s
    return took_s


def show_samples(demo, heading):
    """Returns the estimate of the attacker's packets/s."""
    say(heading)
    rows = demo.telemetry.watch(say, bold, PHASE_S)
    estimate = sum(pps for flow, way, _, pps in rows
                   if flow.startswith(demo.attacker.ip4 + ":") and way == "swp1 → swp3")
    demo.record["samples"] = demo.record.get("samples", []) + [
        [{"flow": flow, "ports": way, "samples": n, "pps": pps} for flow, way, n, pps in rows]]
    return estimate


def is_about(estimate, rate):
    """Within what chance allows: a second has rate / RATE samples, give or take five standard deviations."""
    return abs(estimate - rate) <= 5 * (rate * RATE) ** 0.5 + 0.2 * rate


def stop_flood(demo):
    body = json.dumps(["[iptables]", RULE])
    say(bold(f"\nswitch# curl -X PUT {URL} -H 'Content-Type: application/json' \\\n             -d '{body}'"))
    _, status, started_ns, sent_ns = demo.curl("-X", "PUT", URL, "-H", "Content-Type: application/json", "-d",
                                                    body)
    say(f"HTTP {status}\n")
    flood, neighbour = demo.watch()
    _, last_ns = demo.sink.flow(demo.attacker.ip4)
    from_request_ms, from_start_ms = (max(last_ns - since, 0) / 1e6 for since in (sent_ns, started_ns))
    say(bold(f"\nThe last packet of the flood arrived {from_request_ms:.1f} ms after curl sent the request")
        + f" ({from_start_ms:.1f} ms after curl was started).")
    demo.record["stop"] = {"from_request_ms": from_request_ms, "from_start_ms": from_start_ms, "flood_pps": flood,
                           "neighbour_pps": neighbour}
    return from_request_ms, flood == 0 and neighbour > 0.8 * NEIGHBOUR_RATE


def show_policy(demo):
    say("\nThe ACL is a Cumulus policy file, and the kernel counts what it drops:")
    say(bold(f"switch# cat {demo.policy.directory}/50rest-ddos1.rules"))
    say(demo.policy.read("50rest-ddos1.rules").rstrip())
    say(bold(f"switch# tapgate-acl -c {demo.server.conf} -L ip"))
    listing = run_acl(demo.switch.ns, demo.policy, "-L", "ip").stdout
    say("\n".join(line for line in listing.splitlines() if "swp1" in line or "pkts" in line))


def let_flow(demo):
    say(bold(f"\nswitch# curl -X DELETE {URL}"))
    _, status, _, _ = demo.curl("-X", "DELETE", URL)
    say(f"HTTP {status}\n")
    flood, neighbour = demo.watch(PHASE_S / 2)
    demo.record["resume"] = {"flood_pps": flood, "neighbour_pps": neighbour}
    return flood > 0.8 * FLOOD_RATE


def show_error(demo):
    body = json.dumps(["[iptables]", BAD_RULE])
    say("\nAnd a mistake? A client that waits for the outcome is told the line and the reason:")
    say(bold(f"switch# curl -X PUT {URL} -H 'Prefer: wait=5' -H 'Content-Type: application/json' \\\n"
             f"             -d '{body}' | python3 -m json.tool"))
    answer, status, _, _ = demo.curl("-X", "PUT", URL, "-H", "Prefer: wait=5", "-H", "Content-Type: application/json",
                                     "-d", body)
    say(f"HTTP {status}")
    say(json.dumps(json.loads(answer), indent=4, ensure_ascii=False))
    demo.record["error"] = json.loads(answer)
    return status.startswith("422") and "--dprt" in answer


def summarize(results):
    say(bold("\nIn short"))
    for text, right in results:
        say(f"  {'✓' if right else '✗ NOT:'} {text}")
    say()


def main(arguments):
    with contextlib.ExitStack() as stack:
        demo = Demo(stack)
        introduce(demo)
        ready_s = find_collector(demo)
        announce_flood()
        demo.flood(NEIGHBOUR, NEIGHBOUR_RATE)
        demo.flood(ATTACKER, FLOOD_RATE)
        demo.watch()
        before = show_samples(demo, f"\nAnd this is what the collector sees, from one packet in {RATE:,} and the "
                              "counters of the ports:\n")
        stop_ms, stopped = stop_flood(demo)
        show_policy(demo)
        after = show_samples(demo, "\nThe victim has its peace, and the collector still sees the flood knock at swp1, "
                             "so it can tell when it ends:\n")
        flowed = let_flow(demo)
        refused = show_error(demo)
    results = [(f"the agent found its collector by DNS and was ready within {ready_s:.1f} s", ready_s < 10),
               ("the samples named the attacker, its ports and its rate", is_about(before, FLOOD_RATE)),
               ("what the ACL dropped was still sampled", is_about(after, FLOOD_RATE)),
               (f"one PUT stopped the flood, {stop_ms:.1f} ms after it was sent, and the neighbour did not notice", stopped),
               ("one DELETE let it flow again", flowed),
               ("a wrong rule was refused by line and reason", refused)]
    summarize(results)
    if arguments[:1] == ["--record"]:
        with open(arguments[1], "w") as file:
            json.dump({**demo.record, "results": [{"what": w, "right": r} for w, r in results]}, file, indent=1)
    return 0 if all(right for _, right in results) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nstopped")
