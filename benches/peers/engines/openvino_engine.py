"""OpenVINO on the CPU, weights in int8 as NNCF compresses them; the prefixes of several lists in one row."""

import openvino

from .edge_model_inputs import NAMES, inputs
from .texts import TextEncoder
from .trie import TrieEngine


class OpenVinoEngine(TrieEngine):
    def __init__(self, converted, name, threads):
        self.encode = TextEncoder(converted)
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        model = openvino.Core().compile_model(converted / name / "model.xml", "CPU", options)
        self.request = model.create_infer_request()

    def edge_log_probs(self, trie):
        return self.request.infer(dict(zip(NAMES, inputs(trie))))[0].copy()


def make(args):
    return OpenVinoEngine(args.converted, args.engine, args.threads)
