//! Names of sockets and connections. Source: bind(2), listen(2), connect(2), accept(2).

use super::address::{any, family, host, loopback, port, unnamed, with_port};
use super::netlink::NETLINK;
use super::{Arguments, DATAGRAM, INET, INET6, UNIX, fail};
use crate::errno::{
    EACCES, EADDRINUSE, EAGAIN, ECONNREFUSED, EINVAL, EISCONN, ENOENT, EOPNOTSUPP, EPERM, EPROTOTYPE, Errno,
};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel, SocketState, Wait};
use crate::platform::Platform;
use crate::tree::Kind;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The first of the ports that are chosen without being asked for.
const FIRST_PORT: u16 = 32768;

/// The path in an address of UNIX's family; none for one that no file has.
fn unix_path(address: &[u8]) -> Option<&[u8]> {
    let path = address.get(2..)?;
    if path.first().is_none_or(|&byte| byte == 0) {
        return None;
    }
    path.split(|&byte| byte == 0).next()
}

impl<P: Platform> Kernel<P> {
    /// bind(2).
    pub(crate) fn sys_bind(&mut self, a: Arguments) -> Done {
        let (id, _) = self.socket_of(a[0])?;
        let address = self.address_at(a[1], a[2])?;
        let of = self.sockets.get(id)?.family;
        if of == NETLINK {
            return self.bind_netlink(id, &address);
        }
        let address = self.check_address(&address, of)?;
        if of == UNIX {
            return self.bind_unix(id, address);
        }
        self.own_host(&address)?;
        self.may_have_port(port(&address))?;
        if port(&self.sockets.get(id)?.address) != 0 {
            return fail(EINVAL);
        }
        let address = if port(&address) == 0 { self.free_port(id, address)? } else { address };
        let kind = self.sockets.get(id)?.kind;
        if self.bound(of, kind, &address).is_some() {
            return fail(EADDRINUSE);
        }
        self.sockets.get_mut(id)?.address = address;
        Ok(0)
    }

    fn bind_unix(&mut self, id: u32, mut address: Vec<u8>) -> Done {
        let bound = !self.sockets.get(id)?.address.is_empty();
        let kind = self.sockets.get(id)?.kind;
        if bound && address.len() == 2 {
            // It has a name already, which is all that is asked for.
            return Ok(0);
        }
        if address.len() == 2 {
            // A name that no file has, of five digits.
            self.next_port = self.next_port.wrapping_add(1);
            address.push(0);
            let digits = *b"0123456789abcdef";
            for shift in [16_u32, 12, 8, 4, 0] {
                let digit = u32::from(self.next_port) >> shift & 15;
                address.push(digits.get(digit as usize).copied().unwrap_or(b'0'));
            }
        }
        let Some(path) = unix_path(&address).map(<[u8]>::to_vec) else {
            if bound {
                return fail(EINVAL);
            }
            if self.abstract_socket(&address, kind).is_some() {
                return fail(EADDRINUSE);
            }
            self.sockets.get_mut(id)?.address = address;
            return Ok(0);
        };
        let (folder, name) = match self.find_new(AT_FDCWD, &path, false) {
            Err(crate::errno::EEXIST) => return fail(EADDRINUSE),
            other => other?,
        };
        if bound {
            return fail(EINVAL);
        }
        let meta = self.meta(folder, 0o777)?;
        let node = self.tree.add(folder, &name, Kind::Socket(Some(id)), meta)?;
        self.tree.hold(node);
        let mut address = address;
        address.truncate(2 + path.len());
        address.push(0);
        let socket = self.sockets.get_mut(id)?;
        (socket.node, socket.address) = (Some(node), address);
        Ok(0)
    }

    /// The socket of a kind that has a name which no file has.
    fn abstract_socket(&self, address: &[u8], kind: u32) -> Option<u32> {
        self.sockets.numbers().find(|&number| {
            self.sockets.get(number).is_ok_and(|socket| {
                let listens = !matches!(socket.state, SocketState::Connected { .. });
                socket.family == UNIX && socket.kind == kind && socket.address == address && listens
            })
        })
    }

