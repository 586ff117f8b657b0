//! tar, plain or packed. The crate `tar` reads headers (ustar, GNU, pax); packing is told by the first bytes.

use super::{Builder, Error, show};
use crate::inputs::hash;
use std::io::{self, BufRead, Read};
use tar::EntryType;

/// Reads a tar, whatever packs it.
pub fn read<'r>(builder: &mut Builder, mut from: impl BufRead + 'r) -> Result<(), Error> {
    let start = |source| Error::Broken { after: "at its start".into(), source };
    let magic = from.fill_buf().map_err(start)?.to_vec();
    let unpacked: Box<dyn Read + 'r> = match &magic[..] {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(from)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(from)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Box::new(xz2::bufread::XzDecoder::new_multi_decoder(from)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Box::new(zstd::stream::read::Decoder::with_buffer(from).map_err(start)?)
        }
        _ if magic.get(257..262) == Some(b"ustar") || old(&magic) => Box::new(from),
        _ => return Err(Error::Unknown),
    };
    // All bytes count, those of members that nobody picked too; the room for headers is on top.
    let limit = builder.room().saturating_add(builder.room() / 4).saturating_add(1 << 20);
    let mut counted = unpacked.take(limit);
    let done = members(builder, &mut counted);
    let drained = done.and_then(|()| {
        let rest = hash::copy(&mut counted, &mut io::sink());
        rest.map_err(|source| Error::Broken { after: "after the last member".into(), source })
    });
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
    for entry in archive.entries().map_err(|source| Error::Broken { after: after.clone(), source })? {
        let mut entry = entry.map_err(|source| Error::Broken { after: after.clone(), source })?;
        let name = entry.path_bytes().into_owned();
        after = format!("after member \"{}\"", show(&name));
        let exec = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        let target = entry.link_name_bytes().map(|target| target.into_owned()).unwrap_or_default();
        match entry.header().entry_type() {
            // A name that ends in a slash is a folder in archives from before ustar.
            EntryType::Regular if name.ends_with(b"/") => builder.folder(&name)?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                builder.file(&name, exec, &mut entry)?;
            }
            EntryType::Directory => builder.folder(&name)?,
            EntryType::Symlink => builder.link(&name, &target)?,
            EntryType::Link => builder.hard_link(&name, &target)?,
            EntryType::XGlobalHeader => {}
            EntryType::Char => builder.special(&name, "a character device")?,
            EntryType::Block => builder.special(&name, "a block device")?,
            EntryType::Fifo => builder.special(&name, "a FIFO")?,
            other => builder.special(&name, &format!("of unknown type {:?}", char::from(other.as_byte())))?,
        }
    }
    Ok(())
}
