/* Uses every function of the interface with a tiny model, rightly and wrongly. Exits with 0 if all was as it should be.
 * Arguments: model, adapter, policy, an encoder, a policy that asks it first, number of threads, calls of each thread. */
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rescorer.h"

#define CHECK(condition)                                                                                   \
    do {                                                                                                   \
        if (!(condition)) {                                                                                \
            fprintf(stderr, "line %d: %s; last error: %s\n", __LINE__, #condition, rescorer_last_error()); \
            exit(1);                                                                                       \
        }                                                                                                  \
    } while (0)

#define OK(call) CHECK((call) == RESCORER_STATUS_OK)

/* The call fails with this status, and its message has this in it. */
#define FAILS(call, status, part)                           \
    do {                                                    \
        CHECK((call) == (status));                          \
        CHECK(strstr(rescorer_last_error(), part) != NULL); \
    } while (0)

static const RescorerHypothesis hypotheses[] = {{"the cat sat", -1.0}, {"the hat sat", -1.5}, {"a cat sat", -2.5}};
static const RescorerList list = {.id = "u1", .hypotheses = hypotheses, .count = 3, .has_scores = true};

struct job {
    RescorerModel *model;
    int calls;
    double total;
};

static void *work(void *data) {
    struct job *job = data;
    Rescorer *rescorer = NULL;
    OK(rescorer_new(job->model, (RescorerWeights){0.5, 0.0, 0.0}, &rescorer));
    for (int call = 0; call < job->calls; call++) {
        RescorerResult *result = NULL;
        RescorerAnswer answer;
        OK(rescorer_rescore(rescorer, &list, &result));
        OK(rescorer_result_answer(result, &answer));
        CHECK(call == 0 || job->total == answer.hypotheses[0].total);
        job->total = answer.hypotheses[0].total;
        OK(rescorer_result_free(result));
    }
    OK(rescorer_free(rescorer));
    return NULL;
}

static bool go_on(size_t done, size_t total, void *user_data) {
    size_t *heard = user_data;
    CHECK(done > *heard && done <= total);
    *heard = done;
    return true;
}

static bool stop(size_t done, size_t total, void *user_data) {
    (void)done, (void)total, (void)user_data;
    return false;
}

static void answers(Rescorer *rescorer, RescorerAdapter *adapter) {
    RescorerResult *result = NULL;
    RescorerAnswer answer;
    OK(rescorer_rescore(rescorer, &list, &result));
    OK(rescorer_result_answer(result, &answer));
    CHECK(answer.hypothesis_count == 3 && answer.word_count == 3);
    CHECK(strcmp(answer.text, answer.hypotheses[0].text) == 0 && answer.position == answer.hypotheses[0].position);
    CHECK(answer.changed == (answer.position != 0));
    CHECK(strcmp(answer.words[1].word, answer.position == 1 ? "hat" : "cat") == 0);
    for (size_t at = 0; at < answer.hypothesis_count; at++) {
        const RescorerScored *scored = &answer.hypotheses[at];
        CHECK(scored->first_pass == hypotheses[scored->position].score && scored->lm_score < 0);
        CHECK(fabs(scored->total - (scored->first_pass + 0.5 * scored->lm_score)) < 1e-9);
        CHECK(scored->confidence >= 0 && scored->confidence <= 1);
        CHECK(at == 0 || scored->total <= scored[-1].total);
    }
    const char *json = NULL, *again = NULL;
    OK(rescorer_result_json(result, &json));
    OK(rescorer_result_json(result, &again));
    CHECK(json == again && strncmp(json, "{\"utterance\":\"u1\",\"text\":\"", 26) == 0);

    RescorerResult *other = NULL;
    const char *other_json = NULL;
    OK(rescorer_rescore_json(rescorer,
                             "{\"id\": \"u1\", \"hypotheses\": [{\"text\": \"the cat sat\", \"score\": -1.0},"
                             " {\"text\": \"the hat sat\", \"score\": -1.5}, {\"text\": \"a cat sat\", \"score\": -2.5}]}",
                             &other));
    OK(rescorer_result_json(other, &other_json));
    CHECK(strcmp(json, other_json) == 0);
    OK(rescorer_result_free(other));

    /* A batch: as one by one, with an adapter for one of its lists. */
    RescorerList lists[130];
    RescorerResult *results[130] = {NULL};
    for (size_t at = 0; at < 130; at++) {
        lists[at] = list;
    }
    lists[1].adapter = adapter;
    size_t heard = 0;
    OK(rescorer_rescore_batch(rescorer, lists, 130, go_on, &heard, results));
    CHECK(heard == 130);
    for (size_t at = 0; at < 130; at++) {
        RescorerAnswer found;
        OK(rescorer_result_answer(results[at], &found));
        bool same = fabs(found.hypotheses[0].total - answer.hypotheses[0].total) < 1e-4;
        CHECK(same == (at != 1));
        OK(rescorer_result_free(results[at]));
    }
    OK(rescorer_result_free(result));
    FAILS(rescorer_result_answer(result, &answer), RESCORER_STATUS_INVALID_HANDLE, "was it freed");
    FAILS(rescorer_result_free(result), RESCORER_STATUS_INVALID_HANDLE, "was it freed");

    RescorerResult *none = NULL;
    FAILS(rescorer_rescore_batch(rescorer, lists, 130, stop, NULL, &none), RESCORER_STATUS_CANCELLED, "after 64 of 130");
    CHECK(none == NULL);
    OK(rescorer_rescore_batch(rescorer, NULL, 0, NULL, NULL, NULL));
}

/* A context changes scores, the same whether it was prepared or not, and whichever way it comes in. */
static void context(Rescorer *rescorer) {
    RescorerAnswer without, within, from_json;
    RescorerResult *results[3] = {NULL};
    RescorerList turn = list;
    turn.context = "a cat";
    OK(rescorer_prepare_context(rescorer, "a cat"));
    OK(rescorer_rescore(rescorer, &list, &results[0]));
    OK(rescorer_rescore(rescorer, &turn, &results[1]));
    const char *json = "{\"id\": \"u1\", \"context\": \"a cat\", \"hypotheses\": [{\"text\": \"the cat sat\", \"score\": -1.0}, "
                       "{\"text\": \"the hat sat\", \"score\": -1.5}, {\"text\": \"a cat sat\", \"score\": -2.5}]}";
    OK(rescorer_rescore_json(rescorer, json, &results[2]));
    OK(rescorer_result_answer(results[0], &without));
    OK(rescorer_result_answer(results[1], &within));
    OK(rescorer_result_answer(results[2], &from_json));
    CHECK(fabs(without.hypotheses[0].total - within.hypotheses[0].total) > 1e-3);
    CHECK(within.position == from_json.position && within.hypotheses[0].total == from_json.hypotheses[0].total);
    for (int at = 0; at < 3; at++) {
        OK(rescorer_result_free(results[at]));
    }
    turn.context = "caf\xe9";
    FAILS(rescorer_rescore(rescorer, &turn, &results[0]), RESCORER_STATUS_INVALID_UTF8, "context of a list");
    FAILS(rescorer_prepare_context(rescorer, NULL), RESCORER_STATUS_NULL_POINTER, "context is NULL");
}

/* What the encoder adds to the first pass is in the totals, and without it the policy is refused. */
static void after(RescorerModel *model, RescorerAdapter *adapter, const char *encoder_path, const char *alone_policy,
                  const char *policy) {
    RescorerModel *encoder = NULL;
    Rescorer *first = NULL, *alone = NULL, *both = NULL, *none = NULL;
    RescorerResult *results[3] = {NULL};
    RescorerAnswer by_first, by_alone, by_both;
    OK(rescorer_model_load(encoder_path, RESCORER_PRECISION_F32, RESCORER_DEVICE_CPU, &encoder));
    OK(rescorer_new(encoder, (RescorerWeights){0.25, 0.0, 0.0}, &first));
    OK(rescorer_from_policy(model, adapter, alone_policy, &alone));
    OK(rescorer_from_policy_after(encoder, NULL, model, adapter, policy, &both));
    OK(rescorer_rescore(first, &list, &results[0]));
    OK(rescorer_rescore(alone, &list, &results[1]));
    OK(rescorer_rescore(both, &list, &results[2]));
    OK(rescorer_result_answer(results[0], &by_first));
    OK(rescorer_result_answer(results[1], &by_alone));
    OK(rescorer_result_answer(results[2], &by_both));
    for (size_t position = 0; position < 3; position++) {
        double expected = -hypotheses[position].score, found = 0.0;
        for (size_t at = 0; at < 3; at++) {
            expected += by_first.hypotheses[at].position == position ? by_first.hypotheses[at].total : 0.0;
            expected += by_alone.hypotheses[at].position == position ? by_alone.hypotheses[at].total : 0.0;
            found += by_both.hypotheses[at].position == position ? by_both.hypotheses[at].total : 0.0;
        }
        CHECK(fabs(found - expected) < 1e-4);
    }
    for (int at = 0; at < 3; at++) {
        OK(rescorer_result_free(results[at]));
    }
    FAILS(rescorer_from_policy(model, adapter, policy, &none), RESCORER_STATUS_POLICY, "rescorer_from_policy_after");
    FAILS(rescorer_from_policy_after(model, NULL, model, adapter, policy, &none), RESCORER_STATUS_POLICY, "model");
    FAILS(rescorer_from_policy_after(encoder, NULL, model, adapter, alone_policy, &none), RESCORER_STATUS_INVALID_ARGUMENT,
          "earlier_model");
    CHECK(none == NULL);
    OK(rescorer_free(first));
    OK(rescorer_free(alone));
    OK(rescorer_free(both));
    OK(rescorer_model_free(encoder));
}

static void refusals(RescorerModel *model, Rescorer *rescorer, const char *model_path, const char *policy) {
    RescorerModel *no_model = NULL;
    FAILS(rescorer_model_load(NULL, 0, 1, &no_model), RESCORER_STATUS_NULL_POINTER, "path is NULL");
    FAILS(rescorer_model_load(model_path, 0, 1, NULL), RESCORER_STATUS_NULL_POINTER, "model is to be written");
    FAILS(rescorer_model_load("nowhere.gguf", 0, 1, &no_model), RESCORER_STATUS_MODEL, "nowhere.gguf");
    FAILS(rescorer_model_load(model_path, 7, 1, &no_model), RESCORER_STATUS_INVALID_ARGUMENT, "precision 7");
    FAILS(rescorer_model_load(model_path, 0, 9, &no_model), RESCORER_STATUS_INVALID_ARGUMENT, "device 9");
    FAILS(rescorer_model_load("\xff", 0, 1, &no_model), RESCORER_STATUS_INVALID_UTF8, "from byte 0");
    CHECK(no_model == NULL);

    RescorerAdapter *no_adapter = NULL;
    FAILS(rescorer_adapter_load(model, "nowhere", &no_adapter), RESCORER_STATUS_ADAPTER, "nowhere");
    Rescorer *no_rescorer = NULL;
    RescorerWeights weights = {0.5, 0.0, 0.0}, odd = {NAN, 0.0, 0.0}, low = {0.5, 0.0, -1.0};
    FAILS(rescorer_new(model, odd, &no_rescorer), RESCORER_STATUS_INVALID_ARGUMENT, "finite");
    FAILS(rescorer_new(model, low, &no_rescorer), RESCORER_STATUS_INVALID_ARGUMENT, "at least 0");
    FAILS(rescorer_new((RescorerModel *)rescorer, weights, &no_rescorer), RESCORER_STATUS_INVALID_HANDLE, "another kind");
    FAILS(rescorer_from_policy(model, NULL, "nowhere.toml", &no_rescorer), RESCORER_STATUS_POLICY, "nowhere.toml");
    FAILS(rescorer_from_policy(model, NULL, policy, &no_rescorer), RESCORER_STATUS_POLICY, "no adapter");
    CHECK(no_rescorer == NULL);

    RescorerResult *result = NULL;
    FAILS(rescorer_rescore(NULL, &list, &result), RESCORER_STATUS_NULL_POINTER, "rescorer is NULL");
    FAILS(rescorer_rescore(rescorer, NULL, &result), RESCORER_STATUS_NULL_POINTER, "lists is NULL");
    FAILS(rescorer_rescore(rescorer, &list, NULL), RESCORER_STATUS_NULL_POINTER, "to be written");
    RescorerList bad = list;
    bad.count = 0;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_LIST, "no hypotheses");
    bad.count = SIZE_MAX;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_ARGUMENT, "can't be in memory");
    bad = list;
    bad.hypotheses = NULL;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_NULL_POINTER, "hypotheses is NULL");
    bad = list;
    bad.adapter = (RescorerAdapter *)model;
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_HANDLE, "adapter");
    RescorerHypothesis odd_text[] = {{"fine", -1.0}, {"caf\xe9", -2.0}};
    bad = (RescorerList){.hypotheses = odd_text, .count = 2, .has_scores = true};
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_UTF8, "position 1 is not UTF-8 from byte 3");
    odd_text[1] = (RescorerHypothesis){NULL, -2.0};
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_NULL_POINTER, "position 1");
    odd_text[1] = (RescorerHypothesis){"", NAN};
    FAILS(rescorer_rescore(rescorer, &bad, &result), RESCORER_STATUS_INVALID_LIST, "finite");
    bad.has_scores = false;
    OK(rescorer_rescore(rescorer, &bad, &result));
    OK(rescorer_result_free(result));
    result = NULL;
    FAILS(rescorer_rescore_json(rescorer, "{", &result), RESCORER_STATUS_INVALID_LIST, "json");
    FAILS(rescorer_rescore_json(rescorer, "", &result), RESCORER_STATUS_INVALID_LIST, "json");
    CHECK(result == NULL);
    FAILS(rescorer_set_threads(0), RESCORER_STATUS_INVALID_ARGUMENT, "from 1");
    FAILS(rescorer_set_threads(1), RESCORER_STATUS_INVALID_ARGUMENT, "before the first model");
    OK(rescorer_model_free(NULL));
    OK(rescorer_result_free(NULL));
}

