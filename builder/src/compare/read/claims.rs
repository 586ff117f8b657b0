//! What a record says, whatever its form.

use super::Error;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The form that a record had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Of a run of groundup.
    Record,
    /// An in-toto statement of something else.
    Statement,
    /// Of a binary cache of Nix or Guix.
    Narinfo,
    /// Of `nix path-info --json`.
    PathInfo,
    /// Hashes and names.
    List,
}

impl Form {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Form::Record => "record",
            Form::Statement => "in-toto statement",
            Form::Narinfo => "narinfo",
            Form::PathInfo => "nix path-info",
            Form::List => "list of hashes",
        }
    }
}

/// What is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// The NAR, of a file or a tree.
    Nar,
    /// The bytes of a single file.
    File,
}

/// What is hashed, and how. Only digests by one method can be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Method {
    /// What.
    pub of: Of,
    /// How, such as `sha256`.
    pub algorithm: String,
}

impl Method {
    /// The method by which groundup, Nix and Guix know an output.
    pub fn nar() -> Method {
        Method { of: Of::Nar, algorithm: "sha256".into() }
    }

    /// The method of `sha256sum`.
    pub fn file() -> Method {
        Method { of: Of::File, algorithm: "sha256".into() }
    }

    /// In words.
    pub fn words(&self) -> String {
        let of = match self.of {
            Of::Nar => "NAR",
            Of::File => "file",
        };
        format!("{of} {}", self.algorithm)
    }
}

/// What is said of one output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Lower-case hex. At least one.
    pub digests: BTreeMap<Method, String>,
    /// Bytes of what is hashed, if that is told.
    pub size: Option<u64>,
}

impl Output {
    /// With one digest.
    pub fn new(method: Method, hex: String, size: Option<u64>) -> Output {
        Output { digests: BTreeMap::from([(method, hex)]), size }
    }

    /// Whether the two can be compared and, if so, whether they are equal.
    pub fn agrees(&self, other: &Output) -> Option<bool> {
        let both = self.digests.iter().filter_map(|(method, hex)| Some((hex, other.digests.get(method)?)));
        both.fold(None, |agree, (one, other)| Some(agree.unwrap_or(true) && one == other))
    }
}

/// All that a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Its form.
    pub form: Form,
    /// The plan's sha256, which identifies the build.
    pub plan: Option<String>,
    /// By store path where there is one, else by name.
    pub outputs: BTreeMap<String, Output>,
    /// Steps that were not built, and why.
    pub failures: BTreeMap<String, String>,
    /// What it was built from and by, each with a digest.
    pub inputs: BTreeMap<String, String>,
}

impl Claims {
    /// Says nothing yet.
    pub(super) fn new(form: Form) -> Claims {
        Claims {
            form,
            plan: None,
            outputs: BTreeMap::new(),
            failures: BTreeMap::new(),
            inputs: BTreeMap::new(),
        }
    }

    /// Adds an output; it may be told twice, but not in two ways.
    pub(super) fn add(&mut self, place: &str, name: String, output: Output) -> Result<(), Error> {
        match self.outputs.entry(name) {
            Entry::Vacant(free) => drop(free.insert(output)),
            Entry::Occupied(mut there) => {
                if there.get().agrees(&output) == Some(false) {
                    return Err(Error::new(
                        place,
                        format_args!("{:?} comes twice, with two hashes", there.key()),
                    ));
                }
                there.get_mut().digests.extend(output.digests);
            }
        }
        Ok(())
    }
}
