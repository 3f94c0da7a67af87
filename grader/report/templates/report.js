"use strict";
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const DATA = JSON.parse(document.getElementById("data").textContent);

/* Cards: a link to a card opens it, whatever the filter; what is printed is what is shown. */
const filter = document.querySelector("[data-filter]");
function sift() {
  $$("article.question").forEach((one) => { one.hidden = filter.value && !one.dataset.kinds.split(" ").includes(filter.value); });
}
filter.addEventListener("change", sift);
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.closest("article[hidden]")) { filter.value = ""; sift(); }
  const card = target && target.closest("details");
  if (card) { card.open = true; card.scrollIntoView(); }
}
addEventListener("hashchange", reveal);
addEventListener("DOMContentLoaded", reveal);
for (const button of $$("[data-cards]")) {
  button.addEventListener("click", () => $$("details.card").forEach((card) => { card.open = button.dataset.cards === "open"; }));
}
for (const button of $$("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = DATA.words.copied;
  });
}

/* Sounds: kept once at the end of the page, made into something playable when first asked for. */
const made = new Map();
function address(id) {
  if (!made.has(id)) {
    const [head, body] = DATA.sounds[id].split(";base64,");
    if (body === undefined) { made.set(id, head); } else {
      const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
      made.set(id, URL.createObjectURL(new Blob([bytes], { type: head.slice("data:".length) })));
    }
  }
  return made.get(id);
}
let silence = () => {};
function onlyThis(stop) {
  if (silence !== stop) { silence(); }
  silence = stop;
}

for (const sound of $$("audio[data-sound]")) {
  sound.src = address(sound.dataset.sound);
  const stop = () => sound.pause();
  sound.addEventListener("play", () => onlyThis(stop));
}

/* Players: one clock plays both versions from the same sample on, and only their gains differ. */
let clock = null;
const FADE = 0.004;  // seconds in which one version gives way to the other, without a click
function decoded(id) {
  const [, body] = DATA.sounds[id].split(";base64,");
  return clock.decodeAudioData(Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0)).buffer);
}
async function together(ids) {
  clock ??= new AudioContext();
  const buffers = await Promise.all(ids.map(decoded));
  const gains = buffers.map(() => { const gain = clock.createGain(); gain.connect(clock.destination); return gain; });
  let sources = [], from = 0, begun = 0;
  return {
    async start(at) {
      await clock.resume();
      begun = clock.currentTime + 0.02;
      from = at;
      sources = buffers.map((buffer, i) => {
        const source = new AudioBufferSourceNode(clock, { buffer });
        source.connect(gains[i]);
        source.start(begun, at);
        return source;
      });
    },
    stop() { sources.forEach((source) => source.stop()); sources = []; },
    hear(side) { gains.forEach((gain, i) => gain.gain.setTargetAtTime(i === side ? 1 : 0, clock.currentTime, FADE)); },
    now: () => from + Math.max(0, clock.currentTime - begun),
  };
}
/* Files beside the page cannot be decoded by a page without a server: two elements, one of them muted. */
function elements(ids) {
  const sounds = ids.map((id) => new Audio(address(id)));
  return {
    start: (at) => Promise.all(sounds.map((sound) => { sound.currentTime = at; return sound.play(); })),
    stop() { sounds.forEach((sound) => sound.pause()); },
    hear(side) {
      sounds.forEach((sound, i) => { sound.muted = i !== side; });
      if (!sounds[side].paused) { sounds[side].currentTime = sounds[1 - side].currentTime; }
    },
    now: () => sounds[0].currentTime,
  };
}
function makePlayer(root) {
  const part = (name) => root.querySelector(`[data-${name}]`);
  const sides = $$("[data-side]", root);
  const seconds = Number(root.dataset.seconds);
  const ids = [root.dataset.a, root.dataset.b];
  let sound = null, side = 0, running = false;
  const place = () => Number(part("seek").value);
  async function load() {
    sound ??= DATA.sounds[ids[0]].startsWith("data:") ? together(ids) : Promise.resolve(elements(ids));
    return sound;
  }
  async function stop() {
    running = false;
    root.classList.remove("playing");
    (await load()).stop();
  }
  async function play() {
    onlyThis(stop);
    running = true;
    root.classList.add("playing", "started");
    const at = place() >= seconds - 0.05 ? 0 : place();
    const pair = await load();
    if (!running) { return; }
    pair.hear(side);
    try { await pair.start(at); } catch { return stop(); }
    follow(pair);
  }
  function show(at) {
    part("seek").value = at;
    part("clock").textContent = `${at.toFixed(1)} / ${seconds.toFixed(1)} s`;
    $$(".cursor", root).forEach((cursor) => { cursor.style.left = `${100 * Math.min(1, at / seconds)}%`; });
  }
  function follow(pair) {
    if (!running) { return; }
    show(Math.min(seconds, pair.now()));
    if (pair.now() >= seconds) { stop(); } else { requestAnimationFrame(() => follow(pair)); }
  }
  async function seek(at) {
    root.classList.add("started");
    show(Math.max(0, Math.min(seconds, at)));
    if (running) { await stop(); play(); }
  }
  async function choose(wanted) {
    side = wanted;
    sides.forEach((button, i) => button.setAttribute("aria-pressed", String(i === side)));
    if (sound) { (await sound).hear(side); }
  }
  part("play").addEventListener("click", () => (running ? stop() : play()));
  sides.forEach((button, i) => button.addEventListener("click", () => choose(i)));
  part("seek").addEventListener("input", () => seek(place()));
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { seek(place() + step); event.preventDefault(); }
    if (event.key.toLowerCase() === "x") { choose(1 - side); event.preventDefault(); }
    if (event.key === " " && event.target.tagName !== "BUTTON") { (running ? stop : play)(); event.preventDefault(); }
  });
}
$$("[data-player]").forEach(makePlayer);

