//! Memory of the thread whose call is answered. No address and no length that it hands over is trusted.

use super::Kernel;
use crate::errno::{EFAULT, EINVAL, ENAMETOOLONG, Errno};
use crate::platform::Platform;
use alloc::vec::Vec;

/// Linux moves at most so many bytes in one call (`MAX_RW_COUNT`).
pub(crate) const MAX_MOVE: u64 = 0x7fff_f000;

impl<P: Platform> Kernel<P> {
    /// Copies out as many bytes as can be read.
    pub(crate) fn fetch_some(&mut self, at: u64, to: &mut [u8]) -> usize {
        let Ok(id) = self.me().map(|process| process.space) else { return 0 };
        let Ok(space) = self.spaces.get_mut(id) else { return 0 };
        self.platform.read(&mut space.space, at, to)
    }

    /// Copies out. EFAULT.
    pub(crate) fn fetch(&mut self, at: u64, to: &mut [u8]) -> Result<(), Errno> {
        if self.fetch_some(at, to) == to.len() { Ok(()) } else { Err(EFAULT) }
    }

    /// Copies in as many bytes as can be written.
    pub(crate) fn store_some(&mut self, at: u64, from: &[u8]) -> usize {
        let Ok(id) = self.me().map(|process| process.space) else { return 0 };
        let Ok(space) = self.spaces.get_mut(id) else { return 0 };
        self.platform.write(&mut space.space, at, from)
    }

    /// Copies in. EFAULT.
    pub(crate) fn store(&mut self, at: u64, from: &[u8]) -> Result<(), Errno> {
        if self.store_some(at, from) == from.len() { Ok(()) } else { Err(EFAULT) }
    }

    /// So many bytes, of which there are never many: EINVAL above a mebibyte.
    pub(crate) fn take(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Errno> {
        if length > 1 << 20 {
            return Err(EINVAL);
        }
        let mut bytes = alloc::vec![0; length as usize];
        self.fetch(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Text up to its NUL, at most so many bytes. EFAULT, or the error that is handed in.
    pub(crate) fn text(&mut self, mut at: u64, most: usize, long: Errno) -> Result<Vec<u8>, Errno> {
        let mut text = Vec::new();
        let mut part = [0; 256];
        loop {
            // Never over a page's end at once: the next page may not be there.
            let length = part.len().min((4096 - at % 4096) as usize);
            let part = part.get_mut(..length).unwrap_or_default();
            let got = self.fetch_some(at, part);
            if got == 0 {
                return Err(EFAULT);
            }
            let part = part.get(..got).unwrap_or_default();
            let end = part.iter().position(|&byte| byte == 0);
            text.extend_from_slice(part.get(..end.unwrap_or(got)).unwrap_or_default());
            if text.len() > most {
                return Err(long);
            }
            if end.is_some() {
                return Ok(text);
            }
            at = at.checked_add(got as u64).ok_or(EFAULT)?;
        }
    }

    /// A path. EFAULT, ENAMETOOLONG.
    pub(crate) fn path(&mut self, at: u64) -> Result<Vec<u8>, Errno> {
        self.text(at, 4095, ENAMETOOLONG)
    }

    pub(crate) fn get64(&mut self, at: u64) -> Result<u64, Errno> {
        let mut bytes = [0; 8];
        self.fetch(at, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(crate) fn get32(&mut self, at: u64) -> Result<u32, Errno> {
        let mut bytes = [0; 4];
        self.fetch(at, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    pub(crate) fn put64(&mut self, at: u64, value: u64) -> Result<(), Errno> {
        self.store(at, &value.to_le_bytes())
    }

    pub(crate) fn put32(&mut self, at: u64, value: u32) -> Result<(), Errno> {
        self.store(at, &value.to_le_bytes())
    }

    /// Bytes of a `long` or a pointer.
    pub(crate) fn long_size(&self) -> u64 {
        if self.compat { 4 } else { 8 }
    }

    /// The `long` or pointer with this number in an array.
    pub(crate) fn get_long(&mut self, at: u64, index: u64) -> Result<u64, Errno> {
        let at =
            index.checked_mul(self.long_size()).and_then(|offset| at.checked_add(offset)).ok_or(EFAULT)?;
        if self.compat { self.get32(at).map(u64::from) } else { self.get64(at) }
    }

    /// The signed `long` with this number in an array.
    pub(crate) fn get_signed(&mut self, at: u64, index: u64) -> Result<i64, Errno> {
        let value = self.get_long(at, index)?;
        Ok(if self.compat { i64::from(value as i32) } else { value as i64 })
    }

    /// Copies an array of `long`s in.
    pub(crate) fn put_longs(&mut self, at: u64, values: &[u64]) -> Result<(), Errno> {
        let mut bytes = Vec::with_capacity(values.len().saturating_mul(8));
        for value in values {
            if self.compat {
                bytes.extend_from_slice(&(*value as u32).to_le_bytes());
            } else {
                bytes.extend_from_slice(&value.to_le_bytes());
            }
        }
        self.store(at, &bytes)
    }

    /// A `struct timespec` or `timeval` whose second member has this many parts a second, in nanoseconds. EINVAL, EFAULT.
    pub(crate) fn get_time(&mut self, at: u64, parts: i64) -> Result<u64, Errno> {
        let (seconds, rest) = (self.get_signed(at, 0)?, self.get_signed(at, 1)?);
        if seconds < 0 || !(0..parts).contains(&rest) {
            return Err(EINVAL);
        }
        let rest = (rest * (1_000_000_000 / parts)) as u64;
        Ok((seconds as u64).saturating_mul(1_000_000_000).saturating_add(rest))
    }

    /// A time in nanoseconds as such a structure.
    pub(crate) fn put_time(&mut self, at: u64, time: i64, parts: i64) -> Result<(), Errno> {
        let seconds = time.div_euclid(1_000_000_000);
        let rest = time.rem_euclid(1_000_000_000) / (1_000_000_000 / parts);
        self.put_longs(at, &[seconds as u64, rest as u64])
    }
}
