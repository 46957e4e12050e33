"""A LAG of switch ports and its members. Needs a kernel with bonding."""

import pytest

import sflow
from agent import World, conf, counters

ACTOR, PARTNER = "02:00:00:00:aa:01", "02:00:00:00:bb:01"
pytestmark = pytest.mark.vm
PORT_BPS = 10**10  # what the veth driver says
# Active, short time-out, aggregatable, in sync, collecting, distributing; administrative states are not known.
HEALTHY = "003f003f"


def make_bond(ns, system):
    ns.ip(f"link add bond0 type bond mode 802.3ad lacp_rate fast miimon 10 ad_actor_system {system}")


@pytest.fixture(name="lag")
def make_lag(tmp_path):
    """A bond of swp5 and swp6, by LACP with a bond of a host."""
    world = World(tmp_path, bridged=(), routed=(3,))
    make_bond(world.ns, ACTOR)
    make_bond(world.host, PARTNER)
    for port in ("swp5", "swp6"):
        world.ns.ip(f"link add {port} type veth peer name {port} netns {world.host.path}")
    for ns in (world.ns, world.host):
        ns.ip("link set swp5 master bond0\nlink set swp6 master bond0\nlink set bond0 up")
    yield world
    world.close()


def last(receiver, ifindex, name):
    """The record of that name in the last sample of a port; None if it has none; {} if there is no sample."""
    found = counters(receiver, ifindex)
    return sflow.find_record(found[-1], name) if found else {}


def state_of(fields):
    """portState as eight hexadecimal digits."""
    value = fields.get("portState")
    return f"{value:08x}" if isinstance(value, int) else str(value)


def test_members_tell_both_ends_and_the_lag_itself_does_not(lag):
    with lag.receiver() as receiver, lag.agent(conf("polling = 1", "sampling.flat = 0")):
        bond, members = lag.ifindex("bond0"), [lag.ifindex("swp5"), lag.ifindex("swp6")]

        def is_healthy(receiver):
            found = [last(receiver, member, "lag_port_stats") for member in members]
            return found if all(fields and state_of(fields) == HEALTHY for fields in found) else None

        for fields in receiver.wait(is_healthy, 60):
            assert fields["attachedAggID"] == bond
            assert (fields["actorSystemID"], fields["partnerSystemID"]) == (ACTOR, PARTNER)
            assert 0 < fields["LACPDUsTx"] < 1000
            assert 0 < fields["LACPDUsRx"] < 1000
            assert [fields[name] for name in ("unknownRx", "illegalRx", "markerPDUsRx", "markerPDUsTx")] == [0] * 4
        receiver.wait(lambda r: last(r, bond, "if_counters"), 30)
        generic = last(receiver, bond, "if_counters")
        assert (generic["ifType"], generic["ifStatus"]) == (161, 3)
        assert last(receiver, bond, "lag_port_stats") is None

        def sent(receiver, ifindex):
            return last(receiver, ifindex, "if_counters")["ifOutUcastPkts"]

        before = sent(receiver, bond)
        lag.ns.ip("addr add 10.50.0.1/24 dev bond0\nneigh replace 10.50.0.2 lladdr 02:00:00:00:00:98 dev bond0 "
                  "nud permanent")
        lag.ns.run("ping", "-q", "-c", "200", "-i", "0.002", "-W", "1", "10.50.0.2", check=False)
        receiver.wait(lambda r: sent(r, bond) >= before + 200 and sum(sent(r, m) for m in members) >= 200, 60)


def test_speed_of_the_lag_is_that_of_its_members(lag):
    with lag.receiver() as receiver, lag.agent(conf("polling = 1", "sampling.flat = 0")):
        bond = lag.ifindex("bond0")

        def speed(receiver):
            return last(receiver, bond, "if_counters").get("ifSpeed")

        receiver.wait(lambda r: speed(r) == 2 * PORT_BPS, 60)
        lag.host.ip("link set swp6 down")
        receiver.wait(lambda r: speed(r) == PORT_BPS, 60)


def test_port_that_leaves_is_no_member_and_a_lag_without_ports_is_not_polled(lag):
    with lag.receiver() as receiver, lag.agent(conf("polling = 1", "sampling.flat = 0")):
        bond, port = lag.ifindex("bond0"), lag.ifindex("swp5")
        receiver.wait(lambda r: last(r, port, "lag_port_stats"), 30)
        receiver.wait(lambda r: counters(r, bond), 30)
        lag.ns.ip("link set swp5 nomaster")
        receiver.wait(lambda r: last(r, port, "lag_port_stats") is None, 30)
        lag.ns.ip("link set swp6 nomaster")
        receiver.wait(lambda r: last(r, lag.ifindex("swp6"), "lag_port_stats") is None, 30)
        polled, others = len(counters(receiver, bond)), len(counters(receiver, port))
        receiver.wait(lambda r: len(counters(r, port)) >= others + 3, 30)
        assert len(counters(receiver, bond)) <= polled + 1


def test_states_and_aggregators_of_members_change_with_the_link(lag):
    """A member whose partner is gone is not attached, and says so; so is the other one if both are gone."""
    with lag.receiver() as receiver, lag.agent(conf("polling = 1", "sampling.flat = 0")):
        bond, ports = lag.ifindex("bond0"), {name: lag.ifindex(name) for name in ("swp5", "swp6")}

        def is_member(name):
            fields = last(receiver, ports[name], "lag_port_stats")
            return bool(fields) and (fields["attachedAggID"], state_of(fields)) == (bond, HEALTHY)

        receiver.wait(lambda r: is_member("swp5") and is_member("swp6"), 60)
        lag.host.ip("link set swp6 nomaster\nlink set swp6 up")
        # What the partner said last is over, and our side neither collects nor distributes.
        def is_alone(receiver):
            fields = last(receiver, ports["swp6"], "lag_port_stats")
            return not int(state_of(fields)[2:4], 16) & 0x20 and fields["attachedAggID"] == 0

        receiver.wait(is_alone, 60)
        assert last(receiver, ports["swp6"], "lag_port_stats")["partnerSystemID"] == "00:00:00:00:00:00"
        assert is_member("swp5")
        lag.host.ip("link set swp6 down\nlink set swp6 master bond0")
        receiver.wait(lambda r: is_member("swp5") and is_member("swp6"), 60)


def test_members_of_a_team_name_it_and_no_more(lag):
    """What a team's members are up to is known to teamd, not to the kernel."""
    lag.ns.ip("link set swp5 nomaster\nlink set swp5 down\nlink add team0 type team\nlink set swp5 master team0\n"
              "link set swp5 up\nlink set team0 up")
    with lag.receiver() as receiver, lag.agent(conf("polling = 1", "sampling.flat = 0")):
        receiver.wait(lambda r: last(r, lag.ifindex("swp5"), "lag_port_stats"), 30)
        fields = last(receiver, lag.ifindex("swp5"), "lag_port_stats")
        assert (fields["attachedAggID"], state_of(fields)) == (lag.ifindex("team0"), "00000000")
        receiver.wait(lambda r: last(r, lag.ifindex("team0"), "if_counters"), 30)
        assert last(receiver, lag.ifindex("team0"), "if_counters")["ifType"] == 161
        lag.ns.ip("link set swp5 nomaster")
        receiver.wait(lambda r: last(r, lag.ifindex("swp5"), "lag_port_stats") is None, 30)
