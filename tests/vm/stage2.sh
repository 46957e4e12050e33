#!/usr/bin/env bash
# stage2.sh RUN-DIR - second stage of the test machine, process 1 on the root file system: mounts, modules, the
# simulated switch; then the command of RUN-DIR, whose output and exit status go out by virtio ports.
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
run="$1"

mount_all() {
	local pair dir n=0 modules_at
	# The tree may lie where the machine has a folder of its own.
	mkdir -p /vm-tree && mount --bind "$tree" /vm-tree
	mkdir -p /vm-run && cp "$run/command" "$run/shared" /vm-run/
	modules_at="$(realpath /lib)/modules"
	mkdir -p "$modules_at" && mount --bind "$modules" "$modules_at"
	mkdir -p /vm-own && mount --bind "$own" /vm-own
	mount -t tmpfs -o mode=1777 tmp /tmp
	mount -t tmpfs -o mode=755 run /run
	mkdir -p /run/lock /dev/pts /dev/shm "$tree"
	mountpoint -q "$tree" || [ -e "$tree/tests/vm" ] || mount --move /vm-tree "$tree"
	for pair in tmpfs:/dev/shm devpts:/dev/pts debugfs:/sys/kernel/debug tracefs:/sys/kernel/tracing \
		bpf:/sys/fs/bpf cgroup2:/sys/fs/cgroup; do
		mount -t "${pair%%:*}" "${pair%%:*}" "${pair#*:}" 2>/dev/null
	done
	ln -s /proc/self/fd /dev/fd
	ln -s fd/0 /dev/stdin && ln -s fd/1 /dev/stdout && ln -s fd/2 /dev/stderr
	while read -r dir; do
		mkdir -p "$dir"
		mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=mmap "rw$n" "$dir" || echo "no $dir"
		n=$((n + 1))
	done </vm-run/shared
}

# find_ports: the virtio ports by name, as $port_out and $port_status.
find_ports() {
	local at name
	for at in /sys/class/virtio-ports/*; do
		read -r name <"$at/name"
		printf -v "port_$name" %s "/dev/${at##*/}"
	done
}

make_switch() {
	local at name
	[ "$swports" -gt 0 ] || return 0
	echo "1 $swports" >/sys/bus/netdevsim/new_device
	for at in /sys/bus/netdevsim/devices/netdevsim1/net/*; do
		read -r name <"$at/phys_port_name"
		echo "link set ${at##*/} name swp${name#p}"
	done | ip -batch -
}

# end_others: whatever the command left running must not hold its output open.
end_others() {
	local at pid left=1
	while [ $left = 1 ]; do
		left=0
		for at in /proc/[0-9]*; do
			pid="${at##*/}"
			case "$pid" in 1 | "$copier") continue ;; esac
			# Threads of the kernel have no program.
			readlink "$at/exe" >/dev/null 2>&1 || continue
			! kill -KILL "$pid" 2>/dev/null || left=1
		done
	done
}

modules='' own='' swports=0 tree='' kernel='' port_out='' port_status=''
# shellcheck disable=SC1091 # written by tests/vm/run
. "$run/settings"
mount_all
hostname vm
ip link set lo up
modprobe -a netdevsim tun && insmod /vm-own/portsim.ko || echo "no netdevsim, or no portsim"
make_switch
find_ports
export TAPGATE_VM="$kernel"

mkfifo /run/vm-output
cat </run/vm-output >"$port_out" &
copier=$!
exec 3>/run/vm-output
setsid --wait bash /vm-run/command </dev/null >&3 2>&1 3>&-
status=$?
exec 3>&-
end_others
wait "$copier"
while read -r dir; do sync -f "$dir"; done </vm-run/shared
echo "$status" >"$port_status"
echo b >/proc/sysrq-trigger
