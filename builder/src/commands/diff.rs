//! `groundup diff`: where two files, folders or NARs differ.

use crate::compare::{hand, places};
use crate::envelope;
use crate::failure::Failure;
use crate::ui::term;
use diff::{Difference, What, contents, differences};
use formats::hex;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// How a NAR begins. Source: the Nix manual, "Nix Archive (NAR) format": the length of the word, then the word.
const NAR: &[u8] = b"\x0d\0\0\0\0\0\0\0nix-archive-1";
/// So many differences are shown in words.
const MOST: usize = 200;

/// One side.
struct Side<'a> {
    named: &'a Path,
    path: PathBuf,
    /// What is in it is looked at, not itself.
    nar: Option<hand::Found>,
}

/// Compares what a NAR would show. The inner failure is one that the differences show.
pub fn diff(one: &Path, other: &Path, json: bool) -> Result<Result<(), Failure>, Failure> {
    let (one, other) = (Side::open(one)?, Side::open(other)?);
    let found = differences(&one.path, &other.path).map_err(Failure::input)?;
    let verdict = match found.len() {
        0 => Ok(()),
        many => Err(Failure::Differs(term::count(many, "difference"))),
    };
    if json {
        let all: Vec<_> = found.iter().map(|difference| with_bytes(difference, &one, &other)).collect();
        let value = json!({ "one": one.json()?, "other": other.json()?, "same": found.is_empty(), "differences": all });
        envelope::print("diff", verdict.as_ref().copied(), value)?;
        return Ok(verdict);
    }
    let mut text = String::new();
    for difference in found.iter().take(MOST) {
        places::write(&mut text, difference, "");
        for (offset, first, second) in samples(difference, &one, &other) {
            text += &format!("    {offset:>8}  - {}\n", line(&first));
            text += &format!("    {offset:>8}  + {}\n", line(&second));
        }
    }
    if found.len() > MOST {
        text += &format!("and {}\n", term::count(found.len() - MOST, "more difference"));
    }
    if found.is_empty() {
        text = "the same\n".into();
    }
    term::result(&text)?;
    Ok(verdict)
}

impl Side<'_> {
    fn open(named: &Path) -> Result<Side<'_>, Failure> {
        let fail =
            |error| Failure::help(format!("{}: {error}", named.display()), "name a file, a folder or a NAR");
        let kind = fs::symlink_metadata(named).map_err(fail)?;
        let mut start = vec![];
        if kind.is_file() {
            File::open(named).map_err(fail)?.take(NAR.len() as u64).read_to_end(&mut start).map_err(fail)?;
        }
        // A folder that is named by a link, and a path that ends in dots, are what they lead to.
        let path = if kind.is_symlink() && !named.is_dir() {
            named.to_owned()
        } else {
            fs::canonicalize(named).map_err(fail)?
        };
        Ok(match start == NAR {
            false => Side { named, path, nar: None },
            true => {
                let found = hand::unpacked(named)?;
                Side { named, path: found.path.clone(), nar: Some(found) }
            }
        })
    }

    fn json(&self) -> Result<Value, Failure> {
        let fail = |error| Failure::input(format!("{}: {error}", self.named.display()));
        let (sha256, size) = inputs::nar(&self.path).map_err(fail)?;
        Ok(
            json!({ "path": self.named, "unpacked": self.nar.is_some(), "narSha256": sha256, "narSize": size }),
        )
    }
}

/// The bytes at each part of a file that differs.
fn samples(difference: &Difference, one: &Side<'_>, other: &Side<'_>) -> Vec<(u64, Vec<u8>, Vec<u8>)> {
    let What::Bytes { parts, .. } = &difference.what else { return vec![] };
    let at = |side: &Side<'_>| match difference.path.as_os_str().is_empty() {
        true => fs::read(&side.path),
        false => fs::read(side.path.join(&difference.path)),
    };
    let (Ok(first), Ok(second)) = (at(one), at(other)) else { return vec![] };
    // Offsets are in what is compressed where that was opened.
    let (first, second) = contents(first, second);
    parts.iter().take(places::SHOWN).map(|part| places::sample(&first, &second, part)).collect()
}

fn with_bytes(difference: &Difference, one: &Side<'_>, other: &Side<'_>) -> Value {
    let mut value = places::json(difference);
    let bytes = samples(difference, one, other);
    for (part, (offset, one, other)) in value["parts"].as_array_mut().into_iter().flatten().zip(bytes) {
        part["around"] = json!({ "offset": offset, "one": hex::text(&one), "other": hex::text(&other) });
    }
    value
}

/// Bytes in hex and as text.
fn line(bytes: &[u8]) -> String {
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let text: String =
        bytes.iter().map(|&byte| if matches!(byte, b' '..=b'~') { byte as char } else { '.' }).collect();
    format!("{:47}  {text}", hex.join(" "))
}
