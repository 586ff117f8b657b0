//! What can be looked for in an output: each value that variations change, in the encodings that are usual for it. Pure.

use super::select::Set;
use graphs::plan::Step;
use memchr::memmem;

/// A value that was varied, as it may stand in an output.
pub struct Value {
    /// What it is, and how it is written.
    pub about: String,
    bytes: Vec<u8>,
}

impl Value {
    /// Whether it stands in what was made with it, and not in what was made without.
    pub fn appears(&self, without: &[u8], with: &[u8]) -> bool {
        let stands = |bytes| memmem::find(bytes, &self.bytes).is_some();
        !self.bytes.is_empty() && stands(with) && !stands(without)
    }
}

/// What of `after`, a step with these variations, is not so in `before`, the step without.
pub fn values(before: &Step, after: &Step, set: &Set) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut text = |what: &str, value: &str| {
        all.push(Value { about: format!("{what} {value:?}"), bytes: value.as_bytes().to_vec() });
    };
    if before.host != after.host {
        text("the host name", &after.host);
    }
    if before.domain != after.domain {
        text("the domain name", &after.domain);
    }
    if before.cwd != after.cwd {
        text("the build path", &after.cwd);
    }
    for (name, value) in after.env.iter().filter(|(name, value)| before.env.get(*name) != Some(value)) {
        text(&format!("{name}="), value);
        if !before.env.contains_key(name) {
            text("the variable", name);
        }
    }
    for (what, one, other) in
        [("the user id", before.uid, after.uid), ("the group id", before.gid, after.gid)]
    {
        if one != other {
            text(what, &other.to_string());
            text(&format!("{what}, octal,"), &format!("{other:o}"));
        }
    }
    if before.clock != after.clock {
        times(after.clock, &mut text);
    }
    set.iter().for_each(|variation| fixed(variation.name, &mut text));
    if before.clock != after.clock {
        // What is seconds later, too.
        (0..8).for_each(|late| all.extend(binary_times(after.clock + late)));
    }
    all
}

/// What a variation writes where a step can find it, whatever the step.
fn fixed(variation: &str, text: &mut dyn FnMut(&str, &str)) {
    match variation {
        "input-times" => {
            text("the time of inputs", "1597643776");
            text("the time of inputs, octal,", &format!("{:o}", 0x5f3a_1c00));
            text("the year of inputs", "2020");
        }
        "input-owners" => {
            text("the owner of inputs", "123");
            text("the owner of inputs, octal,", "0000173");
        }
        "uname" => {
            text("the machine", "i686");
            text("the kernel's version", "2.6.");
        }
        "user-name" => text("the user name", "somebody"),
        _ => {}
    }
}

/// A time as 32 bits, in each way that files hold it.
fn binary_times(seconds: u64) -> [Value; 3] {
    let number = |(how, bytes): (&str, [u8; 4])| Value {
        about: format!("the time, 32 bits, {how}, {seconds}"),
        bytes: bytes.to_vec(),
    };
    [
        ("the lowest first", (seconds as u32).to_le_bytes()),
        ("the highest first", (seconds as u32).to_be_bytes()),
        ("as in a zip file", dos(seconds)),
    ]
    .map(number)
}

/// Time and date, in steps of two seconds. Source: PKWARE's APPNOTE.TXT, 4.4.6.
fn dos(seconds: u64) -> [u8; 4] {
    let (year, month, day) = civil(seconds);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let date = (year - 1980).clamp(0, 127) as u32 * 512 + month as u32 * 32 + day as u32;
    (date << 16 | (hour * 2048 + minute * 32 + second / 2) as u32).to_le_bytes()
}

/// The time that a step has by its clock, as it is written. A step may take some seconds until it looks.
fn times(clock: u64, text: &mut dyn FnMut(&str, &str)) {
    let (year, month, date) = civil(clock);
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = MONTHS[(month - 1) as usize];
    for (what, value) in [
        ("the date", format!("{year}-{month:02}-{date:02}")),
        ("the date", format!("{year}{month:02}{date:02}")),
        ("the date", format!("{name} {date:2} {year}")),
        ("the date", format!("{name} {date:2}")),
        ("the date", format!("{date:02} {name} {year}")),
        ("the year", year.to_string()),
    ] {
        text(what, &value);
    }
    for late in 0..8 {
        text("the time in seconds", &(clock + late).to_string());
        text("the time in seconds, octal,", &format!("{:o}", clock + late));
    }
}

/// Year, month and day. Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
fn civil(clock: u64) -> (i64, i64, i64) {
    let days = (clock / 86_400) as i64 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_as_they_are_written() {
        // `date -u -d @1612253591`
        assert_eq!(civil(1_612_253_591), (2021, 2, 2));
        // Python's zipfile.ZipInfo('a', (2021, 2, 2, 8, 13, 11)), written: bytes 10 to 13.
        assert_eq!(dos(1_612_253_591), [0xa5, 0x41, 0x42, 0x52]);
        let value = Value { about: String::new(), bytes: b"2021".to_vec() };
        assert!(value.appears(b"in 2020", b"in 2021"));
        assert!(!value.appears(b"in 2021", b"in 2021"));
    }
}
