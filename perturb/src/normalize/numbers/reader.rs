//! Numbers in words, read from left to right.

use super::super::text::{is_digit, is_space};
use super::value::Value;
use super::vocabulary::Meaning;

/// Writes the numbers of a text in digits, with one space between words.
pub(super) fn read(text: &str) -> String {
    let words: Vec<Word<'_>> = text.split(is_space).filter(|word| !word.is_empty()).map(Word::new).collect();
    let mut reader = Reader { text: String::with_capacity(text.len()), sign: None, value: None };
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let before = index.checked_sub(1).and_then(|before| words[before].meaning);
        index += reader.take(word, before, words.get(index + 1));
    }
    reader.flush();
    reader.text
}

struct Word<'a> {
    text: &'a str,
    meaning: Option<Meaning>,
    /// Its sign, if it is a number in digits, `-`, `+` or a currency's, and what follows it.
    arabic: Option<(Option<char>, &'a str)>,
}

impl<'a> Word<'a> {
    fn new(text: &'a str) -> Self {
        let sign = text.chars().next().filter(|c| "-+£€$¢".contains(*c));
        let number = &text[sign.map_or(0, char::len_utf8)..];
        let arabic = is_number(number).then_some((sign, number));
        Self { text, meaning: Meaning::of(text), arabic }
    }

    /// Whether it is digits only, with or without decimals.
    fn is_number(&self) -> bool {
        matches!(self.arabic, Some((None, _)))
    }
}

/// Whether a text is `3` or `3.5`.
fn is_number(text: &str) -> bool {
    let are_digits = |text: &str| !text.is_empty() && text.chars().all(is_digit);
    text.split_once('.').map_or(are_digits(text), |(whole, rest)| are_digits(whole) && are_digits(rest))
}

/// What has been read: the text so far, and the number that is not finished.
struct Reader {
    text: String,
    /// What goes before the next output.
    sign: Option<char>,
    value: Option<Value>,
}

impl Reader {
    /// Reads a word, between the meaning of the word before and the word after it; says how many words that took.
    fn take(&mut self, word: &Word<'_>, before: Option<Meaning>, next: Option<&Word<'_>>) -> usize {
        let next_meaning = next.and_then(|next| next.meaning);
        let next_is_number = next.is_some_and(Word::is_number);
        let goes_on = next_meaning.is_some() || next_is_number;
        if let Some((sign, number)) = word.arabic {
            self.take_arabic(word.text, sign, number);
            return 1;
        }
        match word.meaning {
            None => self.flush_and_write(word.text),
            Some(Meaning::Zero) => self.spell_on("0"),
            Some(Meaning::Unit(unit, ending)) => {
                let is = |kind: fn(Meaning) -> bool| before.is_some_and(kind);
                let value = match self.value.take() {
                    Some(value) => value.with_unit(unit, is(Meaning::is_unit), is(Meaning::is_tens)),
                    None => Value::small(unit),
                };
                self.hold(value, ending);
            }
            Some(Meaning::Tens(tens, ending)) => {
                let value = self.value.take().map_or(Value::small(tens), |value| value.with_tens(tens));
                self.hold(value, ending);
            }
            Some(Meaning::Multiplier(zeros, ending)) => {
                let product = self.value.as_ref().and_then(|value| value.multiplied(zeros));
                if product.is_none() {
                    self.flush();
                }
                self.hold(product.unwrap_or_else(|| Value::power(zeros)), ending);
            }
            Some(Meaning::Sign(sign)) => {
                self.flush();
                if goes_on {
                    self.sign = Some(sign);
                } else {
                    self.write(word.text);
                }
            }
            Some(Meaning::Currency(sign)) if self.value.is_some() => {
                self.sign = Some(sign);
                self.flush();
            }
            Some(Meaning::Percent) if self.value.is_some() => self.finish("%"),
            Some(Meaning::Per) if self.value.is_some() && next.is_some_and(|next| next.text == "cent") => {
                self.finish("%");
                return 2;
            }
            Some(Meaning::Currency(_) | Meaning::Percent | Meaning::Per) => self.flush_and_write(word.text),
            Some(Meaning::And | Meaning::Repeat(_) | Meaning::Point) if !goes_on => {
                self.flush_and_write(word.text);
            }
            // In "two hundred and five" it is nothing.
            Some(Meaning::And) if before.is_some_and(Meaning::is_multiplier) => {}
            Some(Meaning::And) => self.flush_and_write(word.text),
            Some(Meaning::Repeat(times)) => {
                let repeated = match next_meaning {
                    Some(Meaning::Zero) => "0".to_owned(),
                    Some(Meaning::Unit(unit, "")) => unit.to_string(),
                    _ => {
                        self.flush_and_write(word.text);
                        return 1;
                    }
                };
                self.spell_on(&repeated.repeat(times));
                return 2;
            }
            // Before any other word of numbers it is dropped.
            Some(Meaning::Point) if next_is_number || next_meaning.is_some_and(Meaning::is_decimal) => {
                self.spell_on(".");
            }
            Some(Meaning::Point) => {}
        }
        1
    }

    /// Reads a number in digits: decimals where a point came before them, else a number of its own.
    fn take_arabic(&mut self, word: &str, sign: Option<char>, number: &str) {
        match self.value.take() {
            Some(value) if value.ends_in_point() => {
                self.value = Some(Value::spelled_on(Some(value), word));
                return;
            }
            value => self.value = value,
        }
        self.flush();
        self.sign = sign.or(self.sign);
        self.value = Some(Value::arabic(number));
    }

    fn spell_on(&mut self, digits: &str) {
        self.value = Some(Value::spelled_on(self.value.take(), digits));
    }

    /// Goes on with a number; with an ending it is finished.
    fn hold(&mut self, value: Value, ending: &str) {
        self.value = Some(value);
        if !ending.is_empty() {
            self.finish(ending);
        }
    }

    /// Writes the number, if there is one, with an ending.
    fn finish(&mut self, ending: &str) {
        if let Some(value) = self.value.take() {
            self.write(value.text());
            self.text.push_str(ending);
        }
    }

    fn flush(&mut self) {
        self.finish("");
    }

    fn flush_and_write(&mut self, word: &str) {
        self.flush();
        self.write(word);
    }

    /// Writes a word after a space, with the sign that waits for it.
    fn write(&mut self, word: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.extend(self.sign.take());
        self.text.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_hand() {
        for (words, digits) in [
            ("two hundred and five and six", "205 and 6"),
            ("nineteen ninety nine", "1999"),
            ("twenty twenty", "2020"),
            ("one oh one", "101"),
            ("double oh seven", "007"),
            ("triple ten", "101010"),
            ("twenty first of june", "21st of june"),
            ("three point one four point", "3.14 point"),
            ("five million three hundred thousands", "5300000s"),
            ("minus $5 minus x", "minus $5 minus x"),
            ("minus five dollars per cent", "$5 per cent"),
            ("five per cent five percent", "5% 5%"),
            ("point million 1.5 2 point 5 6", "1000000 1.5 2.5 6"),
            ("minus minus and", "-and"),
        ] {
            assert_eq!(read(words), digits, "{words:?}");
        }
    }
}
