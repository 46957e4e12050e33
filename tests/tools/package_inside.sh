#!/usr/bin/env bash
# usage: package_inside.sh DIRECTORY-WITH-PACKAGES DIRECTORY-WITH-UNITS
# What tests/package runs in its minimal system, in namespaces of its own, with both packages installed.
set -eu -o pipefail
packages="$1"
units="$2"
# shellcheck source=tests/tools/package_common.sh
. "$(dirname "$0")/package_common.sh"

# capabilities UNIT: those of the unit as setpriv(1) wants them.
capabilities() {
	sed -n 's/^CapabilityBoundingSet=//p' "$units/$1.service" | sed 's/CAP_/+/g; s/ /,/g' | tr '[:upper:]' '[:lower:]'
}

# sandbox DIRECTORY... -- COMMAND...: with a file system of which only the directories can be written to.
sandbox() {
	while [ "$1" != -- ]; do
		mkdir -p "$1"
		mount --bind "$1" "$1"
		shift
	done
	shift
	mount -o remount,bind,ro /
	exec "$@"
}

# As README.Debian says for machines without systemd: as root, with these capabilities.
start_server() {
	unshare -m bash -c "$(declare -f sandbox)"'; umask 0077; sandbox "$@"' x \
		/run/tapgate /var/lib/tapgate /etc/cumulus/acl -- \
		setpriv --bounding-set=-all,+net_admin,+chown,+kill,+setuid,+setgid,+setpcap --no-new-privs \
		tapgate-aclserver &
	server=$!
	within 10 curl -fsS "${access[@]}" "$url/"
}

stop() { # PID
	kill "$1"
	wait "$1" || fail "it ended with status $?"
}

# ---- the ACL server ----
[ "$(stat -c %F /etc/cumulus/acl/policy.d)" = directory ] || fail "no policy directory"
start_server
[ "$(nft list ruleset | grep -c ' drop')" = 0 ] || fail "something is dropped before there is an ACL"
[ "$(put one '["[iptables]", "-A INPUT -s 198.51.100.1/32 -p tcp --dport http -j DROP"]')" = 200 ] || fail "PUT"
[ "$(put bad '["[iptables]", "-A INPUT -p udp --dprt 53 -j DROP"]')" = 422 ] || fail "PUT of a bad ACL"
[ "$(curl -sS -o /dev/null -w '%{http_code}' -X DELETE "$url/bad")" = 204 ] || fail "DELETE"
tapgate-acl -L all -v | grep 50rest-one >/dev/null || fail "the ACL is not listed"
[ "$(stat -c %U:%a /etc/cumulus/acl/policy.d/50rest-one.rules)" = tapgate:644 ] || fail "owner of the ACL's file"
[ "$(stat -c %G:%a /etc/cumulus/acl/policy.d)" = tapgate:1775 ] || fail "rights of the policy directory"
ok "an ACL is installed by HTTP, a bad one is refused"

rules="$(nft -a list ruleset)"
stop $server
[ "$(nft -a list ruleset)" = "$rules" ] || fail "the rules changed when the server stopped"
apt-get install -y --reinstall "$packages"/tapgate-aclserver_*.deb </dev/null >/dev/null 2>&1 || fail "upgrade"
[ "$(nft -a list ruleset)" = "$rules" ] || fail "the rules changed with the upgrade"
start_server
[ "$(put two '["[iptables]", "-A INPUT -s 198.51.100.2/32 -j DROP"]')" = 200 ] || fail "PUT after the upgrade"
stop $server
ok "rules outlive a stop and an upgrade"

# ---- https, with what the package depends on and nothing that is for building ----
apt-get remove -y libssl-dev </dev/null >/dev/null 2>&1 || fail "removal of libssl-dev"
unversioned="$(find / -xdev -path /proc -prune -o -name libssl.so -print)"
[ -z "$unversioned" ] || fail "there still is $unversioned"
cp /etc/tapgate/aclserver.conf /tmp/aclserver.conf
(umask 077 && tapgate-aclserver --new-token test --scope admin >/etc/tapgate/tokens 2>/tmp/token)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test \
	-addext subjectAltName=IP:::1 -keyout /etc/tapgate/test.key -out /etc/tapgate/test.crt 2>/dev/null
