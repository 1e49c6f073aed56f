//! What the fingerprint of an encoder says of its configuration.

use super::config::{EncoderConfig, EncoderFamily};
use crate::fingerprint::Fields;

impl EncoderConfig {
    /// The fields of the fingerprint.
    pub(super) fn fingerprint_fields(&self) -> Fields {
        Fields::default()
            .add("kind", "encoder")
            .add("family", self.family.model_type())
            .add("vocab_size", self.vocab_size)
            .add("d_model", self.d_model)
            .add("d_ff", self.d_ff)
            .add("layers", self.layers)
            .add("heads", self.heads)
            .add("positions", self.positions)
            .add("first_position", self.first_position)
            .add("segments", self.segments)
            .add("norm_epsilon", self.norm_epsilon)
            .add("activation", self.activation.canonical_name())
    }

    /// What fingerprints said before they had a version, as it does for decoders.
    pub(super) fn legacy_text(&self) -> String {
        let Self { vocab_size, d_model, d_ff, layers, heads, positions, .. } = self;
        let Self { first_position, segments, norm_epsilon, activation, .. } = self;
        let family = match self.family {
            EncoderFamily::Bert => "Bert",
            EncoderFamily::DistilBert => "DistilBert",
            EncoderFamily::Roberta => "Roberta",
        };
        format!(
            "EncoderConfig {{ family: {family}, vocab_size: {vocab_size}, d_model: {d_model}, d_ff: {d_ff}, \
             layers: {layers}, heads: {heads}, positions: {positions}, first_position: {first_position}, \
             segments: {segments}, norm_epsilon: {norm_epsilon:?}, activation: {} }}",
            activation.legacy_name()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gated::Activation;

    #[test]
    fn texts_of_old_fingerprints_stay_as_they_were() {
        let config = EncoderConfig {
            family: EncoderFamily::Roberta,
            vocab_size: 96,
            d_model: 32,
            d_ff: 48,
            layers: 2,
            heads: 4,
            positions: 66,
            first_position: 2,
            segments: 1,
            norm_epsilon: 1e-12,
            activation: Activation::GeluTanh,
        };
        assert_eq!(
            config.legacy_text(),
            "EncoderConfig { family: Roberta, vocab_size: 96, d_model: 32, d_ff: 48, layers: 2, heads: 4, positions: 66, \
             first_position: 2, segments: 1, norm_epsilon: 1e-12, activation: GeluTanh }"
        );
    }
}
