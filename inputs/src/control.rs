//! Debian control stanzas, as `apt-cache show` and `showsrc` print them. Pure.
//!
//! Encoding: UTF-8 lines. Grammar: stanzas are separated by empty lines; a field is `Name: value`; lines that start with
//! a blank continue the value of the field above (deb822, Debian Policy section 5.1). Names compare without case.

use std::collections::BTreeMap;

/// The fields of one stanza, names in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stanza(BTreeMap<String, String>);

impl Stanza {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Every stanza of a text. Lines that are no field are passed over: the text comes from `apt`, which has read it already.
pub fn stanzas(text: &str) -> Vec<Stanza> {
    let mut all = vec![Stanza::default()];
    let mut last = String::new();
    for line in text.lines() {
        let Some(stanza) = all.last_mut() else { break };
        if line.trim().is_empty() {
            if !stanza.0.is_empty() {
                all.push(Stanza::default());
            }
            last.clear();
        } else if line.starts_with([' ', '\t']) {
            if let Some(value) = stanza.0.get_mut(&last) {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            last = name.to_ascii_lowercase();
            stanza.0.insert(last.clone(), value.trim().into());
        }
    }
    all.retain(|stanza| !stanza.0.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stanzas() {
        let text = "Package: a\nVersion: 1:2\nFiles:\n 12 3 a.dsc\n 45 6 a.tar\n\n\nPACKAGE: b\n";
        let all = stanzas(text);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].get("version"), Some("1:2"));
        assert_eq!(all[0].get("files"), Some("\n12 3 a.dsc\n45 6 a.tar"));
        assert_eq!(all[1].get("package"), Some("b"));
        assert!(stanzas("\n\n").is_empty());
    }
}
