//! The bytes of a `.drv` file as a [`Derivation`].

use super::{Derivation, Output, validate};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Bytes of the largest file that is read.
pub const LARGEST: usize = 64 << 20;

/// The first place where a file is no derivation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: expected {expected}, found {found}")]
pub struct Error {
    /// Bytes before it.
    pub offset: usize,
    /// What should have stood there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

/// Reads all of a file.
pub fn parse(bytes: &[u8]) -> Result<Derivation, Error> {
    if bytes.len() > LARGEST {
        let expected = format!("the end: no derivation has more than {} MiB", LARGEST >> 20);
        return Err(Error { offset: LARGEST, expected, found: format!("{} bytes", bytes.len()) });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        Error { offset, expected: "text in UTF-8".into(), found: format!("the byte 0x{:02x}", bytes[offset]) }
    })?;
    let mut reader = Reader { text, offset: 0 };
    if text.starts_with("DrvWithVersion(") {
        return Err(reader.error("`Derive(`: derivations that are made by derivations are not supported"));
    }
    let derivation = reader.derivation()?;
    if reader.offset < text.len() { Err(reader.error("the end")) } else { Ok(derivation) }
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Reader<'a> {
    fn derivation(&mut self) -> Result<Derivation, Error> {
        self.token("Derive(")?;
        let outputs = self.outputs()?;
        let store = outputs
            .values()
            .find_map(|output| output.path.rsplit_once('/'))
            .map(|(store, _)| store.to_owned());
        let store = store.as_deref().unwrap_or_default();
        self.token(",")?;
        let inputs = self.map("a derivation's path", |reader, start, path| {
            reader.check(start, path, validate::input(path, store))?;
            let (mut names, open) = (BTreeSet::new(), reader.offset + 1);
            reader.list(|reader| {
                let (start, name) = reader.ascending("an output's name", names.last())?;
                reader.check(start, &name, validate::output_name(&name))?;
                names.insert(name);
                Ok(())
            })?;
            if names.is_empty() {
                return Err(reader.at(open, "the name of at least one output"));
            }
            Ok(names)
        })?;
        self.token(",")?;
        let mut sources = BTreeSet::new();
        self.list(|reader| {
            let (start, path) = reader.ascending("a source's path", sources.last())?;
            reader.check(start, &path, validate::path(&path, store))?;
            sources.insert(path);
            Ok(())
        })?;
        self.token(",")?;
        let platform = self.filled("a platform")?;
        self.token(",")?;
        let builder = self.filled("a builder")?;
        self.token(",")?;
        let mut args = Vec::new();
        self.list(|reader| {
            let (start, arg) = reader.string()?;
            reader.check(start, &arg, validate::argument(&arg))?;
            args.push(arg);
            Ok(())
        })?;
        self.token(",")?;
        let env = self.map("a variable's name", |reader, start, name| {
            reader.check(start, name, validate::variable(name))?;
            let (start, value) = reader.string()?;
            reader.check(start, &value, validate::value(name, &value, &outputs))?;
            Ok(value)
        })?;
        for (name, output) in &outputs {
            if !env.contains_key(name) && !env.contains_key("__json") {
                return Err(
                    self.error(&format!("a variable `{name}` with the output's path, {}", output.path))
                );
            }
        }
        self.token(")")?;
        Ok(Derivation { outputs, inputs, sources, platform, builder, args, env })
    }

    fn outputs(&mut self) -> Result<BTreeMap<String, Output>, Error> {
        let start = self.offset;
        let mut store: Option<String> = None;
        let outputs = self.map("an output's name", |reader, name_at, name| {
            reader.check(name_at, name, validate::output_name(name))?;
            let (path_at, path) = reader.string()?;
            reader.token(",")?;
            let (method_at, method) = reader.string()?;
            reader.token(",")?;
            let (hash_at, hash) = reader.string()?;
            reader.check(path_at, &path, validate::output_path(&path, &method, &hash))?;
            let of = path.rsplit_once('/').map_or("", |(store, _)| store);
            reader.check(path_at, &path, validate::path(&path, store.as_deref().unwrap_or(of)))?;
            store.get_or_insert(of.to_owned());
            let fixed = match (method.as_str(), hash.as_str()) {
                ("", "") => None,
                _ => {
                    reader.check(name_at, name, validate::fixed_name(name))?;
                    let fixed = validate::fixed(&method, &hash);
                    let (at, found) = if validate::method(&method).is_none() {
                        (method_at, &method)
                    } else {
                        (hash_at, &hash)
                    };
                    Some(fixed.map_err(|expected| error(at, &expected, &format!("{found:?}")))?)
                }
            };
            Ok(Output { path, fixed })
        })?;
        if outputs.is_empty() {
            return Err(self.at(start + 1, "at least one output"));
        }
        if outputs.len() > 1 && outputs.values().any(|output| output.fixed.is_some()) {
            return Err(self.at(start, "a fixed output alone"));
        }
        Ok(outputs)
    }

