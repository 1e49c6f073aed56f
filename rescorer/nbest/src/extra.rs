//! Fields that we don't know, where a format has one place for all of them: the text of a JSON object.

use serde_json::{Map, Value};

use crate::json;

/// The text of an object without some of its fields; `None` if nothing is left.
pub(crate) fn text(fields: &Map<String, Value>, without: &[&str]) -> Option<String> {
    let mut fields = fields.clone();
    fields.retain(|name, _| !without.contains(&name.as_str()));
    (!fields.is_empty()).then(|| Value::Object(fields).to_string())
}

/// Puts the fields of the JSON object whose text is the field `name` in its place. A text that is no such thing
/// stays.
///
/// # Errors
/// The name of a field that is there twice.
pub(crate) fn spread(object: &mut Map<String, Value>, name: &str) -> Result<(), String> {
    let Some(Value::String(text)) = object.get(name) else { return Ok(()) };
    let Ok(Value::Object(fields)) = json::parse(text.as_bytes()) else { return Ok(()) };
    object.shift_remove(name);
    for (name, value) in fields {
        if object.contains_key(&name) {
            return Err(name);
        }
        object.insert(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_go_in_and_come_out() {
        let fields = json!({"a": [1, null], "extra": "{\"b\": 1}", "total": 2});
        let text = text(fields.as_object().unwrap(), &["total"]).unwrap();
        assert_eq!(text, r#"{"a":[1,null],"extra":"{\"b\": 1}"}"#);
        let mut object = Map::new();
        object.insert("extra".into(), text.clone().into());
        spread(&mut object, "extra").unwrap();
        assert_eq!(Value::Object(object.clone()), json!({"a": [1, null], "extra": "{\"b\": 1}"}));
        object.insert("more".into(), text.into());
        assert_eq!(spread(&mut object, "more"), Err("a".to_owned()));
        for other in ["", "x", "[1]", "{\"a\": NaN}"] {
            let mut object = Map::new();
            object.insert("extra".into(), other.into());
            spread(&mut object, "extra").unwrap();
            assert_eq!(object["extra"], other);
        }
        assert_eq!(super::text(&Map::new(), &[]), None);
    }
}
