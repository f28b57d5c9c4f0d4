// Sliders, clicks and keys enter; the page shows what follows from them.

const data = JSON.parse(document.getElementById("data").textContent);
const nodes = decodeNodes(data.nodes);
const element = (id) => document.getElementById(id);
const canvas = element("plane");
const symbols = data.plane.map(({ symbol }) => symbol);

const FIRST_START = [0.15, 0.6]; // of the axes
const ARROWS = 17;
const REFINE_AFTER = 150; // milliseconds
const QUICK = { budget: 14, refinements: 0, least: 17, most: 49, rtol: 1e-5, mostSteps: 100, stride: 1 / 15 };
const FINE = { budget: 60, refinements: 4, least: 33, most: 73, rtol: 1e-8, mostSteps: 1500, stride: 1 / 40 };

const duration = { label: "time that is followed", symbol: "T", value: data.duration };
const reach = { label: "reach of the axes", symbol: "×", value: 1, low: 0.25, high: 5, step: 0.25 };
Object.assign(duration, { low: data.duration / 10, high: 10 * data.duration, step: data.duration / 10 });
const sliders = [...data.controls, duration, reach];

const state = { values: Float64Array.from(sliders, ({ value }) => value), trajectories: [], cursor: null, shown: null };

const number = (value, digits = 4) => {
  const small = Math.abs(value) < 1e-9 ? 0 : value;
  return String(Number(small.toPrecision(digits))).replace("-", "−");
};
const pair = (q) => `(${q.map((value) => number(value)).join(", ")})`;
const valueOf = (slider) => state.values[sliders.indexOf(slider)];
const plane = () => data.plane.map((axis) => ({ ...axis, top: axis.top * valueOf(reach) }));
const field = fieldWith(rates, state.values, nodes);
const rounded = (q) =>
  q.map((value, i) => {
    const grain = plane()[i].top / 2000;
    return Number((Math.max(0, Math.round(value / grain)) * grain).toPrecision(6));
  });

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
    nullclines: [0, 1].map((which) => [...zeroBranches(grid, which), ...axisBranches(axes, which)]),
    points: found.points.map((point) => ({ ...point, q: pointAt(axes, point.x) })),
    lines: found.lines.map((line) => ({ ...line, qs: line.states.map((x) => pointAt(axes, x)) })),
    borders: separatrices(field, found.points, roughly).map((states) =>
      states.map((x) => pointAt(axes, x)),
    ),
    paths,
  };
}

function drawPlane() {
  const { axes, arrows, nullclines, points, lines, borders, paths } = state.shown;
  const plot = frame(canvas, [0, axes[0].top], [0, axes[1].top]);
  state.plot = plot;
  drawAxes(plot, axes.map(({ label }) => label));
  inBox(plot, () => {
    drawField(plot, arrows, (plot.box.right - plot.box.left) / ARROWS);
    for (const line of lines) drawRestLine(plot, line.qs, line.kinds);
    [["first", []], ["second", [7, 5]]].forEach(([name, dash], which) => {
      for (const branch of nullclines[which]) {
        drawCurve(plot, branch, { stroke: colour(name), width: 2, dash });
      }
    });
    for (const border of borders) {
      drawCurve(plot, border, { stroke: colour("soft"), width: 1.6, dash: [1.5, 4] });
    }
    paths.forEach((path, i) => {
      const isLast = i === paths.length - 1;
      drawCurve(plot, path.points, { stroke: colour("path"), width: isLast ? 2.2 : 1.3, alpha: isLast ? 1 : 0.6 });
    });
  });
  for (const { q, kind } of points) drawPoint(plot.pen, plot.at(q), kind);
  for (const path of paths) {
    const [x, y] = plot.at(path.q);
    plot.pen.fillStyle = colour("path");
    plot.pen.fillRect(x - 2.5, y - 2.5, 5, 5);
  }
  if (state.cursor) drawCross(plot, state.cursor);
}

