"""What samples say of VLANs (extended_switch) and routes (extended_router), asked for one packet at a time."""

import sflow
from agent import conf, samples_of
from lab import fill
from packets import Packet
from wait import wait_until

# By rules of its own, which see the tag of a packet on every kernel.
BY_NFLOG = conf("sampling.flat = 1", "polling = 0", "nflog { install = on }")
# By filters of its own in tc; only where the kernel has psample.
BY_PSAMPLE = conf("sampling.flat = 1", "polling = 0", "psample { install = on }")
UNKNOWN = 0xFFFFFFFF
NONE = (UNKNOWN,) * 4


def running(world, text=BY_NFLOG, ports=None):
    """A started agent that samples so many ports; all there are by default."""
    agent = world.agent(text).start()
    agent.wait_status(lambda s: s["ports"] and sum(source["ports"] for source in s["sources"])
                      == (ports or len(s["ports"])), "all ports are sampled")
    return agent


def sample_of(world, receiver, path, packet, family=4):
    """Send a packet along a path, whether or not it comes out, and return its one sample at the port it enters."""
    world.lab.exchange(path.source, [fill(world.switch, path, family, packet).frame()])
    (sample,) = receiver.wait(lambda r: samples_of(r, packet), 30)
    return sample


def ports_of(world, sample):
    """Names of input and output."""
    lines = world.ns.run("ip", "-oneline", "link").stdout.splitlines()
    names = {line.split(":")[0]: line.split(":")[1].strip().split("@")[0] for line in lines}
    return names.get(sample["input"], sample["input"]), names.get(sample["output"], sample["output"])


def vlans_of(sample):
    """(VLAN in, priority in, VLAN out, priority out), or None without a record."""
    record = sflow.find_record(sample, "extended_switch")
    return record and tuple(record[name] for name in ("src_vlan", "src_priority", "dst_vlan", "dst_priority"))


def route_of(sample):
    """(next hop, prefix length of the source, of the destination), or None without a record."""
    record = sflow.find_record(sample, "extended_router")
    return record and tuple(record[name] for name in ("nexthop", "src_mask_len", "dst_mask_len"))


def wait_route(world, receiver, path, expected, **packet):
    """Until samples of new packets say so; packets are made of the rest."""
    family = packet.pop("family", 4)
    seen = []

    def holds():
        seen.append(route_of(sample_of(world, receiver, path, Packet(**packet), family)))
        return seen[-1] == expected

    try:
        wait_until(holds, f"samples say {expected}")
    except AssertionError as error:
        raise AssertionError(f"{error}, not {seen[-1]}") from None
