use crate::tree::TreeBatch;

/// What a model keeps of the nodes it has computed, so that their children can be computed later.
///
/// Takes `2 · layers · kv_heads · head_dim` numbers for a node.
#[derive(Clone, Default)]
pub struct KeyValues {
    nodes: usize,
    edges: usize,
    layers: Vec<LayerKeyValues>,
}

impl KeyValues {
    /// Nodes computed.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Takes note of everything in `batch`, whose new nodes the layers are about to append.
    pub fn grow(&mut self, batch: &TreeBatch, layers: usize) -> &mut [LayerKeyValues] {
        (self.nodes, self.edges) = (batch.len(), batch.edges().len());
        self.layers.resize_with(layers, LayerKeyValues::default);
        &mut self.layers
    }

    /// Edges whose probabilities were given.
    pub fn edges(&self) -> usize {
        self.edges
    }
}

/// Keys (turned by their angles) and values of nodes in a layer.
///
/// # Shapes
/// `[nodes, keys · dim]`
#[derive(Clone, Default)]
pub struct LayerKeyValues {
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl LayerKeyValues {
    /// Takes over those of further nodes.
    pub fn append(&mut self, keys: Vec<f32>, values: Vec<f32>) {
        if self.keys.is_empty() {
            (self.keys, self.values) = (keys, values);
        } else {
            self.keys.extend(keys);
            self.values.extend(values);
        }
    }

    /// Keys and values of all nodes.
    pub fn into_parts(self) -> (Vec<f32>, Vec<f32>) {
        (self.keys, self.values)
    }

    /// Keys of all nodes.
    pub fn keys(&self) -> &[f32] {
        &self.keys
    }

    /// Values of all nodes.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}
