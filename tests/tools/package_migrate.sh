#!/usr/bin/env bash
# usage: package_migrate.sh DIRECTORY-WITH-PACKAGES
# What tests/package runs in its minimal system without our packages: hsflowd was there, with a configuration that
# somebody edited, and tapgate-agent takes its place.
set -eu -o pipefail
packages="$1"
# shellcheck source=tests/tools/package_common.sh
. "$(dirname "$0")/package_common.sh"
installed() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }

# As the real one as far as dpkg can tell.
fake="$(mktemp -d)"
chmod 755 "$fake"
mkdir -p "$fake/hsflowd"/{DEBIAN,etc,usr/sbin}
cat >"$fake/hsflowd/DEBIAN/control" <<'CONTROL'
Package: hsflowd
Version: 2.0.50-1
Architecture: all
Maintainer: Nobody <nobody@localhost>
Description: stands in for Host sFlow
CONTROL
echo /etc/hsflowd.conf >"$fake/hsflowd/DEBIAN/conffiles"
echo 'sflow { DNSSD = on }' >"$fake/hsflowd/etc/hsflowd.conf"
echo '#!/bin/true' >"$fake/hsflowd/usr/sbin/hsflowd"
dpkg-deb --root-owner-group -b "$fake/hsflowd" "$fake/hsflowd.deb" >/dev/null
apt-get install -y "$fake/hsflowd.deb" </dev/null >/dev/null 2>&1 || fail "install the stand-in"

cat >/etc/hsflowd.conf <<'CONF'
# edited by the operator
sflow {
  polling = 17
  collector { ip = 192.0.2.17 udpport = 6344 }
  pcap { dev = eth0 }
}
CONF
cp /etc/hsflowd.conf "$fake/edited"
# As README.Debian says.
apt-get install -y -o Dpkg::Options::=--force-confold "$packages"/tapgate-agent_*.deb </dev/null \
	>"$fake/log" 2>&1 || { cat "$fake/log"; fail "install over hsflowd"; }
installed tapgate-agent || fail "tapgate-agent is not installed"
! installed hsflowd || fail "both are installed"
[ ! -e /usr/sbin/hsflowd ] || fail "the program of hsflowd is left"
cmp /etc/hsflowd.conf "$fake/edited" || fail "the configuration changed"
tapgate-agent -n >"$fake/meaning" || fail "the configuration is refused"
grep -q 'polling = 17' "$fake/meaning" || fail "the configuration is not understood"
grep -q '192.0.2.17' "$fake/meaning" || fail "the collector is not understood"
ok "an edited configuration of hsflowd is kept, and works"

dpkg --purge hsflowd >/dev/null 2>&1 || true
cmp /etc/hsflowd.conf "$fake/edited" || fail "the purge of hsflowd took the configuration"
apt-get install -y --reinstall -o Dpkg::Options::=--force-confold "$packages"/tapgate-agent_*.deb </dev/null \
	>/dev/null 2>&1 || fail "upgrade"
cmp /etc/hsflowd.conf "$fake/edited" || fail "an upgrade changed the configuration"
ok "so it is when hsflowd is purged, and after an upgrade"
apt-get purge -y tapgate-agent </dev/null >/dev/null 2>&1 || fail "purge"
[ ! -e /etc/hsflowd.conf ] || fail "purge left the configuration"
rm -r "$fake"
