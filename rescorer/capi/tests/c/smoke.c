/* Uses every function of the interface with a tiny model, as it should be used. Exits with 0 if all was as it should be.
 * Arguments: model, adapter, policy, an encoder, a policy that asks it first, number of threads, calls of each thread, a policy of weight 0.25 without an
 * adapter, two folders with an adapter and policies of weights 0.5 and 0.75, and any number of
 * policies without an adapter, each with the text that it answers the list of `by_rule` with. It runs in a folder with lists in `dev.jsonl`. */
#include <math.h>
#include <pthread.h>

#include "pools.h"

static const RescorerHypothesis hypotheses[] = {
    RESCORER_HYPOTHESIS_INIT("the cat sat", -1.0),
    RESCORER_HYPOTHESIS_INIT("the hat sat", -1.5),
    RESCORER_HYPOTHESIS_INIT("a cat sat", -2.5),
};
static const RescorerList list = {sizeof(RescorerList), "u1", hypotheses, 3, 1, RESCORER_WANT_LIST, NULL, NULL, NULL, 0.0, NULL, NULL};
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
    CHECK(answer->struct_size == sizeof(RescorerAnswer) && answer->reserved == 0 && answer->merged == 0);
    CHECK(answer->decided == 3 && answer->unique == 3 && answer->complete == 1);
    CHECK(answer->adapter == NULL && answer->policy == NULL);
    CHECK(answer->total == answer->hypotheses[0]->total && answer->lm_score == answer->hypotheses[0]->lm_score);
    CHECK(answer->hypothesis_count == 3 && answer->word_count == 3);
    CHECK(answer->hypotheses[2]->struct_size == sizeof(RescorerScored) && answer->words[2]->struct_size == sizeof(RescorerWord));
    CHECK(strcmp(answer->text, answer->hypotheses[0]->text) == 0 && answer->position == answer->hypotheses[0]->position);
    CHECK(answer->changed == (answer->position != 0));
    CHECK(strcmp(answer->words[1]->word, answer->position == 1 ? "hat" : "cat") == 0);
    CHECK(isnan(answer->words[1]->start) && isnan(answer->words[1]->end));
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

/* What is wanted is what is there, and the text is the same. */
static void wanted(Rescorer *rescorer) {
    const RescorerAnswer *found[4] = {NULL};
    RescorerResult *results[4] = {NULL};
    RescorerList lists[4] = {list, list, list, list};
    lists[1].want = RESCORER_WANT_ANSWER;
    lists[2].want = RESCORER_WANT_TEXT;
    lists[3].deadline_ms = 60000.0;
    OK(rescorer_rescore_batch(rescorer, lists, 4, NULL, NULL, results));
    for (int at = 0; at < 4; at++) {
        OK(rescorer_result_answer(results[at], &found[at]));
        CHECK(strcmp(found[at]->text, found[0]->text) == 0 && found[at]->position == found[0]->position);
        CHECK(found[at]->complete == 1 && found[at]->unique == 3 && found[at]->decided == 3);
        CHECK((found[at]->hypothesis_count == 3) == (at == 0));
        CHECK((found[at]->word_count == 3) == (at < 2) && isnan(found[at]->confidence) == (at >= 2));
        CHECK(at != 1 || found[at]->confidence == found[0]->confidence);
    }
    CHECK(fabs(found[3]->total - found[0]->total) < 1e-4);
    for (int at = 0; at < 4; at++) {
        OK(rescorer_result_free(results[at]));
    }
    /* Without time for any hypothesis the first-pass best stays, and the answer says so. */
    lists[0].deadline_ms = 1e-6;
    OK(rescorer_rescore(rescorer, &lists[0], &results[0]));
    OK(rescorer_result_answer(results[0], &found[0]));
    CHECK(found[0]->complete == 0 && found[0]->decided < 3 && found[0]->unique == 3 && strcmp(found[0]->text, "the cat sat") == 0);
    OK(rescorer_result_free(results[0]));
}

