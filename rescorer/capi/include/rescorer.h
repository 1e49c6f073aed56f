#ifndef RESCORER_H
#define RESCORER_H

/* Made by cbindgen from rescorer/capi/src; `UPDATE_HEADER=1 cargo test -p rescorer-capi --test header` writes it anew. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/**
 * Version of this interface. It is raised when something that is there changes; what is new does not change it.
 */
#define RESCORER_ABI_VERSION 1

/**
 * What a call came to. Other than `RESCORER_STATUS_OK` means that nothing was done; `rescorer_last_error` says why, and what helps.
 */
typedef enum RescorerStatus {
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
   * A value outside its range.
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
} RescorerStatus;

/**
 * Arithmetic of the forward pass.
 */
typedef enum RescorerPrecision {
  /**
   * 32-bit floats.
   */
  RESCORER_PRECISION_F32 = 0,
  /**
   * Weights of at most 8 bits, on the CPU: a third of the memory, nearly the same scores.
   */
  RESCORER_PRECISION_INT8 = 1,
  /**
   * 16-bit floats, on a GPU that has them.
   */
  RESCORER_PRECISION_F16 = 2,
} RescorerPrecision;

/**
 * Where to compute.
 */
typedef enum RescorerDevice {
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
} RescorerDevice;

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
 * The answer for one list.
 */
typedef struct RescorerResult RescorerResult;

/**
 * The weights of the fusion: `total = first_pass + lm_weight · lm_score + length_bonus · words`. The first-pass best stays unless
 * another's total is more than `margin` above its own.
 */
