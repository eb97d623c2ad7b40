// Before anything is painted: the palette of last time, so that a reload at night is no flash. Night where none is kept.
const PALETTES = ["bright", "day", "dusk", "night"];
let kept = null;
try {
  kept = JSON.parse(localStorage.getItem("ispsd.palette"));
} catch {
  // A browser that keeps nothing still shows the page.
}
document.documentElement.dataset.palette = PALETTES.includes(kept) ? kept : "night";
