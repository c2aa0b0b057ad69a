/* An NVML for tests: libnvidia-ml.so.1 with the calls an agent makes.
 *
 * The file named by STUB_NVML says how it behaves, and is read at every call: lines of a word and a value.
 *   gpus 2              how many GPUs there are (1)
 *   refuse CALL         this call is not supported
 *   unknown CALL        this call fails in a way that NVML does not explain
 *   none PROCESSES      the memory of processes is not available
 *   hang CALL           this call does not come back while the line is there
 *   lost 1              the GPU of this index has fallen off the bus
 *   total BYTES         what GetMemoryInfo says in all (0); half of that is used by processes
 *   reserved BYTES      what the driver keeps for itself (0): the first version of GetMemoryInfo calls that used
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7, LOST = 15, VERSION_MISMATCH = 25, UNKNOWN = 999 };

typedef struct { unsigned pid; unsigned long long used; unsigned instance, compute; } process;

static int gpus[8] = {0, 1, 2, 3, 4, 5, 6, 7};

static int says(const char *word, const char *value, char *found) {
    char line[256], first[128], second[128];
    FILE *file = fopen(getenv("STUB_NVML"), "r");
    int hit = 0;
    while (file && !hit && fgets(line, sizeof line, file))
        if (sscanf(line, "%127s %127s", first, second) == 2 && !strcmp(first, word) && (!value || !strcmp(second, value))) {
            hit = 1;
            if (found) strcpy(found, second);
        }
    if (file) fclose(file);
    return hit;
}

static unsigned long long number(const char *word, unsigned long long otherwise) {
    char found[128];
    return says(word, NULL, found) ? strtoull(found, NULL, 10) : otherwise;
}

/* Whether a call of a GPU (or of none: NULL) is answered. */
static int answered(const char *call, int *gpu) {
    char index[8];
    while (says("hang", call, NULL)) usleep(20000);
    if (gpu) {
        snprintf(index, sizeof index, "%d", *gpu);
        if (says("lost", index, NULL)) return LOST;
    }
    if (says("refuse", call, NULL)) return NOT_SUPPORTED;
    return says("unknown", call, NULL) ? UNKNOWN : OK;
}

#define ANSWER(call, gpu, value) do { int r = answered(call, gpu); if (r == OK) { value; } return r; } while (0)

int nvmlInitWithFlags(unsigned flags) { (void)flags; ANSWER("Init", NULL, ); }
int nvmlShutdown(void) { ANSWER("Shutdown", NULL, ); }
const char *nvmlErrorString(int error) { (void)error; return "an error of the stub"; }
int nvmlDeviceGetCount_v2(unsigned *count) { ANSWER("Count", NULL, *count = (unsigned)number("gpus", 1)); }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, int **gpu) { *gpu = &gpus[index]; return OK; }
int nvmlDeviceGetPowerUsage(int *gpu, unsigned *mw) { ANSWER("PowerUsage", gpu, *mw = 11000 + 1000 * *gpu); }
int nvmlDeviceGetTemperature(int *gpu, int sensor, unsigned *c) { (void)sensor; ANSWER("Temperature", gpu, *c = 40 + *gpu); }
int nvmlDeviceGetClockInfo(int *gpu, int kind, unsigned *mhz) { (void)kind; ANSWER("ClockInfo", gpu, *mhz = 2400); }
int nvmlDeviceGetUtilizationRates(int *gpu, unsigned rates[2]) { ANSWER("UtilizationRates", gpu, rates[0] = 96; rates[1] = 0); }
int nvmlDeviceGetTotalEnergyConsumption(int *gpu, unsigned long long *mj) { ANSWER("TotalEnergyConsumption", gpu, *mj = 5000); }
int nvmlDeviceGetCurrentClocksEventReasons(int *gpu, unsigned long long *bits) { ANSWER("ClocksEventReasons", gpu, *bits = 0x21); }

int nvmlDeviceGetMemoryInfo(int *gpu, unsigned long long memory[3]) {
    ANSWER("MemoryInfo", gpu, memory[0] = number("total", 0); memory[1] = 0; memory[2] = memory[0] / 2 + number("reserved", 0));
}

typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory_v2;

int nvmlDeviceGetMemoryInfo_v2(int *gpu, memory_v2 *memory) {
    int result = answered("MemoryInfo_v2", gpu);
    if (result != OK) return result;
    if (memory->version != (sizeof *memory | 2u << 24)) return VERSION_MISMATCH;
    ANSWER("MemoryInfo", gpu, memory->total = number("total", 0); memory->reserved = number("reserved", 0);
           memory->free = 0; memory->used = memory->total / 2);
}

static int processes(const char *call, int *gpu, unsigned *count, process *list, unsigned long long used) {
    int result = answered(call, gpu);
    unsigned room = *count;
    if (result != OK) return result;
    *count = 1;
    if (!list || room < 1) return INSUFFICIENT_SIZE;
    list[0] = (process){4242, says("none", "PROCESSES", NULL) ? ~0ULL : used, ~0u, ~0u};
    return OK;
}

int nvmlDeviceGetComputeRunningProcesses_v3(int *gpu, unsigned *count, process *list) {
    return processes("ComputeRunningProcesses", gpu, count, list, 6ULL << 30);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(int *gpu, unsigned *count, process *list) {
    return processes("GraphicsRunningProcesses", gpu, count, list, 5ULL << 30);
}
