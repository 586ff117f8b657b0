//! Where two files differ. Pure.

use super::{elf, inside, members};
use graphs::words::shown;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A part of a file, to be read as a way into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locator {
    /// What is inside a file that is compressed in this way.
    Inside(&'static str),
    /// A member of an `ar` or `tar` archive.
    Member(String),
    /// What an archive says of a member.
    Header,
    /// A section of an ELF file.
    Section(String),
    /// A symbol and how many bytes behind its start.
    Symbol(String, u64),
    /// A line of a text, counted from 1.
    Line(usize),
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Locator::Inside(how) => write!(f, "inside {how}"),
            Locator::Header => write!(f, "header"),
            Locator::Member(name) => write!(f, "member {}", shown(name)),
            Locator::Section(name) => write!(f, "section {}", shown(name)),
            Locator::Symbol(name, offset) => write!(f, "{}+{offset:#x}", shown(name)),
            Locator::Line(number) => write!(f, "line {number}"),
        }
    }
}

/// One part of a file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The way to it, if there is one.
    pub at: Vec<Locator>,
    /// The first byte that differs, from the start of the whole file, or of all that is inside it if the way leads there; the
    /// shorter one's length if it is the beginning of the other.
    pub first: u64,
    /// How many bytes differ, those included that only one has.
    pub bytes: u64,
    /// Where that part lies in the one and in the other: a member, a section, or all of it.
    pub within: [Range<usize>; 2],
}

/// The parts in which two files differ, in the order of the first one; empty if they are equal.
pub fn parts(one: &[u8], other: &[u8]) -> Vec<Part> {
    if one == other {
        return vec![];
    }
    if let Some((how, one, other)) = inside::inside(one, other) {
        let mut parts = plain(&one, &other);
        parts.iter_mut().for_each(|part| part.at.insert(0, Locator::Inside(how)));
        return parts;
    }
    plain(one, other)
}

fn plain(one: &[u8], other: &[u8]) -> Vec<Part> {
    members(one, other).unwrap_or_else(|| within(one, other, [0, 0]))
}

/// How many bytes differ, and the first that does.
fn count(one: &[u8], other: &[u8]) -> Option<(u64, u64)> {
    let common = one.len().min(other.len());
    let differing =
        one.iter().zip(other).filter(|(a, b)| a != b).count() + one.len().max(other.len()) - common;
    let first = one.iter().zip(other).position(|(a, b)| a != b).unwrap_or(common);
    (differing > 0).then_some((first as u64, differing as u64))
}

/// Archives with the same members in the same order, member by member.
fn members(one: &[u8], other: &[u8]) -> Option<Vec<Part>> {
    let (first, second) = (members::members(one)?, members::members(other)?);
    if !first.iter().map(|(at, _)| at).eq(second.iter().map(|(at, _)| at)) {
        return None;
    }
    let mut all = Vec::new();
    for ((at, a), (_, b)) in first.iter().zip(&second) {
        for mut part in within(&one[a.clone()], &other[b.clone()], [a.start, b.start]) {
            part.at.splice(0..0, at.iter().cloned());
            all.push(part);
        }
    }
    // Else the difference is in what stands between the members.
    if all.is_empty() { None } else { Some(all) }
}

/// Two files, or members, that start at these offsets of the wholes.
fn within(one: &[u8], other: &[u8], start: [usize; 2]) -> Vec<Part> {
    let Some((first, bytes)) = count(one, other) else { return vec![] };
    if let (Some(a), Some(b)) = (elf::Elf::read(one), elf::Elf::read(other)) {
        let parts = sections(&a, one, &b, other, start);
        if !parts.is_empty() {
            return parts;
        }
    }
    let at = line(one, other, first as usize).into_iter().map(Locator::Line).collect();
    let within = [start[0]..start[0] + one.len(), start[1]..start[1] + other.len()];
    vec![Part { at, first: start[0] as u64 + first, bytes, within }]
}

