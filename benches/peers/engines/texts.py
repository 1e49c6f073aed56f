"""What engines share that read a converted model: texts of lists and their token ids."""

from tokenizers import Tokenizer


def flat(lists):
    """The texts of all lists, in their order."""
    return [text for texts in lists for text in texts]


class TextEncoder:
    """The model's tokenizer, as `convert.py` saved it."""

    def __init__(self, converted):
        self.tokenizer = Tokenizer.from_file(str(converted / "hf" / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def __call__(self, texts):
        """For each text its token ids, without BOS and EOS."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=False)]

    def token(self, number):
        return self.tokenizer.id_to_token(number)
