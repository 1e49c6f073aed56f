//! Numbers on the command line. A value out of its range is refused with the range, a decimal comma with the right spelling.

/// A finite number.
pub fn finite(text: &str) -> Result<f64, String> {
    let refused = || refusal(text, "a finite number");
    parsed(text).filter(|value| value.is_finite()).ok_or_else(refused)
}

/// A finite number from 0.
pub fn at_least_zero(text: &str) -> Result<f64, String> {
    let refused = || refusal(text, "a finite number, at least 0");
    parsed(text).filter(|value| value.is_finite() && *value >= 0.0).ok_or_else(refused)
}

/// A number from 0 to 1; `what` says what it is.
pub fn share(text: &str, what: &str) -> Result<f64, String> {
    let refused = || refusal(text, &format!("{what}, from 0 to 1"));
    parsed(text).filter(|value| (0.0..=1.0).contains(value)).ok_or_else(refused)
}

/// A share of whatever it is.
pub fn any_share(text: &str) -> Result<f64, String> {
    share(text, "a number")
}

/// A whole number from 1.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|value| *value > 0).ok_or_else(|| "expected a whole number, at least 1".into())
}

/// The number of folds of a cross-validation.
pub fn folds(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(folds) if folds > 1 => Ok(folds),
        Ok(_) => Err("expected a number of folds, at least 2".into()),
        Err(_) => Err(format!(
            "expected a number of folds, since the option takes the next word; write --cross-validate=5 {text} or {text} \
             --cross-validate"
        )),
    }
}

fn parsed(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

fn refusal(text: &str, expected: &str) -> String {
    match with_point(text) {
        Some(value) => format!("expected {expected}, with a decimal point and no comma: {value}"),
        None => format!("expected {expected}"),
    }
}

/// The number that a decimal comma stands for.
pub fn with_point(text: &str) -> Option<String> {
    let (whole, decimals) = text.trim().split_once(',')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = digits(whole.trim_start_matches(['-', '+'])) && digits(decimals) && !decimals.is_empty();
    is_number.then(|| format!("{}.{decimals}", if whole.is_empty() { "0" } else { whole }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_comma_is_named() {
        for (text, written) in [("0,3", "0.3"), ("-1,25", "-1.25"), (",5", "0.5")] {
            let message = finite(text).unwrap_err();
            assert!(message.ends_with(&format!("no comma: {written}")), "{text}: {message}");
        }
        for text in ["", "x", "0,3,4", "1,", "nan", "inf", "-inf", "0,x", "1e999"] {
            assert_eq!(finite(text).unwrap_err(), "expected a finite number", "{text}");
        }
        assert_eq!((finite(" -0.5 "), finite("1e-3")), (Ok(-0.5), Ok(0.001)));
    }

    #[test]
    fn ranges_are_kept() {
        assert_eq!((at_least_zero("0"), any_share("1"), at_least_one("1")), (Ok(0.0), Ok(1.0), Ok(1)));
        assert!(at_least_one("0").is_err() && at_least_one("-1").is_err());
        for text in ["-0.1", "nan", "inf", "0,5"] {
            assert!(at_least_zero(text).unwrap_err().contains("at least 0"), "{text}");
        }
        for text in ["-0.1", "1.01", "nan", "1,5"] {
            assert!(any_share(text).unwrap_err().contains("from 0 to 1"), "{text}");
        }
    }

    #[test]
    fn a_path_is_no_number_of_folds() {
        assert_eq!(folds("5"), Ok(5));
        assert!(folds("1").unwrap_err().contains("at least 2"));
        assert!(folds("-3").is_err());
        let message = folds("dev lists.jsonl").unwrap_err();
        assert!(message.contains("--cross-validate=5 dev lists.jsonl"), "{message}");
    }
}
