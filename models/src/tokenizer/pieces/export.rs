use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::prepend::Prepend;
use tokenizers::normalizers::replace::Replace;
use tokenizers::{AddedToken, NormalizerWrapper};

use super::{Fallback, Kind, Pieces, SPACE};

impl Pieces {
    /// The same vocabulary for Hugging Face's library, which wants a list of merges: for each piece all the
    /// ways to put it together from two others, the highest score first.
    ///
    /// Building it takes seconds where there are 262,144 pieces, so it serves for writing files only. Ids
    /// differ in corners: where a piece can be joined from two overlapping pairs, the library takes one kind
    /// of pair first and not the leftmost; and behind a user-defined piece it puts another space prefix.
    ///
    /// # Errors
    /// The library's own reason.
    pub fn to_library(&self) -> Result<tokenizers::Tokenizer, String> {
        let vocab: Vocab = (0u32..).zip(&self.tokens).map(|(id, token)| (token.to_string(), id)).collect();
        let unknown = match self.fallback {
            Fallback::Unknown(id) => Some(id as usize),
            Fallback::Bytes(_) => self.kinds.iter().position(|kind| *kind == Kind::Unknown),
        };
        let mut builder = BPE::builder()
            .vocab_and_merges(vocab, self.merges())
            .byte_fallback(matches!(self.fallback, Fallback::Bytes(_)))
            .fuse_unk(true);
        if let Some(id) = unknown {
            builder = builder.unk_token(self.tokens[id].to_string());
        }
        let mut library = tokenizers::Tokenizer::new(builder.build().map_err(|e| e.to_string())?);
        let space = SPACE.to_string();
        let replace = Replace::new(" ", space.as_str()).map_err(|e| e.to_string())?;
        let mut steps = vec![NormalizerWrapper::Replace(replace)];
        if self.space_prefix {
            steps.insert(0, NormalizerWrapper::Prepend(Prepend::new(space)));
        }
        library
            .with_normalizer(Some(tokenizers::normalizers::Sequence::new(steps)))
            .map_err(|e| e.to_string())?;
        library.with_decoder(Some(self.decoder()?));
        library.add_special_tokens(self.added(&[Kind::Unknown, Kind::Control])).map_err(|e| e.to_string())?;
        library.add_tokens(self.added(&[Kind::UserDefined])).map_err(|e| e.to_string())?;
        Ok(library)
    }

    fn merges(&self) -> Vec<(String, String)> {
        let mut ids: Vec<u32> = self.ids.values().copied().collect();
        ids.sort_by(|a, b| {
            let score = |id: u32| self.scores[id as usize];
            score(*b).total_cmp(&score(*a)).then(a.cmp(b))
        });
        let mut merges = Vec::new();
        for id in ids {
            let piece = &self.tokens[id as usize];
            let splits = piece.char_indices().skip(1).map(|(at, _)| piece.split_at(at));
            let known = splits.filter(|(a, b)| self.ids.contains_key(*a) && self.ids.contains_key(*b));
            merges.extend(known.map(|(a, b)| (a.to_string(), b.to_string())));
        }
        merges
    }

    fn added(&self, kinds: &[Kind]) -> Vec<AddedToken> {
        let is_special = !kinds.contains(&Kind::UserDefined);
        let tokens = self.tokens.iter().zip(&self.kinds).filter(|(_, kind)| kinds.contains(kind));
        tokens.map(|(token, _)| AddedToken::from(token.to_string(), is_special).normalized(false)).collect()
    }

    fn decoder(&self) -> Result<tokenizers::decoders::sequence::Sequence, String> {
        use tokenizers::DecoderWrapper;
        use tokenizers::decoders::byte_fallback::ByteFallback;
        use tokenizers::decoders::fuse::Fuse;
        use tokenizers::decoders::sequence::Sequence;
        use tokenizers::decoders::strip::Strip;

        let replace = Replace::new(SPACE.to_string(), " ").map_err(|e| e.to_string())?;
        let mut steps = vec![
            DecoderWrapper::Replace(replace),
            DecoderWrapper::ByteFallback(ByteFallback::new()),
            DecoderWrapper::Fuse(Fuse::new()),
        ];
        if self.space_prefix {
            steps.push(DecoderWrapper::Strip(Strip::new(' ', 1, 0)));
        }
        Ok(Sequence::new(steps))
    }
}
