/// A value of GGUF metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum MetaValue {
    /// Any of the integer types.
    Int(i128),
    /// f32 or f64.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// UTF-8 text.
    String(String),
    /// Values of one type.
    Array(Vec<MetaValue>),
}
