use std::path::{Path, PathBuf};

use super::{Cache, NamedError, NamedModel, catalog, find};

/// What a user calls a model by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// A file or a folder that is there.
    Path(PathBuf),
    /// A model of the catalogue, fetched or not.
    Named(&'static NamedModel),
}

/// Tells a path from the name of a model.
///
/// # Errors
/// [`NamedError::Ambiguous`] where it is both, [`NamedError::Unknown`] where it is neither.
pub fn resolve(model: &str) -> Result<ModelSource, NamedError> {
    let path = Path::new(model);
    match find(model) {
        Some(_) if path.exists() => Err(NamedError::Ambiguous { name: model.to_owned() }),
        Some(named) => Ok(ModelSource::Named(named)),
        None if path.exists() => Ok(ModelSource::Path(path.into())),
        None => {
            let names: Vec<&str> = catalog().iter().map(|named| named.name).collect();
            Err(NamedError::Unknown { name: model.to_owned(), names: names.join(", ") })
        }
    }
}

impl NamedModel {
    /// What is to be said before the model is fetched, line by line: size, licence, place, terms. Empty where it is there.
    pub fn fetch_notice(&self, cache: &Cache) -> Vec<String> {
        if self.is_present(cache) {
            return Vec::new();
        }
        let (megabytes, path) = (self.size() / 1_000_000, self.path_in(cache));
        let first = format!(
            "fetching model {} ({megabytes} MB, licence {}) to {}",
            self.name,
            self.licence,
            path.display()
        );
        let terms =
            self.terms.map(|terms| format!("whoever uses {} is bound by its terms: {terms}", self.name));
        std::iter::once(first).chain(terms).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::named::DEFAULT_MODEL;

    #[test]
    fn names_and_paths_are_told_apart() {
        assert!(
            matches!(resolve(DEFAULT_MODEL), Ok(ModelSource::Named(model)) if model.name == DEFAULT_MODEL)
        );
        assert_eq!(resolve("Cargo.toml").ok(), Some(ModelSource::Path("Cargo.toml".into())));
        let unknown = resolve("smollm3").map_err(|error| error.to_string());
        assert!(unknown.is_err_and(|text| text.contains("smollm3") && text.contains(DEFAULT_MODEL)));
    }

    #[test]
    fn a_notice_names_size_licence_and_terms() {
        let cache = Cache::new("nowhere");
        let notice = find("gemma3-270m").map(|model| model.fetch_notice(&cache)).unwrap_or_default();
        assert!(notice[0].starts_with("fetching model gemma3-270m (253 MB, licence Gemma"), "{notice:?}");
        assert!(notice[1].ends_with("https://ai.google.dev/gemma/terms"), "{notice:?}");
    }
}
