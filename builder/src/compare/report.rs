//! A comparison for people and for programs. Pure.

use super::hand::Located;
use super::places::{self, SHOWN};
use crate::ui::term::shown;
use records::groups::Group;
use records::read::Of;
use records::verdict::{Compared, Counts, Party, Verdict, plans, told_apart};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Everything that there is to tell.
pub struct Report<'a> {
    /// Whoever was compared.
    pub parties: &'a [Party],
    /// Whether signatures were verified; the parties are the signers then.
    pub verified: bool,
    /// Output by output.
    pub outputs: &'a [Compared],
    /// How many parties have to agree.
    pub require: usize,
    /// Outputs that only one party can have.
    pub alone: usize,
    /// By output: where it differs.
    pub located: &'a BTreeMap<&'a str, Vec<Located>>,
}

impl Report<'_> {
    /// Outputs on which enough parties agree.
    pub fn met(&self) -> usize {
        self.outputs.iter().filter(|output| output.met).count()
    }

    fn names(&self, parties: &[usize]) -> String {
        parties.iter().map(|&party| shown(&self.parties[party].name)).collect::<Vec<_>>().join(", ")
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write_parties(&mut text);
        self.outputs.iter().for_each(|output| self.write_output(&mut text, output));
        let counts = Counts::of(self.outputs);
        let part = |count: usize| {
            let percent = 100.0 * count as f64 / counts.total().max(1) as f64;
            format!("{count} ({percent:.1}%)")
        };
        let _ = write!(
            text,
            "\n{} compared:\n  - {} were identical\n  - {} differed\n  - {} were inconclusive\n",
            crate::ui::term::count(counts.total(), "output"),
            part(counts.identical),
            part(counts.differs),
            part(counts.inconclusive)
        );
        if self.alone > 0 {
            let many = crate::ui::term::count(self.alone, "output");
            let _ = writeln!(text, "not compared: {many} that only one party can have");
        }
        let (require, all) = (self.require, self.parties.len());
        let _ = writeln!(text, "agreed on by {require} of {all}: {}", part(self.met()));
        text
    }

    fn write_parties(&self, text: &mut String) {
        for party in self.parties {
            let of = |claims: &records::read::Claims| claims.form.word();
            let mut forms: Vec<_> = party.claims.iter().map(of).collect();
            forms.dedup();
            let outputs: usize = party.claims.iter().map(|claims| claims.outputs.len()).sum();
            let outputs = crate::ui::term::count(outputs, "output");
            let signed = if self.verified { ", signature verified" } else { "" };
            let _ = writeln!(text, "{}: {}, {outputs}{signed}", shown(&party.name), forms.join(", "));
            for (step, reason) in party.claims.iter().flat_map(|claims| &claims.failures) {
                let _ = writeln!(text, "  {} {}", shown(step), shown(reason));
            }
        }
        if !self.verified {
            text.push_str("signatures were not verified: no --keys\n");
        }
        let plans = plans(self.parties);
        if plans.len() > 1 {
            let _ = writeln!(text, "{} different plans:", plans.len());
            for (plan, parties) in plans {
                let _ = writeln!(text, "  {}  {}", shown(plan), self.names(&parties));
            }
        }
        for (name, hashes) in told_apart(self.parties) {
            let _ = writeln!(text, "different {}:", shown(name));
            for (hash, parties) in hashes {
                let _ = writeln!(text, "  {}  {}", shown(hash), self.names(&parties));
            }
        }
        text.push('\n');
    }

    fn write_output(&self, text: &mut String, output: &Compared) {
        let _ = writeln!(text, "{:<12}  {}", output.verdict.word(), shown(&output.name));
        for group in &output.groups {
            for (method, hex) in &group.output.digests {
                let _ = writeln!(text, "  {} {}  {}", method.words(), shown(hex), self.names(&group.parties));
            }
        }
        let methods = || output.groups.iter().flat_map(|group| group.output.digests.keys());
        let unsaid =
            methods().any(|method| method.of == Of::Listed) && methods().any(|method| method.of == Of::Nar);
        if unsaid && output.verdict == Verdict::Inconclusive {
            text.push_str(
                "  a list does not say what its hashes are of: a line `# nar-sha256` above them says NARs\n",
            );
        }
        for (&party, reason) in &output.missing {
            let reason = reason.as_deref().map_or("does not have it", |reason| reason);
            let _ = writeln!(text, "  {}: {}", self.names(&[party]), shown(reason));
        }
        for &party in &output.contradictory {
            let _ = writeln!(text, "  {}: contradicts itself, and does not count", self.names(&[party]));
        }
        for located in self.located.get(output.name.as_str()).into_iter().flatten() {
            let _ =
                writeln!(text, "  {} against {}:", self.names(&[located.one]), self.names(&[located.other]));
            for difference in located.differences.iter().take(SHOWN) {
                places::write(text, difference, "    ");
            }
            let rest = located.differences.len().saturating_sub(SHOWN);
            if rest > 0 {
                let _ = writeln!(text, "    and {rest} more");
            }
            if let Some(page) = &located.html {
                let _ = writeln!(text, "    diffoscope: {}", page.display());
            }
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let party = |party: &Party| {
            let failures: BTreeMap<_, _> = party.claims.iter().flat_map(|claims| &claims.failures).collect();
            json!({
                "name": party.name,
                "forms": party.claims.iter().map(|claims| claims.form.word()).collect::<Vec<_>>(),
                "outputs": party.claims.iter().map(|claims| claims.outputs.len()).sum::<usize>(),
                "failures": failures,
            })
        };
        let counts = Counts::of(self.outputs);
        json!({
            "signaturesVerified": self.verified,
            "parties": self.parties.iter().map(party).collect::<Vec<_>>(),
            "plans": plans(self.parties).iter().map(|(plan, parties)| json!({
                "sha256": plan, "parties": self.list(parties),
            })).collect::<Vec<_>>(),
            "toldApart": told_apart(self.parties).iter().map(|(name, hashes)| json!({
                "name": name,
                "hashes": hashes.iter().map(|(hash, parties)| json!({
                    "sha256": hash, "parties": self.list(parties),
                })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "outputs": self.outputs.iter().map(|output| self.output(output)).collect::<Vec<_>>(),
            "counts": {
                "outputs": counts.total(), "identical": counts.identical, "differs": counts.differs,
                "inconclusive": counts.inconclusive,
            },
            "notCompared": self.alone,
            "require": self.require,
            "met": self.met(),
        })
    }

    fn list(&self, parties: &[usize]) -> Vec<&str> {
        parties.iter().map(|&party| self.parties[party].name.as_str()).collect()
    }

    fn output(&self, output: &Compared) -> Value {
        let group = |group: &Group| {
            let digests: BTreeMap<_, _> =
                group.output.digests.iter().map(|(method, hex)| (method.words(), hex)).collect();
            json!({ "parties": self.list(&group.parties), "digests": digests, "size": group.output.size })
        };
        let missing = output
            .missing
            .iter()
            .map(|(&party, reason)| json!({ "party": self.parties[party].name, "reason": reason }));
        let located = self.located.get(output.name.as_str()).into_iter().flatten().map(|located| {
            json!({
                "one": self.parties[located.one].name,
                "other": self.parties[located.other].name,
                "differences": located.differences.iter().map(places::json).collect::<Vec<_>>(),
                "diffoscope": located.html,
            })
        });
        json!({
            "name": output.name,
            "verdict": output.verdict.word(),
            "met": output.met,
            "groups": output.groups.iter().map(group).collect::<Vec<_>>(),
            "missing": missing.collect::<Vec<_>>(),
            "contradictory": self.list(&output.contradictory),
            "located": located.collect::<Vec<_>>(),
        })
    }

    /// What is to be said where not enough parties agree.
    pub fn failure(&self) -> Option<String> {
        let (met, total) = (self.met(), self.outputs.len());
        let differ = self.outputs.iter().filter(|output| output.verdict == Verdict::Differs).count();
        (met < total).then(|| {
            let (require, parties, lacking) = (self.require, self.parties.len(), total - met);
            format!(
                "{lacking} of {}: not agreed on by {require} of {parties}; {differ} differ",
                crate::ui::term::count(total, "output")
            )
        })
    }
}
