//! Which address is what. Source: Intel SDM, volume 3A, 4.5 (4-level paging).
//!
//! | addresses | what |
//! |---|---|
//! | `0x1000` to `0x7fff_ffff_f000` | programs |
//! | from [`DIRECT`] on | all of RAM, never executable; what must not change is read-only here too |
//! | from [`DEVICES`] on | memory of devices |
//! | from [`HEAP`] on | large blocks of the kernel's own memory, 512 GiB for each size |
//! | from [`KERNEL`] on | the kernel as it was linked |

/// Bytes of a page and of a frame.
pub const PAGE: u64 = 4096;
/// Bytes of a large page.
pub const LARGE: u64 = 2 << 20;
/// What one entry of the top table covers.
pub const SLOT: u64 = 512 << 30;

/// RAM.
pub const DIRECT: u64 = 0xffff_8000_0000_0000;
/// Memory of devices.
pub const DEVICES: u64 = DIRECT + SLOT;
/// Large blocks.
pub const HEAP: u64 = DEVICES + SLOT;
/// How many sizes large blocks have: from one page on, each twice as large.
pub const CLASSES: usize = 26;
/// The kernel.
pub const KERNEL: u64 = 0xffff_ffff_8000_0000;

/// The lowest address that a program can have.
pub const USER_START: u64 = PAGE;
/// The first address that it can't: the last page before the hole would let an instruction end in it.
pub const USER_END: u64 = 0x7fff_ffff_f000;

/// Where RAM at a physical address is mapped.
pub const fn direct(physical: u64) -> u64 {
    DIRECT + physical
}
