//! The seccomp filter of a guest process: no call reaches the host's kernel but footing's own.
//!
//! Every call is handed to footing: by a notification, which is cheap; by SIGSYS, which stops the process, for the calls after which
//! footing changes registers or memory, and for all that is not a plain `syscall` of x86-64. Neither executes the call, whatever
//! footing does then.
//!
//! Let through is a call that fulfils all of this: it comes from the stub's one `syscall` instruction; it is mmap, munmap, mprotect,
//! mremap, madvise, clone or (of use while the first process is made) close_range; it carries a secret of 64 bits where the kernel ignores what
//! stands there; for mmap `MAP_FIXED` is set, for clone the flags are those of [`FORK`], for madvise the advice is [`ADVICE`]. The secret stands in registers only while
//! footing's own calls run; guests never see it, and a guest's jump to the instruction without it is a stop that footing answers as a
//! fault.
//!
//! Two calls no filter sees (`seccomp_uprobe_exception`): `uretprobe`, since Linux 6.11, and `uprobe`, since 6.18. Both are for code that the
//! kernel itself maps. Linux answers the first with SIGILL, which footing takes for the call it is, and the second with ENXIO.

use crate::stub;

/// clone's flags for a copy of a process: a child of the supervisor, stopped from its first instruction on.
pub const FORK: u64 = (libc::CLONE_PARENT | libc::CLONE_PTRACE | libc::SIGCHLD) as u64;

/// madvise's only advice: large pages may be used.
pub const ADVICE: u64 = libc::MADV_HUGEPAGE as u64;

/// Calls after which footing mostly changes registers or mappings: the process stops for them.
const STOPPED: [i64; 18] = [
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_munmap,
    libc::SYS_brk,
    libc::SYS_rt_sigreturn,
    libc::SYS_mremap,
    libc::SYS_clone,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_execve,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_execveat,
    libc::SYS_clone3,
    libc::SYS_arch_prctl,
    libc::SYS_shmat,
    libc::SYS_shmdt,
    libc::SYS_madvise,
];

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

const ALLOW: u32 = 0x7fff_0000;
const NOTIFY: u32 = 0x7fc0_0000;
/// SIGSYS.
const STOP: u32 = 0x0003_0000;

const ARCH_X86_64: u32 = 0xc000_003e;
/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const POINTER: u32 = 8;
const fn argument(i: u32) -> u32 {
    16 + 8 * i
}

