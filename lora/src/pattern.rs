use fancy_regex::{Regex, RegexBuilder};

use crate::error::Error;

/// Steps that a match may go back before it is given up: paths of layers are short.
const BACKTRACK_LIMIT: usize = 100_000;

/// Whether a regular expression matches a whole path, as `re.fullmatch` of Python does. Look-around and references
/// back are read.
///
/// # Errors
/// No regular expression, or one that takes too long.
pub(crate) fn matches_whole(pattern: &str, path: &str) -> Result<bool, Error> {
    is_match(&whole(pattern)?, pattern, path)
}

/// Whether a path ends in a match, at its beginning or behind a dot.
///
/// # Reference
/// PEFT 0.21, `get_pattern_key`.
///
/// # Errors
/// As [`matches_whole`].
pub(crate) fn matches_end(key: &str, path: &str) -> Result<bool, Error> {
    is_match(&end(key)?, key, path)
}

/// Refuses what [`matches_whole`] can't read.
///
/// # Errors
/// No regular expression.
pub(crate) fn check_whole(pattern: &str) -> Result<(), Error> {
    whole(pattern).map(|_| ())
}

/// Refuses what [`matches_end`] can't read.
///
/// # Errors
/// No regular expression.
pub(crate) fn check_end(key: &str) -> Result<(), Error> {
    end(key).map(|_| ())
}

fn whole(pattern: &str) -> Result<Regex, Error> {
    build(&format!("^(?:{pattern})$"), pattern)
}

fn end(key: &str) -> Result<Regex, Error> {
    build(&format!(r"^(.*\.)?({key})$"), key)
}

fn build(expression: &str, written: &str) -> Result<Regex, Error> {
    let built = RegexBuilder::new(expression).backtrack_limit(BACKTRACK_LIMIT).build();
    built.map_err(|e| Error::Settings { reason: format!("{written:?} is no regular expression: {e}") })
}

fn is_match(regex: &Regex, written: &str, path: &str) -> Result<bool, Error> {
    regex.is_match(path).map_err(|e| Error::Settings {
        reason: format!("{written:?} can't be matched against {path}: {e}; list the names of the layers"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "model.layers.1.self_attn.q_proj";

    #[test]
    fn look_around_is_read_as_in_python() {
        let matches = |pattern| matches_whole(pattern, PATH).unwrap();
        assert!(matches(r"^(?!.*vision).*\.(q_proj|v_proj)$"));
        assert!(!matches(r"^(?!.*self_attn).*\.(q_proj|v_proj)$"));
        assert!(matches(r".*(?<=attn\.)q_proj"));
        assert!(!matches("q_proj"), "the whole path has to match");
        assert!(matches(r"nothing|model\.layers\.\d+\.self_attn\.(?P<name>[qk])_proj"));
        assert!(!matches(r"model|nothing"), "an alternative is whole too");
    }

    #[test]
    fn keys_match_the_end_of_a_path() {
        assert!(matches_end("q_proj", PATH).unwrap());
        assert!(matches_end(r"layers\.[01]\.self_attn\.(?!k_)._proj", PATH).unwrap());
        assert!(!matches_end("proj", PATH).unwrap(), "a name is a whole part of the path");
    }

    #[test]
    fn what_takes_too_long_is_an_error() {
        let slow = "(?:(?=.)(?:.|..))+!";
        let error = matches_whole(slow, &"a".repeat(200)).unwrap_err().to_string();
        assert!(error.contains("can't be matched") && error.contains("list the names"), "{error}");
    }
}
