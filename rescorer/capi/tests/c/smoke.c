/* Uses every function of the interface with a tiny model, as it should be used. Exits with 0 if all was as it should be.
 * Arguments: model, adapter, policy, an encoder, a policy that asks it first, number of threads, calls of each thread, and any number of
 * policies without an adapter, each with the text that it answers the list of `by_rule` with. */
#include <math.h>
#include <pthread.h>

#include "check.h"

static const RescorerHypothesis hypotheses[] = {
    RESCORER_HYPOTHESIS_INIT("the cat sat", -1.0),
    RESCORER_HYPOTHESIS_INIT("the hat sat", -1.5),
    RESCORER_HYPOTHESIS_INIT("a cat sat", -2.5),
};
static const RescorerList list = {sizeof(RescorerList), "u1", hypotheses, 3, 1, NULL, NULL};
static const RescorerWeights half = RESCORER_WEIGHTS_INIT(0.5);

struct job {
    RescorerModel *model;
    int calls;
    double total;
};

static void *work(void *data) {
    struct job *job = data;
    Rescorer *rescorer = NULL;
    OK(rescorer_new(job->model, &half, &rescorer));
    for (int call = 0; call < job->calls; call++) {
        RescorerResult *result = NULL;
        const RescorerAnswer *answer = NULL;
        OK(rescorer_rescore(rescorer, &list, &result));
        OK(rescorer_result_answer(result, &answer));
        CHECK(call == 0 || job->total == answer->hypotheses[0]->total);
        job->total = answer->hypotheses[0]->total;
        OK(rescorer_result_free(result));
    }
    OK(rescorer_free(rescorer));
    return NULL;
}

static int32_t go_on(size_t done, size_t total, void *user_data) {
    size_t *heard = user_data;
    CHECK(done > *heard && done <= total);
    *heard = done;
    return 256; /* what a byte would lose */
}

static int32_t stop(size_t done, size_t total, void *user_data) {
    (void)done, (void)total, (void)user_data;
    return 0;
}

/* Any number but 0 says that there are scores, also one whose lowest byte is 0. */
static void flags(Rescorer *rescorer) {
    const int32_t set[] = {1, 2, 256, -1, INT32_MIN};
    RescorerList flagged = list;
    RescorerResult *result = NULL;
    const RescorerAnswer *answer = NULL;
    for (size_t at = 0; at < 5; at++) {
        flagged.has_scores = set[at];
        OK(rescorer_rescore(rescorer, &flagged, &result));
        OK(rescorer_result_answer(result, &answer));
        for (size_t one = 0; one < 3; one++) {
            CHECK(answer->hypotheses[one]->first_pass == hypotheses[answer->hypotheses[one]->position].score);
        }
        OK(rescorer_result_free(result));
    }
    flagged.has_scores = 0;
    OK(rescorer_rescore(rescorer, &flagged, &result));
    OK(rescorer_result_answer(result, &answer));
    for (size_t one = 0; one < 3; one++) {
        CHECK(answer->hypotheses[one]->first_pass == -(double)answer->hypotheses[one]->position);
    }
    OK(rescorer_result_free(result));
}

