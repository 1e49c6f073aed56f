//! Word alignment, word error rate and its significance.
