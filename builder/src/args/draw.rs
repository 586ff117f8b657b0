//! `groundup graph`

use super::Graph;
use super::common::choice;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The options.
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "clap would print a flattened field's documentation in the place of its own")]
pub struct Draw {
    #[command(flatten)]
    pub graph: Graph,
    /// As what
    #[arg(long, value_enum, default_value = "svg")]
    pub format: DrawFormat,
    /// Only this step, seed or source, with all that it needs and all that needs it
    #[arg(long, value_name = "NAME")]
    pub focus: Option<String>,
    /// Take this alternative for a choice of the graph; may be given for several
    #[arg(long, value_name = "INPUT=CHOICE", value_parser = choice)]
    pub choose: Vec<(String, String)>,
    /// Write it to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What a picture can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DrawFormat {
    /// A picture for browsers and documents, light or dark as the reader's screen is
    Svg,
    /// Text for Graphviz
    Dot,
    /// Text for Mermaid
    Mermaid,
    /// A page with the picture and a table; it loads nothing
    Html,
}

impl DrawFormat {
    /// As it is written on the command line.
    pub fn word(self) -> &'static str {
        match self {
            DrawFormat::Svg => "svg",
            DrawFormat::Dot => "dot",
            DrawFormat::Mermaid => "mermaid",
            DrawFormat::Html => "html",
        }
    }
}