/// Section by section, paired by name and how often that name came before; what is left by its order, as names may differ, too.
fn sections(a: &elf::Elf, one: &[u8], b: &elf::Elf, other: &[u8], start: [usize; 2]) -> Vec<Part> {
    let moved = |range: &Range<usize>, by: usize| range.start + by..range.end + by;
    let mut theirs: BTreeMap<_, _> = number(&b.sections).collect();
    let mut pairs: Vec<_> =
        number(&a.sections).map(|(key, section)| (section, theirs.remove(&key))).collect();
    let mut left: Vec<_> = theirs.into_values().collect();
    left.sort_by_key(|section| section.range.start);
    let mut left = left.into_iter();
    pairs.iter_mut().filter(|(_, pair)| pair.is_none()).for_each(|(_, pair)| *pair = left.next());
    let mut all = Vec::new();
    for (section, pair) in pairs {
        let range = pair.map_or(0..0, |pair| pair.range.clone());
        let bytes = &other[range.clone()];
        let Some((first, differing)) = count(&one[section.range.clone()], bytes) else { continue };
        let mut at = vec![Locator::Section(section.name.clone())];
        at.extend(a.symbol(section, first).map(|(name, offset)| Locator::Symbol(name, offset)));
        let within = [moved(&section.range, start[0]), moved(&range, start[1])];
        all.push(Part { at, first: within[0].start as u64 + first, bytes: differing, within });
    }
    for section in left.filter(|section| !section.range.is_empty()) {
        let at = vec![Locator::Section(section.name.clone())];
        let end = start[0] + one.len();
        let within = [end..end, moved(&section.range, start[1])];
        all.push(Part { at, first: end as u64, bytes: section.range.len() as u64, within });
    }
    all
}

fn number(sections: &[elf::Section]) -> impl Iterator<Item = ((&str, usize), &elf::Section)> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    sections.iter().map(move |section| {
        let times = seen.entry(&section.name).or_default();
        *times += 1;
        ((section.name.as_str(), *times), section)
    })
}

/// The line of an offset, where both are texts.
fn line(one: &[u8], other: &[u8], offset: usize) -> Option<usize> {
    let text = |bytes: &[u8]| !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
    let is_text = text(one) && text(other);
    is_text.then(|| one[..offset.min(one.len())].iter().filter(|&&byte| byte == b'\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_and_lines_told() {
        assert_eq!(parts(b"a\nb\nc", b"a\nb\nc"), []);
        let part = |at, first, bytes, [one, other]: [usize; 2]| {
            [Part { at, first, bytes, within: [0..one, 0..other] }]
        };
        assert_eq!(parts(b"a\nb\nc", b"a\nx\nd!"), part(vec![Locator::Line(2)], 2, 3, [5, 6]));
        assert_eq!(parts(b"\0ab", b"\0a"), part(vec![], 2, 1, [3, 2]));
        assert_eq!(parts(b"", b"x"), part(vec![Locator::Line(1)], 0, 1, [0, 1]));
    }

    #[test]
    fn archives_are_compared_member_by_member() {
        let archive = |second: &[u8]| {
            let mut builder = ar::Builder::new(Vec::new());
            builder.append(&ar::Header::new(b"one.txt".to_vec(), 2), &b"\0a"[..]).unwrap();
            let header = ar::Header::new(b"two.txt".to_vec(), second.len() as u64);
            builder.append(&header, second).unwrap();
            builder.into_inner().unwrap()
        };
        let found = parts(&archive(b"x\ny"), &archive(b"x\nz"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].at, [Locator::Member("two.txt".into()), Locator::Line(2)]);
        // The magic number, a header, two bytes, a header, two bytes.
        assert_eq!((found[0].first, found[0].bytes), (8 + 60 + 2 + 60 + 2, 1));
        assert_eq!(found[0].within, [130..133, 130..133]);
        let said: Vec<_> = found[0].at.iter().map(Locator::to_string).collect();
        assert_eq!(said.join(", "), "member two.txt, line 2");
    }

    #[test]
    fn what_is_compressed_is_looked_into() {
        let tar = |mtime: u64| {
            let mut builder = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_ustar();
            header.set_size(3);
            header.set_mtime(mtime);
            header.set_mode(0o644);
            builder.append_data(&mut header, "folder/file", &b"abc"[..]).unwrap();
            builder.into_inner().unwrap()
        };
        let gzip = |bytes: &[u8], level: u32| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
            std::io::Write::write_all(&mut encoder, bytes).unwrap();
            encoder.finish().unwrap()
        };
        let found = parts(&gzip(&tar(1), 6), &gzip(&tar(7), 6));
        let said: Vec<_> = found[0].at.iter().map(Locator::to_string).collect();
        assert_eq!(said.join(", "), "inside gzip, member folder/file, header");
        // The last digit of the time, and then of the sum. Source: tar(5).
        assert_eq!((found.len(), found[0].first), (1, 136 + 10));
        // The same inside: then it is the compressed bytes that differ.
        let found = parts(&gzip(&tar(1), 0), &gzip(&tar(1), 9));
        assert!(!matches!(found[0].at.first(), Some(Locator::Inside(_))), "{found:?}");
        let broken = &gzip(&tar(1), 6)[..30];
        assert_eq!(parts(broken, &gzip(&tar(7), 6))[0].at, []);
    }
}
