/* Rates of one problem enter; its states at the saved times, by Dormand–Prince 8, leave.

   `contract_native` puts its constants and the method's tables (STAGES, A, B, C, E3, E5) before this
   text, with SIZE states, NODE_SIZE numbers of a node, its weight first, and KINKED, and after it

       rates(time, modes, y, p, leader, dy)   y and dy (states, modes), p the parameters
       ranked(modes, y, p, c)                 that of which the largest is taken, if KINKED

   The largest mode is held during a step, so that rates are smooth; where another overtakes it, a
   step ends. */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

static void rates(double time, int modes, const double *y, const double *p, int leader, double *dy);
static void ranked(int modes, const double *y, const double *p, double *c);

static const double *NODES, *NODES_END; /* where averages are taken */

#define WINDOWS 40 /* of steps, by the longest of which the number that is to come is guessed */

/* Take numbers below 2e-308 as zero, far below the error allowed to any state: on some processors a
   run among them takes five times as long. Returns what to give to `restore`. */
static unsigned int flush_tiny(void) {
#ifdef __SSE__
    unsigned int before = _mm_getcsr();
    _mm_setcsr(before | 0x8000 | 0x0040); /* results; operands */
    return before;
#else
    return 0;
#endif
}

static void restore(unsigned int before) {
#ifdef __SSE__
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

static int leader_of(int modes, const double *c) {
    int best = 0;
    for (int m = 1; m < modes; m++)
        if (c[m] > c[best]) best = m;
    return best;
}

/* Error of a step over what is allowed; large where something is not finite. */
static double error_of(int n, int modes, const double *y, const double *y1, const double *k, double h,
                       double rtol, const double *floors) {
    double fifth = 0, third = 0;
    for (int i = 0; i < n; i++) {
        double e5 = 0, e3 = 0;
        for (int j = 0; j < STAGES + 1; j++) {
            e5 += E5[j] * k[j * n + i];
            e3 += E3[j] * k[j * n + i];
        }
        double scale = floors[i / modes] + rtol * fmax(fabs(y[i]), fabs(y1[i]));
        e5 /= scale;
        e3 /= scale;
        if (!isfinite(e5) || !isfinite(e3) || !isfinite(y1[i])) return INFINITY;
        fifth = fmax(fifth, e5 * e5);
        third = fmax(third, e3 * e3);
    }
    return h * fifth / sqrt(fmax(fifth + 0.01 * third, 1e-300));
}

/* values (times, states, modes), of which the first is the start; returns why it stopped. */
int solve(int modes, const double *p, const double *nodes, int node_count, const double *times,
          int count, double rtol, const double *floors, long most_steps, double *values) {
    unsigned int before = flush_tiny();
    int n = SIZE * modes;
    NODES = nodes;
    NODES_END = nodes + (size_t)node_count * NODE_SIZE;
    double *room = malloc(sizeof(double) * (size_t)n * (STAGES + 6)), *k = room;
    double *y = k + (STAGES + 1) * n, *y1 = y + n, *at = y1 + n, *c0 = at + n, *c1 = c0 + n;
    long window = most_steps / WINDOWS + 1;
    double time = times[0], step = 1e-9, longest = 0;
    int saved = 1, leader = 0, outcome = FOUND;
    memcpy(y, values, sizeof(double) * n);
    if (KINKED) ranked(modes, y, p, c0), leader = leader_of(modes, c0);
    for (long taken = 0; saved < count; taken++) {
        double left = times[saved] - time, rest = times[count - 1] - time;
        double h = fmin(step, left);
        int last = step >= left;
        longest = fmax(longest, step);
        if (taken >= most_steps || (taken % window == window - 1 && rest > longest * most_steps)) {
            outcome = STIFF;
            break;
        }
        if (taken % window == window - 1) longest = 0; /* a step is short where a mode overtakes */
        double shortest = fmax(SHORTEST * time, 1e-25);
        for (int s = 0; s < STAGES; s++) {
            for (int i = 0; i < n; i++) {
                double moved = 0;
                for (int j = 0; j < s; j++) moved += A[s][j] * k[j * n + i];
                at[i] = y[i] + h * moved;
            }
            rates(time + C[s] * h, modes, at, p, leader, k + s * n);
        }
        for (int i = 0; i < n; i++) {
            double moved = 0;
            for (int j = 0; j < STAGES; j++) moved += B[j] * k[j * n + i];
            y1[i] = y[i] + h * moved;
        }
        rates(time + h, modes, y1, p, leader, k + STAGES * n);
        double error = error_of(n, modes, y, y1, k, h, rtol, floors);
        double factor = isfinite(error) ? 0.9 * pow(fmax(error, 1e-12), -0.125) : 0.2;
        factor = fmin(fmax(factor, 0.2), error <= 1 ? 5.0 : 1.0);
        int good = error <= 1, rival = leader;
        if (KINKED && good) {
            ranked(modes, y1, p, c1);
            rival = leader_of(modes, c1);
            double ahead = c1[leader] - c1[rival];
            if (ahead < -OVERTAKEN * fabs(c1[rival]) && h > 100 * shortest) {
                double was = c0[leader] - c0[rival];
                factor = fmin(fmax(was / (was - ahead), 0.02), 0.98);
                good = 0;
            }
        }
        if (good) {
            time = last ? times[saved] : time + h;
            memcpy(y, y1, sizeof(double) * n);
            if (KINKED) memcpy(c0, c1, sizeof(double) * modes), leader = rival;
            if (last) memcpy(values + (size_t)saved++ * n, y, sizeof(double) * n);
        }
        step = good && last ? fmax(step, h * factor) : h * factor;
        if (step < shortest) {
            outcome = ENDED;
            break;
        }
    }
    free(room);
    restore(before);
    return outcome;
}
