"""Makes from the GGUF what a peer reads in its place, once: `convert.py --model GGUF --output DIR --make NAME`.

Every NAME is a folder in DIR. `hf` is the model in f32 for transformers; all others are made of it, but for those of llama.cpp.
"""

import argparse
import shutil
from pathlib import Path


def hf(model, _, folder):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    named = {"pretrained_model_name_or_path": model.parent, "gguf_file": model.name}
    loaded = AutoModelForCausalLM.from_pretrained(**named, dtype=torch.float32)
    plain = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(**named))  # the loaded one refuses to be saved
    plain.load_state_dict(loaded.state_dict())
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**named).save_pretrained(folder)


def ct2(quantization):
    def make(_, made, folder):
        from ctranslate2.converters import TransformersConverter

        TransformersConverter(str(made / "hf")).convert(str(folder), quantization=quantization, force=True)

    return make


def example():
    """Inputs of a small trie, to trace the model with."""
    import torch
    from engines.edge_model_inputs import inputs
    from engines.trie import Trie

    trie = Trie()
    for ids in ([5, 6, 7], [5, 6, 8, 9], [10, 7]):
        trie.add(ids)
    return tuple(map(torch.from_numpy, inputs(trie)))


def openvino_int8(_, made, folder):
    import nncf
    import openvino
    from engines.edge_model import EdgeModel
    from engines.edge_model_inputs import NAMES

    shapes = ([1, -1], [1, -1], [1, 1, -1, -1], [-1], [-1])
    model = openvino.convert_model(EdgeModel(made / "hf"), example_input=example(), input=list(shapes))
    for port, name in zip(model.inputs, NAMES):
        port.get_tensor().set_names({name})
    model = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_ASYM)
    openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)


def onnx_f32(_, made, folder):
    """The graph in f32, with transposed weights folded in, as the quantisers want it."""
    import onnxruntime
    import torch
    from engines.edge_model import EdgeModel
    from engines.edge_model_inputs import NAMES

    nodes, edges = torch.export.Dim("nodes"), torch.export.Dim("edges")
    dynamic = ({1: nodes}, {1: nodes}, {2: nodes, 3: nodes}, {0: edges}, {0: edges})
    raw = folder / "raw.onnx"
    torch.onnx.export(
        EdgeModel(made / "hf"), example(), raw, input_names=NAMES, output_names=["log_probs"],
        dynamic_shapes=dynamic, dynamo=True,
    )  # fmt: skip
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folder / "model.onnx")
    onnxruntime.InferenceSession(str(raw), options, providers=["CPUExecutionProvider"])
    raw.unlink()  # its weights stay: the new graph reads them from the same file


def ort_int4(_, made, folder):
    """Blocks of 32 with a zero point, as in the GGUF; activations in int8 (accuracy level 4)."""
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    model = onnx.load(made / "onnx-f32" / "model.onnx")
    quantizer = MatMulNBitsQuantizer(model, bits=4, block_size=32, is_symmetric=False, accuracy_level=4)
    quantizer.process()
    onnx.save(quantizer.model.model, folder / "model.onnx")


def ort_int8(_, made, folder):
    """Dynamic quantisation, a scale for each output channel."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    source = made / "onnx-f32" / "model.onnx"
    quantize_dynamic(
        source, folder / "model.onnx", op_types_to_quantize=["MatMul", "Gemm"], per_channel=True,
        weight_type=QuantType.QInt8, reduce_range=not has_vnni(),
    )  # fmt: skip


def has_vnni():
    """Without these instructions sums of 8-bit products saturate, and weights get 7 bits."""
    from machine import processor

    return any(flag in processor()["flags"] for flag in ("avx512_vnni", "avx_vnni", "i8mm", "asimddp"))


def llama(kind):
    def make(model, _, folder):
        import llama_cpp

        params = llama_cpp.llama_model_quantize_default_params()
        params.ftype, params.allow_requantize = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}"), True
        status = llama_cpp.llama_model_quantize(str(model).encode(), str(folder / "model.gguf").encode(), params)
        if status != 0:
            raise RuntimeError(f"llama_model_quantize says {status}")

    return make


# name: what makes it, and what must be there before
MAKERS = {
    "hf": (hf, ()),
    "ct2-f32": (ct2("float32"), ("hf",)),
    "ct2-int8": (ct2("int8"), ("hf",)),
    "openvino-int8": (openvino_int8, ("hf",)),
    "onnx-f32": (onnx_f32, ("hf",)),
    "ort-int4": (ort_int4, ("hf", "onnx-f32")),
    "ort-int8": (ort_int8, ("hf", "onnx-f32")),
    "llama-q4_0": (llama("Q4_0"), ()),
    "llama-q8_0": (llama("Q8_0"), ()),
}


def make(name, model, output):
    """Makes a folder and what it needs; one that is there is kept."""
    maker, needs = MAKERS[name]
    if (output / name).exists():
        return
    for other in needs:
        make(other, model, output)
    partial = output / f"{name}.part"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    maker(model, output, partial)
    partial.rename(output / name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--make", choices=MAKERS, required=True)
    args = parser.parse_args()
    make(args.make, args.model, args.output)


if __name__ == "__main__":
    main()
