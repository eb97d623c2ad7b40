// Before anything is painted: the palette of last time, so that a reload at night is no flash. Night where none is kept.
const PALETTES = ["bright", "day", "dusk", "night"];
let kept = null;
let is_down = false;
try {
  is_down = localStorage.getItem("ispsd.curtain") !== null;
  kept = JSON.parse(localStorage.getItem("ispsd.palette"));
} catch {
  // A browser that keeps nothing still shows the page.
}
document.documentElement.dataset.palette = !is_down && PALETTES.includes(kept) ? kept : "night";
// A curtain that was down is down, until the broker has said otherwise: nothing of the page is painted before.
if (is_down) document.documentElement.dataset.clock = "";
