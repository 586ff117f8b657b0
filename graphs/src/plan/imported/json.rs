//! Structured attributes as the text that Nix writes of them: JSON with each number as nlohmann's library for C++ prints it, and
//! declarations for a shell.
//!
//! Sources: `dump_float` and `to_chars` of nlohmann/json 3; `writeStructuredAttrsShell` in Nix's
//! `src/libstore/parsed-derivations.cc`.

use std::io;

use serde::Serialize as _;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value};

/// Compact JSON; keys are sorted already.
pub(super) fn compact(value: &Value) -> String {
    let mut text = Vec::new();
    // Neither a vector nor a value that was parsed can make this fail.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut text, Compact));
    String::from_utf8(text).unwrap_or_default()
}

struct Compact;

impl Formatter for Compact {
    fn write_f64<W: io::Write + ?Sized>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(float(value).as_bytes())
    }
}

/// The fewest digits that tell the number from all others, with an exponent of at least two digits from 1e15 on and below 1e-4.
fn float(value: f64) -> String {
    let shortest = format!("{value:e}");
    let (sign, shortest) = shortest.strip_prefix('-').map_or(("", &*shortest), |rest| ("-", rest));
    let Some((mantissa, exponent)) = shortest.split_once('e') else { return shortest.to_owned() };
    let (digits, exponent) = (mantissa.replace('.', ""), exponent.parse::<i32>().unwrap_or_default());
    // The place of the point, counted from before the first digit.
    let point = exponent + 1;
    let text = match usize::try_from(point) {
        Ok(point) if digits == "0" => format!("{digits:0<point$}.0"),
        Ok(point @ 1..=15) if digits.len() <= point => format!("{digits:0<point$}.0"),
        Ok(point @ 1..=15) => format!("{}.{}", &digits[..point], &digits[point..]),
        _ if (-3..=0).contains(&point) => format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{first}{dot}{rest}e{sign}{:02}", exponent.unsigned_abs())
        }
    };
    format!("{sign}{text}")
}

/// The attributes that bash can hold, as declarations.
pub(super) fn shell(attributes: &Map<String, Value>) -> String {
    let mut text = String::new();
    for (name, value) in attributes.iter().filter(|(name, _)| is_variable(name)) {
        if let Some(value) = simple(value) {
            text += &format!("declare {name}={value}\n");
            continue;
        }
        match value {
            Value::Array(items) => {
                let items: Option<Vec<_>> = items.iter().map(simple).collect();
                if let Some(items) = items {
                    let items: String = items.into_iter().map(|item| item + " ").collect();
                    text += &format!("declare -a {name}=({items})\n");
                }
            }
            Value::Object(items) => {
                let items: Option<Vec<_>> = items
                    .iter()
                    .map(|(key, value)| Some(format!("[{}]={} ", quoted(key), simple(value)?)))
                    .collect();
                if let Some(items) = items {
                    text += &format!("declare -A {name}=({})\n", items.concat());
                }
            }
            _ => {}
        }
    }
    text
}

fn is_variable(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

fn simple(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(quoted(text)),
        Value::Null => Some("''".into()),
        Value::Bool(yes) => Some(if *yes { "1".into() } else { String::new() }),
        // What is whole as C's float, as its int, of which x86 makes the least for what does not fit.
        Value::Number(number) => {
            let bits = number.as_i64().or_else(|| number.as_u64().map(u64::cast_signed));
            let int = match (bits, number.as_f64()) {
                (Some(bits), _) => bits as i32,
                (None, Some(float)) if (float as f32).ceil() == float as f32 => {
                    let fits = float > f64::from(i32::MIN) - 1.0 && float < f64::from(i32::MAX) + 1.0;
                    if fits { float as i32 } else { i32::MIN }
                }
                _ => return None,
            };
            Some(int.to_string())
        }
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Nix 2.34 wrote of the same.
    #[test]
    fn numbers() {
        let text = r#"[1.0,0.1,1e300,-2.5,3e-7,123456789.0,1e15,1e14,1e16,0.0001,0.00001,123456.789,-0.0,5e-324,1.5e20,7]"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            compact(&value),
            "[1.0,0.1,1e+300,-2.5,3e-07,123456789.0,1e+15,100000000000000.0,1e+16,0.0001,1e-05,123456.789,-0.0,5e-324,\
             1.5e+20,7]"
        );
        let shell = |text: &str| simple(&serde_json::from_str(text).unwrap());
        for (json, said) in [
            ("1e300", "-2147483648"),
            ("2147483648.0", "-2147483648"),
            ("-9223372036854775807", "1"),
            ("4294967296", "0"),
            ("18446744073709551615", "-1"),
            ("-3.0", "-3"),
            ("16777217.5", "16777217"),
        ] {
            assert_eq!(shell(json).as_deref(), Some(said), "{json}");
        }
        assert_eq!(shell("1.5"), None);
    }
}
