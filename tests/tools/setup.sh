# shellcheck shell=bash
# setup.sh - what tests/run and tests/demo share: Debian packages and builds. Sourced; expects $root (the source
# tree) and $out (where builds and logs go), and defines only functions and the two package lists.
: "${root:?}" "${out:?}"

# What it takes to build and to run the demo.
# shellcheck disable=SC2034 # used by the programs that source this file
packages_base=(gcc libc6-dev cmake ninja-build pkg-config libnl-3-dev libnl-route-3-dev libnl-genl-3-dev
	libmnl-dev libnftnl-dev libcivetweb-dev libcjson-dev libcap-ng-dev libseccomp-dev libxxhash-dev libc-ares-dev
	libcmocka-dev nftables iproute2 procps curl python3 netbase dnsmasq-base)
# What the tests need beyond that.
# shellcheck disable=SC2034
packages_test=(clang clang-format iptables ebtables python3-pytest python3-pytest-xdist universal-ctags shellcheck mandoc strace tshark
	ethtool iputils-ping git python3-jsonschema apache2-bin)

# missing_packages NAME...: prints those that are not installed.
missing_packages() {
	local name
	for name in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null)" = "ii " ] || echo "$name"
	done
}

# install_packages NAME...: installs by apt what is missing; on failure prints why and returns 1.
install_packages() {
	local log="$out/apt.log" missing
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "these packages are missing, and only root can install them: ${missing[*]}"
		return 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	if apt-get install -y --no-install-recommends "${missing[@]}" </dev/null >"$log" 2>&1; then
		return 0
	fi
	# The package lists may be absent or old.
	if ! apt-get update </dev/null >"$log" 2>&1; then
		echo "apt-get update failed (is the network up?):"
		tail -n 8 "$log"
		return 1
	fi
	if ! apt-get install -y --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1; then
		echo "apt-get could not install ${missing[*]}:"
		tail -n 8 "$log"
		return 1
	fi
}

# build DIRECTORY COMPILER [CMAKE-OPTION...] [-- TARGET...]: configures and builds the targets, or everything; on
# failure prints why and returns 1.
build() {
	local dir="$1" compiler="$2" log="$1.log" options=()
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	if ! cmake -S "$root" -B "$dir" -G Ninja -DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		"${options[@]}" </dev/null >"$log" 2>&1; then
		tail -n 25 "$log"
		return 1
	fi
	if ! ninja -C "$dir" "$@" </dev/null >>"$log" 2>&1; then
		grep -E -A 6 'error:|FAILED:|undefined reference|ninja: ' "$log" | head -n 60
		return 1
	fi
}

# give_back: what root made in a user's tree belongs to that user afterwards.
give_back() {
	[ "$(id -u)" != 0 ] || chown -R --reference="$root" "$out" 2>/dev/null || true
}
