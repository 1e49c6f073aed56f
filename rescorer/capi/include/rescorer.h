/* The second pass for speech recognition, from C.
 *
 * A recogniser hands over its N-best list, a small language model scores every hypothesis, and the better text comes back.
 *
 *   1. rescorer_load            loads a rescorer: a model, its policy (the default one, or one of `rescorer tune`) and adapters
 *   2. rescorer_rescore         rescores a list; rescorer_rescore_batch takes many, rescorer_rescore_json one as JSON
 *   3. rescorer_result_answer   gives the answer; rescorer_result_json the same as JSON
 *   4. rescorer_result_free, rescorer_free
 *
 * Programs that make several rescorers of one model, or load adapters while they run, load the parts one by one:
 * rescorer_model_load, rescorer_adapter_load, then rescorer_from_policy, rescorer_from_cascade_policy or rescorer_new.
 * Programs with more adapters than memory register them in a pool, rescorer_pool_new.
 *
 * Example
 *     cc example.c $(pkg-config --cflags --libs rescorer_c) && ./a.out model.gguf
 *
 *   #include <rescorer.h>
 *   #include <stdio.h>
 *   #include <stdlib.h>
 *
 *   static void check(RescorerStatus status) {
 *       if (status != RESCORER_STATUS_OK) {
 *           fprintf(stderr, "%s\n", rescorer_last_error());
 *           exit(1);
 *       }
 *   }
 *
 *   int main(int count, char **arguments) {
 *       RescorerOptions options = RESCORER_OPTIONS_INIT;   // the default policy; or options.policy = "policy.toml"
 *       Rescorer *rescorer = NULL;
 *       check(rescorer_load(count > 1 ? arguments[1] : "model.gguf", &options, &rescorer));
 *
 *       RescorerHypothesis hypotheses[] = {
 *           RESCORER_HYPOTHESIS_INIT("please right down the address", -4.1),
 *           RESCORER_HYPOTHESIS_INIT("please write down the address", -4.3),
 *       };
 *       RescorerList list = RESCORER_LIST_INIT;
 *       list.hypotheses = hypotheses;
 *       list.count = 2;
 *       list.has_scores = 1;
 *       RescorerResult *result = NULL;
 *       check(rescorer_rescore(rescorer, &list, &result));
 *
 *       const RescorerAnswer *answer = NULL;
 *       check(rescorer_result_answer(result, &answer));
 *       printf("%s (%.0f%%)\n", answer->text, 100 * answer->confidence);
 *       for (size_t at = 0; at < answer->hypothesis_count; at++)
 *           printf("  %8.2f  %s\n", answer->hypotheses[at]->total, answer->hypotheses[at]->text);
 *
 *       check(rescorer_result_free(result));
 *       check(rescorer_free(rescorer));
 *       return 0;
 *   }
 *
 * Errors
 *   Every call that can fail returns a RescorerStatus. After a status other than RESCORER_STATUS_OK nothing was written, and
 *   rescorer_last_error() tells what failed and what helps, until the next failure on the same thread.
 *
 * Ownership
 *   - Lists, texts and options are yours. They are read during the call only and copied where they are needed longer.
 *   - Models, adapters, rescorers, pools and results are handles. Free each once, in any order: a rescorer keeps its model, a pool its
 *     rescorer, a result needs none.
 *   - The answer of a result, its texts, arrays and JSON are the result's. Don't free them. They hold until the result is freed: copy
 *     what you keep longer, and don't free a result while another thread reads its answer.
 *
 * Structs
 *   A struct that you fill begins with its size, so that programs go on working when fields are added. Begin with its macro
 *   (RESCORER_OPTIONS_INIT, RESCORER_LIST_INIT, RESCORER_HYPOTHESIS_INIT, ...), then set fields. A size that was not set, or that no
 *   version had, is refused. A struct that you read may grow at its end: hold it by its address, don't copy it.
 *   Flags are int32_t: 0 is no, any other number is yes.
 *
 * Threads
 *   All functions may be called from any thread. Models, adapters and rescorers never change: threads may share them, and
 *   pools too. After fork() a
 *   child process can't use what its parent loaded and is told so (RESCORER_STATUS_FORKED).
 *
 * What is checked, and what you have to see to
 *   Checked: NULL, handles that were freed or are of another kind, text that is not UTF-8, scores that are not finite, values outside
 *   their range, struct sizes, counts that can't be in memory, texts of more than 16 MB, the version of this header. Pointers need no
 *   alignment.
 *   You see to it: a pointer leads to what its argument asks for, an array has as many elements as its count says, texts end with a NUL
 *   and stay as they are during the call, nothing is read after it was freed, and no exception or longjmp leaves the callback.
 */

