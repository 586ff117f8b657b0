//! Calls that have to do with paths.

use super::program::{Arg, Call};
use super::random::*;
use libc::*;

pub fn file_call(r: &mut Random) -> Call {
    let open =
        [O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, O_PATH, O_CREAT, O_CREAT];
    let flags = |r: &mut Random| {
        n((r.one(&[O_RDONLY, O_WRONLY, O_RDWR, O_RDWR]) | r.some(&open, 3) | O_NONBLOCK).into())
    };
    let at = AT_FDCWD.into();
    match r.below(36) {
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
        25 => call(SYS_linkat, vec![n(at), name(r), n(at), name(r), n(r.one(&[0, 0x400]))]),
        26 => call(SYS_linkat, vec![fd(r), text(""), n(at), name(r), n(0)]),
        27 => call(SYS_umask, vec![n(r.one(&[0o22, 0, 0o77, 0o777]))]),
        28 => {
            let time =
                |r: &mut Random| [r.below(100), r.one(&[0, 5, UTIME_NOW as u64, UTIME_OMIT as u64, 1 << 40])];
            let times = [time(r), time(r)].concat();
            call(SYS_utimensat, vec![n(at), name(r), words(&times), n(r.one(&[0, 0x100, 7]))])
        }
        29 => call(SYS_stat, vec![name(r), Arg::Times]),
        30 => call(SYS_chown, vec![name(r), n(r.one(&[-1, 1000, 0])), n(r.one(&[-1, 1000, 0]))]),
        31 => {
            call(SYS_faccessat2, vec![fd(r), name(r), n(r.below(9) as i64), n(r.one(&[0, 0x100, 0x200, 4]))])
        }
        32 => call(SYS_newfstatat, vec![fd(r), name(r), Arg::Stat, n(r.one(&[0, 0x100, 0x1000, 2]))]),
        33 => call(SYS_fchmod, vec![fd(r), mode(r)]),
        34 => call(SYS_fchdir, vec![fd(r)]),
        _ => {
            let how = [(r.one(&[0, 2]) | O_CREAT) as u64, 0o644, r.one(&[0, 4, 8, 16, 1])];
            call(SYS_openat2, vec![n(at), name(r), words(&how), n(r.one(&[24, 24, 16]))])
        }
    }
}
