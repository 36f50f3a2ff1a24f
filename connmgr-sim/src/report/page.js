"use strict";
// Keys, theme, filter and zoom. The page can be read without any of it.
(() => {
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const all = (what) => [...document.querySelectorAll(what)];

  // Light or dark: the system's choice, until the reader chooses.
  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const turnTheme = () => { root.dataset.theme = isDark() ? "light" : "dark"; };

  const help = find("help");
  const turnHelp = () => (help.open ? help.close() : help.showModal());

  // The next row that is shown, or the one before.
  const step = (by) => {
    const rows = all(".step").filter((row) => !row.hidden);
    const at = rows.indexOf(document.activeElement);
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
    if (!next) return;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const filter = find("filter");
  const sift = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    const rows = all("tr.step, li.step");
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    find("found").value = filter.value ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
  };

  // The part of the time that is shown, from 0 to 1.
  const seconds = Number(document.body.dataset.seconds);
  let from = 0;
  let width = 1;
  const steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900,
    1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 5184000, 31536000];
  const two = (number) => String(number).padStart(2, "0");
  const clock = (time, step) => {
    const secs = Math.floor(time + 1e-6);
    const days = Math.floor(secs / 86400);
    if (step >= 86400) return `${days}d`;
    let text = (days ? `${days}d ` : "") + two(Math.floor(secs / 3600) % 24) + ":" + two(Math.floor(secs / 60) % 60);
    if (step < 60) text += ":" + two(secs % 60);
    if (step < 1) text += (time - secs + 1e-6).toFixed(3).slice(1);
    return text;
  };
  const labels = () => {
    const shown = seconds * width;
    const step = steps.find((step) => shown / step <= 8) ?? shown / 8;
    const spans = [];
    for (let number = Math.ceil((from * seconds) / step - 1e-9); number * step <= (from + width) * seconds * (1 + 1e-9); number++) {
      const span = document.createElement("span");
      span.style.left = `${((number * step) / seconds - from) / width * 100}%`;
      span.textContent = clock(number * step, step);
      spans.push(span);
    }
    return spans;
  };
  const show = (start, wide) => {
    width = Math.min(1, Math.max(wide, 0.01 / seconds));
    from = Math.min(1 - width, Math.max(0, start));
    for (const svg of all("svg.time")) {
      svg.setAttribute("viewBox", `${from * 10000} 0 ${width * 10000} ${svg.viewBox.baseVal.height}`);
    }
    for (const axis of all(".labels.time")) axis.replaceChildren(...labels());
    find("part").value = width < 1 ? `${clock(from * seconds, 1)} to ${clock((from + width) * seconds, 1)}` : "";
  };
  const nearer = () => show(from + (from > 0 ? width / 4 : 0), width / 2);
  const farther = () => show(from - width / 2, width * 2);
  const move = (by) => show(from + by * width, width);

  const keys = {
    t: turnTheme,
    "?": turnHelp,
    j: () => step(1),
    k: () => step(-1),
    "/": () => filter?.focus(),
  };
  const timeKeys = {
    "+": nearer, "=": nearer, "-": farther, h: () => move(-0.5), l: () => move(0.5), 0: () => show(0, 1),
  };
  if (seconds > 0) Object.assign(keys, timeKeys);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === filter) {
      if (event.key === "Escape" || event.key === "Enter") filter.blur();
      return;
    }
    if (event.target.classList?.contains("step") && event.key.startsWith("Arrow")) {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by) { event.preventDefault(); step(by); }
      return;
    }
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  find("theme").onclick = turnTheme;
  find("ask").onclick = turnHelp;
  filter?.addEventListener("input", sift);
  if (seconds > 0) {
    const buttons = { nearer, farther, earlier: () => move(-0.5), later: () => move(0.5), whole: () => show(0, 1) };
    for (const [id, act] of Object.entries(buttons)) find(id)?.addEventListener("click", act);
    // A wheel with Ctrl held zooms around the pointer.
    document.addEventListener("wheel", (event) => {
      const plot = event.target.closest?.("svg.time");
      if (!plot || !event.ctrlKey) return;
      event.preventDefault();
      const box = plot.getBoundingClientRect();
      const at = from + (event.clientX - box.left) / box.width * width;
      const wide = Math.min(1, width * (event.deltaY > 0 ? 1.25 : 0.8));
      show(at - (at - from) / width * wide, wide);
    }, { passive: false });
  }

  // `#dark` and `#light` choose a theme; `#selftest` presses every key and writes down what came of it.
  const selftest = () => {
    const failed = [];
    const expect = (what, holds) => { if (!holds) failed.push(what); };
    const press = (key, target = document.activeElement ?? document.body) =>
      target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const before = isDark();
    press("t");
    expect("t turns the theme", isDark() !== before && getComputedStyle(root).colorScheme === root.dataset.theme);
    press("t");
    press("?");
    expect("? opens the help", help.open);
    press("?");
    expect("? closes the help", !help.open);
    const rows = all(".step");
    if (rows.length > 1) {
      press("j");
      expect("j goes to the first row", document.activeElement === rows[0]);
      press("j");
      expect("j goes on", document.activeElement === rows[1]);
      press("k");
      expect("k goes back", document.activeElement === rows[0]);
      press("ArrowDown");
      expect("arrows go on", document.activeElement === rows[1]);
    }
    if (filter) {
      press("/");
      expect("/ goes to the filter", document.activeElement === filter);
      filter.value = "nothing has this in it";
      filter.dispatchEvent(new Event("input"));
      expect("the filter hides", all("tr.step, li.step").every((row) => row.hidden));
      filter.value = "";
      filter.dispatchEvent(new Event("input"));
      expect("an empty filter shows all", all(".step").every((row) => !row.hidden));
      press("Escape", filter);
      expect("Escape leaves the filter", document.activeElement !== filter);
    }
    const plot = document.querySelector("svg.time");
    if (plot) {
      press("+");
      expect("+ shows half", plot.viewBox.baseVal.width === 5000);
      press("l");
      expect("l goes on", plot.viewBox.baseVal.x === 2500);
      press("0");
      expect("0 shows all", plot.viewBox.baseVal.width === 10000);
    }
    expect("nothing is fetched", performance.getEntriesByType("resource").length === 0);
    expect("ids are unique", new Set(all("[id]").map((it) => it.id)).size === all("[id]").length);
    expect("every link leads somewhere", all("a[href^='#']").every((link) => find(link.hash.slice(1))));
    expect("every picture has a name", all("svg[role=img]").every((svg) => svg.getAttribute("aria-label")));
    root.dataset.selftest = failed.length ? `failed: ${failed.join("; ")}` : "passed";
  };
  if (location.hash === "#dark" || location.hash === "#light") root.dataset.theme = location.hash.slice(1);
  if (location.hash === "#selftest") selftest();
})();
