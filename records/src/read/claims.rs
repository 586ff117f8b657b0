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
    /// Files at hand.
    Files,
}

impl Form {
    /// Whether it is of all that a store or a cache holds, of which a party vouches for what others name.
    pub fn is_of_store(self) -> bool {
        matches!(self, Form::Narinfo | Form::PathInfo)
    }

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Form::Record => "record",
            Form::Statement => "in-toto statement",
            Form::Narinfo => "narinfo",
            Form::PathInfo => "nix path-info",
            Form::List => "list of hashes",
            Form::Files => "files at hand",
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
    /// As a list has it that does not say: the bytes of a file, if not the NAR.
    Listed,
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

    /// The method of a file's bytes.
    pub fn file() -> Method {
        Method { of: Of::File, algorithm: "sha256".into() }
    }

    /// In words.
    pub fn words(&self) -> String {
        let of = match self.of {
            Of::Nar => "NAR",
            Of::File => "file",
            Of::Listed => "listed",
        };
        format!("{of} {}", self.algorithm)
    }
}

/// What is said of one output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Lower-case hex. At least one.
    pub digests: BTreeMap<Method, String>,
    /// Bytes of what is hashed, if that is known.
    pub size: Option<u64>,
}

impl Output {
    /// With one digest.
    pub fn new(method: Method, hex: String, size: Option<u64>) -> Output {
        Output { digests: BTreeMap::from([(method, hex)]), size }
    }

    /// Whether the two can be compared and, if so, whether they are equal.
    pub fn agrees(&self, other: &Output) -> Option<bool> {
        let both = self.digests.iter().filter_map(|(method, hex)| Some(*hex == *other.digests.get(method)?));
        both.chain(self.listed(other)).chain(other.listed(self)).reduce(|agree, equal| agree && equal)
    }

    /// Whether the hashes of a list are those of another party that says what its own are of. What equals the NAR's hash is the
    /// NAR's hash; what does not may be that of the file's bytes.
    fn listed<'a>(&'a self, other: &'a Output) -> impl Iterator<Item = bool> + 'a {
        let listed = self.digests.iter().filter(|(method, _)| method.of == Of::Listed);
        listed.filter_map(|(method, hex)| {
            let by = |of| other.digests.get(&Method { of, algorithm: method.algorithm.clone() });
            match (by(Of::Nar), by(Of::File), by(Of::Listed)) {
                (.., Some(_)) => None,
                (Some(nar), ..) if nar == hex => Some(true),
                (_, Some(file), _) => Some(file == hex),
                _ => None,
            }
        })
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
    /// Why it says nothing of who built what, if it does not.
    pub no_build: Option<String>,
    /// It tells of files inside outputs alone.
    pub inside: bool,
}

impl Claims {
    /// Says nothing yet.
    pub fn new(form: Form) -> Claims {
        Claims {
            form,
            plan: None,
            outputs: BTreeMap::new(),
            failures: BTreeMap::new(),
            inputs: BTreeMap::new(),
            no_build: None,
            inside: false,
        }
    }

    /// Adds an output; it may come twice, but with one hash only.
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
