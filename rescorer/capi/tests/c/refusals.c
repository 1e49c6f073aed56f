/* Uses every function of the interface wrongly with a tiny model. Exits with 0 if each call was refused with the right status and words.
 * Arguments: model, policy for it with an adapter, an encoder, the adapter, a policy that asks the encoder first. */
#include <math.h>

#include "check.h"

static const RescorerHypothesis hypotheses[] = {
    RESCORER_HYPOTHESIS_INIT("the cat sat", -1.0),
    RESCORER_HYPOTHESIS_INIT("the hat sat", -1.5),
};
static const RescorerList list = {sizeof(RescorerList), NULL, hypotheses, 2, 1, NULL, NULL};

static void models(const char *path) {
    RescorerModel *none = NULL;
    const RescorerModelOptions cpu = on_cpu();
    FAILS(rescorer_model_load(NULL, &cpu, &none), RESCORER_STATUS_NULL_POINTER, "path is NULL");
    FAILS(rescorer_model_load(path, NULL, &none), RESCORER_STATUS_NULL_POINTER, "options (RescorerModelOptions) is NULL");
    FAILS(rescorer_model_load(path, &cpu, NULL), RESCORER_STATUS_NULL_POINTER, "model, where the handle is to be written, is NULL");
    FAILS(rescorer_model_load("nowhere.gguf", &cpu, &none), RESCORER_STATUS_MODEL, "nowhere.gguf");
    FAILS(rescorer_model_load("\xff", &cpu, &none), RESCORER_STATUS_INVALID_UTF8, "path is not UTF-8 from byte 0");

    const int32_t outside[] = {-1, 3, 7, 256, INT32_MIN, INT32_MAX};
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
    FAILS(rescorer_model_load(path, &other, &none), RESCORER_STATUS_ABI_VERSION, "interface version 1, this library has 2");
    other = (RescorerModelOptions){0};
    FAILS(rescorer_model_load(path, &other, &none), RESCORER_STATUS_INVALID_ARGUMENT, "begin with RESCORER_MODEL_OPTIONS_INIT");
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

static void earlier(RescorerModel *model, RescorerAdapter *adapter, const char *encoder_path, const char *alone, const char *both) {
    RescorerModel *encoder = NULL;
    Rescorer *none = NULL;
    const RescorerModelOptions options = on_cpu();
    OK(rescorer_model_load(encoder_path, &options, &encoder));
    FAILS(rescorer_from_policy(model, adapter, both, &none), RESCORER_STATUS_POLICY, "rescorer_from_policy_after");
    FAILS(rescorer_from_policy_after(model, NULL, model, adapter, both, &none), RESCORER_STATUS_POLICY, "model");
    FAILS(rescorer_from_policy_after(encoder, NULL, model, adapter, alone, &none), RESCORER_STATUS_INVALID_ARGUMENT, "earlier_model");
    CHECK(none == NULL);
    OK(rescorer_model_free(encoder));
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
    earlier(model, adapter, arguments[3], arguments[2], arguments[5]);
    OK(rescorer_free(rescorer));
    OK(rescorer_adapter_free(adapter));
    OK(rescorer_model_free(model));
    FAILS(rescorer_model_free(model), RESCORER_STATUS_INVALID_HANDLE, "was it freed");
    puts("ok");
    return 0;
}
