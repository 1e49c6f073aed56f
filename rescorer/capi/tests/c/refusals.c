/* Uses every function of the interface wrongly with a tiny model. Exits with 0 if each call was refused with the right status and words.
 * Arguments: model, policy for it with an adapter, an encoder, the adapter, a policy that asks the encoder first. */
#include <math.h>
#include <stddef.h>

#include "pools.h"

static const RescorerHypothesis hypotheses[] = {
    RESCORER_HYPOTHESIS_INIT("the cat sat", -1.0),
    RESCORER_HYPOTHESIS_INIT("the hat sat", -1.5),
};
static const RescorerList list = {sizeof(RescorerList), NULL, hypotheses, 2, 1, RESCORER_WANT_LIST, NULL, NULL, NULL, 0.0, NULL, NULL};

static void models(const char *path) {
    RescorerModel *none = NULL;
    const RescorerModelOptions cpu = on_cpu();
    FAILS(rescorer_model_load(NULL, &cpu, &none), RESCORER_STATUS_NULL_POINTER, "path is NULL");
    FAILS(rescorer_model_load(path, NULL, &none), RESCORER_STATUS_NULL_POINTER, "options (RescorerModelOptions) is NULL");
    FAILS(rescorer_model_load(path, &cpu, NULL), RESCORER_STATUS_NULL_POINTER, "model, where the handle is to be written, is NULL");
    FAILS(rescorer_model_load("nowhere.gguf", &cpu, &none), RESCORER_STATUS_MODEL, "nowhere.gguf");
    FAILS(rescorer_model_load("\xff", &cpu, &none), RESCORER_STATUS_INVALID_UTF8, "path is not UTF-8 from byte 0");

    const int32_t outside[] = {-1, 4, 7, 256, INT32_MIN, INT32_MAX};
    for (size_t at = 0; at < 6; at++) {
        RescorerModelOptions odd = cpu;
        odd.precision = outside[at];
        FAILS(rescorer_model_load(path, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "no value of RescorerPrecision");
        odd = cpu;
        odd.device = outside[at];
        FAILS(rescorer_model_load(path, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "no value of RescorerDevice");
        odd = cpu;
        odd.reserved = outside[at];
        FAILS(rescorer_model_load(path, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "leave it at 0");
    }
    RescorerModelOptions other = cpu;
    other.abi_version = 1;
    FAILS(rescorer_model_load(path, &other, &none), RESCORER_STATUS_ABI_VERSION, "interface version 1, this library has 3");
    other = (RescorerModelOptions){0};
    FAILS(rescorer_model_load(path, &other, &none), RESCORER_STATUS_INVALID_ARGUMENT, "RESCORER_MODEL_OPTIONS_INIT");
    CHECK(none == NULL);
}

static void rescorers(RescorerModel *model, Rescorer *rescorer, const char *policy) {
    Rescorer *none = NULL;
    RescorerAdapter *no_adapter = NULL;
    FAILS(rescorer_adapter_load(model, "nowhere", &no_adapter), RESCORER_STATUS_ADAPTER, "nowhere");
    FAILS(rescorer_adapter_load(model, NULL, &no_adapter), RESCORER_STATUS_NULL_POINTER, "folder is NULL");
    FAILS(rescorer_adapter_load(model, "nowhere", NULL), RESCORER_STATUS_NULL_POINTER, "to be written, is NULL");
    RescorerWeights weights = RESCORER_WEIGHTS_INIT(0.5), odd = RESCORER_WEIGHTS_INIT(NAN);
    FAILS(rescorer_new(model, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "lm_weight is NaN; give a finite number");
    odd = weights;
    odd.length_bonus = INFINITY;
    FAILS(rescorer_new(model, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "length_bonus is inf");
    odd = weights;
    odd.margin = -1.0;
    FAILS(rescorer_new(model, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "margin is -1; give a number that is at least 0");
    odd.struct_size = 0;
    FAILS(rescorer_new(model, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "begin with RESCORER_WEIGHTS_INIT");
    FAILS(rescorer_new(model, NULL, &none), RESCORER_STATUS_NULL_POINTER, "weights (RescorerWeights) is NULL");
    FAILS(rescorer_new(model, &weights, NULL), RESCORER_STATUS_NULL_POINTER, "to be written, is NULL");
    FAILS(rescorer_new((RescorerModel *)rescorer, &weights, &none), RESCORER_STATUS_INVALID_HANDLE, "another kind");
    FAILS(rescorer_from_policy(model, NULL, "nowhere.toml", &none), RESCORER_STATUS_POLICY, "nowhere.toml");
    FAILS(rescorer_from_policy(model, NULL, NULL, &none), RESCORER_STATUS_NULL_POINTER, "policy is NULL");
    FAILS(rescorer_from_policy(model, NULL, policy, &none), RESCORER_STATUS_POLICY, "no adapter");
    FAILS(rescorer_from_policy(model, (RescorerAdapter *)model, policy, &none), RESCORER_STATUS_INVALID_HANDLE, "the adapter");
    CHECK(none == NULL && no_adapter == NULL);
}

/* What stands at the end of a larger struct is no field that this library knows. */
struct larger {
    RescorerList known;
    size_t unknown;
};

static void sizes(Rescorer *rescorer) {
    RescorerResult *result = NULL, *results[2] = {NULL, NULL};
    const size_t odd[] = {0, 1, 8, sizeof(RescorerList) - 1, 4097, SIZE_MAX, (size_t)(uintptr_t)&list};
    for (size_t at = 0; at < 7; at++) {
        RescorerList bad = list;
        bad.struct_size = odd[at];
        FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_ARGUMENT, "begin with RESCORER_LIST_INIT");
        RescorerHypothesis unset[] = {hypotheses[0], hypotheses[1]};
        unset[0].struct_size = odd[at];
        bad = list;
        bad.hypotheses = unset;
        FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_ARGUMENT, "RESCORER_HYPOTHESIS_INIT");
    }
    RescorerHypothesis second[] = {hypotheses[0], hypotheses[1]};
    second[1].struct_size = 0;
    RescorerList bad = list;
    bad.hypotheses = second;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_ARGUMENT, "[1]: struct_size of hypotheses");

    struct larger lists[] = {{list, 0}, {list, 0}};
    lists[0].known.struct_size = lists[1].known.struct_size = sizeof(struct larger);
    OK(rescorer_rescore_batch(rescorer, &lists[0].known, 2, NULL, NULL, results));
    OK(rescorer_result_free(results[0]));
    OK(rescorer_result_free(results[1]));
    lists[1].unknown = 1;
    FAILS(rescorer_rescore_batch(rescorer, &lists[0].known, 2, NULL, NULL, results), RESCORER_STATUS_INVALID_ARGUMENT,
          "a field behind them is set");
    lists[1].known.struct_size = sizeof(RescorerList);
    FAILS(rescorer_rescore_batch(rescorer, &lists[0].known, 2, NULL, NULL, results), RESCORER_STATUS_INVALID_ARGUMENT, "that of [0] is");
    CHECK(result == NULL);
}

/* A list at an odd address is read all the same. */
static void unaligned(Rescorer *rescorer) {
    char room[sizeof(RescorerList) + sizeof(RescorerResult *) + 2];
    memcpy(room + 1, &list, sizeof(list));
    RescorerResult *result = NULL;
    char *place = room + 1 + sizeof(list);
    OK(rescorer_rescore(rescorer, (const RescorerList *)(const void *)(room + 1), (RescorerResult **)(void *)place));
    memcpy(&result, place, sizeof(result));
    OK(rescorer_result_free(result));
}

static void lists(RescorerModel *model, Rescorer *rescorer) {
    RescorerResult *result = NULL;
    FAILS(rescorer_rescore(NULL, &list, &result), RESCORER_STATUS_NULL_POINTER, "the rescorer is NULL");
    FAILS(rescorer_rescore(rescorer, NULL, &result), RESCORER_STATUS_NULL_POINTER, "list (RescorerList) is NULL");
    FAILS(rescorer_rescore(rescorer, &list, NULL), RESCORER_STATUS_NULL_POINTER, "to be written, is NULL");
    FAILS(rescorer_rescore_batch(rescorer, &list, SIZE_MAX, NULL, NULL, &result), RESCORER_STATUS_INVALID_ARGUMENT,
          "can't be in memory");
    RescorerList bad = list;
    bad.count = 0;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_LIST, "no hypotheses");
    bad.count = SIZE_MAX;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_ARGUMENT, "can't be in memory");
    bad.count = PTRDIFF_MAX / sizeof(RescorerHypothesis) + 1;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_ARGUMENT, "can't be in memory");
    bad = list;
    bad.hypotheses = NULL;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_NULL_POINTER, "hypotheses (RescorerHypothesis) is NULL");
    bad = list;
    bad.adapter = (RescorerAdapter *)model;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_HANDLE, "adapter");
    bad = list;
    bad.id = "caf\xe9";
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_UTF8, "the id of a list is not UTF-8 from byte 3");
    bad = list;
    bad.context = "caf\xe9";
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_UTF8, "the context of a list");
    FAILS(rescorer_prepare_context(rescorer, NULL), RESCORER_STATUS_NULL_POINTER, "context is NULL");

    RescorerHypothesis odd[] = {hypotheses[0], RESCORER_HYPOTHESIS_INIT("caf\xe9", -2.0)};
    bad = list;
    bad.hypotheses = odd;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_UTF8, "position 1 is not UTF-8 from byte 3");
    odd[1].text = NULL;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_NULL_POINTER, "the text at position 1 is NULL");
    odd[1].text = "";
    const double no_numbers[] = {NAN, INFINITY, -INFINITY};
    for (size_t at = 0; at < 3; at++) {
        odd[1].score = no_numbers[at];
        FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_LIST, "the score at position 1 is");
    }
    const RescorerList both[] = {list, bad};
    RescorerResult *results[] = {NULL, NULL};
    FAILS(rescorer_rescore_batch(rescorer, both, 2, NULL, NULL, results), RESCORER_STATUS_INVALID_LIST, "list 1: the score at position 1");
    CHECK(results[0] == NULL && results[1] == NULL);
    bad.has_scores = 0;
    OK(rescorer_rescore(rescorer, &bad, &result));
    OK(rescorer_result_free(result));
    result = NULL;

    /* Texts that no context holds: 2 kB are tokenised and found too long, 32 MB are not even tokenised. */
    const size_t lengths[] = {2000, (size_t)32 << 20};
    for (size_t one = 0; one < 2; one++) {
        size_t length = lengths[one];
        char *text = malloc(length + 1);
        CHECK(text != NULL);
        for (size_t at = 0; at < length; at++) {
            text[at] = "so "[at % 3];
        }
        text[length] = '\0';
        odd[1] = (RescorerHypothesis)RESCORER_HYPOTHESIS_INIT(text, -2.0);
        bad = list;
        bad.hypotheses = odd;
        FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_LIST, "position 1");
        CHECK(strstr(rescorer_last_error(), one == 0 ? "tokens" : "bytes") && strstr(rescorer_last_error(), "--") == NULL);
        free(text);
    }

    const char *no_json[] = {"{", "", "[]", "7", "null", "{}", "{\"hypotheses\": []}", "{\"hypotheses\": [{\"text\": 7}]}",
                             "{\"hypotheses\": [{\"text\": \"a\", \"score\": \"x\"}]}"};
    for (size_t at = 0; at < sizeof(no_json) / sizeof(no_json[0]); at++) {
        FAILS(rescorer_rescore_json(rescorer, no_json[at], &result), RESCORER_STATUS_INVALID_LIST, "json");
    }
    RescorerJsonOptions options = RESCORER_JSON_OPTIONS_INIT;
    FAILS(rescorer_rescore_json_with(rescorer, "{}", NULL, &result), RESCORER_STATUS_NULL_POINTER, "options (RescorerJsonOptions)");
    FAILS(rescorer_rescore_json_with(rescorer, "{}", &options, NULL), RESCORER_STATUS_NULL_POINTER, "to be written, is NULL");
    const char *right = "{\"hypotheses\": [{\"text\": \"a cat\"}]}";
    options.want = 3;
    FAILS(rescorer_rescore_json_with(rescorer, right, &options, &result), RESCORER_STATUS_INVALID_ARGUMENT, "RescorerWant; give one from 0 to 2");
    options = (RescorerJsonOptions)RESCORER_JSON_OPTIONS_INIT;
    options.deadline_ms = NAN;
    FAILS(rescorer_rescore_json_with(rescorer, right, &options, &result), RESCORER_STATUS_INVALID_ARGUMENT, "deadline_ms is NaN");
    options = (RescorerJsonOptions)RESCORER_JSON_OPTIONS_INIT;
    options.reserved = 1;
    FAILS(rescorer_rescore_json_with(rescorer, right, &options, &result), RESCORER_STATUS_INVALID_ARGUMENT, "reserved is 1");
    options.struct_size = 0;
    FAILS(rescorer_rescore_json_with(rescorer, right, &options, &result), RESCORER_STATUS_INVALID_ARGUMENT, "begin with RESCORER_JSON_OPTIONS_INIT");
    FAILS(rescorer_warnings(rescorer, NULL), RESCORER_STATUS_NULL_POINTER, "warnings, where the address");
    FAILS(rescorer_rescore_json(rescorer, "\xff", &result), RESCORER_STATUS_INVALID_UTF8, "json is not UTF-8");
    FAILS(rescorer_rescore_json(rescorer, NULL, &result), RESCORER_STATUS_NULL_POINTER, "json is NULL");
    FAILS(rescorer_rescore_json(rescorer, "{}", NULL), RESCORER_STATUS_NULL_POINTER, "to be written, is NULL");
    CHECK(result == NULL);
}

