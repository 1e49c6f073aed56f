use std::ops::Range;
use std::sync::Arc;

use burn::tensor::Tensor;

use crate::adapter::Adapter;
use crate::linear::low_rank::RowTerms;
use crate::module_path::ModulePath;
use crate::tree::TreeBatch;

/// Rows with one adapter, or with none.
type Part = (Range<usize>, Option<Arc<dyn Adapter>>);

/// The adapters of a batch, by the rows that they act on.
pub struct AdapterRows {
    parts: Vec<Part>,
}

impl AdapterRows {
    /// No adapter at all.
    pub fn none() -> Self {
        Self { parts: Vec::new() }
    }

    /// Those of the nodes from `start` on.
    pub fn new(batch: &TreeBatch, start: usize) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        for (tree, adapter) in batch.trees().iter().zip(batch.adapters()) {
            let rows = tree.start.max(start) - start..tree.end.max(start) - start;
            match parts.last_mut() {
                _ if rows.is_empty() => {}
                Some((last, of_last)) if is_same(of_last, adapter) => last.end = rows.end,
                _ => parts.push((rows, adapter.clone())),
            }
        }
        Self { parts }
    }

    /// Whether any row has a term for this layer.
    pub fn targets(&self, module_path: ModulePath) -> bool {
        self.parts
            .iter()
            .any(|(_, adapter)| adapter.as_ref().is_some_and(|adapter| adapter.targets(module_path)))
    }

    /// The terms for a layer, where all are low-rank.
    pub fn low_rank(&self, module_path: ModulePath) -> Option<RowTerms<'_>> {
        let parts = self.parts.iter().filter_map(|(rows, adapter)| Some((rows, adapter.as_ref()?)));
        let targeted = parts.filter(|(_, adapter)| adapter.targets(module_path));
        targeted.map(|(rows, adapter)| Some((rows.clone(), adapter.low_rank(module_path)?))).collect()
    }

    /// Adds its term to every row.
    ///
    /// # Shapes
    /// `x: [nodes, in]`, `y` and the result `[nodes, out]`.
    pub fn add(&self, module_path: ModulePath, x: &Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        let add = |adapter: &Option<Arc<dyn Adapter>>, x, y| match adapter {
            Some(adapter) if adapter.targets(module_path) => adapter.add(module_path, x, y),
            _ => y,
        };
        match &*self.parts {
            [] => y,
            [(_, adapter)] => add(adapter, x.clone(), y),
            parts => {
                let part = |tensor: &Tensor<2>, rows: &Range<usize>| {
                    tensor.clone().narrow(0, rows.start, rows.len())
                };
                let parts = parts.iter().map(|(rows, adapter)| add(adapter, part(x, rows), part(&y, rows)));
                Tensor::cat(parts.collect(), 0)
            }
        }
    }
}

fn is_same(a: &Option<Arc<dyn Adapter>>, b: &Option<Arc<dyn Adapter>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module_path::{ModuleNaming, TargetModule};

    /// Adds its number to every output of value layers.
    #[derive(Debug)]
    struct Constant(f32);

    impl Adapter for Constant {
        fn targets(&self, module_path: ModulePath) -> bool {
            module_path.module == TargetModule::Value
        }

        fn add(&self, _: ModulePath, _: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
            y + self.0
        }
    }

    #[test]
    fn every_row_gets_the_term_of_its_tree() {
        let adapters: [Arc<dyn Adapter>; 2] = [Arc::new(Constant(1.0)), Arc::new(Constant(2.0))];
        let mut batch = TreeBatch::default();
        for adapter in [None, Some(0), Some(0), Some(1)] {
            batch.set_adapter(adapter.map(|index: usize| adapters[index].clone()));
            batch.push_tree(&[1, 5], &[None, Some(0)], &[]);
        }
        let device = burn::tensor::Device::flex();
        let module_path = |module| ModulePath { layer: 0, module, naming: ModuleNaming::Llama };
        let added = |start: usize, module| {
            let rows = AdapterRows::new(&batch, start);
            let zeros = Tensor::<2>::zeros([8 - start, 1], &device);
            crate::to_host::to_host(rows.add(module_path(module), &zeros, zeros.clone()))
        };
        assert_eq!(added(0, TargetModule::Value), [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0]);
        assert_eq!(added(3, TargetModule::Value), [1.0, 1.0, 1.0, 2.0, 2.0]);
        assert_eq!(added(0, TargetModule::Key), [0.0; 8]);
        assert_eq!(AdapterRows::new(&batch, 0).parts.len(), 3, "neighbours with one adapter are one part");
        assert!(!AdapterRows::new(&batch, 0).targets(module_path(TargetModule::Key)));
    }
}
