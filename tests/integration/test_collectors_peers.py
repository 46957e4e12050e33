"""What collectors written by others make of the stream: they must see what was sent, not only accept it."""

import pytest

import sflow
from agent import World
from lab import Path, fill
from packets import Packet
from peers import Sfcapd
from programs import Flood

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
