#!/usr/bin/env bash
# usage: examples.sh TAPGATE-AGENT TAPGATE-ACLSERVER
# The example configurations are right as they are, and with each setting that they show as a comment.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
agent="$1" aclserver="$2"
work="$(mktemp -d)" || exit 1
trap 'rm -rf "$work"' EXIT
status=0
settings=0

check() { # WHAT COMMAND...: runs it, shows what it says if it fails
	local what="$1" text
	shift
	text="$("$@" 2>&1)" || { printf '%s:\n%s\n' "$what" "$text"; status=1; }
}

check agent/hsflowd.conf "$agent" -n -f agent/hsflowd.conf
# The user of the package need not exist here.
{ cat aclserver/tapgate-aclserver.conf; echo 'user = nobody'; } >"$work/aclserver.conf"
check aclserver/tapgate-aclserver.conf "$aclserver" -n -c "$work/aclserver.conf"

# One at a time, as some exclude each other. A setting is a comment with '=' or '{' behind its first word or two.
while IFS= read -r line; do
	printf 'sflow {\n%s\n}\n' "$line" >"$work/hsflowd.conf"
	check "agent/hsflowd.conf: $line" "$agent" -n -f "$work/hsflowd.conf"
	settings=$((settings + 1))
done < <(sed -n -E 's/^  # ([a-zA-Z][a-zA-Z0-9._]*( [a-z0-9*]+)? [={] .*)$/\1/p' agent/hsflowd.conf)
while IFS= read -r line; do
	case "$line" in
	user\ =*) echo "user = nobody" ;;
	*) printf 'user = nobody\n%s\n' "$line" ;;
	esac >"$work/aclserver.conf"
	check "aclserver/tapgate-aclserver.conf: $line" "$aclserver" -n -c "$work/aclserver.conf"
	settings=$((settings + 1))
done < <(sed -n -E 's/^#([a-z_]+ = .*)$/\1/p' aclserver/tapgate-aclserver.conf)

echo "$settings settings"
[ "$settings" -ge 30 ] || status=1
exit $status
