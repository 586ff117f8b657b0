//! Lists of files that lie inside outputs, as upstreams publish them, held against the outputs that are at hand.

use super::hand::Hand;
use crate::failure::Failure;
use records::read::{Claims, Form, Of};
use records::verdict::Party;
use std::collections::BTreeSet;

/// Takes the names in lists for paths inside an output (`OUTPUT`, or `OUTPUT/FOLDER` where they are below a folder in it), and
/// adds the hashes of these files to whoever has it at hand. Of several outputs, a path is in the first that has it.
pub fn map(parties: &mut [Party], outputs: &[String], hand: &Hand) -> Result<(), Failure> {
    let is_list = |claims: &Claims| {
        claims.form == Form::List
            && claims.outputs.values().any(|output| output.digests.keys().all(|method| method.of != Of::Nar))
    };
    let lists = || parties.iter().flat_map(|party| &party.claims).filter(|claims| is_list(claims));
    let mut left: BTreeSet<String> = lists().flat_map(|claims| claims.outputs.keys().cloned()).collect();
    if left.is_empty() {
        let help = "name a list of hashes, as sha256sum writes it, of the files inside the output";
        return Err(Failure::help("--files: none of the records is a list of files", help));
    }
    let mut found = Vec::new();
    for (number, inside) in outputs.iter().enumerate() {
        let (output, folder) = inside.split_once('/').unwrap_or((inside, ""));
        let at = |name: &str| {
            [folder, name].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/")
        };
        let paths: BTreeSet<String> = left.iter().map(|name| at(name)).collect();
        let made = hand.inside(parties, output, &paths)?;
        if made.is_empty() {
            let help =
                "name the folder in which it is with --outputs LABEL=DIR, where LABEL's record tells of it";
            return Err(Failure::help(
                format!("--files {inside}: nobody's output {output:?} is at hand"),
                help,
            ));
        }
        let is_last = number + 1 == outputs.len();
        let here = |name: &String| is_last || made.iter().any(|(_, files)| files.contains_key(&at(name)));
        let names: Vec<String> = left.iter().filter(|name| here(name)).cloned().collect();
        for name in names {
            left.remove(&name);
            found.push((format!("{output}/{}", at(&name)), name));
        }
        for (party, files) in made {
            let mut claims = Claims { inside: true, ..Claims::new(Form::Files) };
            claims.outputs.extend(files.into_iter().map(|(path, made)| (format!("{output}/{path}"), made)));
            parties[party].claims.push(claims);
        }
    }
    for claims in parties.iter_mut().flat_map(|party| &mut party.claims).filter(|claims| is_list(claims)) {
        let said = std::mem::take(&mut claims.outputs);
        claims.inside = true;
        for (name, output) in said {
            let path =
                found.iter().find(|(_, listed)| *listed == name).map_or(name, |(path, _)| path.clone());
            claims.outputs.insert(path, output);
        }
    }
    Ok(())
}
