# shellcheck shell=bash
# setup.sh - what tests/run and tests/demo share: Debian packages and builds. Sourced; expects $root (the source
# tree) and $out (where builds and logs go), and defines only functions and the package lists.
: "${root:?}" "${out:?}"

# What it takes to build and to run the demo.
# shellcheck disable=SC2034 # used by the programs that source this file
packages_base=(gcc libc6-dev cmake ninja-build pkg-config libnl-3-dev libnl-route-3-dev libnl-genl-3-dev
	libmnl-dev libnftnl-dev libcivetweb-dev libcjson-dev libcap-ng-dev libseccomp-dev libxxhash-dev libc-ares-dev libssl-dev
	libcmocka-dev nftables iproute2 procps curl python3 netbase dnsmasq-base)
# What the tests need beyond that.
# shellcheck disable=SC2034
packages_test=(clang clang-format iptables ebtables python3-pytest python3-pytest-xdist universal-ctags shellcheck mandoc strace tshark
	ethtool iputils-ping openssl git python3-jsonschema apache2-bin openssl)
# Programs of others that the agent and the server are tried with: a controller, collectors of sFlow, a reverse proxy.
# The demo needs the first only.
# shellcheck disable=SC2034
packages_peers=(fastnetmon ganglia-monitor nfdump nfdump-sflow nginx nginx-common)

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

# unpack_packages NAME...: unpacks into $out/peers what is neither installed nor unpacked yet, and installs the libraries
# that it needs. To install a daemon would start it on this machine. A package that this release does not have is
# left out: what would use it says so. On another failure prints why and returns 1.
unpack_packages() {
	local dir="$out/peers" log="$out/peers.log" name wanted=() have=() others depends
	mkdir -p "$dir" || return 1
	for name in $(missing_packages "$@"); do
		# What it needs may have been removed since.
		[ "$dir/$name.done" -nt /var/lib/dpkg/status ] || wanted+=("$name")
	done
	[ ${#wanted[@]} -gt 0 ] || return 0
	if ! (cd "$dir" && download_packages "${wanted[@]}") >"$log" 2>&1; then
		# The package lists may be absent or old.
		apt-get update </dev/null >"$log" 2>&1 && (cd "$dir" && download_packages "${wanted[@]}") >>"$log" 2>&1
	fi
	for name in "${wanted[@]}"; do
		if [ -e "$dir/$name.deb" ]; then
			have+=("$name")
		elif apt-cache show "$name" >/dev/null 2>&1; then
			echo "apt-get could not download $name:"
			tail -n 8 "$log"
			return 1
		fi
	done
	[ ${#have[@]} -gt 0 ] || return 0
	others="$(printf '^%s( |$)|' "${have[@]}")"
	depends="$(for name in "${have[@]}"; do
		dpkg-deb -f "$dir/$name.deb" Depends
	done | sed 's/, */\n/g' | grep -v -E "${others%|}" | paste -s -d ,)"
	if ! DEBIAN_FRONTEND=noninteractive apt-get satisfy -y --no-install-recommends "$depends" \
		</dev/null >>"$log" 2>&1; then
		echo "apt-get could not install what ${have[*]} need:"
		tail -n 8 "$log"
		return 1
	fi
	(cd "$dir" && touch "${have[@]/%/.done}")
}

# download_packages NAME...: those that are not here yet, as NAME.deb, and unpacked.
download_packages() {
	local name status=0
	for name in "$@"; do
		[ ! -e "$name.deb" ] || continue
		rm -f "${name}"_*.deb
		apt-get download "$name" </dev/null && dpkg-deb -x "${name}"_*.deb . &&
			mv "${name}"_*.deb "$name.deb" || status=1
	done
	return $status
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
