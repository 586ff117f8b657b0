//! Calls that have to do with processes and signals.

use super::program::{Arg, Call};
use super::random::*;
use libc::*;

/// A set of signals, without those that end or stop a test by surprise.
fn set(r: &mut Random) -> Arg {
    words(&[1 << (SIGUSR1 - 1)
        | 1 << (SIGCHLD - 1)
        | r.below(2) << (SIGUSR2 - 1)
        | r.below(2) << (SIGTERM - 1)])
}

pub fn process_call(r: &mut Random) -> Call {
    let signal =
        |r: &mut Random| i(r.one(&[0, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD, SIGCONT, SIGWINCH, 65, -1]));
    match r.below(22) {
        0..=2 => call(SYS_rt_sigprocmask, vec![n(r.below(4) as i64), set(r), Arg::Out(8), n(8)]),
        3 | 4 => {
            let ignore = words(&[r.one(&[0, 1, 1]), 0, 0, 0]);
            call(SYS_rt_sigaction, vec![signal(r), ignore, Arg::Out(8), n(8)])
        }
        5 | 6 => call(SYS_rt_sigpending, vec![Arg::Out(8), n(r.one(&[8, 8, 4, 16]))]),
        7 | 8 => call(SYS_rt_sigtimedwait, vec![set(r), n(0), words(&[0, 0]), n(8)]),
        9 | 10 => call(SYS_kill, vec![n(r.one(&[0, 99999])), n(0)]),
        11 => call(SYS_signalfd4, vec![n(-1), set(r), n(8), i(SFD_NONBLOCK)]),
        12 => call(SYS_wait4, vec![n(r.one(&[-1, 0, 99999])), n(0), n(r.one(&[1, 3, 11, 4])), n(0)]),
        13 => loose(r.one(&[SYS_setsid, SYS_getpgrp, SYS_getppid]), vec![]),
        14 => call(SYS_setpgid, vec![n(0), n(r.one(&[0, 0, -1, 99999]))]),
        15 => {
            call(SYS_setrlimit, vec![n(r.one(&[7, 16])), words(&[r.one(&[64, 12, 100]), r.one(&[100, 64])])])
        }
        16 => call(SYS_getrlimit, vec![n(r.one(&[7, 99])), Arg::Out(8)]),
        17 => call(r.one(&[SYS_setuid, SYS_setgid]), vec![n(r.one(&[1000, 0, -1, 7]))]),
        18 => call(SYS_setresuid, vec![n(r.one(&[-1, 1000, 0])), n(-1), n(r.one(&[-1, 1000]))]),
        19 => call(SYS_prctl, vec![n(r.one(&[1, 36])), n(r.one(&[1, 0, 70])), n(0), n(0), n(0)]),
        20 => call(
            SYS_sigaltstack,
            vec![words(&[0x1008_0000, r.one(&[0, 2, 4, 1]), r.one(&[100, 8192])]), Arg::Out(8)],
        ),
        _ => loose(SYS_getpriority, vec![n(r.below(4) as i64), n(0)]),
    }
}

/// A process that signals itself.
pub fn kill_self(r: &mut Random, calls: &mut Vec<Call>) {
    calls.push(loose(SYS_getpid, vec![]));
    let signal = r.one(&[SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD, SIGCONT, SIGWINCH, 65, -1]);
    calls.push(call(r.one(&[SYS_kill, SYS_kill, SYS_tkill]), vec![Arg::Process(1), i(signal)]));
}

/// A child that does something, and what its parent does about it.
pub fn family(r: &mut Random, calls: &mut Vec<Call>, mut one: impl FnMut(&mut Random) -> Call) {
    let mut child: Vec<Call> = (0..r.below(6)).map(|_| one(r)).collect();
    if r.below(3) == 0 {
        kill_self(r, &mut child);
    }
    let way = r.below(6);
    match way {
        0 => child.push(call(SYS_exit_group, vec![n(r.below(300) as i64)])),
        1 | 2 => {
            // It stops, and goes on when it is let.
            child.push(loose(SYS_getpid, vec![]));
            child.push(call(SYS_kill, vec![Arg::Process(1), i(SIGSTOP)]));
            child.push(one(r));
        }
        3 => {
            child.push(loose(SYS_getpid, vec![]));
            child
                .push(call(SYS_kill, vec![Arg::Process(1), i(r.one(&[SIGKILL, SIGTERM, SIGABRT, SIGUSR1]))]));
        }
        _ => {}
    }
    calls.push(Call { loose: true, child, ..call(SYS_fork, vec![]) });
    if way == 1 || way == 2 {
        calls.push(loose(SYS_wait4, vec![Arg::Process(1), Arg::Out(4), i(WUNTRACED), n(0)]));
        calls.push(call(SYS_getpgid, vec![Arg::Number(99999)]));
        calls.push(call(SYS_kill, vec![Arg::Process(3), i(if way == 1 { SIGCONT } else { SIGKILL })]));
        calls.push(loose(SYS_wait4, vec![Arg::Process(4), Arg::Out(4), n(0), n(0)]));
    } else if way == 5 {
        calls.push(loose(SYS_waitid, vec![n(1), Arg::Process(1), n(0), i(WEXITED | r.one(&[0, WNOWAIT]))]));
        calls.push(loose(SYS_wait4, vec![n(-1), Arg::Out(4), n(0), n(0)]));
    } else {
        calls.push(loose(SYS_wait4, vec![Arg::Process(1), Arg::Out(4), n(0), n(0)]));
    }
}
