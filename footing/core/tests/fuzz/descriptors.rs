//! Calls that have to do with descriptors.

use super::program::{Arg, Call};
use super::random::*;
use libc::*;

pub fn descriptor_call(r: &mut Random) -> Call {
    let size = r.below(40) as usize;
    match r.below(46) {
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
        25 => call(SYS_getdents64, vec![fd(r), Arg::Entries, n(4096)]),
        _ => further_call(r),
    }
}

fn further_call(r: &mut Random) -> Call {
    let size = r.below(40) as usize;
    match r.below(20) {
        0 => call(SYS_dup3, vec![fd(r), fd(r), n(r.one(&[0, O_CLOEXEC as i64, 1]))]),
        1 => call(
            SYS_fcntl,
            vec![fd(r), i(F_SETFL), i(r.some(&[O_APPEND, O_NONBLOCK, O_RDWR, O_SYNC], 2) | O_NONBLOCK)],
        ),
        2 => call(
            SYS_fcntl,
            vec![fd(r), i(r.one(&[F_SETPIPE_SZ, F_GETPIPE_SZ])), n(r.one(&[0, 1, 5000, 1 << 20, -1]))],
        ),
        3 | 4 => {
            let lock = |r: &mut Random| {
                let kind = r.below(4) | r.below(3) << 16;
                words(&[kind, r.one(&[0, 1, 5, 10, u64::MAX]), r.one(&[0, 1, 5, u64::MAX]), 0])
            };
            let command = r.one(&[F_SETLK, F_SETLK, F_OFD_SETLK, F_OFD_SETLK]);
            call(SYS_fcntl, vec![fd(r), i(command), lock(r)])
        }
        5 => call(SYS_sendfile, vec![fd(r), fd(r), n(0), n(size as i64)]),
        6 => call(SYS_copy_file_range, vec![fd(r), n(0), fd(r), n(0), n(size as i64), n(0)]),
        7 | 8 => call(SYS_splice, vec![fd(r), n(0), fd(r), n(0), n(size as i64), n(2)]),
        9 => call(SYS_tee, vec![fd(r), fd(r), n(size as i64), n(2)]),
        10 => {
            let parts = vec![
                Arg::Bytes(vec![b'v'; r.below(9) as usize]),
                Arg::Bytes(vec![b'w'; r.below(9) as usize]),
            ];
            call(r.one(&[SYS_vmsplice, SYS_writev]), vec![fd(r), Arg::Vectors(parts), n(2), n(2)])
        }
        11 => call(SYS_memfd_create, vec![text("m"), n(r.one(&[0, 1, 2, 2, 3, 8, 64]))]),
        12 => call(SYS_fcntl, vec![fd(r), i(F_ADD_SEALS), n(r.below(64) as i64)]),
        13 => call(SYS_fcntl, vec![fd(r), i(F_GET_SEALS), n(0)]),
        14 => call(
            SYS_timerfd_create,
            vec![n(r.one(&[0, 1, 7, 3])), i(r.one(&[TFD_NONBLOCK, TFD_NONBLOCK | 1]))],
        ),
        15 => call(SYS_timerfd_settime, vec![fd(r), n(0), words(&[0, 0, r.one(&[0, 1000]), 0]), n(0)]),
        16 => call(SYS_epoll_create1, vec![i(r.one(&[0, EPOLL_CLOEXEC, 5]))]),
        17 => {
            let event = Arg::Bytes([&[5, 0, 0, r.one(&[0, 0x40, 0x80])][..], &[7; 8]].concat());
            call(SYS_epoll_ctl, vec![fd(r), n(r.one(&[1, 1, 2, 3, 4])), fd(r), event])
        }
        18 => call(SYS_epoll_wait, vec![fd(r), Arg::Out(48), n(r.one(&[4, 4, 1, 0])), n(0)]),
        _ => {
            let request = r.one(&[FIONREAD as i64, 0x5401, 0x5413, 0x5450, 0x540f]);
            call(SYS_ioctl, vec![fd(r), n(request), Arg::Out(4)])
        }
    }
}
