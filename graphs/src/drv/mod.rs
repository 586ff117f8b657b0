//! Derivations of Nix and Guix, `.drv` files.
//!
//! # Encoding
//! ATerm: no white space, strings in double quotes, in which `\"`, `\\`, `\n`, `\r` and `\t` stand for what they say and every
//! other character for itself. Text is UTF-8.
//!
//! # Grammar
//! ```text
//! derivation = "Derive(" outputs "," inputs "," sources "," STRING "," STRING "," args "," env ")"
//!                                               platform     builder
//! outputs = "[" ["(" NAME "," PATH "," ALGORITHM "," HASH ")" {"," …}] "]"
//! inputs  = "[" ["(" PATH ",[" NAME {"," NAME} "])" {"," …}] "]"
//! sources = "[" [PATH {"," PATH}] "]"
//! args    = "[" [STRING {"," STRING}] "]"
//! env     = "[" ["(" STRING "," STRING ")" {"," …}] "]"
//! ```
//! # Restrictions
//! Outputs, inputs, their names, sources and environment ascend by their bytes, each once. Paths lie directly in one store;
//! their base name is 32 characters of [`nix32`], a hyphen and a name of 1 to 211 bytes of `A-Z a-z 0-9 + - . _ ? =`. A fixed
//! output is the only one, is named `out`, and has ALGORITHM `[r:]md5|sha1|sha256|sha512` and HASH in hex of its length.
//! A variable with an output's name holds the output's path.
//!
//! # Who enforces
//! `parse` the grammar, `validate` the restrictions; [`modulo`] that output paths follow from the content, and [`closure`] that
//! a file's name does, that nothing is missing, and that there is an order.
//!
//! Sources: E. Dolstra, "The Purely Functional Software Deployment Model" (2006), chapter 5; Nix's manual, "Derivation" and "ATerm
//! format"; `guix/derivations.scm`. Oracle in the tests: `nix-instantiate`, `nix show-derivation`.
//!
//! # What is supported
#![doc = include_str!("features.md")]

pub mod closure;
pub mod fetch;
pub mod modulo;
mod parse;
pub mod show;
mod validate;
mod write;

use formats::digest::Sha256;
use formats::store_path;
use std::collections::{BTreeMap, BTreeSet};

pub use closure::Closure;
pub use parse::{Error, parse};
pub use write::write;

/// A derivation as its file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// What it makes, by name.
    pub outputs: BTreeMap<String, Output>,
    /// Paths of the derivations it needs, and the names of the outputs it needs of each.
    pub inputs: BTreeMap<String, BTreeSet<String>>,
    /// Paths of the sources it needs.
    pub sources: BTreeSet<String>,
    /// What it is built on, such as `x86_64-linux`.
    pub platform: String,
    /// The program: a path, or `builtin:` and a name.
    pub builder: String,
    /// The program's arguments, without `argv[0]`.
    pub args: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where it stands.
    pub path: String,
    /// What its content must be; `None` where its path follows from how it is built.
    pub fixed: Option<Fixed>,
}

/// The declared content of a fixed output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The hash is that of the NAR, not that of a plain file's bytes.
    pub recursive: bool,
    /// Which hash.
    pub algorithm: Algorithm,
    /// In lower-case hex.
    pub hash: String,
}

/// What a fixed output may be hashed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are known by these names")]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    const ALL: [Algorithm; 4] = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

    /// As files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "md5",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The length of a hash in bytes.
    pub fn length(self) -> usize {
        match self {
            Algorithm::Md5 => 16,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        }
    }

    /// The one that goes by this name.
    pub fn named(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

impl Fixed {
    /// The hash, if it is the sha256 of the NAR.
    pub fn nar_sha256(&self) -> Option<Sha256> {
        let is_nar = self.recursive && self.algorithm == Algorithm::Sha256;
        is_nar.then(|| Sha256::from_hex(&self.hash)).flatten()
    }

    /// The hash in nix32, as Nix prints it.
    pub fn nix32(&self) -> String {
        let digit = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or_default() as u8;
        let bytes =
            self.hash.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | digit(d)));
        formats::nix32::encode(&bytes.collect::<Vec<u8>>())
    }

    /// As files spell it: `r:sha256` for a NAR, `sha256` for a plain file.
    pub fn method(&self) -> String {
        format!("{}{}", if self.recursive { "r:" } else { "" }, self.algorithm.name())
    }
}

impl Derivation {
    /// Its fixed output, if that is what it makes.
    pub fn fixed(&self) -> Option<(&Output, &Fixed)> {
        self.outputs.values().find_map(|output| Some((output, output.fixed.as_ref()?)))
    }

    /// Its name, which only the names of its outputs tell.
    pub fn name(&self) -> Option<&str> {
        let (output, Output { path, .. }) = self.outputs.first_key_value()?;
        let name = store_path::name(path)?;
        if output == "out" { Some(name) } else { name.strip_suffix(output.as_str())?.strip_suffix('-') }
    }

    /// The folder that its paths lie in.
    pub fn store(&self) -> Option<&str> {
        self.outputs.values().next()?.path.rsplit_once('/').map(|(store, _)| store)
    }
}
