use burn::tensor::{Device, Int, Tensor, TensorData};

/// Edges of some nodes, sorted by node.
pub struct NodeEdges {
    /// Counted from the first of the nodes.
    pub nodes: Vec<i32>,
    /// The tokens.
    pub tokens: Vec<i32>,
}

/// Indices on a device.
pub fn ints(values: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let shape = [values.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}
