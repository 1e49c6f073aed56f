//! Sound GGUF files of something else: other tensors, other architectures, other tokenizers.

use super::gguf_bytes::Bytes;
use super::gguf_file::{GgufFile, Tensor};
use super::{DAMAGED, refused, scratch};

/// Changes the tiny model and checks how it is refused.
fn changed(change: &str, parts: &[&str], apply: impl FnOnce(&mut GgufFile)) {
    let mut file = GgufFile::tiny();
    apply(&mut file);
    let (_folder, path) = scratch(&file.to_bytes());
    refused(&path, change, parts);
}

#[test]
fn unsupported_types_are_listed_together_by_name() {
    let parts = [
        "blk.0.attn_q.weight: Q2_K",
        "blk.1.ffn_down.weight: IQ4_XS",
        "output.weight: GGML type 4711",
        "is not supported; supported: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, IQ4_NL",
    ];
    changed("other types", &parts, |file| {
        file.tensor("blk.0.attn_q.weight").kind = 10;
        file.tensor("blk.1.ffn_down.weight").kind = 23;
        file.tensor("output.weight").kind = 4711;
    });
}

#[test]
fn differences_of_tensors_are_listed_together() {
    let parts = [
        "missing: blk.0.attn_norm.weight [32]",
        "missing: blk.1.attn_k.weight [16, 32]",
        "shape: blk.0.attn_q.weight is [16, 64], expected [32, 32]",
        "shape: output_norm.weight is [2, 16], expected [32]",
        "unexpected: blk.0.attn_q.bias",
        "unexpected: rope_lengths.weight",
        "use weights and a configuration of the same model",
    ];
    changed("other tensors", &parts, |file| {
        file.tensors.retain(|tensor| tensor.name != "blk.0.attn_norm.weight");
        file.tensor("blk.1.attn_k.weight").name = "blk.0.attn_q.bias".into();
        file.tensor("blk.0.attn_q.weight").axes = vec![64, 16];
        file.tensor("output_norm.weight").axes = vec![16, 2];
        let data = vec![0; 16];
        file.tensors.push(Tensor { name: "rope_lengths.weight".into(), axes: vec![4], kind: 0, data });
    });
}

/// 3.2 TB of weights, in a file that takes no room.
#[cfg(unix)]
#[test]
fn a_model_larger_than_memory_is_refused_before_it_is_read() {
    let (layers, width) = (500, 1 << 24);
    let mut file = GgufFile::tiny();
    file.set_u32("llama.feed_forward_length", width);
    file.set_u32("llama.block_count", layers);
    let (blocks, others): (Vec<Tensor>, Vec<Tensor>) = file
        .tensors
        .into_iter()
        .filter(|tensor| !tensor.name.starts_with("blk.1."))
        .partition(|tensor| tensor.name.starts_with("blk.0."));
    file.tensors = others;
    for layer in 0..layers {
        file.tensors.extend(blocks.iter().map(|Tensor { name, axes, .. }| {
            let is_wide = ["ffn_gate", "ffn_up", "ffn_down"].iter().any(|part| name.contains(part));
            let wide = |&axis: &u64| if is_wide && axis != 32 { u64::from(width) } else { axis };
            let name = name.replacen("blk.0.", &format!("blk.{layer}."), 1);
            Tensor { name, axes: axes.iter().map(wide).collect(), kind: 0, data: Vec::new() }
        }));
    }
    let (_folder, path) = scratch(&[]);
    file.write_sparse(&path);
    refused(&path, "a huge model", &["the weights take 32212", "MB of memory can be had", "compute in int8"]);
}

#[test]
fn rope_factors_have_to_fit() {
    let add = |values: &[f32], parts: &[&str]| {
        changed("factors", parts, |file| {
            let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let axes = vec![values.len() as u64];
            file.tensors.push(Tensor { name: "rope_freqs.weight".into(), axes, kind: 0, data });
        });
    };
    add(&[1.0, 0.0, 1.0, 1.0], &["a factor of RoPE", "not a positive number", DAMAGED]);
    add(&[1.0; 3], &["3 RoPE factors for heads of width 8", DAMAGED]);
}

#[test]
fn a_missing_embedding_is_called_missing() {
    let parts = ["missing: token_embd.weight [288, 32]", "unexpected: token_embedding"];
    changed("no embedding", &parts, |file| file.tensor("token_embd.weight").name = "token_embedding".into());
}

#[test]
fn an_embedding_of_one_axis() {
    let parts = ["token_embd.weight is [9216]"];
    changed("flat embedding", &parts, |file| file.tensor("token_embd.weight").axes = vec![288 * 32]);
}

