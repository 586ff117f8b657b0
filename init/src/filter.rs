//! Which system calls a step may make: a filter for seccomp(2), written as two short tables of ranges.
//!
//! The filter is an allowlist: a call that no table names as allowed is refused, x32's and those of kernels to come among them. What
//! builds need is allowed. Refused is what reaches beyond the step (keys, which no namespace holds; sockets of families that know
//! no namespaces; the kernel's log, clock and modules; tracing of the kernel), what carries calls past a filter (io_uring), what a
//! file system keeps outside a NAR (attributes, inode flags), and what would let a builder act on its supervisor.
//!
//! tmpfs counts neither extended attributes nor access control lists as space, so that a builder could fill the kernel's own
//! memory with them, of which it can't be relieved.
//!
//! | refused | with | otherwise |
//! |---|---|---|
//! | calls for the kernel's owner: modules, clock, swap, tracing, BPF, user faults, file handles | `EPERM` | |
//! | keys, io_uring, secret memory, what a kernel does not know, x32 | `ENOSYS` | |
//! | extended attributes and inode flags, set in whichever way | `EOPNOTSUPP` | |
//! | sockets that are neither of AF_UNIX, AF_INET, AF_INET6 nor of NETLINK_ROUTE; all that i386 makes by socketcall(2) | `EAFNOSUPPORT` | |
//! | typing into a terminal: TIOCSTI, TIOCLINUX | `EPERM` | |
//! | namespaces and mounts; clone3(2), whose flags a filter can't read (`ENOSYS`, so that libraries use clone(2)) | `EPERM` | a builder of Nix may have user namespaces |
//! | set-id bits | `EPERM` | only for builders of Nix, as Nix does |
//! | signals to process 1, its limits, priority and CPUs | `EPERM` | where the builder is process 1 itself |
//!
//! The fields of `struct seccomp_data` and
//! the instructions are those of `linux/seccomp.h` and `linux/bpf_common.h`.

mod tables;

use tables::{I386, X86_64};

/// `struct sock_filter`: code, where to go if true and if false, operand.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Instruction(pub u16, pub u8, pub u8, pub u32);

/// What is done with a call.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
enum Rule {
    Allow,
    /// `EPERM`
    Owner,
    /// `ENOSYS`
    Missing,
    /// `EOPNOTSUPP`
    Attribute,
    /// A family and a protocol are asked for.
    Socket,
    /// The first argument says which call of i386's is meant.
    SocketCall,
    /// ioctl(2)
    Control,
    /// The second argument is a mode.
    Mode,
    /// The third is.
    ModeAt,
    /// The first argument holds flags of clone(2).
    Clone,
    /// `EPERM`
    Mount,
    /// `ENOSYS`
    Clone3,
    /// The first argument is a process.
    Process,
    /// The second is.
    ProcessAt,
}
use Rule::*;

/// The rule of all calls from a number up to the next number of its table.
const fn from(number: u16, rule: Rule) -> u16 {
    number | (rule as u16) << 10
}

const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_AT_LEAST: u16 = 0x35;
const IF_ANY_OF: u16 = 0x45;
const RETURN: u16 = 0x06;

const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
/// The lower halves of the arguments: all of these are of 32 bits.
const FIRST: u32 = 16;
const SECOND: u32 = 24;
const THIRD: u32 = 32;
const AUDIT_ARCH_I386: u32 = 0x4000_0003;

/// All new namespaces: mount, cgroup, UTS, IPC, user, PID, network, and time, where clone(2) has a signal's number.
const NEW_NAMESPACES: u32 = 0x7e02_0080;

const fn load(field: u32) -> Instruction {
    Instruction(LOAD, 0, 0, field)
}

/// At this place of the verdicts: compares, and goes on at one of two other places.
const fn test(at: u8, how: u16, value: u32, then: u8, otherwise: u8) -> Instruction {
    Instruction(how, then - at - 1, otherwise - at - 1, value)
}

/// `ERRNO | error`
const fn refuse(error: u32) -> Instruction {
    Instruction(RETURN, 0, 0, 0x0005_0000 | error)
}

const AFNOSUPPORT: u8 = 26;
const OPNOTSUPP: u8 = 27;
const NOSYS: u8 = 28;
const PERM: u8 = 29;
const ALLOW: u8 = 30;

/// Where each rule's verdict starts.
const STARTS: [u8; 16] = [ALLOW, PERM, NOSYS, OPNOTSUPP, 13, 10, 20, 0, 2, 4, PERM, NOSYS, 6, 8, PERM, PERM];

