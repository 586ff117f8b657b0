//! Outputs that are at hand: held against the records that tell of them, and against each other where records differ.

use crate::failure::Failure;
use diff::{Difference, differences};
use formats::narinfo::NarInfo;
use records::read::{Claims, Method, Output};
use records::verdict::{Compared, Party};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::BufReader;
use std::path::{Component, Path, PathBuf};
use tempfile::TempDir;

/// The folders of outputs, by party: as `run --out` leaves them, unpacked or as NARs.
#[derive(Debug, Default)]
pub struct Hand {
    folders: Vec<(usize, PathBuf)>,
}

/// Where two parties' outputs differ.
#[derive(Debug)]
pub struct Located {
    /// The first party.
    pub one: usize,
    /// The other party.
    pub other: usize,
    /// All the places.
    pub differences: Vec<Difference>,
    /// What diffoscope wrote.
    pub html: Option<PathBuf>,
}

/// A party, and the hashes of files inside an output of its, by their paths.
pub type Inside = (usize, BTreeMap<String, Output>);

/// An output on disk, in a temporary folder if it was unpacked for that.
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    _unpacked: Option<TempDir>,
}

impl Hand {
    /// Adds a folder of a party's.
    pub fn add(&mut self, party: usize, folder: PathBuf) {
        self.folders.push((party, folder));
    }

