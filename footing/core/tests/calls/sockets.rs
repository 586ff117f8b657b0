//! Sockets and epoll.

use super::program::Arg;
use super::{call, compare, n, out, s};
use libc::*;

#[test]
fn sockets_carry_bytes() {
    let name = |text: &str| Arg::Bytes([&[1, 0], text.as_bytes(), &[0]].concat());
    compare(
        "sockets",
        &[
            call(SYS_socketpair, [n(1), n(1 | O_NONBLOCK as i64), n(0), out(8)]),
            call(SYS_write, [n(3), s("hello"), n(5)]),
            call(SYS_ioctl, [n(4), n(FIONREAD as i64), out(4)]),
            call(SYS_recvfrom, [n(4), out(3), n(3), n(MSG_PEEK as i64), n(0), n(0)]),
            call(SYS_read, [n(4), out(10), n(10)]),
            call(SYS_read, [n(4), out(10), n(10)]),
            call(SYS_shutdown, [n(3), n(1)]),
            call(SYS_read, [n(4), out(10), n(10)]),
            call(SYS_write, [n(3), s("x"), n(1)]),
            call(SYS_write, [n(4), s("x"), n(1)]),
            call(SYS_read, [n(3), out(10), n(10)]),
            call(SYS_close, [n(4)]),
            call(SYS_read, [n(3), out(10), n(10)]),
            call(SYS_close, [n(3)]),
            call(SYS_socketpair, [n(2), n(1), n(0), n(0x1008_0000)]),
            call(SYS_socketpair, [n(1), n(1), n(7), n(0x1008_0000)]),
            call(SYS_socket, [n(1), n(77), n(0)]),
            call(SYS_socket, [n(99), n(1), n(0)]),
            call(SYS_socket, [n(2), n(1), n(17)]),
            call(SYS_socket, [n(1), n(1), n(0)]),
            call(SYS_listen, [n(3), n(5)]),
            call(SYS_bind, [n(3), name("sock"), n(7)]),
            call(SYS_bind, [n(3), name("sock2"), n(8)]),
            call(SYS_socket, [n(1), n(1), n(0)]),
            call(SYS_bind, [n(4), name("sock"), n(7)]),
            call(SYS_connect, [n(4), name("sock"), n(7)]),
            call(SYS_connect, [n(4), name("none"), n(7)]),
            call(SYS_listen, [n(3), n(5)]),
            call(SYS_connect, [n(4), name("sock"), n(7)]),
            call(SYS_connect, [n(4), name("sock"), n(7)]),
            call(SYS_accept, [n(3), n(0), n(0)]),
            call(SYS_write, [n(4), s("ping"), n(4)]),
            call(SYS_read, [n(5), out(8), n(8)]),
            call(SYS_getsockname, [n(5), out(8), Arg::Bytes(vec![8, 0, 0, 0])]),
            call(SYS_getpeername, [n(5), out(8), Arg::Bytes(vec![8, 0, 0, 0])]),
            call(SYS_stat, [s("sock"), Arg::Stat]),
            call(SYS_accept, [n(4), n(0), n(0)]),
            call(SYS_accept, [n(0), n(0), n(0)]),
            call(SYS_socket, [n(1), n(2 | O_NONBLOCK as i64), n(0)]),
            call(SYS_bind, [n(6), name("dgram"), n(8)]),
            call(SYS_socket, [n(1), n(2 | O_NONBLOCK as i64), n(0)]),
            call(SYS_sendto, [n(7), s("datagram"), n(8), n(0), name("dgram"), n(8)]),
            call(SYS_sendto, [n(7), s("datagram"), n(8), n(0), name("sock"), n(7)]),
            call(SYS_sendto, [n(7), s("datagram"), n(8), n(0), n(0), n(0)]),
            call(SYS_recvfrom, [n(6), out(4), n(4), n(0), n(0), n(0)]),
            call(SYS_recvfrom, [n(6), out(4), n(4), n(0), n(0), n(0)]),
            call(SYS_listen, [n(6), n(0)]),
            call(SYS_getsockopt, [n(6), n(1), n(SO_TYPE as i64), out(4), Arg::Bytes(vec![4, 0, 0, 0])]),
            call(SYS_getsockopt, [n(6), n(1), n(999), out(4), Arg::Bytes(vec![4, 0, 0, 0])]),
        ],
    );
}

