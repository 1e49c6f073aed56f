/* A child process has none of the library's threads: it is told so, and does not wait for them. Argument: model. */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static const RescorerHypothesis hypotheses[] = {
    RESCORER_HYPOTHESIS_INIT("the cat sat", -1.0),
    RESCORER_HYPOTHESIS_INIT("the hat sat", -1.5),
};
static const RescorerList list = {sizeof(RescorerList), NULL, hypotheses, 2, 1, RESCORER_WANT_LIST, NULL, NULL, NULL, 0.0, NULL, NULL};

int main(int count, char **arguments) {
    CHECK(count == 2);
    RescorerModel *model = NULL, *none = NULL;
    Rescorer *rescorer = NULL;
    RescorerResult *result = NULL;
    const RescorerModelOptions options = on_cpu();
    const RescorerWeights weights = RESCORER_WEIGHTS_INIT(0.5);
    OK(rescorer_model_load(arguments[1], &options, &model));
    OK(rescorer_new(model, &weights, &rescorer));
    OK(rescorer_rescore(rescorer, &list, &result));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        FAILS(rescorer_rescore(rescorer, &list, &result), RESCORER_STATUS_FORKED, "fork before the first call");
        FAILS(rescorer_rescore_json(rescorer, "{}", &result), RESCORER_STATUS_FORKED, "fork before the first call");
        FAILS(rescorer_model_load(arguments[1], &options, &none), RESCORER_STATUS_FORKED, "fork before the first call");
        OK(rescorer_result_free(result));
        OK(rescorer_free(rescorer));
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    OK(rescorer_result_free(result));
    OK(rescorer_free(rescorer));
    OK(rescorer_model_free(model));
    puts("ok");
    return 0;
}
