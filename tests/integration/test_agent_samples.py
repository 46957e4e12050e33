"""Packet samples from the kernel to the collector: how many, of which ports, what the headers say, and that nothing
of the agent is left in the kernel."""

import json
import math
import re

import pytest

import sflow
from agent import World, flows, header_of, nflog_conf as conf, samples_of
from daemon import Policy, run_acl
from lab import BRIDGE_TO_ROUTED, BRIDGED, ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT, fill
from packets import Packet
from programs import Flood, Sink, agent_program
from wait import wait_until

EVERY = conf("sampling.flat = 1", "polling = 0")


def running(world, text, receiver):
    """A started agent that samples all ports; receiver is only there so that nobody forgets it."""
    assert receiver
    agent = world.agent(text).start()
    agent.wait_status(lambda s: s["ports"] and all(p["source"] for p in s["ports"]) and sampling_rules(world)
                      == len(s["ports"]), "all ports are sampled")
    return agent


def sampling_rules(world):
    """How many rules in the kernel of the switch take samples."""
    return len(re.findall(r"\blog\b.*\bgroup\b", world.ns.run("nft", "-n", "list", "ruleset").stdout))


def sent_and_sampled(world, receiver, path, family, packet):
    """Send a packet along a path and return its one sample."""
    world.lab.send(path, family, packet)
    (sample,) = receiver.wait(lambda r: samples_of(r, packet), 30)
    return sample


@pytest.mark.parametrize("family", (4, 6))
def test_ports_and_headers_are_right(world, family):
    expected = {BRIDGED: "swp2", ROUTED: "swp4", BRIDGE_TO_ROUTED: "swp3", ROUTED_TO_BRIDGE: "swp1"}
    with world.receiver() as receiver, running(world, EVERY, receiver):
        for path, out in expected.items():
            packet = Packet(payload=40)
            sample = sent_and_sampled(world, receiver, path, family, packet)
            ports = (str(world.ifindex(path.ingress)), str(world.ifindex(out)))
            assert (sample["input"], sample["output"]) == ports, path.name
            assert (sample["ds_class"], sample["ds_index"]) == (0, world.ifindex(path.ingress))
            assert (sample["rate"], sample["drops"]) == (1, 0)
            sent = fill(world.switch, path, family, packet).frame()
            header = header_of(sample)
            assert bytes(header["header"]) == sent[:128]
            assert (header["protocol"], header["frame_length"], header["stripped"]) == (1, len(sent) + 4, 4)


def test_what_is_for_the_switch_has_the_switch_as_output(world):
    with world.receiver() as receiver, running(world, EVERY, receiver):
        for path, name in ((TO_PORT, "swp3"), (TO_BRIDGE, "swp1")):
            sample = sent_and_sampled(world, receiver, path, 4, Packet())
            assert (sample["input"], sample["output"]) == (str(world.ifindex(name)), "internal"), path.name


def test_broadcast_leaves_by_several_ports(world):
    with world.receiver() as receiver, running(world, EVERY, receiver):
        packet = Packet(dmac="ff:ff:ff:ff:ff:ff", dst="10.0.0.255")
        world.lab.exchange(1, [fill(world.switch, BRIDGED, 4, packet).frame()])
        (sample,) = receiver.wait(lambda r: samples_of(r, packet), 30)
        assert sample["output"].startswith("multiple")


def test_a_tag_is_part_of_the_header(world):
    with world.receiver() as receiver, running(world, EVERY, receiver):
        packet = Packet(vlan=100, pcp=5)
        sample = sent_and_sampled(world, receiver, BRIDGED, 4, packet)
        sent = fill(world.switch, BRIDGED, 4, packet).frame()
        assert bytes(header_of(sample)["header"]) == sent[:128]
        assert header_of(sample)["frame_length"] == len(sent) + 4


