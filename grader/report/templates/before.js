"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("sheet");
const questions = [...form.querySelectorAll("[data-question]")];
const drawer = `earwitness ${DATA.quiz}`;

const ticked = (question) => [...question.querySelectorAll("input:checked")].map((input) => input.value);
const unanswered = () => questions.filter((question) => ticked(question).length === 0);
function say(text) { document.getElementById("state").textContent = text; }

/* What is still open, and what was ticked, is kept in this browser alone. */
function look() {
  const open = unanswered().map((question) => question.dataset.question);
  questions.forEach((question) => question.classList.toggle("open", open.includes(question.dataset.question)));
  say(open.length ? DATA.words.open.replace("{n}", open.length).replace("{names}", open.join(", ")) : DATA.words.done);
  const kept = Object.fromEntries(questions.map((question) => [question.dataset.question, ticked(question)]));
  localStorage.setItem(drawer, JSON.stringify({ student: form.student.value, answers: kept }));
}
function restore() {
  const kept = JSON.parse(localStorage.getItem(drawer) ?? "null");
  if (!kept) { return; }
  form.student.value = kept.student;
  for (const input of form.querySelectorAll("[data-question] input")) {
    input.checked = (kept.answers[input.name] ?? []).includes(input.value);
  }
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
form.addEventListener("input", look);
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
restore();
look();
