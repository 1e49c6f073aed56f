/* Pools of adapters, for smoke.c and refusals.c. `list` has two hypotheses at least and no adapter. */
#include <math.h>
#include <stddef.h>

#include "check.h"

/* A pool: lists take its adapters by name, each with the policy in its folder, and only one fits. */
static inline void pool_in_use(RescorerList list, const char *model, const char *medical, const char *legal) {
    RescorerOptions options = parts_on_cpu();
    RescorerPoolOptions limits = RESCORER_POOL_OPTIONS_INIT;
    RescorerPoolStats stats = RESCORER_POOL_STATS_INIT;
    Rescorer *rescorer = NULL;
    RescorerPool *all = NULL, *tight = NULL;
    OK(rescorer_load(model, &options, &rescorer));
    OK(rescorer_pool_new(rescorer, &limits, &all));
    OK(rescorer_pool_register(all, "medical", medical));
    OK(rescorer_pool_load(all, "medical"));
    OK(rescorer_pool_stats(all, &stats));
    CHECK(stats.registered == 1 && stats.resident == 1 && stats.loads == 1 && stats.resident_bytes > 0);
    limits.max_bytes = stats.resident_bytes + stats.resident_bytes / 2;
    limits.loaders = 1;
    OK(rescorer_pool_new(rescorer, &limits, &tight));
    OK(rescorer_pool_register(tight, "medical", medical));
    OK(rescorer_pool_register(tight, "legal", legal));
    OK(rescorer_pool_pin(tight, "legal", 256));
    OK(rescorer_pool_pin(tight, "legal", 0));

    const char *names[] = {"medical", "legal"};
    const double weights[] = {0.5, 0.75};
    RescorerJsonOptions asked = RESCORER_JSON_OPTIONS_INIT;
    asked.pool = tight;
    for (int at = 0; at < 4; at++) {
        RescorerList named = list;
        named.adapter_name = names[at % 2];
        named.pool = tight;
        RescorerResult *results[2] = {NULL};
        char json[200];
        snprintf(json, sizeof json, "{\"adapter\": \"%s\", \"hypotheses\": [{\"text\": \"the cat sat\", \"score\": -1.0}, {\"text\": \"the hat sat\", \"score\": -1.5}]}", names[at % 2]);
        OK(rescorer_rescore(rescorer, &named, &results[0]));
        OK(rescorer_rescore_json_with(rescorer, json, &asked, &results[1]));
        for (int one = 0; one < 2; one++) {
            const RescorerAnswer *answer = NULL;
            OK(rescorer_result_answer(results[one], &answer));
            CHECK(answer->adapter && strcmp(answer->adapter, names[at % 2]) == 0);
            const RescorerScored *best = answer->hypotheses[0];
            CHECK(fabs((best->total - best->first_pass) / best->lm_score - weights[at % 2]) < 1e-9);
            OK(rescorer_result_free(results[one]));
        }
    }
    OK(rescorer_pool_stats(tight, &stats));
    CHECK(stats.registered == 2 && stats.resident == 1 && stats.loads == 4 && stats.evictions == 3 && stats.failures == 0);
    OK(rescorer_pool_remove(tight, "legal"));
    /* The rescorer goes first: a pool keeps what it needs. */
    OK(rescorer_free(rescorer));
    OK(rescorer_pool_load(tight, "medical"));
    OK(rescorer_pool_free(tight));
    OK(rescorer_pool_free(all));
}

