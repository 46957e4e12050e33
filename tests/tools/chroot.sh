# shellcheck shell=bash
# chroot.sh - a minimal Debian system in a directory, and commands in it: what tests/package and tests/cross share.
# Sourced, after setup.sh; expects $root, $out, $suite (its release) and $system (its directory).
: "${root:?}" "${out:?}" "${suite:?}" "${system:?}"

# say TEXT: what comes now, with the time since the start.
say() { printf '== %3d s  %s\n' "$SECONDS" "$*"; }

# run LOG COMMAND...: with its output in a file, the end of which is shown if it fails.
run() {
	local log="$out/$1.log"
	shift
	"$@" </dev/null >"$log" 2>&1 || { tail -n 40 "$log"; echo "FAILED: $*; all of it is in $log"; exit 1; }
}

# inside OPTIONS COMMAND: a shell command in the system, in namespaces of its own. OPTIONS of unshare: "-n" for no
# network. /proc/sys is read-only: what packages set there when they are installed would be set for the whole machine.
inside() {
	# shellcheck disable=SC2086,SC2016 # options are words; the inner shell expands its own variables
	unshare -m -p -f --kill-child $1 bash -eu -c '
		mount --make-rprivate /
		mount --bind "$1" "$1"
		mount -t proc proc "$1/proc"
		mount --bind "$1/proc/sys" "$1/proc/sys"
		mount -o remount,bind,ro "$1/proc/sys"
		mount -t sysfs sysfs "$1/sys"
		mount --rbind /dev "$1/dev"
		mount -t tmpfs tmpfs "$1/run"
		ip link set lo up
		cd "$1"
		exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
			DEBIAN_FRONTEND=noninteractive bash -eu -c "$2"' inside "$system" "$2"
}

# make_system: makes it if it is not there.
make_system() {
	# shellcheck disable=SC2016 # apt expands it
	local uris='$(REPO_URI)' mirror
	run packages install_packages debootstrap
	[ ! -e "$system/etc/debian_version" ] || return 0
	mirror="$(apt-get indextargets --format "$uris" 'Created-By: Packages' | grep -m 1 '/debian/$')"
	run debootstrap debootstrap --variant=minbase "$suite" "$system" "$mirror"
	# How this machine reaches the archive. Fetching as root needs no other user in the namespace.
	apt-config dump Acquire >"$system/etc/apt/apt.conf.d/90tests"
	echo 'APT::Sandbox::User "root";' >>"$system/etc/apt/apt.conf.d/90tests"
	cp -L /etc/resolv.conf /etc/hosts "$system/etc/" 2>/dev/null || true
}

# copy_tree: the source tree, as git knows it, to /build/tapgate of the system.
copy_tree() {
	rm -rf "$system/build"
	mkdir -p "$system/build/tapgate"
	git -C "$root" ls-files -z | (cd "$root" && xargs -0 cp -P --parents -t "$system/build/tapgate")
}