static void handles(Rescorer *rescorer) {
    RescorerResult *result = NULL;
    const RescorerAnswer *answer = NULL;
    const char *json = NULL;
    OK(rescorer_rescore(rescorer, &list, &result));
    FAILS(rescorer_result_answer(result, NULL), RESCORER_STATUS_NULL_POINTER, "to be written, is NULL");
    FAILS(rescorer_result_json(result, NULL), RESCORER_STATUS_NULL_POINTER, "to be written, is NULL");
    FAILS(rescorer_result_answer((RescorerResult *)rescorer, &answer), RESCORER_STATUS_INVALID_HANDLE, "another kind");
    FAILS(rescorer_result_free((RescorerResult *)rescorer), RESCORER_STATUS_INVALID_HANDLE, "another kind");
    FAILS(rescorer_free((Rescorer *)result), RESCORER_STATUS_INVALID_HANDLE, "another kind");
    OK(rescorer_result_free(result));
    FAILS(rescorer_result_answer(result, &answer), RESCORER_STATUS_INVALID_HANDLE, "was it freed");
    FAILS(rescorer_result_json(result, &json), RESCORER_STATUS_INVALID_HANDLE, "was it freed");
    FAILS(rescorer_result_free(result), RESCORER_STATUS_INVALID_HANDLE, "was it freed");
    FAILS(rescorer_result_free((RescorerResult *)(uintptr_t)&list), RESCORER_STATUS_INVALID_HANDLE, "no handle");
    FAILS(rescorer_result_answer(NULL, &answer), RESCORER_STATUS_NULL_POINTER, "the result is NULL");
    CHECK(answer == NULL && json == NULL);
    OK(rescorer_model_free(NULL));
    OK(rescorer_adapter_free(NULL));
    OK(rescorer_free(NULL));
    OK(rescorer_result_free(NULL));
    FAILS(rescorer_set_threads(0), RESCORER_STATUS_INVALID_ARGUMENT, "from 1");
    FAILS(rescorer_set_threads(UINT32_MAX), RESCORER_STATUS_INVALID_ARGUMENT, "from 1");
    FAILS(rescorer_set_threads(1), RESCORER_STATUS_INVALID_ARGUMENT, "before the first model");
}