#ifndef RESCORER_H
#define RESCORER_H

/* Made by cbindgen from rescorer/capi; `UPDATE_HEADER=1 cargo test -p rescorer-capi --test header` writes it anew. */

#include <stddef.h>
#include <stdint.h>

/* Begin a RescorerOptions with this: the device and the precision that fit best, the default policy, no adapters. */
#define RESCORER_OPTIONS_INIT \
    {sizeof(RescorerOptions), RESCORER_ABI_VERSION, RESCORER_PRECISION_AUTO, RESCORER_DEVICE_AUTO, 0, NULL, NULL, NULL, 0, NULL, NULL, 0, 0, NULL, 0.0}

/* Begin a RescorerNamedAdapter with this. */
#define RESCORER_NAMED_ADAPTER_INIT(name, folder) {sizeof(RescorerNamedAdapter), (name), (folder)}

/* Begin a RescorerModelOptions with this: the device and the precision that fit best. */
#define RESCORER_MODEL_OPTIONS_INIT \
    {sizeof(RescorerModelOptions), RESCORER_ABI_VERSION, RESCORER_PRECISION_AUTO, RESCORER_DEVICE_AUTO, 0}

/* Begin a RescorerWeights with this: no length bonus, no margin. */
#define RESCORER_WEIGHTS_INIT(lm_weight) {sizeof(RescorerWeights), (lm_weight), 0.0, 0.0}

/* Begin a RescorerTuneOptions with this: errors in words, texts as they are, the rule maximum, weights of features. */
#define RESCORER_TUNE_OPTIONS_INIT {sizeof(RescorerTuneOptions), NULL, NULL, NULL, NULL}

/* Begin a RescorerJsonOptions with this: the whole answer, no deadline, no pool. */
#define RESCORER_JSON_OPTIONS_INIT {sizeof(RescorerJsonOptions), RESCORER_WANT_LIST, 0, 0.0, NULL}

/* Begin a RescorerPoolOptions with this: 512 MiB, two adapters read at the same time. */
#define RESCORER_POOL_OPTIONS_INIT {sizeof(RescorerPoolOptions), 0, 0, 0}

/* Begin a RescorerPoolStats with this. */
#define RESCORER_POOL_STATS_INIT {sizeof(RescorerPoolStats), 0, 0, 0, 0, 0, 0}

/* Begin a RescorerHypothesis with this. */
#define RESCORER_HYPOTHESIS_INIT(text, score) {sizeof(RescorerHypothesis), (text), (score)}

/* Begin a RescorerList with this: no hypotheses, no scores, the whole answer, the rescorer's adapter, no context, no deadline, no conversation, no pool. */
#define RESCORER_LIST_INIT {sizeof(RescorerList), NULL, NULL, 0, 0, RESCORER_WANT_LIST, NULL, NULL, NULL, 0.0, NULL, NULL}

/**
 * Version of this interface. It is raised when a program that was compiled with an older header would not work any more; functions and
 * fields that are added do not raise it. `RESCORER_OPTIONS_INIT` and
 * `RESCORER_MODEL_OPTIONS_INIT` hand it to `rescorer_load` and `rescorer_model_load`, which check it.
 */
#define RESCORER_ABI_VERSION 3

/**
 * What a call came to. Other than `RESCORER_STATUS_OK` means that nothing was done and nothing written; `rescorer_last_error` says why,
 * and what helps. Later versions may add values.
 */
enum RescorerStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Done.
   */
  RESCORER_STATUS_OK = 0,
  /**
   * An argument that must not be NULL was.
   */
  RESCORER_STATUS_NULL_POINTER = 1,
  /**
   * A text is not UTF-8.
   */
  RESCORER_STATUS_INVALID_UTF8 = 2,
  /**
   * A handle that was freed, is of another kind, or never was one.
   */
  RESCORER_STATUS_INVALID_HANDLE = 3,
  /**
   * A value outside its range, or settings that exclude each other or don't fit the model or the policy.
   */
  RESCORER_STATUS_INVALID_ARGUMENT = 4,
  /**
   * A list that can't be rescored: no hypotheses, a score that is not finite, a text longer than the model's context, JSON that
   * is none.
   */
  RESCORER_STATUS_INVALID_LIST = 5,
  /**
   * A model that can't be loaded or run.
   */
  RESCORER_STATUS_MODEL = 6,
  /**
   * An adapter that can't be read, or is not for this model.
   */
  RESCORER_STATUS_ADAPTER = 7,
  /**
   * A policy that can't be read, or is not for this model or adapter.
   */
  RESCORER_STATUS_POLICY = 8,
  /**
   * The callback asked to stop.
   */
  RESCORER_STATUS_CANCELLED = 9,
  /**
   * A mistake of ours; please report it.
   */
  RESCORER_STATUS_INTERNAL = 10,
  /**
   * The program was compiled with the header of another interface.
   */
  RESCORER_STATUS_ABI_VERSION = 11,
  /**
   * A process that was forked after the first call has none of the library's threads.
   */
  RESCORER_STATUS_FORKED = 12,
  /**
   * Every number for a handle was given out once: on 32 bits after four billion results.
   */
  RESCORER_STATUS_EXHAUSTED = 13,
  /**
   * A policy that can't be tuned, since no list, or no reference with a word, was given.
   */
  RESCORER_STATUS_JOB = 14,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum RescorerStatus RescorerStatus;
