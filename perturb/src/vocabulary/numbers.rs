//! Whole numbers in words.

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
/// Ordinals that are not their number with `th`.
const ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];

/// The words of ASCII digits: years in pairs (`nineteen eighty four`), other numbers below a million as a number, and digit by
/// digit those that are longer or begin with 0.
pub fn words(digits: &str) -> Vec<String> {
    let number = digits.parse::<usize>().unwrap_or(usize::MAX);
    let mut words = Vec::new();
    match (digits.len(), number) {
        (2.., _) if digits.starts_with('0') => words.extend(digits.bytes().map(digit)),
        (4, 1100..=1999 | 2010..=2099) if !number.is_multiple_of(100) => {
            below_thousand(number / 100, &mut words);
            if number % 100 < 10 {
                words.push("oh");
            }
            below_thousand(number % 100, &mut words);
        }
        (..=6, _) => {
            if number >= 1000 {
                below_thousand(number / 1000, &mut words);
                words.push("thousand");
            }
            if number < 1000 || !number.is_multiple_of(1000) {
                below_thousand(number % 1000, &mut words);
            }
        }
        _ => words.extend(digits.bytes().map(digit)),
    }
    words.into_iter().map(str::to_owned).collect()
}

/// The words of a number that says a place: `21` with `st` is `twenty first`.
pub fn ordinal(digits: &str) -> Vec<String> {
    let mut words = words(digits);
    if let Some(last) = words.last_mut() {
        let irregular = ORDINALS.iter().find(|(number, _)| number == last);
        *last = match (irregular, last.strip_suffix('y')) {
            (Some((_, ordinal)), _) => (*ordinal).to_owned(),
            (None, Some(tens)) => format!("{tens}ieth"),
            (None, None) => format!("{last}th"),
        };
    }
    words
}

fn digit(byte: u8) -> &'static str {
    SMALL[usize::from(byte - b'0')]
}

fn below_thousand(number: usize, words: &mut Vec<&'static str>) {
    if number >= 100 {
        words.extend([SMALL[number / 100], "hundred"]);
    }
    let rest = number % 100;
    if rest >= 20 {
        words.push(TENS[rest / 10 - 2]);
    }
    let unit = if rest >= 20 { rest % 10 } else { rest };
    if unit > 0 || number == 0 {
        words.push(SMALL[unit]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_hand() {
        let said = |digits: &str| words(digits).join(" ");
        assert_eq!(said("7"), "seven");
        assert_eq!(said("0"), "zero");
        assert_eq!(said("20"), "twenty");
        assert_eq!(said("365"), "three hundred sixty five");
        assert_eq!(said("1984"), "nineteen eighty four");
        assert_eq!(said("1905"), "nineteen oh five");
        assert_eq!(said("1900"), "one thousand nine hundred");
        assert_eq!(said("2000"), "two thousand");
        assert_eq!(said("737800"), "seven hundred thirty seven thousand eight hundred");
        assert_eq!(said("007"), "zero zero seven");
        assert_eq!(said("1234567"), "one two three four five six seven");
        let places = ["1", "12", "20", "42", "100"].map(|digits| ordinal(digits).join(" "));
        assert_eq!(places, ["first", "twelfth", "twentieth", "forty second", "one hundredth"]);
    }
}
