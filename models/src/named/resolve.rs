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

/// Path of a model by name or path. A named model is fetched with the default options where it is not in the
/// user's cache yet, which takes minutes; `offline` forbids it.
///
/// # Errors
/// Those of [`resolve`] and of `pull`, and [`NamedError::NoFetch`] for a named model in a build without the cargo
/// feature `fetch`.
pub fn locate(model: &str, offline: bool) -> Result<PathBuf, NamedError> {
    match resolve(model)? {
        ModelSource::Path(path) => Ok(path),
        ModelSource::Named(named) => fetch(named, offline),
    }
}

#[cfg(feature = "fetch")]
fn fetch(model: &NamedModel, offline: bool) -> Result<PathBuf, NamedError> {
    let mut options = super::PullOptions::new(Cache::from_env()?);
    options.offline = offline;
    super::pull(model, &options, &mut |_| {})
}

#[cfg(not(feature = "fetch"))]
fn fetch(model: &NamedModel, _offline: bool) -> Result<PathBuf, NamedError> {
    Err(NamedError::NoFetch { name: model.name.to_owned() })
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

    #[cfg(not(feature = "fetch"))]
    #[test]
    fn a_build_that_cannot_fetch_says_what_to_do_with_a_name() {
        let message = locate(DEFAULT_MODEL, false).map_err(|error| error.to_string());
        let parts = [DEFAULT_MODEL, "path", "feature `fetch`"];
        assert!(message.is_err_and(|text| parts.iter().all(|part| text.contains(part))));
    }

    #[test]
    fn a_path_is_located_as_it_is() {
        assert_eq!(locate("Cargo.toml", true).ok(), Some("Cargo.toml".into()));
    }

    #[test]
    fn a_notice_names_size_licence_and_terms() {
        let cache = Cache::new("nowhere");
        let notice = find("gemma3-270m").map(|model| model.fetch_notice(&cache)).unwrap_or_default();
        assert!(notice[0].starts_with("fetching model gemma3-270m (253 MB, licence Gemma"), "{notice:?}");
        assert!(notice[1].ends_with("https://ai.google.dev/gemma/terms"), "{notice:?}");
    }
}
