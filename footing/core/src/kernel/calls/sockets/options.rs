//! Options of sockets. Source: getsockopt(2), socket(7).

use super::{Arguments, BUFFER, UNIX, fail};
use crate::errno::{EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP};
use crate::kernel::{Done, Kernel, SocketState};
use crate::platform::Platform;

const SOL_SOCKET: u32 = 1;

impl<P: Platform> Kernel<P> {
    /// setsockopt(2): what only tunes is accepted; timeouts are not kept.
    pub(crate) fn sys_setsockopt(&mut self, a: Arguments) -> Done {
        let (id, _) = self.socket_of(a[0])?;
        let (level, name, length) = (a[1] as u32, a[2] as u32, a[4] as i32);
        let of = self.sockets.get(id)?.family;
        if length < 0 {
            return fail(EINVAL);
        }
        match (level, name) {
            (SOL_SOCKET, 2 | 5..=10 | 12 | 13 | 15 | 16 | 18 | 19 | 29 | 36 | 66 | 67) if length < 4 => {
                fail(EINVAL)
            }
            (SOL_SOCKET, 2 | 5..=10 | 12 | 13 | 15 | 16 | 18..=21 | 29 | 36 | 66 | 67) => {
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
            (SOL_SOCKET, 4) => 0,
            (SOL_SOCKET, 7 | 8) => BUFFER as u32,
            (SOL_SOCKET, 17) => return self.put_peer(a, length),
            (SOL_SOCKET, 20 | 21 | 13) => {
                let size = 2 * self.long_size();
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
