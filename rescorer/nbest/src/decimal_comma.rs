/// The number that a text with a decimal comma is, such as `-1,2`.
pub(crate) fn decimal_comma(text: &str) -> Option<f64> {
    let (whole, rest) = text.split_once(',')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let begins = rest.starts_with(|c: char| c.is_ascii_digit());
    (digits(whole.trim_start_matches(['-', '+'])) && begins)
        .then(|| text.replacen(',', ".", 1).parse().ok())?
}
