//! Where `.drv` files come from: folders, archives, standard input.

use crate::failure::Failure;
use formats::store_path::base;
use graphs::Problem;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes of one derivation; the reader refuses more.
const LARGEST: u64 = (64 << 20) + 1;

/// Bytes of an archive of derivations, unpacked: they are kept in memory. A closure of 3,600 has 30 MB.
const ARCHIVE: u64 = 1 << 30;

/// Places to look for derivations, tried in order.
pub struct Files {
    folders: Vec<PathBuf>,
    /// What archives hold, by base name.
    packed: BTreeMap<String, Vec<u8>>,
}

impl Files {
    /// Of the folders and archives that were named, and of the folder that the root is in.
    pub fn open(root: Option<&Path>, stores: &[PathBuf]) -> Result<Files, Failure> {
        let mut files = Files { folders: Vec::new(), packed: BTreeMap::new() };
        for store in stores {
            let meta = fs::metadata(store).map_err(|error| unreadable(store, &error))?;
            if meta.is_dir() {
                files.folders.push(store.clone());
            } else {
                files.unpack(store).map_err(|error| no_archive(store, &error))?;
            }
        }
        let folder = root.and_then(Path::parent);
        files
            .folders
            .extend(folder.map(|folder| {
                if folder.as_os_str().is_empty() { Path::new(".") } else { folder }.to_owned()
            }));
        Ok(files)
    }

    /// The file of a derivation by its path in the store, if it is anywhere.
    pub fn find(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let name = base(path);
        for folder in &self.folders {
            let file = folder.join(name);
            match read(&file) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{}: {error}", file.display())),
            }
        }
        Ok(self.packed.get(name).cloned())
    }

    fn unpack(&mut self, archive: &Path) -> io::Result<()> {
        let file = File::open(archive)?;
        let bound = inputs::bound(file.metadata()?.len(), ARCHIVE);
        let mut counted = formats::compression::decompress(BufReader::new(file))?.take(bound + 1);
        let done = self.members(&mut tar::Archive::new(&mut counted));
        if counted.limit() == 0 {
            return Err(io::Error::other(format!("more than {bound} bytes unpacked")));
        }
        done
    }

    fn members(&mut self, archive: &mut tar::Archive<impl Read>) -> io::Result<()> {
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name =
                entry.path()?.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if entry.header().entry_type().is_file() && name.ends_with(".drv") {
                let mut bytes = Vec::new();
                entry.by_ref().take(LARGEST).read_to_end(&mut bytes)?;
                self.packed.insert(name, bytes);
            }
        }
        Ok(())
    }
}

/// The bytes of the root: of a file, or of standard input where the name is `-.drv`.
pub fn root(path: &Path) -> Result<Vec<u8>, Failure> {
    let result = if path == Path::new(super::STDIN) {
        let mut bytes = Vec::new();
        io::stdin().take(LARGEST).read_to_end(&mut bytes).map(|_| bytes)
    } else {
        read(path)
    };
    result.map_err(|error| unreadable(path, &error))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // One read for all of it, and one that finds the end.
    let size = file.metadata()?.len().min(LARGEST);
    let mut bytes = Vec::with_capacity(size as usize + 1);
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn no_archive(path: &Path, error: &io::Error) -> Failure {
    // What stands in the place of an archive's header may be told in full, and be long.
    let error: String = error.to_string().chars().take(60).collect();
    let problem = Problem::error(format!("{}: no tar archive, or not all of one: {error}", path.display()));
    Failure::several(vec![
        problem.help("name a folder, or a tar archive, plain or by gzip, bzip2, xz or zstd"),
    ])
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let problem = Problem::error(format!("{}: {error}", path.display()));
    Failure::several(vec![
        problem.help("name a derivation, a folder or an archive that is there and can be read"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn an_archive_does_not_fill_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.tar.zst");
        let mut packed = zstd::Encoder::new(File::create(&path).unwrap(), 1).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_path("x.drv").unwrap();
        header.set_size(LARGEST - 1);
        header.set_cksum();
        for _ in 0..5 {
            packed.write_all(header.as_bytes()).unwrap();
            (0..64).for_each(|_| packed.write_all(&[0; 1 << 20]).unwrap());
        }
        packed.finish().unwrap();
        let said = Files::open(None, &[path]).err().unwrap().to_string();
        assert!(said.contains("more than 268435456 bytes unpacked"), "{said}");
    }
}
