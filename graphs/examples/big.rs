//! Reads, checks and linearizes a made-up graph of N derivations, and prints what that took.
//!
//! `big N` prints one line: derivations, bytes of RON, seconds of reading, checking, ordering and of all three, and the
//! most memory that the process ever held. A tenth of the derivations are one chain, a tenth fan out from one and
//! in again, the others are diamonds, so that long paths, wide steps and many small joins all occur.

use std::fmt::Write;
use std::time::{Duration, Instant};

use graphs::Choices;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: usize = std::env::args().nth(1).ok_or("usage: big N")?.parse()?;
    let text = ron(count);
    let (graph, reading) = timed(|| graphs::read("big.ron", &text));
    let graph = graph.map_err(|problems| problems.render(false))?;
    let (problems, checking) = timed(|| graphs::check(&graph, "big.ron", &text));
    if !problems.is_empty() {
        return Err(problems.render(false).into());
    }
    let choices = Choices::defaults(&graph);
    let (order, ordering) = timed(|| graphs::order(&graph, &choices));
    println!(
        "derivations {} bytes {} read {:.3} check {:.3} order {:.3} total {:.3} peak-kib {}",
        order?.len(),
        text.len(),
        reading.as_secs_f64(),
        checking.as_secs_f64(),
        ordering.as_secs_f64(),
        (reading + checking + ordering).as_secs_f64(),
        peak_kib().map_or_else(|| "-".to_owned(), |kib| kib.to_string()),
    );
    Ok(())
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = run();
    (result, start.elapsed())
}

/// The high-water mark of resident memory, proc_pid_status(5); absent where there is no `/proc`.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The graph of `count` derivations.
fn ron(count: usize) -> String {
    let chain = (count / 10).max(1);
    let fan = (count / 10).max(1);
    let mut text = String::from("(\n    seeds: {\n");
    text += "        \"sh\": (from: [Text(\"#!\")], executable: true, sha256: \"";
    text += "3612ddaf46e149a4f583faf0face846585148f59e0ce2645594df83b5dc807e8";
    text += "\"),\n    },\n    derivations: {\n";
    for number in 0..count {
        let needs: Vec<usize> = if number < chain {
            number.checked_sub(1).into_iter().collect()
        } else if number < chain + fan - 1 {
            vec![chain - 1]
        } else if number == chain + fan - 1 {
            (chain..number).collect()
        } else {
            // Four make a diamond: top, left, right, bottom; each top stands on the bottom before.
            let first = chain + fan;
            let top = number - (number - first) % 4;
            match number - top {
                0 => vec![top - 1],
                1 | 2 => vec![top],
                _ => vec![number - 1, number - 2],
            }
        };
        derivation(&mut text, number, &needs);
    }
    let targets: Vec<String> = (0..count).rev().take(4).map(|number| format!("\"d{number}\"")).collect();
    text += "    },\n    targets: [";
    text += &targets.join(", ");
    text += "],\n)\n";
    text
}

fn derivation(text: &mut String, number: usize, needs: &[usize]) {
    let mut inputs = String::new();
    for need in needs {
        // Writing to a string cannot fail.
        let _ = write!(inputs, ", \"d{need}\"");
    }
    let _ = write!(
        text,
        "        \"d{number}\": (\n            builder: \"/store/sh\",\n            \
         args: [\"-c\", \"make a thing\", \"/store/d{number}\"],\n            \
         env: {{\"NUMBER\": \"{number}\"}},\n            inputs: [\"sh\"{inputs}],\n        ),\n"
    );
}
