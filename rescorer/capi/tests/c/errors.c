/* Provokes an error of each kind, as test_errors.py does in Python: prints a line for each with its name, the status and the message.
 * Arguments: model, a policy of the rule mbr, a file of lists whose references have no words. */
#include "check.h"

static void report(const char *name, RescorerStatus status) {
    CHECK(status != RESCORER_STATUS_OK);
    printf("%s\t%d\t%s\n", name, (int)status, rescorer_last_error());
}

int main(int count, char **arguments) {
    CHECK(count == 4);
    Rescorer *bare = NULL, *by_policy = NULL, *none = NULL;
    RescorerResult *result = NULL;
    RescorerOptions options = parts_on_cpu();
    OK(rescorer_load(arguments[1], &options, &bare));
    options.policy = arguments[2];
    OK(rescorer_load(arguments[1], &options, &by_policy));

    char text[2001];
    for (size_t at = 0; at < 2000; at++) {
        text[at] = "so "[at % 3];
    }
    text[2000] = '\0';
    const RescorerHypothesis hypotheses[] = {RESCORER_HYPOTHESIS_INIT(text, -1.0), RESCORER_HYPOTHESIS_INIT("so", -2.0)};
    RescorerList list = RESCORER_LIST_INIT;
    list.hypotheses = hypotheses;
    list.count = 2;
    list.has_scores = 1;
    report("list", rescorer_rescore(by_policy, &list, &result));

    list.hypotheses = hypotheses + 1;
    list.count = 1;
    list.deadline_ms = 1000.0;
    report("settings", rescorer_rescore(by_policy, &list, &result));

    RescorerOptions without = options;
    without.policy = "nowhere.toml";
    report("policy", rescorer_load(arguments[1], &without, &none));
    report("model", rescorer_load("nowhere.gguf", &options, &none));
    const RescorerNamedAdapter nowhere = RESCORER_NAMED_ADAPTER_INIT("nowhere", "no/such/adapter");
    options.adapters = &nowhere;
    options.adapter_count = 1;
    report("adapter", rescorer_load(arguments[1], &options, &none));

    const RescorerTuneOptions tuning = RESCORER_TUNE_OPTIONS_INIT;
    report("job", rescorer_tune(bare, arguments[3], &tuning, "tuned.toml"));
    CHECK(result == NULL && none == NULL);
    OK(rescorer_free(bare));
    OK(rescorer_free(by_policy));
    return 0;
}
