//! zip, and so wheels. The crate `zip` reads the central directory, unpacks and checks each CRC.

use super::{Builder, Error, show};
use std::io::{self, Read, Seek};

const TYPE: u32 = 0o170000;
/// No symbolic link needs more, and this is read into memory.
const LONGEST_LINK: u64 = 1 << 16;

pub fn read(builder: &mut Builder, from: impl Read + Seek) -> Result<(), Error> {
    let broken = |after: &str, error: zip::result::ZipError| Error::Broken {
        after: after.into(),
        source: io::Error::other(error),
    };
    let mut archive = zip::ZipArchive::new(from).map_err(|error| broken("its directory", error))?;
    if archive.has_duplicate_names() {
        return Err(broken(
            "its directory",
            zip::result::ZipError::InvalidArchive("a member comes twice".into()),
        ));
    }
    let mut after = String::from("at its start");
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| broken(&after, error))?;
        let name = entry.name_raw().to_vec();
        after = format!("after member \"{}\"", show(&name));
        let refuse = |what: &str| Error::Member { member: show(&name), what: what.into() };
        if name.contains(&b'\\') {
            return Err(refuse("a backslash in its name"));
        }
        let mode = entry.unix_mode().unwrap_or(0);
        match mode & TYPE {
            _ if name.ends_with(b"/") => builder.folder(&name)?,
            0 | 0o100000 => builder.file(&name, mode & 0o100 != 0, &mut entry)?,
            0o040000 => builder.folder(&name)?,
            0o120000 => {
                let mut target = Vec::new();
                let read = entry.take(LONGEST_LINK).read_to_end(&mut target);
                read.map_err(|source| Error::Broken { after: after.clone(), source })?;
                builder.link(&name, &target)?;
            }
            _ => builder.special(&name, "a special file")?,
        }
    }
    Ok(())
}
