# shellcheck shell=bash
# package_common.sh - what package_inside.sh and package_systemd.sh share. Sourced; both use bash -eu -o pipefail.
url=http://127.0.0.1:8080/acl
access=() # options of curl to get in

fail() { echo "FAILED: $*"; exit 1; }
ok() { echo "ok: $*"; }

# within SECONDS COMMAND...: repeats a command until it succeeds.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "in time: $*"
		sleep 0.1
	done
}

put() { # NAME LINES: prints the status
	curl -sS "${access[@]}" -o /dev/null -w '%{http_code}' -X PUT -H 'Content-Type: application/json' -H 'Prefer: wait=10' \
		--data "$2" "$url/$1"
}

serves() { curl -fsS "${access[@]}" "$url/"; }
