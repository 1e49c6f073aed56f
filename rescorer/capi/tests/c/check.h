/* Checks of the test programs: the first that fails ends the program with the line, and with what the library said last. */
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

/* What a rescorer is made of, on the CPU in 32-bit floats. */
static inline RescorerOptions parts_on_cpu(void) {
    RescorerOptions options = RESCORER_OPTIONS_INIT;
    options.device = RESCORER_DEVICE_CPU;
    options.precision = RESCORER_PRECISION_F32;
    return options;
}

static inline RescorerModelOptions on_cpu(void) {
    RescorerModelOptions options = RESCORER_MODEL_OPTIONS_INIT;
    options.device = RESCORER_DEVICE_CPU;
    options.precision = RESCORER_PRECISION_F32;
    return options;
}
