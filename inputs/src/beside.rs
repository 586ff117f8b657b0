//! What can be known of files beside a graph without fetching anything.

use super::error::{Attempt, Error, Reason};
use super::spec::{InputSpec, describe};
use super::{hash, local};
use graphs::Place;

/// The files that an input is to come from and that are not there or not what they should be, if it can't be had without them:
/// the other places are not asked.
pub fn missing(spec: &InputSpec) -> Option<Error> {
    let mut attempts = Vec::new();
    for (number, place) in spec.input.from.iter().enumerate() {
        let Place::File(path) = place else { return None };
        let reason = match local::find(&spec.folder, path) {
            Err(reason) => reason,
            Ok(path) => match (hash::file(&path), &spec.input.sha256) {
                (Err(source), _) => Reason::Read { path, source },
                (Ok((found, size)), Some(expected)) if found.to_string() != *expected => {
                    Reason::WrongHash { expected: expected.clone(), found: found.to_string(), size }
                }
                _ => return None,
            },
        };
        attempts.push(Attempt { place: number, what: describe(place), reason });
    }
    (!attempts.is_empty()).then(|| Error::Unobtainable { name: spec.name.clone(), attempts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_what_nothing_else_can_give_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hi"), "hi\n").unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        let hi = hash::bytes(b"hi\n");
        let of = |from: &str, sha256: &str| {
            let text = format!(
                "(sources: {{\"a\": (from: [{from}], sha256: \"{sha256}\")}}, derivations: {{}}, targets: [])"
            );
            let graph = graphs::read("x", &text).unwrap();
            let spec = InputSpec::new("a", &graph.sources["a"], folder.path());
            missing(&spec).map(|error| error.to_string())
        };
        assert_eq!(of("File(\"hi\")", &hi), None);
        assert_eq!(of("File(\"none\"), File(\"hi\")", &hi), None);
        assert_eq!(of("File(\"none\"), Url(\"http://x/\")", &hi), None);
        for (from, sha256, said) in [
            ("File(\"none\")", &*hi, "No such file"),
            ("File(\"sub\")", &hi, "this is no regular file"),
            ("File(\"hi\")", &"0".repeat(64), "wrong sha256"),
            ("File(\"none\"), File(\"sub\")", &hi, "No such file"),
        ] {
            assert!(of(from, sha256).unwrap().contains(said), "{from}");
        }
    }
}
