//! The header of a bootable disk: one sector that says where kernel and image lie, and how they are started.
//!
//! It stands in the second sector of the disk, where the BIOS's loader finds it, and once more in the file `GROUNDUP/HEADER` of
//! its file system, where UEFI's does. All numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0 to 7 | [`MAGIC`] |
//! | 8 to 15 | [`VERSION`] |
//! | 16 to 31 | the kernel: its first sector, its size in bytes |
//! | 32 to 47 | the image: the same |
//! | 48 to 79 | the kernel's sha256 |
//! | 80 to 511 | the command line of a kernel that has one, with zeros behind it; the last byte is zero |
//!
//! The hash is there to find a disk that reads wrongly. Whoever can write to the disk can change it too.

use crate::hex::Digest;

/// Bytes of a sector, and of the header.
pub const SECTOR: usize = 512;
/// The sector in which the header stands.
pub const PLACE: u64 = 1;
/// How it begins.
pub const MAGIC: &[u8; 8] = b"groundup";
/// The version of this layout.
pub const VERSION: u64 = 1;
/// Bytes of the longest command line.
pub const LONGEST_LINE: usize = SECTOR - LINE - 1;

const LINE: usize = 80;

/// Something on the disk, which lies in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its first sector.
    pub sector: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The kernel: an ELF file that boots by PVH, or a bzImage.
    pub kernel: Extent,
    /// The image: a newc archive.
    pub image: Extent,
    /// Of the kernel's bytes.
    pub kernel_hash: Digest,
    /// The kernel's command line, without a zero.
    pub line: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads one; none if this is no header of this version, or one that contradicts itself.
    pub fn read(sector: &'a [u8; SECTOR]) -> Option<Header<'a>> {
        let number = |at: usize| Some(u64::from_le_bytes(*sector.get(at..)?.first_chunk()?));
        if !sector.starts_with(MAGIC) || number(8)? != VERSION {
            return None;
        }
        let extent = |at| {
            let extent = Extent { sector: number(at)?, bytes: number(at + 8)? };
            let sectors = extent.bytes.div_ceil(SECTOR as u64);
            (extent.bytes > 0 && extent.sector.checked_add(sectors).is_some()).then_some(extent)
        };
        let line = &sector[LINE..];
        let end = line.iter().position(|&byte| byte == 0)?;
        Some(Header {
            kernel: extent(16)?,
            image: extent(32)?,
            kernel_hash: *sector[48..].first_chunk()?,
            line: &line[..end],
        })
    }

    /// Writes it; none if the command line is too long or holds a zero.
    pub fn write(&self) -> Option<[u8; SECTOR]> {
        let mut sector = [0; SECTOR];
        sector[..8].copy_from_slice(MAGIC);
        let numbers = [VERSION, self.kernel.sector, self.kernel.bytes, self.image.sector, self.image.bytes];
        for (place, number) in sector[8..48].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        sector[48..LINE].copy_from_slice(&self.kernel_hash);
        if self.line.len() > LONGEST_LINE || self.line.contains(&0) {
            return None;
        }
        sector[LINE..LINE + self.line.len()].copy_from_slice(self.line);
        Some(sector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header<'_> = Header {
        kernel: Extent { sector: 2048, bytes: 1000 },
        image: Extent { sector: 2050, bytes: 1 << 33 },
        kernel_hash: [7; 32],
        line: b"console=ttyS0",
    };

    #[test]
    fn what_is_written_is_read() {
        let sector = HEADER.write().unwrap();
        assert_eq!(Header::read(&sector), Some(HEADER));
        assert_eq!(Header { line: &[b'x'; LONGEST_LINE + 1], ..HEADER }.write(), None);
        assert!(Header { line: &[b'x'; LONGEST_LINE], ..HEADER }.write().is_some());
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let good = HEADER.write().unwrap();
        for (at, byte) in [(0, 0), (8, 2), (511, 1)] {
            let mut bad = good;
            bad[at] = byte;
            if at == 511 {
                bad[80..].fill(b'x');
            }
            assert_eq!(Header::read(&bad), None, "{at}");
        }
        let none = Header { image: Extent { sector: 1, bytes: 0 }, ..HEADER };
        assert_eq!(Header::read(&none.write().unwrap()), None);
    }
}
