//! Linux carries a program out: in a child process, in a new directory on a file system of memory.
#![allow(unsafe_code)]

use super::program::{Answer, Call, MEMORY, SIZE, collect, prepare};
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Who carries a program out: user and group. Not the superuser, for whom most is allowed.
pub fn user() -> (u32, u32) {
    // SAFETY: neither call has an effect.
    match unsafe { (libc::geteuid(), libc::getegid()) } {
        (0, _) => (1000, 1000),
        other => other,
    }
}

/// Whether there is a file system of memory to do it on.
pub fn available() -> bool {
    Path::new("/dev/shm").is_dir()
}

/// The answers of Linux.
pub fn answers(name: &str, calls: &[Call]) -> Vec<Answer> {
    let folder = PathBuf::from(format!("/dev/shm/groundup-calls-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a directory of its own");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("its mode");
    let (uid, gid) = user();
    chown(&folder, Some(uid), Some(gid)).expect("its owner");
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for two descriptors.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: pipe2(2) made both, and nobody else has them.
    let (input, output) = unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
    let path = std::ffi::CString::new(folder.to_str().expect("a path of ASCII")).expect("no NUL");
    // SAFETY: the child only makes calls and allocates; glibc keeps its allocator usable over fork(2).
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork");
    if child == 0 {
        carry_out(&path, calls, output.as_raw_fd());
    }
    drop(output);
    let mut bytes = Vec::new();
    fs::File::from(input).read_to_end(&mut bytes).expect("the child's answers");
    // SAFETY: waits for the child that was made above.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    fs::remove_dir_all(&folder).expect("the directory is gone");
    parse(&bytes)
}

fn parse(mut bytes: &[u8]) -> Vec<Answer> {
    let mut take = |length: usize| {
        let (head, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        Some(head.to_vec())
    };
    let mut answers = Vec::new();
    while let Some(head) = take(16) {
        let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
        let result = i64::from_le_bytes(head[8..].try_into().expect("eight bytes"));
        let outs = (0..word(4)).filter_map(|_| {
            let length = u32::from_le_bytes(take(4)?.try_into().ok()?);
            take(length as usize)
        });
        answers.push(Answer { who: word(0), outs: outs.collect(), result });
    }
    answers.sort_by_key(|answer| answer.who);
    answers
}

/// The child: never returns.
fn carry_out(path: &std::ffi::CStr, calls: &[Call], report: i32) -> ! {
    let report_to = 900;
    let (uid, gid) = user();
    // SAFETY: each call gets what its man page asks for; the memory at MEMORY is the child's own.
    unsafe {
        libc::dup2(report, report_to);
        libc::close_range(3, 899, 0);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        libc::dup2(null, 0);
        libc::dup2(null, 1);
        libc::dup2(null, 2);
        libc::close(null);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let memory = libc::mmap(MEMORY as *mut _, SIZE, access, flags, -1, 0);
        let ready = memory as u64 == MEMORY
            && libc::chdir(path.as_ptr()) == 0
            && (libc::geteuid() != 0 || libc::setgroups(0, std::ptr::null()) == 0)
            && libc::setresgid(gid, gid, gid) == 0
            && libc::setresuid(uid, uid, uid) == 0;
        libc::umask(0o022);
        if !ready {
            libc::_exit(1);
        }
    }
    // SAFETY: signals of the list go to nobody else.
    unsafe { libc::setsid() };
    carry_on(calls, 0, report_to)
}

/// One process's list.
fn carry_on(calls: &[Call], who: u32, report_to: i32) -> ! {
    let mut results = Vec::new();
    let mut forks = 0;
    for call in calls {
        let a = prepare(call, &results, &mut |at, bytes| {
            // SAFETY: `prepare` stays within the memory that `carry_out` maps.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) }
        });
        // SAFETY: what the call does to this process is what the test is about; nothing runs here but it.
        let done = unsafe { libc::syscall(call.number, a[0], a[1], a[2], a[3], a[4], a[5]) };
        // SAFETY: errno of this thread.
        let result = if done == -1 { -i64::from(unsafe { *libc::__errno_location() }) } else { done };
        if call.number == libc::SYS_fork && result >= 0 {
            forks += 1;
            if result == 0 {
                carry_on(&call.child, who * 10 + forks, report_to);
            }
        }
        results.push(result);
        let outs = collect(call, result, &mut |at, bytes| {
            // SAFETY: as above.
            unsafe { std::ptr::copy_nonoverlapping(at as *const u8, bytes.as_mut_ptr(), bytes.len()) }
        });
        let answer = Answer::new(who, call, result, outs);
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&answer.who.to_le_bytes());
        bytes.extend_from_slice(&(answer.outs.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&answer.result.to_le_bytes());
        for out in answer.outs {
            bytes.extend_from_slice(&(out.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&out);
        }
        // SAFETY: `bytes` is as long as is said.
        unsafe { libc::write(report_to, bytes.as_ptr().cast(), bytes.len()) };
    }
    // SAFETY: ends the child without what the parent's exit would do.
    unsafe { libc::_exit(0) }
}
