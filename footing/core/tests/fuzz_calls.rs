//! Random lists of calls on Linux and on footing. `CALLS_SEED` and `CALLS_COUNT` choose which and how many; each is 40 calls long.

#[path = "calls/mock.rs"]
mod mock;
#[path = "calls/native.rs"]
mod native;
#[allow(dead_code, reason = "the other test uses all of it")]
#[path = "calls/program.rs"]
mod program;

use libc::*;
use program::{Arg, Call};

/// Random numbers: xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn some(&mut self, of: &[i32], most: u64) -> i32 {
        (0..self.below(most + 1)).fold(0, |sum, _| sum | self.one(of))
    }
}

const NAMES: [&str; 24] = [
    "a", "b", "c", "d", "e", "d/a", "d/b", "d/e", "d/e/a", "e/a", "a/x", "d/", "a/", ".", "..", "d/.",
    "d/..", "./a", "", "none/x", "d//a", "e/../a", "d/e/../b", "f",
];

fn n(number: i64) -> Arg {
    Arg::Number(number as u64)
}

fn name(random: &mut Random) -> Arg {
    let mut bytes = random.one(&NAMES).as_bytes().to_vec();
    bytes.push(0);
    Arg::Bytes(bytes)
}

/// Directories below the one where a program starts.
fn folder(random: &mut Random) -> Arg {
    Arg::Bytes(random.one(&["d", "e", "d/e", ".", "a", "none"]).bytes().chain([0]).collect())
}

fn bytes(random: &mut Random) -> (Arg, Arg) {
    let length = random.below(40) as usize;
    (Arg::Bytes(vec![b'a' + random.below(26) as u8; length]), n(length as i64))
}

fn fd(random: &mut Random) -> Arg {
    n(random.below(9) as i64 + i64::from(random.below(8) != 0) * 2 - 1)
}

fn offset(random: &mut Random) -> Arg {
    n(random.one(&[0, 0, 1, 5, 10, 100, 4096, 5000, -1, -5]))
}

fn mode(random: &mut Random) -> Arg {
    n(random.one(&[0o644, 0o755, 0o600, 0, 0o777, 0o444, 0o4755, 0o2770, 0o1777, 0o200, 0o100]))
}

fn call(number: c_long, args: Vec<Arg>) -> Call {
    Call { number, args, loose: false }
}

fn file_call(r: &mut Random) -> Call {
    let open =
        [O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, O_PATH, O_CREAT, O_CREAT];
    let flags = |r: &mut Random| {
        n((r.one(&[O_RDONLY, O_WRONLY, O_RDWR, O_RDWR]) | r.some(&open, 3) | O_NONBLOCK).into())
    };
    let at = AT_FDCWD.into();
    match r.below(26) {
        0..=4 => call(SYS_open, vec![name(r), flags(r), mode(r)]),
        5 => call(SYS_openat, vec![fd(r), name(r), flags(r), mode(r)]),
        6 => call(SYS_mkdir, vec![name(r), mode(r)]),
        7 => call(SYS_rmdir, vec![name(r)]),
        8 => call(SYS_unlink, vec![name(r)]),
        9 | 10 => call(SYS_rename, vec![name(r), name(r)]),
        11 => call(SYS_link, vec![name(r), name(r)]),
        12 => call(SYS_symlink, vec![name(r), name(r)]),
        13 => call(SYS_readlink, vec![name(r), Arg::Out(16), n(16)]),
        14 | 15 => call(SYS_stat, vec![name(r), Arg::Stat]),
        16 => call(SYS_lstat, vec![name(r), Arg::Stat]),
        17 => call(SYS_access, vec![name(r), n(r.below(8) as i64)]),
        18 => call(SYS_chmod, vec![name(r), mode(r)]),
        19 => call(SYS_truncate, vec![name(r), offset(r)]),
        20 => call(SYS_mknod, vec![name(r), n(r.one(&[0o100644, 0o10644, 0o140755])), n(0)]),
        21 => call(SYS_renameat2, vec![n(at), name(r), n(at), name(r), n(r.below(4) as i64)]),
        22 => call(SYS_chdir, vec![folder(r)]),
        23 => call(SYS_unlinkat, vec![fd(r), name(r), n(r.one(&[0, 0x200]))]),
        24 => call(SYS_utimensat, vec![n(at), name(r), n(0), n(r.one(&[0, 0x100]))]),
        _ => call(SYS_linkat, vec![n(at), name(r), n(at), name(r), n(r.one(&[0, 0x400]))]),
    }
}

