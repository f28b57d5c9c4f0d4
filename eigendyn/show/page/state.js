// What the page holds enters: data, sliders, trajectories; everything that the plane shows leaves.

const data = JSON.parse(document.getElementById("data").textContent);
const nodes = decodeNodes(data.nodes);
const element = (id) => document.getElementById(id);
const canvas = element("plane");
const symbols = data.plane.map(({ symbol }) => symbol);

const FIRST_START = [0.15, 0.6]; // of the axes
const ARROWS = 17;
const REFINE_AFTER = 150; // milliseconds
const REMEMBER_AFTER = 300; // browsers allow few changes of an address

// How much is computed while a slider moves, and when it stands: milliseconds for the grid and its
// fewest and most points a side, refinements of nullclines, accuracy and steps of a trajectory, and
// the stride along a line of fixed points.
const QUICK = {
  budget: 14,
  refinements: 0,
  least: 17,
  most: 49,
  rtol: 1e-5,
  mostSteps: 100,
  stride: 1 / 15,
};
const FINE = {
  budget: 60,
  refinements: 4,
  least: 33,
  most: 73,
  rtol: 1e-8,
  mostSteps: 1500,
  stride: 1 / 40,
};

const duration = { name: "time", label: "time that is followed", symbol: "T" };
const reach = { name: "reach", label: "reach of the axes", symbol: "×", value: 1 };
Object.assign(reach, { low: 0.25, high: 5, step: 0.25 });
Object.assign(duration, {
  value: data.duration,
  low: data.duration / 10,
  high: 10 * data.duration,
  step: data.duration / 10,
});
const sliders = [...data.controls, duration, reach];

const state = {
  values: Float64Array.from(sliders, ({ value }) => value),
  trajectories: [],
  cursor: null,
  shown: null,
};

const valueOf = (slider) => state.values[sliders.indexOf(slider)];
const plane = () => data.plane.map((axis) => ({ ...axis, top: axis.top * valueOf(reach) }));
const field = fieldWith(rates, state.values, nodes);
const rounded = (q) =>
  q.map((value, i) => {
    const grain = plane()[i].top / 2000;
    return Number((Math.max(0, Math.round(value / grain)) * grain).toPrecision(6));
  });

// The trajectory that the page opens with.
const opening = [{ q: rounded(plane().map(({ top }, i) => FIRST_START[i] * top)), sign: 1 }];

const cost = (() => {
  let microseconds = 0;
  return {
    measure() {
      const begun = performance.now();
      for (let i = 0; i < 60; i += 1) field(stateAt(plane(), [0.1 + 0.01 * i, 0.7]), [0, 0]);
      microseconds = Math.max(0.2, ((performance.now() - begun) / 60) * 1000);
    },
    points: ({ budget, least, most }) =>
      Math.round(Math.min(most, Math.max(least, Math.sqrt((budget * 1000) / microseconds)))),
  };
})();

function following(axes, effort) {
  const sizes = sizesOf(axes);
  const limit = sizes.map((size) => 3 * size);
  return { ...effort, sizes, limit, still: 1e-9 * Math.max(...sizes), duration: valueOf(duration) };
}

function pathFrom(axes, { q, sign }, effort) {
  const path = follow(field, stateAt(axes, q), { ...following(axes, effort), sign });
  return { ...path, q, sign, points: path.states.map((x) => pointAt(axes, x)) };
}

// Compute everything that the plane shows.
function compute(effort) {
  const axes = plane();
  const grid = rateGrid(field, axes, cost.points(effort), effort.refinements);
  const found = fixedPoints(field, axes, grid, effort.stride);
  const arrows = [];
  for (let row = 0; row < ARROWS; row += 1) {
    for (let column = 0; column < ARROWS; column += 1) {
      const point = [column, row].map((k, i) => ((k + 0.5) / ARROWS) * axes[i].top);
      const velocity = velocityAt(field, axes, point).map((rate, i) => rate / axes[i].top);
      arrows.push({ point, velocity });
    }
  }
  const begun = performance.now();
  const paths = [];
  for (const trajectory of [...state.trajectories].reverse()) {
    if (effort === QUICK && performance.now() - begun > QUICK.budget) break; // older ones wait
    paths.unshift(pathFrom(axes, trajectory, effort));
  }
  const roughly = following(axes, QUICK);
  state.shown = {
    axes,
    arrows,
    nullclines: nullclines(grid).map(({ crossing, touching }, which) => [
      ...crossing,
      ...touching,
      ...axisBranches(axes, which),
    ]),
    points: found.points.map((point) => ({ ...point, q: pointAt(axes, point.x) })),
    lines: found.lines.map((line) => ({ ...line, qs: line.states.map((x) => pointAt(axes, x)) })),
    borders: separatrices(field, found.points, roughly).map((states) =>
      states.map((x) => pointAt(axes, x)),
    ),
    paths,
  };
}
