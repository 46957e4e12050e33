"""What collectors written by others make of the stream: they must see what was sent, not only accept it."""

import re
import struct
import time

import pytest

import sflow
from agent import World
from lab import Path, fill
from packets import Packet
from peers import Gmond, Sfcapd
from programs import Flood
from wait import wait_until

SOURCES = (1, 2)
TARGET, RATE, SAMPLES = 3, 20, 1000
PAYLOADS = {1: 64, 2: 1000}
CONF = f"""sflow {{
  polling = 5
  sampling.10G = {RATE}
  collector {{ ip = 10.255.0.2 }}
  collector {{ ip = 10.255.0.2 udpport = 6344 }}
}}
"""


@pytest.fixture(name="world")
def make_world(tmp_path):
    made = World(tmp_path, bridged=(), routed=(*SOURCES, TARGET), answer=True)
    yield made
    made.close()


def seen_from(receiver, number):
    """Packet samples of what came from a host."""
    return [s for s in receiver.samples(sflow.FLOW)
            if sflow.summary(sflow.find_record(s, "sampled_header")).startswith(f"10.0.{number}.{number}:")]


def is_about(estimate, packets):
    """Within what chance allows, at five standard deviations."""
    return abs(estimate - packets) <= 5 * (packets * (RATE - 1)) ** 0.5


def send(world, number):
    path = Path("peers", number, TARGET, None, None)
    frame = fill(world.switch, path, 4, Packet(dport=53, payload=PAYLOADS[number])).frame()
    return Flood(world.switch.hosts[number], frame, 10000)


@pytest.mark.skipif(Sfcapd.missing(), reason=str(Sfcapd.missing()))
def test_sfcapd_counts_what_was_sent(world, stack, tmp_path):
    peer = Sfcapd(world.host, tmp_path, 6344).start()
    stack.callback(peer.close)
    receiver = stack.enter_context(world.receiver())
    with world.agent(CONF):
        floods = {number: stack.enter_context(send(world, number)) for number in SOURCES}
        receiver.wait(lambda r: all(len(seen_from(r, number)) >= SAMPLES for number in SOURCES), 30)
        sent = {number: flood.stop() for number, flood in floods.items()}
        receiver.wait(lambda r: all(is_about(len(seen_from(r, number)) * RATE, sent[number]) for number in SOURCES), 30)
    receiver.read()
    flows = peer.flows()
    for number in SOURCES:
        samples = seen_from(receiver, number)
        mine = [flow for flow in flows if flow["sa"] == f"10.0.{number}.{number}"]
        assert {(f["da"], f["sp"], f["dp"], f["pr"]) for f in mine} == {("10.0.3.3", "40000", "53", "UDP")}
        assert {(f["in"], f["out"]) for f in mine} == {(str(world.ifindex(f"swp{number}")), str(world.ifindex("swp3")))}
        # It heard the same datagrams as our own decoder, so this is exact, while what was sent is an estimate.
        assert len(mine) == len(samples)
        assert sum(int(f["ipkt"]) for f in mine) == len(samples) * RATE
        assert sum(int(f["ibyt"]) for f in mine) == sum(
            s["rate"] * sflow.find_record(s, "sampled_header")["frame_length"] for s in samples)


def proc_text(path):
    with open(f"/proc/{path}", encoding="ascii") as file:
        return file.read()


def proc(path, pattern):
    """The number that a pattern finds in a file of /proc."""
    return float(re.search(pattern, proc_text(path), re.MULTILINE)[1])


def received(ns):
    """(packets, octets) that came in by the ports of the switch, and when that was read."""
    def look():
        with open("/proc/thread-self/net/dev", encoding="ascii") as file:
            ports = [line.split(":")[1].split() for line in file if line.strip().startswith("swp")]
        return sum(int(port[1]) for port in ports), sum(int(port[0]) for port in ports), time.monotonic()

    return ns.call(look)


def as_float(value):
    """As gmond keeps it."""
    return struct.unpack("f", struct.pack("f", value))[0]


@pytest.mark.skipif(Gmond.missing(), reason=str(Gmond.missing()))
def test_gmond_tells_what_proc_tells(world, stack, tmp_path):
    peer = Gmond(world.host, tmp_path, sflow.PORT).start()
    stack.callback(peer.close)
    stack.enter_context(send(world, 1))
    stack.enter_context(world.agent(CONF.replace("polling = 5", "polling = 1")))

    def metrics():
        hosts = peer.hosts()
        return {name: value if name in ("machine_type", "os_name", "os_release", "uuid") else float(value)
                for name, value in list(hosts.values())[0].items()} if hosts else {}

    def agrees(name, value, within=0.0):
        wait_until(lambda: abs(metrics().get(name, float("inf")) - value()) <= within,
                   f"gmond's {name} agrees with /proc within {within:g}")

    # Rates are known from the second sample on.
    wait_until(lambda: metrics().get("pkts_in"), "gmond has heard two samples of the host")
    agrees("cpu_num", lambda: len(re.findall(r"^cpu\d", proc_text("stat"), re.MULTILINE)))
    agrees("mem_total", lambda: as_float(proc("meminfo", r"^MemTotal: *(\d+)")))
    agrees("swap_total", lambda: as_float(proc("meminfo", r"^SwapTotal: *(\d+)")))
    agrees("boottime", lambda: proc("stat", r"^btime (\d+)"), 2)
    agrees("load_one", lambda: proc("loadavg", r"^(\S+)"), 0.005)
    agrees("mem_free", lambda: proc("meminfo", r"^MemFree: *(\d+)"), 0.02 * proc("meminfo", r"^MemTotal: *(\d+)"))
    wait_until(lambda: abs(sum(metrics()[f"cpu_{kind}"] for kind in (
        "user", "nice", "system", "idle", "wio", "intr", "sintr")) - 100) < 1, "the CPU's time is divided without a rest")
    began = received(world.ns)

    def port_rates_agree():
        now, said = received(world.ns), metrics()
        packets, octets = ((now[i] - began[i]) / (now[2] - began[2]) for i in (0, 1))
        return abs(said["pkts_in"] - packets) < 0.2 * packets and abs(said["bytes_in"] - octets) < 0.2 * octets

    wait_until(port_rates_agree, "gmond's traffic of the host agrees with that of /proc/net/dev")
