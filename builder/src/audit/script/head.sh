#!/bin/busybox sh
# A plan of groundup's as a shell script. It builds what the plan says, prints the lines that groundup's /init prints, and comes to
# the same hashes. It has no line of code in common with /init: who does not trust the one runs the other.
#
# It is PID 1 of a machine of its own, in which inputs lie in /inputs. The only other program is a static busybox at
# /bin/busybox, whose shell finds its applets in itself (as Debian's does: FEATURE_SH_STANDALONE, FEATURE_PREFER_APPLETS). A step
# gets a fresh root with what the plan says and nothing else, an unprivileged user, the plan's environment, limits, host name and
# clock.
#
# What /init does and this does not: namespaces (what a builder leaves running is killed after its step), a limit on what a step
# prints, no_new_privs, an empty bounding set of capabilities, an empty list of groups, refusing attributes, random numbers from the
# plan (busybox has no way to give the kernel any), export. An exit status of 129 to 192 is told as a signal, as a shell sees it.
set -u
export LC_ALL=C PATH=/bin

# Events, as /init prints them.
say() {
    printf '@ %s\n' "$*"
}

# ---------------------------------------------------------------------------------------------------------- the machine

start() {
    /bin/busybox mkdir -p /proc /sys /dev /noexec /step /stores /verified
    /bin/busybox mount -t proc proc /proc
    /bin/busybox --install -s /bin
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    exec </dev/console >/dev/console 2>&1
    # The kernel is silent, and lays out memory the same way every time.
    echo 1 >/proc/sys/kernel/printk
    echo 0 >/proc/sys/kernel/randomize_va_space
    # A builder's root does not have busybox; this is how it is started there all the same.
    exec 9</bin
}

# Turns the machine off or, if the kernel's command line ends in `reboot`, resets it.
end() {
    say "end $built $failed $skipped"
    last=
    for last; do :; done
    if [ "$last" = reboot ]; then echo b >/proc/sysrq-trigger; else echo o >/proc/sysrq-trigger; fi
    sleep 60
}

# Milliseconds since the machine was started.
now() {
    read -r up rest </proc/uptime
    echo $((${up%.*} * 1000 + 1${up#*.}0 - 1000))
}

# ---------------------------------------------------------------------------------------------------------- NAR hashes
# The archive of a tree, after which inputs and outputs are named: strings, each its length in eight bytes, the lowest first,
# its bytes, and zeros up to a multiple of eight. A file is executable if its owner may execute it; entries ascend by bytes.

# The escapes by which printf prints strings of less than 64 bytes.
spell() {
    for word; do
        printf '\\0%o\\000\\000\\000\\000\\000\\000\\000%s' ${#word} "$word"
        zeros=$((-${#word} & 7))
        while [ $zeros -gt 0 ]; do
            printf '\\000'
            zeros=$((zeros - 1))
        done
    done
}

archive=$(spell nix-archive-1)
file=$(spell '(' type regular contents)
program=$(spell '(' type regular executable '' contents)
link=$(spell '(' type symlink target)
folder=$(spell '(' type directory)
entry=$(spell entry '(' name)
inner=$(spell node)
close=$(spell ')')

# A number in eight bytes, the lowest first.
number() {
    left=$1 bytes=
    for byte in 1 2 3 4 5 6 7 8; do
        bytes="$bytes\\$((left >> 6 & 3))$((left >> 3 & 7))$((left & 7))"
        left=$((left >> 8))
    done
    printf "$bytes"
}

# Zeros after so many bytes.
pad() {
    case $(($1 & 7)) in
        1) printf '\000\000\000\000\000\000\000' ;;
        2) printf '\000\000\000\000\000\000' ;;
        3) printf '\000\000\000\000\000' ;;
        4) printf '\000\000\000\000' ;;
        5) printf '\000\000\000' ;;
        6) printf '\000\000' ;;
        7) printf '\000' ;;
    esac
}

