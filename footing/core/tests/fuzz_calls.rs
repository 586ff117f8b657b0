//! Random lists of calls on Linux and on footing. `CALLS_SEED` and `CALLS_COUNT` choose which and how many; a single one that
//! differs is shown whole.

#[path = "calls/mock.rs"]
mod mock;
#[path = "calls/native.rs"]
mod native;
#[allow(dead_code, reason = "the other test uses all of it")]
#[path = "calls/program.rs"]
mod program;

#[path = "fuzz/descriptors.rs"]
mod descriptors;
#[path = "fuzz/files.rs"]
mod files;
#[path = "fuzz/memory.rs"]
mod memory;
#[path = "fuzz/processes.rs"]
mod processes;
#[path = "fuzz/random.rs"]
mod random;
#[path = "fuzz/sockets.rs"]
mod sockets;

use libc::*;
use program::{Answer, Arg, Call};
use random::{Random, call, n, text};

fn one(r: &mut Random) -> Call {
    match r.below(30) {
        0..=10 => files::file_call(r),
        11..=18 => descriptors::descriptor_call(r),
        19..=22 => memory::memory_call(r),
        23..=26 => sockets::socket_call(r),
        _ => processes::process_call(r),
    }
}

fn program(seed: u64) -> Vec<Call> {
    let mut r = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let ignore = [&[1][..], &[0; 31]].concat();
    let mut calls = vec![call(SYS_rt_sigaction, vec![n(SIGPIPE.into()), Arg::Bytes(ignore), n(0), n(8)])];
    // The same descriptors, and directories above that are the program's own.
    calls.push(call(SYS_open, vec![text("/dev/null"), n(O_RDWR.into())]));
    calls.extend((0..3).map(|to| call(SYS_dup2, vec![n(3), n(to)])));
    calls.push(call(SYS_close, vec![n(3)]));
    // The limits and the stack for signals are the program's own too.
    calls.push(call(SYS_setrlimit, vec![n(7), random::words(&[1024, 4096])]));
    calls.push(call(SYS_sigaltstack, vec![random::words(&[0, 2, 0]), n(0)]));
    for _ in 0..6 {
        calls.push(call(SYS_mkdir, vec![text("w"), n(0o755)]));
        calls.push(call(SYS_chdir, vec![text("w")]));
    }
    // Some lists are about one subject.
    let subject = r.below(12);
    let focused = move |r: &mut Random| match subject {
        _ if r.below(3) == 0 => one(r),
        0 => files::file_call(r),
        1 => descriptors::descriptor_call(r),
        2 => memory::memory_call(r),
        3 | 4 => sockets::socket_call(r),
        5 => processes::process_call(r),
        _ => one(r),
    };
    for _ in 0..40 {
        let what = r.below(48);
        if what == 0 {
            processes::kill_self(&mut r, &mut calls);
        } else if what < 3 {
            processes::family(&mut r, &mut calls, focused);
        } else {
            calls.push(focused(&mut r));
        }
    }
    calls
}

/// The first answer that is not the same.
fn difference(linux: &[Answer], footing: &[Answer]) -> Option<usize> {
    (0..linux.len().max(footing.len())).find(|&at| linux.get(at) != footing.get(at))
}

/// The call that an answer belongs to.
fn answered<'a>(calls: &'a [Call], answers: &[Answer], at: usize) -> Option<&'a Call> {
    let who = answers.get(at)?.who;
    let index = answers[..at].iter().filter(|answer| answer.who == who).count();
    let mut list = calls;
    if who > 0 {
        for digit in who.to_string().bytes() {
            let wanted = usize::from(digit - b'1');
            // Forks that failed have no number.
            list = &list.iter().filter(|call| call.number == SYS_fork).nth(wanted)?.child;
        }
    }
    list.get(index)
}

#[test]
fn random_calls_are_answered_as_linux_answers_them() {
    if !native::available() {
        eprintln!("not compared: there is no /dev/shm");
        return;
    }
    let number =
        |name: &str, other: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(other);
    let (first, count) = (number("CALLS_SEED", 1), number("CALLS_COUNT", 170));
    let mut bad = Vec::new();
    for seed in first..first + count {
        let calls = program(seed);
        let (linux, footing) = (native::answers("fuzz", &calls), mock::answers(&calls));
        let Some(at) = difference(&linux, &footing) else { continue };
        if count == 1 {
            for (at, answer) in footing.iter().enumerate() {
                eprintln!("{} {:?} = {}", answer.who, answered(&calls, &footing, at), answer.result);
            }
        }
        // A list that does not come to its end shall not hide what was found.
        eprintln!(
            "{seed} {at}: {:?}\n  Linux   {:?}\n  footing {:?}",
            answered(&calls, &linux, at).or(answered(&calls, &footing, at)),
            linux.get(at),
            footing.get(at)
        );
        bad.push(seed);
    }
    assert!(bad.is_empty(), "{} of {count} differ: {bad:?}", bad.len());
}
