//! Signatures in DSSE envelopes: plain ed25519, the key's fingerprint as a hint.

use super::Refused;
use super::key::{Secret, fingerprint, verifies};
use super::keys::Keys;
use crate::read::envelope::{Envelope, Signature, decode, encode};
use crate::read::{Error, json};
use std::collections::BTreeSet;

/// Signs a statement, or an envelope once more; the envelope's text.
///
/// # Errors
/// The envelope can not be read.
pub fn sign(record: &str, key: &Secret) -> Result<String, Error> {
    let is_envelope = json::parse(record).is_ok_and(|value| value.get("payloadType").is_some());
    let mut envelope = if is_envelope { Envelope::read(record)? } else { Envelope::new(record) };
    let sig = encode(&key.sign(&envelope.signed()?));
    let keyid = fingerprint(key.public().key_data());
    envelope.signatures.retain(|signature| signature.keyid != keyid);
    envelope.signatures.push(Signature { keyid, sig });
    let text = serde_json::to_string_pretty(&envelope).map_err(|error| Error::json(&error))?;
    Ok(text + "\n")
}

/// Who signed an envelope, and what is in it. Signatures of strangers are passed over, as the protocol has it; one that claims
/// to be by a known key and does not fit is not.
pub fn verify(text: &str, keys: &Keys) -> Result<(BTreeSet<String>, String), Refused> {
    let envelope = Envelope::read(text).map_err(Refused::Record)?;
    let signed = envelope.signed().map_err(Refused::Record)?;
    if envelope.signatures.is_empty() {
        return Err(Refused::Unsigned);
    }
    let mut signers = BTreeSet::new();
    let mut strangers = BTreeSet::new();
    for signature in &envelope.signatures {
        let sig = decode(&signature.sig).ok_or_else(|| Refused::Malformed("it is no base64".into()))?;
        let by = keys.signers.iter().find(|signer| {
            signer.key.key_data().ed25519().is_some_and(|key| verifies(&key.0, &signed, &sig))
        });
        let claimed =
            keys.signers.iter().find(|signer| fingerprint(signer.key.key_data()) == signature.keyid);
        match (by, claimed) {
            (Some(by), _) => drop(signers.insert(by.name.clone())),
            (None, Some(claimed)) => return Err(Refused::Altered(claimed.name.clone())),
            (None, None) => drop(strangers.insert(signature.keyid.clone())),
        }
    }
    if signers.is_empty() {
        let who: Vec<_> = strangers.into_iter().map(|id| graphs::words::shown(&id).into_owned()).collect();
        return Err(Refused::Stranger(format!("it names {}", who.join(", "))));
    }
    Ok((signers, envelope.statement().map_err(Refused::Record)?))
}
