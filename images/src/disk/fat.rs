//! A FAT32 file system whose files each lie in one piece. Pure.
//!
//! Names are of eight and three upper-case characters, every date is the first that there is. Source: Microsoft's FAT32 File System
//! Specification 1.03.

use formats::disk::{Extent, SECTOR};

/// Clusters below which a file system would be taken for FAT16, and some more.
const FEWEST: u64 = 66_000;
/// Clusters above which numbers mean something else.
const MOST: u64 = 0x0fff_fff0;
/// Sectors before the first table, at least.
const RESERVED: u64 = 32;
/// Files are larger than this nowhere.
pub const LARGEST: u64 = u32::MAX as u64;
/// 1980-01-01.
const DATE: u16 = 1 << 5 | 1;
const END: u32 = 0x0fff_ffff;

/// A file or a folder.
#[derive(Debug)]
pub enum Node {
    /// Its name, and its size in bytes.
    File(&'static str, u64),
    /// Its name, and what is in it: at most 14 things.
    Folder(&'static str, Vec<Node>),
}

/// A file system.
#[derive(Debug)]
pub struct Volume {
    /// All of its sectors.
    pub sectors: u64,
    /// Bytes other than zero that are no file's, by the sector that they start at.
    pub pieces: Vec<(u64, Vec<u8>)>,
    /// Where each file's bytes belong, in the order in which the folders name them.
    pub files: Vec<Extent>,
}

struct Writer {
    cluster_sectors: u64,
    /// The sector of cluster 2.
    data: u64,
    table: Vec<u32>,
    volume: Volume,
}

/// Lays out a file system with these things at its root, on a disk where `hidden` sectors are before it. None if it would be too large.
pub fn volume(root: &[Node], label: &[u8; 11], id: u32, hidden: u32) -> Option<Volume> {
    let bytes = |cluster_sectors: u64| cluster_sectors * SECTOR as u64;
    let all = size(root, SECTOR as u64)?;
    // Small clusters make the smallest file system small, and large ones the tables of a large one.
    let cluster_sectors = if all < 64 << 20 { 1 } else { 8 };
    let clusters = (size(root, bytes(cluster_sectors))? / bytes(cluster_sectors)).max(FEWEST);
    if clusters > MOST {
        return None;
    }
    let table_sectors = ((clusters + 2) * 4).div_ceil(SECTOR as u64);
    // Clusters start at multiples of their own size.
    let data = (RESERVED + 2 * table_sectors).next_multiple_of(8);
    let reserved = data - 2 * table_sectors;
    let sectors = data + clusters * cluster_sectors;
    let volume = Volume { sectors, pieces: Vec::new(), files: Vec::new() };
    let mut writer = Writer { cluster_sectors, data, table: vec![0x0fff_fff8, END], volume };
    writer.folder(root, 0, Some(label))?;
    let mut table: Vec<u8> = writer.table.iter().flat_map(|entry| entry.to_le_bytes()).collect();
    table.resize(table.len().next_multiple_of(SECTOR), 0);
    let free = clusters + 2 - writer.table.len() as u64;
    let next = writer.table.len() as u32;
    let Writer { mut volume, .. } = writer;
    volume.pieces.push((reserved, table.clone()));
    volume.pieces.push((reserved + table_sectors, table));
    let boot = boot_sector(cluster_sectors as u8, reserved as u16, table_sectors as u32, hidden, id, label);
    for copy in [0, 6] {
        let mut sector = boot;
        sector[32..36].copy_from_slice(&u32::try_from(sectors).ok()?.to_le_bytes());
        volume.pieces.push((copy, sector.to_vec()));
        volume.pieces.push((copy + 1, info_sector(u32::try_from(free).ok()?, next).to_vec()));
    }
    Some(volume)
}

/// Bytes of all clusters, if each has so many.
fn size(nodes: &[Node], cluster: u64) -> Option<u64> {
    nodes.iter().try_fold(cluster, |all, node| {
        let one = match node {
            Node::File(_, bytes) => (*bytes <= LARGEST).then(|| bytes.next_multiple_of(cluster))?,
            Node::Folder(_, nodes) => size(nodes, cluster)?,
        };
        all.checked_add(one)
    })
}

impl Writer {
    /// Takes clusters in one piece, and returns the first.
    fn take(&mut self, bytes: u64) -> Option<u32> {
        let count = bytes.div_ceil(self.cluster_sectors * SECTOR as u64);
        let first = u32::try_from(self.table.len()).ok()?;
        for number in 1..=count {
            self.table.push(if number == count { END } else { first + number as u32 });
        }
        Some(first)
    }

    fn sector(&self, cluster: u32) -> u64 {
        self.data + u64::from(cluster - 2) * self.cluster_sectors
    }

    /// Writes a folder and all below it, and returns its first cluster.
    fn folder(&mut self, nodes: &[Node], parent: u32, label: Option<&[u8; 11]>) -> Option<u32> {
        let cluster = self.take(SECTOR as u64)?;
        let mut bytes = match label {
            Some(label) => entry(*label, 8, 0, 0).to_vec(),
            None => {
                [entry(*b".          ", 0x10, cluster, 0), entry(*b"..         ", 0x10, parent, 0)].concat()
            }
        };
        // The root is 0 for the folders in it.
        let own = if label.is_some() { 0 } else { cluster };
        for node in nodes {
            bytes.extend(match node {
                Node::File(name, size) => {
                    let first = if *size == 0 { 0 } else { self.take(*size)? };
                    let sector = if first == 0 { 0 } else { self.sector(first) };
                    self.volume.files.push(Extent { sector, bytes: *size });
                    entry(short(name), 0x20, first, u32::try_from(*size).ok()?)
                }
                Node::Folder(name, nodes) => entry(short(name), 0x10, self.folder(nodes, own, None)?, 0),
            });
        }
        let place = self.sector(cluster);
        self.volume.pieces.push((place, bytes));
        Some(cluster)
    }
}

/// A name as a folder has it.
fn short(name: &str) -> [u8; 11] {
    let (base, extension) = name.split_once('.').unwrap_or((name, ""));
    let mut short = [b' '; 11];
    short.iter_mut().zip(base.bytes()).take(8).for_each(|(place, byte)| *place = byte);
    short[8..].iter_mut().zip(extension.bytes()).for_each(|(place, byte)| *place = byte);
    short
}

fn entry(name: [u8; 11], attributes: u8, cluster: u32, size: u32) -> [u8; 32] {
    let mut entry = [0; 32];
    entry[..11].copy_from_slice(&name);
    entry[11] = attributes;
    // Made, last read, last written.
    for at in [16, 18, 24] {
        entry[at..at + 2].copy_from_slice(&DATE.to_le_bytes());
    }
    entry[20..22].copy_from_slice(&((cluster >> 16) as u16).to_le_bytes());
    entry[26..28].copy_from_slice(&(cluster as u16).to_le_bytes());
    entry[28..].copy_from_slice(&size.to_le_bytes());
    entry
}

fn boot_sector(
    cluster_sectors: u8,
    reserved: u16,
    table_sectors: u32,
    hidden: u32,
    id: u32,
    label: &[u8; 11],
) -> [u8; SECTOR] {
    let mut sector = [0; SECTOR];
    let mut put = |at: usize, bytes: &[u8]| sector[at..at + bytes.len()].copy_from_slice(bytes);
    // Jumps over the description, and stays there: nothing boots from here.
    put(0, b"\xeb\x58\x90GROUNDUP");
    put(11, &(SECTOR as u16).to_le_bytes());
    put(13, &[cluster_sectors]);
    put(14, &reserved.to_le_bytes());
    put(16, &[2, 0, 0, 0, 0, 0xf8, 0, 0, 63, 0, 255, 0]);
    put(28, &hidden.to_le_bytes());
    put(36, &table_sectors.to_le_bytes());
    // The root's cluster, the sector of numbers, the sector of the copy.
    put(44, &[2, 0, 0, 0, 1, 0, 6, 0]);
    put(64, &[0x80, 0, 0x29]);
    put(67, &id.to_le_bytes());
    put(71, label);
    put(82, b"FAT32   ");
    put(90, &[0xeb, 0xfe]);
    put(510, &[0x55, 0xaa]);
    sector
}

fn info_sector(free: u32, next: u32) -> [u8; SECTOR] {
    let mut sector = [0; SECTOR];
    sector[..4].copy_from_slice(b"RRaA");
    sector[484..488].copy_from_slice(b"rrAa");
    sector[488..492].copy_from_slice(&free.to_le_bytes());
    sector[492..496].copy_from_slice(&next.to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}
