// Which part of the time is shown, and on which scale.
// What the page says without this script: it has to say the same.
const printed = { part: find("part")?.value, labels: all(".axis .labels span").map((span) => span.textContent) };
const end = Number(document.body.dataset.seconds);
// `unit`: the first step of the logarithmic scale; none on a linear one.
const shown = { from: 0, to: end, unit: 0 };
let show = () => {};
if (end > 0) {
  const draw = drawn();
  const parts = all("[data-from]");
  const unit = Number(document.querySelector(".zoom").dataset.unit);
  const log = find("log");

  const label = ([at, text]) => {
    const span = document.createElement("span");
    span.style.left = `${at * 100}%`;
    span.textContent = text;
    span.classList.toggle("first", at < 0.03);
    span.classList.toggle("last", at > 0.97);
    return span;
  };
  const say = () => {
    const least = shown.to - shown.from < 1 ? 0 : 0.1;
    const step = ROUND.find((step) => step >= least && (shown.to - shown.from) / step <= 50) ?? 1;
    const whole = find("whole").dataset.text;
    const [from, to] = [shown.from, shown.to].map((time) => spoken(time, step));
    const part = `${from} to ${to} of ${whole}`;
    const scale = shown.unit ? ", on a log scale." : ".";
    find("part").value = `Showing ${shown.from <= 0 && shown.to >= end ? `all ${whole}` : part}${scale}`;
    const { style } = find("overview");
    style.left = `${shown.from / end * 100}%`;
    style.width = `${(shown.to - shown.from) / end * 100}%`;
    const isShown = ({ from, to }) => Math.abs(from - shown.from) < 1e-9 && Math.abs(to - shown.to) < 1e-9;
    for (const part of parts) part.setAttribute("aria-pressed", isShown(part.dataset));
    log.setAttribute("aria-pressed", shown.unit > 0);
  };
  // As many labels as do not touch. All axes are alike, so one is measured.
  const relabel = () => {
    const [first, ...others] = all(".labels.time");
    const touch = (boxes) => boxes.some((box, place) => place > 0 && box.left < boxes[place - 1].right + 8);
    for (let most = 8; most > 0; most--) {
      first.replaceChildren(...ticks(shown, most).map(label));
      if (!touch([...first.children].map((it) => it.getBoundingClientRect()))) break;
    }
    for (const axis of others) axis.replaceChildren(...first.cloneNode(true).children);
  };
  show = (from, wide) => {
    wide = Math.min(end, Math.max(wide, 0.01));
    shown.from = Math.min(end - wide, Math.max(0, from));
    shown.to = shown.from + wide;
    draw(shown);
    relabel();
    say();
  };

  const wide = () => shown.to - shown.from;
  const acts = {
    nearer: () => show(shown.from + (shown.from > 0 ? wide() / 4 : 0), wide() / 2),
    farther: () => show(shown.from - wide() / 2, wide() * 2),
    earlier: () => show(shown.from - wide() / 2, wide()),
    later: () => show(shown.from + wide() / 2, wide()),
    whole: () => show(0, end),
    log: () => { shown.unit = shown.unit ? 0 : unit; show(shown.from, wide()); },
  };
  const names = {
    "+": "nearer", "=": "nearer", "-": "farther", h: "earlier", l: "later", 0: "whole", g: "log",
  };
  for (const [key, name] of Object.entries(names)) keys[key] = acts[name];
  for (const [id, act] of Object.entries(acts)) find(id).addEventListener("click", act);
  for (const { dataset } of parts) dataset.to = Math.min(end, dataset.to);
  for (const part of parts) {
    part.addEventListener("click", () => show(Number(part.dataset.from), part.dataset.to - part.dataset.from));
  }
  // A wheel with Ctrl held zooms around the pointer; on a logarithmic scale, around the left edge.
  document.addEventListener("wheel", (event) => {
    const plot = event.target.closest?.("svg.time");
    if (!plot || !event.ctrlKey) return;
    event.preventDefault();
    const box = plot.getBoundingClientRect();
    const share = shown.unit ? 0 : (event.clientX - box.left) / box.width;
    const factor = event.deltaY > 0 ? 1.25 : 0.8;
    const next = Math.min(end, wide() * factor);
    show(shown.from + share * (wide() - next), next);
  }, { passive: false });
  addEventListener("resize", relabel);

  const opening = parts.find((part) => part.getAttribute("aria-pressed") === "true").dataset;
  if (log.dataset.opening !== undefined) shown.unit = unit;
  show(Number(opening.from), opening.to - opening.from);
}
