//! Progress while inputs are fetched: a bar for each input on a terminal, a line for each thing that is done elsewhere.

use crate::ui::term;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use inputs::{Event, Progress};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

/// Draws or prints.
pub struct Fetching {
    bars: Option<MultiProgress>,
    inputs: Mutex<BTreeMap<String, Input>>,
}

struct Input {
    bar: Option<ProgressBar>,
    /// What was said of it: several of its files may be fetched at once, and take turns.
    said: BTreeSet<String>,
}

impl Fetching {
    /// Shows nothing until there is something to tell.
    pub fn start() -> Fetching {
        Fetching { bars: term::is_watched().then(MultiProgress::new), inputs: Mutex::default() }
    }

    /// Takes the bars away.
    pub fn finish(&self) {
        for input in self.inputs().values() {
            input.bar.iter().for_each(ProgressBar::finish_and_clear);
        }
    }

    fn inputs(&self) -> MutexGuard<'_, BTreeMap<String, Input>> {
        self.inputs.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Progress for Fetching {
    fn report(&self, event: &Event) {
        let mut inputs = self.inputs();
        let input = inputs.entry(event.input.to_owned()).or_insert_with(|| {
            let bar = self.bars.as_ref().map(|bars| bars.add(ProgressBar::no_length()));
            if let Some(bar) = &bar {
                bar.set_prefix(term::shown(event.input).into_owned());
            }
            Input { bar, said: BTreeSet::new() }
        });
        let new = input.said.insert(event.text.to_owned());
        match &input.bar {
            Some(bar) => {
                let known = event.total.is_some();
                let template = if known {
                    "{prefix:24!} {bar:24} {bytes}/{total_bytes} {wide_msg}"
                } else {
                    "{prefix:24!} {wide_msg}"
                };
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                event.total.into_iter().for_each(|total| bar.set_length(total));
                bar.set_position(event.done);
                bar.set_message(term::shown(event.text).into_owned());
            }
            None if new => term::note(&format!("{}: {}", event.input, event.text)),
            None => {}
        }
    }
}
