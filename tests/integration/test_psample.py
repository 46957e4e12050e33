"""What comes through PSAMPLE, packet by packet: from filters of our own on veth, and with all its metadata from the
generator of netdevsim. In the test machine, for it takes tc and netdevsim."""

import contextlib
import json

import pytest

import sflow
from agent import Agent, World, add_management, conf, header_of, samples_of
from genetlink import Listener, number
from lab import BRIDGE_TO_ROUTED, BRIDGED, ROUTED, ROUTED_TO_BRIDGE, fill
from netdevsim import SimulatedSwitch
from netns import Namespace
from packets import Packet
from programs import Flood
from test_sampling_sources import Probe
from wait import wait_until

pytestmark = pytest.mark.vm

EVERY = "sampling.flat = 1", "polling = 0"
LENGTHS = (0, 40, 200, 1400)
# linux/psample.h
ORIGSIZE, DATA, OUT_TC, OUT_TC_OCC, LATENCY = 2, 6, 10, 11, 12


def running(world, *lines):
    """A started agent all of whose ports are sampled by psample."""
    agent = world.agent(conf(*lines)).start()
    agent.wait_status(lambda s: len(s["ports"]) == 4 and all(p["source"] == "psample" for p in s["ports"]),
                      "psample samples all ports")
    return agent


def samples_of_frames(receiver, frames):
    """For each frame its samples; a frame is known by what its header must be."""
    found = {}
    for sample in receiver.samples(sflow.FLOW):
        found.setdefault(bytes(header_of(sample)["header"]), []).append(sample)
    return [found.get(frame[:128], []) for frame in frames]


def check(sample, ingress, egress, frame):
    """One sample of a frame that went from one interface to another."""
    assert (sample["ds_index"], int(sample["input"]), int(sample["output"])) == (ingress, ingress, egress)
    assert (sample["rate"], sample["drops"]) == (1, 0)
    assert (header_of(sample)["protocol"], header_of(sample)["frame_length"]) == (1, len(frame) + 4)


def test_every_packet_is_sampled_as_it_was_sent(world):
    paths = {BRIDGED: "swp2", ROUTED: "swp4", BRIDGE_TO_ROUTED: "swp3", ROUTED_TO_BRIDGE: "swp1"}
    with world.receiver() as receiver, running(world, *EVERY):
        for path, egress in paths.items():
            sent = [Packet(payload=length) for length in LENGTHS for _ in range(5)]
            frames = [fill(world.switch, path, 4, packet).frame() for packet in sent]
            world.lab.send(path, 4, *sent)
            receiver.wait(lambda r, f=frames: all(samples_of_frames(r, f)), 30)
            ports = world.ifindex(path.ingress), world.ifindex(egress)
            for frame, (sample,) in zip(frames, samples_of_frames(receiver, frames)):
                check(sample, *ports, frame)


def test_what_leaves_is_sampled_where_it_leaves(world):
    with world.receiver() as receiver, running(world, *EVERY, "psample { install = on ingress = off egress = on }"):
        packet = Packet(payload=300)
        world.lab.send(ROUTED, 4, packet)
        (sample,) = receiver.wait(lambda r: samples_of(r, packet), 30)
        assert sample["ds_index"] == world.ifindex("swp4")
        assert (int(sample["input"]), int(sample["output"])) == (world.ifindex("swp3"), world.ifindex("swp4"))
        assert header_of(sample)["frame_length"] == len(fill(world.switch, ROUTED, 4, packet).frame()) + 4


def test_samples_of_other_groups_do_not_reach_the_agent(world):
    with world.receiver() as receiver, running(world, *EVERY, "port swp1 { sampling = 1000000 }") as agent:
        world.ns.run("tc", "filter", "add", "dev", "swp1", "ingress", "matchall", "action", "sample", "rate", "1",
                     "group", "77", "continue")
        world.lab.send(BRIDGED, 4, *(Packet() for _ in range(50)))
        last = Packet()
        world.lab.send(ROUTED, 4, last)
        receiver.wait(lambda r: samples_of(r, last), 30)
        (source,) = (s for s in agent.status()["sources"] if s["name"] == "psample")
        assert source["skipped"] == 0 and source["packets"] < 50


def test_lost_samples_are_counted_as_drops(world):
    frame = fill(world.switch, ROUTED, 4, Packet()).frame()
    with world.receiver() as receiver, Probe(world, conf("sampling.flat = 1"), receive_bytes=65536) as probe:
        wait_until(lambda: probe.source("psample")["ports"] == 4, "psample samples all ports")
        probe.tell("hold 1000")
        for _ in range(4):
            world.lab.exchange(3, [frame] * 1000)
        assert probe.answer() == "held"
        last = Packet()
        wait_until(lambda: world.lab.send(ROUTED, 4, last) and receiver.read() + 1 and samples_of(receiver, last),
                   "the last packet is sampled")
        entered = filter_packets(world, "swp3")
        wait_until(lambda: sum(probe.source("psample")[name] for name in ("packets", "lost")) == entered,
                   "all that entered is sampled or counted as lost")
        assert probe.source("psample")["lost"] > 0 and probe.source("psample")["overruns"] > 0
        assert samples_of(receiver, last)[-1]["drops"] == probe.source("psample")["lost"]


