//! What a model says of many texts that begin alike.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rescorer_models::{Adapter, Edge, LanguageModel, TreeBatch};

use crate::error::Error;
use crate::scoring::sequences::require_finite;

/// The model with or without the adapter.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub model: &'a LanguageModel,
    pub adapter: Option<&'a Arc<dyn Adapter>>,
    pub bos: u32,
    pub eos: u32,
}

/// A text, and what is asked of it from some place on: place `n` is behind `n` of its tokens.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub tokens: Vec<u32>,
    pub from: usize,
    pub asked: Asked,
}

/// What is asked at a place.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// The text's own next token, at its end EOS.
    Next,
    /// Each of these tokens.
    Each(Arc<[u32]>),
}

/// Two texts of which one will be chosen, in tokens.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub right: Vec<u32>,
    pub wrong: Vec<u32>,
}

impl Pair {
    /// The right text and the wrong one, from where they differ.
    pub fn paths(&self) -> [Path; 2] {
        let from = self.right.iter().zip(&self.wrong).take_while(|(a, b)| a == b).count();
        [&self.right, &self.wrong].map(|text| Path { tokens: text.clone(), from, asked: Asked::Next })
    }
}

/// `ln p(wrong) − ln p(right)` of what was found for the paths of a pair.
pub(super) fn lead(right: &[f32], wrong: &[f32]) -> f64 {
    let sum = |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>();
    sum(wrong) - sum(right)
}

impl Side<'_> {
    /// For every path the log-probabilities that are asked for, place by place; and the nodes that they took.
    ///
    /// Neighbours that begin alike share their nodes.
    pub fn ask(&self, paths: &[Path]) -> Result<(Vec<Vec<f32>>, usize), Error> {
        let mut found = Vec::with_capacity(paths.len());
        let mut nodes = 0;
        let mut rest = paths;
        while !rest.is_empty() {
            let mut forest = Forest::new(self);
            let mut edges: Vec<Range<usize>> = Vec::new();
            while let Some((path, others)) = rest.split_first()
                && (edges.is_empty() || forest.batch.len() < self.model.node_budget())
            {
                rest = others;
                edges.push(forest.add(path));
            }
            nodes += forest.batch.len();
            let log_probs = self.model.edge_log_probs(&forest.batch)?;
            for edges in edges {
                let values = log_probs[edges].to_vec();
                if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                    require_finite("(audit)", found.len(), f64::from(*value))?;
                }
                found.push(values);
            }
        }
        Ok((found, nodes))
    }
}

/// Texts as trees: one for all neighbours that have their first token in common.
struct Forest {
    batch: TreeBatch,
    bos: u32,
    eos: u32,
    /// The root and the first token behind it.
    tree: Option<(u32, Option<u32>)>,
    children: HashMap<(u32, u32), u32>,
}

impl Forest {
    fn new(side: &Side<'_>) -> Self {
        let mut batch = TreeBatch::default();
        batch.set_adapter(side.adapter.cloned());
        Self { batch, bos: side.bos, eos: side.eos, tree: None, children: HashMap::new() }
    }

    fn add(&mut self, path: &Path) -> Range<usize> {
        let begin = self.batch.edges().len();
        let mut node = self.root(path.tokens.first().copied());
        for place in 0..=path.tokens.len() {
            let next = path.tokens.get(place).copied();
            if place >= path.from {
                match &path.asked {
                    Asked::Next => self.batch.push_edge(Edge { node, token: next.unwrap_or(self.eos) }),
                    Asked::Each(tokens) => {
                        tokens.iter().for_each(|&token| self.batch.push_edge(Edge { node, token }));
                    }
                }
            }
            // Behind the last token only an answer is wanted.
            if let Some(token) = next {
                node = self.child(node, token);
            }
        }
        begin..self.batch.edges().len()
    }

    fn root(&mut self, first: Option<u32>) -> u32 {
        match self.tree {
            Some((root, of)) if of == first => root,
            _ => {
                let root = self.batch.push_node(self.bos, None);
                self.tree = Some((root, first));
                root
            }
        }
    }

    fn child(&mut self, node: u32, token: u32) -> u32 {
        let batch = &mut self.batch;
        *self.children.entry((node, token)).or_insert_with(|| batch.push_node(token, Some(node)))
    }
}
