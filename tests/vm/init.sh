#!/bin/busybox sh
# shellcheck shell=dash
# init.sh - first process of the test machine: this file system read-only by 9p, an overlay in memory over it, and on
# to stage2.sh. Only busybox is here.
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
exec </dev/console >/dev/console 2>&1
for module in $($b cat /modules/order); do
	$b insmod "/modules/$module" || echo "cannot load $module"
done
for word in $($b cat /proc/cmdline); do
	case "$word" in vm.run=*) run="${word#*=}" ;; esac
done
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose low /low &&
	$b mount -t tmpfs -o size=75% tmp /new &&
	$b mkdir /new/upper /new/work /new/root &&
	$b mount -t overlay -o lowerdir=/low,upperdir=/new/upper,workdir=/new/work,xino=off root /new/root &&
	$b mount --move /dev /new/root/dev &&
	$b mount --move /proc /new/root/proc &&
	$b mount --move /sys /new/root/sys &&
	exec $b switch_root /new/root /bin/bash "$run/stage2.sh" "$run"
echo "cannot set up the root file system"
$b poweroff -f
