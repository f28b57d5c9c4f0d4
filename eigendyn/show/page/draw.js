// What was computed enters; strokes on a canvas leave. Nothing here computes dynamics.

const MARGIN = { left: 54, right: 14, top: 14, bottom: 46 };
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);

// A canvas as sharp as the screen, and functions from numbers to its places.
function frame(canvas, [x0, x1], [y0, y1]) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.font = FONT;
  pen.lineJoin = "round";
  const box = {
    left: MARGIN.left,
    top: MARGIN.top,
    right: width - MARGIN.right,
    bottom: height - MARGIN.bottom,
  };
  return {
    pen,
    box,
    ranges: [
      [x0, x1],
      [y0, y1],
    ],
    at: ([x, y]) => [
      box.left + ((x - x0) / (x1 - x0)) * (box.right - box.left),
      box.bottom - ((y - y0) / (y1 - y0)) * (box.bottom - box.top),
    ],
    from: (left, top) => [
      x0 + ((left - box.left) / (box.right - box.left)) * (x1 - x0),
      y0 + ((box.bottom - top) / (box.bottom - box.top)) * (y1 - y0),
    ],
  };
}

function ticks([low, high], most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from({ length: count + 1 }, (_, i) => {
    const value = (first + i) * step;
    return { value, text: value.toFixed(digits).replace("-", "−") };
  });
}

function drawAxes({ pen, box, ranges, at }, labels) {
  pen.lineWidth = 1;
  pen.strokeStyle = colour("line");
  pen.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.fillStyle = colour("soft");
  const room = [(box.right - box.left) / 60, (box.bottom - box.top) / 36];
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const { value, text } of ticks(ranges[0], Math.max(2, room[0]))) {
    pen.fillText(text, at([value, ranges[1][0]])[0], box.bottom + 6);
  }
  pen.fillText(labels[0], (box.left + box.right) / 2, box.bottom + 26, box.right - box.left);
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const { value, text } of ticks(ranges[1], Math.max(2, room[1]))) {
    pen.fillText(text, box.left - 7, at([ranges[0][0], value])[1]);
  }
  pen.save();
  pen.translate(14, (box.top + box.bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textAlign = "center";
  pen.fillText(labels[1], 0, 0, box.bottom - box.top);
  pen.restore();
}

function inBox({ pen, box }, paint) {
  pen.save();
  pen.beginPath();
  pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.clip();
  paint();
  pen.restore();
}

function drawCurve({ pen, at }, points, { stroke, width, dash = [], alpha = 1 }) {
  pen.globalAlpha = alpha;
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  points.forEach((point, i) => pen[i ? "lineTo" : "moveTo"](...at(point)));
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

// Arrows of a field, longer and darker where it is faster.
function drawField({ pen, at }, arrows, spacing) {
  const speeds = arrows.map(({ velocity }) => Math.hypot(...velocity));
  const typical = [...speeds].sort((a, b) => a - b)[Math.floor(0.8 * speeds.length)] || 1;
  pen.strokeStyle = colour("field");
  pen.lineWidth = 1.1;
  arrows.forEach(({ point, velocity }, i) => {
    if (!(speeds[i] > 1e-9 * typical)) return;
    const strength = Math.min(1, (speeds[i] / typical) ** 0.4);
    const length = spacing * (0.25 + 0.5 * strength);
    const [dx, dy] = [velocity[0] / speeds[i], -velocity[1] / speeds[i]];
    const [x, y] = at(point);
    const [tipX, tipY] = [x + (dx * length) / 2, y + (dy * length) / 2];
    pen.globalAlpha = 0.35 + 0.65 * strength;
    pen.beginPath();
    pen.moveTo(tipX - dx * length, tipY - dy * length);
    pen.lineTo(tipX, tipY);
    for (const side of [-1, 1]) {
      pen.moveTo(tipX, tipY);
      pen.lineTo(tipX - 3.6 * dx + side * 2.4 * dy, tipY - 3.6 * dy - side * 2.4 * dx);
    }
    pen.stroke();
  });
  pen.globalAlpha = 1;
}

// Filled where stable, open where unstable, half filled for a saddle,
// above where half-stable and below where neutral.
function drawPoint(pen, [x, y], kind, radius = 5.5) {
  const ink = colour("ink");
  pen.lineWidth = 1.8;
  pen.strokeStyle = ink;
  pen.fillStyle = kind === "stable" ? ink : colour("paper");
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  const inner = {
    saddle: [radius, Math.PI / 2, -Math.PI / 2],
    "half-stable": [radius, Math.PI, 2 * Math.PI],
    neutral: [radius, 0, Math.PI],
  }[kind];
  if (inner) {
    pen.fillStyle = ink;
    pen.beginPath();
    pen.arc(x, y, ...inner);
    pen.fill();
  }
}

// A line of fixed points: a full band where its neighbours come to it, an open one where they
// leave.
function drawRestLine(plot, points, kinds) {
  const [ink, paper] = [colour("ink"), colour("paper")];
  points.slice(1).forEach((point, i) => {
    const part = [points[i], point];
    drawCurve(plot, part, { stroke: ink, width: 6 });
    if (kinds[i] !== "stable") drawCurve(plot, part, { stroke: paper, width: 3 });
  });
}

function drawCross({ pen, box, at }, point) {
  const [x, y] = at(point);
  pen.strokeStyle = colour("accent");
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    pen.moveTo(x + 4 * dx, y + 4 * dy);
    pen.lineTo(x + 11 * dx, y + 11 * dy);
  }
  pen.stroke();
}
