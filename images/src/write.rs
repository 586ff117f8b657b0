//! Writing a whole image.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use crate::{Archive, Error, tree, xz};

/// What an image holds.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    /// PID 1: a static executable, or a script for the shell.
    pub init: &'a [u8],
    /// A static busybox for an `init` that is a script; it will be `/bin/busybox`.
    pub shell: Option<PathBuf>,
    /// The plan's text.
    pub plan: &'a [u8],
    /// The plan's inputs, in any order.
    pub inputs: Vec<Input>,
}

/// One of the plan's inputs: it will be `/inputs/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name: one component of a path.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it is on the host. A symbolic link here is followed; links inside a tree are packed as links.
    pub path: PathBuf,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plain file, packed as not executable whatever its mode.
    File,
    /// An executable, packed as such whatever its mode.
    Exec,
    /// A directory; in it a file is executable if its owner may execute it.
    Tree,
    /// An output of an earlier build, packed as what it is: a directory, a file, or a symbolic link.
    Output,
}

/// How large an image became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Entries, the trailer not counted.
    pub entries: u32,
    /// Bytes of the archive, before compression.
    pub bytes: u64,
}

/// Writes `image` to `out`. Same content, same bytes.
pub fn write<W: Write>(image: &Image, out: &mut W) -> Result<Summary, Error> {
    let mut inputs = BTreeMap::new();
    for input in &image.inputs {
        let why = if inputs.insert(input.name.as_bytes(), input).is_some() {
            "twice"
        } else if matches!(&*input.name, "" | "." | "..") || input.name.contains(['/', '\0']) {
            "no name for a file"
        } else {
            continue;
        };
        return Err(Error::Name { name: input.name.clone(), why });
    }
    let mut archive = Archive::new(out);
    if let Some(shell) = &image.shell {
        archive.directory(b"bin")?;
        tree::file(&mut archive, b"bin/busybox", shell, Some(true))?;
    }
    archive.bytes(b"init", true, image.init)?;
    if !inputs.is_empty() {
        archive.directory(b"inputs")?;
    }
    for (name, input) in inputs {
        let name = [b"inputs/", name].concat();
        match input.kind {
            Kind::File => tree::file(&mut archive, &name, &input.path, Some(false))?,
            Kind::Exec => tree::file(&mut archive, &name, &input.path, Some(true))?,
            Kind::Output if !input.path.is_dir() || input.path.is_symlink() => {
                tree::leaf(&mut archive, &name, &input.path)?;
            }
            Kind::Tree | Kind::Output => {
                let path = input.path.clone();
                match std::fs::metadata(&path) {
                    Err(source) => return Err(Error::Read { path, source }),
                    Ok(meta) if !meta.is_dir() => {
                        return Err(Error::Kind { path, expected: "a directory", found: "something else" });
                    }
                    Ok(_) => tree::add(&mut archive, &name, &path)?,
                }
            }
        }
    }
    archive.bytes(b"plan", false, image.plan)?;
    let (_, entries, bytes) = archive.finish()?;
    Ok(Summary { entries, bytes })
}

/// Writes `image` to `out`, compressed with xz in a form that every kernel takes.
pub fn write_xz<W: Write>(image: &Image, out: &mut W) -> Result<Summary, Error> {
    let mut encoder = xz::encoder(&mut *out)?;
    let summary = write(image, &mut encoder)?;
    encoder.finish().and_then(|out| out.flush()).map_err(Error::Write)?;
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    fn image(inputs: &[(&str, Kind, &str)]) -> Result<Vec<u8>, Error> {
        let input = |&(name, kind, path): &(&str, Kind, &str)| Input {
            name: name.to_owned(),
            kind,
            path: PathBuf::from(path),
        };
        let mut out = Vec::new();
        let inputs = inputs.iter().map(input).collect();
        write(&Image { init: b"\x7fELF", shell: None, plan: b"groundup plan 1\nend\n", inputs }, &mut out)?;
        Ok(out)
    }

    #[test]
    fn without_inputs_there_is_no_folder_for_them() {
        let bytes = image(&[]).unwrap();
        let entries: Vec<_> = read::entries(&bytes).map(Result::unwrap).collect();
        let names: Vec<_> = entries.iter().map(|e| (e.name, e.header.mode, e.header.ino)).collect();
        assert_eq!(names, [(&b"init"[..], 0o100_555, 1), (b"plan", 0o100_444, 2)]);
        assert_eq!(read::canonical(&bytes).unwrap().entries, 2);
    }

    #[test]
    fn inputs_are_sorted_and_modes_follow_the_kind() {
        let file = file!().rsplit('/').next().map(|f| format!("{}/src/{f}", env!("CARGO_MANIFEST_DIR")));
        let file = file.as_deref().unwrap();
        let bytes = image(&[("b", Kind::Exec, file), ("a", Kind::File, file)]).unwrap();
        let modes: Vec<_> =
            read::entries(&bytes).map(Result::unwrap).map(|e| (e.name, e.header.mode)).collect();
        assert_eq!(modes[2], (&b"inputs/a"[..], 0o100_444));
        assert_eq!(modes[3], (&b"inputs/b"[..], 0o100_555));
    }

    #[test]
    fn an_output_is_packed_as_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(at("file"), "x").unwrap();
        std::os::unix::fs::symlink("none", at("link")).unwrap();
        std::fs::create_dir(at("dir")).unwrap();
        let paths = [at("dir"), at("file"), at("link")];
        let bytes = image(&[
            ("a", Kind::Output, &paths[0]),
            ("b", Kind::Output, &paths[1]),
            ("c", Kind::Output, &paths[2]),
        ]);
        let bytes = bytes.unwrap();
        let modes: Vec<_> = read::entries(&bytes).map(Result::unwrap).map(|e| e.header.mode).collect();
        assert_eq!(modes[2..5], [formats::newc::DIRECTORY, formats::newc::FILE, formats::newc::SYMLINK]);
    }

    #[test]
    fn wrong_inputs_are_refused() {
        let here = env!("CARGO_MANIFEST_DIR");
        for (inputs, part) in [
            (&[("a", Kind::Tree, here), ("a", Kind::Tree, here)][..], "twice"),
            (&[("..", Kind::Tree, here)], "no name for a file"),
            (&[("a/b", Kind::Tree, here)], "no name for a file"),
            (&[("", Kind::Tree, here)], "no name for a file"),
            (&[("a", Kind::File, here)], "found a directory"),
            (&[("a", Kind::File, "/dev/null")], "found a character device"),
            (&[("a", Kind::Tree, "/dev/null")], "expected a directory"),
            (&[("a", Kind::Tree, "/no/such")], "/no/such: No such file"),
        ] {
            let error = image(inputs).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn xz_gives_the_archive_back() {
        let image = Image { init: b"i", shell: None, plan: b"p", inputs: Vec::new() };
        let (mut plain, mut packed, mut back) = (Vec::new(), Vec::new(), Vec::new());
        write(&image, &mut plain).unwrap();
        write_xz(&image, &mut packed).unwrap();
        std::io::copy(&mut xz2::read::XzDecoder::new(&*packed), &mut back).unwrap();
        assert_eq!(plain, back);
    }
}
