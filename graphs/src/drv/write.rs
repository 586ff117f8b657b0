//! A derivation as the bytes of its file.

use super::Derivation;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes that most derivations don't exceed.
const ROOM: usize = 4096;

/// All of it: what [`parse`](super::parse()) read, byte for byte.
pub fn write(derivation: &Derivation) -> String {
    let mut text = String::with_capacity(ROOM);
    outputs(&mut text, derivation, false);
    rest(&mut text, derivation, &derivation.inputs, false);
    text
}

/// With other names for the derivations that are needed; without the paths of outputs if `masked`.
pub(super) fn modulo(
    derivation: &Derivation,
    inputs: &BTreeMap<&str, BTreeSet<&str>>,
    masked: bool,
) -> String {
    let mut text = String::with_capacity(ROOM);
    outputs(&mut text, derivation, masked);
    rest(&mut text, derivation, inputs, masked);
    text
}

fn outputs(text: &mut String, derivation: &Derivation, masked: bool) {
    text.push_str("Derive(");
    list(text, &derivation.outputs, |text, (name, output)| {
        let (method, hash) = output
            .fixed
            .as_ref()
            .map_or_else(Default::default, |fixed| (fixed.method(), fixed.hash.as_str()));
        let path = if masked { "" } else { &output.path };
        group(text, [name, path, &method, hash]);
    });
}

fn rest<K: AsRef<str>, V: AsRef<str>>(
    text: &mut String,
    derivation: &Derivation,
    inputs: &BTreeMap<K, BTreeSet<V>>,
    masked: bool,
) {
    text.push(',');
    list(text, inputs, |text, (path, outputs)| {
        text.push('(');
        string(text, path.as_ref());
        text.push(',');
        list(text, outputs, |text, output| string(text, output.as_ref()));
        text.push(')');
    });
    text.push(',');
    list(text, &derivation.sources, |text, source| string(text, source));
    text.push(',');
    string(text, &derivation.platform);
    text.push(',');
    string(text, &derivation.builder);
    text.push(',');
    list(text, &derivation.args, |text, arg| string(text, arg));
    text.push(',');
    list(text, &derivation.env, |text, (name, value)| {
        let hidden = masked && derivation.outputs.contains_key(name);
        group(text, [name, if hidden { "" } else { value }]);
    });
    text.push(')');
}

fn list<T>(text: &mut String, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    text.push('[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(']');
}

fn group<const N: usize>(text: &mut String, strings: [&str; N]) {
    text.push('(');
    for (i, one) in strings.into_iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        string(text, one);
    }
    text.push(')');
}

fn string(text: &mut String, value: &str) {
    text.push('"');
    let mut plain = 0;
    for (at, byte) in value.bytes().enumerate() {
        let escaped = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            _ => continue,
        };
        text.push_str(&value[plain..at]);
        text.push_str(escaped);
        plain = at + 1;
    }
    text.push_str(&value[plain..]);
    text.push('"');
}
