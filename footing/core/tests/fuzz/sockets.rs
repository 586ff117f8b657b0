//! Calls that have to do with sockets of UNIX's family.

use super::program::{Arg, Call};
use super::random::*;
use libc::*;

fn address(r: &mut Random) -> (Arg, Arg) {
    let path = r.one(&[&b"s"[..], b"t", b"a", b"d/s", b"\0x", b"\0y", b""]);
    let bytes = [&[1, 0], path].concat();
    let length = n(bytes.len() as i64 + r.one(&[0, 0, 0, 1]));
    (Arg::Bytes([bytes, vec![0; 3]].concat()), length)
}

pub fn socket_call(r: &mut Random) -> Call {
    let size = r.below(40) as usize;
    let flags = i(MSG_DONTWAIT | MSG_NOSIGNAL | r.one(&[0, 0, MSG_PEEK, MSG_TRUNC]));
    match r.below(18) {
        0 | 1 => call(
            SYS_socket,
            vec![n(1), i(r.one(&[1, 1, 2, 2, 5, 3]) | SOCK_NONBLOCK), n(r.one(&[0, 0, 1, 2]))],
        ),
        2 => call(SYS_socketpair, vec![n(1), i(r.one(&[1, 2, 5]) | SOCK_NONBLOCK), n(0), Arg::Out(8)]),
        3 | 4 => {
            let (address, length) = address(r);
            call(SYS_bind, vec![fd(r), address, length])
        }
        5 => call(SYS_listen, vec![fd(r), n(r.one(&[0, 1, 5]))]),
        6 | 7 => {
            let (address, length) = address(r);
            call(SYS_connect, vec![fd(r), address, length])
        }
        8 | 9 => call(SYS_accept4, vec![fd(r), n(0), n(0), i(SOCK_NONBLOCK)]),
        10 => {
            let ((address, length), (bytes, count)) = (address(r), bytes(r));
            call(SYS_sendto, vec![fd(r), bytes, count, flags, address, length])
        }
        11 => {
            let (bytes, count) = bytes(r);
            call(SYS_sendto, vec![fd(r), bytes, count, flags, n(0), n(0)])
        }
        12 | 13 => call(SYS_recvfrom, vec![fd(r), Arg::Out(size), n(size as i64), flags, n(0), n(0)]),
        14 => call(SYS_shutdown, vec![fd(r), n(r.below(4) as i64)]),
        15 => call(
            r.one(&[SYS_getsockname, SYS_getpeername]),
            vec![fd(r), Arg::Out(8), Arg::Bytes(vec![8, 0, 0, 0])],
        ),
        16 => {
            let option = i(r.one(&[SO_TYPE, SO_ERROR, SO_ACCEPTCONN, SO_DOMAIN, SO_RCVTIMEO, SO_REUSEADDR]));
            call(
                SYS_getsockopt,
                vec![fd(r), i(SOL_SOCKET), option, Arg::Out(16), Arg::Bytes(vec![16, 0, 0, 0])],
            )
        }
        _ => {
            let time = words(&[r.one(&[0, 5]), r.one(&[0, 250_000, 1_000_000])]);
            call(
                SYS_setsockopt,
                vec![fd(r), i(SOL_SOCKET), i(r.one(&[SO_RCVTIMEO, SO_SNDTIMEO])), time, n(r.one(&[16, 8]))],
            )
        }
    }
}
