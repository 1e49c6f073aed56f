//! Weights of least word error rate on lists with references.

pub(crate) mod cascade;
pub(crate) mod decision;
pub(crate) mod features;
pub(crate) mod folds;
pub(crate) mod fusion_kind;
pub(crate) mod grid;
pub(crate) mod options;
mod scale;
pub(crate) mod scored_answer;
pub(crate) mod scored_reference;
mod slack;
