//! Reading what others say they built. Pure, and nothing in it is believed: a record is a claim.
//!
//! | form | encoding | recognised by |
//! |---|---|---|
//! | in-toto Statement, ours or another's | JSON, `intoto` | `_type` |
//! | DSSE envelope around one | JSON, `envelope` | `payloadType` |
//! | narinfo of Nix and Guix | `Key: value` lines, `formats::narinfo` | a first line `StorePath: …` |
//! | `nix path-info --json` | JSON, `pathinfo`: a list, a map by path, or the map in `info` | the rest of JSON |
//! | `sha256sum` and its kin | lines `HEX  NAME` or `SHA256 (NAME) = HEX`, `list` | everything else |
//!
//! A list says in a comment, or before each hash, what its hashes are of: `# nar-sha256` as `groundup run` prints it,
//! `nar-sha256:HEX`, `sha256:HEX`. Where it does not, a hash is that of a file's bytes, unless it is the one that another party
//! has of the NAR.
//!
//! Restrictions: UTF-8; in JSON no key comes twice; a name that comes twice with two hashes is an error, and so is a statement without outputs that is
//! no record of a failed build.

mod claims;
pub mod envelope;
mod intoto;
pub mod json;
mod list;
mod pathinfo;

pub use claims::{Claims, Form, Method, Of, Output};

use formats::narinfo::NarInfo;

/// Why a file is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Error {
    /// A line, or a field by its path.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl Error {
    /// At a line, counted from 1, or a field.
    pub fn new(place: impl ToString, what: impl ToString) -> Error {
        Error { place: place.to_string(), what: what.to_string() }
    }

    /// What serde found, at its line and column.
    pub fn json(error: &serde_json::Error) -> Error {
        let said = error.to_string();
        let what = said.split(" at line ").next().unwrap_or_default();
        Error::new(format_args!("line {}, column {}", error.line(), error.column()), what)
    }
}

impl From<formats::narinfo::Error> for Error {
    fn from(error: formats::narinfo::Error) -> Error {
        Error { place: error.place, what: error.what }
    }
}

/// Reads a record of any form.
pub fn read(bytes: &[u8]) -> Result<Claims, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Error::new(format_args!("byte {}", error.valid_up_to()), "this is not UTF-8"))?;
    match text.trim_start().chars().next() {
        None => Err(Error::new("line 1", "the file is empty")),
        Some('{' | '[') => json(text),
        Some(_) if text.starts_with("StorePath:") => narinfo(text),
        Some(_) => list::read(text),
    }
}

/// What a narinfo claims of the content; [`formats::narinfo`] reads it.
fn narinfo(text: &str) -> Result<Claims, Error> {
    let info = NarInfo::parse(text)?;
    let mut claims = Claims::new(Form::Narinfo);
    claims
        .outputs
        .insert(info.path, Output::new(Method::nar(), info.nar_hash.to_string(), Some(info.nar_size)));
    Ok(claims)
}

fn json(text: &str) -> Result<Claims, Error> {
    let value = json::parse(text).map_err(|error| Error::json(&error))?;
    if value.get("payloadType").is_some() {
        let envelope = envelope::Envelope::read(text)?;
        return intoto::read(&envelope.statement()?);
    }
    if value.get("_type").is_some() { intoto::read(text) } else { pathinfo::read(&value) }
}
