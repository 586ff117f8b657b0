//! A Debian package: an ar archive of `debian-binary`, `control.tar*` and `data.tar*` (deb(5)). Only the last is read.

use super::{Builder, Error, tar};
use std::io::{BufReader, Read};

pub fn read(builder: &mut Builder, from: impl Read) -> Result<(), Error> {
    let mut archive = ar::Archive::new(from);
    while let Some(entry) = archive.next_entry() {
        let entry = entry.map_err(|source| Error::Broken { after: "the ar archive".into(), source })?;
        let name = entry.header().identifier();
        if name.strip_suffix(b"/").unwrap_or(name).starts_with(b"data.tar") {
            return tar::read(builder, BufReader::new(entry));
        }
    }
    Err(Error::NoData)
}
