"""Rules and packets by chance, from one small world, so that they meet.

Maker(seed) makes the same ones again for the same seed. Only what iptables and ebtables can express too and what both
mean alike; what is left out, and why:
  -i and -o with a port of a bridge    we see its routed packets, iptables sees br0 (man tapgate-policy, "Where")
  iptables rules on bridged packets    the kernel shows them to iptables only with br_netfilter
  ports of later fragments             iptables-nft takes payload for ports; we do not (see match_ports tests)
  marks 0 to 100, and above 16 bits    reserved
  limit, hashlimit, recent, time       depend on the clock
  ! --sport A ! --dport B              iptables-nft 1.8.9 takes it for "not both of them"
  ! --dport :65535                     iptables-nft takes it for "any port"; it says "no port", and so do we
  what the switch says by itself       replies and multicast reports: rules and packets are those of one world
"""

import random

from lab import BRIDGED, FROM_BRIDGE, FROM_PORT, ROUTED, TO_BRIDGE, TO_PORT
from packets import Packet
from twins import Rule, Shot

PORTS = (0, 1, 22, 53, 54, 80, 179, 1023, 1024, 40000, 65535)
TTLS = (2, 32, 33, 64, 255)
DSCPS = (0, 1, 8, 10, 46, 63)
MARKS = (101, 0x80, 0x1000, 0xFFFF)
FLAG_NAMES = ("SYN", "ACK", "FIN", "RST", "PSH", "URG")
ICMP4_TYPES = ((8, 0), (0, 0), (3, 1), (3, 4), (11, 0), (13, 0))
ICMP6_TYPES = ((128, 0), (129, 0), (1, 4), (2, 0), (133, 0), (135, 0))

# Paths, and the chains that see their packets but not what the switch answers.
WORLDS = (
    ((ROUTED,), (("filter", "FORWARD"), ("filter", "FORWARD"), ("mangle", "PREROUTING"), ("mangle", "FORWARD"),
                 ("mangle", "POSTROUTING"))),
    ((ROUTED, TO_PORT), (("filter", "INPUT"), ("filter", "INPUT"), ("filter", "FORWARD"), ("mangle", "PREROUTING"))),
    ((FROM_PORT,), (("filter", "OUTPUT"), ("filter", "OUTPUT"), ("mangle", "POSTROUTING"))),
)
BRIDGE_WORLDS = (((BRIDGED, BRIDGED, BRIDGED, TO_BRIDGE), ("FORWARD", "FORWARD", "FORWARD", "INPUT")),
                 ((FROM_BRIDGE,), ("OUTPUT",)))
HEADS = {4: "[iptables]", 6: "[ip6tables]"}


