#!/bin/sh
# enter.sh: runs a command in a root, in namespaces of its own; all mounts are gone with it.
# usage: unshare --mount --pid --net --ipc --fork --kill-child sh enter.sh ROOT WORK COMMAND...
# ROOT cannot be written to. WORK is /work there, and the folder where the command starts. There is no network, and no
# process or shared memory of outside is to be seen: no sound server, then.
set -eu
root=$1
work=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --rbind /dev "$root/dev"
for folder in dev/shm tmp run; do
  mount -t tmpfs tmpfs "$root/$folder"
done
mount --bind "$work" "$root/work"
# Not exec: this shell is the first process there, which has the duty to reap what others leave behind.
chroot "$root" env --chdir=/work "$@"
