//! Where the outputs of a step differ, and whether what was varied stands in them.

use super::lab::Came;
use super::scratch::Scratch;
use super::select::Set;
use crate::differ::{What, differences};
use crate::failure::Failure;
use graphs::plan::Step;
use std::fs;
use std::path::Path;

/// Bytes that are shown of each side, and how many of them come before the first that differs.
const SHOWN: usize = 16;
const BEFORE: usize = 4;
/// Differences that are told of one output.
const MOST: usize = 8;

/// One place.
pub struct Detail {
    /// The output.
    pub output: String,
    /// The path in it, and the way from there: member, section, symbol, line.
    pub place: String,
    /// What differs there, in words, or the offset of the bytes shown.
    pub what: String,
    /// Bytes without and with the variation, and the offset at which they start.
    pub bytes: Option<(u64, Vec<u8>, Vec<u8>)>,
    /// What of the varied values stands there.
    pub found: Vec<String>,
}

/// Every place in which the outputs differ, up to a limit.
pub fn details(
    scratch: &Scratch,
    control: &Came,
    came: &Came,
    values: &[(String, Vec<u8>)],
) -> Result<Vec<Detail>, Failure> {
    let (Came::Built(before), Came::Built(after)) = (control, came) else { return Ok(vec![]) };
    let mut all = Vec::new();
    for (output, one) in before {
        let Some(other) = after.get(output).filter(|other| *other != one) else { continue };
        if scratch.bytes(one).is_none() || scratch.bytes(other).is_none() {
            let what = "too large to be looked into".to_owned();
            all.push(Detail {
                output: output.clone(),
                place: String::new(),
                what,
                bytes: None,
                found: vec![],
            });
            continue;
        }
        let (one, other) = (scratch.tree(one)?, scratch.tree(other)?);
        let found = differences(&one, &other).map_err(Failure::machine)?;
        all.extend(found.iter().take(MOST).flat_map(|difference| {
            let path = difference.path.display().to_string();
            let (first, second) = (join(&one, &difference.path), join(&other, &difference.path));
            places(output, &path, &difference.what, &first, &second, values)
        }));
    }
    Ok(all)
}

fn join(root: &Path, path: &Path) -> std::path::PathBuf {
    if path.as_os_str().is_empty() { root.to_owned() } else { root.join(path) }
}

fn places(
    output: &str,
    path: &str,
    what: &What,
    one: &Path,
    other: &Path,
    values: &[(String, Vec<u8>)],
) -> Vec<Detail> {
    let detail = |place: String, what: String, bytes, found| {
        vec![Detail { output: output.to_owned(), place, what, bytes, found }]
    };
    let words = |text: String| detail(path.to_owned(), text, None, vec![]);
    match what {
        What::OnlyIn { first: true } => words("is not there any more".into()),
        What::OnlyIn { first: false } => {
            detail(path.to_owned(), "is new".into(), None, named(path.as_bytes(), values))
        }
        What::Kind { one, other } => words(format!("is no {one} any more but a {other}")),
        What::Executable { first } => {
            words(if *first { "is not executable any more" } else { "has become executable" }.into())
        }
        What::Target { one, other } => {
            words(format!("leads to {} and not to {}", other.display(), one.display()))
        }
        What::Bytes { parts, .. } => {
            let (Ok(first), Ok(second)) = (fs::read(one), fs::read(other)) else { return vec![] };
            let mut all = Vec::new();
            for part in parts.iter().take(MOST) {
                let way: Vec<_> = part.at.iter().map(ToString::to_string).collect();
                let place = [path.to_owned(), way.join(", ")];
                let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
                let start = (part.first as usize).saturating_sub(BEFORE);
                let shown = |bytes: &[u8]| {
                    bytes.get(start..bytes.len().min(start + SHOWN)).unwrap_or_default().to_vec()
                };
                let what = format!(
                    "{} from byte {} on",
                    crate::term::count(part.bytes as usize, "byte"),
                    part.first
                );
                let bytes = Some((start as u64, shown(&first), shown(&second)));
                let found =
                    values.iter().filter(|(_, value)| contains(&second, value) && !contains(&first, value));
                let found = found.map(|(label, _)| label.clone()).collect();
                all.extend(detail(place.join(", "), what, bytes, found));
            }
            all
        }
    }
}

fn named(text: &[u8], values: &[(String, Vec<u8>)]) -> Vec<String> {
    values.iter().filter(|(_, value)| contains(text, value)).map(|(label, _)| label.clone()).collect()
}

fn contains(bytes: &[u8], value: &[u8]) -> bool {
    !value.is_empty() && bytes.windows(value.len()).any(|window| window == value)
}

/// What can be looked for in an output: each value that the variations changed, in the encodings that are usual for it.
pub fn values(before: &Step, after: &Step, set: &Set) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut text =
        |what: &str, value: &str| all.push((format!("{what} {value:?}"), value.as_bytes().to_vec()));
    if before.host != after.host {
        text("the host name", &after.host);
    }
    if before.domain != after.domain {
        text("the domain name", &after.domain);
    }
    if before.cwd != after.cwd {
        text("the build path", &after.cwd);
    }
    for (name, value) in after.env.iter().filter(|(name, value)| before.env.get(*name) != Some(value)) {
        text(&format!("{name}="), value);
        if !before.env.contains_key(name) {
            text("the variable", name);
        }
    }
    for (what, one, other) in
        [("the user id", before.uid, after.uid), ("the group id", before.gid, after.gid)]
    {
        if one != other {
            text(what, &other.to_string());
            text(&format!("{what}, octal,"), &format!("{other:o}"));
        }
    }
    if before.clock != after.clock {
        times(after.clock, &mut text);
    }
    for variation in set {
        match variation.name {
            "input-times" => {
                text("the time of inputs", "1597643776");
                text("the time of inputs, octal,", &format!("{:o}", 0x5f3a_1c00));
                text("the year of inputs", "2020");
            }
            "input-owners" => {
                text("the owner of inputs", "123");
                text("the owner of inputs, octal,", "0000173");
            }
            "uname" => {
                text("the machine", "i686");
                text("the kernel's version", "2.6.");
            }
            "user-name" => text("the user name", "somebody"),
            _ => {}
        }
    }
    if before.clock != after.clock {
        // What is seconds later, as 32 bits.
        for late in 0..8 {
            let time = ((after.clock + late) as u32).to_le_bytes().to_vec();
            all.push((format!("the time, 32 bits, {}", after.clock + late), time));
        }
    }
    all
}

/// The time that a step has by its clock, as it is written. A step may take some seconds until it looks.
fn times(clock: u64, text: &mut dyn FnMut(&str, &str)) {
    // Days to a civil date. Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
    let days = (clock / 86_400) as i64 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = MONTHS[(month - 1) as usize];
    for (what, value) in [
        ("the date", format!("{year}-{month:02}-{date:02}")),
        ("the date", format!("{year}{month:02}{date:02}")),
        ("the date", format!("{name} {date:2} {year}")),
        ("the date", format!("{name} {date:2}")),
        ("the date", format!("{date:02} {name} {year}")),
        ("the year", year.to_string()),
    ] {
        text(what, &value);
    }
    for late in 0..8 {
        text("the time in seconds", &(clock + late).to_string());
        text("the time in seconds, octal,", &format!("{:o}", clock + late));
    }
}