    /// The socket that has an address of the Internet.
    pub(super) fn bound(&self, of: u32, kind: u32, address: &[u8]) -> Option<u32> {
        self.sockets.numbers().find(|&number| {
            self.sockets.get(number).is_ok_and(|socket| {
                let open = !matches!(socket.state, SocketState::Connected { .. });
                let same = any(&socket.address) || any(address) || host(&socket.address) == host(address);
                open && socket.family == of
                    && socket.kind == kind
                    && !socket.address.is_empty()
                    && port(&socket.address) == port(address)
                    && port(address) != 0
                    && same
            })
        })
    }

    /// The same address with a port that nobody has.
    fn free_port(&mut self, id: u32, address: Vec<u8>) -> Result<Vec<u8>, Errno> {
        let (of, kind) = (self.sockets.get(id)?.family, self.sockets.get(id)?.kind);
        for _ in 0..u16::MAX - FIRST_PORT {
            self.next_port = self.next_port.wrapping_add(1) % (60999 - FIRST_PORT);
            let address = with_port(address.clone(), FIRST_PORT + self.next_port);
            if self.bound(of, kind, &address).is_none() {
                return Ok(address);
            }
        }
        Err(EADDRINUSE)
    }

    /// Gives a socket a name of its own before it sends.
    pub(super) fn bind_self(&mut self, id: u32) -> Result<(), Errno> {
        let socket = self.sockets.get(id)?;
        if socket.family == UNIX || port(&socket.address) != 0 {
            return Ok(());
        }
        let address = self.free_port(id, loopback(socket.family, 0))?;
        self.sockets.get_mut(id)?.address = address;
        Ok(())
    }

    /// listen(2).
    pub(crate) fn sys_listen(&mut self, a: Arguments) -> Done {
        let (id, _) = self.socket_of(a[0])?;
        let socket = self.sockets.get(id)?;
        let backlog = (a[1] as u32).min(4096) as usize;
        if socket.kind == DATAGRAM {
            return fail(EOPNOTSUPP);
        }
        match &socket.state {
            SocketState::Connected { .. } => return fail(EINVAL),
            SocketState::Listen(..) => {}
            _ if socket.family == UNIX && socket.address.is_empty() => return fail(EINVAL),
            _ => self.bind_any(id)?,
        }
        match &mut self.sockets.get_mut(id)?.state {
            SocketState::Listen(_, most) => *most = backlog,
            state => *state = SocketState::Listen(VecDeque::new(), backlog),
        }
        Ok(0)
    }

    /// A socket of the Internet that listens without a name gets a port of all hosts.
    fn bind_any(&mut self, id: u32) -> Result<(), Errno> {
        let socket = self.sockets.get(id)?;
        if socket.family != UNIX && port(&socket.address) == 0 {
            let address = self.free_port(id, unnamed(socket.family))?;
            self.sockets.get_mut(id)?.address = address;
        }
        Ok(())
    }

    /// The socket that an address names. ECONNREFUSED, ENOENT, EACCES, ENETUNREACH, EPROTOTYPE.
    pub(super) fn addressee(&mut self, address: &[u8], of: u32, kind: u32) -> Result<u32, Errno> {
        let found = if of != UNIX {
            self.reachable(address)?;
            self.bound(of, kind, address).ok_or(ECONNREFUSED)?
        } else if let Some(path) = unix_path(address) {
            let node = self.node_at(AT_FDCWD, path, true)?;
            let (uid, gid) = self.rights();
            self.tree.may(node, uid, gid, 2).map_err(|_| EACCES)?;
            match self.tree.get(node)?.kind {
                Kind::Socket(Some(socket)) => socket,
                _ => return Err(ECONNREFUSED),
            }
        } else if address.len() > 2 {
            self.abstract_socket(address, kind).ok_or(ECONNREFUSED)?
        } else {
            return Err(EINVAL);
        };
        if self.sockets.get(found).map_err(|_| ENOENT)?.kind == kind { Ok(found) } else { Err(EPROTOTYPE) }
    }

