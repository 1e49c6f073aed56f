/* Recognises WAV files with PocketSphinx and rescores its N-best lists: for each file its name, the first pass and the second pass,
 * separated by tabs.
 *
 *     rescorer/capi/install $HOME/.local
 *     export PKG_CONFIG_PATH=$HOME/.local/lib/pkgconfig LD_LIBRARY_PATH=$HOME/.local/lib
 *     cc -o pocketsphinx examples/c/pocketsphinx.c $(pkg-config --cflags --libs pocketsphinx sphinxbase rescorer_c)
 *     ./pocketsphinx "$(rescorer models pull)" one.wav two.wav
 *
 * Debian: libpocketsphinx-dev, pocketsphinx-en-us. The files are 16 kHz, mono, 16 bits. */
#include <pocketsphinx.h>
#include <rescorer.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SPHINX_MODELS
#define SPHINX_MODELS "/usr/share/pocketsphinx/model/en-us"
#endif

enum { NBEST = 50, RATE = 16000 };

/* PocketSphinx keeps its scores without their last ten bits (SENSCR_SHIFT of its hmm.h). */
static const double SCALE = 1024.0;

/* PocketSphinx multiplies its own language model by 6.5 (-lw); ours counts the same. */
static const RescorerWeights weights = RESCORER_WEIGHTS_INIT(6.5);

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void check(RescorerStatus status, const char *what) {
    if (status != RESCORER_STATUS_OK)
        fail(what, rescorer_last_error());
}

/* The samples of a WAV file; the caller frees them. */
static int16 *read_wav(const char *path, size_t *count) {
    FILE *file = fopen(path, "rb");
    if (!file)
        fail(path, "can't be opened");
    unsigned char head[12], chunk[8];
    if (fread(head, 1, 12, file) != 12 || memcmp(head, "RIFF", 4) || memcmp(head + 8, "WAVE", 4))
        fail(path, "is no WAV file");
    bool fits = false;
    while (fread(chunk, 1, 8, file) == 8) {
        size_t size = chunk[4] | chunk[5] << 8 | chunk[6] << 16 | (size_t)chunk[7] << 24;
        if (!memcmp(chunk, "fmt ", 4) && size >= 16) {
            unsigned char format[16];
            if (fread(format, 1, 16, file) != 16)
                break;
            fits = format[0] == 1 && format[2] == 1 && format[14] == 16 && (format[4] | format[5] << 8) == RATE;
            size -= 16;
        } else if (!memcmp(chunk, "data", 4)) {
            if (!fits)
                fail(path, "is not 16 kHz, mono, 16 bits; convert it, as with sox");
            int16 *samples = malloc(size + 1);
            if (!samples)
                fail(path, "is too large");
            *count = fread(samples, 2, size / 2, file);
            fclose(file);
            return samples;
        }
        fseek(file, (long)(size + (size & 1)), SEEK_CUR);
    }
    fail(path, "has no samples");
    return NULL;
}

/* The N-best list of an utterance that was decoded; texts are the caller's to free. */
static size_t nbest(ps_decoder_t *decoder, RescorerHypothesis *list) {
    logmath_t *logs = ps_get_logmath(decoder);
    size_t count = 0;
    for (ps_nbest_t *next = ps_nbest(decoder); next; next = ps_nbest_next(next)) {
        int32 score;
        const char *text = ps_nbest_hyp(next, &score);
        if (count == NBEST) {
            ps_nbest_free(next);
            break;
        }
        if (text)
            list[count++] = (RescorerHypothesis)RESCORER_HYPOTHESIS_INIT(strdup(text), SCALE * logmath_log_to_ln(logs, score));
    }
    return count;
}

int main(int count, char **arguments) {
    if (count < 3)
        fail(arguments[0], "give a model and WAV files");
    RescorerModelOptions options = RESCORER_MODEL_OPTIONS_INIT;
    options.precision = RESCORER_PRECISION_INT8;
    options.device = RESCORER_DEVICE_CPU;
    RescorerModel *model = NULL;
    Rescorer *rescorer = NULL;
    check(rescorer_model_load(arguments[1], &options, &model), "the model");
    check(rescorer_new(model, &weights, &rescorer), "the rescorer");

    cmd_ln_t *config = cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", SPHINX_MODELS "/en-us", "-lm", SPHINX_MODELS "/en-us.lm.bin",
                                   "-dict", SPHINX_MODELS "/cmudict-en-us.dict", "-logfn", "/dev/null", NULL);
    ps_decoder_t *decoder = config ? ps_init(config) : NULL;
    if (!decoder)
        fail("PocketSphinx", "its models can't be loaded; install pocketsphinx-en-us");
    for (int at = 2; at < count; at++) {
        size_t samples;
        int16 *audio = read_wav(arguments[at], &samples);
        if (ps_start_utt(decoder) < 0 || ps_process_raw(decoder, audio, samples, FALSE, TRUE) < 0 || ps_end_utt(decoder) < 0)
            fail(arguments[at], "can't be decoded");
        free(audio);
        RescorerHypothesis list[NBEST];
        size_t found = nbest(decoder, list);
        if (found == 0) {
            printf("%s\t\t\n", arguments[at]);
            continue;
        }
        RescorerList utterance = RESCORER_LIST_INIT;
        utterance.id = arguments[at];
        utterance.hypotheses = list;
        utterance.count = found;
        utterance.has_scores = 1;
        RescorerResult *result = NULL;
        const RescorerAnswer *answer = NULL;
        check(rescorer_rescore(rescorer, &utterance, &result), arguments[at]);
        check(rescorer_result_answer(result, &answer), arguments[at]);
        printf("%s\t%s\t%s\n", arguments[at], list[0].text, answer->text);
        rescorer_result_free(result);
        for (size_t one = 0; one < found; one++)
            free((char *)list[one].text);
    }
    ps_free(decoder);
    cmd_ln_free_r(config);
    rescorer_free(rescorer);
    rescorer_model_free(model);
    return 0;
}
