//! The numbers of i386's calls. Source: `arch/x86/entry/syscalls/syscall_32.tbl`.

use super::table64::{Method, Table, table};
use crate::kernel::Kernel;
use crate::platform::Platform;

table! {
    CALLS_32 453;
    0 sys_restart_syscall 1 sys_exit 2 sys_fork 3 sys_read 4 sys_write 5 sys_open 6 sys_close 7 sys_waitpid 8 sys_creat 9 sys_link 10 sys_unlink
    11 sys_execve 12 sys_chdir 13 sys_time32 14 sys_mknod 15 sys_chmod 16 sys_lchown16 19 sys_lseek 20 sys_getpid
    23 sys_setuid16 24 sys_getuid16 26 sys_ptrace 27 sys_alarm 29 sys_pause 30 sys_utime 33 sys_access 34 sys_nice
    36 sys_sync 37 sys_kill 38 sys_rename 39 sys_mkdir 40 sys_rmdir 41 sys_dup 42 sys_pipe 43 sys_times 45 sys_brk
    46 sys_setgid16 47 sys_getgid16 48 sys_signal 49 sys_getuid16 50 sys_getgid16 54 sys_ioctl 55 sys_fcntl 57 sys_setpgid
    60 sys_umask 61 sys_chroot 63 sys_dup2 64 sys_getppid 65 sys_getpgrp 66 sys_setsid 67 sys_sigaction
    70 sys_setreuid16 71 sys_setregid16 72 sys_sigsuspend 73 sys_sigpending 75 sys_setrlimit 76 sys_old_getrlimit
    77 sys_getrusage 78 sys_gettimeofday 80 sys_getgroups16 81 sys_setgroups 82 sys_old_select 83 sys_symlink
    85 sys_readlink 90 sys_old_mmap 91 sys_munmap 92 sys_truncate 93 sys_ftruncate 94 sys_fchmod 95 sys_fchown16
    96 sys_getpriority 97 sys_setpriority 99 sys_statfs 100 sys_fstatfs 102 sys_socketcall 103 sys_syslog
    104 sys_setitimer 105 sys_getitimer 106 sys_stat 107 sys_lstat 108 sys_fstat 114 sys_wait4 116 sys_sysinfo
    117 sys_ipc 118 sys_fsync 119 sys_sigreturn 120 sys_clone 122 sys_uname 125 sys_mprotect 126 sys_sigprocmask
    132 sys_getpgid 133 sys_fchdir 136 sys_personality 138 sys_setfsuid16 139 sys_setfsgid16 140 sys_llseek
    141 sys_getdents 142 sys_select 143 sys_flock 144 sys_msync 145 sys_readv 146 sys_writev 147 sys_getsid 148 sys_fsync
    150 sys_mlock 151 sys_mlock 152 sys_mlockall 153 sys_munlockall 154 sys_sched_setparam 155 sys_sched_getparam
    156 sys_sched_setscheduler 157 sys_sched_getscheduler 158 sys_sched_yield 159 sys_sched_get_priority_max
    160 sys_sched_get_priority_min 161 sys_sched_rr_get_interval 162 sys_nanosleep 163 sys_mremap 164 sys_setresuid16
    165 sys_getresuid16 168 sys_poll 170 sys_setresgid16 171 sys_getresgid16 172 sys_prctl 173 sys_rt_sigreturn
    174 sys_rt_sigaction 175 sys_rt_sigprocmask 176 sys_rt_sigpending 177 sys_rt_sigtimedwait 178 sys_rt_sigqueueinfo
    179 sys_rt_sigsuspend 180 sys_pread32 181 sys_pwrite32 182 sys_chown16 183 sys_getcwd 184 sys_capget 185 sys_capset
    186 sys_sigaltstack 187 sys_sendfile 190 sys_vfork 191 sys_getrlimit 192 sys_mmap2 193 sys_truncate64
    194 sys_ftruncate64 195 sys_stat64 196 sys_lstat64 197 sys_fstat64 198 sys_lchown 199 sys_getuid 200 sys_getgid
    201 sys_getuid 202 sys_getgid 203 sys_setreuid 204 sys_setregid 205 sys_getgroups 206 sys_setgroups 207 sys_fchown
    208 sys_setresuid 209 sys_getresuid 210 sys_setresgid 211 sys_getresgid 212 sys_chown 213 sys_setuid 214 sys_setgid
    215 sys_setfsuid 216 sys_setfsgid 218 sys_mincore 219 sys_madvise 220 sys_getdents64 221 sys_fcntl64 224 sys_gettid
    225 sys_readahead 226 sys_setxattr 227 sys_lsetxattr 228 sys_fsetxattr 229 sys_getxattr 230 sys_lgetxattr
    231 sys_fgetxattr 232 sys_listxattr 233 sys_llistxattr 234 sys_flistxattr 235 sys_removexattr 236 sys_lremovexattr
    237 sys_fremovexattr 238 sys_tkill 239 sys_sendfile64 240 sys_futex 241 sys_sched_setaffinity
    242 sys_sched_getaffinity 243 sys_set_thread_area 250 sys_fadvise32 252 sys_exit_group 254 sys_epoll_create
    255 sys_epoll_ctl 256 sys_epoll_wait 258 sys_set_tid_address 259 sys_timer_create 260 sys_timer_settime
    261 sys_timer_gettime 262 sys_timer_getoverrun 263 sys_timer_delete 265 sys_clock_gettime 266 sys_clock_getres
    267 sys_clock_nanosleep 268 sys_statfs64 269 sys_fstatfs64 270 sys_tgkill 271 sys_utimes 272 sys_fadvise32_64
    284 sys_waitid 295 sys_openat 296 sys_mkdirat 297 sys_mknodat 298 sys_fchownat 299 sys_futimesat 300 sys_fstatat64
    301 sys_unlinkat 302 sys_renameat 303 sys_linkat 304 sys_symlinkat 305 sys_readlinkat 306 sys_fchmodat
    307 sys_faccessat 308 sys_pselect6 309 sys_ppoll 311 sys_set_robust_list 312 sys_get_robust_list 313 sys_splice
    314 sys_sync_file_range 315 sys_tee 316 sys_vmsplice 318 sys_getcpu 319 sys_epoll_pwait 320 sys_utimensat 321 sys_signalfd
    322 sys_timerfd_create 323 sys_eventfd 324 sys_fallocate32 325 sys_timerfd_settime 326 sys_timerfd_gettime
    327 sys_signalfd4 328 sys_eventfd2 329 sys_epoll_create1 330 sys_dup3 331 sys_pipe2 333 sys_preadv32 334 sys_pwritev32
    335 sys_rt_tgsigqueueinfo 337 sys_recvmmsg 340 sys_prlimit64 344 sys_syncfs 345 sys_sendmmsg 352 sys_sched_getattr
    353 sys_renameat2 355 sys_getrandom 356 sys_memfd_create 358 sys_execveat 359 sys_socket 360 sys_socketpair
    361 sys_bind 362 sys_connect 363 sys_listen 364 sys_accept4 365 sys_getsockopt 366 sys_setsockopt
    367 sys_getsockname 368 sys_getpeername 369 sys_sendto 370 sys_sendmsg 371 sys_recvfrom 372 sys_recvmsg
    373 sys_shutdown 375 sys_membarrier 376 sys_mlock2 377 sys_copy_file_range 378 sys_preadv2_32 379 sys_pwritev2_32
    383 sys_statx 384 sys_arch_prctl 403 sys_clock_gettime64 406 sys_clock_getres64 407 sys_clock_nanosleep64
    408 sys_timer_gettime64 409 sys_timer_settime64 410 sys_timerfd_gettime64 411 sys_timerfd_settime64
    412 sys_utimensat64 413 sys_pselect6_64 414 sys_ppoll64 417 sys_recvmmsg 421 sys_rt_sigtimedwait64
    422 sys_futex64 423 sys_sched_rr_get_interval64 424 sys_pidfd_send_signal 434 sys_pidfd_open 435 sys_clone3 436 sys_close_range
    437 sys_openat2 439 sys_faccessat2 441 sys_epoll_pwait2 452 sys_fchmodat2 386 sys_rseq;
    absent
    17 break 18 oldstat 28 oldfstat 31 stty 32 gtty 35 ftime 44 prof 53 lock 56 mpx 58 ulimit
    59 oldolduname 62 ustat 68 sgetmask 69 ssetmask 84 oldlstat 86 uselib 89 readdir 98 profil 109 olduname 112 idle
    113 vm86old 123 modify_ldt 127 create_module 130 get_kernel_syms 134 bdflush 135 sysfs 137 afs_syscall 149 _sysctl
    166 vm86 167 query_module 169 nfsservctl 188 getpmsg 189 putpmsg 244 get_thread_area 245 io_setup 246 io_destroy
    247 io_getevents 248 io_submit 249 io_cancel 253 lookup_dcookie 257 remap_file_pages 273 vserver 274 mbind
    275 get_mempolicy 276 set_mempolicy 277 mq_open 278 mq_unlink 279 mq_timedsend 280 mq_timedreceive 281 mq_notify
    282 mq_getsetattr 286 add_key 287 request_key 288 keyctl 289 ioprio_set 290 ioprio_get 291 inotify_init
    292 inotify_add_watch 293 inotify_rm_watch 294 migrate_pages 317 move_pages 332 inotify_init1
    336 perf_event_open 338 fanotify_init 339 fanotify_mark 341 name_to_handle_at 347 process_vm_readv
    348 process_vm_writev 349 kcmp 351 sched_setattr 354 seccomp 374 userfaultfd 380 pkey_mprotect 381 pkey_alloc
    382 pkey_free 385 io_pgetevents 393 semget 394 semctl 395 shmget 396 shmctl 397 shmat 398 shmdt
    399 msgget 400 msgsnd 401 msgrcv 402 msgctl 416 io_pgetevents 418 mq_timedsend 419 mq_timedreceive 420 semtimedop
    425 io_uring_setup 426 io_uring_enter 427 io_uring_register 438 pidfd_getfd
    440 process_madvise 444 landlock_create_ruleset 445 landlock_add_rule 446 landlock_restrict_self 447 memfd_secret
    448 process_mrelease 449 futex_waitv 450 set_mempolicy_home_node 451 cachestat 454 futex_wake 455 futex_wait
    456 futex_requeue;
    forbidden
    21 22 25 51 52 74 79 87 88 101 110 111 115 121 124 128 129 131 217 264 283 310 342 343 346 350 357 404 405
    428 429 430 431 432 433 442 443;
}
