//! Paths of keys into JSON, such as `results[].alternatives[].transcript`: `[]` stands for the elements of a list, `*` for
//! any key, `#` at the end of a key for any digits.

use serde_json::{Map, Value};

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into the value of a key.
    Key(&'static str),
    /// Into every element of a list.
    Each,
    /// Into the value of every key; the key is the id.
    Values,
}

/// The steps of a path; `{}` stands for the values of all keys.
pub(crate) fn steps(path: &'static str) -> Vec<Step> {
    let mut found = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let name = part.trim_end_matches("[]").trim_end_matches("{}");
        if !name.is_empty() {
            found.push(Step::Key(name));
        }
        found.extend(std::iter::repeat_n(Step::Each, part.matches("[]").count()));
        found.extend(std::iter::repeat_n(Step::Values, part.matches("{}").count()));
    }
    found
}

/// Whether a path that was met is the one looked for, which may have `*` and `#`.
pub(crate) fn is_at(met: &str, path: &str) -> bool {
    let (mut met, mut path) = (met.split('.'), path.split('.'));
    loop {
        match (met.next(), path.next()) {
            (None, None) => return true,
            (Some(met), Some(path)) if is_key(met, path) => {}
            _ => return false,
        }
    }
}

fn is_key(met: &str, key: &str) -> bool {
    match key.strip_suffix('#') {
        Some(start) => {
            let digits = met.strip_prefix(start).unwrap_or_default();
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        None => key == "*" || met == key,
    }
}

/// Whether something stands at a path in an object. Of a list the first elements are looked at.
pub(crate) fn has(object: &Map<String, Value>, path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let key = first.trim_end_matches("[]");
    let depth = first.matches("[]").count();
    let mut found = object.iter().filter(|(met, _)| is_key(met, key)).map(|(_, value)| value);
    if !key.ends_with(['*', '#']) {
        return object.get(key).is_some_and(|value| inside(value, depth, rest));
    }
    found.any(|value| inside(value, depth, rest))
}

fn inside(value: &Value, depth: usize, rest: Option<&str>) -> bool {
    match (value, depth, rest) {
        (Value::Null, ..) => false,
        (Value::Array(list), 1.., _) => list.iter().take(4).any(|value| inside(value, depth - 1, rest)),
        (_, 0, None) => true,
        (Value::Object(object), 0, Some(rest)) => has(object, rest),
        _ => false,
    }
}

/// The value at a path of keys.
pub(crate) fn get<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut keys = path.split('.');
    let first = object.get(keys.next()?)?;
    keys.try_fold(first, |value, key| value.get(key))
}

/// Takes the value at a path of keys out; objects that are empty then go too.
pub(crate) fn take(object: &mut Map<String, Value>, path: &str) -> Option<Value> {
    let Some((first, rest)) = path.split_once('.') else { return object.shift_remove(path) };
    let inner = object.get_mut(first)?.as_object_mut()?;
    let taken = take(inner, rest);
    if inner.is_empty() {
        object.shift_remove(first);
    }
    taken
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_steps() {
        assert_eq!(steps("a.b[].c"), [Step::Key("a"), Step::Key("b"), Step::Each, Step::Key("c")]);
        assert_eq!(steps("utts{}"), [Step::Key("utts"), Step::Values]);
        assert_eq!((steps("{}"), steps("[]"), steps("")), (vec![Step::Values], vec![Step::Each], vec![]));
    }

    #[test]
    fn paths_are_found_and_taken() {
        assert!(is_at("utts.u1.output[].text", "utts.*.output[].text") && is_at("u.hyp_12", "*.hyp_#"));
        assert!(!is_at("u.hyp_1a", "*.hyp_#") && !is_at("a.b", "a") && !is_at("a[].b", "a.b"));
        let value = json!({"a": {"b": [{}, {"c": 1}], "d": 2}, "n": null, "hyp_3": 1});
        let mut object = value.as_object().unwrap().clone();
        assert!(has(&object, "a.b[].c") && has(&object, "a.b") && has(&object, "hyp_#"));
        assert!(!has(&object, "a.b.c") && !has(&object, "n") && !has(&object, "a.b[].d"));
        assert_eq!(get(&object, "a.d"), Some(&json!(2)));
        assert_eq!((take(&mut object, "a.d"), take(&mut object, "a.x")), (Some(json!(2)), None));
        assert!(take(&mut object, "a.b").is_some() && !object.contains_key("a"));
    }
}