#else
typedef int32_t RescorerStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Arithmetic of the forward pass.
 */
enum RescorerPrecision
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The fastest that keeps the scores nearly the same: int8 on the CPU, 16-bit floats on a GPU that has them.
   */
  RESCORER_PRECISION_AUTO = 0,
  /**
   * 32-bit floats.
   */
  RESCORER_PRECISION_F32 = 1,
  /**
   * Weights of at most 8 bits, on the CPU: a third of the memory, nearly the same scores.
   */
  RESCORER_PRECISION_INT8 = 2,
  /**
   * 16-bit floats, on a GPU that has them.
   */
  RESCORER_PRECISION_F16 = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum RescorerPrecision RescorerPrecision;
#else
typedef int32_t RescorerPrecision;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where to compute.
 */
enum RescorerDevice
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A real GPU that passes the self-test, where the library was built for one, else the CPU.
   */
  RESCORER_DEVICE_AUTO = 0,
  /**
   * The CPU.
   */
  RESCORER_DEVICE_CPU = 1,
  /**
   * A GPU.
   */
  RESCORER_DEVICE_GPU = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum RescorerDevice RescorerDevice;
#else
typedef int32_t RescorerDevice;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How much of an answer is wanted.
 */
enum RescorerWant
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The text with its confidence and its words, and the list in its new order.
   */
  RESCORER_WANT_LIST = 0,
  /**
   * The text with its confidence and its words.
   */
  RESCORER_WANT_ANSWER = 1,
  /**
   * The text alone. Hypotheses that can't win are then not scored to their end, which is faster.
   */
  RESCORER_WANT_TEXT = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum RescorerWant RescorerWant;
#else
typedef int32_t RescorerWant;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A second pass: a model and how it decides. It is small and never changes: make one for each thread, or share one.
 */
typedef struct Rescorer Rescorer;

/**
 * An adapter of one model. It never changes: all threads may use it at once.
 */
typedef struct RescorerAdapter RescorerAdapter;

/**
 * A language model. It never changes: all threads may use it at once.
 */
typedef struct RescorerModel RescorerModel;

/**
 * Adapters of one rescorer that are loaded when lists ask for them, and dropped when others need their memory, the least recently
 * used first. All threads may use it at once. Lists in work keep their adapter, whatever becomes of it here.
 */
typedef struct RescorerPool RescorerPool;

/**
 * The answer for one list.
 */
typedef struct RescorerResult RescorerResult;

/**
 * How a model is loaded. Begin with `RESCORER_MODEL_OPTIONS_INIT`: the device and the precision that fit best.
 */
typedef struct RescorerModelOptions {
  /**
   * Size of this struct, as `RESCORER_MODEL_OPTIONS_INIT` sets it.
   */
  size_t struct_size;
  /**
   * `RESCORER_ABI_VERSION` of the header that the program was compiled with, as `RESCORER_MODEL_OPTIONS_INIT` sets it.
   */
  uint32_t abi_version;
  /**
   * A value of `RescorerPrecision`.
   */
  int32_t precision;
  /**
   * A value of `RescorerDevice`.
   */
  int32_t device;
  /**
   * 0.
   */
  int32_t reserved;
} RescorerModelOptions;

/**
 * The weights of the fusion: `total = first_pass + lm_weight · lm_score + length_bonus · words`. The first-pass best stays unless
 * another's total is more than `margin` above its own. Begin with `RESCORER_WEIGHTS_INIT(lm_weight)`: no bonus, no margin.
 */
typedef struct RescorerWeights {
  /**
   * Size of this struct, as `RESCORER_WEIGHTS_INIT` sets it.
   */
  size_t struct_size;
  /**
   * Weight of the language-model score.
   */
  double lm_weight;
  /**
   * Reward of a word.
   */
  double length_bonus;
  /**
   * Lead that another hypothesis needs; at least 0.
   */
  double margin;
} RescorerWeights;

