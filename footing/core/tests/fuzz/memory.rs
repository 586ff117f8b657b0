//! Calls that have to do with memory.

use super::program::Call;
use super::random::*;
use libc::*;

pub fn memory_call(r: &mut Random) -> Call {
    let page = |r: &mut Random| n(0x2000_0000 + 4096 * r.below(12) as i64);
    let length = |r: &mut Random| n(r.one(&[4096, 4096, 8192, 100, 0, 12288]));
    let access = |r: &mut Random| n(r.one(&[0, 1, 3, 3]));
    let kind = |r: &mut Random| i64::from(r.one(&[MAP_PRIVATE, MAP_SHARED]) | MAP_FIXED);
    match r.below(14) {
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
        5 => call(SYS_mremap, vec![page(r), n(r.one(&[4096, 8192, 100])), length(r), n(0)]),
        6 | 7 => call(SYS_write, vec![fd(r), page(r), n(r.below(20) as i64)]),
        8 => call(SYS_read, vec![fd(r), page(r), n(r.below(20) as i64)]),
        9 => call(SYS_madvise, vec![page(r), length(r), n(r.one(&[4, 4, 0, 3, 9]))]),
        10 => call(SYS_mremap, vec![page(r), length(r), length(r), n(3), page(r)]),
        11 => call(SYS_msync, vec![page(r), length(r), n(r.one(&[0, 1, 4, 5]))]),
        12 => call(SYS_mincore, vec![page(r), length(r), n(0x1000_0000)]),
        _ => {
            let flags = i(MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | r.one(&[MAP_PRIVATE, MAP_SHARED]));
            call(SYS_mmap, vec![page(r), length(r), access(r), flags, n(-1), n(0)])
        }
    }
}