/* What a pool refuses. */
static inline void pool_misused(RescorerList list, RescorerModel *model, Rescorer *rescorer, const char *folder) {
    RescorerPool *pool = NULL, *none = NULL;
    RescorerResult *result = NULL;
    RescorerPoolOptions limits = RESCORER_POOL_OPTIONS_INIT, odd = RESCORER_POOL_OPTIONS_INIT;
    RescorerPoolStats stats = RESCORER_POOL_STATS_INIT;
    odd.reserved = 1;
    FAILS(rescorer_pool_new(rescorer, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "reserved is 1; leave it at 0");
    odd.struct_size = 0;
    FAILS(rescorer_pool_new(rescorer, &odd, &none), RESCORER_STATUS_INVALID_ARGUMENT, "begin with RESCORER_POOL_OPTIONS_INIT");
    FAILS(rescorer_pool_new(rescorer, NULL, &none), RESCORER_STATUS_NULL_POINTER, "options (RescorerPoolOptions) is NULL");
    FAILS(rescorer_pool_new(rescorer, &limits, NULL), RESCORER_STATUS_NULL_POINTER, "pool, where the handle is to be written, is NULL");
    FAILS(rescorer_pool_new((Rescorer *)model, &limits, &none), RESCORER_STATUS_INVALID_HANDLE, "the rescorer");
    CHECK(none == NULL);
    OK(rescorer_pool_new(rescorer, &limits, &pool));
    FAILS(rescorer_pool_register(pool, "one", "nowhere"), RESCORER_STATUS_ADAPTER, "give the folder of an adapter");
    FAILS(rescorer_pool_register(pool, NULL, folder), RESCORER_STATUS_NULL_POINTER, "name is NULL");
    FAILS(rescorer_pool_register(pool, "one", NULL), RESCORER_STATUS_NULL_POINTER, "folder is NULL");
    FAILS(rescorer_pool_register(pool, "caf\xe9", folder), RESCORER_STATUS_INVALID_UTF8, "name is not UTF-8");
    FAILS(rescorer_pool_register(NULL, "one", folder), RESCORER_STATUS_NULL_POINTER, "the pool is NULL");
    FAILS(rescorer_pool_remove(pool, "one"), RESCORER_STATUS_ADAPTER, "there is no adapter \"one\"");
    FAILS(rescorer_pool_pin(pool, "one", 1), RESCORER_STATUS_ADAPTER, "there is no adapter \"one\"");
    FAILS(rescorer_pool_load(pool, "one"), RESCORER_STATUS_ADAPTER, "there is no adapter \"one\"");
    FAILS(rescorer_pool_load(pool, NULL), RESCORER_STATUS_NULL_POINTER, "name is NULL");
    FAILS(rescorer_pool_stats(pool, NULL), RESCORER_STATUS_NULL_POINTER, "stats (RescorerPoolStats) is NULL");
    stats.struct_size = 8;
    FAILS(rescorer_pool_stats(pool, &stats), RESCORER_STATUS_INVALID_ARGUMENT, "begin with RESCORER_POOL_STATS_INIT");
    RescorerList asks = list;
    asks.adapter_name = "one";
    asks.pool = pool;
    FAILS(rescorer_rescore(rescorer, &asks, &result), RESCORER_STATUS_ADAPTER, "there is no adapter \"one\"");
    asks.pool = (RescorerPool *)model;
    FAILS(rescorer_rescore(rescorer, &asks, &result), RESCORER_STATUS_INVALID_HANDLE, "the pool");
    /* A pool is for one rescorer. */
    Rescorer *other = NULL;
    const RescorerWeights weights = RESCORER_WEIGHTS_INIT(0.5);
    OK(rescorer_new(model, &weights, &other));
    OK(rescorer_pool_register(pool, "one", folder));
    asks.pool = pool;
    FAILS(rescorer_rescore(other, &asks, &result), RESCORER_STATUS_INVALID_ARGUMENT, "the pool is for another rescorer");
    OK(rescorer_free(other));
    /* A program of before the field was there: it is not looked at. */
    asks.struct_size = offsetof(RescorerList, pool);
    CHECK(result == NULL);
    asks.pool = (RescorerPool *)model;
    OK(rescorer_rescore(rescorer, &asks, &result));
    OK(rescorer_result_free(result));
    OK(rescorer_pool_free(pool));
    FAILS(rescorer_pool_free(pool), RESCORER_STATUS_INVALID_HANDLE, "was it freed");
    FAILS(rescorer_pool_load(pool, "one"), RESCORER_STATUS_INVALID_HANDLE, "was it freed");
    OK(rescorer_pool_free(NULL));
}
