//! `groundup compare`: what any number of records, ours and others', show together.

use crate::args;
use crate::commands::sign;
use crate::compare::files::parties;
use crate::compare::hand::{Diffoscope, Hand};
use crate::compare::inside;
use crate::compare::report::Report;
use crate::envelope;
use crate::failure::Failure;
use crate::ui::term;
use records::listed;
use records::verdict::{Verdict, alone, compare as judge, is_meant};
use std::collections::{BTreeMap, BTreeSet};

/// Compares. The inner failure is one that the results tell.
pub fn compare(args: &args::Compare, json: bool) -> Result<Result<(), Failure>, Failure> {
    let keys = args.keys.as_deref().map(sign::keys).transpose()?;
    let mut parties = parties(&args.records, keys.as_ref())?;
    if parties.len() < 2 {
        return Err(Failure::help(
            "one party alone can not be compared",
            "name two records or more; LABEL=FILE says whose a record is",
        ));
    }
    listed::settle(&mut parties);
    let require = args.require.map_or(parties.len(), usize::from);
    if require > parties.len() {
        let text = format!("--require {require}: there are only {} parties", parties.len());
        return Err(Failure::help(text, "require fewer, or name more records"));
    }
    let mut hand = Hand::default();
    for (label, folder) in &args.outputs {
        let party = parties.iter().position(|party| party.name == *label).ok_or_else(|| {
            let known: Vec<_> = parties.iter().map(|party| party.name.as_str()).collect();
            let help = format!("the parties are: {}", known.join(", "));
            Failure::help(format!("--outputs: there is no party {label:?}"), &help)
        })?;
        if !folder.is_dir() {
            let text = format!("--outputs {}: this is no folder", folder.display());
            return Err(Failure::help(text, "name what `groundup run --out DIR` left"));
        }
        hand.add(party, folder.clone());
    }
    if hand.verify(&mut parties)? == 0 && !args.outputs.is_empty() {
        term::note("none of the outputs is in the folders that --outputs names");
    }
    if !args.files.is_empty() {
        inside::map(&mut parties, &args.files, &hand)?;
    }
    let only: BTreeSet<String> = args.output.iter().cloned().collect();
    let outputs = judge(&parties, &only, require);
    if let Some(name) = only.iter().find(|name| !outputs.iter().any(|output| is_meant(&output.name, name))) {
        return Err(Failure::help(
            format!("--output {name}: not in any record"),
            "name an output of a record",
        ));
    }
    let diffoscope = args.diffoscope.as_deref().map(|folder| Diffoscope { folder });
    let mut located = BTreeMap::new();
    for output in outputs.iter().filter(|output| output.verdict == Verdict::Differs) {
        located.insert(output.name.as_str(), hand.locate(output, diffoscope.as_ref())?);
    }
    let alone = if only.is_empty() { alone(&parties).len() } else { 0 };
    let verified = keys.is_some();
    let report = Report { parties: &parties, verified, outputs: &outputs, require, alone, located: &located };
    let verdict = report.failure().map_or(Ok(()), |said| Err(Failure::Differs(said)));
    if json {
        envelope::print("compare", verdict.as_ref().copied(), report.json())?
    } else {
        term::result(&report.text())?
    }
    Ok(verdict)
}
