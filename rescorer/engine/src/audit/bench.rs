//! The model with and without the adapter, and what is measured with.

use std::cell::Cell;
use std::sync::Arc;

use rescorer_models::{Adapter, LanguageModel};

use crate::audit::forest::{Pair, Path, Side, lead};
use crate::audit::place::Probe;
use crate::error::Error;
use crate::scoring::config::ScoringConfig;
use crate::scoring::sequences::Sequences;

/// Probes of the search; all others are kept for trials.
pub(super) const PROBES: usize = 2;

pub(super) struct Bench<'a> {
    pub sequences: &'a Sequences,
    pub adapter: Arc<dyn Adapter>,
    pub probes: Vec<Probe>,
    eos: u32,
    nodes: Cell<usize>,
}

/// How texts are scored: as the default says.
pub(super) fn sequences(model: &Arc<LanguageModel>) -> Result<Sequences, Error> {
    Sequences::new(model.clone(), ScoringConfig::default())
}

impl<'a> Bench<'a> {
    pub fn new(sequences: &'a Sequences, adapter: Arc<dyn Adapter>, probes: Vec<Probe>) -> Self {
        let eos = sequences.eos.unwrap_or(sequences.bos);
        Self { sequences, adapter, probes, eos, nodes: Cell::new(0) }
    }

    pub fn model(&self) -> &LanguageModel {
        &self.sequences.model
    }

    /// The probes of the search.
    pub fn search_probes(&self) -> &[Probe] {
        &self.probes[..PROBES.min(self.probes.len())]
    }

    /// The model with the adapter.
    pub fn adapted(&self) -> Side<'_> {
        Side { adapter: Some(&self.adapter), ..self.base() }
    }

    /// The model alone.
    pub fn base(&self) -> Side<'_> {
        Side { model: self.model(), adapter: None, bos: self.sequences.bos, eos: self.eos }
    }

    /// As [`Side::ask`].
    pub fn ask(&self, side: Side<'_>, paths: &[Path]) -> Result<Vec<Vec<f32>>, Error> {
        let (found, nodes) = side.ask(paths)?;
        self.nodes.set(self.nodes.get() + nodes);
        Ok(found)
    }

    /// Leads of the wrong texts, EOS included.
    pub fn leads(&self, side: Side<'_>, pairs: &[Pair]) -> Result<Vec<f64>, Error> {
        let paths: Vec<Path> = pairs.iter().flat_map(Pair::paths).collect();
        let found = self.ask(side, &paths)?;
        Ok(found.chunks_exact(2).map(|pair| lead(&pair[0], &pair[1])).collect())
    }

    /// Nodes that were computed.
    pub fn nodes(&self) -> usize {
        self.nodes.get()
    }
}
