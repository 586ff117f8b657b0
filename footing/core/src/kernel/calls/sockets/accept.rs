//! Connections that are taken, and who is at their ends. Source: accept(2), getsockname(2), getpeername(2).

use super::address::unnamed;
use super::{Arguments, DATAGRAM, O_CLOEXEC, O_NONBLOCK, UNIX, fail};
use crate::errno::{EAGAIN, EINVAL, ENOTCONN, EOPNOTSUPP};
use crate::kernel::{Done, Kernel, SocketState, Wait};
use crate::platform::Platform;

impl<P: Platform> Kernel<P> {
    /// accept(2).
    pub(crate) fn sys_accept(&mut self, a: Arguments) -> Done {
        self.accept(a[0], a[1], a[2], 0)
    }

    /// accept4(2).
    pub(crate) fn sys_accept4(&mut self, a: Arguments) -> Done {
        if a[3] & !(O_NONBLOCK | O_CLOEXEC) & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        self.accept(a[0], a[1], a[2], a[3])
    }

    fn accept(&mut self, fd: u64, at: u64, length_at: u64, flags: u64) -> Done {
        let (id, impatient) = self.socket_of(fd)?;
        let socket = self.sockets.get_mut(id)?;
        if socket.kind == DATAGRAM {
            return fail(EOPNOTSUPP);
        }
        let (of, shut) = (socket.family, socket.shut & 1 != 0);
        let SocketState::Listen(queue, _) = &mut socket.state else { return fail(EINVAL) };
        let Some(server) = queue.pop_front() else {
            let done = match () {
                () if shut => fail(EINVAL),
                () if impatient => fail(EAGAIN),
                () => self.wait(Wait::Any),
            };
            return self.timed(id, 0, done, |count| count);
        };
        self.stir_socket(id);
        let fd = self.open_socket(server, flags)?;
        if at != 0 {
            let peer = self.sockets.get(server)?.peer_address.clone();
            let peer = if peer.is_empty() { unnamed(of) } else { peer };
            if let Err(errno) = self.put_address(at, length_at, &peer) {
                self.close_fd(fd as i32)?;
                return fail(errno);
            }
        }
        Ok(fd)
    }

    /// getsockname(2).
    pub(crate) fn sys_getsockname(&mut self, a: Arguments) -> Done {
        let (id, _) = self.socket_of(a[0])?;
        let socket = self.sockets.get(id)?;
        let address = if socket.address.is_empty() { unnamed(socket.family) } else { socket.address.clone() };
        self.put_address(a[1], a[2], &address)?;
        Ok(0)
    }

    /// getpeername(2).
    pub(crate) fn sys_getpeername(&mut self, a: Arguments) -> Done {
        let (id, _) = self.socket_of(a[0])?;
        let socket = self.sockets.get(id)?;
        let connected = match socket.state {
            SocketState::Connected { peer, .. } => peer.is_some() || socket.family != UNIX,
            SocketState::Datagram { peer } => peer.is_some() || !socket.peer_address.is_empty(),
            _ => false,
        };
        if !connected {
            return fail(ENOTCONN);
        }
        let peer = socket.peer_address.clone();
        let peer = if peer.is_empty() { unnamed(socket.family) } else { peer };
        self.put_address(a[1], a[2], &peer)?;
        Ok(0)
    }
}
