//! Sockets: of UNIX's family, and of the Internet's as far as a loopback device goes. Source: socket(2), unix(7), ip(7).

mod accept;
mod address;
mod connect;
mod control;
mod end;
mod message;
mod netlink;
mod options;
mod receive;
mod send;
mod wait;

use super::ready::{ERR, HUP, IN, OUT, READ_HUP, READ_NORMAL, WRITE_NORMAL};
use super::{Arguments, Range, fail};
use crate::errno::{
    EACCES, EAFNOSUPPORT, EBADF, EINVAL, ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPERM, EPROTONOSUPPORT,
    ESOCKTNOSUPPORT, Errno,
};
use crate::kernel::{Done, Kernel, Object, Pipe, Socket, SocketState};
use crate::platform::Platform;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

pub(super) const UNIX: u32 = 1;
pub(super) const INET: u32 = 2;
pub(super) const INET6: u32 = 10;
pub(super) const STREAM: u32 = 1;
pub(super) const DATAGRAM: u32 = 2;
pub(super) const PACKETS: u32 = 5;
pub(super) const O_NONBLOCK: u64 = 0o4000;
pub(super) const O_CLOEXEC: u64 = 0o200_0000;
/// Marks, beside what shutdown(2) ends, that the peer of datagrams or packets is gone.
pub(super) const LOST: u8 = 4;
/// What a socket's buffer holds, as Linux has it by default.
pub(super) const BUFFER: usize = 212_992;

impl<P: Platform> Kernel<P> {
    /// A socket that does nothing yet.
    fn new_socket(&mut self, family: u32, kind: u32) -> Result<u32, Errno> {
        let state = if kind == STREAM { SocketState::New } else { SocketState::Datagram { peer: None } };
        self.sockets.add(Socket {
            family,
            kind,
            state,
            address: Vec::new(),
            peer_address: Vec::new(),
            messages: VecDeque::new(),
            passed: VecDeque::new(),
            received: 0,
            node: None,
            shut: 0,
            reset: false,
            timeouts: [0; 2],
        })
    }

    /// Family, type and protocol as socket(2) checks them.
    fn check_socket(&mut self, family: u64, kind: u64, protocol: u64) -> Result<u32, Errno> {
        if kind & !(0xf | O_NONBLOCK | O_CLOEXEC) & 0xffff_ffff != 0 {
            return Err(EINVAL);
        }
        let kind = (kind & 0xf) as u32;
        if !(1..=10).contains(&kind) {
            return Err(EINVAL);
        }
        match (family as u32, kind) {
            (UNIX, _) if protocol as u32 > 1 => Err(EPROTONOSUPPORT),
            (UNIX, STREAM | DATAGRAM | PACKETS) => Ok(kind),
            (UNIX, 3) => Ok(DATAGRAM),
            (INET | INET6, STREAM) if !matches!(protocol as u32, 0 | 6) => Err(EPROTONOSUPPORT),
            (INET | INET6, DATAGRAM) if !matches!(protocol as u32, 0 | 17) => Err(EPROTONOSUPPORT),
            (INET | INET6, STREAM | DATAGRAM) => Ok(kind),
            (INET | INET6, 3) => Err(EPERM),
            (UNIX | INET | INET6, _) => Err(ESOCKTNOSUPPORT),
            (netlink::NETLINK, DATAGRAM | 3) if protocol as u32 == 0 => Ok(DATAGRAM),
            (netlink::NETLINK, DATAGRAM | 3) => {
                let _ = self.unknown("socket of AF_NETLINK other than NETLINK_ROUTE");
                Err(EAFNOSUPPORT)
            }
            (netlink::NETLINK, _) => Err(ESOCKTNOSUPPORT),
            _ => Err(EAFNOSUPPORT),
        }
    }

    fn open_socket(&mut self, socket: u32, flags: u64) -> Done {
        let open = self.new_open(Object::Socket(socket), 2 | (flags & O_NONBLOCK) as u32, b"")?;
        Ok(self.install(open, 0, flags & O_CLOEXEC != 0)?)
    }

    /// socket(2).
    pub(crate) fn sys_socket(&mut self, a: Arguments) -> Done {
        let kind = self.check_socket(a[0], a[1], a[2])?;
        let socket = self.new_socket(a[0] as u32, kind)?;
        self.open_socket(socket, a[1])
    }

    /// A pipe for one direction of a stream, with both its ends.
    fn direction(&mut self) -> Result<u32, Errno> {
        self.pipes.add(Pipe { size: BUFFER, readers: 1, writers: 1, ..Pipe::default() })
    }

    /// Joins two sockets.
    fn join_sockets(&mut self, first: u32, second: u32) -> Result<(), Errno> {
        if self.sockets.get(first)?.kind == STREAM {
            let (there, back) = (self.direction()?, self.direction()?);
            let state = |input, output, peer| SocketState::Connected { input, output, peer: Some(peer) };
            self.sockets.get_mut(first)?.state = state(back, there, second);
            self.sockets.get_mut(second)?.state = state(there, back, first);
        } else {
            self.sockets.get_mut(first)?.state = SocketState::Datagram { peer: Some(second) };
            self.sockets.get_mut(second)?.state = SocketState::Datagram { peer: Some(first) };
        }
        Ok(())
    }

