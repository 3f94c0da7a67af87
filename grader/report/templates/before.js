"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("sheet");
const questions = [...form.querySelectorAll("[data-question]")];

const ticked = (question) => [...question.querySelectorAll("input:checked")].map((input) => input.value);
const unanswered = () => questions.filter((question) => ticked(question).length === 0);
function say(text) { document.getElementById("state").textContent = text; }

function look() {
  const open = unanswered().map((question) => question.dataset.question);
  questions.forEach((question) => question.classList.toggle("open", open.includes(question.dataset.question)));
  say(open.length ? DATA.words.open.replace("{n}", open.length).replace("{names}", open.join(", ")) : DATA.words.done);
}

/* What was ticked is kept in this browser alone. Not in localStorage: Chromium (156) now and then gives a page that is opened
   from a file a storage which forgets at once. A transaction that is committed in the same breath outlives a reload. */
const drawer = new Promise((found, failed) => {
  const asked = indexedDB.open("earwitness", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("sheets");
  asked.onsuccess = () => found(asked.result);
  asked.onerror = () => failed(asked.error);
});
let changed = false;
function unkept() { document.getElementById("unkept").hidden = false; }
function keep() {
  changed = true;
  const answers = Object.fromEntries(questions.map((question) => [question.dataset.question, ticked(question)]));
  const sheet = { student: form.student.value, answers };
  drawer.then((sheets) => {
    const change = sheets.transaction("sheets", "readwrite");
    change.onabort = unkept;
    change.objectStore("sheets").put(sheet, DATA.quiz);
    change.commit();
  }).catch(unkept);
}
function restore() {
  drawer.then((sheets) => {
    const asked = sheets.transaction("sheets").objectStore("sheets").get(DATA.quiz);
    asked.onerror = unkept;
    asked.onsuccess = () => {
      if (changed || !asked.result) { return; }
      form.student.value = asked.result.student;
      for (const input of form.querySelectorAll("[data-question] input")) {
        input.checked = (asked.result.answers[input.name] ?? []).includes(input.value);
      }
      look();
    };
  }).catch(unkept);
}

/* The file that `earwitness check` reads; JSON's quotes are YAML's too. */
function yaml() {
  const lines = [`# ${DATA.quiz}`];
  if (form.student.value.trim()) { lines.push(`student_id: ${JSON.stringify(form.student.value.trim())}`); }
  lines.push("answers:");
  for (const question of questions) {
    lines.push(`  ${question.dataset.question}: [${ticked(question).map((letter) => JSON.stringify(letter)).join(", ")}]`);
  }
  return `${lines.join("\n")}\n`;
}
form.addEventListener("input", () => { look(); keep(); });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [first] = unanswered();
  look();
  if (first) {
    first.scrollIntoView();
    first.querySelector("input").focus();
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([yaml()], { type: "application/yaml" }));
  link.download = "answers.yaml";
  link.click();
  say(DATA.words.saved);
});
look();
restore();
