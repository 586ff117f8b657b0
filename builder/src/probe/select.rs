//! What `--vary` names: variations, subjects, or sets of them that are taken together.

use crate::failure::Failure;
use graphs::vary::{Alteration, SUBJECTS, VARIATIONS, Variation};

/// Variations that are taken together.
pub type Set = Vec<&'static Variation>;

/// The element of the list that asks for everything that there is to ask for.
pub const ALL: &str = "all";

/// The names of the sets that are asked for by name, or by that of their subject: all but those of `all`.
pub fn named(list: &[String]) -> Result<Vec<String>, Failure> {
    let named: Vec<String> = list.iter().filter(|element| *element != ALL).cloned().collect();
    Ok(select(&named, true)?.iter().map(|set| name(set)).collect())
}

/// One set for each element of the list; `all` stands for each variation alone, but for other
/// versions of seeds where none were named.
pub fn select(list: &[String], versions: bool) -> Result<Vec<Set>, Failure> {
    let mut sets: Vec<Set> = Vec::new();
    for element in list {
        let mut found = if element == ALL {
            let is_had = |one: &&Variation| versions || one.alteration() != Some(Alteration::Seeds);
            VARIATIONS.iter().filter(is_had).map(|variation| vec![variation]).collect()
        } else if element.contains('+') {
            let set = element.split('+').map(one).collect::<Result<Set, _>>()?;
            let clash =
                |(at, one): (usize, &&Variation)| set[..at].iter().any(|other| other.slot() == one.slot());
            if set.iter().enumerate().any(clash) {
                let text = format!("--vary {element}: two of these change the same thing");
                return Err(Failure::help(text, "name each alone, with a comma between them"));
            }
            vec![set]
        } else if SUBJECTS.contains(&element.as_str()) {
            let about = VARIATIONS.iter().filter(|variation| variation.subject == element);
            about.map(|variation| vec![variation]).collect()
        } else {
            vec![vec![one(element)?]]
        };
        if found.is_empty() {
            let text =
                format!("--vary {element}: that follows from other subjects and can't be varied by itself");
            return Err(Failure::help(text, "vary randomness, build path or package dependency"));
        }
        found.retain(|set| !sets.iter().any(|known| name(known) == name(set)));
        sets.append(&mut found);
    }
    Ok(sets)
}

fn one(name: &str) -> Result<&'static Variation, Failure> {
    graphs::vary::find(name).ok_or_else(|| {
        let names: Vec<_> = VARIATIONS.iter().map(|variation| variation.name).collect();
        let help = format!("there are {}, and the subjects in --help", names.join(", "));
        Failure::help(format!("--vary: there is no variation `{name}`"), &help)
    })
}

/// A set as `--vary` takes it.
pub fn name(set: &[&Variation]) -> String {
    set.iter().map(|variation| variation.name).collect::<Vec<_>>().join("+")
}

/// What they are about.
pub fn subjects(set: &[&Variation]) -> Vec<&'static str> {
    let mut subjects: Vec<_> = set.iter().map(|variation| variation.subject).collect();
    subjects.dedup();
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_subjects_and_sets() {
        let names = |list: &[&str]| {
            let list: Vec<_> = list.iter().map(|name| (*name).to_owned()).collect();
            select(&list, true).map(|sets| sets.iter().map(|set| name(set)).collect::<Vec<_>>()).ok()
        };
        assert_eq!(
            names(&["date", "locale+home", "file permission", "date"]).unwrap(),
            ["date", "locale+home", "umask-002", "umask-077"]
        );
        assert_eq!(names(&["all"]).unwrap().len(), VARIATIONS.len());
        assert_eq!(select(&["all".to_owned()], false).unwrap().len(), VARIATIONS.len() - 1);
        let asked = ["all", "locale+home", "DNS name"].map(str::to_owned);
        assert_eq!(named(&asked).unwrap(), ["locale+home", "host-name", "domain-name"]);
        assert_eq!(names(&["nothing"]), None);
        assert_eq!(names(&["build ID"]), None);
        assert_eq!(names(&["home+home"]), None);
        assert_eq!(names(&["locale+encoding"]), None);
    }
}
