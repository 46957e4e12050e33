"""Certificates made by openssl, and clients over TLS inside a namespace."""

import http.client
import os
import socket
import ssl
import subprocess

from rest import Rest
from wait import DEADLINE_S

PORT = 8443


def _openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


class Certificates:
    """Two CAs, "ca" and "other", in a directory; each file is NAME.crt or NAME.key."""

    def __init__(self, directory):
        self.directory = directory
        for name in ("ca", "other"):
            _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", f"/CN=The {name}", "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.crt"))

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, name, common_name, alternative="DNS:none.example", ca="ca", usage="serverAuth"):
        """A certificate of a CA with its key, replaced if it is there."""
        extensions = self.path(f"{name}.ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={alternative}\nextendedKeyUsage={usage}\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                 f"/CN={common_name}", "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.csr"))
        _openssl("x509", "-req", "-in", self.path(f"{name}.csr"), "-CA", self.path(f"{ca}.crt"), "-CAkey",
                 self.path(f"{ca}.key"), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                 self.path(f"{name}.crt"))

    def context(self, client=None, ca="ca"):
        """What a client needs: whom it trusts, and its own certificate."""
        context = ssl.create_default_context(cafile=self.path(f"{ca}.crt"))
        if client:
            context.load_cert_chain(self.path(f"{client}.crt"), self.path(f"{client}.key"))
        return context


def connect(ns, address, port):
    """A TCP connection; the address may be IPv6."""
    return ns.call(socket.create_connection, (address, port), DEADLINE_S)


def connect_tls(ns, context, address="::1", port=PORT):
    """A TLS connection, handshake done."""
    return context.wrap_socket(connect(ns, address, port), server_hostname=address)


class _Connection(http.client.HTTPConnection):
    def __init__(self, open_socket):
        super().__init__("localhost", timeout=DEADLINE_S)
        self._open_socket = open_socket

    def connect(self):
        self.sock = self._open_socket()


class Client(Rest):
    """A Rest client over sockets of its own kind, with a token if there is one."""

    def __init__(self, open_socket, token=None):  # pylint: disable=super-init-not-called
        self._connection, self._retry, self._token = _Connection(open_socket), True, token

    def request(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return super().request(method, path, body, headers)
