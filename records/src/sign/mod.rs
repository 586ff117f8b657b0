//! Signing records and verifying that they were signed. Pure, but for running `ssh-keygen` on keys that only it can use.
//!
//! | form | what is signed | by |
//! |---|---|---|
//! | a DSSE envelope around the record | DSSE's pre-authentication encoding | ed25519, `groundup sign` |
//! | `RECORD.sig` beside the record, SSHSIG | the record's bytes, in the namespace `groundup` | any SSH key |
//! | `Sig` in a narinfo | Nix's fingerprint | the ed25519 keys of Nix's binary caches |
//!
//! Keys are SSH's, so that people use those that they have: secret ones in OpenSSH's format, public ones as `.pub` or
//! `allowed_signers` files hold them. A signature says who vouches, not that it is true; failed builds are signed like others.

mod dsse;
mod key;
mod keys;
mod nix;
mod ssh;

pub use dsse::sign as sign_envelope;
pub use key::{Secret, fingerprint};
pub use keys::{Keys, Signer};
pub use ssh::{sign as sign_detached, sign_with_ssh_keygen};

use crate::read::{self, Claims};
use std::collections::BTreeSet;

/// What signatures of SSH keys are for: those made for anything else, such as git, are refused.
pub const NAMESPACE: &str = "groundup";

/// A record whose signature was verified.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Whose keys signed it, by their names in the file of keys; at least one.
    pub signers: BTreeSet<String>,
    /// What it says.
    pub claims: Claims,
}

/// Why a record is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it means")]
pub enum Refused {
    #[error("it bears no signature, and there is no .sig beside it")]
    Unsigned,
    #[error("none of the given keys signed it; {0}")]
    Stranger(String),
    #[error("the signature of {0} does not fit: the record, or the signature, was altered")]
    Altered(String),
    #[error("the signature was made for {0:?}, not for {NAMESPACE:?}")]
    Namespace(String),
    #[error("the signature can not be read: {0}")]
    Malformed(String),
    #[error("it is of the plan {found}, not of {wanted}")]
    Plan { found: String, wanted: String },
    #[error("{0}")]
    Record(read::Error),
    #[error("ssh-keygen: {0}")]
    Tool(String),
}

/// Verifies a record, by the signature beside it if there is one, else by what it bears itself.
pub fn verify(record: &[u8], detached: Option<&str>, keys: &Keys) -> Result<Verified, Refused> {
    let text =
        std::str::from_utf8(record).map_err(|_| Refused::Record(read::Error::new("record", "not UTF-8")))?;
    let (signers, claims) = if let Some(signature) = detached {
        (ssh::verify(record, signature, keys)?, read::read(record))
    } else if text.starts_with("StorePath:") {
        (nix::verify(text, keys)?, read::read(record))
    } else {
        // Broken JSON was cut or altered; anything else, such as a list of hashes, bears no signature.
        let value = read::json::parse(text).map_err(|error| {
            let is_json = text.trim_start().starts_with(['{', '[']);
            if is_json { Refused::Record(read::Error::json(&error)) } else { Refused::Unsigned }
        })?;
        if value.get("payloadType").is_none() {
            return Err(Refused::Unsigned);
        }
        let (signers, statement) = dsse::verify(text, keys)?;
        (signers, read::read(statement.as_bytes()))
    };
    Ok(Verified { signers, claims: claims.map_err(Refused::Record)? })
}

/// Verifies a statement of any kind, and gives its signers and its text.
pub fn statement(
    record: &[u8],
    detached: Option<&str>,
    keys: &Keys,
) -> Result<(BTreeSet<String>, String), Refused> {
    let text =
        std::str::from_utf8(record).map_err(|_| Refused::Record(read::Error::new("record", "not UTF-8")))?;
    match detached {
        Some(signature) => Ok((ssh::verify(record, signature, keys)?, text.to_owned())),
        None if text.contains("payloadType") => dsse::verify(text, keys),
        None => Err(Refused::Unsigned),
    }
}

impl Verified {
    /// That it is of this plan and not of another one, from which it was taken.
    pub fn of_plan(&self, wanted: &str) -> Result<(), Refused> {
        match &self.claims.plan {
            Some(plan) if plan == wanted => Ok(()),
            other => {
                let found = other.clone().unwrap_or_else(|| "none".into());
                Err(Refused::Plan { found, wanted: wanted.into() })
            }
        }
    }
}
