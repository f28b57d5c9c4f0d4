// What follows from the sliders enters; the plane and the time course leave, as drawn.

function drawPlane() {
  const { axes, arrows, nullclines, points, lines, borders, paths } = state.shown;
  const plot = frame(canvas, [0, axes[0].top], [0, axes[1].top]);
  state.plot = plot;
  drawAxes(
    plot,
    axes.map(({ label }) => label),
  );
  inBox(plot, () => {
    drawField(plot, arrows, (plot.box.right - plot.box.left) / ARROWS);
    for (const line of lines) drawRestLine(plot, line.qs, line.kinds);
    [
      ["first", []],
      ["second", [7, 5]],
    ].forEach(([name, dash], which) => {
      for (const branch of nullclines[which]) {
        drawCurve(plot, branch, { stroke: colour(name), width: 2, dash });
      }
    });
    for (const border of borders) {
      drawCurve(plot, border, { stroke: colour("soft"), width: 1.6, dash: [1.5, 4] });
    }
    paths.forEach((path, i) => {
      const isLast = i === paths.length - 1;
      drawCurve(plot, path.points, {
        stroke: colour("path"),
        width: isLast ? 2.2 : 1.3,
        alpha: isLast ? 1 : 0.6,
      });
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
  const late = points.findLastIndex((q) =>
    q.some((v, i) => Math.abs(v - end[i]) > 0.005 * spans[i]),
  );
  const [settled, whole] = [times[Math.max(late, 0)], times[times.length - 1]];
  return Math.abs(1.3 * settled) < Math.abs(whole) ? 1.3 * settled : whole;
}

function drawCourse() {
  const { axes, paths } = state.shown;
  const path = paths[paths.length - 1];
  const end = path ? lastChange(path) || 1 : valueOf(duration);
  const shown = path
    ? path.points.filter((_, i) => Math.abs(path.times[i]) <= 1.02 * Math.abs(end))
    : [];
  const top =
    1.08 * Math.min(3 * Math.max(...axes.map((a) => a.top)), Math.max(1e-6, ...shown.flat()));
  const plot = frame(element("course"), [Math.min(0, end), Math.max(0, end)], [0, path ? top : 1]);
  drawAxes(plot, ["time = learning rate × step", symbols.join(", ")]);
  if (!path) return;
  inBox(plot, () => {
    [
      ["first", []],
      ["second", [7, 5]],
    ].forEach(([name, dash], i) => {
      const curve = path.times.map((time, k) => [time, path.points[k][i]]);
      drawCurve(plot, curve, { stroke: colour(name), width: 2, dash });
    });
  });
  drawCurveNames(
    plot,
    shown[shown.length - 1].map((value) => plot.at([end, value])[1]),
    end > 0,
  );
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
