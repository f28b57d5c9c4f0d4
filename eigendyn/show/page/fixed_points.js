// A field and its rates on a grid enter; fixed points and lines of them leave, with their
// stability.

// Eigenvalues {re, im}, the largest real part first, and a unit vector for each real one.
function eigen([[a, b], [c, d]]) {
  const [middle, half] = [(a + d) / 2, (a - d) / 2];
  const square = half * half + b * c;
  if (square < 0) {
    const im = Math.sqrt(-square);
    return [1, -1].map((sign) => ({ re: middle, im: sign * im, vector: null }));
  }
  return [1, -1].map((sign) => {
    const re = middle + sign * Math.sqrt(square);
    const rows = [
      [b, re - a],
      [re - d, c],
    ];
    const longest = Math.hypot(...rows[0]) >= Math.hypot(...rows[1]) ? rows[0] : rows[1];
    const length = Math.hypot(...longest);
    const vector = length > 0 ? longest.map((part) => part / length) : sign > 0 ? [1, 0] : [0, 1];
    return { re, im: 0, vector };
  });
}

// The method of Levenberg and Marquardt, damped in proportion to what is left: as fast as Newton's,
// and it also ends on a line of fixed points (Yamashita & Fukushima 2001).
function settle(field, start, sizes, rate) {
  let x = [...start];
  for (let count = 0; count < 30; count += 1) {
    const f = field(x, [0, 0]);
    if (f.some(Number.isNaN)) return null;
    const residual = Math.hypot(...f);
    const j = jacobianAt(field, x, sizes);
    const scale = Math.hypot(...j.flat());
    if (residual <= 1e-12 * rate) return { x, jacobian: j }; // a step would follow round-off
    if (scale * Math.max(...sizes) < 1e-6 * rate) {
      return residual <= 1e-8 * rate ? { x, jacobian: j } : null;
    }
    const extra = (scale * residual) / Math.max(...sizes) + (1e-6 * scale) ** 2;
    const [p, q, r] = [
      j[0][0] ** 2 + j[0][1] ** 2 + extra,
      j[0][0] * j[1][0] + j[0][1] * j[1][1],
      j[1][0] ** 2 + j[1][1] ** 2 + extra,
    ];
    const determinant = p * r - q * q;
    const u = [(r * f[0] - q * f[1]) / determinant, (p * f[1] - q * f[0]) / determinant];
    const step = [0, 1].map((i) => -(j[0][i] * u[0] + j[1][i] * u[1]));
    const length = Math.max(...step.map((part, i) => Math.abs(part) / sizes[i]));
    if (!Number.isFinite(length)) return null;
    x = x.map((value, i) => value + step[i] * Math.min(1, 0.2 / length));
    if (length < 1e-8 && residual <= 1e-8 * rate) return { x, jacobian: j };
  }
  return null;
}

// How far a real eigenvalue may err: by what it changes where the field is differenced over an
// eighth of the way, as beside a corner, and where the point is off by what is left of the rates,
// as beside a double root.
function doubt(field, x, { re, vector }, sizes, rate) {
  const along = (at) => {
    const f = field(at, [0, 0]);
    return f[0] * vector[0] + f[1] * vector[1];
  };
  const away = (step) => x.map((value, i) => value + step * vector[i]);
  const slope = (at, h) => (along(away(at + h)) - along(away(at - h))) / (2 * h);
  const h = 3e-7 * Math.hypot(...vector.map((part, i) => part * sizes[i]));
  const off = (2 * (Math.abs(along(x)) + 1e-12 * rate)) / Math.abs(re);
  const moved = Math.max(...[off, -off].map((step) => Math.abs(slope(step, h) - re)));
  return Math.abs(slope(0, h) - slope(0, h / 8)) + moved;
}

