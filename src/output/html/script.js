"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (selector) => document.querySelector(selector);
  const findings = data.findings.map((finding, id) => ({ ...finding, id, rule: data.rules[finding.rule] }));
  const escape = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  /** Names in backticks are code. */
  const said = (text) => escape(text).replace(/`([^`]*)`/g, "<code>$1</code>");
  const FAMILIES = ["growth", "resources", "cycles", "listeners", "frameworks", "unleak"];
  const SEVERITIES = ["error", "warning", "info"];
  const LEVELS = ["low", "medium", "high"];
  const count = (of) => findings.reduce((sum, one) => sum.set(of(one), (sum.get(of(one)) || 0) + 1), new Map());

  // The state that a link to a finding carries, and what is remembered of the reader.
  const state = { off: new Set(), query: "", group: "family", rows: [], shown: [], selected: null };
  const store = (key, value) => { try { value === undefined ? 0 : localStorage.setItem(key, value); return localStorage.getItem(key); } catch { return null; } };

  // ---- Python's colours, line by line: a string of several lines is coloured where its quotes are seen.
  const WORDS = "False None True and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try type while with yield";
  const KEYWORDS = new Set(WORDS.split(" "));
  const TOKEN = /(#.*)|((?:[rbuft]{0,3})(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\])*(?:"|$)|'(?:\\.|[^'\\])*(?:'|$)))|(@[\w.]+)|(\d[\w.]*)|([^\W\d]\w*)|(\s+|.)/giu;
  const kinds = (line) => {
    const runs = [];
    let before = "";
    for (const [text, comment, string, decorator, number, word] of line.matchAll(TOKEN)) {
      let kind = comment ? "c" : string ? "s" : decorator ? "at-sign" : number ? "d" : "";
      if (word) kind = KEYWORDS.has(word) ? "k" : before === "def" || before === "class" ? "f" : "";
      if (text.trim()) before = text;
      runs.push([text, kind]);
    }
    return runs;
  };
  /** A line with its colours and a mark from one column to another. */
  const painted = (line, from, to) => {
    let at = 0, html = "";
    for (const [text, kind] of kinds(line)) {
      const characters = [...text];
      const cuts = [0, from - at, to - at, characters.length].map((cut) => Math.min(Math.max(cut, 0), characters.length));
      for (let part = 0; part < 3; part++) {
        const piece = escape(characters.slice(cuts[part], cuts[part + 1]).join(""));
        if (!piece) continue;
        const coloured = kind ? `<span class="${kind}">${piece}</span>` : piece;
        html += part === 1 ? `<mark>${coloured}</mark>` : coloured;
      }
      at += characters.length;
    }
    return html.replaceAll("</mark><mark>", "");
  };
  const source = (step) => {
    if (!step.lines.length) return "";
    const lines = step.lines.map((line, index) => {
      const row = step.first + index;
      const hit = row === step.row;
      const html = hit ? painted(line, step.from, step.to) : painted(line, 0, 0);
      return `<div class="${hit ? "hit" : ""}"><span class="n">${row}</span><span class="l">${html || " "}</span></div>`;
    });
    return `<div class="source" tabindex="0" role="group" aria-label="source of ${escape(step.path)}">${lines.join("")}</div>`;
  };

  // ---- The cycle, drawn: its members on an ellipse, in the order of the references.
  const cycle = (finding) => {
    const edges = finding.cycle.map(([from, to, step]) => [from.replaceAll("`", ""), to.replaceAll("`", ""), step]);
    if (!edges.length) return "";
    const names = [...new Set(edges.flatMap(([from, to]) => [from, to]))];
    const width = 640, height = [0, 190, 140][names.length] || 300;
    const longest = (name) => Math.min([...name].length, 26);
    const short = (name) => ([...name].length > 26 ? [...name].slice(0, 25).join("") + "…" : name);
    const place = new Map(names.map((name, index) => {
      const angle = (names.length === 2 ? Math.PI : -Math.PI / 2) + (2 * Math.PI * index) / names.length;
      const half = longest(name) * 4.1 + 14;
      return [name, { x: width / 2 + (width / 2 - 130) * Math.cos(angle), y: height / 2 + (height / 2 - 42) * Math.sin(angle), half }];
    }));
    const border = (node, toward) => {
      const dx = toward.x - node.x, dy = toward.y - node.y;
      const scale = Math.min((node.half + 5) / Math.max(Math.abs(dx), 0.01), 21 / Math.max(Math.abs(dy), 0.01));
      return { x: node.x + dx * scale, y: node.y + dy * scale };
    };
    const drawn = edges.map(([from, to, step]) => {
      const a = place.get(from), b = place.get(to);
      if (from === to) {
        const path = `M${a.x - 16},${a.y - 17} C${a.x - 60},${a.y - 84} ${a.x + 60},${a.y - 84} ${a.x + 16},${a.y - 20}`;
        return { path, step, x: a.x, y: a.y - 67 };
      }
      // Bent outwards, so that there and back are two lines.
      const dx = b.x - a.x, dy = b.y - a.y, length = Math.hypot(dx, dy);
      const bend = names.length === 2 ? 62 : 30;
      const middle = { x: (a.x + b.x) / 2 + (dy / length) * bend, y: (a.y + b.y) / 2 - (dx / length) * bend };
      const start = border(a, middle), end = border(b, middle);
      const at = { x: (start.x + 2 * middle.x + end.x) / 4, y: (start.y + 2 * middle.y + end.y) / 4 };
      return { path: `M${start.x},${start.y} Q${middle.x},${middle.y} ${end.x},${end.y}`, step, ...at };
    });
    const lines = drawn.map(({ path, step, x, y }) => `<path class="edge" marker-end="url(#tip)" d="${path}"/><path class="edge flow" d="${path}"/>` +
      (step ? `<g class="number"><circle cx="${x}" cy="${y}" r="10"/><text x="${x}" y="${y}">${step}</text></g>` : ""));
    const nodes = names.map((name) => {
      const { x, y, half } = place.get(name);
      return `<g class="node"><title>${escape(name)}</title><rect x="${x - half}" y="${y - 16}" width="${2 * half}" height="32" rx="9"/><text x="${x}" y="${y}">${escape(short(name))}</text></g>`;
    });
    const label = edges.map(([from, to]) => `${from} refers to ${to}`).join(", ");
    return `<figure class="cycle"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(label)}"><defs><marker id="tip" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0,0 L10,5 L0,10 z"/></marker></defs>${lines.join("")}${nodes.join("")}</svg><figcaption>who keeps whom</figcaption></figure>`;
  };

  // ---- What a run has shown: sizes over calls.
  const chart = (series) => {
    const [first, last] = [series[0], series.at(-1)];
    const most = Math.max(...series.map(([, size]) => size));
    if (!first || !most || last[0] <= first[0]) return "";
    const width = 640, height = 150, left = 8, right = 8, top = 22, bottom = 24;
    const x = (call) => left + ((call - first[0]) / (last[0] - first[0])) * (width - left - right);
    const y = (size) => height - bottom - (size / most) * (height - top - bottom);
    const points = series.map(([call, size]) => `${x(call).toFixed(1)},${y(size).toFixed(1)}`).join(" ");
    const calls = last[0] - first[0], label = `from ${first[1]} to ${last[1]} in ${calls} calls, at most ${most}`;
    return `<figure class="chart"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}"><polygon class="area" points="${x(first[0])},${y(0)} ${points} ${x(last[0])},${y(0)}"/><line class="axis" x1="${left}" y1="${y(0)}" x2="${width - right}" y2="${y(0)}"/><polyline class="line" points="${points}"/><circle class="end" cx="${x(last[0])}" cy="${y(last[1])}" r="3.5"/><text x="${left}" y="${top - 8}">${most} at most</text><text x="${left}" y="${height - 7}">first call</text><text class="to-end" x="${width - right}" y="${height - 7}">${calls} calls</text></svg><figcaption>how much it held</figcaption></figure>`;
  };
  const observed = ({ observed }) => !observed ? "" : `<li class="observed"><span class="dot">◉</span><div class="say"><b>${observed.verdict}</b>: ${said(observed.note)}</div><div class="at">observed in a run of the program</div>${chart(observed.series)}</li>`;

  // ---- One finding.
  const meter = (level) => `<span class="meter" role="img" aria-label="${level} confidence">${LEVELS.map((_, i) => `<i class="${i <= LEVELS.indexOf(level) ? "on" : ""}"></i>`).join("")}</span>`;
  const fix = ({ fix }) => !fix ? "" : `<div class="help"><b>${fix.safe ? "a fix: --fix" : "a fix to look at: --fix --unsafe-fixes"}</b>${said(fix.title)}<pre>${fix.lines.map((line) => `<span class="${line[0] === "-" ? "del" : "add"}">${escape(line)}</span>`).join("\n")}</pre></div>`;
  const detail = (finding) => {
    const { rule } = finding;
    const steps = finding.steps.map((step, index) => `<li><span class="dot">${index || "●"}</span><div class="say">${said(step.message)}</div><div class="at">${escape(step.path)}${step.cell ? `, cell ${step.cell}` : ""}:${step.row}:${step.from + 1}</div>${source(step)}</li>`);
    return `<div class="inner" style="--family:var(--${rule.family})"><button class="icon back" type="button">← all findings</button>
<div class="tags"><span class="pill">${rule.code}</span><a href="${escape(rule.url)}" target="_blank" rel="noreferrer">${escape(rule.name)}</a><span class="severity-${finding.severity}">${finding.severity}</span><span>${meter(finding.confidence)} ${finding.confidence} confidence</span></div>
<h2>${said(finding.message)}</h2><p class="symbol mono">${escape(finding.symbol)}</p>${cycle(finding)}<ol class="path">${steps.join("")}${observed(finding)}</ol>
<div class="help"><b>what to do</b>${said(rule.help)}</div>${fix(finding)}</div>`;
  };

  // ---- The list: only the rows in sight are in the page, so that thousands scroll like ten.
  const ROW = 62, GROUP = 34;
  const list = $(".list"), pane = $(".detail");
  const keyOf = { family: (f) => f.rule.family, severity: (f) => f.severity, module: (f) => f.path, rule: (f) => `${f.rule.code} ${f.rule.name}` };
  const orderOf = { family: FAMILIES, severity: SEVERITIES };
  const matches = (finding) => {
    if (state.off.has(finding.rule.family) || state.off.has(finding.severity) || state.off.has(finding.confidence)) return false;
    return state.query.toLowerCase().split(/\s+/).every((word) => finding.words.includes(word));
  };
  for (const finding of findings) {
    const { rule } = finding;
    finding.words = [rule.code, rule.name, rule.family, finding.severity, finding.message, finding.symbol, finding.path, finding.observed ? finding.observed.verdict : "", ...finding.steps.map((step) => step.path)].join(" ").toLowerCase();
  }
  const arrange = () => {
    const groups = new Map();
    for (const finding of findings.filter(matches)) {
      const key = keyOf[state.group](finding);
      groups.has(key) ? groups.get(key).push(finding) : groups.set(key, [finding]);
    }
    const order = orderOf[state.group];
    const keys = [...groups.keys()].sort((a, b) => order ? order.indexOf(a) - order.indexOf(b) : state.group === "module" ? groups.get(b).length - groups.get(a).length || (a < b ? -1 : 1) : a < b ? -1 : 1);
    let top = 0;
    state.rows = []; state.shown = [];
    for (const key of keys) {
      const members = groups.get(key);
      state.rows.push({ top, group: key, count: members.length, family: state.group === "family" ? key : state.group === "rule" ? members[0].rule.family : null });
      top += GROUP;
      for (const finding of members) {
        state.rows.push({ top, finding }); state.shown.push(finding);
        top += ROW;
      }
    }
    state.height = top;
    // What a comment says to unleak leaks nothing.
    const thing = findings.some((finding) => finding.rule.family === "unleak") ? "finding" : "leak";
    const all = findings.length, some = state.shown.length;
    $(".sum").textContent = `${some === all ? "" : `${some} of `}${all} ${thing}${all === 1 ? "" : "s"} in ${data.files} ${data.files === 1 ? "file" : "files"}`;
    if (!state.shown.includes(state.selected)) select(state.shown[0] || null, false);
    paint();
  };
  const rowHtml = (row) => {
    if (!row.finding) return `<div class="group" role="presentation" style="top:${row.top}px;--family:var(--${row.family || "soft"})"><i></i><b>${escape(row.group)}</b><span>${row.count}</span></div>`;
    const { finding } = row, { rule } = finding;
    return `<div class="row" role="option" id="f${finding.id}" aria-selected="${finding === state.selected}" style="top:${row.top}px;--family:var(--${rule.family})"><div class="what">${said(finding.message)}</div><div class="where"><b class="code">${rule.code}</b>${meter(finding.confidence)}<span class="file"><bdi>${escape(finding.path)}:${finding.row}</bdi></span></div></div>`;
  };
  const paint = () => {
    if (!state.rows.length) { list.innerHTML = `<div class="empty">No finding is like this.</div>`; return; }
    const from = list.scrollTop - 400, to = list.scrollTop + list.clientHeight + 400;
    const inSight = state.rows.filter((row) => row.top + ROW > from && row.top < to);
    list.innerHTML = `<div role="presentation" style="height:${state.height}px"></div>${inSight.map(rowHtml).join("")}`;
    const selected = state.selected && document.getElementById(`f${state.selected.id}`);
    selected ? list.setAttribute("aria-activedescendant", selected.id) : list.removeAttribute("aria-activedescendant");
  };
  const select = (finding, link = true) => {
    state.selected = finding;
    pane.innerHTML = finding ? detail(finding) : "";
    pane.scrollTop = 0;
    if (finding && link) history.replaceState(null, "", `#${finding.fingerprint}`);
  };
  const reveal = () => {
    const row = state.rows.find((row) => row.finding === state.selected);
    if (!row) return;
    if (row.top < list.scrollTop + GROUP) list.scrollTop = row.top - GROUP;
    else if (row.top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = row.top + ROW - list.clientHeight;
    paint();
  };
  const move = (by) => {
    const at = state.shown.indexOf(state.selected);
    const next = state.shown[Math.min(Math.max(at + by, 0), state.shown.length - 1)];
    if (next) { select(next); reveal(); }
  };
  const open = (is) => document.body.classList.toggle("open", is);

  // ---- The header.
  const chip = (word, number, family) => `<button class="chip" type="button" aria-pressed="true" data-off="${word}" ${family ? `style="--family:var(--${word})"` : ""}>${family ? "<i></i>" : ""}${word} <b>${number}</b></button>`;
  const chips = (words, counts, family) => words.filter((word) => counts.get(word)).map((word) => chip(word, counts.get(word), family)).join("");
  const families = count((f) => f.rule.family);
  $(".bar").innerHTML = FAMILIES.filter((f) => families.get(f)).map((f) => `<span title="${f}: ${families.get(f)}" style="flex:${families.get(f)};--family:var(--${f})"></span>`).join("");
  const severities = count((f) => f.severity), confidences = count((f) => f.confidence);
  const several = (words, counts, family) => counts.size > 1 || family ? chips(words, counts, family) + `<span class="gap"></span>` : "";
  $(".chips").outerHTML = several(FAMILIES, families, true) + several(SEVERITIES, severities) + several(["high", "medium", "low"], confidences);
  if (!findings.length) {
    $(".filters").hidden = $(".bar").hidden = $(".keys").hidden = true;
    $("main").innerHTML = `<div class="all-clear"><div><strong>No leaks found</strong>in ${data.files} ${data.files === 1 ? "file" : "files"}</div></div>`;
  }
  const themes = { auto: "dark", dark: "light", light: "auto" };
  const theme = (name) => {
    name === "auto" ? document.documentElement.removeAttribute("data-theme") : (document.documentElement.dataset.theme = name);
    $("#theme").innerHTML = `◐<span> ${name}</span>`;
    $("#theme").setAttribute("aria-label", `theme: ${name}`);
    $("#theme").dataset.now = name;
  };
  theme(themes[store("unleak-theme")] ? store("unleak-theme") : "auto");
  $("#theme").onclick = () => { const next = themes[$("#theme").dataset.now]; store("unleak-theme", next); theme(next); };
  if (!findings.length) return;

  $(".filters").addEventListener("click", (event) => {
    const button = event.target.closest("[data-off]");
    if (!button) return;
    const word = button.dataset.off;
    state.off.has(word) ? state.off.delete(word) : state.off.add(word);
    button.setAttribute("aria-pressed", !state.off.has(word));
    list.scrollTop = 0;
    arrange();
  });
  $(".search").addEventListener("input", (event) => { state.query = event.target.value.trim(); list.scrollTop = 0; arrange(); });
  $("#group").addEventListener("change", (event) => { state.group = event.target.value; arrange(); reveal(); });
  list.addEventListener("scroll", () => requestAnimationFrame(paint));
  new ResizeObserver(() => paint()).observe(list);
  list.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    select(findings[Number(row.id.slice(1))]);
    open(true);
    paint();
  });
  pane.addEventListener("click", (event) => { if (event.target.closest(".back")) { open(false); reveal(); list.focus(); } });
  document.addEventListener("keydown", (event) => {
    const writes = event.target.matches("input, select");
    if (event.key === "Escape") {
      if (event.target === $(".search")) { event.target.value = ""; state.query = ""; arrange(); list.focus(); }
      open(false);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || (writes && event.key !== "ArrowDown")) return;
    if (writes && event.target !== $(".search")) return;
    const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      // What scrolls by itself keeps its keys.
      if (event.key.length > 1 && event.target.closest(".detail")) return;
      event.preventDefault();
      if (writes) list.focus();
      if (Math.abs(steps[event.key]) === Infinity) { const end = steps[event.key] > 0 ? state.shown.at(-1) : state.shown[0]; if (end) { select(end); reveal(); } } else move(steps[event.key]);
    } else if (event.key === "/") { event.preventDefault(); open(false); $(".search").focus(); $(".search").select(); }
    else if (event.key === "Enter" && event.target === list) { open(true); pane.focus(); }
    else if (event.key === "t") $("#theme").click();
  });
  const linked = findings.find((finding) => `#${finding.fingerprint}` === location.hash);
  if (linked) select(linked, false);
  arrange();
  if (linked) { open(true); reveal(); }
})();
