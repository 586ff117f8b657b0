//! `nix path-info --json`: a list of objects with a path each (to Nix 2.18), a map by path (from 2.19), or the map by base
//! name in `info`, beside `version` and `storeDir` (from 2.33).

use super::Error;
use super::claims::{Claims, Form, Method, Output};
use formats::digest::Sha256;
use formats::nix_hash;
use serde_json::Value;

/// Reads any of them. A path that is not valid is one that Nix does not have: nothing is said of it.
pub fn read(value: &Value) -> Result<Claims, Error> {
    let mut claims = Claims::new(Form::PathInfo);
    let folder = value["storeDir"].as_str();
    if let Some(list) = value.as_array() {
        for (number, info) in list.iter().enumerate() {
            let place = format!("[{number}]");
            let path = info["path"].as_str().ok_or_else(|| Error::new(&place, "it has no path"))?;
            add(&mut claims, &place, path, folder, info)?;
        }
    } else if let Some(map) = value.get("info").unwrap_or(value).as_object() {
        for (path, info) in map {
            add(&mut claims, path, path, folder, info)?;
        }
    }
    if claims.outputs.is_empty() {
        let known =
            "an in-toto statement, a DSSE envelope or the output of `nix path-info --json` with valid paths";
        return Err(Error::new("line 1", format_args!("expected {known}")));
    }
    Ok(claims)
}

fn add(
    claims: &mut Claims,
    place: &str,
    path: &str,
    folder: Option<&str>,
    info: &Value,
) -> Result<(), Error> {
    let hash = &info["narHash"];
    if hash.is_null() {
        return Ok(());
    }
    let wrong = || Error::new(format_args!("{place}.narHash"), format_args!("{hash} is no sha256"));
    let sha256 = sha256(hash).ok_or_else(wrong)?;
    let folder = info["storeDir"].as_str().or(folder).unwrap_or("/nix/store");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    claims.add(place, path, Output::new(Method::nar(), sha256.to_string(), info["narSize"].as_u64()))
}

/// Spelled in one string, or as `{algorithm, format, hash}`.
fn sha256(value: &Value) -> Option<Sha256> {
    match value.as_str() {
        Some(text) => nix_hash::sha256(text),
        None if value["algorithm"] == "sha256" => nix_hash::any(value["hash"].as_str()?),
        None => None,
    }
}
