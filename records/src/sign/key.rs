//! Secret keys: ed25519, in OpenSSH's format, without a passphrase.

use ed25519_dalek::{Signer as _, SigningKey};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey};

/// A secret key.
pub struct Secret {
    key: PrivateKey,
    signing: SigningKey,
}

impl Secret {
    /// A new one, of the kernel's random numbers.
    ///
    /// # Errors
    /// There are none.
    pub fn random(comment: &str) -> Result<Secret, String> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
        Secret::from_seed(&seed, comment)
    }

    /// The one of a seed, as RFC 8032 makes it.
    ///
    /// # Errors
    /// The comment is none that an OpenSSH key can have.
    pub fn from_seed(seed: &[u8; 32], comment: &str) -> Result<Secret, String> {
        let pair = Ed25519Keypair::from_seed(seed);
        let key = PrivateKey::new(KeypairData::Ed25519(pair), comment).map_err(|error| error.to_string())?;
        Ok(Secret { key, signing: SigningKey::from_bytes(seed) })
    }

    /// Reads one.
    ///
    /// # Errors
    /// Why it is none that can be used here.
    pub fn read(text: &str) -> Result<Secret, String> {
        let key = PrivateKey::from_openssh(text).map_err(|error| error.to_string())?;
        if key.is_encrypted() {
            return Err("it has a passphrase".into());
        }
        let pair = key.key_data().ed25519().ok_or("it is no ed25519 key")?;
        let signing = SigningKey::from_bytes(&pair.private.to_bytes());
        Ok(Secret { key, signing })
    }

    /// As OpenSSH keeps it.
    ///
    /// # Errors
    /// It can not be written.
    pub fn to_text(&self) -> Result<String, String> {
        self.key.to_openssh(LineEnding::LF).map(|text| text.to_string()).map_err(|error| error.to_string())
    }

    /// The public one.
    pub fn public(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// An ed25519 signature. Source: RFC 8032, 5.1.6.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }
}

/// How people tell keys apart: `SHA256:…`, as `ssh-keygen -l` prints it.
pub fn fingerprint(key: &ssh_key::public::KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Whether an ed25519 key made a signature. Strictly: no key or signature of small order, one encoding only.
pub fn verifies(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) =
        (ed25519_dalek::VerifyingKey::from_bytes(key), ed25519_dalek::Signature::from_slice(signature))
    else {
        return false;
    };
    key.verify_strict(message, &signature).is_ok()
}
