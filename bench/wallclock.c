/* Preloaded into a process of the fault tests: shifts its wall clock, and nothing else, by the number of nanoseconds that stands in the
   first eight bytes of the file OPSBENCH_WALL_SHIFT. The file is mapped, so the test steps the clock by writing to it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void open_shift(void) {
    const char *path = getenv("OPSBENCH_WALL_SHIFT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED) shift = page;
}

static void shifted(struct timespec *now) {
    int64_t by = shift ? *shift : 0;
    int64_t nanoseconds = now->tv_nsec + by % 1000000000;
    now->tv_sec += by / 1000000000;
    if (nanoseconds < 0) { nanoseconds += 1000000000; now->tv_sec--; }
    if (nanoseconds >= 1000000000) { nanoseconds -= 1000000000; now->tv_sec++; }
    now->tv_nsec = nanoseconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shifted(now);
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return (time_t)-1;
    if (where) *where = exact.tv_sec;
    return exact.tv_sec;
}
