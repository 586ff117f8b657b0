//! Unpacking an image into a folder, as the kernel unpacks one into its root: for a machine that has no kernel of its own.
//!
//! The image is ours, but it is read as if it were not: a path that leads out of the folder is refused.

use crate::read::{Malformed, header};
use formats::newc::{self, HEADER, Header, TRAILER};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

/// In which order entries are made, which some file systems show to whoever lists a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As in the archive.
    Archive,
    /// The last first.
    Reversed,
}

/// Why an image could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no archive.
    #[error("the image: {0}")]
    Malformed(#[from] Malformed),
    /// An entry's name leads out of the folder, or it is no file, directory or symbolic link.
    #[error("the image's entry {}: {why}", name.display())]
    Entry {
        /// Its name.
        name: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// It could not be read.
    #[error("reading the image: {0}")]
    Read(#[from] io::Error),
    /// Something could not be made.
    #[error("{}: {source}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

struct Place {
    name: PathBuf,
    header: Header,
    data: u64,
}

/// Unpacks a plain newc archive in canonical form: modes 0444 and 0555, times of 1, whatever the archive says. `folder` should be
/// empty.
pub fn unpack(image: &File, folder: &Path, order: Order) -> Result<(), Error> {
    let mut places = places(image)?;
    if order == Order::Reversed {
        places.reverse();
    }
    places.iter().try_for_each(|place| make(place, image, folder))?;
    // Last, since nothing can be made in a directory that can't be written to.
    places.iter().filter(|place| place.header.mode & newc::TYPE == newc::DIRECTORY & newc::TYPE).try_for_each(
        |place| {
            let path = folder.join(&place.name);
            let mode = Permissions::from_mode(0o555);
            fs::set_permissions(&path, mode).and_then(|()| settle(&path)).map_err(at(&path))
        },
    )
}

/// Where everything is. The data is not read.
fn places(image: &File) -> Result<Vec<Place>, Error> {
    let mut reader = BufReader::new(image);
    let mut offset = reader.seek(SeekFrom::Start(0))?;
    let mut places = Vec::new();
    loop {
        let mut bytes = [0; HEADER];
        reader.read_exact(&mut bytes)?;
        let header = header(&bytes, usize::try_from(offset).unwrap_or(usize::MAX))?;
        let mut name = vec![0; (header.namesize as usize).min(newc::NAME_LIMIT + 1)];
        reader.read_exact(&mut name)?;
        name.pop();
        if name == TRAILER {
            return Ok(places);
        }
        let data = (offset + HEADER as u64 + u64::from(header.namesize)).next_multiple_of(4);
        offset = (data + u64::from(header.filesize)).next_multiple_of(4);
        let here = reader.stream_position()?;
        reader.seek_relative(offset as i64 - here as i64)?;
        let name = PathBuf::from(OsStr::from_bytes(&name));
        if name.components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err(Error::Entry { name, why: "its name leads out of the image" });
        }
        places.push(Place { name, header, data });
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Write { path: path.to_owned(), source }
}

/// The time of 1, also for a symbolic link itself.
fn settle(path: &Path) -> io::Result<()> {
    let one = Timespec { tv_sec: 1, tv_nsec: 0 };
    let times = Timestamps { last_access: one, last_modification: one };
    Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

fn make(place: &Place, image: &File, folder: &Path) -> Result<(), Error> {
    let path = folder.join(&place.name);
    let kind = place.header.mode & newc::TYPE;
    let content = || -> io::Result<io::Take<&File>> {
        let mut image = image;
        image.seek(SeekFrom::Start(place.data))?;
        Ok(image.take(place.header.filesize.into()))
    };
    let made = || -> io::Result<bool> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        if kind == newc::DIRECTORY & newc::TYPE {
            fs::create_dir_all(&path)?;
        } else if kind == newc::FILE & newc::TYPE {
            let mode = if place.header.mode & 0o100 == 0 { 0o444 } else { 0o555 };
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
            if io::copy(&mut content()?, &mut file)? != place.header.filesize.into() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        } else if kind == newc::SYMLINK & newc::TYPE {
            let mut target = Vec::new();
            content()?.read_to_end(&mut target)?;
            std::os::unix::fs::symlink(OsStr::from_bytes(&target), &path)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    };
    match made() {
        Ok(true) => settle(&path).map_err(at(&path)),
        Ok(false) => {
            Err(Error::Entry { name: place.name.clone(), why: "it is no file, directory or symbolic link" })
        }
        Err(source) => Err(Error::Write { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Archive;

    fn image(entries: &[(&[u8], &[u8])]) -> File {
        let mut archive = Archive::new(tempfile::tempfile().unwrap());
        archive.directory(b"d").unwrap();
        for (name, content) in entries {
            archive.bytes(name, false, content).unwrap();
        }
        archive.symlink(b"link", b"d/a").unwrap();
        archive.finish().unwrap().0
    }

    #[test]
    fn both_orders_make_the_same_tree() {
        let image = image(&[(b"d/a", b"abc"), (b"d/b", &[7; 100_000]), (b"e", b"")]);
        for order in [Order::Archive, Order::Reversed] {
            let folder = tempfile::tempdir().unwrap();
            unpack(&image, folder.path(), order).unwrap();
            assert_eq!(fs::read(folder.path().join("link")).unwrap(), b"abc");
            assert_eq!(fs::read(folder.path().join("d/b")).unwrap(), [7; 100_000]);
            assert_eq!(fs::read(folder.path().join("e")).unwrap(), b"");
            let mode = fs::metadata(folder.path().join("d")).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o555);
            for path in ["d", "d/a", "e", "link"] {
                let time = fs::symlink_metadata(folder.path().join(path)).unwrap().modified().unwrap();
                assert_eq!(time, std::time::UNIX_EPOCH + std::time::Duration::from_secs(1), "{path}");
            }
        }
    }

    #[test]
    fn a_name_that_leads_out_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in [&b"../x"[..], b"/x", b"d/../../x"] {
            let error = unpack(&image(&[(name, b"")]), folder.path(), Order::Archive).unwrap_err();
            assert!(error.to_string().ends_with("its name leads out of the image"), "{error}");
        }
    }

    #[test]
    fn a_cut_image_is_refused() {
        let length = image(&[(b"a", b"abc")]).metadata().unwrap().len();
        for cut in [0, 50, 113, length - 120, length - 4] {
            let image = image(&[(b"a", b"abc")]);
            image.set_len(cut).unwrap();
            let folder = tempfile::tempdir().unwrap();
            assert!(unpack(&image, folder.path(), Order::Archive).is_err(), "{cut}");
        }
    }
}
