// Sliders, clicks and keys enter; the page shows what follows from them.

let remembering = 0;
function show() {
  drawPlane();
  drawCourse();
  tell();
  clearTimeout(remembering);
  remembering = setTimeout(remember, REMEMBER_AFTER);
}

// The view goes into the page's address, so that a link brings it back.
function remember() {
  const view = viewText(sliders, state.values, state.trajectories);
  const asOpened = viewText(sliders, sliders.map(({ value }) => value), opening);
  const address = location.href.split("#")[0];
  try {
    history.replaceState(null, "", view === asOpened ? address : `${address}#${view}`);
  } catch {
    // A page inside another one may not change its address.
  }
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
    label.append(
      `${slider.label} `,
      Object.assign(document.createElement("i"), { textContent: slider.symbol }),
    );
    const output = Object.assign(document.createElement("output"), {
      id: `value-${i}`,
      htmlFor: `slider-${i}`,
    });
    const input = document.createElement("input");
    Object.assign(input, {
      type: "range",
      id: `slider-${i}`,
      min: slider.low,
      max: slider.high,
      step: slider.step,
    });
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
  const line = (stroke, extra = "") =>
    `<line x1="0" y1="8" x2="26" y2="8" stroke="var(--${stroke})" stroke-width="2.2" ${extra}/>`;
  const dot = (fill, extra = "") =>
    `<circle cx="13" cy="8" r="5" fill="${fill}" stroke="var(--ink)" stroke-width="1.8"/>${extra}`;
  const entries = [
    [line("first"), `${symbols[0]} rests`],
    [line("second", 'stroke-dasharray="7 5"'), `${symbols[1]} rests`],
    [line("path"), "training"],
    [line("soft", 'stroke-dasharray="1.5 4"'), "border of basins"],
    [dot("var(--ink)"), "stable"],
    [dot("none"), "unstable"],
    [dot("none", '<path d="M13 3a5 5 0 0 0 0 10z" fill="var(--ink)"/>'), "saddle"],
    [dot("none", '<path d="M8 8a5 5 0 0 1 10 0z" fill="var(--ink)"/>'), "half-stable"],
    [dot("none", '<path d="M8 8a5 5 0 0 0 10 0z" fill="var(--ink)"/>'), "neutral"],
    [
      '<line x1="0" y1="8" x2="26" y2="8" stroke="var(--ink)" stroke-width="6"/>',
      "all at rest, open if unstable",
    ],
  ];
  for (const [picture, text] of entries) {
    const item = document.createElement("li");
    item.innerHTML = `<svg viewBox="0 0 26 16" aria-hidden="true">${picture}</svg>`;
    item.append(text);
    element("legend").append(item);
  }
}

// Show the view that a text says; an empty one is that at the opening.
function restore(view) {
  const tops = data.plane.map(({ top }) => top * reach.high);
  const { values, trajectories } = viewFrom(view, sliders, tops);
  sliders.forEach((slider, i) => {
    state.values[i] = values[i];
    showSlider(slider, i);
  });
  state.cursor = null;
  state.trajectories = trajectories ?? [...opening];
  clearTimeout(refining);
  update(FINE);
}

const pointer = (event) => {
  const { left, top } = canvas.getBoundingClientRect();
  const q = state.plot.from(event.clientX - left, event.clientY - top);
  return q.every((value, i) => value > -0.01 * plane()[i].top && value < 1.01 * plane()[i].top)
    ? q
    : null;
};

function moveCursor(q) {
  state.cursor = q && rounded(q.map((value, i) => Math.min(value, plane()[i].top)));
  drawPlane();
  tellCursor();
}

const goesBack = (event) => (event.shiftKey !== element("backward").checked ? -1 : 1);

canvas.addEventListener(
  "pointermove",
  (event) => event.pointerType === "mouse" && moveCursor(pointer(event)),
);
canvas.addEventListener(
  "pointerleave",
  () => document.activeElement !== canvas && moveCursor(null),
);
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
canvas.addEventListener(
  "focus",
  () => state.cursor ?? moveCursor(plane().map(({ top }) => top / 2)),
);
canvas.addEventListener("blur", () => moveCursor(null));

element("reset").addEventListener("click", () => restore(""));
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
element("theme").addEventListener("click", () =>
  paint(document.documentElement.dataset.theme !== "dark"),
);
dark.addEventListener("change", () => paint(dark.matches));

canvas.setAttribute(
  "aria-label",
  `Plane of ${data.plane.map(({ label }) => label).join(" against ")}`,
);
paint(dark.matches);
buildSliders();
buildLegend();
cost.measure();
restore(location.hash.slice(1));
window.addEventListener("hashchange", () => restore(location.hash.slice(1)));
new ResizeObserver(() => {
  drawPlane();
  drawCourse();
}).observe(canvas);
