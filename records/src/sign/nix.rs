//! Signatures of Nix's binary caches: ed25519 over the narinfo's fingerprint.
//! Source: Nix's manual, "Store object signatures".

use super::Refused;
use super::key::verifies;
use super::keys::Keys;
use crate::read::envelope::decode;
use formats::narinfo::NarInfo;
use std::collections::BTreeSet;

/// Who signed a narinfo. Guix's signatures are of another kind, and are not known here.
pub fn verify(text: &str, keys: &Keys) -> Result<BTreeSet<String>, Refused> {
    let narinfo = NarInfo::parse(text).map_err(|error| Refused::Record(error.into()))?;
    if narinfo.signatures.is_empty() {
        let of_guix = text.lines().any(|line| line.starts_with("Signature:"));
        let unknown = || Refused::Malformed("it is Guix's, and only those of Nix are known".into());
        return Err(if of_guix { unknown() } else { Refused::Unsigned });
    }
    let (fingerprint, mut signers) = (narinfo.fingerprint(), BTreeSet::new());
    for signed in &narinfo.signatures {
        let sig = decode(&signed.signature).ok_or_else(|| Refused::Malformed("it is no base64".into()))?;
        for (name, key) in keys.nix.iter().filter(|(name, _)| *name == signed.key) {
            if !verifies(key, fingerprint.as_bytes(), &sig) {
                return Err(Refused::Altered(name.clone()));
            }
            signers.insert(name.clone());
        }
    }
    if signers.is_empty() {
        let who: Vec<_> =
            narinfo.signatures.iter().map(|signed| graphs::words::shown(&signed.key).into_owned()).collect();
        return Err(Refused::Stranger(format!("it names {}", who.join(", "))));
    }
    Ok(signers)
}
