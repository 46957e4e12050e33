"""Counters samples against what the kernel says at that moment."""

import json
import os
import shutil
import subprocess
import uuid

import pytest

import sflow
from agent import World, conf, counters, host_samples
from lab import BRIDGED, ROUTED, fill
from packets import Packet
from programs import Flood
from wait import wait_until

UNKNOWN32, UNKNOWN64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
UUID = "564d9a3e-1f2b-4c5d-8e9f-0a1b2c3d4e5f"


def link(world, name):
    """What the kernel says of an interface, statistics included."""
    return json.loads(world.ns.run("ip", "-statistics", "-json", "-details", "link", "show", name).stdout)[0]


def proc(world, path):
    return world.ns.run("cat", f"/proc/{path}").stdout


def snmp(world):
    """/proc/net/snmp of the switch as {"Ip": {"InReceives": …}, …}."""
    lines = [line.split() for line in proc(world, "net/snmp").splitlines()]
    return {names[0].rstrip(":"): dict(zip(names[1:], map(int, values[1:])))
            for names, values in zip(lines[::2], lines[1::2])}


def values_of(sample, record):
    found = sflow.find_record(sample, record)
    assert found, f"no {record} in {[r['record'] for r in sample['records']]}"
    return found


def quiet_sample(world, receiver, select, look):
    """A sample that was taken while look() did not change, and what look() said.

    Polls are a second apart and a datagram is held for a second at most, so the third that comes was surely polled
    after look().
    """
    def attempt():
        before = look()
        have = len(select(receiver))
        sample = receiver.wait(lambda r: select(r)[have + 2:], 30)[0]
        return (sample, before) if look() == before else None

    assert world
    return wait_until(attempt, "a sample taken while nothing moved")


def send_some(world):
    world.lab.send(BRIDGED, 4, *(Packet(payload=200) for _ in range(50)))
    world.lab.send(ROUTED, 4, *(Packet(payload=300) for _ in range(30)))
    group = fill(world.switch, BRIDGED, 4, Packet(dmac="01:00:5e:01:01:01", dst="239.1.1.1")).frame()
    world.lab.exchange(1, [group] * 7)


@pytest.mark.parametrize("name", ("swp1", "swp2", "swp3", "swp4"))
def test_a_port_has_what_the_kernel_counts(world, name):
    with world.receiver() as receiver, world.agent(conf("polling = 1", "sampling.flat = 0")):
        send_some(world)
        index = world.ifindex(name)
        sample, kernel = quiet_sample(world, receiver, lambda r: counters(r, index), lambda: link(world, name))
        stats = kernel["stats64"]
        rx, tx = stats["rx"], stats["tx"]
        assert values_of(sample, "if_counters") == {
            "tag": "0:1", "record": "if_counters", "ifIndex": index, "ifType": 6, "ifSpeed": 10**10, "ifDirection": 1,
            "ifStatus": 3, "ifInOctets": rx["bytes"], "ifInUcastPkts": rx["packets"] - rx["multicast"],
            "ifInMulticastPkts": rx["multicast"], "ifInBroadcastPkts": UNKNOWN32,
            "ifInDiscards": rx["dropped"], "ifInErrors": rx["errors"], "ifInUnknownProtos": UNKNOWN32,
            "ifOutOctets": tx["bytes"], "ifOutUcastPkts": tx["packets"], "ifOutMulticastPkts": UNKNOWN32,
            "ifOutBroadcastPkts": UNKNOWN32, "ifOutDiscards": tx["dropped"], "ifOutErrors": tx["errors"],
            "ifPromiscuousMode": min(kernel["promiscuity"], 1)}
        assert values_of(sample, "port_name")["name"] == name


def test_status_follows_carrier_and_administrator(world):
    def status(receiver):
        found = counters(receiver, world.ifindex("swp1"))
        return values_of(found[-1], "if_counters")["ifStatus"] if found else None

    with world.receiver() as receiver, world.agent(conf("polling = 1")):
        receiver.wait(lambda r: status(r) == 3, 30)
        world.switch.hosts[1].ns.ip("link set eth0 down")
        receiver.wait(lambda r: status(r) == 1, 30)
        world.ns.ip("link set swp1 down")
        receiver.wait(lambda r: status(r) == 0, 30)
        world.ns.ip("link set swp1 up")
        world.switch.hosts[1].ns.ip("link set eth0 up")
        receiver.wait(lambda r: status(r) == 3, 30)


def test_the_host_is_described(world):
    with world.receiver() as receiver, world.agent(conf("polling = 1", f"uuid = {UUID}")):
        sample = receiver.wait(host_samples, 30)[-1]
        assert (sample["ds_class"], sample["ds_index"]) == (2, 1)
        uname = os.uname()
        host = values_of(sample, "host_descr")
        assert (host["hostname"], host["os_release"], host["os_name"]) == (uname.nodename, uname.release, 2)
        assert uuid.UUID(str(host["uuid"])) == uuid.UUID(UUID)
        assert values_of(sample, "host_cpu")["cpu_num"] == os.sysconf("SC_NPROCESSORS_ONLN")


