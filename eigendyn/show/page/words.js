// What follows from the sliders enters; sentences, a table and a command line leave.

const number = (value, digits = 4) => {
  const small = Math.abs(value) < 1e-7 ? 0 : value;
  return String(Number(small.toPrecision(digits))).replace("-", "−");
};
const pair = (q) => `(${q.map((value) => number(value)).join(", ")})`;

function tell() {
  const { axes, paths, points, lines } = state.shown;
  const path = paths[paths.length - 1];
  const endings = {
    rest: "comes to rest at",
    time: "reaches",
    outside: "leaves through",
    collapse: "collapses to",
    unfinished: "gets no further than",
  };
  const outcome = path
    ? `From ${pair(path.q)} it ${endings[path.ended]} ${pair(path.points.at(-1))}` +
      ` at t = ${number(path.times.at(-1))}.`
    : "No trajectory yet.";
  element("outcome").textContent = outcome;
  const heading = `Time course of ${symbols.join(" and ")}.`;
  element("course").setAttribute("aria-label", `${heading} ${outcome}`);
  const told = ({ re, im }) =>
    im ? `${number(re, 3)} ${im > 0 ? "+" : "−"} ${number(Math.abs(im), 3)}i` : number(re, 3);
  const rows = [
    ...points.map(({ q, kind, values }) => [
      ...q.map((v) => number(v)),
      kind,
      values.map(told).join(", "),
    ]),
    ...lines.map(({ qs, kinds }) => {
      const kind = [...new Set(kinds)].join(" and ");
      const spans = [0, 1].map((i) => {
        const values = qs.map((q) => (q[i] < 1e-4 * axes[i].top ? 0 : q[i]));
        const [low, high] = [Math.min(...values), Math.max(...values)].map((v) => number(v, 2));
        return low === high ? low : `${low} … ${high}`;
      });
      return [...spans, `${kind} (a line of them)`, "0 along it"];
    }),
  ];
  const cell = (kind) => (text) =>
    Object.assign(document.createElement(kind), { textContent: text });
  const row = (cells) => {
    const line = document.createElement("tr");
    line.append(...cells);
    return line;
  };
  element("points").replaceChildren(
    row([...symbols, "stability", "eigenvalues"].map(cell("th"))),
    ...(rows.length ? rows : [["–", "–", "none in sight", "–"]]).map((each) =>
      row(each.map(cell("td"))),
    ),
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
    const value = plain(state.values[i]);
    if (usual !== null && value === plain(usual)) return [];
    if (option === "--param") return [`--param ${symbol}=${value}`];
    // Of a parameter per mode, all sliders make one option.
    const alike = data.controls.flatMap((other, j) => (other.option === option ? [j] : []));
    const values = alike.map((j) => plain(state.values[j]));
    return alike[0] === i ? [`${option} ${values.join(",")}`] : [];
  });
  const words = [data.command, ...changed].join(" ");
  const lines = [`eigendyn phase ${words} --plot phase.png`];
  if (path && path.sign > 0 && data.start) {
    const rate = data.controls.findIndex(({ option }) => option === "--learning-rate");
    const steps = Math.max(
      1,
      Math.round(valueOf(duration) / (rate < 0 ? data.learning_rate : state.values[rate])),
    );
    const [first, second] = path.q;
    const start =
      data.start === "variances"
        ? `--variances ${plain(first)},${plain(second)}`
        : `--variances ${plain(second ** 2)} --predictor-start ${plain(first)}`;
    lines.push(`eigendyn simulate ${words} ${start} --steps ${steps}`);
  }
  return lines.join("\n");
}
