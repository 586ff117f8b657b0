//! What an input is: where it may come from, what it must be, and what is taken of it. Pure.

use graphs::{Input, Kind, Place};
use std::path::{Path, PathBuf};

/// One seed or source of a graph, with everything needed to obtain it.
#[derive(Clone, Debug)]
pub struct InputSpec {
    /// As in the graph.
    pub name: String,
    /// Places, hash and form, as in the graph.
    pub input: Input,
    /// The graph's folder, for files beside it.
    pub folder: PathBuf,
}

impl InputSpec {
    /// Of what the graph says.
    pub fn new(name: &str, input: &Input, folder: &Path) -> Self {
        let mut input = input.clone();
        input.sha256 = input.sha256.map(|sha256| sha256.to_ascii_lowercase());
        InputSpec { name: name.into(), input, folder: folder.into() }
    }

    /// File, program or tree.
    pub fn kind(&self) -> Kind {
        self.input.kind()
    }

    /// The version of a pinned package, from the first place that states one.
    pub(super) fn version(&self) -> Option<String> {
        self.input.from.iter().find_map(|place| match place {
            Place::DebianSource { version, .. } => Some(version.clone()),
            Place::Wheel { version, .. } => version.clone(),
            Place::Debian { packages, .. } => {
                packages.first()?.split_once('=').map(|(_, version)| version.into())
            }
            _ => None,
        })
    }

    /// Whether a lock file has to say what this input is.
    pub fn floats(&self) -> bool {
        self.input.sha256.is_none() && self.input.from.iter().any(floats)
    }
}

/// Whether the place names what it gives only loosely, so that a lock file has to say what it was.
pub fn floats(place: &Place) -> bool {
    matches!(place, Place::Debian { .. } | Place::Wheel { .. })
}

/// Whether the place is on this machine and costs nothing to read.
pub fn is_local(place: &Place) -> bool {
    matches!(place, Place::Text(_) | Place::Hex(_) | Place::File(_))
}

/// The place in a few words, for messages and records.
pub fn describe(place: &Place) -> String {
    let of =
        |suite: &Option<String>| suite.iter().map(|suite| format!(" of suite {suite}")).collect::<String>();
    match place {
        Place::Text(_) => "inline text".into(),
        Place::Hex(_) => "inline hex".into(),
        Place::File(path) => format!("file {path}"),
        Place::Url(url) => url.clone(),
        Place::Debian { packages, suite, dependencies } => {
            let many = if packages.len() == 1 { "" } else { "s" };
            let along = if *dependencies { " with dependencies" } else { "" };
            format!("Debian package{many} {}{}{along}", packages.join(", "), of(suite))
        }
        Place::DebianSource { package, version, file, suite } => {
            format!("Debian source {package} {version} ({file}){}", of(suite))
        }
        Place::Wheel { package, version } => {
            format!(
                "wheel {package}{}",
                version.iter().map(|version| format!(" {version}")).collect::<String>()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_describe_themselves() {
        let (packages, suite) = (vec!["gcc-12".into(), "libc6".into()], Some("bookworm".into()));
        let place = Place::Debian { packages, suite, dependencies: true };
        assert_eq!(describe(&place), "Debian packages gcc-12, libc6 of suite bookworm with dependencies");
        let place = Place::Wheel { package: "six".into(), version: Some("1.16.0".into()) };
        assert_eq!(describe(&place), "wheel six 1.16.0");
    }
}
