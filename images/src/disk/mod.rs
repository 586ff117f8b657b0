//! A disk that boots: boot record, header and loader for a BIOS, and one FAT file system with a loader for UEFI, kernel and image.
//!
//! | sectors | what |
//! |---|---|
//! | 0 | the boot record, with one partition of type EF, which UEFI takes for its own |
//! | 1 | the [header](formats::disk) |
//! | 2 to 63 | the BIOS's loader |
//! | from 2048 on | the file system: `GROUNDUP/HEADER`, `KERNEL`, `IMAGE`, and for UEFI `EFI/BOOT/BOOTX64.EFI` |
//!
//! Same kernel, same image, same bytes. Kernel and image lie in one piece each, so that the BIOS's loader needs no file system.

mod fat;
mod program;

use fat::Node;
use formats::digest::Sha256;
use formats::disk::{Extent, Header, PLACE, SECTOR};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// The first sector of the partition: 1 MiB, as is usual.
const START: u32 = 2048;
/// Sectors of the boot record, the header and the BIOS's loader.
const LOADER: usize = 64;

/// What is put on a disk.
#[derive(Clone, Copy, Debug)]
pub struct Disk<'a> {
    /// An ELF file that boots by PVH.
    pub kernel: &'a [u8],
    /// Its command line.
    pub line: &'a str,
    /// Numbers that tell this disk from others.
    pub id: u32,
    /// Bytes of the image.
    pub image: u64,
}

/// Why a disk could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// FAT has 32 bits for a file's size.
    #[error("an image of {0} bytes; a disk holds one of at most {max} bytes", max = fat::LARGEST)]
    TooLarge(u64),
    /// The header has room for so much.
    #[error("a command line of {0} bytes; a disk holds one of at most {max} bytes", max = formats::disk::LONGEST_LINE)]
    Line(usize),
    /// The kernel can't be started by the loaders.
    #[error("the disk's loaders can't start this kernel: {0}")]
    Kernel(&'static str),
    /// The disk's file took no more, or the image could not be read.
    #[error("writing the disk: {0}")]
    Io(#[from] io::Error),
}

/// Writes a disk to a file that is empty. What is not written is a hole. Returns the disk's size in bytes.
pub fn write(disk: &Disk<'_>, image: &mut impl Read, out: &mut (impl Write + Seek)) -> Result<u64, Error> {
    if footing_boot::elf::Elf::read(disk.kernel).is_none() {
        return Err(Error::Kernel("it is no ELF file that boots by PVH"));
    }
    let files = vec![
        Node::File("HEADER", SECTOR as u64),
        Node::File("KERNEL", disk.kernel.len() as u64),
        Node::File("IMAGE", disk.image),
    ];
    let uefi = program::portable(crate::UEFI);
    let boot = Node::Folder("BOOT", vec![Node::File("BOOTX64.EFI", uefi.len() as u64)]);
    let root = [Node::Folder("EFI", vec![boot]), Node::Folder("GROUNDUP", files)];
    let volume = fat::volume(&root, b"GROUNDUP   ", disk.id, START).ok_or(Error::TooLarge(disk.image))?;
    let placed = |file: &Extent| Extent { sector: file.sector + u64::from(START), bytes: file.bytes };
    let [uefi_file, header_file, kernel, image_file] =
        <[Extent; 4]>::try_from(volume.files.iter().map(placed).collect::<Vec<_>>())
            .map_err(|_| Error::TooLarge(disk.image))?;
    let kernel_hash = *Sha256::of(disk.kernel).bytes();
    let header = Header { kernel, image: image_file, kernel_hash, line: disk.line.as_bytes() };
    let header = header.write().ok_or(Error::Line(disk.line.len()))?;
    let sectors = u32::try_from(volume.sectors).map_err(|_| Error::TooLarge(disk.image))?;

    let mut put = |sector: u64, bytes: &[u8]| {
        out.seek(SeekFrom::Start(sector * SECTOR as u64))?;
        out.write_all(bytes)
    };
    put(0, &loader(disk.id, sectors))?;
    put(PLACE, &header)?;
    for (sector, bytes) in &volume.pieces {
        put(u64::from(START) + sector, bytes)?;
    }
    put(uefi_file.sector, &uefi)?;
    put(header_file.sector, &header)?;
    put(kernel.sector, disk.kernel)?;
    put(image_file.sector, &[])?;
    let copied = io::copy(&mut image.take(disk.image), out)?;
    if copied != disk.image {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    // The last byte makes the file as long as the disk.
    let all = (u64::from(START) + volume.sectors) * SECTOR as u64;
    out.seek(SeekFrom::End(0))?;
    if out.stream_position()? < all {
        out.seek(SeekFrom::Start(all - 1))?;
        out.write_all(&[0])?;
    }
    Ok(all)
}

/// The loaders as every disk has them, each with its name: the sectors that a BIOS starts, without what differs from disk to
/// disk, and the program for UEFI.
pub fn loaders() -> [(&'static str, Vec<u8>); 2] {
    [("bios", program::flat(crate::BIOS, 0x7c00)), ("uefi", program::portable(crate::UEFI))]
}

/// What stands on a disk.
#[derive(Debug)]
pub struct Contents<'a> {
    /// The kernel.
    pub kernel: &'a [u8],
    /// The image.
    pub image: &'a [u8],
    /// Whether each byte of the disk is as [`write`] writes it with these: loaders, file system and all.
    pub ours: bool,
}

/// Whether these bytes are a disk's.
pub fn is_disk(bytes: &[u8]) -> bool {
    bytes.get(SECTOR..).is_some_and(|bytes| bytes.starts_with(formats::disk::MAGIC))
}

/// Reads a disk by its header, which is believed as far as it fits; none if it does not.
pub fn read(bytes: &[u8]) -> Option<Contents<'_>> {
    let header = Header::read(bytes.get(SECTOR..)?.first_chunk()?)?;
    let of = |extent: Extent| {
        let start = usize::try_from(extent.sector.checked_mul(SECTOR as u64)?).ok()?;
        bytes.get(start..)?.get(..usize::try_from(extent.bytes).ok()?)
    };
    let (kernel, image) = (of(header.kernel)?, of(header.image)?);
    let id = u32::from_le_bytes(*bytes.get(440..)?.first_chunk()?);
    let line = std::str::from_utf8(header.line).ok()?;
    let disk = Disk { kernel, line, id, image: image.len() as u64 };
    let mut again = io::Cursor::new(Vec::new());
    let ours = write(&disk, &mut &image[..], &mut again).is_ok() && again.into_inner() == bytes;
    Some(Contents { kernel, image, ours })
}

/// The first sectors of the disk, whose partition has so many sectors.
fn loader(id: u32, sectors: u32) -> Vec<u8> {
    let mut bytes = program::flat(crate::BIOS, 0x7c00);
    bytes.resize(LOADER * SECTOR, 0);
    // What the linker filled up with would be three more partitions.
    bytes[440..SECTOR].fill(0);
    bytes[440..444].copy_from_slice(&id.to_le_bytes());
    let mut partition = [0; 16];
    // One that can be booted, of type EF; places by heads and tracks are not used.
    partition[..8].copy_from_slice(&[0x80, 0xfe, 0xff, 0xff, 0xef, 0xfe, 0xff, 0xff]);
    partition[8..12].copy_from_slice(&START.to_le_bytes());
    partition[12..].copy_from_slice(&sectors.to_le_bytes());
    bytes[446..462].copy_from_slice(&partition);
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    bytes
}
