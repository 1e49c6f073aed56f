//! The number that has been read so far.

use super::super::text::is_digit;

/// A number that words are added to: the original holds one as an integer or as a string, and which it is decides what the next
/// word does to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A sum, its digits without leading zeros: `three hundred` plus `five`.
    Sum(String),
    /// Digits, and points, that were said one after the other: `one oh one`, `3.5`.
    Spelled(String),
}

impl Value {
    /// A small number.
    pub(super) fn small(number: u8) -> Self {
        Self::Sum(number.to_string())
    }

    /// A power of ten.
    pub(super) fn power(zeros: usize) -> Self {
        Self::Sum(format!("1{:0zeros$}", 0))
    }

    /// A number in digits of any script: a sum if it is whole, as `7.0` is, else as it is spelled.
    pub(super) fn arabic(text: &str) -> Self {
        scaled(text, 0).map_or_else(|| Self::Spelled(text.to_owned()), Self::Sum)
    }

    /// How it is written.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Sum(text) | Self::Spelled(text) => text,
        }
    }

    /// Whether it waits for decimals.
    pub(super) fn ends_in_point(&self) -> bool {
        self.text().ends_with('.')
    }

    /// What is spelled after it, where a zero by itself counts as nothing.
    pub(super) fn spelled_on(value: Option<Self>, digits: &str) -> Self {
        let before = value.as_ref().filter(|value| **value != Self::small(0)).map_or("", Self::text);
        Self::Spelled([before, digits].concat())
    }

    /// With 1 to 19 after it: in the place of its last zeros if there are enough, else as further digits. `after_unit` and
    /// `after_tens` say what the word before was: `one five` is no sum, and neither is `oh twenty five`, but its 0 is replaced.
    pub(super) fn with_unit(self, unit: u8, after_unit: bool, after_tens: bool) -> Self {
        let text = self.text();
        if matches!(self, Self::Spelled(_)) || after_unit {
            let tens = text.strip_suffix('0').filter(|_| after_tens && unit < 10);
            return Self::Spelled(format!("{}{unit}", tens.unwrap_or(text)));
        }
        self.summed(unit, if unit < 10 { 1 } else { 2 })
    }

    /// With 20 to 90 after it.
    pub(super) fn with_tens(self, tens: u8) -> Self {
        match self {
            Self::Spelled(text) => Self::Spelled(format!("{text}{tens}")),
            Self::Sum(_) => self.summed(tens, 2),
        }
    }

    /// Adds a number of at most `places` digits to one that ends in as many zeros; else spells it after.
    fn summed(self, number: u8, places: usize) -> Self {
        let text = self.text();
        let zeros = text.len() - text.trim_end_matches('0').len();
        match text {
            "0" => Self::small(number),
            _ if zeros >= places => Self::Sum(format!("{}{number:0places$}", &text[..text.len() - places])),
            _ => Self::Spelled(format!("{text}{number}")),
        }
    }

    /// Times a power of ten: of a sum, what is below a thousand; of what is spelled, all of it, where that is a number and the
    /// product whole.
    pub(super) fn multiplied(&self, zeros: usize) -> Option<Self> {
        match self {
            Self::Spelled(text) => scaled(text, zeros).map(Self::Sum),
            Self::Sum(text) => {
                let (thousands, residual) = text.split_at(text.len().saturating_sub(3));
                let thousands = if thousands.is_empty() { "0".into() } else { format!("{thousands}000") };
                Some(Self::Sum(add(&thousands, &scaled(residual, zeros)?)))
            }
        }
    }
}

/// A decimal fraction times a power of ten, without leading zeros, if it is one and the product is whole. The digits may be of
/// any script.
fn scaled(text: &str, zeros: usize) -> Option<String> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && decimals.is_empty() {
        return None;
    }
    let digits: String = whole.chars().map(ascii_digit).collect::<Option<_>>()?;
    let decimals: String = decimals.chars().map(ascii_digit).collect::<Option<_>>()?;
    let decimals = decimals.trim_end_matches('0');
    let zeros = "0".repeat(zeros.checked_sub(decimals.len())?);
    let product = [&digits, decimals, &zeros].concat();
    let product = product.trim_start_matches('0');
    Some(if product.is_empty() { "0" } else { product }.to_owned())
}

