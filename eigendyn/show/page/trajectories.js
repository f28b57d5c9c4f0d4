// A field and a state enter; the trajectory through it leaves.

// Rodas4 (Hairer & Wanner 1996): Rosenbrock's method of order 4(3), L-stable, since what relaxes
// while everything collapses, or follows with a short memory, is stiff.
const COLLAPSED = 4e-3; // of what is shown
const GAMMA = 1 / 4;
const INPUTS = [
  [],
  [1.544],
  [0.9466785280815826, 0.2557011698983284],
  [3.314825187068521, 2.896124015972201, 0.9986419139977817],
  [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895],
  [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895, 1],
];
const COUPLINGS = [
  [],
  [-5.6688],
  [-2.430093356833875, -0.2063599157091915],
  [-0.1073529058151375, -9.594562251023355, -20.47028614809616],
  [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616],
  [
    8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136,
    -6.058818238834054,
  ],
];

// One step from a state with known slope and Jacobian: the next state and its estimated error.
function rosenbrockStep(slope, x, first, [[a, b], [c, d]], step) {
  const shift = 1 / (step * GAMMA);
  const determinant = (shift - a) * (shift - d) - b * c;
  const stages = [];
  let argument = x;
  for (let stage = 0; stage < 6; stage += 1) {
    if (stage > 0) {
      argument = x.map((value, i) =>
        INPUTS[stage].reduce((sum, weight, k) => sum + weight * stages[k][i], value),
      );
    }
    const rate = stage > 0 ? slope(argument) : first;
    const [p, q] = rate.map(
      (value, i) =>
        value + COUPLINGS[stage].reduce((sum, w, k) => sum + w * stages[k][i], 0) / step,
    );
    stages.push([((shift - d) * p + b * q) / determinant, (c * p + (shift - a) * q) / determinant]);
  }
  return { next: argument.map((value, i) => value + stages[5][i]), error: stages[5] };
}

// Why a trajectory ends here, if it does. Near the origin, where everything has collapsed, fields
// of losses that do not see the scale are singular.
function ending(x, rate, { still, limit, sizes }) {
  if (x.some((value, i) => Math.abs(value) > limit[i])) return "outside";
  if (rate.every((value) => Math.abs(value) < still)) return "rest";
  const isSmall = x.every((value, i) => Math.abs(value) < COLLAPSED * sizes[i]);
  return isSmall && x[0] * rate[0] + x[1] * rate[1] < 0 ? "collapse" : null;
}

// Follow a state. `sign` −1 goes back in time. Ends at `duration`, at rest (every rate below
// `still`), collapsed, outside `limit`, or after `mostSteps`; `ended` says which. Each step is
// filled with points of its cubic Hermite interpolant, so that curves are smooth.
function follow(field, start, options) {
  const { duration, sign, sizes, rtol, mostSteps, filling = 8 } = options;
  const directed = (x, out) => {
    field(x, out);
    out[0] *= sign;
    out[1] *= sign;
    return out;
  };
  const slope = (x) => directed(x, [0, 0]);
  let x = [...start];
  let time = 0;
  let rate = slope(x);
  let step = Math.min(duration, 1e-2);
  const times = [0];
  const states = [x];
  let jacobian = null;
  for (let count = 0; count < mostSteps; count += 1) {
    if (rate.some(Number.isNaN)) break;
    const ended = ending(x, rate, options) ?? (time >= duration ? "time" : null);
    if (ended) return { times, states, ended };
    step = Math.min(step, duration - time);
    jacobian ??= jacobianAt(directed, x, sizes, SHARP); // its error acts where rates cancel
    const { next, error } = rosenbrockStep(slope, x, rate, jacobian, step);
    const share = Math.max(
      ...error.map((part, i) => {
        const allowed = rtol * (0.01 * sizes[i] + Math.max(Math.abs(x[i]), Math.abs(next[i])));
        return Math.abs(part) / allowed;
      }),
    );
    if (share <= 1) {
      const after = slope(next);
      for (let part = 1; part < filling; part += 1) {
        times.push(sign * (time + (part / filling) * step));
        states.push(hermite(x, next, rate, after, step, part / filling));
      }
      time = duration - time - step < 1e-12 * duration ? duration : time + step;
      times.push(sign * time);
      states.push(next);
      [x, rate, jacobian] = [next, after, null];
    }
    step *= Number.isNaN(share) ? 0.2 : Math.min(5, Math.max(0.2, 0.9 * share ** -0.25));
    if (step < 1e-13 * Math.max(time, 1e-3)) break;
  }
  return { times, states, ended: "unfinished" };
}

const hermite = (x, next, before, after, step, u) =>
  x.map((value, i) => {
    const rise = next[i] - value;
    const bend = (1 - u) * step * before[i] - u * step * after[i] + (2 * u - 1) * rise;
    return value + u * rise + u * (1 - u) * bend;
  });

// The curves on which states run into a saddle: they part the basins.
function separatrices(field, points, options) {
  const curves = [];
  for (const { x, values, kind } of points) {
    const stable = values.find(({ sides, vector }) => Math.max(...sides) < 0 && vector);
    if (kind !== "saddle" || !stable) continue;
    for (const way of [1, -1]) {
      const start = x.map(
        (value, i) => value + way * 1e-4 * Math.max(...options.sizes) * stable.vector[i],
      );
      if (start.some((value) => value < 0)) continue;
      curves.push(follow(field, start, { ...options, sign: -1 }).states);
    }
  }
  return curves;
}