static void cascades(RescorerModel *model, RescorerAdapter *adapter, const char *encoder_path, const char *alone, const char *both) {
    RescorerModel *encoder = NULL;
    Rescorer *none = NULL;
    const RescorerModelOptions options = on_cpu();
    OK(rescorer_model_load(encoder_path, &options, &encoder));
    FAILS(rescorer_from_policy(model, adapter, both, &none), RESCORER_STATUS_POLICY, "rescorer_from_cascade_policy");
    FAILS(rescorer_from_cascade_policy(model, NULL, model, adapter, both, &none), RESCORER_STATUS_POLICY, "model");
    FAILS(rescorer_from_cascade_policy(encoder, NULL, model, adapter, alone, &none), RESCORER_STATUS_INVALID_ARGUMENT, "cascade_model");
    CHECK(none == NULL);
    OK(rescorer_model_free(encoder));
}

/* Loading in one call, with parts that can't be. */
static void loads(const char *path, const char *policy, const char *adapter_folder) {
    Rescorer *none = NULL;
    const RescorerOptions cpu = parts_on_cpu();
    const RescorerWeights weights = RESCORER_WEIGHTS_INIT(0.5), no_number = RESCORER_WEIGHTS_INIT(NAN);
    FAILS(rescorer_load(NULL, &cpu, &none), RESCORER_STATUS_NULL_POINTER, "model is NULL");
    FAILS(rescorer_load(path, NULL, &none), RESCORER_STATUS_NULL_POINTER, "options (RescorerOptions) is NULL");
    FAILS(rescorer_load(path, &cpu, NULL), RESCORER_STATUS_NULL_POINTER, "to be written, is NULL");
    FAILS(rescorer_load("nowhere.gguf", &cpu, &none), RESCORER_STATUS_MODEL, "nowhere.gguf");
    RescorerOptions odd = cpu;
    odd.abi_version = 2;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_ABI_VERSION, "interface version 2, this library has 3");
    odd = cpu;
    odd.precision = 4;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "precision 4 is no value of RescorerPrecision; give one from 0 to 3");
    odd = cpu;
    odd.threads = UINT32_MAX;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "threads; give a number from 1");
    odd = cpu;
    odd.weights = &no_number;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "lm_weight is NaN");
    odd.weights = &weights;
    odd.policy = policy;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "a policy and weights exclude each other");
    odd = cpu;
    odd.policy = policy;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_POLICY, "(policy of RescorerOptions");
    odd.cascade_model = path;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_POLICY, "the policy was tuned with");
    odd = cpu;
    odd.weights = &weights;
    odd.cascade_model = path;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "no policy asks another rescorer first");
    odd = cpu;
    odd.adapter_count = 1;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_NULL_POINTER, "adapters (RescorerNamedAdapter) is NULL");
    RescorerNamedAdapter adapters[] = {RESCORER_NAMED_ADAPTER_INIT("one", adapter_folder), RESCORER_NAMED_ADAPTER_INIT("one", NULL)};
    odd.adapters = adapters;
    odd.adapter_count = 2;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_NULL_POINTER, "the folder of adapter 1 is NULL");
    adapters[1].folder = adapter_folder;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_ADAPTER, "two adapters are called");
    adapters[1].name = NULL;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_NULL_POINTER, "the name of adapter 1 is NULL");
    adapters[1].struct_size = 0;
    FAILS(rescorer_load(path, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "begin with RESCORER_NAMED_ADAPTER_INIT");
    CHECK(none == NULL);
}

