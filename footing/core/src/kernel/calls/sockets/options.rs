//! Options of sockets. Source: getsockopt(2), socket(7).

use super::{Arguments, BUFFER, UNIX, fail};
use crate::errno::{EDOM, EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP};
use crate::kernel::{Done, Kernel, SocketState};
use crate::platform::Platform;
use alloc::vec::Vec;

const SOL_SOCKET: u32 = 1;

impl<P: Platform> Kernel<P> {
    /// setsockopt(2): SO_RCVTIMEO and SO_SNDTIMEO; what only tunes is accepted.
    pub(crate) fn sys_setsockopt(&mut self, a: Arguments) -> Done {
        let (id, _) = self.socket_of(a[0])?;
        let (level, name, length) = (a[1] as u32, a[2] as u32, a[4] as i32);
        let of = self.sockets.get(id)?.family;
        if length < 0 {
            return fail(EINVAL);
        }
        match (level, name) {
            (SOL_SOCKET, 20 | 21 | 66 | 67) => self.set_timeout(id, name, a[3], length as u64),
            (SOL_SOCKET, 2 | 5..=10 | 12 | 13 | 15 | 16 | 18 | 19 | 29 | 36) if length < 4 => fail(EINVAL),
            (SOL_SOCKET, 2 | 5..=10 | 12 | 13 | 15 | 16 | 18 | 19 | 29 | 36) => {
                self.get32(a[3]).map_err(|_| EFAULT)?;
                Ok(0)
            }
            (SOL_SOCKET, _) => fail(ENOPROTOOPT),
            (0 | 6 | 17 | 41, _) if of != UNIX => {
                if length >= 4 {
                    self.get32(a[3])?;
                }
                Ok(0)
            }
            _ => fail(EOPNOTSUPP),
        }
    }

    /// SO_RCVTIMEO (20, or 66 with 64 bits) or SO_SNDTIMEO (21, 67) as a `struct timeval`. EDOM for microseconds that are none.
    fn set_timeout(&mut self, id: u32, name: u32, at: u64, length: u64) -> Done {
        let long = if name > 21 { 8 } else { self.long_size() };
        if length < 2 * long {
            return fail(EINVAL);
        }
        let (seconds, rest) = if long == 8 {
            (self.get64(at)? as i64, self.get64(at.wrapping_add(8))? as i64)
        } else {
            (i64::from(self.get32(at)? as i32), i64::from(self.get32(at.wrapping_add(4))? as i32))
        };
        if !(0..1_000_000).contains(&rest) {
            return fail(EDOM);
        }
        let time = (seconds.max(0) as u64).saturating_mul(1_000_000_000).saturating_add(rest as u64 * 1000);
        let place = &mut self.sockets.get_mut(id)?.timeouts;
        // A time before now is no wait at all, which a nanosecond is as well.
        place[usize::from(matches!(name, 21 | 67))] = if seconds < 0 { 1 } else { time };
        Ok(0)
    }

    fn put_timeout(&mut self, a: Arguments, time: u64, length: i32) -> Done {
        let long = if a[2] as u32 > 21 { 8 } else { self.long_size() as usize };
        let (seconds, rest) = (time / 1_000_000_000, time % 1_000_000_000 / 1000);
        let mut bytes = Vec::new();
        for value in [seconds, rest] {
            bytes.extend_from_slice(value.to_le_bytes().get(..long).unwrap_or_default());
        }
        bytes.truncate(length as usize);
        self.store(a[3], &bytes)?;
        self.put32(a[4], bytes.len() as u32)?;
        Ok(0)
    }

    /// getsockopt(2).
    pub(crate) fn sys_getsockopt(&mut self, a: Arguments) -> Done {
        let (id, _) = self.socket_of(a[0])?;
        let socket = self.sockets.get(id)?;
        let of = socket.family;
        let length = self.get32(a[4])? as i32;
        if length < 0 {
            return fail(EINVAL);
        }
        let socket = self.sockets.get(id)?;
        let value: u32 = match (a[1] as u32, a[2] as u32) {
            (SOL_SOCKET, 3) => socket.kind,
            (SOL_SOCKET, 4) => match self.take_reset(id) {
                Err(errno) => errno.0 as u32,
                Ok(()) => 0,
            },
            (SOL_SOCKET, 7 | 8) => BUFFER as u32,
            (SOL_SOCKET, 17) => return self.put_peer(a, length),
            (SOL_SOCKET, name @ (20 | 21 | 66 | 67)) => {
                let time = socket.timeouts[usize::from(matches!(name, 21 | 67))];
                return self.put_timeout(a, time, length);
            }
            // SO_LINGER.
            (SOL_SOCKET, 13) => {
                let size = 8_u64;
                let zeros = [0; 16];
                let size = size.min(length as u64) as usize;
                self.store(a[3], zeros.get(..size).unwrap_or_default())?;
                self.put32(a[4], size as u32)?;
                return Ok(0);
            }
            (SOL_SOCKET, 18 | 19) => 1,
            (SOL_SOCKET, 30) => matches!(socket.state, SocketState::Listen(..)).into(),
            (SOL_SOCKET, 38) => match (of, socket.kind) {
                (UNIX, _) => 0,
                (_, 1) => 6,
                _ => 17,
            },
            (SOL_SOCKET, 39) => of,
            (SOL_SOCKET, 2 | 5 | 6 | 9 | 10 | 12 | 15 | 16 | 29 | 36) => 0,
            (SOL_SOCKET, _) => return fail(ENOPROTOOPT),
            (6, 2) => 65483,
            (0 | 6 | 17 | 41, _) if of != UNIX => 0,
            _ => return fail(EOPNOTSUPP),
        };
        let bytes = value.to_le_bytes();
        let part = bytes.get(..bytes.len().min(length as usize)).unwrap_or_default();
        self.store(a[3], part)?;
        self.put32(a[4], part.len() as u32)?;
        Ok(0)
    }

    /// SO_PEERCRED: all are of one user; the process is the one that asks.
    fn put_peer(&mut self, a: Arguments, length: i32) -> Done {
        let (uid, gid) = self.rights();
        let me = self.me()?.id as u32;
        let mut bytes = [0; 12];
        for (place, value) in bytes.chunks_exact_mut(4).zip([me, uid, gid]) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        let part = bytes.get(..bytes.len().min(length as usize)).unwrap_or_default();
        self.store(a[3], part)?;
        self.put32(a[4], part.len() as u32)?;
        Ok(0)
    }
}
