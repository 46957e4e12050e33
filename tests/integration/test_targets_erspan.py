"""ERSPAN: the encapsulated copy on the wire, and the life of the tunnel; or its refusal where the kernel has none."""

import socket
import struct

import pytest

from daemon import Server, run_acl
from lab import BRIDGED, Lab, fill
from netns import Namespace, Switch
from packets import Packet
from wait import wait_until

RULE = "-A FORWARD -i swp1 -p udp -j ERSPAN --src-ip 10.0.3.254 --dst-ip 10.0.3.3 --ttl 9"
DEVICE = "tg.CgAD_goAAwMJ"


def _kernel_has_erspan():
    ns = Namespace()
    try:
        return ns.run("ip", "link", "add", "x", "type", "erspan", "local", "1.1.1.1", "remote", "2.2.2.2", "seq",
                      "key", "1", "erspan_ver", "1", check=False).returncode == 0
    finally:
        ns.close()


HAS_ERSPAN = _kernel_has_erspan()


def devices(ns):
    return [line.split(":")[1].strip().split("@")[0] for line in ns.run("ip", "-o", "link").stdout.splitlines()]


@pytest.mark.skipif(HAS_ERSPAN, reason="this kernel has ERSPAN; what becomes of one that has none is seen elsewhere")
def test_without_the_device_type_the_rule_is_refused_by_name(policy):
    ns = Namespace()
    try:
        policy.write("10span.rules", f"[iptables]\n-A INPUT -j ACCEPT\n{RULE}\n")
        done = run_acl(ns, policy, "-i")
        assert done.returncode == 1
        assert done.stderr == (f"{policy.path('10span.rules')}:3: the kernel has no devices of type erspan "
                               f"(CONFIG_NET_IPGRE): {RULE}\n")
        assert ns.run("nft", "list", "tables").stdout == ""
    finally:
        ns.close()


@pytest.mark.skipif(not HAS_ERSPAN, reason="this kernel has no ERSPAN (CONFIG_NET_IPGRE)")
def test_a_dry_run_and_a_flush_leave_no_tunnel_behind(policy):
    ns = Namespace()
    try:
        policy.write("10span.rules", f"[iptables]\n{RULE}\n")
        assert run_acl(ns, policy, "-i", "-n").returncode == 0
        assert DEVICE not in devices(ns)
        assert run_acl(ns, policy, "-i").returncode == 0
        assert DEVICE in devices(ns)
        policy.write("10span.rules", "[iptables]\n-A INPUT -j ACCEPT\n")
        assert run_acl(ns, policy, "-i").returncode == 0
        assert DEVICE not in devices(ns)
        policy.write("10span.rules", f"[iptables]\n{RULE}\n")
        assert run_acl(ns, policy, "-i").returncode == 0
        assert run_acl(ns, policy, "-F", "all").returncode == 0
        assert DEVICE not in devices(ns)
    finally:
        ns.close()


@pytest.mark.skipif(not HAS_ERSPAN, reason="this kernel has no ERSPAN (CONFIG_NET_IPGRE)")
def test_copies_are_encapsulated_and_the_tunnel_is_kept_over_a_restart(policy):
    policy.write("10span.rules", f"[iptables]\n{RULE}\n")
    with Switch(bridged=(1, 2), routed=(3,)) as switch:
        host = switch.hosts[3]
        switch.ns.ip(f"neigh replace 10.0.3.3 lladdr {host.mac} dev swp3 nud permanent")
        server = Server(switch.ns, policy).start()
        try:
            lab = Lab(switch)
            packet = fill(switch, BRIDGED, 4, Packet(dport=53))

            def copies():
                arrived = lab.exchange(1, [packet.frame()])
                assert [data for number, data in arrived if number == 2 and packet.token in data] == [packet.frame()]
                return [data for number, data in arrived if number == 3 and packet.token in data]

            (copy,) = wait_until(copies, "a copy comes through the tunnel")
            outer, rest = copy[14:34], copy[34:]
            assert (outer[8], outer[9]) == (9, socket.IPPROTO_GRE)
            assert outer[12:20] == socket.inet_aton("10.0.3.254") + socket.inet_aton("10.0.3.3")
            flags, protocol = struct.unpack("!HH", rest[:4])
            assert protocol == 0x88BE and flags & 0x1000  # ERSPAN type II; a sequence number
            version, session = rest[8] >> 4, struct.unpack("!H", rest[10:12])[0] & 0x3FF
            assert (version, session) == (1, 1)
            assert rest[16:] == packet.frame()
            before = switch.ns.run("ip", "-o", "link", "show", DEVICE).stdout.split(":")[0]
            server.kill()
            server.start()
            assert copies()
            assert switch.ns.run("ip", "-o", "link", "show", DEVICE).stdout.split(":")[0] == before
            policy.remove("10span.rules")
            server.reload()
            wait_until(lambda: DEVICE not in devices(switch.ns), "the tunnel goes with the last rule")
            server.stop()
        finally:
            server.end()