/**
 * An adapter that lists ask for by its name. Begin with `RESCORER_NAMED_ADAPTER_INIT(name, folder)`.
 */
typedef struct RescorerNamedAdapter {
  /**
   * Size of this struct, as `RESCORER_NAMED_ADAPTER_INIT` sets it; all of an array have the same.
   */
  size_t struct_size;
  /**
   * The name.
   */
  const char *name;
  /**
   * Folder in the files of Hugging Face PEFT. A `policy.toml` in it decides for the adapter's lists.
   */
  const char *folder;
} RescorerNamedAdapter;

/**
 * What a rescorer is made of. Begin with `RESCORER_OPTIONS_INIT`: the device and the precision that fit best, and the default policy.
 * Everything in it stays the caller's and is read during the call only.
 */
typedef struct RescorerOptions {
  /**
   * Size of this struct, as `RESCORER_OPTIONS_INIT` sets it.
   */
  size_t struct_size;
  /**
   * `RESCORER_ABI_VERSION` of the header that the program was compiled with, as `RESCORER_OPTIONS_INIT` sets it.
   */
  uint32_t abi_version;
  /**
   * A value of `RescorerPrecision`.
   */
  int32_t precision;
  /**
   * A value of `RescorerDevice`.
   */
  int32_t device;
  /**
   * Threads of its own to compute with on the CPU; 0 is those that all rescorers share.
   */
  uint32_t threads;
  /**
   * The TOML file that `rescorer_tune` or the command `rescorer tune` wrote. NULL where `weights` or policies of adapters decide, else the default policy.
   */
  const char *policy;
  /**
   * Weights by hand in place of a policy, or NULL.
   */
  const struct RescorerWeights *weights;
  /**
   * The adapters. Lists that ask for none are answered with the one that the policy was tuned with; without a policy with the first.
   * With no adapters, weights or policy that was tuned without it, `smollm2-135m` has the built-in adapter `speech`; an adapter whose
   * folder is "none" leaves it out.
   */
  const struct RescorerNamedAdapter *adapters;
  /**
   * Their number.
   */
  size_t adapter_count;
  /**
   * Model of a cascade's first stage, where the policy is for one; NULL is the one that the policy names.
   */
  const char *cascade_model;
  /**
   * Folder of the first stage's adapter; NULL where the policy names none.
   */
  const char *cascade_adapter;
  /**
   * A flag: whether lists that name no adapter are routed to the one whose domain they seem to be of, or to none. Then there is no
   * `policy`, and lists that go to none are answered by the default policy.
   */
  int32_t route_adapters;
  /**
   * 0.
   */
  int32_t reserved;
  /**
   * File of names and terms, one a line, or NULL. Where words of a list sound like one, a hypothesis with the term joins the list.
   */
  const char *vocabulary;
  /**
   * Share of the answers that may differ from those of an exact search, 0 to 0.1, so that less is computed: of lists with the want
   * `RESCORER_WANT_TEXT` or a deadline. 0 keeps all answers. The policy says what it costs.
   */
  double search_risk;
} RescorerOptions;

/**
 * How much a pool may take. Begin with `RESCORER_POOL_OPTIONS_INIT`.
 */
typedef struct RescorerPoolOptions {
  /**
   * Size of this struct, as `RESCORER_POOL_OPTIONS_INIT` sets it.
   */
  size_t struct_size;
  /**
   * Bytes that loaded adapters may take together; 0 is 512 MiB.
   */
  uint64_t max_bytes;
  /**
   * Adapters that are read at the same time; 0 is 2.
   */
  uint32_t loaders;
  /**
   * 0.
   */
  uint32_t reserved;
} RescorerPoolOptions;

/**
 * What a pool has done so far. Begin with `RESCORER_POOL_STATS_INIT`; `rescorer_pool_stats` sets the rest.
 */
typedef struct RescorerPoolStats {
  /**
   * Size of this struct, as `RESCORER_POOL_STATS_INIT` sets it.
   */
  size_t struct_size;
  /**
   * Adapters that are registered.
   */
  uint64_t registered;
  /**
   * Of these, the loaded ones.
   */
  uint64_t resident;
  /**
   * Bytes that these take.
   */
  uint64_t resident_bytes;
  /**
   * Adapters read so far.
   */
  uint64_t loads;
  /**
   * Adapters that could not be read.
   */
  uint64_t failures;
  /**
   * Adapters that gave way to others.
   */
  uint64_t evictions;
} RescorerPoolStats;

