//! What may be asked for that has to do with records.

use clap::Args;
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
    pub require: Option<usize>,
    /// Compare this output only; may be given for several
    #[arg(long, value_name = "NAME")]
    pub output: Vec<String>,
    /// The outputs of a party, as `run --out` left them: where they differ is told
    #[arg(long, value_name = "LABEL=DIR", value_parser = labelled)]
    pub outputs: Vec<(String, PathBuf)>,
    /// Have diffoscope write a page into this folder for each difference
    #[arg(long, value_name = "DIR", requires = "outputs")]
    pub diffoscope: Option<PathBuf>,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}

fn labelled(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((label, folder)) if !label.is_empty() && !folder.is_empty() => Ok((label.into(), folder.into())),
        _ => Err("expected LABEL=DIR, such as mine=results".into()),
    }
}