def test_host_numbers_are_those_of_proc(world):
    """Numbers that only grow lie between two readings of the kernel around the sample."""
    def look():
        cpu = next(line for line in proc(world, "stat").splitlines() if line.startswith("cpu "))
        ticks = [int(word) * 1000 // os.sysconf("SC_CLK_TCK") for word in cpu.split()[1:]]
        numbers = dict(zip(("cpu_user", "cpu_nice", "cpu_system", "cpu_idle", "cpu_wio", "cpu_intr", "cpu_sintr",
                            "cpu_steal", "cpu_guest", "cpu_guest_nice"), ticks))
        for line in proc(world, "stat").splitlines():
            if line.startswith(("intr ", "ctxt ")):
                numbers["interrupts" if line[0] == "i" else "contexts"] = int(line.split()[1])
        numbers["uptime_s"] = int(float(proc(world, "uptime").split()[0]))
        return numbers

    with world.receiver() as receiver, world.agent(conf("polling = 1")):
        receiver.wait(host_samples, 30)
        before, have = look(), len(host_samples(receiver))
        # The one that was on its way when the kernel was read does not count.
        sample = receiver.wait(lambda r: host_samples(r)[have + 1:], 30)[0]
        after = look()
        cpu = values_of(sample, "host_cpu")
        for name, low in before.items():
            assert low - 20 <= cpu[name] <= after[name] + 20, name
        memory = values_of(sample, "host_memory")
        kib = {line.split(":")[0]: int(line.split()[1]) for line in proc(world, "meminfo").splitlines()}
        assert memory["mem_total"] == kib["MemTotal"] * 1024
        assert memory["swap_total"] == kib["SwapTotal"] * 1024
        assert abs(memory["mem_free"] - kib["MemFree"] * 1024) < 512 << 20
        disk = values_of(sample, "host_disk_io")
        assert 0 <= disk["disk_free"] <= disk["disk_total"]  # 0 where there is no file system on a block device


def test_protocol_groups_are_by_name(world):
    groups = {"mib2_ip_group": ("Ip", {"ipInReceives": "InReceives", "ipForwDatagrams": "ForwDatagrams",
                                       "ipInDelivers": "InDelivers", "ipOutRequests": "OutRequests",
                                       "ipDefaultTTL": "DefaultTTL", "ipForwarding": "Forwarding",
                                       "ipInAddrErrors": "InAddrErrors", "ipOutNoRoutes": "OutNoRoutes"}),
              "mib2_icmp_group": ("Icmp", {"icmpInMsgs": "InMsgs", "icmpInEchos": "InEchos",
                                           "icmpOutEchoReps": "OutEchoReps",
                                           "icmpOutDestUnreachs": "OutDestUnreachs"}),
              "mib2_tcp_group": ("Tcp", {"tcpOutRsts": "OutRsts", "tcpInSegs": "InSegs", "tcpRtoMin": "RtoMin"}),
              "mib2_udp_group": ("Udp", {"udpNoPorts": "NoPorts", "udpInDatagrams": "InDatagrams"})}
    # Its own datagrams count, too; over IPv6 they do not disturb.
    text = conf("polling = 1", "sampling.flat = 0", collector=World.COLLECTOR6)
    with world.receiver(World.COLLECTOR6) as receiver, world.agent(text):
        world.lab.send(ROUTED, 4, *(Packet() for _ in range(20)))
        sample, kernel = quiet_sample(world, receiver, host_samples, lambda: snmp(world))
        for record, (group, names) in groups.items():
            got = values_of(sample, record)
            for ours, theirs in names.items():
                assert got[ours] == kernel[group][theirs], ours


def test_polling_is_spread_and_each_port_keeps_its_interval(world):
    text = conf("polling = 2", "port swp2 { polling = 1 }", "port swp3 { polling = 0 }", "port swp4 { enable = off }")
    with world.receiver() as receiver, world.agent(text) as agent:
        index = {name: world.ifindex(name) for name in ("swp1", "swp2", "swp3", "swp4")}
        receiver.wait(lambda r: len(counters(r, index["swp2"])) >= 7, 60)
        counts = {name: len(counters(receiver, number)) for name, number in index.items()}
        assert counts["swp3"] == counts["swp4"] == 0
        assert 3 <= counts["swp1"] <= 5
        assert [p["name"] for p in agent.status()["ports"]] == ["swp1", "swp2", "swp3"]
        assert receiver.lost == 0


def test_tshark_understands_every_datagram(world, tmp_path):
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    path = tmp_path / "capture.pcap"
    with world.host.popen("tshark", "-q", "-n", "-i", "eth0", "-f", "udp port 6343", "-a", "packets:40", "-F", "pcap",
                          "-w", str(path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as capture:
        wait_until(lambda: path.exists() and path.stat().st_size >= 24, "the capture runs")
        frame = fill(world.switch, BRIDGED, 4, Packet()).frame()
        # It does not know all records of a host and calls them malformed.
        text = conf("polling = 0", "sampling.flat = 50", "port swp* { polling = 1 }")
        with world.agent(text), Flood(world.switch.hosts[1], frame, 2000):
            capture.communicate(timeout=60)
    done = subprocess.run(["tshark", "-n", "-V", "-O", "sflow", "-r", str(path)], capture_output=True, text=True,
                          check=True)
    assert "Malformed" not in done.stdout
    assert done.stdout.count("sFlow sample type: Expanded flow sample") > 10
    assert "Expanded counters sample" in done.stdout
