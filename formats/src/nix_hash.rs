//! How a sha256 is spelled by Nix and Guix: in hex, in nix32, in base64.

use crate::digest::Sha256;
use crate::nix32;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// `sha256:` and hex, nix32 or base64, or as SRI does, `sha256-` and base64.
pub fn sha256(text: &str) -> Option<Sha256> {
    match text.strip_prefix("sha256-") {
        Some(rest) => base64(rest),
        None => any(text.strip_prefix("sha256:")?),
    }
}

/// Any of the spellings, without what says that it is a sha256.
pub fn any(text: &str) -> Option<Sha256> {
    let hex = hex(text, 64).and_then(|hex| Sha256::from_hex(&hex));
    hex.or_else(|| Sha256::try_from(&nix32::decode(text)?[..]).ok()).or_else(|| base64(text))
}

/// The digits in lower case, if `text` is so many hex digits of any case.
pub fn hex(text: &str, digits: usize) -> Option<String> {
    let good = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| text.to_ascii_lowercase())
}

/// As SRI spells it: `sha256-` and base64. Source: <https://www.w3.org/TR/SRI/>.
pub fn sri(sha256: &Sha256) -> String {
    format!("sha256-{}", STANDARD.encode(sha256.bytes()))
}

fn base64(text: &str) -> Option<Sha256> {
    Sha256::try_from(&STANDARD.decode(text).ok()?[..]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_one_hash_are_one() {
        // `nix hash to-base32 --type sha256` and `to-sri` of the sha256 of nothing.
        let wanted = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for text in [
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ] {
            assert_eq!(sha256(text), Some(Sha256::from_hex(wanted).unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_sha256_is_none() {
        for text in [
            "",
            "sha256:",
            "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
            "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c7e",
            "sha256:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==",
            "sha256-é",
        ] {
            assert_eq!(sha256(text), None, "{text}");
        }
    }
}
