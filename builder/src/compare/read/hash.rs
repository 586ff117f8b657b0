//! How a sha256 is spelled elsewhere: in hex, in nix32, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Nix's and Guix's alphabet of 32 characters.
const ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// A sha256 as Nix and Guix write it, `sha256:` and hex or nix32, or as SRI does, `sha256-` and base64; in lower-case hex.
pub fn nix(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix("sha256-") {
        return base64(rest);
    }
    let rest = text.strip_prefix("sha256:")?;
    hex(rest, 64).or_else(|| nix32(rest)).or_else(|| base64(rest))
}

/// So many hex digits of any case, in lower case.
pub fn hex(text: &str, digits: usize) -> Option<String> {
    let good = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| text.to_ascii_lowercase())
}

/// 32 bytes in 52 characters, five bits in each, the last ones first.
pub fn nix32(text: &str) -> Option<String> {
    if text.len() != 52 {
        return None;
    }
    let mut bytes = [0_u8; 32];
    for (position, character) in text.bytes().rev().enumerate() {
        let value = ALPHABET.iter().position(|&known| known == character)? as u16;
        let (byte, shift) = (position * 5 / 8, position * 5 % 8);
        let wide = value << shift;
        bytes[byte] |= wide as u8;
        match bytes.get_mut(byte + 1) {
            Some(next) => *next |= (wide >> 8) as u8,
            None if wide >> 8 != 0 => return None,
            None => {}
        }
    }
    Some(encode(&bytes))
}

/// 32 bytes in base64.
pub fn base64(text: &str) -> Option<String> {
    STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 32).map(|bytes| encode(&bytes))
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
            assert_eq!(nix(text).as_deref(), Some(wanted), "{text}");
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
            assert_eq!(nix(text), None, "{text}");
        }
    }
}
