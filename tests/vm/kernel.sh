# shellcheck shell=bash
# kernel.sh - gets one of Debian's kernels ready for tests/vm/run, which sources this: downloads the packages without
# installing them, builds netdevsim (left out of Debian's kernels) from Debian's kernel source and the module portsim,
# unpacks the kernel and makes the first file system. Expects $cache, $root, $out, say() and tests/tools/setup.sh.
: "${cache:?}" "${root:?}" "${out:?}"

packages_vm=(qemu-system-x86 busybox-static kmod xz-utils zstd gcc make iproute2 util-linux debian-archive-keyring
	python3-pytest)

# prepare_kernel NAME: sets kernel_dir, kernel_version, vmlinux, initrd and own_modules; on failure says why, returns 1.
prepare_kernel() {
	local reason
	[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || { say "needs Debian on amd64"; return 1; }
	if ! reason="$(install_packages "${packages_vm[@]}")"; then
		say "$reason"
		return 1
	fi
	exec {lock}>"$cache/lock"
	flock "$lock" # one preparation at a time
	apt_options=(-o APT::Sandbox::User=root -o Acquire::Retries=2)
	kernel_dir="$cache/$1"
	case "$1" in
	6.1) ;;
	6.12) use_backports || return 1 ;;
	*) say "no kernel is called $1"; return 1 ;;
	esac
	if [ ! -e "$kernel_dir/complete" ]; then
		fetch_kernel && build_netdevsim && unpack_kernel && : >"$kernel_dir/complete" || return 1
	fi
	find_version && build_portsim && make_initrd || return 1
	exec {lock}>&-
}

find_version() {
	kernel_version="$(find "$kernel_dir/lib/modules" -mindepth 1 -maxdepth 1 -printf '%f\n' | head -n 1)"
	vmlinux="$kernel_dir/boot/vmlinux"
	[ -n "$kernel_version" ] || { say "no modules in $kernel_dir"; return 1; }
}

# use_backports: look packages up in the backports alone, with a state of apt's of our own; the address is the one that
# this machine's own sources name.
use_backports() {
	local apt="$cache/apt" address
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	apt_options+=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache")
	[ ! -e "$kernel_dir/complete" ] || return 0
	# shellcheck disable=SC2016 # the names are apt's
	address="$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		awk '$2 == "bookworm" || $2 == "oldstable" {print $1; exit}')"
	[ -n "$address" ] || { say "apt's sources name no Debian 12, whose backports have this kernel"; return 1; }
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $address bookworm-backports main" \
		>"$apt/sources.list"
	if ! timeout 120 apt-get "${apt_options[@]}" -qq update >"$cache/apt.log" 2>&1; then
		say "cannot read Debian's backports: $(tail -n 1 "$cache/apt.log")"
		return 1
	fi
}

# unpack PACKAGE DIR: downloads a package and unpacks it, not installed.
unpack() {
	local at status=0
	at="$(mktemp -d "$cache/download.XXXXXX")" || return 1
	(cd "$at" && timeout 300 apt-get "${apt_options[@]}" -qq download "$1" && dpkg-deb -x ./*.deb "$2") \
		>"$cache/apt.log" 2>&1 || status=1
	[ $status = 0 ] || say "cannot get $1: $(tail -n 1 "$cache/apt.log")"
	rm -rf "$at"
	return $status
}

# depends PACKAGE PATTERN: those of its dependencies whose name matches.
depends() {
	apt-cache "${apt_options[@]}" depends "$1" 2>/dev/null | sed -n 's/^ *Depends: *//p' | grep -E "^($2)"
}

# fetch_kernel: the kernel, and the headers to build modules with.
fetch_kernel() {
	local image headers package
	image="$(depends linux-image-amd64 'linux-image-[0-9]' | head -n 1)"
	if [ -z "$image" ]; then # the package lists may be absent
		timeout 120 apt-get "${apt_options[@]}" -qq update >"$cache/apt.log" 2>&1
		image="$(depends linux-image-amd64 'linux-image-[0-9]' | head -n 1)"
	fi
	case "$image" in
	"linux-image-${kernel_dir##*/}."*) ;;
	*) say "apt has no Linux ${kernel_dir##*/} (linux-image-amd64 is \"$image\")"; return 1 ;;
	esac
	say "fetching $image"
	rm -rf "$kernel_dir"
	mkdir -p "$kernel_dir/headers"
	unpack "$image" "$kernel_dir" && find_version || return 1
	headers="linux-headers-$kernel_version"
	for package in "$headers" $(depends "$headers" 'linux-(headers|kbuild)'); do
		unpack "$package" "$kernel_dir/headers" || return 1
	done
	# The one line that expects them to be installed.
	sed -i "s,^include /usr/src/,include $kernel_dir/headers/usr/src/," \
		"$kernel_dir/headers/usr/src/$headers/Makefile"
}

