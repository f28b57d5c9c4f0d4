// What a person has set enters, and the part of an address behind "#" that says it leaves; and back.
//
// Such as #weight-decay=0.3&reach=2&from=0.2,1.2&back=1,1: sliders that were moved, and where
// trajectories start, back in time or not.

const MOST_STARTS = 50; // of a link, which anybody may have written

// A number without the dirt of binary fractions, such as 0.3 for 0.30000000000000004.
const plain = (value) => String(Number(value.toPrecision(12)));

const keyOf = ({ name, option, symbol }) =>
  name ?? (option === "--param" ? `param-${symbol}` : option.slice(2));

function viewText(sliders, values, trajectories) {
  const view = new URLSearchParams();
  sliders.forEach((slider, i) => {
    if (plain(values[i]) !== plain(slider.value)) view.append(keyOf(slider), plain(values[i]));
  });
  for (const { q, sign } of trajectories) {
    view.append(sign > 0 ? "from" : "back", q.map(plain).join(","));
  }
  if (trajectories.length === 0) view.append("from", "");
  return view.toString().replaceAll("%2C", ",");
}

// Values of the sliders, and trajectories, or null where the text names none. What it does not hold
// is as at the opening; what makes no sense is passed over. `tops` is how far starts may lie.
function viewFrom(text, sliders, tops) {
  const view = new URLSearchParams(text);
  const values = sliders.map((slider) => {
    const given = Number.parseFloat(view.get(keyOf(slider)));
    if (!Number.isFinite(given)) return slider.value;
    return Math.min(slider.high, Math.max(slider.low, given));
  });
  const starts = [...view].filter(([name]) => name === "from" || name === "back");
  const trajectories = starts
    .map(([name, place]) => ({
      q: place.split(",").map(Number.parseFloat),
      sign: name === "from" ? 1 : -1,
    }))
    .filter(({ q }) => q.length === 2 && q.every((value, i) => value >= 0 && value <= tops[i]));
  return { values, trajectories: starts.length ? trajectories.slice(0, MOST_STARTS) : null };
}
