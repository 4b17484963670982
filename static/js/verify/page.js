/* The check on /verify/: takes the file that is chosen or dropped, and shows what it proves or why it does not.
 * Everything was loaded with the page; from here on nothing is sent and nothing is fetched. */

import { creditsOf, NotValid, readKey, verify } from "./certificate.js";
import { readCertificate, Unreadable } from "./file.js";

const zone = document.getElementById("check");
const input = document.getElementById("check-file");
const typedKey = document.getElementById("check-key");
const result = document.getElementById("check-result");
const { keys: ownKeys, sentences } = JSON.parse(document.getElementById("check-data").textContent);
const numbers = new Intl.NumberFormat(document.documentElement.lang);
let latest = 0; // only the newest check shows what it found

/** Text in which nothing is hidden, and nothing turns the line around. */
function shown(value) {
  if (typeof value === "bigint") return numbers.format(value);
  return String(value).replace(/[\p{C}\p{Z}]/gu, (character) => (character === " " ? " " : "?"));
}

function sentence(code, values = {}) {
  return sentences[code].replace(/\{(\w+)\}/g, (_whole, name) => shown(values[name]));
}

function fill(root, values) {
  for (const place of root.querySelectorAll("[data-fill]")) place.textContent = values[place.dataset.fill];
}

/** A copy of what a <template> holds, filled. */
function copy(template, values) {
  const made = template.content.cloneNode(true);
  fill(made, values);
  return made;
}

async function knownKeys() {
  const typed = typedKey.value.trim();
  const texts = typed ? typed.split(/\s+/) : ownKeys.map((own) => own.key);
  const keys = await Promise.all(texts.map(readKey));
  if (!keys.length || keys.includes(null)) throw new Unreadable(typed ? "bad_key" : "no_key");
  return keys.map((key, place) => ({ ...key, source: typed ? "" : ownKeys[place].name }));
}

async function proven(file) {
  if (!globalThis.crypto?.subtle) throw new Unreadable("no_crypto");
  const keys = await knownKeys();
  return verify(await readCertificate(file), keys);
}

function partValues(part) {
  return {
    interval: sentence("interval", { ...part, from: part.fromG, to: part.toG }),
    credits: `${part.registry} ${creditsOf(part)}`,
    retirement: sentence("retirement", {
      ...part, serials: `${part.registry} ${part.prefix}${part.first} to ${part.last}`,
    }),
  };
}

function validResult({ facts, parts, size, root, key }) {
  const values = Object.fromEntries([...facts].map(([name, value]) => [name, shown(value)]));
  const made = copy(document.getElementById("check-valid"), {
    ...values,
    title: sentence("valid", { certificate: facts.get("certificate") }),
    device: `${values.manufacturer} ${values.product}`,
    amount: sentence("grams", { amount: facts.get("amount_g") }),
    log: key.origin,
    size: numbers.format(size),
    root,
    key: key.source ? sentence("key_of_page", { log: key.source }) : sentence("key_typed"),
  });
  made.querySelector("[data-own-key]").hidden = !key.source;
  const list = made.querySelector("[data-parts]");
  for (const part of parts) list.append(copy(document.getElementById("check-part"), partValues(part)));
  const every = made.querySelector("[data-facts]");
  for (const [name, value] of facts) {
    const row = copy(document.getElementById("check-fact"), { name: shown(name), value: shown(String(value)) });
    every.append(row);
  }
  return made;
}

function refusal(title, file, { code, values }) {
  return copy(document.getElementById("check-refused"), {
    title: sentence(title, { file: file.name }),
    reason: sentence(code, values),
  });
}

async function answerOn(file) {
  try {
    return validResult(await proven(file));
  } catch (error) {
    if (error instanceof NotValid) return refusal("not_valid", file, error);
    if (error instanceof Unreadable) return refusal("not_read", file, error);
    throw error;
  }
}

function show(made) {
  result.replaceChildren(made);
  result.querySelector("h3").focus();
}

async function check() {
  const files = input.files;
  const turn = ++latest;
  if (files.length !== 1) {
    show(refusal(files.length ? "one_file_title" : "no_file_title", { name: "" }, { code: "one_file" }));
    return;
  }
  result.textContent = sentence("checking", { file: files[0].name });
  const made = await answerOn(files[0]);
  if (turn === latest) show(made);
}

input.addEventListener("click", () => { input.value = ""; }); // so that the same file can be chosen again
input.addEventListener("change", check);
document.getElementById("check-with").addEventListener("submit", (event) => {
  event.preventDefault();
  check();
});
// A file may be let go anywhere on the page: beside the field it would replace the page.
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  zone.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) zone.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  zone.classList.remove("dropping");
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  check();
});
document.getElementById("check-needs").hidden = true;
zone.hidden = false;
