//! Progress while a machine runs: a bar for the steps with the current step's last line on a terminal, plain lines elsewhere.

use crate::prepare::Prepared;
use crate::run::pack::Written;
use crate::run::results::{Outcome, Results};
use crate::ui::term;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use qemu::{Event, Line};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How many of a failed step's last lines are shown where they were not shown already.
const LAST: usize = 30;

/// Shows a run and collects its results.
pub struct Running {
    /// What has come of it so far.
    pub results: Results,
    /// When each step started, on the host's clock.
    pub started: BTreeMap<String, Instant>,
    bar: Option<ProgressBar>,
    /// The lane's name where there are several, and the width of the longest.
    lane: Option<(String, usize)>,
    total: usize,
    last: VecDeque<String>,
}

impl Running {
    /// A run of so many steps.
    pub fn new(total: usize) -> Running {
        let bar = term::is_watched().then(|| ProgressBar::new(total as u64));
        Self::with(bar, None, total)
    }

    /// A lane of so many steps beside others: its name is padded to the width of the longest.
    pub fn lane(name: &str, width: usize, total: usize, bars: &MultiProgress) -> Running {
        let bar = term::is_watched().then(|| bars.add(ProgressBar::new(total as u64)));
        Self::with(bar, Some((name.to_owned(), width)), total)
    }

    fn with(bar: Option<ProgressBar>, lane: Option<(String, usize)>, total: usize) -> Running {
        let running = Running {
            results: Results::default(),
            started: BTreeMap::new(),
            bar,
            lane,
            total,
            last: VecDeque::new(),
        };
        if let Some(bar) = &running.bar {
            let name = running.name();
            let template =
                format!("{{spinner}} {name}{{bar:24}} {{pos}}/{{len}} {{elapsed}} {{prefix}} {{wide_msg}}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.set_prefix("packing the image");
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        running
    }

    /// A run that shows nothing.
    pub fn quiet() -> Running {
        Running {
            results: Results::default(),
            started: BTreeMap::new(),
            bar: Some(ProgressBar::hidden()),
            lane: None,
            total: 0,
            last: VecDeque::new(),
        }
    }

    /// Another run of so many steps in the place of the one that has ended.
    pub fn again(&mut self, total: usize) {
        self.total = total;
        self.bar.iter().for_each(|bar| {
            bar.reset();
            bar.set_length(total as u64);
        });
    }

    /// What stands before each line, so that lanes can be distinguished.
    fn name(&self) -> String {
        let padded = |(name, width): &(String, usize)| format!("{name:width$}  ");
        self.lane.as_ref().map(padded).unwrap_or_default()
    }

    /// Tells what is about to run.
    pub fn begin(&self, plan: &str, prepared: &Prepared, image: &Written) {
        let (many, read) = (term::count(self.total, "step"), term::count(prepared.inputs.len(), "input"));
        self.say(&format!("plan  {plan}  {many}, {read}"));
        self.say(&format!("image {}  {}", image.sha256, term::size(image.size)));
        self.bar.iter().for_each(|bar| bar.set_prefix("starting the machine"));
    }

    /// Takes in the next line of the console.
    pub fn line(&mut self, line: &Line) {
        match line {
            Line::Event(event) => {
                self.results.add(event);
                if let Event::Step { name } = event {
                    self.started.insert(name.clone(), Instant::now());
                }
                self.event(event);
            }
            Line::Log(text) => match &self.bar {
                Some(bar) => {
                    bar.set_message(term::shown(text).into_owned());
                    self.last.truncate(LAST - 1);
                    self.last.push_front(text.clone());
                }
                None => self.say(&format!("  | {text}")),
            },
            Line::Kernel(_) => {}
        }
    }

    /// Takes in what came of one step that was a unit of its own, and the last lines of its log.
    pub fn unit(&mut self, step: &str, results: Results, log: Running) {
        self.results.add_unit(step, results);
        self.last = log.last;
        if self.results.steps.last().is_some_and(|last| last.name == step) {
            self.ended();
        }
    }

    /// Tells that a step begins as a unit of its own.
    pub fn unit_begins(&self, step: &str) {
        self.bar.iter().for_each(|bar| bar.set_prefix(term::shown(step).into_owned()));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }

    fn say(&self, text: &str) {
        let line = format!("{}{text}", self.name());
        match &self.bar {
            Some(bar) => bar.println(term::shown(&line)),
            None => term::note(&line),
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Step { name } => {
                self.last.clear();
                match &self.bar {
                    Some(bar) => {
                        bar.set_prefix(term::shown(name).into_owned());
                        bar.set_message("");
                    }
                    None => {
                        let number = self.results.steps.len() + 1;
                        self.say(&format!("step {number}/{}: {name}", self.total));
                    }
                }
            }
            Event::Unknown { step, call } => {
                self.say(&format!("{step}: asked for the system call {call}, which footing does not have"));
            }
            Event::BadInput { name, reason } => {
                self.say(&format!("input {name} in the image is bad: {reason}"))
            }
            Event::Built { .. } | Event::Failed { .. } | Event::Skipped { .. } => self.ended(),
            _ => {}
        }
    }

    fn ended(&mut self) {
        let Some(step) = self.results.steps.last() else { return };
        let time = step.milliseconds.map(|time| format!(" {}.{:03} s", time / 1000, time % 1000));
        let time = time.unwrap_or_default();
        let text = match &step.outcome {
            Outcome::Built => format!("built   {}{time}", step.name),
            Outcome::Failed(reason) => format!("failed  {}{time}: {reason}", step.name),
            Outcome::Skipped(reason) => format!("skipped {}: {reason}", step.name),
            Outcome::Prebuilt => format!("given   {}", step.name),
            Outcome::Taken => format!("taken   {}: built earlier, and not again", step.name),
        };
        if let Outcome::Failed(_) = step.outcome {
            self.last.iter().rev().for_each(|line| self.say(&format!("  | {line}")));
        }
        // The bars of several lanes already tell what goes well.
        if self.bar.is_none() || self.lane.is_none() || step.outcome != Outcome::Built {
            self.say(&text);
        }
        self.bar.iter().for_each(|bar| bar.set_position(self.results.steps.len() as u64));
    }
}
