// The axis of time: labels at round times, as `time_axis.rs` writes them, and on a logarithmic scale.
const ROUND = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000, 1728000, 4320000, 8640000, 31536000];
const POWERS = [0.1, 1, 10, 60, 600, 3600, 36000, 86400, 864000, 8640000];
const two = (number) => String(number).padStart(2, "0");
const units = (parts) => parts.filter(([number]) => number > 0).map((part) => part.join(" ")).join(" ");

// A moment beside an axis whose labels are a step apart, in seconds.
const moment = (time, step) => {
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3;
  const parts = 10 ** digits;
  const cut = Math.floor((time + 1e-6) * parts);
  const whole = Math.floor(cut / parts);
  const part = digits ? `.${String(cut % parts).padStart(digits, "0")}` : "";
  const [days, hours, minutes] = [86400, 3600, 60].map((unit) => Math.floor(whole / unit));
  const [hour, minute, second] = [hours % 24, minutes % 60, two(whole % 60)];
  if (cut === 0) return "0";
  if (step >= 86400) return `${days} d`;
  if (step >= 60) return units([[days, "d"], [hour, "h"], [minute, "min"]]);
  if (whole < 60) return `${whole}${part} s`;
  if (whole < 3600) return `${minutes}:${second}${part}`;
  return `${days ? `${days} d ` : ""}${hour}:${two(minute)}:${second}${part}`;
};
// The same in a sentence, where `1:30` would not be clear.
const spoken = (time, step) => {
  const secs = Math.floor(time + 1e-6);
  // Zeros at the end say nothing here; along an axis they keep labels alike.
  if (step >= 60 || secs < 60) return moment(time, step).replace(/(\.\d*?)0+ s/, "$1 s").replace(". s", " s");
  return units([[Math.floor(secs / 86400), "d"], [Math.floor(secs / 3600) % 24, "h"], [Math.floor(secs / 60) % 60, "min"],
    [secs % 60, "s"]]);
};
const power = (secs) => (secs < 1 ? `${secs * 1000} ms` : spoken(secs, 1));

// Labels of a part of the time, no more than there is room for: how far along each is, from 0 to 1, and its text.
const ticks = ({ from, to, unit }, most) => {
  const wide = to - from;
  if (unit) {
    const sign = from > 0 ? "+" : "";
    const place = (secs) => Math.log1p(secs / unit) / Math.log1p(wide / unit);
    const shown = POWERS.filter((secs) => secs < wide && place(secs) > 0.1);
    const every = Math.ceil((shown.length + 1) / most);
    const first = [0, from > 0 ? moment(from, 1) : "0"];
    return [first, ...shown.filter((_, place) => place % every === every - 1)
      .map((secs) => [place(secs), sign + power(secs)])];
  }
  const step = ROUND.find((step) => wide / step <= most) ?? wide / most;
  const found = [];
  for (let number = Math.ceil(from / step - 1e-9); number * step <= to * (1 + 1e-12); number++) {
    found.push([(number * step - from) / wide, moment(number * step, step)]);
  }
  return found;
};
