//! How long a socket waits, and what it learns of its peer's end. Source: socket(7) "SO_RCVTIMEO", "SO_ERROR".

use super::{Range, fail, netlink, receive};
use crate::errno::{EAGAIN, ECONNRESET, Errno};
use crate::kernel::{Done, Kernel, Stop};
use crate::platform::Platform;
use alloc::vec::Vec;

impl<P: Platform> Kernel<P> {
    /// ECONNRESET, once, after the peer went without reading all.
    pub(super) fn take_reset(&mut self, id: u32) -> Result<(), Errno> {
        let socket = self.sockets.get_mut(id)?;
        if core::mem::take(&mut socket.reset) { Err(ECONNRESET) } else { Ok(()) }
    }

    /// Ends a wait by SO_RCVTIMEO (0) or SO_SNDTIMEO (1): EAGAIN, or what was sent so far.
    pub(super) fn timed<T>(
        &mut self,
        id: u32,
        which: usize,
        done: Result<T, Stop>,
        so_far: fn(u64) -> T,
    ) -> Result<T, Stop> {
        let timeout = self.sockets.get(id).map_or(0, |socket| socket.timeouts[which & 1]);
        if timeout == 0 || !matches!(done, Err(Stop::BLOCK)) {
            return done;
        }
        if self.expired() {
            return match self.thread()?.progress {
                0 => fail(EAGAIN),
                progress => Ok(so_far(progress)),
            };
        }
        self.wait_until(Some(self.now.saturating_add(timeout)));
        done
    }

    pub(super) fn receive_in_time(
        &mut self,
        id: u32,
        ranges: &[Range],
        flags: u64,
    ) -> Result<receive::Received, Stop> {
        let done = self.receive_message(id, ranges, flags);
        self.timed(id, 0, done, |count| receive::Received { count, ..Default::default() })
    }

    pub(super) fn send_in_time(
        &mut self,
        id: u32,
        ranges: &[Range],
        flags: u64,
        to: Option<Vec<u8>>,
        opens: Vec<u32>,
    ) -> Done {
        if self.sockets.get(id)?.family == netlink::NETLINK {
            self.doom(opens);
            return self.netlink_request(id, ranges);
        }
        let done = self.send_message(id, ranges, flags, to, opens);
        self.timed(id, 1, done, |count| count)
    }
}
