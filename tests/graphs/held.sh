#!/bin/busybox sh
# Runs in a machine of its own, as its first process (see ../held.rs): `groundup run --machine host` where control groups can hold it,
# and where not.
export PATH=/bin HOME=/tmp TERM=dumb
if [ ! -d /proc ]; then
    # The kernel's first root can't be left by pivot_root(2).
    mkdir /new
    mount -t tmpfs none /new
    cp -a /bin /lib /lib64 /etc /graph /init /new/
    mkdir /new/proc /new/sys /new/dev /new/tmp
    mount -t devtmpfs none /new/dev
    exec switch_root -c /dev/console /new /init
fi
mount -t proc none /proc
mount -t sysfs none /sys
mount -t cgroup2 none /sys/fs/cgroup
chmod 1777 /tmp
groups=/sys/fs/cgroup

# The groups that are there, when those that go have had time to.
left() {
    for try in 1 2 3 4 5 6 7 8 9 10; do
        names=$(ls -d $groups/groundup* $groups/*/groundup* 2>/dev/null)
        [ -z "$names" ] && break
        sleep 0.2
    done
    echo "left: $names"
}

echo "== not held"
groundup run /graph/hog.ron --machine host --keep-going --cache /tmp/cache --record /tmp/record
echo "status $?, record: $(grep -c '"memory: a step is not held' /tmp/record)"
groundup run /graph/hog.ron --machine host --memory 400 --cache /tmp/cache
echo "asked for: status $?"

echo "== root"
echo +memory >$groups/cgroup.subtree_control
groundup run /graph/hog.ron --machine host --keep-going --cache /tmp/cache --record /tmp/record
echo "status $?, record: $(grep -c '"memory: a step is not held' /tmp/record)"
left
groundup run /graph/hog.ron --machine host --memory 1000 --cache /tmp/cache
echo "more: status $?"
left
for signal in INT KILL; do
    groundup run /graph/wait.ron --machine host --cache /tmp/cache &
    until grep -q . $groups/groundup*/cgroup.procs 2>/dev/null; do sleep 0.1; done
    echo "there: $(ls -d $groups/groundup* | wc -l)"
    kill -$signal $!
    wait $!
    left
done

echo "== user"
mkdir -p $groups/user/leaf /tmp/user
echo +memory >$groups/user/cgroup.subtree_control
chown 1000:1000 $groups/user $groups/user/cgroup.procs /tmp/user $groups/user/leaf $groups/user/leaf/cgroup.procs
echo $$ >$groups/user/leaf/cgroup.procs
su user -c 'groundup run /graph/hog.ron --machine host --keep-going --cache /tmp/user/cache --record /tmp/user/record
echo "status $?, record: $(grep -c "\"memory: a step is not held" /tmp/user/record)"'
left
echo "== end"
reboot -f
