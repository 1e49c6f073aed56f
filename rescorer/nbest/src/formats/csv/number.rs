//! Numbers in a table.

use crate::decimal_comma::decimal_comma;

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It has a decimal comma, where that is not read.
    Comma,
    /// It is no number.
    Text,
}

impl Flaw {
    /// What to do about it.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::Comma => {
                "a number with a decimal comma; write a point, or put semicolons between the columns, where the comma is \
                 read"
            }
            Self::Text => "expected a number; mend it",
        }
    }
}

/// The number of a cell; `None` if it is empty. A decimal comma is read where semicolons stand between the columns.
pub(super) fn parse(text: &str, delimiter: u8) -> Result<Option<f64>, Flaw> {
    // Some spreadsheets write U+2212 as minus.
    let text = text.trim().replace('\u{2212}', "-");
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(number) = text.parse() {
        return Ok(Some(number));
    }
    match decimal_comma(&text) {
        Some(number) if delimiter == b';' => Ok(Some(number)),
        Some(_) => Err(Flaw::Comma),
        None => Err(Flaw::Text),
    }
}

/// Whether two fields behind each other may be a number that its decimal comma cut in two.
pub(super) fn is_cut(whole: &str, rest: &str) -> bool {
    let (whole, rest) = (whole.trim(), rest.trim());
    !whole.is_empty() && decimal_comma(&format!("{whole},{rest}")).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_comma_is_read_beside_semicolons() {
        for (text, number) in [("-1,2", -1.2), (" +0,5 ", 0.5), ("-3,1e-2", -0.031), ("\u{2212}7,25", -7.25)]
        {
            assert_eq!(parse(text, b';'), Ok(Some(number)), "{text}");
            assert_eq!(
                (parse(text, b'\t'), parse(text, b',')),
                (Err(Flaw::Comma), Err(Flaw::Comma)),
                "{text}"
            );
        }
        for text in ["1,2,3", "1,", "a,5", "-1.2,5", "1.234,5", ",", "high"] {
            assert_eq!(parse(text, b';'), Err(Flaw::Text), "{text}");
        }
        assert_eq!(
            (parse(" ", b';'), parse("-1.5", b';'), parse("1e3", b',')),
            (Ok(None), Ok(Some(-1.5)), Ok(Some(1000.0)))
        );
        assert!(is_cut("-1", "25") && !is_cut("-1", "a") && !is_cut("", "5") && !is_cut("-1.5", "2"));
    }
}
