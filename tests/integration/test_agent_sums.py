"""What the host sample adds up: disks, file systems, ports, pages."""

import json
import os

import pytest

import sflow
from agent import conf, host_samples
from lab import BRIDGED
from packets import Packet
from wait import wait_until

SECTOR = 512
MASK32 = 0xFFFFFFFF


def read(*path):
    with open(os.path.join("/proc", *path), encoding="utf-8") as file:
        return file.read()


def between_two(receiver, look):
    """(look() before, a host sample, look() after)."""
    receiver.wait(host_samples, 30)
    before, have = look(), len(host_samples(receiver))
    # The one that was on its way when the kernel was read does not count.
    sample = receiver.wait(lambda r: host_samples(r)[have + 1 :], 30)[0]
    return before, sample, look()


def disks():
    """Sums of /proc/diskstats over the whole disks."""
    columns = {"reads": (3, 1), "bytes_read": (5, SECTOR), "read_time_ms": (6, 1), "writes": (7, 1),
               "bytes_written": (9, SECTOR), "write_time_ms": (10, 1)}
    whole = [words for words in map(str.split, read("diskstats").splitlines())
             if os.path.exists(f"/sys/block/{words[2].replace('/', '!')}")
             and not words[2].startswith(("loop", "ram", "zram", "md", "dm-"))]
    return {name: sum(int(words[column]) * unit for words in whole) for name, (column, unit) in columns.items()}


def test_disks_are_added_up_without_partitions(world):
    with world.receiver() as receiver, world.agent(conf("polling = 1")):
        before, sample, after = between_two(receiver, disks)
        disk = sflow.find_record(sample, "host_disk_io")
        for name, low in before.items():
            assert low <= disk[name] <= after[name], name


def file_systems():
    """(bytes, fullest in hundredths of a percent) of the writable file systems on block devices, each once."""
    seen, total, fullest = set(), 0, 0.0
    for line in read("self", "mountinfo").splitlines():
        head, tail = line.split(" - ")
        device, path = head.split()[2], head.split()[4].replace("\\040", " ")
        if device in seen or not tail.split()[1].startswith("/dev/") or not tail.split()[2].startswith("rw"):
            continue
        seen.add(device)
        found = os.statvfs(path)
        total += found.f_blocks * found.f_frsize
        fullest = max(fullest, 1e4 * (found.f_blocks - found.f_bfree) / found.f_blocks)
    return total, fullest


def test_file_systems_are_added_up(world):
    total, fullest = file_systems()
    if not total:
        pytest.skip("this machine has no writable file system on a block device")
    with world.receiver() as receiver, world.agent(conf("polling = 1")):
        disk = sflow.find_record(receiver.wait(host_samples, 30)[0], "host_disk_io")
        assert disk["disk_total"] == total
        assert 0 < disk["disk_free"] < total
        assert abs(disk["part_max_used"] - fullest) < 100


def test_pages_are_those_of_vmstat(world):
    names = {"page_in": "pgpgin", "page_out": "pgpgout", "swap_in": "pswpin", "swap_out": "pswpout"}

    def look():
        numbers = dict(line.split() for line in read("vmstat").splitlines())
        return {ours: int(numbers[theirs]) & MASK32 for ours, theirs in names.items()}

    with world.receiver() as receiver, world.agent(conf("polling = 1")):
        before, sample, after = between_two(receiver, look)
        memory = sflow.find_record(sample, "host_memory")
        for name, low in before.items():
            assert low <= memory[name] <= after[name], name


def test_traffic_is_that_of_all_ports_and_of_nothing_on_top_of_them(world):
    def look():
        links = json.loads(world.ns.run("ip", "-json", "-stats", "link").stdout)
        stats = [link["stats64"] for link in links if link["ifname"].startswith("swp")]
        return {f"{field}_{way}": sum(link[side][theirs] for link in stats)
                for way, side in (("in", "rx"), ("out", "tx"))
                for field, theirs in (("bytes", "bytes"), ("pkts", "packets"), ("errs", "errors"), ("drops", "dropped"))}

    with world.receiver() as receiver, world.agent(conf("polling = 1", "sampling.flat = 0")):
        world.lab.send(BRIDGED, 4, *(Packet() for _ in range(25)))

        def quiet():
            before, sample, after = between_two(receiver, look)
            return (before, sample) if before == after else None

        kernel, sample = wait_until(quiet, "a sample taken while nothing moved")
        net = sflow.find_record(sample, "host_net_io")
        assert {name: net[name] for name in kernel} == kernel
        assert net["pkts_in"] >= 25
