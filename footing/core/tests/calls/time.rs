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

/// On Linux the time of a processor is not counted by calls.
#[test]
fn timers_of_own_time_count_calls() {
    let numbers = |numbers: &[u64]| Arg::Bytes(numbers.iter().flat_map(|word| word.to_le_bytes()).collect());
    let all = numbers(&[u64::MAX]);
    let mut calls = vec![
        call(SYS_rt_sigprocmask, [n(2), all, n(0), n(8)]),
        call(SYS_setitimer, [n(1), numbers(&[0, 0, 0, 100]), n(0)]),
        call(SYS_setitimer, [n(2), numbers(&[0, 0, 5, 0]), n(0)]),
    ];
    calls.extend((0..50).map(|_| call(SYS_getppid, [])));
    calls.push(call(SYS_rt_sigpending, [out(8), n(8)]));
    calls.extend((0..100).map(|_| call(SYS_getppid, [])));
    calls.push(call(SYS_rt_sigpending, [out(8), n(8)]));
    calls.push(call(SYS_getitimer, [n(1), out(32)]));
    let answers = super::mock::answers(&calls);
    assert_eq!(answers[53].outs[0], [0; 8]);
    assert_eq!(answers[154].outs[0], (1_u64 << (SIGVTALRM - 1)).to_le_bytes());
    assert_eq!(answers[155].outs[0], [0; 32]);
}

/// Who only looks at the clock comes to any moment soon.
#[test]
fn a_thread_that_looks_at_the_clock_alone_comes_forward() {
    let calls: Vec<_> = (0..2000).map(|_| call(SYS_clock_gettime, [n(1), out(16)])).collect();
    let answers = super::mock::answers(&calls);
    let seconds = |at: usize| u64::from_le_bytes(answers[at].outs[0][..8].try_into().expect("eight bytes"));
    assert!(seconds(1999) > seconds(0), "a second in so many looks");
}
