"""Fixtures, and the reason for which everything is skipped where there are no network namespaces."""

import contextlib
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
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


def pytest_collection_modifyitems(items):
    reason = _why_not()
    if reason:
        for item in items:
            if item.get_closest_marker("unprivileged"):
                continue
            item.add_marker(pytest.mark.skip(reason=reason))


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
    server = Server(shared_lab.switch.ns, policy)
    try:
        server.start()
        yield server
        server.stop()
    finally:
        server.end()
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
    ns = Namespace()
    server = Server(ns, policy)
    yield server
    try:
        server.stop()
    finally:
        server.end()
        ns.close()
