//! Second pass for speech recognition: a language model rescores N-best lists.
