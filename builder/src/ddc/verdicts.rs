//! What lanes showed together, as a person and as a program reads it. Pure.

use crate::ddc::agreement::{self, Dissent, Judged, Verdict};
use crate::ui::term::count;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A lane, summarised.
pub struct LaneSummary {
    /// Its name.
    pub name: String,
    /// What ran it.
    pub machine: String,
    /// The alternatives that it took.
    pub choose: BTreeMap<String, String>,
    /// The plan's sha256, if it got so far.
    pub plan: Option<String>,
    /// The image's.
    pub image: Option<String>,
    /// Whether its machine came to its end.
    pub complete: bool,
    /// Why it did not end well.
    pub error: Option<String>,
    /// The steps that failed, and why.
    pub failed: Vec<(String, String)>,
    /// Where its record is.
    pub record: Option<String>,
}

/// What came of all lanes.
pub struct Report {
    /// The graph, as results name it.
    pub graph: String,
    /// What was varied.
    pub over: Vec<String>,
    /// The lanes.
    pub lanes: Vec<LaneSummary>,
    /// The outputs, in the order of the plan.
    pub judged: Vec<Judged>,
    /// It was ended before all lanes were.
    pub interrupted: bool,
}

impl Report {
    /// Whether all targets agree in all lanes.
    pub fn agree(&self) -> bool {
        agreement::all_agree(&self.judged, self.lanes.len())
    }

    /// It was ended before all lanes were: what agrees so far shows nothing of those that were not done.
    pub fn interrupt(&mut self) {
        self.interrupted = true;
        for judged in self.judged.iter_mut().filter(|judged| judged.verdict != Verdict::Differs) {
            judged.verdict = Verdict::Inconclusive;
        }
    }

    /// The lanes that did not come to their end.
    fn incomplete(&self) -> Vec<&str> {
        self.lanes.iter().filter(|lane| !lane.complete).map(|lane| lane.name.as_str()).collect()
    }

    /// For a program.
    pub fn json(&self) -> Value {
        let lane = |lane: &LaneSummary| {
            let failed: Vec<_> =
                lane.failed.iter().map(|(step, reason)| json!({ "step": step, "reason": reason })).collect();
            json!({
                "name": lane.name, "machine": lane.machine, "choices": lane.choose, "plan": lane.plan,
                "image": lane.image, "error": lane.error, "failed": failed, "record": lane.record,
            })
        };
        let output = |judged: &Judged| {
            let groups: Vec<_> = judged
                .groups
                .iter()
                .map(|group| json!({ "sha256": group.sha256, "lanes": self.names(&group.lanes) }))
                .collect();
            json!({
                "name": judged.wanted.name, "step": judged.wanted.step, "target": judged.wanted.target,
                "varied": judged.wanted.varied, "verdict": judged.verdict.words(), "groups": groups,
                "missing": self.names(&judged.missing),
            })
        };
        let apart = |apart: &Dissent| json!({ "lanes": self.names(&apart.lanes), "outputs": apart.outputs });
        json!({
            "graph": self.graph, "over": self.over,
            "lanes": self.lanes.iter().map(lane).collect::<Vec<_>>(),
            "outputs": self.judged.iter().map(output).collect::<Vec<_>>(),
            "apart": agreement::dissents(&self.judged).iter().map(apart).collect::<Vec<_>>(),
            "agree": self.agree(),
            "interrupted": self.interrupted,
            "incomplete": self.incomplete(),
        })
    }

    /// For a person: a line for each output and hash, then what it comes to.
    pub fn text(&self) -> String {
        let mut text = match self.interrupted {
            true => format!("INTERRUPTED; incomplete: {}\n\n", self.incomplete().join(", ")),
            false => String::new(),
        };
        let width = self.judged.iter().map(|judged| judged.wanted.name.len()).max().unwrap_or_default();
        for judged in &self.judged {
            let mut hashes: Vec<_> = judged
                .groups
                .iter()
                .map(|group| format!("{}  {}", group.sha256, self.who(&group.lanes)))
                .collect();
            if !judged.missing.is_empty() {
                hashes.push(format!("{:64}  {}", "not made", self.who(&judged.missing)));
            }
            let (mut name, mut verdict) = (judged.wanted.name.as_str(), judged.verdict.words());
            for hash in hashes {
                text += &format!("{name:width$}  {verdict:18}  {hash}\n");
                (name, verdict) = ("", "");
            }
        }
        text + "\n" + &self.summary()
    }

