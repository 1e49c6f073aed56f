//! What names the contents of a model, in a form that does not change when the code does.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::weights::RawTensor;

/// What the fingerprints of this version begin with. Those before it are bare hexadecimal numbers.
const VERSION: &str = "v2:";

/// The name of a model's contents: the same for equal models wherever they lie.
///
/// # Formula
/// `v2:` and the SHA-256, in hexadecimal, of these lines: `rescorer model 2`, `key=value` of all [`Fields`] in the order
/// of their keys, then for each tensor, in the order of their names, its digest in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    current: String,
    legacy: String,
}

/// A tensor's name, and the digest of its name, type, shape and bytes.
pub type NamedDigest = (String, [u8; 32]);

impl Fingerprint {
    /// From what a configuration says, what it said to versions before this one, and the tensors in the order in which
    /// they are read.
    pub fn new(fields: &Fields, legacy_text: &str, tensors: &[NamedDigest]) -> Self {
        let mut legacy = Sha256::new();
        legacy.update(format!("{legacy_text}\n"));
        tensors.iter().for_each(|(_, digest)| legacy.update(digest));
        let mut current = Sha256::new();
        current.update("rescorer model 2\n");
        fields.0.iter().for_each(|(key, value)| current.update(format!("{key}={value}\n")));
        let sorted: BTreeMap<&String, &[u8; 32]> =
            tensors.iter().map(|(name, digest)| (name, digest)).collect();
        sorted.values().for_each(|digest| current.update(format!("{}\n", hexadecimal(*digest))));
        Self {
            current: format!("{VERSION}{}", hexadecimal(&current.finalize())),
            legacy: hexadecimal(&legacy.finalize()),
        }
    }

    /// The fingerprint.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// The fingerprint in the version that another one is written in.
    pub fn like(&self, other: &str) -> &str {
        if other.starts_with(VERSION) { &self.current } else { &self.legacy }
    }
}

/// Digest of a tensor's name, type, shape and bytes.
pub fn tensor_digest(name: &str, tensor: &RawTensor) -> NamedDigest {
    let mut hasher = Sha256::new();
    hasher.update(format!("{name} {} {}\n", tensor.dtype.name(), list(&tensor.shape)));
    hasher.update(&tensor.bytes);
    (name.to_owned(), hasher.finalize().into())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn list<T: Canonical>(values: &[T]) -> String {
    format!("[{}]", values.iter().map(Canonical::text).collect::<Vec<_>>().join(", "))
}

/// What a configuration says, by name.
///
/// A setting that is added later is written with [`Fields::add_unless`], so that models without it keep their
/// fingerprints.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    /// Adds a value.
    #[must_use]
    pub fn add(mut self, key: &'static str, value: impl Canonical) -> Self {
        self.0.insert(key, value.text());
        self
    }

    /// Adds a value that is not what a model has that knows no such setting.
    #[must_use]
    pub fn add_unless<T: Canonical + PartialEq>(self, usual: T, key: &'static str, value: T) -> Self {
        if value == usual { self } else { self.add(key, value) }
    }
}

/// A value with one spelling: whole numbers in decimal, others as the shortest decimal fraction with an exponent that
/// is read as the same number.
pub trait Canonical {
    /// The spelling.
    fn text(&self) -> String;
}

impl Canonical for usize {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Canonical for f64 {
    fn text(&self) -> String {
        format!("{self:e}")
    }
}

impl Canonical for bool {
    fn text(&self) -> String {
        if *self { "true".into() } else { "false".into() }
    }
}

impl Canonical for &str {
    fn text(&self) -> String {
        (*self).to_owned()
    }
}

impl<T: Canonical> Canonical for Vec<T> {
    fn text(&self) -> String {
        list(self)
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn text(&self) -> String {
        self.as_ref().map_or_else(|| "none".into(), Canonical::text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, byte: u8) -> NamedDigest {
        (name.to_owned(), [byte; 32])
    }

    #[test]
    fn the_order_of_fields_and_tensors_does_not_matter() {
        let [a, b] = [("a", 1), ("b", 2)].map(|(name, byte)| tensor(name, byte));
        let one =
            Fingerprint::new(&Fields::default().add("x", 1).add("y", 0.5), "t", &[a.clone(), b.clone()]);
        let other =
            Fingerprint::new(&Fields::default().add("y", 0.5).add("x", 1), "t", &[b.clone(), a.clone()]);
        assert_eq!(one.current(), other.current());
        let changed = Fingerprint::new(&Fields::default().add("y", 0.5).add("x", 2), "t", &[a, b]);
        assert_ne!(one.current(), changed.current());
    }

    /// Computed with `printf 'rescorer model 2\nx=1\ny=5e-1\n%064d\n' 0 | sha256sum`.
    #[test]
    fn the_formula_by_hand() {
        let print = Fingerprint::new(&Fields::default().add("x", 1).add("y", 0.5), "old", &[tensor("a", 0)]);
        assert_eq!(print.current(), "v2:9da6f7df1e38244f4029faf7af2cdd566bfb757a11059e158aff8d9b3ba8a56b");
        assert_eq!(print.like("v2:0123"), print.current());
        assert_eq!(print.like("0123").len(), 64);
    }

    #[test]
    fn a_setting_that_came_later_leaves_other_models_alone() {
        let before = Fields::default().add("x", 1);
        let after = Fields::default().add("x", 1).add_unless(false, "later", false);
        assert_eq!(before.0, after.0);
        assert_eq!(before.add_unless(false, "later", true).0["later"], "true");
    }

    #[test]
    fn numbers_have_one_spelling() {
        let numbers: Vec<f64> = vec![1.0, 1e-5, 20_000.0, 0.1, -0.0, 500_000.0];
        assert_eq!(numbers.text(), "[1e0, 1e-5, 2e4, 1e-1, -0e0, 5e5]");
        assert_eq!((Some(8).text(), None::<usize>.text()), ("8".into(), "none".into()));
    }
}
