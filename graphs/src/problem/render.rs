//! Problems as a person reads them: `file:line:column`, the source line, what is wrong there, and what to do.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Problem, Problems, Severity};
use crate::words::{count, same_length, shown_lines};

/// So many are shown: nobody mends more at a time, and the first often cause the rest.
const SHOWN: usize = 50;

impl Problems {
    /// Problems as text that ends in a line break, in the manner of rustc; empty when there are none. Where there are more than
    /// [`SHOWN`], the rest is counted.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let source = same_length(&self.text);
        let lines = Lines::of(&source);
        let mut text = String::new();
        for problem in self.list.iter().take(SHOWN) {
            // What is quoted in them comes from strangers.
            let shown = Problem {
                message: shown_lines(&problem.message).into_owned(),
                help: problem.help.as_deref().map(|help| shown_lines(help).into_owned()),
                ..problem.clone()
            };
            text += &renderer.render(&[self.group(&shown, &lines, &shown_lines(&self.name))]);
            text += "\n\n";
        }
        let left = &self.list[self.list.len().min(SHOWN)..];
        if !left.is_empty() {
            let errors = left.iter().filter(|problem| problem.severity == Severity::Error).count();
            let (level, what) = match errors {
                0 => (Level::WARNING, format!("not shown: {}", count(left.len(), "more warning"))),
                _ => (
                    Level::ERROR,
                    format!("not shown: {}, {errors} of them errors", count(left.len(), "more problem")),
                ),
            };
            text += &renderer.render(&[Group::with_title(level.primary_title(&what))]);
        }
        text.truncate(text.trim_end().len());
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }

    fn group<'a>(&self, problem: &'a Problem, lines: &Lines<'a>, name: &'a str) -> Group<'a> {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&problem.message));
        let own = problem.span.iter().map(|span| (span, None));
        let related = problem.related.iter().filter_map(|r| Some((r.span.as_ref()?, Some(r.label.as_str()))));
        for (span, label) in own.chain(related) {
            let (source, first, within) = lines.around(span);
            let kind = if label.is_none() { AnnotationKind::Primary } else { AnnotationKind::Context };
            let snippet = Snippet::source(source).line_start(first).path(name);
            group = group.element(snippet.annotation(kind.span(within).label(label)));
        }
        if problem.span.is_none() && !name.is_empty() {
            group = group.element(annotate_snippets::Origin::path(name));
        }
        match &problem.help {
            Some(help) => group.element(Level::HELP.message(help)),
            None => group,
        }
    }
}

/// Where the lines of a text begin, so that a problem in a long file costs no more than its own lines.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The lines that a span touches, the number of the first, and the span within them.
    fn around(&self, span: &Range<usize>) -> (&'a str, usize, Range<usize>) {
        let line = self.starts.partition_point(|&start| start <= span.start).max(1);
        let start = self.starts[line - 1];
        let after = self.starts.partition_point(|&start| start < span.end.max(span.start + 1));
        let end = self.starts.get(after).map_or(self.text.len(), |next| next - 1);
        (&self.text[start..end.max(start)], line, span.start - start..span.end - start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_shown_with_the_lines_that_it_touches_only() {
        let lines = Lines::of("one\ntwo\nthree\n");
        assert_eq!(lines.around(&(4..7)), ("two", 2, 0..3));
        assert_eq!(lines.around(&(5..9)), ("two\nthree", 2, 1..5));
        assert_eq!(lines.around(&(0..0)), ("one", 1, 0..0));
        assert_eq!(lines.around(&(14..14)), ("", 4, 0..0));
    }

    #[test]
    fn many_problems_are_counted_and_take_no_time() {
        // On one line, so that whatever looks at a line for each problem takes long.
        for separator in [" ", "\n"] {
            let text = format!("x{separator}").repeat(100_000);
            let list: Vec<_> =
                (0..100_000).map(|n| Problem::error(format!("p{n}")).spanning(2 * n..2 * n + 1)).collect();
            let start = std::time::Instant::now();
            let problems = Problems::new("x", &text, list);
            let shown = problems.render(false);
            let places = problems.places();
            assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
            assert!(shown.contains("p49\n") && !shown.contains("p50\n"));
            assert!(
                shown.ends_with("error: not shown: 99950 more problems, 99950 of them errors\n"),
                "{shown}"
            );
            for n in [0, 1, 77_777] {
                assert_eq!(places[n], problems.line_and_column(&problems.list()[n]));
            }
        }
    }

    #[test]
    fn a_problem_without_a_text_is_shown_too() {
        let list = vec![Problem::error("no such choice").help("there is `cc`")];
        let shown = Problems::new("", "", list).render(false);
        assert_eq!(shown, "error: no such choice\n |\n = help: there is `cc`\n");
    }

    #[test]
    fn what_strangers_wrote_gives_no_orders() {
        let problem = Problem::error("no `a\u{1b}[2J\u{202e}`").help("take \u{200b} out").spanning(3..8);
        let shown = Problems::new("x\u{1b}c.ron", "(\u{1b}]\u{202e}\u{ad}a)", vec![problem]).render(true);
        let plain = shown.replace("\u{1b}[", "");
        assert!(!plain.contains(['\u{1b}', '\u{202e}', '\u{200b}', '\u{ad}']), "{plain:?}");
        assert!(shown.contains("no `a\\u{1b}[2J\\u{202e}`") && shown.contains("x\\u{1b}c.ron"), "{shown:?}");
    }
}
