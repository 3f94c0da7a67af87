"use strict";
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const DATA = JSON.parse(document.getElementById("data").textContent);

/* Cards: a link to a card opens it, printing opens all. */
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const card = target && target.closest("details");
  if (card) { card.open = true; card.scrollIntoView(); }
}
addEventListener("hashchange", reveal);
addEventListener("DOMContentLoaded", reveal);
addEventListener("beforeprint", () => $$("details.card").forEach((card) => { card.open = true; }));
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

/* Players: both versions run together and one is muted, so that switching is heard at the same moment. */
function makePlayer(root) {
  const part = (name) => root.querySelector(`[data-${name}]`);
  const sides = $$("[data-side]", root);
  const seconds = Number(root.dataset.seconds);
  let sounds = null, side = 0, running = false;
  function load() {
    sounds ??= [root.dataset.a, root.dataset.b].map((id) => new Audio(address(id)));
    return sounds;
  }
  function start(sound, at) {
    if (Math.abs(sound.currentTime - at) > 0.02) { sound.currentTime = at; }
    return sound.play();
  }
  function stop() {
    running = false;
    load().forEach((sound) => sound.pause());
    root.classList.remove("playing");
  }
  function play() {
    onlyThis(stop);
    const at = Number(part("seek").value) >= seconds - 0.05 ? 0 : Number(part("seek").value);
    running = true;
    load().forEach((sound, i) => { sound.muted = i !== side; start(sound, at).catch(() => { if (i === side) { stop(); } }); });
    root.classList.add("playing", "started");
    requestAnimationFrame(follow);
  }
  function show(at) {
    part("seek").value = at;
    part("clock").textContent = `${at.toFixed(1)} / ${seconds.toFixed(1)} s`;
    $$(".cursor", root).forEach((cursor) => { cursor.style.left = `${100 * Math.min(1, at / seconds)}%`; });
  }
  function follow() {
    if (!running) { return; }
    show(sounds[side].currentTime);
    if (sounds[side].ended) { stop(); } else { requestAnimationFrame(follow); }
  }
  function choose(wanted) {
    const at = load()[side].currentTime;
    side = wanted;
    sides.forEach((button, i) => button.setAttribute("aria-pressed", String(i === side)));
    sounds.forEach((sound, i) => { sound.muted = i !== side; });
    if (running) { start(sounds[side], at).catch(stop); }
  }
  part("play").addEventListener("click", () => (running ? stop() : play()));
  sides.forEach((button, i) => button.addEventListener("click", () => choose(i)));
  part("seek").addEventListener("input", (event) => {
    const at = Number(event.target.value);
    load().forEach((sound) => { sound.currentTime = at; });
    root.classList.add("started");
    show(at);
  });
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
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