    /// `[item,item…]`
    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        self.token("[")?;
        if self.take("]") {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.take("]") {
                return Ok(());
            }
            if !self.take(",") {
                return Err(self.error("`,` or `]`"));
            }
        }
    }

    /// `[("key",value…),…]`, ascending.
    fn map<T>(
        &mut self,
        what: &str,
        mut value: impl FnMut(&mut Self, usize, &str) -> Result<T, Error>,
    ) -> Result<BTreeMap<String, T>, Error> {
        let mut map = BTreeMap::new();
        self.list(|reader| {
            reader.token("(")?;
            let (start, key) = reader.ascending(what, map.last_key_value().map(|(key, _)| key))?;
            reader.token(",")?;
            let value = value(reader, start, &key)?;
            reader.token(")")?;
            map.insert(key, value);
            Ok(())
        })?;
        Ok(map)
    }

    /// A string that sorts after the last one.
    fn ascending(&mut self, what: &str, last: Option<&String>) -> Result<(usize, String), Error> {
        let (start, text) = self.string()?;
        match last {
            Some(last) if *last == text => {
                Err(error(start, &format!("{what} that was not there before"), &quoted(&text)))
            }
            Some(last) if *last > text => {
                Err(error(start, &format!("{what} that sorts after {}", quoted(last)), &quoted(&text)))
            }
            _ => Ok((start, text)),
        }
    }

    fn filled(&mut self, what: &str) -> Result<String, Error> {
        let (start, text) = self.string()?;
        let good = !text.is_empty() && !text.contains('\0');
        if good { Ok(text) } else { Err(error(start, what, &quoted(&text))) }
    }

    /// A string, and where it starts.
    fn string(&mut self) -> Result<(usize, String), Error> {
        let start = self.offset;
        if !self.take("\"") {
            return Err(self.error("a string"));
        }
        let mut value = String::new();
        loop {
            let rest = &self.text[self.offset..];
            // By bytes: none of these is a part of another character, and to decode all others would take longer.
            let end = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t'));
            let plain = end.unwrap_or(rest.len());
            value.push_str(&rest[..plain]);
            self.offset += plain;
            let mut next = self.text[self.offset..].chars();
            match (next.next(), next.next()) {
                (Some('"'), _) => {
                    self.offset += 1;
                    return Ok((start, value));
                }
                (Some('\\'), Some(escaped @ ('"' | '\\'))) => value.push(escaped),
                (Some('\\'), Some('n')) => value.push('\n'),
                (Some('\\'), Some('r')) => value.push('\r'),
                (Some('\\'), Some('t')) => value.push('\t'),
                (Some('\\'), _) => {
                    self.offset += 1;
                    return Err(self.error("one of `\"`, `\\`, `n`, `r`, `t` after a backslash"));
                }
                (Some(_), _) => {
                    return Err(
                        self.error("`\\n`, `\\r` or `\\t`, since these are never written as they are")
                    );
                }
                (None, _) => return Err(self.error("the string's closing `\"`")),
            }
            self.offset += 2;
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let there = self.text[self.offset..].starts_with(token);
        self.offset += if there { token.len() } else { 0 };
        there
    }

    fn token(&mut self, token: &str) -> Result<(), Error> {
        if self.take(token) { Ok(()) } else { Err(self.error(&format!("`{token}`"))) }
    }

    fn check(&self, offset: usize, found: &str, result: Result<(), String>) -> Result<(), Error> {
        result.map_err(|expected| error(offset, &expected, &quoted(found)))
    }

    fn error(&self, expected: &str) -> Error {
        self.at(self.offset, expected)
    }

    /// An error about what stands at a place.
    fn at(&self, offset: usize, expected: &str) -> Error {
        let found: String = self.text[offset.min(self.text.len())..].chars().take(12).collect();
        error(offset, expected, &if found.is_empty() { "the end".into() } else { quoted(&found) })
    }
}

fn error(offset: usize, expected: &str, found: &str) -> Error {
    Error { offset, expected: expected.into(), found: found.into() }
}

/// Text as it stands in a message, cut where it gets long.
fn quoted(text: &(impl AsRef<str> + Debug + ?Sized)) -> String {
    let text = text.as_ref();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