// The time after which the last trajectory hardly changes, with some room behind it.
function lastChange({ times, points }) {
  const end = points[points.length - 1];
  const spans = end.map((_, i) => {
    const values = points.map((q) => q[i]);
    return Math.max(...values) - Math.min(...values) || 1;
  });
  const late = points.findLastIndex((q) => q.some((v, i) => Math.abs(v - end[i]) > 0.005 * spans[i]));
  const [settled, whole] = [times[Math.max(late, 0)], times[times.length - 1]];
  return Math.abs(1.3 * settled) < Math.abs(whole) ? 1.3 * settled : whole;
}

function drawCourse() {
  const { axes, paths } = state.shown;
  const path = paths[paths.length - 1];
  const end = path ? lastChange(path) || 1 : valueOf(duration);
  const shown = path ? path.points.filter((_, i) => Math.abs(path.times[i]) <= 1.02 * Math.abs(end)) : [];
  const top = 1.08 * Math.min(3 * Math.max(...axes.map((a) => a.top)), Math.max(1e-6, ...shown.flat()));
  const plot = frame(element("course"), [Math.min(0, end), Math.max(0, end)], [0, path ? top : 1]);
  drawAxes(plot, ["time = learning rate × step", symbols.join(", ")]);
  if (!path) return;
  inBox(plot, () => {
    [["first", []], ["second", [7, 5]]].forEach(([name, dash], i) => {
      const curve = path.times.map((time, k) => [time, path.points[k][i]]);
      drawCurve(plot, curve, { stroke: colour(name), width: 2, dash });
    });
  });
  drawCurveNames(plot, shown[shown.length - 1].map((value) => plot.at([end, value])[1]), end > 0);
}

// Names beside the ends of both curves, apart from each other and within the frame.
function drawCurveNames({ pen, box }, ends, isRight) {
  const [upper, lower] = ends[0] <= ends[1] ? [0, 1] : [1, 0];
  const heights = [0, 0];
  heights[upper] = Math.max(box.top + 8, ends[upper] - 10);
  heights[lower] = Math.max(heights[upper] + 16, ends[lower] - 10);
  const excess = Math.max(0, heights[lower] - (box.bottom - 8));
  heights[lower] -= excess;
  heights[upper] = Math.min(heights[upper], heights[lower] - 16);
  pen.textAlign = isRight ? "right" : "left";
  pen.textBaseline = "middle";
  ["first", "second"].forEach((name, i) => {
    pen.fillStyle = colour(name);
    pen.fillText(symbols[i], isRight ? box.right - 6 : box.left + 6, heights[i]);
  });
}

function tell() {
  const { paths, points, lines } = state.shown;
  const path = paths[paths.length - 1];
  const endings = { rest: "comes to rest at", time: "reaches", outside: "leaves through", collapse: "collapses to", unfinished: "gets no further than" };
  const last = path?.points.length - 1;
  element("outcome").textContent = path
    ? `From ${pair(path.q)} it ${endings[path.ended]} ${pair(path.points[last])} at t = ${number(path.times[last])}.`
    : "No trajectory yet.";
  element("course").setAttribute("aria-label", `Time course of ${symbols.join(" and ")}. ${element("outcome").textContent}`);
  const told = ({ re, im }) => (im ? `${number(re, 3)} ${im > 0 ? "+" : "−"} ${number(Math.abs(im), 3)}i` : number(re, 3));
  const rows = [
    ...points.map(({ q, kind, values }) => [...q.map((v) => number(v)), kind, values.map(told).join(", ")]),
    ...lines.map(({ qs, kinds }) => {
      const kind = new Set(kinds).size > 1 ? "stable and unstable" : kinds[0];
      const spans = [0, 1].map((i) => {
        const values = qs.map((q) => q[i]);
        const [low, high] = [Math.min(...values), Math.max(...values)].map((v) => number(v, 2));
        return low === high ? low : `${low} … ${high}`;
      });
      return [...spans, `line, ${kind}`, "0 along it"];
    }),
  ];
  const cell = (kind) => (text) => Object.assign(document.createElement(kind), { textContent: text });
  const row = (cells) => {
    const line = document.createElement("tr");
    line.append(...cells);
    return line;
  };
  element("points").replaceChildren(
    row([...symbols, "stability", "eigenvalues"].map(cell("th"))),
    ...(rows.length ? rows : [["–", "–", "none in sight", "–"]]).map((each) => row(each.map(cell("td")))),
  );
  element("command").textContent = commandLine(path);
  tellCursor();
}

