//! Signatures of SSH keys, as `ssh-keygen -Y sign` makes them. ed25519 is verified here; other kinds of keys, keys with a
//! passphrase, in an agent or on a token are left to `ssh-keygen` itself.
//! Source: OpenSSH's PROTOCOL.sshsig.

use super::key::{Secret, fingerprint, verifies};
use super::keys::{Keys, Signer};
use super::{NAMESPACE, Refused};
use ssh_key::{Algorithm, HashAlg, LineEnding, Signature, SshSig};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

/// Signs bytes; the armoured signature, to stand beside them.
///
/// # Errors
/// The signature can not be written.
pub fn sign(bytes: &[u8], key: &Secret) -> Result<String, ssh_key::Error> {
    let signed = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, bytes)?;
    let signature = Signature::new(Algorithm::Ed25519, key.sign(&signed).to_vec())?;
    let public = key.public().key_data().clone();
    SshSig::new(public, NAMESPACE, HashAlg::Sha512, signature)?.to_pem(LineEnding::LF)
}

/// Has `ssh-keygen` sign a file, which may ask for a passphrase or a touch; the signature goes to `FILE.sig`.
///
/// # Errors
/// What it said.
pub fn sign_with_ssh_keygen(file: &Path, key: &Path) -> Result<(), Refused> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"]).arg(key).arg(file);
    let status = command.status().map_err(|error| Refused::Tool(error.to_string()))?;
    if status.success() { Ok(()) } else { Err(Refused::Tool("it did not sign".into())) }
}

/// Who signed bytes.
pub fn verify(bytes: &[u8], armoured: &str, keys: &Keys) -> Result<BTreeSet<String>, Refused> {
    let malformed = |error: ssh_key::Error| Refused::Malformed(error.to_string());
    let signature = SshSig::from_pem(armoured).map_err(malformed)?;
    if signature.namespace() != NAMESPACE {
        return Err(Refused::Namespace(signature.namespace().into()));
    }
    let public = signature.public_key();
    let signer = keys.signers.iter().find(|signer| signer.key.key_data() == public);
    let signer = signer.ok_or_else(|| Refused::Stranger(format!("it is by {}", fingerprint(public))))?;
    let fits = match public.ed25519() {
        Some(key) => {
            let signed = SshSig::signed_data(NAMESPACE, signature.hash_alg(), bytes).map_err(malformed)?;
            signature.algorithm() == Algorithm::Ed25519
                && verifies(&key.0, &signed, signature.signature().as_bytes())
        }
        None => by_ssh_keygen(bytes, armoured, signer).map_err(|error| Refused::Tool(error.to_string()))?,
    };
    if fits { Ok(BTreeSet::from([signer.name.clone()])) } else { Err(Refused::Altered(signer.name.clone())) }
}

fn by_ssh_keygen(bytes: &[u8], armoured: &str, signer: &Signer) -> std::io::Result<bool> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let key = signer.key.to_openssh().map_err(std::io::Error::other)?;
    fs::write(at("signers"), format!("signer {key}\n"))?;
    fs::write(at("signature"), armoured)?;
    fs::write(at("record"), bytes)?;
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-Y", "verify", "-n", NAMESPACE, "-I", "signer", "-f"]).arg(at("signers"));
    command.arg("-s").arg(at("signature")).stdin(File::open(at("record"))?);
    Ok(command.output()?.status.success())
}