// What a small displacement does to either side: +1 grows, −1 decays, 0 stays. Where the eigenvalue
// vanishes, the field a little away decides; on a line of fixed points that stays zero.
function tendencies(field, { x, jacobian }, sizes, rate) {
  const values = eigen(jacobian);
  const steepest = Math.max(...values.map(({ re, im }) => Math.hypot(re, im)));
  const tiny = 1e-6 * Math.max(steepest, rate / Math.max(...sizes));
  const vague = 1e-3 * Math.max(steepest, rate / Math.max(...sizes));
  const isKnown = (value) =>
    Math.abs(value.re) > vague ||
    (Math.abs(value.re) > tiny &&
      (value.im !== 0 || Math.abs(value.re) > 2 * doubt(field, x, value, sizes, rate)));
  return values.map((value) => {
    if (isKnown(value)) return { ...value, sides: [Math.sign(value.re)] };
    if (value.im !== 0) return { ...value, re: 0, sides: [0] };
    const sides = [1, -1].map((way) => {
      const away = value.vector.map((part, i) => way * 0.01 * part * sizes[i]);
      const f = field(
        x.map((start, i) => start + away[i]),
        [0, 0],
      );
      const along = way * (f[0] * value.vector[0] + f[1] * value.vector[1]);
      return Math.abs(along) > 1e-9 * rate ? Math.sign(along) : 0; // NaN, where there is no field
    });
    return { ...value, re: 0, sides };
  });
}

const isStill = ({ sides }) => sides.every((side) => side === 0);

// In the words of `analysis/beside.py`.
function kindOf(values) {
  const grows = values.some(({ sides }) => Math.max(...sides) > 0 && Math.min(...sides) >= 0);
  const signs = values.flatMap(({ sides }) => sides);
  if (!grows && signs.includes(1)) return "half-stable";
  if (grows) return signs.includes(-1) ? "saddle" : "unstable";
  return values.length === 0 || values.some(isStill) ? "neutral" : "stable";
}

// Fixed points {x, values, kind} of a plane, and lines of them {states, kinds}, found from the
// cells of a grid in which both rates change sign, where one touches zero, and from its axes. `stride` is that along a
// line.
function fixedPoints(field, plane, grid, stride) {
  const sizes = sizesOf(plane);
  const rate = typicalRate(field, plane);
  const near = (a, b, distance) =>
    a.every((value, i) => Math.abs(value - b[i]) < distance * sizes[i]);
  const inside = (x) =>
    pointAt(plane, x).every((q, i) => q >= -1e-9 * plane[i].top && q <= (1 + 1e-9) * plane[i].top);
  const points = [];
  const lines = [];
  const isOnLine = (x) => lines.some(({ states }) => states.some((s) => near(s, x, stride)));
  for (const start of candidates(field, plane, grid, rate)) {
    if (isOnLine(start)) continue;
    const settled = settle(field, start, sizes, rate);
    const x = settled?.x.map((value, i) => (Math.abs(value) < 1e-7 * sizes[i] ? 0 : value));
    if (!x || !inside(x) || plane.some((a) => a.odd && x[a.coordinate] < 0)) continue;
    if (points.some((point) => near(point.x, x, 1e-4)) || isOnLine(x)) continue;
    const values = tendencies(field, { ...settled, x }, sizes, rate);
    const kind = kindOf(values);
    const way = { sizes, rate, inside, stride };
    const line = values.some(isStill) ? lineThrough(field, x, values, way) : null;
    if (line) lines.push(line);
    else points.push({ x, values, kind });
  }
  return { points: points.filter(({ x, values }) => !values.some(isStill) || !isOnLine(x)), lines };
}

// Median speed in the plane: what small rates are compared with.
function typicalRate(field, plane) {
  const speeds = [];
  for (const a of [0.1, 0.3, 0.6, 0.9]) {
    for (const b of [0.15, 0.4, 0.7]) {
      const q = [a * plane[0].top, b * plane[1].top];
      speeds.push(Math.hypot(...field(stateAt(plane, q), [0, 0])));
    }
  }
  return speeds.sort((a, b) => a - b)[Math.floor(speeds.length / 2)];
}