/**
 * A hypothesis of the first pass. Begin with `RESCORER_HYPOTHESIS_INIT(text, score)`.
 */
typedef struct RescorerHypothesis {
  /**
   * Size of this struct, as `RESCORER_HYPOTHESIS_INIT` sets it; all of an array have the same.
   */
  size_t struct_size;
  /**
   * UTF-8; "" is legal.
   */
  const char *text;
  /**
   * Log-probability, natural logarithm, higher is better. Not looked at where the list has no scores.
   */
  double score;
} RescorerHypothesis;

/**
 * An N-best list, best first. Begin with `RESCORER_LIST_INIT`. Everything in it stays the caller's and is read during the call only.
 */
typedef struct RescorerList {
  /**
   * Size of this struct, as `RESCORER_LIST_INIT` sets it; all of an array have the same.
   */
  size_t struct_size;
  /**
   * Names the list in messages and in JSON; NULL is "".
   */
  const char *id;
  /**
   * The hypotheses.
   */
  const struct RescorerHypothesis *hypotheses;
  /**
   * Their number, at least 1.
   */
  size_t count;
  /**
   * A flag, 0 or any other number: whether the hypotheses have scores. Without them a hypothesis counts by its position.
   */
  int32_t has_scores;
  /**
   * A value of `RescorerWant`: how much of an answer is wanted.
   */
  int32_t want;
  /**
   * The adapter for this list, where it was loaded for the rescorer's model by itself; NULL is that of the rescorer.
   */
  const struct RescorerAdapter *adapter;
  /**
   * Name of the adapter for this list, as `RescorerOptions` has it. Its own policy decides, where it has one. NULL is the rescorer's
   * first; then lists are answered as the rescorer's policy says.
   */
  const char *adapter_name;
  /**
   * What the model reads before every hypothesis: earlier turns of a conversation, names that may be said. Lists of one context
   * have it computed once. NULL and "" are none.
   */
  const char *context;
  /**
   * Milliseconds to answer in, on the CPU; 0 is as long as it takes. The answer is then the best that was found in time, without
   * confidences, words and list: `complete` in it says whether more time would have changed nothing.
   */
  double deadline_ms;
  /**
   * Name of the list's conversation; NULL and "" are none. Where lists are routed to adapters, the list before in the conversation
   * counts too.
   */
  const char *conversation;
  /**
   * A pool of the rescorer, in which `adapter_name` is looked for; NULL is none.
   */
  const struct RescorerPool *pool;
} RescorerList;

/**
 * Hears how many lists of a batch are done. 0 stops the batch, any other number goes on. It is called on the thread that rescores, may
 * call functions of this library, and must return: no `longjmp` and no C++ exception leaves it.
 */
typedef int32_t (*RescorerProgress)(size_t done, size_t total, void *user_data);

/**
 * How a list of JSON is answered. Begin with `RESCORER_JSON_OPTIONS_INIT`.
 */
typedef struct RescorerJsonOptions {
  /**
   * Size of this struct, as `RESCORER_JSON_OPTIONS_INIT` sets it.
   */
  size_t struct_size;
  /**
   * A value of `RescorerWant`: how much of an answer is wanted.
   */
  int32_t want;
  /**
   * 0.
   */
  int32_t reserved;
  /**
   * Milliseconds to answer in, as `deadline_ms` of `RescorerList`; 0 is as long as it takes.
   */
  double deadline_ms;
  /**
   * A pool of the rescorer, in which the field `adapter` of the list is looked for; NULL is none.
   */
  const struct RescorerPool *pool;
} RescorerJsonOptions;

/**
 * A distinct hypothesis.
 */
typedef struct RescorerScored {
  /**
   * Size of this struct in the library: a field that a later version added is there if this reaches behind it.
   */
  size_t struct_size;
  /**
   * Its text.
   */
  const char *text;
  /**
   * Its position in the first-pass list, from 0; of texts that repeat the first.
   */
  size_t position;
  /**
   * First-pass score.
   */
  double first_pass;
  /**
   * Language-model score: the sum of the natural logarithms of the probabilities of its tokens. NaN where the model was not asked:
   * the list has one text, or lm_weight is 0.
   */
  double lm_score;
  /**
   * `first_pass + lm_weight · lm_score + length_bonus · words`. NaN where it would need a score that was not computed.
   */
  double total;
  /**
   * Probability that it has no error, where the policy can tell, else its share of the posterior.
   */
  double confidence;
} RescorerScored;

/**
 * A word of the answer.
 */
