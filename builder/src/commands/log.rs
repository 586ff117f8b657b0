//! `groundup log`: what a step printed, in the run of a record.

use crate::envelope;
use crate::failure::Failure;
use crate::nix;
use crate::run::logs;
use crate::ui::term;
use formats::digest::Sha256;
use records::read::envelope::statement_of;
use records::record::{Record, Step};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Prints the log of a step. Without a record, the newest in this folder that has logs is taken. The inner failure is one that
/// comes after what was printed.
pub fn log(wanted: &str, record: Option<&Path>, json: bool) -> Result<Result<(), Failure>, Failure> {
    let newest;
    let path = match record {
        Some(path) => path,
        None => {
            newest = self::newest()?;
            &newest
        }
    };
    let fail = |what: &dyn std::fmt::Display| {
        let help = "name a record that `groundup run --record FILE` wrote";
        Failure::help(format!("{}: {what}", path.display()), help)
    };
    let text = fs::read_to_string(path).map_err(|error| fail(&error))?;
    let text = statement_of(&text).map_err(|error| fail(&error))?;
    let record = Record::read(&text).map_err(|error| fail(&error))?;
    let steps = record.report().map(|report| report.steps.as_slice()).unwrap_or_default();
    let step = find(steps, wanted).ok_or_else(|| {
        let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
        let help = format!("the steps in it: {}", names.join(", "));
        Failure::help(format!("{}: no step {wanted:?} was tried in this run", path.display()), &help)
    })?;
    let place = logs::file(&unsigned(path), &step.name);
    let bytes = fs::read(&place).map_err(|error| {
        let help = "logs are in the folder RECORD.logs beside the record, and belong to those that have run the step";
        Failure::help(format!("{}: {error}", place.display()), help)
    })?;
    let vouched = step.log.as_ref().map(|log| log.sha256 == Sha256::of(&bytes));
    let verdict = match vouched {
        Some(false) => {
            let text = format!("{}: this is not the log that the record has the hash of", place.display());
            Err(Failure::Differs(text))
        }
        _ => Ok(()),
    };
    if json {
        let value = json!({
            "step": step, "path": place, "asRecorded": vouched, "text": String::from_utf8_lossy(&bytes),
        });
        envelope::print("log", verdict.as_ref().copied(), value)?;
        return Ok(verdict);
    }
    if vouched.is_none() {
        term::note("the record says nothing of this log: the step was taken over, or had not ended");
    }
    term::exact(&bytes)?;
    Ok(verdict)
}

/// The step of this name; of a derivation of Nix or Guix, its name alone will do.
fn find<'a>(steps: &'a [Step], wanted: &str) -> Option<&'a Step> {
    let exact = steps.iter().find(|step| step.name == wanted);
    exact.or_else(|| {
        steps.iter().find(|step| step.name.ends_with(".drv") && nix::is_named(&step.name, wanted))
    })
}

/// The record that was signed, beside which the logs are.
fn unsigned(path: &Path) -> PathBuf {
    let name = path.to_string_lossy();
    match name.strip_suffix(".dsse.json") {
        Some(name) if !logs::folder(path).is_dir() => format!("{name}.json").into(),
        _ => path.to_owned(),
    }
}

/// The newest record in this folder that has logs beside it.
fn newest() -> Result<PathBuf, Failure> {
    let records = fs::read_dir(".").into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let record = PathBuf::from(name.strip_suffix(".logs")?);
        let written = fs::metadata(&record).ok()?.modified().ok()?;
        Some((written, record))
    });
    let newest = records.max().map(|(_, record)| record).ok_or_else(|| {
        let help = "run with --record FILE, which keeps the logs of all steps in FILE.logs";
        Failure::help("no RECORD is named, and no record with logs is in this folder", help)
    })?;
    term::note(&format!("no RECORD is named: {} in this folder is taken", newest.display()));
    Ok(newest)
}
