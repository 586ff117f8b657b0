//! What is wrong with a graph: data first, text for people by [`Problems::render`].
//!
//! Checks speak of a graph, not of a file, so a problem is born with a [`Spot`], a path into the
//! graph; the text's byte range for it is looked up once, when all problems are known.

mod render;

use std::fmt;
use std::ops::Range;

use crate::locate::{Spot, locate};

/// Whether a problem forbids to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The graph is refused.
    Error,
    /// The graph is taken, and probably not what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it forbids to go on.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where it is in the graph.
    pub place: Option<Spot>,
    /// Where it is in the text, in bytes; absent when there is no such text.
    pub span: Option<Range<usize>>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
}

/// A place that explains a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// What it has to do with the problem.
    pub label: String,
    /// Where it is in the graph.
    pub place: Spot,
    /// Where it is in the text, in bytes.
    pub span: Option<Range<usize>>,
}

impl Problem {
    /// An error with nothing but a message.
    pub fn error(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { severity: Severity::Error, message, help: None, place: None, span: None, related: Vec::new() }
    }

    /// A warning with nothing but a message.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// The same with advice.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same at a place of the graph.
    pub fn at(self, place: impl Into<Spot>) -> Self {
        Self { place: Some(place.into()), ..self }
    }

    /// The same at a place of the text.
    pub fn spanning(self, span: Range<usize>) -> Self {
        Self { span: Some(span), ..self }
    }

    /// The same with one more place that explains it.
    pub fn related(mut self, place: impl Into<Spot>, label: impl Into<String>) -> Self {
        self.related.push(Related { label: label.into(), place: place.into(), span: None });
        self
    }
}

/// All problems of one run, with the text that they are about.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems {
    name: String,
    text: String,
    list: Vec<Problem>,
}

impl Problems {
    /// Problems of the text that goes by `name`. Places are looked up in it, and the problems put in its order;
    /// those without a place come last.
    pub fn new(name: &str, text: &str, mut list: Vec<Problem>) -> Self {
        if list.is_empty() {
            return Self { name: name.to_owned(), ..Self::default() };
        }
        resolve(text, &mut list);
        list.sort_by(|a, b| {
            let start = |problem: &Problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start);
            (start(a), a.severity, &a.message).cmp(&(start(b), b.severity, &b.message))
        });
        list.dedup();
        Self { name: name.to_owned(), text: text.to_owned(), list }
    }

    /// The name of the text; empty where the problems are of none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The problems, in the order of the text.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many problems forbid to go on.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// Nothing worse than warnings, or the problems as an error.
    pub fn into_result(self) -> Result<Self, Self> {
        if self.errors() == 0 { Ok(self) } else { Err(self) }
    }

    /// The line and column of each problem, as [`Problems::line_and_column`] says them, in one pass over the text.
    pub fn places(&self) -> Vec<Option<(usize, usize)>> {
        let (mut at, mut line, mut column) = (0, 1, 1);
        let mut place = |problem: &Problem| {
            let start = problem.span.as_ref()?.start;
            if start < at {
                // Not in the text's order: none that was made here.
                return self.line_and_column(problem);
            }
            for c in self.text.get(at..start)?.chars() {
                (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            at = start;
            Some((line, column))
        };
        self.list.iter().map(&mut place).collect()
    }

    /// Line and column, both counted from one and the column in characters, at which a problem's span starts.
    pub fn line_and_column(&self, problem: &Problem) -> Option<(usize, usize)> {
        let before = self.text.get(..problem.span.as_ref()?.start)?;
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some((line, before[start..].chars().count() + 1))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// Gives every place that has no span yet the one that the text has for it, in one pass over the text.
fn resolve(text: &str, list: &mut [Problem]) {
    let mut places: Vec<Spot> = Vec::new();
    let mut slots: Vec<&mut Option<Range<usize>>> = Vec::new();
    for problem in list {
        if let (Some(place), None) = (&problem.place, &problem.span) {
            places.push(place.clone());
            slots.push(&mut problem.span);
        }
        for related in &mut problem.related {
            places.push(related.place.clone());
            slots.push(&mut related.span);
        }
    }
    for (slot, span) in slots.into_iter().zip(locate(text, &places)) {
        *slot = span;
    }
}