string() {
    number ${#1}
    printf %s "$1"
    pad ${#1}
}

nar() {
    printf "$archive"
    node "$1"
}

node() {
    if [ -L "$1" ]; then
        printf "$link"
        # A line feed at the end of the target would be lost but for the x.
        target=$(readlink -n "$1" && printf x)
        string "${target%x}"
    elif [ -d "$1" ]; then
        printf "$folder"
        # By bytes: what sorts before a dot, what begins with one, the rest. Where nothing matches, the pattern itself stands.
        for path in "$1"/*; do
            if [ "${path##*/}" \< . ]; then child "$path"; fi
        done
        for path in "$1"/.*; do
            case ${path##*/} in . | ..) ;; *) child "$path" ;; esac
        done
        for path in "$1"/*; do
            if [ "${path##*/}" \> . ]; then child "$path"; fi
        done
    else
        if [ -x "$1" ]; then printf "$program"; else printf "$file"; fi
        size=$(stat -c %s "$1")
        number "$size"
        cat "$1"
        pad "$size"
    fi
    printf "$close"
}

child() {
    if [ -e "$1" ] || [ -L "$1" ]; then
        printf "$entry"
        string "${1##*/}"
        printf "$inner"
        node "$1"
        printf "$close"
    fi
}

# The sha256 of what is piped in.
sha256() {
    sha256sum | { read -r hash rest && echo "$hash"; }
}

# Takes from a tree what its archive does not hold: owners, other modes, times.
canonical() {
    odd=$(find "$1" ! -type f ! -type d ! -type l -o ! -type l -perm -4000 -o ! -type l -perm -2000 | head -n 1)
    if [ -n "$odd" ]; then return 1; fi
    chown -hR 0:0 "$1"
    find "$1" -type d -exec chmod 0555 {} +
    find "$1" -type f -perm -0100 -exec chmod 0555 {} +
    find "$1" -type f ! -perm -0100 -exec chmod 0444 {} +
    find "$1" -exec touch -h -d @1 {} +
}

# ---------------------------------------------------------------------------------------------------------- the plan's lines

built=0 failed=0 skipped=0

# NAME KIND SHA256: only what is in /verified is ever used.
input() {
    if [ -n "$over" ]; then return; fi
    case $2 in
        exec) chmod 0555 "/inputs/$1" ;;
        file) chmod 0444 "/inputs/$1" ;;
    esac
    canonical "/inputs/$1"
    case $2 in
        tree | data) found=$(nar "/inputs/$1" | sha256) ;;
        *) found=$(sha256 <"/inputs/$1") ;;
    esac
    if [ "$found" = "$3" ]; then
        mv "/inputs/$1" "/verified/$1"
        # What is only read is marked, so that it is mounted noexec.
        case $2 in file | data) : >"/noexec/$1" ;; esac
        say "input $1 $found"
    else
        say "bad-input $1 expected $3, found $found"
    fi
}

drop_input() {
    rm -rf "/verified/$1"
}

drop_output() {
    umount -l "/stores/$1" 2>/dev/null
    rmdir "/stores/$1" 2>/dev/null
}

# NAME NEEDED…: begins a step, unless something that it needs is not there.
begin() {
    name=$1
    shift
    if [ -n "$over" ]; then
        say "skipped $name an earlier step was not built"
        skipped=$((skipped + 1))
        return 1
    fi
    for needed; do
        if [ ! -e "$needed" ] && [ ! -L "$needed" ]; then
            needed=${needed#/verified/}
            say "skipped $name it needs ${needed#/stores/}"
            skipped=$((skipped + 1))
            if [ "$on_failure" = stop ]; then over=1; fi
            return 1
        fi
    done
    say "step $name"
    began=$(now) limits= reason= wrong=
}

# UID GID USER: the user of that id in the step's /etc/passwd.
identity() {
    uid=$1 gid=$2 user=$3
}

# HOST DOMAIN SECONDS: what is made for the step bears a time just before its own.
surroundings() {
    hostname "$1"
    echo "$2" >/proc/sys/kernel/domainname
    clock=$3
    date -u -s "@$((clock - 1))" >/dev/null
}

loopback() {
    ifconfig lo "$1"
}

# BYTES MODE: the step's root and its store, a file system each.
space() {
    inodes=$(($1 / 4096))
    if [ $inodes -lt 16 ]; then inodes=16; fi
    mount -t tmpfs -o "size=$1,nr_inodes=$inodes,mode=755,nosuid" tmpfs /step
    mkdir "/stores/$name"
    mount -t tmpfs -o "size=$1,nr_inodes=$inodes,mode=$2,gid=$gid,nosuid,nodev,noatime" tmpfs "/stores/$name"
}

# RESOURCE SOFT HARD, in the units of getrlimit(2). `rttime` is none that a shell can set.
limit() {
    case $1 in
        cpu) bound t 1 "$2" "$3" ;;
        fsize) bound f 512 "$2" "$3" ;;
        data) bound d 1024 "$2" "$3" ;;
        stack) bound s 1024 "$2" "$3" ;;
        core) bound c 512 "$2" "$3" ;;
        rss) bound m 1024 "$2" "$3" ;;
        nproc) bound u 1 "$2" "$3" ;;
        nofile) bound n 1 "$2" "$3" ;;
        memlock) bound l 1024 "$2" "$3" ;;
        as) bound v 1024 "$2" "$3" ;;
        locks) bound x 1 "$2" "$3" ;;
        sigpending) bound i 1 "$2" "$3" ;;
        msgqueue) bound q 1 "$2" "$3" ;;
        nice) bound e 1 "$2" "$3" ;;
        rtprio) bound r 1 "$2" "$3" ;;
    esac
}

bound() {
    soft=$3 hard=$4
    if [ "$soft" != unlimited ]; then soft=$((soft / $2)); fi
    if [ "$hard" != unlimited ]; then hard=$((hard / $2)); fi
    limits="$limits ulimit -S -$1 $soft; ulimit -H -$1 $hard;"
}