    /// connect(2). A connection is there at once, so EINPROGRESS is never answered.
    pub(crate) fn sys_connect(&mut self, a: Arguments) -> Done {
        let (id, impatient) = self.socket_of(a[0])?;
        let address = self.address_at(a[1], a[2])?;
        let socket = self.sockets.get(id)?;
        let (of, kind) = (socket.family, socket.kind);
        if of == NETLINK {
            // Whatever the address: all goes to the kernel.
            return Ok(0);
        }
        if let SocketState::Connected { .. } = socket.state {
            if of == UNIX {
                // Linux looks for the other one first.
                let address = self.check_address(&address, of)?;
                let there = self.addressee(&address, of, kind)?;
                if !matches!(self.sockets.get(there)?.state, SocketState::Listen(..)) {
                    return fail(ECONNREFUSED);
                }
            }
            return fail(EISCONN);
        }
        if family(&address) == 0 && kind == DATAGRAM {
            let socket = self.sockets.get_mut(id)?;
            socket.state = SocketState::Datagram { peer: None };
            socket.peer_address = Vec::new();
            return Ok(0);
        }
        if matches!(socket.state, SocketState::Listen(..)) {
            return fail(EINVAL);
        }
        let address = self.check_address(&address, of)?;
        if kind == DATAGRAM {
            if of != UNIX {
                self.reachable(&address)?;
                self.bind_self(id)?;
                self.sockets.get_mut(id)?.peer_address = address;
                return Ok(0);
            }
            let peer = self.addressee(&address, of, kind)?;
            if let SocketState::Datagram { peer: Some(other) } = self.sockets.get(peer)?.state
                && other != id
            {
                return fail(EPERM);
            }
            let socket = self.sockets.get_mut(id)?;
            (socket.state, socket.peer_address) = (SocketState::Datagram { peer: Some(peer) }, address);
            return Ok(0);
        }
        self.connect_stream(id, impatient, address)
    }

    fn connect_stream(&mut self, id: u32, impatient: bool, address: Vec<u8>) -> Done {
        let (of, kind) = (self.sockets.get(id)?.family, self.sockets.get(id)?.kind);
        let listener = self.addressee(&address, of, kind)?;
        let SocketState::Listen(queue, most) = &self.sockets.get(listener)?.state else {
            return fail(ECONNREFUSED);
        };
        if self.sockets.get(listener)?.shut & 1 != 0 {
            return fail(ECONNREFUSED);
        }
        if queue.len() > *most {
            let done = if impatient { fail(EAGAIN) } else { self.wait(Wait::Any) };
            return self.timed(id, 1, done, |count| count);
        }
        self.bind_self(id)?;
        let server = self.new_socket(of, kind)?;
        self.join_sockets(id, server)?;
        let client = self.sockets.get_mut(id)?;
        client.peer_address = if of == UNIX { address.clone() } else { reached(&address) };
        let own = client.address.clone();
        let there = if of == UNIX { self.sockets.get(listener)?.address.clone() } else { reached(&address) };
        let place = self.sockets.get_mut(server)?;
        (place.address, place.peer_address) = (there, own);
        if let SocketState::Listen(queue, _) = &mut self.sockets.get_mut(listener)?.state {
            queue.push_back(server);
        }
        self.stir_socket(listener);
        Ok(0)
    }
}

/// The host that an address leads to: all hosts are the loopback device.
fn reached(address: &[u8]) -> Vec<u8> {
    match family(address) {
        of @ (INET | INET6) if any(address) => loopback(of, port(address)),
        _ => address.to_vec(),
    }
}
