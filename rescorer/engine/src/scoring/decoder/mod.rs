//! Scores by a decoder, which reads from left to right: lists share prefixes, and a prefix bounds what follows it.

pub(crate) mod deadline;
pub(crate) mod grouping;
pub(crate) mod prefix_cache;
pub(crate) mod search;
pub(crate) mod trie;