/* What a list may not ask. */
static void requests(Rescorer *rescorer, RescorerAdapter *adapter) {
    RescorerResult *result = NULL;
    RescorerList odd = list;
    const int32_t no_want[] = {-1, 3, 256, INT32_MIN};
    for (size_t at = 0; at < 4; at++) {
        odd.want = no_want[at];
        FAILS(rescorer_rescore(rescorer, &odd, &result), RESCORER_STATUS_INVALID_ARGUMENT, "is no value of RescorerWant; give one from 0 to 2");
    }
    const double no_time[] = {-1.0, NAN, INFINITY, 1e300};
    for (size_t at = 0; at < 4; at++) {
        odd = list;
        odd.deadline_ms = no_time[at];
        FAILS(rescorer_rescore(rescorer, &odd, &result), RESCORER_STATUS_INVALID_ARGUMENT, "deadline_ms is");
    }
    odd = list;
    odd.adapter_name = "caf\xe9";
    FAILS(rescorer_rescore(rescorer, &odd, &result), RESCORER_STATUS_INVALID_UTF8, "adapter_name of a list");
    odd.adapter_name = "one";
    odd.adapter = adapter;
    FAILS(rescorer_rescore(rescorer, &odd, &result), RESCORER_STATUS_INVALID_ARGUMENT, "exclude each other");
    CHECK(result == NULL);
}