chmod 600 /etc/tapgate/test.key
cat >>/etc/tapgate/aclserver.conf <<'CONF'
listen = https://[::1]:8443
tls_certificate = /etc/tapgate/test.crt
tls_key = /etc/tapgate/test.key
tokens = /etc/tapgate/tokens
CONF
url='https://[::1]:8443/acl'
access=(--cacert /etc/tapgate/test.crt -H "Authorization: Bearer $(cat /tmp/token)")
start_server
[ "$(put three '["[iptables]", "-A INPUT -s 198.51.100.3/32 -j DROP"]')" = 200 ] || fail "PUT over https"
access=(--cacert /etc/tapgate/test.crt)
[ "$(put four '["[iptables]"]')" = 401 ] || fail "PUT without a token"
stop $server
mv /tmp/aclserver.conf /etc/tapgate/aclserver.conf
rm /etc/tapgate/tokens /etc/tapgate/test.key /etc/tapgate/test.crt /tmp/token
ok "https over IPv6 asks for a token, without any -dev package"

# ---- the agent ----
ip link add swp1 type veth peer name swp1p
ip link set swp1 up
echo 'sflow { polling = 1 collector { ip = 127.0.0.1 } }' >/tmp/hsflowd.conf
both="$(capabilities tapgate-agent)"
mkdir -p /run/tapgate-agent
chown tapgate-agent: /run/tapgate-agent
unshare -m bash -c "$(declare -f sandbox)"'; umask 0077; sandbox "$@"' x /run/tapgate-agent -- \
	setpriv --reuid tapgate-agent --regid tapgate-agent --clear-groups --no-new-privs --bounding-set="-all,$both" \
	--inh-caps="-all,$both" --ambient-caps="-all,$both" \
	tapgate-agent -f /tmp/hsflowd.conf -o /run/tapgate-agent/hsflowd.auto &
agent=$!
within 10 bash -c 'nft list table netdev tapgate_agent | grep swp1'
within 10 grep -q '^collector=127.0.0.1$' /run/tapgate-agent/hsflowd.auto
python3 - <<'PYTHON' || fail "no datagram of sFlow version 5"
import socket
import struct

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(20)
sock.bind(("127.0.0.1", 6343))
version, family = struct.unpack_from("!II", sock.recv(65536))
raise SystemExit(0 if version == 5 and family in (1, 2) else 1)
PYTHON
tapgate-agent status | grep -q swp1 || fail "status does not know the port"
stop $agent
[ -z "$(nft list tables netdev)" ] || fail "the agent left its sampling rules"
ok "the agent samples, sends, and cleans up"

# ---- remove, purge ----
echo '# the operator'"'"'s' >/etc/cumulus/acl/policy.d/20own.rules
apt-get remove -y tapgate-agent tapgate-aclserver </dev/null >/dev/null 2>&1 || fail "remove"
[ -z "$(nft list tables)" ] || fail "rules are left after the removal"
[ -f /etc/cumulus/acl/policy.d/50rest-two.rules ] || fail "remove took an ACL's file"
if [ ! -f /etc/hsflowd.conf ] || [ ! -f /etc/tapgate/aclserver.conf ]; then
	fail "remove took a configuration"
fi
ok "remove takes the rules and leaves the files"
apt-get purge -y tapgate-agent tapgate-aclserver </dev/null >/dev/null 2>&1 || fail "purge"
[ "$(cd /etc/cumulus/acl && find . -type f)" = ./policy.d/20own.rules ] || fail "purge: $(find /etc/cumulus -type f)"
rm -r /etc/cumulus
left="$(find / /run -xdev \( -path /build -o -path /proc -o -path /sys -o -path /var/cache/apt \) -prune -o \
	\( -iname '*tapgate*' -o -name '*hsflowd*' \) ! -path /tmp/hsflowd.conf -print)"
[ -z "$left" ] || fail "purge left: $left"
ok "purge leaves the operator's policy file and nothing else"
