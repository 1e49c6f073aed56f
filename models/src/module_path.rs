use std::fmt;

/// A linear layer of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum TargetModule {
    Query,
    Key,
    Value,
    Output,
    Gate,
    Up,
    Down,
}

impl TargetModule {
    /// All of them, in the order of the forward pass.
    pub const ALL: [Self; 7] =
        [Self::Query, Self::Key, Self::Value, Self::Output, Self::Gate, Self::Up, Self::Down];

    /// The last part of its path in a decoder: `q_proj`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "q_proj",
            Self::Key => "k_proj",
            Self::Value => "v_proj",
            Self::Output => "o_proj",
            Self::Gate => "gate_proj",
            Self::Up => "up_proj",
            Self::Down => "down_proj",
        }
    }
}

/// What the layers of a model are called: decoders are called as Llama is, whatever their checkpoints say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModuleNaming {
    /// `model.layers.0.self_attn.q_proj`
    #[default]
    Llama,
    /// `encoder.layer.0.attention.self.query`, of BERT and RoBERTa.
    Bert,
    /// `transformer.layer.0.attention.q_lin`
    DistilBert,
}

impl ModuleNaming {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Llama, Self::Bert, Self::DistilBert];

    /// What stands before the number of a block.
    pub fn blocks(self) -> &'static str {
        match self {
            Self::Llama => "model.layers",
            Self::Bert => "encoder.layer",
            Self::DistilBert => "transformer.layer",
        }
    }

    /// The path of a layer inside a block; encoders have no gate.
    pub fn path(self, module: TargetModule) -> Option<&'static str> {
        let path = match (self, module) {
            (Self::Llama, TargetModule::Query) => "self_attn.q_proj",
            (Self::Llama, TargetModule::Key) => "self_attn.k_proj",
            (Self::Llama, TargetModule::Value) => "self_attn.v_proj",
            (Self::Llama, TargetModule::Output) => "self_attn.o_proj",
            (Self::Llama, TargetModule::Gate) => "mlp.gate_proj",
            (Self::Llama, TargetModule::Up) => "mlp.up_proj",
            (Self::Llama, TargetModule::Down) => "mlp.down_proj",
            (Self::Bert, TargetModule::Query) => "attention.self.query",
            (Self::Bert, TargetModule::Key) => "attention.self.key",
            (Self::Bert, TargetModule::Value) => "attention.self.value",
            (Self::Bert, TargetModule::Output) => "attention.output.dense",
            (Self::Bert, TargetModule::Up) => "intermediate.dense",
            (Self::Bert, TargetModule::Down) => "output.dense",
            (Self::DistilBert, TargetModule::Query) => "attention.q_lin",
            (Self::DistilBert, TargetModule::Key) => "attention.k_lin",
            (Self::DistilBert, TargetModule::Value) => "attention.v_lin",
            (Self::DistilBert, TargetModule::Output) => "attention.out_lin",
            (Self::DistilBert, TargetModule::Up) => "ffn.lin1",
            (Self::DistilBert, TargetModule::Down) => "ffn.lin2",
            (Self::Bert | Self::DistilBert, TargetModule::Gate) => return None,
        };
        Some(path)
    }
}

/// Where an adapter may add its term: a linear layer of one block.
///
/// ```
/// use rescorer_models::{ModuleNaming, ModulePath, TargetModule};
///
/// let module_path = ModulePath { layer: 3, module: TargetModule::Value, naming: ModuleNaming::Llama };
/// assert_eq!(module_path.to_string(), "model.layers.3.self_attn.v_proj");
/// assert_eq!(ModulePath::from_path("model.layers.3.self_attn.v_proj"), Some(module_path));
/// let module_path = ModulePath { naming: ModuleNaming::Bert, ..module_path };
/// assert_eq!(module_path.to_string(), "encoder.layer.3.attention.self.value");
/// assert_eq!(ModulePath::from_path("bert.encoder.layer.3.attention.self.value"), Some(module_path));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModulePath {
    /// Number of the block.
    pub layer: usize,
    /// Its linear layer.
    pub module: TargetModule,
    /// What it is called.
    pub naming: ModuleNaming,
}

/// What stands before the paths of encoders that have a head.
const PREFIXES: [&str; 3] = ["bert.", "roberta.", "distilbert."];

impl ModuleNaming {
    /// What may stand before the paths of such layers.
    fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Llama => &[],
            Self::Bert => &PREFIXES[..2],
            Self::DistilBert => &PREFIXES[2..],
        }
    }
}

impl ModulePath {
    /// Reads the path that Hugging Face gives the module.
    pub fn from_path(path: &str) -> Option<Self> {
        let path = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path);
        ModuleNaming::ALL.into_iter().find_map(|naming| {
            let (layer, path) = path.strip_prefix(naming.blocks())?.strip_prefix('.')?.split_once('.')?;
            // A number in another spelling would be another tensor of the same module.
            let layer = layer.parse().ok().filter(|number: &usize| number.to_string() == layer)?;
            let module = TargetModule::ALL.into_iter().find(|known| naming.path(*known) == Some(path))?;
            Some(Self { layer, module, naming })
        })
    }
}

impl ModulePath {
    /// All paths that Hugging Face gives the module: that of a bare model, and those of an encoder with a head.
    pub fn paths(self) -> Vec<String> {
        let bare = self.to_string();
        let prefixed = self.naming.prefixes().iter().map(|prefix| format!("{prefix}{bare}"));
        std::iter::once(bare.clone()).chain(prefixed).collect()
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.naming.path(self.module).unwrap_or(self.module.name());
        write!(f, "{}.{}.{path}", self.naming.blocks(), self.layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_and_others_are_none() {
        for (naming, module) in
            ModuleNaming::ALL.into_iter().flat_map(|naming| TargetModule::ALL.map(|module| (naming, module)))
        {
            let module_path = ModulePath { layer: 12, module, naming };
            let expected = naming.path(module).map(|_| module_path);
            assert_eq!(ModulePath::from_path(&module_path.to_string()), expected);
        }
        for path in ["model.layers.01.mlp.up_proj", "model.layers.1.mlp.lm_head", "layers.1.mlp.up_proj"] {
            assert_eq!(ModulePath::from_path(path), None, "{path}");
        }
    }
}