typedef struct RescorerWord {
  /**
   * Size of this struct in the library.
   */
  size_t struct_size;
  /**
   * The word.
   */
  const char *word;
  /**
   * Probability that it is right, where the policy can tell, else its share of the posterior.
   */
  double confidence;
  /**
   * Where it begins in the recording, in seconds, where the JSON had word times; else NaN.
   */
  double start;
  /**
   * Where it ends; else NaN.
   */
  double end;
} RescorerWord;

/**
 * What was answered. It is the result's, with its texts and arrays, and goes with it.
 */
typedef struct RescorerAnswer {
  /**
   * Size of this struct in the library.
   */
  size_t struct_size;
  /**
   * The better text.
   */
  const char *text;
  /**
   * Position in the first-pass list of the hypothesis that was chosen, or voted on.
   */
  size_t position;
  /**
   * Probability that the text has no error, where the policy can tell, else its share of the posterior. NaN where the text alone
   * was wanted, and where there was a deadline.
   */
  double confidence;
  /**
   * 1 if the text is another than that of the first-pass best, else 0.
   */
  int32_t changed;
  /**
   * 1 if words of several hypotheses were merged into the text, which then stands nowhere in the list, else 0.
   */
  int32_t merged;
  /**
   * Addresses of the distinct hypotheses, best first. There are none where the list was not wanted, or there was a deadline.
   */
  const struct RescorerScored *const *hypotheses;
  /**
   * Their number.
   */
  size_t hypothesis_count;
  /**
   * Addresses of the words of the answer. There are none where `confidence` is NaN.
   */
  const struct RescorerWord *const *words;
  /**
   * Their number.
   */
  size_t word_count;
  /**
   * What is no error, but worth a look: how a field of the JSON was read, or that a number beside every text was not used. NULL if
   * there is nothing, and for lists that came as structs.
   */
  const char *notice;
  /**
   * Language-model score of the chosen hypothesis; NaN where the model was not asked, or there was no time.
   */
  double lm_score;
  /**
   * Fused score of the chosen hypothesis; NaN where it would need a score that was not computed.
   */
  double total;
  /**
   * Distinct hypotheses that were scored, or could not win any more: all, unless a deadline came first.
   */
  size_t decided;
  /**
   * Distinct hypotheses of the list.
   */
  size_t unique;
  /**
   * 1 if more time would not have changed the answer, else 0.
   */
  int32_t complete;
  /**
   * 0.
   */
  int32_t reserved;
  /**
   * Name of the adapter that took part; NULL if none did, or if it was given by its handle.
   */
  const char *adapter;
  /**
   * The policy that decided: its file, "default, version N", or "policy" of `rescorer_from_policy`. NULL for weights given by hand.
   */
  const char *policy;
  /**
   * Probability that the list is for `adapter`, or for none, where it was routed; NaN where it was not.
   */
  double routed;
} RescorerAnswer;

/**
 * What a policy is tuned for. Begin with `RESCORER_TUNE_OPTIONS_INIT`: errors in words, texts as they are, the rule maximum, weights of features. The values
 * are those of the command `rescorer tune`.
 */
typedef struct RescorerTuneOptions {
  /**
   * Size of this struct, as `RESCORER_TUNE_OPTIONS_INIT` sets it.
   */
  size_t struct_size;
  /**
   * Normalisation before texts are compared, as "lower"; NULL is "none".
   */
  const char *normalize;
  /**
   * What errors, confidences and the length bonus count: "word", "character" or "mixed"; NULL is "word".
   */
  const char *unit;
  /**
   * What the policy answers with: "maximum", "mbr" or "merge"; NULL is "maximum".
   */
  const char *rule;
  /**
   * What is fitted: "features", weights near those of the default policy, or "classic", the three numbers of `RescorerWeights`; NULL
   * is "features". Scores that are means, and policies for the first stage of a cascade, need "classic".
   */
  const char *fusion;
} RescorerTuneOptions;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Version of the interface that the library was built with: the `RESCORER_ABI_VERSION` of its own header.
 */
uint32_t rescorer_abi_version(void);

/**
 * Version of the library, as "0.1.0". The text is the library's and holds for ever.
 */
const char *rescorer_version(void);

/**
 * Reads an adapter for a model from a folder in the files of Hugging Face PEFT.
 *
 * # Safety
 * `folder` ends with a NUL; `adapter` points to where the handle is to be written.
 */
RescorerStatus rescorer_adapter_load(const struct RescorerModel *model,
                                     const char *folder,
                                     struct RescorerAdapter **adapter);

/**
 * Frees an adapter. NULL is nothing to do.
 */