class Maker:
    """Makes rules and packets; everything by one random number generator."""

    def __init__(self, seed, drops=False):
        """With drops=True most rules drop, as the ACLs of a controller do."""
        self.random = random.Random(seed)
        self.drops = drops
        self.paths, self.chains = self.pick(*WORLDS)
        self.bridge_paths, self.bridge_chains = self.pick(*BRIDGE_WORLDS)

    def pick(self, *values):
        return self.random.choice(values)

    def chance(self, share):
        return self.random.random() < share

    def maybe_not(self, text, share=0.2):
        return f"! {text}" if self.chance(share) else text

    # Rules of iptables and ip6tables.

    def rule(self, family):
        table, chain = self.pick(*self.chains)
        parts = [f"-A {chain}", *self._interfaces(chain), *self._addresses(family), *self._transport(family)]
        if family == 6 and chain != "FORWARD":
            # Hosts and the switch report their multicast groups when they like to.
            parts = [f"-A {chain}", "-d 2001:db8::/32", *self._interfaces(chain), *self._transport(family)]
        for make, share in ((self._dscp, 0.15), (self._ttl, 0.15), (self._length, 0.1), (self._mark, 0.1),
                            (self._range, 0.1), (self._ecn, 0.05), (self._fragment, 0.08)):
            if self.chance(share):
                parts += make(family)
        if chain in ("INPUT", "FORWARD", "PREROUTING") and self.chance(0.08):
            parts.append("-m mac " + self.maybe_not(f"--mac-source 02:00:00:00:00:0{self.pick(1, 3, 4)}"))
        parts += self._target(table, len(parts))
        return Rule(HEADS[family], table, " ".join(part for part in parts if part))

    def _interfaces(self, chain):
        parts = []
        if chain in ("INPUT", "FORWARD", "PREROUTING") and self.chance(0.3):
            parts.append(self.maybe_not(f"-i {self.pick('swp3', 'swp3', 'swp4', 'swp+', 'swp9', 'eth+')}"))
        if chain in ("OUTPUT", "FORWARD", "POSTROUTING") and self.chance(0.3):
            parts.append(self.maybe_not(f"-o {self.pick('swp4', 'swp4', 'swp3', 'swp+', 'swp9', 'eth+')}"))
        return parts

    def _addresses(self, family):
        parts = []
        for option, numbers in (("-s", (3, 3, 4)), ("-d", (4, 4, 3))):
            if self.chance(0.3):
                number = self.pick(*numbers)
                if family == 4:
                    text = self.pick(f"10.0.{number}.{number}", f"10.0.{number}.0/24", f"10.{100 + number}.0.0/16",
                                     f"10.{100 + number}.0.2/31", "10.0.0.0/8", f"10.0.0.{number}/255.0.0.255")
                else:
                    text = self.pick(f"2001:db8:{number}::{number}", f"2001:db8:{number}::/64",
                                     f"2001:db8:{100 + number}::/48", f"2001:db8:{100 + number}::2/127", "2001:db8::/32",
                                     f"2001:db8::{number}/ffff:ffff::ffff")
                parts.append(self.maybe_not(f"{option} {text}"))
        return parts

    def _transport(self, family):
        kind = self.pick("", "", "tcp", "udp", "icmp", "number", "multiport", "any")
        icmp = "icmp" if family == 4 else "ipv6-icmp"
        if kind in ("tcp", "udp"):
            return [f"-p {kind}", *self._ports(), *(self._tcp() if kind == "tcp" else [])]
        if kind == "icmp":
            return [f"-p {icmp}", *self._icmp(family)]
        if kind == "number":
            return [self.maybe_not(f"-p {self.pick('tcp', 'udp', icmp, '89', '47')}", 0.4)]
        if kind == "multiport":
            ports = ",".join(str(port) for port in self.random.sample(PORTS, 3))
            low, high = self._port_range()
            option = self.pick("--sports", "--dports", "--ports")
            return [f"-p {self.pick('tcp', 'udp')} -m multiport",
                    self.maybe_not(f"{option} {self.pick(ports, f'{low}:{high}', f'53,{low}:{high}')}")]
        return []

    def _ports(self):
        parts = []
        for option in ("--sport", "--dport"):
            if self.chance(0.4):
                low, high = self._port_range()
                parts.append(self.maybe_not(f"{option} {self.pick(str(low), f'{low}:{high}', f'{low or 1}:', f':{min(high, 65534)}')}"))
        if all(part.startswith("! ") and ":" not in part for part in parts):
            return parts[:1]
        return parts

    def _port_range(self):
        """Never all ports."""
        low, high = sorted(self.random.sample(PORTS, 2))
        return (low, high) if high < 65535 else (max(low, 1), high)

    def _tcp(self):
        if self.chance(0.3):
            mask = self.random.sample(FLAG_NAMES, self.random.randint(1, 6))
            wanted = [name for name in mask if self.chance(0.4)]
            return [self.maybe_not(f"--tcp-flags {','.join(mask)} {','.join(wanted) or 'NONE'}")]
        return [self.maybe_not("--syn")] if self.chance(0.2) else []

    def _icmp(self, family):
        if not self.chance(0.8):
            return []
        kind, code = self.pick(*(ICMP4_TYPES if family == 4 else ICMP6_TYPES))
        option = "--icmp-type" if family == 4 else "--icmpv6-type"
        return [self.maybe_not(f"{option} {self.pick(str(kind), f'{kind}/{code}')}")]

    def _dscp(self, _):
        return ["-m dscp " + self.maybe_not(f"--dscp {self.pick(*DSCPS)}")]

    def _ecn(self, family):
        if family == 6:
            return []
        return ["-m ecn " + self.maybe_not(f"--ecn-ip-ect {self.pick(0, 1, 2, 3)}")]

    def _ttl(self, family):
        name = "ttl" if family == 4 else "hl"
        return [f"-m {name} --{name}-{self.pick('eq', 'lt', 'gt')} {self.pick(*TTLS)}"]

    def _length(self, _):
        low, high = sorted(self.random.sample((0, 54, 60, 74, 94, 228, 65535), 2))
        return ["-m length " + self.maybe_not(f"--length {self.pick(f'{low}:{high}', str(low))}")]

    def _mark(self, _):
        return ["-m mark " + self.maybe_not(f"--mark {self.pick(*MARKS)}{self.pick('', '', '/0xff', '/0x1')}")]

    def _range(self, family):
        number = self.pick(3, 4)
        low, high = ((f"10.0.{number}.0", f"10.0.{number}.{self.pick(2, 3, 4, 200)}") if family == 4 else
                     (f"2001:db8:{number}::", f"2001:db8:{number}::{self.pick(2, 3, 4, 200)}"))
        return ["-m iprange " + self.maybe_not(f"--{self.pick('src', 'dst')}-range {low}-{high}")]

    def _fragment(self, family):
        return [self.maybe_not("-f")] if family == 4 else []

    def _target(self, table, n_parts):
        if table == "mangle" and self.chance(0.5):
            return [self.pick(f"-j DSCP --set-dscp {self.pick(*DSCPS)}",
                              f"-j MARK --set-mark {self.pick(*MARKS)}",
                              f"-j MARK --set-mark {self.pick(*MARKS)}/0xffff")]
        return [self._verdict(n_parts)]

    def _verdict(self, n_parts):
        """Many rules only count, and a verdict has conditions: else hardly a packet would reach the later rules."""
        if n_parts < 4:
            return ""
        return "-j DROP" if self.drops and self.chance(0.8) else self.pick("", "", "-j DROP", "-j ACCEPT")

    # Rules of ebtables.

    def bridge_rule(self):
        chain = self.pick(*self.bridge_chains)
        parts = [f"-A {chain}"]
        if chain != "OUTPUT" and self.chance(0.3):
            parts.append(self.maybe_not(f"-i {self.pick('swp1', 'swp1', 'swp2', 'swp+')}"))
        if chain != "INPUT" and self.chance(0.3):
            parts.append(self.maybe_not(f"-o {self.pick('swp2', 'swp2', 'swp1', 'swp+')}"))
        if chain == "OUTPUT":
            parts.append("-d 02:00:00:00:00:01")  # not the reports of multicast groups
        for option, number in (("-s", 1), ("-d", 2)):
            if self.chance(0.2) and not (chain == "OUTPUT" and option == "-d"):
                text = self.pick(f"02:00:00:00:00:0{number}", "02:00:00:00:00:09",
                                 f"02:00:00:00:00:0{number}/ff:ff:ff:00:00:ff", "00:00:00:00:00:00/01:00:00:00:00:00")
                parts.append(self.maybe_not(f"{option} {text}"))
        parts += self.pick(self._bridge_ip4, self._bridge_ip6, self._bridge_arp, self._bridge_other,
                           lambda: [])()
        parts.append(self._verdict(len(parts)))
        return Rule("[ebtables]", "filter", " ".join(part for part in parts if part))

    def _bridge_ip4(self):
        parts = ["-p IPv4"]
        if self.chance(0.3):
            parts.append(self.maybe_not(f"--ip-{self.pick('src 10.0.0.1', 'dst 10.0.0.2', 'src 10.0.0.0/24')}"))
        if self.chance(0.2):
            parts.append(self.maybe_not(f"--ip-tos {self.pick('0x00', '0x20', '0xb8')}"))
        return parts + self._bridge_ports("ip")

    def _bridge_ip6(self):
        parts = ["-p IPv6"]
        if self.chance(0.3):
            parts.append(self.maybe_not(f"--ip6-{self.pick('src 2001:db8::1', 'dst 2001:db8::2', 'src 2001:db8::/64')}"))
        return parts + self._bridge_ports("ip6")

    def _bridge_ports(self, name):
        if self.chance(0.3):
            return []
        if self.chance(0.3):
            return [self.maybe_not(f"--{name}-proto {self.pick('udp', 'tcp', '89')}")]
        parts = [f"--{name}-proto {self.pick('udp', 'tcp')}"]
        for option in ("sport", "dport"):
            if self.chance(0.4):
                low, high = self._port_range()
                parts.append(self.maybe_not(f"--{name}-{option} {self.pick(str(low), f'{low}:{high}')}"))
        return parts

    def _bridge_arp(self):
        parts = ["-p ARP"]
        if self.chance(0.4):
            parts.append(self.maybe_not(f"--arp-op {self.pick('1', '2')}"))
        if self.chance(0.4):
            parts.append(self.maybe_not(f"--arp-ip-{self.pick('src 10.0.0.1', 'dst 10.0.0.2', 'src 10.0.0.0/24')}"))
        if self.chance(0.2):
            parts.append(self.maybe_not("--arp-mac-src 02:00:00:00:00:01"))
        return parts

    def _bridge_other(self):
        return [self.maybe_not(f"-p {self.pick('0x0800', '0x86dd', '0x0806', '0x88cc')}")]

    # Packets.

    def shot(self):
        """A packet on a path that iptables sees."""
        path, family = self.pick(*self.paths), self.pick(4, 6)
        return Shot(path, family, self._packet(path, family))

    def bridged_shot(self):
        path, family = self.pick(*self.bridge_paths), self.pick(4, 6)
        if path is BRIDGED and self.chance(0.2):
            return Shot(path, 4, Packet(proto=self.pick("arp", "0x88cc")))
        return Shot(path, family, self._packet(path, family))

    def _packet(self, path, family):
        proto = self.pick("tcp", "tcp", "udp", "udp", "icmp", "89", "47")
        fields = {"proto": proto, "sport": self.pick(*PORTS), "dport": self.pick(*PORTS), "ttl": self.pick(*TTLS),
                  "dscp": self.pick(0, 0, *DSCPS), "ecn": self.pick(0, 0, 1, 2, 3),
                  "payload": self.pick(8, 26, 26, 46, 200)}
        fields["flags"] = ",".join(name.lower() for name in FLAG_NAMES if self.chance(0.3))
        if proto == "icmp":
            fields["type"], fields["code"] = self.pick(*(ICMP4_TYPES if family == 4 else ICMP6_TYPES))
        if path.source and path.target:
            fields["src"], fields["dst"] = self.pick(None, "behind", "behind2"), self.pick(None, "behind", "behind2")
            if family == 4 and self.chance(0.1):
                fields["options"] = b"\1" * 8
            if family == 6 and self.chance(0.1):
                fields["extensions"] = self.pick(("hop",), ("dest",), ("hop", "dest"))
            if self.chance(0.06):
                # Later fragments are left to tests of their own; see the head of this file.
                fields["fragment"] = (0, True)
        return Packet(**fields)