    /// Verifies all outputs that are at hand against the records, and adds the digests that these leave out: so a list of files
    /// and a record of NARs can be compared. Returns how many there are.
    pub fn verify(&self, parties: &mut [Party]) -> Result<usize, Failure> {
        let mut count = 0;
        for (party, folder) in &self.folders {
            let said = &mut parties[*party];
            for Claims { outputs, .. } in &mut said.claims {
                for (name, output) in outputs {
                    let Some(found) = find(folder, name)? else { continue };
                    let made = hash(&found.path)?;
                    if output.agrees(&made) == Some(false) {
                        let text = format!(
                            "{}: this is not the output {name:?} that {} tells of",
                            folder.display(),
                            said.name
                        );
                        let help = "name the folder that this very run was told to leave its outputs in";
                        return Err(Failure::help(text, help));
                    }
                    output.digests.extend(made.digests);
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// Where the groups of an output differ: the first one that is at hand against each of the others that are.
    pub fn locate(
        &self,
        output: &Compared,
        diffoscope: Option<&Diffoscope>,
    ) -> Result<Vec<Located>, Failure> {
        let mut at_hand = Vec::new();
        for group in &output.groups {
            for (party, folder) in self.folders.iter().filter(|(party, _)| group.parties.contains(party)) {
                if let Some(found) = find(folder, &output.name)? {
                    at_hand.push((*party, found));
                    break;
                }
            }
        }
        let Some(((one, first), others)) = at_hand.split_first() else { return Ok(vec![]) };
        let locate = |(other, found): &(usize, Found)| {
            let differences = differences(&first.path, &found.path).map_err(Failure::input)?;
            let html = diffoscope.map(|tool| {
                tool.run(&format!("{}-{one}-{other}", base(&output.name)), &first.path, &found.path)
            });
            Ok(Located { one: *one, other: *other, differences, html: html.transpose()? })
        };
        others.iter().map(locate).collect()
    }
}

/// The real diffoscope.
pub struct Diffoscope<'a> {
    /// Where its pages go.
    pub folder: &'a Path,
}

impl Diffoscope<'_> {
    /// Has it write a page. Source: diffoscope(1); it exits with 1 where there are differences.
    fn run(&self, name: &str, one: &Path, other: &Path) -> Result<PathBuf, Failure> {
        let fail = |error: std::io::Error| Failure::input(format!("{}: {error}", self.folder.display()));
        fs::create_dir_all(self.folder).map_err(fail)?;
        let page = self.folder.join(format!("{name}.html"));
        let mut command = std::process::Command::new("diffoscope");
        command.arg("--html").arg(&page).arg(one).arg(other);
        let output = command.output().map_err(|error| {
            let help =
                "install it: Debian's package is diffoscope-minimal or, with all its tools, diffoscope";
            Failure::help(format!("diffoscope: {error}"), help)
        })?;
        match output.status.code() {
            Some(0 | 1) => Ok(page),
            _ => Err(Failure::machine(format!("diffoscope: {}", String::from_utf8_lossy(&output.stderr)))),
        }
    }
}

impl Hand {
    /// The hashes of files inside an output, by party: of every party that has it at hand and tells of it. A path that is not
    /// that of a plain file in it, through no link, has none.
    pub fn inside(
        &self,
        parties: &[Party],
        output: &str,
        paths: &BTreeSet<String>,
    ) -> Result<Vec<Inside>, Failure> {
        let mut all = Vec::new();
        for (party, folder) in &self.folders {
            let claimed = parties[*party].claims.iter().any(|claims| claims.outputs.contains_key(output));
            let Some(found) = find(folder, output)?.filter(|_| claimed) else { continue };
            let mut files = BTreeMap::new();
            for path in paths {
                let Some(file) = plain_file(&found.path, path) else { continue };
                let fail = |error: std::io::Error| Failure::input(format!("{}: {error}", file.display()));
                let bytes = fs::read(&file).map_err(fail)?;
                let made = Output::new(Method::file(), crate::hash(&bytes), Some(bytes.len() as u64));
                files.insert(path.clone(), made);
            }
            all.push((*party, files));
        }
        Ok(all)
    }
}

/// A plain file below a folder, by a path that leads through folders alone.
fn plain_file(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut at = folder.to_owned();
    let mut kind = fs::symlink_metadata(&at).ok()?.file_type();
    for part in Path::new(path).components() {
        let Component::Normal(part) = part else { return None };
        at.push(part);
        if !kind.is_dir() {
            return None;
        }
        kind = fs::symlink_metadata(&at).ok()?.file_type();
    }
    kind.is_file().then_some(at)
}

/// `NAME` or `NAME.nar` in a folder, or what is in a binary cache, by the last component of a store path.
fn find(folder: &Path, name: &str) -> Result<Option<Found>, Failure> {
    let base = base(name);
    if matches!(base, "" | "." | "..") {
        return Ok(None);
    }
    let path = folder.join(base);
    if fs::symlink_metadata(&path).is_ok() {
        return Ok(Some(Found { path, _unpacked: None }));
    }
    let packed = folder.join(format!("{base}.nar"));
    let Some(packed) = [Some(packed), cached(folder, base)].into_iter().flatten().find(|path| path.is_file())
    else {
        return Ok(None);
    };
    unpacked(&packed).map(Some)
}

/// What is in a NAR, until it is dropped.
pub fn unpacked(packed: &Path) -> Result<Found, Failure> {
    let fail = |error: &dyn std::fmt::Display| Failure::input(format!("{}: {error}", packed.display()));
    let temporary = tempfile::tempdir().map_err(|error| fail(&error))?;
    let path = temporary.path().join("output");
    let file = fs::File::open(packed).map_err(|error| fail(&error))?;
    let size = file.metadata().map_err(|error| fail(&error))?.len();
    inputs::restore(BufReader::new(file), &path, size).map_err(|error| fail(&error))?;
    Ok(Found { path, _unpacked: Some(temporary) })
}

/// The NAR in a binary cache such as `run NAME.drv --out` leaves.
fn cached(folder: &Path, base: &str) -> Option<PathBuf> {
    let text = fs::read_to_string(folder.join(format!("{}.narinfo", base.get(..32)?))).ok()?;
    let info = NarInfo::parse(&text).ok()?;
    info.url.ends_with(".nar").then(|| folder.join(info.url))
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// Of the NAR and, of a single file, of its bytes.
pub fn hash(path: &Path) -> Result<Output, Failure> {
    let fail = |error: std::io::Error| Failure::input(format!("{}: {error}", path.display()));
    let (sha256, size) = inputs::nar(path).map_err(fail)?;
    let mut output = Output::new(Method::nar(), sha256.to_string(), Some(size));
    if fs::symlink_metadata(path).map_err(fail)?.is_file() {
        output.digests.insert(Method::file(), crate::hash(&fs::read(path).map_err(fail)?));
    }
    Ok(output)
}