int main(int count, char **arguments) {
    CHECK(count == 8);
    CHECK(rescorer_abi_version() == RESCORER_ABI_VERSION && strlen(rescorer_version()) >= 5);
    CHECK(strcmp(rescorer_last_error(), "") == 0);
    OK(rescorer_set_threads(2));
    RescorerModel *model = NULL;
    OK(rescorer_model_load(arguments[1], RESCORER_PRECISION_F32, RESCORER_DEVICE_CPU, &model));
    RescorerAdapter *adapter = NULL;
    OK(rescorer_adapter_load(model, arguments[2], &adapter));
    Rescorer *rescorer = NULL, *tuned = NULL;
    OK(rescorer_new(model, (RescorerWeights){0.5, 0.0, 0.0}, &rescorer));
    OK(rescorer_from_policy(model, adapter, arguments[3], &tuned));
    RescorerResult *result = NULL;
    OK(rescorer_rescore(tuned, &list, &result));
    OK(rescorer_result_free(result));
    OK(rescorer_free(tuned));
    answers(rescorer, adapter);
    context(rescorer);
    after(model, adapter, arguments[4], arguments[3], arguments[5]);
    refusals(model, rescorer, arguments[1], arguments[3]);

    int threads = atoi(arguments[6]);
    pthread_t started[64];
    struct job jobs[64];
    CHECK(threads >= 1 && threads <= 64);
    for (int at = 0; at < threads; at++) {
        jobs[at] = (struct job){model, atoi(arguments[7]), 0.0};
        CHECK(pthread_create(&started[at], NULL, work, &jobs[at]) == 0);
    }
    for (int at = 0; at < threads; at++) {
        CHECK(pthread_join(started[at], NULL) == 0);
        CHECK(jobs[at].total == jobs[0].total);
    }
    /* The model goes first: what was made from it keeps what it needs. */
    OK(rescorer_model_free(model));
    OK(rescorer_rescore(rescorer, &list, &result));
    OK(rescorer_result_free(result));
    OK(rescorer_free(rescorer));
    OK(rescorer_adapter_free(adapter));
    FAILS(rescorer_model_free(model), RESCORER_STATUS_INVALID_HANDLE, "was it freed");
    puts("ok");
    return 0;
}