typedef struct RescorerWeights {
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
 * A hypothesis of the first pass.
 */
typedef struct RescorerHypothesis {
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
 * An N-best list, best first. Everything in it stays the caller's and is read during the call only.
 */
typedef struct RescorerList {
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
   * Whether they have scores; without them a hypothesis counts by its position.
   */
  bool has_scores;
  /**
   * The adapter for this list; NULL is that of the rescorer.
   */
  const struct RescorerAdapter *adapter;
  /**
   * What the model reads before every hypothesis: earlier turns of a conversation, names that may be said. Lists of one context
   * have it computed once. NULL and "" are none.
   */
  const char *context;
} RescorerList;

/**
 * Hears how many lists of a batch are done. False stops the batch. It is called on the thread that rescores, and must not unwind.
 */
typedef bool (*RescorerProgress)(size_t done, size_t total, void *user_data);

/**
 * A distinct hypothesis.
 */
typedef struct RescorerScored {
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
   * Language-model score: the sum of the natural logarithms of the probabilities of its tokens.
   */
  double lm_score;
  /**
   * `first_pass + lm_weight · lm_score + length_bonus · words`.
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
   * The word.
   */
  const char *word;
  /**
   * Probability that it is right, where the policy can tell, else its share of the posterior.
   */
  double confidence;
} RescorerWord;

/**
 * What was answered. Its texts and arrays are the result's and go with it.
 */
typedef struct RescorerAnswer {
  /**
   * The better text.
   */
  const char *text;
  /**
   * Position in the first-pass list of the hypothesis that was chosen, or voted on.
   */
  size_t position;
  /**
   * Whether the text is another than that of the first-pass best.
   */
  bool changed;
  /**
   * Probability that the text has no error, where the policy can tell, else its share of the posterior.
   */
  double confidence;
  /**
   * The distinct hypotheses, best first.
   */
  const struct RescorerScored *hypotheses;
  /**
   * Their number.
   */
  size_t hypothesis_count;
  /**
   * The words of the answer.
   */
  const struct RescorerWord *words;
  /**
   * Their number.
   */
  size_t word_count;
} RescorerAnswer;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Version of the interface that the library was built with: compare it with `RESCORER_ABI_VERSION` of the header.
 */
uint32_t rescorer_abi_version(void);

/**
 * Version of the library, as "0.1.0".
 */
const char *rescorer_version(void);

/**
 * Reads an adapter for a model from a folder in the files of Hugging Face PEFT.
 *
 * # Safety
 * `folder` ends with a NUL; `adapter` points to where the handle is to be written.
 */
enum RescorerStatus rescorer_adapter_load(const struct RescorerModel *model,
                                          const char *folder,
                                          struct RescorerAdapter **adapter);

/**
 * Frees an adapter. NULL is nothing to do.
 */
enum RescorerStatus rescorer_adapter_free(struct RescorerAdapter *adapter);

/**
 * Loads a model: a `.gguf` file or a Hugging Face folder. `precision` and `device` are values of `RescorerPrecision` and
 * `RescorerDevice`. The file is read, not mapped: it may be replaced afterwards, which the next load sees.
 *
 * # Safety
 * `path` ends with a NUL; `model` points to where the handle is to be written.
 */
enum RescorerStatus rescorer_model_load(const char *path,
                                        uint32_t precision,
                                        uint32_t device,
                                        struct RescorerModel **model);

/**
 * Frees a model. Rescorers and adapters made from it keep what they need. NULL is nothing to do.
 */
enum RescorerStatus rescorer_model_free(struct RescorerModel *model);

/**
 * Sets the number of threads that all models together compute with on the CPU. Before the first model is loaded, once; without it
 * there are as many as cores.
 */
enum RescorerStatus rescorer_set_threads(uint32_t threads);

/**
 * Makes a rescorer from weights.
 *
 * # Safety
 * `rescorer` points to where the handle is to be written.
 */
enum RescorerStatus rescorer_new(const struct RescorerModel *model,
                                 struct RescorerWeights weights,
                                 struct Rescorer **rescorer);

/**
 * Makes a rescorer that decides as a policy says, the TOML file that `rescorer tune` and `rescorer train` write. `adapter` is the
 * one that the policy was tuned with; NULL where there was none.
 *
 * # Safety
 * `policy` ends with a NUL; `rescorer` points to where the handle is to be written.
 */
enum RescorerStatus rescorer_from_policy(const struct RescorerModel *model,
                                         const struct RescorerAdapter *adapter,
                                         const char *policy,
                                         struct Rescorer **rescorer);

/**
 * The same for a policy that asks another rescorer first, as `rescorer tune --earlier` writes it: `earlier_model` is the model of that
 * one, `earlier_adapter` its adapter, NULL where there was none. With another policy both are NULL.
 *
 * # Safety
 * As `rescorer_from_policy`.
 */
enum RescorerStatus rescorer_from_policy_after(const struct RescorerModel *earlier_model,
                                               const struct RescorerAdapter *earlier_adapter,
                                               const struct RescorerModel *model,
                                               const struct RescorerAdapter *adapter,
                                               const char *policy,
                                               struct Rescorer **rescorer);

/**
 * Frees a rescorer. NULL is nothing to do.
 */
enum RescorerStatus rescorer_free(struct Rescorer *rescorer);

/**
 * Rescores a list.
 *
 * # Safety
 * `list` points to a list whose arrays and texts are as it says; `result` to where the handle is to be written.
 */
enum RescorerStatus rescorer_rescore(const struct Rescorer *rescorer,
                                     const struct RescorerList *list,
                                     struct RescorerResult **result);

/**
 * Rescores lists, several in a forward pass, into as many results. Either all are done, or none: after a failure, or when
 * `progress` said false, nothing is written to `results`. `progress` may be NULL.
 *
 * # Safety
 * `lists` points to `count` lists, as for `rescorer_rescore`, `results` to room for as many handles; `progress` can be called with
 * `user_data`.
 */
enum RescorerStatus rescorer_rescore_batch(const struct Rescorer *rescorer,
                                           const struct RescorerList *lists,
                                           size_t count,
                                           RescorerProgress progress,
                                           void *user_data,
                                           struct RescorerResult **results);

/**
 * Computes a context before the first list that comes with it is there, as while the user still speaks. It is kept until a few
 * others were used.
 *
 * # Safety
 * `context` ends with a NUL.
 */
enum RescorerStatus rescorer_prepare_context(const struct Rescorer *rescorer,
                                             const char *context);

/**
 * Rescores a list in native JSON: `{"id": "u1", "hypotheses": [{"text": "...", "score": -1.2}, ...]}`.
 *
 * # Safety
 * `json` ends with a NUL; `result` points to where the handle is to be written.
 */
enum RescorerStatus rescorer_rescore_json(const struct Rescorer *rescorer,
                                          const char *json,
                                          struct RescorerResult **result);

/**
 * Looks at an answer. What it points to holds until the result is freed.
 *
 * # Safety
 * `answer` points to where it is to be written.
 */
enum RescorerStatus rescorer_result_answer(const struct RescorerResult *result,
                                           struct RescorerAnswer *answer);

/**
 * The answer as one line of JSON, as `rescorer rescore --nbest --json` writes it. The text holds until the result is freed.
 *
 * # Safety
 * `json` points to where the text's address is to be written.
 */
enum RescorerStatus rescorer_result_json(const struct RescorerResult *result,
                                         const char **json);

/**
 * Frees a result. NULL is nothing to do.
 */
enum RescorerStatus rescorer_result_free(struct RescorerResult *result);

/**
 * Why the last call of this thread that failed did so, and what helps; "" if none did. The text is the library's, and holds until
 * the next failure on this thread.
 */
const char *rescorer_last_error(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RESCORER_H */