def test_header_bytes_are_as_configured(world):
    text = conf("sampling.flat = 1", "polling = 0", "headerBytes = 64")
    with world.receiver() as receiver, running(world, text, receiver) as agent:
        sample = sent_and_sampled(world, receiver, ROUTED, 4, Packet(payload=300))
        assert len(header_of(sample)["header"]) == 64
        agent.reload(conf("sampling.flat = 1", "polling = 0", "headerBytes = 200"))
        agent.wait_status(lambda s: s["agent"]["header_bytes"] == 200, "the new length")
        # The rules change in the turn of the loop after that.
        def long_header():
            packet = Packet(payload=300)
            world.lab.send(ROUTED, 4, packet)
            return len(header_of(receiver.wait(lambda r: samples_of(r, packet), 30)[0])["header"]) == 200

        wait_until(long_header, "samples have the new length")


def flood_of(world, source, rate, dport=9):
    target = 2 if source == 1 else 4
    path = BRIDGED if source == 1 else ROUTED
    frame = fill(world.switch, path, 4, Packet(dport=dport)).frame()
    assert path.target == target
    return Flood(world.switch.hosts[source], frame, rate)


def estimate(samples):
    """How many packets these samples stand for."""
    return sum(sample["rate"] for sample in samples)


@pytest.mark.parametrize("rate", (20, 100))
def test_counts_are_within_the_statistical_bound(world, rate):
    text = conf(f"sampling.flat = {rate}", "polling = 0")
    with world.receiver() as receiver, running(world, text, receiver) as agent:
        index = world.ifindex("swp1")
        with flood_of(world, 1, 20000) as flood:
            receiver.wait(lambda r: len(flows(r, index)) >= 400, 60)
            sent = flood.stop()
        # Five standard deviations: one run in a million is outside.
        bound = 5 * math.sqrt(sent * (rate - 1))
        receiver.wait(lambda r: estimate(flows(r, index)) > sent - bound, 30)
        agent.wait_status(lambda s: agent.port("swp1")["samples"] == len(flows(receiver, index))
                          or receiver.read() is None, "every sample arrived")
        got = flows(receiver, index)
        assert abs(estimate(got) - sent) <= bound, (estimate(got), sent)
        assert receiver.lost == 0
        last = max(got, key=lambda s: s["seq"])
        assert (last["seq"], last["drops"]) == (len(got), 0)
        assert abs(last["pool"] - sent) <= bound
        status = agent.status()
        assert (status["samples"]["lost"], status["samples"]["refused"]) == (0, 0)


@pytest.fixture(name="answering")
def make_answering_world(tmp_path):
    made = World(tmp_path, answer=True)
    policy = Policy()
    yield made, policy
    policy.close()
    made.close()


def test_what_an_acl_drops_is_sampled_all_the_same(answering):
    world, policy = answering
    text = conf("sampling.flat = 10", "polling = 0")
    with world.receiver() as receiver, Sink(world.switch.hosts[2], 53) as sink, running(world, text, receiver):
        with flood_of(world, 1, 5000, dport=53):
            wait_until(lambda: sink.flow("10.0.0.1")[0] > 100, "the flood arrives")
            policy.write("10deny.rules", "[iptables]\n-A FORWARD -i swp1 -p udp --dport 53 -j DROP\n")
            assert run_acl(world.ns, policy, "-i").returncode == 0
            arrived, before = sink.flow("10.0.0.1")[0], len(flows(receiver, world.ifindex("swp1")))
            got = receiver.wait(lambda r: flows(r, world.ifindex("swp1"))[before + 50:], 60)
            assert sink.flow("10.0.0.1")[0] == arrived
        assert sflow.summary(header_of(got[0])) == "10.0.0.1:40000 > 10.0.0.2:53 udp"
        assert got[0]["output"] == str(world.ifindex("swp2"))


