use super::config::{EncoderConfig, EncoderFamily};
use crate::module_path::{ModuleNaming, ModulePath, TargetModule};

/// The linear layers of a block.
pub const MODULES: [TargetModule; 6] = [
    TargetModule::Query,
    TargetModule::Key,
    TargetModule::Value,
    TargetModule::Output,
    TargetModule::Up,
    TargetModule::Down,
];

/// How a family names its tensors, without the prefix that some checkpoints have.
pub struct Layout {
    /// What stands before the names in checkpoints with a head.
    pub prefix: &'static str,
    pub naming: ModuleNaming,
    /// The norm after attention, and that after the feed-forward layer.
    norms: [&'static str; 2],
    /// The masked-language-model head: its linear layer, its norm, its bias.
    pub head: [&'static str; 3],
    /// Ends of names that are no part of what is computed.
    ignored: &'static [&'static str],
}

/// Names that are there in all families.
pub const WORDS: &str = "embeddings.word_embeddings.weight";
pub const POSITIONS: &str = "embeddings.position_embeddings.weight";
pub const SEGMENTS: &str = "embeddings.token_type_embeddings.weight";
pub const NORM: &str = "embeddings.LayerNorm";

/// The score head of an encoder that was changed as a whole.
pub const HEAD_WEIGHT: &str = "score.weight";
pub const HEAD_BIAS: &str = "score.bias";

impl EncoderFamily {
    /// Its names.
    pub fn layout(self) -> Layout {
        let bert = Layout {
            prefix: "bert.",
            naming: ModuleNaming::Bert,
            norms: ["attention.output.LayerNorm", "output.LayerNorm"],
            head: [
                "cls.predictions.transform.dense",
                "cls.predictions.transform.LayerNorm",
                "cls.predictions.bias",
            ],
            // The pooler feeds the prediction of the next sentence; the decoder is the table of words.
            ignored: &[
                "embeddings.position_ids",
                "pooler.dense.weight",
                "pooler.dense.bias",
                "cls.predictions.decoder.weight",
                "cls.predictions.decoder.bias",
                "cls.seq_relationship.weight",
                "cls.seq_relationship.bias",
            ],
        };
        match self {
            Self::Bert => bert,
            Self::Roberta => Layout {
                prefix: "roberta.",
                head: ["lm_head.dense", "lm_head.layer_norm", "lm_head.bias"],
                ignored: &[
                    "embeddings.position_ids",
                    "pooler.dense.weight",
                    "pooler.dense.bias",
                    "lm_head.decoder.weight",
                    "lm_head.decoder.bias",
                ],
                ..bert
            },
            Self::DistilBert => Layout {
                prefix: "distilbert.",
                naming: ModuleNaming::DistilBert,
                norms: ["sa_layer_norm", "output_layer_norm"],
                head: ["vocab_transform", "vocab_layer_norm", "vocab_projector.bias"],
                ignored: &["vocab_projector.weight"],
            },
        }
    }
}

impl Layout {
    /// A linear layer.
    pub fn module_path(&self, layer: usize, module: TargetModule) -> ModulePath {
        ModulePath { layer, module, naming: self.naming }
    }

    /// A norm of a block, 0 after attention, 1 after the feed-forward layer.
    pub fn norm(&self, layer: usize, which: usize) -> String {
        let block = match self.naming {
            ModuleNaming::DistilBert => "transformer.layer",
            _ => "encoder.layer",
        };
        format!("{block}.{layer}.{}", self.norms[which])
    }

    /// Whether a tensor is no part of what is computed; without a head, all of the head.
    pub fn ignores(&self, name: &str) -> bool {
        self.ignored.contains(&name)
    }

    /// All tensors with their shapes, those of the heads where they are there.
    pub fn wanted(
        &self,
        config: &EncoderConfig,
        has_head: bool,
        has_score_head: bool,
    ) -> Vec<(String, Vec<usize>)> {
        let d = config.d_model;
        let mut wanted = vec![
            (WORDS.to_owned(), vec![config.vocab_size, d]),
            (POSITIONS.to_owned(), vec![config.positions, d]),
        ];
        if config.segments > 0 {
            wanted.push((SEGMENTS.to_owned(), vec![config.segments, d]));
        }
        let mut add = |name: &str, weight: Vec<usize>| {
            wanted.push((format!("{name}.bias"), vec![weight[0]]));
            wanted.push((format!("{name}.weight"), weight));
        };
        add(NORM, vec![d]);
        for layer in 0..config.layers {
            for module in MODULES {
                add(&self.module_path(layer, module).to_string(), shape_of(module, config).into());
            }
            add(&self.norm(layer, 0), vec![d]);
            add(&self.norm(layer, 1), vec![d]);
        }
        if has_head {
            let [linear, norm, bias] = self.head;
            add(linear, vec![d, d]);
            add(norm, vec![d]);
            wanted.push((bias.to_owned(), vec![config.vocab_size]));
        }
        if has_score_head {
            wanted.push((HEAD_WEIGHT.to_owned(), vec![1, d]));
            wanted.push((HEAD_BIAS.to_owned(), vec![1]));
        }
        wanted
    }
}

/// `[out, in]`
fn shape_of(module: TargetModule, config: &EncoderConfig) -> [usize; 2] {
    match module {
        TargetModule::Up | TargetModule::Gate => [config.d_ff, config.d_model],
        TargetModule::Down => [config.d_model, config.d_ff],
        _ => [config.d_model, config.d_model],
    }
}
