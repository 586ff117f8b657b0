//! The events that PID 1 writes to the console: pure, no I/O.
//!
//! # Grammar
//! Fields are separated by one space; a last field `REASON` is the rest of the line.
//! ```text
//! @ groundup 1 PLAN-SHA256
//! @ input NAME SHA256|unverified
//! @ bad-input NAME REASON
//! @ step NAME
//! @ output NAME SHA256 SIZE OFFSET       OFFSET: a number, `-` or `full`
//! @ trace STEP CALLS FINGERPRINT          the native machine alone: 16 hexadecimal digits of all calls and results
//! @ unknown STEP CALL                   footing alone: a system call of the step that it does not have, each once
//! @ reference OUTPUT NAME
//! @ built NAME MILLISECONDS
//! @ failed NAME MILLISECONDS REASON
//! @ skipped NAME REASON
//! @ end BUILT FAILED SKIPPED
//! @ fatal REASON
//! ```
//!
//! # Restrictions
//! A hash is 64 lower-case digits; a number has no sign and no leading zero; a name is at most 244 of
//! `[A-Za-z0-9+._?=-]` and does not start with a dot. Whatever breaks a rule is no event, and is shown as a line of
//! the kernel's: an event that the kernel's own messages cut in two must not pass for another.

use formats::digest::Sha256;
use std::str::FromStr;

/// Something that PID 1 reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the grammar above")]
pub enum Event {
    /// PID 1 runs and has read this plan.
    Started { plan: Sha256 },
    /// An input has the hash that the plan says.
    Input { name: String, sha256: Sha256 },
    /// An input was taken as it is: the plan has nobody ask for its hash.
    Unverified { name: String },
    /// An input does not have it; steps that use it are skipped.
    BadInput { name: String, reason: String },
    /// A step begins.
    Step { name: String },
    /// A step made an output.
    Output { name: String, sha256: Sha256, size: u64, place: Place },
    /// An output holds the hash of this name in the store; reported before the output itself.
    Reference { output: String, name: String },
    /// How many system calls a step made, and a fingerprint of all of them with their results; said before the step's end.
    Trace { step: String, calls: u64, trace: String },
    /// A step asked for a system call that is not there, and got ENOSYS; said before the step's end.
    Unknown { step: String, call: String },
    /// A step is done.
    Built { name: String, milliseconds: u64 },
    /// A step failed.
    Failed { name: String, milliseconds: u64, reason: String },
    /// A step was not tried.
    Skipped { name: String, reason: String },
    /// The plan is done: how many steps were built, failed and skipped.
    End { built: u64, failed: u64, skipped: u64 },
    /// PID 1 cannot go on.
    Fatal { reason: String },
}

/// Where an output's NAR is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: the machine has no export region.
    None,
    /// Nowhere: the export region has no room for it.
    Full,
    /// At this offset in the export region.
    At(u64),
}

impl Event {
    /// Reads what follows `@ ` on a line.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(' ')?;
        Some(match word {
            "groundup" => {
                let ["1", plan] = fields(rest)? else { return None };
                Self::Started { plan: Sha256::from_hex(plan)? }
            }
            "input" => {
                let [n, found] = fields(rest)?;
                match found {
                    "unverified" => Self::Unverified { name: name(n)? },
                    sha256 => Self::Input { name: name(n)?, sha256: Sha256::from_hex(sha256)? },
                }
            }
            "bad-input" => {
                let [n, reason] = head(rest)?;
                Self::BadInput { name: name(n)?, reason: some(reason)? }
            }
            "step" => Self::Step { name: name(rest)? },
            "output" => {
                let [n, sha256, size, offset] = fields(rest)?;
                let place = match offset {
                    "-" => Place::None,
                    "full" => Place::Full,
                    offset => Place::At(number(offset)?),
                };
                Self::Output { name: name(n)?, sha256: Sha256::from_hex(sha256)?, size: number(size)?, place }
            }
            "reference" => {
                let [output, n] = fields(rest)?;
                Self::Reference { output: name(output)?, name: name(n)? }
            }
            "trace" => {
                let [step, calls, trace] = fields(rest)?;
                let is_hex =
                    trace.len() == 16 && trace.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
                let trace = is_hex.then(|| trace.to_owned())?;
                Self::Trace { step: name(step)?, calls: number(calls)?, trace }
            }
            "unknown" => {
                let [step, call] = fields(rest)?;
                Self::Unknown { step: name(step)?, call: name(call)? }
            }
            "built" => {
                let [n, milliseconds] = fields(rest)?;
                Self::Built { name: name(n)?, milliseconds: number(milliseconds)? }
            }
            "failed" => {
                let [n, milliseconds, reason] = head(rest)?;
                let (name, milliseconds) = (name(n)?, number(milliseconds)?);
                Self::Failed { name, milliseconds, reason: some(reason)? }
            }
            "skipped" => {
                let [n, reason] = head(rest)?;
                Self::Skipped { name: name(n)?, reason: some(reason)? }
            }
            "end" => {
                let [built, failed, skipped] = fields(rest)?;
                Self::End { built: number(built)?, failed: number(failed)?, skipped: number(skipped)? }
            }
            "fatal" => Self::Fatal { reason: some(rest)? },
            _ => return None,
        })
    }
}

