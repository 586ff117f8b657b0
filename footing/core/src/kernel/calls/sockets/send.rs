//! Messages on their way. Source: send(2).

use super::super::total;
use super::address::port;
use super::receive::DONTWAIT;
use super::{BUFFER, DATAGRAM, LOST, PACKETS, Range, UNIX, fail};
use crate::errno::{
    EAGAIN, ECONNREFUSED, EDESTADDRREQ, EISCONN, EMSGSIZE, ENOTCONN, EOPNOTSUPP, EPERM, EPIPE, Errno,
};
use crate::kernel::object::Message;
use crate::kernel::{Done, Info, Kernel, Socket, SocketState, Wait};
use crate::platform::Platform;
use alloc::vec::Vec;

pub(super) const NOSIGNAL: u64 = 0x4000;
const SIGPIPE: i32 = 13;
/// The largest datagram of UDP.
const LARGEST: u64 = 65507;
/// So many messages wait for a reader.
const MOST: usize = 278;

/// So many wait if they come from others than the peer (`net.unix.max_dgram_qlen`).
const MOST_OF_OTHERS: usize = 10;

/// Whether a socket takes no more messages for the time being.
pub(super) fn full(socket: &Socket) -> bool {
    let bytes: usize = socket.messages.iter().map(|message| message.bytes.len() + 256).sum();
    socket.messages.len() >= MOST || bytes > BUFFER
}

/// The same for messages of a socket that is not its peer.
fn full_for_others(socket: &Socket) -> bool {
    socket.family == UNIX && socket.messages.len() > MOST_OF_OTHERS || full(socket)
}

impl<P: Platform> Kernel<P> {
    /// Sends to an address, or to the peer. The descriptions go with the message, or are let go of.
    pub(super) fn send_message(
        &mut self,
        id: u32,
        ranges: &[Range],
        flags: u64,
        to: Option<Vec<u8>>,
        mut opens: Vec<u32>,
    ) -> Done {
        let done = match self.sockets.get(id)?.state {
            SocketState::Connected { .. } if to.is_some() => fail(EISCONN),
            SocketState::Connected { output, peer, .. } => {
                self.send_stream(id, output, peer, ranges, flags, &mut opens)
            }
            SocketState::New | SocketState::Listen(..)
                if to.is_some() && self.sockets.get(id)?.family == UNIX =>
            {
                fail(EOPNOTSUPP)
            }
            SocketState::Datagram { .. } => self.send_datagram(id, ranges, flags, to, &mut opens),
            _ if self.sockets.get(id)?.family == UNIX => fail(ENOTCONN),
            _ => self.broken(flags),
        };
        self.doom(opens);
        done
    }

    fn broken(&mut self, flags: u64) -> Done {
        if flags & NOSIGNAL == 0 {
            self.send_thread(self.current, Info::kernel(SIGPIPE));
        }
        fail(EPIPE)
    }

    fn send_stream(
        &mut self,
        id: u32,
        output: u32,
        peer: Option<u32>,
        ranges: &[Range],
        flags: u64,
        opens: &mut Vec<u32>,
    ) -> Done {
        if self.sockets.get(id)?.shut & 2 != 0 {
            return self.broken(flags);
        }
        let impatient = flags & DONTWAIT != 0;
        let Some(peer) = peer else { return self.transmit(output, impatient, ranges, flags & NOSIGNAL == 0) };
        let pipe = self.pipes.get(output)?;
        let (waiting, room) = (pipe.bytes.len() as u64, pipe.size.saturating_sub(pipe.bytes.len()));
        if opens.is_empty() || pipe.readers == 0 || total(ranges) == 0 {
            return self.transmit(output, impatient, ranges, flags & NOSIGNAL == 0);
        }
        if room == 0 {
            return if impatient { fail(EAGAIN) } else { self.wait(Wait::Pipe(output)) };
        }
        let place = self.sockets.get_mut(peer)?;
        let at = place.received.saturating_add(waiting);
        place.passed.push_back((at, core::mem::take(opens)));
        // It goes as far as there is room, so that descriptions are never sent twice.
        let done = self.transmit(output, true, ranges, flags & NOSIGNAL == 0);
        if done.is_err()
            && let Some((_, back)) = self.sockets.get_mut(peer)?.passed.pop_back()
        {
            *opens = back;
        }
        done
    }

