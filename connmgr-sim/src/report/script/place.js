// Where things lie: reads the times off the drawing once, and draws them anew for any part and scale of the time.
const VIEW = 10000;
// What lies outside is drawn a little outside.
const EDGE = 500;

// A function from seconds to a place in the view.
const placing = ({ from, to, unit }) => {
  const wide = to - from;
  const log = (secs) => Math.log1p(Math.max(0, secs - from) / unit) / Math.log1p(wide / unit);
  const share = unit ? (secs) => (secs < from ? -1 : log(secs)) : (secs) => (secs - from) / wide;
  return (secs) => Math.min(VIEW + EDGE, Math.max(-EDGE, share(secs) * VIEW));
};

// A path of ours, in pieces: what to write before a time, the time, and what to write after it.
const pieces = (path) => {
  let x = 0;
  return [...path.matchAll(/([MHhLVvz])([^MHhLVvz]*)/g)].map(([text, command, rest]) => {
    if (command === "V" || command === "v" || command === "z") return [text];
    const [time, ...more] = rest.trim().split(/[ ,]+/);
    x = command === "h" ? x + Number(time) : Number(time);
    return [command === "h" ? "H" : command, x, more.map((it) => ` ${it}`).join("")];
  });
};

const drawn = () => {
  const paths = all("svg.time path").map((it) => [it, pieces(it.getAttribute("d"))]);
  const rects = all("svg.time rect, #bands rect").map((it) => {
    const x = Number(it.getAttribute("x"));
    return [it, x, x + Number(it.getAttribute("width"))];
  });
  const views = all("svg.time");
  return (shown) => {
    const place = placing(shown);
    for (const svg of views) svg.setAttribute("viewBox", `0 0 ${VIEW} ${svg.viewBox.baseVal.height}`);
    for (const [it, parts] of paths) {
      it.setAttribute("d", parts.map(([text, x, rest]) => (x === undefined ? text : text + place(x).toFixed(1) + rest)).join(""));
    }
    for (const [it, from, to] of rects) {
      const x = place(from);
      it.setAttribute("x", x.toFixed(1));
      it.setAttribute("width", Math.max(0.1, place(to) - x).toFixed(1));
    }
  };
};
