// Reviews without leaving the page: j and k move, c and r confirm and reject, u takes the last one back, o opens the
// article. The buttons do the same without this script.
"use strict";

const items = [...document.querySelectorAll(".item[data-match]")];
const done = []; // forms of verdicts given here, the latest last
let at = -1;

function go(step) {
  if (!items.length) return;
  at = Math.min(Math.max(at + step, 0), items.length - 1);
  items[at].focus({ preventScroll: true });
  items[at].scrollIntoView({ block: "nearest" });
}

for (const [number, item] of items.entries()) item.addEventListener("focusin", () => { at = number; });

const WORDS = { confirmed: "confirmed", rejected: "rejected", withdrawn: "taken back" };

async function send(form, verdict) {
  const said = form.querySelector(".said");
  const values = new FormData(form);
  values.set("verdict", verdict);
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: new URLSearchParams(values), headers: { Accept: "application/json" }, redirect: "error",
    });
    if (!answer.ok) throw new Error(answer.status === 403 ? "load the page again" : `error ${answer.status}`);
    form.dataset.given = verdict === "withdrawn" ? "" : verdict;
    form.closest(".item").classList.toggle("decided", verdict !== "withdrawn");
    said.textContent = WORDS[verdict];
    return true;
  } catch (error) {
    said.textContent = `That did not work: ${error.message}`;
    return false;
  } finally {
    form.removeAttribute("aria-busy");
  }
}

async function give(form, verdict) {
  if (form.getAttribute("aria-busy") || !(await send(form, verdict))) return;
  const before = done.indexOf(form);
  if (before >= 0) done.splice(before, 1);
  if (verdict !== "withdrawn") done.push(form);
}

for (const form of document.querySelectorAll("form.verdict")) {
  form.addEventListener("submit", (event) => {
    if (!event.submitter || !event.submitter.value) return;
    event.preventDefault();
    give(form, event.submitter.value);
  });
}

document.addEventListener("keydown", async (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const form = at < 0 ? null : items[at].querySelector("form.verdict");
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if ((event.key === "c" || event.key === "r") && form) {
    await give(form, event.key === "c" ? "confirmed" : "rejected");
    if (form.dataset.given && items[at] === form.closest(".item")) go(1);
  } else if (event.key === "u" && done.length) {
    const last = done[done.length - 1];
    await give(last, "withdrawn");
    last.closest(".item").focus();
  } else if (event.key === "o" && at >= 0) items[at].querySelector("a.opens").click();
  else return;
  event.preventDefault();
});

// Why a match is one: looked up where it is asked for.
for (const box of document.querySelectorAll("details.why")) {
  box.addEventListener("toggle", async () => {
    if (!box.open || box.dataset.loaded) return;
    box.dataset.loaded = "1";
    const answer = await fetch(`${box.dataset.from}?fetch=1`);
    if (!answer.ok) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    const reasons = parsed.querySelector("dl.reasons");
    if (reasons) box.append(document.adoptNode(reasons));
  });
}