fn one(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

/// Compares the word at an offset with a value; where it differs, the call is stopped.
fn demand(program: &mut Vec<libc::sock_filter>, offset: u32, value: u32) {
    program.push(one(LOAD, offset));
    program.push(libc::sock_filter { code: EQUAL, jt: 1, jf: 0, k: value });
    program.push(one(RETURN, STOP));
}

/// If the accumulator equals `value`, executes `then`, which must end by a return.
fn on_equal(program: &mut Vec<libc::sock_filter>, value: u32, then: &[libc::sock_filter]) {
    program.push(libc::sock_filter { code: EQUAL, jt: 0, jf: distance(then.len()), k: value });
    program.extend_from_slice(then);
}

/// How far a jump goes. All parts of the filter are shorter than 256 instructions.
fn distance(instructions: usize) -> u8 {
    u8::try_from(instructions).unwrap_or(u8::MAX)
}

/// The filter. Without `notify` every call stops the process.
pub fn program(secret: u64, notify: bool) -> Vec<libc::sock_filter> {
    let mut all = Vec::new();
    demand(&mut all, ARCH, ARCH_X86_64);
    // The x32 table.
    all.push(one(LOAD, NUMBER));
    all.push(libc::sock_filter { code: AT_LEAST, jt: 0, jf: 1, k: 0x4000_0000 });
    all.push(one(RETURN, STOP));
    let from_stub = from_stub(secret);
    // Outside of the stub's pages the jump leads to the plain calls.
    let over = distance(from_stub.len() + 2);
    let mut own = vec![
        one(LOAD, POINTER),
        libc::sock_filter { code: AT_LEAST, jt: 0, jf: over + 1, k: stub::PAGES.start as u32 },
        libc::sock_filter { code: AT_LEAST, jt: over, jf: 0, k: stub::PAGES.end as u32 },
        libc::sock_filter { code: EQUAL, jt: 1, jf: 0, k: stub::called() as u32 },
        one(RETURN, STOP),
    ];
    own.extend(from_stub);
    all.push(one(LOAD, POINTER + 4));
    // The vsyscall page, whose calls are not by a `syscall` instruction.
    on_equal(&mut all, u32::MAX, &[one(RETURN, STOP)]);
    on_equal(&mut all, (stub::CODE >> 32) as u32, &own);
    plain(&mut all, notify);
    all
}

/// For a call from the stub's instruction.
fn from_stub(secret: u64) -> Vec<libc::sock_filter> {
    let (low, high) = (secret as u32, (secret >> 32) as u32);
    let mut all = vec![one(LOAD, NUMBER)];
    let mut map = Vec::new();
    demand(&mut map, argument(2) + 4, low);
    demand(&mut map, argument(4) + 4, high);
    map.push(one(LOAD, argument(3)));
    map.push(one(AND, libc::MAP_FIXED as u32));
    map.push(libc::sock_filter { code: EQUAL, jt: 1, jf: 0, k: libc::MAP_FIXED as u32 });
    map.push(one(RETURN, STOP));
    map.push(one(RETURN, ALLOW));
    on_equal(&mut all, libc::SYS_mmap as u32, &map);
    let mut copy = Vec::new();
    demand(&mut copy, argument(5), low);
    demand(&mut copy, argument(5) + 4, high);
    demand(&mut copy, argument(0), FORK as u32);
    demand(&mut copy, argument(0) + 4, 0);
    copy.push(one(RETURN, ALLOW));
    on_equal(&mut all, libc::SYS_clone as u32, &copy);
    for number in [libc::SYS_munmap, libc::SYS_mprotect, libc::SYS_mremap, libc::SYS_close_range] {
        let mut other = Vec::new();
        demand(&mut other, argument(5), low);
        demand(&mut other, argument(5) + 4, high);
        other.push(one(RETURN, ALLOW));
        on_equal(&mut all, number as u32, &other);
    }
    let mut advice = Vec::new();
    demand(&mut advice, argument(2), ADVICE as u32);
    demand(&mut advice, argument(5), low);
    demand(&mut advice, argument(5) + 4, high);
    advice.push(one(RETURN, ALLOW));
    on_equal(&mut all, libc::SYS_madvise as u32, &advice);
    all.push(one(RETURN, STOP));
    all
}

/// For a call from anywhere else.
fn plain(all: &mut Vec<libc::sock_filter>, notify: bool) {
    if notify {
        all.push(one(LOAD, NUMBER));
        for number in STOPPED {
            on_equal(all, number as u32, &[one(RETURN, STOP)]);
        }
        all.push(one(RETURN, NOTIFY));
    } else {
        all.push(one(RETURN, STOP));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: u64 = 0x1234_5678_9abc_def0;

    /// What the kernel's interpreter returns for `struct seccomp_data`, as far as the filter's instructions go.
    fn verdict(
        program: &[libc::sock_filter],
        number: u32,
        arch: u32,
        pointer: u64,
        arguments: [u64; 6],
    ) -> u32 {
        let mut data = [u64::from(number) | u64::from(arch) << 32, pointer, 0, 0, 0, 0, 0, 0];
        data[2..].copy_from_slice(&arguments);
        let (mut at, mut word) = (0, 0_u32);
        loop {
            let libc::sock_filter { code, jt, jf, k } = program[at];
            at += 1;
            let jump = |holds: bool| usize::from(if holds { jt } else { jf });
            match code {
                LOAD => word = (data[k as usize / 8] >> (8 * (k % 8))) as u32,
                AND => word &= k,
                EQUAL => at += jump(word == k),
                AT_LEAST => at += jump(word >= k),
                RETURN => return k,
                _ => panic!("{code:x}"),
            }
        }
    }

    fn own(number: i64) -> [u64; 6] {
        match number {
            libc::SYS_mmap => {
                let (low, high) = (SECRET << 32, SECRET & 0xffff_ffff_0000_0000);
                [0x5000, 0x1000, low | 3, libc::MAP_FIXED as u64 | 2, high | 7, 0]
            }
            libc::SYS_clone => [FORK, 0, 0, 0, 0, SECRET],
            libc::SYS_madvise => [1, 2, ADVICE, 0, 0, SECRET],
            _ => [1, 2, 3, 4, 5, SECRET],
        }
    }

    #[test]
    fn footings_own_calls_need_place_secret_and_flags() {
        let program = program(SECRET, true);
        let ask = |number: i64, pointer, arguments| {
            verdict(&program, number as u32, ARCH_X86_64, pointer, arguments)
        };
        for number in 0..1024 {
            let allowed = [
                libc::SYS_mmap,
                libc::SYS_munmap,
                libc::SYS_mprotect,
                libc::SYS_mremap,
                libc::SYS_clone,
                libc::SYS_close_range,
                libc::SYS_madvise,
            ];
            let right = own(number);
            assert_eq!(ask(number, stub::called(), right) == ALLOW, allowed.contains(&number), "{number}");
            // Every bit of the secret counts, and of what else is looked at.
            let bits = |number: i64| -> Vec<(usize, u32)> {
                match number {
                    libc::SYS_mmap => (32..64).flat_map(|bit| [(2, bit), (4, bit)]).chain([(3, 4)]).collect(),
                    libc::SYS_clone => (0..64).flat_map(|bit| [(0, bit), (5, bit)]).collect(),
                    libc::SYS_madvise => {
                        (0..64).map(|bit| (5, bit)).chain((0..32).map(|bit| (2, bit))).collect()
                    }
                    _ => (0..64).map(|bit| (5, bit)).collect(),
                }
            };
            for (argument, bit) in bits(number) {
                let mut wrong = right;
                wrong[argument] ^= 1 << bit;
                assert_ne!(ask(number, stub::called(), wrong), ALLOW, "{number} {argument} {bit}");
            }
            // Nowhere else, be it one byte beside.
            for pointer in
                (stub::PAGES.start - 2..stub::PAGES.end + 2).chain([0x40_0000, 0x7fff_ffff_e000, u64::MAX])
            {
                if pointer != stub::called() {
                    assert_ne!(ask(number, pointer, right), ALLOW, "{number} {pointer:x}");
                }
            }
            for arch in [0x4000_0003, 0, ARCH_X86_64 ^ 1 << 30] {
                assert_eq!(verdict(&program, number as u32, arch, stub::called(), right), STOP);
            }
            assert_eq!(ask(number | 0x4000_0000, stub::called(), right), STOP);
        }
    }

    #[test]
    fn guests_calls_stop_or_are_notified() {
        let (with, without) = (program(SECRET, true), program(SECRET, false));
        for number in 0..2048 {
            for pointer in [0x40_0002, stub::PAGES.start - 1, stub::PAGES.end, 0x7fff_ffff_e000] {
                let stopped = STOPPED.contains(&i64::from(number));
                let expected = if stopped && number < 512 { STOP } else { NOTIFY };
                assert_eq!(verdict(&with, number, ARCH_X86_64, pointer, [0; 6]), expected, "{number}");
                assert_eq!(verdict(&without, number, ARCH_X86_64, pointer, [0; 6]), STOP);
            }
        }
    }
}
