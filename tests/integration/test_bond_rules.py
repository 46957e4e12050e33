"""Rules that name a member of a bond. Needs a kernel with bonding."""

import pytest

from daemon import run_acl
from netns import Namespace

pytestmark = pytest.mark.vm


@pytest.fixture
def ns():
    made = Namespace()
    made.ip("link add bond0 type bond\nlink add swp5 type dummy\nlink add swp1 type dummy\n"
            "link set swp5 master bond0\nlink set bond0 up")
    yield made
    made.close()


@pytest.mark.parametrize("options", (["-i"], ["-i", "-n"]))
def test_it_is_said_which_bond_to_name(ns, policy, options):
    policy.write("10a.rules", "[iptables]\n-A INPUT -i swp1,bond0 -j DROP\n-A INPUT -i swp5 -j DROP\n")
    done = run_acl(ns, policy, *options)
    assert done.returncode == 0
    assert done.stderr == (f"{policy.path('10a.rules')}:3: warning: swp5 is a member of bond0, and packets come and go by "
                           "that: name bond0 instead: -A INPUT -i swp5 -j DROP\n")