    fn send_datagram(
        &mut self,
        id: u32,
        ranges: &[Range],
        flags: u64,
        to: Option<Vec<u8>>,
        opens: &mut Vec<u32>,
    ) -> Done {
        let size = total(ranges);
        let socket = self.sockets.get(id)?;
        let of = socket.family;
        // Packets go to the peer, whatever address there is.
        let to = to.filter(|_| socket.kind != PACKETS);
        self.take_reset(id)?;
        let socket = self.sockets.get(id)?;
        let SocketState::Datagram { peer } = socket.state else { return fail(ENOTCONN) };
        if socket.kind == PACKETS && peer.is_none() && socket.shut & LOST == 0 {
            return fail(ENOTCONN);
        }
        if size > if of == UNIX { BUFFER as u64 - 32 } else { LARGEST } {
            return fail(EMSGSIZE);
        }
        if socket.shut & 2 != 0 {
            return if of == UNIX { fail(EPIPE) } else { self.broken(flags) };
        }
        let mut bytes = Vec::new();
        for &(start, length) in ranges {
            let before = bytes.len();
            bytes.resize(before + length as usize, 0);
            self.fetch(start, bytes.get_mut(before..).unwrap_or_default())?;
        }
        // Nobody hears it if there is no target.
        let Some(target) = self.target(id, to)? else { return Ok(size) };
        self.bind_self(id)?;
        let there = self.sockets.get(target)?;
        let theirs = match there.state {
            SocketState::Datagram { peer } => peer,
            _ => None,
        };
        if of == UNIX && theirs.is_some_and(|peer| peer != id) {
            return fail(EPERM);
        }
        if of == UNIX && there.shut & 1 != 0 {
            return fail(EPIPE);
        }
        if theirs == Some(id) && full(there) || theirs != Some(id) && full_for_others(there) {
            return match () {
                () if of != UNIX => Ok(size),
                () if flags & DONTWAIT != 0 => fail(EAGAIN),
                () => self.wait(Wait::Any),
            };
        }
        let from = self.sockets.get(id)?.address.clone();
        self.sockets.get_mut(target)?.messages.push_back(Message {
            bytes,
            from,
            opens: core::mem::take(opens),
        });
        self.stir_socket(target);
        Ok(size)
    }

    /// To whom a message goes; none if nobody is there, which the sender does not learn.
    fn target(&mut self, id: u32, to: Option<Vec<u8>>) -> Result<Option<u32>, Errno> {
        let socket = self.sockets.get(id)?;
        let (of, kind) = (socket.family, socket.kind);
        let SocketState::Datagram { peer } = socket.state else { return Err(ENOTCONN) };
        let address = socket.peer_address.clone();
        let lost = socket.shut & LOST != 0;
        match to {
            Some(to) => {
                let to = self.check_address(&to, of)?;
                match self.addressee(&to, of, kind) {
                    Err(ECONNREFUSED) if of != UNIX && port(&to) != 0 => Ok(None),
                    other => other.map(Some),
                }
            }
            None if peer.is_some() => Ok(peer),
            None if lost => {
                let socket = self.sockets.get_mut(id)?;
                socket.shut &= !LOST;
                socket.peer_address.clear();
                Err(ECONNREFUSED)
            }
            None if of == UNIX => Err(ENOTCONN),
            None if address.is_empty() => Err(EDESTADDRREQ),
            None => self.addressee(&address, of, DATAGRAM).map(Some),
        }
    }
}
