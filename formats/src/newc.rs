//! The newc archive format, as far as an image needs it: pure, no I/O.
//!
//! # Encoding
//! ASCII numbers in upper-case hexadecimal, eight digits each; everything is padded to four bytes with zeros.
//!
//! # Grammar
//! ```text
//! archive = entry* trailer
//! entry   = header name NUL pad data pad
//! header  = "070701" ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
//! trailer = an entry of the name "TRAILER!!!" without data, with nlink 1 and all else 0
//! ```
//! `namesize` counts the NUL; header, name and NUL are padded together; `check` is zero in newc. The data of a
//! symbolic link is its target.
//!
//! # Restrictions
//! - Sizes and inode numbers have 32 bits ([`crate::Archive`] refuses more).
//! - The kernel skips, without a message, an entry whose name with its NUL, or whose link target, is longer than
//!   PATH_MAX (4096): `init/initramfs.c`, `do_header` and `do_symlink` ([`crate::Archive`] refuses them).
//! - A directory stands before what is in it: the kernel makes no parents ([`crate::read::canonical`] checks).
//!
//! Sources: the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst` and `init/initramfs.c`.

/// What every header starts with.
pub const MAGIC: &[u8; 6] = b"070701";
/// The length of a header.
pub const HEADER: usize = 110;
/// The name of the last entry.
pub const TRAILER: &[u8] = b"TRAILER!!!";
/// The longest name the kernel takes, without its NUL.
pub const NAME_LIMIT: usize = 4095;
/// The longest target of a symbolic link: PATH_MAX less the NUL that Linux counts in it.
pub const TARGET_LIMIT: usize = 4095;

/// A directory that can be listed and entered, and not written.
pub const DIRECTORY: u32 = 0o040_555;
/// A plain file.
pub const FILE: u32 = 0o100_444;
/// A file that can be executed.
pub const EXECUTABLE: u32 = 0o100_555;
/// A symbolic link; Linux knows no other mode for one.
pub const SYMLINK: u32 = 0o120_777;
/// The bits of a mode that say what an entry is.
pub const TYPE: u32 = 0o170_000;

/// The fields of a header, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the format's own names, explained above")]
pub struct Header {
    pub ino: u32,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub nlink: u32,
    pub mtime: u32,
    pub filesize: u32,
    pub devmajor: u32,
    pub devminor: u32,
    pub rdevmajor: u32,
    pub rdevminor: u32,
    pub namesize: u32,
    pub check: u32,
}

/// The names of the fields, for messages.
pub const FIELDS: [&str; 13] = [
    "ino",
    "mode",
    "uid",
    "gid",
    "nlink",
    "mtime",
    "filesize",
    "devmajor",
    "devminor",
    "rdevmajor",
    "rdevminor",
    "namesize",
    "check",
];

impl Header {
    /// The header of an entry whose owner, times and devices say nothing about the host.
    pub fn canonical(ino: u32, mode: u32, filesize: u32, namesize: u32) -> Self {
        let nlink = if mode & TYPE == DIRECTORY & TYPE { 2 } else { 1 };
        Self { ino, mode, nlink, mtime: 1, filesize, namesize, ..Self::default() }
    }

    /// The last entry's header.
    pub fn trailer() -> Self {
        Self { nlink: 1, namesize: TRAILER.len() as u32 + 1, ..Self::default() }
    }

    /// The fields in the order in which they are written.
    pub fn fields(&self) -> [u32; 13] {
        self.clone().each().map(|field| *field)
    }

    /// The inverse of [`Header::fields`].
    pub fn from_fields(fields: [u32; 13]) -> Self {
        let mut header = Self::default();
        for (field, value) in header.each().into_iter().zip(fields) {
            *field = value;
        }
        header
    }

    fn each(&mut self) -> [&mut u32; 13] {
        [
            &mut self.ino,
            &mut self.mode,
            &mut self.uid,
            &mut self.gid,
            &mut self.nlink,
            &mut self.mtime,
            &mut self.filesize,
            &mut self.devmajor,
            &mut self.devminor,
            &mut self.rdevmajor,
            &mut self.rdevminor,
            &mut self.namesize,
            &mut self.check,
        ]
    }

    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        for (field, digits) in self.fields().iter().zip(bytes[MAGIC.len()..].chunks_exact_mut(8)) {
            for (i, digit) in digits.iter_mut().enumerate() {
                *digit = b"0123456789ABCDEF"[(field >> (28 - 4 * i)) as usize & 15];
            }
        }
        bytes
    }
}

/// How many zeros follow `length` bytes.
pub fn padding(length: u64) -> usize {
    (length.wrapping_neg() & 3) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_what_gnu_cpio_writes() {
        let header = Header::canonical(1, FILE, 5, 6);
        let text = "07070100000001000081240000000000000000000000010000000100000005\
                    00000000000000000000000000000000000000060000000";
        assert_eq!(std::str::from_utf8(&header.encode()).unwrap(), std::format!("{text}0"));
        assert_eq!(Header::from_fields(header.fields()), header);
    }

    #[test]
    fn padding_reaches_the_next_multiple_of_four() {
        assert_eq!([0, 1, 2, 3, 4, 5].map(padding), [0, 3, 2, 1, 0, 3]);
    }
}
