//! Descriptors that messages carry. Source: unix(7) "Ancillary messages", cmsg(3).

use crate::errno::{EINVAL, Errno};
use crate::kernel::Kernel;
use crate::platform::Platform;
use alloc::vec::Vec;

const SOL_SOCKET: u32 = 1;
const SCM_RIGHTS: u32 = 1;
const SCM_CREDENTIALS: u32 = 2;
/// No message carries more descriptors (`SCM_MAX_FD`).
const MOST: usize = 253;
const LARGEST: u64 = 1 << 16;

impl<P: Platform> Kernel<P> {
    /// The descriptions that control data names, each with one use more. EINVAL, EBADF.
    pub(super) fn passed(&mut self, at: u64, length: u64) -> Result<Vec<u32>, Errno> {
        let mut opens = Vec::new();
        match self.parse_control(at, length, &mut opens) {
            Ok(()) => Ok(opens),
            Err(errno) => {
                for open in opens {
                    self.release_open(open);
                }
                Err(errno)
            }
        }
    }

    fn parse_control(&mut self, at: u64, length: u64, opens: &mut Vec<u32>) -> Result<(), Errno> {
        let word = self.long_size() as usize;
        let head = word + 8;
        if length > LARGEST {
            return Err(EINVAL);
        }
        let bytes = self.take(at, length)?;
        let mut rest = bytes.as_slice();
        while rest.len() >= head {
            let number = |at: usize| -> u32 {
                rest.get(at..at + 4)
                    .map_or(0, |bytes| bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
            };
            let size = number(0) as usize;
            let (level, kind) = (number(word), number(word + 4));
            let data = rest.get(head..size).ok_or(EINVAL)?;
            match (level, kind) {
                (SOL_SOCKET, SCM_RIGHTS) => {
                    for fd in data.chunks_exact(4) {
                        let fd = i32::from_le_bytes([fd[0], fd[1], fd[2], fd[3]]);
                        if opens.len() >= MOST {
                            return Err(EINVAL);
                        }
                        opens.push(self.share_open(fd)?);
                    }
                }
                (SOL_SOCKET, SCM_CREDENTIALS) => {}
                (SOL_SOCKET, _) => return Err(EINVAL),
                _ => {}
            }
            rest = rest.get(size.next_multiple_of(word)..).unwrap_or_default();
        }
        Ok(())
    }

    /// Installs descriptions and writes their control data; its length, and whether some had no room.
    pub(super) fn deliver_opens(
        &mut self,
        at: u64,
        length: u64,
        opens: Vec<u32>,
        cloexec: bool,
    ) -> Result<(u64, bool), Errno> {
        let word = self.long_size();
        let head = word + 8;
        let room = length.saturating_sub(head) / 4;
        if opens.is_empty() {
            return Ok((0, false));
        }
        let mut fds = Vec::new();
        let mut left = Vec::new();
        for open in opens {
            if (fds.len() as u64) < room && left.is_empty() {
                match self.install(open, 0, cloexec) {
                    Ok(fd) => fds.push(fd as u32),
                    Err(_) => break,
                }
            } else {
                left.push(open);
            }
        }
        let cut = !left.is_empty() || fds.is_empty();
        self.doom(left);
        if fds.is_empty() {
            return Ok((0, cut));
        }
        let size = head + 4 * fds.len() as u64;
        self.put_longs(at, &[size])?;
        self.put32(at + word, SOL_SOCKET)?;
        self.put32(at + word + 4, SCM_RIGHTS)?;
        for (index, fd) in fds.iter().enumerate() {
            self.put32(at + head + 4 * index as u64, *fd)?;
        }
        Ok((size.next_multiple_of(word).min(length), cut))
    }
}