static void answers(Rescorer *rescorer, RescorerAdapter *adapter) {
    RescorerResult *result = NULL;
    const RescorerAnswer *answer = NULL;
    OK(rescorer_rescore(rescorer, &list, &result));
    OK(rescorer_result_answer(result, &answer));
    CHECK(answer->struct_size == sizeof(RescorerAnswer) && answer->reserved == 0);
    CHECK(answer->hypothesis_count == 3 && answer->word_count == 3);
    CHECK(answer->hypotheses[2]->struct_size == sizeof(RescorerScored) && answer->words[2]->struct_size == sizeof(RescorerWord));
    CHECK(strcmp(answer->text, answer->hypotheses[0]->text) == 0 && answer->position == answer->hypotheses[0]->position);
    CHECK(answer->changed == (answer->position != 0));
    CHECK(strcmp(answer->words[1]->word, answer->position == 1 ? "hat" : "cat") == 0);
    for (size_t at = 0; at < answer->hypothesis_count; at++) {
        const RescorerScored *scored = answer->hypotheses[at];
        CHECK(scored->first_pass == hypotheses[scored->position].score && scored->lm_score < 0);
        CHECK(fabs(scored->total - (scored->first_pass + 0.5 * scored->lm_score)) < 1e-9);
        CHECK(scored->confidence >= 0 && scored->confidence <= 1);
        CHECK(at == 0 || scored->total <= answer->hypotheses[at - 1]->total);
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
        const RescorerAnswer *found = NULL;
        OK(rescorer_result_answer(results[at], &found));
        int same = fabs(found->hypotheses[0]->total - answer->hypotheses[0]->total) < 1e-4;
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

/* What the library did not use, or read in its own way, is said. */
static void notices(Rescorer *rescorer) {
    const char *jsons[] = {
        "{\"hypotheses\": [{\"text\": \"a cat\", \"score\": -1.0}, {\"text\": \"a hat\", \"score\": -2.0}]}",
        "{\"hypotheses\": [{\"text\": \"a cat\", \"score\": 1.0}, {\"text\": \"a hat\", \"score\": 2.0}, {\"text\": \"a mat\", \"score\": 3.0}]}",
        "{\"hypotheses\": [{\"text\": \"a cat\", \"rank_value\": -1.5}, {\"text\": \"a hat\", \"rank_value\": -2.5}]}",
    };
    const char *said[] = {NULL, NULL, "`rank_value` is a number beside every text and is not used"};
    for (int at = 0; at < 3; at++) {
        RescorerResult *result = NULL;
        const RescorerAnswer *answer = NULL;
        OK(rescorer_rescore_json(rescorer, jsons[at], &result));
        OK(rescorer_result_answer(result, &answer));
        CHECK(said[at] ? answer->notice && strstr(answer->notice, said[at]) : answer->notice == NULL);
        OK(rescorer_result_free(result));
    }
}

/* A context changes scores, the same whether it was prepared or not, and whichever way it comes in. */
static void context(Rescorer *rescorer) {
    const RescorerAnswer *without, *within, *from_json;
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
    CHECK(fabs(without->hypotheses[0]->total - within->hypotheses[0]->total) > 1e-3);
    CHECK(within->position == from_json->position && within->hypotheses[0]->total == from_json->hypotheses[0]->total);
    for (int at = 0; at < 3; at++) {
        OK(rescorer_result_free(results[at]));
    }
}

/* What the encoder adds to the first pass is in the totals, and without it the policy is refused. */
static void after(RescorerModel *model, RescorerAdapter *adapter, const char *encoder_path, const char *alone_policy,
                  const char *policy) {
    RescorerModel *encoder = NULL;
    Rescorer *first = NULL, *alone = NULL, *both = NULL, *none = NULL;
    RescorerResult *results[3] = {NULL};
    const RescorerAnswer *by_first, *by_alone, *by_both;
    const RescorerModelOptions options = on_cpu();
    const RescorerWeights quarter = RESCORER_WEIGHTS_INIT(0.25);
    OK(rescorer_model_load(encoder_path, &options, &encoder));
    OK(rescorer_new(encoder, &quarter, &first));
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
            expected += by_first->hypotheses[at]->position == position ? by_first->hypotheses[at]->total : 0.0;
            expected += by_alone->hypotheses[at]->position == position ? by_alone->hypotheses[at]->total : 0.0;
            found += by_both->hypotheses[at]->position == position ? by_both->hypotheses[at]->total : 0.0;
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

/* The answer is that of the policy's rule, whichever way the list comes in. */
static void by_rule(RescorerModel *model, const char *policy, const char *expected) {
    const RescorerHypothesis spread[] = {
        RESCORER_HYPOTHESIS_INIT("a hat", -1.0),
        RESCORER_HYPOTHESIS_INIT("the cat sat on that", -1.1),
        RESCORER_HYPOTHESIS_INIT("the cat sat on mats", -1.1),
        RESCORER_HYPOTHESIS_INIT("the cats sat on that", -1.2),
        RESCORER_HYPOTHESIS_INIT("the cat sit on that mat", -1.2),
    };
    const char *json = "{\"hypotheses\": [{\"text\": \"a hat\", \"score\": -1.0}, {\"text\": \"the cat sat on that\", \"score\": -1.1}, "
                       "{\"text\": \"the cat sat on mats\", \"score\": -1.1}, {\"text\": \"the cats sat on that\", \"score\": -1.2}, "
                       "{\"text\": \"the cat sit on that mat\", \"score\": -1.2}]}";
    RescorerList lists[2] = {RESCORER_LIST_INIT, RESCORER_LIST_INIT};
    lists[0].hypotheses = spread;
    lists[0].count = 5;
    lists[0].has_scores = 1;
    lists[1] = lists[0];
    Rescorer *rescorer = NULL;
    RescorerResult *results[4] = {NULL};
    OK(rescorer_from_policy(model, NULL, policy, &rescorer));
    OK(rescorer_rescore(rescorer, &lists[0], &results[0]));
    OK(rescorer_rescore_json(rescorer, json, &results[1]));
    OK(rescorer_rescore_batch(rescorer, lists, 2, NULL, NULL, &results[2]));
    for (int at = 0; at < 4; at++) {
        const RescorerAnswer *answer = NULL;
        OK(rescorer_result_answer(results[at], &answer));
        CHECK(strcmp(answer->text, expected) == 0);
        CHECK(answer->changed == (strcmp(expected, "a hat") != 0));
        OK(rescorer_result_free(results[at]));
    }
    OK(rescorer_free(rescorer));
}

int main(int count, char **arguments) {
    CHECK(count >= 8 && count % 2 == 0);
    CHECK(rescorer_abi_version() == RESCORER_ABI_VERSION && strlen(rescorer_version()) >= 5);
    CHECK(strcmp(rescorer_last_error(), "") == 0);
    OK(rescorer_set_threads(2));
    RescorerModel *model = NULL;
    const RescorerModelOptions options = on_cpu();
    OK(rescorer_model_load(arguments[1], &options, &model));
    RescorerAdapter *adapter = NULL;
    OK(rescorer_adapter_load(model, arguments[2], &adapter));
    Rescorer *rescorer = NULL, *tuned = NULL;
    OK(rescorer_new(model, &half, &rescorer));
    OK(rescorer_from_policy(model, adapter, arguments[3], &tuned));
    RescorerResult *result = NULL;
    OK(rescorer_rescore(tuned, &list, &result));
    OK(rescorer_result_free(result));
    OK(rescorer_free(tuned));
    flags(rescorer);
    answers(rescorer, adapter);
    notices(rescorer);
    context(rescorer);
    after(model, adapter, arguments[4], arguments[3], arguments[5]);
    for (int at = 8; at < count; at += 2) {
        by_rule(model, arguments[at], arguments[at + 1]);
    }

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