#[test]
fn other_architectures() {
    let key = "general.architecture";
    changed(
        "mamba",
        &["architecture mamba is not supported; supported: llama, qwen2, qwen3, gemma3, gpt2"],
        |file| file.set_string(key, "mamba"),
    );
    changed("none", &["architecture (none)"], |file| file.remove(key));
    changed("a number", &["general.architecture is not a string", DAMAGED], |file| file.set_u32(key, 7));
    changed("scaled", &["RoPE scaling yarn is not supported"], |file| {
        file.set_string("llama.rope.scaling.type", "yarn")
    });
    changed("experts", &["mixture of experts is not supported"], |file| {
        file.set_u32("llama.expert_count", 8)
    });
    changed("half", &["RoPE over 4 of 8 dimensions"], |file| file.set_u32("llama.rope.dimension_count", 4));
}

#[test]
fn sizes_that_contradict_or_overflow() {
    let all_ones = u32::MAX;
    let cases: [(&str, u32, &str); 9] = [
        ("llama.block_count", all_ones, "layers is 4294967295"),
        ("llama.block_count", 1 << 20, "1048576 layers are claimed"),
        ("llama.block_count", 0, "layers is 0"),
        ("llama.context_length", 0, "context length is 0"),
        ("llama.embedding_length", 0, "is 0"),
        ("llama.feed_forward_length", all_ones, "feed-forward width is 4294967295"),
        ("llama.attention.head_count", 0, "heads is 0"),
        ("llama.attention.head_count_kv", 3, "4 heads over 3 key-value heads"),
        ("llama.attention.head_count_kv", 0, "key-value heads is 0"),
    ];
    for (key, value, part) in cases {
        changed(&format!("{key} = {value}"), &[part, DAMAGED], |file| {
            file.remove("llama.rope.dimension_count");
            file.set_u32(key, value);
        });
    }
    changed("more layers", &["missing: blk.2.attn_q.weight"], |file| file.set_u32("llama.block_count", 3));
    changed("fewer layers", &["unexpected: blk.1.attn_q.weight"], |file| {
        file.set_u32("llama.block_count", 1)
    });
    changed("odd heads", &["RoPE over 8 of 4 dimensions"], |file| {
        file.set_u32("llama.attention.head_count", 8)
    });
    changed("no layers", &["metadata has no llama.block_count", DAMAGED], |file| {
        file.remove("llama.block_count")
    });
    let negative = Bytes::default().u32(-2i32 as u32);
    changed("-2 layers", &["llama.block_count is not a non-negative integer", DAMAGED], |file| {
        file.set("llama.block_count", 5, negative);
    });
    for theta in [f32::NAN, f32::INFINITY, 0.0, -1.0] {
        changed("theta", &["rope theta", DAMAGED], |file| file.set_f32("llama.rope.freq_base", theta));
    }
    for epsilon in [f32::NAN, -1.0] {
        changed("epsilon", &["norm epsilon", DAMAGED], |file| {
            file.set_f32("llama.attention.layer_norm_rms_epsilon", epsilon);
        });
    }
}

#[test]
fn tokenizers_that_do_not_fit() {
    for pre in ["tekken", "gpt-4o", "Qwen2"] {
        let named = format!("tokenizer.ggml.pre {pre} is not supported; supported: gpt-2, smollm");
        changed("pre", &[&named, "qwen2", "tokenizer.json says how text is cut"], |file| {
            file.set_string("tokenizer.ggml.pre", pre)
        });
    }
    changed(
        "t5",
        &["tokenizer model t5 is not supported; supported: gpt2 (byte-level BPE), llama"],
        |file| {
            file.set_string("tokenizer.ggml.model", "t5");
        },
    );
    changed("no scores", &["no tokenizer.ggml.scores"], |file| {
        file.set_string("tokenizer.ggml.model", "llama");
    });
    changed("no tokens", &["no tokenizer.ggml.tokens"], |file| file.remove("tokenizer.ggml.tokens"));
    changed("no merges", &["no tokenizer.ggml.merges"], |file| file.remove("tokenizer.ggml.merges"));
    changed("merge of one", &["merge \"the\" is not a pair"], |file| {
        file.set_strings("tokenizer.ggml.merges", &["the"]);
    });
    changed("unknown merge", &["tokenizer: "], |file| {
        file.set_strings("tokenizer.ggml.merges", &["zzz the"])
    });
    changed("tokens that are numbers", &["tokenizer.ggml.tokens is not an array of strings"], |file| {
        file.set_u32("tokenizer.ggml.tokens", 1);
    });
    changed("BOS outside", &["tokenizer.ggml.bos_token_id is 288, there are 288 tokens"], |file| {
        file.set_u32("tokenizer.ggml.bos_token_id", 288);
    });
    changed("types for other tokens", &["2 token types for 288 tokens"], |file| {
        file.set("tokenizer.ggml.token_type", 9, Bytes::default().u32(4).u64(2).u32(1).u32(1));
    });
    let names: Vec<String> = (0..400).map(|number| format!("t{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    changed("more tokens than rows", &["400 tokens, the model has embeddings for 288"], |file| {
        file.set_strings("tokenizer.ggml.tokens", &names);
        file.set_strings("tokenizer.ggml.merges", &[]);
        file.remove("tokenizer.ggml.token_type");
    });
}
