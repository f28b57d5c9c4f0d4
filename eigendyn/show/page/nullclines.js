// A field on a plane enters; the curves on which a coordinate rests leave.

// Near enough to the axis not to be seen, far enough for a rate above the closure's error.
const BESIDE_AXIS = 5e-4;
const NOISE = 1e-9; // of typical rates

// Values of both coordinates' rates on n × n points. The rate of an odd coordinate is taken over
// the coordinate, since it vanishes on the axis whatever happens beside it.
function rateGrid(field, plane, n, refinements = 0) {
  const values = [new Float64Array(n * n), new Float64Array(n * n)];
  const positions = plane.map(({ top, odd }) =>
    Array.from({ length: n }, (_, i) => (i || !odd ? (top * i) / (n - 1) : BESIDE_AXIS * top)),
  );
  const rateAt = (q, i) => {
    const x = stateAt(plane, q);
    const { coordinate, odd } = plane[i];
    return field(x, [0, 0])[coordinate] / (odd ? x[coordinate] : 1);
  };
  const out = [0, 0];
  for (let row = 0; row < n; row += 1) {
    for (let column = 0; column < n; column += 1) {
      const x = stateAt(plane, [positions[0][column], positions[1][row]]);
      field(x, out);
      plane.forEach(({ coordinate, odd }, i) => {
        values[i][row * n + column] = out[coordinate] / (odd ? x[coordinate] : 1);
      });
    }
  }
  for (const rates of values) clearNoise(rates);
  return { n, positions, values, rateAt, refinements };
}

// Rates that are error beside the others become zero.
function clearNoise(rates) {
  const sizes = Array.from(rates, Math.abs)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const tiny = NOISE * (sizes[Math.floor(0.9 * sizes.length)] ?? 0);
  rates.forEach((rate, i) => {
    if (Math.abs(rate) <= tiny) rates[i] = 0;
  });
}

// The axis on which an odd coordinate is zero, and stays so.
const axisBranches = (plane, which) =>
  plane[which].odd ? [[[0, 0], which === 0 ? [0, plane[1].top] : [plane[0].top, 0]]] : [];

// Where one rate of a grid changes sign: marching squares, each branch a polyline of its own.
// Crossings are refined by the Illinois method as often as the grid says.
function zeroBranches({ n, positions, values, rateAt, refinements }, which) {
  const rate = (column, row) => values[which][row * n + column];
  const place = (corner) => corner.map((index, i) => positions[i][index]);
  const crossing = (a, b) => {
    const ends = [a, b].map((corner) => ({ q: place(corner), rate: rate(...corner) }));
    let replaced = null;
    for (let count = 0; ; count += 1) {
      const [from, to] = ends;
      const share = from.rate / (from.rate - to.rate);
      const q = from.q.map((value, i) => value + share * (to.q[i] - value));
      const between = count < refinements ? rateAt(q, which) : NaN;
      if (!Number.isFinite(between)) return q;
      const end = between >= 0 === from.rate >= 0 ? 0 : 1;
      if (replaced === end) ends[1 - end].rate /= 2; // the other end has stood twice
      ends[end] = { q, rate: between };
      replaced = end;
    }
  };
  const links = new Map(); // edge → {point, next: edges}
  const join = (first, second) => {
    for (const [edge, other] of [
      [first, second],
      [second, first],
    ]) {
      const key = edge.join();
      if (!links.has(key)) links.set(key, { point: crossing(...edge), next: [] });
      links.get(key).next.push(other.join());
    }
  };
  for (let row = 0; row + 1 < n; row += 1) {
    for (let column = 0; column + 1 < n; column += 1) {
      const first = rate(column, row) >= 0; // most cells are passed over here, and soon
      const isAlike = (x, y) => rate(x, y) >= 0 === first;
      if (
        isAlike(column + 1, row) &&
        isAlike(column, row + 1) &&
        isAlike(column + 1, row + 1)
      ) {
        continue;
      }
      const corners = [
        [column, row],
        [column + 1, row],
        [column + 1, row + 1],
        [column, row + 1],
      ];
      const rates = corners.map((corner) => rate(...corner));
      if (!rates.every(Number.isFinite) || rates.every((value) => value === 0)) continue;
      const isUp = rates.map((value) => value >= 0);
      const edges = [];
      for (const [k, flip] of [
        [0, 0],
        [1, 0],
        [2, 1],
        [3, 1],
      ]) {
        const pair = [corners[k], corners[(k + 1) % 4]];
        if (isUp[k] !== isUp[(k + 1) % 4]) edges.push(flip ? pair.reverse() : pair);
      }
      if (edges.length === 2) join(edges[0], edges[1]);
      if (edges.length === 4) {
        const middleIsUp = rates.reduce((sum, value) => sum + value, 0) >= 0;
        const turned = middleIsUp === isUp[0];
        join(edges[0], edges[turned ? 1 : 3]);
        join(edges[2], edges[turned ? 3 : 1]);
      }
    }
  }
  return chains(links);
}

