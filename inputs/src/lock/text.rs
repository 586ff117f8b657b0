//! The lock's text. Pure.

use super::{Entry, Lock, Locked};
use graphs::{Problem, Problems};
use ron::extensions::Extensions;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use std::{collections::BTreeMap, fmt, fmt::Write as _, io, path::PathBuf};

/// What is wrong with a lock file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no lock, or one that was changed by hand and not well.
    #[error("{0}")]
    Text(Problems),
    /// It can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

const HEADER: &str = "\
// What the graph of this name leaves open, as it was when `groundup lock GRAPH` last looked. Written by the program:
// keep it beside the graph, and change it with `groundup lock GRAPH`.
";
const VERSION: u32 = 1;
const EXTENSIONS: Extensions = Extensions::IMPLICIT_SOME.union(Extensions::UNWRAP_VARIANT_NEWTYPES);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(deserialize_with = "version")]
    #[allow(dead_code)]
    version: u32,
    #[serde(deserialize_with = "inputs")]
    inputs: BTreeMap<String, Entry>,
}

pub fn read(name: &str, text: &str) -> Result<Lock, Error> {
    let options = ron::Options::default().with_default_extension(EXTENSIONS);
    match options.from_str::<File>(text) {
        Ok(file) => Ok(Lock { inputs: file.inputs }),
        Err(error) => {
            let problem = Problem::error(format!("not a good lock file: {}", error.code));
            let problem = problem.help("`groundup lock GRAPH` writes it anew, once it is out of the way");
            let problem = problem.spanning(graphs::span(text, &error));
            Err(Error::Text(Problems::new(name, text, vec![problem])))
        }
    }
}

fn version<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        VERSION => Ok(VERSION),
        other => Err(D::Error::custom(format!("lock format {other}, and only {VERSION} is known"))),
    }
}

/// A map that takes no name twice.
fn inputs<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Entry>, D::Error> {
    struct Inputs;
    impl<'de> Visitor<'de> for Inputs {
        type Value = BTreeMap<String, Entry>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a map of inputs")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut inputs = BTreeMap::new();
            while let Some((name, entry)) = map.next_entry::<String, Entry>()? {
                if let Some(what) = entry.problem() {
                    return Err(A::Error::custom(format!("input \"{name}\": {what}")));
                }
                if inputs.insert(name.clone(), entry).is_some() {
                    return Err(A::Error::custom(format!("input \"{name}\" comes twice")));
                }
            }
            Ok(inputs)
        }
    }
    from.deserialize_map(Inputs)
}

pub fn write(lock: &Lock) -> String {
    let mut out = format!("{HEADER}(\n    version: {VERSION},\n    inputs: {{\n");
    for (name, entry) in &lock.inputs {
        out += &format!("        {}: (\n            files: [\n", quote(name));
        for file in &entry.files {
            out += &format!("                {},\n", one(file));
        }
        out += "            ],\n";
        if let Some(needed) = entry.needed {
            out += &format!("            needed: {needed},\n");
        }
        if let Some(tree) = &entry.tree {
            out += &format!("            tree: {},\n", quote(tree));
        }
        out += "        ),\n";
    }
    out + "    },\n)\n"
}

fn one(file: &Locked) -> String {
    let mut out = String::new();
    let (kind, suite, last) = match file {
        Locked::Deb(deb) => ("Deb", deb.suite.as_deref(), ("pool", &deb.pool)),
        Locked::Wheel(wheel) => ("Wheel", None, ("file", &wheel.file)),
    };
    let _ = write!(out, "{kind}(package: {}", quote(file.package()));
    if let Some(suite) = suite {
        let _ = write!(out, ", suite: {}", quote(suite));
    }
    let (version, sha256, size) = (quote(file.version()), quote(file.sha256()), file.size());
    let _ =
        write!(out, ", version: {version}, sha256: {sha256}, size: {size}, {}: {})", last.0, quote(last.1));
    out
}

/// A RON string. Names and versions are plain; whatever is not is escaped.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &c.escape_unicode().to_string(),
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::super::{Deb, Wheel};
    use super::*;

    fn lock() -> Lock {
        let deb = |package: &str, suite: Option<&str>| {
            Locked::Deb(Deb {
                package: package.into(),
                suite: suite.map(Into::into),
                version: "1:2.3-4+b5".into(),
                sha256: "ab".repeat(32),
                size: 12,
                pool: format!("pool/main/{package}.deb"),
            })
        };
        let wheel = Locked::Wheel(Wheel {
            package: "z\"ig".into(),
            version: "0.13.0".into(),
            sha256: "cd".repeat(32),
            size: 1 << 40,
            file: "z.whl".into(),
        });
        let tree = Some("ef".repeat(32));
        let gcc =
            Entry { files: vec![deb("gcc", Some("bookworm")), deb("libc6", None)], needed: Some(1), tree };
        let zig = Entry { files: vec![wheel], needed: None, tree: None };
        Lock { inputs: [("zig".into(), zig), ("gcc".into(), gcc)].into() }
    }

    #[test]
    fn comes_back_as_it_was() {
        let text = lock().to_text();
        assert!(text.starts_with("// "), "{text}");
        assert!(text.find("\"gcc\": (").unwrap() < text.find("\"zig\": (").unwrap());
        let back = Lock::read("x", &text).unwrap();
        assert_eq!(back, lock());
        assert_eq!(back.to_text(), text);
        assert_eq!(Lock::read("x", &Lock::default().to_text()).unwrap(), Lock::default());
    }

    #[test]
    fn is_read_strictly() {
        let good = lock().to_text();
        let twice = good.replace("\"zig\": (", "\"gcc\": (");
        for (text, says) in [
            ("", "x:1:1"),
            ("(version: 1)", "inputs"),
            ("(version: 2, inputs: {})", "lock format 2"),
            (&good.replace("size: 12", "size: -1"), "x:8:"),
            (&good.replace("size: 12", "sizes: 12"), "sizes"),
            (&good.replace(&"ab".repeat(32), "abc"), "\"abc\" is no sha256"),
            (&good.replace(&"ef".repeat(32), "EF"), "\"EF\" is no sha256"),
            (&good.replace("pool/main/gcc", "pool/../gcc"), "leaves the mirror"),
            (&twice, "comes twice"),
            (&good.replace("version: 1,", "version: 1, more: 2,"), "more"),
        ] {
            let error = Lock::read("x", text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}\n{says}");
        }
    }
}