#[test]
fn tcp_reaches_the_loopback_device() {
    let address = |port: u16| {
        let mut bytes = vec![2, 0];
        bytes.extend_from_slice(&port.to_be_bytes());
        bytes.extend_from_slice(&[127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        Arg::Bytes(bytes)
    };
    compare(
        "tcp",
        &[
            call(SYS_socket, [n(2), n(1 | O_NONBLOCK as i64), n(0)]),
            // Connections that an earlier run left behind do not count.
            call(SYS_setsockopt, [n(3), n(1), n(SO_REUSEADDR as i64), Arg::Bytes(vec![1, 0, 0, 0]), n(4)]),
            call(SYS_bind, [n(3), address(80), n(16)]),
            call(SYS_bind, [n(3), address(21_987), n(16)]),
            call(SYS_listen, [n(3), n(1)]),
            call(SYS_socket, [n(2), n(1), n(0)]),
            call(SYS_connect, [n(4), address(21_987), n(16)]),
            call(SYS_accept4, [n(3), n(0), n(0), n(O_CLOEXEC as i64)]),
            call(SYS_write, [n(5), s("over TCP"), n(8)]),
            call(SYS_read, [n(4), out(8), n(8)]),
            call(SYS_close, [n(5)]),
            call(SYS_read, [n(4), out(8), n(8)]),
            call(SYS_getsockname, [n(3), out(16), Arg::Bytes(vec![16, 0, 0, 0])]),
            call(SYS_connect, [n(4), address(1), n(16)]),
            call(SYS_socket, [n(2), n(1), n(0)]),
            call(SYS_connect, [n(5), address(1), n(16)]),
            call(SYS_connect, [n(5), address(1), n(4)]),
        ],
    );
}

#[test]
fn epoll_reports_what_is_ready() {
    compare(
        "epoll",
        &[
            call(SYS_socketpair, [n(1), n(1), n(0), out(8)]),
            call(SYS_epoll_create1, [n(0)]),
            call(SYS_epoll_ctl, [n(5), n(1), n(3), Arg::Bytes(vec![5, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0])]),
            call(SYS_epoll_ctl, [n(5), n(1), n(3), Arg::Bytes(vec![5, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0])]),
            call(SYS_epoll_ctl, [n(5), n(1), n(5), Arg::Bytes(vec![0; 12])]),
            call(SYS_epoll_wait, [n(5), out(24), n(2), n(0)]),
            call(SYS_write, [n(4), s("ping"), n(4)]),
            call(SYS_epoll_wait, [n(5), out(24), n(2), n(-1)]),
            call(SYS_epoll_ctl, [n(5), n(2), n(3), n(0)]),
            call(SYS_epoll_ctl, [n(5), n(2), n(3), n(0)]),
            call(SYS_epoll_wait, [n(5), out(24), n(2), n(0)]),
            call(SYS_epoll_wait, [n(5), out(24), n(0), n(0)]),
        ],
    );
}

#[test]
fn waits_of_sockets_end() {
    let time = |micros: u64| Arg::Bytes([0, micros].iter().flat_map(|word| word.to_le_bytes()).collect());
    compare(
        "timeouts",
        &[
            call(SYS_socketpair, [n(1), n(1), n(0), out(8)]),
            call(SYS_setsockopt, [n(3), n(1), n(SO_RCVTIMEO.into()), time(20_000), n(16)]),
            call(SYS_getsockopt, [n(3), n(1), n(SO_RCVTIMEO.into()), out(16), Arg::Bytes(vec![16, 0, 0, 0])]),
            call(SYS_read, [n(3), out(4), n(4)]),
            call(SYS_recvfrom, [n(3), out(4), n(4), n(0), n(0), n(0)]),
            call(SYS_setsockopt, [n(3), n(1), n(SO_SNDTIMEO.into()), time(1_000_000), n(16)]),
            call(SYS_setsockopt, [n(3), n(1), n(SO_SNDTIMEO.into()), time(0), n(8)]),
            call(SYS_write, [n(4), s("here"), n(4)]),
            call(SYS_read, [n(3), out(4), n(4)]),
            call(SYS_socketpair, [n(1), n(5), n(0), out(8)]),
            call(SYS_setsockopt, [n(5), n(1), n(SO_RCVTIMEO.into()), time(20_000), n(16)]),
            call(SYS_read, [n(5), out(4), n(4)]),
            call(SYS_write, [n(6), s("left"), n(4)]),
            call(SYS_write, [n(5), s("left"), n(4)]),
            call(SYS_close, [n(6)]),
            call(SYS_write, [n(5), s("more"), n(4)]),
            call(SYS_write, [n(5), s("more"), n(4)]),
            call(SYS_read, [n(5), out(4), n(4)]),
            call(SYS_read, [n(5), out(4), n(4)]),
        ],
    );
}

/// What Linux answers depends on the host's devices.
#[test]
fn netlink_names_the_loopback_device() {
    let request = |kind: u8| Arg::Bytes([&[20, 0, 0, 0, kind, 0, 1, 3, 9, 0, 0, 0][..], &[0; 8]].concat());
    let answers = super::mock::answers(&[
        call(SYS_socket, [n(16), n(3), n(0)]),
        call(SYS_sendto, [n(3), request(18), n(20), n(0), n(0), n(0)]),
        call(SYS_recvfrom, [n(3), out(128), n(128), n(0), n(0), n(0)]),
        call(SYS_sendto, [n(3), request(22), n(20), n(0), n(0), n(0)]),
        call(SYS_recvfrom, [n(3), out(160), n(160), n(0), n(0), n(0)]),
        call(SYS_sendto, [n(3), request(36), n(20), n(0), n(0), n(0)]),
        call(SYS_recvfrom, [n(3), out(40), n(40), n(0), n(0), n(0)]),
    ]);
    let text = |at: usize| &answers[at].outs[0];
    assert!(text(2).windows(3).any(|part| part == b"lo\0"), "{:?}", answers[2]);
    // RTM_NEWLINK, several, the request's number.
    assert_eq!(&text(2)[4..12], [16, 0, 2, 0, 9, 0, 0, 0]);
    assert!(text(4).windows(4).any(|part| part == [127, 0, 0, 1]), "{:?}", answers[4]);
    assert_eq!(text(6)[4..6], [2, 0], "an error");
    assert_eq!(text(6)[16..20], (-95_i32).to_le_bytes(), "EOPNOTSUPP");
}
