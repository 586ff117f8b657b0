//! Store paths: `STORE/HASH-NAME`, HASH being 32 digits of [`nix32`].
//!
//! The hash is that of a fingerprint, `TYPE:sha256:HEX:STORE:NAME`, folded to 20 bytes. Source: Nix's manual, "Store path".

use crate::digest::Sha256;
use crate::nix32;

pub use crate::scan::HASH;

/// What a name must be, for messages.
pub const NAME: &str = "a name of 1 to 211 bytes of A-Z a-z 0-9 + - . _ ? =, not starting with a dot";

/// The path that content of this type and hash has.
pub fn make(kind: &str, sha256: Sha256, store: &str, name: &str) -> String {
    let fingerprint = format!("{kind}:sha256:{sha256}:{store}:{name}");
    let mut folded = [0; 20];
    for (i, byte) in Sha256::of(fingerprint).bytes().iter().enumerate() {
        folded[i % 20] ^= byte;
    }
    format!("{store}/{}-{name}", nix32::encode(&folded))
}

/// The last component of a path.
pub fn base(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, base)| base)
}

/// The name in a path or base name that has the right form.
pub fn name(path: &str) -> Option<&str> {
    let (hash, name) = base(path).split_at_checked(HASH)?;
    let name = name.strip_prefix('-')?;
    (nix32::is(hash) && is_name(name)).then_some(name)
}

/// Whether this may be a name.
pub fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._?=".contains(&byte);
    (1..=211).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
}

/// Whether this may be a store: an absolute, normalised path.
pub fn is_store(store: &str) -> bool {
    let component = |part: &str| !part.is_empty() && part != "." && part != "..";
    store.strip_prefix('/').is_some_and(|rest| rest.split('/').all(component))
        && !store.contains(|c: char| c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let hash = "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr";
        assert_eq!(name(&format!("/nix/store/{hash}-hello-2.12")), Some("hello-2.12"));
        for bad in ["", "-", "-.x", "-a b", "-a/../b", "hello"] {
            assert_eq!(name(&format!("/nix/store/{hash}{bad}")), None, "{bad}");
        }
        assert_eq!(name(&format!("/nix/store/{}-x", hash.replace('0', "e"))), None);
        assert!(is_store("/gnu/store") && !is_store("/gnu/../store") && !is_store("gnu") && !is_store("/"));
    }
}
