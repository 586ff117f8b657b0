//! What may be asked for that has to do with records.

use super::{Cache, Choices};
use clap::{Args, Subcommand};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// `groundup compare`
#[derive(Debug, Args)]
pub struct Compare {
    /// Records: in-toto statements, plain or in DSSE envelopes, narinfos, `nix path-info --json`, or lists of hashes like
    /// sha256sum's; a folder stands for all files in it. Those under one LABEL are one party's
    #[arg(value_name = "[LABEL=]RECORD", required = true)]
    pub records: Vec<String>,
    /// So many parties must agree on each output [default: all]
    #[arg(long, value_name = "K")]
    pub require: Option<NonZeroUsize>,
    /// Compare this output only, a name, a path in a store or what that ends with; may be given for several
    #[arg(long, value_name = "NAME")]
    pub output: Vec<String>,
    /// The outputs of a party, as `run --out` left them: where they differ is told
    #[arg(long, value_name = "LABEL=DIR", value_parser = labelled)]
    pub outputs: Vec<(String, PathBuf)>,
    /// Take the names in lists of hashes, such as an upstream's SHA256SUMS, for paths of files inside this output, which --outputs
    /// has at hand; OUTPUT/FOLDER for paths below a folder in it
    #[arg(long, value_name = "OUTPUT", requires = "outputs")]
    pub files: Vec<String>,
    /// Have diffoscope write a page into this folder for each difference
    #[arg(long, value_name = "DIR", requires = "outputs")]
    pub diffoscope: Option<PathBuf>,
    /// Verify signatures: every record must be signed by one of these keys, and the parties are the signers. A .pub file, or
    /// lines like SSH's allowed_signers; keys of Nix's binary caches, too
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
}

fn labelled(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((label, folder)) if !label.is_empty() && !folder.is_empty() => Ok((label.into(), folder.into())),
        _ => Err("expected LABEL=DIR, such as mine=results".into()),
    }
}

/// `groundup key`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Makes an ed25519 key, in OpenSSH's format, and FILE.pub
    New {
        /// Where the secret key goes
        file: PathBuf,
        /// Whose it is; others see that as the signer's name
        #[arg(long, value_name = "TEXT", default_value = "groundup")]
        comment: String,
    },
}

/// `groundup sign`
#[derive(Debug, Args)]
pub struct Sign {
    /// The record; one that is signed already gets another signature
    pub record: PathBuf,
    /// The secret key: ed25519 in OpenSSH's format, without a passphrase; with --ssh, any that ssh-keygen can use
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Where the envelope goes [default: RECORD with the ending .dsse.json]
    #[arg(short, long, value_name = "FILE", conflicts_with = "ssh")]
    pub output: Option<PathBuf>,
    /// Write no envelope but RECORD.sig, as `ssh-keygen -Y sign -n groundup` does
    #[arg(long)]
    pub ssh: bool,
}

/// `groundup verify`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "clap would print a flattened field's documentation in the place of its own")]
pub struct Verify {
    /// Records in envelopes, or with RECORD.sig beside them
    #[arg(value_name = "RECORD", required = true)]
    pub records: Vec<PathBuf>,
    /// Who is believed: a .pub file, or lines like SSH's allowed_signers
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,
    /// They must be of this plan
    #[arg(long, value_name = "SHA256", conflicts_with = "graph")]
    pub plan: Option<String>,
    /// They must be of this graph's plan
    #[arg(long, value_name = "GRAPH")]
    pub graph: Option<PathBuf>,
    #[command(flatten)]
    pub choices: Choices,
    #[command(flatten)]
    pub cache: Cache,
}