# build_modules SOURCE-DIR DEST [MAKE-ARGUMENT...]: writes to both.
build_modules() {
	local source="$1" dest="$2" module
	shift 2
	if ! make -s -C "$kernel_dir/headers/usr/src/linux-headers-$kernel_version" M="$source" \
		CONFIG_DEBUG_INFO_BTF_MODULES= "$@" modules >"$cache/make.log" 2>&1; then
		say "cannot build ${source##*/}:"
		tail -n 20 "$cache/make.log" >&2
		return 1
	fi
	mkdir -p "$dest"
	for module in "$source"/*.ko; do
		strip -g -o "$dest/${module##*/}" "$module" || return 1
	done
}

build_netdevsim() {
	local source at status=0
	source="linux-source-$(cut -d. -f1,2 <<<"$kernel_version")"
	at="$(mktemp -d "$cache/build.XXXXXX")" || return 1
	say "building netdevsim for $kernel_version"
	unpack "$source" "$at" &&
		tar -C "$at" -xf "$at/usr/src/$source.tar.xz" "$source/drivers/net/netdevsim" &&
		build_modules "$at/$source/drivers/net/netdevsim" "$kernel_dir/lib/modules/$kernel_version/updates" \
			CONFIG_NETDEVSIM=m &&
		depmod -b "$kernel_dir" "$kernel_version" || status=1
	rm -rf "$at"
	return $status
}

# build_portsim: once for each version of its source.
build_portsim() {
	local source="$root/tests/vm/portsim" at status=0
	own_modules="$kernel_dir/portsim-$(cat "$source/portsim.c" "$source/Makefile" | sha256sum | cut -c1-16)"
	[ ! -e "$own_modules/portsim.ko" ] || return 0
	at="$(mktemp -d "$cache/build.XXXXXX")" || return 1
	cp "$source/portsim.c" "$source/Makefile" "$at/"
	build_modules "$at" "$at/done" && mkdir -p "$own_modules" &&
		mv "$at/done/portsim.ko" "$own_modules/" || status=1
	rm -rf "$at"
	return $status
}

# unpack_kernel: here, for under emulation the kernel's own unpacking takes seconds.
unpack_kernel() {
	local packed="$kernel_dir/boot/vmlinuz-$kernel_version" magic at
	for magic in '\xfd7zXZ\x00=xz' '\x28\xb5\x2f\xfd=zstd'; do
		while read -r at; do
			tail -c "+$((at + 1))" "$packed" | "${magic#*=}" -dc >"$vmlinux" 2>/dev/null
			[ "$(head -c 4 "$vmlinux" | od -An -tx1)" != " 7f 45 4c 46" ] || return 0
		done < <(LC_ALL=C grep -aobP "${magic%=*}" "$packed" | cut -d: -f1)
	done
	say "cannot unpack $packed"
	return 1
}

# make_initrd: busybox, init.sh and the modules that mounting needs.
make_initrd() {
	local at file name
	initrd="$kernel_dir/initrd-$(sha256sum "$root/tests/vm/init.sh" | cut -c1-16).cpio"
	[ ! -e "$initrd" ] || return 0
	at="$(mktemp -d "$cache/build.XXXXXX")" || return 1
	mkdir -p "$at"/{bin,dev,proc,sys,modules,low,new}
	cp /bin/busybox "$at/bin/busybox"
	cp "$root/tests/vm/init.sh" "$at/init"
	chmod 755 "$at/init"
	for name in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
		modprobe -d "$kernel_dir" -S "$kernel_version" --show-depends "$name" || echo "insmod no-$name"
	done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' >"$at/list"
	while read -r file; do
		name="$(basename "$file" .xz)"
		case "$file" in
		*.xz) xz -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$at/modules/$name" || { say "$kernel_version: $file"; return 1; }
		echo "$name" >>"$at/modules/order"
	done <"$at/list"
	rm "$at/list"
	(cd "$at" && find . | busybox cpio -o -H newc) >"$initrd.new" 2>/dev/null || return 1
	mv "$initrd.new" "$initrd"
	rm -rf "$at"
}

# remove_stale_runs: what a killed run left behind.
remove_stale_runs() {
	local dir pid
	for dir in "$cache"/run.*; do
		pid="${dir##*/run.}"
		[ ! -d "$dir" ] || kill -0 "${pid%%.*}" 2>/dev/null || rm -rf "$dir"
	done
}