def test_a_reload_under_traffic_changes_the_rate_and_loses_nothing(world):
    with world.receiver() as receiver, running(world, conf("sampling.flat = 50", "polling = 0"), receiver) as agent:
        index = world.ifindex("swp1")
        with flood_of(world, 1, 10000) as flood:
            receiver.wait(lambda r: len(flows(r, index)) >= 100, 60)
            agent.reload(conf("sampling.flat = 10", "polling = 0"))
            receiver.wait(lambda r: sum(s["rate"] == 10 for s in flows(r, index)) >= 500, 60)
            agent.reload(conf("sampling.flat = 25", "polling = 0", "port swp4 { sampling = 7 }"))
            receiver.wait(lambda r: sum(s["rate"] == 25 for s in flows(r, index)) >= 100, 60)
            sent = flood.stop()
        bound = 5 * math.sqrt(sent * 49)
        receiver.wait(lambda r: estimate(flows(r, index)) > sent - bound, 30)
        got = flows(receiver, index)
        assert {s["rate"] for s in got} == {50, 10, 25}
        assert abs(estimate(got) - sent) <= bound
        assert receiver.lost == 0
        assert agent.port("swp4")["rate"] == 7


def test_stop_leaves_nothing_and_a_crash_is_cleaned_up(world):
    before = world.ns.run("nft", "list", "ruleset").stdout
    with world.receiver() as receiver:
        agent = running(world, EVERY, receiver)
        agent.kill()
        assert sampling_rules(world) == 4  # what a crash leaves behind
        agent = running(world, EVERY, receiver)
        packet = Packet()
        world.lab.send(BRIDGED, 4, packet)
        receiver.wait(lambda r: samples_of(r, packet), 30)
        again = Packet()
        world.lab.send(BRIDGED, 4, again)
        receiver.wait(lambda r: samples_of(r, again), 30)
        assert len(samples_of(receiver, packet)) == 1
        agent.stop()
    assert world.ns.run("nft", "list", "ruleset").stdout == before


def test_cleanup_removes_what_a_crash_left_and_spares_an_agent_that_runs(world):
    world.ns.nft("table netdev other { }")
    with world.receiver() as receiver:
        agent = running(world, EVERY, receiver)
        refused = agent.cleanup()
        assert refused.returncode == 1 and "another agent is running" in refused.stderr
        assert sampling_rules(world) == 4
        agent.kill()
        assert sampling_rules(world) == 4
        for _ in range(2):  # the second time there is nothing
            done = agent.cleanup()
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
            assert world.ns.run("nft", "list", "tables").stdout == "table netdev other\n"
        assert world.ns.run(agent_program(), "cleanup", "now", check=False).returncode == 2


def test_rules_of_others_stay_and_ours_come_back(world):
    world.ns.nft("table netdev other { chain c { type filter hook ingress device swp1 priority 0; counter; }; }")
    with world.receiver() as receiver, running(world, EVERY, receiver) as agent:
        world.ns.run("nft", "delete", "table", "netdev", "tapgate_agent")
        wait_until(lambda: sampling_rules(world) == 4, "the agent notices and installs its rules again")
        sent_and_sampled(world, receiver, BRIDGED, 4, Packet())
        agent.stop()
    tables = json.loads(world.ns.run("nft", "-j", "list", "tables").stdout)["nftables"]
    assert [t["table"]["name"] for t in tables if "table" in t] == ["other"]


def test_rate_zero_samples_nothing_and_is_no_fault(world):
    text = conf("sampling.flat = 0", "polling = 1", "port swp4 { sampling = 1 }")
    with world.receiver() as receiver, world.agent(text) as agent:
        agent.wait_status(lambda s: sampling_rules(world) == 1, "one port is sampled")
        quiet = Packet()
        world.lab.send(BRIDGED, 4, quiet)
        sample = sent_and_sampled(world, receiver, ROUTED_BACK, 4, Packet())
        assert sample["input"] == str(world.ifindex("swp4"))
        assert not samples_of(receiver, quiet)
        assert agent.status()["ok"]


# The lab's paths go to port 4; this one comes from there.
ROUTED_BACK = type(ROUTED)("routed_back", 4, 3, "swp4", "swp3")
