//! Where the outputs of a step differ, and whether what was varied stands in them.

use super::outcome::BuildOutcome;
use super::scratch::Scratch;
use super::values::Value;
use crate::compare::places::sample;
use crate::failure::Failure;
use diff::{What, contents, differences};
use std::fs;
use std::path::Path;

/// A value may begin before the first byte that differs, and end behind the last.
const AROUND: usize = 64;
/// Differences of one output that are shown.
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
    control: &BuildOutcome,
    came: &BuildOutcome,
    values: &[Value],
) -> Result<Vec<Detail>, Failure> {
    let (Some(before), Some(after)) = (control.outputs(), came.outputs()) else { return Ok(vec![]) };
    let mut all = Vec::new();
    for (output, one) in before {
        let Some(other) = after.get(output).filter(|other| *other != one) else { continue };
        if scratch.bytes(*one).is_none() || scratch.bytes(*other).is_none() {
            let (output, what) = (output.clone(), "too large to be looked into".to_owned());
            all.push(Detail { output, place: String::new(), what, bytes: None, found: vec![] });
            continue;
        }
        let (one, other) = (scratch.tree(*one)?, scratch.tree(*other)?);
        let found = differences(&one, &other).map_err(Failure::machine)?;
        all.extend(found.iter().take(MOST).flat_map(|difference| {
            let path = difference.path.display().to_string();
            let (first, second) = (join(&one, &difference.path), join(&other, &difference.path));
            places(output, &path, &difference.what, &first, &second, values)
        }));
    }
    Ok(all)
}

/// Where two parts differ, from the first place to the last, and what is around that.
fn changed<'a>(one: &'a [u8], other: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let same = |(a, b): &(&u8, &u8)| a == b;
    let start = one.iter().zip(other).take_while(same).count();
    let end = one[start..].iter().rev().zip(other[start..].iter().rev()).take_while(same).count();
    let around = |bytes: &'a [u8]| {
        let last = bytes.len().min(bytes.len() - end + AROUND);
        &bytes[start.saturating_sub(AROUND)..last]
    };
    (around(one), around(other))
}

fn join(root: &Path, path: &Path) -> std::path::PathBuf {
    if path.as_os_str().is_empty() { root.to_owned() } else { root.join(path) }
}

fn places(output: &str, path: &str, what: &What, one: &Path, other: &Path, values: &[Value]) -> Vec<Detail> {
    let detail = |place: String, what: String, bytes, found| {
        vec![Detail { output: output.to_owned(), place, what, bytes, found }]
    };
    let words = |text: String| detail(path.to_owned(), text, None, vec![]);
    match what {
        What::OnlyIn { first: true } => words("is not there any more".into()),
        What::OnlyIn { first: false } => detail(
            path.to_owned(),
            "is new".into(),
            None,
            values
                .iter()
                .filter(|value| value.appears(b"", path.as_bytes()))
                .map(|value| value.about.clone())
                .collect(),
        ),
        What::Kind { one, other } => words(format!("is no {one} any more but a {other}")),
        What::Executable { first } => {
            words(if *first { "is not executable any more" } else { "has become executable" }.into())
        }
        What::Target { one, other } => {
            words(format!("leads to {} and not to {}", other.display(), one.display()))
        }
        What::Bytes { parts, .. } => {
            let (Ok(first), Ok(second)) = (fs::read(one), fs::read(other)) else { return vec![] };
            let (first, second) = contents(first, second);
            let mut all = Vec::new();
            for part in parts.iter().take(MOST) {
                let way: Vec<_> = part.at.iter().map(ToString::to_string).collect();
                let place = [path.to_owned(), way.join(", ")];
                let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
                let what = format!(
                    "{} from byte {} on",
                    crate::ui::term::count(part.bytes as usize, "byte"),
                    part.first
                );
                let bytes = Some(sample(&first, &second, part));
                let [one, other] = &part.within;
                let (one, other) = (first.get(one.clone()), second.get(other.clone()));
                let (one, other) = changed(one.unwrap_or_default(), other.unwrap_or_default());
                let found = values.iter().filter(|value| value.appears(one, other));
                let found = found.map(|value| value.about.clone()).collect();
                all.extend(detail(place.join(", "), what, bytes, found));
            }
            all
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_belongs_to_what_changed() {
        let far = "-".repeat(200);
        let (one, other) =
            (format!("begin{far}the time 12{far}end"), format!("begin{far}the time 3456{far}end"));
        let (before, after) = changed(one.as_bytes(), other.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text(before).contains("the time 12-") && !text(before).contains("begin"));
        assert!(text(after).contains("the time 3456-") && !text(after).contains("end"));
        assert_eq!(changed(b"ab", b"ab"), (&b"ab"[..], &b"ab"[..]));
        assert_eq!(changed(b"aa", b"aaa"), (&b"aa"[..], &b"aaa"[..]));
        assert_eq!(changed(b"", b"x"), (&b""[..], &b"x"[..]));
    }
}
