"""Rules by chance: every verdict and every counter is that of iptables-nft, ip6tables-nft and ebtables-nft.

TAPGATE_SEEDS=FIRST:LAST runs other seeds than the few of every run.
"""

import os

import pytest

from rule_maker import Maker
from twins import Twins, reduce

RULES, PACKETS = 48, 300


def seeds():
    first, last = (os.environ.get("TAPGATE_SEEDS") or "1:6").split(":")
    return range(int(first), int(last) + 1)


@pytest.fixture(scope="module")
def twins():
    made = Twins()
    yield made
    made.close()
    # Else the comparison says nothing. (When every test failed early, there is nothing to say either.)
    assert not made.rules or (made.hit > made.rules / 5 and made.packets / 20 < made.dropped < made.packets * 3 / 4)


def agree(twins, rules, shots, one_file=True):
    differences = twins.compare(rules, shots, one_file)
    if differences:
        rules, shots, reduced = reduce(twins, rules, shots, one_file)
        differences = reduced or ["(did not happen again)", *differences]
        pytest.fail("\n".join(["These rules:", *(f"  {rule.section} {rule.ours()}" for rule in rules),
                               f"and these {len(shots)} packets:", *(f"  {shot}" for shot in shots[:5]), "differ:",
                               *(str(difference) for difference in differences)]))


@pytest.mark.parametrize("seed", seeds())
def test_iptables_rules_do_what_iptables_does(twins, seed):
    maker = Maker(seed)
    rules = [maker.rule(maker.pick(4, 6)) for _ in range(RULES)]
    agree(twins, rules, [maker.shot() for _ in range(PACKETS)])


@pytest.mark.parametrize("seed", seeds())
def test_ebtables_rules_do_what_ebtables_does(twins, seed):
    maker = Maker(f"bridge {seed}")
    rules = [maker.bridge_rule() for _ in range(RULES)]
    agree(twins, rules, [maker.bridged_shot() for _ in range(PACKETS)])


@pytest.mark.parametrize("seed", seeds())
def test_acls_that_were_folded_into_sets_drop_the_same(twins, seed):
    maker = Maker(f"acls {seed}", drops=True)
    rules = [maker.rule(maker.pick(4, 6)) for _ in range(RULES)]
    agree(twins, rules, [maker.shot() for _ in range(PACKETS)], one_file=False)
    rules = [maker.bridge_rule() for _ in range(RULES)]
    agree(twins, rules, [maker.bridged_shot() for _ in range(PACKETS)], one_file=False)