function tellCursor() {
  const q = state.cursor ?? state.trajectories.at(-1)?.q;
  if (!q) return;
  const velocity = velocityAt(field, plane(), q);
  const places = q.map((value, i) => `${symbols[i]} = ${number(value)}`);
  const speeds = velocity.map((value, i) => `d${symbols[i]}/dt = ${number(value, 3)}`);
  element("readout").textContent = `${places.join(", ")}; ${speeds.join(", ")}`;
}

// The same plane, and where an option can set its start the same trajectory, as commands.
function commandLine(path) {
  const changed = data.controls.flatMap(({ option, symbol, default: usual }, i) => {
    if (state.values[i] === usual) return [];
    return option === "--param" ? [`--param ${symbol}=${state.values[i]}`] : [`${option} ${state.values[i]}`];
  });
  const words = [data.command, ...changed].join(" ");
  const lines = [`eigendyn phase ${words} -o phase.png`];
  if (path && path.sign > 0 && data.start) {
    const rate = data.controls.findIndex(({ option }) => option === "--learning-rate");
    const steps = Math.max(1, Math.round(valueOf(duration) / (rate < 0 ? data.learning_rate : state.values[rate])));
    const [first, second] = path.q;
    const start = data.start === "variances" ? `--variances ${first},${second}` : `--variances ${second ** 2} --predictor-start ${first}`;
    lines.push(`eigendyn simulate ${words} ${start} --steps ${steps}`);
  }
  return lines.join("\n");
}

function show() {
  drawPlane();
  drawCourse();
  tell();
}

function update(effort) {
  performance.mark("begin");
  compute(effort);
  show();
  performance.measure(effort === QUICK ? "quick update" : "fine update", "begin");
}

let waiting = 0;
let refining = 0;
function change() {
  cancelAnimationFrame(waiting);
  clearTimeout(refining);
  waiting = requestAnimationFrame(() => update(QUICK));
  refining = setTimeout(() => update(FINE), REFINE_AFTER);
}

function start(q, sign) {
  const trajectory = { q: rounded(q), sign };
  state.trajectories.push(trajectory);
  state.shown.paths.push(pathFrom(plane(), trajectory, FINE));
  show();
}

function showSlider(slider, i) {
  const value = number(state.values[i]);
  element(`slider-${i}`).value = state.values[i];
  element(`slider-${i}`).setAttribute("aria-valuetext", value);
  element(`value-${i}`).textContent = value;
}

function buildSliders() {
  sliders.forEach((slider, i) => {
    const row = Object.assign(document.createElement("div"), { className: "slider" });
    const label = Object.assign(document.createElement("label"), { htmlFor: `slider-${i}` });
    label.append(`${slider.label} `, Object.assign(document.createElement("i"), { textContent: slider.symbol }));
    const output = Object.assign(document.createElement("output"), { id: `value-${i}`, htmlFor: `slider-${i}` });
    const input = document.createElement("input");
    Object.assign(input, { type: "range", id: `slider-${i}`, min: slider.low, max: slider.high, step: slider.step });
    input.addEventListener("input", () => {
      state.values[i] = Number(input.value);
      showSlider(slider, i);
      change();
    });
    row.append(label, output, input);
    element("sliders").append(row);
  });
}

