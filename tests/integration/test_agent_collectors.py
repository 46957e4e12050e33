"""Collectors: of both families, several, gone and back, unreachable."""

import json

import sflow
from agent import World, conf, flows
from lab import BRIDGED, fill
from packets import Packet
from programs import Flood


def state(agent, name):
    return next(c["state"] for c in agent.status()["collectors"] if c["name"] == name)


def test_an_ipv6_collector_and_agent(world):
    text = conf("polling = 1", "agentIP = 2001:db8:ff::1", collector=World.COLLECTOR6)
    with world.receiver(World.COLLECTOR6) as receiver, world.agent(text) as agent:
        receiver.wait(lambda r: len(r.datagrams) > 2, 30)
        assert {(d["agent"], d["peer"]) for d in receiver.datagrams} == {("2001:db8:ff::1", "2001:db8:ff::1")}
        assert [c["name"] for c in agent.status()["collectors"]] == [f"[{World.COLLECTOR6}]:6343"]


def test_source_address_and_dscp(world):
    world.ns.ip("addr add 192.0.2.7/32 dev lo")
    text = conf("polling = 1", f"collector {{ ip = {World.COLLECTOR4} udpport = 6344 source = 192.0.2.7 dscp = ef }}")
    world.host.ip("route add 192.0.2.7 via 10.255.0.1")
    with world.receiver(port=6344) as receiver, world.agent(text):
        receiver.wait(lambda r: r.datagrams, 30)
        assert {d["peer"] for d in receiver.datagrams} == {"192.0.2.7"}


def test_a_collector_that_goes_and_comes_back(world):
    name = f"{World.COLLECTOR4}:6343"
    with world.agent(conf("polling = 1")) as agent:
        with world.receiver() as receiver:
            receiver.wait(lambda r: len(r.datagrams) > 2, 30)
            agent.wait_status(lambda s: s["ok"], "all is well")
            last = receiver.datagrams[-1]["seq"]
        agent.wait_status(lambda s: s["warnings"] == [f"collector {name}: Connection refused"], "it is missed")
        with world.receiver() as receiver:
            receiver.wait(lambda r: len(r.datagrams) > 2, 60)
            assert receiver.datagrams[0]["seq"] > last
            agent.wait_status(lambda s: s["ok"], "all is well again")
        assert agent.log().count("Connection refused") <= 2


def test_unreachable_collectors_do_not_concern_the_others(world):
    text = conf("polling = 1", "sampling.flat = 20", "collector { ip = 10.255.0.2 udpport = 7999 }",
                "collector { ip = 10.255.0.77 }", "collector { ip = 198.51.100.1 }",
                "collector { ip = 10.255.0.2 udpport = 6345 dev = swp1 }",
                f"collector {{ ip = {World.COLLECTOR6} udpport = 6344 }}")
    frame = fill(world.switch, BRIDGED, 4, Packet()).frame()
    with world.receiver() as first, world.receiver(World.COLLECTOR6, 6344) as second, world.agent(text) as agent, \
            Flood(world.switch.hosts[1], frame, 10000):
        for receiver in (first, second):
            receiver.wait(lambda r: len(flows(r)) > 1000, 60)
            assert receiver.lost == 0
        assert state(agent, "10.255.0.2:7999") == "Connection refused"
        assert state(agent, "198.51.100.1:6343") == "Network is unreachable"
        assert state(agent, f"{World.COLLECTOR4}:6343") == "ok"
        status = agent.status()
        assert not status["ok"]
        assert status["samples"]["lost"] == 0
    # Both got the same datagrams, as far as both listened.
    common = min(len(first.datagrams), len(second.datagrams))
    assert [d["seq"] for d in first.datagrams[:common]] == [d["seq"] for d in second.datagrams[:common]]


def test_samples_wait_less_than_a_second(world):
    """One sample in a quiet agent leaves within its delay: the datagram is not waited for to be full."""
    with world.receiver() as receiver, world.agent(conf("polling = 0", "sampling.flat = 1")) as agent:
        agent.wait_status(lambda s: all(p["source"] for p in s["ports"]), "ports are sampled")
        packet = Packet()
        world.lab.send(BRIDGED, 4, packet)
        receiver.wait(lambda r: r.samples(sflow.FLOW), 5)
        assert max(d["size"] for d in receiver.datagrams) < 1400


def test_datagrams_are_as_large_as_configured(world):
    frame = fill(world.switch, BRIDGED, 4, Packet(payload=400)).frame()
    with world.receiver() as receiver, world.agent(conf("datagramBytes = 700", "sampling.flat = 5")) as agent, \
            Flood(world.switch.hosts[1], frame, 5000):
        receiver.wait(lambda r: len(r.datagrams) > 50 and max(d["size"] for d in r.datagrams) > 500, 30)
        assert max(d["size"] for d in receiver.datagrams) <= 700
        agent.reload(conf("datagramBytes = 1400", "sampling.flat = 5"))
        have = len(receiver.datagrams)
        receiver.wait(lambda r: max((d["size"] for d in r.datagrams[have:]), default=0) > 1200, 30)
        assert json.loads(agent.ask("--json").stdout)["ok"]
