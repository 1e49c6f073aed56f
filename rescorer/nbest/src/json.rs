//! JSON text to a value, stricter than the parser underneath: no key stands twice. Numbers that are not finite, as
//! Python writes them, are read where the caller can do with them.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What is wrong with a JSON text.
#[derive(Debug)]
pub(crate) enum Flaw {
    /// It is not UTF-8.
    Encoding,
    /// It holds NaN, an infinity or a number that is too large.
    NotFinite { value: String },
    /// A key stands twice in one object.
    DuplicateKey(String),
    /// It is not JSON. The line counts from 1 in the text.
    Syntax { line: usize, column: usize, reason: String },
}

/// Parses one JSON value of finite numbers.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Flaw> {
    match parse_any(bytes)? {
        (value, None) => Ok(value),
        (_, Some(value)) => Err(Flaw::NotFinite { value }),
    }
}

/// Parses one JSON value. Where it holds numbers that are not finite, the first of them comes with it; each of them is
/// an object that [`not_finite`] knows, and that [`nulled`] makes null.
pub(crate) fn parse_any(bytes: &[u8]) -> Result<(Value, Option<String>), Flaw> {
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::Encoding)?;
    let flaw = match strict(text) {
        Ok(value) => return Ok((value, None)),
        Err(flaw @ Flaw::DuplicateKey(_)) => return Err(flaw),
        Err(flaw) => flaw,
    };
    let Some((first, mended)) = mend(text) else { return Err(flaw) };
    match strict(&mended) {
        Ok(value) => Ok((value, Some(first))),
        Err(Flaw::DuplicateKey(key)) => Err(Flaw::DuplicateKey(key)),
        Err(_) => Err(flaw),
    }
}

fn strict(text: &str) -> Result<Value, Flaw> {
    let twice = Cell::new(None);
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = Unique(&twice).deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    value.map_err(|error| match twice.take() {
        Some(key) => Flaw::DuplicateKey(key),
        None => Flaw::Syntax { line: error.line(), column: error.column(), reason: reason(&error) },
    })
}

/// The message of the parser without the position at its end.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].to_owned()
}

/// The key of an object that stands for a number that is not finite.
const NOT_FINITE: &str = "\0";

/// The value that stands for a number that is not finite.
pub(crate) fn stand_in(number: &str) -> Value {
    Value::Object(Map::from_iter([(NOT_FINITE.to_owned(), number.into())]))
}

/// What a value is that stands for a number that is not finite.
pub(crate) fn not_finite(value: &Value) -> Option<&'static str> {
    let number = value.as_object().filter(|object| object.len() == 1)?.get(NOT_FINITE)?.as_str()?;
    Some(if number.to_ascii_lowercase().contains("nan") { "NaN" } else { "infinite" })
}

/// Puts null in the place of every number that is not finite.
pub(crate) fn nulled(value: &mut Value) {
    match value {
        Value::Object(_) if not_finite(value).is_some() => *value = Value::Null,
        Value::Object(object) => object.values_mut().for_each(nulled),
        Value::Array(list) => list.iter_mut().for_each(nulled),
        _ => {}
    }
}

/// Python writes `NaN` and `Infinity`; others write 1e999. The first such number, and the text with objects in the place
/// of all.
fn mend(text: &str) -> Option<(String, String)> {
    let mut mended = String::with_capacity(text.len());
    let (mut first, mut copied): (Option<&str>, usize) = (None, 0);
    each_word(text, |start, word| {
        let plain = word.trim_start_matches(['-', '+']).to_ascii_lowercase();
        let named = matches!(plain.as_str(), "nan" | "inf" | "infinity");
        if named || word.parse::<f64>().is_ok_and(f64::is_infinite) {
            first.get_or_insert(word);
            mended.push_str(&text[copied..start]);
            mended.push_str(&format!("{{\"\\u0000\":\"{word}\"}}"));
            copied = start + word.len();
        }
    });
    mended.push_str(&text[copied..]);
    Some((first?.to_owned(), mended))
}

/// Hands over the words outside of strings, numbers and names, with where they start.
fn each_word<'a>(text: &'a str, mut word: impl FnMut(usize, &'a str)) {
    let (mut inside, mut escaped, mut start) = (false, false, None);
    for (at, byte) in text.bytes().enumerate() {
        let of_word = !inside && (byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if of_word {
            start.get_or_insert(at);
        } else if let Some(start) = start.take() {
            word(start, &text[start..at]);
        }
        if escaped {
            escaped = false;
        } else if byte == b'"' {
            inside = !inside;
        } else {
            escaped = inside && byte == b'\\';
        }
    }
    if let Some(start) = start {
        word(start, &text[start..]);
    }
}

/// Any JSON in which no object has a key twice; the key that does is left in the cell.
#[derive(Clone, Copy)]
struct Unique<'a>(&'a Cell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if values.contains_key(&key) {
                let _: IgnoredAny = map.next_value()?;
                self.0.set(Some(key));
                return Err(A::Error::custom("a key stands twice"));
            }
            values.insert(key, map.next_value_seed(self)?);
        }
        Ok(Value::Object(values))
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
            assert_eq!(flaw(&text), format!("NotFinite {{ value: {value:?} }}"));
            let (mut read, first) = parse_any(text.as_bytes()).unwrap();
            assert_eq!(first.as_deref(), Some(value));
            let expected = if value == "NaN" { "NaN" } else { "infinite" };
            assert_eq!(not_finite(&read["score"][1]), Some(expected));
            nulled(&mut read);
            assert_eq!(read.to_string(), "{\"id\":\"u \\\" NaN\",\"score\":[0,null,null]}");
        }
        assert_eq!(flaw("[NaN"), "Syntax { line: 1, column: 2, reason: \"expected value\" }");
        assert_eq!(parse(b"\"NaN 1e999\"").unwrap(), "NaN 1e999");
        assert!(matches!(parse(b"{\"a\": NaN, \"a\": 1}"), Err(Flaw::DuplicateKey(_))));
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
        assert_eq!(flaw("{} 1"), "Syntax { line: 1, column: 4, reason: \"trailing characters\" }");
        assert!(matches!(parse(b"\"\xFF\""), Err(Flaw::Encoding)));
    }
}