/* Maps: a point plays its clip and names it; arrow keys go to the nearest point in that direction. */
let speaking = null;
function hush() {
  if (speaking) { speaking.pause(); speaking = null; }
}
function choosePoint(figure, point) {
  $$(".point.chosen", figure).forEach((other) => other.classList.remove("chosen"));
  $$(`[data-spot="${point.dataset.spot}"]`, figure).forEach((same) => {
    same.classList.add("chosen");
    if (same !== document.activeElement) { same.parentNode.append(same); }
  });
  figure.querySelector("[data-now]").textContent = `${point.dataset.sound ? "▶ " : ""}${point.dataset.name}`;
  hush();
  if (point.dataset.sound) {
    onlyThis(hush);
    speaking = new Audio(address(point.dataset.sound));
    speaking.dataset.spot = point.dataset.spot;
    speaking.play().catch(hush);
  }
}
function focusPoint(panel, point) {
  $$("[tabindex='0']", panel).forEach((old) => old.setAttribute("tabindex", "-1"));
  point.setAttribute("tabindex", "0");
  panel.append(point);  // on top of its neighbours
  point.focus();
}
function neighbour(panel, point, key) {
  const place = (one) => [Number(one.getAttribute("x")), Number(one.getAttribute("y"))];
  const [x, y] = place(point);
  const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
  let best = null, least = Infinity;
  for (const other of $$(".point", panel)) {
    const [u, v] = place(other);
    const along = (u - x) * right + (v - y) * down;
    const aside = Math.abs((u - x) * down) + Math.abs((v - y) * right);
    if (other !== point && along > 0 && along + 2 * aside < least) { least = along + 2 * aside; best = other; }
  }
  return best;
}
const FINGER = 22;  // CSS pixels within which a tap beside a point still means it
function nearest(panel, event) {
  const away = (point) => {
    const box = point.getBoundingClientRect();
    return Math.hypot(event.clientX - (box.left + box.right) / 2, event.clientY - (box.top + box.bottom) / 2);
  };
  const [closest] = $$(".point", panel).sort((a, b) => away(a) - away(b));
  return closest && away(closest) <= FINGER ? closest : null;
}
for (const figure of $$("[data-map]")) {
  for (const panel of $$("[data-panel]", figure)) {
    panel.addEventListener("click", (event) => {
      const point = event.target.closest(".point") || nearest(panel, event);
      if (point) { focusPoint(panel, point); choosePoint(figure, point); }
    });
    panel.addEventListener("keydown", (event) => {
      const point = event.target.closest(".point");
      if (!point) { return; }
      if (event.key === "Enter" || event.key === " ") { choosePoint(figure, point); event.preventDefault(); }
      if (event.key.startsWith("Arrow")) {
        event.preventDefault();
        const next = neighbour(panel, point, event.key);
        if (next) { focusPoint(panel, next); }
      }
    });
  }
}
