/** The reference page's one script element: filter, copy, and the mark at the section in view. Works without it too. */
export const SCRIPT = `
const box = document.querySelector("#search");
const sections = [...document.querySelectorAll("main section")];
const links = new Map([...document.querySelectorAll("nav li a")].map((a) => [a.getAttribute("href").slice(1), a]));
const texts = new Map(sections.map((s) => [s, s.textContent.toLowerCase()]));
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const section of sections) {
    section.hidden = !words.every((word) => texts.get(section).includes(word));
    const link = links.get(section.id);
    if (link) link.parentElement.hidden = section.hidden;
    if (!section.hidden) shown += 1;
  }
  for (const group of document.querySelectorAll("nav .group")) group.hidden = !group.querySelector("li:not([hidden])");
  document.querySelector("#nothing").hidden = shown > 0;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== box) { event.preventDefault(); box.focus(); }
  if (event.key === "Escape" && document.activeElement === box) { box.value = ""; box.dispatchEvent(new Event("input")); }
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  navigator.clipboard.writeText(button.closest("figure").querySelector("code").textContent).then(() => {
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }, () => {});
});
const observer = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(entry.target.id)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "0px 0px -75% 0px" });
for (const section of sections) observer.observe(section);
`;
