//! The two pages that every guest process holds besides what footing maps: the list of footing's own calls, and the code that makes
//! them.
//!
//! The list is read-only for the guest, and footing empties it before the guest runs. The code makes a call only after footing has put
//! a secret into registers (see [`crate::filter`]); a guest that jumps here makes a call that is stopped like any other.
#![allow(unsafe_code, reason = "the stub is machine code, and its address is taken")]

use std::arch::global_asm;
use std::ops::Range;

/// Where the list is mapped: above the place of mappings, and 128 MiB below a stack's end.
pub const LIST: u64 = 0x7fff_f800_0000;
/// Where the code is mapped.
pub const CODE: u64 = LIST + 0x1000;
/// The addresses of list and code.
pub const PAGES: Range<u64> = LIST..CODE + 0x1000;
/// Where list and code are mapped until the process is empty: between a program's and its libraries' usual places.
pub const FIRST: u64 = 0x7000_0000_0000;
/// The first address behind user space.
pub const TOP: u64 = 0x7fff_ffff_f000;
/// Where the host's vDSO is moved to before it is unmapped: `sysenter` returns near it, wherever it was.
pub const VDSO: u64 = 0x7fff_f900_0000;
/// Bytes from [`VDSO`] on where `sysenter` may return to.
pub const VDSO_BYTES: u64 = 0x1_0000;

/// A call of footing's own: number, arguments.
pub type Call = [u64; 7];
/// Words of the list for one call.
pub const WORDS: usize = 8;
/// Calls that fit into the list, its end mark excluded.
pub const CALLS: usize = 40;
/// Where in the list's page the filter stands while it is installed.
pub const PROGRAM: usize = 0xb00;
/// Ends the list.
pub const END: u64 = u64::MAX;

// rbx: the list. r12, r13, r14: the secret, shifted as the filter wants it for mmap's `prot` and `fd` and for the sixth argument of
// the others. Stops by int3 at the list's end or after a call that failed; rbx then points to that call, rax is its result.
// r15: the last result.
global_asm!(
    ".globl footing_native_stub",
    "footing_native_stub:",
    "2: mov rax, [rbx]",
    "test rax, rax",
    "js 5f",
    "mov rdi, [rbx + 8]",
    "mov rsi, [rbx + 16]",
    "mov rdx, [rbx + 24]",
    "mov r10, [rbx + 32]",
    "mov r8, [rbx + 40]",
    "mov r9, [rbx + 48]",
    "cmp rax, 9",
    "jne 3f",
    "or rdx, r13",
    "or r8, r14",
    "jmp 4f",
    "3: mov r9, r12",
    "4: syscall",
    ".globl footing_native_stub_called",
    "footing_native_stub_called:",
    "test rax, rax",
    "js 5f",
    "mov r15, rax",
    "add rbx, 64",
    "jmp 2b",
    "5: int3",
    ".globl footing_native_stub_end",
    "footing_native_stub_end:",
);

unsafe extern "C" {
    static footing_native_stub: u8;
    static footing_native_stub_called: u8;
    static footing_native_stub_end: u8;
}

/// The stub's bytes.
pub fn code() -> &'static [u8] {
    let (from, to) = (&raw const footing_native_stub, &raw const footing_native_stub_end);
    // SAFETY: the assembly above defines both labels in this order in one section, and nothing writes to it.
    unsafe { std::slice::from_raw_parts(from, to as usize - from as usize) }
}

/// The address behind the stub's `syscall` instruction, where it is mapped in a guest.
pub fn called() -> u64 {
    CODE + (&raw const footing_native_stub_called as u64 - &raw const footing_native_stub as u64)
}

/// Whether a range of addresses touches the stub's pages.
pub fn touches(range: &Range<u64>) -> bool {
    range.start < PAGES.end && range.end > PAGES.start
}

/// The parts of a range that are not the stub's.
pub fn outside(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let low = range.start..range.end.min(PAGES.start);
    let high = range.start.max(PAGES.end)..range.end;
    [low, high].into_iter().filter(|part| part.start < part.end)
}