RescorerStatus rescorer_adapter_free(struct RescorerAdapter *adapter);

/**
 * Loads a model: a `.gguf` file or a Hugging Face folder. The file is read, not mapped: it may be replaced afterwards, which the next
 * load sees. A program that was compiled with the header of another interface is refused with `RESCORER_STATUS_ABI_VERSION`.
 *
 * # Safety
 * `path` ends with a NUL; `options` was begun with `RESCORER_MODEL_OPTIONS_INIT`; `model` points to where the handle is to be written.
 */
RescorerStatus rescorer_model_load(const char *path,
                                   const struct RescorerModelOptions *options,
                                   struct RescorerModel **model);

/**
 * Frees a model. Rescorers and adapters made from it keep what they need. NULL is nothing to do.
 */
RescorerStatus rescorer_model_free(struct RescorerModel *model);

/**
 * Loads a rescorer in one call: a model, its policy and its adapters. `model` is a `.gguf` file, a Hugging Face folder, or the name of
 * a model that `rescorer models pull` has fetched; the network is not used. A program that was compiled with the header of another
 * interface is refused with `RESCORER_STATUS_ABI_VERSION`.
 *
 * # Safety
 * `model` ends with a NUL; `options` was begun with `RESCORER_OPTIONS_INIT`, and what it points to is as its fields say; `rescorer`
 * points to where the handle is to be written.
 */
RescorerStatus rescorer_load(const char *model,
                             const struct RescorerOptions *options,
                             struct Rescorer **rescorer);

/**
 * Makes an empty pool for a rescorer, which it keeps.
 *
 * # Safety
 * `options` was begun with `RESCORER_POOL_OPTIONS_INIT`; `pool` points to where the handle is to be written.
 */
RescorerStatus rescorer_pool_new(const struct Rescorer *rescorer,
                                 const struct RescorerPoolOptions *options,
                                 struct RescorerPool **pool);

/**
 * Registers a folder with an adapter under a name, in the place of what had that name. Only its settings are read: it is loaded
 * when a list asks for it.
 *
 * # Safety
 * `name` and `folder` end with a NUL.
 */
RescorerStatus rescorer_pool_register(const struct RescorerPool *pool,
                                      const char *name,
                                      const char *folder);

/**
 * Forgets an adapter.
 *
 * # Safety
 * `name` ends with a NUL.
 */
RescorerStatus rescorer_pool_remove(const struct RescorerPool *pool, const char *name);

/**
 * Keeps an adapter in memory once it is loaded; with the flag at 0, lets it go again.
 *
 * # Safety
 * `name` ends with a NUL.
 */
RescorerStatus rescorer_pool_pin(const struct RescorerPool *pool, const char *name, int32_t is_pinned);

/**
 * Loads an adapter before the first list asks for it.
 *
 * # Safety
 * `name` ends with a NUL.
 */
RescorerStatus rescorer_pool_load(const struct RescorerPool *pool, const char *name);

/**
 * Tells what a pool has done so far.
 *
 * # Safety
 * `stats` was begun with `RESCORER_POOL_STATS_INIT`.
 */
RescorerStatus rescorer_pool_stats(const struct RescorerPool *pool, struct RescorerPoolStats *stats);

/**
 * Frees a pool. NULL is nothing to do.
 */
RescorerStatus rescorer_pool_free(struct RescorerPool *pool);

/**
 * Rescores a list.
 *
 * # Safety
 * `list` points to a list whose arrays and texts are as it says; `result` to where the handle is to be written.
 */
RescorerStatus rescorer_rescore(const struct Rescorer *rescorer,
                                const struct RescorerList *list,
                                struct RescorerResult **result);

/**
 * Rescores lists, several in a forward pass, into as many results. Either all are done, or none: after a failure, or when
 * `progress` gave 0, nothing is written to `results`. `progress` may be NULL; so may `lists` and `results` where `count` is 0.
 *
 * # Safety
 * `lists` points to `count` lists, as for `rescorer_rescore`, `results` to room for as many handles; `progress` can be called with
 * `user_data`.
 */
RescorerStatus rescorer_rescore_batch(const struct Rescorer *rescorer,
                                      const struct RescorerList *lists,
                                      size_t count,
                                      RescorerProgress progress,
                                      void *user_data,
                                      struct RescorerResult **results);

/**
 * Rescores a list in native JSON: `{"id": "u1", "hypotheses": [{"text": "...", "score": -1.2}, ...]}`.
 *
 * # Safety
 * `json` ends with a NUL; `result` points to where the handle is to be written.
 */
RescorerStatus rescorer_rescore_json(const struct Rescorer *rescorer,
                                     const char *json,
                                     struct RescorerResult **result);

