//! Memory.

use super::program::Arg;
use super::{call, compare, loose, n, out, r, s};
use libc::*;

#[test]
fn memory_is_mapped_and_unmapped() {
    let anonymous = (MAP_PRIVATE | MAP_ANONYMOUS) as i64;
    compare(
        "memory",
        &[
            call(SYS_open, [s("f"), n((O_CREAT | O_RDWR) as i64), n(0o644)]),
            call(SYS_write, [r(1), s("mapped bytes"), n(12)]),
            loose(SYS_mmap, [n(0), n(4096), n(3), n(MAP_SHARED as i64), n(3), n(0)]),
            call(SYS_write, [n(3), r(1), n(12)]),
            call(SYS_pread64, [n(3), out(24), n(24), n(0)]),
            call(SYS_pread64, [n(3), r(3), n(6), n(7)]),
            call(SYS_pread64, [n(3), out(24), n(24), n(0)]),
            call(SYS_pwrite64, [n(3), s("NEW"), n(3), n(0)]),
            call(SYS_pwrite64, [n(3), r(6), n(3), n(24)]),
            call(SYS_pread64, [n(3), out(27), n(27), n(0)]),
            call(SYS_munmap, [r(8), n(4096)]),
            call(SYS_pread64, [n(3), out(27), n(27), n(0)]),
            loose(SYS_mmap, [n(0), n(4096), n(1), n(MAP_PRIVATE as i64), n(3), n(0)]),
            call(SYS_write, [n(3), r(1), n(5)]),
            call(SYS_read, [n(3), r(2), n(5)]),
            call(SYS_mprotect, [r(3), n(4096), n(3)]),
            call(SYS_pread64, [n(3), r(4), n(5), n(0)]),
            call(SYS_mprotect, [n(0x6000_0000), n(4096), n(3)]),
            call(SYS_mprotect, [n(1), n(4096), n(3)]),
            call(SYS_mprotect, [r(7), n(4096), n(0x100)]),
            call(SYS_munmap, [n(1), n(4096)]),
            call(SYS_munmap, [r(9), n(0)]),
            loose(SYS_mmap, [n(0), n(0), n(3), n(anonymous), n(-1), n(0)]),
            loose(SYS_mmap, [n(0), n(-1), n(3), n(anonymous), n(-1), n(0)]),
            loose(SYS_mmap, [n(0), n(4096), n(3), n(MAP_ANONYMOUS as i64), n(-1), n(0)]),
            loose(SYS_mmap, [n(0), n(4096), n(3), n(MAP_PRIVATE as i64), n(99), n(0)]),
            loose(SYS_mmap, [n(0), n(4096), n(3), n(MAP_PRIVATE as i64), n(3), n(1)]),
            loose(SYS_mmap, [n(1), n(4096), n(3), n(anonymous | MAP_FIXED as i64), n(-1), n(0)]),
            call(
                SYS_mmap,
                [n(0x1000_0000), n(4096), n(3), n(anonymous | MAP_FIXED_NOREPLACE as i64), n(-1), n(0)],
            ),
            call(SYS_mmap, [n(0x2000_0000), n(4096), n(3), n(anonymous | MAP_FIXED as i64), n(-1), n(0)]),
            call(SYS_mmap, [n(0x2000_2000), n(4096), n(3), n(anonymous | MAP_FIXED as i64), n(-1), n(0)]),
            call(SYS_mremap, [n(0x2000_0000), n(4096), n(8192), n(0)]),
            call(SYS_mremap, [n(0x2000_0000), n(8192), n(12288), n(0)]),
            call(SYS_mremap, [n(0x2000_0000), n(8192), n(4096), n(0)]),
            call(SYS_mremap, [n(0x2000_1000), n(4096), n(8192), n(1)]),
            loose(SYS_mremap, [n(0x2000_0000), n(4096), n(1 << 20), n(1)]),
            call(SYS_mremap, [r(1), n(1 << 20), n(4096), n(3), n(0x3000_0000)]),
            call(SYS_mremap, [n(0x3000_0001), n(4096), n(4096), n(1)]),
            call(SYS_mremap, [n(0x3000_0000), n(4096), n(0), n(1)]),
            call(SYS_mincore, [n(0x4000_0000), n(4096), out(1)]),
            call(SYS_madvise, [n(0x3000_0000), n(4096), n(4)]),
            call(SYS_madvise, [n(0x4000_0000), n(4096), n(4)]),
            call(SYS_madvise, [n(0x3000_0000), n(4096), n(77)]),
            call(SYS_msync, [n(0x3000_0000), n(4096), n(5)]),
            call(SYS_msync, [n(0x4000_0000), n(4096), n(4)]),
            call(SYS_open, [s("f"), n(O_RDONLY as i64)]),
            loose(SYS_mmap, [n(0), n(4096), n(3), n(MAP_SHARED as i64), r(1), n(0)]),
            loose(SYS_mmap, [n(0), n(4096), n(1), n(MAP_SHARED as i64), r(2), n(0)]),
            call(SYS_open, [s("f"), n(O_WRONLY as i64)]),
            loose(SYS_mmap, [n(0), n(4096), n(1), n(MAP_SHARED as i64), r(1), n(0)]),
            loose(SYS_mmap, [n(0), n(4096), n(1), n(MAP_PRIVATE as i64), n(0), n(0)]),
            call(SYS_memfd_create, [s("x"), n(1)]),
            call(SYS_ftruncate, [r(1), n(5000)]),
            call(SYS_fstat, [r(2), Arg::Stat]),
            call(SYS_memfd_create, [s("x"), n(0x8000)]),
        ],
    );
}