    /// socketpair(2).
    pub(crate) fn sys_socketpair(&mut self, a: Arguments) -> Done {
        let kind = self.check_socket(a[0], a[1], a[2])?;
        if a[0] as u32 != UNIX {
            return fail(EOPNOTSUPP);
        }
        let (first, second) = (self.new_socket(UNIX, kind)?, self.new_socket(UNIX, kind)?);
        self.join_sockets(first, second)?;
        let one = match self.open_socket(first, a[1]) {
            Ok(one) => one,
            Err(stop) => {
                self.release_socket(second);
                return Err(stop);
            }
        };
        let two = match self.open_socket(second, a[1]) {
            Ok(two) => two,
            Err(stop) => {
                self.close_fd(one as i32)?;
                return Err(stop);
            }
        };
        let mut pair = [0; 8];
        pair[..4].copy_from_slice(&(one as u32).to_le_bytes());
        pair[4..].copy_from_slice(&(two as u32).to_le_bytes());
        if let Err(errno) = self.store(a[3], &pair) {
            self.close_fd(one as i32)?;
            self.close_fd(two as i32)?;
            return fail(errno);
        }
        Ok(0)
    }

    /// The socket behind a descriptor, and whether waits are EAGAIN. EBADF, ENOTSOCK.
    fn socket_of(&self, fd: u64) -> Result<(u32, bool), Errno> {
        let open = self.open_of(fd as i32)?;
        match open.object {
            _ if open.flags & super::transfer::O_PATH != 0 => Err(EBADF),
            Object::Socket(socket) => Ok((socket, open.impatient())),
            _ => Err(ENOTSOCK),
        }
    }

    /// Whether a socket is joined to a pipe.
    pub(super) fn uses_pipe(&self, socket: u32, pipe: u32) -> bool {
        match self.sockets.get(socket).map(|socket| &socket.state) {
            Ok(&SocketState::Connected { input, output, .. }) => input == pipe || output == pipe,
            _ => false,
        }
    }

    /// The pipe that a stream writes to. ENOTCONN.
    pub(super) fn output_of(&self, socket: u32) -> Result<u32, Errno> {
        match self.sockets.get(socket)?.state {
            SocketState::Connected { output, .. } => Ok(output),
            _ => Err(ENOTCONN),
        }
    }

    /// The pipe that a stream reads from. ENOTCONN.
    pub(super) fn input_of(&self, socket: u32) -> Result<u32, Errno> {
        match self.sockets.get(socket)?.state {
            SocketState::Connected { input, .. } => Ok(input),
            _ => Err(ENOTCONN),
        }
    }

    /// Bytes that wait to be read.
    pub(super) fn waiting_bytes(&self, socket: u32) -> Result<u64, Errno> {
        let socket = self.sockets.get(socket)?;
        Ok(match socket.state {
            SocketState::Connected { input, .. } => self.pipes.get(input).map_or(0, |pipe| pipe.bytes.len()),
            SocketState::Datagram { .. } => socket.messages.front().map_or(0, |message| message.bytes.len()),
            SocketState::Listen(..) => return Err(EINVAL),
            SocketState::New => 0,
        } as u64)
    }

    /// What poll(2) says of a socket.
    pub(super) fn socket_ready(&self, id: u32) -> Result<u32, Errno> {
        let socket = self.sockets.get(id)?;
        let when = |condition: bool, events: u32| if condition { events } else { 0 };
        let (reads, writes) = (IN | READ_NORMAL, OUT | WRITE_NORMAL);
        Ok(match &socket.state {
            SocketState::New => when(socket.family == UNIX, OUT | WRITE_NORMAL) | HUP,
            SocketState::Listen(queue, _) => when(!queue.is_empty(), reads),
            SocketState::Connected { input, output, .. } => {
                let ended =
                    socket.shut & 1 != 0 || self.pipes.get(*input).is_ok_and(|pipe| pipe.writers == 0);
                let bytes = self.pipes.get(*input).is_ok_and(|pipe| !pipe.bytes.is_empty());
                let room = self.pipes.get(*output).is_ok_and(|pipe| pipe.size > pipe.bytes.len());
                let gone =
                    self.pipes.get(*output).map_or(true, |pipe| pipe.readers == 0) || socket.shut & 2 != 0;
                when(bytes || ended, reads)
                    | when(ended, READ_HUP)
                    | when(room || gone, writes)
                    | when(ended && gone, HUP)
                    | when(socket.reset, ERR)
            }
            SocketState::Datagram { peer } => {
                let ended = socket.shut & 1 != 0;
                let full = peer.is_some_and(|peer| self.sockets.get(peer).is_ok_and(send::full));
                when(!socket.messages.is_empty() || ended, reads)
                    | when(!full, writes)
                    | when(ended, READ_HUP)
                    | when(socket.shut & 3 == 3 || socket.kind == PACKETS && peer.is_none(), HUP)
                    | when(socket.reset, ERR)
            }
        })
    }

    /// read(2) from a socket.
    pub(super) fn read_socket(&mut self, open: u32, socket: u32, ranges: &[Range]) -> Done {
        let impatient = self.opens.get(open)?.impatient();
        let flags = if impatient { receive::DONTWAIT } else { 0 };
        let got = self.receive_in_time(socket, ranges, flags)?;
        self.doom(got.opens);
        Ok(got.count)
    }

    /// write(2) to a socket.
    pub(super) fn write_socket(&mut self, open: u32, socket: u32, ranges: &[Range]) -> Done {
        let impatient = self.opens.get(open)?.impatient();
        let flags = if impatient { receive::DONTWAIT } else { 0 };
        self.send_in_time(socket, ranges, flags, None, Vec::new())
    }

    /// A port below 1024 is for user 0. EACCES.
    fn may_have_port(&self, port: u16) -> Result<(), Errno> {
        if (1..1024).contains(&port) && self.rights().0 != 0 { Err(EACCES) } else { Ok(()) }
    }
}
