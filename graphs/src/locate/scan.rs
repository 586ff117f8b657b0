//! Follows the wanted paths through the text, and notes the ranges of keys and values.

use std::collections::HashMap;
use std::iter::Peekable;
use std::ops::Range;

use super::token::{Token, Tokens};
use super::{Wanted, literal};

/// `ron` reads no more levels than this.
const DEEPEST: usize = 128;

type Spans<'s> = &'s mut [Option<Range<usize>>];

/// Fills in the spans of all wanted places that the text has.
pub(super) fn scan(text: &str, wanted: &Wanted, spans: Spans<'_>) {
    let tokens = Tokens::of(text);
    let mut scan = Scan { text: tokens.text(), tokens: tokens.peekable(), spans };
    scan.value(Some(wanted), 0);
}

struct Scan<'a, 's> {
    text: &'a str,
    tokens: Peekable<Tokens<'a>>,
    spans: Spans<'s>,
}

impl Scan<'_, '_> {
    /// One value. Below a place that nobody wants, brackets are still followed, to find its end.
    fn value(&mut self, wanted: Option<&Wanted>, depth: usize) {
        if depth > DEEPEST {
            self.tokens.by_ref().for_each(drop);
        }
        let Some((token, span)) = self.tokens.next() else { return };
        if token == Token::Name && self.peeks(b'(') {
            if &self.text[span.clone()] == "Some" {
                // With `implicit_some` this is the same as the value itself.
                self.tokens.next();
                self.value(wanted, depth + 1);
                self.tokens.next_if(|(token, _)| *token == Token::Mark(b')'));
                return;
            }
            self.note(wanted.map(|w| w.values.as_slice()), &span);
            self.tokens.next();
            self.inside(wanted, b')', depth);
            return;
        }
        self.note(wanted.map(|w| w.values.as_slice()), &span);
        match token {
            Token::Mark(b'(') => self.inside(wanted, b')', depth),
            Token::Mark(b'[') => self.inside(wanted, b']', depth),
            Token::Mark(b'{') => self.inside(wanted, b'}', depth),
            _ => {}
        }
    }

    /// What stands between brackets: items, `key: value` pairs, or both in a text that makes no sense.
    fn inside(&mut self, wanted: Option<&Wanted>, close: u8, depth: usize) {
        let mut seen = HashMap::new();
        let mut item = 0;
        while let Some((token, span)) = self.tokens.peek().cloned() {
            match token {
                Token::Mark(mark) if mark == close => {
                    self.tokens.next();
                    return;
                }
                Token::Mark(b',' | b':' | b')' | b']' | b'}') => {
                    self.tokens.next();
                }
                Token::Name | Token::String if self.is_key(close, token) => {
                    self.tokens.next();
                    let below = wanted.and_then(|wanted| self.under_key(wanted, token, &span, &mut seen));
                    self.note(below.map(|w| w.keys.as_slice()), &span);
                    self.tokens.next_if(|(token, _)| *token == Token::Mark(b':'));
                    self.value(below, depth + 1);
                }
                _ => {
                    let below = wanted.and_then(|wanted| wanted.items.get(&item));
                    item += 1;
                    self.value(below, depth + 1);
                }
            }
        }
    }

    /// Whether the token ahead is a key: any string or name in a map, in a struct a name before a colon.
    fn is_key(&self, close: u8, token: Token) -> bool {
        match (close, token) {
            (b'}', _) => true,
            (b')', Token::Name) => {
                let mut ahead = self.tokens.clone();
                ahead.next();
                matches!(ahead.next(), Some((Token::Mark(b':'), _)))
            }
            _ => false,
        }
    }

    /// What is wanted under a key, which may have come before in the same map.
    fn under_key<'w>(
        &self,
        wanted: &'w Wanted,
        token: Token,
        span: &Range<usize>,
        seen: &mut HashMap<&'w str, usize>,
    ) -> Option<&'w Wanted> {
        let text = &self.text[span.clone()];
        let name = match token {
            Token::String => literal::value(text),
            _ => text.strip_prefix("r#").unwrap_or(text).to_owned(),
        };
        let (name, by_times) = wanted.fields.get_key_value(&name)?;
        let times = seen.entry(name).and_modify(|times| *times += 1).or_insert(0);
        by_times.get(times)
    }

    fn peeks(&mut self, mark: u8) -> bool {
        matches!(self.tokens.peek(), Some((Token::Mark(found), _)) if *found == mark)
    }

    fn note(&mut self, places: Option<&[usize]>, span: &Range<usize>) {
        for &place in places.unwrap_or_default() {
            self.spans[place].get_or_insert_with(|| span.clone());
        }
    }
}