static void tunings(Rescorer *rescorer) {
    RescorerTuneOptions options = RESCORER_TUNE_OPTIONS_INIT;
    FAILS(rescorer_tune(rescorer, NULL, &options, "none.toml"), RESCORER_STATUS_NULL_POINTER, "lists is NULL");
    FAILS(rescorer_tune(rescorer, "nowhere.jsonl", &options, NULL), RESCORER_STATUS_NULL_POINTER, "policy is NULL");
    FAILS(rescorer_tune(rescorer, "nowhere.jsonl", NULL, "none.toml"), RESCORER_STATUS_NULL_POINTER, "options (RescorerTuneOptions)");
    FAILS(rescorer_tune(NULL, "nowhere.jsonl", &options, "none.toml"), RESCORER_STATUS_NULL_POINTER, "the rescorer is NULL");
    FAILS(rescorer_tune(rescorer, "nowhere.jsonl", &options, "none.toml"), RESCORER_STATUS_INVALID_LIST, "nowhere.jsonl");
    options.unit = "letter";
    FAILS(rescorer_tune(rescorer, "nowhere.jsonl", &options, "none.toml"), RESCORER_STATUS_INVALID_ARGUMENT, "unit: ");
    options = (RescorerTuneOptions)RESCORER_TUNE_OPTIONS_INIT;
    options.rule = "best";
    FAILS(rescorer_tune(rescorer, "nowhere.jsonl", &options, "none.toml"), RESCORER_STATUS_INVALID_ARGUMENT, "expected maximum, mbr or merge");
    options = (RescorerTuneOptions)RESCORER_TUNE_OPTIONS_INIT;
    options.fusion = "best";
    FAILS(rescorer_tune(rescorer, "nowhere.jsonl", &options, "none.toml"), RESCORER_STATUS_INVALID_ARGUMENT, "expected features or classic");
    /* A program of before the field was there. */
    options.struct_size = offsetof(RescorerTuneOptions, fusion);
    FAILS(rescorer_tune(rescorer, "nowhere.jsonl", &options, "none.toml"), RESCORER_STATUS_INVALID_LIST, "nowhere.jsonl");
    options = (RescorerTuneOptions)RESCORER_TUNE_OPTIONS_INIT;
    options.normalize = "none of them";
    FAILS(rescorer_tune(rescorer, "nowhere.jsonl", &options, "none.toml"), RESCORER_STATUS_INVALID_ARGUMENT, "normalize: ");
}

