#!/bin/sh
# The first process of the machine: the file system of the host, read-only, under a layer in memory; then the agent.
bb=/bin/busybox
$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs dev /dev
while read -r module; do $bb insmod "/modules/$module"; done < /modules/list
$bb mount -t virtiofs -o ro host /host
$bb mount -t tmpfs -o size=75% layer /layer
$bb mkdir /layer/upper /layer/work
$bb mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work root /new
for name in proc sys dev; do $bb mount --move /$name /new/$name; done
$bb mkdir -p /new/dev/pts /new/dev/shm
$bb mount -t devpts devpts /new/dev/pts
$bb mount -t tmpfs shm /new/dev/shm
# Nothing that runs on the host is found here.
$bb mount -t tmpfs run /new/run
$bb mkdir -p /new/run/netns /new/run/lock
$bb mkdir -p /new/lib/modules
$bb mount --bind "/new$MODULES" /new/lib/modules
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
# As its parent the shell buries whom the tests leave behind.
exec $bb switch_root /new /bin/busybox sh -c '"$NODE" "$AGENT"; echo "the agent has ended ($?)"; /bin/busybox poweroff -f'
