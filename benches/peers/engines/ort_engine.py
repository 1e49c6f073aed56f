"""ONNX Runtime on the CPU; the prefixes of several lists in one row."""

import onnxruntime

from .edge_model_inputs import NAMES, inputs
from .texts import TextEncoder
from .trie import TrieEngine


class OrtEngine(TrieEngine):
    def __init__(self, converted, name, threads):
        self.encode = TextEncoder(converted)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        path = str(converted / name / "model.onnx")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def edge_log_probs(self, trie):
        return self.session.run(None, dict(zip(NAMES, inputs(trie))))[0]


def make(args):
    return OrtEngine(args.converted, args.engine, args.threads)
