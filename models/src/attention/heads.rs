use std::ops::Range;

/// Sizes of the heads.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Query heads.
    pub queries: usize,
    /// Key and value heads; divides `queries`.
    pub keys: usize,
    /// Width of a head.
    pub dim: usize,
    /// Factor of the products of queries and keys.
    pub scale: f32,
}

impl Heads {
    /// Query heads that share a key head.
    pub fn shared(self) -> usize {
        self.queries / self.keys
    }

    /// Where the keys of a node lie.
    pub fn key(self, node: usize, head: usize) -> Range<usize> {
        let start = (node * self.keys + head) * self.dim;
        start..start + self.dim
    }
}
