//! What entries of an image are, and the hashes of inputs in it.

use super::shown;
use images::read::Entry;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Bound;

/// File types, as in the mode of stat(2).
pub const TYPE: u32 = 0o170_000;
pub const REGULAR: u32 = 0o100_000;
pub const DIRECTORY: u32 = 0o040_000;
const SYMLINK: u32 = 0o120_000;

/// The entries of an image by their paths.
pub type Files<'a> = BTreeMap<&'a [u8], Entry<'a>>;

/// What an entry is, in words.
pub fn kind(entry: &Entry<'_>) -> String {
    match entry.header.mode & TYPE {
        REGULAR if entry.header.nlink != 1 => "a hard link".into(),
        REGULAR => "a file".into(),
        DIRECTORY => "a directory".into(),
        SYMLINK => format!("a symbolic link to {:?}", shown(entry.data)),
        0o020_000 | 0o060_000 => "a device".into(),
        0o010_000 => "a FIFO".into(),
        0o140_000 => "a socket".into(),
        _ => "of no known kind".into(),
    }
}

/// An entry and all below it, by path.
pub fn below<'m, 'a>(
    files: &'m Files<'a>,
    place: &'m [u8],
) -> impl Iterator<Item = (&'a [u8], &'m Entry<'a>)> {
    files
        .range::<[u8], _>((Bound::Included(place), Bound::Unbounded))
        .map_while(move |(name, entry)| name.starts_with(place).then_some((*name, entry)))
        .filter(move |(name, _)| name.len() == place.len() || name[place.len()] == b'/')
}

/// The sha256 of a plain file, executable or not; nothing if there is none.
pub fn flat(files: &Files<'_>, place: &[u8], executable: bool) -> Option<String> {
    let is = |entry: &&Entry<'_>| {
        let mode = entry.header.mode;
        mode & TYPE == REGULAR && entry.header.nlink == 1 && (mode & 0o111 != 0) == executable
    };
    let entry = files.get(place).filter(is)?;
    Some(crate::hash(entry.data))
}

/// A node of a tree, its children by name.
enum Node<'a> {
    File(bool, &'a [u8]),
    Link(&'a [u8]),
    Folder(BTreeMap<&'a [u8], Node<'a>>),
}

/// The NAR's sha256 of a tree; nothing if there is none, or one that a kernel would not unpack.
pub fn tree(files: &Files<'_>, place: &[u8]) -> Option<String> {
    let mut root = None;
    for (name, entry) in below(files, place) {
        let node = match entry.header.mode & TYPE {
            REGULAR => Node::File(entry.header.mode & 0o100 != 0, entry.data),
            SYMLINK => Node::Link(entry.data),
            DIRECTORY => Node::Folder(BTreeMap::new()),
            _ => return None,
        };
        let Some(inside) = name.get(place.len() + 1..) else {
            // A file or a link has a NAR's hash, too: an output may be no more than that.
            root = Some(node);
            continue;
        };
        let mut at = root.as_mut()?;
        let mut components = inside.split(|&byte| byte == b'/').peekable();
        while let Some(component) = components.next() {
            let Node::Folder(children) = at else { return None };
            if components.peek().is_none() {
                children.insert(component, node);
                break;
            }
            at = children.get_mut(component)?;
        }
    }
    let mut hash = Sha256::new();
    string(&mut hash, b"nix-archive-1");
    write(&mut hash, &root?);
    Some(formats::hex::text(&hash.finalize()))
}

/// The grammar is in `formats::nar`.
fn write(hash: &mut Sha256, node: &Node<'_>) {
    let mut strings = |strings: &[&[u8]]| strings.iter().for_each(|text| string(hash, text));
    match node {
        Node::File(true, data) => {
            strings(&[b"(", b"type", b"regular", b"executable", b"", b"contents", data, b")"]);
        }
        Node::File(false, data) => strings(&[b"(", b"type", b"regular", b"contents", data, b")"]),
        Node::Link(target) => strings(&[b"(", b"type", b"symlink", b"target", target, b")"]),
        Node::Folder(children) => {
            strings(&[b"(", b"type", b"directory"]);
            for (name, child) in children {
                [&b"entry"[..], b"(", b"name", name, b"node"].iter().for_each(|text| string(hash, text));
                write(hash, child);
                string(hash, b")");
            }
            string(hash, b")");
        }
    }
}

fn string(hash: &mut Sha256, text: &[u8]) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
    hash.update(&[0; 8][..text.len().wrapping_neg() % 8]);
}
