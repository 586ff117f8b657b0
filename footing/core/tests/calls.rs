//! The same lists of calls on Linux and on footing: the same results, the same bytes.

#[path = "calls/descriptors.rs"]
mod descriptors;
#[path = "calls/files.rs"]
mod files;
#[path = "calls/memory.rs"]
mod memory;
#[path = "calls/mock.rs"]
mod mock;
#[path = "calls/names.rs"]
mod names;
#[path = "calls/native.rs"]
mod native;
#[allow(dead_code, reason = "the other test uses all of it")]
#[path = "calls/program.rs"]
mod program;
#[path = "calls/sockets.rs"]
mod sockets;
#[path = "calls/time.rs"]
mod time;

use program::{Arg, Call};

fn n(number: i64) -> Arg {
    Arg::Number(number as u64)
}

fn s(text: &str) -> Arg {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    Arg::Bytes(bytes)
}

fn r(back: usize) -> Arg {
    Arg::Result(back)
}

fn out(length: usize) -> Arg {
    Arg::Out(length)
}

fn call<const N: usize>(number: libc::c_long, args: [Arg; N]) -> Call {
    Call { number, args: args.into(), loose: false, child: Vec::new() }
}

/// A call whose result is an address or a time.
fn loose<const N: usize>(number: libc::c_long, args: [Arg; N]) -> Call {
    Call { number, args: args.into(), loose: true, child: Vec::new() }
}

/// Compares the answers of both.
fn compare(name: &str, calls: &[Call]) {
    if !native::available() {
        eprintln!("not compared: there is no /dev/shm");
        return;
    }
    // Nothing shall end by SIGPIPE.
    let ignore = [&[1][..], &[0; 31]].concat();
    let first = call(libc::SYS_rt_sigaction, [n(libc::SIGPIPE.into()), Arg::Bytes(ignore), n(0), n(8)]);
    let calls = &[&[first], calls].concat()[..];
    // A child of another test must not keep this one's pipe open.
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (linux, footing) = (native::answers(name, calls), mock::answers(calls));
    let mut differ = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let (left, right) = (linux.get(index), footing.get(index));
        if left != right || left.is_none() {
            differ.push(format!("{index}: {call:?}\n  Linux   {left:?}\n  footing {right:?}"));
        }
    }
    assert!(differ.is_empty(), "{name}:\n{}", differ.join("\n"));
}
