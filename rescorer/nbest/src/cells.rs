//! Cells of Arrow columns as JSON values.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTimestampType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field, TimeUnit};
use serde_json::{Map, Number, Value};

use crate::json;

/// What is wrong with a cell.
#[derive(Debug, PartialEq)]
pub(crate) enum Flaw {
    /// A map, or a struct, has a key twice.
    DuplicateKey(String),
}

/// The column, or the part of a column, that is of a type which no value stands for; and the type.
pub(crate) fn unreadable(field: &Field) -> Option<(String, DataType)> {
    let inside = |field: &Field, inner: &Field| {
        unreadable(inner).map(|(name, kind)| (format!("{}.{name}", field.name()), kind))
    };
    match field.data_type() {
        kind if kind.is_integer() || kind.is_floating() || kind.is_null() => None,
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => None,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => None,
        DataType::List(inner)
        | DataType::LargeList(inner)
        | DataType::ListView(inner)
        | DataType::LargeListView(inner)
        | DataType::FixedSizeList(inner, _) => inside(field, inner),
        DataType::Struct(fields) => fields.iter().find_map(|inner| inside(field, inner)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 && is_text(pair[0].data_type()) => {
                inside(field, &pair[1])
            }
            other => Some((field.name().clone(), other.clone())),
        },
        DataType::Dictionary(_, values) => inside(field, &Field::new("values", (**values).clone(), true)),
        other => Some((field.name().clone(), other.clone())),
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The value of a cell; `None` for null.
pub(crate) fn value(array: &ArrayRef, row: usize) -> Result<Option<Value>, Flaw> {
    if array.is_null(row) {
        return Ok(None);
    }
    macro_rules! primitive {
        ($kind:ty) => {
            array.as_primitive::<$kind>().value(row)
        };
    }
    let value = match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => primitive!(Int8Type).into(),
        DataType::Int16 => primitive!(Int16Type).into(),
        DataType::Int32 => primitive!(Int32Type).into(),
        DataType::Int64 => primitive!(Int64Type).into(),
        DataType::UInt8 => primitive!(UInt8Type).into(),
        DataType::UInt16 => primitive!(UInt16Type).into(),
        DataType::UInt32 => primitive!(UInt32Type).into(),
        DataType::UInt64 => primitive!(UInt64Type).into(),
        DataType::Float16 => number(primitive!(Float16Type).to_f64()),
        DataType::Float32 => number(f64::from(primitive!(Float32Type))),
        DataType::Float64 => number(primitive!(Float64Type)),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::List(_) => list(&array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row))?,
        DataType::ListView(_) => list(&array.as_list_view::<i32>().value(row))?,
        DataType::LargeListView(_) => list(&array.as_list_view::<i64>().value(row))?,
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row))?,
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let pairs = fields.iter().zip(columns).map(|(field, column)| (field.name().clone(), column, row));
            Value::Object(object(pairs)?)
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pairs = (0..entries.len()).map(|entry| (key(keys, entry), values, entry));
            Value::Object(object(pairs)?)
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let index = self::value(&dictionary.keys().slice(row, 1), 0)?.and_then(|key| key.as_u64());
            return index.map_or(Ok(None), |index| self::value(dictionary.values(), index as usize));
        }
        DataType::Date32 => date(array.as_primitive::<Date32Type>().value_as_date(row)),
        DataType::Date64 => date(array.as_primitive::<Date64Type>().value_as_date(row)),
        DataType::Timestamp(TimeUnit::Second, zone) => {
            time::<TimestampSecondType>(array, row, zone.is_some())
        }
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            time::<TimestampMillisecondType>(array, row, zone.is_some())
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            time::<TimestampMicrosecondType>(array, row, zone.is_some())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            time::<TimestampNanosecondType>(array, row, zone.is_some())
        }
        // Such columns were refused when the file was opened.
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// A number; one that is not finite is what [`json::not_finite`] knows.
fn number(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| json::stand_in(&value.to_string()), Value::Number)
}

fn list(elements: &ArrayRef) -> Result<Value, Flaw> {
    // A null in a list keeps its place.
    let values = (0..elements.len()).map(|index| Ok(value(elements, index)?.unwrap_or_default()));
    values.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// The object of named cells, each a column and a row of it; nulls are fields that are not there.
pub(crate) fn object<'a>(
    pairs: impl Iterator<Item = (String, &'a ArrayRef, usize)>,
) -> Result<Map<String, Value>, Flaw> {
    let mut object = Map::new();
    for (key, column, row) in pairs {
        let Some(value) = value(column, row)? else { continue };
        if object.contains_key(&key) {
            return Err(Flaw::DuplicateKey(key));
        }
        object.insert(key, value);
    }
    Ok(object)
}

fn key(keys: &ArrayRef, entry: usize) -> String {
    let key = value(keys, entry).ok().flatten();
    key.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// `2024-02-29`.
fn date(date: Option<impl ToString>) -> Value {
    date.map_or(Value::Null, |date| Value::String(date.to_string()))
}

/// `2024-02-29T12:30:00`, with `Z` behind it where the column has a time zone.
fn time<T: ArrowTimestampType>(array: &ArrayRef, row: usize, zoned: bool) -> Value {
    let time = array.as_primitive::<T>().value_as_datetime(row);
    let zone = if zoned { "Z" } else { "" };
    time.map_or(Value::Null, |time| Value::String(format!("{time:?}{zone}")))
}
