/// Vocabulary rows that are multiplied at a time: bounds the logits in memory.
pub const VOCAB_CHUNK: usize = 4096;
