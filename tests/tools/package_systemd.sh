#!/usr/bin/env bash
# usage: package_systemd.sh DIRECTORY-WITH-PACKAGES
# What tests/package runs in its minimal system after systemd has started there, with both packages installed.
set -eu -o pipefail
packages="$1"
# shellcheck source=tests/tools/package_common.sh
. "$(dirname "$0")/package_common.sh"
units=(tapgate-agent tapgate-aclserver tapgate-committer)

main_pid() { systemctl show -P MainPID "$1"; }
worker() { pgrep -P "$(main_pid tapgate-aclserver)"; }
active() { systemctl is-active --quiet "$@"; }
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
# With handles, by which one sees that nothing was made anew; without the agent's.
rules() { for family in inet bridge; do nft -a list table "$family" tapgate 2>/dev/null || true; done; }
served_again() { serves && [ "$(put one "$acl")" = 200 ]; }
trap '[ $? = 0 ] || journalctl --no-pager -n 60 >&2' EXIT

for unit in "${units[@]}"; do
	within 30 active "$unit"
	score="$(systemd-analyze security --no-pager "$unit" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')"
	awk -v score="$score" 'BEGIN { exit score == "" || score > 2.0 }' || fail "security of $unit: $score"
	ok "$unit runs; systemd-analyze security: $score"
done

# ---- who is who ----
within 10 serves
committer="$(main_pid tapgate-committer)"
http="$(worker)"
[ "$(stat -c %U "/proc/$committer")" = tapgate-committer ] || fail "the committer's user"
[ "$(status_of "$committer" CapBnd)" = 0000000000001004 ] || fail "the committer's capabilities"
[ "$(stat -c %U "/proc/$http")" = tapgate ] || fail "the HTTP process' user"
[ "$(status_of "$http" CapPrm)$(status_of "$http" CapBnd)" = 00000000000000000000000000000000 ] ||
	fail "the HTTP process has capabilities"
ok "two users, neither of them root"

# ---- ACLs ----
acl='["[iptables]", "-A INPUT -s 198.51.100.1/32 -p tcp --dport http -j DROP"]'
umask 077
# Which nobody but root can read, with a rule that takes more than a chain.
printf '%s\n' '[iptables]' '-A INPUT -i swp1 -s 198.51.100.9/32 -j DROP' >/etc/cumulus/acl/policy.d/20own.rules
umask 022
[ "$(put one "$acl")" = 200 ] || fail "PUT"
[ "$(put bad '["[iptables]", "-A INPUT -p udp --dprt 53 -j DROP"]')" = 422 ] || fail "PUT of a bad ACL"
within 10 grep -q dprt <(journalctl --no-pager TAPGATE_ACL=bad)
[ -z "$(journalctl --no-pager -q TAPGATE_ACL=one)" ] || fail "the journal tells of another ACL"
[ "$(curl -sS -o /dev/null -w '%{http_code}' -X DELETE "$url/bad")" = 204 ] || fail "DELETE"
tapgate-acl -i >/dev/null || fail "tapgate-acl beside the server"
before="$(rules)"
for action in restart reload; do
	systemctl $action tapgate-aclserver
	within 10 serves
	[ "$(rules)" = "$before" ] || fail "the rules changed by $action"
	[ "$(put one "$acl")" = 200 ] || fail "PUT after $action"
done
[ "$(main_pid tapgate-committer)" != "$committer" ] || fail "restart left the committer"
systemctl stop tapgate-aclserver
! active tapgate-committer || fail "stop left the committer"
[ "$(rules)" = "$before" ] || fail "the rules changed by stop"
systemctl start tapgate-aclserver
serves >/dev/null || fail "started, and does not serve"
ok "restart, reload, stop and start mean both units, and leave the rules"

for victim in worker "main_pid tapgate-aclserver" "main_pid tapgate-committer"; do
	kill -KILL "$($victim)"
	within 30 served_again
	[ "$(rules)" = "$before" ] || fail "the rules changed by the end of $victim"
	within 10 active tapgate-committer tapgate-aclserver
done
ok "each process may be killed"

dpkg -i "$packages"/tapgate-{agent,aclserver}_*.deb >/dev/null
within 10 active "${units[@]}"
[ "$(rules)" = "$before" ] || fail "the rules changed by an upgrade"
ok "an upgrade leaves the rules"

# ---- the agent ----
ip link add swp1 type veth peer name swp1p
ip link set swp1 up
samples() { nft list table netdev tapgate_agent | grep -q '"swp1"\|swp1'; }
within 20 samples
within 10 grep -q 'new switch port' <(journalctl --no-pager TAPGATE_PORT=swp1)
mkdir -p /run/systemd/system/tapgate-agent.service.d
printf '[Service]\nRestart=no\n' >/run/systemd/system/tapgate-agent.service.d/test.conf
systemctl daemon-reload
# The process alone, as a crash would: systemd 257 takes its own ExecStopPost along with the unit.
kill -KILL "$(main_pid tapgate-agent)"
within 10 systemctl is-failed --quiet tapgate-agent
[ -z "$(nft list tables netdev)" ] || fail "sampling rules are left after a crash"
systemctl start hsflowd # the name that playbooks know
within 20 samples
systemctl stop tapgate-agent
[ -z "$(nft list tables netdev)" ] || fail "sampling rules are left after the stop"
ok "the agent's sampling rules go with it, also after SIGKILL"

# ---- removal ----
dpkg -r tapgate-agent tapgate-aclserver >/dev/null 2>&1 || fail "remove"
[ -z "$(nft list tables)" ] || fail "rules are left after the removal"
! pgrep tapgate >/dev/null || fail "processes are left after the removal"
rm /etc/cumulus/acl/policy.d/20own.rules
dpkg -P tapgate-agent tapgate-aclserver >/dev/null 2>&1 || fail "purge"
left="$(find / /run -xdev \( -path /build -o -path /proc -o -path /sys -o -path /var/log -o -path /var/cache/apt -o \
	-path /var/lib/systemd/timers -o -path /run/systemd/system/tapgate-agent.service.d \) -prune -o \
	\( -iname '*tapgate*' -o -name '*hsflowd*' \) ! -path /tmp/hsflowd.conf -print)"
[ -z "$left" ] || fail "purge left: $left"
ok "remove stops everything, purge leaves nothing"
