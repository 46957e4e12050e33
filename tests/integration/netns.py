"""Network namespaces, and a small switch made of them.

A Namespace has no name in the file system: a file descriptor holds it, so it goes, with its interfaces, when this
process ends in whatever way, and two runs never meet. To look into one while a test waits in a debugger:
    nsenter --net=/proc/PID/fd/N bash         (Namespace.path)
"""

import ctypes
import json
import os
import subprocess
import threading

from wait import wait_until

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def _in_thread(function):
    """Run function() in a thread of its own, whose namespace may be changed, and pass on what it returns or raises."""
    box = {}

    def body():
        try:
            box["result"] = function()
        except BaseException as error:  # pylint: disable=broad-except
            box["error"] = error

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if "error" in box:
        raise box["error"]
    return box["result"]


class Namespace:
    """One network namespace, loopback up."""

    def __init__(self):
        def make():
            _check(_libc.unshare(CLONE_NEWNET), "cannot make a network namespace")
            return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

        self.fd = _in_thread(make)
        self.ip("link set lo up")

    @property
    def path(self):
        """A path by which other processes can enter it, as long as this process runs."""
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    def call(self, function, *args, **kwargs):
        """Call a function inside; sockets that it makes stay inside."""
        def body():
            _check(_libc.setns(self.fd, CLONE_NEWNET), "cannot enter a network namespace")
            return function(*args, **kwargs)

        return _in_thread(body)

    def command(self, *argv):
        """The argument vector that runs argv inside; the process id stays that of the command."""
        return ["nsenter", f"--net={self.path}", *argv]

    def run(self, *argv, check=True, input="", **kwargs):  # pylint: disable=redefined-builtin
        """Run a command inside and return what subprocess.run() does; output is captured as text."""
        done = subprocess.run(self.command(*argv), text=True, capture_output=True, check=False, input=input, **kwargs)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(argv)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def popen(self, *argv, **kwargs):
        """Start a command inside; it is killed when this process ends."""
        return subprocess.Popen(self.command("setpriv", "--pdeathsig", "KILL", "--", *argv), **kwargs)

    def ip(self, commands):
        """Run lines of "ip" commands (without the word ip)."""
        self.run("ip", "-batch", "-", input=commands)

    def nft(self, text):
        self.run("nft", "-f", "-", input=text)

    def sysctl(self, name, value):
        """Set /proc/sys/net/NAME; a name that this kernel lacks is an OSError."""
        def write():
            with open(f"/proc/sys/net/{name}", "w") as file:
                file.write(str(value))

        self.call(write)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class FirstNamespace(Namespace):
    """The one that the machine starts with, where some things of the kernel are only. Only in the test machine: at the
    end the interfaces that were made in it, its filters and settings are as they were."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.fd = os.open("/proc/1/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._settings = {}
        self._links = self._names()
        self.ip("link set lo up")

    def _names(self):
        return {link["ifname"] for link in json.loads(self.run("ip", "-json", "link").stdout)}

    def sysctl(self, name, value):
        def read():
            with open(f"/proc/sys/net/{name}", encoding="ascii") as file:
                return file.read().strip()

        self._settings.setdefault(name, self.call(read))
        super().sysctl(name, value)

    def close(self):
        if self.fd < 0:
            return
        self.nft("flush ruleset")
        for name in self._names() - self._links:
            self.run("ip", "link", "delete", name, check=False)  # one end of a pair takes the other with it
        for name, value in reversed(self._settings.items()):
            super().sysctl(name, value)
        super().close()


def host_mac(number):
    return f"02:00:00:00:00:{number:02x}"


def port_mac(number):
    """MAC of switch port swpN; 0 is the bridge's."""
    return f"02:00:00:00:01:{number:02x}"


class Host:
    """What is plugged into switch port swpN: a namespace with eth0."""

    def __init__(self, number, subnet):
        self.number, self.name, self.port = number, f"h{number}", f"swp{number}"
        self.ns = Namespace()
        self.mac = host_mac(number)
        self.subnet = subnet
        self.ip4, self.ip6 = f"10.0.{subnet}.{number}", f"2001:db8:{subnet}::{number}"
        self.gateway4, self.gateway6 = f"10.0.{subnet}.254", f"2001:db8:{subnet}::fe"

    def address(self, family):
        return self.ip4 if family == 4 else self.ip6

    def gateway(self, family):
        return self.gateway4 if family == 4 else self.gateway6

    def behind(self, family, number=1):
        """An address in a network behind this host, to which the switch has a route."""
        return f"10.{100 + self.number}.0.{number}" if family == 4 else f"2001:db8:{100 + self.number}::{number}"


