"""Fixtures, and the reasons for which tests are skipped: no network namespaces, or not the kernel that they need."""

import contextlib
import fnmatch
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from agent import World
from daemon import Policy, Server
from lab import Lab
from netns import Namespace, Switch
from openapi import Description
import rest


def _why_not():
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    try:
        Namespace().close()
    except OSError as error:
        return str(error)
    return None


def _why_not_here(item):
    """Why a test marked vm cannot run on this kernel, or None."""
    marker = item.get_closest_marker("vm")
    if not marker:
        return None
    kernel = os.environ.get("TAPGATE_VM")  # set inside the test machine: which of its kernels this is
    if not kernel:
        missing = os.environ.get("TAPGATE_VM_MISSING")
        return f"needs Debian's kernel in a virtual machine: {missing or 'run by tests/run vm'}"
    since = marker.kwargs.get("since", kernel)
    if [int(part) for part in kernel.split(".")] < [int(part) for part in since.split(".")]:
        return f"needs Linux {since}"
    return None


def pytest_addoption(parser):
    parser.addoption("--vm-list", metavar="FILE",
                     help="run only tests marked vm, and those whose id matches a pattern of this file")


def _deselect(config, items):
    with open(config.getoption("--vm-list"), encoding="utf-8") as file:
        patterns = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    keep = [item for item in items if item.get_closest_marker("vm")
            or any(fnmatch.fnmatchcase(item.nodeid, pattern) for pattern in patterns)]
    config.hook.pytest_deselected(items=[item for item in items if item not in keep])
    items[:] = keep


def pytest_collection_modifyitems(config, items):
    if config.getoption("--vm-list"):
        _deselect(config, items)
    reason = _why_not()
    for item in items:
        why = _why_not_here(item)
        if reason and not item.get_closest_marker("unprivileged"):
            why = reason
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session", autouse=True)
def _answers_are_described():
    """Every answer that any test gets has to be as openapi.json says."""
    rest.observers.append(Description.load().check)
    yield
    rest.observers.clear()


@pytest.fixture(scope="session")
def shared_lab():
    """One switch with ports 1 and 2 bridged, 3 and 4 routed, for tests that leave it as they found it."""
    with Switch() as switch:
        yield Lab(switch)


@pytest.fixture(scope="session")
def shared_server(shared_lab):
    """One server in the shared lab, for tests that delete what they put."""
    policy = Policy()
    try:
        with Server(shared_lab.switch.ns, policy) as server:
            yield server
    finally:
        policy.close()


@pytest.fixture(scope="session")
def _shared_client(shared_server):
    client = shared_server.client()
    yield client
    client.close()


@pytest.fixture
def acl(_shared_client):
    """A client of the shared server; what it has put is deleted afterwards."""
    yield _shared_client
    _shared_client.remove()


@pytest.fixture
def stack():
    """For what a test opens and starts."""
    with contextlib.ExitStack() as made:
        yield made


@pytest.fixture
def policy():
    """Directories for a server of the test's own."""
    made = Policy()
    yield made
    made.close()


@pytest.fixture
def own_server(policy):
    """A server of the test's own, in a namespace of its own, not yet started."""
    with contextlib.ExitStack() as ends:
        ns = Namespace()
        ends.callback(ns.close)
        server = Server(ns, policy)
        ends.push(server)
        yield server


@pytest.fixture
def world(tmp_path):
    """A switch with a host for collectors, for agents of the test's own."""
    made = World(tmp_path)
    yield made
    made.close()