def filter_packets(world, port):
    """How many packets the action of the one filter at a port's ingress has seen."""
    text = world.ns.run("tc", "-s", "filter", "show", "dev", port, "ingress").stdout
    return int(text.split("Sent ")[1].split(" pkt")[0].split()[-1])


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def test_a_storm_of_samples_is_sent_or_counted_and_takes_no_memory(world):
    with world.receiver() as receiver, running(world, *EVERY) as agent:
        frame = fill(world.switch, ROUTED, 4, Packet()).frame()

        def storm(samples):
            with Flood(world.switch.hosts[3], frame, 0) as flood:
                agent.wait_status(lambda s: s["samples"]["received"] >= samples, f"{samples} samples")
                flood.stop()
            return resident_kb(agent.process.pid)

        before = storm(10000)
        # Each sample that stayed would take more than 128 bytes; one huge page more or less says nothing.
        assert storm(70000) <= before + 3072
        last = Packet()
        wait_until(lambda: world.lab.send(ROUTED, 4, last) and receiver.read() + 1 and samples_of(receiver, last),
                   "the storm is over")
        port = agent.port("swp3")
        assert port["samples"] + port["drops"] == filter_packets(world, "swp3")
        assert port["pool"] == port["samples"] + port["drops"]


# Metadata: the generator of netdevsim makes up a sample every 100 ms.


@pytest.fixture(name="simulated")
def _simulated(tmp_path):
    """(namespace, simulated switch, agent, receiver): the agent listens to group 5."""
    with contextlib.ExitStack() as stack:
        ns = Namespace()
        stack.callback(ns.close)
        switch = stack.enter_context(SimulatedSwitch(ns, 2, number=11))
        host = add_management(ns, stack)
        receiver = stack.enter_context(host.call(sflow.Receiver, World.COLLECTOR4, sflow.PORT))
        agent = stack.enter_context(Agent(ns, tmp_path, conf("polling = 0", "agent.cidr = 10.255.0.0/24",
                                                             "psample { group = 5 }")))
        yield ns, switch, agent, receiver


def generated(simulated, samples, **settings):
    """Pairs (kernel's message, sample that was sent) of the generator with these settings."""
    ns, switch, _, receiver = simulated
    with Listener(ns, "psample", "packets") as listener:
        for name, setting in {"group_num": 5, "rate": 400, "trunc_size": 100, **settings}.items():
            switch.set(f"psample/{name}", setting)
        switch.set("psample/enable", 1)
        messages = []
        wait_until(lambda: messages.extend(listener.read()) or len(messages) >= samples, "the generator works")
        switch.set("psample/enable", 0)
        messages += listener.read()
    frames = [message[DATA] for message in messages]
    receiver.wait(lambda r: all(samples_of_frames(r, frames)), 30)
    return [(message, sample) for message, (sample,) in zip(messages, samples_of_frames(receiver, frames))]


def value(sample, record, name):
    found = sflow.find_record(sample, record)
    return found[name] if found else None


def test_all_metadata_arrives_and_is_cut_to_what_fits(simulated):
    links = json.loads(simulated[0].run("ip", "-json", "link").stdout)
    ifindex = {link["ifname"]: link["ifindex"] for link in links}
    pairs = generated(simulated, 10, in_ifindex=ifindex["swp1"], out_ifindex=ifindex["swp2"], out_tc=3,
                      out_tc_occ_max=100000, latency_max=50000)
    assert len(pairs) >= 10
    for message, sample in pairs:
        assert (int(sample["input"]), int(sample["output"])) == (ifindex["swp1"], ifindex["swp2"])
        assert sample["rate"] == 400
        assert bytes(header_of(sample)["header"]) == message[DATA]
        assert header_of(sample)["frame_length"] == number(message[ORIGSIZE]) + 4
        assert value(sample, "extended_egress_queue", "queue") == number(message[OUT_TC]) == 3
        assert value(sample, "extended_queue", "depth_bytes") == number(message[OUT_TC_OCC])
        assert value(sample, "extended_transit", "delay_ns") == number(message[LATENCY])
    # Beyond 32 bits the highest number that fits stands for "that much or more".
    pairs = generated(simulated, 10, out_tc_occ_max=1 << 36, latency_max=1 << 36)
    assert any(number(message[LATENCY]) > 0xFFFFFFFF for message, _ in pairs)
    for message, sample in pairs:
        assert value(sample, "extended_queue", "depth_bytes") == min(number(message[OUT_TC_OCC]), 0xFFFFFFFF)
        assert value(sample, "extended_transit", "delay_ns") == min(number(message[LATENCY]), 0xFFFFFFFF)

