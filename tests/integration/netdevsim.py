"""Simulated switches of the kernel's netdevsim, and what portsim adds to a port; only in the test machine."""

import json
import os

from wait import wait_until

BUS = "/sys/bus/netdevsim"
DEBUG = "/sys/kernel/debug/netdevsim"
PORTSIM = "/sys/kernel/debug/portsim"


def _write(path, text):
    mode = "wb" if isinstance(text, bytes) else "w"
    with open(path, mode) as file:
        file.write(text)


class SimulatedSwitch:
    """A netdevsim device in a namespace with ports swp1 to swpN, down. number: of the device, unique in the machine."""

    def __init__(self, ns, ports, number=1):
        self.ns, self.number = ns, number
        self.device = f"netdevsim{number}"
        ns.call(_write, f"{BUS}/new_device", f"{number} {ports}")
        try:
            self._name_ports(ports)
        except BaseException:
            self.close()
            raise

    def _port_names(self):
        """{device name: N} of every port swpN, as the kernel numbers them."""
        links = json.loads(self.ns.run("ip", "-json", "-details", "link").stdout)
        return {link["ifname"]: int(link["phys_port_name"][1:]) for link in links
                if link.get("phys_port_name", "").startswith("p") and link.get("parentdev", self.device) == self.device}

    def _name_ports(self, ports):
        names = wait_until(lambda: len(found := self._port_names()) == ports and found, f"{ports} ports")
        self.ns.ip("\n".join(f"link set {name} name swp{number}" for name, number in names.items()))

    @property
    def debug(self):
        """The device's folder in debugfs."""
        return os.path.join(DEBUG, self.device)

    def set(self, name, value):
        """Write one file of the debugfs folder, such as psample/rate."""
        _write(os.path.join(self.debug, name), str(value))

    def add_port(self, number):
        """A further port, swp<number + 1>: the kernel counts from 0 here."""
        self.ns.call(_write, f"{BUS}/devices/{self.device}/new_port", str(number))

    def remove_port(self, number):
        self.ns.call(_write, f"{BUS}/devices/{self.device}/del_port", str(number))

    def close(self):
        self.ns.call(_write, f"{BUS}/del_device", str(self.number))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def set_speed(ns, name, mbps):
    """Give any device of a namespace a link speed; a second time: another one."""
    ns.call(_write, f"{PORTSIM}/add", f"{name} {mbps}")


def set_value(ns, name, what, index, value):
    """Set a statistic or a habit of a device that set_speed() was called for; see the top of portsim.c."""
    ns.call(_write, f"{PORTSIM}/set", f"{name} {what} {index} {value}")


def unplug_module(name):
    """No module any more."""
    _write(f"{PORTSIM}/{name}", b"")


def plug_module(name, eeprom):
    """Give a device that set_speed() was called for an optical module with these EEPROM bytes."""
    _write(f"{PORTSIM}/{name}", eeprom)


def offload_sampling(ns, name):
    """Have a device that set_speed() was called for take sampling filters, as a switch chip does; none is made."""
    ns.call(_write, f"{PORTSIM}/offload", name)
