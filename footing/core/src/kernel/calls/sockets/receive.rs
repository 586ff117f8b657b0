//! Messages that arrive. Source: recv(2).

use super::super::{part, total};
use super::{LOST, PACKETS, Range, UNIX, fail};
use crate::errno::{EAGAIN, EFAULT, EINVAL, ENOTCONN, Errno};
use crate::kernel::{Kernel, SocketState, Stop, Wait};
use crate::platform::Platform;
use alloc::vec::Vec;

pub(super) const PEEK: u64 = 2;
pub(super) const TRUNCATED: u64 = 0x20;
pub(super) const DONTWAIT: u64 = 0x40;
const WAITALL: u64 = 0x100;

/// What was received.
#[derive(Default)]
pub(super) struct Received {
    pub(super) count: u64,
    pub(super) from: Vec<u8>,
    pub(super) opens: Vec<u32>,
    /// The message was longer than there was room.
    pub(super) cut: bool,
}

impl<P: Platform> Kernel<P> {
    /// Receives bytes of a stream or one message.
    pub(super) fn receive_message(
        &mut self,
        id: u32,
        ranges: &[Range],
        flags: u64,
    ) -> Result<Received, Stop> {
        match self.sockets.get(id)?.state {
            SocketState::Connected { input, .. } => self.receive_stream(id, input, ranges, flags),
            SocketState::Datagram { .. } => self.receive_datagram(id, ranges, flags),
            SocketState::Listen(..) | SocketState::New if self.sockets.get(id)?.family == UNIX => {
                fail(EINVAL)
            }
            _ => fail(ENOTCONN),
        }
    }

    fn receive_stream(
        &mut self,
        id: u32,
        input: u32,
        ranges: &[Range],
        flags: u64,
    ) -> Result<Received, Stop> {
        let socket = self.sockets.get(id)?;
        if socket.shut & 1 != 0 || total(ranges) == 0 {
            return Ok(Received::default());
        }
        let (received, impatient) = (socket.received, flags & DONTWAIT != 0);
        // Bytes before and behind descriptors are not read at once.
        let next = socket.passed.iter().map(|passed| passed.0).find(|&at| at > received);
        let most = next.map_or(u64::MAX, |at| at - received);
        let here = socket.passed.front().is_some_and(|passed| passed.0 == received);
        let ranges = part(ranges, 0, most);
        let pipe = self.pipes.get(input)?;
        let all = total(&ranges).min(pipe.size as u64);
        let waits = flags & WAITALL != 0 && flags & PEEK == 0 && !impatient && pipe.writers > 0;
        if waits && (pipe.bytes.len() as u64) < all && next.is_none() {
            return self.wait(Wait::Pipe(input));
        }
        if pipe.bytes.is_empty() {
            self.take_reset(id)?;
        }
        let count = self.receive(input, impatient, &ranges, flags & PEEK == 0)?;
        let socket = self.sockets.get_mut(id)?;
        let mut opens = Vec::new();
        if flags & PEEK == 0 && count > 0 {
            socket.received = socket.received.saturating_add(count);
            if here && let Some((_, passed)) = socket.passed.pop_front() {
                opens = passed;
            }
        }
        Ok(Received { count, opens, ..Received::default() })
    }

    fn receive_datagram(&mut self, id: u32, ranges: &[Range], flags: u64) -> Result<Received, Stop> {
        let socket = self.sockets.get(id)?;
        let SocketState::Datagram { peer } = socket.state else { return fail(ENOTCONN) };
        let packets = socket.kind == PACKETS;
        if packets && peer.is_none() && socket.shut & LOST == 0 {
            return fail(ENOTCONN);
        }
        self.take_reset(id)?;
        let socket = self.sockets.get_mut(id)?;
        let Some(message) = socket.messages.pop_front() else {
            return match () {
                () if packets && socket.shut & 1 != 0 => Ok(Received::default()),
                () if flags & DONTWAIT == 0 && socket.shut & 1 != 0 => Ok(Received::default()),
                () if flags & DONTWAIT != 0 => fail(EAGAIN),
                () => self.wait(Wait::Any),
            };
        };
        let done = self.put_message(&message.bytes, ranges);
        let size = message.bytes.len() as u64;
        let (from, opens) =
            (message.from.clone(), if flags & PEEK == 0 { message.opens.clone() } else { Vec::new() });
        if flags & PEEK != 0 {
            self.sockets.get_mut(id)?.messages.push_front(message);
        } else {
            self.stir_socket(id);
        }
        let count = match done {
            Ok(count) => count,
            Err(errno) => {
                self.doom(opens);
                return fail(errno);
            }
        };
        Ok(Received {
            count: if flags & TRUNCATED != 0 { size } else { count },
            from,
            opens,
            cut: count < size,
        })
    }

    fn put_message(&mut self, bytes: &[u8], ranges: &[Range]) -> Result<u64, Errno> {
        let mut rest = bytes;
        for &(start, length) in ranges {
            let (now, later) = rest.split_at(rest.len().min(length as usize));
            self.store(start, now).map_err(|_| EFAULT)?;
            rest = later;
        }
        Ok((bytes.len() - rest.len()) as u64)
    }
}
