//! tar, plain or packed. The crate `tar` reads the headers (ustar, GNU); what long names and pax attributes say is read
//! here, with limits. The packing follows from the first bytes. Not taken: sparse files, sizes in pax attributes.

use super::{Builder, Error, show};
use crate::hash;
use formats::compression::{Compression, decompress};
use std::io::{self, BufRead, Read};
use tar::EntryType;

/// Reads a tar, whatever packs it.
pub fn read<'r>(builder: &mut Builder, mut from: impl BufRead + 'r) -> Result<(), Error> {
    let start = |source| Error::Broken { after: "at its start".into(), source };
    let magic = from.fill_buf().map_err(start)?.to_vec();
    if Compression::of(&magic).is_none() && magic.get(257..262) != Some(b"ustar") && !old(&magic) {
        return Err(Error::Unknown);
    }
    let unpacked = decompress(from).map_err(start)?;
    // All bytes count, those of members that nobody picked too.
    let limit = builder.may_read();
    let mut counted = unpacked.take(limit);
    let done = members(builder, &mut counted);
    let drained = done.and_then(|()| {
        let rest = hash::copy(&mut counted, &mut io::sink());
        rest.map_err(|source| Error::Broken { after: "after the last member".into(), source })
    });
    builder.has_read(limit - counted.limit());
    if counted.limit() == 0 { Err(builder.too_large()) } else { drained.map(|_| ()) }
}

/// A header from before ustar: only its checksum tells.
fn old(magic: &[u8]) -> bool {
    let Some(block) = magic.get(..512) else { return false };
    let header = tar::Header::from_byte_slice(block);
    let sum = |range: &[u8]| range.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let found = sum(&block[..148]) + 8 * 32 + sum(&block[156..]);
    found != 8 * 32 && header.cksum().is_ok_and(|expected| expected == found)
}

fn members(builder: &mut Builder, from: &mut impl Read) -> Result<(), Error> {
    let mut after = String::from("at its start");
    let mut archive = tar::Archive::new(from);
    let broken = |after: &str, source| Error::Broken { after: after.into(), source };
    let entries = archive.entries().map_err(|source| broken(&after, source))?;
    let mut long = Long::default();
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(|source| broken(&after, source))?;
        if long.read(&mut entry).map_err(|source| broken(&after, source))? {
            continue;
        }
        let Long { name, target } = std::mem::take(&mut long);
        let name = name.unwrap_or_else(|| entry.path_bytes().into_owned());
        let target = target.or_else(|| Some(entry.link_name_bytes()?.into_owned())).unwrap_or_default();
        after = format!("after member \"{}\"", show(&name));
        let exec = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        match entry.header().entry_type() {
            // A name that ends in a slash is a folder in archives from before ustar.
            EntryType::Regular if name.ends_with(b"/") => builder.folder(&name)?,
            EntryType::Regular | EntryType::Continuous => builder.file(&name, exec, &mut entry)?,
            EntryType::Directory => builder.folder(&name)?,
            EntryType::Symlink => builder.link(&name, &target)?,
            EntryType::Link => builder.hard_link(&name, &target)?,
            EntryType::Char => builder.special(&name, "a character device")?,
            EntryType::Block => builder.special(&name, "a block device")?,
            EntryType::Fifo => builder.special(&name, "a FIFO")?,
            EntryType::GNUSparse => builder.special(&name, "a sparse file in GNU's encoding")?,
            other => builder.special(&name, &format!("of unknown type {:?}", char::from(other.as_byte())))?,
        }
    }
    Ok(())
}

/// Far above PATH_MAX, with room for pax attributes. The crate would take a name of any length into memory.
const LONGEST: u64 = 1 << 20;

/// What headers of their own say about the member that follows.
#[derive(Default)]
struct Long {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl Long {
    /// Whether the entry was such a header.
    fn read(&mut self, entry: &mut tar::Entry<impl Read>) -> io::Result<bool> {
        let kind = entry.header().entry_type();
        let named = kind.is_gnu_longname() || kind.is_gnu_longlink();
        if !named && !kind.is_pax_local_extensions() && !kind.is_pax_global_extensions() {
            return Ok(false);
        }
        let size = entry.header().entry_size()?;
        if size > LONGEST {
            return Err(io::Error::other(format!("an attribute header is longer than {LONGEST} bytes")));
        }
        let mut data = Vec::new();
        if entry.read_to_end(&mut data)? as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match kind {
            EntryType::GNULongName => self.name = Some(until_nul(data)),
            EntryType::GNULongLink => self.target = Some(until_nul(data)),
            // Global ones hold comments; what could matter in them is refused like in the others.
            _ => self.pax(&data, kind.is_pax_global_extensions())?,
        }
        Ok(true)
    }

    fn pax(&mut self, data: &[u8], global: bool) -> io::Result<()> {
        for extension in tar::PaxExtensions::new(data) {
            let extension = extension?;
            let value = extension.value_bytes().to_vec();
            match extension.key_bytes() {
                b"path" if !global => self.name = Some(value),
                b"linkpath" if !global => self.target = Some(value),
                // Two readers that go by different sizes see different members: only what both see is taken.
                key @ (b"path" | b"linkpath" | b"size") => return Err(refused(key)),
                key if key.starts_with(b"GNU.sparse.") => return Err(refused(key)),
                _ => {}
            }
        }
        Ok(())
    }
}

fn refused(key: &[u8]) -> io::Error {
    io::Error::other(format!("the pax attribute {} is not taken", show(key)))
}

fn until_nul(mut data: Vec<u8>) -> Vec<u8> {
    data.truncate(data.iter().position(|byte| *byte == 0).unwrap_or(data.len()));
    data
}
