"""What the benchmarks share: ACLs in numbers, a switch with a server, percentiles, tables."""

import argparse
import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))

# pylint: disable=wrong-import-position
from daemon import Policy, Server
from lab import Path, fill
from netns import Switch
from packets import Packet

PORT = 53
FLOW = Path("flow", 1, 2, "swp1", "swp2")


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small and short: shows that it works, not how fast it is")
    return parser.parse_args()


def cpus():
    """(CPU of the sender, whose interrupts also forward; CPU for the rest), the same one if there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def acl_name(number):
    return f"bench_{number:05d}"


def acl_lines(number):
    """An ACL that matches nothing that a benchmark sends."""
    return ["[iptables]", f"-A FORWARD -s 172.{16 + (number >> 16)}.{number >> 8 & 255}.{number & 255}/32 "
                          f"-p udp --dport {PORT} -j DROP"]


@contextlib.contextmanager
def two_hosts():
    """A switch that routes from host 1 to host 2."""
    with Switch(bridged=(), routed=(1, 2), answer=True) as switch:
        yield switch


@contextlib.contextmanager
def server_with_acls(switch, count, **settings):
    """A server that has installed so many ACLs."""
    # On a disk, as in real use; /tmp may be in memory.
    policy = Policy(parent="/var/tmp")
    try:
        for number in range(count):
            policy.write_rest(acl_name(number), acl_lines(number))
        server = Server(switch.ns, policy, log_level="warning", **settings)
        try:
            server.start()
            client = server.client()
            # Answered when everything that was found at the start is installed, too.
            client.install(acl_name(0), acl_lines(0))
            client.close()
            yield server
            server.stop()
        finally:
            if server.process is not None:
                server.kill()
    finally:
        policy.close()


def frame(switch):
    return fill(switch, FLOW, 4, Packet(dport=PORT)).frame()


def median(values):
    return percentile(values, 50)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * share // 100)]


def print_table(head, rows):
    """Columns as wide as they need to be; the first one to the left, all others to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.ljust(widths[0]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(row)))
