/* From loading to tuning in C: cc first_steps.c $(pkg-config --cflags --libs rescorer_c) -o first_steps && ./first_steps MODEL
 *
 * MODEL is what `rescorer models pull` prints. Beside the program lie policy.toml, the folder adapters/medical with an adapter and its own
 * policy.toml, and dev.jsonl, lists with references. */
#include <rescorer.h>
#include <stdio.h>
#include <stdlib.h>

static void check(RescorerStatus status) {
    if (status != RESCORER_STATUS_OK) {
        fprintf(stderr, "%s\n", rescorer_last_error());
        exit(1);
    }
}

int main(int count, char **arguments) {
    RescorerNamedAdapter medical = RESCORER_NAMED_ADAPTER_INIT("medical", "adapters/medical");
    RescorerOptions options = RESCORER_OPTIONS_INIT; /* device and precision: auto */
    options.policy = "policy.toml";
    options.adapters = &medical;
    options.adapter_count = 1;
    Rescorer *rescorer = NULL;
    check(rescorer_load(count > 1 ? arguments[1] : "smollm2-135m", &options, &rescorer));

    RescorerHypothesis hypotheses[] = {
        RESCORER_HYPOTHESIS_INIT("please right it down", -1.2),
        RESCORER_HYPOTHESIS_INIT("please write it down", -1.4),
    };
    RescorerList list = RESCORER_LIST_INIT;
    list.hypotheses = hypotheses;
    list.count = 2;
    list.has_scores = 1;
    list.context = "have you got a pencil";

    RescorerList lists[] = {list, list, list};
    lists[1].adapter_name = "medical";      /* decided by the policy in its folder */
    lists[2].want = RESCORER_WANT_TEXT;     /* faster, without confidences */
    lists[2].deadline_ms = 200.0;
    RescorerResult *results[3] = {NULL};
    check(rescorer_rescore_batch(rescorer, lists, 3, NULL, NULL, results));
    for (int at = 0; at < 3; at++) {
        const RescorerAnswer *answer = NULL;
        check(rescorer_result_answer(results[at], &answer));
        printf("%s (by %s)\n", answer->text, answer->policy);
        for (size_t one = 0; one < answer->word_count; one++)
            printf("  %3.0f%% %s\n", 100.0 * answer->words[one]->confidence, answer->words[one]->word);
        if (!answer->complete)
            printf("  stopped by the deadline\n");
        check(rescorer_result_free(results[at]));
    }

    RescorerTuneOptions tuning = RESCORER_TUNE_OPTIONS_INIT;
    check(rescorer_tune(rescorer, "dev.jsonl", &tuning, "tuned.toml"));
    check(rescorer_free(rescorer));
    return 0;
}
