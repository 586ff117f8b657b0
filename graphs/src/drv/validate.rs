//! What strings of a derivation may be. Each function says what was expected.

use super::{Algorithm, Fixed, Output};
use formats::store_path;
use std::collections::BTreeMap;

pub(super) fn output_name(name: &str) -> Result<(), String> {
    if store_path::is_name(name) && name != "drv" {
        Ok(())
    } else {
        Err(format!("an output's name, which is not `drv` and is {}", store_path::NAME))
    }
}

/// A path directly in the store that all others lie in.
pub(super) fn path(text: &str, store: &str) -> Result<(), String> {
    let form = || {
        format!(
            "a path directly in the store, {}32 digits, a hyphen and {}",
            if store.is_empty() { String::new() } else { format!("{store}/ and ") },
            store_path::NAME
        )
    };
    match text.rsplit_once('/') {
        Some((folder, base))
            if folder == store && store_path::is_store(folder) && store_path::name(base).is_some() =>
        {
            Ok(())
        }
        _ => Err(form()),
    }
}

pub(super) fn input(text: &str, store: &str) -> Result<(), String> {
    path(text, store)?;
    if text.ends_with(".drv") { Ok(()) } else { Err("the path of a derivation, which ends in .drv".into()) }
}

/// The three forms of an output that have no path are refused by name.
pub(super) fn output_path(text: &str, method: &str, hash: &str) -> Result<(), String> {
    match (text, method, hash) {
        ("", "", "") => {
            Err("an output's path: one that waits for another derivation's is not supported".into())
        }
        ("", _, "impure") => Err("an output's path: impure derivations are not supported".into()),
        ("", _, _) => {
            Err("an output's path: content-addressed derivations are not supported, because their \
                           paths are not known before they are built"
                .into())
        }
        _ => Ok(()),
    }
}

pub(super) fn fixed_name(name: &str) -> Result<(), String> {
    if name == "out" { Ok(()) } else { Err("`out`, the only name of a fixed output".into()) }
}

/// What `[r:]ALGORITHM` says.
pub(super) fn method(text: &str) -> Option<(bool, Algorithm)> {
    let (recursive, name) = text.strip_prefix("r:").map_or((false, text), |name| (true, name));
    Some((recursive, Algorithm::named(name)?))
}

pub(super) fn fixed(method_text: &str, hash: &str) -> Result<Fixed, String> {
    let Some((recursive, algorithm)) = method(method_text) else {
        return Err("`md5`, `sha1`, `sha256` or `sha512`, or one of them behind `r:`".into());
    };
    let digits = algorithm.length() * 2;
    let is_hex = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if hash.len() != digits || !is_hex {
        return Err(format!("{digits} lower-case hexadecimal digits of {}", algorithm.name()));
    }
    Ok(Fixed { recursive, algorithm, hash: hash.into() })
}

pub(super) fn argument(text: &str) -> Result<(), String> {
    if text.contains('\0') { Err("text without NUL".into()) } else { Ok(()) }
}

pub(super) fn variable(name: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        Err("a variable's name, without `=` and NUL".into())
    } else {
        Ok(())
    }
}

pub(super) fn value(name: &str, value: &str, outputs: &BTreeMap<String, Output>) -> Result<(), String> {
    match outputs.get(name) {
        Some(output) if output.path != value => {
            Err(format!("the path of the output `{name}`, {}", output.path))
        }
        _ => argument(value),
    }
}
