//! The numbers of x86-64's calls. Source: `arch/x86/entry/syscalls/syscall_64.tbl`.

use super::{Arguments, Done};
use crate::kernel::Kernel;
use crate::platform::Platform;

/// What answers a call.
pub(super) type Method<P> = fn(&mut Kernel<P>, Arguments) -> Done;

/// A table of calls: methods by number, and what the calls are called that have none.
pub(super) struct Table<P: Platform> {
    pub(super) methods: &'static [Option<Method<P>>],
    pub(super) absent: &'static [(u16, &'static str)],
}

/// Makes a table of calls: those with a method, those that are ENOSYS and named on the console, those that are EPERM.
macro_rules! table {
    ($table:ident $size:literal; $($number:literal $method:ident)*; absent $($gone:literal $name:ident)*; forbidden $($no:literal)*;) => {
        impl<P: Platform> Kernel<P> {
            pub(super) const $table: Table<P> = Table {
                methods: &{
                    let mut methods: [Option<Method<P>>; $size] = [None; $size];
                    $(methods[$number] = Some(Self::$method);)*
                    $(methods[$no] = Some(Self::sys_forbidden);)*
                    methods
                },
                absent: &[$(($gone, stringify!($name))),*],
            };
        }
    };
}
pub(super) use table;

table! {
    CALLS_64 453;
    0 sys_read 1 sys_write 2 sys_open 3 sys_close 4 sys_stat 5 sys_fstat 6 sys_lstat 7 sys_poll 8 sys_lseek
    9 sys_mmap 10 sys_mprotect 11 sys_munmap 12 sys_brk 13 sys_rt_sigaction 14 sys_rt_sigprocmask 15 sys_rt_sigreturn
    16 sys_ioctl 17 sys_pread64 18 sys_pwrite64 19 sys_readv 20 sys_writev 21 sys_access 22 sys_pipe 23 sys_select
    24 sys_sched_yield 25 sys_mremap 26 sys_msync 27 sys_mincore 28 sys_madvise 32 sys_dup 33 sys_dup2 34 sys_pause
    35 sys_nanosleep 36 sys_getitimer 37 sys_alarm 38 sys_setitimer 39 sys_getpid 40 sys_sendfile
    41 sys_socket 42 sys_connect 43 sys_accept 44 sys_sendto 45 sys_recvfrom 46 sys_sendmsg 47 sys_recvmsg
    48 sys_shutdown 49 sys_bind 50 sys_listen 51 sys_getsockname 52 sys_getpeername 53 sys_socketpair
    54 sys_setsockopt 55 sys_getsockopt 56 sys_clone 57 sys_fork 58 sys_vfork 59 sys_execve 60 sys_exit 61 sys_wait4
    62 sys_kill 63 sys_uname 72 sys_fcntl 73 sys_flock 74 sys_fsync 75 sys_fsync 76 sys_truncate 77 sys_ftruncate
    78 sys_getdents 79 sys_getcwd 80 sys_chdir 81 sys_fchdir 82 sys_rename 83 sys_mkdir 84 sys_rmdir 85 sys_creat
    86 sys_link 87 sys_unlink 88 sys_symlink 89 sys_readlink 90 sys_chmod 91 sys_fchmod 92 sys_chown 93 sys_fchown
    94 sys_lchown 95 sys_umask 96 sys_gettimeofday 97 sys_getrlimit 98 sys_getrusage 99 sys_sysinfo 100 sys_times
    101 sys_ptrace 102 sys_getuid 103 sys_syslog 104 sys_getgid 105 sys_setuid 106 sys_setgid 107 sys_getuid 108 sys_getgid
    109 sys_setpgid 110 sys_getppid 111 sys_getpgrp 112 sys_setsid 113 sys_setreuid 114 sys_setregid 115 sys_getgroups
    116 sys_setgroups 117 sys_setresuid 118 sys_getresuid 119 sys_setresgid 120 sys_getresgid 121 sys_getpgid
    122 sys_setfsuid 123 sys_setfsgid 124 sys_getsid 125 sys_capget 126 sys_capset 127 sys_rt_sigpending
    128 sys_rt_sigtimedwait 129 sys_rt_sigqueueinfo 130 sys_rt_sigsuspend 131 sys_sigaltstack 132 sys_utime 133 sys_mknod
    135 sys_personality 137 sys_statfs 138 sys_fstatfs 140 sys_getpriority 141 sys_setpriority 142 sys_sched_setparam
    143 sys_sched_getparam 144 sys_sched_setscheduler 145 sys_sched_getscheduler 146 sys_sched_get_priority_max
    147 sys_sched_get_priority_min 148 sys_sched_rr_get_interval 149 sys_mlock 150 sys_mlock 151 sys_mlockall
    152 sys_munlockall 157 sys_prctl 158 sys_arch_prctl 160 sys_setrlimit 161 sys_chroot 162 sys_sync
    186 sys_gettid 187 sys_readahead 188 sys_setxattr 189 sys_lsetxattr 190 sys_fsetxattr 191 sys_getxattr
    192 sys_lgetxattr 193 sys_fgetxattr 194 sys_listxattr 195 sys_llistxattr 196 sys_flistxattr 197 sys_removexattr
    198 sys_lremovexattr 199 sys_fremovexattr 200 sys_tkill 201 sys_time 202 sys_futex 203 sys_sched_setaffinity
    204 sys_sched_getaffinity 213 sys_epoll_create 217 sys_getdents64 218 sys_set_tid_address 219 sys_restart_syscall 221 sys_fadvise64
    222 sys_timer_create 223 sys_timer_settime 224 sys_timer_gettime 225 sys_timer_getoverrun 226 sys_timer_delete
    228 sys_clock_gettime 229 sys_clock_getres 230 sys_clock_nanosleep 231 sys_exit_group 232 sys_epoll_wait
    233 sys_epoll_ctl 234 sys_tgkill 235 sys_utimes 247 sys_waitid 257 sys_openat 258 sys_mkdirat 259 sys_mknodat
    260 sys_fchownat 261 sys_futimesat 262 sys_newfstatat 263 sys_unlinkat 264 sys_renameat 265 sys_linkat
    266 sys_symlinkat 267 sys_readlinkat 268 sys_fchmodat 269 sys_faccessat 270 sys_pselect6 271 sys_ppoll
    273 sys_set_robust_list 274 sys_get_robust_list 275 sys_splice 276 sys_tee 278 sys_vmsplice 277 sys_sync_file_range 280 sys_utimensat
    281 sys_epoll_pwait 282 sys_signalfd 283 sys_timerfd_create 284 sys_eventfd 285 sys_fallocate
    286 sys_timerfd_settime 287 sys_timerfd_gettime 288 sys_accept4 289 sys_signalfd4 290 sys_eventfd2
    291 sys_epoll_create1 292 sys_dup3 293 sys_pipe2 295 sys_preadv 296 sys_pwritev 297 sys_rt_tgsigqueueinfo
    299 sys_recvmmsg 302 sys_prlimit64 306 sys_syncfs 307 sys_sendmmsg 309 sys_getcpu 315 sys_sched_getattr
    316 sys_renameat2 318 sys_getrandom 319 sys_memfd_create 322 sys_execveat 324 sys_membarrier 325 sys_mlock2
    326 sys_copy_file_range 327 sys_preadv2 328 sys_pwritev2 332 sys_statx 424 sys_pidfd_send_signal 434 sys_pidfd_open 435 sys_clone3
    436 sys_close_range 437 sys_openat2 439 sys_faccessat2 441 sys_epoll_pwait2 452 sys_fchmodat2 334 sys_rseq;
    absent
    29 shmget 30 shmat 31 shmctl 64 semget 65 semop 66 semctl 67 shmdt 68 msgget 69 msgsnd 70 msgrcv 71 msgctl
    134 uselib 136 ustat 139 sysfs 154 modify_ldt 156 _sysctl 174 create_module 177 get_kernel_syms 178 query_module
    180 nfsservctl 181 getpmsg 182 putpmsg 183 afs_syscall 184 tuxcall 185 security 205 set_thread_area 206 io_setup
    207 io_destroy 208 io_getevents 209 io_submit 210 io_cancel 211 get_thread_area 212 lookup_dcookie
    214 epoll_ctl_old 215 epoll_wait_old 216 remap_file_pages 220 semtimedop 236 vserver
    237 mbind 238 set_mempolicy 239 get_mempolicy 240 mq_open 241 mq_unlink 242 mq_timedsend 243 mq_timedreceive
    244 mq_notify 245 mq_getsetattr 248 add_key 249 request_key 250 keyctl 251 ioprio_set 252 ioprio_get
    253 inotify_init 254 inotify_add_watch 255 inotify_rm_watch 256 migrate_pages 279 move_pages
    294 inotify_init1 298 perf_event_open 300 fanotify_init 301 fanotify_mark 303 name_to_handle_at
    310 process_vm_readv 311 process_vm_writev 312 kcmp 314 sched_setattr 317 seccomp 323 userfaultfd
    329 pkey_mprotect 330 pkey_alloc 331 pkey_free 333 io_pgetevents
    425 io_uring_setup 426 io_uring_enter 427 io_uring_register 438 pidfd_getfd 440 process_madvise
    444 landlock_create_ruleset 445 landlock_add_rule 446 landlock_restrict_self 447 memfd_secret
    448 process_mrelease 449 futex_waitv 450 set_mempolicy_home_node 451 cachestat 453 map_shadow_stack 454 futex_wake
    455 futex_wait 456 futex_requeue 457 statmount 458 listmount 459 lsm_get_self_attr 460 lsm_set_self_attr
    461 lsm_list_modules 462 mseal 463 setxattrat 464 getxattrat 465 listxattrat 466 removexattrat;
    forbidden
    153 155 159 163 164 165 166 167 168 169 170 171 172 173 175 176 179 227 246 272 304 305 308 313 320 321
    428 429 430 431 432 433 442 443;
}