# MODE OWNER PATH
dir() {
    mkdir -m "$1" "/step$3"
    if [ "$2" = builder ]; then chown "$uid:$gid" "/step$3"; fi
}

# MODE PATH TEXT, the text as printf's format.
file() {
    printf "$3" >"/step$2"
    chmod "$1" "/step$2"
}

# TARGET PATH
link() {
    ln -s "$1" "/step$2"
}

# MAJOR MINOR PATH
device() {
    mknod -m 0666 "/step$3" c "$1" "$2"
}

proc() {
    mkdir -m 0555 "/step$1"
    mount -t proc -o nosuid,nodev,noexec proc "/step$1"
}

store() {
    mkdir "/step$1"
    mount -o bind "/stores/$name" "/step$1"
}

# FROM PATH: read-only; a symbolic link is copied.
bind() {
    if [ -L "$1" ]; then
        cp -P "$1" "/step$2"
        return
    fi
    if [ -d "$1" ]; then mkdir -m 0555 "/step$2"; else : >"/step$2" && chmod 0444 "/step$2"; fi
    mount -o bind "$1" "/step$2"
    from=${1#/verified/} noexec=
    if [ "$from" != "$1" ] && [ -e "/noexec/${from%%/*}" ]; then noexec=,noexec; fi
    mount -o "remount,bind,ro,nosuid,nodev$noexec" "$1" "/step$2"
}

# What is run inside the step's root by the busybox in the folder that is open there: it gives up everything that it does not share with the
# builder, and becomes the builder. Arguments: umask, clock, directory, limits, user, builder, environment, `--`, arguments.
inside='
    cd "$3" || exit 126
    umask "$1"
    eval "$4"
    clock=$2 user=$5 builder=$6 marked=
    shift 6
    for word; do
        shift
        if [ -z "$marked" ] && [ "$word" = -- ]; then
            marked=1
            set -- "$@" su -m -s "$builder" -- "$user"
        else
            set -- "$@" "$word"
        fi
    done
    exec 9<&-
    date -u -s "@$clock" >/dev/null
    exec env -i "$@"
'

# UMASK SECONDS DIRECTORY BUILDER NAME=VALUE… -- ARGUMENT…: the builder, and the end of all that it leaves running.
run() {
    mask=$1 seconds=$2 directory=$3 builder=$4
    shift 4
    timeout -s KILL "$seconds" chroot /step /proc/self/fd/9/busybox sh -c "$inside" sh \
        "$mask" "$clock" "$directory" "$limits" "$user" "$builder" "$@" </dev/null >/log 2>&1
    status=$?
    if [ $$ = 1 ]; then kill -9 -1 2>/dev/null; fi
    # Unlike sed, awk ends a last line that the builder did not end: the next event begins a line of its own.
    tr -d '\000-\010\013-\037\177' </log | awk '{ print "| " $0 }'
    rm -f /log
    umount -l /step
    if [ $status -gt 128 ] && [ $status -le 192 ]; then
        reason="killed by signal $((status - 128))"
    elif [ $status -ne 0 ]; then
        reason="exit status $status"
    fi
}

# NAME BASE EXPECTED, of the NAR or, after `flat:`, of a plain file's bytes
output() {
    made=/stores/$name/$2 output=$1
    if [ -n "$reason" ]; then return; fi
    if [ ! -e "$made" ] && [ ! -L "$made" ]; then
        wrong="output $1 was not made"
    elif ! canonical "$made"; then
        wrong="output $1: a special file or a set-user-id bit is not allowed"
    else
        found=$(nar "$made" | sha256)
        size=$(nar "$made" | wc -c)
        say "output $1 $found $size -"
        case $3 in
            flat:*)
                if [ -L "$made" ] || [ ! -f "$made" ]; then
                    wrong="output $1, .: anything but a plain file is not allowed"
                    return
                fi
                found=$(sha256 <"$made")
                ;;
        esac
        if [ "$3" != - ] && [ "${3#flat:}" != "$found" ]; then
            wrong="output $1: expected ${3#flat:}, found $found"
        fi
    fi
}

# PATH SHA256: a plain file inside the output above, through no link.
expect_file() {
    if [ -n "$reason$wrong" ]; then return; fi
    part= rest=$1
    while [ -n "$rest" ]; do
        part=$part/${rest%%/*}
        case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
        if [ -L "$made$part" ] || [ ! -e "$made$part" ]; then
            wrong="output $output, $1: expected $2, and no such file is in it"
            return
        fi
    done
    found=$(sha256 <"$made/$1")
    if [ "$found" != "$2" ]; then wrong="output $output, $1: expected $2, found $found"; fi
}

finish() {
    took=$(($(now) - began))
    reason=$reason$wrong
    if [ -z "$reason" ]; then
        say "built $name $took"
        built=$((built + 1))
    else
        drop_output "$name"
        say "failed $name $took $reason"
        failed=$((failed + 1))
        if [ "$on_failure" = stop ]; then over=1; fi
    fi
}

# ---------------------------------------------------------------------------------------------------------- the plan
