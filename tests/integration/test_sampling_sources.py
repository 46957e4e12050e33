"""The sources one by one, and where packets leave, with the program sampling_probe: the sampling half of the agent that
can be told to stop reading, with sockets as small as a test wants them."""

import contextlib
import json
import math
import os
import re
import select
import subprocess

import pytest

import programs
from agent import World, conf, flows, header_of, samples_of
from lab import BRIDGED, ROUTED, ROUTED_TO_BRIDGE, fill
from netns import host_mac, port_mac
from packets import Packet
from wait import wait_until

ANSWER_S = 60


class Probe:
    """The program, driven line by line."""

    def __init__(self, world, text, receive_bytes=0, recording=None, collector=World.COLLECTOR4):
        self.path = os.path.join(world.directory, "probe.conf")
        self.write(text)
        self.process = world.ns.popen(
            programs.tool("sampling_probe"),
            self.path,
            collector,
            str(receive_bytes),
            *([recording] if recording else []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.ready = self._line() == "ready"

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def _line(self):
        assert select.select([self.process.stdout], [], [], ANSWER_S)[0], "no answer"
        return self.process.stdout.readline().strip()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line):
        self.tell(line)
        return self._line()

    def answer(self):
        return self._line()

    def status(self):
        return json.loads(self.ask("status"))

    def source(self, name):
        return self.status()["sources"][name]

    def reload(self, text):
        self.write(text)
        assert self.ask("reload") == "ok"

    def finish(self):
        """End it; its log."""
        _, log = self.process.communicate(timeout=ANSWER_S)
        assert self.process.returncode == 0, log
        return log

    def __enter__(self):
        assert self.ready, self.process.communicate(timeout=ANSWER_S)[1]
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.close()
        self.process.wait(timeout=ANSWER_S)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()


def rules(world):
    return re.findall(r"device \"(\w+)\".*?counter packets (\d+).*?tapgate:(\d+)\"",
                      world.ns.run("nft", "list", "table", "netdev", "tapgate_agent").stdout, re.S)


def sampled_ports(world, probe, ports):
    wait_until(lambda: sum(s["ports"] for s in probe.status()["sources"].values()) == ports, "ports are sampled")
    return world.ifindex


# Packet sockets.


def taps(*names, rate=1):
    return conf(*(f"pcap {{ dev = {name} sampling = {rate} }}" for name in names))


def test_packet_sockets_tell_direction_length_and_tag(world):
    packet, big = Packet(vlan=100, pcp=3, payload=400), Packet(proto="0x88cc", payload=900)
    with world.receiver() as receiver, Probe(world, taps("swp1", "swp2")) as probe:
        ifindex = sampled_ports(world, probe, 2)
        swp1, swp2 = ifindex("swp1"), ifindex("swp2")
        for sent in (packet, big):
            frame = fill(world.switch, BRIDGED, 4, sent).frame()
            world.lab.exchange(1, [frame])
            for port in (swp1, swp2):
                (sample,) = receiver.wait(lambda r, p=port, s=sent: samples_of(r, s, p), 30)
                assert (sample["input"], sample["output"]) == (str(swp1), str(swp2) if port == swp2 or sent else "")
                assert header_of(sample)["frame_length"] == len(frame) + 4
                assert bytes(header_of(sample)["header"]) == frame[:128]
        assert probe.source("afpacket")["lost"] == 0


def test_packet_sockets_see_what_the_switch_itself_sends(world):
    packet = Packet(proto="0x88b6")
    with world.receiver() as receiver, Probe(world, taps("swp3")) as probe:
        swp3 = sampled_ports(world, probe, 1)("swp3")
        world.lab.ports[3].send(fill(world.switch, ROUTED.reverse(), 4, packet).frame())
        (sample,) = receiver.wait(lambda r: samples_of(r, packet), 30)
        assert (sample["input"], sample["output"]) == ("internal", str(swp3))


def test_packet_sockets_sample_at_random_and_follow_the_rate(world):
    count, rate, packet = 40000, 50, Packet()
    frame = fill(world.switch, ROUTED, 4, packet).frame()
    with world.receiver() as receiver, Probe(world, taps("swp3", rate=rate)) as probe:
        swp3 = sampled_ports(world, probe, 1)("swp3")
        for _ in range(8):
            world.lab.exchange(3, [frame] * (count // 8))
        probe.reload(taps("swp3"))
        wait_until(lambda: probe.status()["ports"]["swp3"]["rate"] == 1, "the new rate")
        marker = Packet()
        wait_until(lambda: world.lab.send(ROUTED, 4, marker) and receiver.read() + 1 and samples_of(receiver, marker),
                   "the marker is sampled")
        # Not the lab's own frames, which are sampled as well.
        taken = [s for s in samples_of(receiver, packet) if s["rate"] == rate and s["input"] == str(swp3)]
        sigma = math.sqrt(count * (1 / rate) * (1 - 1 / rate))
        assert abs(len(taken) - count / rate) < 5 * sigma + 5, len(taken)
        assert {s["output"] for s in taken} == {str(world.ifindex("swp4"))}


# Loss.


def test_samples_that_do_not_fit_the_socket_are_counted_as_drops(world):
    frame = fill(world.switch, ROUTED, 4, Packet()).frame()
    with world.receiver() as receiver, Probe(world, conf("sampling.flat = 1"), receive_bytes=65536) as probe:
        swp3 = sampled_ports(world, probe, 4)("swp3")
        probe.tell("hold 2000")
        for _ in range(4):
            world.lab.exchange(3, [frame] * 2000)
        assert probe.answer() == "held"
        last = Packet()
        wait_until(lambda: world.lab.send(ROUTED, 4, last) and receiver.read() + 1 and samples_of(receiver, last),
                   "the last packet is sampled")
        source = probe.source("nflog")
        assert source["lost"] > 0 and source["overruns"] > 0
        # What came and what was lost is what entered the ports, but for what still waits in the kernel.
        entered = sum(int(packets) for _, packets, _ in rules(world))
        assert 0 <= entered - source["packets"] - source["lost"] <= 200
        newest = samples_of(receiver, last)[-1]
        assert newest["drops"] > 0
        assert abs(newest["pool"] - entered) <= 200
        assert newest["ds_index"] == swp3


def test_packets_that_do_not_fit_a_packet_socket_are_counted_as_drops(world):
    frame = fill(world.switch, ROUTED, 4, Packet()).frame()
    with world.receiver() as receiver, Probe(world, taps("swp3"), receive_bytes=16384) as probe:
        sampled_ports(world, probe, 1)
        probe.tell("hold 1000")
        world.lab.exchange(3, [frame] * 3000)
        assert probe.answer() == "held"
        wait_until(lambda: probe.source("afpacket")["lost"] > 0, "the loss is known")
        last = Packet()
        world.lab.send(ROUTED, 4, last)
        (sample,) = receiver.wait(lambda r: samples_of(r, last), 30)
        assert sample["drops"] == probe.source("afpacket")["lost"]


# Recordings, and rules of the user.


def test_a_recording_plays_the_same_samples_again(world, tmp_path):
    recording = str(tmp_path / "recording")
    packets = [Packet(payload=100 + i) for i in range(20)]
    with world.receiver() as first, Probe(world, conf("sampling.flat = 1"), recording=recording) as probe:
        sampled_ports(world, probe, 4)
        world.lab.send(ROUTED, 4, *packets)
        first.wait(lambda r: all(samples_of(r, p) for p in packets), 30)
        probe.finish()
        seen = [samples_of(first, p)[0] for p in packets]
    with world.receiver() as second, Probe(world, conf(f'replay {{ file = "{recording}" }}')) as probe:
        second.wait(lambda r: all(samples_of(r, p) for p in packets), 30)
        again = [samples_of(second, p)[0] for p in packets]
        assert probe.source("replay")["malformed"] == 0
    same = ("input", "output", "rate", "ds_index", "drops")
    assert [[s[k] for k in same] for s in again] == [[s[k] for k in same] for s in seen]
    assert [header_of(s) for s in again] == [header_of(s) for s in seen]


def test_rules_of_the_user_feed_the_group_and_are_thinned_out(world):
    world.ns.nft("""table inet mine {
        chain forward { type filter hook forward priority 0; numgen random mod 10 0 log group 5; }
    }""")
    text = conf("sampling = 40", "nflog { group = 5 probability = 0.1 }")
    count = 40000
    frame = fill(world.switch, ROUTED, 4, Packet()).frame()
    with world.receiver() as receiver, Probe(world, text) as probe:
        for _ in range(8):
            world.lab.exchange(3, [frame] * (count // 8))
        receiver.wait(lambda r: len(flows(r)) > count / 40 - 5 * math.sqrt(count / 40), 30)
        assert "tapgate_agent" not in world.ns.run("nft", "list", "ruleset").stdout
        probe.finish()
        receiver.read()
        samples = flows(receiver)
        assert abs(len(samples) - count / 40) < 5 * math.sqrt(count / 40)
        assert {(s["rate"], s["input"], s["output"]) for s in samples} == {
            (40, str(world.ifindex("swp3")), str(world.ifindex("swp4")))}
    assert "chain forward" in world.ns.run("nft", "list", "table", "inet", "mine").stdout


def test_two_at_a_time_do_not_disturb_each_other(world):
    with world.receiver(), Probe(world, conf("sampling.flat = 7")) as probe:
        sampled_ports(world, probe, 4)
        second = Probe(world, conf("sampling.flat = 9"))
        assert not second.ready
        assert "another program" in second.process.communicate(timeout=ANSWER_S)[1]
        assert [rate for _, _, rate in rules(world)] == ["7"] * 4


# Where packets leave.


def output_of(world, receiver, path, packet, family=4):
    world.lab.exchange(path.source, [fill(world.switch, path, family, packet).frame()])
    return receiver.wait(lambda r: samples_of(r, packet), 30)[0]["output"]


def test_a_route_that_changes_is_followed(world):
    with world.receiver() as receiver, Probe(world, conf("sampling.flat = 1")) as probe:
        ifindex = sampled_ports(world, probe, 4)
        for family, net in ((4, "10.104.0.0/16"), (6, "2001:db8:104::/48")):
            assert output_of(world, receiver, ROUTED, Packet(dst="behind"), family) == str(ifindex("swp4"))
            host = world.switch.hosts[1]
            world.ns.ip(f"route replace {net} via {host.address(family)}")
            wait_until(lambda f=family: output_of(world, receiver, ROUTED, Packet(dst="behind"), f)
                       == str(ifindex("swp1")), "samples show the new route")
            world.ns.ip(f"route del {net}")
            wait_until(lambda f=family: output_of(world, receiver, ROUTED, Packet(dst="behind"), f) == "unknown",
                       "samples show that there is no route")


def test_an_address_that_moves_to_another_port_is_followed(world):
    with world.receiver() as receiver, Probe(world, conf("sampling.flat = 1")) as probe:
        ifindex = sampled_ports(world, probe, 4)
        assert output_of(world, receiver, ROUTED_TO_BRIDGE, Packet()) == str(ifindex("swp1"))
        world.ns.run("bridge", "fdb", "replace", host_mac(1), "dev", "swp2", "master", "static")
        wait_until(lambda: output_of(world, receiver, ROUTED_TO_BRIDGE, Packet()) == str(ifindex("swp2")),
                   "samples show the new port")
        world.ns.run("bridge", "fdb", "del", host_mac(1), "dev", "swp2", "master")
        wait_until(lambda: output_of(world, receiver, ROUTED_TO_BRIDGE, Packet()).startswith("multiple"),
                   "samples show that the bridge floods")


@pytest.mark.parametrize("family", (4, 6))
def test_each_flow_has_its_own_next_hop(world, family):
    """Two routes of the same cost: what the sample says is where the packet came out."""
    hosts = world.switch.hosts
    net = "10.200.0.0/16" if family == 4 else "2001:db8:200::/48"
    world.ns.ip(f"route add {net} nexthop via {hosts[4].address(family)} nexthop via {hosts[1].address(family)}")
    outputs = set()
    with world.receiver() as receiver, Probe(world, conf("sampling.flat = 1")) as probe:
        ifindex = sampled_ports(world, probe, 4)
        for number in range(1, 33):
            source = f"10.0.3.{number}" if family == 4 else f"2001:db8:3::{number:x}00"
            target = "10.200.0.1" if family == 4 else "2001:db8:200::1"
            packet = Packet(src=source, dst=target)
            arrived = world.lab.exchange(3, [fill(world.switch, ROUTED, family, packet).frame()])
            (where,) = {host for host, frame in arrived if packet.token in frame and host != 3}
            (sample,) = receiver.wait(lambda r, p=packet: samples_of(r, p), 30)
            assert sample["output"] == str(ifindex(f"swp{where}")), source
            outputs.add(where)
        assert outputs == {1, 4}, "the flows should have been spread"


def test_a_storm_of_destinations_costs_no_more_than_the_limit(world):
    template = fill(world.switch, ROUTED, 4, Packet()).frame()
    frames = [template[:30] + bytes((10, 104, n >> 8, n & 255)) + template[34:] for n in range(20000)]
    with world.receiver(), Probe(world, conf("sampling.flat = 1"), collector="-") as probe:
        sampled_ports(world, probe, 4)
        for at in range(0, len(frames), 2500):
            world.lab.exchange(3, frames[at:at + 2500])
        markers = len(frames) // 2500
        wait_until(lambda: probe.status()["packets"] >= len(frames) + markers, "all are sampled")
        status = probe.status()
        assert status["sent"] == status["packets"]
        assert status["limited"] > 0
        assert status["unknown_output"] >= status["limited"]
        assert status["hits"] + status["lookups"] + status["limited"] >= len(frames)
        assert status["lookups"] < len(frames) / 2


def test_frames_for_others_on_a_routed_port_go_nowhere(world):
    with world.receiver() as receiver, Probe(world, conf("sampling.flat = 1")) as probe:
        sampled_ports(world, probe, 4)
        assert output_of(world, receiver, ROUTED, Packet(dmac="02:00:00:00:00:99")) == "unknown"
        assert output_of(world, receiver, ROUTED, Packet(dmac=port_mac(4))) == "unknown"


def test_psample_that_the_kernel_lacks_is_named(world):
    probe = Probe(world, conf("psample { }"))
    if probe.ready:
        probe.process.communicate(timeout=ANSWER_S)
        pytest.skip("this kernel has psample")
    assert "psample: this kernel has no PSAMPLE" in probe.process.communicate(timeout=ANSWER_S)[1]
