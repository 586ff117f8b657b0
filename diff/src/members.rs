//! The members of `ar` and `tar` archives: where they lie, as far as that can be read. Pure.

use super::Locator;
use object::read::archive::ArchiveFile;
use std::ops::Range;

/// Where each member lies, and the way to it; of a `tar` its header, too, which holds its time, owner and mode. `None` of anything
/// else, or if it is broken.
pub fn members(bytes: &[u8]) -> Option<Vec<(Vec<Locator>, Range<usize>)>> {
    ar(bytes).or_else(|| tar(bytes))
}

fn ar(bytes: &[u8]) -> Option<Vec<(Vec<Locator>, Range<usize>)>> {
    let mut all = Vec::new();
    for member in ArchiveFile::parse(bytes).ok()?.members() {
        let member = member.ok()?;
        let (start, size) = member.file_range();
        let range = usize::try_from(start).ok()?..usize::try_from(start.checked_add(size)?).ok()?;
        bytes.get(range.clone())?;
        all.push((vec![Locator::Member(String::from_utf8_lossy(member.name()).into_owned())], range));
    }
    Some(all)
}

fn tar(bytes: &[u8]) -> Option<Vec<(Vec<Locator>, Range<usize>)>> {
    // Source: tar(5), `magic`.
    if bytes.get(257..262)? != b"ustar" {
        return None;
    }
    let mut all = Vec::new();
    for entry in tar::Archive::new(bytes).entries().ok()? {
        let entry = entry.ok()?;
        let name = Locator::Member(String::from_utf8_lossy(&entry.path_bytes()).into_owned());
        let header = usize::try_from(entry.raw_header_position()).ok()?;
        let start = usize::try_from(entry.raw_file_position()).ok()?;
        let end = start.checked_add(usize::try_from(entry.size()).ok()?)?;
        bytes.get(header..end)?;
        all.push((vec![name.clone(), Locator::Header], header..start));
        all.push((vec![name], start..end));
    }
    Some(all)
}