class Switch:
    """A namespace with ports swp1, swp2, …, each with a host behind it.

    bridged  numbers of the ports in bridge br0; br0 has an address of its own (an SVI) in subnet 0
    routed   numbers of the ports with an address of their own: 10.0.N.254/24, 2001:db8:N::fe/64
    answer   hosts own their addresses and have routes; without it they are silent: nothing of what a test sends to
             them makes them send something
    ns       where it is, instead of a namespace of its own; closed with it

    All MAC addresses, neighbours and forwarding entries are set by hand, so that no packet appears that a test did
    not send, but for what the switch itself says about its IPv6 multicast groups.
    """

    def __init__(self, bridged=(1, 2), routed=(3, 4), answer=False, ns=None):
        self.ns = ns or Namespace()
        self.hosts = {}
        self.bridged, self.routed = tuple(bridged), tuple(routed)
        for number in sorted(self.bridged + self.routed):
            self.hosts[number] = Host(number, 0 if number in self.bridged else number)
        self._make_links()
        self._make_switch()
        if answer:
            self._make_hosts_answer()
        wait_until(self._is_up, "all ports of the switch up and forwarding")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for host in self.hosts.values():
            host.ns.close()
        self.ns.close()

    def _make_links(self):
        self.ns.sysctl("ipv6/conf/default/addr_gen_mode", 1)
        for number, host in self.hosts.items():
            host.ns.sysctl("ipv6/conf/default/addr_gen_mode", 1)
            self.ns.ip(f"link add {host.port} address {port_mac(number)} type veth "
                       f"peer name eth0 address {host.mac} netns {host.ns.path}")
            host.ns.ip("link set eth0 up")

    def _make_switch(self):
        for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            self.ns.sysctl(name, 1)
        for name in ("ipv4/conf/all/rp_filter", "ipv4/conf/default/rp_filter"):
            self.ns.sysctl(name, 0)
        for name in ("iptables", "ip6tables", "arptables"):
            try:
                self.ns.sysctl(f"bridge/bridge-nf-call-{name}", 0)
            except FileNotFoundError:
                pass  # no br_netfilter: that is what 0 asks for
        lines = []
        if self.bridged:
            lines += [f"link add br0 address {port_mac(0)} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                      "link set br0 up", "addr add 10.0.0.254/24 dev br0", "addr add 2001:db8:0::fe/64 dev br0 nodad"]
        for number, host in self.hosts.items():
            device = "br0" if number in self.bridged else host.port
            if number in self.bridged:
                lines += [f"link set {host.port} master br0 up"]
            else:
                lines += [f"link set {host.port} up", f"addr add {host.gateway4}/24 dev {device}",
                          f"addr add {host.gateway6}/64 dev {device} nodad"]
            lines += [f"neigh replace {address} lladdr {host.mac} dev {device} nud permanent"
                      for address in (host.ip4, host.ip6)]
            lines += [f"route add 10.{100 + number}.0.0/16 via {host.ip4}",
                      f"route add 2001:db8:{100 + number}::/48 via {host.ip6}"]
        self.ns.ip("\n".join(lines))
        for number in self.bridged:
            self.ns.run("bridge", "fdb", "replace", self.hosts[number].mac, "dev", f"swp{number}", "master", "static")

    def _is_up(self):
        """The kernel finds out about carrier, and lets a bridge port forward, some time after the commands."""
        links = json.loads(self.ns.run("ip", "-json", "link").stdout)
        ports = json.loads(self.ns.run("bridge", "-json", "link").stdout)
        up = [link for link in links if link["ifname"].startswith(("swp", "br")) and link["operstate"] == "UP"]
        forwarding = [port for port in ports if port["state"] == "forwarding"]
        return (len(up) == len(self.hosts) + bool(self.bridged)) and len(forwarding) == len(self.bridged)

    def _make_hosts_answer(self):
        for number, host in self.hosts.items():
            gateway_mac = port_mac(0 if number in self.bridged else number)
            lines = [f"addr add {host.ip4}/24 dev eth0", f"addr add {host.ip6}/64 dev eth0 nodad",
                     f"route add default via {host.gateway4}", f"route add default via {host.gateway6}"]
            known = [(host.gateway4, gateway_mac), (host.gateway6, gateway_mac)]
            for other in self.hosts.values():
                if other is not host and other.subnet == host.subnet:
                    known += [(other.ip4, other.mac), (other.ip6, other.mac)]
            lines += [f"neigh replace {address} lladdr {mac} dev eth0 nud permanent" for address, mac in known]
            host.ns.ip("\n".join(lines))
