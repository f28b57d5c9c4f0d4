// The plane: what its axes show of a state, and the nodes of the field's averages.
//
// A field is a function (x, out) → out. A plane has two axes, each {coordinate, squared, odd, top}:
// an axis shows x, or x² where `squared`, from 0 to `top`; the field is the same for x and −x where
// `odd`. q is a point of the plane, x a state.

function decodeNumbers(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Float64Array(bytes.buffer);
}

function decodeNodes(nodes) {
  const values = Object.fromEntries(
    Object.entries(nodes.values).map(([name, text]) => [name, decodeNumbers(text)]),
  );
  return { weights: decodeNumbers(nodes.weights), values };
}

// The field with its numbers put in. Its own arrays go in and out, always of the same kind: what
// the browser has compiled for them then stays compiled.
function fieldWith(rates, numbers, nodes) {
  const [state, rate] = [new Float64Array(2), new Float64Array(2)];
  return (x, out) => {
    state.set(x);
    rates(state, numbers, nodes, rate);
    [out[0], out[1]] = rate;
    return out;
  };
}

const stateAt = (plane, q) => {
  const x = [0, 0];
  plane.forEach((axis, i) => {
    x[axis.coordinate] = axis.squared ? Math.sqrt(Math.max(q[i], 0)) : q[i];
  });
  return x;
};

const pointAt = (plane, x) =>
  plane.map((axis) => (axis.squared ? x[axis.coordinate] ** 2 : x[axis.coordinate]));

// How far each coordinate of a state reaches.
const sizesOf = (plane) =>
  [0, 1].map((i) => {
    const { squared, top } = plane.find(({ coordinate }) => coordinate === i);
    return squared ? Math.sqrt(top) : top;
  });

// How fast the point of the plane moves: d(x²)/dt = 2 x dx/dt.
const velocityAt = (field, plane, q) => {
  const x = stateAt(plane, q);
  const rate = field(x, [0, 0]);
  return plane.map((axis) => rate[axis.coordinate] * (axis.squared ? 2 * x[axis.coordinate] : 1));
};

// Differences that a derivative is taken from: f(±h), or f(±h) and f(±2h) with an error of order
// h⁴.
const CENTRAL = { stride: 3e-5, weights: [1 / 2] };
const SHARP = { stride: 3e-4, weights: [2 / 3, -1 / 12] };

// ∂(dx_i/dt)/∂x_j.
function jacobianAt(field, x, sizes, { stride, weights } = CENTRAL) {
  const rate = [0, 0];
  const columns = [0, 1].map((j) => {
    const step = stride * Math.max(Math.abs(x[j]), 0.01 * sizes[j]);
    const column = [0, 0];
    weights.forEach((weight, k) => {
      for (const way of [1, -1]) {
        const moved = [...x];
        moved[j] += way * (k + 1) * step;
        field(moved, rate);
        column[0] += (way * weight * rate[0]) / step;
        column[1] += (way * weight * rate[1]) / step;
      }
    });
    return column;
  });
  return [0, 1].map((i) => [columns[0][i], columns[1][i]]);
}