/**
 * Rescores a list in JSON as `rescorer_rescore_json`, with options: the text alone, a deadline.
 *
 * # Safety
 * As `rescorer_rescore_json`; `options` was begun with `RESCORER_JSON_OPTIONS_INIT`.
 */
RescorerStatus rescorer_rescore_json_with(const struct Rescorer *rescorer,
                                          const char *json,
                                          const struct RescorerJsonOptions *options,
                                          struct RescorerResult **result);

/**
 * Gives the answer of a result. It is the result's: it holds, with all that it points to, until the result is freed.
 *
 * # Safety
 * `answer` points to where the address of the answer is to be written.
 */
RescorerStatus rescorer_result_answer(const struct RescorerResult *result,
                                      const struct RescorerAnswer **answer);

/**
 * The answer as one line of JSON, as `rescorer rescore --nbest --json` writes it. The text holds until the result is freed.
 *
 * # Safety
 * `json` points to where the text's address is to be written.
 */
RescorerStatus rescorer_result_json(const struct RescorerResult *result,
                                    const char **json);

/**
 * Frees a result, and with it its answer. NULL is nothing to do.
 */
RescorerStatus rescorer_result_free(struct RescorerResult *result);

/**
 * Makes a rescorer from weights.
 *
 * # Safety
 * `weights` was begun with `RESCORER_WEIGHTS_INIT`; `rescorer` points to where the handle is to be written.
 */
RescorerStatus rescorer_new(const struct RescorerModel *model,
                            const struct RescorerWeights *weights,
                            struct Rescorer **rescorer);

/**
 * Makes a rescorer that decides as a policy says, the TOML file that `rescorer tune` and `rescorer train` write. `adapter` is the
 * one that the policy was tuned with; NULL where there was none.
 *
 * # Safety
 * `policy` ends with a NUL; `rescorer` points to where the handle is to be written.
 */
RescorerStatus rescorer_from_policy(const struct RescorerModel *model,
                                    const struct RescorerAdapter *adapter,
                                    const char *policy,
                                    struct Rescorer **rescorer);

/**
 * Makes a cascade: a rescorer that decides as a policy says which asks another rescorer first, as `rescorer tune --cascade` writes it.
 * `cascade_model` is the model of that one, `cascade_adapter` its adapter, NULL where there was none. With another policy both are NULL.
 *
 * # Safety
 * As `rescorer_from_policy`.
 */
RescorerStatus rescorer_from_cascade_policy(const struct RescorerModel *cascade_model,
                                            const struct RescorerAdapter *cascade_adapter,
                                            const struct RescorerModel *model,
                                            const struct RescorerAdapter *adapter,
                                            const char *policy,
                                            struct Rescorer **rescorer);

/**
 * Gives what is no error, but worth a look, of how a rescorer was loaded: a GPU that was left for the CPU, an adapter that doesn't say
 * which model it is for. One a line; NULL if there is nothing. The text is the rescorer's: it holds until that is freed.
 *
 * # Safety
 * `warnings` points to where the text's address is to be written.
 */
RescorerStatus rescorer_warnings(const struct Rescorer *rescorer,
                                 const char **warnings);

/**
 * Frees a rescorer. NULL is nothing to do.
 */
RescorerStatus rescorer_free(struct Rescorer *rescorer);

/**
 * Computes a context before the first list that comes with it is there, as while the user still speaks. It is kept until a few
 * others were used.
 *
 * # Safety
 * `context` ends with a NUL.
 */
RescorerStatus rescorer_prepare_context(const struct Rescorer *rescorer,
                                        const char *context);

/**
 * Why the last call of this thread that failed did so, and what helps; "" if none did. The text is the library's, and holds until
 * the next failure on this thread.
 */
const char *rescorer_last_error(void);

/**
 * Sets the number of threads that all models together compute with on the CPU. Before the first model is loaded, once; without it
 * there are as many as cores.
 */
RescorerStatus rescorer_set_threads(uint32_t threads);

/**
 * Finds the policy of least word error rate on lists with references, and writes it to the file `policy`. `lists` is a file in any
 * format that the command `rescorer tune` reads. The rescorer scores them as it is: with its adapter, without its policy.
 *
 * # Safety
 * `lists` and `policy` end with a NUL; `options` was begun with `RESCORER_TUNE_OPTIONS_INIT`, and its texts end with a NUL.
 */
RescorerStatus rescorer_tune(const struct Rescorer *rescorer,
                             const char *lists,
                             const struct RescorerTuneOptions *options,
                             const char *policy);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RESCORER_H */