fn descriptor_call(r: &mut Random) -> Call {
    let size = r.below(40) as usize;
    match r.below(26) {
        0..=3 => {
            let (bytes, length) = bytes(r);
            call(SYS_write, vec![fd(r), bytes, length])
        }
        4..=6 => call(SYS_read, vec![fd(r), Arg::Out(size), n(size as i64)]),
        7 => call(SYS_pread64, vec![fd(r), Arg::Out(size), n(size as i64), offset(r)]),
        8 => {
            let (bytes, length) = bytes(r);
            call(SYS_pwrite64, vec![fd(r), bytes, length, offset(r)])
        }
        9 | 10 => call(SYS_lseek, vec![fd(r), offset(r), n(r.below(4) as i64)]),
        11 => call(SYS_ftruncate, vec![fd(r), offset(r)]),
        12 => call(SYS_fstat, vec![fd(r), Arg::Stat]),
        13 => call(SYS_close, vec![fd(r)]),
        14 => call(SYS_dup, vec![fd(r)]),
        15 => call(SYS_dup2, vec![fd(r), fd(r)]),
        16 => call(SYS_fcntl, vec![fd(r), n(r.one(&[1, 2, 3, 0, 1030])), n(r.below(4) as i64)]),
        17 => call(SYS_pipe2, vec![Arg::Out(8), n(O_NONBLOCK.into())]),
        18 => call(SYS_fsync, vec![fd(r)]),
        19 => call(SYS_flock, vec![fd(r), n(r.one(&[1, 2, 8]) | 4)]),
        20 => call(SYS_fallocate, vec![fd(r), n(r.below(2) as i64), offset(r), offset(r)]),
        21 => {
            let parts = vec![Arg::Out(r.below(9) as usize), Arg::Out(r.below(9) as usize)];
            call(SYS_readv, vec![fd(r), Arg::Vectors(parts), n(2)])
        }
        22 => {
            let events = Arg::Bytes([(r.below(9) as u32).to_le_bytes(), [5, 0, 0, 0]].concat());
            call(SYS_poll, vec![events, n(1), n(0)])
        }
        23 => {
            call(SYS_socketpair, vec![n(1), n(r.one(&[1, 2, 5]) | i64::from(O_NONBLOCK)), n(0), Arg::Out(8)])
        }
        24 => call(SYS_eventfd2, vec![n(r.below(3) as i64), n(O_NONBLOCK.into())]),
        _ => call(SYS_getdents64, vec![fd(r), Arg::Entries, n(4096)]),
    }
}

fn memory_call(r: &mut Random) -> Call {
    let page = |r: &mut Random| n(0x2000_0000 + 4096 * r.below(12) as i64);
    let length = |r: &mut Random| n(r.one(&[4096, 4096, 8192, 100, 0, 12288]));
    let access = |r: &mut Random| n(r.one(&[0, 1, 3, 3]));
    let kind = |r: &mut Random| i64::from(r.one(&[MAP_PRIVATE, MAP_SHARED]) | MAP_FIXED);
    match r.below(10) {
        0 | 1 => {
            let flags = n(kind(r) | i64::from(MAP_ANONYMOUS));
            call(SYS_mmap, vec![page(r), length(r), access(r), flags, n(-1), n(0)])
        }
        2 => {
            let flags = n(kind(r));
            call(SYS_mmap, vec![page(r), length(r), access(r), flags, fd(r), n(0)])
        }
        3 => call(SYS_munmap, vec![page(r), length(r)]),
        4 => call(SYS_mprotect, vec![page(r), length(r), access(r)]),
        5 => call(SYS_mremap, vec![page(r), length(r), length(r), n(0)]),
        6 | 7 => call(SYS_write, vec![fd(r), page(r), n(r.below(20) as i64)]),
        8 => call(SYS_read, vec![fd(r), page(r), n(r.below(20) as i64)]),
        _ => call(SYS_madvise, vec![page(r), length(r), n(4)]),
    }
}

fn program(seed: u64) -> Vec<Call> {
    let mut r = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let ignore = [&[1][..], &[0; 31]].concat();
    let mut calls = vec![call(SYS_rt_sigaction, vec![n(SIGPIPE.into()), Arg::Bytes(ignore), n(0), n(8)])];
    // The same descriptors, and a directory above that is the program's own.
    let text = |text: &str| Arg::Bytes(text.bytes().chain([0]).collect());
    calls.push(call(SYS_open, vec![text("/dev/null"), n(O_RDWR.into())]));
    calls.extend((0..3).map(|to| call(SYS_dup2, vec![n(3), n(to)])));
    calls.push(call(SYS_close, vec![n(3)]));
    calls.push(call(SYS_mkdir, vec![text("w"), n(0o755)]));
    calls.push(call(SYS_chdir, vec![text("w")]));
    for _ in 0..40 {
        calls.push(match r.below(20) {
            0..=9 => file_call(&mut r),
            10..=16 => descriptor_call(&mut r),
            _ => memory_call(&mut r),
        });
    }
    calls
}

#[test]
fn random_calls_are_answered_as_linux_answers_them() {
    if !native::available() {
        eprintln!("not compared: there is no /dev/shm");
        return;
    }
    let number =
        |name: &str, other: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(other);
    let (first, count) = (number("CALLS_SEED", 1), number("CALLS_COUNT", 200));
    let mut bad = Vec::new();
    for seed in first..first + count {
        let calls = program(seed);
        let (linux, footing) = (native::answers("fuzz", &calls), mock::answers(&calls));
        let at = (0..calls.len()).find(|&at| linux.get(at) != footing.get(at));
        if let Some(at) = at {
            bad.push(format!(
                "{seed} {at}: {:?}\n  Linux   {:?}\n  footing {:?}",
                calls[at],
                linux.get(at),
                footing.get(at)
            ));
        }
    }
    assert!(bad.is_empty(), "{} of {count} differ\n{}", bad.len(), bad.join("\n"));
}