int main(int count, char **arguments) {
    CHECK(count == 6);
    OK(rescorer_set_threads(2));
    RescorerModel *model = NULL;
    RescorerAdapter *adapter = NULL;
    Rescorer *rescorer = NULL;
    const RescorerModelOptions options = on_cpu();
    const RescorerWeights weights = RESCORER_WEIGHTS_INIT(0.5);
    OK(rescorer_model_load(arguments[1], &options, &model));
    OK(rescorer_adapter_load(model, arguments[4], &adapter));
    OK(rescorer_new(model, &weights, &rescorer));
    models(arguments[1]);
    rescorers(model, rescorer, arguments[2]);
    sizes(rescorer);
    unaligned(rescorer);
    lists(model, rescorer);
    handles(rescorer);
    cascades(model, adapter, arguments[3], arguments[2], arguments[5]);
    loads(arguments[1], arguments[2], arguments[4]);
    requests(rescorer, adapter);
    pool_misused(list, model, rescorer, arguments[4]);
    tunings(rescorer);
    OK(rescorer_free(rescorer));
    OK(rescorer_adapter_free(adapter));
    OK(rescorer_model_free(model));
    FAILS(rescorer_model_free(model), RESCORER_STATUS_INVALID_HANDLE, "was it freed");
    puts("ok");
    return 0;
}