/* A rescorer that is loaded in one call: lists take adapters by name, each with the policy in its folder. */
static void in_one_call(const char *model, const char *policy, const char *medical, const char *legal) {
    const RescorerNamedAdapter adapters[] = {
        RESCORER_NAMED_ADAPTER_INIT("medical", medical),
        RESCORER_NAMED_ADAPTER_INIT("legal", legal),
    };
    RescorerOptions options = parts_on_cpu();
    options.policy = policy;
    options.adapters = adapters;
    options.adapter_count = 2;
    options.threads = 1;
    Rescorer *rescorer = NULL;
    OK(rescorer_load(model, &options, &rescorer));
    const char *warnings = NULL;
    OK(rescorer_warnings(rescorer, &warnings));
    CHECK(warnings && strncmp(warnings, "adapter medical does not say which model", 40) == 0 && strstr(warnings, "\nadapter legal "));
    const char *names[] = {NULL, "medical", "legal"};
    const double weights[] = {0.25, 0.5, 0.75};
    RescorerResult *results[3] = {NULL};
    RescorerList lists[3] = {list, list, list};
    for (int at = 0; at < 3; at++) {
        lists[at].adapter_name = names[at];
    }
    OK(rescorer_rescore_batch(rescorer, lists, 3, NULL, NULL, results));
    for (int at = 0; at < 3; at++) {
        const RescorerAnswer *answer = NULL;
        OK(rescorer_result_answer(results[at], &answer));
        CHECK(names[at] ? answer->adapter && strcmp(answer->adapter, names[at]) == 0 : answer->adapter == NULL);
        CHECK(answer->policy && strstr(answer->policy, at == 0 ? policy : "policy.toml"));
        const RescorerScored *best = answer->hypotheses[0];
        CHECK(fabs((best->total - best->first_pass) / best->lm_score - weights[at]) < 1e-9);
        OK(rescorer_result_free(results[at]));
    }
    lists[0].adapter_name = "dental";
    FAILS(rescorer_rescore(rescorer, &lists[0], &results[0]), RESCORER_STATUS_ADAPTER, "the adapters are medical, legal");
    OK(rescorer_free(rescorer));
    options.vocabulary = "no names.txt";
    FAILS(rescorer_load(model, &options, &rescorer), RESCORER_STATUS_INVALID_ARGUMENT, "a term a line");
    options.vocabulary = NULL;
    /* Lists that name no adapter are routed, by the policies of the adapters. */
    options.route_adapters = 1;
    FAILS(rescorer_load(model, &options, &rescorer), RESCORER_STATUS_INVALID_ARGUMENT, "a policy for all lists");
    options.policy = NULL;
    OK(rescorer_load(model, &options, &rescorer));
    lists[0].adapter_name = NULL;
    lists[0].conversation = "call-7";
    OK(rescorer_rescore_batch(rescorer, lists, 2, NULL, NULL, results));
    for (int at = 0; at < 2; at++) {
        const RescorerAnswer *answer = NULL;
        OK(rescorer_result_answer(results[at], &answer));
        CHECK(at == 0 ? answer->routed >= 1.0 / 3.0 && answer->routed <= 1.0 : isnan(answer->routed));
        OK(rescorer_result_free(results[at]));
    }
    OK(rescorer_free(rescorer));
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

/* A list of JSON is answered as far as is wanted. */
static void json_as_wanted(Rescorer *rescorer) {
    const char *json = "{\"hypotheses\": [{\"text\": \"the cat sat\", \"score\": -1.0}, {\"text\": \"the hat sat\", \"score\": -1.5}, "
                       "{\"text\": \"a cat sat\", \"score\": -2.5}]}";
    RescorerJsonOptions options[4];
    const RescorerAnswer *found[4] = {NULL};
    RescorerResult *results[4] = {NULL};
    for (int at = 0; at < 4; at++) {
        options[at] = (RescorerJsonOptions)RESCORER_JSON_OPTIONS_INIT;
    }
    options[1].want = RESCORER_WANT_ANSWER;
    options[2].want = RESCORER_WANT_TEXT;
    options[3].deadline_ms = 60000.0;
    for (int at = 0; at < 4; at++) {
        OK(rescorer_rescore_json_with(rescorer, json, &options[at], &results[at]));
        OK(rescorer_result_answer(results[at], &found[at]));
        CHECK(strcmp(found[at]->text, found[0]->text) == 0 && found[at]->complete == 1);
        CHECK((found[at]->hypothesis_count == 3) == (at == 0) && isnan(found[at]->confidence) == (at >= 2));
    }
    for (int at = 0; at < 4; at++) {
        OK(rescorer_result_free(results[at]));
    }
    const char *timed = "{\"hypotheses\": [{\"text\": \"a cat\", \"words\": [{\"word\": \"a\", \"start\": 0.5, \"end\": 0.75}, "
                        "{\"word\": \"cat\", \"start\": 0.75, \"end\": 1}]}]}";
    OK(rescorer_rescore_json(rescorer, timed, &results[0]));
    OK(rescorer_result_answer(results[0], &found[0]));
    CHECK(found[0]->word_count == 2 && found[0]->words[0]->start == 0.5 && found[0]->words[1]->end == 1.0);
    OK(rescorer_result_free(results[0]));
    options[0].deadline_ms = 1e-6;
    OK(rescorer_rescore_json_with(rescorer, json, &options[0], &results[0]));
    OK(rescorer_result_answer(results[0], &found[0]));
    CHECK(found[0]->complete == 0 && strcmp(found[0]->text, "the cat sat") == 0);
    OK(rescorer_result_free(results[0]));
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

/* What the first stage of a cascade, an encoder, adds to the first pass is in the totals, and without it the policy is refused. */
static void cascade(RescorerModel *model, RescorerAdapter *adapter, const char *encoder_path, const char *alone_policy,
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
    OK(rescorer_from_cascade_policy(encoder, NULL, model, adapter, policy, &both));
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
    FAILS(rescorer_from_policy(model, adapter, policy, &none), RESCORER_STATUS_POLICY, "rescorer_from_cascade_policy");
    FAILS(rescorer_from_cascade_policy(model, NULL, model, adapter, policy, &none), RESCORER_STATUS_POLICY, "model");
    FAILS(rescorer_from_cascade_policy(encoder, NULL, model, adapter, alone_policy, &none), RESCORER_STATUS_INVALID_ARGUMENT,
          "cascade_model");
    CHECK(none == NULL);
    OK(rescorer_free(first));
    OK(rescorer_free(alone));
    OK(rescorer_free(both));
    OK(rescorer_model_free(encoder));
}

/* Policies of both fusions, which the caller of this program reads. */
static void tunes(Rescorer *rescorer) {
    RescorerTuneOptions tuning = RESCORER_TUNE_OPTIONS_INIT;
    OK(rescorer_tune(rescorer, "dev.jsonl", &tuning, "features.toml"));
    tuning.fusion = "classic";
    OK(rescorer_tune(rescorer, "dev.jsonl", &tuning, "classic.toml"));
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
    CHECK(count >= 11 && count % 2 == 1);
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
    const char *warnings = "";
    OK(rescorer_warnings(rescorer, &warnings));
    CHECK(warnings == NULL);
    RescorerResult *result = NULL;
    OK(rescorer_rescore(tuned, &list, &result));
    OK(rescorer_result_free(result));
    OK(rescorer_free(tuned));
    flags(rescorer);
    answers(rescorer, adapter);
    wanted(rescorer);
    in_one_call(arguments[1], arguments[8], arguments[9], arguments[10]);
    pool_in_use(list, arguments[1], arguments[9], arguments[10]);
    notices(rescorer);
    json_as_wanted(rescorer);
    context(rescorer);
    tunes(rescorer);
    cascade(model, adapter, arguments[4], arguments[3], arguments[5]);
    for (int at = 11; at < count; at += 2) {
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