/// The ASCII digit of the same value.
fn ascii_digit(c: char) -> Option<char> {
    if !is_digit(c) {
        return None;
    }
    // Unicode has digits in rows from 0 to 9; where rows adjoin, the first begins with a 0.
    let before = (0..c as u32).rev().map_while(char::from_u32).take_while(|&c| is_digit(c)).count();
    let value = if c.is_ascii() { c as u32 - '0' as u32 } else { before as u32 % 10 };
    char::from_digit(value, 10)
}

/// The sum of two numbers without leading zeros, which may be of any length.
fn add(a: &str, b: &str) -> String {
    fn digits(text: &str) -> impl Iterator<Item = u8> {
        text.bytes().rev().map(|digit| digit - b'0').chain(std::iter::repeat(0))
    }
    let mut carry = 0;
    let sum: Vec<char> = digits(a)
        .zip(digits(b))
        .take(a.len().max(b.len()) + 1)
        .map(|(a, b)| {
            let sum = a + b + carry;
            carry = sum / 10;
            char::from(b'0' + sum % 10)
        })
        .collect();
    let sum: String = sum.into_iter().rev().collect();
    let sum = sum.trim_start_matches('0');
    if sum.is_empty() { "0" } else { sum }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(text: &str) -> Value {
        Value::Sum(text.into())
    }

    fn spelled(text: &str) -> Value {
        Value::Spelled(text.into())
    }

    #[test]
    fn arabic_numbers() {
        assert_eq!(["007", "7.0", "0.0", "٣"].map(Value::arabic), ["7", "7", "0", "3"].map(sum));
        assert_eq!(["3.50", "٣.٥"].map(Value::arabic), ["3.50", "٣.٥"].map(spelled));
    }

    #[test]
    fn units_and_tens() {
        assert_eq!(sum("20").with_unit(5, false, true), sum("25"));
        assert_eq!(sum("100").with_unit(15, false, false), sum("115"));
        assert_eq!(sum("20").with_unit(15, false, true), spelled("2015"));
        assert_eq!(sum("1").with_unit(5, true, false), spelled("15"));
        assert_eq!(spelled("020").with_unit(5, false, true), spelled("025"));
        assert_eq!(spelled("020").with_unit(5, false, false), spelled("0205"));
        assert_eq!(sum("19").with_tens(90), spelled("1990"));
        assert_eq!(sum("1000").with_tens(90), sum("1090"));
        assert_eq!(sum("0").with_tens(90), sum("90"));
    }

    #[test]
    fn products() {
        assert_eq!(sum("5000300").multiplied(3), Some(sum("5300000")));
        assert_eq!(sum("1999500").multiplied(3), Some(sum("2499000")));
        assert_eq!(sum("1000000").multiplied(6), Some(sum("1000000")));
        assert_eq!((sum("0").multiplied(2), spelled("0").multiplied(2)), (Some(sum("0")), Some(sum("0"))));
        assert_eq!(spelled("2.5").multiplied(6), Some(sum("2500000")));
        assert_eq!(spelled("007").multiplied(2), Some(sum("700")));
        assert_eq!((spelled("2.555").multiplied(2), spelled("1.5.6").multiplied(6)), (None, None));
        assert_eq!(Value::power(33).text().len(), 34);
    }

    #[test]
    fn a_zero_by_itself_is_nothing() {
        assert_eq!(Value::spelled_on(Some(sum("0")), "7"), spelled("7"));
        assert_eq!(Value::spelled_on(Some(spelled("0")), "7"), spelled("07"));
        assert_eq!(Value::spelled_on(None, "."), spelled("."));
    }
}