    fn summary(&self) -> String {
        let mut text = String::new();
        for lane in &self.lanes {
            if let Some(error) = &lane.error {
                text += &format!("The lane {} did not end well: {}\n", lane.name, error.trim_end());
            }
            for (step, reason) in &lane.failed {
                text += &format!("  {step}: {reason}\n");
            }
        }
        for apart in agreement::dissents(&self.judged) {
            let (names, first) = (self.names(&apart.lanes).join(", "), &apart.outputs[0]);
            let (stands, whose) = match apart.lanes.len() {
                1 => ("stands alone", "its"),
                _ => ("stand apart from the majority", "their"),
            };
            let many = count(apart.outputs.len(), "output");
            text += &format!("{names} {stands}: {many} of {whose} own, from {first} on.\n");
        }
        let number = |verdict| self.judged.iter().filter(|judged| judged.verdict == verdict).count();
        if self.judged.iter().any(|judged| judged.verdict == Verdict::Differs && judged.majority().is_none())
        {
            text += "Lanes differ, and no side has the majority: more lanes would tell which stands alone.\n";
        }
        let parts =
            [Verdict::Agrees, Verdict::Expected, Verdict::Differs, Verdict::Inconclusive, Verdict::Single];
        let parts = parts.map(|verdict| (number(verdict), verdict.words()));
        let parts: Vec<_> =
            parts.iter().filter(|part| part.0 > 0).map(|(many, words)| format!("{words}: {many}")).collect();
        let (lanes, outputs) = (count(self.lanes.len(), "lane"), count(self.judged.len(), "output"));
        text += &format!("{lanes}, {outputs}. {}.\n", parts.join(", "));
        if self.interrupted {
            let incomplete = self.incomplete().join(", ");
            return text
                + &format!("Interrupted: nothing is shown. Lanes that are incomplete: {incomplete}.\n");
        }
        text + match self.agree() {
            true => "All targets are the same in all lanes.\n",
            false => "Not every target is the same in all lanes.\n",
        }
    }

    fn names(&self, lanes: &[usize]) -> Vec<&str> {
        lanes.iter().map(|lane| self.lanes[*lane].name.as_str()).collect()
    }

    fn who(&self, lanes: &[usize]) -> String {
        match lanes.len() == self.lanes.len() {
            true => format!("all {}", lanes.len()),
            false => self.names(lanes).join(" "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ddc::agreement::{Group, Wanted};

    fn report(verdicts: &[Verdict]) -> Report {
        let lane = |name: &str, complete| LaneSummary {
            name: name.into(),
            machine: "strict".into(),
            choose: BTreeMap::new(),
            plan: None,
            image: None,
            complete,
            error: None,
            failed: vec![],
            record: None,
        };
        let judged = |verdict: &Verdict| Judged {
            wanted: Wanted { name: "a".into(), step: "a".into(), target: true, varied: false },
            verdict: *verdict,
            groups: vec![Group { sha256: "0".repeat(64), lanes: vec![0, 1] }],
            missing: vec![],
        };
        Report {
            graph: "x.ron".into(),
            over: vec![],
            lanes: vec![lane("one", true), lane("two", false)],
            judged: verdicts.iter().map(judged).collect(),
            interrupted: false,
        }
    }

    #[test]
    fn what_was_interrupted_shows_nothing_good() {
        let verdicts = [Verdict::Agrees, Verdict::Expected, Verdict::Differs, Verdict::Single];
        let mut report = report(&verdicts);
        assert!(report.text().ends_with("All targets are the same in all lanes.\n") == report.agree());
        report.interrupt();
        assert!(!report.agree());
        let found: Vec<_> = report.judged.iter().map(|judged| judged.verdict).collect();
        let nothing = Verdict::Inconclusive;
        assert_eq!(found, [nothing, nothing, Verdict::Differs, nothing]);
        assert!(report.text().starts_with("INTERRUPTED; incomplete: two\n"), "{}", report.text());
        assert_eq!(report.json()["incomplete"], json!(["two"]));
    }
}
