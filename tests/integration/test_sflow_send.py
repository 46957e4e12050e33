"""What the sending half of the agent puts on the wire, and that no collector suffers from another."""

import contextlib
import errno
import json
import os
import select
import socket
import subprocess
import uuid

import pytest

import programs
import sflow
from netns import Namespace
from wait import wait_until

AGENT = "192.0.2.99"
PER_DATAGRAM = 6  # samples of "flow" that share a datagram


class Sender:
    """The program sflow_send in a namespace, driven line by line."""

    def __init__(self, ns, *collectors, agent=AGENT):
        self.process = ns.popen(
            programs.tool("sflow_send"),
            agent,
            *collectors,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(timeout=30)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        assert ready, f"no answer to {line!r}"
        return self.process.stdout.readline().strip()

    def do(self, line):
        assert self.ask(line) == "0"

    def status(self):
        return json.loads(self.ask("status"))

    def finish(self):
        """End it; its log lines."""
        _, log = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, log
        return log.splitlines()


def receiver(ns, address, port=6343, **options):
    return ns.call(sflow.Receiver, address, port, **options)


def datagrams(wanted):
    return lambda r: len(r.datagrams) >= wanted


@pytest.fixture(name="net")
def two_namespaces():
    """A switch with eth0 to a host that has the collectors; 10.1.0.1 and 10.1.0.2, both with IPv6."""
    with contextlib.ExitStack() as stack:
        switch, host = Namespace(), Namespace()
        for ns in (switch, host):
            stack.callback(ns.close)
            ns.sysctl("ipv6/conf/default/addr_gen_mode", 1)
        connect(switch, host, "eth0", 1)
        yield switch, host


def connect(switch, host, device, net):
    switch.ip(f"link add {device} type veth peer name {device} netns {host.path}")
    for number, ns in ((1, switch), (2, host)):
        ns.ip(
            f"link set {device} up\n"
            f"addr add 10.{net}.0.{number}/24 dev {device}\n"
            f"addr add 2001:db8:{net}::{number}/64 dev {device} nodad"
        )


def test_every_record_arrives_and_is_what_the_standard_says(net):
    switch, host = net
    with receiver(host, "10.1.0.2") as collector, Sender(switch, "ip=10.1.0.2") as sender:
        sender.do("all")
        collector.wait(lambda r: len(r.samples()) >= 4)
        names = {kind: [] for kind in ("flow", "discard", "counters")}
        for sample in collector.samples():
            assert sample["seq"] == 1
            names[sample["kind"]] += [record["record"] for record in sample["records"]]
    tunnel = ["L2_tunnel", "ipv{}_tunnel", "decapsulate", "vni"]
    packet = (
        ["sampled_header", "extended_switch", "extended_router", "extended_gateway"]
        + [f"extended_{name.format(4)}_egress" for name in tunnel]
        + [f"extended_{name.format(6)}_ingress" for name in tunnel]
        + ["extended_hw_trap", "extended_linux_drop_reason", "extended_function", "extended_acl"]
        + ["extended_egress_queue", "extended_transit", "extended_queue", "extended_timestamp"]
    )
    assert names["flow"] == packet
    assert names["discard"] == packet
    assert names["counters"] == (
        ["if_counters", "ethernet_counters", "lag_port_stats", "sfp", "pfc", "port_name", "of_port"]
        + ["processor", "host_descr", "host_adapters", "host_parent", "host_cpu", "host_memory", "host_disk_io"]
        + ["host_net_io", "mib2_ip_group", "mib2_icmp_group", "mib2_tcp_group", "mib2_udp_group", "hw_tables"]
    )


def test_values_of_a_packet_arrive_unchanged(net):
    switch, host = net
    with receiver(host, "10.1.0.2") as collector, Sender(switch, "ip=10.1.0.2") as sender:
        sender.do("all")
        sample = collector.wait(lambda r: r.samples("flow"))[0]
        assert {key: sample[key] for key in ("ds_class", "ds_index", "rate", "pool", "drops", "input", "output")} == {
            "ds_class": 0, "ds_index": 7, "rate": 100, "pool": 100, "drops": 0, "input": "7", "output": "9",
        }  # fmt: skip
        values = {record["record"]: record for record in sample["records"]}
        assert sflow.summary(values["sampled_header"]) == "192.0.2.1:5000 > 192.0.2.2:6001 udp"
        assert values["extended_router"]["nexthop"] == "2001:db8::1"
        assert values["extended_acl"]["name"] == "50rest-ddos1"
        assert values["extended_ipv6_tunnel_ingress"]["dst"] == "2001:db8::2"
        discard = collector.wait(lambda r: r.samples("discard"))[0]
        assert (discard["in_ifindex"], discard["out_ifindex"], discard["reason_name"]) == (7, 9, "acl")


def test_collectors_of_both_families_get_the_same_datagrams(net):
    switch, host = net
    with receiver(host, "10.1.0.2") as four, receiver(host, "2001:db8:1::2") as six:
        with Sender(switch, "ip=10.1.0.2", "ip=2001:db8:1::2") as sender:
            sender.do("flow 100")
            for collector in (four, six):
                collector.wait(datagrams(17))
                assert [d["seq"] for d in collector.datagrams] == list(range(1, 18))
                assert len(collector.samples()) == 100
                assert collector.lost == 0
                assert max(d["size"] for d in collector.datagrams) <= 1400
            assert [c["datagrams"] for c in sender.status()] == [17, 17]
            assert [c["errors"] for c in sender.status()] == [0, 0]


def test_uptime_is_that_of_the_machine(net):
    switch, host = net
    with receiver(host, "10.1.0.2") as collector, Sender(switch, "ip=10.1.0.2") as sender:
        with open("/proc/uptime", encoding="ascii") as file:
            before_ms = float(file.read().split()[0]) * 1000
        sender.do("flow 1")
        datagram = collector.wait(lambda r: r.datagrams)[0]
        with open("/proc/uptime", encoding="ascii") as file:
            after_ms = float(file.read().split()[0]) * 1000
        assert before_ms - 20 <= datagram["uptime"] <= after_ms + 20


def test_source_address_is_the_one_configured(net):
    switch, host = net
    switch.ip("addr add 10.1.0.77/24 dev eth0\naddr add 2001:db8:1::77/64 dev eth0 nodad")
    with receiver(host, "10.1.0.2") as four, receiver(host, "2001:db8:1::2") as six:
        with Sender(
            switch, "ip=10.1.0.2,source=10.1.0.77", "ip=2001:db8:1::2,source=2001:db8:1::77"
        ) as sender:
            sender.do("flow 1")
            assert four.wait(lambda r: r.datagrams)[0]["peer"] == "10.1.0.77"
            assert six.wait(lambda r: r.datagrams)[0]["peer"] == "2001:db8:1::77"


def traffic_class(ns, address):
    """A socket that reports TOS or traffic class of what it receives."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = ns.call(socket.socket, family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    sock.bind((address, 6343))
    sock.settimeout(30)
    return sock


@pytest.mark.parametrize("address", ["10.1.0.2", "2001:db8:1::2"])
def test_dscp_is_the_one_configured(net, address):
    switch, host = net
    with traffic_class(host, address) as sock, Sender(switch, f"ip={address},dscp=46") as sender:
        sender.do("flow 1")
        _, ancillary, _, _ = sock.recvmsg(2048, 256)
        assert ancillary[0][2][0] == 46 << 2


def test_device_decides_the_way_even_against_the_route(net):
    switch, host = net
    other = Namespace()
    try:
        connect(switch, other, "eth1", 2)
        other.ip("addr add 10.1.0.2/32 dev lo")
        with receiver(host, "10.1.0.2") as by_route, receiver(other, "10.1.0.2") as by_device:
            switch.ip("route add 10.1.0.2/32 via 10.2.0.2 dev eth1 metric 500")
            with Sender(switch, "ip=10.1.0.2,dev=eth0", "ip=10.1.0.2,dev=eth1") as sender:
                sender.do("flow 1")
                by_route.wait(datagrams(1))
                by_device.wait(datagrams(1))
                assert [len(r.datagrams) for r in (by_route, by_device)] == [1, 1]
    finally:
        other.close()


def test_missing_device_is_waited_for_and_nothing_leaves_another_way(net):
    switch, host = net
    with receiver(host, "10.1.0.2") as collector, receiver(host, "10.1.0.2", 6344) as other:
        with Sender(switch, "ip=10.1.0.2,dev=eth5", "ip=10.1.0.2,port=6344") as sender:
            sender.do("flow 1")
            other.wait(datagrams(1))
            assert sender.status()[0] | {"bytes": 0} == {
                "datagrams": 0, "bytes": 0, "blocked": 0, "failed": 1, "errors": 1, "error": errno.ENODEV,
            }  # fmt: skip
            assert collector.read() == 0
            switch.ip("link set eth0 down\nlink set eth0 name eth5\nlink set eth5 up")

            def arrived():
                sender.ask("flow 1")
                return collector.read()

            wait_until(arrived, "the collector behind eth5 gets something")
            log = sender.finish()
    assert log[0] == "sflow_send: warning: collector 10.1.0.2: cannot bind to device eth5: No such device"
    assert len([line for line in log if "eth5" in line]) == 1


class NamedNamespace(Namespace):
    """One that has a name in the file system, as `ip netns` gives it."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.name = f"sflow-{uuid.uuid4().hex[:8]}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        self.ip("link set lo up")

    def close(self):
        super().close()
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def test_collector_in_another_namespace_survives_loss_of_privilege(net):
    switch, _ = net
    inside = NamedNamespace()
    try:
        inside.ip("addr add 10.9.0.1/32 dev lo")
        with receiver(inside, "10.9.0.1") as collector:
            with Sender(switch, f"ip=10.9.0.1,netns={inside.name},dev=lo,source=10.9.0.1") as sender:
                sender.do("unprivileged")
                sender.do("flow 1")
                assert collector.wait(lambda r: r.datagrams)[0]["peer"] == "10.9.0.1"
                inside.ip("link set lo down")
                sender.do("flow 1")
                assert sender.status()[0]["error"] != 0
                inside.ip("link set lo up")

                def arrived():
                    sender.ask("flow 1")
                    return collector.read()

                wait_until(arrived, "the collector gets something again, through the same socket")
    finally:
        inside.close()


def test_missing_namespace_is_named_in_the_log(net):
    switch, _ = net
    with Sender(switch, "ip=10.1.0.2,netns=nowhere-at-all") as sender:
        sender.do("flow 1")
        assert sender.status()[0]["failed"] == 1
        log = sender.finish()
    assert log == [
        "sflow_send: warning: collector 10.1.0.2: cannot open network namespace "
        "/run/netns/nowhere-at-all: No such file or directory"
    ]


def test_collector_that_does_not_listen_costs_the_others_nothing(net):
    switch, host = net
    with receiver(host, "10.1.0.2") as well, Sender(switch, "ip=10.1.0.2,port=7777", "ip=10.1.0.2") as sender:
        def refused():
            sender.do(f"flow {10 * PER_DATAGRAM}")
            well.read()
            return sender.status()[0]["errors"] > 1

        # More than a few datagrams do not wait for the host's MAC address.
        sender.do("flow 1")
        well.wait(datagrams(1))
        wait_until(refused, "the host says twice that nobody listens")
        deaf, fine = sender.status()
        assert deaf["error"] == errno.ECONNREFUSED
        well.wait(datagrams(fine["datagrams"]))
        assert well.lost == 0
        assert (fine["errors"], fine["failed"], fine["blocked"]) == (0, 0, 0)
        log = sender.finish()
    assert len(log) == 1 and log[0].startswith("sflow_send: warning: collector 10.1.0.2: ")


def test_collector_that_comes_back_gets_everything_from_then_on(net):
    switch, host = net
    with Sender(switch, "ip=10.1.0.2") as sender:
        sender.do("flow 1")
        wait_until(lambda: sender.ask("flow 1") and sender.status()[0]["errors"], "the host says that nobody listens")
        with receiver(host, "10.1.0.2") as collector:
            sender.do("flow 600")
            collector.wait(datagrams(100))
            assert len(collector.samples()) == 600
            assert collector.lost == 0


def test_full_send_buffer_drops_and_counts_and_does_not_block_the_others(net):
    switch, host = net
    # A neighbour that never answers holds what waits for it, up to this many bytes.
    switch.sysctl("ipv4/neigh/eth0/unres_qlen_bytes", 64 << 20)
    with receiver(host, "10.1.0.2") as well, Sender(switch, "ip=10.1.0.200", "ip=10.1.0.2") as sender:
        for _ in range(40):
            sender.do("flow 300")
            well.read()
        well.wait(datagrams(2000))
        blocked, fine = sender.status()
        assert fine["datagrams"] == 2000 and well.lost == 0
        assert blocked["blocked"] > 0
        assert blocked["datagrams"] + blocked["blocked"] + blocked["failed"] == 2000


def test_collector_without_a_route_is_tried_again(net):
    switch, host = net
    host.ip("addr add 10.77.0.1/32 dev lo")
    with receiver(host, "10.77.0.1") as far, receiver(host, "10.1.0.2") as near:
        with Sender(switch, "ip=10.77.0.1", "ip=10.1.0.2") as sender:
            sender.do("flow 1")
            near.wait(datagrams(1))
            assert sender.status()[0]["error"] == errno.ENETUNREACH
            switch.ip("route add 10.77.0.0/24 via 10.1.0.2")

            def arrived():
                sender.ask("flow 1")
                return far.read()

            wait_until(arrived, "the collector behind the new route gets something")


def test_trouble_and_its_end_are_logged_once_each(net):
    switch, host = net
    host.ip("addr add 10.77.0.1/32 dev lo")
    with receiver(host, "10.77.0.1") as far, Sender(switch, "ip=10.77.0.1") as sender:
        for _ in range(3):
            sender.do("flow 1")
            sender.do("skip 2100")
        switch.ip("route add 10.77.0.0/24 via 10.1.0.2")
        for _ in range(3):
            sender.do("flow 1")
            sender.do("skip 6000")
        sender.do("flow 1")
        far.wait(datagrams(4))
        assert sender.status()[0]["error"] == 0
        log = sender.finish()
    assert log == [
        "sflow_send: warning: collector 10.77.0.1: cannot connect: Network is unreachable",
        "sflow_send: collector 10.77.0.1: no more errors; 3 datagrams were lost",
    ]


@pytest.mark.parametrize(
    "collector, reason",
    [
        ("ip=10.1.0.2,port=0", "collector 10.1.0.2: port 0"),
        ("ip=10.1.0.2,dscp=64", "collector 10.1.0.2: dscp 64 is above 63"),
        ("ip=10.1.0.2,source=2001:db8::1", "collector 10.1.0.2: the source address is of another family"),
        ("ip=10.1.0.2,netns=../x", "collector 10.1.0.2: not a name of a network namespace"),
        ("port=5", "collector : no address"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(net, collector, reason):
    switch, _ = net
    with Sender(switch, collector) as sender:
        _, log = sender.process.communicate(timeout=30)
        assert sender.process.returncode == 2
        assert reason in log
