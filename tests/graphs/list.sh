# Lists what a step sees. Left out is what the kernel's version or configuration decides: what else there is in /proc, the
# number of its links (it counts the kernel's threads), numbers of devices and mounts, and tmpfs's option about the width of
# inode numbers.

title() { echo "-- $1"; }

title arguments
tr '\0' '\n' < /proc/$$/cmdline
title environment
env | sort
title 'working directory, umask, clock, machine'
pwd
umask
date '+%F %T'
hostname
cat /proc/sys/kernel/domainname
uname -s -n -m
nproc
title identity
id
title status
grep -E '^(Umask|TracerPid|Uid|Gid|Groups|NSpgid|NSsid|Sig|ShdPnd|Cap|NoNewPrivs|Seccomp:|Threads|Cpus_allowed_list)' /proc/self/status
title 'personality, oom_score_adj, priority and nice value'
cat /proc/$$/personality /proc/$$/oom_score_adj
cut -d ' ' -f 18,19 /proc/$$/stat
title limits
cat /proc/$$/limits
title 'open descriptors'
# All but that of the folder itself.
ls -l /proc/self/fd 2> /dev/null | sed -n -E 's/.* ([0-9]+ -> [^:]*).*/\1/p'
title processes
for folder in /proc/[0-9]*; do
    [ "${folder#/proc/}" = "$$" ] || { read -r name < "$folder/comm"; echo "${folder#/proc/} $name"; } 2> /dev/null
done
title mounts
cut -d ' ' -f 4- /proc/$$/mountinfo | sed 's/,inode64//'
title 'network'
ip address
cat /proc/net/route /proc/net/if_inet6 /proc/net/unix /proc/net/tcp /proc/net/udp | sed 's/^  *//; s/ *$//'
title 'System V objects, keys, locks'
cat /proc/sysvipc/shm /proc/sysvipc/msg /proc/sysvipc/sem /proc/keys /proc/locks | tr -s ' '
title 'settings'
for name in kernel/dmesg_restrict kernel/keys/maxbytes kernel/msgmni kernel/sem kernel/shmall user/max_user_namespaces \
    kernel/randomize_va_space
do
    echo "$name $(tr '\t' ' ' < /proc/sys/$name)"
done
title root
find / -path '/proc/*' -prune -o -print | sort | while read -r path; do
    ls -lnd --full-time "$path" | sed -E 's/ +/ /g; s/ \+0000//; s/^([^ ]+) [0-9]+ (.* \/proc)$/\1 \2/'
done
title 'what may be written'
find / -path /proc -prune -o -print | sort | while read -r path; do [ -w "$path" ] && echo "$path"; done
title /etc
head -n 9 /etc/*
title '/sys, /run, /home, /root, /bin'
ls -d /sys /run /home /root /bin 2>&1
for path in "$out" "$doc"; do echo good > "$path"; done