/// Exactly `N` fields.
fn fields<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split(' ').collect::<Vec<_>>().try_into().ok()
}

/// `N` fields, the last of which is the rest of the line.
fn head<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.splitn(N, ' ').collect::<Vec<_>>().try_into().ok()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn name(text: &str) -> Option<String> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"+._?=-".contains(&byte);
    let good = (1..=244).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(safe);
    good.then(|| text.to_owned())
}

fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| u64::from_str(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn every_event_is_read() {
        let (h, n) = (Sha256::of(""), "a-1.2+b_?=".to_owned());
        for (text, event) in [
            (format!("groundup 1 {h}"), Event::Started { plan: h }),
            (format!("input {n} {h}"), Event::Input { name: n.clone(), sha256: h }),
            (format!("input {n} unverified"), Event::Unverified { name: n.clone() }),
            (
                format!("bad-input {n} expected {h}, found {h}"),
                Event::BadInput { name: n.clone(), reason: format!("expected {h}, found {h}") },
            ),
            (format!("step {n}"), Event::Step { name: n.clone() }),
            (
                format!("output {n} {h} 112 -"),
                Event::Output { name: n.clone(), sha256: h, size: 112, place: Place::None },
            ),
            (
                format!("output {n} {h} 0 full"),
                Event::Output { name: n.clone(), sha256: h, size: 0, place: Place::Full },
            ),
            (
                format!("output {n} {h} 112 4096"),
                Event::Output { name: n.clone(), sha256: h, size: 112, place: Place::At(4096) },
            ),
            (
                format!("trace {n} 12 0123456789abcdef"),
                Event::Trace { step: n.clone(), calls: 12, trace: "0123456789abcdef".into() },
            ),
            (format!("unknown {n} mincore"), Event::Unknown { step: n.clone(), call: "mincore".into() }),
            (format!("built {n} 10"), Event::Built { name: n.clone(), milliseconds: 10 }),
            (
                format!("failed {n} 10 exit status 1"),
                Event::Failed { name: n.clone(), milliseconds: 10, reason: "exit status 1".into() },
            ),
            (
                format!("skipped {n} needs a b"),
                Event::Skipped { name: n.clone(), reason: "needs a b".into() },
            ),
            ("end 3 2 1".into(), Event::End { built: 3, failed: 2, skipped: 1 }),
            ("fatal no /plan".into(), Event::Fatal { reason: "no /plan".into() }),
        ] {
            assert_eq!(Event::parse(&text), Some(event), "{text}");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_no_event() {
        for text in [
            "".into(),
            "end".into(),
            "end 1 2".into(),
            "end 1 2 3 4".into(),
            "end 1 2 3 ".into(),
            "end  1 2 3".into(),
            "end 01 2 3".into(),
            "end +1 2 3".into(),
            "end 99999999999999999999 2 3".into(),
            format!("groundup 2 {HASH}"),
            format!("groundup 1 {}", &HASH[1..]),
            format!("groundup 1 {}", HASH.to_uppercase()),
            "step .a".into(),
            "step a/b".into(),
            "step a b".into(),
            "step ".into(),
            format!("step {}", "a".repeat(245)),
            format!("output a {HASH} 1 +1"),
            "failed a 10".into(),
            "failed a 10 ".into(),
            "fatal ".into(),
            "what a".into(),
        ] {
            let text: String = text;
            assert_eq!(Event::parse(&text), None, "{text}");
        }
    }
}
