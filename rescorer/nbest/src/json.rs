//! JSON text to a value, stricter than the parser underneath: no key stands twice, and a number that is not
//! finite is told from other errors.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// What is wrong with a JSON text.
#[derive(Debug)]
pub(crate) enum Flaw {
    /// It is not UTF-8.
    Encoding,
    /// It holds NaN, an infinity or a number that is too large; `id` is the id that it states.
    NotFinite { value: String, id: Option<String> },
    /// A key stands twice in one object.
    DuplicateKey(String),
    /// It is not JSON. The line counts from 1 in the text.
    Syntax { line: usize, column: usize, reason: String },
}

/// Parses one JSON value.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Flaw> {
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::Encoding)?;
    let value =
        serde_json::from_str(text).map_err(|error| not_finite(text).unwrap_or_else(|| syntax(&error)))?;
    match serde_json::from_str::<UniqueKeys>(text) {
        Ok(_) => Ok(value),
        // The text is valid JSON, so a repeated key is all that this pass can find.
        Err(error) => Err(Flaw::DuplicateKey(reason(&error))),
    }
}

fn syntax(error: &serde_json::Error) -> Flaw {
    Flaw::Syntax { line: error.line(), column: error.column(), reason: reason(error) }
}

/// The message of the parser without the position at its end.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].to_owned()
}

/// Python writes `NaN` and `Infinity`; others write 1e999. `Some` if such numbers are all that is wrong.
fn not_finite(text: &str) -> Option<Flaw> {
    let mut mended = text.to_owned();
    let mut first = None;
    for (start, word) in words(text) {
        let plain = word.trim_start_matches(['-', '+']).to_ascii_lowercase();
        let named = matches!(plain.as_str(), "nan" | "inf" | "infinity");
        if named || word.parse::<f64>().is_ok_and(f64::is_infinite) {
            first.get_or_insert(word);
            mended.replace_range(start..start + word.len(), &format!("{:<1$}", 0, word.len()));
        }
    }
    let value = first?.to_owned();
    let rest: Value = serde_json::from_str(&mended).ok()?;
    let id = rest.get("id").and_then(Value::as_str).map(str::to_owned);
    Some(Flaw::NotFinite { value, id })
}

/// The words outside of strings, with where they start: numbers, names.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut inside, mut escaped, mut start) = (false, false, None);
    for (at, byte) in text.bytes().enumerate() {
        let of_word = !inside && (byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if of_word {
            start.get_or_insert(at);
        } else if let Some(start) = start.take() {
            found.push((start, &text[start..at]));
        }
        if escaped {
            escaped = false;
        } else if byte == b'"' {
            inside = !inside;
        } else {
            escaped = inside && byte == b'\\';
        }
    }
    found.extend(start.map(|start| (start, &text[start..])));
    found
}

/// Any JSON in which no object has a key twice; the error is the key.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeys)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<UniqueKeys>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if keys.contains(&key) {
                let _: IgnoredAny = map.next_value()?;
                return Err(A::Error::custom(key));
            }
            keys.insert(key);
            map.next_value::<UniqueKeys>()?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(text: &str) -> String {
        format!("{:?}", parse(text.as_bytes()).unwrap_err())
    }

    #[test]
    fn numbers_that_are_not_finite_are_told_apart() {
        for value in ["NaN", "-Infinity", "1e999", "-1E+400", "inf"] {
            let text = format!("{{\"id\": \"u \\\" NaN\", \"score\": [0, {value}, Infinity]}}");
            assert_eq!(flaw(&text), format!("NotFinite {{ value: {value:?}, id: Some(\"u \\\" NaN\") }}"));
        }
        assert_eq!(flaw("[NaN"), "Syntax { line: 1, column: 2, reason: \"expected value\" }");
        assert_eq!(parse(b"\"NaN 1e999\"").unwrap(), "NaN 1e999");
    }

    #[test]
    fn a_key_stands_once_in_an_object() {
        assert_eq!(flaw("{\"a\": [{\"b\": 1, \"b\": {}}]}"), "DuplicateKey(\"b\")");
        assert_eq!(flaw("{\"a at line 3\": 1, \"a \\u0061t line 3\": 1}"), "DuplicateKey(\"a at line 3\")");
        let text = "{\"a\": {\"b\": [true, null, -1, 1.5, 18446744073709551615]}, \"b\": \"a\"}";
        assert_eq!(parse(text.as_bytes()).unwrap().to_string().replace(' ', ""), text.replace(' ', ""));
    }

    #[test]
    fn syntax_errors_keep_their_position() {
        assert_eq!(flaw("{\n\"a\" 1}"), "Syntax { line: 2, column: 5, reason: \"expected `:`\" }");
        assert!(matches!(parse(b"\"\xFF\""), Err(Flaw::Encoding)));
    }
}