/// What the rules come to.
const VERDICTS: [Instruction; 31] = [
    // 0: a mode is the second argument; 2: the third.
    load(SECOND),
    Instruction(JUMP, 0, 0, 1),
    load(THIRD),
    test(3, IF_ANY_OF, 0o6000, PERM, ALLOW),
    // 4: flags.
    load(FIRST),
    test(5, IF_ANY_OF, NEW_NAMESPACES, PERM, ALLOW),
    // 6: a process is the first argument; 8: the second.
    load(FIRST),
    Instruction(JUMP, 0, 0, 1),
    load(SECOND),
    test(9, IF_EQUAL, 1, PERM, ALLOW),
    // 10: SYS_SOCKET, SYS_SOCKETPAIR, whose arguments are in memory.
    load(FIRST),
    test(11, IF_EQUAL, 1, AFNOSUPPORT, 12),
    test(12, IF_EQUAL, 8, AFNOSUPPORT, ALLOW),
    // 13: AF_UNIX, AF_INET, AF_INET6; AF_NETLINK for NETLINK_ROUTE.
    load(FIRST),
    test(14, IF_EQUAL, 1, ALLOW, 15),
    test(15, IF_EQUAL, 2, ALLOW, 16),
    test(16, IF_EQUAL, 10, ALLOW, 17),
    test(17, IF_EQUAL, 16, 18, AFNOSUPPORT),
    load(THIRD),
    test(19, IF_EQUAL, 0, ALLOW, AFNOSUPPORT),
    // 20: FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS, FS_IOC_FSSETXATTR; TIOCSTI, TIOCLINUX.
    load(SECOND),
    test(21, IF_EQUAL, 0x4008_6602, OPNOTSUPP, 22),
    test(22, IF_EQUAL, 0x4004_6602, OPNOTSUPP, 23),
    test(23, IF_EQUAL, 0x401c_5820, OPNOTSUPP, 24),
    test(24, IF_EQUAL, 0x5412, PERM, 25),
    test(25, IF_EQUAL, 0x541c, PERM, ALLOW),
    refuse(97),
    refuse(95),
    refuse(38),
    refuse(1),
    Instruction(RETURN, 0, 0, 0x7fff_0000),
];

/// Which steps the filter is for.
#[derive(Clone, Copy)]
pub struct Policy {
    /// The builder is Nix's: it may make user namespaces, and no set-id bits.
    pub nix: bool,
    /// Process 1 is the builder's supervisor.
    pub supervised: bool,
}

impl Policy {
    /// A bit for each rule that allows all calls.
    fn without(self) -> u16 {
        let nix = if self.nix {
            1 << Clone as u16 | 1 << Mount as u16 | 1 << Clone3 as u16
        } else {
            1 << Mode as u16 | 1 << ModeAt as u16
        };
        let supervised = if self.supervised { 0 } else { 1 << Process as u16 | 1 << ProcessAt as u16 };
        nix | supervised
    }
}

/// The filter. It is put together here since its tables take a fifth of it.
pub struct Filter {
    instructions: [Instruction; 512],
    length: usize,
}

impl Filter {
    /// The filter for such steps.
    pub fn new(policy: Policy) -> Filter {
        const I386_AT: usize = 4 + 2 * X86_64.len();
        const VERDICTS_AT: usize = I386_AT + 1 + 2 * I386.len();
        let without = policy.without();
        let mut filter = Filter { instructions: [load(0); _], length: 0 };
        filter.push(load(ARCHITECTURE));
        filter.push(Instruction(IF_EQUAL, 0, 1, AUDIT_ARCH_I386));
        filter.jump(I386_AT);
        for table in [&X86_64[..], &I386] {
            filter.push(load(NUMBER));
            // From above: the first number that is not above the call's decides.
            for &entry in table.iter().rev() {
                let rule = entry >> 10;
                let start = if without >> rule & 1 == 0 { STARTS[usize::from(rule & 15)] } else { ALLOW };
                filter.push(Instruction(IF_AT_LEAST, 0, 1, (entry & 0x3ff).into()));
                filter.jump(VERDICTS_AT + usize::from(start));
            }
        }
        VERDICTS.iter().for_each(|&instruction| filter.push(instruction));
        filter
    }

    fn push(&mut self, instruction: Instruction) {
        if let Some(place) = self.instructions.get_mut(self.length) {
            *place = instruction;
            self.length += 1;
        }
    }

    fn jump(&mut self, to: usize) {
        let over = to - self.length - 1;
        self.push(Instruction(JUMP, 0, 0, over as u32));
    }

    /// Its instructions.
    pub fn instructions(&self) -> &[Instruction] {
        self.instructions.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "filter/tests.rs"]
mod tests;