function buildLegend() {
  const line = (stroke, extra = "") => `<line x1="0" y1="8" x2="26" y2="8" stroke="var(--${stroke})" stroke-width="2.2" ${extra}/>`;
  const dot = (fill, extra = "") => `<circle cx="13" cy="8" r="5" fill="${fill}" stroke="var(--ink)" stroke-width="1.8"/>${extra}`;
  const entries = [
    [line("first"), `${symbols[0]} rests`],
    [line("second", 'stroke-dasharray="7 5"'), `${symbols[1]} rests`],
    [line("path"), "training"],
    [line("soft", 'stroke-dasharray="1.5 4"'), "border of basins"],
    [dot("var(--ink)"), "stable"],
    [dot("none"), "unstable"],
    [dot("none", '<path d="M13 3a5 5 0 0 0 0 10z" fill="var(--ink)"/>'), "saddle"],
    ['<line x1="0" y1="8" x2="26" y2="8" stroke="var(--ink)" stroke-width="6"/>', "all at rest"],
  ];
  for (const [picture, text] of entries) {
    const item = document.createElement("li");
    item.innerHTML = `<svg viewBox="0 0 26 16" aria-hidden="true">${picture}</svg>`;
    item.append(text);
    element("legend").append(item);
  }
}

function reset() {
  sliders.forEach((slider, i) => {
    state.values[i] = slider.value;
    showSlider(slider, i);
  });
  state.cursor = null;
  state.trajectories = [{ q: rounded(plane().map(({ top }, i) => FIRST_START[i] * top)), sign: 1 }];
  clearTimeout(refining);
  update(FINE);
}

const pointer = (event) => {
  const { left, top } = canvas.getBoundingClientRect();
  const q = state.plot.from(event.clientX - left, event.clientY - top);
  return q.every((value, i) => value > -0.01 * plane()[i].top && value < 1.01 * plane()[i].top) ? q : null;
};

function moveCursor(q) {
  state.cursor = q && rounded(q.map((value, i) => Math.min(value, plane()[i].top)));
  drawPlane();
  tellCursor();
}

const goesBack = (event) => (event.shiftKey !== element("backward").checked ? -1 : 1);

canvas.addEventListener("pointermove", (event) => event.pointerType === "mouse" && moveCursor(pointer(event)));
canvas.addEventListener("pointerleave", () => document.activeElement !== canvas && moveCursor(null));
canvas.addEventListener("click", (event) => {
  const q = pointer(event);
  if (q) start(q, goesBack(event));
});
canvas.addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const axes = plane();
  const at = state.cursor ?? axes.map(({ top }) => top / 2);
  if (moves[event.key] && !event.altKey && !event.ctrlKey && !event.metaKey) {
    const stride = event.shiftKey ? 1 / 400 : 1 / 40;
    moveCursor(at.map((value, i) => value + moves[event.key][i] * stride * axes[i].top));
  } else if (event.key === "Enter") {
    state.cursor = rounded(at);
    start(at, goesBack(event));
  } else if (event.key === "Delete" || event.key === "Backspace") {
    state.trajectories.pop();
    state.shown.paths.pop();
    show();
  } else {
    return;
  }
  event.preventDefault();
});
canvas.addEventListener("focus", () => state.cursor ?? moveCursor(plane().map(({ top }) => top / 2)));
canvas.addEventListener("blur", () => moveCursor(null));

element("reset").addEventListener("click", reset);
element("clear").addEventListener("click", () => {
  state.trajectories = [];
  state.shown.paths = [];
  show();
});
element("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(element("command").textContent);
    element("copied").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(element("command")); // where a page may not copy, a person can
    element("copied").textContent = "Selected; copy it with Ctrl+C.";
  }
});

const dark = matchMedia("(prefers-color-scheme: dark)");
function paint(isDark) {
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  element("theme").textContent = isDark ? "Light" : "Dark";
  if (state.shown) {
    drawPlane();
    drawCourse();
  }
}
element("theme").addEventListener("click", () => paint(document.documentElement.dataset.theme !== "dark"));
dark.addEventListener("change", () => paint(dark.matches));

canvas.setAttribute("aria-label", `Plane of ${data.plane.map(({ label }) => label).join(" against ")}`);
paint(dark.matches);
buildSliders();
buildLegend();
cost.measure();
reset();
new ResizeObserver(() => {
  drawPlane();
  drawCourse();
}).observe(canvas);
