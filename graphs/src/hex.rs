//! Commented hex: bytes as a person writes and checks them.
//!
//! Encoding: pairs of hexadecimal digits of either case. White space between pairs means nothing; `#` and `;`
//! start a comment that ends with the line. Restrictions: the two digits of a byte stand side by side, and
//! nothing else occurs outside comments. Enforced by [`decode`] for the reader and the fetcher alike.

use std::ops::Range;

/// What is wrong, and where in the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Something that is no digit stands outside a comment.
    #[error("`{found}` is no hexadecimal digit")]
    Digit {
        /// The character.
        found: char,
        /// Its bytes in the text.
        at: Range<usize>,
    },
    /// A digit stands alone.
    #[error("half a byte: `{digit}` has no second digit beside it")]
    Half {
        /// The digit.
        digit: char,
        /// Its bytes in the text.
        at: Range<usize>,
    },
}

impl Error {
    /// The bytes of the text that are wrong.
    pub fn at(&self) -> Range<usize> {
        match self {
            Self::Digit { at, .. } | Self::Half { at, .. } => at.clone(),
        }
    }
}

/// The bytes that commented hex stands for.
pub fn decode(text: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(text.len() / 3);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, c.to_digit(16)) {
            ('#' | ';', _) => {
                chars.find(|&(_, c)| c == '\n');
            }
            (' ' | '\t' | '\r' | '\n', _) => {}
            (_, Some(high)) => match chars.clone().next() {
                None | Some((_, ' ' | '\t' | '\r' | '\n' | '#' | ';')) => {
                    return Err(Error::Half { digit: c, at: at..at + 1 });
                }
                Some((at, second)) => match second.to_digit(16) {
                    Some(low) => {
                        chars.next();
                        bytes.push((high << 4 | low) as u8);
                    }
                    None => return Err(Error::Digit { found: second, at: at..at + second.len_utf8() }),
                },
            },
            (_, None) => return Err(Error::Digit { found: c, at: at..at + c.len_utf8() }),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_white_space_mean_nothing() {
        assert_eq!(decode("7f 45 # ELF ff\n4C46;dead\n\t00").unwrap(), b"\x7fELF\0");
        assert_eq!(decode(" # all comment").unwrap(), b"");
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(decode("00 0x"), Err(Error::Digit { found: 'x', at: 4..5 }));
        assert_eq!(decode("00 é"), Err(Error::Digit { found: 'é', at: 3..5 }));
        assert_eq!(decode("0 0"), Err(Error::Half { digit: '0', at: 0..1 }));
        assert_eq!(decode("000"), Err(Error::Half { digit: '0', at: 2..3 }));
    }

    #[test]
    fn what_is_encoded_decodes() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&formats::hex::text(&all)).unwrap(), all);
    }
}
