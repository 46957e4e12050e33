"""Two equal switches: one filtered by the kernel's usual tools (iptables-nft and its kin), one by tapgate-acl.

Twins.compare() gives both the same rules and the same frames and says where what came out, or a rule's counters,
differ. reduce() makes a difference small enough to read.
"""

import dataclasses
import re

from daemon import Policy, run_acl
from lab import Lab, fill
from netns import Switch

SECTIONS = {"[iptables]": "iptables-nft", "[ip6tables]": "ip6tables-nft", "[ebtables]": "ebtables-nft"}
CHAINS = {"filter": ("INPUT", "FORWARD", "OUTPUT"), "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT",
                                                               "POSTROUTING")}


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule of a section: "-A FORWARD -p udp -j DROP", and its table."""

    section: str
    table: str
    text: str

    def ours(self):
        return self.text if self.table == "filter" else f"-t {self.table} {self.text}"


@dataclasses.dataclass(frozen=True)
class Shot:
    """A packet on its way."""

    path: object
    family: int
    packet: object


@dataclasses.dataclass(frozen=True)
class Difference:
    """What the tools' switch did, and what ours did; shot or rule tells where."""

    where: object
    theirs: object
    ours: object

    def __str__(self):
        return f"{self.where}\n    {'the usual tools:':17}{self.theirs}\n    {'tapgate-acl:':17}{self.ours}"


class Twins:
    """Both switches; close() ends them."""

    def __init__(self):
        self.labs = (Lab(Switch()), Lab(Switch()))
        self.policy = Policy()
        self.rules = self.hit = self.packets = self.dropped = 0  # how much all comparisons had to say

    def close(self):
        for lab in self.labs:
            lab.switch.close()
        self.policy.close()

    def compare(self, rules, shots, one_file=True):
        """[Difference] of these rules (first match wins, in this order) and these packets; empty if all agree.

        With one_file=False each rule is an ACL of the REST server: those that only drop become elements of sets, and
        of several that drop one packet any may count it, so counters are not compared.
        """
        self._install_theirs(rules)
        self._install_ours(rules, one_file)
        outcomes = [self._shoot(lab, shots) for lab in self.labs]
        found = [Difference(shot, *both) for shot, *both in zip(shots, *outcomes) if both[0] != both[1]]
        counters = (self._count_theirs(rules), self._count_ours(rules) if one_file else self._count_theirs(rules))
        self.rules, self.packets = self.rules + len(rules), self.packets + len(shots)
        self.hit += sum(1 for packets, _ in counters[0] if int(packets))
        self.dropped += sum(1 for frames in outcomes[0] if not frames)
        return found + [Difference(rule, *both) for rule, *both in zip(rules, *counters) if both[0] != both[1]]

    # The usual tools.

    def _install_theirs(self, rules):
        ns = self.labs[0].switch.ns
        for section, tool in SECTIONS.items():
            text = ""
            for table, chains in CHAINS.items():
                if section == "[ebtables]" and table != "filter":
                    continue
                lines = [rule.text for rule in rules if (rule.section, rule.table) == (section, table)]
                heads = [f":{chain} ACCEPT" + ("" if section == "[ebtables]" else " [0:0]") for chain in chains]
                text += "\n".join([f"*{table}", *heads, *lines, "COMMIT" if section != "[ebtables]" else ""]) + "\n"
            done = ns.run(f"{tool}-restore", input=text, check=False)
            assert done.returncode == 0, f"{tool}-restore: {done.stderr}\n{text}"

    def _count_theirs(self, rules):
        ns = self.labs[0].switch.ns
        counters = {}
        for section, tool in SECTIONS.items():
            if section == "[ebtables]":
                text = ns.run(tool, "-L", "--Lc").stdout
                for chain, body in re.findall(r"^Bridge chain: (\w+),.*\n((?:(?!Bridge chain).*\n?)*)", text, re.M):
                    counters[section, "filter", chain] = re.findall(r", pcnt = (\d+) -- bcnt = (\d+)", body)
                continue
            for table, body in re.findall(r"^\*(\w+)\n((?:(?!COMMIT).*\n)*)", ns.run(f"{tool}-save", "-c").stdout, re.M):
                for packets, size, chain in re.findall(r"^\[(\d+):(\d+)\] -A (\w+)", body, re.M):
                    counters.setdefault((section, table, chain), []).append((packets, size))
        return _in_order(rules, counters)

    # Ours.

    def _install_ours(self, rules, one_file):
        for name in self.policy.names():
            self.policy.remove(name)
        for number, part in enumerate([rules] if one_file else [[rule] for rule in rules]):
            lines = []
            for section in SECTIONS:
                lines += [section] + [rule.ours() for rule in part if rule.section == section]
            self.policy.write_rest(f"rule{number:03}", lines)
        for action in (["-i"], ["-Z", "all"]):
            done = run_acl(self.labs[1].switch.ns, self.policy, *action)
            assert done.returncode == 0, done.stderr  # it may warn of a rule that can never match

    def _count_ours(self, rules):
        counters = {}
        for section, kind in zip(SECTIONS, ("ip", "ip6", "eb")):
            text = run_acl(self.labs[1].switch.ns, self.policy, "-L", kind, "-S", "-x").stdout
            for packets, size, table, chain in re.findall(
                    r"^ *(\d+) +(\d+) +(?:-t (\w+) )?-A (\w+)", text, re.M):
                counters.setdefault((section, table or "filter", chain), []).append((packets, size))
        return _in_order(rules, counters)

    # Both.

    @staticmethod
    def _shoot(lab, shots):
        """For each shot the frames (or, at the switch itself, the packets) that came out at the end of its path."""
        outcomes = [None] * len(shots)
        for path in dict.fromkeys(shot.path for shot in shots):
            mine = [(i, fill(lab.switch, path, shot.family, shot.packet))
                    for i, shot in enumerate(shots) if shot.path == path]
            arrived = lab.exchange(path.source, [packet.frame() for _, packet in mine],
                                   [packet.dst for _, packet in mine])
            at_end = [data for where, data in arrived if where == path.target]
            by_token = {packet.token: i for i, packet in mine}
            for i, _ in mine:
                outcomes[i] = []
            for data in at_end:
                token = re.search(re.escape(mine[0][1].token[:4]) + rb".{4}", data, re.S)
                if token and token[0] in by_token:
                    outcomes[by_token[token[0]]].append(data.hex())
        return outcomes


def _in_order(rules, counters):
    """(packets, bytes) for each rule, from lists by (section, table, chain)."""
    left = {key: iter(values) for key, values in counters.items()}
    found = []
    for rule in rules:
        chain = rule.text.split()[1]
        found.append(next(left.get((rule.section, rule.table, chain), iter(())), None))
    return found


def reduce(twins, rules, shots, one_file=True):
    """A small part of rules and shots that still differs, as ([rule], [shot], [Difference])."""
    def smaller(items, still):
        size = max(len(items) // 2, 1)
        while True:
            at = 0
            while at < len(items):
                rest = items[:at] + items[at + size:]
                if still(rest):
                    items = rest
                else:
                    at += size
            if size == 1:
                return items
            size //= 2

    shots = smaller(list(shots), lambda part: twins.compare(rules, part, one_file))
    rules = smaller(list(rules), lambda part: twins.compare(part, shots, one_file))
    return rules, shots, twins.compare(rules, shots, one_file)