// For both coordinates the curves on which they rest, but for axes: where the rate changes its sign,
// and where it touches zero. A grid's are found once.
function nullclines(grid) {
  grid.nullclines ??= [0, 1].map((which) => {
    const crossing = zeroBranches(grid, which);
    return { crossing, touching: touchingBranches(grid, which, crossing) };
  });
  return grid.nullclines;
}

// Where a rate of a grid touches zero without changing its sign, its slope does: there a parabola
// through three rates says where the rate is least, and that it vanishes.
const NEARLY = 1e-2; // of typical rates: might touch zero …
const TOUCHES = 1e-6; // … and does

function touchingBranches(grid, which, known) {
  const { n, positions, values, rateAt } = grid;
  const sizes = Array.from(values[which], Math.abs)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const usual = sizes[Math.floor(0.9 * sizes.length)] ?? 0;
  const steps = positions.map((along) => along[2] - along[1]);
  const isKnown = (q) =>
    known.some((branch) => branch.some((p) => q.every((v, i) => Math.abs(v - p[i]) < steps[i])));
  return [0, 1].flatMap((axis) => {
    const slopes = slopeGrid(grid, which, axis);
    if (!(Math.max(...slopes.filter(Number.isFinite).map(Math.abs)) > TOUCHES * usual)) return [];
    const nearest = (q) => {
      const [column, row] = q.map((v, i) => Math.round((v - positions[i][0]) / steps[i]));
      return values[which][row * n + column];
    };
    const least = (q) => {
      if (!(Math.abs(nearest(q)) < 4 * NEARLY * usual)) return null; // without asking the field
      const at = (way) => rateAt(q.map((v, i) => (i === axis ? v + way * steps[i] : v)), which);
      const here = at(0);
      if (!(Math.abs(here) < NEARLY * usual)) return null;
      const [before, after] = [at(-0.25), at(0.25)];
      const shift = (0.125 * (before - after)) / (before - 2 * here + after);
      if (!(Math.abs(shift) < 1)) return null;
      const found = q.map((v, i) => (i === axis ? v + shift * steps[i] : v));
      return Math.abs(rateAt(found, which)) < TOUCHES * usual && !isKnown(found) ? found : null;
    };
    const both = [slopes, slopes];
    return zeroBranches({ n, positions, values: both, rateAt, refinements: 0 }, which).flatMap(
      (branch) => runs(branch.map(least)),
    );
  });
}

// The differences of a grid's rates along an axis, one-sided at its edges.
function slopeGrid({ n, positions, values }, which, axis) {
  const stride = axis === 0 ? 1 : n;
  return values[which].map((_, place) => {
    const at = axis === 0 ? place % n : Math.floor(place / n);
    const [low, high] = [Math.max(0, at - 1), Math.min(n - 1, at + 1)];
    const rate = (index) => values[which][place + (index - at) * stride];
    return (rate(high) - rate(low)) / (positions[axis][high] - positions[axis][low]);
  });
}

// What stands together between nothing, two of them at least.
function runs(points) {
  const found = [[]];
  for (const point of points) {
    if (point) found.at(-1).push(point);
    else found.push([]);
  }
  return found.filter((run) => run.length > 1);
}

function chains(links) {
  const branches = [];
  const seen = new Set();
  const walk = (first) => {
    const branch = [];
    for (let key = first; key !== undefined;) {
      seen.add(key);
      branch.push(links.get(key).point);
      key = links.get(key).next.find((other) => !seen.has(other));
    }
    return branch;
  };
  const ends = [...links.keys()].filter((key) => links.get(key).next.length === 1);
  for (const key of [...ends, ...links.keys()]) {
    if (seen.has(key)) continue;
    const branch = walk(key);
    const last = links.get(key);
    if (last.next.length === 2) branch.push(last.point); // a closed one
    branches.push(branch);
  }
  return branches;
}
