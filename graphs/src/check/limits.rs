//! Limits: neither too little for anything to start, nor absurd.

use super::Check;
use crate::locate::Trail;
use crate::model::Derivation;

/// Less memory than that starts no program: stack, page tables and the kernel's own part come first.
const MEBIBYTE: u64 = 1 << 20;
const TEBIBYTE: u64 = 1 << 40;
const YEAR: u64 = 366 * 24 * 3600;
const MOST_PROCESSES: u64 = 1_000_000;

impl Check<'_> {
    pub(super) fn limits(&mut self, spot: &Trail<'_>, derivation: &Derivation) {
        let bytes = (TEBIBYTE, "bytes", "1099511627776, 1 TiB");
        let limits = [
            ("time", derivation.time, (YEAR, "seconds", "31622400, a year")),
            ("log", derivation.log, bytes),
            ("space", derivation.space, bytes),
            ("memory", derivation.memory, bytes),
            ("processes", derivation.processes, (MOST_PROCESSES, "processes", "1000000")),
        ];
        for (field, value, (most, unit, text)) in limits {
            let least = if field == "memory" { MEBIBYTE } else { 1 };
            if value < least || value > most {
                let message = format!("absurd `{field}`: {value} {unit}");
                self.error(spot.then(field), message, format!("write {least} to {text}, or leave it out"));
            }
        }
    }
}