function candidates(field, plane, grid, rate) {
  const { n, positions, values } = grid;
  const changes = (which, corners) => {
    const rates = corners.map((index) => values[which][index]);
    return Math.min(...rates) <= 0 && Math.max(...rates) >= 0;
  };
  const starts = [];
  const add = (q) => starts.push(stateAt(plane, q));
  for (let row = 0; row + 1 < n; row += 1) {
    for (let column = 0; column + 1 < n; column += 1) {
      const first = row * n + column;
      const corners = [first, first + 1, first + n, first + n + 1];
      if (changes(0, corners) && changes(1, corners)) {
        const middle = (i, at) => (positions[i][at] + positions[i][at + 1]) / 2;
        add([middle(0, column), middle(1, row)]);
      }
    }
  }
  plane.forEach((_, i) => {
    const onAxis = (along) => (i === 0 ? [0, along] : [along, 0]);
    const other = plane[1 - i].coordinate;
    const rates = positions[1 - i].map((along) => {
      const value = field(stateAt(plane, onAxis(along)), [0, 0])[other];
      return Math.abs(value) < 1e-8 * rate ? 0 : value;
    });
    for (let k = 0; k + 1 < n; k += 1) {
      if (!(rates[k] * rates[k + 1] <= 0)) continue;
      add(onAxis((positions[1 - i][k] + positions[1 - i][k + 1]) / 2));
    }
  });
  add([0, 0]);
  nullclines(grid).forEach(({ touching }, which) => {
    for (const branch of touching) {
      const others = branch.map((q) => Math.abs(grid.rateAt(q, 1 - which)));
      branch.forEach((q, i) => {
        if (others[i] <= Math.min(others[i - 1] ?? Infinity, others[i + 1] ?? Infinity)) add(q);
      });
      for (const end of [branch[0], branch.at(-1)]) {
        add(end.map((v, i) => (v <= positions[i][0] ? 0 : v))); // where it meets an axis
      }
    }
  });
  return starts;
}

// The line of fixed points through one, if there is one: step along it, and settle. Where a step
// leaves the plane or the line, shorter ones go on, so that the line ends where it does.
function lineThrough(field, x, values, { sizes, rate, inside, stride }) {
  const walk = (way) => {
    const passed = [];
    let at = x;
    let heading = values.find(isStill).vector?.map((part) => way * part);
    let step = stride;
    while (heading && step > stride / 64 && passed.length < 200) {
      const guess = at.map((value, i) => value + step * sizes[i] * heading[i]);
      const next = settle(field, guess, sizes, rate);
      const moved = next?.x.map((value, i) => (value - at[i]) / (step * sizes[i]));
      const isNear = moved && Math.abs(Math.hypot(...moved) - Math.hypot(...heading)) < 0.3;
      const isOn = isNear && inside(next.x) && next.x.every((v, i) => v >= -1e-9 * sizes[i]);
      const tending = isOn ? tendencies(field, next, sizes, rate) : [];
      if (!tending.some(({ re }) => re === 0)) {
        step /= 2;
        continue;
      }
      passed.push({ state: next.x, tending, heading: moved });
      heading = moved.map((part) => part / Math.hypot(...moved));
      at = next.x;
    }
    return passed;
  };
  const first = { state: x, tending: values, heading: values.find(isStill).vector };
  const passed = [...walk(-1).reverse(), first, ...walk(1)];
  if (passed.length < 5) return null;
  return {
    states: passed.map(({ state }) => state),
    kinds: passed.map(({ tending, heading }) => {
      const along = ({ vector }) => Math.abs(vector[0] * heading[0] + vector[1] * heading[1]);
      const still = tending.filter(({ re, vector }) => re === 0 && vector);
      const most = still.sort((a, b) => along(b) - along(a))[0];
      return kindOf(tending.filter((each) => each !== most));
    }),
  };
}
