//! Time, limits, identity, waiting.

use super::program::Arg;
use super::{call, compare, n, out, s};
use libc::*;

#[test]
fn time_and_limits_are_asked_for() {
    compare(
        "time",
        &[
            call(SYS_clock_gettime, [n(99), n(8)]),
            call(SYS_clock_gettime, [n(1), n(8)]),
            call(SYS_clock_getres, [n(1), out(16)]),
            call(SYS_nanosleep, [Arg::Bytes(vec![0; 16]), n(0)]),
            call(SYS_nanosleep, [Arg::Bytes(vec![255; 16]), n(0)]),
            call(SYS_clock_nanosleep, [n(3), n(0), Arg::Bytes(vec![0; 16]), n(0)]),
            call(SYS_alarm, [n(0)]),
            call(SYS_alarm, [n(9)]),
            call(SYS_alarm, [n(10)]),
            call(SYS_getitimer, [n(5), out(8)]),
            call(SYS_getrusage, [n(5), out(8)]),
            call(SYS_getuid, []),
            call(SYS_getegid, []),
            call(SYS_getgroups, [n(-1), n(0)]),
            call(SYS_getrlimit, [n(99), out(8)]),
            call(SYS_setrlimit, [n(7), Arg::Bytes(vec![2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])]),
            call(SYS_setrlimit, [n(7), Arg::Bytes(vec![3, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0])]),
            call(SYS_dup, [n(0)]),
            call(SYS_setrlimit, [n(7), Arg::Bytes(vec![65, 0, 0, 0, 0, 0, 0, 0, 65, 0, 0, 0, 0, 0, 0, 0])]),
            call(SYS_getpriority, [n(0), n(0)]),
            call(SYS_getpriority, [n(5), n(0)]),
            call(SYS_sched_getscheduler, [n(0)]),
            call(SYS_sched_get_priority_max, [n(1)]),
            call(SYS_sched_get_priority_min, [n(77)]),
            call(SYS_getcpu, [n(8), n(0)]),
            call(SYS_getrandom, [n(8), n(8), n(0)]),
            call(SYS_getrandom, [out(0), n(0), n(9)]),
            call(SYS_futex, [Arg::Bytes(vec![1, 0, 0, 0]), n(0), n(0), n(0)]),
            call(SYS_futex, [Arg::Bytes(vec![1, 0, 0, 0]), n(1), n(5), n(0)]),
            call(SYS_futex, [n(0x1000_0001), n(0), n(0), n(0)]),
            call(SYS_futex, [Arg::Bytes(vec![0; 4]), n(128), n(0), Arg::Bytes(vec![0; 16])]),
            call(SYS_futex, [Arg::Bytes(vec![0; 4]), n(9), n(0), n(0), n(0), n(0)]),
            call(SYS_poll, [n(0), n(0), n(1)]),
            call(SYS_select, [n(0), n(0), n(0), n(0), Arg::Bytes(vec![0; 16])]),
            call(SYS_select, [n(-1), n(0), n(0), n(0), Arg::Bytes(vec![0; 16])]),
            call(SYS_select, [n(3), Arg::Bytes(vec![7; 128]), n(0), n(0), n(0)]),
            call(SYS_select, [n(60), Arg::Bytes(vec![255; 128]), n(0), n(0), n(0)]),
            call(SYS_timer_create, [n(1), n(0), out(4)]),
            call(SYS_timer_gettime, [n(0), out(32)]),
            call(SYS_timer_gettime, [n(9), out(32)]),
            call(SYS_timer_delete, [n(0)]),
            call(SYS_timer_delete, [n(0)]),
            call(SYS_timerfd_create, [n(99), n(0)]),
            call(SYS_sethostname, [s("x"), n(1)]),
            call(SYS_capget, [Arg::Bytes(vec![0x22, 5, 8, 0x20, 0, 0, 0, 0]), out(24)]),
        ],
    );
}
